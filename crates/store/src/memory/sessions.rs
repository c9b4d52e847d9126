//! Sessions in memory.

use super::table::Table;
use crate::error::StoreError;
use crate::session::{Counts, Owner, SessionLimits, SessionStore};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tagai_core::credential::Username;
use tagai_core::message::Sid;
use tagai_core::realm::AuthRealm;
use tagai_core::server::{Server, Session};
use tagai_core::time::Time;

/// How many sessions are dropped before others get a turn.
const BATCH: usize = 1024;

/// Sessions that are forgotten when the process ends.
///
/// Every step costs the same however many sessions there are, but for the logarithm of how many owners and seconds; a
/// flood makes room for itself in the half-open class, and cannot touch the other.
#[derive(Debug)]
pub struct MemorySessions(Mutex<Table>);

impl MemorySessions {
    /// No sessions, with these limits.
    #[must_use]
    pub fn new(limits: SessionLimits) -> Self {
        Self(Mutex::new(Table::new(limits)))
    }

    /// A caller's code that panics under the lock is caught below, so a poisoned lock is as good as another.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemorySessions {
    fn default() -> Self {
        Self::new(SessionLimits::default())
    }
}

impl SessionStore for MemorySessions {
    async fn insert(&self, server: &Server, session: Session, owner: Owner, now: Time) -> Result<(), StoreError> {
        self.table().insert(server, session, owner, now);
        Ok(())
    }

    async fn update<R: Send + 'static>(
        &self,
        server: &Server,
        sid: &Sid,
        now: Time,
        change: impl FnOnce(Option<Session>) -> (Option<Session>, R) + Send + 'static,
    ) -> Result<R, StoreError> {
        let mut table = self.table();
        let Some((slot, session)) = table.take(server, sid, now) else {
            drop(table);
            return Ok(change(None).1);
        };
        // What `change` was given is gone if it panics, and so is the entry.
        match catch_unwind(AssertUnwindSafe(|| change(Some(session)))) {
            Ok((Some(session), result)) => {
                table.put_back(slot, session, now);
                Ok(result)
            }
            Ok((None, result)) => {
                table.remove(slot);
                Ok(result)
            }
            Err(panic) => {
                table.remove(slot);
                drop(table);
                resume_unwind(panic)
            }
        }
    }

    async fn end_user(&self, realm: &AuthRealm, user: &Username) -> Result<usize, StoreError> {
        Ok(self.table().end_user(realm, user))
    }

    async fn purge(&self, now: Time) -> Result<usize, StoreError> {
        let mut dropped = 0;
        loop {
            let batch = self.table().drop_over(now, BATCH);
            dropped += batch;
            if batch < BATCH {
                return Ok(dropped);
            }
        }
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        Ok(self.table().counts())
    }
}
