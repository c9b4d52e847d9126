//! What happens to logins, for logs, audits and counters.

use crate::account::AccountFault;
use crate::password_tls::PasswordFault;
use std::net::IpAddr;
use std::time::Duration;
use tagai_core::credential::Username;
use tagai_core::message::{Reason, Sid};
use tagai_core::server::{Fault, ServerConfig};
use tagai_store::StoreError;

/// Something worth knowing, with the full reason. Names are what the client said, unless the event says that they are proven.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A key exchange was answered: somebody wants to log in.
    KeyExchanged {
        /// The name that was given, if it can be one.
        user: Option<&'a Username>,
        /// The new session.
        sid: &'a Sid,
    },
    /// A session was proven for the first time: the user is logged in.
    LoggedIn {
        /// The proven user.
        user: &'a Username,
        /// The session.
        sid: &'a Sid,
    },
    /// The user asked for the session's end.
    LoggedOut {
        /// The proven user.
        user: &'a Username,
        /// The session.
        sid: &'a Sid,
    },
    /// Credentials were refused.
    Refused {
        /// The name that was given, if any.
        user: Option<&'a Username>,
        /// The session, if any.
        sid: Option<&'a Sid>,
        /// What the client was told.
        reason: &'a Reason,
        /// The whole truth.
        fault: &'a Fault,
    },
    /// A session could not be used; the client was sent to make another.
    Stale {
        /// The session that was named.
        sid: &'a Sid,
        /// Why.
        fault: &'a Fault,
    },
    /// A password that was shown over TLS is right ([`crate::PasswordTls`]). It is told when a password is checked: of requests within the
    /// minute that follows nothing is told.
    PasswordAccepted {
        /// The proven user.
        user: &'a Username,
        /// Whether the user came from this address a short while ago already: a program that goes on, rather than a login.
        again: bool,
    },
    /// A password that was shown was refused, or what should have been one.
    PasswordRefused {
        /// The name that was given, if it can be one.
        user: Option<&'a Username>,
        /// The whole truth.
        fault: &'a PasswordFault,
    },
    /// There were too many guesses: the key exchange or the password waits, or is refused for now.
    Slowed {
        /// The name that was given, if it can be one.
        user: Option<&'a Username>,
        /// How long the exchange is held back; `None` if it was refused.
        delay: Option<Duration>,
    },
    /// Somebody with an invitation has chosen a password.
    Registered {
        /// The user.
        user: &'a Username,
        /// Whether the user was there before, and has another password now.
        reset: bool,
    },
    /// A user has chosen another password.
    PasswordChanged {
        /// The proven user.
        user: &'a Username,
    },
    /// A registration or a change of password was refused.
    AccountRefused {
        /// The name that was given; in a change of password it is proven.
        user: &'a Username,
        /// The whole truth.
        fault: AccountFault,
    },
    /// There were too many registrations from one address, or in all.
    RegistrationSlowed {
        /// The name that was given.
        user: &'a Username,
    },
    /// The store failed. The client was told that the server has a problem.
    StoreFailed {
        /// Why.
        error: &'a StoreError,
    },
    /// The program that embeds the layer gave no connection, or one that does not fit the origin.
    Misconfigured {
        /// What is wrong.
        problem: &'a str,
    },
}

/// Is told what happens. It is called on the way of a request, so it must be quick and must not block.
pub trait Observer: Send + Sync + 'static {
    /// Something happened in a realm on a server (`config`), caused by a client at `address`.
    fn observe(&self, config: &ServerConfig, address: IpAddr, event: &Event<'_>);
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&self, _: &ServerConfig, _: IpAddr, _: &Event<'_>) {}
}
