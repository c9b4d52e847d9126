//! The deny list.

use super::{Authority, KeyPin, NameError, Serial, SubjectName};
use std::fmt;
use std::time::SystemTime;

/// The most denials that a store keeps, since all of them are held in memory.
pub const MAX_DENIALS: usize = 1_000_000;
/// The longest reason of a denial, in octets.
pub const MAX_REASON_LEN: usize = 1024;
/// The longest name of who gave it, in octets.
pub const MAX_BY_LEN: usize = 256;

/// Whom a denial keeps out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DenialTarget {
    /// A certificate, by its serial number.
    Serial {
        /// The number.
        serial: Serial,
        /// The client CA that verifies it; without one, every certificate of this number is kept out.
        client_ca: Option<Authority>,
    },
    /// A key, bare or of a certificate.
    Key(KeyPin),
    /// A principal, registered or not.
    Principal(SubjectName),
}

impl fmt::Display for DenialTarget {
    /// For people: `the serial number 0a of partners`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial { serial, client_ca: Some(id) } => write!(f, "the serial number {serial} of {id}"),
            Self::Serial { serial, client_ca: None } => write!(f, "the serial number {serial}"),
            Self::Key(pin) => write!(f, "the key {pin}"),
            Self::Principal(name) => write!(f, "the principal {name}"),
        }
    }
}

/// An entry of the deny list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Whom it keeps out.
    pub target: DenialTarget,
    /// Why; may be empty. For operators and logs, never for whom it keeps out.
    pub reason: String,
    /// Since when, in whole seconds.
    pub created: SystemTime,
    /// Who gave it; may be empty.
    pub by: String,
}

/// Sees to it that the texts of a denial can be kept.
pub(crate) fn check_texts(reason: &str, by: &str) -> Result<(), NameError> {
    let good = |text: &str, most: usize| text.len() <= most && !text.chars().any(char::is_control);
    if good(reason, MAX_REASON_LEN) && good(by, MAX_BY_LEN) { Ok(()) } else { Err(NameError::Reason) }
}
