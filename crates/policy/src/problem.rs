//! What is wrong with policies, where, and what to do about it.

use std::fmt;
use std::ops::Range;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The policies cannot be used.
    Error,
    /// They can be used, but hardly say what somebody wants.
    Warning,
}

/// The text that a problem is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemSource {
    /// A policy file, by the name of its [`Source`](crate::Source).
    File(String),
    /// A one-line rule.
    Rule {
        /// The route.
        route: String,
        /// Which entry of its `allow`, from 0.
        index: usize,
    },
    /// The rules of a route as a whole.
    Route(String),
}

/// One thing that is wrong, or doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyProblem {
    /// How bad it is.
    pub severity: Severity,
    /// The text that it is in.
    pub source: ProblemSource,
    /// The part of that text, in octets; on character boundaries, perhaps empty.
    pub span: Range<usize>,
    /// The line of the part's beginning, from 1.
    pub line: usize,
    /// The column of the part's beginning, in characters, from 1.
    pub column: usize,
    /// The line itself, without its end.
    pub text: String,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl PolicyProblem {
    pub(crate) fn new(source: ProblemSource, text: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        let start = boundary(text, span.start);
        let end = boundary(text, span.end).max(start);
        let (before, _) = text.split_at_checked(start).unwrap_or((text, ""));
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let whole = text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
        Self {
            severity: Severity::Error,
            source,
            span: start..end,
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            text: whole.into(),
            message: one_line(&message.into()),
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(one_line(&help.into()));
        self
    }

    pub(crate) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

/// The boundary of a character at or before a place.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Messages may quote what was written, which may hold anything.
fn one_line(text: &str) -> String {
    // Nor should what turns the direction of text turn that of the message.
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect()
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            ProblemSource::File(name) => write!(f, "{name}:{}:{}: ", self.line, self.column)?,
            ProblemSource::Rule { route, .. } => {
                write!(f, "rule {:?} of {route}, column {}: ", self.text, self.column)?
            }
            ProblemSource::Route(route) => write!(f, "{route}: ")?,
        }
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

impl std::error::Error for PolicyProblem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_from_one() {
        let problem =
            PolicyProblem::new(ProblemSource::File("p".into()), "a\n\u{4e92}\u{3044} b\n", 9..10, "bad\nthing");
        assert_eq!((problem.line, problem.column, &*problem.text), (2, 4, "\u{4e92}\u{3044} b"));
        assert_eq!(problem.to_string(), "p:2:4: bad thing");
    }

    #[test]
    fn a_place_inside_of_a_character_or_behind_the_end_is_moved() {
        for span in [3..4, 4..900, 900..901, 3..3] {
            let problem = PolicyProblem::new(ProblemSource::File("p".into()), "a\n\u{4e92}", span, "bad");
            assert!(problem.span.end <= 5 && problem.span.start <= problem.span.end);
            assert_eq!(problem.line, 2);
        }
    }
}
