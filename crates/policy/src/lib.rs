//! Who may do what.
//!
//! [`Policies`] are made from files in the language Cedar and from rules of one line ([`RouteRules`]), and answer for each request
//! whether it may pass: [`Policies::decide`], and why: [`Policies::explain`]. Nothing passes that no policy permits; a `forbid`
//! wins over every `permit`; a question that cannot be answered is answered with no.
//!
//! There is no clock, no file and no socket here: texts and times are arguments.

mod check;
mod decide;
mod explain;

mod facts;
mod index;
mod literals;
mod load;
mod names;
mod problem;
mod question;
mod readings;
mod routes;
/// The parser of one-line rules.
pub mod rule;
mod suggest;
mod time;

pub use decide::{Decision, EvaluationFailure, Refusal};
pub use explain::{Considered, Explanation, Outcome, Part};

pub use load::Source;
pub use problem::{PolicyProblem, ProblemSource, Severity};
pub use question::{Action, Certificate, Kind, Proof, ProofMethod, Question, Subject};
pub use routes::{Access, Policies, RouteRules};

/// The most octets of a policy file.
pub const MAX_FILE: usize = 1 << 20;
/// The most octets of one policy in a file.
pub const MAX_POLICY: usize = 32 * 1024;
/// The most policies in all files together.
pub const MAX_POLICIES: usize = 10_000;
/// The most one-line rules of a route.
pub const MAX_RULES: usize = 256;
