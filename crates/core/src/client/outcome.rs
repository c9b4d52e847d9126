//! How a sequence ends: the three states of RFC 8120 §10.1, each with its response.

use super::sequence::{Context, Next};
use super::states::ClientSession;
use super::work::{Credential, Work};
use crate::control::{AuthControl, AuthStyle, Location};
use crate::credential::Username;
use crate::kam3::Binding;
use crate::message::{Reason, Terms};
use crate::realm::AuthRealm;
use crate::validation::HostValidation;
use alloc::sync::Arc;

/// What to do after a response.
#[derive(Debug)]
pub enum Step<B> {
    /// The sequence goes on; the response has served its purpose.
    Continue(Next),
    /// The sequence is over.
    Done(Outcome<B>),
}

/// The final status of a request (RFC 8120 §10.1, to be shown to the user by §17.4).
#[derive(Debug)]
pub enum Outcome<B> {
    /// AUTH-SUCCEED: both ends are proven.
    AuthSucceed(Proven<B>),
    /// AUTH-REQUIRED: the server wants the user to log in, or did not accept the credentials. Nothing is proven.
    AuthRequired(AuthRequired<B>),
    /// UNAUTHENTICATED: an ordinary response to an ordinary request. Nothing is proven.
    Unauthenticated(B),
}

/// A response from a server that has proven to know the user's verifier, to a request that proved the user.
pub struct Proven<B> {
    pub(super) body: B,
    pub(super) user: Username,
    pub(super) control: AuthControl,
    pub(super) session: Arc<ClientSession>,
    pub(super) nc: u128,
    pub(super) vh: HostValidation,
}

impl<B> Proven<B> {
    /// Everything else of the response.
    #[must_use]
    pub fn into_body(self) -> B {
        self.body
    }

    /// Everything else of the response, to look at.
    #[must_use]
    pub const fn body(&self) -> &B {
        &self.body
    }

    /// The user that the server knows.
    #[must_use]
    pub const fn user(&self) -> &Username {
        &self.user
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &AuthRealm {
        &self.session.realm
    }

    /// What the server wishes for a later logout (RFC 8053 §4.5); its `logout-timeout` has been taken care of.
    #[must_use]
    pub const fn control(&self) -> &AuthControl {
        &self.control
    }

    /// What to do when the user logs out while this response is on display (RFC 8053 §4.5). `was_get` says whether its
    /// request was a GET.
    #[must_use]
    pub fn logout_action(&self, was_get: bool) -> LogoutAction {
        match &self.control.location_when_logout {
            Some(location) => LogoutAction::Go(location.clone()),
            None if was_get => LogoutAction::Reload,
            None => LogoutAction::Stay,
        }
    }

    /// `b_1`: binds an application to the session, with its own octets `t` (RFC 8120 §13).
    #[must_use]
    pub fn b_1(&self, t: &[u8]) -> Binding {
        self.session.key.b_1(&self.vh, t)
    }

    /// `b_2`: binds an application to this request (RFC 8120 §13).
    #[must_use]
    pub fn b_2(&self, t: &[u8]) -> Binding {
        self.session.key.b_2(self.nc, &self.vh, t)
    }
}

impl<B> core::fmt::Debug for Proven<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Proven").field("user", &self.user).field("realm", self.realm()).finish_non_exhaustive()
    }
}

/// What the page on display wants when its user logs out (RFC 8053 §4.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogoutAction {
    /// GET this location.
    Go(Location),
    /// GET the page again, without credentials.
    Reload,
    /// Leave the page as it is: getting it again would repeat a request that is no GET.
    Stay,
}

/// How to put it to the user that a login is needed (RFC 8053 §4.2 to §4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presentation {
    /// Offer to log in: ahead of the content or beside it.
    Offer(AuthStyle),
    /// Treat the response as 303 (See Other) to this location: a login page (§4.3). Who sent it has proven nothing.
    SeeOther(Location),
    /// Show the response as an ordinary one and do not ask here (§4.4).
    DoNotAsk,
}

/// A response that asks for a login.
pub struct AuthRequired<B> {
    pub(super) body: B,
    pub(super) context: Context,
    pub(super) terms: Terms,
    pub(super) realm: AuthRealm,
    pub(super) reason: Reason,
    pub(super) optional: bool,
    pub(super) control: AuthControl,
}

impl<B> AuthRequired<B> {
    /// The realm that asks. Its scope has been checked: it covers the server, and spans one owner's domain.
    #[must_use]
    pub const fn realm(&self) -> &AuthRealm {
        &self.realm
    }

    /// Why the server asks; something else than [`Reason::Initial`] usually means that credentials were not accepted.
    #[must_use]
    pub const fn reason(&self) -> &Reason {
        &self.reason
    }

    /// Whether the server gave the resource all the same, as to a guest (RFC 8053 §3).
    #[must_use]
    pub const fn is_optional(&self) -> bool {
        self.optional
    }

    /// How to put it to the user.
    #[must_use]
    pub fn presentation(&self) -> Presentation {
        match &self.control {
            // If both are given, no-auth counts (RFC 8053 §4.4).
            AuthControl { no_auth: true, .. } => Presentation::DoNotAsk,
            AuthControl { location_when_unauthenticated: Some(location), .. } => {
                Presentation::SeeOther(location.clone())
            }
            AuthControl { auth_style, .. } => Presentation::Offer(auth_style.unwrap_or_default()),
        }
    }

    /// The only user that the server accepts, if it says so, to fill in the form (RFC 8053 §4.7).
    #[must_use]
    pub const fn username_hint(&self) -> Option<&Username> {
        self.control.username.as_ref()
    }

    /// The response, to be shown as the content of a server that has proven nothing.
    #[must_use]
    pub fn into_body(self) -> B {
        self.body
    }

    /// Logs in with what the user gave; the sequence goes on with a key exchange (step 12 to 9 of RFC 8120 §10.2).
    ///
    /// The credential is for this realm and is not tried on another. The client remembers it once the server has proven
    /// itself, until logout.
    pub fn supply(self, credential: Credential) -> (Next, B) {
        (Next::Compute(Work::exchange(self.context.later(), self.terms, self.realm, credential)), self.body)
    }
}

impl<B> core::fmt::Debug for AuthRequired<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AuthRequired")
            .field("realm", &self.realm)
            .field("reason", &self.reason)
            .field("optional", &self.optional)
            .finish_non_exhaustive()
    }
}
