//! The configuration file, `tagai.toml`.
//!
//! [`Config::load`] reads and checks it. What it gives is complete: every field has its value or its default, every reference
//! has been followed, every realm works on every origin that it is used on. What is wrong is said with its line:
//!
//! ```text
//! error: there is no realm "staf"
//!   --> tagai.toml:31:9
//!    |
//! 31 | realm = "staf"
//!    |         ^^^^^^ no [[realm]] has this id
//!    = help: did you mean "staff"?
//! ```
//!
//! Nothing that the file refers to is opened here: whether certificates, keys and databases can be used is found out by those
//! who use them.

mod clients;
mod diagnostic;
mod forward_proxy;
mod limits;
mod model;
mod proof;
mod reader;
mod realms;
mod sites;
mod suggest;
mod surroundings;
mod values;

#[cfg(test)]
mod tests;

pub use diagnostic::{ConfigErrors, Diagnostic, Severity};
pub use forward_proxy::ForwardProxy;
pub use model::{
    Access, Admin, Asks, Assertion, Audit, Certificate, CertificateName, ClientCa, ClientCertFields, CrlPolicy,
    ForwardedField, Guessing, Identity, Keys, Limits, Listen, Log, LogFormat, Proofs, Realm, Registration, Route,
    SessionsIn, Site, Store, Trust, Unregistered, Upstream, UpstreamProtocol,
};

use reader::{Findings, Problem, Section};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::DeTable;

/// The longest file that is read, in octets.
const MAX_FILE: u64 = 1 << 20;

/// A checked configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file that it was read from.
    pub file: PathBuf,
    /// `[store]`.
    pub store: Store,
    /// `[[listen]]`: at least one, or a forward proxy.
    pub listen: Vec<Listen>,
    /// `[[certificate]]`: at least one if there is TLS. The first is the default.
    pub certificates: Vec<Certificate>,
    /// `[[realm]]`, in the order of the file.
    pub realms: Vec<Arc<Realm>>,
    /// `[[site]]`: at least one, or a forward proxy.
    pub sites: Vec<Site>,
    /// `[[client-ca]]`, in the order of the file.
    pub client_cas: Vec<Arc<ClientCa>>,
    /// `[[raw-key]]`: the gateway's own bare key (RFC 7250), a private key in PEM, for clients that ask for one.
    pub raw_key: Option<PathBuf>,
    /// `[policy]`, `file`: policies in Cedar.
    pub policy: Option<PathBuf>,
    /// `[assertion]`.
    pub assertion: Option<Assertion>,
    /// `[[forward-proxy]]`.
    pub forward_proxies: Vec<ForwardProxy>,
    /// `[identity]`.
    pub identity: Identity,
    /// `[limits]`.
    pub limits: Limits,
    /// `[guessing]`.
    pub guessing: Guessing,
    /// `[trust]`.
    pub trust: Trust,
    /// `[admin]`; nothing is served there if it is missing.
    pub admin: Option<Admin>,
    /// `[log]`.
    pub log: Log,
    /// What can be used, but is hardly what somebody wants.
    pub warnings: Vec<Diagnostic>,
}

impl Config {
    /// Reads a configuration. Relative paths in it are relative to the file's directory.
    ///
    /// # Errors
    /// [`ConfigErrors`] with everything that is wrong with it.
    pub fn load(file: impl AsRef<Path>) -> Result<Self, ConfigErrors> {
        let file = file.as_ref();
        let refuse = |message, help| ConfigErrors::new(vec![Diagnostic::about_file(file, message, help)]);
        let octets = read(file).map_err(|error| {
            let help = match error.kind() {
                std::io::ErrorKind::NotFound => "`tagai init` writes one to start from".to_owned(),
                std::io::ErrorKind::PermissionDenied => {
                    "it has to be readable for the user that runs tagai".to_owned()
                }
                _ => "name another file with --config".to_owned(),
            };
            refuse(format!("the configuration cannot be read: {error}"), help)
        })?;
        match String::from_utf8(octets) {
            Ok(text) => Self::parse(file, &text),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let line = error.as_bytes().iter().take(at).filter(|octet| **octet == b'\n').count() + 1;
                let message = format!("the configuration is not UTF-8: the first wrong octet is on line {line}");
                Err(refuse(message, "save the file as UTF-8".to_owned()))
            }
        }
    }

    /// Checks the text of a configuration that would stand in `file`.
    ///
    /// # Errors
    /// [`ConfigErrors`] with everything that is wrong with it.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigErrors> {
        let findings = Findings::default();
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let span = error.span().unwrap_or(text.len()..text.len());
            findings.error(&span, Problem::new(error.message(), "this is not TOML"));
        }
        // What stands around an error of syntax may look like nonsense without being it.
        let config = if errors.is_empty() {
            let document = Section::document(&table, &findings);
            read_document(document, file)
        } else {
            None
        };
        let failed = findings.errors() > 0;
        let diagnostics =
            findings.into_sorted().into_iter().map(|finding| Diagnostic::locate(finding, file, text)).collect();
        match config {
            Some(config) if !failed => Ok(Self { warnings: diagnostics, ..config }),
            _ => Err(ConfigErrors::new(diagnostics)),
        }
    }

    /// The realm of an id.
    #[must_use]
    pub fn realm(&self, id: &str) -> Option<&Arc<Realm>> {
        self.realms.iter().find(|realm| realm.id == id)
    }

    /// The directory that relative paths are relative to.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut octets = Vec::new();
    std::fs::File::open(file)?.take(MAX_FILE + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > MAX_FILE {
        return Err(std::io::Error::other("it is longer than 1 MiB, which no configuration is"));
    }
    Ok(octets)
}

fn read_document(document: Section<'_>, file: &Path) -> Option<Config> {
    // Not ".", which would only make the paths in messages longer.
    let base = file.parent().unwrap_or(Path::new(""));
    let store = surroundings::store(&document, base);
    let findings = document.findings;
    let ((listen, addresses), listen_is_sure) = findings.watch(|| surroundings::listen(&document));
    let certificates = surroundings::certificates(&document, base, &listen);
    let (realms, realms_are_sure) = findings.watch(|| realms::read(&document));
    let (client_cas, client_cas_are_sure) = findings.watch(|| clients::authorities(&document, base));
    let raw_key = clients::raw_key(&document, base, &listen);
    let for_proxies = forward_proxy::Known { realms: &realms, realms_are_sure, listen: &listen };
    let forward_proxies = forward_proxy::read(&document, &for_proxies);
    let identity = surroundings::identity(&document);
    let assertion = clients::assertion(&document, base, &identity);
    let known = sites::Known {
        base,
        realms: &realms,
        realms_are_sure,
        client_cas: &client_cas,
        client_cas_are_sure,
        has_assertion: document.has("assertion"),
        listen: listen_is_sure.then_some(&listen),
    };
    let sites = sites::read(&document, &known);
    let policy = clients::policy(&document, base);
    let (limits, guessing) = (limits::limits(&document), limits::guessing(&document));
    let trust = surroundings::trust(&document);
    let admin = surroundings::admin(&document, &addresses);
    let log = surroundings::log(&document, base);
    document.finish();
    Some(Config {
        file: file.into(),
        store: store?,
        listen,
        certificates,
        realms: realms.into_iter().map(|realm| realm.realm).collect(),
        sites,
        client_cas: client_cas.into_iter().map(|authority| authority.authority).collect(),
        raw_key,
        policy,
        assertion,
        forward_proxies,
        identity,
        limits,
        guessing,
        trust,
        admin,
        log,
        warnings: Vec::new(),
    })
}
