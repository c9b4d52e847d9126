//! The question for the password, at a terminal of its own.

use super::program::Home;
use super::site::{PASSWORD, Site};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

struct Terminal {
    master: File,
    shown: String,
    child: Child,
}

impl Terminal {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = || Stdio::from(File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap());
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).arg(env!("CARGO_BIN_EXE_tagai")).args(arguments);
        // Should a question not come, the test ends all the same.
        command.args(["--max-time", "60"]);
        home.at_home(&mut command);
        let child = command.env("TERM", "xterm").stdin(slave()).stdout(slave()).stderr(slave()).spawn().unwrap();
        Self { master: master.into(), shown: String::new(), child }
    }

    /// Reads until these words are shown, or the program ends.
    fn wait_for(&mut self, words: &str) {
        let mut octets = [0; 1024];
        while !self.shown.contains(words) {
            match self.master.read(&mut octets) {
                Ok(read @ 1..) => self.shown.push_str(&String::from_utf8_lossy(&octets[..read])),
                _ => panic!("{words:?} was not shown: {}", self.shown),
            }
        }
        let end = self.shown.find(words).unwrap() + words.len();
        self.shown.drain(..end);
    }

    /// Whether the terminal shows what is typed.
    fn echoes(master: &File) -> bool {
        tcgetattr(master).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// As people do, types a moment after the question is there: when the echo is off.
    fn type_line(&mut self, line: &str) {
        while Self::echoes(&self.master) {
            assert!(self.child.try_wait().unwrap().is_none(), "the program has ended: {}", self.shown);
            std::thread::yield_now();
        }
        self.master.write_all(format!("{line}\r").as_bytes()).unwrap();
    }

    /// What was shown behind the last words, and the exit code.
    fn end(mut self) -> (String, i32) {
        let mut octets = [0; 1024];
        // At the end of the program, Linux says EIO.
        while let Ok(read @ 1..) = self.master.read(&mut octets) {
            self.shown.push_str(&String::from_utf8_lossy(&octets[..read]));
        }
        (self.shown, self.child.wait().unwrap().code().unwrap_or(-1))
    }
}

#[test]
fn the_password_is_asked_for_without_echo() {
    let (site, home) = (Site::http(), Home::new());
    let mut terminal = Terminal::start(&home, &["get", &site.url("/private"), "--user", "alice"]);
    terminal.wait_for(&format!("Password of alice for \"Staff\" at {}: ", site.origin));
    terminal.type_line("wrong");
    terminal.wait_for("Not accepted. Attempt 2 of 3.");
    terminal.wait_for(": ");
    terminal.type_line(PASSWORD);
    let (shown, code) = terminal.end();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains(PASSWORD), "{shown}");
    assert!(shown.contains("\x1b[1;32mproven\x1b[0m: ") && shown.contains("/private for alice"), "{shown}");
}

#[test]
fn three_attempts_are_all() {
    let (site, home) = (Site::http(), Home::new());
    let mut terminal = Terminal::start(&home, &["get", &site.url("/private"), "--user", "alice"]);
    for _ in 0..3 {
        terminal.wait_for(": ");
        terminal.type_line("wrong");
    }
    let (shown, code) = terminal.end();
    assert_eq!(code, 3, "{shown}");
    assert!(shown.contains("refused the login of alice"), "{shown}");
}

#[test]
fn whoever_presses_ctrl_c_gets_the_terminal_back() {
    let (site, home) = (Site::http(), Home::new());
    let mut terminal = Terminal::start(&home, &["get", &site.url("/private"), "--user", "alice"]);
    terminal.wait_for(": ");
    terminal.type_line("\x03");
    let master = terminal.master.try_clone().unwrap();
    let (shown, code) = terminal.end();
    assert_eq!(code, 130, "{shown}");
    assert!(Terminal::echoes(&master));
}

#[test]
fn binary_is_not_written_to_a_terminal() {
    let (site, home) = (Site::http(), Home::new());
    home.login(&site.url("/private"), PASSWORD, &[]).expect(0, &[]);
    let terminal = Terminal::start(&home, &["get", &site.url("/private/binary")]);
    let (shown, code) = terminal.end();
    assert_eq!(code, 1, "{shown}");
    assert!(shown.contains("the answer is binary") && shown.contains("-o FILE"), "{shown}");
}
