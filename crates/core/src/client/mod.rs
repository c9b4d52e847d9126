//! The client: the decision procedure of RFC 8120 §10, without I/O.
//!
//! One request of the user is one *sequence* of HTTP requests. [`Client::begin`] starts it, and the caller sends what
//! each [`Sequence`] asks for until there is an [`Outcome`]:
//!
//! ```text
//! begin ──► Next::Send ─► Sequence ── receive(response) ──► Step::Continue ──► Next ...
//!      └──► Next::Compute ─ run ─┘                     └──► Step::Done ──► Outcome
//! ```
//!
//! The rest of a response, its body and its other fields, goes into [`Response`] and comes out of an [`Outcome`] or not at
//! all: after a [`Fatal`] error there is no way to it. Arithmetic is done in [`Work`], which needs nothing of the client and
//! may run on another thread.

mod account;
mod cache;
mod fatal;
mod outcome;
mod response;
mod sequence;
mod states;
mod stored;
mod work;

pub use cache::{Client, Login};
pub use fatal::Fatal;
pub use outcome::{AuthRequired, LogoutAction, Outcome, Presentation, Proven, Step};
pub use response::Response;
pub use sequence::{Next, Sends, Sequence, Target};
pub use stored::StoredSession;
pub use work::{Credential, Work};
