//! Sessions where the configuration wants them.

use tagai_core::credential::Username;
use tagai_core::message::Sid;
use tagai_core::realm::AuthRealm;
use tagai_core::server::{Server, Session};
use tagai_core::time::Time;
use tagai_store::memory::MemorySessions;
use tagai_store::sqlite::SqliteSessions;
use tagai_store::{Counts, Owner, SessionStore, StoreError};

/// Sessions in memory or in the database.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one in a process")]
pub enum Sessions {
    /// A restart ends them.
    Memory(MemorySessions),
    /// They outlive a restart.
    Sqlite(SqliteSessions),
}

impl SessionStore for Sessions {
    async fn insert(&self, server: &Server, session: Session, owner: Owner, now: Time) -> Result<(), StoreError> {
        match self {
            Self::Memory(sessions) => sessions.insert(server, session, owner, now).await,
            Self::Sqlite(sessions) => sessions.insert(server, session, owner, now).await,
        }
    }

    async fn update<R: Send + 'static>(
        &self,
        server: &Server,
        sid: &Sid,
        now: Time,
        change: impl FnOnce(Option<Session>) -> (Option<Session>, R) + Send + 'static,
    ) -> Result<R, StoreError> {
        match self {
            Self::Memory(sessions) => sessions.update(server, sid, now, change).await,
            Self::Sqlite(sessions) => sessions.update(server, sid, now, change).await,
        }
    }

    async fn end_user(&self, realm: &AuthRealm, user: &Username) -> Result<usize, StoreError> {
        match self {
            Self::Memory(sessions) => sessions.end_user(realm, user).await,
            Self::Sqlite(sessions) => sessions.end_user(realm, user).await,
        }
    }

    async fn purge(&self, now: Time) -> Result<usize, StoreError> {
        match self {
            Self::Memory(sessions) => sessions.purge(now).await,
            Self::Sqlite(sessions) => sessions.purge(now).await,
        }
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        match self {
            Self::Memory(sessions) => sessions.counts().await,
            Self::Sqlite(sessions) => sessions.counts().await,
        }
    }
}
