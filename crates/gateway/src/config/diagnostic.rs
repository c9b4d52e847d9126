//! What is wrong with a configuration, where, and what to do about it.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use tagai_policy::{PolicyProblem, ProblemSource};

/// The most characters of a line that are shown; longer lines are cut around what is wrong.
const MAX_SHOWN: usize = 120;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, but is hardly what somebody wants.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A finding, before its place has been looked up.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) label: String,
    pub(super) help: Option<String>,
}

/// One thing that is wrong, or doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    severity: Severity,
    message: String,
    help: Option<String>,
    file: PathBuf,
    place: Option<Place>,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
    /// What is shown of the line, free of control characters.
    shown: String,
    /// Characters of `shown` before the marked part, and of the marked part.
    marked: (usize, usize),
    /// What is said under the marked part.
    label: String,
}

impl Diagnostic {
    /// A finding about the file as a whole.
    pub(super) fn about_file(file: &Path, message: String, help: String) -> Self {
        Self { severity: Severity::Error, message, help: Some(help), file: file.into(), place: None }
    }

    pub(super) fn locate(finding: Finding, file: &Path, source: &str) -> Self {
        let Finding { severity, span, message, label, help } = finding;
        let place = Some(Place::find(source, &span, label));
        Self { severity, message, help, file: file.into(), place }
    }

    /// A finding about policies: in their file, or in the rules of a route.
    pub(crate) fn of_policy(problem: &PolicyProblem) -> Self {
        let (file, place) = match &problem.source {
            ProblemSource::File(name) => (name.clone(), true),
            ProblemSource::Rule { route, index } => (format!("rule {} of {route}", index + 1), true),
            ProblemSource::Route(route) => (route.clone(), false),
        };
        let marked = problem.span.end.saturating_sub(problem.span.start);
        Self {
            severity: match problem.severity {
                tagai_policy::Severity::Error => Severity::Error,
                tagai_policy::Severity::Warning => Severity::Warning,
            },
            message: problem.message.clone(),
            help: problem.help.clone(),
            file: file.into(),
            place: place
                .then(|| Place::of_line(problem.line, &problem.text, problem.column.saturating_sub(1), marked)),
        }
    }

    /// How bad it is.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// More about the marked part of the line; empty if the message says it all.
    #[must_use]
    pub fn label(&self) -> &str {
        self.place.as_ref().map_or("", |place| &place.label)
    }

    /// What to do.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Line and column, both from 1, the column in characters; `None` if it is about the file as a whole.
    #[must_use]
    pub fn position(&self) -> Option<(usize, usize)> {
        self.place.as_ref().map(|place| (place.line, place.column))
    }

    /// The finding as text of several lines, with colours for a terminal if `colour`.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = self.write(&mut text, colour);
        text
    }

    fn write(&self, out: &mut impl fmt::Write, colour: bool) -> fmt::Result {
        let paint = |code: &'static str| if colour { code } else { "" };
        let (bold, blue, plain) = (paint("\x1b[1m"), paint("\x1b[1;34m"), paint("\x1b[0m"));
        let bad = match self.severity {
            Severity::Error => paint("\x1b[1;31m"),
            Severity::Warning => paint("\x1b[1;33m"),
        };
        writeln!(out, "{bad}{}{plain}{bold}: {}{plain}", self.severity.as_str(), self.message)?;
        let Some(place) = &self.place else {
            writeln!(out, "  {blue}-->{plain} {}", self.file.display())?;
            return self.help.iter().try_for_each(|help| writeln!(out, "{bold}help{plain}: {help}"));
        };
        let number = place.line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(out, "{gutter}{blue}-->{plain} {}:{}:{}", self.file.display(), place.line, place.column)?;
        writeln!(out, "{gutter} {blue}|{plain}")?;
        writeln!(out, "{blue}{number} |{plain} {}", place.shown)?;
        let (before, width) = place.marked;
        let carets = "^".repeat(width);
        let space = if place.label.is_empty() { "" } else { " " };
        writeln!(out, "{gutter} {blue}|{plain} {}{bad}{carets}{space}{}{plain}", " ".repeat(before), place.label)?;
        if let Some(help) = &self.help {
            writeln!(out, "{gutter} {blue}={plain} {bold}help{plain}: {help}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, false)
    }
}

impl Place {
    fn find(source: &str, span: &Range<usize>, label: String) -> Self {
        // A span that is not between characters, or behind the end, cannot be; the file's end is as good as any place.
        let (before, _) = source.split_at_checked(span.start).unwrap_or((source, ""));
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).unwrap_or_default().chars().count();
        let whole = source.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        let marked = source.get(span.clone()).unwrap_or_default().lines().next().unwrap_or_default().chars().count();
        Self { label, ..Self::in_line(line, whole, column, marked) }
    }

    /// A part of a line that is known: it begins behind `column` characters, and has `octets` octets at most.
    fn of_line(line: usize, whole: &str, column: usize, octets: usize) -> Self {
        let start = whole.char_indices().nth(column).map_or(whole.len(), |(at, _)| at);
        let rest = whole.get(start..).unwrap_or_default();
        let marked = rest.char_indices().take_while(|(at, _)| *at < octets).count();
        Self::in_line(line, whole, column, marked)
    }

    fn in_line(line: usize, whole: &str, column: usize, marked: usize) -> Self {
        let skipped = column.saturating_sub(MAX_SHOWN / 2);
        let skipped = if whole.chars().count() <= MAX_SHOWN { 0 } else { skipped };
        let shown: String =
            whole.chars().skip(skipped).take(MAX_SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let before = column.saturating_sub(skipped);
        let width = marked.min(shown.chars().count().saturating_sub(before)).max(1);
        Self { line, column: column + 1, shown, marked: (before, width), label: String::new() }
    }
}

/// Why a configuration cannot be used: everything that was found, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    diagnostics: Vec<Diagnostic>,
}

impl ConfigErrors {
    pub(super) const fn new(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics }
    }

    /// What was found: at least one error, and perhaps warnings.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Everything as text, with colours for a terminal if `colour`.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            text.push_str(&diagnostic.render(colour));
            text.push('\n');
        }
        let errors = self.diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
        let plural = if errors == 1 { "" } else { "s" };
        let _ = write!(text, "{errors} error{plural} in the configuration; nothing was changed");
        text
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ConfigErrors {}
