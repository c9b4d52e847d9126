//! Bare keys in handshakes (RFC 7250), which are for TLS 1.3 here.

use super::algorithms;
use crate::raw_key::{RawKey, Spki};
use rustls::client::ResolvesClientCert;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible, SignatureScheme};
use std::sync::Arc;

/// Asks clients for a bare key, and takes no for an answer.
///
/// Any key is accepted whose holder signed the handshake; **whose it is, is to be asked by its
/// [`Pin`](crate::raw_key::Pin)**. rustls ends handshakes of clients that do not offer bare keys (RFC 7250), so this is for those that
/// do: see `ClientHello::client_cert_types`.
#[derive(Debug)]
pub struct AskForRawKey {
    algorithms: WebPkiSupportedAlgorithms,
}

impl Default for AskForRawKey {
    fn default() -> Self {
        Self { algorithms: algorithms() }
    }
}

impl ClientCertVerifier for AskForRawKey {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if !intermediates.is_empty() {
            return Err(Error::General("more than one bare key was sent".into()));
        }
        Spki::from_der(end_entity).map_err(|_| CertificateError::BadEncoding)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
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

/// Shows the server's own bare key, to whichever client.
#[derive(Debug)]
pub struct RawKeyResolver(Arc<CertifiedKey>);

impl RawKeyResolver {
    /// With this key.
    #[must_use]
    pub fn new(key: &RawKey) -> Self {
        Self(key.certified())
    }
}

impl ResolvesServerCert for RawKeyResolver {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn only_raw_public_keys(&self) -> bool {
        true
    }
}

/// Shows the client's own bare key, to whichever server asks.
#[derive(Debug)]
pub struct ClientRawKey(Arc<CertifiedKey>);

impl ClientRawKey {
    /// With this key.
    #[must_use]
    pub fn new(key: &RawKey) -> Self {
        Self(key.certified())
    }
}

impl ResolvesClientCert for ClientRawKey {
    fn resolve(&self, _root_hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn only_raw_public_keys(&self) -> bool {
        true
    }

    fn has_certs(&self) -> bool {
        true
    }
}
