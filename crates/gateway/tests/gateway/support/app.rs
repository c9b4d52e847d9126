//! Applications behind the gateway.

use super::wire::read_head;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, Channel};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A request as the application saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Seen {
    /// The one value of a field; none if there is none, or more.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.get_all(name).iter();
        let value = values.next()?.to_str().unwrap();
        values.next().is_none().then_some(value)
    }
}

/// An application that keeps what it was asked, and does what paths say.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Lets `/slow` go on, and `/late` begin.
    pub(crate) go: Arc<Notify>,
}

impl App {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let app = Self { address: listener.local_addr().unwrap(), seen: Arc::default(), go: Arc::default() };
        let served = app.clone();
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let app = served.clone();
                let service = service_fn(move |request| {
                    let app = app.clone();
                    async move { Ok::<_, Infallible>(app.answer(request).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .with_upgrades();
                tokio::spawn(async move { drop(connection.await) });
            }
        });
        app
    }

    /// What it was asked since the last time.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// The one request since the last time.
    pub(crate) fn take_one(&self) -> Seen {
        let mut seen = self.take();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }

    async fn answer(&self, mut request: Request<Incoming>) -> Response<Channel<Bytes>> {
        let upgrade = request.uri().path().ends_with("/ws").then(|| hyper::upgrade::on(&mut request));
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        let collected = match upgrade {
            Some(_) => None,
            None => body.collect().await.ok(),
        };
        if path == "/late" {
            self.go.notified().await;
        }
        let trailers = collected.as_ref().and_then(|body| body.trailers()).cloned().unwrap_or_default();
        self.seen.lock().unwrap().push(Seen {
            method: head.method.to_string(),
            target: head.uri.to_string(),
            fields: head.headers,
            body: collected.map(|body| body.to_bytes()).unwrap_or_default(),
            trailers,
        });
        let (mut sender, body) = Channel::new(4);
        let mut response = Response::new(body);
        let fields = response.headers_mut();
        let text = |text: &'static str| HeaderValue::from_static(text);
        match path.as_str() {
            path if path.ends_with("/ws") => {
                fields.insert("connection", text("upgrade"));
                fields.insert("upgrade", text("websocket"));
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                upgrade_echo(upgrade.unwrap());
                return response;
            }
            "/401" => {
                fields.insert("www-authenticate", text("Basic realm=\"x\""));
                *response.status_mut() = StatusCode::UNAUTHORIZED;
            }
            "/forge" => {
                fields.insert("authentication-info", text("version=1, sid=00, vks=00"));
                fields
                    .insert("authentication-control", text("Mutual realm=\"Staff\", location-when-logout=\"/evil\""));
                fields.append("optional-www-authenticate", text("Mutual version=1, realm=\"Evil\""));
                fields.append("www-authenticate", text("Mutual version=1, realm=\"Evil\""));
                fields.append("proxy-authentication-info", text("version=1"));
                fields.insert("trailer", text("x-sum, authentication-info"));
                fields.insert("x-other", text("stays"));
            }
            "/slow" => {
                let go = Arc::clone(&self.go);
                tokio::spawn(async move {
                    for _ in 0..3 {
                        let _ = sender.send_data(Bytes::from_static(b"part ")).await;
                        go.notified().await;
                    }
                });
                return response;
            }
            "/endless" => {
                tokio::spawn(
                    async move { while sender.send_data(Bytes::from_static(&[b'x'; 4096])).await.is_ok() {} },
                );
                return response;
            }
            _ => {}
        }
        tokio::spawn(async move {
            let _ = sender.send_data(Bytes::from(format!("page {path}"))).await;
            if path == "/forge" {
                let mut trailers = HeaderMap::new();
                trailers.insert("x-sum", HeaderValue::from_static("1"));
                trailers.insert("authentication-info", HeaderValue::from_static("version=1, sid=00, vks=00"));
                let _ = sender.send(Frame::trailers(trailers)).await;
            }
        });
        response
    }
}

/// Sends every octet back.
fn upgrade_echo(upgrade: OnUpgrade) {
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
    });
}

/// An application of octets: `serve` gets each connection with its first head.
pub(crate) async fn raw_upstream<F, Fut>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream, String) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    tokio::spawn(async move {
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let serve = Arc::clone(&serve);
            tokio::spawn(async move {
                if let Some(head) = read_head(&mut stream).await {
                    serve(stream, head).await;
                }
            });
        }
    });
    address
}
