//! A gateway in a folder of its own.

use super::until;
use super::wire::Connection;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Once};
use tagai_client::{Client, ClientBuilder, FixedCredential};
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::{J, Pi};
use tagai_core::realm::{AuthRealm, Origin};
use tagai_gateway::Gateway;
use tagai_gateway::config::Config;
use tagai_store::principal::{NewPrincipal, PrincipalKind, PrincipalName, PrincipalStore as _};
use tagai_store::sealing::SealingKeys;
use tagai_store::sqlite::SqliteStore;
use tagai_store::{NewUser, UserStore};
use tempfile::TempDir;

pub(crate) const REALM: &str = r#"
[[realm]]
id = "staff"
name = "Staff"
scope = "127.0.0.1"
"#;

const START: &str = r#"
[store]
database = "tagai.db"
keys = "store.keys"
sessions = "{sessions}"

[[listen]]
address = "127.0.0.1:0"

[[listen]]
address = "127.0.0.1:0"
tls = true

[[certificate]]
chain = "server.pem"
key = "server.key"
"#;

const SITE: &str = r#"
[[site]]
origins = ["http://127.0.0.1:{http}", "https://127.0.0.1:{https}"]
[[site.route]]
path = "/"
access = "protected"
realm = "staff"
upstream = "http://{app}"
"#;

/// What a test wants to be different. `{http}`, `{https}` and `{app}` stand for the ports and for the application's address.
pub(crate) struct Setup {
    pub(crate) realms: String,
    pub(crate) sites: String,
    /// Other sections.
    pub(crate) more: String,
    pub(crate) sessions: &'static str,
    /// Files that the configuration names, and what is in them.
    pub(crate) files: Vec<(&'static str, String)>,
    /// Realm, name, password.
    pub(crate) users: Vec<(&'static str, &'static str, &'static str)>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            realms: REALM.into(),
            sites: SITE.into(),
            more: String::new(),
            sessions: "memory",
            files: Vec::new(),
            users: vec![("staff", "alice", "correct horse")],
        }
    }
}

/// A running gateway.
pub(crate) struct Site {
    pub(crate) dir: TempDir,
    pub(crate) gateway: Gateway,
    pub(crate) http: u16,
    pub(crate) https: u16,
    /// The gateway's certificate in DER.
    pub(crate) certificate: Vec<u8>,
    pub(crate) app: SocketAddr,
    pub(crate) setup: Setup,
    store: SqliteStore,
}

impl Site {
    /// A gateway in front of `app`.
    pub(crate) async fn start(app: SocketAddr, setup: Setup) -> Self {
        capture_log();
        let dir = tempfile::tempdir().unwrap();
        SealingKeys::generate_file(dir.path().join("store.keys")).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".into(), "localhost".into(), "*.example.test".into()];
        let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        std::fs::write(dir.path().join("server.pem"), certificate.pem()).unwrap();
        std::fs::write(dir.path().join("server.key"), key.serialize_pem()).unwrap();
        let store = open_store(&dir);
        for (name, text) in &setup.files {
            write_file(&dir, name, text);
        }
        // The ports are known once the gateway listens: until then the configuration names others.
        write(&dir, &setup, app, (1, 2));
        let gateway = Gateway::start(load(&dir)).await.unwrap();
        let ports: Vec<u16> = gateway.addresses().iter().map(|listen| listen.address.port()).collect();
        let [http, https] = ports[..] else { panic!("{ports:?}") };
        let certificate = certificate.der().to_vec();
        let site = Self { dir, gateway, http, https, certificate, app, setup, store };
        site.write_config();
        site.gateway.reload().await.unwrap();
        for (realm, name, password) in site.setup.users.clone() {
            site.add_user(realm, name, password);
        }
        site
    }

    /// Writes the configuration of the present set-up.
    pub(crate) fn write_config(&self) {
        write(&self.dir, &self.setup, self.app, (self.http, self.https));
    }

    /// Puts a file in the place of another, in one step.
    pub(crate) fn write_file(&self, name: &str, text: &str) {
        write_file(&self.dir, name, text);
    }

    /// A host with the port for TLS.
    pub(crate) fn at(&self, host: &str) -> String {
        format!("{host}:{}", self.https)
    }

    /// Registers a principal with these credentials, and waits until the gateway knows of it.
    pub(crate) async fn register(&self, name: &str, kind: PrincipalKind, credentials: &[&str]) -> PrincipalName {
        let name: PrincipalName = name.parse().unwrap();
        self.store.add_principal(&NewPrincipal { name: name.clone(), kind }).unwrap();
        for credential in credentials {
            self.store.bind(&name, &credential.parse().unwrap()).unwrap();
        }
        self.settle().await;
        name
    }

    /// Waits until the gateway has seen all changes of principals.
    pub(crate) async fn settle(&self) {
        let wanted = self.store.directory_version().unwrap();
        until(|| async { self.gateway.directory_version() == wanted }).await;
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.dir.path().join("tagai.toml")
    }

    pub(crate) fn realm(&self, id: &str) -> AuthRealm {
        load(&self.dir).realm(id).unwrap().realm.clone()
    }

    pub(crate) fn store(&self) -> &SqliteStore {
        &self.store
    }

    pub(crate) fn add_user(&self, realm: &str, name: &str, password: &str) {
        let (realm, name) = (self.realm(realm), user(name));
        let verifier = verifier(&realm, &name, password);
        self.store.add(&NewUser { realm: &realm, name: &name, verifier: &verifier }).unwrap();
    }

    pub(crate) fn change_password(&self, realm: &str, name: &str, password: &str) {
        let (realm, name) = (self.realm(realm), user(name));
        let verifier = verifier(&realm, &name, password);
        self.store.set_verifier(&NewUser { realm: &realm, name: &name, verifier: &verifier }).unwrap();
    }

    pub(crate) fn origin(&self, scheme: &str) -> Origin {
        let port = if scheme == "https" { self.https } else { self.http };
        Origin::parse(&format!("{scheme}://127.0.0.1:{port}")).unwrap()
    }

    pub(crate) fn url(&self, scheme: &str, path: &str) -> String {
        format!("{}{path}", self.origin(scheme))
    }

    /// A client of somebody who knows a password.
    pub(crate) fn client_of(&self, scheme: &str, name: &str, password: &str) -> ClientBuilder {
        let prompt = FixedCredential::new(self.origin(scheme), name, password).unwrap();
        Client::builder().root_certificates([&self.certificate[..]]).unwrap().prompt(Arc::new(prompt))
    }

    /// Alice's.
    pub(crate) fn client(&self, scheme: &str) -> Client {
        self.client_of(scheme, "alice", "correct horse").build().unwrap()
    }

    /// A connection of octets.
    pub(crate) async fn connect(&self, scheme: &str) -> Connection {
        match scheme {
            "https" => Connection::tls(self.https, &self.certificate, &["http/1.1"]).await,
            _ => Connection::plain(self.http).await,
        }
    }

    /// The value of a counter or gauge.
    pub(crate) fn metric(&self, name: &str) -> Option<u64> {
        metric(&self.gateway.metrics().encode(), name)
    }
}

/// The value in the line of a metric that begins with `name`.
pub(crate) fn metric(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)).and_then(|rest| rest.trim().parse().ok())
}

fn open_store(dir: &TempDir) -> SqliteStore {
    let keys = SealingKeys::load(dir.path().join("store.keys")).unwrap();
    SqliteStore::open(dir.path().join("tagai.db"), keys).unwrap()
}

fn load(dir: &TempDir) -> Config {
    Config::load(dir.path().join("tagai.toml")).unwrap_or_else(|errors| panic!("{errors}"))
}

fn write_file(dir: &TempDir, name: &str, text: &str) {
    let (new, path) = (dir.path().join("new"), dir.path().join(name));
    std::fs::write(&new, text).unwrap();
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(new, path).unwrap();
}

fn write(dir: &TempDir, setup: &Setup, app: SocketAddr, (http, https): (u16, u16)) {
    let text = format!("{START}{}{}{}", setup.realms, setup.sites, setup.more);
    let text = text
        .replace("{http}", &http.to_string())
        .replace("{https}", &https.to_string())
        .replace("{app}", &app.to_string())
        .replace("{sessions}", setup.sessions);
    std::fs::write(dir.path().join("tagai.toml"), text).unwrap();
}

pub(crate) fn user(name: &str) -> Username {
    Username::prepare(name).unwrap()
}

pub(crate) fn verifier(realm: &AuthRealm, name: &Username, password: &str) -> J {
    let pi = Pi::derive(realm, name, &Password::prepare(password).unwrap());
    J::from_pi(realm.algorithm, &pi).unwrap()
}

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static CAPTURE: Once = Once::new();

struct Captured;

impl Write for Captured {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn capture_log() {
    CAPTURE.call_once(|| {
        tracing_subscriber::fmt()
            .with_writer(|| Captured)
            .with_ansi(false)
            .with_max_level(tracing::level_filters::LevelFilter::INFO)
            .init();
    });
}

/// The lines of the log, of all tests, that hold a text.
pub(crate) fn logged(text: &str) -> Vec<String> {
    let log = LOG.lock().unwrap();
    String::from_utf8_lossy(&log).lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}
