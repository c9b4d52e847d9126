//! Names in certificates.

use super::NameError;
use std::fmt;
use std::str::FromStr;

/// The longest name in a certificate, in octets: that of a SPIFFE id (SPIFFE-ID §2.3).
pub const MAX_CERTIFICATE_NAME_LEN: usize = 2048;

/// What kind of name of a certificate stands for its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// A `dNSName` among the subject's alternative names (RFC 5280 §4.2.1.6).
    Dns,
    /// A `uniformResourceIdentifier` there; SPIFFE ids are such.
    Uri,
    /// An `rfc822Name` there.
    Email,
    /// The common name of the subject.
    Cn,
}

impl NameKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Dns, Self::Uri, Self::Email, Self::Cn];

    /// The text form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Uri => "uri",
            Self::Email => "email",
            Self::Cn => "cn",
        }
    }
}

impl fmt::Display for NameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NameKind {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(NameError::CertificateNameKind)
    }
}

/// A name that a certificate has, in its one spelling: `dns:device1.example.com`.
///
/// DNS names, and the host of an e-mail address, are kept in lower case (RFC 5280 §7.2 and §7.5). Everything else is
/// compared octet for octet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateName {
    kind: NameKind,
    value: Box<str>,
}

impl CertificateName {
    /// Takes a name, and puts it into its one spelling.
    ///
    /// # Errors
    /// [`NameError::CertificateName`].
    pub fn new(kind: NameKind, value: &str) -> Result<Self, NameError> {
        let good = |c: char| if kind == NameKind::Cn { !c.is_control() } else { c.is_ascii_graphic() };
        if !(1..=MAX_CERTIFICATE_NAME_LEN).contains(&value.len()) || !value.chars().all(good) {
            return Err(NameError::CertificateName);
        }
        let value = match kind {
            NameKind::Dns => value.to_ascii_lowercase(),
            NameKind::Email => match value.rsplit_once('@') {
                Some((local, host)) => format!("{local}@{}", host.to_ascii_lowercase()),
                None => return Err(NameError::CertificateName),
            },
            NameKind::Uri | NameKind::Cn => value.to_owned(),
        };
        Ok(Self { kind, value: value.into() })
    }

    /// What kind of name it is.
    #[must_use]
    pub const fn kind(&self) -> NameKind {
        self.kind
    }

    /// The name without its kind.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

impl FromStr for CertificateName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (kind, value) = text.split_once(':').ok_or(NameError::CertificateNameKind)?;
        Self::new(kind.parse()?, value)
    }
}
