//! Methods of proof.

use super::NameError;
use std::fmt;
use std::str::FromStr;

/// How somebody proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// HTTP Mutual authentication (RFC 8120): a password that never leaves the user's machine.
    Mutual,
    /// A client certificate in TLS (RFC 8446, RFC 5246, RFC 5280).
    X509,
    /// A bare public key in TLS (RFC 7250).
    RawKey,
    /// A password, sent over TLS (RFC 7617): the weakest of them.
    PasswordTls,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 4] = [Self::Mutual, Self::X509, Self::RawKey, Self::PasswordTls];

    /// The text form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mutual => "mutual",
            Self::X509 => "x509",
            Self::RawKey => "raw-key",
            Self::PasswordTls => "password-tls",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::ALL.into_iter().find(|method| method.as_str() == text).ok_or(NameError::Method)
    }
}
