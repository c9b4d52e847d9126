//! How one connection is made, and one request sent over it.

use super::tls::{self, Shown, Tls};
use crate::body::Outgoing;
use crate::builder::{HeadLimits, Timeouts};
use crate::error::{Error, NetworkFault};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tagai_core::realm::{Host, Origin, Scheme};
use tagai_core::validation::Channel;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsConnector;

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;
/// How long the next address waits for the one before it (RFC 8305 §5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// An HTTP/2 connection whose peer is silent is asked whether it is there, and not more often than this.
const LEAST_PING: Duration = Duration::from_secs(5);

/// What is known of a connection.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) channel: Channel,
    /// What the server showed in TLS.
    pub(crate) shown: Option<Shown>,
    proven: AtomicBool,
    /// Why the connection ended.
    end: Mutex<Option<hyper::Error>>,
    ended: Notify,
}

/// How long a request that was not written waits to be told why.
const REASON_WITHIN: Duration = Duration::from_millis(100);

impl Facts {
    fn new(channel: Channel, shown: Option<Shown>) -> Self {
        Self { channel, shown, proven: AtomicBool::new(false), end: Mutex::default(), ended: Notify::new() }
    }

    fn end(&self, outcome: Result<(), hyper::Error>) {
        *crate::lock(&self.end) = outcome.err();
        self.ended.notify_one();
    }

    /// Why the connection ended, if it did and that is known: an alert of TLS comes when a request may be on its way.
    pub(crate) async fn why_ended(&self) -> Option<hyper::Error> {
        let _ = tokio::time::timeout(REASON_WITHIN, self.ended.notified()).await;
        crate::lock(&self.end).take()
    }

    /// The peer at the other end has proven itself in a request over this connection.
    pub(crate) fn set_proven(&self) {
        self.proven.store(true, Ordering::Release);
    }

    pub(crate) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Acquire)
    }
}

/// One connection, or one share in an HTTP/2 connection.
pub(crate) struct Connection {
    sender: Sender,
    pub(crate) facts: Arc<Facts>,
    /// Whether it has served a request before this one.
    pub(crate) reused: bool,
}

enum Sender {
    H1(http1::SendRequest<Outgoing>, #[expect(dead_code, reason = "what counts is its end")] AbortOnDrop),
    H2(http2::SendRequest<Outgoing>),
}

/// Ends the task of a connection that nobody holds any more, whatever it waits for.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why a request has no response.
pub(crate) enum SendError {
    /// Not an octet of it was written.
    Unwritten,
    /// It was written, at least in part.
    Lost(hyper::Error),
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Incoming>, SendError>> + Send>>;

impl Connection {
    pub(crate) const fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::H2(_))
    }

    /// Another share in an HTTP/2 connection.
    pub(crate) fn share(&self) -> Option<Self> {
        match &self.sender {
            Sender::H1(..) => None,
            Sender::H2(sender) => {
                Some(Self { sender: Sender::H2(sender.clone()), facts: Arc::clone(&self.facts), reused: true })
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        match &self.sender {
            Sender::H1(sender, _) => sender.is_closed(),
            Sender::H2(sender) => sender.is_closed(),
        }
    }

    /// Waits until a request can be sent. `false` if that will not be.
    pub(crate) async fn ready(&mut self) -> bool {
        match &mut self.sender {
            Sender::H1(sender, _) => sender.ready().await.is_ok(),
            Sender::H2(sender) => sender.ready().await.is_ok(),
        }
    }

    /// Sends a request once.
    pub(crate) fn send(&mut self, request: Request<Outgoing>) -> Answer {
        match &mut self.sender {
            Sender::H1(sender, _) => {
                let answer = sender.try_send_request(request);
                Box::pin(async move {
                    answer.await.map_err(|mut error| match error.take_message() {
                        Some(_) => SendError::Unwritten,
                        None => SendError::Lost(error.into_error()),
                    })
                })
            }
            Sender::H2(sender) => {
                let answer = sender.try_send_request(request);
                Box::pin(async move {
                    answer.await.map_err(|mut error| match error.take_message() {
                        Some(_) => SendError::Unwritten,
                        None => SendError::Lost(error.into_error()),
                    })
                })
            }
        }
    }
}

/// Makes connections.
#[derive(Debug)]
pub(crate) struct Connector {
    tls: Tls,
    timeouts: Timeouts,
    limits: HeadLimits,
}

impl Connector {
    pub(crate) const fn new(tls: Tls, timeouts: Timeouts, limits: HeadLimits) -> Self {
        Self { tls, timeouts, limits }
    }

    /// Whether a server is known by a bare key.
    pub(crate) fn expects_bare_key(&self, origin: &Origin) -> bool {
        self.tls.of(origin).is_bare()
    }

    /// Connects to a server. `held` is kept until the connection has ended.
    pub(crate) async fn connect<G>(&self, origin: &Origin, http1_only: bool, held: G) -> Result<Connection, Error>
    where
        G: Send + 'static,
    {
        let fail = |fault| Error::network(origin, fault);
        let limit = self.timeouts.connect;
        let tcp = within("connecting", limit, tcp(origin)).await.map_err(fail)?;
        if origin.scheme() == Scheme::Http {
            let facts = Facts::new(Channel::Plain, None);
            return self.http1(tcp, facts, held).await.map_err(fail);
        }
        let name = tls::server_name(origin.host()).map_err(fail)?;
        let settings = self.tls.of(origin);
        let config = settings.config(http1_only);
        let handshake = async {
            let connected = TlsConnector::from(config).connect(name, tcp).await;
            connected.map_err(tls::fault)
        };
        let stream = within("the TLS handshake", self.timeouts.tls, handshake).await.map_err(fail)?;
        let session = stream.get_ref().1;
        let (channel, shown) = settings.channel(session).map_err(fail)?;
        let http2 = session.alpn_protocol() == Some(b"h2");
        let facts = Facts::new(channel, Some(shown));
        let connected =
            if http2 { self.http2(stream, facts, held).await } else { self.http1(stream, facts, held).await };
        connected.map_err(fail)
    }

    async fn http1<S, G>(&self, stream: S, facts: Facts, held: G) -> Result<Connection, NetworkFault>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        G: Send + 'static,
    {
        let mut builder = http1::Builder::new();
        builder.max_headers(self.limits.fields).max_header_size(self.limits.octets);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        let facts = Arc::new(facts);
        let told = Arc::clone(&facts);
        let task = tokio::spawn(async move {
            told.end(connection.await);
            drop(held);
        });
        let sender = Sender::H1(sender, AbortOnDrop(task.abort_handle()));
        Ok(Connection { sender, facts, reused: false })
    }

    async fn http2<S, G>(&self, stream: S, facts: Facts, held: G) -> Result<Connection, NetworkFault>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        G: Send + 'static,
    {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(self.timeouts.head.max(LEAST_PING))
            .keep_alive_timeout(self.timeouts.connect)
            .max_header_list_size(u32::try_from(self.limits.octets).unwrap_or(u32::MAX));
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        let facts = Arc::new(facts);
        let told = Arc::clone(&facts);
        tokio::spawn(async move {
            told.end(connection.await);
            drop(held);
        });
        Ok(Connection { sender: Sender::H2(sender), facts, reused: false })
    }
}

/// A time limit around something that can fail.
async fn within<T>(
    what: &'static str,
    after: Duration,
    work: impl Future<Output = Result<T, NetworkFault>>,
) -> Result<T, NetworkFault> {
    tokio::time::timeout(after, work).await.unwrap_or(Err(NetworkFault::Timeout { what, after }))
}

/// The first of the server's addresses that answers; each starts a little after the one before it.
async fn tcp(origin: &Origin) -> Result<TcpStream, NetworkFault> {
    let port = origin.port();
    let addresses: Vec<SocketAddr> = match origin.host() {
        Host::V4(address) => vec![(*address, port).into()],
        Host::V6(address) => vec![(*address, port).into()],
        Host::Domain(name) => {
            let found = tokio::net::lookup_host((name.as_str(), port)).await.map_err(NetworkFault::Connect)?;
            found.take(MAX_ADDRESSES).collect()
        }
    };
    let mut attempts = JoinSet::new();
    let mut delay = Duration::ZERO;
    for address in addresses {
        attempts.spawn(async move {
            tokio::time::sleep(delay).await;
            TcpStream::connect(address).await
        });
        delay += ATTEMPT_DELAY;
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).map_err(NetworkFault::Connect)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => {}
        }
    }
    Err(NetworkFault::Connect(last))
}
