//! Header fields by role: the origin server's (RFC 8120 §3) and the proxy's (§14).

use alloc::string::String;

/// Who authenticates the client: it decides the names of the fields and the status code (RFC 8120 §14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Role {
    /// The server that has the resource: 401, `WWW-Authenticate`, `Authorization`, `Authentication-Info`.
    #[default]
    OriginServer,
    /// A proxy on the way: 407, `Proxy-Authenticate`, `Proxy-Authorization`, `Proxy-Authentication-Info`.
    Proxy,
}

impl Role {
    /// The status code that asks for authentication: 401 or 407.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::OriginServer => 401,
            Self::Proxy => 407,
        }
    }

    /// The response field with challenges.
    #[must_use]
    pub const fn challenge_field(self) -> &'static str {
        match self {
            Self::OriginServer => "WWW-Authenticate",
            Self::Proxy => "Proxy-Authenticate",
        }
    }

    /// The request field with credentials.
    #[must_use]
    pub const fn credentials_field(self) -> &'static str {
        match self {
            Self::OriginServer => "Authorization",
            Self::Proxy => "Proxy-Authorization",
        }
    }

    /// The response field with the server's proof.
    #[must_use]
    pub const fn info_field(self) -> &'static str {
        match self {
            Self::OriginServer => "Authentication-Info",
            Self::Proxy => "Proxy-Authentication-Info",
        }
    }
}

/// A header field to be sent. Its value is UTF-8, in ASCII unless a realm is not (RFC 8120 §4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name, in the capitals that the standards print; names are case-insensitive.
    pub name: &'static str,
    /// The value, without line breaks.
    pub value: String,
}
