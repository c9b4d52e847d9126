//! Servers that are known by their bare key (RFC 7250).

use crate::error::NetworkFault;
use crate::identity::KeyPin;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, PeerIncompatible, SignatureScheme};
use std::sync::Arc;

/// Accepts a bare key that has been pinned, and no certificate: neither names nor times have a part in it.
#[derive(Debug)]
pub(super) struct PinnedKey {
    pins: Vec<KeyPin>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinnedKey {
    pub(super) const fn new(pins: Vec<KeyPin>, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { pins, algorithms }
    }
}

/// The server has another key.
#[derive(Debug, thiserror::Error)]
#[error("not a pinned key: {0}")]
struct OtherKey(KeyPin);

/// Why a handshake failed.
pub(super) fn fault(error: std::io::Error) -> NetworkFault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let other = match inner {
        Some(Error::InvalidCertificate(CertificateError::Other(other))) => other.0.downcast_ref::<OtherKey>(),
        _ => None,
    };
    match other {
        Some(OtherKey(shown)) => NetworkFault::OtherKey(*shown),
        None => NetworkFault::Tls(Box::new(error)),
    }
}

impl ServerCertVerifier for PinnedKey {
    fn verify_server_cert(
        &self,
        key: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = KeyPin::of(key);
        if self.pins.contains(&shown) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::Other(OtherError(Arc::new(OtherKey(shown)))).into())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Bare keys are used in TLS 1.3 alone, and no other version is offered.
        Err(PeerIncompatible::Tls12NotOfferedOrEnabled.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(key.as_ref());
        verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
