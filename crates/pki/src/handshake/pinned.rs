//! Servers known by their bare keys.

use super::algorithms;
use crate::raw_key::{Pin, Spki};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerIncompatible, SignatureScheme};
use std::collections::BTreeSet;

/// Accepts a server by its bare key alone (RFC 7250, TLS 1.3): one of those that are pinned. Its name counts for nothing.
#[derive(Debug)]
pub struct PinnedServerKey {
    pins: BTreeSet<Pin>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinnedServerKey {
    /// With these pins: two while a server changes its key. Without any, no server is accepted.
    #[must_use]
    pub fn new(pins: impl IntoIterator<Item = Pin>) -> Self {
        Self { pins: pins.into_iter().collect(), algorithms: algorithms() }
    }
}

impl ServerCertVerifier for PinnedServerKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let key = Spki::from_der(end_entity).map_err(|_| CertificateError::BadEncoding)?;
        if intermediates.is_empty() && self.pins.contains(&key.pin()) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::ServerDoesNotSupportTls12Or13.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(cert.as_ref());
        verify_tls13_signature_with_raw_key(message, &key, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
