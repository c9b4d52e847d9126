//! A certification authority for small installations: one folder, one root, one intermediate at work.
//!
//! The root signs intermediates and nothing else, so that its key can lie elsewhere, offline, except when it is needed. An
//! intermediate signs the certificates of servers and clients, which live for days, and its list of revoked ones (CRL,
//! RFC 5280 section 5). Private keys of the authority are encrypted under a passphrase (PKCS #8, RFC 8018). What was issued
//! is written to an index before it is handed out: there is no certificate that could not be revoked.
//!
//! The clock is the caller's: every function that needs the time takes it as an argument.

mod authority;
mod bundle;
mod crl;
mod csr;
mod error;
pub mod files;
mod folder;
mod index;
mod issue;
mod key;
mod name;
mod permitted;
mod serial;

pub use authority::{Ca, NewCa};
pub use bundle::bundle;
pub use crl::{CrlReport, Reason};
pub use csr::Csr;
pub use error::CaError;
pub use index::{Purpose, Record, Revocation, State};
pub use issue::{Issued, KeySource, Request};
pub use key::{Algorithm, Passphrase};
pub use name::Name;
pub use permitted::Permitted;
pub use serial::Serial;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A day.
pub const DAY: Duration = Duration::from_secs(86_400);
/// How long a server's certificate is valid unless the caller says otherwise.
pub const SERVER_LIFETIME: Duration = Duration::from_secs(30 * 86_400);
/// How long a client's certificate is valid unless the caller says otherwise.
pub const CLIENT_LIFETIME: Duration = Duration::from_secs(7 * 86_400);
/// How long a root is valid.
pub const ROOT_LIFETIME: Duration = Duration::from_secs(3652 * 86_400);
/// How long an intermediate is valid.
pub const INTERMEDIATE_LIFETIME: Duration = Duration::from_secs(730 * 86_400);
/// How long a list of revoked certificates is good unless the caller says otherwise.
pub const CRL_LIFETIME: Duration = Duration::from_secs(7 * 86_400);

/// Certificates are valid from this long before they are made, for machines whose clocks are a little behind.
const BACKDATED: Duration = Duration::from_secs(300);

/// Seconds since 1970; 0 for what is before.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The moment of so many seconds since 1970. What no clock reaches is taken for 1970.
fn moment(seconds: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
