//! What ends a sequence for good (RFC 8120 §10.1 "fatal communication error").

use crate::kam3::KeyError;
use crate::message::MessageError;
use crate::realm::{AuthRealm, ScopeError};
use crate::validation::{ChannelMismatch, ValidationMethod};
use alloc::boxed::Box;

/// A fatal error: whoever answered did not follow the protocol, and nothing that it sent may be used.
///
/// The response has been dropped by the time that this is seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fatal {
    /// The answer to our proof had a wrong proof of the server, or one for another session.
    ///
    /// Between honest ends this does not happen: the server does not know the user's verifier, or somebody sits between.
    #[error("the server did not prove that it knows you: its verification value is wrong")]
    WrongVks,
    /// An answer without proof where only a proven one may be accepted.
    #[error("the server answered with status {status} and without proving itself")]
    NotProven {
        /// The status code, which is not to be trusted either.
        status: u16,
    },
    /// A message that may not come at this point.
    #[error("{message} is not allowed in answer to {request}")]
    Unexpected {
        /// What came.
        message: &'static str,
        /// What it answered.
        request: &'static str,
    },
    /// A message of the protocol that is broken.
    #[error("the server's message is not acceptable: {0}")]
    Message(#[from] MessageError),
    /// A status code that the message cannot come with.
    #[error("{message} came with status {status}")]
    Status {
        /// What came.
        message: &'static str,
        /// The status code.
        status: u16,
    },
    /// The server repeated the terms of the exchange wrongly.
    #[error("the server changed the terms in the middle of the exchange")]
    TermsChanged,
    /// The server asked for another realm in the middle of an exchange.
    #[error("the server changed the realm in the middle of the exchange, to {0}")]
    RealmChanged(Box<AuthRealm>),
    /// The authentication scope is not acceptable.
    #[error(transparent)]
    Scope(#[from] Box<ScopeError>),
    /// The server asked for another validation method than RFC 8120 §7 demands on this connection.
    #[error("the server asked for host validation by {found}, and this connection needs {needed}")]
    Validation {
        /// What the server asked for.
        found: ValidationMethod,
        /// What the connection needs.
        needed: ValidationMethod,
    },
    /// The answer came over another connection than the one that was proven, for instance with another certificate; or a
    /// request is about to be sent over one.
    #[error("the connection or its certificate is another one than that of the proof")]
    ChannelChanged,
    /// So many key exchanges with this credential came to nothing that somebody may be guessing the password by them. The
    /// credential is forgotten.
    #[error("too many logins to {0} were begun by a server that did not prove itself; the login is forgotten")]
    TooManyUnproven(Box<AuthRealm>),
    /// A response was given to a request whose field was never asked for: a mistake of the caller.
    #[error("the response answers a request that was not made with Sequence::field")]
    NotSent,
    /// The sequence belongs to another [`super::Client`]: a mistake of the caller.
    #[error("the sequence was begun by another client")]
    OtherClient,
    /// The channel does not fit the scheme of the origin: a mistake of the caller.
    #[error(transparent)]
    ChannelMismatch(#[from] ChannelMismatch),
    /// `K_s1` is not acceptable, or the arithmetic failed.
    #[error("the key exchange was refused: {0}")]
    KeyExchange(#[from] KeyError),
}

impl From<ScopeError> for Fatal {
    fn from(error: ScopeError) -> Self {
        Self::Scope(Box::new(error))
    }
}
