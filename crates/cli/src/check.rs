//! Whether what a configuration refers to can be used, found out before a gateway is started.

use crate::operator::{directory_of, load_keys};
use crate::registrar::missing_authority;
use rustls::pki_types::UnixTime;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use tagai_gateway::config::{Audit, Certificate, Config, Diagnostic, Keys};
use tagai_gateway::{StartError, preview, tls};
use tagai_store::principal::{Principal, PrincipalStore as _};
use tagai_store::sqlite::SqliteStore;

/// The most credentials of no use that are named.
const MAX_UNPROVABLE: usize = 20;

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
    /// What was found in the text of a file, and where.
    pub(crate) findings: Vec<Finding>,
}

/// One thing in the text of a file, for scripts, and as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    severity: &'static str,
    file: PathBuf,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
    label: String,
    help: Option<String>,
    #[serde(skip)]
    pub(crate) diagnostic: Diagnostic,
}

impl From<Diagnostic> for Finding {
    fn from(found: Diagnostic) -> Self {
        let (line, column) = found.position().unzip();
        Self {
            severity: found.severity().as_str(),
            file: found.file().into(),
            line,
            column,
            message: found.message().into(),
            label: found.label().into(),
            help: found.help().map(Into::into),
            diagnostic: found,
        }
    }
}

/// What is wrong, and what to do.
type Problem = (String, String);

impl Check {
    fn new(what: impl Into<String>, result: Result<(), Problem>) -> Self {
        let (problem, help) = match result {
            Ok(()) => (None, None),
            Err((problem, help)) => (Some(problem), Some(help).filter(|help| !help.is_empty())),
        };
        Self { what: what.into(), problem, help, warnings: Vec::new(), findings: Vec::new() }
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
    let mut unproven = Vec::new();
    let opened = if database.exists() {
        match loaded {
            Ok(keys) => SqliteStore::open(database, keys)
                .and_then(|store| {
                    store.check()?;
                    unproven = unprovable(config, &store.principals()?);
                    Ok(())
                })
                .map_err(|error| (error.to_string(), String::new())),
            Err(_) => Err(("it cannot be opened without its keys".to_owned(), String::new())),
        }
    } else {
        Err(("there is no such file".to_owned(), "`tagai init` makes a database with a new configuration".to_owned()))
    };
    checks.push(Check { warnings: unproven, ..Check::new(format!("database {}", database.display()), opened) });
    if let Audit::File(path) = &config.log.audit {
        checks.push(Check::new(format!("audit log {}", path.display()), appendable(path)));
    }
    checks.extend(policies(config));
    // Each alone can be used; now all of it together, as `tagai serve` would.
    if checks.iter().all(|check| check.problem.is_none()) {
        let mut warnings = Vec::new();
        let result = tagai_gateway::preflight(config).map(|found| {
            // What was told already: certificates and policies were looked at above.
            let mut known = checks.iter().flat_map(|check| check.warnings.clone()).collect::<Vec<_>>();
            let policies = preview::policies(config).ok();
            known.extend(policies.iter().flat_map(|all| all.warnings()).map(ToString::to_string));
            warnings =
                found.into_iter().map(|warning| warning.0).filter(|warning| !known.contains(warning)).collect();
        });
        let result = result.map_err(|error| (error.to_string(), String::new()));
        checks.push(Check { warnings, ..Check::new("realms and upstreams", result) });
    }
    checks
}

/// Policies and rules of one line, if there are any.
fn policies(config: &Config) -> Option<Check> {
    let has_rules = config.sites.iter().flat_map(|site| &site.routes).any(|route| route.allow.is_some())
        || config.forward_proxies.iter().any(|proxy| proxy.who.is_some());
    let what = match &config.policy {
        Some(file) => format!("policies {}", file.display()),
        None if has_rules => "rules of routes".to_owned(),
        None => return None,
    };
    let found = |problems: &[_]| preview::diagnostics(problems).into_iter().map(Finding::from).collect();
    Some(match preview::policies(config) {
        Ok(policies) => Check { findings: found(policies.warnings()), ..Check::new(what, Ok(())) },
        Err(StartError::Policy(problems)) => {
            let errors = problems.iter().filter(|problem| problem.severity == tagai_policy::Severity::Error).count();
            let count = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
            Check { findings: found(&problems), ..Check::new(what, Err((count, String::new()))) }
        }
        Err(error) => Check::new(what, Err((error.to_string(), String::new()))),
    })
}

/// Credentials that nobody can prove, since the configuration does not have who would vouch for them.
fn unprovable(config: &Config, principals: &[Principal]) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut more = 0_usize;
    for principal in principals {
        for credential in &principal.credentials {
            match missing_authority(config, credential) {
                Some(_) if warnings.len() >= MAX_UNPROVABLE => more += 1,
                Some(missing) => {
                    warnings
                        .push(format!("{credential} of the principal {} is of no use: {missing}", principal.name));
                }
                None => {}
            }
        }
    }
    if more > 0 {
        warnings.push(format!("and {more} more credentials of no use"));
    }
    warnings
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
