//! A database in a folder.

use crate::support::*;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tagai_store::principal::{Credential, NewPrincipal, PrincipalKind, PrincipalName};
use tagai_store::sealing::SealingKeys;
use tagai_store::sqlite::{SqliteSessions, SqliteStore};
use tagai_store::{PrincipalStore as _, SessionLimits, StoreError};
use tempfile::TempDir;

/// A folder with a key file and the path of a database.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

/// One database as a back end, opened from outside.
pub(crate) struct Opened(pub(crate) SqliteStore, pub(crate) SqliteSessions);

impl Backend for Opened {
    type Users = SqliteStore;
    type Sessions = SqliteSessions;
    type Principals = SqliteStore;

    fn with(_: SessionLimits) -> Self {
        unreachable!("these are opened by path")
    }

    fn users(&self) -> &SqliteStore {
        &self.0
    }

    fn sessions(&self) -> &SqliteSessions {
        &self.1
    }

    fn principals(&self) -> &SqliteStore {
        &self.0
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        SealingKeys::generate_file(place.keys()).unwrap();
        place
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("tagai.db")
    }

    pub(crate) fn open(&self) -> SqliteStore {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(self.database(), SealingKeys::load(self.keys()).unwrap())
    }

    pub(crate) fn site(&self) -> Site<Opened> {
        let users = self.open();
        let sessions = users.sessions(SessionLimits::default()).unwrap();
        Site { server: server("http://example.com", 600), store: Arc::new(Opened(users, sessions)) }
    }

    /// Why it does not open; it names the file, and says what to do.
    pub(crate) fn refused(&self, says: &str) {
        let error = self.try_open().unwrap_err().to_string();
        assert!(error.contains(says) && error.contains(self.database().to_str().unwrap()), "{error}");
    }

    pub(crate) fn raw(&self) -> Connection {
        Connection::open(self.database()).unwrap()
    }

    /// Whether the octets are in any file of the folder.
    pub(crate) fn holds(&self, octets: &[u8]) -> bool {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap().path());
        files.into_iter().any(|path| contains(&path, octets))
    }
}

pub(crate) fn contains(path: &Path, octets: &[u8]) -> bool {
    std::fs::read(path).unwrap().windows(octets.len()).any(|window| window == octets)
}

/// Alice, with her credential in a realm.
pub(crate) fn alice_with_a_credential(store: &SqliteStore) -> (PrincipalName, Credential) {
    let (alice, credential) = ("alice".parse().unwrap(), "user:staff/john".parse().unwrap());
    store.add_principal(&NewPrincipal { name: PrincipalName::clone(&alice), kind: PrincipalKind::Person }).unwrap();
    store.bind(&alice, &credential).unwrap();
    (alice, credential)
}
