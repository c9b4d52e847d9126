//! Where tagai keeps users and sessions.
//!
//! [`CredentialStore`] gives a login the verifier of its user; [`UserStore`] is what an operator does with users;
//! [`SessionStore`] keeps sessions, and changes each by one atomic step. [`PrincipalStore`] keeps whom their credentials
//! belong to, and who is denied; the gateway asks a [`Directory`] of them. [`InvitationStore`] keeps who may choose a password, and
//! [`AccountStore`] is what users do with their own: use an invitation, change the password.
//!
//! | module | keeps | until |
//! |---|---|---|
//! | [`memory`] | users, invitations, sessions and principals | the process ends |
//! | `sqlite` | users, invitations, sessions and principals, everything secret sealed under [`sealing::SealingKeys`] | they are removed or over |

mod credential;
mod error;
pub mod invitation;
pub mod memory;
pub mod principal;
pub mod sealing;
mod session;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use credential::{CredentialStore, NewUser, User, UserStore};
pub use error::StoreError;
pub use invitation::{AccountStore, InvitationStore};
pub use principal::{Directory, PrincipalStore};
pub use session::{Counts, Owner, SessionLimits, SessionStore};

/// The clock on the wall, for the dates at which users were added and changed. Nothing is decided by it.
#[allow(clippy::disallowed_methods)] // The one place of this crate that reads it.
fn wall_clock() -> std::time::SystemTime {
    std::time::SystemTime::now()
}
