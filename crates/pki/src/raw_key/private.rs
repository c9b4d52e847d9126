//! A private key and its public one.

use super::{Pin, Spki, SpkiError};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use pkcs8::LineEnding;
use pkcs8::der::pem;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Octets of a file with a private key at most.
const MAX_KEY_LEN: usize = 64 << 10;

/// What keys there are to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyKind {
    /// Ed25519 (RFC 8410): short and quick, for all that know it.
    #[default]
    Ed25519,
    /// ECDSA on P-256: for all others.
    P256,
}

impl FromStr for KeyKind {
    type Err = RawKeyError;

    fn from_str(text: &str) -> Result<Self, RawKeyError> {
        match text {
            "ed25519" => Ok(Self::Ed25519),
            "p256" => Ok(Self::P256),
            _ => Err(RawKeyError::Kind),
        }
    }
}

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RawKeyError {
    /// Not a kind of keys.
    #[error("is not a kind of keys; there are ed25519 and p256")]
    Kind,
    /// More than is read.
    #[error("is longer than {MAX_KEY_LEN} octets")]
    TooLong,
    /// No private key.
    #[error("holds no private key in PEM (PKCS #8, label PRIVATE KEY); make one with `tagai key gen`")]
    None,
    /// More than one part.
    #[error("holds more than one private key")]
    Several,
    /// An older form.
    #[error("is in an older form; `openssl pkcs8 -topk8 -nocrypt` makes PKCS #8 of it")]
    OldForm,
    /// Encrypted.
    #[error("is encrypted, and there is nobody to ask for its password; `openssl pkcs8` decrypts it")]
    Encrypted,
    /// Not a key that signs.
    #[error(
        "is not a key that can be used: keys are of Ed25519, ECDSA (P-256, P-384, P-521) or RSA of 2048 bits and more"
    )]
    Unusable,
    /// Its public key is not accepted.
    #[error("its public key {0}")]
    Public(SpkiError),
    /// The operating system gave no randomness, or there is no memory.
    #[error("no key could be generated: the system gave no randomness")]
    Generate,
}

/// A private key that proves a bare public one.
#[derive(Clone)]
pub struct RawKey {
    key: Arc<dyn SigningKey>,
    public: Spki,
}

impl fmt::Debug for RawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A new private key as PEM (PKCS #8, label `PRIVATE KEY`).
///
/// # Errors
/// [`RawKeyError::Generate`]
pub fn generate(kind: KeyKind) -> Result<Zeroizing<String>, RawKeyError> {
    let wrong = |_| RawKeyError::Generate;
    let document = match kind {
        // Version 1 of the form, without the public key, is what all others read.
        KeyKind::Ed25519 => {
            let key = Ed25519KeyPair::generate().map_err(wrong)?;
            let der: Pkcs8V1Der<'_> = key.as_der().map_err(wrong)?;
            return pem_of(der.as_ref());
        }
        KeyKind::P256 => {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).map_err(wrong)?
        }
    };
    pem_of(document.as_ref())
}

fn pem_of(der: &[u8]) -> Result<Zeroizing<String>, RawKeyError> {
    let text = pem::encode_string("PRIVATE KEY", LineEnding::LF, der).map_err(|_| RawKeyError::Generate)?;
    Ok(Zeroizing::new(text))
}

impl RawKey {
    /// Reads a private key (PEM, PKCS #8).
    ///
    /// # Errors
    /// [`RawKeyError`]
    pub fn from_pem(octets: &[u8]) -> Result<Self, RawKeyError> {
        if octets.len() > MAX_KEY_LEN {
            return Err(RawKeyError::TooLong);
        }
        if octets.windows(21).any(|window| window == b"ENCRYPTED PRIVATE KEY") {
            return Err(RawKeyError::Encrypted);
        }
        let mut found: Option<Zeroizing<Vec<u8>>> = None;
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(octets) {
            let (kind, der) = section.map_err(|_| RawKeyError::None)?;
            let der = Zeroizing::new(der);
            match kind {
                SectionKind::PrivateKey if found.is_some() => return Err(RawKeyError::Several),
                SectionKind::PrivateKey => found = Some(der),
                SectionKind::EcPrivateKey | SectionKind::RsaPrivateKey => return Err(RawKeyError::OldForm),
                _ => (),
            }
        }
        let der = found.ok_or(RawKeyError::None)?;
        let borrowed = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der.as_slice()));
        let key = any_supported_type(&borrowed).map_err(|_| RawKeyError::Unusable)?;
        let public = key.public_key().ok_or(RawKeyError::Unusable)?;
        let public = Spki::from_der(&public).map_err(RawKeyError::Public)?;
        Ok(Self { key, public })
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> &Spki {
        &self.public
    }

    /// What it is known by.
    #[must_use]
    pub fn pin(&self) -> Pin {
        self.public.pin()
    }

    /// As rustls wants it: the bare public key in the place of a chain (RFC 7250 section 3).
    #[must_use]
    pub fn certified(&self) -> Arc<CertifiedKey> {
        let public = CertificateDer::from(self.public.as_der().to_vec());
        Arc::new(CertifiedKey::new(vec![public], Arc::clone(&self.key)))
    }
}
