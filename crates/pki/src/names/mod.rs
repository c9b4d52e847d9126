//! The name that a certificate is known by: one of its names, chosen by rule, in one spelling.

mod spiffe;
mod syntax;

use crate::client_ca::CertificateFacts;
use std::fmt;
use std::str::FromStr;

pub use spiffe::{SpiffeError, check_spiffe_id};

/// Where a name stands in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// `uniformResourceIdentifier` of the subjectAltName, SPIFFE ids among them.
    Uri,
    /// `dNSName` of the subjectAltName.
    Dns,
    /// `rfc822Name` of the subjectAltName.
    Email,
    /// The common name of the subject. No name constraint binds it.
    CommonName,
}

impl NameKind {
    /// Those that are looked for unless told otherwise, by preference. The common name is not among them.
    pub const DEFAULT: [Self; 3] = [Self::Uri, Self::Dns, Self::Email];

    /// `uri`, `dns`, `email` or `cn`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uri => "uri",
            Self::Dns => "dns",
            Self::Email => "email",
            Self::CommonName => "cn",
        }
    }
}

impl fmt::Display for NameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NameKind {
    type Err = UnknownNameKind;

    fn from_str(text: &str) -> Result<Self, UnknownNameKind> {
        let kinds = [Self::Uri, Self::Dns, Self::Email, Self::CommonName];
        kinds.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownNameKind)
    }
}

/// Not a kind of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a kind of names; there are uri, dns, email and cn")]
pub struct UnknownNameKind;

/// A name and where it stood. The text is `dns:device1.example.com`.
///
/// One name has one spelling: names of hosts, and the hosts of e-mail addresses, are in lower case. All characters are
/// visible ASCII, but for spaces within a common name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MappedName {
    kind: NameKind,
    value: String,
}

impl MappedName {
    /// `value` as a name of that kind, in its one spelling.
    ///
    /// # Errors
    /// [`NameError`] if it cannot name exactly one client.
    pub fn new(kind: NameKind, value: &str) -> Result<Self, NameError> {
        let value = match kind {
            NameKind::Uri => syntax::uri(value),
            NameKind::Dns => syntax::dns(value),
            NameKind::Email => syntax::email(value),
            NameKind::CommonName => syntax::common_name(value),
        }?;
        Ok(Self { kind, value })
    }

    /// Where it stood.
    #[must_use]
    pub fn kind(&self) -> NameKind {
        self.kind
    }

    /// The name alone.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for MappedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

impl FromStr for MappedName {
    type Err = NameError;

    /// Reads what is displayed, and only that: a name in another spelling is none.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let (kind, value) = text.split_once(':').ok_or(NameError::Kind)?;
        let name = Self::new(kind.parse().map_err(|_| NameError::Kind)?, value)?;
        if name.value == value { Ok(name) } else { Err(NameError::Spelling) }
    }
}

/// Why a name cannot stand for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing in it.
    #[error("is empty")]
    Empty,
    /// Too long for its kind.
    #[error("is longer than {0} octets")]
    Long(usize),
    /// A character that its kind does not have: control characters and what is not ASCII in every kind.
    #[error("has a character that such a name cannot have")]
    Character,
    /// A pattern.
    #[error("is a pattern (*), which names many")]
    Pattern,
    /// The parts are not those of its kind.
    #[error("is not of the form of its kind")]
    Form,
    /// A SPIFFE id that is none.
    #[error("is not a SPIFFE id: {0}")]
    Spiffe(SpiffeError),
    /// `dns:`, `uri:`, `email:` or `cn:` is missing.
    #[error("does not start with dns:, uri:, email: or cn:")]
    Kind,
    /// Not the one spelling that it has.
    #[error("is not in its one spelling, which has hosts in lower case")]
    Spelling,
}

/// Why a certificate has no name to be known by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmapped {
    /// None of the kinds that are looked for.
    #[error("the certificate has no name of the kinds that are looked for")]
    None,
    /// The one that counts cannot be used.
    #[error("its name {kind}:{name:?} {error}")]
    Bad {
        /// Its kind.
        kind: NameKind,
        /// The name as it stands in the certificate.
        name: String,
        /// What is wrong with it.
        error: NameError,
    },
    /// Several where there must be one.
    #[error("it has several names of the kind {0}, and only one is allowed")]
    Several(NameKind),
}

/// The name of a certificate: of the first kind in `kinds` that it has any of, the first.
///
/// If this one cannot be used, the certificate has no name at all: what comes next would be chosen by whoever spoiled it.
/// Two kinds do not bear company, because software has been fooled by it: several common names; and several URIs if one
/// is a SPIFFE id (SPIFFE X509-SVID section 2).
///
/// # Errors
/// [`Unmapped`]
pub fn map(facts: &CertificateFacts, kinds: &[NameKind]) -> Result<MappedName, Unmapped> {
    for &kind in kinds {
        let names = match kind {
            NameKind::Uri => &facts.uri_names,
            NameKind::Dns => &facts.dns_names,
            NameKind::Email => &facts.email_names,
            NameKind::CommonName => &facts.common_names,
        };
        let Some(first) = names.first() else { continue };
        let alone = match kind {
            NameKind::Uri => names.iter().any(|name| spiffe::claims(name)),
            NameKind::CommonName => true,
            NameKind::Dns | NameKind::Email => false,
        };
        if alone && names.len() > 1 {
            return Err(Unmapped::Several(kind));
        }
        return MappedName::new(kind, first).map_err(|error| Unmapped::Bad { kind, name: first.clone(), error });
    }
    Err(Unmapped::None)
}

#[cfg(test)]
mod tests;
