//! The file of the keys: PEM, for its owner alone, with the time at which each key was made.
//!
//! ```text
//! # made 1760000000
//! -----BEGIN PRIVATE KEY-----
//! ```
//!
//! A key signs until the next one is put in front of it, so the times say since when an old one signs no more.

use super::keys::{self, AssertionKeys, KeyKind, KeysError};
use base64ct::{Base64, Encoding as _};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// The largest file, in octets.
const MAX_FILE_LEN: u64 = 64 << 10;
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
const HEAD: [&str; 2] = [
    "# Keys that sign assertions for applications. The first signs; all are published, so that what they signed can be checked.",
    "# `tagai keys assertion rotate` puts a new one in front, and takes old ones out.",
];

/// Why a file of keys cannot be used or made. It never holds a part of a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("cannot read the keys for assertions in {shown}: {source}", shown = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write the keys for assertions to {shown}: {source}", shown = .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A new file was asked for where there is one.
    #[error("{shown} exists already and is left as it is; `tagai keys assertion rotate {shown}` puts a new key into it", shown = .0.display())]
    Exists(PathBuf),
    /// Others than the owner may read it.
    #[error("others than its owner may use {shown} (mode {mode:04o}), and could sign in the gateway's name; run: chmod 600 {shown}", shown = .path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Not a regular file, too large, or no text.
    #[error("{shown} is no file of keys: {what}", shown = .path.display())]
    NoKeyFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// What is in it.
    #[error("{shown}: {error}", shown = .path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: KeysError,
    },
    /// The random generator failed.
    #[error("the random generator failed")]
    Random,
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// `kid` of the new key.
    pub new: String,
    /// How many keys are in the file now.
    pub keys: usize,
    /// `kid` of each key that was taken out.
    pub dropped: Vec<String>,
}

/// A file of keys.
#[derive(Debug, Clone, Copy)]
pub struct KeyFile<'a>(pub &'a Path);

impl KeyFile<'_> {
    /// Reads it. It has to be its owner's alone.
    ///
    /// # Errors
    /// [`KeyFileError`] says what to do.
    pub fn load(self) -> Result<AssertionKeys, KeyFileError> {
        self.keys(&self.read()?)
    }

    /// When each key was made, in seconds since 1970, in the order of the file; `None` where the file does not say.
    ///
    /// # Errors
    /// As for [`KeyFile::load`].
    pub fn made(self) -> Result<Vec<Option<u64>>, KeyFileError> {
        let text = self.read()?;
        self.keys(&text)?;
        Ok(sections(&text).iter().map(|section| section.made).collect())
    }

    /// Makes it, with one key; gives the key's `kid`. `now` is the time since 1970.
    ///
    /// # Errors
    /// [`KeyFileError::Exists`], [`KeyFileError::Write`].
    pub fn create(self, kind: KeyKind, now: Duration) -> Result<String, KeyFileError> {
        let path = self.0;
        let (id, section) = new_section(kind, now)?;
        create(path, &text([section.as_str()])).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
            _ => KeyFileError::Write { path: path.to_owned(), source },
        })?;
        Ok(id)
    }

    /// Puts a new key in front of the others, and takes out those that have signed nothing for `drop_after`. A key of which the file
    /// does not say that is kept. The file is replaced in one step: a crash leaves the old one or the new one.
    ///
    /// # Errors
    /// [`KeyFileError`] says what to do. The file is as before then.
    pub fn rotate(self, kind: KeyKind, now: Duration, drop_after: Option<Duration>) -> Result<Rotated, KeyFileError> {
        let path = self.0;
        let old = self.read()?;
        let keys = self.keys(&old)?;
        let sections = sections(&old);
        let (new, section) = new_section(kind, now)?;
        let (mut kept, mut dropped) = (vec![section.as_str()], Vec::new());
        // The first one signs until now. Each other one did so until the one before it was made.
        let until = std::iter::once(None).chain(sections.iter().map(|section| section.made));
        for ((section, (id, _)), until) in sections.iter().zip(keys.ids()).zip(until) {
            let unused = until.map(|until| now.as_secs().saturating_sub(until));
            match drop_after.zip(unused) {
                Some((limit, unused)) if unused >= limit.as_secs() => dropped.push(id.to_owned()),
                _ => kept.push(&section.text),
            }
        }
        let count = kept.len();
        let text = text(kept);
        // One more may be one too many, and the new file would not load.
        self.keys(&text)?;
        self.replace(&text, &new).map_err(|source| KeyFileError::Write { path: path.to_owned(), source })?;
        Ok(Rotated { new, keys: count, dropped })
    }

    fn keys(self, text: &str) -> Result<AssertionKeys, KeyFileError> {
        AssertionKeys::from_pem(text.as_bytes())
            .map_err(|error| KeyFileError::Keys { path: self.0.to_owned(), error })
    }

    fn read(self) -> Result<Zeroizing<String>, KeyFileError> {
        let path = self.0;
        let failed = |source| KeyFileError::Read { path: path.to_owned(), source };
        let strange = |what| KeyFileError::NoKeyFile { path: path.to_owned(), what };
        let file = File::open(path).map_err(failed)?;
        // Of the file that is open, and not of the name: it could come to mean another in between.
        let about = file.metadata().map_err(failed)?;
        if !about.is_file() {
            return Err(strange("not a regular file"));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = about.permissions().mode() & 0o7777;
            if mode & 0o077 != 0 {
                return Err(KeyFileError::Mode { path: path.to_owned(), mode });
            }
        }
        let mut text =
            Zeroizing::new(String::with_capacity(usize::try_from(about.len().min(MAX_FILE_LEN)).unwrap_or(0)));
        match file.take(MAX_FILE_LEN + 1).read_to_string(&mut text) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(strange("not UTF-8 text")),
            Err(error) => Err(failed(error)),
            Ok(octets) if octets as u64 > MAX_FILE_LEN => Err(strange("larger than 64 KiB")),
            Ok(_) => Ok(text),
        }
    }

    fn replace(self, text: &str, id: &str) -> io::Result<()> {
        // What a link leads to is replaced, and not the link.
        let path = fs::canonicalize(self.0)?;
        let mut beside = path.clone().into_os_string();
        beside.push(format!(".{id}.new"));
        let beside = PathBuf::from(beside);
        let replaced = create(&beside, text).and_then(|()| fs::rename(&beside, &path));
        if replaced.is_err() {
            let _ = fs::remove_file(&beside);
        }
        replaced.and_then(|()| sync_folder(&path))
    }
}

/// One key with the lines before it.
struct Section {
    made: Option<u64>,
    text: Zeroizing<String>,
}

fn sections(text: &str) -> Vec<Section> {
    let mut found = Vec::new();
    let empty = || Section { made: None, text: Zeroizing::new(String::with_capacity(1024)) };
    let mut section = empty();
    for line in text.lines().filter(|line| !HEAD.contains(line) && !line.trim().is_empty()) {
        if let Some(made) = line.strip_prefix("# made ") {
            section.made = made.trim().parse().ok();
        }
        section.text.push_str(line);
        section.text.push('\n');
        if line.trim_end() == END {
            found.push(std::mem::replace(&mut section, empty()));
        }
    }
    found
}

fn new_section(kind: KeyKind, now: Duration) -> Result<(String, Zeroizing<String>), KeyFileError> {
    let (id, der) = keys::generate(kind).ok_or(KeyFileError::Random)?;
    let base64 = Zeroizing::new(Base64::encode_string(&der));
    let mut text = Zeroizing::new(String::with_capacity(512));
    text.push_str(&format!("# made {}\n{BEGIN}\n", now.as_secs()));
    let mut rest = base64.as_str();
    while let Some((line, after)) = rest.split_at_checked(64) {
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    if !rest.is_empty() {
        text.push_str(rest);
        text.push('\n');
    }
    text.push_str(END);
    text.push('\n');
    Ok((id, text))
}

fn text<'a>(sections: impl IntoIterator<Item = &'a str>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(8192));
    let head = HEAD.map(|line| format!("{line}\n")).concat();
    text.push_str(&head);
    for section in sections {
        text.push('\n');
        text.push_str(section);
    }
    text
}

/// Makes a file that only its owner can read, and sees to it that it is on the disk. What was begun and failed is taken away.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written.and_then(|()| sync_folder(path))
}

/// Makes a new name in a folder outlast a power failure.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
