//! What can go wrong, and what to do about it.

use super::files;
use std::io;
use std::path::{Path, PathBuf};

/// An authority could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaError {
    /// A file or folder is there already.
    #[error("{} exists already, and nothing is overwritten", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// The folder holds no authority.
    #[error("there is no CA in {}", dir.display())]
    NoCa {
        /// The folder.
        dir: PathBuf,
    },
    /// A file could not be read or written.
    #[error("{} cannot be {doing}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: `read`, `written`.
        doing: &'static str,
        /// The system's reason.
        error: io::Error,
    },
    /// A file is longer than any of its kind.
    #[error("{} is longer than {limit} octets, more than this program reads of such a file", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most octets.
        limit: u64,
    },
    /// A file of the authority is not what was written there.
    #[error("{} cannot be used: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A key does not open.
    #[error("the passphrase does not open {}", path.display())]
    WrongPassphrase {
        /// The key's file.
        path: PathBuf,
    },
    /// A passphrase that is guessed too easily.
    #[error("the passphrase has fewer than {} characters", super::key::MIN_PASSPHRASE)]
    WeakPassphrase,
    /// The root's key is elsewhere, and now it is needed.
    #[error("{needed} needs the key of the root, and {} is not there", path.display())]
    NoRootKey {
        /// Where it should be.
        path: PathBuf,
        /// What needs it.
        needed: &'static str,
    },
    /// The key of an intermediate is not there.
    #[error("the key {} is not there", path.display())]
    NoKey {
        /// Where it should be.
        path: PathBuf,
    },
    /// A name that no certificate may hold.
    #[error("{text:?} cannot be a name in this certificate: {reason}")]
    Name {
        /// The name as it was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A subject that no certificate may hold.
    #[error("{text:?} cannot be the common name: {reason}")]
    CommonName {
        /// The text as it was given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A certificate without a name.
    #[error("there is no name to write into the certificate")]
    NoName,
    /// The name is outside of what this authority may sign.
    #[error("{name} is outside of what this CA may sign: {permitted}")]
    NotPermitted {
        /// The name.
        name: String,
        /// What it may sign.
        permitted: String,
    },
    /// A setting of a new authority is wrong.
    #[error("{what} {text:?}: {reason}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// As it was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The authority's own certificate is over.
    #[error("the {which} of this CA has expired")]
    Expired {
        /// `root certificate` or `intermediate certificate`.
        which: &'static str,
    },
    /// The intermediate at work was revoked.
    #[error("the intermediate certificate of this CA is revoked")]
    IntermediateRevoked,
    /// A signing request cannot be followed.
    #[error("the certificate signing request cannot be used: {reason}")]
    Csr {
        /// What is wrong with it.
        reason: String,
    },
    /// A length of time that no certificate or CRL can have.
    #[error("a {what} cannot be valid for less than a minute or more than 100 years")]
    Lifetime {
        /// `certificate` or `CRL`.
        what: &'static str,
    },
    /// Nothing was issued under this name or number.
    #[error("this CA has issued no certificate {what}")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// The certificate is of a kind that this is not done with.
    #[error("{what}")]
    NotPossible {
        /// What, and why not.
        what: String,
        /// What to do instead.
        help: &'static str,
    },
    /// The key that should be kept is known to others.
    #[error("the key of {name} was compromised, and gets no certificate any more")]
    KeyCompromised {
        /// Whose key.
        name: String,
    },
    /// A reason that RFC 5280 does not know, or that has no use here.
    #[error("{text:?} is no reason for a revocation")]
    Reason {
        /// As it was given.
        text: String,
    },
    /// The password of a `.p12` file cannot be used.
    #[error("this password cannot protect a .p12 file: {reason}")]
    BundlePassword {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Cryptography, or the encoding of a certificate, failed.
    #[error("{what} failed: {reason}")]
    Failed {
        /// What was tried.
        what: &'static str,
        /// The library's reason.
        reason: String,
    },
}

impl CaError {
    pub(super) fn io(path: &Path, doing: &'static str, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), doing, error }
    }

    pub(super) fn broken(path: &Path, reason: impl Into<String>) -> Self {
        Self::Broken { path: path.to_owned(), reason: reason.into() }
    }

    pub(super) fn name(text: &str, reason: impl Into<String>) -> Self {
        Self::Name { text: text.to_owned(), reason: reason.into() }
    }

    pub(super) fn failed(what: &'static str) -> impl FnOnce(rcgen::Error) -> Self {
        move |error| Self::Failed { what, reason: error.to_string() }
    }

    /// Whether the command line is at fault, and not the files or the state of the authority.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Name { .. }
                | Self::CommonName { .. }
                | Self::NoName
                | Self::Setting { .. }
                | Self::Lifetime { .. }
                | Self::Reason { .. }
        )
    }

    /// What to do about it, if there is something to say.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Exists { .. } => "name another place, or move it away",
            Self::NoCa { .. } => "`tagai ca init` makes one; --ca DIR names the folder of another",
            Self::WrongPassphrase { .. } => "try again; nothing was changed",
            Self::WeakPassphrase => "take a longer one: several words, for example",
            Self::NoRootKey { path, .. } => {
                return Some(format!(
                    "bring it back from where it is kept to {}, and take it away again afterwards",
                    path.display()
                ));
            }
            Self::NoKey { .. } => {
                "put it back from a copy; without it, `tagai ca renew --intermediate` makes a new intermediate with the root's key"
            }
            Self::Name { .. } => {
                "names are dns:www.example.com, ip:192.0.2.1, uri:spiffe://example.com/device, email:alice@example.com; \
                 the kind may be left out"
            }
            Self::CommonName { .. } => "choose another with --cn TEXT, or leave it out",
            Self::NoName => "name what the certificate is for: tagai ca issue www.example.com --server",
            Self::NotPermitted { .. } => "that was decided with `tagai ca init`; another name needs another CA",
            Self::Expired { which } if which.starts_with("root") => {
                "make a new CA with `tagai ca init`, and let it be trusted beside the old one for a while"
            }
            Self::Expired { .. } | Self::IntermediateRevoked => {
                "`tagai ca renew --intermediate` makes a new one, with the root's key"
            }
            Self::Csr { .. } => {
                "let its owner make a new one, such as by: openssl req -new -key FILE -subj / -out FILE"
            }
            Self::NotFound { .. } => "`tagai ca list` shows the names and serial numbers of those that it has issued",
            Self::NotPossible { help, .. } => help,
            Self::KeyCompromised { .. } => "renew without --keep-key",
            Self::Reason { .. } => return Some(format!("the reasons are {}", super::Reason::names())),
            Self::BundlePassword { .. } => "take another, or let one be made with --p12-generate",
            Self::TooLong { path, .. } if path.ends_with(files::INDEX) => {
                "begin a new CA with `tagai ca init`; the old one can go on publishing its CRL"
            }
            Self::Io { .. }
            | Self::TooLong { .. }
            | Self::Broken { .. }
            | Self::Setting { .. }
            | Self::Lifetime { .. }
            | Self::Failed { .. } => return None,
        };
        Some(text.to_owned())
    }
}
