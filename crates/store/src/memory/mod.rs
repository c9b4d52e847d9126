//! Users, invitations, sessions and principals in memory: they are gone when the process ends.

mod chains;
mod invitations;
mod principals;
mod sessions;
mod table;
mod users;

pub use principals::MemoryPrincipals;
pub use sessions::MemorySessions;
pub use users::MemoryUsers;
