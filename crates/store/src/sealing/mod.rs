//! What is secret lies sealed: AES-256-GCM-SIV under keys that are kept outside of what they seal.
//!
//! A key file has a line `key-id:base64` for each key of 32 octets; empty lines and lines that begin with `#` say
//! nothing. The first key seals, all of them open. So keys are changed in three steps, with the service running all
//! the time: [`SealingKeys::rotate_file`] puts a new key in front; the store seals everything anew under it; the old
//! line is deleted.

mod error;
mod file;
mod key;

pub use error::{KeysError, SealError};

use key::Key;
use std::fmt;
use zeroize::Zeroizing;

/// The most keys that are accepted.
pub const MAX_KEYS: usize = 64;
/// The longest name of a key, in octets.
pub const MAX_KEY_ID_LEN: usize = 64;

/// Keys that seal and open, in the order of their file. At least one.
pub struct SealingKeys {
    first: Key,
    others: Vec<Key>,
}

/// What is sealed, so that nothing sealed for one purpose opens for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
pub(crate) enum Purpose {
    Verifier,
    Session,
    /// Something known, to find out whether a key fits.
    Check,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Verifier => b"tagai sealed verifier, format 1",
            Self::Session => b"tagai sealed session, format 1",
            Self::Check => b"tagai key check, format 1",
        }
    }
}

/// Octets that are self-delimiting, so that two lists of parts are the same only if each part is.
pub(crate) fn encode(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len().saturating_add(8)).sum());
    for part in parts {
        // A length always fits: 64 bits are not less than any.
        out.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

fn bound(purpose: Purpose, key_id: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut all = vec![purpose.label(), key_id.as_bytes()];
    all.extend_from_slice(parts);
    encode(&all)
}

#[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
impl SealingKeys {
    /// The name of the key that seals.
    #[must_use]
    pub fn first_id(&self) -> &str {
        &self.first.id
    }

    /// The names of all keys, in their order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.all().map(|key| key.id.as_str())
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn key(&self, id: &str) -> Result<&Key, SealError> {
        self.all().find(|key| key.id == id).ok_or_else(|| SealError::NoKey(id.to_owned()))
    }

    /// Seals octets under the first key. They open with the same parts only.
    pub(crate) fn seal(&self, purpose: Purpose, parts: &[&[u8]], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.first.seal(&bound(purpose, &self.first.id, parts), plain)
    }

    /// As [`SealingKeys::seal`], under a key of this name.
    pub(crate) fn seal_under(&self, id: &str, purpose: Purpose, parts: &[&[u8]]) -> Result<Vec<u8>, SealError> {
        self.key(id)?.seal(&bound(purpose, id, parts), &[])
    }

    /// Opens what [`SealingKeys::seal`] gave.
    pub(crate) fn open(
        &self,
        id: &str,
        purpose: Purpose,
        parts: &[&[u8]],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.key(id)?.open(&bound(purpose, id, parts), sealed)
    }
}

/// Doors for fuzzing: sealing as sessions are.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
impl SealingKeys {
    /// Seals octets under the first key, bound to these parts.
    ///
    /// # Errors
    /// [`SealError::Backend`].
    pub fn seal_session(&self, parts: &[&[u8]], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.seal(Purpose::Session, parts, plain)
    }

    /// Opens what [`SealingKeys::seal_session`] gave.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open_session(&self, id: &str, parts: &[&[u8]], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.open(id, Purpose::Session, parts, sealed)
    }

    /// Opens what was sealed as verifiers are.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open_verifier(&self, id: &str, parts: &[&[u8]], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.open(id, Purpose::Verifier, parts, sealed)
    }
}

/// Names the keys, and shows none.
impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKeys")?;
        f.debug_list().entries(self.ids()).finish()
    }
}

#[cfg(test)]
mod tests;
