//! A server's half of RFC 7250: a bare key of its own, and any bare key of a client.

use rcgen::PublicKeyData as _;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::AlwaysResolvesServerRawPublicKeys;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use std::sync::Arc;

/// What shows this key.
pub fn shows(key: &rcgen::KeyPair) -> Arc<AlwaysResolvesServerRawPublicKeys> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let signer = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let signer = provider.key_provider.load_private_key(signer).unwrap();
    let spki = CertificateDer::from(key.subject_public_key_info());
    Arc::new(AlwaysResolvesServerRawPublicKeys::new(Arc::new(CertifiedKey::new(vec![spki], signer))))
}

/// Takes every bare key whose holder proves to have it.
#[derive(Debug)]
pub struct AnyBareKey;

impl ClientCertVerifier for AnyBareKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("not in TLS 1.2".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
        let key = SubjectPublicKeyInfoDer::from(key.as_ref());
        rustls::crypto::verify_tls13_signature_with_raw_key(message, &key, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
