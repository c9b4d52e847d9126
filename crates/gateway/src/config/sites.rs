//! `[[site]]` and `[[site.route]]`: what is served where, and for whom.

use super::clients::ReadClientCa;
use super::model::{Access, Listen, Route, Site, UpstreamProtocol};
use super::proof;
use super::reader::{Problem, Section};
use super::realms::ReadRealm;
use super::surroundings;
use super::values;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tagai_core::control::{AuthControl, AuthStyle, Location};
use tagai_core::credential::Username;
use tagai_core::grammar::Natural;
use tagai_core::realm::{Origin, OriginError, Scheme};
use toml::Spanned;

/// The most octets of a request's body if nothing is said: enough for most uploads, and a bound for what an application that
/// reads bodies into its memory has to bear.
const DEFAULT_MAX_BODY: u64 = 100 << 20;
/// How long an upstream may take, and its response stand still, if nothing is said.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// What the other sections say.
pub(super) struct Known<'k> {
    /// What relative paths are relative to.
    pub(super) base: &'k Path,
    pub(super) realms: &'k [ReadRealm],
    /// Whether there are no more realms than these.
    pub(super) realms_are_sure: bool,
    pub(super) client_cas: &'k [ReadClientCa],
    /// Whether there are no more `[[client-ca]]` than these.
    pub(super) client_cas_are_sure: bool,
    /// Whether there is an `[assertion]`, right or wrong.
    pub(super) has_assertion: bool,
    /// The listeners, if all of them could be read.
    pub(super) listen: Option<&'k Vec<Listen>>,
}

pub(super) fn read(document: &Section<'_>, known: &Known<'_>) -> Vec<Site> {
    let sections = document.sections("site", "[[site]]");
    if sections.is_empty() && !document.has("forward-proxy") {
        document.missing_section("site", "[[site]]", "it says which origins are served, and where their requests go");
    }
    let mut taken: Vec<Origin> = Vec::new();
    let mut sites = Vec::new();
    for section in sections {
        let origins = origins(&section, &mut taken, known);
        let routes = routes(&section, known, &origins);
        section.finish();
        sites.push(Site { origins, routes });
    }
    // Where something is wrong, what uses the realm may be just that.
    if document.findings.errors() == 0 {
        known.realms.iter().for_each(|realm| realm.warn_if_unused(document));
        known.realms.iter().for_each(|realm| realm.warn_if_out_of_reach(document, &sites));
        known.realms.iter().for_each(|realm| realm.warn_if_partial(document, &sites));
        known.client_cas.iter().for_each(|authority| authority.warn_if_unused(document));
    }
    sites
}

fn origins(section: &Section<'_>, taken: &mut Vec<Origin>, known: &Known<'_>) -> Vec<Origin> {
    let Some(list) = section.list("origins", origin) else {
        section.missing(
            "origins",
            "such as origins = [\"https://www.example.com\"]: what users have in their address bar",
        );
        return Vec::new();
    };
    if section.has_empty_list("origins") {
        let problem = Problem::new("`origins` is empty", "nothing would be served");
        section.error(&list.span(), problem.help("name at least one, such as \"https://www.example.com\""));
    }
    let mut origins = Vec::new();
    for origin in list.into_inner() {
        let (span, origin) = (origin.span(), origin.into_inner());
        if taken.contains(&origin) {
            let problem = Problem::new(format!("the origin {origin} is named twice"), "it has been named before");
            section.error(&span, problem.help("put all of its routes into one [[site]]"));
            continue;
        }
        let tls = origin.scheme() == Scheme::Https;
        if known.listen.is_some_and(|all| all.iter().all(|listen| listen.tls != tls)) {
            let (with, line) = if tls { ("with TLS", "tls = true") } else { ("without TLS", "tls = false") };
            let problem = Problem::new(format!("nothing listens for {origin}"), format!("no [[listen]] is {with}"));
            section.error(
                &span,
                problem.help(format!("add a [[listen]] with an address and {line}, or remove the origin")),
            );
        }
        taken.push(origin.clone());
        origins.push(origin);
    }
    origins
}

fn origin(text: &str) -> Result<Origin, Problem> {
    Origin::parse(text).map_err(|error| {
        let problem = Problem::new(format!("\"{text}\" is no origin"), error.to_string());
        let root = text.find("://").and_then(|at| text.get(at + 3..)?.find('/').map(|slash| at + 3 + slash));
        let root = root.and_then(|end| text.get(..end)).filter(|root| Origin::parse(root).is_ok());
        match (error, root) {
            (_, Some(root)) => problem.help(format!("write \"{root}\": an origin has no path, routes have")),
            (OriginError::Scheme, None) => {
                problem.help(format!("write \"https://{text}\", if that is what is meant"))
            }
            _ => problem.help("such as \"https://www.example.com\" or \"http://localhost:8080\""),
        }
    })
}

fn routes(section: &Section<'_>, known: &Known<'_>, origins: &[Origin]) -> Vec<Arc<Route>> {
    let sections = section.sections("route", "[[site.route]]");
    if sections.is_empty() {
        section.missing("route", "add a [[site.route]] with path, access and upstream");
    }
    let mut routes: Vec<Arc<Route>> = Vec::new();
    for route in sections {
        let path_span = route.key_span("path");
        let Some(read) = one(route, known, origins) else { continue };
        // Each covers what is below it, with or without a slash at the end.
        if routes.iter().any(|other| other.path.trim_end_matches('/') == read.path.trim_end_matches('/')) {
            let problem = Problem::new(format!("the site has two routes \"{}\"", read.path), "this is the second");
            section.error(&path_span, problem.help("remove one of them, or give it another path"));
        } else {
            routes.push(Arc::new(read));
        }
    }
    routes.sort_by(|a, b| b.path.len().cmp(&a.path.len()).then_with(|| a.path.cmp(&b.path)));
    routes
}

fn one(section: Section<'_>, known: &Known<'_>, origins: &[Origin]) -> Option<Route> {
    let path = section.parsed("path", "a string such as \"/\"", values::route_path);
    if path.is_none() {
        section.missing("path", "such as path = \"/\": requests for it and everything below take this route");
    }
    let access = proof::access(&section, known, origins);
    let sent = proof::sent(&section, known, access.as_ref());
    let upstream = section.parsed("upstream", "a string such as \"http://127.0.0.1:9000\"", values::upstream);
    if upstream.is_none() {
        section.missing("upstream", "such as upstream = \"http://127.0.0.1:9000\": where requests go");
    }
    let methods = section.list("methods", values::method);
    if section.has_empty_list("methods") {
        let problem = Problem::new("`methods` lets nothing through", "no method is named");
        section.error(&section.key_span("methods"), problem.help("remove it: then every method is let through"));
    }
    let methods = methods.map(|list| list.into_inner().into_iter().map(Spanned::into_inner).collect());
    let max_body = section
        .parsed("max-body", "a string such as \"10MiB\" or \"unlimited\"", values::size_or_unlimited)
        .map_or(Some(DEFAULT_MAX_BODY), Spanned::into_inner);
    let timeout = section
        .parsed("timeout", "a string such as \"60s\"", values::duration)
        .map_or(DEFAULT_TIMEOUT, Spanned::into_inner);
    let idle_timeout = section
        .parsed("idle-timeout", "a string such as \"5m\"", values::duration)
        .map_or(DEFAULT_IDLE_TIMEOUT, Spanned::into_inner);
    let upstream_ca = surroundings::path(&section, "upstream-ca", known.base);
    let secure = upstream.as_ref().map(|upstream| upstream.get_ref().protocol == UpstreamProtocol::Https);
    if upstream_ca.is_some() && secure == Some(false) {
        let problem = Problem::new("`upstream-ca` is for https", "this upstream shows no certificate");
        section
            .error(&section.key_span("upstream-ca"), problem.help("remove it, or write upstream = \"https://...\""));
    }
    let pass_host = section.flag("pass-host").is_none_or(Spanned::into_inner);
    let control = section.section("control", "[site.route.control]").map(|control| {
        let span = control.span.clone();
        (span, read_control(control, access.as_ref()))
    });
    if let (Some(Access::Public), Some((span, _))) = (&access, &control) {
        let problem = Problem::new("a public route asks nobody to log in", "there is nothing to control");
        section
            .error(span, problem.help("remove [site.route.control], or set access to \"optional\" or \"protected\""));
    }
    section.finish();
    let control = control.map(|(_, control)| control).unwrap_or_default();
    let (path, upstream) = (path?.into_inner(), upstream?.into_inner());
    Some(Route {
        path,
        access: access?,
        allow: sent.allow,
        audience: sent.audience,
        client_cert: sent.client_cert,
        upstream,
        methods,
        max_body,
        timeout,
        idle_timeout,
        upstream_ca,
        pass_host,
        control,
    })
}

fn read_control(section: Section<'_>, access: Option<&Access>) -> AuthControl {
    let styles = [("modal", AuthStyle::Modal), ("non-modal", AuthStyle::NonModal)];
    let style =
        section.parsed("auth-style", "a string, \"modal\" or \"non-modal\"", |text| values::word(text, &styles));
    let location = |key| section.parsed(key, "a string such as \"/login\"", location).map(Spanned::into_inner);
    let optional = matches!(access, Some(Access::Optional(_)));
    if let Some(modal) = style.as_ref().filter(|style| optional && *style.get_ref() == AuthStyle::Modal) {
        let problem =
            Problem::new("an optional login is never modal", "clients show the page first, whatever this says");
        section.error(&modal.span(), problem.help("remove it, or set access to \"protected\" (RFC 8053 §4.2)"));
    }
    let no_auth = section.flag("no-auth");
    if let Some(flag) = no_auth.as_ref().filter(|flag| optional && *flag.get_ref()) {
        let problem = Problem::new("a login is offered, and asked not to be made", "this is not recommended");
        section.findings.warn(&flag.span(), problem.help("set access to \"public\" instead (RFC 8053 §4.4)"));
    }
    let username = section.parsed("username", "a string such as \"admin\"", |text| {
        let name =
            Username::prepare(text).map_err(|error| Problem::new("this cannot be a user name", error.to_string()))?;
        if name.as_str() == text {
            Ok(name)
        } else {
            let problem = Problem::new("the user name is not in its prepared form", "no user can have this name");
            Err(problem.help(format!("write \"{name}\" (RFC 8265)")))
        }
    });
    let control = AuthControl {
        auth_style: style.map(Spanned::into_inner),
        location_when_unauthenticated: location("location-when-unauthenticated"),
        no_auth: no_auth.is_some_and(Spanned::into_inner),
        location_when_logout: location("location-when-logout"),
        logout_timeout: section
            .integer("logout-timeout", 0, 365 * 86_400)
            .map(|seconds| Natural::from(seconds.into_inner())),
        username: username.map(Spanned::into_inner),
    };
    section.finish();
    control
}

fn location(text: &str) -> Result<Location, Problem> {
    Location::new(text).map_err(|error| Problem::new("users cannot be sent there", error.to_string()))
}
