//! An application behind the gateway: where it is, and how connections to it are made.

use super::error::ProxyError;
use super::http2::Multiplexed;
use super::link::Link;
use super::pool::Pool;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderValue, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The version of HTTP that is spoken to an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// HTTP/1.1, one request at a time on a connection.
    #[default]
    Http1,
    /// HTTP/2 on one connection, over TLS by ALPN, without TLS by prior knowledge.
    Http2,
}

/// How long, and how many.
#[derive(Debug, Clone)]
pub struct UpstreamLimits {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// From the last octet of the request to the response.
    pub response: Duration,
    /// A response's body without a new octet.
    pub idle_body: Duration,
    /// A tunnel (WebSocket) without an octet in either direction.
    pub idle_tunnel: Duration,
    /// How long a connection without a request is kept. Should be less than the upstream's own limit.
    pub idle_connection: Duration,
    /// How many of these are kept.
    pub idle_connections: usize,
    /// How many connections there may be in all, tunnels included.
    pub connections: usize,
    /// How long a body that is offered with `Expect: 100-continue` waits to be asked for.
    pub continue_wait: Duration,
    /// Octets of a response's head.
    pub head: usize,
}

impl Default for UpstreamLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            response: Duration::from_secs(60),
            idle_body: Duration::from_secs(60),
            idle_tunnel: Duration::from_secs(300),
            idle_connection: Duration::from_secs(30),
            idle_connections: 256,
            connections: 4096,
            continue_wait: Duration::from_secs(1),
            head: 64 << 10,
        }
    }
}

/// Why an upstream cannot be used as configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// Not a URL with scheme and host.
    #[error("{0}: not of the form http://host:port/path or https://host:port/path")]
    Url(Box<str>),
    /// The file with CA certificates cannot be used.
    #[error("{file}: {reason}")]
    Roots {
        /// The file.
        file: Box<str>,
        /// What is wrong.
        reason: Box<str>,
    },
    /// TLS cannot be set up.
    #[error("TLS towards the upstream: {0}")]
    Tls(#[from] rustls::Error),
}

/// An application, and the connections to it.
pub struct Upstream {
    name: Box<str>,
    host: Box<str>,
    port: u16,
    /// Where it is, if that was found out before: the name is not looked up again.
    addresses: Option<Box<[SocketAddr]>>,
    pub(super) host_field: HeaderValue,
    pub(super) authority: Authority,
    /// Without the slash at the end.
    pub(super) prefix: Box<str>,
    pub(super) protocol: Protocol,
    pub(super) limits: UpstreamLimits,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    pub(super) pool: Arc<Pool>,
    room: Arc<Semaphore>,
    pub(super) multiplexed: Multiplexed,
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream").field("name", &self.name).field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl Upstream {
    /// The upstream at `url`. For `https`, its certificate must come from one of the authorities in the PEM file `roots`,
    /// or of the operating system's.
    ///
    /// # Errors
    /// [`UpstreamError`]
    pub fn new(
        url: &str,
        protocol: Protocol,
        roots: Option<&Path>,
        limits: UpstreamLimits,
    ) -> Result<Self, UpstreamError> {
        let wrong = || UpstreamError::Url(url.into());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong()),
        };
        if uri.query().is_some() || authority.host().is_empty() {
            return Err(wrong());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let tls = if secure {
            let name = ServerName::try_from(host.to_owned()).map_err(|_| wrong())?;
            Some((TlsConnector::from(Arc::new(client_config(protocol, roots)?)), name))
        } else {
            None
        };
        Ok(Self {
            name: url.into(),
            host: host.into(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            addresses: None,
            host_field: HeaderValue::from_str(authority.as_str()).map_err(|_| wrong())?,
            authority: authority.clone(),
            prefix: uri.path().trim_end_matches('/').into(),
            protocol,
            tls,
            pool: Pool::new(limits.idle_connections, limits.idle_connection),
            room: Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS))),
            multiplexed: Multiplexed::default(),
            limits,
        })
    }

    /// A server for one request or tunnel, at addresses that were looked up and checked: it is connected to at these and nowhere
    /// else, by HTTP/1.1 without TLS. `room` bounds the connections.
    pub(crate) fn at(
        authority: &Authority,
        addresses: Vec<SocketAddr>,
        limits: UpstreamLimits,
        room: Arc<Semaphore>,
    ) -> Option<Self> {
        Some(Self {
            name: authority.as_str().into(),
            host: authority.host().into(),
            port: authority.port_u16().unwrap_or(80),
            addresses: Some(addresses.into()),
            host_field: HeaderValue::from_str(authority.as_str()).ok()?,
            authority: authority.clone(),
            prefix: "".into(),
            protocol: Protocol::Http1,
            tls: None,
            pool: Pool::new(0, limits.idle_connection),
            room,
            multiplexed: Multiplexed::default(),
            limits,
        })
    }

    /// The URL, as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether something is put in front of the paths of requests.
    #[must_use]
    pub fn has_prefix(&self) -> bool {
        !self.prefix.is_empty()
    }

    /// Connections that are open and without a request (HTTP/1).
    #[must_use]
    pub fn idle_connections(&self) -> usize {
        self.pool.len()
    }

    pub(super) fn secure(&self) -> bool {
        self.tls.is_some()
    }

    /// The target for the upstream: its prefix, and the path and query that the client sent.
    pub(super) fn target(&self, uri: &Uri) -> Option<PathAndQuery> {
        let asked = uri.path_and_query();
        if self.prefix.is_empty() || uri.path() == "*" {
            return Some(asked.cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
        }
        let asked = asked.map_or("/", PathAndQuery::as_str);
        PathAndQuery::from_maybe_shared(bytes::Bytes::from([&self.prefix, asked].concat())).ok()
    }

    /// A new connection, with TLS if the upstream has it.
    pub(crate) async fn connect(&self) -> Result<TokioIo<UpstreamIo>, ProxyError> {
        let limit = self.limits.connect;
        // Held for as long as the connection is open.
        let room = Arc::clone(&self.room).try_acquire_owned();
        let room =
            room.map_err(|_| ProxyError::Busy { upstream: self.name.clone(), limit: self.limits.connections })?;
        match tokio::time::timeout(limit, self.dial()).await {
            Ok(Ok(io)) => Ok(TokioIo::new(UpstreamIo { io, _room: room })),
            Ok(Err(error)) => Err(ProxyError::Connect { upstream: self.name.clone(), error }),
            Err(_) => Err(ProxyError::ConnectTimeout { upstream: self.name.clone(), limit }),
        }
    }

    async fn dial(&self) -> io::Result<Io> {
        let stream = match &self.addresses {
            Some(addresses) => TcpStream::connect(&**addresses).await?,
            None => TcpStream::connect((&*self.host, self.port)).await?,
        };
        stream.set_nodelay(true)?;
        let Some((connector, name)) = &self.tls else { return Ok(Io::Plain(stream)) };
        let stream = connector.connect(name.clone(), stream).await?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        if self.protocol == Protocol::Http2 && !http2 {
            return Err(io::Error::other("the upstream does not offer HTTP/2 over TLS (ALPN h2)"));
        }
        Ok(Io::Tls(Box::new(stream)))
    }

    /// An HTTP/1 connection: one that waits, or a new one. `true` if it has been used before.
    pub(super) async fn link(&self, fresh: bool) -> Result<(Link, bool), ProxyError> {
        if !fresh && let Some(link) = self.pool.take().await {
            return Ok((link, true));
        }
        let io = self.connect().await?;
        let link = Link::open(io, self.limits.head).await;
        link.map(|link| (link, false)).map_err(|error| ProxyError::from_hyper(&self.name, error))
    }
}

fn client_config(protocol: Protocol, roots: Option<&Path>) -> Result<ClientConfig, UpstreamError> {
    let mut store = RootCertStore::empty();
    match roots {
        Some(file) => {
            let wrong = |reason: String| UpstreamError::Roots {
                file: file.display().to_string().into(),
                reason: reason.into(),
            };
            let octets = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
            for certificate in CertificateDer::pem_slice_iter(&octets) {
                let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
                store.add(certificate).map_err(|error| wrong(error.to_string()))?;
            }
            if store.is_empty() {
                return Err(wrong("holds no certificate".into()));
            }
        }
        None => {
            // Some systems carry single certificates that cannot be read; these are nobody's authority then.
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
            if store.is_empty() {
                let reason = "no authorities found; name a CA file for this upstream".into();
                return Err(UpstreamError::Roots { file: "the operating system".into(), reason });
            }
        }
    }
    let mut config = ClientConfig::builder_with_provider(crate::tls::provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = match protocol {
        Protocol::Http1 => vec![b"http/1.1".into()],
        Protocol::Http2 => vec![b"h2".into()],
    };
    Ok(config)
}

/// A connection's octets, and its place among the connections.
pub(crate) struct UpstreamIo {
    io: Io,
    _room: OwnedSemaphorePermit,
}

enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for UpstreamIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(io) => Pin::new(io).poll_read(cx, buf),
            Io::Tls(io) => Pin::new(io).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for UpstreamIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(io) => Pin::new(io).poll_write(cx, octets),
            Io::Tls(io) => Pin::new(io).poll_write(cx, octets),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(io) => Pin::new(io).poll_write_vectored(cx, slices),
            Io::Tls(io) => Pin::new(io).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(io) => Pin::new(io).poll_flush(cx),
            Io::Tls(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Io::Tls(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}
