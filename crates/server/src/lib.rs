//! HTTP Mutual authentication (RFC 8120) in front of any tower service, and Basic over TLS (RFC 7617) for clients that know nothing better.
//!
//! [`Mutual`] is one realm on one server: it looks at a request's fields and says whose request it is, or what to answer.
//! [`MutualLayer`] puts it in front of a service, whose handlers then find an [`AuthenticatedUser`] in the request:
//!
//! ```text
//! request ─► MutualLayer ─┬─ proven ──────► service, with AuthenticatedUser ─► response + Authentication-Info
//!                         ├─ not asked ───► 401, or the service as for a guest (RFC 8053)
//!                         └─ refused ─────► 401 with the reason that a stranger may know
//! ```
//!
//! [`PasswordTls`] takes a password over TLS and holds it against the same users: the weaker proof, for where a route asks for it.
//!
//! [`Mutual::register`] and [`Mutual::change_password`] let users choose their passwords themselves: the server gets verifiers alone.
//!
//! Whoever accepts connections puts a [`Connection`] into the extensions of each request: the proofs of both ends are bound to
//! it. `examples/axum.rs` is a whole server.

mod account;
mod clock;
mod connection;
mod decision;
mod event;
mod guard;
mod layer;
mod mutual;
mod password_tls;
mod user;

pub use account::{AccountFault, PasswordChange, Registered, Registration, change_of_password};
pub use clock::Clock;
pub use connection::Connection;
pub use decision::{Answer, Decision, Proof};
pub use event::{Event, Observer, Silent};
pub use guard::{Guard, GuardConfig};
pub use layer::{MutualLayer, MutualService};
pub use mutual::{Mutual, MutualBuilder};
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use password_tls::read_basic;
pub use password_tls::{
    BasicDecision, MalformedBasic, PasswordFault, PasswordLimits, PasswordTls, PasswordTlsError, PasswordUser,
    Passwords,
};
pub use tagai_core as core;
pub use tagai_store as store;
pub use user::{AuthenticatedUser, NotAuthenticated};
