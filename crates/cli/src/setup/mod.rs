//! Makes everything that a gateway needs in a directory: configuration, keys, certificate, database.

mod certificate;
mod template;

pub(crate) use template::only_route;

use crate::failure::Failure;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use tagai_core::realm::{Host, Origin, Scheme};
use tagai_gateway::config::Config;
use tagai_store::sealing::SealingKeys;
use tagai_store::sqlite::SqliteStore;

/// What is made.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The directory; it is made if it is not there.
    pub(crate) dir: PathBuf,
    /// The host that users will ask for.
    pub(crate) host: String,
    /// The ports to listen on.
    pub(crate) https_port: u16,
    /// The same without TLS.
    pub(crate) http_port: u16,
    /// The routes, as they stand in the configuration.
    pub(crate) routes: String,
    /// Whether people register themselves, with invitations.
    pub(crate) invitations: bool,
}

/// What was made.
#[derive(Debug)]
pub(crate) struct Made {
    /// The configuration.
    pub(crate) config: PathBuf,
    /// The certificate that clients have to trust.
    pub(crate) ca: PathBuf,
    /// What users will ask for, over TLS and without.
    pub(crate) origins: [Origin; 2],
    /// All files, each with what it is.
    pub(crate) files: Vec<(PathBuf, &'static str)>,
}

/// Files that go away again unless everything was made.
struct Work {
    made: Vec<(PathBuf, &'static str)>,
    keep: bool,
}

impl Drop for Work {
    fn drop(&mut self) {
        if !self.keep {
            for (path, _) in &self.made {
                // What cannot be removed is found by whoever tries again.
                let _ = fs::remove_file(path);
            }
        }
    }
}

impl Work {
    /// Writes a new file; `secret` ones are their owner's alone.
    fn write(&mut self, path: PathBuf, what: &'static str, text: &str, secret: bool) -> Result<(), Failure> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, if secret { 0o600 } else { 0o644 });
        let file = options.open(&path);
        let mut file = file.map_err(|error| cannot_write(&path, &error))?;
        self.made.push((path.clone(), what));
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| cannot_write(&path, &error))
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::AlreadyExists => exists(&path.to_string()),
        _ => Failure::other(format!("{path} cannot be written: {error}")),
    }
}

fn exists(path: &str) -> Failure {
    Failure::other(format!("{path} exists already, and nothing is overwritten"))
        .help("name another directory: tagai init DIR; or move the file away")
}

/// The names of what is made, in the directory.
const CONFIG: &str = "tagai.toml";
const DATABASE: &str = "tagai.db";
const CA: &str = "ca.pem";
const KEYS: &str = "keys/store.keys";

/// Makes everything, or nothing.
pub(crate) fn set_up(plan: &Plan) -> Result<Made, Failure> {
    let host = Host::parse(&plan.host).map_err(|error| Failure::usage(format!("--host {}: {error}", plan.host)))?;
    let origins = [
        Origin::new(Scheme::Https, host.clone(), plan.https_port),
        Origin::new(Scheme::Http, host.clone(), plan.http_port),
    ];
    let path = |name: &str| plan.dir.join(name);
    // The brackets of an IPv6 address are no good in the name of a file.
    let file = plan.host.trim_matches(['[', ']']);
    let (chain, key) = (format!("keys/{file}.pem"), format!("keys/{file}.key"));
    for name in [CONFIG, DATABASE, CA, KEYS, &chain, &key] {
        if fs::symlink_metadata(path(name)).is_ok() {
            return Err(exists(&path(name).display().to_string()));
        }
    }
    let text = template::configuration(plan, &host, &origins, &chain, &key);
    // Whatever the arguments are, nothing is written that would not be read.
    let config = Config::parse(&path(CONFIG), &text)?;
    let certificates = certificate::make(&plan.host)?;

    make_directory(&plan.dir, false)?;
    make_directory(&path("keys"), true)?;
    let mut work = Work { made: Vec::new(), keep: false };
    work.write(path(CA), "certificate that clients have to trust (--cacert)", &certificates.ca, false)?;
    work.write(path(&chain), "certificate of the gateway", &certificates.chain, false)?;
    work.write(path(&key), "private key of the certificate", &certificates.key, true)?;
    SealingKeys::generate_file(path(KEYS)).map_err(|error| Failure::other(error.to_string()))?;
    work.made.push((path(KEYS), "keys that seal what is secret in the database; keep a copy elsewhere"));
    let keys = SealingKeys::load(path(KEYS)).map_err(|error| Failure::other(error.to_string()))?;
    work.made.push((path(DATABASE), "database, without users"));
    SqliteStore::open(&config.store.database, keys).map_err(|error| Failure::other(error.to_string()))?;
    // The configuration is last: where it is, everything is.
    work.write(path(CONFIG), "configuration", &text, false)?;
    work.keep = true;
    let mut files = std::mem::take(&mut work.made);
    files.rotate_right(1);
    Ok(Made { config: path(CONFIG), ca: path(CA), origins, files })
}

fn make_directory(path: &Path, private: bool) -> Result<(), Failure> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, if private { 0o700 } else { 0o755 });
    builder
        .create(path)
        .map_err(|error| Failure::other(format!("the directory {} cannot be made: {error}", path.display())))
}
