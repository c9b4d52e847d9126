//! One database: who writes, who reads, and on which threads.

use super::fault::Fault;
use super::open::{Use, connect, fit, make_file};
use super::schema;
use crate::error::StoreError;
use crate::sealing::{SealError, SealingKeys};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::fmt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// Connections that read at the same time.
const READERS: usize = 4;
/// Threads that work on the database, or wait for each other at it.
const THREADS: usize = 32;

/// A database and its keys.
pub(super) struct Database {
    pub(super) keys: SealingKeys,
    pub(super) fault: Fault,
    path: PathBuf,
    /// One change at a time; SQLite has no more either, and would let the others sleep.
    writers: Mutex<Writers>,
    readers: Mutex<Readers>,
    returned: Condvar,
    /// Who may be on a thread, or wait for one that works. Whoever has no permit waits as a future, which goes away with its request:
    /// so what strangers can pile up is bounded by the requests that they have open.
    gate: Arc<Semaphore>,
}

struct Writers {
    durable: Connection,
    quick: Option<Connection>,
}

struct Readers {
    idle: Vec<Connection>,
    /// How many there are, idle or not.
    open: usize,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("path", &self.path).field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// A transaction that panics is rolled back while its lock is held still, so a poisoned lock is as good as another.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Database {
    pub(super) fn open(path: &Path, keys: SealingKeys) -> Result<Self, StoreError> {
        let path = std::path::absolute(path).map_err(|error| Fault::new(path).file(&error))?;
        let fault = Fault::new(&path);
        make_file(&path, &fault)?;
        let mut durable = connect(&path, &fault, Use::Durable)?;
        schema::migrate(&mut durable, &fault)?;
        fit(&mut durable, &fault, &keys)?;
        Ok(Self {
            keys,
            fault,
            path,
            writers: Mutex::new(Writers { durable, quick: None }),
            readers: Mutex::new(Readers { idle: Vec::new(), open: 0 }),
            returned: Condvar::new(),
            gate: Arc::new(Semaphore::new(THREADS)),
        })
    }

    /// Runs what blocks on a thread for it. Once it has begun, it runs to its end even if nobody waits for it any more.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let handle = Handle::try_current()
            .map_err(|_| StoreError::Unavailable("the SQLite store is used outside of a tokio runtime".into()))?;
        let ending = || StoreError::Unavailable("the program is ending".into());
        let permit = Arc::clone(&self.gate).acquire_owned().await.map_err(|_| ending())?;
        let work = move || {
            let result = work();
            drop(permit);
            result
        };
        match handle.spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Err(ending()),
            },
        }
    }

    /// Opens the connection that [`Database::change_quickly`] uses; `durable` if that has to be on the disk each
    /// time.
    pub(super) fn open_quick(&self, durable: bool) -> Result<(), StoreError> {
        let mut writers = lock(&self.writers);
        if writers.quick.is_none() {
            let purpose = if durable { Use::Durable } else { Use::Quick };
            writers.quick = Some(connect(&self.path, &self.fault, purpose)?);
        }
        Ok(())
    }

    /// One change that is on the disk when it returns. It is undone if `change` fails.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>, &Fault) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.transact(&mut lock(&self.writers).durable, change)
    }

    /// One change that outlasts the process.
    pub(super) fn change_quickly<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>, &Fault) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut writers = lock(&self.writers);
        let Writers { durable, quick } = &mut *writers;
        self.transact(quick.as_mut().unwrap_or(durable), change)
    }

    fn transact<T>(
        &self,
        connection: &mut Connection,
        change: impl FnOnce(&Transaction<'_>, &Fault) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let failed = |error| self.fault.of(&error);
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let value = change(&step, &self.fault)?;
        step.commit().map_err(failed)?;
        Ok(value)
    }

    /// Moves the write-ahead log into the file and empties it, as far as nobody reads it.
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        let writers = lock(&self.writers);
        let done = writers.durable.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        done.map_err(|error| self.fault.of(&error))
    }

    /// Reads.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection, &Fault) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let reader = self.reader()?;
        read(reader.connection.as_ref().ok_or_else(|| self.fault.because("a connection is missing"))?, &self.fault)
    }

    /// Reads several times, all at one point in time.
    pub(super) fn snapshot<T>(
        &self,
        read: impl FnOnce(&Connection, &Fault) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.read(|connection, fault| {
            let step = connection.unchecked_transaction().map_err(|error| fault.of(&error))?;
            read(&step, fault)
        })
    }

    fn reader(&self) -> Result<Reader<'_>, StoreError> {
        let mut readers = lock(&self.readers);
        loop {
            if let Some(connection) = readers.idle.pop() {
                return Ok(Reader { database: self, connection: Some(connection) });
            }
            if readers.open < READERS {
                readers.open += 1;
                drop(readers);
                // Counted before it is there, so that what is returned on failure is counted down again.
                let mut reader = Reader { database: self, connection: None };
                reader.connection = Some(connect(&self.path, &self.fault, Use::Read)?);
                return Ok(reader);
            }
            readers = self.returned.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Says that something did not open.
    pub(super) fn sealed(&self, what: &str, error: &SealError) -> StoreError {
        self.fault.because(format!("{what}: {error}"))
    }
}

/// A connection on loan.
struct Reader<'a> {
    database: &'a Database,
    connection: Option<Connection>,
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut readers = lock(&self.database.readers);
        match self.connection.take() {
            Some(connection) => readers.idle.push(connection),
            None => readers.open = readers.open.saturating_sub(1),
        }
        drop(readers);
        self.database.returned.notify_one();
    }
}
