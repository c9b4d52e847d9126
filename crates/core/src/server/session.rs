//! Sessions and their four states (RFC 8120 §11).

use super::nc_window::{NcState, NcWindow};
use super::receive::{Shared, VfyRequest};
use super::reply::{Fault, Refusal, StaleReply};
use crate::credential::Username;
use crate::kam3::{Binding, SessionKey};
use crate::message::{Field, Reason, Sid, VfyS};
use crate::realm::AuthRealm;
use crate::time::Time;
use crate::validation::{HostValidation, ValidationMethod};
use alloc::sync::Arc;
use subtle::{Choice, ConstantTimeEq as _};

/// One session of one client with one server and realm.
///
/// [`Session::verify`] consumes it and gives the session as it is afterwards: a state that was left cannot be used again.
#[derive(Debug)]
pub struct Session {
    pub(super) shared: Arc<Shared>,
    pub(super) sid: Sid,
    pub(super) user: Option<Username>,
    /// Why no proof can be right in this session, if it is a fake one.
    pub(super) fake: Option<Fault>,
    /// The method that the session began with: it stays the same (RFC 8120 §4.4).
    pub(super) validation: ValidationMethod,
    pub(super) expires: Time,
    pub(super) phase: Phase,
}

#[derive(Debug)]
pub(super) enum Phase {
    KeyExchanging(SessionKey),
    Authenticated(SessionKey, NcWindow),
    Rejected,
    Inactive,
}

/// The state of a session, by its name in RFC 8120 §11.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionState {
    /// The keys are exchanged; the client has not proved that it knows the password.
    KeyExchanging,
    /// Both ends have proved themselves at least once.
    Authenticated,
    /// The client's first proof was wrong.
    Rejected,
    /// Over: expired, or ended by a replay.
    Inactive,
}

/// The answer to a req-VFY-C request.
#[derive(Debug)]
pub enum Verdict {
    /// The client is who it says. Serve the request, with [`Accepted::proof`] in the response.
    Accepted(Accepted),
    /// It is not. Answer with this.
    Rejected(Refusal),
    /// The session cannot be used. Answer with this; the client will start another.
    Stale(StaleReply),
}

/// An accepted request.
#[derive(Debug)]
pub struct Accepted {
    /// Who sent it.
    pub user: AuthenticatedUser,
    /// The `Authentication-Info` field with `VK_s`. It goes with any response that is not 401, ahead of the body and never in a
    /// trailer; or, if the request is answered with 100 (Continue) first, there and not with the final response (RFC 8120
    /// §4.5).
    pub proof: Field,
}

/// A user whose knowledge of the password was proven by this very request. Only an accepted request makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatedUser {
    name: Username,
    realm: AuthRealm,
    nc: u64,
}

impl AuthenticatedUser {
    /// The user's name.
    #[must_use]
    pub const fn name(&self) -> &Username {
        &self.name
    }

    /// The realm in which the name means somebody.
    #[must_use]
    pub const fn realm(&self) -> &AuthRealm {
        &self.realm
    }

    /// The nonce number of the request.
    #[must_use]
    pub const fn nc(&self) -> u64 {
        self.nc
    }
}

impl Session {
    pub(super) const fn new(
        shared: Arc<Shared>,
        sid: Sid,
        user: Option<Username>,
        fake: Option<Fault>,
        key: SessionKey,
        validation: ValidationMethod,
        expires: Time,
    ) -> Self {
        Self { shared, sid, user, fake, validation, expires, phase: Phase::KeyExchanging(key) }
    }

    /// The key under which to store it, among the sessions of its server and realm.
    #[must_use]
    pub const fn sid(&self) -> &Sid {
        &self.sid
    }

    /// The name that the client gave, if it can be one. Only [`AuthenticatedUser`] says that it is true.
    #[must_use]
    pub const fn claimed_user(&self) -> Option<&Username> {
        self.user.as_ref()
    }

    /// The session's state.
    #[must_use]
    pub const fn state(&self) -> SessionState {
        match self.phase {
            Phase::KeyExchanging(_) => SessionState::KeyExchanging,
            Phase::Authenticated(..) => SessionState::Authenticated,
            Phase::Rejected => SessionState::Rejected,
            Phase::Inactive => SessionState::Inactive,
        }
    }

    /// When it stops to be usable. From then on it may be dropped, and so may a rejected or inactive one at any time.
    #[must_use]
    pub const fn expires(&self) -> Time {
        self.expires
    }

    /// Ends the session, as when its user is disabled: its next request is answered 401-STALE.
    #[must_use]
    pub fn end(self) -> Self {
        Self { phase: Phase::Inactive, ..self }
    }

    /// Judges a request, and gives the session as it is from now on.
    ///
    /// The clauses of RFC 8120 §11 are gone through in their order.
    #[must_use]
    pub fn verify(self, request: &VfyRequest, now: Time) -> (Self, Verdict) {
        let shared = Arc::clone(&self.shared);
        let method = request.vh.method();
        let same_place = shared.config.origin == request.shared.config.origin
            && shared.config.realm == request.shared.config.realm
            && shared.config.role == request.shared.config.role;
        if !same_place || self.sid != *request.sid() || self.validation != method {
            return (self, request.no_session());
        }
        let stale = |session: Self, fault| (session.end(), shared.stale(method, fault));
        let refuse = |reason, fault| Verdict::Rejected(shared.refuse(method, reason, fault));

        let (key, window) = match self.phase {
            Phase::Inactive => return stale(self, Fault::NoSession),
            _ if now >= self.expires => return stale(self, Fault::Expired),
            Phase::Rejected => return (self, refuse(Reason::AuthFailed, Fault::SessionRejected)),
            Phase::KeyExchanging(key) => (key, None),
            Phase::Authenticated(key, window) => (key, Some(window)),
        };
        let this = Self { phase: Phase::Inactive, ..self };
        let Some(nc) = u64::try_from(request.message.nc.get()).ok().filter(|nc| *nc <= shared.config.nc_max) else {
            return stale(this, Fault::NcOutsideWindow);
        };
        match window.as_ref().map(|window| window.state(nc)) {
            Some(NcState::BelowWindow) => return stale(this, Fault::NcOutsideWindow),
            Some(NcState::Seen) => return stale(this, Fault::Replay),
            Some(NcState::Fresh) | None => {}
        }

        // A fake session does the same work, and is refused whatever came out.
        let expected = key.vk_c(u128::from(nc), &request.vh);
        let genuine = Choice::from(u8::from(this.fake.is_none()));
        let right = bool::from(expected.octets().ct_eq(request.message.vk_c.octets()) & genuine);
        let Some(name) = this.user.clone().filter(|_| right) else {
            let fault = this.fake.clone().unwrap_or(Fault::WrongVkc);
            // Once proven, a session survives a stranger who guesses at it.
            let phase = window.map_or(Phase::Rejected, |window| Phase::Authenticated(key, window));
            return (Self { phase, ..this }, refuse(Reason::AuthFailed, fault));
        };

        let mut window = window.unwrap_or_else(|| NcWindow::new(shared.config.nc_window));
        window.mark(nc);
        let proof = VfyS { sid: this.sid.clone(), vk_s: key.vk_s(u128::from(nc), &request.vh) };
        let accepted = Accepted {
            user: AuthenticatedUser { name, realm: shared.config.realm.clone(), nc },
            proof: proof.to_field(shared.config.role),
        };
        (Self { phase: Phase::Authenticated(key, window), ..this }, Verdict::Accepted(accepted))
    }

    /// `b_1` of RFC 8120 §13, for a session that is authenticated.
    #[must_use]
    pub fn b_1(&self, vh: &HostValidation, t: &[u8]) -> Option<Binding> {
        self.key().map(|key| key.b_1(vh, t))
    }

    /// `b_2` of RFC 8120 §13, for the request that proved `user`.
    #[must_use]
    pub fn b_2(&self, user: &AuthenticatedUser, vh: &HostValidation, t: &[u8]) -> Option<Binding> {
        self.key().map(|key| key.b_2(u128::from(user.nc), vh, t))
    }

    const fn key(&self) -> Option<&SessionKey> {
        match &self.phase {
            Phase::Authenticated(key, _) => Some(key),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
