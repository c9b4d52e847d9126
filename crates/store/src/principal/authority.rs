//! Who vouches for a name: a realm or a client CA of the configuration.

use super::NameError;
use std::fmt;
use std::str::FromStr;

/// The longest id of a realm or client CA, in octets.
pub const MAX_AUTHORITY_LEN: usize = 64;

/// The id of a `[[realm]]` or `[[client-ca]]` in the configuration: ASCII letters, digits, `-`, `_` and `.`, with no `-` in
/// front. It is compared octet for octet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority(Box<str>);

impl Authority {
    /// Takes an id.
    ///
    /// # Errors
    /// [`NameError::Authority`].
    pub fn new(id: &str) -> Result<Self, NameError> {
        let good = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
        let fits = (1..=MAX_AUTHORITY_LEN).contains(&id.len());
        if fits && id.bytes().all(good) && !id.starts_with('-') {
            Ok(Self(id.into()))
        } else {
            Err(NameError::Authority)
        }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Authority {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}
