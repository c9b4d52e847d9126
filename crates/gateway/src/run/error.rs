//! Why a gateway did not start, or did not reload.

use crate::config::ConfigErrors;
use crate::proxy::UpstreamError;
use crate::tls::{CertificateError, LoadError};
use std::net::SocketAddr;
use std::path::PathBuf;
use tagai_core::server::ConfigError;
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
    /// An upstream cannot be used.
    #[error("an upstream cannot be used: {0}")]
    Upstream(#[from] UpstreamError),
    /// A realm does not work on an origin.
    #[error("the realm \"{realm}\" cannot be used: {error}")]
    Realm {
        /// Its id in the configuration.
        realm: String,
        /// Why.
        error: ConfigError,
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
