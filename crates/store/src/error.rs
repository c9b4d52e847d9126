//! What can go wrong with a store.

use crate::principal::{NameError, PrincipalName};

/// Why a store did not do what it was asked for. The text says what an operator can do about it; it never holds a
/// secret, and is never sent to a stranger.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A user of this name exists in the realm already.
    #[error("there is a user of this name in the realm already")]
    UserExists,
    /// There is no such user in the realm.
    #[error("there is no user of this name in the realm")]
    NoUser,
    /// The user may not log in.
    #[error("the user is disabled")]
    UserDisabled,
    /// A principal of this name exists already.
    #[error("there is a principal of this name already")]
    PrincipalExists,
    /// There is no such principal.
    #[error("there is no principal of this name")]
    NoPrincipal,
    /// The credential belongs to another principal.
    #[error("the credential belongs to {0} already")]
    CredentialTaken(PrincipalName),
    /// There are as many as there may be.
    #[error("there cannot be more than {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most.
        most: usize,
    },
    /// A text that is to be kept is none of its kind.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What the store is kept in cannot be used: unreadable, locked, full, corrupt, sealed with another key.
    #[error("{0}")]
    Unavailable(String),
}
