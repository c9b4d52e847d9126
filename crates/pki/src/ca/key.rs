//! Private keys, and how those of the authority are kept: PKCS #8, encrypted by PBES2 with scrypt and AES-256-CBC (RFC 8018,
//! RFC 7914).

use super::CaError;
use crate::raw_key::Pin;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, Salt, ScryptParams};
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef};
use rcgen::{KeyPair, PublicKeyData as _};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use std::path::Path;
use std::str::FromStr;
use zeroize::Zeroizing;

/// The fewest characters of a new passphrase.
pub(super) const MIN_PASSPHRASE: usize = 8;
/// The label of an encrypted key in PEM.
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
/// scrypt's cost: 16 MiB, which OpenSSL opens without being told to, five times over (as OWASP recommends).
const SCRYPT: (u64, u16, u16) = (1 << 14, 8, 5);
/// The most memory, rounds and lanes that are spent on a key that somebody else has encrypted.
const MOST: (u64, u32, u16) = (256 << 20, 10_000_000, 16);

/// What opens the authority's private keys.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// What was typed or read.
    #[must_use]
    pub const fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// Fails if it is too short for a new key.
    ///
    /// # Errors
    /// [`CaError::WeakPassphrase`].
    pub fn check(&self) -> Result<(), CaError> {
        if self.0.chars().count() < MIN_PASSPHRASE { Err(CaError::WeakPassphrase) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase")
    }
}

/// The algorithm of a key made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256: what every TLS library has.
    #[default]
    P256,
    /// Ed25519: not in browsers.
    Ed25519,
}

impl Algorithm {
    /// Makes a key, as PKCS #8 version 1, which every program reads.
    ///
    /// # Errors
    /// [`CaError::Failed`] if the random generator fails.
    pub(super) fn generate(self) -> Result<KeyPair, CaError> {
        let failed = |what| move |_| CaError::Failed { what, reason: "the library gave no reason".to_owned() };
        let der = match self {
            Self::P256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).and_then(|key| key.to_pkcs8v1()),
            Self::Ed25519 => Ed25519KeyPair::generate().and_then(|key| key.to_pkcs8v1()),
        }
        .map_err(failed("making a key"))?;
        KeyPair::try_from(&PrivatePkcs8KeyDer::from(der.as_ref())).map_err(CaError::failed("making a key"))
    }
}

/// A text names no algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the algorithms are p256 and ed25519")]
pub struct NoAlgorithm;

impl FromStr for Algorithm {
    type Err = NoAlgorithm;

    fn from_str(text: &str) -> Result<Self, NoAlgorithm> {
        match text {
            "p256" => Ok(Self::P256),
            "ed25519" => Ok(Self::Ed25519),
            _ => Err(NoAlgorithm),
        }
    }
}

/// The PEM text of a key, encrypted.
pub(super) fn seal(key: &KeyPair, passphrase: &Passphrase) -> Result<Zeroizing<String>, CaError> {
    let failed = |reason: String| CaError::Failed { what: "encrypting a key", reason };
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    getrandom::fill(&mut salt).and_then(|()| getrandom::fill(&mut iv)).map_err(|error| failed(error.to_string()))?;
    let (cost_parameter, block_size, parallelization) = SCRYPT;
    let salt = Salt::new(salt).map_err(|error| failed(error.to_string()))?;
    let scrypt = ScryptParams { salt, cost_parameter, block_size, parallelization, key_length: None };
    let parameters = Parameters { kdf: Kdf::Scrypt(scrypt), encryption: EncryptionScheme::Aes256Cbc { iv } };
    let sealed = PrivateKeyInfoRef::try_from(key.serialized_der())
        .map_err(|error| failed(error.to_string()))?
        .encrypt_with_params(parameters, passphrase.0.as_bytes())
        .map_err(|error| failed(error.to_string()))?;
    sealed.to_pem(ENCRYPTED, LineEnding::LF).map_err(|error| failed(error.to_string()))
}

/// Opens the PEM text of an encrypted key. `path` is for what is said if that fails.
pub(super) fn open(pem: &[u8], passphrase: &Passphrase, path: &Path) -> Result<KeyPair, CaError> {
    let text = std::str::from_utf8(pem).map_err(|_| CaError::broken(path, "it is not a PEM file"))?;
    let (label, document) = pkcs8::SecretDocument::from_pem(text.trim())
        .map_err(|error| CaError::broken(path, format!("it is not a PEM file: {error}")))?;
    if label != ENCRYPTED {
        return Err(CaError::broken(path, format!("it holds {label}, and {ENCRYPTED} is expected")));
    }
    let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
        .map_err(|_| CaError::broken(path, "it is no encrypted PKCS #8 key"))?;
    let parameters = info.encryption_algorithm.pbes2().filter(|parameters| affordable(&parameters.kdf));
    if parameters.is_none() {
        return Err(CaError::broken(
            path,
            "it is encrypted in a way that is not supported; PBES2 with scrypt or PBKDF2 is",
        ));
    }
    let wrong = || CaError::WrongPassphrase { path: path.to_owned() };
    // A wrong key gives wrong padding, or very seldom what looks like padding behind what looks like nothing.
    let opened = info.decrypt(passphrase.0.as_bytes()).map_err(|_| wrong())?;
    KeyPair::try_from(&PrivatePkcs8KeyDer::from(opened.as_bytes())).map_err(|_| wrong())
}

fn affordable(kdf: &Kdf) -> bool {
    let (memory, rounds, lanes) = MOST;
    match kdf {
        Kdf::Scrypt(params) => {
            let needed =
                params.cost_parameter.checked_mul(u64::from(params.block_size)).and_then(|n| n.checked_mul(128));
            needed.is_some_and(|needed| needed <= memory) && params.parallelization <= lanes
        }
        Kdf::Pbkdf2(params) => params.iteration_count <= rounds,
        _ => false,
    }
}

/// The PEM text of a key, for its owner.
pub(super) fn to_pem(key: &KeyPair) -> Zeroizing<String> {
    Zeroizing::new(key.serialize_pem())
}

/// What a key is known by.
pub(super) fn pin(key: &KeyPair) -> Pin {
    Pin::of_octets(&key.subject_public_key_info())
}

/// The first certificate of a PEM text, as DER.
pub(super) fn certificate(pem: &[u8], path: &Path) -> Result<rustls::pki_types::CertificateDer<'static>, CaError> {
    rustls::pki_types::CertificateDer::from_pem_slice(pem)
        .map_err(|_| CaError::broken(path, "it is not the PEM file of a certificate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn a_sealed_key_opens_with_its_passphrase_alone() {
        let path = Path::new("a.key");
        for algorithm in [Algorithm::P256, Algorithm::Ed25519] {
            let key = algorithm.generate().unwrap();
            let pem = seal(&key, &passphrase("correct horse")).unwrap();
            assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{algorithm:?}");
            assert_ne!(*pem, *seal(&key, &passphrase("correct horse")).unwrap(), "salt and IV are new each time");
            let opened = open(pem.as_bytes(), &passphrase("correct horse"), path).unwrap();
            assert_eq!(pin(&opened), pin(&key));
            let wrong = open(pem.as_bytes(), &passphrase("correct mouse"), path);
            assert!(matches!(wrong, Err(CaError::WrongPassphrase { .. })));
        }
    }

    #[test]
    fn what_is_no_encrypted_key() {
        let path = Path::new("a.key");
        let key = Algorithm::P256.generate().unwrap();
        let open = |pem: &[u8]| open(pem, &passphrase("correct horse"), path).map(|_| ()).unwrap_err().to_string();
        assert!(open(key.serialize_pem().as_bytes()).contains("it holds PRIVATE KEY"));
        assert!(open(b"nonsense").contains("not a PEM file"));
        assert!(open(b"\xff\xfe").contains("not a PEM file"));
        let empty = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
        assert!(open(empty.as_bytes()).contains("no encrypted PKCS #8 key"));
    }

    #[test]
    fn a_key_that_costs_too_much_is_not_tried() {
        let params = |cost_parameter, block_size, parallelization| {
            let salt = Salt::new([0; 16]).unwrap();
            Kdf::Scrypt(ScryptParams { salt, cost_parameter, block_size, parallelization, key_length: None })
        };
        assert!(affordable(&params(1 << 14, 8, 5)) && affordable(&params(1 << 18, 8, 1)));
        assert!(!affordable(&params(1 << 19, 8, 1)) && !affordable(&params(1 << 63, 8, 1)));
        assert!(!affordable(&params(1 << 14, 8, 17)));
    }

    #[test]
    fn passphrases_have_a_least_length_and_are_not_shown() {
        assert!(passphrase("1234567").check().is_err() && passphrase("12345678").check().is_ok());
        assert!(!format!("{:?}", passphrase("12345678")).contains('1'));
    }
}
