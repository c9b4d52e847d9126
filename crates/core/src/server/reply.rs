//! Replies that refuse, with what an operator may know about why.

use crate::kam3::KeyError;
use crate::message::{Field, Init, MessageError, Reason, Role, Stale, Terms};
use crate::realm::{AuthRealm, Paths};
use crate::validation::ValidationMethod;
use alloc::boxed::Box;

/// A status code and the one field that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// 401, or 407 for a proxy.
    pub status: u16,
    /// The challenge.
    pub field: Field,
}

/// Why a request was not let through: for the log, in full. The wire has the [`Reason`] alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// There were no credentials for Mutual.
    #[error("the request has no Mutual credentials")]
    NoCredentials,
    /// The credentials were for another realm.
    #[error("the credentials are for the realm {0}")]
    OtherRealm(Box<AuthRealm>),
    /// The credentials are broken.
    #[error("the credentials are not acceptable: {0}")]
    Message(#[from] MessageError),
    /// The client named another validation method than the connection asks for.
    #[error("the client asked for host validation by {found}, and this connection needs {needed}")]
    Validation {
        /// What the client sent.
        found: ValidationMethod,
        /// What RFC 8120 §7 demands on this connection.
        needed: ValidationMethod,
    },
    /// `K_c1` is not in the group, or the exchange came out trivial.
    #[error("the key exchange was refused: {0}")]
    KeyExchange(KeyError),
    /// The verifier from the store belongs to another algorithm. The user was treated as unknown.
    #[error("the stored verifier of the user belongs to another algorithm than the realm; nobody can log in with it")]
    Verifier,
    /// The application refused, not the protocol.
    #[error("the application refused")]
    Application,
    /// The user name is unknown, and was from the start of the session.
    #[error("the user is unknown")]
    UnknownUser,
    /// `VK_c` is wrong: a wrong password, another connection than the client thinks, or a forgery.
    #[error("the client's verification value is wrong: a wrong password, or somebody between client and server")]
    WrongVkc,
    /// The session was rejected before.
    #[error("the session was rejected before")]
    SessionRejected,
    /// There is no session with this sid, for this server and realm.
    #[error("the session is unknown, of another server, or over")]
    NoSession,
    /// The session's time is over.
    #[error("the session has expired")]
    Expired,
    /// The nonce number was used before. The session is over.
    #[error("the nonce number was used before: a replay; the session is ended")]
    Replay,
    /// The nonce number is above `nc-max` or below the window. The session is over.
    #[error("the nonce number is outside of the window; the session is ended")]
    NcOutsideWindow,
}

/// 401-INIT where authentication was not tried: the one answer that may become an optional challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    init: Init,
    role: Role,
    fault: Fault,
}

impl Invitation {
    pub(super) fn new(terms: Terms, paths: Option<Paths>, role: Role, fault: Fault) -> Self {
        Self { init: Init { terms, reason: Reason::Initial, paths }, role, fault }
    }

    /// The reply that asks for authentication.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let init = Init { paths: None, ..self.init.clone() };
        Reply { status: self.role.status(), field: init.to_field(self.role) }
    }

    /// The field to add to a response that is not 401 if authentication is optional here (RFC 8053 §3): the resource is
    /// served as to a guest. `None` for a proxy, to which RFC 8053 does not apply (RFC 8120 §14).
    #[must_use]
    pub fn optional_field(&self) -> Option<Field> {
        match self.role {
            Role::OriginServer => self.init.to_optional_field(),
            Role::Proxy => None,
        }
    }

    /// Why there was nothing to check.
    #[must_use]
    pub const fn fault(&self) -> &Fault {
        &self.fault
    }
}

/// 401-INIT where authentication was tried and failed; RFC 8120 §11 marks it with a plus. It has to be sent as 401.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    init: Init,
    role: Role,
    fault: Fault,
}

impl Refusal {
    pub(super) const fn new(terms: Terms, reason: Reason, role: Role, fault: Fault) -> Self {
        Self { init: Init { terms, reason, paths: None }, role, fault }
    }

    /// The reply.
    #[must_use]
    pub fn reply(&self) -> Reply {
        Reply { status: self.role.status(), field: self.init.to_field(self.role) }
    }

    /// The reason as the client sees it.
    #[must_use]
    pub const fn reason(&self) -> &Reason {
        self.init.reason()
    }

    /// The reason in full, for the log.
    #[must_use]
    pub const fn fault(&self) -> &Fault {
        &self.fault
    }
}

/// 401-STALE: the client needs a new key exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleReply {
    stale: Stale,
    role: Role,
    fault: Fault,
}

impl StaleReply {
    pub(super) const fn new(terms: Terms, role: Role, fault: Fault) -> Self {
        Self { stale: Stale { terms }, role, fault }
    }

    /// The reply.
    #[must_use]
    pub fn reply(&self) -> Reply {
        Reply { status: self.role.status(), field: self.stale.to_field(self.role) }
    }

    /// The reason in full, for the log.
    #[must_use]
    pub const fn fault(&self) -> &Fault {
        &self.fault
    }
}
