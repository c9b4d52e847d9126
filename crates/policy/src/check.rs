//! What Cedar finds wrong, put into words and places.

use crate::problem::{PolicyProblem, ProblemSource};
use cedar_policy::{Schema, ValidationWarning, Validator};
use miette::Diagnostic;
use std::ops::Range;

/// The schema, in Cedar's syntax for people.
pub(crate) const SCHEMA: &str = include_str!("schema.cedarschema");

/// # Errors
///
/// What Cedar says of the schema; tests parse it.
pub(crate) fn validator() -> Result<Validator, String> {
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|error| error.to_string())?;
    Ok(Validator::new(schema))
}

/// A text, and where it stands in a larger one.
#[derive(Debug, Clone)]
pub(crate) struct Piece<'t> {
    pub(crate) source: &'t ProblemSource,
    pub(crate) whole: &'t str,
    /// Its octets in `whole`.
    pub(crate) span: Range<usize>,
}

impl Piece<'_> {
    pub(crate) fn problem(&self, span: Range<usize>, message: impl Into<String>) -> PolicyProblem {
        let start = self.span.start;
        let end = span.end.min(self.span.len());
        PolicyProblem::new(self.source.clone(), self.whole, start + span.start..start + end, message)
    }

    /// A problem of Cedar's.
    pub(crate) fn report(&self, found: &(impl Diagnostic + ?Sized)) -> PolicyProblem {
        let label = found.labels().into_iter().flatten().next();
        let span = label.as_ref().map_or(0..0, |label| label.offset()..label.offset() + label.len());
        let detail = label.as_ref().and_then(|label| label.label()).filter(|label| !label.is_empty());
        let message = message(found);
        let problem =
            self.problem(span, detail.map_or_else(|| message.clone(), |detail| format!("{message}: {detail}")));
        let help = ours(&message).map(Into::into).or_else(|| found.help().map(|help| help.to_string()));
        match help {
            Some(help) => problem.help(help),
            None => problem,
        }
    }
}

/// Without the id of the policy and the action, since the place says more.
fn message(found: &(impl Diagnostic + ?Sized)) -> String {
    let text = found.to_string();
    let rest = text.strip_prefix("for policy `").and_then(|rest| rest.split_once("`, ")).map(|(_, rest)| rest);
    rest.unwrap_or(&text).replace(" for Action::\"Request\"", "").replace(" for Action::\"Connect\"", "")
}

/// What to do about what is met most, in words of this schema.
fn ours(message: &str) -> Option<&'static str> {
    if message.contains("on entity type `Guest`") {
        Some("a guest has no attributes: write `principal is Principal` in the first line")
    } else if message.contains("template") {
        Some("templates are not supported: write the principal or the resource out")
    } else {
        None
    }
}

/// What the validator warns of is an error here, except letters of several scripts, which somebody may want: a policy that
/// applies to nothing is a `forbid` that does not forbid or a `permit` that somebody counts on.
pub(crate) fn is_harmless(warning: &ValidationWarning) -> bool {
    matches!(
        warning,
        ValidationWarning::MixedScriptString(_)
            | ValidationWarning::MixedScriptIdentifier(_)
            | ValidationWarning::ConfusableIdentifier(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_one_without_warnings() {
        let (_, warnings) = Schema::from_cedarschema_str(SCHEMA).expect("a schema");
        assert_eq!(warnings.count(), 0);
    }
}
