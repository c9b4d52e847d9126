//! Names of principals, registered or not.

use super::{Authority, CertificateName, Credential, MAX_CREDENTIAL_LEN, NameError, NameKind, PrincipalName};
use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use tagai_core::credential::Username;

/// The longest name of a principal that is not registered, in octets.
pub const MAX_SUBJECT_LEN: usize = MAX_CREDENTIAL_LEN;

/// In front of the names of users that could be taken for something else.
const USER: &str = "user:";

/// The name of any principal: `alice` is a registered one, `staff/alice` and `partners/dns:device1.example.com` are not.
///
/// The `/` tells the two kinds apart. No two credentials give one name, even where a realm and a client CA have the same
/// id: a user whose own name looks like that of a certificate (`dns:x`) has `user:` in front of it (`staff/user:dns:x`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectName(Box<str>);

/// Whether the name of a user begins like something else.
fn looks_like_another(name: &str) -> bool {
    name.starts_with(USER)
        || name.split_once(':').is_some_and(|(kind, _)| NameKind::ALL.into_iter().any(|known| known.as_str() == kind))
}

impl SubjectName {
    /// The name that a credential gives while it belongs to nobody; a bare key gives none.
    #[must_use]
    pub fn of_credential(credential: &Credential) -> Option<Self> {
        let name = match credential {
            Credential::User { realm, name } => {
                let kind = if looks_like_another(name.as_str()) { USER } else { "" };
                format!("{realm}/{kind}{name}")
            }
            Credential::Certificate { client_ca, name } => format!("{client_ca}/{name}"),
            Credential::Key(_) => return None,
        };
        Some(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The credential whose name this is, or `None` for a registered principal.
    #[must_use]
    pub fn credential(&self) -> Option<Credential> {
        read(&self.0)
    }
}

fn read(text: &str) -> Option<Credential> {
    let (authority, name) = text.split_once('/')?;
    let authority = Authority::new(authority).ok()?;
    if let Some(rest) = name.strip_prefix(USER) {
        let name = Username::prepared(rest).ok().filter(|_| looks_like_another(rest))?;
        Some(Credential::User { realm: authority, name })
    } else if looks_like_another(name) {
        Some(Credential::Certificate { client_ca: authority, name: name.parse::<CertificateName>().ok()? })
    } else {
        Some(Credential::User { realm: authority, name: Username::prepared(name).ok()? })
    }
}

impl From<&PrincipalName> for SubjectName {
    fn from(name: &PrincipalName) -> Self {
        Self(name.as_str().into())
    }
}

impl Borrow<str> for SubjectName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SubjectName {
    type Err = NameError;

    /// Reads a name, and puts it into its one spelling.
    fn from_str(text: &str) -> Result<Self, NameError> {
        if let Ok(name) = text.parse::<PrincipalName>() {
            return Ok(Self::from(&name));
        }
        read(text).and_then(|credential| credential.subject()).ok_or(NameError::SubjectName)
    }
}
