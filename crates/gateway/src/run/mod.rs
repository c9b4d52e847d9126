//! A gateway that runs: made from a configuration, reloaded while it serves, and ended without dropping anybody.

mod admin;
mod build;
mod directory;
mod error;
pub mod preview;
mod private;
mod proofs;
mod proxies;
mod sessions;
mod watch;

pub use build::{Warning, preflight};
pub use error::{ReloadError, StartError};
pub use sessions::Sessions;

use crate::config::Config;
use crate::crls::{Fetcher, refresher};
use crate::listener::{Drained, Handle, Listener};
use crate::metrics::{ClientCaLabel, Metrics, ResultLabel, StateLabel};
use crate::observe::{Journal, wall_clock};
use crate::proof::{Authority, Principals};
use crate::service::Service;
use crate::tls::SharedCertificates;
use arc_swap::ArcSwap;
use build::Parts;
use proofs::Proofs;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};
use tagai_core::credential::Username;
use tagai_core::realm::AuthRealm;
use tagai_server::{Clock, MutualBuilder};
use tagai_store::principal::PrincipalStore as _;
use tagai_store::sqlite::SqliteStore;
use tagai_store::{SessionStore as _, StoreError};
use tokio::task::JoinHandle;

/// How often sessions that are over are dropped, and users that were changed are looked for.
const CHORES: Duration = Duration::from_secs(1);

/// A running gateway. Dropping it ends its background tasks; its connections end with [`Gateway::shutdown`].
#[derive(Debug)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    config: Mutex<Config>,
    reloading: tokio::sync::Mutex<()>,
    service: Arc<Service<SqliteStore, Sessions>>,
    builder: MutualBuilder<SqliteStore, Sessions>,
    store: SqliteStore,
    sessions: Arc<Sessions>,
    principals: Arc<ArcSwap<Principals>>,
    clock: Clock,
    certificates: Option<Arc<SharedCertificates>>,
    journal: Arc<Journal>,
    metrics: Arc<Metrics>,
    listeners: Mutex<Vec<Running>>,
    addresses: Vec<Address>,
    proxies: Arc<[proxies::Place]>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// A listener and its task.
struct Running {
    handle: Handle,
    open: Box<dyn Fn() -> usize + Send + Sync>,
    task: JoinHandle<Drained>,
}

/// An address that the gateway listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The address, with the real port if the configuration said 0.
    pub address: SocketAddr,
    /// Whether it is for TLS.
    pub tls: bool,
}

impl Gateway {
    /// Starts a gateway: everything is checked and opened before the first connection is accepted.
    ///
    /// # Errors
    /// [`StartError`] says what cannot be used, and what to do.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let metrics = Metrics::new();
        let journal = Journal::start(Arc::clone(&metrics), config.log.audit.clone()).map_err(StartError::Thread)?;
        let parts = Parts::open(&config)?;
        for warning in &parts.warnings {
            tracing::warn!("{warning}");
        }
        journal.configure(config.log.audit.clone(), build::realm_ids(&config));
        let clock = Clock::system();
        let (store, sessions) = (parts.store, Arc::new(parts.sessions));
        let builder = MutualBuilder::new(Arc::new(store.clone()), Arc::clone(&sessions))
            .guard(build::guard(&config))
            .clock(clock.clone())
            .observer(Arc::clone(&journal) as Arc<_>);
        let rules = build::rules(&config, parts.proofs, &builder, &metrics)?;
        fetch(&rules.authorities);
        let principals = Arc::new(ArcSwap::from_pointee(Principals::new(store.directory()?)));
        let policies = Arc::clone(&rules.policies);
        let service =
            Arc::new(Service::new(rules, Arc::clone(&principals), Arc::clone(&metrics), Arc::clone(&journal)));
        let certificates = parts.certificates.map(|certificates| Arc::new(SharedCertificates::new(certificates)));

        let mut listeners = Vec::new();
        let mut addresses = Vec::new();
        for listen in &config.listen {
            let tls = certificates.clone().filter(|_| listen.tls);
            let settings = build::settings(&config, tls);
            let bound = Listener::bind(listen.address, settings).await;
            let listener = bound.map_err(|error| StartError::Bind { address: listen.address, error })?;
            let address = listener.local_addr().unwrap_or(listen.address);
            addresses.push(Address { address, tls: listen.tls });
            listeners.push(listener);
        }
        let admin = match &config.admin {
            Some(admin) => Some(admin::bind(admin.address).await?),
            None => None,
        };
        let common = proxies::Common { builder: &builder, policies: &policies, principals: &principals };
        let proxies =
            proxies::bind(&config, certificates.as_ref(), &common, (&metrics, &journal, service.endings())).await?;
        // From here on nothing fails.
        let mut listeners: Vec<_> =
            listeners.into_iter().map(|listener| run(listener, Arc::clone(&service))).collect();
        let (bound, proxies): (Vec<_>, Vec<_>) = proxies.into_iter().unzip();
        listeners.extend(bound.into_iter().zip(&proxies).map(|(bound, place)| proxies::run(bound, place.proxy())));
        metrics.loaded.set(unix_seconds());
        let gateway = Self(Arc::new(Inner {
            config: Mutex::new(config),
            reloading: tokio::sync::Mutex::default(),
            service,
            builder,
            store,
            sessions,
            principals,
            clock,
            certificates,
            journal,
            metrics,
            listeners: Mutex::new(listeners),
            addresses,
            proxies: proxies.into(),
            tasks: Mutex::default(),
        }));
        gateway.keep(tokio::spawn(chores(Arc::downgrade(&gateway.0))));
        if let Some(admin) = admin {
            let inner = Arc::downgrade(&gateway.0);
            gateway.keep(tokio::spawn(admin::serve(admin, inner)));
        }
        Ok(gateway)
    }

    /// Reloads when the configuration's file, or a certificate or key that it names, changes: looked for every two seconds, since
    /// what is swapped by symbolic links raises no event.
    pub fn watch_files(&self) {
        self.keep(tokio::spawn(watch::watch(Arc::downgrade(&self.0))));
    }

    fn keep(&self, task: JoinHandle<()>) {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    /// Where it listens, in the order of the configuration.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.0.addresses
    }

    /// Where its forward proxies listen, in the order of the configuration.
    #[must_use]
    pub fn proxies(&self) -> Vec<Address> {
        self.0.proxies.iter().map(|place| place.address).collect()
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    /// What writes the audit log.
    #[must_use]
    pub fn journal(&self) -> &Arc<Journal> {
        &self.0.journal
    }

    /// The version of the principals and denials that requests are judged by now: that of the store, or the one before for up to a
    /// second.
    #[must_use]
    pub fn directory_version(&self) -> i64 {
        self.0.service.principals().directory().version()
    }

    /// Reads the configuration's file anew and takes it over: sites, routes, realms, certificates, the audit log. Nothing is taken
    /// over if anything is wrong. Connections, and sessions of realms that are still there, go on.
    ///
    /// # Errors
    /// [`ReloadError`]; the gateway goes on with what it had.
    pub async fn reload(&self) -> Result<Vec<Warning>, ReloadError> {
        self.0.reload().await
    }

    /// Stops to accept connections, lets those that work finish for as long as the configuration says, and cuts the rest.
    pub async fn shutdown(self) -> Drained {
        let grace = self.0.config.lock().unwrap_or_else(PoisonError::into_inner).limits.shutdown_timeout;
        let listeners = std::mem::take(&mut *self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner));
        for listener in &listeners {
            listener.handle.shutdown(grace);
        }
        let mut cut = 0;
        for listener in listeners {
            cut += listener.task.await.map_or(0, |drained| drained.cut);
        }
        for task in std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)) {
            task.abort();
        }
        let journal = Arc::clone(&self.0.journal);
        let _ = tokio::task::spawn_blocking(move || journal.flush()).await;
        Drained { cut }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        for task in std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)) {
            task.abort();
        }
    }
}

fn run(listener: Listener, service: Arc<Service<SqliteStore, Sessions>>) -> Running {
    let (handle, open) = (listener.handle(), Box::new(listener.counter()));
    let task = tokio::spawn(listener.run(move |request, info| {
        let service = Arc::clone(&service);
        async move { service.serve(request, info).await }
    }));
    Running { handle, open, task }
}

impl Inner {
    async fn reload(&self) -> Result<Vec<Warning>, ReloadError> {
        // One after another: what was read last has to be what stays.
        let _turn = self.reloading.lock().await;
        let result = self.try_reload().await;
        let label = if result.is_ok() { "success" } else { "failure" };
        self.metrics.reloads.get_or_create(&ResultLabel { result: label }).inc();
        match &result {
            Ok(warnings) => {
                warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
                self.metrics.loaded.set(unix_seconds());
                tracing::info!("the configuration was reloaded");
            }
            Err(error) => {
                tracing::error!("the configuration was not reloaded, and the old one is still in use: {error}")
            }
        }
        result
    }

    async fn try_reload(&self) -> Result<Vec<Warning>, ReloadError> {
        let old = self.config.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let file = old.file.clone();
        let builder = self.builder.clone();
        let metrics = Arc::clone(&self.metrics);
        let authorities = self.service.rules().authorities.clone();
        let has_tls = self.certificates.is_some();
        let proxies = Arc::clone(&self.proxies);
        let principals = Arc::clone(&self.principals);
        // Files are read and verifiers of nobody computed: not on a thread that serves requests.
        let work = move || -> Result<_, ReloadError> {
            let config = Config::load(&file)?;
            build::audit(&config)?;
            let mut warnings = build::unchangeable(&old, &config);
            let (proofs, more) = Proofs::open(&config, &authorities, build::now())?;
            warnings.extend(more);
            let (certificates, more) = build::certificates(&config, &proofs)?;
            warnings.extend(more);
            warnings.extend(private::doubts(&config));
            warnings.extend(config.warnings.iter().map(|warning| Warning(warning.to_string())));
            let rules = build::rules(&config, proofs, &builder, &metrics)?;
            let common = proxies::Common { builder: &builder, policies: &rules.policies, principals: &principals };
            let ways = proxies.iter().map(|place| place.renewed(&config, &common)).collect::<Result<Vec<_>, _>>()?;
            Ok((config, certificates.filter(|_| has_tls), (rules, ways), warnings))
        };
        let (config, certificates, (rules, ways), warnings) =
            tokio::task::spawn_blocking(work).await.map_err(|_| ReloadError::Interrupted)??;
        if let (Some(shared), Some(certificates)) = (&self.certificates, certificates) {
            shared.replace(certificates);
        }
        self.journal.configure(config.log.audit.clone(), build::realm_ids(&config));
        fetch(&rules.authorities);
        self.service.replace(rules);
        for (place, rules) in self.proxies.iter().zip(ways) {
            place.proxy().replace(rules);
        }
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(warnings)
    }

    /// Ends what a user has: sessions, and what goes on in them; gives the number of sessions.
    async fn end_user(&self, realm: &AuthRealm, user: &Username) -> Result<usize, StoreError> {
        self.builder.forget_user(realm, user);
        let ended = self.sessions.end_user(realm, user).await;
        // Last, so that nothing that was begun in one of these sessions takes itself for newer.
        self.service.endings().add_user(realm, user);
        ended
    }

    /// Whether [`Gateway::shutdown`] was called: it has the listeners then.
    fn is_ending(&self) -> bool {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Brings the gauges up to date.
    async fn measure(&self) {
        if let Ok(counts) = self.sessions.counts().await {
            let gauge = |state, number: usize| {
                let number = i64::try_from(number).unwrap_or(i64::MAX);
                self.metrics.sessions.get_or_create(&StateLabel { state }).set(number);
            };
            gauge("half_open", counts.half_open);
            gauge("established", counts.established);
        }
        for (id, authority) in &self.service.rules().authorities {
            let gauge = self.metrics.crls.get_or_create(&ClientCaLabel { client_ca: id.clone() });
            let due = authority.crls().current().next_update(build::now());
            gauge.set(due.and_then(|due| i64::try_from(due.as_secs()).ok()).unwrap_or(0));
        }
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        let open: usize = listeners.iter().map(|listener| (listener.open)()).sum();
        self.metrics.connections.set(i64::try_from(open).unwrap_or(i64::MAX));
    }
}

/// Keeps the revocation lists of authorities fresh, for as long as these are in use.
fn fetch(authorities: &HashMap<String, Arc<Authority>>) {
    for authority in authorities.values().filter(|authority| authority.crls().has_urls()) {
        match Fetcher::system() {
            Ok(fetcher) => drop(tokio::spawn(refresher(Arc::downgrade(authority.crls()), fetcher, build::now))),
            Err(error) => {
                let client_ca = &authority.config().id;
                tracing::error!(client_ca, %error, "revocation lists cannot be fetched");
            }
        }
    }
}

/// Drops sessions that are over, and ends those of users who were changed.
async fn chores(gateway: std::sync::Weak<Inner>) {
    let mut ticks = tokio::time::interval(CHORES);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = None;
    // Those whose sessions could not be ended.
    let mut again = Vec::new();
    loop {
        ticks.tick().await;
        let Some(gateway) = gateway.upgrade() else { return };
        if let Err(error) = gateway.sessions.purge(gateway.clock.now()).await {
            tracing::error!(%error, "sessions that are over could not be dropped");
        }
        gateway.renew_directory().await;
        let store = gateway.store.clone();
        let revoked = tokio::task::spawn_blocking(move || store.revocations(seen)).await;
        match revoked {
            Ok(Ok(revoked)) => {
                seen = Some(revoked.last);
                again.extend(revoked.users);
            }
            Ok(Err(error)) => tracing::error!(%error, "changes of users could not be read"),
            Err(error) => tracing::error!(%error, "changes of users could not be read"),
        }
        for (realm, user) in std::mem::take(&mut again) {
            let (id, name) = (gateway.journal.id(&realm), user.as_str());
            match gateway.end_user(&realm, &user).await {
                Ok(0) => {}
                Ok(ended) => tracing::info!(realm = id, user = name, ended, "sessions ended: the user was changed"),
                Err(error) => {
                    tracing::error!(realm = id, user = name, %error, "sessions could not be ended; it is tried again");
                    again.push((realm, user));
                }
            }
        }
    }
}

fn unix_seconds() -> i64 {
    let since = wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
