//! Sessions in SQLite.

use super::database::Database;
use super::fault::Fault;
use super::limits::{self, execute};
use crate::error::StoreError;
use crate::sealing::{Purpose, encode};
use crate::session::{Counts, Owner, SessionLimits, SessionStore};
use rusqlite::{OptionalExtension as _, Transaction, params};
use std::net::IpAddr;
use std::sync::Arc;
use tagai_core::credential::Username;
use tagai_core::message::Sid;
use tagai_core::realm::AuthRealm;
use tagai_core::server::{Server, Session, SessionState};
use tagai_core::time::Time;

/// How many sessions that are over one change drops by the way.
const BY_THE_WAY: usize = 4;
/// How many sessions are dropped before others get a turn.
const BATCH: usize = 512;
/// Where the system says which start of it this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Sessions in a SQLite database, sealed. See [`super::SqliteStore::sessions`].
#[derive(Debug, Clone)]
pub struct SqliteSessions {
    database: Arc<Database>,
    limits: SessionLimits,
}

/// Nanoseconds since the epoch; what is later than the year 2262 is for ever.
fn nanos(time: Time) -> i64 {
    i64::try_from(time.since_epoch().as_nanos()).unwrap_or(i64::MAX)
}

fn owner_octets(owner: Owner) -> Vec<u8> {
    match owner.address() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// A user of a realm, or nobody of it.
pub(super) fn holder(realm: &AuthRealm, user: Option<&Username>) -> Vec<u8> {
    let (scope, user) = (realm.auth_scope.to_string(), user.map_or("", Username::as_str));
    encode(&[realm.algorithm.as_str(), &scope, realm.name.as_str(), user].map(str::as_bytes))
}

impl SqliteSessions {
    pub(super) fn new(database: Arc<Database>, limits: SessionLimits) -> Result<Self, StoreError> {
        let boot = std::fs::read_to_string(BOOT_ID).ok().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
        // Without it nobody knows whether the power was lost, so each change has to be on the disk.
        database.open_quick(boot.is_none())?;
        if let Some(boot) = boot {
            database.change(|step, fault| forget_if_started_anew(step, fault, &boot))?;
        }
        Ok(Self { database, limits })
    }

    async fn run<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Self, &Transaction<'_>, &Fault) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let this = self.clone();
        let work = move || this.database.change_quickly(|step, fault| change(&this, step, fault));
        self.database.blocking(work).await
    }

    fn write(&self, step: &Transaction<'_>, row: &Row<'_>) -> Result<(), StoreError> {
        let (keys, fault) = (&self.database.keys, &self.database.fault);
        let sid = row.session.sid().octets();
        let sealed = keys.seal(Purpose::Session, &[sid], &row.session.expose_octets());
        let sealed = sealed.map_err(|error| self.database.sealed("a session", &error))?;
        execute(
            step,
            fault,
            "INSERT INTO sessions (sid, established, owner, holder, used, due, key_id, sealed)
             VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(used), 0) + 1 FROM sessions WHERE established = ?2), ?5, ?6, ?7)",
            params![sid, row.established, row.owner, row.holder, row.due, keys.first_id(), sealed],
        )
        .map(drop)
    }

    /// A session that was used stays where it is; its lists notice.
    fn rewrite(&self, step: &Transaction<'_>, session: &Session, established: bool) -> Result<(), StoreError> {
        let (keys, fault) = (&self.database.keys, &self.database.fault);
        let sid = session.sid().octets();
        let sealed = keys.seal(Purpose::Session, &[sid], &session.expose_octets());
        let sealed = sealed.map_err(|error| self.database.sealed("a session", &error))?;
        let sql = if established {
            "UPDATE sessions SET key_id = ?2, sealed = ?3,
             used = (SELECT coalesce(max(used), 0) + 1 FROM sessions WHERE established = 1) WHERE sid = ?1"
        } else {
            "UPDATE sessions SET key_id = ?2, sealed = ?3 WHERE sid = ?1"
        };
        execute(step, fault, sql, params![sid, keys.first_id(), sealed]).map(drop)
    }

    /// The session, if it is there and not over. What is over, or does not open, is dropped.
    fn find(
        &self,
        step: &Transaction<'_>,
        server: &Server,
        sid: &Sid,
        now: Time,
    ) -> Result<Option<Found>, StoreError> {
        let fault = &self.database.fault;
        let found = step
            .prepare_cached("SELECT established, holder, due, key_id, sealed FROM sessions WHERE sid = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([sid.octets()], |row| {
                        let key_id: String = row.get(3)?;
                        let sealed: Vec<u8> = row.get(4)?;
                        Ok((row.get::<_, bool>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, i64>(2)?, key_id, sealed))
                    })
                    .optional()
            });
        let Some((established, holder, due, key_id, sealed)) = found.map_err(|error| fault.of(&error))? else {
            return Ok(None);
        };
        let octets = self.database.keys.open(&key_id, Purpose::Session, &[sid.octets()], &sealed);
        let Some(octets) = octets.ok().filter(|_| due > nanos(now)) else {
            delete(step, fault, sid)?;
            return Ok(None);
        };
        // None, too, if it is a session of another server: that one may ask for it.
        let session = server.session_from_octets(&octets).filter(|session| session.sid() == sid);
        let session = session.filter(|session| now < session.expires());
        Ok(session.map(|session| Found { session, established, holder }))
    }

    /// Whether there is a session of this name, of whichever server.
    fn knows(&self, sid: &Sid) -> Result<bool, StoreError> {
        self.database.read(|connection, fault| {
            connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM sessions WHERE sid = ?1)")
                .and_then(|mut statement| statement.query_row([sid.octets()], |row| row.get(0)))
                .map_err(|error| fault.of(&error))
        })
    }

    /// Keeps what became of a session.
    fn keep(
        &self,
        step: &Transaction<'_>,
        sid: &Sid,
        session: Option<Session>,
        established: bool,
        holder: &[u8],
        now: Time,
    ) -> Result<(), StoreError> {
        let fault = &self.database.fault;
        let Some(session) = session.filter(|session| session.sid() == sid) else {
            return delete(step, fault, sid);
        };
        match (session.state(), established) {
            (SessionState::Authenticated, true) => self.rewrite(step, &session, true),
            (SessionState::KeyExchanging | SessionState::Rejected, false) => self.rewrite(step, &session, false),
            (SessionState::Authenticated, false) => {
                // It changes its class, and the counters with it.
                delete(step, fault, sid)?;
                let due = nanos(session.expires());
                self.write(step, &Row { session: &session, established: true, owner: b"", holder, due })?;
                limits::drop_over(step, fault, nanos(now), BY_THE_WAY)?;
                limits::established(step, fault, &self.limits, holder)
            }
            _ => delete(step, fault, sid),
        }
    }
}

struct Row<'a> {
    session: &'a Session,
    established: bool,
    owner: &'a [u8],
    holder: &'a [u8],
    due: i64,
}

struct Found {
    session: Session,
    established: bool,
    holder: Vec<u8>,
}

fn delete(step: &Transaction<'_>, fault: &Fault, sid: &Sid) -> Result<(), StoreError> {
    execute(step, fault, "DELETE FROM sessions WHERE sid = ?1", [sid.octets()]).map(drop)
}

/// Sessions are not synced to the disk each time. After a loss of power the last nonce numbers may be forgotten, and
/// their requests could be replayed; so no session outlives the system it was made on.
fn forget_if_started_anew(step: &Transaction<'_>, fault: &Fault, boot: &str) -> Result<(), StoreError> {
    let noted = execute(
        step,
        fault,
        "INSERT INTO notes VALUES ('boot', ?1) ON CONFLICT DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
        [boot],
    )?;
    if noted > 0 {
        execute(step, fault, "DELETE FROM sessions", [])?;
    }
    Ok(())
}

impl SessionStore for SqliteSessions {
    async fn insert(&self, server: &Server, session: Session, owner: Owner, now: Time) -> Result<(), StoreError> {
        let holder = holder(&server.config().realm, session.claimed_user());
        self.run(move |this, step, fault| {
            let owner = owner_octets(owner);
            let wait = Time::at(now.since_epoch().saturating_add(this.limits.half_open_time));
            let due = nanos(wait.min(session.expires()));
            delete(step, fault, session.sid())?;
            limits::drop_over(step, fault, nanos(now), BY_THE_WAY)?;
            this.write(step, &Row { session: &session, established: false, owner: &owner, holder: &holder, due })?;
            limits::half_open(step, fault, &this.limits, &owner)
        })
        .await
    }

    async fn update<R: Send + 'static>(
        &self,
        server: &Server,
        sid: &Sid,
        now: Time,
        change: impl FnOnce(Option<Session>) -> (Option<Session>, R) + Send + 'static,
    ) -> Result<R, StoreError> {
        let (this, server, sid) = (self.clone(), server.clone(), sid.clone());
        let work = move || {
            // A sid that somebody made up is told by a look, and does not hold up those who write.
            if !this.knows(&sid)? {
                return Ok(change(None).1);
            }
            this.database.change_quickly(|step, _| match this.find(step, &server, &sid, now)? {
                None => Ok(change(None).1),
                Some(Found { session, established, holder }) => {
                    let (session, result) = change(Some(session));
                    this.keep(step, &sid, session, established, &holder, now)?;
                    Ok(result)
                }
            })
        };
        self.database.blocking(work).await
    }

    async fn end_user(&self, realm: &AuthRealm, user: &Username) -> Result<usize, StoreError> {
        let holder = holder(realm, Some(user));
        self.run(move |_, step, fault| execute(step, fault, "DELETE FROM sessions WHERE holder = ?1", [holder])).await
    }

    async fn purge(&self, now: Time) -> Result<usize, StoreError> {
        let mut dropped = 0;
        loop {
            let batch = self.run(move |_, step, fault| limits::drop_over(step, fault, nanos(now), BATCH)).await?;
            dropped += batch;
            if batch < BATCH {
                return Ok(dropped);
            }
        }
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let database = Arc::clone(&self.database);
        let work = move || {
            database.read(|connection, fault| {
                let count = |kind: limits::Kind| {
                    connection
                        .prepare_cached("SELECT coalesce(sum(n), 0) FROM counts WHERE kind = ?1 AND subject = x''")
                        .and_then(|mut statement| statement.query_row([kind as i64], |row| row.get::<_, i64>(0)))
                        .map(|count| usize::try_from(count).unwrap_or(0))
                        .map_err(|error| fault.of(&error))
                };
                Ok(Counts {
                    half_open: count(limits::Kind::HalfOpen)?,
                    established: count(limits::Kind::Established)?,
                })
            })
        };
        self.database.blocking(work).await
    }
}
