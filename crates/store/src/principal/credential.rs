//! What was proven.

use super::{
    Authority, CertificateName, KeyPin, MAX_AUTHORITY_LEN, MAX_CERTIFICATE_NAME_LEN, NameError, SubjectName,
};
use std::fmt;
use std::str::FromStr;
use tagai_core::credential::{MAX_USERNAME_LEN, Username};

/// The longest text form of a credential, in octets.
pub const MAX_CREDENTIAL_LEN: usize = "x509:".len() + MAX_AUTHORITY_LEN + "/email:".len() + MAX_CERTIFICATE_NAME_LEN;
const _: () = assert!(MAX_CREDENTIAL_LEN >= "user:/".len() + MAX_AUTHORITY_LEN + MAX_USERNAME_LEN);

/// What somebody has proven: one name of one authority, or one key. Its text form, on the command line and in the audit
/// log, is one of
///
/// - `user:staff/alice`: the user `alice` of the realm `staff`, by whichever method;
/// - `x509:partners/dns:device1.example.com`: a certificate that the client CA `partners` has verified, with this name;
/// - `key:sha256:BASE64`: a bare public key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credential {
    /// A user of a realm.
    User {
        /// The id of the realm in the configuration.
        realm: Authority,
        /// The user.
        name: Username,
    },
    /// The holder of a verified certificate.
    Certificate {
        /// The id of the client CA in the configuration.
        client_ca: Authority,
        /// The name that the client CA maps the certificate to.
        name: CertificateName,
    },
    /// The holder of a bare public key.
    Key(KeyPin),
}

impl Credential {
    /// The id of the realm or client CA that vouches for it; a bare key has none.
    #[must_use]
    pub const fn authority(&self) -> Option<&Authority> {
        match self {
            Self::User { realm: authority, .. } | Self::Certificate { client_ca: authority, .. } => Some(authority),
            Self::Key(_) => None,
        }
    }

    /// The name of the principal that this credential is by itself, as long as it belongs to no registered one. A bare key
    /// is nobody then.
    #[must_use]
    pub fn subject(&self) -> Option<SubjectName> {
        SubjectName::of_credential(self)
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { realm, name } => write!(f, "user:{realm}/{name}"),
            Self::Certificate { client_ca, name } => write!(f, "x509:{client_ca}/{name}"),
            Self::Key(pin) => write!(f, "key:{pin}"),
        }
    }
}

impl FromStr for Credential {
    type Err = NameError;

    /// Reads the text form. The name of a user is taken as it stands: what somebody typed is prepared before, by
    /// [`Username::prepare`].
    fn from_str(text: &str) -> Result<Self, NameError> {
        let split = |rest: &str| -> Result<(Authority, String), NameError> {
            let (authority, name) = rest.split_once('/').ok_or(NameError::NoAuthority)?;
            Ok((Authority::new(authority)?, name.to_owned()))
        };
        match text.split_once(':').ok_or(NameError::CredentialKind)? {
            ("user", rest) => {
                let (realm, name) = split(rest)?;
                Ok(Self::User { realm, name: Username::prepared(name).map_err(|_| NameError::UserName)? })
            }
            ("x509", rest) => {
                let (client_ca, name) = split(rest)?;
                Ok(Self::Certificate { client_ca, name: name.parse()? })
            }
            ("key", pin) => Ok(Self::Key(pin.parse()?)),
            _ => Err(NameError::CredentialKind),
        }
    }
}
