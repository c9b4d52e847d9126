//! The certificates of a listener, and the choice among them by server name (RFC 6066 §3).

use super::load::Loaded;
use super::x509::{Facts, Name};
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert, ServerSessionMemoryCache};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use tagai_core::validation::{Channel, EndPoint, EndPointError};

/// What may be chosen about TLS.
#[derive(Debug, Clone)]
pub struct TlsOptions {
    /// Whether HTTP/2 is offered (ALPN `h2`).
    pub http2: bool,
    /// Whether TLS 1.2 is spoken besides 1.3.
    pub tls12: bool,
    /// TLS sessions that are remembered for each certificate (TLS 1.2 session ids; tickets need no memory).
    pub session_cache: usize,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self { http2: true, tls12: true, session_cache: 1024 }
    }
}

/// Why a set of certificates cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// There is none.
    #[error("a listener with TLS needs at least one certificate")]
    None,
    /// No channel binding can be made for it.
    #[error("certificate number {index}: {error}")]
    EndPoint {
        /// Which one, from 1.
        index: usize,
        /// Why.
        error: EndPointError,
    },
    /// rustls does not take it.
    #[error("certificate number {index}: {error}")]
    Tls {
        /// Which one, from 1.
        index: usize,
        /// Why.
        error: rustls::Error,
    },
}

/// One certificate that is served, with everything that belongs to it.
pub struct Certificate {
    key: Arc<CertifiedKey>,
    facts: Facts,
    /// `None`: RFC 5929 defines no hash, each connection has its exporter.
    channel: Option<Arc<Channel>>,
    config: Arc<ServerConfig>,
}

impl Certificate {
    fn new(loaded: Loaded, options: &TlsOptions, index: usize) -> Result<Self, CertificateError> {
        let leaf = loaded.key.end_entity_cert().map_err(|error| CertificateError::Tls { index, error })?;
        let channel = match EndPoint::from_certificate(leaf) {
            Ok(end_point) => Some(Arc::new(Channel::Certificate(end_point))),
            Err(EndPointError::Undefined) => None,
            Err(error) => return Err(CertificateError::EndPoint { index, error }),
        };
        let config = config(&loaded.key, options, channel.is_none())
            .map_err(|error| CertificateError::Tls { index, error })?;
        Ok(Self { key: loaded.key, facts: loaded.facts, channel, config: Arc::new(config) })
    }

    /// What it says about itself.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        self.key.cert.first().map_or(&[], |leaf| leaf.as_ref())
    }

    /// The channel of every connection with it; `None` if each connection has its own ([`Channel::Exporter`]).
    #[must_use]
    pub fn channel(&self) -> Option<&Arc<Channel>> {
        self.channel.as_ref()
    }

    pub(super) fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// Answers with the one certificate of its configuration.
#[derive(Debug)]
struct Only(Arc<CertifiedKey>);

impl ResolvesServerCert for Only {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn config(key: &Arc<CertifiedKey>, options: &TlsOptions, exporter: bool) -> Result<ServerConfig, rustls::Error> {
    let versions: &[_] =
        if options.tls12 { &[&rustls::version::TLS13, &rustls::version::TLS12] } else { &[&rustls::version::TLS13] };
    let mut config = ServerConfig::builder_with_provider(super::provider())
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Only(Arc::clone(key))));
    config.alpn_protocols =
        if options.http2 { vec![b"h2".into(), b"http/1.1".into()] } else { vec![b"http/1.1".into()] };
    // Both belong to this certificate alone: what is resumed was made with it.
    config.session_storage = ServerSessionMemoryCache::new(options.session_cache);
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
    // RFC 9266 §1: the exporter of TLS 1.2 is a binding only with the extended master secret (RFC 7627).
    config.require_ems = exporter;
    Ok(config)
}

/// The certificates of a listener. The first is served to whoever names none of the others.
#[derive(Debug)]
pub struct Certificates {
    list: Vec<Arc<Certificate>>,
    default: Arc<Certificate>,
    exact: HashMap<String, usize>,
    /// By the name without `*.`.
    wildcard: HashMap<String, usize>,
}

impl Certificates {
    /// The set of these certificates. A name that several have belongs to the first of them.
    ///
    /// # Errors
    /// [`CertificateError`]
    pub fn new(loaded: Vec<Loaded>, options: &TlsOptions) -> Result<Self, CertificateError> {
        let list = (1..)
            .zip(loaded)
            .map(|(index, loaded)| Certificate::new(loaded, options, index).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let default = Arc::clone(list.first().ok_or(CertificateError::None)?);
        let (mut exact, mut wildcard) = (HashMap::new(), HashMap::new());
        for (index, certificate) in list.iter().enumerate() {
            for name in &certificate.facts.names {
                if let Name::Dns(name) = name {
                    match name.strip_prefix("*.") {
                        Some(parent) => wildcard.entry(parent.to_owned()).or_insert(index),
                        None => exact.entry(name.clone()).or_insert(index),
                    };
                }
            }
        }
        Ok(Self { list, default, exact, wildcard })
    }

    /// The certificate for a client that asks for `name`, or for none.
    #[must_use]
    pub fn choose(&self, name: Option<&str>) -> &Arc<Certificate> {
        let Some(name) = name else { return &self.default };
        // rustls has checked that it is a DNS name; RFC 4343: case does not count.
        let lower;
        let name = if name.bytes().any(|octet| octet.is_ascii_uppercase()) {
            lower = name.to_ascii_lowercase();
            &lower
        } else {
            name
        };
        let wildcard = || name.split_once('.').and_then(|(_, parent)| self.wildcard.get(parent));
        let found = self.exact.get(name).or_else(wildcard).and_then(|index| self.list.get(*index));
        found.unwrap_or(&self.default)
    }

    /// All of them, the default first.
    #[must_use]
    pub fn all(&self) -> &[Arc<Certificate>] {
        &self.list
    }
}

/// Certificates that can be replaced while they are in use: new connections get the new ones, old ones go on.
#[derive(Debug)]
pub struct SharedCertificates(ArcSwap<Certificates>);

impl SharedCertificates {
    /// Starts with these.
    #[must_use]
    pub fn new(certificates: Certificates) -> Self {
        Self(ArcSwap::from_pointee(certificates))
    }

    /// Replaces all of them. Sessions made with the old ones cannot be resumed; their clients shake hands in full.
    pub fn replace(&self, certificates: Certificates) {
        self.0.store(Arc::new(certificates));
    }

    /// The present ones.
    #[must_use]
    pub fn current(&self) -> Arc<Certificates> {
        self.0.load_full()
    }
}
