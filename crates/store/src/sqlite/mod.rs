//! Users, invitations, sessions and principals in one SQLite database, for one host: several processes may use the file at once.
//!
//! An acknowledged change of a user outlasts a crash of the process, of the system, and of its power. Verifiers and
//! sessions are sealed; names, dates and counters are in clear. Whoever can write the file, but has no key, can
//! remove users or put back an older verifier of a user, and cannot make one up or give it to another user.
//!
//! Sessions are changed by one transaction each, so two processes never both accept one nonce number. They are not
//! synced to the disk each time: they survive a crash of the process, and all of them are dropped once the system was
//! started anew, because the last of their nonce numbers may be lost then.

mod database;
mod fault;
mod invitations;
mod limits;
mod open;
mod principals;
mod reseal;
mod revocations;
mod schema;
mod sessions;
mod users;

pub use reseal::Resealed;
pub use revocations::Revocations;
pub use sessions::SqliteSessions;

use crate::error::StoreError;
use crate::sealing::SealingKeys;
use crate::session::SessionLimits;
use database::Database;
use std::path::Path;
use std::sync::{Arc, Mutex};
use users::Decoys;

/// Users in a SQLite database, their verifiers sealed.
///
/// The futures of this store and its sessions run on tokio, and do their work on its threads for blocking calls: a
/// future that is dropped leaves no transaction half done. What operators do ([`crate::UserStore`]) blocks.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    database: Arc<Database>,
    decoys: Arc<Mutex<Decoys>>,
}

impl SqliteStore {
    /// Opens a database, makes it if there is none (for its owner alone, mode 0600), and brings an older one up to
    /// date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: the file cannot be used, belongs to another program or a newer version, or holds
    /// users whose key is not among `keys`.
    pub fn open(path: impl AsRef<Path>, keys: SealingKeys) -> Result<Self, StoreError> {
        let database = Arc::new(Database::open(path.as_ref(), keys)?);
        Ok(Self { database, decoys: Arc::default() })
    }

    /// The sessions in the same database. Once the system was started anew, there are none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn sessions(&self, limits: SessionLimits) -> Result<SqliteSessions, StoreError> {
        SqliteSessions::new(Arc::clone(&self.database), limits)
    }

    /// Looks through the whole database for damage.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says what was found first.
    pub fn check(&self) -> Result<(), StoreError> {
        self.database.read(|connection, fault| {
            let found: String = connection
                .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
                .map_err(|error| fault.of(&error))?;
            if found == "ok" { Ok(()) } else { Err(fault.corrupt(&found)) }
        })
    }

    /// Seals everything anew that is sealed under another key than the first, some hundred rows at a time, while
    /// others work. When it returns, keys other than the first are not needed any more. All processes that use the
    /// database have to know the new key before: one that does not can neither open what was sealed anew, nor add
    /// users.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; what was sealed anew until then stays so, and another call goes on.
    pub fn reseal(&self) -> Result<Resealed, StoreError> {
        reseal::reseal(&self.database)
    }
}

#[cfg(test)]
mod tests;
