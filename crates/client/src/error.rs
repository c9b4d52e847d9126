//! Why there is no answer, and whose turn it is.

use crate::identity::KeyPin;
use crate::url::UrlError;
use std::time::Duration;
use tagai_core::client::Fatal;
use tagai_core::control::Location;
use tagai_core::message::Reason;
use tagai_core::realm::{AuthRealm, Origin};

/// Whatever an error of the system or of a library is.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a request has no answer that may be used.
///
/// Where a server answered, nothing of its answer can be reached from here but what an attacker may say anyway: a realm's
/// name, a status code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request is not one that can be sent: a mistake of the caller.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The server asks for a login, and there is none, or it was refused.
    #[error(transparent)]
    Login(Box<LoginRequired>),
    /// The server had to be proven and was not.
    #[error(transparent)]
    NotProven(Box<NotProven>),
    /// The network, TLS or HTTP failed.
    #[error("{origin}: {fault}")]
    Network {
        /// The server that was asked.
        origin: Box<Origin>,
        /// What failed.
        fault: NetworkFault,
    },
    /// The proxy did not take the request to its server.
    #[error(transparent)]
    Proxy(Box<ProxyRefused>),
    /// A redirect leads where this client does not go.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// The body of the request is used up: it came from a stream, and the server asked for a login after it was sent.
    #[error(
        "{0} asked for a login when the request's body, a stream, had been sent already: log in first by a GET in the same realm, and send the body again"
    )]
    BodyGone(Box<Origin>),
    /// Something failed that is neither's fault, as the random generator.
    #[error("the client itself failed: {0}")]
    Internal(&'static str),
}

/// What kind of trouble an [`Error`] is: what a program decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller's mistake: a bad URL, header or setting.
    Usage,
    /// A login is needed, or was refused.
    Login,
    /// The server is not proven; not an octet of its answer may be used.
    NotProven,
    /// Network, TLS, HTTP or redirects.
    Network,
    /// The client failed by itself.
    Internal,
}

impl ErrorKind {
    /// The exit code that stands for it in command lines.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Login => 3,
            Self::NotProven => 4,
            Self::Network => 5,
        }
    }
}

impl Error {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Usage(_) => ErrorKind::Usage,
            Self::Login(_) | Self::BodyGone(_) => ErrorKind::Login,
            Self::NotProven(_) => ErrorKind::NotProven,
            Self::Network { .. } | Self::Proxy(_) | Self::Redirect(_) => ErrorKind::Network,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    pub(crate) fn network(origin: &Origin, fault: NetworkFault) -> Self {
        Self::Network { origin: Box::new(origin.clone()), fault }
    }

    pub(crate) fn not_proven(origin: &Origin, why: Unproven) -> Self {
        Self::NotProven(Box::new(NotProven { origin: origin.clone(), why }))
    }

    /// A fatal error of the protocol: the peer's fault, but for the few that are ours.
    pub(crate) fn fatal(origin: &Origin, fatal: Fatal) -> Self {
        match fatal {
            Fatal::NotSent | Fatal::OtherClient | Fatal::ChannelMismatch(_) => {
                Self::Internal("a step of the protocol was taken out of order")
            }
            fatal => Self::not_proven(origin, Unproven::Fatal(fatal)),
        }
    }
}

impl From<UrlError> for Error {
    fn from(error: UrlError) -> Self {
        Self::Usage(error.into())
    }
}

/// A mistake of the caller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// The URL.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// A header that HTTP does not allow.
    #[error("\"{0}\" is not a header that can be sent: names are tokens, values have no control characters")]
    Header(String),
    /// A header that only this client may set.
    #[error("the header \"{0}\" is set by the client itself and cannot be given")]
    ReservedHeader(String),
    /// A method that is no token, or `CONNECT`.
    #[error("\"{0}\" is not a method that can be sent")]
    Method(String),
    /// No certificate in what should hold root certificates.
    #[error("the root certificates cannot be used: {0}")]
    Roots(String),
    /// A certificate, key or pin that cannot be used.
    #[error("{0}")]
    Identity(String),
    /// A password that cannot be sent by `password-tls`.
    #[error("the password cannot be sent by password-tls: {0}")]
    PasswordTls(&'static str),
    /// The URL of a proxy has more than a server in it.
    #[error("{0} is not the URL of a proxy: it has a scheme, a host and a port, and no path")]
    Proxy(String),
    /// A limit that lets nothing through.
    #[error("{0} is too small to work with")]
    Limit(&'static str),
}

/// A server asks for a login.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoginRequired {
    /// The server that asks.
    pub origin: Origin,
    /// The realm that it asks for. Its scope has been checked.
    pub realm: AuthRealm,
    /// The reason that the server gave.
    pub reason: Reason,
    /// How many credentials were tried for this request and refused.
    pub attempts: u32,
    /// Where the server would send a browser to log in (RFC 8053 §4.3). Who said so has proven nothing.
    pub location: Option<Location>,
    /// The server wants nobody to be asked here (RFC 8053 §4.4).
    pub no_auth: bool,
    /// It is the proxy that asks, and not a server behind it.
    pub proxy: bool,
}

impl std::fmt::Display for LoginRequired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { origin, realm, reason, attempts, location, no_auth, proxy } = self;
        if *proxy {
            f.write_str("the proxy ")?;
        }
        if *attempts > 0 {
            write!(f, "{origin} did not accept the user name and password for {realm} ({reason}): check both")?;
        } else {
            write!(f, "{origin} asks for a login to {realm} ({reason}): give a user name and a password")?;
        }
        if let Some(location) = location {
            write!(f, "; it says that one logs in at {}", location.as_str())?;
        }
        if *no_auth {
            f.write_str("; it does not want users to be asked at this place")?;
        }
        Ok(())
    }
}

impl std::error::Error for LoginRequired {}

/// A proxy that does not take a request to its server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyRefused {
    /// The proxy.
    pub proxy: Origin,
    /// Where it was to lead: host and port, or a URL.
    pub target: String,
    /// The status of its answer.
    pub status: u16,
    /// Whether it is proven that the proxy itself said so.
    pub proven: bool,
}

impl std::fmt::Display for ProxyRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { proxy, target, status, proven } = self;
        write!(f, "the proxy {proxy} does not lead to {target}: it answered {status}")?;
        f.write_str(match status {
            407 => ", and asks for a login by another scheme than Mutual",
            403 => ", so its rules do not allow it",
            _ => "",
        })?;
        if *proven { Ok(()) } else { f.write_str(" (the proxy is not proven)") }
    }
}

impl std::error::Error for ProxyRefused {}

/// A server that had to be proven and was not. Of its answer, nothing is left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin} is not proven to be the server that knows you: {why}. Nothing of its answer was used")]
#[non_exhaustive]
pub struct NotProven {
    /// The server, by the URL.
    pub origin: Origin,
    /// What it did.
    pub why: Unproven,
}

/// In which way a server failed to prove itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unproven {
    /// It broke the protocol (RFC 8120 §10.1 "fatal communication error").
    #[error(transparent)]
    Fatal(#[from] Fatal),
    /// The user is logged in where the URL lies, and the server answered as if that were nothing.
    #[error(
        "you are logged in to a realm that this URL belongs to, and the answer (status {status}) came without proof. If the page is public, ask for it with unproven answers allowed"
    )]
    Expected {
        /// The status code that came.
        status: u16,
    },
    /// A proof was required, and the answer came without one.
    #[error("a proof was required, and the answer (status {status}) came without one")]
    Required {
        /// The status code that came.
        status: u16,
    },
    /// The server asked for the request's body and had not proven itself.
    #[error(
        "it asked for the body of the request before it had proven itself, and was not given it. Log in first, by a GET in the same realm"
    )]
    BodyAsked,
}

/// What failed below the protocol.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkFault {
    /// The name has no address, or none of its addresses answers.
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    /// The TLS handshake failed.
    #[error("no TLS connection: {0}")]
    Tls(BoxError),
    /// The server showed a bare key that is not pinned.
    #[error("the server's key is not one that it is known by; its pin is {0}")]
    OtherKey(KeyPin),
    /// The certificate is one to which a login cannot be bound.
    #[error("the server's certificate cannot be used: {0}")]
    Certificate(#[from] tagai_core::validation::EndPointError),
    /// HTTP failed: a connection that ended, a response that cannot be read, a head that is too large.
    #[error("HTTP failed: {}", chain(.0))]
    Http(#[from] hyper::Error),
    /// The stream that gives the body of the request failed.
    #[error("the body of the request could not be read: {0}")]
    RequestBody(BoxError),
    /// It took too long.
    #[error("{what} took longer than {} ms", .after.as_millis())]
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// How long.
        after: Duration,
    },
}

/// A message with its causes: hyper's own says little.
fn chain(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// A redirect that is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// More than the client's `max_redirects`.
    #[error("there were more than {0} redirects; the last led to {1}")]
    TooMany(usize, String),
    /// From `https` to `http`.
    #[error("a redirect leads from https to http, to {0}, and is not followed")]
    Downgrade(String),
    /// The location is no URL of this client.
    #[error("the location of a redirect cannot be used: {0}")]
    Location(#[from] UrlError),
}
