//! Where keys come from: a file that nobody else can read, or the value of an environment variable.

use super::error::KeysError;
use super::key::Key;
use super::{MAX_KEYS, SealingKeys};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The largest key file, in octets.
const MAX_FILE_LEN: u64 = 64 * 1024;

impl SealingKeys {
    /// Reads keys in the form of a key file.
    ///
    /// # Errors
    /// [`KeysError::Line`] says which line is wrong, and in what; [`KeysError::Empty`].
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let mut keys: Vec<Key> = Vec::new();
        for (position, line) in text.lines().enumerate() {
            let (line, number) = (line.trim(), position.saturating_add(1));
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = Key::parse(line, number)?;
            if keys.iter().any(|known| known.id == key.id) {
                return Err(KeysError::Line { line: number, what: "there is a key of this id above" });
            }
            if keys.len() == MAX_KEYS {
                return Err(KeysError::Line { line: number, what: "there are more than 64 keys" });
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(KeysError::Empty)?;
        Ok(Self { first, others: keys.collect() })
    }

    /// Reads a key file. It has to be its owner's alone.
    ///
    /// # Errors
    /// [`KeysError`] says what to do.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, KeysError> {
        let path = path.as_ref();
        let text = read(path)?;
        Self::parse(&text).map_err(|error| KeysError::File { path: path.to_owned(), error: Box::new(error) })
    }

    /// Reads keys from an environment variable, which holds what a key file would.
    ///
    /// # Errors
    /// [`KeysError`] says what to do.
    pub fn from_variable(name: &str) -> Result<Self, KeysError> {
        let text = std::env::var(name).map_err(|_| KeysError::Variable { name: name.to_owned() })?;
        Self::parse(&Zeroizing::new(text))
            .map_err(|error| KeysError::InVariable { name: name.to_owned(), error: Box::new(error) })
    }

    /// A line with a new random key, as for an environment variable. Secret.
    ///
    /// # Errors
    /// [`KeysError::Backend`].
    pub fn generate_line() -> Result<Zeroizing<String>, KeysError> {
        Key::generate().map(|(_, line)| line)
    }

    /// Makes a new key file, for its owner alone (mode 0600), with one random key; gives the key's name.
    ///
    /// # Errors
    /// [`KeysError::Exists`], [`KeysError::Write`].
    pub fn generate_file(path: impl AsRef<Path>) -> Result<String, KeysError> {
        let path = path.as_ref();
        let (id, line) = Key::generate()?;
        let text = Zeroizing::new(format!(
            "# Keys that seal what tagai stores. The first seals, all of them open. Keep a copy in a safe place, apart from the\n\
             # database's: without them every user has to be registered anew.\n{}",
            *line
        ));
        match create(path, &text) {
            Ok(()) => Ok(id),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(KeysError::Exists { path: path.to_owned() })
            }
            Err(source) => {
                // What was begun is no key file.
                let _ = fs::remove_file(path);
                Err(KeysError::Write { path: path.to_owned(), source })
            }
        }
    }

    /// Puts a new random key in front of the others in a key file, and gives its name. The file is replaced in one
    /// step: a crash leaves the old one or the new one.
    ///
    /// # Errors
    /// [`KeysError`] says what to do. The file is as before then.
    pub fn rotate_file(path: impl AsRef<Path>) -> Result<String, KeysError> {
        let path = path.as_ref();
        let failed = |source| KeysError::Write { path: path.to_owned(), source };
        Self::load(path)?;
        let old = read(path)?;
        let (id, line) = Key::generate()?;
        let mut text = Zeroizing::new(String::with_capacity(old.len().saturating_add(line.len()).saturating_add(1)));
        let mut pending = Some(line);
        for old in old.lines() {
            let says_nothing = old.trim().is_empty() || old.trim().starts_with('#');
            if let Some(line) = pending.take_if(|_| !says_nothing) {
                text.push_str(&line);
            }
            text.push_str(old);
            text.push('\n');
        }
        // One key more may be one too many, and the new file would not load.
        Self::parse(&text).map_err(|error| KeysError::File { path: path.to_owned(), error: Box::new(error) })?;
        let path_to = fs::canonicalize(path).map_err(failed)?;
        let mut beside = path_to.clone().into_os_string();
        beside.push(format!(".{id}.new"));
        let beside = PathBuf::from(beside);
        let replaced = create(&beside, &text).and_then(|()| fs::rename(&beside, &path_to));
        if replaced.is_err() {
            let _ = fs::remove_file(&beside);
        }
        replaced.and_then(|()| sync_folder(&path_to)).map_err(failed)?;
        Ok(id)
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeysError> {
    let failed = |source| KeysError::Read { path: path.to_owned(), source };
    let no_key_file = |what| KeysError::NoKeyFile { path: path.to_owned(), what };
    let file = File::open(path).map_err(failed)?;
    // Of the file that is open, and not of the name: it could come to mean another in between.
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(no_key_file("not a regular file"));
    }
    if about.len() > MAX_FILE_LEN {
        return Err(no_key_file("larger than 64 KiB"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = about.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeysError::Mode { path: path.to_owned(), mode });
        }
    }
    let capacity = usize::try_from(about.len()).unwrap_or(0).saturating_add(1);
    let mut octets = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(MAX_FILE_LEN).read_to_end(&mut octets).map_err(failed)?;
    match std::str::from_utf8(&octets) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(no_key_file("not UTF-8 text")),
    }
}

/// Makes a file that only its owner can read, and sees to it that it is on the disk.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    sync_folder(path)
}

/// Makes a new name in a folder outlast a power failure.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
