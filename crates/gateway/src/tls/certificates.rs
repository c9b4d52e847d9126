//! The certificates of a listener, and the choice among them by server name (RFC 6066 §3).

use super::asks::Asks;
use super::load::Loaded;
use super::x509::{Facts, Name};
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{CertificateType, ClientHello, NoClientAuth, ResolvesServerCert, ServerSessionMemoryCache};
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
    /// The gateway's bare key, shown to clients that ask for one (RFC 7250).
    pub raw_key: Option<Arc<CertifiedKey>>,
    /// What clients are asked for.
    pub asks: Arc<Asks>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self { http2: true, tls12: true, session_cache: 1024, raw_key: None, asks: Arc::default() }
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
    /// rustls does not take the bare key.
    #[error("the bare key of [[raw-key]]: {0}")]
    RawKey(rustls::Error),
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
    configs: Configs,
}

impl Certificate {
    fn new(
        loaded: Loaded,
        options: &TlsOptions,
        asks: &[Arc<dyn ClientCertVerifier>],
        index: usize,
    ) -> Result<Self, CertificateError> {
        let leaf = loaded.key.end_entity_cert().map_err(|error| CertificateError::Tls { index, error })?;
        let channel = match EndPoint::from_certificate(leaf) {
            Ok(end_point) => Some(Arc::new(Channel::Certificate(end_point))),
            Err(EndPointError::Undefined) => None,
            Err(error) => return Err(CertificateError::EndPoint { index, error }),
        };
        let shown = Shown::Certificate(Arc::clone(&loaded.key));
        let configs = Configs::new(shown, options, asks, channel.is_none())
            .map_err(|error| CertificateError::Tls { index, error })?;
        Ok(Self { key: loaded.key, facts: loaded.facts, channel, configs })
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
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// What the gateway shows of itself: the one thing of its configurations.
#[derive(Debug, Clone)]
enum Shown {
    Certificate(Arc<CertifiedKey>),
    /// A bare key (RFC 7250); the "chain" is its SubjectPublicKeyInfo.
    RawKey(Arc<CertifiedKey>),
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let (Self::Certificate(key) | Self::RawKey(key)) = self;
        Some(Arc::clone(key))
    }

    fn only_raw_public_keys(&self) -> bool {
        matches!(self, Self::RawKey(_))
    }
}

/// The configurations with one thing that is shown: one that asks clients for nothing, and one for each way of asking.
struct Configs {
    nothing: Arc<ServerConfig>,
    asking: Vec<Arc<ServerConfig>>,
}

impl Configs {
    fn new(
        shown: Shown,
        options: &TlsOptions,
        asks: &[Arc<dyn ClientCertVerifier>],
        exporter: bool,
    ) -> Result<Self, rustls::Error> {
        let make = |verifier| config(shown.clone(), options, verifier, exporter).map(Arc::new);
        let asking = asks.iter().map(|ask| make(Arc::clone(ask))).collect::<Result<_, _>>()?;
        Ok(Self { nothing: make(Arc::new(NoClientAuth))?, asking })
    }

    fn get(&self, ask: Option<usize>) -> Arc<ServerConfig> {
        Arc::clone(ask.and_then(|ask| self.asking.get(ask)).unwrap_or(&self.nothing))
    }
}

fn config(
    shown: Shown,
    options: &TlsOptions,
    verifier: Arc<dyn ClientCertVerifier>,
    exporter: bool,
) -> Result<ServerConfig, rustls::Error> {
    let raw = shown.only_raw_public_keys() || verifier.requires_raw_public_keys();
    // RFC 7250 is spoken over TLS 1.3 alone.
    let versions: &[_] = if options.tls12 && !raw {
        &[&rustls::version::TLS13, &rustls::version::TLS12]
    } else {
        &[&rustls::version::TLS13]
    };
    let mut config = ServerConfig::builder_with_provider(super::provider())
        .with_protocol_versions(versions)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(shown));
    config.alpn_protocols =
        if options.http2 { vec![b"h2".into(), b"http/1.1".into()] } else { vec![b"http/1.1".into()] };
    // Both belong to this configuration alone: what is resumed was made with what is shown here, and asked for as here.
    config.session_storage = ServerSessionMemoryCache::new(options.session_cache);
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
    // RFC 9266 §1: the exporter of TLS 1.2 is a binding only with the extended master secret (RFC 7627).
    config.require_ems = exporter;
    Ok(config)
}

/// What was chosen for a connection.
pub(super) struct Profile {
    pub(super) config: Arc<ServerConfig>,
    /// `None` if the bare key is shown.
    pub(super) certificate: Option<Arc<Certificate>>,
    /// Whether what the client shows is a bare key.
    pub(super) raw_client: bool,
}

/// The certificates of a listener. The first is served to whoever names none of the others.
pub struct Certificates {
    list: Vec<Arc<Certificate>>,
    default: Arc<Certificate>,
    raw_key: Option<Configs>,
    asks: Arc<Asks>,
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
        let asks = Arc::clone(&options.asks);
        let verifiers = asks.verifiers();
        let list = (1..)
            .zip(loaded)
            .map(|(index, loaded)| Certificate::new(loaded, options, &verifiers, index).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let raw_key = options.raw_key.clone().map(|key| Configs::new(Shown::RawKey(key), options, &verifiers, true));
        let raw_key = raw_key.transpose().map_err(CertificateError::RawKey)?;
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
        Ok(Self { list, default, raw_key, asks, exact, wildcard })
    }

    /// What holds for a client that asks for `host` (in lower case), or for none, and takes and has these kinds of certificates
    /// (RFC 7250 §3; `None`: X.509 alone).
    pub(super) fn choose(
        &self,
        host: Option<&str>,
        takes: Option<&[CertificateType]>,
        has: Option<&[CertificateType]>,
    ) -> Profile {
        let ask = self.asks.choose(host, has);
        let raw_client = ask.is_some_and(|ask| self.asks.is_raw_key(ask));
        let wants_raw = takes.and_then(<[_]>::first) == Some(&CertificateType::RawPublicKey);
        let only_raw = takes.is_some_and(|takes| !takes.contains(&CertificateType::X509));
        if let Some(configs) = self.raw_key.as_ref().filter(|_| wants_raw || only_raw) {
            return Profile { config: configs.get(ask), certificate: None, raw_client };
        }
        let certificate = self.certificate(host);
        Profile { config: certificate.configs.get(ask), certificate: Some(Arc::clone(certificate)), raw_client }
    }

    /// The certificate for a client that asks for `host` (in lower case), or for none.
    #[must_use]
    pub fn certificate(&self, host: Option<&str>) -> &Arc<Certificate> {
        let Some(host) = host else { return &self.default };
        let wildcard = || host.split_once('.').and_then(|(_, parent)| self.wildcard.get(parent));
        let found = self.exact.get(host).or_else(wildcard).and_then(|index| self.list.get(*index));
        found.unwrap_or(&self.default)
    }

    /// All of them, the default first.
    #[must_use]
    pub fn all(&self) -> &[Arc<Certificate>] {
        &self.list
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("list", &self.list).field("asks", &self.asks).finish_non_exhaustive()
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
