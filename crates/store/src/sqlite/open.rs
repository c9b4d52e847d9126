//! Opening: the file, its connections, and whether the keys fit.

use super::fault::Fault;
use super::schema;
use crate::error::StoreError;
use crate::sealing::{Purpose, SealingKeys};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params};
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long a change waits for another process.
const BUSY: Duration = Duration::from_secs(5);
/// Prepared statements that a connection keeps: more than this module has.
const STATEMENTS: usize = 128;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Each change is on the disk when it returns.
    Durable,
    /// Each change outlasts the process, and the latest may be lost with the system's power.
    Quick,
    /// No change at all.
    Read,
}

/// Makes the file, for its owner alone, if there is none. The files that SQLite puts beside it get the same mode.
pub(super) fn make_file(path: &Path, fault: &Fault) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if path.is_dir() {
                Err(fault.because("this is a folder; give the path of a file in it"))
            } else {
                Ok(())
            }
        }
        Err(error) => Err(fault.file(&error)),
    }
}

pub(super) fn connect(path: &Path, fault: &Fault, purpose: Use) -> Result<Connection, StoreError> {
    let failed = |error| fault.of(&error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    {
        // All at one point in time: another process may be making the tables.
        let look = connection.unchecked_transaction().map_err(failed)?;
        schema::inspect(&look, fault)?;
    }
    if connection.is_readonly("main").map_err(failed)? {
        return Err(fault.read_only());
    }
    let mode = write_ahead(&connection).map_err(failed)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(fault.because(
            "its file system has no shared memory, which several connections need; put it on a local disk",
        ));
    }
    let set = |name, value: &str| connection.pragma_update(None, name, value).map_err(failed);
    set("foreign_keys", "ON")?;
    set("trusted_schema", "OFF")?;
    match purpose {
        Use::Durable => {
            set("synchronous", "FULL")?;
            // What was sealed under an old key does not stay behind in free pages.
            set("secure_delete", "ON")?;
        }
        Use::Quick => set("synchronous", "NORMAL")?,
        Use::Read => set("query_only", "ON")?,
    }
    Ok(connection)
}

/// Turns the write-ahead log on, which stays on. SQLite does not wait for others here, as it does everywhere else:
/// several processes may be making the database at once.
fn write_ahead(connection: &Connection) -> rusqlite::Result<String> {
    const STEP: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && waited < BUSY => {
                #[allow(clippy::disallowed_methods)] // Nothing says when the others are done.
                std::thread::sleep(STEP);
                waited = waited.saturating_add(STEP);
            }
            mode => return mode,
        }
    }
}

/// Makes the keys known to the database, or finds that one is not what it was, or that one is missing.
pub(super) fn fit(connection: &mut Connection, fault: &Fault, keys: &SealingKeys) -> Result<(), StoreError> {
    let failed = |error| fault.of(&error);
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    {
        let mut known = step.prepare("SELECT sealed FROM keys WHERE id = ?1").map_err(failed)?;
        for id in keys.ids() {
            let mut rows = known.query([id]).map_err(failed)?;
            match rows.next().map_err(failed)? {
                Some(row) => {
                    let sealed: Vec<u8> = row.get(0).map_err(failed)?;
                    keys.open(id, Purpose::Check, &[], &sealed).map_err(|_| {
                        fault.because(format!(
                            "the sealing key \"{id}\" is not the one of this name that the database was sealed with; use the \
                             key file that belongs to this database"
                        ))
                    })?;
                }
                None => {
                    let sealed = keys.seal_under(id, Purpose::Check, &[]);
                    let sealed = sealed.map_err(|error| fault.because(error.to_string()))?;
                    step.execute("INSERT INTO keys (id, sealed) VALUES (?1, ?2)", params![id, sealed])
                        .map_err(failed)?;
                }
            }
        }
        let mut used = step
            .prepare("SELECT id FROM keys WHERE EXISTS (SELECT 1 FROM users WHERE key_id = keys.id)")
            .map_err(failed)?;
        let mut rows = used.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let id: String = row.get(0).map_err(failed)?;
            if !keys.ids().any(|known| known == id) {
                return Err(fault.because(format!(
                    "it holds users that are sealed under the key \"{id}\", which is not among the sealing keys; put the line \
                     of this key back into the key file"
                )));
            }
        }
    }
    step.commit().map_err(failed)
}
