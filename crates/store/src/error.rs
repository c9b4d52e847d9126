//! What can go wrong with a store.

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
    /// What the store is kept in cannot be used: unreadable, locked, full, corrupt, sealed with another key.
    #[error("{0}")]
    Unavailable(String),
}
