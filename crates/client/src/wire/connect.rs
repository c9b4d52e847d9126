//! How one connection is made, and one request sent over it.

use super::last_words::LastWords;
use super::route::Route;
use super::tls::{self, Shown, Tls};
use crate::body::Outgoing;
use crate::builder::{HeadLimits, Timeouts};
use crate::error::{Error, NetworkFault};
use crate::proxy::{Hop, Line};
use crate::reply::Proof;
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
use tokio_rustls::client::TlsStream;

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
    /// The channel of the proxy, if requests are sent to it in absolute form: `channel` is then the one of their servers.
    pub(crate) hop_channel: Option<Channel>,
    /// What was proven of the proxy whose tunnel this is.
    pub(crate) way: Option<Proof>,
    proven: AtomicBool,
    /// Why the connection ended.
    end: Mutex<Option<hyper::Error>>,
    ended: Notify,
}

/// How long a request that was not written waits to be told why.
const REASON_WITHIN: Duration = Duration::from_millis(100);

impl Facts {
    fn new(channel: Channel, shown: Option<Shown>) -> Self {
        Self {
            channel,
            shown,
            hop_channel: None,
            way: None,
            proven: AtomicBool::new(false),
            end: Mutex::default(),
            ended: Notify::new(),
        }
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

    /// The peer at the other end has proven itself in a request over this connection. Behind a proxy that is told the server with
    /// each request, the next one may be another.
    pub(crate) fn set_proven(&self) {
        self.proven.store(self.hop_channel.is_none(), Ordering::Release);
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
    hop: Option<Arc<Hop>>,
}

impl Connector {
    pub(crate) const fn new(tls: Tls, timeouts: Timeouts, limits: HeadLimits, hop: Option<Arc<Hop>>) -> Self {
        Self { tls, timeouts, limits, hop }
    }

    /// Whether a server is known by a bare key.
    pub(crate) fn expects_bare_key(&self, origin: &Origin) -> bool {
        self.tls.of(origin).is_bare()
    }

    /// Connects to a server, or to the proxy. `held` is kept until the connection has ended.
    pub(crate) async fn connect<G>(&self, route: &Route, http1_only: bool, held: G) -> Result<Connection, Error>
    where
        G: Send + 'static,
    {
        let fail = |fault| Error::network(route.peer(), fault);
        match route {
            Route::Direct(origin) => {
                let tcp = self.tcp(origin).await.map_err(fail)?;
                if origin.scheme() == Scheme::Http {
                    return self.http1(tcp, Facts::new(Channel::Plain, None), held).await.map_err(fail);
                }
                let (stream, facts) = self.tls(origin, tcp, http1_only).await.map_err(fail)?;
                self.http(stream, facts, held).await.map_err(fail)
            }
            Route::Forward(proxy) => {
                let tcp = self.tcp(proxy).await.map_err(fail)?;
                if proxy.scheme() == Scheme::Http {
                    let facts = Facts { hop_channel: Some(Channel::Plain), ..Facts::new(Channel::Plain, None) };
                    return self.http1(tcp, facts, held).await.map_err(fail);
                }
                let (stream, facts) = self.tls(proxy, tcp, true).await.map_err(fail)?;
                // The servers behind it have no TLS.
                let facts = Facts { hop_channel: Some(facts.channel), ..Facts::new(Channel::Plain, None) };
                self.http1(stream, facts, held).await.map_err(fail)
            }
            Route::Tunnel(origin) => {
                let hop = self.hop.as_ref().ok_or(Error::Internal("there is no proxy"))?;
                let (stream, proof) = hop.tunnel(origin, || self.line(&hop.origin), &self.timeouts).await?;
                let (stream, facts) = self.tls(origin, stream, http1_only).await.map_err(fail)?;
                self.http(stream, Facts { way: Some(proof), ..facts }, held).await.map_err(fail)
            }
        }
    }

    /// A connection to the proxy for a tunnel.
    async fn line(&self, proxy: &Origin) -> Result<Line, Error> {
        let fail = |fault| Error::network(proxy, fault);
        let tcp = self.tcp(proxy).await.map_err(fail)?;
        if proxy.scheme() == Scheme::Http {
            return Line::new(tcp, Channel::Plain, self.limits).await.map_err(fail);
        }
        let (stream, facts) = self.tls(proxy, tcp, true).await.map_err(fail)?;
        Line::new(stream, facts.channel, self.limits).await.map_err(fail)
    }

    async fn tcp(&self, origin: &Origin) -> Result<TcpStream, NetworkFault> {
        within("connecting", self.timeouts.connect, tcp(origin)).await
    }

    /// TLS with a server, over a connection to it.
    async fn tls<S>(
        &self,
        origin: &Origin,
        io: S,
        http1_only: bool,
    ) -> Result<(TlsStream<LastWords<S>>, Facts), NetworkFault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = tls::server_name(origin.host())?;
        let settings = self.tls.of(origin);
        let config = settings.config(http1_only);
        let handshake =
            async { TlsConnector::from(config).connect(name, LastWords::new(io)).await.map_err(tls::fault) };
        let stream = within("the TLS handshake", self.timeouts.tls, handshake).await?;
        let (channel, shown) = settings.channel(stream.get_ref().1)?;
        Ok((stream, Facts::new(channel, Some(shown))))
    }

    /// The version of HTTP that was agreed on.
    async fn http<S, G>(&self, stream: TlsStream<S>, facts: Facts, held: G) -> Result<Connection, NetworkFault>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        G: Send + 'static,
    {
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => self.http2(stream, facts, held).await,
            _ => self.http1(stream, facts, held).await,
        }
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
