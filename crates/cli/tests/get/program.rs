//! The program, in a home of its own.

use super::site::Site;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A home directory.
pub struct Home(TempDir);

/// What became of one call.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: Vec<u8>,
    pub err: String,
}

impl Done {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    /// What was printed, if the program ended with this code and these words on standard error.
    pub fn expect(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        for words in words {
            assert!(self.err.contains(words), "{words:?} is not in {}", self.err);
        }
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.out).unwrap()
    }
}

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn sessions(&self) -> PathBuf {
        self.path("state/tagai/sessions")
    }

    /// A command without a terminal: nobody must be asked for a password by a test.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new("setsid");
        command.arg("--wait").arg(env!("CARGO_BIN_EXE_tagai"));
        command.args(arguments).current_dir(self.0.path());
        self.at_home(&mut command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn at_home(&self, command: &mut Command) {
        command.env("HOME", self.0.path()).env("XDG_STATE_HOME", self.path("state"));
        command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    }

    pub fn run(&self, arguments: &[&str], input: &[u8]) -> Done {
        let mut child = self.command(arguments).spawn().unwrap();
        // Whoever does not read it, does not need it.
        drop(child.stdin.take().unwrap().write_all(input));
        done(child.wait_with_output().unwrap())
    }

    /// `tagai get` without a password.
    pub fn get(&self, url: &str, more: &[&str]) -> Done {
        self.run(&[&["get", url], more].concat(), b"")
    }

    /// `tagai get` as alice, with this password on standard input.
    pub fn login(&self, url: &str, password: &str, more: &[&str]) -> Done {
        let arguments = [&["get", url, "--user", super::site::USER, "--password-stdin"], more].concat();
        self.run(&arguments, format!("{password}\n").as_bytes())
    }

    /// Writes a file, and gives its name.
    pub fn write(&self, name: &str, content: &[u8]) -> String {
        std::fs::write(self.path(name), content).unwrap();
        name.to_owned()
    }

    /// The site's certificate in a file.
    pub fn ca(&self, site: &Site) -> String {
        self.write("ca.pem", site.ca.as_ref().unwrap().as_bytes())
    }

    /// The files in the home directory that end like this.
    pub fn files(&self, end: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path: &PathBuf| path.to_string_lossy().ends_with(end)).collect()
    }
}

pub fn done(output: Output) -> Done {
    let err = String::from_utf8(output.stderr).unwrap();
    Done { code: output.status.code().unwrap_or(-1), out: output.stdout, err }
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
