//! What a configuration says, checked, in the types of the project.

mod proof;

pub use proof::{Asks, Assertion, CertificateName, ClientCa, ClientCertFields, CrlPolicy, Proofs, Unregistered};

use http::uri::{Authority, Uri};
use http::{HeaderName, Method};
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tagai_core::control::AuthControl;
use tagai_core::realm::{AuthRealm, Origin, Paths};
use tagai_core::server::ServerConfig;
use tagai_store::SessionLimits;
use tracing::level_filters::LevelFilter;

/// `[store]`: where users and sessions are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// `database`: the SQLite database.
    pub database: PathBuf,
    /// `keys` or `keys-env`: what seals the secrets in it.
    pub keys: Keys,
    /// `sessions`: where sessions are kept; in memory if nothing is said.
    pub sessions: SessionsIn,
}

/// Where the keys of the store are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// In a file.
    File(PathBuf),
    /// In an environment variable.
    Env(String),
}

/// Where sessions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionsIn {
    /// In memory: a restart ends them.
    #[default]
    Memory,
    /// In the database: they outlive a restart, and cost a write for each request.
    Sqlite,
}

/// `[[listen]]`: an address that the gateway accepts connections on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// `address`.
    pub address: SocketAddr,
    /// `tls`: whether connections are TLS; not if nothing is said.
    pub tls: bool,
}

/// `[[certificate]]`: a certificate and its private key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// `chain`: the certificate, followed by those between it and its root.
    pub chain: PathBuf,
    /// `key`.
    pub key: PathBuf,
}

/// `[[realm]]`: a set of users, and how their sessions are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    /// `id`: how the file and the command line call the realm.
    pub id: String,
    /// `name`, `scope` and `algorithm`.
    pub realm: AuthRealm,
    /// `session-time`: how long a session lives; whole seconds, ten minutes if nothing is said.
    pub session_time: Duration,
    /// `session-requests`: how many requests a session serves (`nc-max`); 2^32 - 1 if nothing is said.
    pub session_requests: u64,
    /// `nonce-window`: how far request numbers may come out of order (`nc-window`); 128 if nothing is said.
    pub nonce_window: u32,
    /// `paths`: where the realm applies, if not on the whole server.
    pub paths: Option<Paths>,
    /// `unregistered`: what holds for users that belong to no registered principal.
    pub unregistered: Unregistered,
    /// `registration`: how people become users by themselves; not at all if nothing is said.
    pub registration: Registration,
    /// `password-change`: whether users change their passwords themselves, over TLS; they do if nothing is said.
    pub password_change: bool,
}

/// How people become users by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Registration {
    /// Not at all: operators add users.
    #[default]
    Off,
    /// With an invitation that an operator has made (`tagai user invite`), over TLS.
    Invitation,
}

impl Realm {
    /// The realm as the server `origin` offers it.
    #[must_use]
    pub fn server_config(&self, origin: &Origin) -> ServerConfig {
        ServerConfig {
            nc_max: self.session_requests,
            nc_window: self.nonce_window,
            time: self.session_time,
            paths: self.paths.clone(),
            ..ServerConfig::new(origin.clone(), self.realm.clone())
        }
    }
}

/// `[[site]]`: what is served on some origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// `origins`: at least one; no other site has any of them.
    pub origins: Vec<Origin>,
    /// `[[site.route]]`: at least one, longest path first, no two with the same.
    pub routes: Vec<Arc<Route>>,
}

/// `[[site.route]]`: what happens to requests below a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `path`: a prefix that ends where a segment ends.
    pub path: String,
    /// `access`, `proof`, `realm` and `client-ca`.
    pub access: Access,
    /// `allow`: who is let through, in rules of one line; `None` if nothing is said.
    pub allow: Option<Vec<String>>,
    /// `audience`: for whom an assertion is signed; none is sent if nothing is said.
    pub audience: Option<String>,
    /// `client-cert`.
    pub client_cert: ClientCertFields,
    /// `upstream`: where requests go.
    pub upstream: Upstream,
    /// `methods`: the methods that are let through; all if nothing is said.
    pub methods: Option<Vec<Method>>,
    /// `max-body`: the most octets of a request's body; `None` for any number, 100 MiB if nothing is said.
    pub max_body: Option<u64>,
    /// `timeout`: how long the upstream may take until its response begins; a minute if nothing is said.
    pub timeout: Duration,
    /// `idle-timeout`: how long the upstream's response, or a WebSocket, may stand still; five minutes if nothing is said.
    pub idle_timeout: Duration,
    /// `upstream-ca`: whose certificates an `https` upstream may show, in PEM; the system's authorities if nothing is said.
    pub upstream_ca: Option<PathBuf>,
    /// `pass-host`: whether the upstream sees the host that the client asked for; it does if nothing is said.
    pub pass_host: bool,
    /// `[site.route.control]`: wishes for how clients behave (RFC 8053 §4).
    pub control: AuthControl,
}

/// Who may pass a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everybody; nobody is asked who they are.
    Public,
    /// Everybody; who wants to can prove themselves (RFC 8053 §3).
    Optional(Asks),
    /// Who is proven.
    Protected(Asks),
}

impl Access {
    /// How clients are asked, unless the route is public.
    #[must_use]
    pub const fn asks(&self) -> Option<&Asks> {
        match self {
            Self::Public => None,
            Self::Optional(asks) | Self::Protected(asks) => Some(asks),
        }
    }

    /// The realm, if users of one are let through.
    #[must_use]
    pub fn realm(&self) -> Option<&Arc<Realm>> {
        self.asks()?.realm.as_ref()
    }
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// How it is spoken to.
    pub protocol: UpstreamProtocol,
    /// Scheme (`http` for h2c), authority, and the path that goes in front of the request's.
    pub uri: Uri,
}

impl Upstream {
    /// The host, and the port if one is given.
    #[must_use]
    pub fn authority(&self) -> Option<&Authority> {
        self.uri.authority()
    }

    /// What goes in front of the request's path, without a slash at its end; mostly empty.
    #[must_use]
    pub fn path_prefix(&self) -> &str {
        self.uri.path().trim_end_matches('/')
    }
}

/// How an upstream is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpstreamProtocol {
    /// `http://`: HTTP/1.1.
    Http,
    /// `https://`: HTTP/1.1 over TLS.
    Https,
    /// `h2c://`: HTTP/2 without TLS.
    H2c,
}

/// `[identity]`: the header fields that tell an upstream who a user is. They are removed from every request that comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `user`: the user's name; `Tagai-User` if nothing is said.
    pub user: HeaderName,
    /// `realm`: the realm's name; `Tagai-Realm` if nothing is said.
    pub realm: HeaderName,
    /// `method`: how the user was proven; `Tagai-Method` if nothing is said.
    pub method: HeaderName,
    /// `principal`: whose credential it was; `Tagai-Principal` if nothing is said.
    pub principal: HeaderName,
    /// `groups`: the principal's groups, separated by commas; `Tagai-Groups` if nothing is said.
    pub groups: HeaderName,
}

impl Identity {
    /// All of the names.
    #[must_use]
    pub fn all(&self) -> [&HeaderName; 5] {
        [&self.user, &self.realm, &self.method, &self.principal, &self.groups]
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            user: HeaderName::from_static("tagai-user"),
            realm: HeaderName::from_static("tagai-realm"),
            method: HeaderName::from_static("tagai-method"),
            principal: HeaderName::from_static("tagai-principal"),
            groups: HeaderName::from_static("tagai-groups"),
        }
    }
}

/// `[limits]`: how much of everything there may be. Nothing is without a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `connections`: from clients, in all; 10,000.
    pub connections: usize,
    /// `connections-per-address`: of one IPv4 address or one IPv6 /64 network; 256, or all.
    pub connections_per_address: usize,
    /// `header-size`: octets of a request's header; 32 KiB.
    pub header_size: usize,
    /// `headers`: fields of a request's header; 100.
    pub headers: usize,
    /// `header-timeout`: until a request's header has come; 10 seconds.
    pub header_timeout: Duration,
    /// `handshake-timeout`: until TLS is set up; 10 seconds.
    pub handshake_timeout: Duration,
    /// `idle-timeout`: how long a connection without a request is kept; a minute.
    pub idle_timeout: Duration,
    /// `body-timeout`: how long a body may stand still; 30 seconds.
    pub body_timeout: Duration,
    /// `streams`: requests at the same time on one HTTP/2 connection; 128.
    pub streams: u32,
    /// `half-open`, `half-open-per-address`, `half-open-time`, `sessions`, `sessions-per-user`.
    pub sessions: SessionLimits,
    /// `shutdown-timeout`: how long requests may take to end when the gateway is told to; 30 seconds.
    pub shutdown_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: 256,
            header_size: 32 << 10,
            headers: 100,
            header_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(30),
            streams: 128,
            sessions: SessionLimits::default(),
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// `[guessing]`: how guessing of passwords is slowed down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guessing {
    /// `failures-per-address`: failed logins that one address may make at once; 20.
    pub failures_per_address: u32,
    /// `failures-per-user`: failed logins of one user from addresses that the user never logged in from; 20.
    pub failures_per_user: u32,
    /// `recovery`: how long until one more attempt is allowed; 30 seconds.
    pub recovery: Duration,
}

impl Default for Guessing {
    fn default() -> Self {
        Self { failures_per_address: 20, failures_per_user: 20, recovery: Duration::from_secs(30) }
    }
}

/// `[trust]`: whose word counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    /// `proxies`: whose word on whom they forward for is believed; nobody's if nothing is said.
    pub proxies: Vec<IpNet>,
    /// `field`: where they say it.
    pub field: ForwardedField,
}

/// The field in which trusted proxies say whom they forward for. A proxy sees to one of them, and may let through whatever a
/// client writes into the other; so only one of them counts, and the other is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedField {
    /// `X-Forwarded-For`, the field of most proxies.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// `[admin]`: what operators and their machines ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admin {
    /// `address`: where `/healthz`, `/readyz` and `/metrics` are served, without authentication.
    pub address: SocketAddr,
}

/// `[log]`: what is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// `format`; text if nothing is said.
    pub format: LogFormat,
    /// `level`: `error`, `warn`, `info`, `debug`, `trace` or `off`; `info` if nothing is said.
    pub level: LevelFilter,
    /// `audit`: where logins, refusals, logouts and user changes go.
    pub audit: Audit,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: LevelFilter::INFO, audit: Audit::Log }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Where audit lines go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Audit {
    /// Among the other log lines.
    #[default]
    Log,
    /// To standard output: `"-"`.
    Stdout,
    /// To a file.
    File(PathBuf),
}
