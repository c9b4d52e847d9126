//! One connection: HTTP/1.1, one request at a time, no more than is needed.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tagai_core::realm::{Host, Origin, Scheme};
use tagai_core::validation::Channel;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The most fields of an answer.
const FIELDS: usize = 64;

/// What is loaded.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) origin: Origin,
    pub(super) path: String,
    tls: Option<TlsConnector>,
}

impl Target {
    pub(super) fn parse(url: &str, cacert: Option<&Path>) -> io::Result<Self> {
        let authority = url.find("://").map_or(0, |at| at + 3);
        let end = url[authority..].find('/').map_or(url.len(), |at| authority + at);
        let (origin, path) = url.split_at(end);
        let origin = Origin::parse(origin).map_err(io::Error::other)?;
        let local = match origin.host() {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::V4(address) => address.is_loopback(),
            Host::V6(address) => address.is_loopback(),
        };
        if !local {
            return Err(io::Error::other("only this machine is loaded: localhost, 127.0.0.0/8, [::1]"));
        }
        let tls = match origin.scheme() {
            Scheme::Http => None,
            Scheme::Https => Some(connector(cacert)?),
        };
        Ok(Self { origin, path: if path.is_empty() { "/" } else { path }.to_owned(), tls })
    }
}

fn connector(cacert: Option<&Path>) -> io::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    let file = cacert.ok_or_else(|| io::Error::other("https needs --cacert"))?;
    for certificate in CertificateDer::pem_file_iter(file).map_err(io::Error::other)? {
        roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(super) struct Connection {
    pub(super) origin: Origin,
    pub(super) path: String,
    pub(super) channel: Channel,
    stream: Box<dyn Stream>,
    request: Vec<u8>,
    answer: Vec<u8>,
}

/// An answer without its body.
pub(super) struct Head {
    pub(super) status: u16,
    /// Those whose names begin with an `a` or a `w`: the fields of authentication are among them.
    pub(super) fields: Vec<(String, Vec<u8>)>,
}

impl Connection {
    pub(super) async fn open(target: &Target) -> io::Result<Self> {
        let host = target.origin.host().to_string();
        let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let address = if name.ends_with("localhost") { "127.0.0.1" } else { &name };
        let stream = TcpStream::connect((address, target.origin.port())).await?;
        stream.set_nodelay(true)?;
        let (stream, channel): (Box<dyn Stream>, _) = match &target.tls {
            None => (Box::new(stream), Channel::Plain),
            Some(connector) => {
                let name = ServerName::try_from(name).map_err(io::Error::other)?;
                let stream = connector.connect(name, stream).await?;
                let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
                let leaf = certificates.first().ok_or_else(|| io::Error::other("no certificate"))?;
                let channel = Channel::tls(leaf, None).map_err(io::Error::other)?;
                (Box::new(stream), channel)
            }
        };
        let (origin, path) = (target.origin.clone(), target.path.clone());
        Ok(Self { origin, path, channel, stream, request: Vec::new(), answer: Vec::with_capacity(1 << 16) })
    }

    /// Sends a GET, and reads the whole answer.
    pub(super) async fn get(&mut self, authorization: Option<&str>) -> io::Result<Head> {
        let shown = self.origin.to_string();
        let authority = shown.split_once("://").map_or("", |(_, authority)| authority);
        self.request.clear();
        for part in ["GET ", &self.path, " HTTP/1.1\r\nhost: ", authority, "\r\n"] {
            self.request.extend_from_slice(part.as_bytes());
        }
        if let Some(value) = authorization {
            for part in ["authorization: ", value, "\r\n"] {
                self.request.extend_from_slice(part.as_bytes());
            }
        }
        self.request.extend_from_slice(b"\r\n");
        self.stream.write_all(&self.request).await?;
        self.stream.flush().await?;
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err(io::Error::other("the server closed the connection"));
            }
            let mut fields = [httparse::EMPTY_HEADER; FIELDS];
            let mut parsed = httparse::Response::new(&mut fields);
            let httparse::Status::Complete(head) = parsed.parse(&self.answer).map_err(io::Error::other)? else {
                continue;
            };
            let status = parsed.code.unwrap_or(0);
            let length = parsed.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
            let length = length.and_then(|field| std::str::from_utf8(field.value).ok()?.parse::<usize>().ok());
            let length = length.ok_or_else(|| io::Error::other("an answer without Content-Length"))?;
            let needed = |name: &str| name.starts_with(['a', 'A', 'w', 'W']);
            let fields = parsed.headers.iter().filter(|field| needed(field.name));
            let fields = fields.map(|field| (field.name.to_owned(), field.value.to_vec())).collect();
            while self.answer.len() < head + length {
                if self.stream.read_buf(&mut self.answer).await? == 0 {
                    return Err(io::Error::other("the server closed the connection in the middle of an answer"));
                }
            }
            return Ok(Head { status, fields });
        }
    }
}
