//! Public keys, by their hash.

use super::NameError;
use aws_lc_rs::digest;
use base64ct::{Base64, Encoding as _};
use std::fmt;
use std::str::FromStr;

/// A public key, by the SHA-256 of its SubjectPublicKeyInfo in DER: what RFC 7469 §2.4 calls a pin. Written as
/// `sha256:` and base64; with `sha256//`, as curl has it, it is read as well.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPin([u8; 32]);

impl KeyPin {
    /// The pin of a key.
    #[must_use]
    pub fn of_spki(der: &[u8]) -> Self {
        let mut pin = [0; 32];
        for (to, from) in pin.iter_mut().zip(digest::digest(&digest::SHA256, der).as_ref()) {
            *to = *from;
        }
        Self(pin)
    }

    /// A pin of the octets of the hash.
    #[must_use]
    pub const fn from_octets(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// The octets of the hash.
    #[must_use]
    pub const fn octets(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for KeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", Base64::encode_string(&self.0))
    }
}

impl fmt::Debug for KeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPin({self})")
    }
}

impl FromStr for KeyPin {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let base64 =
            text.strip_prefix("sha256:").or_else(|| text.strip_prefix("sha256//")).ok_or(NameError::KeyPin)?;
        let mut octets = [0; 32];
        match Base64::decode(base64, &mut octets) {
            Ok(read) if read.len() == 32 => Ok(Self(octets)),
            _ => Err(NameError::KeyPin),
        }
    }
}
