//! Users and sessions in memory: they are gone when the process ends.

mod chains;
mod sessions;
mod table;
mod users;

pub use sessions::MemorySessions;
pub use users::MemoryUsers;
