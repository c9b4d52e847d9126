//! Certificate chains and keys out of PEM files.

use super::x509::Facts;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::CertifiedKey;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The largest file that is read as PEM, in octets: far above any chain.
const LARGEST: u64 = 1 << 20;

/// Why a certificate and its key could not be loaded. Each message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{file}: {error}; check the path and the permissions", file = .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// The file is too large to be a chain or a key.
    #[error("{}: larger than 1 MiB, so it cannot be a certificate chain or a key", .0.display())]
    TooLarge(PathBuf),
    /// The file is not PEM.
    #[error("{}: not PEM: {reason}", .file.display())]
    Pem {
        /// The file.
        file: PathBuf,
        /// What is wrong in it.
        reason: String,
    },
    /// PEM, but without a certificate.
    #[error("{}: holds no certificate (no -----BEGIN CERTIFICATE-----)", .0.display())]
    NoCertificate(PathBuf),
    /// PEM, but without a private key.
    #[error("{}: holds no private key (no -----BEGIN PRIVATE KEY----- or the like; encrypted keys are not read)", .0.display())]
    NoKey(PathBuf),
    /// The leaf is no certificate that can be read.
    #[error("{}: the first certificate cannot be read", .0.display())]
    Malformed(PathBuf),
    /// The key is of a kind that cannot be used.
    #[error("{}: the key cannot be used: {reason}", .file.display())]
    Key {
        /// The file.
        file: PathBuf,
        /// What the cryptography says.
        reason: rustls::Error,
    },
    /// The key belongs to another certificate.
    #[error("{}: this key does not belong to the first certificate in {}", .key.display(), .chain.display())]
    Mismatch {
        /// The file of the key.
        key: PathBuf,
        /// The file of the chain.
        chain: PathBuf,
    },
}

/// A chain with its key.
#[derive(Debug)]
pub struct Loaded {
    /// For rustls.
    pub key: Arc<CertifiedKey>,
    /// What the leaf says.
    pub facts: Facts,
    /// What the operator should know: expired, not yet valid, no names. None of these stops the gateway.
    pub warnings: Vec<String>,
}

/// Loads a chain (the leaf first) and the key of its leaf. `now` is for the warnings.
///
/// # Errors
/// [`LoadError`]
pub fn load(chain: &Path, key: &Path, now: UnixTime) -> Result<Loaded, LoadError> {
    let certificates = CertificateDer::pem_slice_iter(&read(chain)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| LoadError::Pem { file: chain.into(), reason: error.to_string() })?;
    let leaf = certificates.first().ok_or_else(|| LoadError::NoCertificate(chain.into()))?;
    let facts = Facts::read(leaf).ok_or_else(|| LoadError::Malformed(chain.into()))?;

    // As secret as the key itself.
    let secret = Zeroizing::new(read(key)?);
    let der = PrivateKeyDer::from_pem_slice(&secret).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => LoadError::NoKey(key.into()),
        // The message must not quote the line it stumbled over: it may be part of a key.
        _ => LoadError::Pem { file: key.into(), reason: "a section is damaged".into() },
    })?;
    let signer = super::provider()
        .key_provider
        .load_private_key(der)
        .map_err(|reason| LoadError::Key { file: key.into(), reason })?;
    let certified = CertifiedKey::new(certificates, signer);
    match certified.keys_match() {
        Ok(()) => {}
        Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            return Err(LoadError::Mismatch { key: key.into(), chain: chain.into() });
        }
        Err(_) => return Err(LoadError::Malformed(chain.into())),
    }
    let warnings = warnings(chain, &facts, i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    Ok(Loaded { key: Arc::new(certified), facts, warnings })
}

fn read(file: &Path) -> Result<Vec<u8>, LoadError> {
    let failed = |error| LoadError::Read { file: file.into(), error };
    if std::fs::metadata(file).map_err(failed)?.len() > LARGEST {
        return Err(LoadError::TooLarge(file.into()));
    }
    std::fs::read(file).map_err(failed)
}

fn warnings(chain: &Path, facts: &Facts, now: i64) -> Vec<String> {
    let file = chain.display();
    let mut warnings = Vec::new();
    if now > facts.not_after {
        warnings.push(format!(
            "{file}: the certificate expired {} ago; clients will refuse it",
            span(now - facts.not_after)
        ));
    } else if now < facts.not_before {
        warnings.push(format!("{file}: the certificate is not valid for another {}", span(facts.not_before - now)));
    }
    if facts.names.is_empty() {
        warnings.push(format!("{file}: the certificate names no host (no subject alternative name)"));
    }
    warnings
}

fn span(seconds: i64) -> String {
    match seconds {
        0..=7_199 => format!("{} minutes", seconds / 60),
        7_200..=172_799 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
