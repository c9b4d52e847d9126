//! Why a server asks for authentication (RFC 8120 §4.1).

use crate::grammar::ExtensiveToken;
use core::fmt;

/// The `reason` of a 401-INIT message. `stale-session` is not among them: it makes a message of its own, 401-STALE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// `initial`: authentication was not attempted; there were no credentials for this realm.
    Initial,
    /// `auth-failed`: authentication failed.
    AuthFailed,
    /// `reauth-needed`: the application wants the user to authenticate anew.
    ReauthNeeded,
    /// `invalid-parameters`: a parameter was not acceptable.
    InvalidParameters,
    /// `internal-error`: the server has a problem.
    InternalError,
    /// `user-unknown`: the user name is not valid. Not recommended, and never sent by this crate.
    UserUnknown,
    /// `invalid-credential`: the user name is valid, the password not. Not recommended, and never sent by this crate.
    InvalidCredential,
    /// `authz-failed`: the user is authenticated, and not allowed to have the resource.
    AuthzFailed,
    /// Any other token, to be treated like `auth-failed` or `initial`.
    Other(ExtensiveToken),
}

const KNOWN: [(Reason, &str); 8] = [
    (Reason::Initial, "initial"),
    (Reason::AuthFailed, "auth-failed"),
    (Reason::ReauthNeeded, "reauth-needed"),
    (Reason::InvalidParameters, "invalid-parameters"),
    (Reason::InternalError, "internal-error"),
    (Reason::UserUnknown, "user-unknown"),
    (Reason::InvalidCredential, "invalid-credential"),
    (Reason::AuthzFailed, "authz-failed"),
];

/// The `reason` that makes a challenge a 401-STALE message.
pub(super) const STALE_SESSION: &str = "stale-session";

impl Reason {
    pub(super) fn from_token(token: ExtensiveToken) -> Self {
        let known = KNOWN.iter().find(|(_, text)| *text == token.as_str());
        known.map_or_else(|| Self::Other(token), |(reason, _)| reason.clone())
    }

    /// Whether the message may come in `Optional-WWW-Authenticate`: `initial`, or a token that RFC 8120 §4.1 does not
    /// define (RFC 8120 §8).
    #[must_use]
    pub const fn may_be_optional(&self) -> bool {
        matches!(self, Self::Initial | Self::Other(_))
    }

    /// Whether the user's credentials may still be right, so that a client need not forget them (RFC 8120 §10.2 step 13
    /// for all others).
    #[must_use]
    pub const fn keeps_credentials(&self) -> bool {
        matches!(self, Self::InternalError | Self::AuthzFailed)
    }

    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(token) => token.as_str(),
            known => KNOWN.iter().find(|(reason, _)| reason == known).map_or("auth-failed", |(_, text)| text),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
