//! Host validation: what ties an exchange to the connection under it (RFC 8120 §7).

mod end_point;

pub use end_point::{EndPoint, EndPointError};

use crate::grammar::ExtensiveToken;
use crate::realm::{Origin, Scheme};
use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::fmt;

/// The token for the exporter form. RFC 8120 has none for TLS without certificates in version 1.3, so this is an
/// `extension-token`; see `docs/decisions/0003-exporter-validation.md`.
const TLS_EXPORTER: &str = "-tls-exporter.tagai.alt";

/// A method of host validation: the value of the `validation` parameter (RFC 8120 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValidationMethod {
    /// `host`: the scheme, host and port; for connections without TLS, and for no others.
    Host,
    /// `tls-server-end-point`: the hash of the server's certificate; for TLS with a certificate.
    TlsServerEndPoint,
    /// The TLS exporter of RFC 9266, for TLS in which the server has no certificate (RFC 7250) or one whose signature
    /// has no hash function, so that `tls-server-end-point` is not defined.
    TlsExporter,
    /// `tls-unique`: known so that it can be refused with its name. It has no meaning in TLS 1.3 (RFC 8446 appendix
    /// C.5, RFC 9266 §3), and without the extended master secret of RFC 7627 it is unsafe before that.
    TlsUnique,
}

impl ValidationMethod {
    pub(crate) const ALL: [Self; 4] = [Self::Host, Self::TlsServerEndPoint, Self::TlsExporter, Self::TlsUnique];

    /// The token, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::TlsServerEndPoint => "tls-server-end-point",
            Self::TlsExporter => TLS_EXPORTER,
            Self::TlsUnique => "tls-unique",
        }
    }

    /// The method that a token names, if it is a known one.
    #[must_use]
    pub fn from_token(token: &ExtensiveToken) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == token.as_str())
    }
}

impl fmt::Display for ValidationMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The connection that carries a request, as far as host validation needs it.
///
/// What stands here decides the one method that is allowed on the connection (RFC 8120 §7: "MUST be"), so neither end
/// can be talked into a weaker one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Channel {
    /// A connection without TLS.
    Plain,
    /// TLS in which the server showed a certificate; the client has verified that the server owns its key.
    Certificate(EndPoint),
    /// TLS without a certificate that `tls-server-end-point` is defined for: the exported keying material.
    Exporter(Exporter),
}

/// The 32 octets that the TLS exporter gives for the label `EXPORTER-Channel-Binding` and an empty context (RFC 9266
/// §2). TLS 1.3, or TLS 1.2 with the extended master secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Exporter(pub [u8; 32]);

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter(..)")
    }
}

impl Channel {
    /// The channel of a TLS connection whose server showed `certificate` (DER, the first of its chain).
    ///
    /// `exporter` is used when RFC 5929 §4.1 defines no hash for the certificate's signature, as for Ed25519. Both ends
    /// see the same certificate, so both come to the same decision.
    ///
    /// # Errors
    /// [`EndPointError`] if the certificate cannot be read, or if it needs the exporter and there is none.
    pub fn tls(certificate: &[u8], exporter: Option<Exporter>) -> Result<Self, EndPointError> {
        match (EndPoint::from_certificate(certificate), exporter) {
            (Ok(end_point), _) => Ok(Self::Certificate(end_point)),
            (Err(EndPointError::Undefined), Some(exporter)) => Ok(Self::Exporter(exporter)),
            (Err(error), _) => Err(error),
        }
    }

    /// The method that the connection asks for.
    #[must_use]
    pub const fn method(&self) -> ValidationMethod {
        match self {
            Self::Plain => ValidationMethod::Host,
            Self::Certificate(_) => ValidationMethod::TlsServerEndPoint,
            Self::Exporter(_) => ValidationMethod::TlsExporter,
        }
    }
}

/// The value `vh` with the method that made it (RFC 8120 §7): it goes into `VK_c` and `VK_s`, so that a proof made for one
/// connection is worthless on another.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HostValidation {
    method: ValidationMethod,
    vh: Vec<u8>,
}

/// The scheme of the origin and the kind of connection contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an https origin needs a TLS channel, and an http origin one without TLS")]
pub struct ChannelMismatch;

impl HostValidation {
    /// The `vh` of a request to `origin` over `channel`.
    ///
    /// # Errors
    /// [`ChannelMismatch`] for `https` without TLS, which would bind to less than the transport allows, and for `http`
    /// over TLS.
    pub fn new(origin: &Origin, channel: &Channel) -> Result<Self, ChannelMismatch> {
        let vh = match (origin.scheme(), channel) {
            (Scheme::Http, Channel::Plain) => origin.with_port().to_string().into_bytes(),
            (Scheme::Https, Channel::Certificate(end_point)) => end_point.as_bytes().to_vec(),
            (Scheme::Https, Channel::Exporter(exporter)) => exporter.0.to_vec(),
            _ => return Err(ChannelMismatch),
        };
        Ok(Self { method: channel.method(), vh })
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> ValidationMethod {
        self.method
    }

    /// The octets of `vh`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.vh
    }

    /// The `vh` of a connection that was, as it was stored with a session.
    pub(crate) fn from_stored(method: ValidationMethod, vh: &[u8]) -> Self {
        Self { method, vh: vh.to_vec() }
    }

    /// A `vh` that no connection made, to check test vectors of others.
    #[cfg(any(test, feature = "test-vectors"))]
    #[must_use]
    pub fn from_vector(vh: &[u8]) -> Self {
        Self { method: ValidationMethod::Host, vh: vh.to_vec() }
    }
}

/// Shows the method alone: what an exporter gave is nobody else's business.
impl fmt::Debug for HostValidation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostValidation({})", self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vh(origin: &str, channel: &Channel) -> Result<HostValidation, ChannelMismatch> {
        HostValidation::new(&Origin::parse(origin).unwrap(), channel)
    }

    #[test]
    fn host_validation_always_has_the_port() {
        let plain = vh("http://Example.com", &Channel::Plain).unwrap();
        assert_eq!(plain.as_bytes(), b"http://example.com:80");
        assert_eq!(plain.method().as_str(), "host");
        assert_eq!(vh("http://[::1]:8080", &Channel::Plain).unwrap().as_bytes(), b"http://[::1]:8080");
    }

    #[test]
    fn nothing_weaker_than_the_transport_allows() {
        let exporter = Channel::Exporter(Exporter([7; 32]));
        assert_eq!(vh("https://example.com", &Channel::Plain), Err(ChannelMismatch));
        assert_eq!(vh("http://example.com", &exporter), Err(ChannelMismatch));
        assert_eq!(vh("https://example.com", &exporter).unwrap().as_bytes(), [7; 32]);
    }

    #[test]
    fn every_method_has_its_token() {
        for method in ValidationMethod::ALL {
            let token = ExtensiveToken::new(&method.as_str().to_uppercase()).unwrap();
            assert_eq!(ValidationMethod::from_token(&token), Some(method));
        }
        assert!(TLS_EXPORTER.starts_with('-'));
    }
}
