//! A directory to work in, and the program run in it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Checks that standard error holds all of these.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "{word:?} is missing in {self:#?}");
        }
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// A directory of its own for a test.
pub(crate) struct Dir(TempDir);

impl Dir {
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A directory in which `tagai init` was run.
    pub(crate) fn ready() -> Self {
        let dir = Self::empty();
        dir.run(&["init"]).exits(0);
        dir
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Replaces what stands once in a file.
    pub(crate) fn edit(&self, name: &str, old: &str, new: &str) {
        let text = self.read(name);
        assert_eq!(text.matches(old).count(), 1, "{old}");
        self.write(name, &text.replace(old, new));
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Runs the program, with this on its standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tagai"))
            .args(args)
            .current_dir(self.0.path())
            .env_remove("TAGAI_STORE_KEYS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read its input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The lines of the audit log: event and user.
    pub(crate) fn audit(&self) -> Vec<(String, String)> {
        let lines = self.read("audit.log");
        let field = |line: &str, name: &str| {
            let json: serde_json::Value = serde_json::from_str(line).unwrap();
            json[name].as_str().unwrap().to_owned()
        };
        lines.lines().map(|line| (field(line, "event"), field(line, "user"))).collect()
    }

    /// The lines of the audit log about principals and denials: event, principal, and reason.
    pub(crate) fn audit_of_principals(&self) -> Vec<(String, String, String)> {
        let lines = self.read("audit.log");
        let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        lines
            .filter(|line| line.get("principal").is_some())
            .inspect(|line| assert!(line["by"].is_string() && line["time"].is_string(), "{line}"))
            .map(|line| (text(&line["event"]), text(&line["principal"]), text(&line["reason"])))
            .collect()
    }

    /// The names of the users, and whether they are disabled.
    pub(crate) fn users(&self) -> Vec<(String, bool)> {
        let list = self.run(&["user", "list", "--json"]).exits(0).json();
        let user = |user: &serde_json::Value| {
            (user["name"].as_str().unwrap().to_owned(), user["disabled"].as_bool().unwrap())
        };
        list.as_array().unwrap().iter().map(user).collect()
    }

    /// The verifier lines of all users.
    pub(crate) fn export(&self) -> String {
        self.run(&["user", "export"]).exits(0).out
    }
}

/// Names and no disabled users.
pub(crate) fn active(names: &[&str]) -> Vec<(String, bool)> {
    names.iter().map(|name| ((*name).to_owned(), false)).collect()
}
