//! HTTP/2 towards clients and towards upstreams.

use super::support::*;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, Version};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tagai_gateway::listener::{Abort, Listener, Settings, Timeouts};
use tagai_gateway::proxy::{Body, Protocol, Upstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Sent = http_body_util::combinators::BoxBody<Bytes, Infallible>;

async fn connect(address: std::net::SocketAddr) -> SendRequest<Sent> {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn empty() -> Sent {
    Empty::new().boxed()
}

fn ask_for(uri: &str) -> http::request::Builder {
    Request::builder().version(Version::HTTP_2).uri(uri)
}

#[tokio::test]
async fn http2_becomes_http1() {
    let (address, heads) =
        canned("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\nok").await;
    let gateway = Gateway::to(address).await;
    let mut client = connect(gateway.address).await;
    let request = ask_for("http://gate.example/a?b").header("cookie", "a=1").header("cookie", "b=2");
    let response = client.send_request(request.body(empty()).unwrap()).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
    assert!(!response.headers().contains_key("x-hop") && !response.headers().contains_key("connection"));
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
    let head = heads.lock().unwrap().remove(0).to_lowercase();
    for line in ["get /a?b http/1.1\r\n", "host: gate.example\r\n", "cookie: a=1; b=2\r\n", "via: 2.0 tagai\r\n"] {
        assert!(head.contains(line), "{line}: {head}");
    }
}

/// RFC 9110 §9.3.2: whoever wrote the response, and although its body is there.
#[tokio::test]
async fn no_body_comes_back_for_head() {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), Settings::default()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listener.run(|_, _| async { Ok::<_, Abort>(Response::new(Body::from("a page"))) }));
    let mut client = connect(address).await;
    let head = ask_for("http://gate.example/").method("HEAD").body(empty()).unwrap();
    let response = client.send_request(head).await.unwrap();
    assert_eq!((response.status().as_u16(), &response.headers()["content-length"]), (200, &"6".parse().unwrap()));
    assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
    let get = client.send_request(ask_for("http://gate.example/").body(empty()).unwrap()).await.unwrap();
    assert_eq!(get.into_body().collect().await.unwrap().to_bytes(), "a page");
}

#[tokio::test]
async fn authority_and_host_agree() {
    let (address, heads) = canned("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let gateway = Gateway::to(address).await;
    let mut client = connect(gateway.address).await;
    let request = ask_for("http://gate.example/").header("host", "other.example").body(empty()).unwrap();
    assert_eq!(client.send_request(request).await.unwrap().status(), 400);
    let request = ask_for("http://gate.example/").header("host", "gate.example").body(empty()).unwrap();
    assert_eq!(client.send_request(request).await.unwrap().status(), 200);
    assert_eq!(heads.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn fields_about_the_connection_are_malformed() {
    // hyper's client would not send them, so octets: preface, SETTINGS, and a HEADERS frame made by hand.
    let (address, heads) = canned("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let gateway = Gateway::to(address).await;
    for (name, value) in [("connection", "close"), ("transfer-encoding", "chunked"), ("te", "gzip"), ("upgrade", "x")]
    {
        let mut client = TcpStream::connect(gateway.address).await.unwrap();
        let mut block = vec![0x82, 0x86, 0x84, 0x01, 1, b'a'];
        block.push(0x00);
        block.push(u8::try_from(name.len()).unwrap());
        block.extend_from_slice(name.as_bytes());
        block.push(u8::try_from(value.len()).unwrap());
        block.extend_from_slice(value.as_bytes());
        let mut octets = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
        octets.extend_from_slice(&[0, 0, u8::try_from(block.len()).unwrap(), 1, 5, 0, 0, 0, 1]);
        octets.extend_from_slice(&block);
        client.write_all(&octets).await.unwrap();
        // Either the stream is reset, or it is answered with 400; a response of the application never comes.
        let answered = async {
            loop {
                let mut head = [0; 9];
                if client.read_exact(&mut head).await.is_err() {
                    return;
                }
                let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
                let mut payload = vec![0; length];
                client.read_exact(&mut payload).await.unwrap();
                match head[3] {
                    3 | 7 => return,
                    // 0x8c is ":status: 400" of the static table.
                    1 => return assert_eq!(payload[0], 0x8c, "{name}"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, answered).await.unwrap();
    }
    assert_eq!(heads.lock().unwrap().len(), 0, "{heads:?}");
}

/// An upstream with HTTP/2 that answers with what it was asked, and trailers.
async fn http2_upstream() -> (std::net::SocketAddr, Arc<Mutex<Vec<(Request<()>, Bytes, Option<HeaderMap>)>>>) {
    let seen = Arc::<Mutex<Vec<_>>>::default();
    let log = Arc::clone(&seen);
    let address = serve(move |stream, _| {
        let log = Arc::clone(&log);
        async move {
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                let log = Arc::clone(&log);
                async move {
                    let (parts, body) = request.into_parts();
                    let body = body.collect().await.unwrap();
                    let trailers = body.trailers().cloned();
                    let octets = body.to_bytes();
                    log.lock().unwrap().push((Request::from_parts(parts, ()), octets.clone(), trailers));
                    let mut trailers = HeaderMap::new();
                    trailers.insert("grpc-status", "0".parse().unwrap());
                    trailers.insert("authentication-info", "version=1".parse().unwrap());
                    let frames = [Ok::<_, Infallible>(Frame::data(octets)), Ok(Frame::trailers(trailers))];
                    Ok::<_, Infallible>(http::Response::new(Frames(frames.into_iter())))
                }
            });
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await;
    (address, seen)
}

/// A body of frames that are there already.
struct Frames<I>(I);

impl<I: Iterator<Item = Result<Frame<Bytes>, Infallible>> + Unpin> http_body::Body for Frames<I> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.0.next())
    }
}

#[tokio::test]
async fn http2_on_both_sides_with_trailers() {
    let (address, seen) = http2_upstream().await;
    let upstream = Upstream::new(&format!("http://{address}"), Protocol::Http2, None, limits()).unwrap();
    let gateway = Gateway::start(upstream, Options::default()).await;
    let mut client = connect(gateway.address).await;
    for _ in 0..2 {
        let request = ask_for("http://gate.example/rpc").method("POST").header("te", "trailers");
        let body = Full::new(Bytes::from_static(b"question")).boxed();
        let response = client.send_request(request.body(body).unwrap()).await.unwrap();
        let all = response.into_body().collect().await.unwrap();
        let trailers = all.trailers().cloned().unwrap();
        assert_eq!(all.to_bytes(), "question");
        assert_eq!(trailers.get("grpc-status").unwrap(), "0");
        assert!(!trailers.contains_key("authentication-info"));
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].0.uri(), "http://gate.example/rpc");
    assert_eq!(seen[0].0.headers().get("te").unwrap(), "trailers");
}

#[tokio::test]
async fn http1_becomes_http2() {
    let (address, seen) = http2_upstream().await;
    let upstream = Upstream::new(&format!("http://{address}"), Protocol::Http2, None, limits()).unwrap();
    let gateway = Gateway::start(upstream, Options::default()).await;
    let post = "POST /x HTTP/1.1\r\nHost: gate.example\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
    let answer = ask(gateway.address, post).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("hi"), "{answer} {}", gateway.errors());
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].0.uri(), "http://gate.example/x");
    assert!(!seen[0].0.headers().contains_key("host") && !seen[0].0.headers().contains_key("connection"));
}

#[tokio::test]
async fn a_stream_that_nobody_reads_is_cut() {
    let address = serve(|mut stream, _| async move {
        let _ = read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await;
        let piece = vec![7; 64 << 10];
        while stream.write_all(&piece).await.is_ok() {}
    })
    .await;
    let timeouts = Timeouts { stall: Duration::from_millis(80), ..Timeouts::default() };
    let settings = Settings { timeouts, ..Settings::default() };
    let gateway = Gateway::start(upstream(address), Options { settings, ..Options::default() }).await;
    let mut client = connect(gateway.address).await;
    let response = client.send_request(ask_for("http://a/").body(empty()).unwrap()).await.unwrap();
    until(|| client.is_closed()).await;
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn shutdown_says_goodbye() {
    let (address, _) = canned("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let gateway = Gateway::to(address).await;
    let mut client = connect(gateway.address).await;
    client.send_request(ask_for("http://a/").body(empty()).unwrap()).await.unwrap();
    gateway.handle.shutdown(Duration::from_secs(3600));
    until(|| client.is_closed()).await;
    assert_eq!(tokio::time::timeout(PATIENCE, gateway.run).await.unwrap().unwrap().cut, 0);
}

#[tokio::test]
async fn streams_that_are_opened_to_be_reset_end_the_connection() {
    let address = serve(|mut stream, _| async move {
        let _ = read_head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let gateway = Gateway::to(address).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    let mut octets = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    for number in 0..2000_u32 {
        let id = (number * 2 + 1).to_be_bytes();
        octets.extend_from_slice(&[0, 0, 6, 1, 5, id[0], id[1], id[2], id[3], 0x82, 0x86, 0x84, 0x01, 1, b'a']);
        octets.extend_from_slice(&[0, 0, 4, 3, 0, id[0], id[1], id[2], id[3], 0, 0, 0, 8]);
    }
    let (mut reader, mut writer) = client.split();
    let flood = async {
        let _ = writer.write_all(&octets).await;
        std::future::pending::<()>().await;
    };
    let mut back = Vec::new();
    tokio::select! {
        closed = tokio::time::timeout(PATIENCE, reader.read_to_end(&mut back)) => drop(closed.expect("not closed")),
        () = flood => {}
    }
    // GOAWAY with ENHANCE_YOUR_CALM, unless the reset was faster.
    let calm = back.windows(17).any(|frame| frame[3] == 7 && frame[13..17] == [0, 0, 0, 11]);
    assert!(calm || back.is_empty() || back.len() < 2000 * 13, "{}", back.len());
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_whatever_the_protocols() {
    let (address, _) = http2_upstream().await;
    let upstream = Upstream::new(&format!("http://{address}"), Protocol::Http2, None, limits()).unwrap();
    let policy = tagai_gateway::proxy::Policy { max_body: 3, ..Default::default() };
    let gateway = Gateway::start(upstream, Options { policy, ..Options::default() }).await;
    let mut client = connect(gateway.address).await;
    let frames = [Ok(Frame::data(Bytes::from_static(b"ab"))), Ok(Frame::data(Bytes::from_static(b"cd")))];
    let body = Frames(frames.into_iter()).boxed();
    let response = client.send_request(ask_for("http://a/").method("POST").body(body).unwrap()).await.unwrap();
    assert_eq!(response.status(), 413, "{}", gateway.errors());
}
