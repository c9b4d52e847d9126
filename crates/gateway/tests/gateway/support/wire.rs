//! A client of octets: nothing that it sends or reads is corrected by a library.

use super::patiently;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::sync::Arc;
use tagai_core::validation::Channel;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) struct Connection {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) channel: Channel,
}

/// A response, or an interim one.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether all of the body came.
    pub(crate) whole: bool,
    /// All octets of it, on the wire.
    pub(crate) octets: usize,
}

impl Response {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.fields.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code and the id of `Tagai-Refusal`.
    pub(crate) fn refusal(&self) -> (&str, &str) {
        let field = self.field("tagai-refusal").unwrap_or_else(|| panic!("it is no refusal: {self:?}"));
        // Who has shown nothing is told the code alone.
        let Some((code, id)) = field.split_once("; id=\"") else { return (field, "") };
        (code, id.strip_suffix('"').unwrap())
    }

    /// The status, with the code if it is a refusal.
    pub(crate) fn verdict(&self) -> (u16, &str) {
        (self.status, if self.field("tagai-refusal").is_some() { self.refusal().0 } else { "" })
    }

    /// Whether the challenge has a parameter.
    pub(crate) fn says(&self, parameter: &str) -> bool {
        self.field("www-authenticate").is_some_and(|field| field.contains(parameter))
    }
}

/// A client configuration that trusts this one certificate.
fn trusting(certificate: &[u8], alpn: &[&str]) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(certificate.to_vec())).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

impl Connection {
    pub(crate) async fn plain(port: u16) -> Self {
        Self::plain_to(SocketAddr::from(([127, 0, 0, 1], port))).await
    }

    pub(crate) async fn plain_to(address: SocketAddr) -> Self {
        Self { stream: Box::new(TcpStream::connect(address).await.unwrap()), channel: Channel::Plain }
    }

    /// From another address of the loopback.
    pub(crate) async fn plain_from(from: &str, port: u16) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from.parse().unwrap(), 0))?;
        let stream = socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await?;
        Ok(Self { stream: Box::new(stream), channel: Channel::Plain })
    }

    pub(crate) async fn tls(port: u16, certificate: &[u8], alpn: &[&str]) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(trusting(certificate, alpn));
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        Self { stream: Box::new(stream), channel: Channel::tls(&shown, None).unwrap() }
    }

    pub(crate) async fn send(&mut self, octets: impl AsRef<[u8]>) {
        patiently(self.stream.write_all(octets.as_ref())).await.unwrap();
    }

    pub(crate) async fn try_send(&mut self, octets: impl AsRef<[u8]>) -> std::io::Result<()> {
        patiently(self.stream.write_all(octets.as_ref())).await
    }

    /// Asks a host by GET; `fields` are whole lines.
    pub(crate) async fn get(&mut self, host: &str, path: &str, fields: &str) -> Response {
        self.send(super::user::head("GET", path, host, fields)).await;
        self.response("GET").await
    }

    /// The next response, whether final or interim.
    pub(crate) async fn response(&mut self, to: &str) -> Response {
        patiently(self.try_response(to)).await.expect("the connection was closed")
    }

    /// `None` if the connection ends before the head has come.
    pub(crate) async fn try_response(&mut self, to: &str) -> Option<Response> {
        let head = read_head(&mut self.stream).await?;
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let fields = lines.filter_map(|line| line.split_once(": "));
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut response = Response { status, fields, body: Vec::new(), whole: true, octets: head.len() };
        let tunnel = to == "CONNECT" && (200..300).contains(&status);
        if tunnel || to == "HEAD" || status < 200 || status == 204 || status == 304 {
            return Some(response);
        }
        if let Some(length) = response.field("content-length") {
            let length: usize = length.parse().unwrap();
            response.body = vec![0; length];
            let mut read = 0;
            while read < length {
                match self.stream.read(&mut response.body[read..]).await {
                    Ok(0) | Err(_) => break,
                    Ok(octets) => read += octets,
                }
            }
            response.body.truncate(read);
            response.whole = read == length;
            response.octets += read;
        } else if response.field("transfer-encoding").is_some() {
            self.chunks(&mut response).await;
        } else {
            let read = self.stream.read_to_end(&mut response.body).await;
            response.whole = read.is_ok();
            response.octets += response.body.len();
        }
        Some(response)
    }

    async fn chunks(&mut self, response: &mut Response) {
        loop {
            let Some(line) = read_until(&mut self.stream, b"\r\n").await else {
                response.whole = false;
                return;
            };
            response.octets += line.len();
            let size = usize::from_str_radix(line.trim_end(), 16).unwrap();
            if size == 0 {
                break;
            }
            let mut chunk = vec![0; size + 2];
            if self.stream.read_exact(&mut chunk).await.is_err() {
                response.whole = false;
                return;
            }
            response.octets += chunk.len();
            response.body.extend_from_slice(&chunk[..size]);
        }
        // Trailers, up to the empty line.
        loop {
            match read_until(&mut self.stream, b"\r\n").await {
                None => {
                    response.whole = false;
                    return;
                }
                Some(line) if line == "\r\n" => return,
                Some(line) => {
                    let (name, value) = line.trim_end().split_once(": ").unwrap();
                    response.fields.push((format!("trailer {name}"), value.to_owned()));
                }
            }
        }
    }

    /// Whether the other end closes, and says nothing before.
    pub(crate) async fn is_closed(&mut self) -> bool {
        patiently(self.stream.read_u8()).await.is_err()
    }
}

/// Octets up to and with the empty line; `None` at the end.
pub(crate) async fn read_head<T: AsyncRead + Unpin + ?Sized>(stream: &mut T) -> Option<String> {
    read_until(stream, b"\r\n\r\n").await
}

async fn read_until<T: AsyncRead + Unpin + ?Sized>(stream: &mut T, end: &[u8]) -> Option<String> {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        read.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&read).into_owned())
}
