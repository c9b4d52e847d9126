//! What operators do with principals, and what the gateway asks for.

use super::{
    AttributeKey, AttributeValue, Credential, Denial, DenialTarget, Directory, GroupName, NewPrincipal, Principal,
    PrincipalName,
};
use crate::error::StoreError;

/// Keeps principals and the deny list. Each change has happened, durably where the store is durable, when its call
/// returns; all of it or nothing. All calls block.
///
/// Where a change says whether there was something to change, what was there already is not touched: not its date either.
pub trait PrincipalStore: Send + Sync + 'static {
    /// Adds a principal.
    ///
    /// # Errors
    /// [`StoreError::PrincipalExists`], [`StoreError::TooMany`], [`StoreError::Unavailable`].
    fn add_principal(&self, principal: &NewPrincipal) -> Result<(), StoreError>;

    /// Removes a principal, and sets its credentials free.
    ///
    /// # Errors
    /// [`StoreError::NoPrincipal`], [`StoreError::Unavailable`].
    fn remove_principal(&self, name: &PrincipalName) -> Result<(), StoreError>;

    /// Keeps a principal from doing anything, or lets it again. Says whether that is a change.
    ///
    /// # Errors
    /// [`StoreError::NoPrincipal`], [`StoreError::Unavailable`].
    fn set_principal_disabled(&self, name: &PrincipalName, disabled: bool) -> Result<bool, StoreError>;

    /// Puts a principal into a group. Says whether that is a change.
    ///
    /// # Errors
    /// [`StoreError::NoPrincipal`], [`StoreError::TooMany`], [`StoreError::Unavailable`].
    fn add_to_group(&self, name: &PrincipalName, group: &GroupName) -> Result<bool, StoreError>;

    /// Takes a principal out of a group. Says whether it was in it.
    ///
    /// # Errors
    /// [`StoreError::NoPrincipal`], [`StoreError::Unavailable`].
    fn remove_from_group(&self, name: &PrincipalName, group: &GroupName) -> Result<bool, StoreError>;

    /// Gives a principal an attribute, or the attribute another value. Says whether that is a change.
    ///
    /// # Errors
    /// [`StoreError::NoPrincipal`], [`StoreError::TooMany`], [`StoreError::Unavailable`].
    fn set_attribute(
        &self,
        name: &PrincipalName,
        key: &AttributeKey,
        value: &AttributeValue,
    ) -> Result<bool, StoreError>;

    /// Takes an attribute from a principal. Says whether it had it.
    ///
    /// # Errors
    /// [`StoreError::NoPrincipal`], [`StoreError::Unavailable`].
    fn unset_attribute(&self, name: &PrincipalName, key: &AttributeKey) -> Result<bool, StoreError>;

    /// Gives a principal a credential. Says whether that is a change.
    ///
    /// # Errors
    /// [`StoreError::CredentialTaken`] if it belongs to another; [`StoreError::NoPrincipal`], [`StoreError::TooMany`],
    /// [`StoreError::Unavailable`].
    fn bind(&self, name: &PrincipalName, credential: &Credential) -> Result<bool, StoreError>;

    /// Takes a credential from a principal. Says whether it was this principal's.
    ///
    /// # Errors
    /// [`StoreError::NoPrincipal`], [`StoreError::Unavailable`].
    fn unbind(&self, name: &PrincipalName, credential: &Credential) -> Result<bool, StoreError>;

    /// One principal.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn principal(&self, name: &PrincipalName) -> Result<Option<Principal>, StoreError>;

    /// All principals, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn principals(&self) -> Result<Vec<Principal>, StoreError>;

    /// Whom a credential belongs to.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn owner_of(&self, credential: &Credential) -> Result<Option<PrincipalName>, StoreError>;

    /// Puts somebody on the deny list. Says whether that is a change: an entry that is there stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Name`] if the reason or the name of who gave it is too long; [`StoreError::TooMany`],
    /// [`StoreError::Unavailable`].
    fn deny(&self, target: &DenialTarget, reason: &str, by: &str) -> Result<bool, StoreError>;

    /// Takes somebody off the deny list. Says whether it was there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn allow(&self, target: &DenialTarget) -> Result<bool, StoreError>;

    /// The deny list, in the order of what is denied.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn denials(&self) -> Result<Vec<Denial>, StoreError>;

    /// A number that is another one after each change. Cheap: to be asked for several times a second.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn directory_version(&self) -> Result<i64, StoreError>;

    /// All principals and denials at one point in time.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn directory(&self) -> Result<Directory, StoreError>;
}
