//! Why passwords are refused, and why a realm cannot take them.

use super::credentials::MalformedBasic;
use tagai_core::credential::PrepareError;
use tagai_core::realm::Origin;
use tagai_core::server::ConfigError;

/// Why a password was refused: for the log, in full. The wire has the status alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordFault {
    /// It came over a connection without TLS, so that everybody on the way knows it now.
    #[error("a password was sent without TLS: it should be changed")]
    NoTls,
    /// The field is broken.
    #[error("the credentials are not acceptable: {0}")]
    Malformed(MalformedBasic),
    /// No user can have this name.
    #[error("the user name is not acceptable: {0}")]
    Name(PrepareError),
    /// No user can have this password.
    #[error("the password is not acceptable: {0}")]
    Password(PrepareError),
    /// There is no such user, or it may not log in.
    #[error("the user is unknown")]
    UnknownUser,
    /// The password is not the user's.
    #[error("the password is wrong")]
    WrongPassword,
    /// The verifier from the store belongs to another algorithm. The user was treated as unknown.
    #[error("the stored verifier of the user belongs to another algorithm than the realm; nobody can log in with it")]
    Verifier,
    /// It was not checked: too many are checked at once.
    #[error("there are too many passwords to check at once")]
    Busy,
    /// It could not be checked.
    #[error("the arithmetic library failed, or the program ends")]
    Arithmetic,
}

/// Why a realm cannot take passwords.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordTlsError {
    /// Passwords would go over the network in the clear.
    #[error("{0} is without TLS: passwords (password-tls) are taken at https:// origins alone")]
    NoTls(Origin),
    /// The configuration is wrong in another way.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
