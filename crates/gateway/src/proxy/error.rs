//! What can go wrong on the way to an application and back.

use super::over::Cut;
use crate::listener::RequestBodyError;
use crate::proof::Refusal;
use http::{Response, StatusCode};
use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

/// Why a request was not answered by its upstream. The text is for the log; the client gets only [`ProxyError::status`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// No connection.
    #[error("{upstream}: cannot connect: {error}; is the application running, and the address right?")]
    Connect {
        /// The upstream, as configured.
        upstream: Box<str>,
        /// What the operating system, or TLS, says.
        error: io::Error,
    },
    /// No connection in time.
    #[error("{upstream}: no connection within {limit:?}")]
    ConnectTimeout {
        /// The upstream, as configured.
        upstream: Box<str>,
        /// The limit.
        limit: Duration,
    },
    /// There are as many connections as there may be.
    #[error("{upstream}: all of its {limit} connections are in use")]
    Busy {
        /// The upstream, as configured.
        upstream: Box<str>,
        /// The limit.
        limit: usize,
    },
    /// No response in time.
    #[error("{upstream}: no response within {limit:?}")]
    ResponseTimeout {
        /// The upstream, as configured.
        upstream: Box<str>,
        /// The limit.
        limit: Duration,
    },
    /// The connection broke, or what came was no HTTP.
    #[error("{upstream}: {}", Causes(.error))]
    Upstream {
        /// The upstream, as configured.
        upstream: Box<str>,
        /// What hyper says.
        error: hyper::Error,
    },
    /// The upstream switches to a protocol that was not asked for.
    #[error("{upstream}: switches protocols without having been asked to")]
    Switch {
        /// The upstream, as configured.
        upstream: Box<str>,
    },
    /// The request is not one that can be forwarded.
    #[error("the request cannot be forwarded: {0}")]
    Request(&'static str),
    /// The request's body is larger than allowed.
    #[error("the request's body has more than {0} octets")]
    TooLarge(u64),
    /// The client sends its body too slowly.
    #[error("the client sent nothing more of the body for {0:?}")]
    ClientIdle(Duration),
    /// The client's body broke off.
    #[error("the client's body broke off: {0}")]
    Client(Box<str>),
    /// Whoever sends it may no longer; see [`Over`](super::Over).
    #[error("whoever sends it is no longer let through")]
    Over(Refusal, Box<str>),
}

impl ProxyError {
    /// The status for the client.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Connect { .. } | Self::Upstream { .. } | Self::Switch { .. } => StatusCode::BAD_GATEWAY,
            Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::ConnectTimeout { .. } | Self::ResponseTimeout { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Request(_) | Self::Client(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ClientIdle(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Over(refusal, _) => refusal.status(),
        }
    }

    /// Whether it is the client's doing and not the upstream's.
    #[must_use]
    pub fn is_clients(&self) -> bool {
        self.status().is_client_error() || matches!(self, Self::Over(..))
    }

    /// What is no longer let through.
    pub(crate) fn over(cut: Cut) -> Self {
        Self::Over(cut.refusal, cut.id.into())
    }

    /// Marks an answer that says so with the refusal's code, and the id under which it is written down.
    pub(crate) fn mark<B>(&self, response: &mut Response<B>) {
        if let Self::Over(refusal, id) = self {
            refusal.mark(response, id);
        }
    }

    /// What the client's body did.
    pub(crate) fn from_body(error: &RequestBodyError) -> Self {
        match error {
            RequestBodyError::TooLarge(limit) => Self::TooLarge(*limit),
            RequestBodyError::Idle(limit) => Self::ClientIdle(*limit),
            RequestBodyError::Client(error) => Self::Client(Causes(error).to_string().into()),
        }
    }

    /// What the upstream did.
    pub(crate) fn from_hyper(upstream: &str, error: hyper::Error) -> Self {
        Self::Upstream { upstream: upstream.into(), error }
    }
}

/// An error with everything below it.
struct Causes<'a>(&'a hyper::Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Why a response's body ended before its end. hyper then resets the client's connection or stream, so that nobody takes
/// the part for the whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The connection to the upstream broke, or what came was no body.
    #[error("the upstream's body broke off: {}", Causes(.0))]
    Upstream(hyper::Error),
    /// The upstream sent nothing for too long.
    #[error("the upstream sent nothing more of the body for {0:?}")]
    Idle(Duration),
    /// Whoever it is for may no longer have it; see [`Over`](super::Over).
    #[error("whoever it is for is no longer let through")]
    Over,
}
