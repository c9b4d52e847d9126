//! Why a call was not answered.

use serde::Serialize;
use tagai_core::client::Fatal;
use tagai_core::credential::PrepareError;
use tagai_core::kam3::KeyError;

/// A call that gives nothing. Judgements about a server are no errors: they are [`crate::Received::Fatal`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The user name cannot be used (RFC 8265).
    #[error("the user name cannot be used: {0}")]
    User(PrepareError),
    /// The password cannot be used (RFC 8265).
    #[error("the password cannot be used: {0}")]
    Password(PrepareError),
    /// An argument is not what it has to be: a mistake of the caller, or an address that is none of ours.
    #[error("{0} is not acceptable")]
    Argument(&'static str),
    /// The number is of nothing that waits: it was used, dropped, or made room for newer ones.
    #[error("there is no {what} with the number {id}")]
    Gone {
        /// What was looked for.
        what: &'static str,
        /// The number.
        id: u32,
    },
    /// A binding was asked of a request that proves nothing.
    #[error("only a request with a proof can be bound")]
    NoProof,
    /// There are too many contexts with logins in them.
    #[error("there are too many contexts in which somebody is logged in")]
    Contexts,
    /// A sequence could not begin.
    #[error(transparent)]
    Fatal(#[from] Fatal),
    /// The arithmetic failed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// An error as JavaScript gets it.
#[derive(Serialize)]
struct Thrown<'a> {
    name: &'a str,
    message: &'a str,
}

impl EngineError {
    /// The name of the class in `api.ts`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::User(_) | Self::Password(_) => "CredentialError",
            _ => "Error",
        }
    }

    /// The error as JSON: `name` and `message`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let message = self.to_string();
        serde_json::to_string(&Thrown { name: self.name(), message: &message }).unwrap_or_default()
    }
}
