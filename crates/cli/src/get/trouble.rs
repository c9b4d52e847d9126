//! What can go wrong with `tagai get`, and the exit code that says so.

use crate::failure::{self, Failure};
use rustls::{CertificateError, PeerIncompatible};
use serde_json::{Value, json};
use std::path::Path;
use tagai_client::{Error, ErrorKind, NetworkFault, SessionFileError, Unproven, UrlError, UsageError};

/// Whose turn it is: one of these for each exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something on this machine failed.
    Local,
    /// The command line is wrong.
    Usage,
    /// A login is needed, or was refused.
    Login,
    /// The server is not proven.
    NotProven,
    /// The network, TLS or HTTP failed.
    Network,
    /// The answer is an HTTP error.
    HttpError,
}

impl Kind {
    /// The exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Local => failure::OTHER,
            Self::Usage => failure::USAGE,
            Self::Login => ErrorKind::Login.exit_code(),
            Self::NotProven => ErrorKind::NotProven.exit_code(),
            Self::Network => ErrorKind::Network.exit_code(),
            Self::HttpError => 22,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Usage => "usage",
            Self::Login => "login",
            Self::NotProven => "not-proven",
            Self::Network => "network",
            Self::HttpError => "http-error",
        }
    }
}

impl From<ErrorKind> for Kind {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Usage => Self::Usage,
            ErrorKind::Login => Self::Login,
            ErrorKind::NotProven => Self::NotProven,
            ErrorKind::Network => Self::Network,
            _ => Self::Local,
        }
    }
}

/// Why `tagai get` failed.
#[derive(Debug)]
pub(crate) struct Trouble {
    kind: Kind,
    failure: Failure,
    /// Standard output has nothing yet that says so.
    unprinted: bool,
}

impl Trouble {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, failure: Failure::with_code(kind.code(), message), unprinted: true }
    }

    pub(crate) fn local(message: impl Into<String>) -> Self {
        Self::new(Kind::Local, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.failure = self.failure.help(text);
        self
    }

    /// Other advice than what there was.
    pub(crate) fn instead(self, text: impl Into<String>) -> Self {
        Self::new(self.kind, self.failure.message()).help(text)
    }

    /// Standard output has a part of the answer, or all of it.
    pub(crate) fn printed(mut self) -> Self {
        self.unprinted = false;
        self
    }

    /// The object for standard output, unless there is something on it already.
    pub(crate) fn object(&self) -> Option<Value> {
        let error =
            json!({"kind": self.kind.name(), "message": self.failure.message(), "exit_code": self.kind.code()});
        self.unprinted.then(|| json!({ "error": error }))
    }

    pub(crate) fn into_failure(self) -> Failure {
        self.failure
    }

    /// A file cannot be used.
    pub(crate) fn file(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::local(format!("cannot {what} {}: {error}", path.display()))
    }
}

/// What has been said, or has no words, as a reader of standard output that has gone.
impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self { kind: Kind::Local, failure, unprinted: false }
    }
}

impl From<SessionFileError> for Trouble {
    fn from(error: SessionFileError) -> Self {
        let trouble = Self::local(error.to_string());
        match error {
            SessionFileError::Io { .. } => {
                trouble.help("--session-file FILE keeps sessions elsewhere; --no-session does without")
            }
            SessionFileError::Damaged(path) => trouble.help(format!("rm '{}'", path.display())),
            _ => trouble.help("--no-session does without kept sessions"),
        }
    }
}

/// What the client says, but for logins: those need to know who was asked for what.
impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let trouble = Self::new(error.kind().into(), message(&error));
        match help(&error) {
            Some(text) => trouble.help(text),
            None => trouble,
        }
    }
}

fn message(error: &Error) -> String {
    let Error::NotProven(attack) = error else { return error.to_string() };
    let origin = &attack.origin;
    match &attack.why {
        Unproven::Expected { status } => format!(
            "{origin} is not proven: you are logged in there, and its answer (status {status}) came without a proof. \
             Nothing of it is shown"
        ),
        Unproven::Required { status } => format!(
            "{origin} is not proven: --require-proof was given, and its answer (status {status}) came without a proof. \
             Nothing of it is shown"
        ),
        why => format!("{origin} is not proven: {why}. Nothing of its answer is shown"),
    }
}

fn help(error: &Error) -> Option<String> {
    let text = match error {
        Error::NotProven(attack) => match attack.why {
            Unproven::Expected { .. } => {
                "either somebody else answers in its place, or the page is public: --no-session fetches it as a stranger"
            }
            Unproven::Required { .. } => "if the page is public, leave out --require-proof",
            Unproven::BodyAsked => "log in first by a request without a body, and send this one again",
            _ => "somebody else may be answering in its place; your password has not been given away",
        },
        Error::Usage(UsageError::Url(UrlError::Scheme)) => "as in: tagai get https://localhost:8443/",
        Error::Usage(UsageError::Roots(_)) => {
            "--cacert FILE names a file of certificates in PEM: of the authority, or of the server itself"
        }
        Error::Network { fault: NetworkFault::Tls(cause), .. } => tls_help(cause.as_ref())?,
        Error::Network { fault: NetworkFault::OtherKey(_), .. } => {
            "if its operator says that the key was changed, give the new pin with --pin; else somebody answers in its place"
        }
        // In TLS 1.3 a server says only after the handshake what it thinks of the client; HTTP/2 has the text alone.
        Error::Network { fault: fault @ NetworkFault::Http(_), .. } => {
            alert_help(fault.to_string().split_once("received fatal alert: ")?.1)?
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// What to do about the commonest faults of TLS.
fn tls_help(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let found = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match found.or_else(|| error.downcast_ref())? {
        // The latter comes from an authority of the same name with another key, as one that was made anew.
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            Some("if the server's certificate comes from an authority of its own, name that with --cacert FILE")
        }
        rustls::Error::PeerIncompatible(PeerIncompatible::IncorrectCertificateTypeExtension) => Some(
            "the server shows a bare key and no certificate: give its pin with --pin; or a certificate, and is not known by --pin",
        ),
        rustls::Error::AlertReceived(alert) => alert_help(&format!("{alert:?}")),
        rustls::Error::InvalidMessage(_) => Some("the server may speak no TLS at this port; is it http://?"),
        _ => None,
    }
}

/// What to do when the server ends a connection with an alert of this name.
fn alert_help(alert: &str) -> Option<&'static str> {
    match alert {
        "CertificateRequired" => {
            Some("the server wants to see a certificate or a bare key: --cert FILE --key FILE, or --raw-key FILE")
        }
        "UnknownCA" | "BadCertificate" | "CertificateUnknown" | "CertificateExpired" | "CertificateRevoked"
        | "AccessDenied" | "DecryptError" => {
            Some("the server did not accept the certificate or the key of --cert or --raw-key; its log says why")
        }
        "UnsupportedCertificate" => Some(
            "the server wants a certificate where a bare key was shown, or the other way round: see --cert, --raw-key, --pin",
        ),
        _ => None,
    }
}
