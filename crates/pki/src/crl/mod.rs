//! Lists of revoked certificates (CRLs, RFC 5280 section 5): the newest of each issuer, by a signature that was checked.

mod read;
mod set;
mod signature;

pub use read::{Crl, CrlError, MAX_CRL_LEN};
pub use set::{CrlSet, Rejected};

pub(crate) use set::{Issuer, Selected};
