//! Rules of one line, such as `group:ops and proof:x509`.
//!
//! ```text
//! rule   = term *( "and" term )
//! term   = [ "not" ] ( "anyone" / [ "principal:" ] values / key ":" values / "attribute:" value "=" values )
//! key    = "group" / "kind" / "proof" / "method" / "from" / "path" / "host"
//! values = value *( "|" value )
//! value  = 1*( any character but space, quotes, "|", "(", ")" and "," ) / DQUOTE *( character / "\" character ) DQUOTE
//! ```

mod cedar;
mod lexer;
mod parse;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use cedar::{literal, policy_text};
pub use parse::parse;
pub use values::Pattern;

use crate::question::{Kind, ProofMethod};
use std::ops::Range;

/// The most octets of a rule.
pub const MAX_RULE: usize = 2048;
/// The most terms of a rule.
pub const MAX_TERMS: usize = 32;
/// The most values of a term.
pub const MAX_VALUES: usize = 64;

/// A rule: all of its terms have to be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// At least one.
    pub terms: Vec<Term>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Whether it must not be met.
    pub negated: bool,
    /// What is looked at.
    pub test: Test,
    /// Where it stands, in octets of the rule.
    pub span: Range<usize>,
}

/// What a term looks at; each of them is met by one of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// Any proven principal.
    Anyone,
    /// The principal's name.
    Principal(Vec<String>),
    /// A group that it belongs to.
    Group(Vec<String>),
    /// What it is.
    Kind(Vec<Kind>),
    /// How it was proven.
    Proof(Vec<ProofMethod>),
    /// The HTTP method.
    Method(Vec<String>),
    /// Where the client is: addresses and networks, as Cedar reads them.
    From(Vec<String>),
    /// The path.
    Path(Vec<Pattern>),
    /// The host that the request is for.
    Host(Vec<Pattern>),
    /// An attribute, and what it may be.
    Attribute(String, Vec<String>),
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RuleError {
    /// Where, in octets of the rule.
    pub span: Range<usize>,
    /// What.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl RuleError {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}
