//! What an application is told about who sent a request.
//!
//! ```text
//! Identified ─┬─ fields       Tagai-Principal, Tagai-Groups, Tagai-Method, Tagai-User, Tagai-Realm
//!             ├─ client_cert  Client-Cert, Client-Cert-Chain (RFC 9440)
//!             └─ assertion    Tagai-Assertion: a signed JWT, and the JWKS to check it with
//! ```
//!
//! [`Names`] knows the names of all of them. They are taken out of every request that comes in, in every spelling, before any is
//! set: an application that finds one can rely on it.

pub mod assertion;
mod client_cert;
mod fields;
mod jwk;
mod names;

pub use assertion::{AssertionKeys, Claims, Signer};
pub use client_cert::{ClientCertificate, MAX_CLIENT_CERT, Shown};
pub use fields::{Identified, MAX_GROUPS, Proven, encode, fields, of_user};
pub use jwk::RawKey;
pub use names::Names;

use http::StatusCode;

/// Why an application cannot be told who sent a request. The request is refused then: part of an identity is not an identity, and an
/// application that decides by what is missing would decide wrongly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The list of groups is too long for a field.
    #[error(
        "the groups of {principal} make a field of {octets} octets, and {MAX_GROUPS} are allowed: give the principal fewer groups, or shorter names to them"
    )]
    Groups {
        /// Whose they are.
        principal: String,
        /// How long the field would be.
        octets: usize,
    },
    /// The certificate, or its chain, is too long for the fields of RFC 9440.
    #[error(
        "the client's certificates make fields of {octets} octets, and {MAX_CLIENT_CERT} are allowed: let the client use a smaller certificate, or the route client-cert = \"leaf\""
    )]
    Certificate {
        /// How long the fields would be.
        octets: usize,
    },
    /// The assertion is too long for a field.
    #[error(
        "the assertion for the request has {octets} octets, and {} are allowed: it grows with groups, and with the path",
        assertion::MAX_TOKEN
    )]
    Assertion {
        /// How long it would be.
        octets: usize,
    },
    /// The assertion could not be signed.
    #[error("the assertion could not be signed: the random generator or the signature failed")]
    Signature,
}

impl IdentityError {
    /// What to answer: 431 (RFC 6585 §5) where the client's own certificate or URL is too large, and 500 where it can do nothing
    /// about it.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Certificate { .. } | Self::Assertion { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Groups { .. } | Self::Signature => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}
