//! Forward proxies of a running gateway: their listeners, and their rules.

use super::build;
use super::error::StartError;
use super::sessions::Sessions;
use super::{Address, Running};
use crate::config::{Config, ForwardProxy as Section};
use crate::forward_proxy::{Authorize, ForwardProxy, ForwardRules};
use crate::listener::{Listener, Settings};
use crate::metrics::Metrics;
use crate::tls::SharedCertificates;
use std::net::SocketAddr;
use std::sync::Arc;
use tagai_server::MutualBuilder;
use tagai_store::sqlite::SqliteStore;

type Proxy = ForwardProxy<SqliteStore, Sessions>;
pub(super) type Rules = ForwardRules<SqliteStore, Sessions>;

/// A proxy, and where it is.
pub(super) struct Place {
    /// The address of the configuration.
    configured: SocketAddr,
    pub(super) address: Address,
    proxy: Arc<Proxy>,
}

/// What takes a restart to be changed.
pub(super) fn places(config: &Config) -> Vec<(SocketAddr, bool, usize)> {
    config.forward_proxies.iter().map(|proxy| (proxy.address, proxy.tls, proxy.limits.connections)).collect()
}

/// The rules of a proxy that listens on a port.
pub(super) fn rules(
    section: &Section,
    port: u16,
    builder: &MutualBuilder<SqliteStore, Sessions>,
    authorize: Option<Authorize>,
) -> Result<Rules, StartError> {
    ForwardRules::new(section.proxy_config(port), builder, authorize)
        .map_err(|error| StartError::Realm { realm: section.realm.id.clone(), error: error.to_string() })
}

/// Listens for every proxy of a configuration.
pub(super) async fn bind(
    config: &Config,
    certificates: Option<&Arc<SharedCertificates>>,
    builder: &MutualBuilder<SqliteStore, Sessions>,
    metrics: &Arc<Metrics>,
) -> Result<Vec<(Listener, Place)>, StartError> {
    let mut bound = Vec::new();
    for section in &config.forward_proxies {
        let tls = certificates.cloned().filter(|_| section.tls);
        let settings = Settings { tunnels: true, ..build::settings(config, tls) };
        let listener = Listener::bind(section.address, settings).await;
        let listener = listener.map_err(|error| StartError::Bind { address: section.address, error })?;
        let address = listener.local_addr().unwrap_or(section.address);
        let rules = rules(section, address.port(), builder, None)?;
        let proxy = Arc::new(ForwardProxy::new(rules, Arc::clone(metrics)));
        let address = Address { address, tls: section.tls };
        bound.push((listener, Place { configured: section.address, address, proxy }));
    }
    Ok(bound)
}

/// Serves.
pub(super) fn run(listener: Listener, proxy: &Arc<Proxy>) -> Running {
    let (handle, open) = (listener.handle(), Box::new(listener.counter()));
    let proxy = Arc::clone(proxy);
    let task = tokio::spawn(listener.run(move |request, info| {
        let proxy = Arc::clone(&proxy);
        async move { proxy.serve(request, info).await }
    }));
    Running { handle, open, task }
}

impl Place {
    pub(super) const fn proxy(&self) -> &Arc<Proxy> {
        &self.proxy
    }

    /// The rules that a new configuration has for this proxy; none if it has no such proxy there.
    pub(super) fn renewed(
        &self,
        config: &Config,
        builder: &MutualBuilder<SqliteStore, Sessions>,
    ) -> Result<Option<Rules>, StartError> {
        let same = |section: &&Section| section.address == self.configured && section.tls == self.address.tls;
        let section = config.forward_proxies.iter().find(same);
        section.map(|section| rules(section, self.address.address.port(), builder, None)).transpose()
    }
}
