//! The server: the decision procedure of RFC 8120 §11, without I/O.
//!
//! [`Server::receive`] looks at the credentials of a request and says what it needs: nothing, the verifier of a user, or a
//! session. The caller fetches it and hands it to the request it was asked for:
//!
//! ```text
//! receive ─┬─ Invite          answer with it: 401-INIT, or the resource with an optional challenge
//!          ├─ Refuse          answer with it
//!          ├─ NeedCredential  fetch J of .user()      → .answer(J or None)  → a new Session to store, 401-KEX-S1
//!          └─ NeedSession     fetch session of .sid() → session.verify(..)  → the Session to store back, a Verdict
//! ```
//!
//! The session has to be taken from the store and put back as one atomic step: two requests must never both see it as it
//! was before either.

mod config;
mod nc_window;
mod receive;
mod reply;
mod session;
mod stored;

pub use config::{ConfigError, ServerConfig};
pub use nc_window::{NcState, NcWindow};
pub use receive::{KexRequest, Server, Step, VfyRequest};
pub use reply::{Fault, Invitation, Refusal, Reply, StaleReply};
pub use session::{Accepted, AuthenticatedUser, Session, SessionState, Verdict};
