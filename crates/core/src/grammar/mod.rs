//! Header field grammar: RFC 9110 §5.6 and §11, RFC 7615, RFC 8187 and RFC 8120 §3.
//!
//! Nothing in here knows a message of the protocol; it turns the octets of a field into schemes, parameters and
//! typed values, and back into the canonical form. Every parser is linear in its input, bounded by
//! [`MAX_FIELD_LEN`], and returns an error that names the octet where it stopped.

mod challenge;
mod cursor;
mod ext_value;
mod number;
mod params;
mod token;
mod writer;

pub use challenge::{Challenge, parse_challenges, parse_credentials, parse_info};
pub use number::Natural;
pub use params::{Param, ParamError, Params};
pub use token::{ExtensiveToken, TokenError};

pub(crate) use number::{base64_fixed_number, hex_fixed_number};
pub(crate) use writer::FieldWriter;

/// The longest field value that is looked at, in octets, all lines of the field together.
///
/// A complete message of `iso-kam3-dl-4096-sha512` with a user name of 1,000 octets takes under 3,000.
pub const MAX_FIELD_LEN: usize = 16_384;

/// The most challenges that one field may hold.
pub const MAX_CHALLENGES: usize = 32;

/// The most parameters that one challenge, credential or information field may hold.
pub const MAX_PARAMS: usize = 64;

/// Why a field value is not what the grammar allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxError {
    /// All lines of the field together exceed [`MAX_FIELD_LEN`].
    #[error("the field is longer than {MAX_FIELD_LEN} octets")]
    TooLong,
    /// More than [`MAX_CHALLENGES`] challenges or [`MAX_PARAMS`] parameters.
    #[error("the field holds more challenges or parameters than are accepted")]
    TooMany,
    /// Something else stood where the grammar asks for `what`.
    #[error("expected {what} at octet {at} of the field")]
    Expected {
        /// What the grammar asks for.
        what: &'static str,
        /// Offset in octets from the start of the field value (lines joined by `", "`).
        at: usize,
    },
    /// One parameter stood twice, in the same spelling or once as `name` and once as `name*` (RFC 9110 §11.2, RFC
    /// 8120 §3.1).
    #[error("a parameter is given twice at octet {at} of the field")]
    Duplicate {
        /// Offset of the second one.
        at: usize,
    },
}
