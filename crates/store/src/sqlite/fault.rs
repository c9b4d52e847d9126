//! What SQLite says, in words that an operator can act on.

use crate::error::StoreError;
use rusqlite::{Error, ErrorCode};
use std::io;
use std::path::{Path, PathBuf};

/// Makes errors about one database.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    path: PathBuf,
}

impl Fault {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// An error with this text.
    pub(super) fn because(&self, text: impl AsRef<str>) -> StoreError {
        StoreError::Unavailable(format!("the database {}: {}", self.path.display(), text.as_ref()))
    }

    /// What is in the database cannot be right.
    pub(super) fn corrupt(&self, what: &str) -> StoreError {
        self.because(format!(
            "it is damaged ({what}); stop the service, keep a copy of the file, and restore a backup. \
             `PRAGMA integrity_check` shows all damage"
        ))
    }

    pub(super) fn file(&self, error: &io::Error) -> StoreError {
        self.because(format!(
            "it cannot be opened or made: {error}; check the path, that its folder exists, and that this user may write there"
        ))
    }

    pub(super) fn of(&self, error: &Error) -> StoreError {
        let Error::SqliteFailure(failure, _) = error else {
            return match error {
                Error::InvalidColumnType(..)
                | Error::FromSqlConversionFailure(..)
                | Error::IntegralValueOutOfRange(..) => self.corrupt(&error.to_string()),
                other => self.because(other.to_string()),
            };
        };
        match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => self.because(
                "another process has it locked, for longer than this one waits; try again, or stop the other process \
                 (a backup tool or a sqlite3 shell that is open, perhaps)",
            ),
            ErrorCode::DiskFull => self.because("the disk is full; make room on it"),
            ErrorCode::DatabaseCorrupt => self.corrupt(&error.to_string()),
            ErrorCode::NotADatabase => {
                self.because("this is no SQLite database, or a damaged one; check the path, or restore a backup")
            }
            ErrorCode::ReadOnly => self.read_only(),
            ErrorCode::CannotOpen => self.because(
                "it cannot be opened; check the path, that its folder exists, and that this user may read and write the file \
                 and its folder",
            ),
            ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
                self.because("this user may not use it; check the owner and the mode of the file and its folder")
            }
            ErrorCode::SystemIoFailure => {
                self.because(format!("the disk does not read or write ({error}); check the disk and the system's log"))
            }
            ErrorCode::ConstraintViolation => self.because(format!(
                "a row does not fit the others ({error}); if the sealing keys were changed, start this process anew, so that it \
                 reads the present key file"
            )),
            ErrorCode::OutOfMemory => self.because("there is not enough memory"),
            _ => self.because(error.to_string()),
        }
    }

    pub(super) fn read_only(&self) -> StoreError {
        self.because(
            "it can only be read; give this user the right to write the file and its folder, or mount the disk for writing",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn each_fault_says_what_to_do() {
        let fault = Fault::new(Path::new("/var/lib/tagai/users.db"));
        for (code, says) in [
            (ffi::SQLITE_BUSY, "stop the other process"),
            (ffi::SQLITE_LOCKED, "stop the other process"),
            (ffi::SQLITE_FULL, "make room"),
            (ffi::SQLITE_CORRUPT, "restore a backup"),
            (ffi::SQLITE_NOTADB, "restore a backup"),
            (ffi::SQLITE_READONLY, "right to write"),
            (ffi::SQLITE_CANTOPEN, "check the path"),
            (ffi::SQLITE_PERM, "owner and the mode"),
            (ffi::SQLITE_IOERR, "check the disk"),
        ] {
            let text = fault.of(&Error::SqliteFailure(ffi::Error::new(code), None)).to_string();
            assert!(text.contains(says) && text.contains("/var/lib/tagai/users.db"), "{text}");
        }
    }
}
