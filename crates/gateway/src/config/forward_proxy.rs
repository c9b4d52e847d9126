//! `[[forward-proxy]]`: ways out, for proven users.

use super::model::{Listen, Realm};
use super::reader::{Problem, Section, Span};
use super::realms::ReadRealm;
use super::suggest::closest;
use super::values;
use crate::forward_proxy::{ForwardLimits, ForwardProxyConfig, Target, TargetError};
use std::net::SocketAddr;
use std::sync::Arc;
use tagai_core::realm::{AuthScope, Host, Origin, Scheme};
use toml::Spanned;

/// `[[forward-proxy]]`: a proxy that takes users of a realm to servers of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardProxy {
    /// `address`: where it accepts connections.
    pub address: SocketAddr,
    /// `tls`: whether these are TLS; not if nothing is said.
    pub tls: bool,
    /// `name`: its host name or address, as clients know it; the scope of its realm.
    pub name: Host,
    /// `port`: its port, as clients know it; that of the address if nothing is said.
    pub port: Option<u16>,
    /// `realm`.
    pub realm: Arc<Realm>,
    /// `allow`: where it connects to.
    pub allow: Vec<Target>,
    /// `who`: who is taken there, in rules of one line; `None` if nothing is said.
    pub who: Option<Vec<String>>,
    /// `connections`, `connect-timeout`, `timeout`, `idle-timeout`, `max-body`.
    pub limits: ForwardLimits,
}

impl ForwardProxy {
    /// What it is to its clients, when it listens on a port: that of its address may be 0.
    #[must_use]
    pub fn origin(&self, port: u16) -> Origin {
        let scheme = if self.tls { Scheme::Https } else { Scheme::Http };
        Origin::new(scheme, self.name.clone(), self.port.unwrap_or(port))
    }

    /// The settings of the proxy, when it listens on a port.
    #[must_use]
    pub fn proxy_config(&self, port: u16) -> ForwardProxyConfig {
        let server = self.realm.server_config(&self.origin(port));
        ForwardProxyConfig { server, allow: self.allow.clone(), limits: self.limits }
    }
}

/// What the other sections say.
pub(super) struct Known<'k> {
    pub(super) realms: &'k [ReadRealm],
    /// Whether there are no more realms than these.
    pub(super) realms_are_sure: bool,
    pub(super) listen: &'k [Listen],
}

pub(super) fn read(document: &Section<'_>, known: &Known<'_>) -> Vec<ForwardProxy> {
    let mut proxies: Vec<ForwardProxy> = Vec::new();
    for section in document.sections("forward-proxy", "[[forward-proxy]]") {
        let address = address(&section, known, &proxies);
        let tls = section.flag("tls");
        if let Some(tls) = tls.as_ref().filter(|tls| *tls.get_ref() && !document.has("certificate")) {
            let problem = Problem::new("there is no [[certificate]] for TLS", "this proxy would need one");
            section.error(&tls.span(), problem.help("add a [[certificate]] with chain and key, or remove `tls`"));
        }
        let name = section.parsed("name", "a string such as \"proxy.example.com\"", name);
        if name.is_none() {
            section
                .missing("name", "such as name = \"proxy.example.com\": the host that users give to their programs");
        }
        let port =
            section.integer("port", 1, u64::from(u16::MAX)).and_then(|port| u16::try_from(port.into_inner()).ok());
        let realm = realm(&section, known, name.as_ref());
        let allow = section.list("allow", target);
        if allow.is_none() || section.has_empty_list("allow") {
            let help =
                "such as allow = [\"*.example.com:443\", \"10.0.0.0/8:*\"]: where it connects to, and nowhere else";
            match section.has("allow") {
                false => section.missing("allow", help),
                true if section.has_empty_list("allow") => {
                    let problem = Problem::new("`allow` is empty", "this proxy would lead nowhere");
                    section.error(&section.key_span("allow"), problem.help(help));
                }
                true => {}
            }
        }
        let who = section.list("who", values::rule);
        if section.has_empty_list("who") {
            let problem = Problem::new("`who` takes nobody anywhere", "there is no rule in it");
            let help = "remove it: then every user of the realm is let through, or whom the [policy] permits";
            section.error(&section.key_span("who"), problem.help(help));
        }
        let who = who.map(|list| list.into_inner().into_iter().map(Spanned::into_inner).collect());
        let limits = limits(&section);
        section.finish();
        let (Some(address), Some(name), Some(realm), Some(allow)) = (address, name, realm, allow) else { continue };
        let (name_span, name) = (name.span(), name.into_inner());
        // Policies know a proxy by its name, so those of one name are one to them.
        if proxies.iter().any(|other| other.name == name && other.who != who) {
            let problem = Problem::new(
                format!("two proxies of the name {name} have different rules in `who`"),
                "policies know a proxy by its name",
            );
            document.findings.error(&name_span, problem.help("give both the same `who`, or each a name of its own"));
        }
        proxies.push(ForwardProxy {
            address,
            tls: tls.is_some_and(Spanned::into_inner),
            name,
            port,
            realm,
            allow: allow.into_inner().into_iter().map(Spanned::into_inner).collect(),
            who,
            limits,
        });
    }
    proxies
}

fn address(section: &Section<'_>, known: &Known<'_>, proxies: &[ForwardProxy]) -> Option<SocketAddr> {
    let address = section.parsed("address", "a string such as \"127.0.0.1:3128\"", values::socket_address);
    let Some(address) = address else {
        section.missing("address", "such as address = \"127.0.0.1:3128\"");
        return None;
    };
    let mut taken = known.listen.iter().map(|listen| listen.address).chain(proxies.iter().map(|proxy| proxy.address));
    if address.get_ref().port() != 0 && taken.any(|other| other == *address.get_ref()) {
        let message = format!("the address {} is taken", address.get_ref());
        let problem = Problem::new(message, "another [[listen]] or [[forward-proxy]] has it");
        section.error(&address.span(), problem.help("give each a port of its own"));
    }
    Some(address.into_inner())
}

fn name(text: &str) -> Result<Host, Problem> {
    let host = Host::parse(text).map_err(|error| {
        Problem::new(format!("\"{text}\" is no host"), error.to_string())
            .help("a host name or an address alone, such as \"proxy.example.com\"; the port is that of `address`, or `port`")
    })?;
    if host.to_string() == text {
        return Ok(host);
    }
    Err(Problem::new("the host is not in its usual spelling", "scopes are compared as they are written")
        .help(format!("write \"{host}\"")))
}

/// The realm: its scope is the proxy's host name (RFC 8120 §14).
fn realm(section: &Section<'_>, known: &Known<'_>, name: Option<&Spanned<Host>>) -> Option<Arc<Realm>> {
    let ids = || known.realms.iter().map(|realm| realm.realm.id.as_str());
    let Some(named) = section.text("realm") else {
        section.missing("realm", "the id of a [[realm]] whose scope is the name of this proxy");
        return None;
    };
    let (span, id) = (named.span(), named.into_inner());
    let Some(found) = known.realms.iter().find(|realm| realm.realm.id == id) else {
        if known.realms_are_sure {
            let problem = Problem::new(format!("there is no realm \"{id}\""), "no [[realm]] has this id");
            let problem = match closest(id, ids()) {
                Some(name) => problem.help(format!("did you mean \"{name}\"?")),
                None => problem.help("define a [[realm]] with this id, and the name of this proxy as its scope"),
            };
            section.error(&span, problem);
        }
        return None;
    };
    found.used.set(true);
    if let Some(name) = name {
        check_scope(section, &span, &found.realm, name.get_ref());
    }
    Some(Arc::clone(&found.realm))
}

fn check_scope(section: &Section<'_>, span: &Span, realm: &Realm, name: &Host) {
    if realm.realm.auth_scope == AuthScope::SingleHost(name.clone()) {
        return;
    }
    let message = format!("the realm \"{}\" cannot be a proxy's at {name}", realm.id);
    let problem = Problem::new(message, format!("its scope is \"{}\"", realm.realm.auth_scope));
    let help = format!(
        "the scope of a proxy's realm is its host name (RFC 8120 §14): use a [[realm]] with scope = \"{name}\"; passwords are \
         set for each realm"
    );
    section.error(span, problem.help(help));
}

fn target(text: &str) -> Result<Target, Problem> {
    text.parse::<Target>().map_err(|error| {
        let problem = Problem::new(format!("\"{text}\" is nowhere to connect to"), error.to_string());
        match error {
            TargetError::Port => problem.help(format!("write \"{text}:443\", or \"{text}:*\" for all ports")),
            _ => problem.help("such as \"www.example.com:443\", \"*.example.com:443\" or \"10.0.0.0/8:*\""),
        }
    })
}

fn limits(section: &Section<'_>) -> ForwardLimits {
    let defaults = ForwardLimits::default();
    let time = |key, default| {
        section.parsed(key, "a string such as \"60s\"", values::duration).map_or(default, Spanned::into_inner)
    };
    let connections = section.integer("connections", 1, 1 << 20).map(Spanned::into_inner);
    ForwardLimits {
        connections: connections.and_then(|most| usize::try_from(most).ok()).unwrap_or(defaults.connections),
        connect: time("connect-timeout", defaults.connect),
        response: time("timeout", defaults.response),
        idle: time("idle-timeout", defaults.idle),
        max_body: section
            .parsed("max-body", "a string such as \"10MiB\" or \"unlimited\"", values::size_or_unlimited)
            .map_or(defaults.max_body, |size| size.into_inner().unwrap_or(u64::MAX)),
    }
}
