//! Principals: the people, devices and services that the gateway knows, whatever they prove themselves with.
//!
//! What was proven is a [`Credential`]. A [`Principal`] is registered under a [`PrincipalName`] and owns any number of
//! credentials; a credential belongs to one principal at most. A credential that belongs to nobody is a principal of its
//! own, with the [`SubjectName`] that [`Credential::subject`] gives, if the realm or client CA accepts such; a bare key
//! that belongs to nobody is nobody.
//!
//! A [`Denial`] keeps somebody out at once: by the serial number of a certificate, by a key, or by the name of a principal.
//!
//! The gateway asks a [`Directory`], a snapshot in memory, and takes another when [`PrincipalStore::directory_version`]
//! changes.

mod authority;
mod certificate_name;
mod credential;
mod denial;
mod directory;
mod error;
mod key_pin;
mod method;
mod names;
mod record;
mod serial;
mod store;
mod subject;

pub use authority::{Authority, MAX_AUTHORITY_LEN};
pub use certificate_name::{CertificateName, MAX_CERTIFICATE_NAME_LEN, NameKind};
pub use credential::{Credential, MAX_CREDENTIAL_LEN};
pub use denial::{Denial, DenialTarget, MAX_BY_LEN, MAX_DENIALS, MAX_REASON_LEN};
pub use directory::{Directory, Facts, Resolved};
pub use error::NameError;
pub use key_pin::KeyPin;
pub use method::Method;
pub use names::{
    AttributeKey, AttributeValue, GroupName, MAX_ATTRIBUTE_KEY_LEN, MAX_ATTRIBUTE_VALUE_LEN, MAX_NAME_LEN,
    PrincipalName,
};
pub use record::{
    MAX_ATTRIBUTES, MAX_CREDENTIALS, MAX_GROUPS, MAX_PRINCIPALS, NewPrincipal, Principal, PrincipalKind,
};
pub use serial::{MAX_SERIAL_LEN, Serial};
pub use store::PrincipalStore;
pub use subject::{MAX_SUBJECT_LEN, SubjectName};

pub(crate) use denial::check_texts;

#[cfg(test)]
mod tests;
