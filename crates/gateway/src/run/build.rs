//! From a configuration to the parts of a gateway.

use super::error::StartError;
use super::proofs::Proofs;
use super::sessions::Sessions;
use super::{private, proxies};
use crate::address::Trusted;
use crate::audit::AuditFile;
use crate::config::{Audit, Config, Keys, Route, SessionsIn, UpstreamProtocol};
use crate::identity::Names;
use crate::listener::{Http1Limits, Http2Limits, Limits, Settings, Timeouts};
use crate::metrics::Metrics;
use crate::observe::wall_clock;
use crate::proxy::{Protocol, Upstream, UpstreamLimits};
use crate::route::{Shared, Table};
use crate::service::Rules;
use crate::tls::{Certificates, SharedCertificates, TlsOptions, load};
use rustls::pki_types::UnixTime;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tagai_core::realm::AuthRealm;
use tagai_server::{Guard, GuardConfig, MutualBuilder};
use tagai_store::memory::MemorySessions;
use tagai_store::sealing::SealingKeys;
use tagai_store::sqlite::SqliteStore;

/// Something that works, and is hardly what somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning(pub String);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything that has to be opened.
pub(super) struct Parts {
    pub(super) store: SqliteStore,
    pub(super) sessions: Sessions,
    pub(super) certificates: Option<Certificates>,
    pub(super) proofs: Proofs,
    pub(super) warnings: Vec<Warning>,
}

impl Parts {
    pub(super) fn open(config: &Config) -> Result<Self, StartError> {
        let mut warnings: Vec<Warning> = config.warnings.iter().map(|warning| Warning(warning.to_string())).collect();
        let keys = match &config.store.keys {
            Keys::File(path) => SealingKeys::load(path)?,
            Keys::Env(name) => SealingKeys::from_variable(name)?,
        };
        let store = SqliteStore::open(&config.store.database, keys)?;
        let sessions = match config.store.sessions {
            SessionsIn::Memory => Sessions::Memory(MemorySessions::new(config.limits.sessions)),
            SessionsIn::Sqlite => Sessions::Sqlite(store.sessions(config.limits.sessions)?),
        };
        let (proofs, more) = Proofs::open(config, &HashMap::new(), now())?;
        warnings.extend(more);
        let (certificates, more) = certificates(config, &proofs)?;
        warnings.extend(more);
        warnings.extend(private::doubts(config));
        audit(config)?;
        Ok(Self { store, sessions, certificates, proofs, warnings })
    }
}

/// Opens everything that a configuration names, and says what is worth a warning: what a start would do, without starting.
///
/// # Errors
/// [`StartError`] for the first thing that cannot be used.
pub fn preflight(config: &Config) -> Result<Vec<Warning>, StartError> {
    let parts = Parts::open(config)?;
    let (users, sessions) = (Arc::new(parts.store.clone()), Arc::new(parts.sessions));
    parts.store.check()?;
    let builder = MutualBuilder::new(users, sessions);
    let policies = Arc::clone(&parts.proofs.policies);
    drop(rules(config, parts.proofs, &builder, &Metrics::default())?);
    let common = proxies::Common { builder: &builder, policies: &policies, principals: &Arc::default() };
    for section in &config.forward_proxies {
        drop(proxies::rules(section, section.address.port(), &common)?);
    }
    // Those of the configuration itself are known to whoever loaded it.
    Ok(parts.warnings.into_iter().skip(config.warnings.len()).collect())
}

/// Sees to it that the audit log can be written.
pub(super) fn audit(config: &Config) -> Result<(), StartError> {
    let Audit::File(path) = &config.log.audit else { return Ok(()) };
    AuditFile::new(path).prepare().map_err(|error| StartError::Audit { path: path.clone(), error })
}

/// The certificates for listeners with TLS, if there are any.
pub(super) fn certificates(
    config: &Config,
    proofs: &Proofs,
) -> Result<(Option<Certificates>, Vec<Warning>), StartError> {
    if !config.listen.iter().any(|listen| listen.tls) && !config.forward_proxies.iter().any(|proxy| proxy.tls) {
        return Ok((None, Vec::new()));
    }
    let now = now();
    let mut loaded = Vec::new();
    let mut warnings = Vec::new();
    for certificate in &config.certificates {
        let one = load(&certificate.chain, &certificate.key, now)?;
        warnings.extend(one.warnings.iter().cloned().map(Warning));
        loaded.push(one);
    }
    let (raw_key, asks) = (proofs.raw_key.clone(), Arc::new(proofs.asks(config)));
    Ok((Some(Certificates::new(loaded, &TlsOptions { raw_key, asks, ..TlsOptions::default() })?), warnings))
}

/// The time, for what certificates and lists say of it.
pub(super) fn now() -> UnixTime {
    UnixTime::since_unix_epoch(wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The rules for requests.
pub(super) fn rules(
    config: &Config,
    proofs: Proofs,
    builder: &MutualBuilder<SqliteStore, Sessions>,
    metrics: &Metrics,
) -> Result<Rules<SqliteStore, Sessions>, StartError> {
    // Routes to one application share its connections.
    let mut upstreams: HashMap<UpstreamKey, Arc<Upstream>> = HashMap::new();
    for route in config.sites.iter().flat_map(|site| &site.routes) {
        if let Entry::Vacant(vacant) = upstreams.entry(upstream_key(route)) {
            vacant.insert(Arc::new(upstream(route)?));
        }
    }
    let names = Names::of(config);
    let shared = Shared { builder, authorities: &proofs.authorities, names: &names, metrics };
    let table = Table::new(config, &shared, |route| upstreams.get(&upstream_key(route)).map(Arc::clone));
    let table = table.map_err(|(realm, error)| StartError::Realm { realm, error })?;
    let Proofs { authorities, policies, signer, .. } = proofs;
    Ok(Rules { table, names, trusted: Trusted::new(&config.trust), authorities, policies, signer })
}

/// What makes an upstream one of its own.
#[derive(PartialEq, Eq, Hash)]
struct UpstreamKey {
    uri: String,
    protocol: UpstreamProtocol,
    timeouts: [Duration; 2],
    ca: Option<PathBuf>,
}

fn upstream_key(route: &Route) -> UpstreamKey {
    UpstreamKey {
        uri: route.upstream.uri.to_string(),
        protocol: route.upstream.protocol,
        timeouts: [route.timeout, route.idle_timeout],
        ca: route.upstream_ca.clone(),
    }
}

fn upstream(route: &Route) -> Result<Upstream, StartError> {
    let protocol = match route.upstream.protocol {
        UpstreamProtocol::Http | UpstreamProtocol::Https => Protocol::Http1,
        UpstreamProtocol::H2c => Protocol::Http2,
    };
    let limits = UpstreamLimits {
        response: route.timeout,
        idle_body: route.idle_timeout,
        idle_tunnel: route.idle_timeout,
        ..UpstreamLimits::default()
    };
    Ok(Upstream::new(&route.upstream.uri.to_string(), protocol, route.upstream_ca.as_deref(), limits)?)
}

/// What a listener allows.
pub(super) fn settings(config: &Config, tls: Option<Arc<SharedCertificates>>) -> Settings {
    let limits = &config.limits;
    let head = u32::try_from(limits.header_size).unwrap_or(u32::MAX);
    Settings {
        tls,
        tunnels: false,
        limits: Limits {
            connections: limits.connections,
            connections_per_address: limits.connections_per_address,
            http1: Http1Limits { head: limits.header_size, fields: limits.headers, ..Http1Limits::default() },
            http2: Some(Http2Limits { streams: limits.streams, head, ..Http2Limits::default() }),
        },
        timeouts: Timeouts {
            handshake: limits.handshake_timeout,
            head: limits.header_timeout,
            idle: limits.idle_timeout,
            body: limits.body_timeout,
            stall: limits.body_timeout,
            ..Timeouts::default()
        },
    }
}

/// What slows guessing.
pub(super) fn guard(config: &Config) -> Arc<Guard> {
    let guessing = &config.guessing;
    Arc::new(Guard::new(GuardConfig {
        per_address: guessing.failures_per_address,
        per_user: guessing.failures_per_user,
        recovery: guessing.recovery,
        ..GuardConfig::default()
    }))
}

/// How the configuration calls its realms.
pub(super) fn realm_ids(config: &Config) -> HashMap<AuthRealm, String> {
    config.realms.iter().map(|realm| (realm.realm.clone(), realm.id.clone())).collect()
}

/// What a reload does not take over.
pub(super) fn unchangeable(old: &Config, new: &Config) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (changed, section) in [
        (old.store != new.store, "[store]"),
        (old.listen != new.listen, "[[listen]]"),
        (proxies::places(old) != proxies::places(new), "where and how many a [[forward-proxy]] takes"),
        (old.limits != new.limits, "[limits]"),
        (old.guessing != new.guessing, "[guessing]"),
        (old.admin != new.admin, "[admin]"),
        ((old.log.format, old.log.level) != (new.log.format, new.log.level), "[log] format and level"),
    ] {
        if changed {
            warnings
                .push(Warning(format!("{section} was changed: this takes a restart, and the rest was taken over")));
        }
    }
    warnings
}
