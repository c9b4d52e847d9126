//! What can be wrong with keys.

use std::io;
use std::path::PathBuf;

/// Why there are no keys. It never holds a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The key file cannot be read.
    #[error("cannot read the key file {shown}: {source}", shown = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key file cannot be written.
    #[error("cannot write the key file {shown}: {source}", shown = .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A new key file was asked for where there is a file already.
    #[error("{shown} exists already; it is left as it is, for without its keys nothing that they sealed can be opened", shown = .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read the key file.
    #[error("others than its owner may use the key file {shown} (mode {mode:04o}); run: chmod 600 {shown}", shown = .path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Not a regular file, or far too large.
    #[error("{shown} is no key file: {what}", shown = .path.display())]
    NoKeyFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A line of a key file.
    #[error("the key file {shown}, {error}", shown = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        error: Box<KeysError>,
    },
    /// A line that cannot be understood.
    #[error("line {line}: {what}; a line is KEY-ID:BASE64, with the base64 of 32 octets")]
    Line {
        /// The number of the line, from one.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// There is no key.
    #[error("line 1: there is no key in it; a line is KEY-ID:BASE64, with the base64 of 32 octets")]
    Empty,
    /// The environment variable is not set, or not UTF-8.
    #[error("the environment variable {name} is not set, or is no text; it has to hold a line KEY-ID:BASE64")]
    Variable {
        /// Its name.
        name: String,
    },
    /// What an environment variable holds.
    #[error("the environment variable {name}, {error}")]
    InVariable {
        /// Its name.
        name: String,
        /// What is wrong in it.
        error: Box<KeysError>,
    },
    /// The random generator or the cipher failed.
    #[error("the random generator or the cipher failed")]
    Backend,
}

/// Why something could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// It is sealed under a key that is not there.
    #[error("it is sealed under the key \"{0}\", which is not among the sealing keys; put the line of this key back")]
    NoKey(String),
    /// It does not open.
    #[error(
        "it does not open with the key \"{0}\": this is another key of that name, or what was sealed has been changed or moved"
    )]
    DoesNotFit(String),
    /// The random generator or the cipher failed.
    #[error("the random generator or the cipher failed")]
    Backend,
}
