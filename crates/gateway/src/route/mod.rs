//! From a request to the rules for it: the origin that it is for, and the route that its path belongs to.

mod path;

use crate::config::{self, Access, ClientCertFields, Config};
use crate::identity::Names;
use crate::metrics::{Metrics, RouteCounters};
use crate::proof::{Authority, Gate};
use crate::proxy::{Host, Policy, Upstream};
use http::{HeaderValue, Method};
use std::collections::HashMap;
use std::sync::Arc;
use tagai_core::realm::{Origin, Scheme};
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

/// Realms, and how they are asked on an origin.
pub type Realms<C, S> = Vec<(Arc<config::Realm>, Mutual<C, S>)>;

/// What is served on one origin.
#[derive(Debug)]
pub struct Place<C, S> {
    /// The origin.
    pub origin: Origin,
    /// Its text.
    pub text: Box<str>,
    /// Its host.
    pub host: Box<str>,
    /// The realms of its routes whose users come by Mutual, each once.
    pub realms: Realms<C, S>,
    /// Whether one of its routes takes passwords that are sent, over TLS.
    pub takes_passwords: bool,
    /// Longest path first.
    routes: Vec<Entry<C, S>>,
}

/// One route.
#[derive(Debug)]
pub struct Entry<C, S> {
    prefix: path::Prefix,
    /// The origin and the path, as policies and logs call the route.
    pub id: Box<str>,
    /// Who may pass.
    pub gate: Gate<C, S>,
    /// For whom an assertion is signed, if for anybody.
    pub audience: Option<Box<str>>,
    /// Which fields of RFC 9440 the application gets.
    pub client_cert: ClientCertFields,
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

/// What routes share.
pub struct Shared<'a, C, S> {
    /// Makes realms.
    pub builder: &'a MutualBuilder<C, S>,
    /// The authorities, by their ids.
    pub authorities: &'a HashMap<String, Arc<Authority>>,
    /// The fields that only the gateway sets.
    pub names: &'a Names,
    /// What is counted.
    pub metrics: &'a Metrics,
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
    /// What is wrong, with the realm's id, if a realm does not work on an origin. A checked configuration has no such.
    pub fn new(
        config: &Config,
        shared: &Shared<'_, C, S>,
        mut upstream: impl FnMut(&config::Route) -> Option<Arc<Upstream>>,
    ) -> Result<Self, (String, String)> {
        let strip = shared.names.strip_list();
        let mut table = Self { plain: HashMap::new(), tls: HashMap::new() };
        for site in &config.sites {
            for origin in &site.origins {
                let mut realms = Vec::new();
                let mut routes = Vec::new();
                for route in &site.routes {
                    let gate = gate(&route.access, origin, shared, &mut realms)?;
                    let control =
                        route.access.realm().filter(|_| route.control != Default::default()).and_then(|realm| {
                            HeaderValue::try_from(route.control.to_field(&realm.realm.name).value).ok()
                        });
                    let Some(upstream) = upstream(route) else { continue };
                    routes.push(Entry {
                        prefix: path::Prefix::new(&route.path),
                        id: id(origin, route).into(),
                        gate,
                        audience: route.audience.as_deref().map(Box::from),
                        client_cert: route.client_cert,
                        methods: route.methods.clone(),
                        upstream,
                        policy: Policy {
                            strip: strip.clone(),
                            host: if route.pass_host { Host::Asked } else { Host::Upstream },
                            max_body: route.max_body.unwrap_or(u64::MAX),
                            ..Policy::default()
                        },
                        control,
                        counters: shared.metrics.route(&origin.to_string(), &route.path),
                    });
                }
                table.insert(origin, realms, routes);
            }
        }
        Ok(table)
    }

    fn insert(&mut self, origin: &Origin, realms: Realms<C, S>, mut routes: Vec<Entry<C, S>>) {
        routes.sort_by_key(|route| std::cmp::Reverse(route.prefix.depth()));
        let (text, host) = (origin.to_string().into(), origin.host().to_string().into());
        let takes_passwords = routes.iter().any(|route| route.gate.proofs.password_tls);
        let place = Arc::new(Place { origin: origin.clone(), text, host, realms, takes_passwords, routes });
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
        self.plain.values().chain(self.tls.values()).flat_map(|place| &place.realms).map(|(_, mutual)| mutual)
    }
}

/// How policies and logs call a route.
#[must_use]
pub fn id(origin: &Origin, route: &config::Route) -> String {
    format!("{origin}{}", route.path)
}

/// The gate of a route. Routes of one origin with one realm share it, as their sessions do.
fn gate<C: CredentialStore, S: SessionStore>(
    access: &Access,
    origin: &Origin,
    shared: &Shared<'_, C, S>,
    realms: &mut Realms<C, S>,
) -> Result<Gate<C, S>, (String, String)> {
    let wanted = access.asks().map(|asks| &asks.client_cas).into_iter().flatten();
    let authorities = wanted.filter_map(|ca| shared.authorities.get(&ca.id)).map(Arc::clone).collect();
    let mut gate = Gate::new(access, authorities);
    let Some(realm) = access.realm() else { return Ok(gate) };
    if gate.proofs.mutual {
        let known = realms.iter().find(|(known, _)| known.realm == realm.realm).map(|(_, mutual)| mutual.clone());
        gate.mutual = Some(match known {
            Some(mutual) => mutual,
            None => {
                let built = shared.builder.build(realm.server_config(origin));
                let built = built.map_err(|error| (realm.id.clone(), error.to_string()))?;
                realms.push((Arc::clone(realm), built.clone()));
                built
            }
        });
    }
    if gate.proofs.password_tls {
        let built = shared.builder.password_tls(realm.server_config(origin));
        gate.password = Some(built.map_err(|error| (realm.id.clone(), error.to_string()))?);
    }
    Ok(gate)
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
