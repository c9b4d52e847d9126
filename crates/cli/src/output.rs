//! What is written where.

use crate::failure::Failure;
use std::io::{self, IsTerminal as _, Write as _};

/// Writes to standard output. If its reader has gone, as `head` does, nobody wants the rest, and the program ends.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::said(0),
        _ => Failure::other(format!("standard output cannot be written: {error}")),
    })
}

/// Writes a line to standard output.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    print(&format!("{text}\n"))
}

/// Writes a value as JSON to standard output.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::other(format!("the result has no JSON form: {error}")))?;
    line(&text)
}

/// Says something to the person in front of the program, on standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Whether standard error is a terminal that shows colours, and the user wants them (<https://no-color.org>).
pub(crate) fn colour_on_stderr() -> bool {
    wants_colour() && io::stderr().is_terminal()
}

/// The same for standard output.
pub(crate) fn colour_on_stdout() -> bool {
    wants_colour() && io::stdout().is_terminal()
}

fn wants_colour() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

/// Shows on a terminal's standard error how far a long task is.
pub(crate) struct Progress {
    what: &'static str,
    total: usize,
    shown: bool,
}

impl Progress {
    /// A task of `total` steps. Short ones are not shown.
    pub(crate) fn new(what: &'static str, total: usize) -> Self {
        Self { what, total, shown: total >= 50 && io::stderr().is_terminal() }
    }

    /// `done` steps are done.
    pub(crate) fn show(&self, done: usize) {
        // A hundred times is often enough.
        let step = self.total.div_ceil(100).max(1);
        if self.shown && (done.is_multiple_of(step) || done == self.total) {
            let _ = write!(io::stderr(), "\r{} {done} of {}", self.what, self.total);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
