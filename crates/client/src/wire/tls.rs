//! TLS, and what a login is bound to by it (RFC 8120 §7, RFC 5929, RFC 9266).

use super::bare_key::{self, PinnedKey};
use crate::error::{NetworkFault, UsageError};
use crate::identity::{ClientIdentity, KeyPin};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, ResolvesClientCert};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::SingleCertAndKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, DEFAULT_VERSIONS, RootCertStore};
use std::collections::BTreeMap;
use std::sync::Arc;
use tagai_core::realm::{Host, Origin};
use tagai_core::validation::{Channel, Exporter};

const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// What is special about one server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peer {
    /// What it is shown if it asks.
    pub(crate) identity: Option<ClientIdentity>,
    /// Its bare keys. If there are any, it is known by one of them, and by no certificate.
    pub(crate) pins: Vec<KeyPin>,
}

/// The settings of TLS for each server.
#[derive(Debug)]
pub(crate) struct Tls {
    common: Settings,
    special: BTreeMap<Origin, Settings>,
}

/// The settings of TLS for a server.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Offers HTTP/2 and HTTP/1.1.
    any: Arc<ClientConfig>,
    /// Offers HTTP/1.1 alone.
    http1: Arc<ClientConfig>,
    /// The server shows a bare key.
    bare: bool,
}

/// What a server showed in a handshake that succeeded.
#[derive(Debug)]
pub(crate) enum Shown {
    /// A certificate, in DER.
    Certificate(CertificateDer<'static>),
    /// A pinned key: its `SubjectPublicKeyInfo` in DER.
    Key(Vec<u8>),
}

impl Tls {
    pub(crate) fn new(roots: RootCertStore, http2: bool, peers: BTreeMap<Origin, Peer>) -> Result<Self, UsageError> {
        let roots = Arc::new(roots);
        let special = peers.into_iter().map(|(origin, peer)| Ok((origin, Settings::new(&roots, http2, peer)?)));
        Ok(Self {
            special: special.collect::<Result<_, UsageError>>()?,
            common: Settings::new(&roots, http2, Peer::default())?,
        })
    }

    pub(crate) fn of(&self, origin: &Origin) -> &Settings {
        self.special.get(origin).unwrap_or(&self.common)
    }
}

impl Settings {
    fn new(roots: &Arc<RootCertStore>, http2: bool, peer: Peer) -> Result<Self, UsageError> {
        let Peer { identity, pins } = peer;
        let bare = !pins.is_empty();
        let mut http1 = config(roots, identity, pins)?;
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut any = http1.clone();
        if http2 {
            any.alpn_protocols.insert(0, b"h2".to_vec());
        }
        Ok(Self { any: Arc::new(any), http1: Arc::new(http1), bare })
    }

    pub(crate) fn config(&self, http1_only: bool) -> Arc<ClientConfig> {
        Arc::clone(if http1_only { &self.http1 } else { &self.any })
    }

    /// Whether the server is known by a bare key.
    pub(crate) const fn is_bare(&self) -> bool {
        self.bare
    }

    /// The channel of a finished handshake, with what the server showed. One without a certificate is bound to by the exporter
    /// (RFC 9266).
    pub(crate) fn channel(&self, tls: &ClientConnection) -> Result<(Channel, Shown), NetworkFault> {
        let exporter = tls.export_keying_material([0; 32], EXPORTER_LABEL, Some(b"")).ok().map(Exporter);
        let shown = tls.peer_certificates().and_then(|chain| chain.first());
        match (shown, exporter) {
            (Some(key), Some(exporter)) if self.bare => Ok((Channel::Exporter(exporter), Shown::Key(key.to_vec()))),
            (Some(certificate), exporter) if !self.bare => {
                let certificate = certificate.clone().into_owned();
                Ok((Channel::tls(&certificate, exporter)?, Shown::Certificate(certificate)))
            }
            _ => Err(NetworkFault::Tls("the server showed nothing that a login could be bound to".into())),
        }
    }
}

/// What does the cryptography.
pub(crate) fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

/// The settings of TLS, without ALPN.
fn config(
    roots: &Arc<RootCertStore>,
    identity: Option<ClientIdentity>,
    pins: Vec<KeyPin>,
) -> Result<ClientConfig, UsageError> {
    let provider = Arc::new(provider());
    let algorithms = provider.signature_verification_algorithms;
    let bare = !pins.is_empty() || identity.as_ref().is_some_and(ClientIdentity::is_bare);
    // RFC 7250 is for 1.2 as well, but rustls is not.
    let versions = if bare { &[&TLS13][..] } else { DEFAULT_VERSIONS };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|error| UsageError::Roots(error.to_string()))?;
    let builder = if pins.is_empty() {
        builder.with_root_certificates(Arc::clone(roots))
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(PinnedKey::new(pins, algorithms)))
    };
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder.with_client_cert_resolver(resolver(&identity)),
    };
    // Without it, what a TLS 1.2 connection exports is not bound to the connection alone (RFC 7627).
    config.require_ems = true;
    // A resumed session has the certificate of the first handshake, which the server may have replaced since: a proof that is
    // made for it would be refused, and the user be asked for the password again.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

fn resolver(identity: &ClientIdentity) -> Arc<dyn ResolvesClientCert> {
    if identity.is_bare() {
        Arc::new(AlwaysResolvesClientRawPublicKeys::new(identity.key()))
    } else {
        Arc::new(SingleCertAndKey::from(identity.key()))
    }
}

/// Why a handshake failed.
pub(crate) fn fault(error: std::io::Error) -> NetworkFault {
    bare_key::fault(error)
}

/// The name that the certificate has to be for.
pub(crate) fn server_name(host: &Host) -> Result<ServerName<'static>, NetworkFault> {
    match host {
        Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|error| NetworkFault::Tls(Box::new(error))),
        Host::V4(address) => Ok(ServerName::from(std::net::IpAddr::V4(*address))),
        Host::V6(address) => Ok(ServerName::from(std::net::IpAddr::V6(*address))),
    }
}
