//! The signature of a CRL.

use rustls::pki_types::SubjectPublicKeyInfoDer;
use webpki::RawPublicKeyEntity;
use x509_parser::asn1_rs::{Any, BitString, FromDer as _};

/// What was signed, how, and the signature (RFC 5280 section 5.1.1).
pub(super) struct Signed {
    message: Vec<u8>,
    /// The content of the AlgorithmIdentifier.
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed {
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, outer) = Any::from_der(der).ok()?;
        let (rest, _) = Any::from_der(outer.data).ok()?;
        let message = outer.data.get(..outer.data.len() - rest.len())?;
        let (rest, algorithm) = Any::from_der(rest).ok()?;
        let (_, signature) = BitString::from_der(rest).ok()?;
        if signature.unused_bits != 0 {
            return None;
        }
        Some(Self { message: message.into(), algorithm: algorithm.data.into(), signature: signature.data.into() })
    }

    /// Whether the key `spki` (SubjectPublicKeyInfo, DER) made the signature.
    pub(super) fn by(&self, spki: &[u8]) -> bool {
        let spki = SubjectPublicKeyInfoDer::from(spki);
        let Ok(key) = RawPublicKeyEntity::try_from(&spki) else { return false };
        let fitting =
            webpki::ALL_VERIFICATION_ALGS.iter().filter(|known| known.signature_alg_id().as_ref() == self.algorithm);
        // Several differ in the keys that they fit, and WebPKI sees to that.
        fitting.into_iter().any(|known| key.verify_signature(*known, &self.message, &self.signature).is_ok())
    }
}
