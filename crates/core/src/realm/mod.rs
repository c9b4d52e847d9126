//! Which resources share a set of users: origins, authentication scopes, realms and paths (RFC 8120 §5).

mod auth_scope;
mod host;
mod origin;
mod paths;

pub use auth_scope::{AuthScope, ScopeError};
pub use host::{Host, HostError};
pub use origin::{Origin, OriginError, Scheme};
pub use paths::Paths;

use crate::algorithm::Algorithm;
use alloc::string::String;
use core::fmt;

/// The longest `realm` that is accepted, in octets.
pub const MAX_REALM_LEN: usize = 1024;

/// The value of a `realm` parameter: any UTF-8 text of 1 to [`MAX_REALM_LEN`] octets without control characters.
///
/// RFC 8120 §4.1 wants servers to send ASCII and lets a client treat anything else as an opaque string, which is what
/// happens here: two realms are the same if their octets are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RealmName(String);

/// The text cannot name a realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a realm has 1 to {MAX_REALM_LEN} octets and no control characters")]
pub struct RealmNameError;

impl RealmName {
    /// Checks a realm's name.
    ///
    /// # Errors
    /// [`RealmNameError`] if it is empty, too long, or holds a control character.
    pub fn new(text: impl Into<String>) -> Result<Self, RealmNameError> {
        let text = text.into();
        let good = !text.is_empty()
            && text.len() <= MAX_REALM_LEN
            && !text.starts_with('\u{feff}')
            && !text.chars().any(char::is_control);
        if good { Ok(Self(text)) } else { Err(RealmNameError) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RealmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An authentication realm: the triple of algorithm, authentication scope and realm name for which one set of users
/// and passwords is valid (RFC 8120 §5).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthRealm {
    /// The authentication algorithm.
    pub algorithm: Algorithm,
    /// The range of hosts.
    pub auth_scope: AuthScope,
    /// The realm's name.
    pub name: RealmName,
}

impl fmt::Display for AuthRealm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" at {} ({})", self.name, self.auth_scope, self.algorithm)
    }
}
