//! TLS, and what a login is bound to by it (RFC 8120 §7, RFC 5929, RFC 9266).

use crate::error::{NetworkFault, UsageError};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::sync::Arc;
use tagai_core::realm::Host;
use tagai_core::validation::{Channel, Exporter};

const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// The settings of TLS, without ALPN.
pub(crate) fn tls_config(roots: RootCertStore) -> Result<ClientConfig, UsageError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| UsageError::Roots(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // Without it, what a TLS 1.2 connection exports is not bound to the connection alone (RFC 7627).
    config.require_ems = true;
    // A resumed session has the certificate of the first handshake, which the server may have replaced since: a proof that is
    // made for it would be refused, and the user be asked for the password again.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// The name that the certificate has to be for.
pub(crate) fn server_name(host: &Host) -> Result<ServerName<'static>, NetworkFault> {
    match host {
        Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|error| NetworkFault::Tls(Box::new(error))),
        Host::V4(address) => Ok(ServerName::from(std::net::IpAddr::V4(*address))),
        Host::V6(address) => Ok(ServerName::from(std::net::IpAddr::V6(*address))),
    }
}

/// The channel of a finished handshake, with the server's certificate.
pub(crate) fn channel(tls: &ClientConnection) -> Result<(Channel, CertificateDer<'static>), NetworkFault> {
    let certificate = tls.peer_certificates().and_then(|chain| chain.first());
    let Some(certificate) = certificate.map(|certificate| certificate.clone().into_owned()) else {
        return Err(NetworkFault::Tls("the server showed no certificate".into()));
    };
    let exporter = tls.export_keying_material([0; 32], EXPORTER_LABEL, Some(b"")).ok().map(Exporter);
    Ok((Channel::tls(&certificate, exporter)?, certificate))
}
