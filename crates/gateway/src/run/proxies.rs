//! Forward proxies of a running gateway: their listeners, and their rules.

use super::build;
use super::error::StartError;
use super::sessions::Sessions;
use super::{Address, Running};
use crate::config::{Config, ForwardProxy as Section, Realm};
use crate::forward_proxy::{Authorize, Denied, ForwardProxy, ForwardRules, ProxyRequest};
use crate::listener::{Listener, Settings};
use crate::metrics::Metrics;
use crate::observe::{Journal, wall_clock};
use crate::proof::{Asked, Endings, Identified, Principals, Refusal, permit};
use crate::tls::SharedCertificates;
use arc_swap::ArcSwap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use tagai_policy::{Action, Policies};
use tagai_server::MutualBuilder;
use tagai_store::principal::Method;
use tagai_store::sqlite::SqliteStore;

type Proxy = ForwardProxy<SqliteStore, Sessions>;
pub(super) type Rules = ForwardRules<SqliteStore, Sessions>;

/// A proxy, and where it is.
pub(super) struct Place {
    /// The address of the configuration.
    configured: SocketAddr,
    /// What it began with.
    section: Section,
    pub(super) address: Address,
    proxy: Arc<Proxy>,
}

/// What takes a restart to be changed.
pub(super) fn places(config: &Config) -> Vec<(SocketAddr, bool, usize)> {
    config.forward_proxies.iter().map(|proxy| (proxy.address, proxy.tls, proxy.limits.connections)).collect()
}

/// What proxies go by, beside their own sections.
pub(super) struct Common<'a> {
    pub(super) builder: &'a MutualBuilder<SqliteStore, Sessions>,
    /// The policies that belong to the sections.
    pub(super) policies: &'a Arc<Policies>,
    /// The principals of the moment.
    pub(super) principals: &'a Arc<ArcSwap<Principals>>,
}

/// Who may connect where: whose user it is by the principals of the moment, and what the policies say.
fn authorize(section: &Section, common: &Common<'_>) -> Authorize {
    let (realm, name, tls) = (Arc::clone(&section.realm), section.name.to_string(), section.tls);
    let (policies, principals) = (Arc::clone(common.policies), Arc::clone(common.principals));
    Arc::new(move |request| decide(&policies, &principals.load(), &realm, (&name, tls), request))
}

fn decide(
    policies: &Policies,
    principals: &Principals,
    realm: &Arc<Realm>,
    (name, tls): (&str, bool),
    request: &ProxyRequest<'_>,
) -> Result<(), Denied> {
    let denied = |refusal, principal| Denied { refusal, principal };
    let user = Identified::of_user(realm, Method::Mutual, request.user.name().clone());
    let user =
        user.ok_or_else(|| denied(Refusal::new("unavailable", "the realm's id names no credentials"), None))?;
    let credential = user.credential.to_string();
    let who = user.resolve(principals).map_err(|refusal| denied(refusal, Some(credential)))?;
    let host = request.host.to_string();
    let asked = Asked {
        action: Action::Connect,
        route: name,
        host: &host,
        port: request.port,
        tls,
        path: request.path.unwrap_or_default(),
        method: request.method,
        source: request.source,
        time: wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
    };
    permit(policies, Some(&who), &asked).map_err(|refusal| denied(refusal, Some(who.name.clone())))
}

/// The rules of a proxy that listens on a port.
pub(super) fn rules(section: &Section, port: u16, common: &Common<'_>) -> Result<Rules, StartError> {
    ForwardRules::new(section.proxy_config(port), common.builder, Some(authorize(section, common)))
        .map_err(|error| StartError::Realm { realm: section.realm.id.clone(), error: error.to_string() })
}

/// Listens for every proxy of a configuration.
pub(super) async fn bind(
    config: &Config,
    certificates: Option<&Arc<SharedCertificates>>,
    common: &Common<'_>,
    (metrics, journal, endings): (&Arc<Metrics>, &Arc<Journal>, &Arc<Endings>),
) -> Result<Vec<(Listener, Place)>, StartError> {
    let mut bound = Vec::new();
    for section in &config.forward_proxies {
        let tls = certificates.cloned().filter(|_| section.tls);
        let settings = Settings { tunnels: true, ..build::settings(config, tls) };
        let listener = Listener::bind(section.address, settings).await;
        let listener = listener.map_err(|error| StartError::Bind { address: section.address, error })?;
        let address = listener.local_addr().unwrap_or(section.address);
        let rules = rules(section, address.port(), common)?;
        let proxy = ForwardProxy::new(rules, Arc::clone(metrics));
        let proxy = Arc::new(proxy.journal(Arc::clone(journal)).endings(Arc::clone(endings)));
        let address = Address { address, tls: section.tls };
        bound.push((listener, Place { configured: section.address, section: section.clone(), address, proxy }));
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

    /// The rules that a new configuration has for this proxy. If it has no such proxy, it connects nowhere from now on, until a
    /// restart closes it.
    pub(super) fn renewed(&self, config: &Config, common: &Common<'_>) -> Result<Rules, StartError> {
        let same = |section: &&Section| section.address == self.configured && section.tls == self.address.tls;
        let port = self.address.address.port();
        match config.forward_proxies.iter().find(same) {
            Some(section) => rules(section, port, common),
            None => rules(&Section { allow: Vec::new(), ..self.section.clone() }, port, common),
        }
    }
}
