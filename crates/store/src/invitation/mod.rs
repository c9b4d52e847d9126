//! Invitations: a code, given to somebody by an operator, with which a user chooses a password that nobody else ever sees.
//!
//! An invitation is for one name in one realm, is used once, and runs out. The store keeps a hash of its code and nothing that
//! leads back to it. Whatever happens to the user of that name, added, changed or removed, ends the invitation: it was
//! given for how things were.

mod code;

pub use code::{CODE_LEN, CodeDigest, InvitationCode, MalformedCode, NoRandomness};

use crate::credential::{CredentialStore, NewUser};
use crate::error::StoreError;
use std::fmt;
use std::future::Future;
use std::time::SystemTime;
use tagai_core::credential::Username;
use tagai_core::realm::AuthRealm;

/// How many invitations a store keeps.
pub const MAX_INVITATIONS: usize = 10_000;

/// An invitation to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewInvitation<'a> {
    /// The realm.
    pub realm: &'a AuthRealm,
    /// The name that its holder will have.
    pub name: &'a Username,
    /// The hash of its code.
    pub code: &'a CodeDigest,
    /// Whether it gives a user who is there another password; else it makes a user.
    pub reset: bool,
    /// From when on it is of no use; whole seconds count.
    pub expires: SystemTime,
}

/// What is known of an invitation, without its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The realm.
    pub realm: AuthRealm,
    /// The name that its holder will have.
    pub name: Username,
    /// Whether it gives a user who is there another password; else it makes a user.
    pub reset: bool,
    /// When it was made.
    pub created: SystemTime,
    /// From when on it is of no use.
    pub expires: SystemTime,
}

/// What an operator does with invitations. Each change has happened, durably where the store is durable, when its call
/// returns.
pub trait InvitationStore: Send + Sync + 'static {
    /// Makes an invitation. One for the same name in the same realm is replaced, and those that have run out are dropped. Says
    /// whether one was replaced that had not run out.
    ///
    /// # Errors
    /// [`StoreError::UserExists`] or [`StoreError::NoUser`] if it does not fit [`NewInvitation::reset`],
    /// [`StoreError::UserDisabled`], [`StoreError::TooMany`], [`StoreError::Unavailable`].
    fn invite(&self, invitation: &NewInvitation<'_>, now: SystemTime) -> Result<bool, StoreError>;

    /// The invitations of a realm, or of all, that have not run out, in the order of realms and names.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn invitations(&self, realm: Option<&AuthRealm>, now: SystemTime) -> Result<Vec<Invitation>, StoreError>;

    /// Takes back the invitation for a name. Says whether there was one, run out or not.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn revoke_invitation(&self, realm: &AuthRealm, name: &Username) -> Result<bool, StoreError>;
}

/// What users do with their own accounts, through a server that has found that they may.
pub trait AccountStore: CredentialStore {
    /// Uses up an invitation: the user is added with this verifier, or gets it in place of another one and the user's sessions in
    /// this store end. All of it or nothing, and one invitation once, however many try at the same moment.
    ///
    /// It reads the same, whether there is such an invitation or not, and whether there is such a user or not.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; nothing has changed then.
    fn redeem(
        &self,
        code: &CodeDigest,
        user: &NewUser<'_>,
        now: SystemTime,
    ) -> impl Future<Output = Result<Redeemed, StoreError>> + Send;

    /// Gives a user who may log in another verifier, and ends the user's sessions in this store: both or nothing. The sessions of
    /// other stores are the caller's to end ([`crate::SessionStore::end_user`]).
    ///
    /// # Errors
    /// [`StoreError::NoUser`], [`StoreError::UserDisabled`], [`StoreError::Unavailable`].
    fn change_verifier(&self, user: &NewUser<'_>) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What became of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redeemed {
    /// There is a user now.
    Added,
    /// The user has another verifier, and no sessions.
    Reset,
    /// Nothing has changed. Strangers are told nothing more than this.
    Refused(InvitationFault),
}

/// Why a code was of no use. For logs, and for nobody outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvitationFault {
    /// There is no such invitation: it was made up, taken back, ended by a change of its user, or used before.
    Unknown,
    /// It has run out.
    Expired,
    /// It is for another name, or another realm.
    NotForThis,
    /// It makes a user, and there is one of this name.
    UserExists,
    /// It is for a user who is there, and there is none.
    NoUser,
    /// Its user may not log in.
    Disabled,
}

impl fmt::Display for InvitationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no such invitation, or it was used before",
            Self::Expired => "the invitation has run out",
            Self::NotForThis => "the invitation is for another name or another realm",
            Self::UserExists => "the invitation makes a user, and there is one of this name",
            Self::NoUser => "the invitation is for a user who is not there any more",
            Self::Disabled => "the user of the invitation is disabled",
        })
    }
}

/// What a store found about a code, wherever it keeps it.
pub(crate) struct Found<'a> {
    pub(crate) realm: &'a AuthRealm,
    pub(crate) name: &'a Username,
    pub(crate) reset: bool,
    pub(crate) expires: SystemTime,
}

/// Whether an invitation serves `user`, of whom `disabled` is known if there is one.
pub(crate) fn judge(
    found: Option<&Found<'_>>,
    user: (&AuthRealm, &Username),
    disabled: Option<bool>,
    now: SystemTime,
) -> Result<bool, InvitationFault> {
    let found = found.ok_or(InvitationFault::Unknown)?;
    if (found.realm, found.name) != user {
        return Err(InvitationFault::NotForThis);
    }
    if now >= found.expires {
        return Err(InvitationFault::Expired);
    }
    match (found.reset, disabled) {
        (false, None) | (true, Some(false)) => Ok(found.reset),
        (false, Some(_)) => Err(InvitationFault::UserExists),
        (true, None) => Err(InvitationFault::NoUser),
        (true, Some(true)) => Err(InvitationFault::Disabled),
    }
}

/// Whether an invitation may be made for a name, of whose user `disabled` is known if there is one.
pub(crate) fn may_invite(reset: bool, disabled: Option<bool>) -> Result<(), StoreError> {
    match (reset, disabled) {
        (false, None) | (true, Some(false)) => Ok(()),
        (_, Some(true)) => Err(StoreError::UserDisabled),
        (false, Some(false)) => Err(StoreError::UserExists),
        (true, None) => Err(StoreError::NoUser),
    }
}

pub(crate) fn too_many() -> StoreError {
    StoreError::TooMany { what: "invitations that have not run out", most: MAX_INVITATIONS }
}
