//! What went wrong, and the exit code that says so.

use crate::output;
use std::io::Write as _;
use std::process::ExitCode;
use tagai_gateway::config::ConfigErrors;

/// Exit code for a wrong command line or a bad configuration.
pub(crate) const USAGE: u8 = 2;
/// Exit code for everything else that failed.
pub(crate) const OTHER: u8 = 1;

/// A command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    report: Report,
}

#[derive(Debug)]
enum Report {
    Message {
        message: String,
        help: Option<String>,
    },
    Config(ConfigErrors),
    /// Everything has been said already.
    Said,
}

impl Failure {
    /// Failed with a code of its own.
    pub(crate) fn with_code(code: u8, message: impl Into<String>) -> Self {
        Self { code, report: Report::Message { message: message.into(), help: None } }
    }

    /// The command line is wrong, or does not fit the configuration.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::with_code(USAGE, message)
    }

    /// Something else failed.
    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self::with_code(OTHER, message)
    }

    /// It failed, and the reason is on the screen.
    pub(crate) const fn said(code: u8) -> Self {
        Self { code, report: Report::Said }
    }

    /// Says what to do about it.
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        if let Report::Message { help, .. } = &mut self.report {
            *help = Some(text.into());
        }
        self
    }

    /// What went wrong, if it can be said in a line.
    pub(crate) fn message(&self) -> &str {
        match &self.report {
            Report::Message { message, .. } => message,
            Report::Config(_) => "the configuration is wrong",
            Report::Said => "it failed",
        }
    }

    /// Writes the reason to standard error; gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let colour = output::colour_on_stderr();
        let mut stderr = std::io::stderr().lock();
        // Where nobody can be told, the exit code has to do.
        let _ = match &self.report {
            Report::Message { message, help } => {
                let (bad, bold, plain) = if colour { ("\x1b[1;31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
                let told = writeln!(stderr, "{bad}tagai{plain}: {message}");
                help.iter().fold(told, |told, help| told.and(writeln!(stderr, "{bold}help{plain}: {help}")))
            }
            Report::Config(errors) => writeln!(stderr, "{}", errors.render(colour)),
            Report::Said => Ok(()),
        };
        ExitCode::from(self.code)
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self { code: USAGE, report: Report::Config(errors) }
    }
}
