//! Where tagai keeps users and sessions.
//!
//! [`CredentialStore`] gives a login the verifier of its user; [`UserStore`] is what an operator does with users;
//! [`SessionStore`] keeps sessions, and changes each by one atomic step.

mod credential;
mod error;
mod session;

pub use credential::{CredentialStore, NewUser, User, UserStore};
pub use error::StoreError;
pub use session::{Counts, Owner, SessionLimits, SessionStore};
