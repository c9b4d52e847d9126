//! Users whose sessions have to end, because they were disabled, removed, or got another password.
//!
//! Sessions in the database end with the change itself. Servers that keep theirs in memory read here whom they concern.

use super::SqliteStore;
use super::fault::Fault;
use super::sessions::holder;
use super::users::realm_of;
use crate::error::StoreError;
use rusqlite::Transaction;
use tagai_core::credential::Username;
use tagai_core::realm::AuthRealm;

/// Users who were changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revocations {
    /// The users; one may be there more than once.
    pub users: Vec<(AuthRealm, Username)>,
    /// What to ask with next time.
    pub last: i64,
}

/// The most that one call gives.
const MAX: i64 = 10_000;

impl SqliteStore {
    /// The users who were changed after the call that gave [`Revocations::last`] as `after`; for `None` there are none, and only
    /// the number to begin with. At most ten thousand come at once, the oldest first; the last hundred thousand are kept.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn revocations(&self, after: Option<i64>) -> Result<Revocations, StoreError> {
        self.database.read(|connection, fault| {
            let failed = |error| fault.of(&error);
            let Some(after) = after else {
                let sql = "SELECT coalesce(max(number), 0) FROM revocations";
                let last = connection.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
                return Ok(Revocations { users: Vec::new(), last });
            };
            let sql = "SELECT number, algorithm, auth_scope, realm, name FROM revocations WHERE number > ?1
                       ORDER BY number LIMIT ?2";
            let mut statement = connection.prepare_cached(sql).map_err(failed)?;
            let mut rows = statement.query([after, MAX]).map_err(failed)?;
            let mut found = Revocations { users: Vec::new(), last: after };
            while let Some(row) = rows.next().map_err(failed)? {
                let text = |column| row.get::<_, String>(column).map_err(failed);
                found.last = row.get(0).map_err(failed)?;
                let realm = realm_of(&text(1)?, &text(2)?, text(3)?, fault)?;
                let name = Username::prepared(text(4)?).map_err(|_| fault.corrupt("a user's name cannot be one"))?;
                found.users.push((realm, name));
            }
            Ok(found)
        })
    }
}

/// Ends the sessions in the database, in the same transaction as the change of their user.
pub(super) fn end_sessions(
    step: &Transaction<'_>,
    fault: &Fault,
    realm: &AuthRealm,
    user: &Username,
) -> Result<(), StoreError> {
    let ended = step.execute("DELETE FROM sessions WHERE holder = ?1", [holder(realm, Some(user))]);
    ended.map(drop).map_err(|error| fault.of(&error))
}
