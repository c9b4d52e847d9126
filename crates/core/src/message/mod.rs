//! The six messages of RFC 8120 §4, and the header fields that carry them.
//!
//! Every message is a type of its own whose parts are checked; nothing outside of the crate can put one together wrong.
//! What arrives is read by [`ServerMessage::read`], [`ClientMessage::read`] and [`VfyS::read`].

mod client;
mod field;
mod reason;
mod server;
mod sid;
mod terms;

pub use client::{ClientMessage, KexC1, VfyC};
pub use field::{Field, Role};
pub use reason::Reason;
pub use server::{Init, KexS1, ServerMessage, Stale, VfyS};
pub use sid::{MAX_SID_LEN, Sid};
pub use terms::Terms;

use crate::grammar::{Challenge, ParamError, Params, SyntaxError};
use alloc::string::String;

/// The name of the authentication scheme (RFC 8120 §3).
pub const SCHEME: &str = "Mutual";

/// Why what arrived is no message of this protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The field does not match the grammar of HTTP.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A parameter is missing or of the wrong kind.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// Mutual with a `token68` instead of parameters (RFC 8120 §3).
    #[error("a Mutual field has parameters, and this one has a token68")]
    Token68,
    /// Another `version` than 1 (RFC 8120 §4).
    #[error("protocol version \"{0}\" is not supported, only \"1\" is")]
    Version(String),
    /// An algorithm that RFC 8121 does not define.
    #[error("the algorithm \"{0}\" is not supported")]
    Algorithm(String),
    /// A validation method that is not known.
    #[error("the validation method \"{0}\" is not supported")]
    Validation(String),
    /// Two parameters that exclude each other, or one that belongs to the other direction (RFC 8120 §4).
    #[error("parameters that cannot stand in one message: {0}")]
    Exclusive(&'static str),
    /// None of the parameters that tell which message it is.
    #[error("no parameter tells which message this is: {0}")]
    Kind(&'static str),
    /// More than one Mutual challenge or credential where one is allowed (RFC 8120 §4.1).
    #[error("there is more than one Mutual challenge or credential")]
    TwoMessages,
}

/// The parameters of a Mutual challenge or credential.
fn params(challenge: &Challenge) -> Result<&Params, MessageError> {
    if challenge.token68().is_some() { Err(MessageError::Token68) } else { Ok(challenge.params()) }
}

/// `version`: always there, always 1.
fn check_version(params: &Params) -> Result<(), MessageError> {
    let version = mandatory(params.token("version")?, "version")?;
    if version.as_str() == "1" { Ok(()) } else { Err(MessageError::Version(version.as_str().into())) }
}

fn mandatory<T>(value: Option<T>, name: &'static str) -> Result<T, ParamError> {
    value.ok_or(ParamError::Missing { name })
}

/// Whether `name` is `prefix` followed by a decimal number: `kc#`, `ks#`.
fn is_numbered(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|number| !number.is_empty() && number.bytes().all(|o| o.is_ascii_digit()))
}

/// The rules of RFC 8120 §4 for responses: at most one of `reason`, `ks#`, `vks`, and none of `kc#`, `vkc`.
fn check_response(params: &Params) -> Result<(), MessageError> {
    if params.iter().any(|param| is_numbered(param.name(), "kc") || param.name() == "vkc") {
        return Err(MessageError::Exclusive("kc# and vkc belong to requests"));
    }
    let exclusive = |name: &str| matches!(name, "reason" | "vks") || is_numbered(name, "ks");
    if params.iter().filter(|param| exclusive(param.name())).count() > 1 {
        return Err(MessageError::Exclusive("reason, ks# and vks"));
    }
    Ok(())
}

/// The rules of RFC 8120 §4 for requests: at most one of `kc#`, `vkc`, and none of `ks#`, `vks`.
fn check_request(params: &Params) -> Result<(), MessageError> {
    if params.iter().any(|param| is_numbered(param.name(), "ks") || param.name() == "vks") {
        return Err(MessageError::Exclusive("ks# and vks belong to responses"));
    }
    let exclusive = |name: &str| name == "vkc" || is_numbered(name, "kc");
    if params.iter().filter(|param| exclusive(param.name())).count() > 1 {
        return Err(MessageError::Exclusive("kc# and vkc"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
