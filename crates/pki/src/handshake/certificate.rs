//! Asking clients for certificates.

use super::algorithms;
use crate::client_ca::{MAX_CHAIN, MAX_CHAIN_LEN};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use webpki::EndEntityCert;

/// How many octets of names are sent to clients. With more, none are sent, and a client chooses without.
const MAX_HINTS_LEN: usize = 16 << 10;

/// Asks clients for a certificate, and takes no for an answer.
///
/// Any well-formed chain within the bounds is accepted whose holder signed the handshake (TLS 1.2 and 1.3). **It says
/// nothing of who the client is**: ask [`ClientCa::verify`](crate::client_ca::ClientCa::verify) with the peer's certificates
/// before any of it is believed, also on a resumed connection, where they are those of the first handshake.
#[derive(Debug)]
pub struct AskForCertificate {
    hints: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl AskForCertificate {
    /// With the names of the authorities from which certificates are wanted
    /// ([`ClientCa::subjects`](crate::client_ca::ClientCa::subjects)); clients choose by them what to offer their users.
    #[must_use]
    pub fn new(hints: impl IntoIterator<Item = DistinguishedName>) -> Self {
        let mut distinct: Vec<DistinguishedName> = Vec::new();
        for hint in hints {
            if !distinct.iter().any(|other| other.as_ref() == hint.as_ref()) {
                distinct.push(hint);
            }
        }
        if distinct.iter().map(|hint| hint.as_ref().len() + 2).sum::<usize>() > MAX_HINTS_LEN {
            distinct.clear();
        }
        Self { hints: distinct, algorithms: algorithms() }
    }
}

impl ClientCertVerifier for AskForCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let octets = intermediates.iter().fold(end_entity.len(), |octets, other| octets + other.len());
        if intermediates.len() >= MAX_CHAIN || octets > MAX_CHAIN_LEN {
            return Err(Error::General("the client's chain of certificates is too long".into()));
        }
        EndEntityCert::try_from(end_entity).map_err(|_| CertificateError::BadEncoding)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
