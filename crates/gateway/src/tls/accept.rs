//! The handshake.

use super::certificates::{Certificate, Profile, SharedCertificates};
use rustls::pki_types::CertificateDer;
use rustls::server::Acceptor;
use rustls::{HandshakeKind, ProtocolVersion};
use std::io;
use std::sync::Arc;
use tagai_core::validation::{Channel, Exporter};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

/// What a handshake has settled.
#[derive(Debug, Clone)]
pub struct TlsFacts {
    /// TLS 1.2 or 1.3.
    pub version: ProtocolVersion,
    /// The server name that the client asked for (RFC 6066 §3), in lower case.
    pub sni: Option<Box<str>>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// Whether ALPN chose HTTP/2.
    pub http2: bool,
    /// The certificate that is served on this connection; on a resumed one, that of the session. `None` if it is the bare key.
    pub certificate: Option<Arc<Certificate>>,
    /// What the client has proven to have.
    pub client: Option<ClientKey>,
}

/// What a client showed, and has proven to hold the key of. What it is worth is another question.
#[derive(Debug, Clone)]
pub enum ClientKey {
    /// A certificate, followed by those that the client sent with it.
    Certificate(Arc<[CertificateDer<'static>]>),
    /// A bare key: its SubjectPublicKeyInfo in DER (RFC 7250).
    Raw(Arc<[u8]>),
}

/// Why there is no TLS connection. Only for the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The client's fault, or the network's.
    #[error("TLS handshake: {0}")]
    Handshake(#[source] io::Error),
    /// No channel binding could be made.
    #[error("TLS exporter: {0}")]
    Exporter(#[source] rustls::Error),
}

/// Shakes hands with a client. The certificate is chosen here, once, and what comes back is about that one.
///
/// # Errors
/// [`HandshakeError`]
pub async fn accept<T>(
    io: T,
    certificates: &SharedCertificates,
) -> Result<(TlsStream<T>, Arc<Channel>, TlsFacts), HandshakeError>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let start = LazyConfigAcceptor::new(Acceptor::default(), io).await.map_err(HandshakeError::Handshake)?;
    let (profile, sni) = {
        let hello = start.client_hello();
        // RFC 4343: case does not count.
        let sni = hello.server_name().map(|name| Box::from(name.to_ascii_lowercase()));
        (certificates.current().choose(sni.as_deref(), hello.server_cert_types(), hello.client_cert_types()), sni)
    };
    let Profile { config, certificate, raw_client } = profile;
    let mut stream = start.into_stream(config).await.map_err(HandshakeError::Handshake)?;
    let (_, connection) = stream.get_mut();
    let channel = match certificate.as_ref().and_then(|certificate| certificate.channel()) {
        Some(channel) => Arc::clone(channel),
        None => {
            let exported = connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[]));
            Arc::new(Channel::Exporter(Exporter(exported.map_err(HandshakeError::Exporter)?)))
        }
    };
    let client = connection.peer_certificates().and_then(|shown| {
        let first = shown.first()?;
        Some(if raw_client {
            ClientKey::Raw(first.as_ref().into())
        } else {
            ClientKey::Certificate(shown.iter().map(|one| one.clone().into_owned()).collect())
        })
    });
    let facts = TlsFacts {
        version: connection.protocol_version().unwrap_or(ProtocolVersion::TLSv1_2),
        sni,
        resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        http2: connection.alpn_protocol() == Some(b"h2"),
        certificate,
        client,
    };
    Ok((stream, channel, facts))
}
