//! Users and their verifiers.

use crate::error::StoreError;
use std::future::Future;
use std::time::SystemTime;
use tagai_core::credential::Username;
use tagai_core::kam3::J;
use tagai_core::realm::AuthRealm;

/// Gives logins the verifiers of users.
pub trait CredentialStore: Send + Sync + 'static {
    /// The verifier of `user` in `realm`, or `None` if there is no such user or it may not log in. Names are compared
    /// octet for octet.
    ///
    /// `decoy` is [`tagai_core::server::Server::decoy`]: where there is no user, the same work is done on it, so that
    /// unknown users take as long as known ones.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn verifier(
        &self,
        realm: &AuthRealm,
        user: &Username,
        decoy: &[u8],
    ) -> impl Future<Output = Result<Option<J>, StoreError>> + Send;
}

/// A user to be added.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// The realm.
    pub realm: &'a AuthRealm,
    /// The name.
    pub name: &'a Username,
    /// The verifier; its algorithm is the realm's.
    pub verifier: &'a J,
}

/// What is known of a user, without the verifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The realm.
    pub realm: AuthRealm,
    /// The name.
    pub name: Username,
    /// Whether the user may not log in.
    pub disabled: bool,
    /// When the user was added.
    pub created: SystemTime,
    /// When the verifier, or whether the user may log in, was last changed.
    pub changed: SystemTime,
}

/// What an operator does with users. Each change has happened, durably where the store is durable, when its call
/// returns.
pub trait UserStore: Send + Sync + 'static {
    /// Adds a user.
    ///
    /// # Errors
    /// [`StoreError::UserExists`], [`StoreError::Unavailable`].
    fn add(&self, user: &NewUser<'_>) -> Result<(), StoreError>;

    /// Gives a user another verifier.
    ///
    /// # Errors
    /// [`StoreError::NoUser`], [`StoreError::Unavailable`].
    fn set_verifier(&self, user: &NewUser<'_>) -> Result<(), StoreError>;

    /// Lets a user log in, or not any more.
    ///
    /// # Errors
    /// [`StoreError::NoUser`], [`StoreError::Unavailable`].
    fn set_disabled(&self, realm: &AuthRealm, name: &Username, disabled: bool) -> Result<(), StoreError>;

    /// Removes a user.
    ///
    /// # Errors
    /// [`StoreError::NoUser`], [`StoreError::Unavailable`].
    fn remove(&self, realm: &AuthRealm, name: &Username) -> Result<(), StoreError>;

    /// One user.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn user(&self, realm: &AuthRealm, name: &Username) -> Result<Option<User>, StoreError>;

    /// The users of a realm, or of all, in the order of realms and names.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn users(&self, realm: Option<&AuthRealm>) -> Result<Vec<User>, StoreError>;

    /// The verifier of a user, disabled or not, for an export.
    ///
    /// # Errors
    /// [`StoreError::NoUser`], [`StoreError::Unavailable`].
    fn export(&self, realm: &AuthRealm, name: &Username) -> Result<J, StoreError>;
}
