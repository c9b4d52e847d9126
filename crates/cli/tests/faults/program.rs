//! The program, in a folder with a configuration that it made itself.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tagai_client::core::realm::Origin;
use tagai_client::{Client, Error, FixedCredential, Reply};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    /// `None` if it was ended by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
        let ran = Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        ran
    }

    /// It failed with this exit code, and said all of this.
    pub(crate) fn failed(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for text in says {
            assert!(self.stderr.contains(text) || self.stdout.contains(text), "{text:?} is not in {self:?}");
        }
    }

    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

/// How many folders there were.
static NEXT: AtomicU8 = AtomicU8::new(0);

/// A folder that `tagai init` has filled.
pub(crate) struct Folder {
    pub(crate) dir: TempDir,
    /// What it listens on, without the port.
    pub(crate) host: String,
    /// The port of http.
    pub(crate) http: u16,
}

impl Folder {
    pub(crate) async fn new() -> Self {
        // Both ports are free, at an address that is this folder's alone.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let [high, low, ..] = std::process::id().to_le_bytes();
        let host = Ipv4Addr::new(127, 1 + number, high, low.clamp(1, 254)).to_string();
        let free = async || TcpListener::bind((host.as_str(), 0)).await.unwrap();
        let (one, two) = (free().await, free().await);
        let [https, http] = [&one, &two].map(|listener| listener.local_addr().unwrap().port());
        drop((one, two));
        let folder = Self { dir: tempfile::tempdir().unwrap(), host, http };
        let app = format!("http://127.0.0.1:{}", application().await);
        let mut init = command(&[]);
        init.arg("init").arg(folder.dir.path()).args(["--host", &folder.host, "--upstream", &app]);
        run(init.args(["--https-port", &https.to_string(), "--http-port", &http.to_string()]), "").succeeded();
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("tagai.toml")
    }

    /// Changes the text of the configuration.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.config()).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(self.config(), text.replacen(from, to, 1)).unwrap();
    }

    /// Runs a command to its end.
    pub(crate) fn tagai(&self, args: &[&str], stdin: &str) -> Ran {
        run(command(&[]).args(args).arg("--config").arg(self.config()), stdin)
    }

    pub(crate) fn add(&self, name: &str) -> Ran {
        self.tagai(&["user", "add", name, "--password-stdin"], &format!("{PASSWORD}\n"))
    }

    /// The names of all users, as the program tells them.
    pub(crate) fn users(&self) -> Vec<String> {
        let listed = self.tagai(&["user", "list", "--json"], "").succeeded();
        let list: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
        let users = list.as_array().or_else(|| list["users"].as_array()).expect("a list");
        users.iter().map(|user| user["name"].as_str().or(user["user"].as_str()).unwrap().to_owned()).collect()
    }

    /// The names of all users, as the database tells them.
    pub(crate) fn users_by_hand(&self) -> Vec<String> {
        let database = self.database();
        let mut names = database.prepare("SELECT name FROM users ORDER BY name").unwrap();
        let names = names.query_map([], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    }

    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("tagai.db")).unwrap()
    }

    /// Nothing is wrong in the database: not for SQLite, and not for the program.
    pub(crate) fn is_sound(&self) {
        let found: String = self.database().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(found, "ok");
        self.tagai(&["check"], "").succeeded();
    }

    pub(crate) fn serve(&self) -> Serving {
        Serving::start(command(&[]), self)
    }

    /// Under these commands of a shell.
    pub(crate) fn serve_under(&self, shell: &str) -> Serving {
        Serving::start(command(&[shell]), self)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}:{}{path}", self.host, self.http)
    }

    /// A client that has not logged in yet.
    pub(crate) fn client(&self, name: &str) -> Client {
        let origin = Origin::parse(&format!("http://{}:{}", self.host, self.http)).unwrap();
        let prompt = FixedCredential::new(origin, name, PASSWORD).unwrap();
        Client::builder().prompt(Arc::new(prompt)).build().unwrap()
    }

    /// Logs in anew, and asks for a page.
    pub(crate) async fn log_in(&self, name: &str) -> Result<Reply, Error> {
        self.client(name).get(&self.url("/")).await
    }
}

/// An application that says "page" to everybody.
async fn application() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut read = Vec::new();
                while stream.read_buf(&mut read).await.is_ok_and(|octets| octets > 0) {
                    if read.ends_with(b"\r\n\r\n") {
                        read.clear();
                        let page = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage";
                        if stream.write_all(page).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    port
}

/// The program, by a shell that does something first.
pub(crate) fn command(shell: &[&str]) -> Command {
    let program = env!("CARGO_BIN_EXE_tagai");
    let mut command = match shell {
        [] => Command::new(program),
        before => {
            let mut command = Command::new("bash");
            command.args(["-c", &format!("{}; exec \"$0\" \"$@\"", before.join("; ")), program]);
            command
        }
    };
    command.env("NO_COLOR", "1");
    command
}

pub(crate) fn run(command: &mut Command, stdin: &str) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who does not read does not want it.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    Ran::of(child.wait_with_output().unwrap())
}

/// `tagai serve`, until it is dropped.
pub(crate) struct Serving {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Serving {
    fn start(mut command: Command, folder: &Folder) -> Self {
        let command = command.args(["serve", "--config"]).arg(folder.config());
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::<Mutex<String>>::default();
        let mut text = String::new();
        // Both listeners are named once all of it runs.
        while text.matches("listening").count() < 2 {
            assert!(lines.read_line(&mut text).unwrap() > 0, "it does not start: {text}");
        }
        log.lock().unwrap().push_str(&text);
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|octets| octets > 0) {
                kept.lock().unwrap().push_str(&std::mem::take(&mut line));
            }
            let _ = lines.read_to_string(&mut line);
        });
        Self { child, log }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log says something.
    pub(crate) async fn says(&self, text: &str) {
        until(|| async { self.log().contains(text) }).await;
    }

    /// Ends it without a word.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            assert!(!self.log().contains("panicked"), "{}", self.log());
        }
    }
}

/// Asks again and again until something is so.
pub(crate) async fn until<F: Future<Output = bool>>(mut so: impl FnMut() -> F) {
    let waiting = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it never became so");
}
