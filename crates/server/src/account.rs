//! What users do with their own accounts: use an invitation, and change the password. The server gets a verifier each time, and
//! never a password.

use crate::connection::Connection;
use crate::event::Event;
use crate::mutual::Mutual;
use crate::user::AuthenticatedUser;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::{HeaderMap, HeaderValue};
use std::fmt;
use std::time::{Duration, SystemTime};
use tagai_core::credential::Username;
use tagai_core::kam3::J;
use tagai_core::realm::AuthRealm;
use tagai_core::server::{Session, Step};
use tagai_store::invitation::{CodeDigest, InvitationFault, Redeemed};
use tagai_store::{AccountStore, NewUser, Owner, SessionStore, StoreError};
use zeroize::Zeroizing;

/// What a change of password is bound by: `b_2` (RFC 8120 §13) of the request, over these octets, a zero, and `OCTETS(J)`.
const CHANGE_OF_PASSWORD: &[u8] = b"tagai change of password";

/// The octets `t` for which a client computes `b_2`, to change its user's password to the one of this verifier (`OCTETS(J)`).
///
/// The binding shows that whoever proved the request chose the verifier. A proof alone does not: a browser proves every
/// request of a page to its site, whatever the page put into it.
#[must_use]
pub fn change_of_password(verifier: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([CHANGE_OF_PASSWORD, b"\0", verifier].concat())
}

/// What somebody with an invitation asks for.
#[derive(Clone, Copy)]
pub struct Registration<'a> {
    /// The name.
    pub user: &'a Username,
    /// The hash of the code.
    pub code: &'a CodeDigest,
    /// What should be `OCTETS(J)`, as the client computed it.
    pub verifier: &'a [u8],
}

impl fmt::Debug for Registration<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("user", self.user).finish_non_exhaustive()
    }
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// The user may log in, with the password of the verifier. The invitation is used up.
    Done,
    /// The invitation is of no use for this name here. Strangers are told nothing more.
    Refused,
    /// The verifier is none of this realm's algorithm.
    Malformed,
    /// There were too many attempts; in so long it may be tried again.
    Wait(Duration),
    /// The store failed, and nothing has changed.
    Failed,
}

/// What became of the change of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordChange {
    /// The user has another password, and no sessions: not even the one that proved the request.
    Done,
    /// Whoever proved the request did not choose this verifier, or the session has ended meanwhile.
    NotBound,
    /// The verifier is none of this realm's algorithm.
    Malformed,
    /// The user was removed or disabled meanwhile.
    Gone,
    /// The store failed, and nothing has changed.
    Failed,
}

/// Why somebody's account was not made or changed. For logs, and for nobody outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountFault {
    /// The invitation is of no use.
    Invitation(InvitationFault),
    /// The verifier is none.
    Verifier,
    /// The request is not bound to the verifier.
    Binding,
    /// The user is there no more, or may not log in.
    Gone,
}

impl fmt::Display for AccountFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invitation(fault) => fault.fmt(f),
            Self::Verifier => f.write_str("what was sent is no verifier of the realm's algorithm"),
            Self::Binding => {
                f.write_str("a change of password was not bound to its request: a page may have tried to make it")
            }
            Self::Gone => f.write_str("the user was removed or disabled meanwhile"),
        }
    }
}

impl<C: AccountStore, S: SessionStore> Mutual<C, S> {
    /// Uses an invitation. The work is the same whatever is wrong with it, and the guard counts it until it is found good.
    ///
    /// The caller has seen to it that the request came over TLS: what it carries is worth as much as the password. Once begun, it
    /// runs to its end even if nobody waits for it any more.
    pub async fn register(
        &self,
        registration: &Registration<'_>,
        connection: &Connection,
        now: SystemTime,
    ) -> Registered {
        let Registration { user, code, verifier } = *registration;
        let owner = Owner::of(connection.address);
        let guard = self.guard();
        if let Err(wait) = guard.admit_registration(owner, self.now()) {
            self.observe(connection, &Event::RegistrationSlowed { user });
            return Registered::Wait(wait);
        }
        let Ok(verifier) = J::from_octets(self.config().realm.algorithm, verifier) else {
            self.observe(connection, &Event::AccountRefused { user, fault: AccountFault::Verifier });
            return Registered::Malformed;
        };
        let (this, user, code, connection) = (self.clone(), user.clone(), *code, connection.clone());
        let work = async move {
            let realm = &this.config().realm;
            let new = NewUser { realm, name: &user, verifier: &verifier };
            let reset = match this.credentials().redeem(&code, &new, now).await {
                Ok(Redeemed::Added) => false,
                Ok(Redeemed::Reset) => true,
                Ok(Redeemed::Refused(fault)) => {
                    let fault = AccountFault::Invitation(fault);
                    this.observe(&connection, &Event::AccountRefused { user: &user, fault });
                    return Registered::Refused;
                }
                Err(error) => {
                    this.observe(&connection, &Event::StoreFailed { error: &error });
                    return Registered::Failed;
                }
            };
            this.observe(&connection, &Event::Registered { user: &user, reset });
            this.guard().registered(owner, this.now());
            this.end_user(realm, &user, &connection).await;
            Registered::Done
        };
        tokio::spawn(work).await.unwrap_or(Registered::Failed)
    }

    /// Gives the user of a request that was found proven another password, if whoever proved the request chose the verifier:
    /// `binding` has to be `b_2` over [`change_of_password`]. Ends all sessions of the user.
    ///
    /// The caller has seen to it that the request came over TLS. Once begun, it runs to its end even if nobody waits for it any more.
    pub async fn change_password(
        &self,
        (user, fields): (&AuthenticatedUser, &HeaderMap),
        verifier: &[u8],
        binding: &[u8],
        connection: &Connection,
    ) -> PasswordChange {
        let name = user.name().clone();
        let refused = |fault| self.observe(connection, &Event::AccountRefused { user: &name, fault });
        let t = change_of_password(verifier);
        match self.is_bound((user, fields), &t, binding, connection).await {
            Ok(true) => {}
            Ok(false) => {
                refused(AccountFault::Binding);
                return PasswordChange::NotBound;
            }
            Err(error) => {
                self.observe(connection, &Event::StoreFailed { error: &error });
                return PasswordChange::Failed;
            }
        }
        let Ok(verifier) = J::from_octets(self.config().realm.algorithm, verifier) else {
            refused(AccountFault::Verifier);
            return PasswordChange::Malformed;
        };
        let (this, connection) = (self.clone(), connection.clone());
        let work = async move {
            let realm = &this.config().realm;
            let new = NewUser { realm, name: &name, verifier: &verifier };
            match this.credentials().change_verifier(&new).await {
                Ok(()) => {}
                Err(StoreError::NoUser | StoreError::UserDisabled) => {
                    this.observe(&connection, &Event::AccountRefused { user: &name, fault: AccountFault::Gone });
                    return PasswordChange::Gone;
                }
                Err(error) => {
                    this.observe(&connection, &Event::StoreFailed { error: &error });
                    return PasswordChange::Failed;
                }
            }
            this.observe(&connection, &Event::PasswordChanged { user: &name });
            this.end_user(realm, &name, &connection).await;
            PasswordChange::Done
        };
        tokio::spawn(work).await.unwrap_or(PasswordChange::Failed)
    }

    /// Whether `binding` is `b_2` over `t` for the request that proved `user` with these fields. The session's keys stay in it.
    async fn is_bound(
        &self,
        (user, fields): (&AuthenticatedUser, &HeaderMap),
        t: &Zeroizing<Vec<u8>>,
        binding: &[u8],
        connection: &Connection,
    ) -> Result<bool, StoreError> {
        let lines = fields.get_all(self.credentials_field()).iter().map(HeaderValue::as_bytes);
        let Ok(Step::NeedSession(request)) = self.server().receive(lines, &connection.channel) else {
            return Ok(false);
        };
        let sid = request.sid().clone();
        let (user, t, binding) = (user.clone(), t.clone(), Zeroizing::new(binding.to_vec()));
        let judge = move |session: Option<Session>| {
            let expected = session.as_ref().and_then(|session| session.b_2(&user, request.host_validation(), &t));
            let right =
                expected.is_some_and(|expected| verify_slices_are_equal(expected.expose_octets(), &binding).is_ok());
            (session, right)
        };
        self.sessions().update(self.server(), &sid, self.now(), judge).await
    }

    /// Ends what a user had before: the sessions, wherever they are kept, and passwords that were found right.
    async fn end_user(&self, realm: &AuthRealm, user: &Username, connection: &Connection) {
        self.passwords().forget_user(realm, user);
        if let Err(error) = self.sessions().end_user(realm, user).await {
            self.observe(connection, &Event::StoreFailed { error: &error });
        }
    }
}
