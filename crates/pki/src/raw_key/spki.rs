//! A public key by itself.

use super::Pin;
use pkcs8::LineEnding;
use pkcs8::der::pem;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use std::fmt;
use webpki::RawPublicKeyEntity;
use x509_parser::asn1_rs::{Any, FromDer as _};

/// Octets of a public key at most. The longest that are accepted, ML-DSA-87, have fewer than 3000.
pub const MAX_SPKI_LEN: usize = 8 << 10;

const LABEL: &str = "PUBLIC KEY";

/// A public key: a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) of an algorithm that is accepted for signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct Spki(Vec<u8>);

/// Why octets are no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpkiError {
    /// More than [`MAX_SPKI_LEN`] octets.
    #[error("is longer than {MAX_SPKI_LEN} octets")]
    TooLong,
    /// Not a SubjectPublicKeyInfo, or something follows it.
    #[error("is not a public key (SubjectPublicKeyInfo, RFC 5280 section 4.1.2.7)")]
    Malformed,
    /// An algorithm of which no signatures are accepted.
    #[error(
        "is of an algorithm that is not accepted: keys are of Ed25519, ECDSA (P-256, P-384, P-521), RSA or ML-DSA"
    )]
    Algorithm,
    /// No PEM of a public key.
    #[error("is not PEM with the label PUBLIC KEY")]
    Pem,
    /// A private key where a public one belongs.
    #[error("is a private key; make the public one with `tagai key show`, and keep the private one secret")]
    Private,
}

impl Spki {
    /// A public key of DER.
    ///
    /// # Errors
    /// [`SpkiError`]
    pub fn from_der(der: &[u8]) -> Result<Self, SpkiError> {
        if der.len() > MAX_SPKI_LEN {
            return Err(SpkiError::TooLong);
        }
        let spki = SubjectPublicKeyInfoDer::from(der);
        RawPublicKeyEntity::try_from(&spki).map_err(|_| SpkiError::Malformed)?;
        let (_, outer) = Any::from_der(der).map_err(|_| SpkiError::Malformed)?;
        let (_, algorithm) = Any::from_der(outer.data).map_err(|_| SpkiError::Malformed)?;
        let accepted =
            webpki::ALL_VERIFICATION_ALGS.iter().any(|known| known.public_key_alg_id().as_ref() == algorithm.data);
        if accepted { Ok(Self(der.to_vec())) } else { Err(SpkiError::Algorithm) }
    }

    /// A public key of PEM (`PUBLIC KEY`), the only thing in it.
    ///
    /// # Errors
    /// [`SpkiError`]
    pub fn from_pem(octets: &[u8]) -> Result<Self, SpkiError> {
        if octets.len() > MAX_SPKI_LEN * 2 {
            return Err(SpkiError::TooLong);
        }
        if String::from_utf8_lossy(octets).contains("PRIVATE KEY-----") {
            return Err(SpkiError::Private);
        }
        let mut found = SubjectPublicKeyInfoDer::pem_slice_iter(octets);
        let key = found.next().and_then(Result::ok).ok_or(SpkiError::Pem)?;
        if found.next().is_some() { Err(SpkiError::Pem) } else { Self::from_der(&key) }
    }

    /// As DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }

    /// As PEM (`PUBLIC KEY`).
    #[must_use]
    pub fn to_pem(&self) -> String {
        // It fails only where there is no room, and it makes the room itself.
        pem::encode_string(LABEL, LineEnding::LF, &self.0).unwrap_or_default()
    }

    /// What it is known by.
    #[must_use]
    pub fn pin(&self) -> Pin {
        Pin::of(self)
    }
}

impl fmt::Debug for Spki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spki({})", self.pin())
    }
}
