//! Whether what a configuration refers to can be used, found out before a gateway is started.

use crate::operator::{directory_of, load_keys};
use rustls::pki_types::UnixTime;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;
use tagai_gateway::config::{Audit, Certificate, Config, Keys};
use tagai_gateway::tls;
use tagai_store::sqlite::SqliteStore;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    /// What it is.
    pub(crate) what: String,
    /// What is wrong with it; `None` if it can be used.
    pub(crate) problem: Option<String>,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// What can be used, but is hardly what somebody wants.
    pub(crate) warnings: Vec<String>,
}

/// What is wrong, and what to do.
type Problem = (String, String);

impl Check {
    fn new(what: impl Into<String>, result: Result<(), Problem>) -> Self {
        let (problem, help) = match result {
            Ok(()) => (None, None),
            Err((problem, help)) => (Some(problem), Some(help).filter(|help| !help.is_empty())),
        };
        Self { what: what.into(), problem, help, warnings: Vec::new() }
    }
}

/// Looks at everything that the configuration refers to; changes nothing.
pub(crate) fn preflight(config: &Config) -> Vec<Check> {
    let mut checks = Vec::new();
    for certificate in &config.certificates {
        let Certificate { chain, key } = certificate;
        let kinds = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
        let mut shown = Check::new(format!("certificate {}", chain.display()), pem(chain, &["CERTIFICATE"]));
        let mut secret =
            Check::new(format!("private key {}", key.display()), private(key).and_then(|()| pem(key, &kinds)));
        // Both are there: whether they are what they should be, and belong together, is found out as `tagai serve` does it.
        if shown.problem.is_none() && secret.problem.is_none() {
            match tls::load(chain, key, now()) {
                Ok(loaded) => shown.warnings = loaded.warnings,
                Err(error) => secret.problem = Some(error.to_string()),
            }
        }
        checks.extend([shown, secret]);
    }
    let keys = match &config.store.keys {
        Keys::File(path) => format!("sealing keys {}", path.display()),
        Keys::Env(name) => format!("sealing keys in the variable {name}"),
    };
    let loaded = load_keys(config);
    let failed = loaded.as_ref().err().map(|failure| (failure.message().to_owned(), String::new()));
    checks.push(Check::new(keys, failed.map_or(Ok(()), Err)));
    let database = &config.store.database;
    let opened = if database.exists() {
        match loaded {
            Ok(keys) => SqliteStore::open(database, keys)
                .and_then(|store| store.check())
                .map_err(|error| (error.to_string(), String::new())),
            Err(_) => Err(("it cannot be opened without its keys".to_owned(), String::new())),
        }
    } else {
        Err(("there is no such file".to_owned(), "`tagai init` makes a database with a new configuration".to_owned()))
    };
    checks.push(Check::new(format!("database {}", database.display()), opened));
    if let Audit::File(path) = &config.log.audit {
        checks.push(Check::new(format!("audit log {}", path.display()), appendable(path)));
    }
    // Each alone can be used; now all of it together, as `tagai serve` would.
    if checks.iter().all(|check| check.problem.is_none()) {
        let result = tagai_gateway::preflight(config).map(drop).map_err(|error| (error.to_string(), String::new()));
        checks.push(Check::new("realms and upstreams", result));
    }
    checks
}

/// The time by which certificates expire.
fn now() -> UnixTime {
    #[allow(clippy::disallowed_methods)] // The clock that clients will look at.
    let now = std::time::SystemTime::now();
    UnixTime::since_unix_epoch(now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default())
}

fn open(path: &Path) -> Result<File, Problem> {
    File::open(path).map_err(|error| {
        let help = match error.kind() {
            io::ErrorKind::NotFound => "paths are relative to the directory of the configuration",
            io::ErrorKind::PermissionDenied => "it has to be readable for the user that runs tagai",
            _ => "",
        };
        (format!("it cannot be read: {error}"), help.to_owned())
    })
}

/// Whether a file holds a PEM block of one of these kinds.
fn pem(path: &Path, kinds: &[&str]) -> Result<(), Problem> {
    let mut octets = Vec::new();
    open(path)?
        .take(1 << 20)
        .read_to_end(&mut octets)
        .map_err(|error| (format!("it cannot be read: {error}"), String::new()))?;
    let octets = zeroize::Zeroizing::new(octets);
    let holds = |kind: &str| {
        let begin = format!("-----BEGIN {kind}-----");
        octets.windows(begin.len()).any(|window| window == begin.as_bytes())
    };
    if kinds.iter().any(|kind| holds(kind)) {
        return Ok(());
    }
    let encrypted = holds("ENCRYPTED PRIVATE KEY");
    let help = if encrypted { "decrypt it: openssl pkey -in FILE -out FILE" } else { "write it as PEM" };
    Err((format!("there is no {} in it", kinds.first().unwrap_or(&"PEM")), help.to_owned()))
}

/// Whether a file is its owner's alone, or its group's at most for reading.
fn private(path: &Path) -> Result<(), Problem> {
    let about = open(path)?.metadata().map_err(|error| (format!("it cannot be read: {error}"), String::new()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = about.permissions().mode() & 0o7777;
        // Some systems give their keys to a group, such as Debian to "ssl-cert".
        if mode & 0o037 != 0 {
            let problem = format!("everybody on this machine may use it (mode {mode:04o})");
            return Err((problem, format!("chmod 600 {}", path.display())));
        }
    }
    Ok(())
}

/// Whether lines can be appended to a file, which need not be there yet.
fn appendable(path: &Path) -> Result<(), Problem> {
    let help = || "it has to be writable for the user that runs tagai".to_owned();
    if path.exists() {
        return OpenOptions::new()
            .append(true)
            .open(path)
            .map(|_| ())
            .map_err(|error| (format!("it cannot be written: {error}"), help()));
    }
    let directory = directory_of(path);
    let writable = rustix::fs::access(directory, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK);
    writable.map_err(|error| (format!("it cannot be made in {}: {error}", directory.display()), help()))
}
