//! Files: read up to a limit, written whole or not at all.

use super::CaError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The index of a folder.
pub(super) const INDEX: &str = "index.json";
/// The most octets of a PEM file that is read: a key, a certificate with its chain, a request.
pub const MAX_PEM: u64 = 64 << 10;

/// Reads a file of at most `limit` octets.
///
/// # Errors
/// [`CaError::Io`] or [`CaError::TooLong`].
pub fn read(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, CaError> {
    let mut octets = Zeroizing::new(Vec::new());
    let mut file = File::open(path).map_err(|error| CaError::io(path, "read", error))?.take(limit.saturating_add(1));
    file.read_to_end(&mut octets).map_err(|error| CaError::io(path, "read", error))?;
    if octets.len() as u64 > limit {
        return Err(CaError::TooLong { path: path.to_owned(), limit });
    }
    Ok(octets)
}

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everybody (0644).
    Public,
    /// Its owner (0600).
    Private,
}

fn open_new(path: &Path, mode: Mode) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if mode == Mode::Private { 0o600 } else { 0o644 });
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

fn fill(mut file: File, octets: &[u8]) -> io::Result<()> {
    file.write_all(octets)?;
    file.sync_all()
}

/// Writes a file that is not there yet.
///
/// # Errors
/// [`CaError::Exists`] or [`CaError::Io`]; then no part of it is left.
pub fn write_new(path: &Path, octets: &[u8], mode: Mode) -> Result<(), CaError> {
    let file = open_new(path, mode).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => CaError::Exists { path: path.to_owned() },
        _ => CaError::io(path, "written", error),
    })?;
    fill(file, octets).and_then(|()| sync_directory(path)).map_err(|error| {
        let _ = fs::remove_file(path);
        CaError::io(path, "written", error)
    })
}

/// Writes a file in one step: whoever reads it sees the old one or the new one, also after a loss of power.
///
/// # Errors
/// [`CaError::Io`] or [`CaError::Failed`]; then the old one is still there.
pub fn replace(path: &Path, octets: &[u8], mode: Mode) -> Result<(), CaError> {
    let temporary = beside(path)?;
    let written = open_new(&temporary, mode)
        .and_then(|file| fill(file, octets))
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| sync_directory(path));
    written.map_err(|error| {
        let _ = fs::remove_file(&temporary);
        CaError::io(path, "written", error)
    })
}

/// A name beside that of a file which nobody else has.
pub(super) fn beside(path: &Path) -> Result<PathBuf, CaError> {
    let random = getrandom::u64()
        .map_err(|error| CaError::Failed { what: "the system's random generator", reason: error.to_string() })?;
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{random:016x}.tmp"));
    Ok(path.with_file_name(name))
}

/// The entry of a file in its directory is on the disk.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn files_are_whole_and_their_owners() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        write_new(&path, b"one", Mode::Private).unwrap();
        assert_eq!(mode(), 0o600);
        assert!(matches!(write_new(&path, b"two", Mode::Private), Err(CaError::Exists { .. })));
        assert_eq!(**read(&path, 3).unwrap(), *b"one");
        replace(&path, b"three", Mode::Private).unwrap();
        assert_eq!((**read(&path, 9).unwrap()).to_vec(), b"three");
        assert_eq!(mode(), 0o600);
        assert!(matches!(read(&path, 4), Err(CaError::TooLong { limit: 4, .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing temporary is left");
        assert!(matches!(replace(&dir.path().join("no/b"), b"", Mode::Public), Err(CaError::Io { .. })));
    }
}
