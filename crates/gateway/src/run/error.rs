//! Why a gateway did not start, or did not reload.

use crate::config::ConfigErrors;
use crate::proxy::UpstreamError;
use crate::tls::{CertificateError, LoadError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tagai_policy::PolicyProblem;
use tagai_store::StoreError;
use tagai_store::sealing::KeysError;

/// Why a gateway did not start. The text says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The sealing keys cannot be used.
    #[error("the keys of the store cannot be used: {0}")]
    Keys(#[from] KeysError),
    /// The database cannot be used.
    #[error("the store cannot be used: {0}")]
    Store(#[from] StoreError),
    /// A certificate or its key cannot be loaded.
    #[error("a certificate cannot be used: {0}")]
    Load(#[from] LoadError),
    /// The certificates cannot be served.
    #[error("the certificates cannot be served: {0}")]
    Certificate(#[from] CertificateError),
    /// A file cannot be used.
    #[error("{}: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The policies are wrong.
    #[error("the policies cannot be used\n{}", list(.0))]
    Policy(Vec<PolicyProblem>),
    /// The keys for assertions cannot be used.
    #[error("the keys of [assertion] cannot be used: {0}")]
    Assertion(String),
    /// An upstream cannot be used.
    #[error("an upstream cannot be used: {0}")]
    Upstream(#[from] UpstreamError),
    /// A realm does not work on an origin.
    #[error("the realm \"{realm}\" cannot be used: {error}")]
    Realm {
        /// Its id in the configuration.
        realm: String,
        /// Why.
        error: String,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}{}", advice(.error))]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// The audit log cannot be written.
    #[error("the audit log {} cannot be written: {error}; it has to be writable for the user that runs tagai", .path.display())]
    Audit {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// No thread could be started.
    #[error("no thread for the audit log could be started: {0}")]
    Thread(std::io::Error),
}

impl StartError {
    pub(super) fn in_file(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::File { path: path.into(), reason: reason.to_string() }
    }
}

fn list(problems: &[PolicyProblem]) -> String {
    super::preview::diagnostics(problems).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "; another program listens there: stop it, or choose another port",
        std::io::ErrorKind::PermissionDenied => {
            "; ports below 1024 need the capability CAP_NET_BIND_SERVICE, or choose a higher one"
        }
        std::io::ErrorKind::AddrNotAvailable => "; no interface of this machine has this address",
        _ => "",
    }
}

/// Why a configuration was not taken over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// It is wrong in itself.
    #[error("{0}")]
    Config(#[from] ConfigErrors),
    /// Something that it names cannot be used.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The gateway is shutting down.
    #[error("the gateway is shutting down")]
    Interrupted,
}
