//! A gateway with nothing in it but the data plane, upstreams that do what a test says, and clients that write octets.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tagai_gateway::listener::{Abort, Drained, Handle, Listener, Settings};
use tagai_gateway::proxy::{Body, ForwardContext, Policy, Protocol, Upstream, UpstreamLimits, check, forward};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Nothing here takes as long, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn limits() -> UpstreamLimits {
    UpstreamLimits::default()
}

pub(crate) fn upstream(address: SocketAddr) -> Upstream {
    Upstream::new(&format!("http://{address}"), Protocol::Http1, None, limits()).unwrap()
}

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    pub(crate) run: JoinHandle<Drained>,
    pub(crate) upstream: Arc<Upstream>,
    /// What would have been logged.
    pub(crate) errors: Arc<Mutex<Vec<String>>>,
}

#[derive(Default)]
pub(crate) struct Options {
    pub(crate) settings: Settings,
    pub(crate) policy: Policy,
    pub(crate) add: Vec<(HeaderName, HeaderValue)>,
    pub(crate) trusted: bool,
}

impl Gateway {
    pub(crate) async fn start(upstream: Upstream, options: Options) -> Self {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), options.settings.clone()).await.unwrap();
        let (address, handle) = (listener.local_addr().unwrap(), listener.handle());
        let (upstream, errors) = (Arc::new(upstream), Arc::<Mutex<Vec<String>>>::default());
        let (to, log, options) = (Arc::clone(&upstream), Arc::clone(&errors), Arc::new(options));
        let run = tokio::spawn(listener.run(move |request, connection| {
            let (to, log, options) = (Arc::clone(&to), Arc::clone(&log), Arc::clone(&options));
            async move {
                let refused = |status, reason: String| {
                    log.lock().unwrap().push(reason);
                    let mut response = Response::new(Body::empty());
                    *response.status_mut() = status;
                    Ok::<_, Abort>(response)
                };
                let authority = match check(&request, connection.tls.is_some()) {
                    Ok(authority) => authority,
                    Err(refusal) => return refused(refusal.status, refusal.to_string()),
                };
                let context = ForwardContext {
                    connection: &connection,
                    authority: &authority,
                    policy: &options.policy,
                    add: &options.add,
                    trusted: options.trusted,
                    over: None,
                };
                match forward(request, &to, &context).await {
                    Ok(response) => Ok(response),
                    Err(error) => refused(error.status(), error.to_string()),
                }
            }
        }));
        Self { address, handle, run, upstream, errors }
    }

    pub(crate) async fn to(address: SocketAddr) -> Self {
        Self::start(upstream(address), Options::default()).await
    }

    pub(crate) fn errors(&self) -> String {
        self.errors.lock().unwrap().join("\n")
    }
}

/// An upstream: `serve` gets each connection, with its number.
pub(crate) async fn serve<F, Fut>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream, usize) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let Ok((stream, _)) = listener.accept().await else { return };
            tokio::spawn(serve(stream, number));
        }
    });
    address
}

/// An upstream that answers every request on a connection with these octets, and tells what it was asked.
pub(crate) async fn canned(answer: impl Into<Bytes>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let (answer, heads) = (answer.into(), Arc::<Mutex<Vec<String>>>::default());
    let log = Arc::clone(&heads);
    let address = serve(move |mut stream, _| {
        let (answer, log) = (answer.clone(), Arc::clone(&log));
        async move {
            while let Some(head) = read_head(&mut stream).await {
                log.lock().unwrap().push(head);
                if stream.write_all(&answer).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    (address, heads)
}

/// Octets up to and with the empty line; `None` at the end.
pub(crate) async fn read_head<T: AsyncRead + Unpin>(stream: &mut T) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(octet) => head.push(octet),
            Err(_) => return None,
        }
    }
    Some(String::from_utf8(head).unwrap())
}

/// So many octets as text.
pub(crate) async fn read_exactly<T: AsyncRead + Unpin>(stream: &mut T, count: usize) -> String {
    let mut octets = vec![0; count];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut octets)).await.unwrap().unwrap();
    String::from_utf8(octets).unwrap()
}

/// Everything until the other end closes; a reset counts as an end, and as the word RESET.
pub(crate) async fn read_to_end<T: AsyncRead + Unpin>(stream: &mut T) -> String {
    let mut octets = Vec::new();
    let reset = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut octets)).await.expect("not closed").is_err();
    let mut text = String::from_utf8_lossy(&octets).into_owned();
    if reset {
        text.push_str("RESET");
    }
    text
}

/// Sends octets and reads all that comes back.
pub(crate) async fn ask(address: SocketAddr, octets: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(octets.as_ref()).await.unwrap();
    read_to_end(&mut stream).await
}

/// A GET that ends its connection.
pub(crate) async fn get(address: SocketAddr, path: &str) -> String {
    ask(address, format!("GET {path} HTTP/1.1\r\nHost: gate.example\r\nConnection: close\r\n\r\n")).await
}

/// Waits until something is so.
pub(crate) async fn until(mut so: impl FnMut() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("never became so");
}
