//! Asking a server for a CRL.

use super::source::CrlUrl;
use crate::tls::provider;
use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tagai_pki::crl::MAX_CRL_LEN;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// For a connection, and from the request to the response.
const PATIENCE: Duration = Duration::from_secs(10);
/// For the whole of a response's body.
const BODY: Duration = Duration::from_secs(60);
/// Of a response.
const MAX_HEAD: usize = 16 << 10;

/// Why there is no CRL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// Nothing in time.
    #[error("{0} took too long")]
    Timeout(&'static str),
    /// The connection broke, or what came is not HTTP.
    #[error("no response: {0}")]
    Http(String),
    /// A redirection, which is not followed.
    #[error("the server redirects to {0:?}; name that URL if it is the right one")]
    Redirect(String),
    /// Another status.
    #[error("the server answers {0}")]
    Status(StatusCode),
    /// Too long.
    #[error("the response is longer than {MAX_CRL_LEN} octets, or ends early: {0}")]
    Body(String),
    /// TLS cannot be set up.
    #[error("TLS: {0}")]
    Tls(String),
}

/// Asks servers for CRLs: one connection for each, and no redirections.
#[derive(Clone)]
pub struct Fetcher {
    tls: TlsConnector,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}

impl Fetcher {
    /// With the operating system's authorities for `https`.
    ///
    /// # Errors
    /// [`FetchError::Tls`]
    pub fn system() -> Result<Self, FetchError> {
        let mut roots = RootCertStore::empty();
        // Some systems carry single certificates that cannot be read; without any, `https` fails when it is used.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::new(roots)
    }

    /// With these authorities for `https`.
    ///
    /// # Errors
    /// [`FetchError::Tls`]
    pub fn new(roots: RootCertStore) -> Result<Self, FetchError> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| FetchError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }

    /// What the server has at `url`.
    ///
    /// # Errors
    /// [`FetchError`]
    pub async fn fetch(&self, url: &CrlUrl) -> Result<Bytes, FetchError> {
        let connect = timeout(PATIENCE, self.connect(url)).await.map_err(|_| FetchError::Timeout("connecting"))??;
        let http = |error: hyper::Error| FetchError::Http(error.to_string());
        let (mut sender, connection) =
            http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(connect)).await.map_err(http)?;
        // The connection ends with the answer, whichever way this function is left.
        let _connection = AbortOnDrop(tokio::spawn(async move { drop(connection.await) }));
        let request = Request::get(url.target())
            .header(HOST, url.authority())
            .header(USER_AGENT, "tagai")
            .header(ACCEPT, "application/pkix-crl, application/x-pkcs7-crl, */*;q=0.1")
            .header(CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(|error| FetchError::Http(error.to_string()))?;
        let response = timeout(PATIENCE, sender.send_request(request))
            .await
            .map_err(|_| FetchError::Timeout("waiting for the response"))?
            .map_err(http)?;
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
            return Err(FetchError::Redirect(to.chars().take(200).collect()));
        }
        if status != StatusCode::OK {
            return Err(FetchError::Status(status));
        }
        let body = Limited::new(response.into_body(), MAX_CRL_LEN).collect();
        let body = timeout(BODY, body).await.map_err(|_| FetchError::Timeout("reading the response"))?;
        body.map(|body| body.to_bytes()).map_err(|error| FetchError::Body(error.to_string()))
    }

    async fn connect(&self, url: &CrlUrl) -> Result<Box<dyn Io>, FetchError> {
        let wrong = |error: std::io::Error| FetchError::Connect(error.to_string());
        let stream = TcpStream::connect((url.host(), url.port())).await.map_err(wrong)?;
        if !url.is_https() {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(url.host().to_owned()).map_err(|error| FetchError::Tls(error.to_string()))?;
        Ok(Box::new(self.tls.connect(name, stream).await.map_err(wrong)?))
    }
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
