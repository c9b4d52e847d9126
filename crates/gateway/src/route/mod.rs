//! From a request to the rules for it: the origin that it is for, and the route that its path belongs to.

mod path;

use crate::config::{self, Access, Config};
use crate::identity::Names;
use crate::metrics::{Metrics, RouteCounters};
use crate::proxy::{Host, Policy, Upstream};
use http::{HeaderValue, Method};
use std::collections::HashMap;
use std::sync::Arc;
use tagai_core::realm::{AuthRealm, Origin, Scheme};
use tagai_core::server::ConfigError;
use tagai_server::{Mutual, MutualBuilder};
use tagai_store::{CredentialStore, SessionStore};

/// What is served, by origin.
#[derive(Debug)]
pub struct Table<C, S> {
    plain: Places<C, S>,
    tls: Places<C, S>,
}

/// By `host` and `host:port`, in lower case.
type Places<C, S> = HashMap<Box<str>, Arc<Place<C, S>>>;

/// What is served on one origin.
#[derive(Debug)]
pub struct Place<C, S> {
    /// The origin.
    pub origin: Origin,
    /// The realms of its routes, each once.
    pub realms: Vec<Mutual<C, S>>,
    /// Longest path first.
    routes: Vec<Entry<C, S>>,
}

/// One route.
#[derive(Debug)]
pub struct Entry<C, S> {
    prefix: path::Prefix,
    /// Who may pass.
    pub gate: Gate<C, S>,
    /// The methods that are let through; all if `None`.
    pub methods: Option<Vec<Method>>,
    /// Where requests go.
    pub upstream: Arc<Upstream>,
    /// How they are changed on their way.
    pub policy: Policy,
    /// The value of `Authentication-Control`, if there are any wishes (RFC 8053 §4).
    pub control: Option<HeaderValue>,
    /// The route's counters.
    pub(crate) counters: RouteCounters,
}

/// Who may pass a route.
#[derive(Debug)]
pub enum Gate<C, S> {
    /// Everybody.
    Public,
    /// Everybody, and who wants to can log in.
    Optional(Mutual<C, S>),
    /// Who is logged in.
    Protected(Mutual<C, S>),
}

/// Why there is no route for a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoute {
    /// None of the site's routes covers it.
    NotFound,
    /// It could be read as the path of two routes.
    Ambiguous,
}

impl<C: CredentialStore, S: SessionStore> Table<C, S> {
    /// Builds the table of a configuration. `upstream` gives the upstream of a route; a route without one is left out.
    ///
    /// # Errors
    /// [`ConfigError`], with the realm's id, if a realm does not work on an origin. A checked configuration has none.
    pub fn new(
        config: &Config,
        builder: &MutualBuilder<C, S>,
        metrics: &Metrics,
        mut upstream: impl FnMut(&config::Route) -> Option<Arc<Upstream>>,
    ) -> Result<Self, (String, ConfigError)> {
        let strip = Names::from(&config.identity).strip_list();
        let mut table = Self { plain: HashMap::new(), tls: HashMap::new() };
        for site in &config.sites {
            for origin in &site.origins {
                let mut realms: Vec<(AuthRealm, Mutual<C, S>)> = Vec::new();
                let mut routes = Vec::new();
                for route in &site.routes {
                    let mut mutual = |realm: &config::Realm| {
                        if let Some((_, mutual)) = realms.iter().find(|(known, _)| *known == realm.realm) {
                            return Ok(mutual.clone());
                        }
                        let built = builder.build(realm.server_config(origin));
                        let built = built.map_err(|error| (realm.id.clone(), error))?;
                        realms.push((realm.realm.clone(), built.clone()));
                        Ok(built)
                    };
                    let gate = match &route.access {
                        Access::Public => Gate::Public,
                        Access::Optional(realm) => Gate::Optional(mutual(realm)?),
                        Access::Protected(realm) => Gate::Protected(mutual(realm)?),
                    };
                    let control =
                        route.access.realm().filter(|_| route.control != Default::default()).and_then(|realm| {
                            HeaderValue::try_from(route.control.to_field(&realm.realm.name).value).ok()
                        });
                    let Some(upstream) = upstream(route) else { continue };
                    routes.push(Entry {
                        prefix: path::Prefix::new(&route.path),
                        gate,
                        methods: route.methods.clone(),
                        upstream,
                        policy: Policy {
                            strip: strip.clone(),
                            host: if route.pass_host { Host::Asked } else { Host::Upstream },
                            max_body: route.max_body.unwrap_or(u64::MAX),
                            ..Policy::default()
                        },
                        control,
                        counters: metrics.route(&origin.to_string(), &route.path),
                    });
                }
                table.insert(origin, realms.into_iter().map(|(_, mutual)| mutual).collect(), routes);
            }
        }
        Ok(table)
    }

    fn insert(&mut self, origin: &Origin, realms: Vec<Mutual<C, S>>, mut routes: Vec<Entry<C, S>>) {
        routes.sort_by_key(|route| std::cmp::Reverse(route.prefix.depth()));
        let place = Arc::new(Place { origin: origin.clone(), realms, routes });
        let places = match origin.scheme() {
            Scheme::Http => &mut self.plain,
            Scheme::Https => &mut self.tls,
        };
        let with_port = format!("{}:{}", origin.host(), origin.port());
        if origin.port() == origin.scheme().default_port() {
            places.insert(origin.host().to_string().into(), Arc::clone(&place));
        }
        places.insert(with_port.into(), place);
    }

    /// What is served for the authority that a request names, over TLS or not. `None` is to be answered 421: an origin is what is
    /// configured, and nothing that a client makes up.
    #[must_use]
    pub fn find(&self, tls: bool, authority: &str) -> Option<&Arc<Place<C, S>>> {
        let places = if tls { &self.tls } else { &self.plain };
        places.get(authority).or_else(|| {
            // A trailing dot and capitals mean the same host (RFC 9110 §4.2.3); a missing port was looked up already.
            let lower = authority.to_ascii_lowercase();
            let (host, port) = match lower.rsplit_once(':') {
                Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
                _ => (lower.as_str(), None),
            };
            let host = host.strip_suffix('.').unwrap_or(host);
            match port {
                None | Some("") => places.get(host),
                Some(port) => places.get(format!("{host}:{port}").as_str()),
            }
        })
    }

    /// Every realm on every origin.
    pub fn realms(&self) -> impl Iterator<Item = &Mutual<C, S>> {
        self.plain.values().chain(self.tls.values()).flat_map(|place| &place.realms)
    }
}

impl<C, S> Place<C, S> {
    /// The route that a path (without its query) belongs to.
    ///
    /// # Errors
    /// [`NoRoute`].
    pub fn route(&self, path: &str) -> Result<&Entry<C, S>, NoRoute> {
        let number = path::find(self.routes.iter().map(|route| &route.prefix), path)?;
        let entry = self.routes.get(number).ok_or(NoRoute::NotFound)?;
        // What is put in front of the path must not be taken away again by the path.
        if entry.upstream.has_prefix() && path::may_leave(path) {
            return Err(NoRoute::Ambiguous);
        }
        Ok(entry)
    }
}

#[cfg(test)]
mod tests;
