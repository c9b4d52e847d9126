//! Sessions between processes: a private file that programs which run once for each request share.

use crate::clock::system_time;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tagai_core::client::StoredSession;
use tagai_core::realm::AuthRealm;
use tagai_core::time::Time;
use zeroize::Zeroizing;

/// How the file begins.
const MAGIC: &[u8] = b"tagai sessions 1\n";
/// The most sessions in one file. Of more, those that end first are left out.
pub const MAX_SESSIONS: usize = 256;
/// The most octets in one file: a session takes a few hundred.
const MAX_FILE: u64 = 4 << 20;

/// A private file of sessions, shared by the processes of one user.
///
/// Neither a password nor `pi` is in it, but sessions are secrets too: the file has mode 0600, and one that others can read is
/// refused. Every change is made under a lock and becomes visible as a whole. Processes that run at the same time lease nonce
/// numbers, and no two get the same.
///
/// Its methods read and write files, and wait for other processes: in an asynchronous program, call them by
/// `tokio::task::spawn_blocking`.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use tagai_client::{Client, SessionFile};
/// let file = SessionFile::new("/home/alice/.local/state/tagai/sessions");
/// let client = Client::builder().native_roots()?.build()?;
/// for session in file.lease(16)? {
///     client.restore(session)?;
/// }
/// let reply = client.get("https://app.example/").await?;
/// file.keep(client.sessions())?; // and make no more requests with this client
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct SessionFile {
    path: PathBuf,
}

/// Why sessions cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionFileError {
    /// The system refused.
    #[error("cannot {what} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read or change it.
    #[error(
        "{} is open to other users (mode {mode:04o}); whoever has read it can act in your name. Delete it, or close it with: chmod {wanted} '{}'",
        .path.display(),
        .path.display()
    )]
    Open {
        /// The file or directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that would do, as `chmod` takes it.
        wanted: &'static str,
    },
    /// It is no file of sessions, or one that was cut off or changed.
    #[error(
        "{} is damaged, or no file of sessions. It may be deleted: you will have to log in again, and nothing else is lost",
        .0.display()
    )]
    Damaged(PathBuf),
}

impl SessionFile {
    /// A file at `path`, which need not exist: it is made when there is something to keep, with its directory (mode 0700). A
    /// second file with `.lock` behind its name stays beside it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes `count` nonce numbers out of each session that is still usable, for the requests of this process.
    ///
    /// # Errors
    /// As [`SessionFile::lease_where`].
    pub fn lease(&self, count: u32) -> Result<Vec<StoredSession>, SessionFileError> {
        self.lease_where(count, |_| true)
    }

    /// Takes `count` nonce numbers out of each session that `which` says yes to: of one user, say, or one server. No other process
    /// gets the same ones; what is not used is lost, so a few are enough.
    ///
    /// Many processes at once should not lease many: a server takes numbers out of order within a window, which is 128 for
    /// most, and ends a session whose number is behind it.
    ///
    /// # Errors
    /// [`SessionFileError`] says what is wrong with the file. Without a file, there are no sessions.
    pub fn lease_where(
        &self,
        count: u32,
        mut which: impl FnMut(&StoredSession) -> bool,
    ) -> Result<Vec<StoredSession>, SessionFileError> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        let _lock = self.lock()?;
        let mut sessions = self.read()?;
        let wanted = sessions.iter_mut().filter(|session| which(session));
        let leases: Vec<StoredSession> = wanted.filter_map(|session| session.lease(count)).collect();
        // Nobody may use a number before the file says that it is taken.
        self.write(&sessions)?;
        Ok(leases)
    }

    /// Adds the sessions that a client has at the end ([`Client::sessions`](crate::Client::sessions)); the client must not be
    /// used afterwards. One that was leased from here stays as it is in the file; one that is new takes the place of an older one
    /// of its realm and server.
    ///
    /// # Errors
    /// [`SessionFileError`]; the file is then as it was.
    pub fn keep(&self, sessions: Vec<StoredSession>) -> Result<(), SessionFileError> {
        if sessions.is_empty() && !self.exists()? {
            return Ok(());
        }
        let _lock = self.lock()?;
        let mut kept = self.read()?;
        for session in sessions {
            if kept.iter().any(|known| known.is_same_session(&session)) {
                continue;
            }
            let realm = session.realm();
            // One user a realm and server.
            kept.retain(|known| known.server() != session.server() || known.realm() != realm);
            kept.push(session);
        }
        kept.sort_by_key(|session| std::cmp::Reverse(session.expires()));
        kept.truncate(MAX_SESSIONS);
        self.write(&kept)
    }

    /// Removes the sessions that `which` says yes to; says how many there were. Every copy that other processes have leased lives
    /// on until they end.
    ///
    /// # Errors
    /// [`SessionFileError`]; the file is then as it was.
    pub fn remove(&self, mut which: impl FnMut(&StoredSession) -> bool) -> Result<usize, SessionFileError> {
        if !self.exists()? {
            return Ok(0);
        }
        let _lock = self.lock()?;
        let mut sessions = self.read()?;
        let before = sessions.len();
        sessions.retain(|session| !which(session));
        self.write(&sessions)?;
        Ok(before - sessions.len())
    }

    /// Removes all sessions of a realm; says how many there were.
    ///
    /// # Errors
    /// As [`SessionFile::remove`].
    pub fn logout(&self, realm: &AuthRealm) -> Result<usize, SessionFileError> {
        self.remove(|session| session.realm() == *realm)
    }

    /// Deletes the file, whatever is in it. Says whether there was one.
    ///
    /// # Errors
    /// [`SessionFileError::Io`] if the system refuses.
    pub fn delete(&self) -> Result<bool, SessionFileError> {
        if !self.exists()? {
            return Ok(false);
        }
        let _lock = self.lock()?;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            result => result.map(|()| true).map_err(self.failed("delete")),
        }
    }

    fn failed(&self, what: &'static str) -> impl FnOnce(io::Error) -> SessionFileError {
        failed(what, &self.path)
    }

    fn exists(&self) -> Result<bool, SessionFileError> {
        fs::exists(&self.path).map_err(self.failed("look for"))
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(suffix);
        name.into()
    }

    fn directory(&self) -> &Path {
        self.path.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Waits until no other process reads or writes. The file itself is replaced by each change, so another one is locked.
    fn lock(&self) -> Result<File, SessionFileError> {
        let directory = self.directory();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(failed("make the directory", directory))?;
        let found = fs::metadata(directory).map_err(failed("look at", directory))?;
        private(directory, &found, 0o022, "go-w")?;
        let path = self.beside(".lock");
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = opened.map_err(failed("open", &path))?;
        file.lock().map_err(failed("lock", &path))?;
        Ok(file)
    }

    fn read(&self) -> Result<Vec<StoredSession>, SessionFileError> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened.map_err(self.failed("read"))?,
        };
        let found = file.metadata().map_err(self.failed("look at"))?;
        private(&self.path, &found, 0o077, "600")?;
        let length = found.len();
        if length > MAX_FILE || !found.is_file() {
            return Err(SessionFileError::Damaged(self.path.clone()));
        }
        // In one piece, so that no copy of it is left behind by growth.
        let mut octets =
            Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or_default().saturating_add(1)));
        file.take(MAX_FILE).read_to_end(&mut octets).map_err(self.failed("read"))?;
        let sessions = parse(&octets).ok_or_else(|| SessionFileError::Damaged(self.path.clone()))?;
        let now = Time::at(system_time());
        Ok(sessions.into_iter().filter(|session| session.expires() > now).collect())
    }

    /// Writes another file and puts it in the place of the old one: whoever looks sees the one or the other.
    fn write(&self, sessions: &[StoredSession]) -> Result<(), SessionFileError> {
        let path = self.beside(".new");
        // From a process that was killed: the lock is ours now.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("delete", &path)(error)),
            _ => {}
        }
        let octets = serialise(sessions);
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(&octets)?;
            file.sync_all()
        })();
        if let Err(error) = written {
            // What there is of it holds secrets.
            drop(fs::remove_file(&path));
            return Err(failed("write", &path)(error));
        }
        fs::rename(&path, &self.path).map_err(self.failed("replace"))?;
        let directory = self.directory();
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed("write", directory))
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SessionFileError {
    let path = path.to_owned();
    move |source| SessionFileError::Io { what, path, source }
}

/// Refuses what is open to others by one of the bits in `mask`.
fn private(path: &Path, found: &Metadata, mask: u32, wanted: &'static str) -> Result<(), SessionFileError> {
    let mode = found.permissions().mode() & 0o7777;
    // In a directory with the sticky bit, nobody can take another's file away.
    let sticky = found.is_dir() && mode & 0o1000 != 0;
    if mode & mask == 0 || sticky { Ok(()) } else { Err(SessionFileError::Open { path: path.into(), mode, wanted }) }
}

fn serialise(sessions: &[StoredSession]) -> Zeroizing<Vec<u8>> {
    let records: Vec<Zeroizing<Vec<u8>>> = sessions.iter().map(StoredSession::expose_octets).collect();
    let length: usize = records.iter().map(|record| record.len() + 4).sum();
    let mut octets = Zeroizing::new(Vec::with_capacity(MAGIC.len() + length + 8));
    octets.extend_from_slice(MAGIC);
    for record in &records {
        octets.extend_from_slice(&u32::try_from(record.len()).unwrap_or(u32::MAX).to_be_bytes());
        octets.extend_from_slice(record);
    }
    let sum = checksum(&octets);
    octets.extend_from_slice(&sum.to_be_bytes());
    octets
}

fn parse(octets: &[u8]) -> Option<Vec<StoredSession>> {
    let (content, sum) = octets.split_last_chunk::<8>()?;
    if checksum(content) != u64::from_be_bytes(*sum) {
        return None;
    }
    let mut rest = content.strip_prefix(MAGIC)?;
    let mut sessions = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let (record, next) = behind.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        if sessions.len() >= MAX_SESSIONS {
            return None;
        }
        sessions.push(StoredSession::from_octets(record)?);
        rest = next;
    }
    rest.is_empty().then_some(sessions)
}

/// FNV-1a: finds accidents. Against others there is the file's mode.
fn checksum(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |sum, octet| (sum ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3))
}

/// The door for fuzzing: the octets of a file, without the file.
#[cfg(feature = "fuzzing")]
pub mod door {
    use tagai_core::client::StoredSession;
    use zeroize::Zeroizing;

    /// The sessions in the octets of a file; `None` if it is damaged.
    #[must_use]
    pub fn parse(octets: &[u8]) -> Option<Vec<StoredSession>> {
        super::parse(octets)
    }

    /// The octets of a file with these sessions. Secret.
    #[must_use]
    pub fn serialise(sessions: &[StoredSession]) -> Zeroizing<Vec<u8>> {
        super::serialise(sessions)
    }
}
