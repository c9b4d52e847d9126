//! Reads the tables of a TOML document, and notes everything that is wrong with its place.

use super::diagnostic::{Finding, Severity};
use super::suggest::closest;
use std::cell::{Cell, RefCell};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A place in the file, in octets.
pub(super) type Span = Range<usize>;

/// The most findings of each severity that are kept; a file with more of them is not a configuration.
const MAX_FINDINGS: usize = 50;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: RefCell<Vec<Finding>>,
    /// All of them are counted, kept or not.
    errors: Cell<usize>,
    warnings: Cell<usize>,
}

/// A value that cannot be used: what is wrong, more about it at its place, and what to do.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) label: String,
    pub(super) help: Option<String>,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { message: message.into(), label: label.into(), help: None }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl Findings {
    pub(super) fn error(&self, span: &Span, problem: Problem) {
        self.note(Severity::Error, span, problem);
    }

    pub(super) fn warn(&self, span: &Span, problem: Problem) {
        self.note(Severity::Warning, span, problem);
    }

    fn note(&self, severity: Severity, span: &Span, Problem { message, label, help }: Problem) {
        let count = match severity {
            Severity::Error => &self.errors,
            Severity::Warning => &self.warnings,
        };
        count.set(count.get() + 1);
        if count.get() <= MAX_FINDINGS {
            self.list.borrow_mut().push(Finding { severity, span: span.clone(), message, label, help });
        }
    }

    /// How many errors were found so far.
    pub(super) fn errors(&self) -> usize {
        self.errors.get()
    }

    /// What `read` gives, and whether it found no error. Where it did, nothing may be concluded from what is not there.
    pub(super) fn watch<T>(&self, read: impl FnOnce() -> T) -> (T, bool) {
        let before = self.errors();
        let value = read();
        (value, self.errors() == before)
    }

    /// What was found, in the order of the file.
    pub(super) fn into_sorted(self) -> Vec<Finding> {
        let mut list = self.list.into_inner();
        list.sort_by_key(|finding| (finding.span.start, finding.span.end));
        list
    }
}

/// A table of the document, whose keys are asked for one by one. Those that nobody asked for are unknown.
pub(super) struct Section<'a> {
    table: &'a DeTable<'a>,
    /// The table's header, or the table itself if it is written inline.
    pub(super) span: Span,
    /// How messages call it: `[store]`, `[[site]]`; empty for the document.
    name: &'static str,
    known: RefCell<Vec<&'static str>>,
    pub(super) findings: &'a Findings,
}

impl<'a> Section<'a> {
    pub(super) fn document(table: &'a Spanned<DeTable<'a>>, findings: &'a Findings) -> Self {
        Self { table: table.get_ref(), span: 0..0, name: "", known: RefCell::default(), findings }
    }

    pub(super) fn error(&self, span: &Span, problem: Problem) {
        self.findings.error(span, problem);
    }

    /// The value of a key, if it is there. From now on the key is known.
    fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.borrow_mut().push(key);
        self.table.get(key)
    }

    /// Whether a key is there. It has to be asked for elsewhere.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether a key has a list without elements.
    pub(super) fn has_empty_list(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|value| matches!(value.get_ref(), DeValue::Array(array) if array.is_empty()))
    }

    /// Where a key is written, for what is wrong with it rather than with its value.
    pub(super) fn key_span(&self, key: &str) -> Span {
        self.table.get_key_value(key).map_or_else(|| self.span.clone(), |(key, _)| key.span())
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        let problem = Problem::new(format!("`{key}` has to be {wanted}"), format!("this is {found}"));
        let problem = match value.get_ref() {
            DeValue::Integer(_) | DeValue::Boolean(_) if wanted.contains("string") => {
                problem.help("put it into quotation marks, with its unit if it has one")
            }
            DeValue::String(text) if !wanted.contains("string") && is_bare(text) => {
                problem.help(format!("without quotation marks: {key} = {text}"))
            }
            _ => problem,
        };
        self.error(&value.span(), problem);
    }

    /// A string.
    pub(super) fn text(&self, key: &'static str) -> Option<Spanned<&'a str>> {
        self.text_of(key, "a string in quotation marks")
    }

    fn text_of(&self, key: &'static str, wanted: &str) -> Option<Spanned<&'a str>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Spanned::new(value.span(), text.as_ref())),
            _ => {
                self.wrong_type(key, value, wanted);
                None
            }
        }
    }

    /// A string that `parse` understands; `wanted` says what it has to be, as in "a string such as \"10m\"".
    pub(super) fn parsed<T>(
        &self,
        key: &'static str,
        wanted: &str,
        parse: impl FnOnce(&'a str) -> Result<T, Problem>,
    ) -> Option<Spanned<T>> {
        let text = self.text_of(key, wanted)?;
        let span = text.span();
        match parse(text.into_inner()) {
            Ok(value) => Some(Spanned::new(span, value)),
            Err(problem) => {
                self.error(&span, problem);
                None
            }
        }
    }

    /// A list of strings, each of which `parse` understands. A string alone is not a list.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        mut parse: impl FnMut(&'a str) -> Result<T, Problem>,
    ) -> Option<Spanned<Vec<Spanned<T>>>> {
        let value = self.value(key)?;
        let DeValue::Array(array) = value.get_ref() else {
            self.wrong_type(key, value, "a list in brackets, [\"...\"]: an array of strings");
            return None;
        };
        let mut list = Vec::new();
        for element in array.iter() {
            match element.get_ref() {
                DeValue::String(text) => match parse(text.as_ref()) {
                    Ok(parsed) => list.push(Spanned::new(element.span(), parsed)),
                    Err(problem) => self.error(&element.span(), problem),
                },
                _ => self.wrong_type(key, element, "a list of strings in quotation marks"),
            }
        }
        Some(Spanned::new(value.span(), list))
    }

    /// An integer in a range.
    pub(super) fn integer(&self, key: &'static str, from: u64, to: u64) -> Option<Spanned<u64>> {
        let value = self.value(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            self.wrong_type(key, value, "an integer");
            return None;
        };
        match u64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) if (from..=to).contains(&number) => Some(Spanned::new(value.span(), number)),
            _ => {
                let label = if to == u64::MAX {
                    format!("it has to be {from} or more")
                } else {
                    format!("it has to be from {from} to {to}")
                };
                self.error(&value.span(), Problem::new(format!("`{key}` is out of range"), label));
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str) -> Option<Spanned<bool>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(Spanned::new(value.span(), *flag)),
            _ => {
                self.wrong_type(key, value, "true or false");
                None
            }
        }
    }

    /// A table inside of this one; `name` is how messages call it.
    pub(super) fn section(&self, key: &'static str, name: &'static str) -> Option<Self> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(self.inner(table, value.span(), name)),
            DeValue::Array(_) => {
                let problem = Problem::new(format!("there can be only one {name}"), "this makes a list of it")
                    .help(format!("write it with single brackets: {name}"));
                self.error(&value.span(), problem);
                None
            }
            _ => {
                self.wrong_type(key, value, &format!("a table, {name}"));
                None
            }
        }
    }

    /// The tables of a list of tables, in the order of the file; `name` is how messages call one.
    pub(super) fn sections(&self, key: &'static str, name: &'static str) -> Vec<Self> {
        let Some(value) = self.value(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::Array(array) => {
                let mut list = Vec::new();
                for element in array.iter() {
                    match element.get_ref() {
                        DeValue::Table(table) => list.push(self.inner(table, element.span(), name)),
                        _ => self.wrong_type(key, element, &format!("a list of tables, {name}")),
                    }
                }
                list
            }
            DeValue::Table(_) => {
                let problem = Problem::new(format!("`{key}` is a list of tables"), "this makes it a single table")
                    .help(format!("write it with double brackets: {name}"));
                self.error(&value.span(), problem);
                Vec::new()
            }
            _ => {
                self.wrong_type(key, value, &format!("a list of tables, {name}"));
                Vec::new()
            }
        }
    }

    const fn inner(&self, table: &'a DeTable<'a>, span: Span, name: &'static str) -> Self {
        Self { table, span, name, known: RefCell::new(Vec::new()), findings: self.findings }
    }

    /// Notes that a key has to be there.
    pub(super) fn missing(&self, key: &str, help: impl Into<String>) {
        // A key that is there and wrong has been noted already.
        if !self.has(key) {
            let problem = Problem::new(format!("`{key}` is missing in {}", self.name), format!("it has no `{key}`"));
            self.error(&self.span, problem.help(help));
        }
    }

    /// Notes that a section has to be there; `name` is how messages call it.
    pub(super) fn missing_section(&self, key: &str, name: &str, help: impl Into<String>) {
        if !self.has(key) {
            self.error(&self.span, Problem::new(format!("there is no {name}"), "").help(help));
        }
    }

    /// Notes the keys that nobody asked for.
    pub(super) fn finish(self) {
        let known = self.known.into_inner();
        for (key, _) in self.table {
            let text: &str = key.get_ref();
            if known.contains(&text) {
                continue;
            }
            let place = if self.name.is_empty() { "at the top level".into() } else { format!("in {}", self.name) };
            let problem = Problem::new(format!("unknown field `{text}` {place}"), "nothing has this name");
            let kebab = text.replace('_', "-").to_lowercase();
            let problem = match closest(&kebab, known.iter().copied()) {
                Some(name) => problem.help(format!("did you mean `{name}`?")),
                None => problem.help(format!("known here: {}", sorted(&known).join(", "))),
            };
            self.findings.error(&key.span(), problem);
        }
    }
}

fn sorted<'k>(known: &[&'k str]) -> Vec<&'k str> {
    let mut names = known.to_vec();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether a string's text could stand without quotation marks.
fn is_bare(text: &str) -> bool {
    matches!(text, "true" | "false") || (!text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit()))
}
