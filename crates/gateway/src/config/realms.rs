//! `[[realm]]`: sets of users.

use super::model::{Realm, Registration, Route, Site, Unregistered};
use super::reader::{Problem, Section, Span};
use super::values;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use tagai_core::algorithm::Algorithm;
use tagai_core::realm::{AuthRealm, AuthScope, Host, Origin, Paths, RealmName, Scheme, ScopeError};
use tagai_core::server::ServerConfig;
use toml::Spanned;

/// A realm, and where things stand that turn out to be wrong only when it is used.
pub(super) struct ReadRealm {
    pub(super) realm: Arc<Realm>,
    pub(super) paths: Vec<Spanned<Paths>>,
    id: Span,
    pub(super) used: Cell<bool>,
    /// Where it says that users do something themselves.
    themselves: Vec<Span>,
}

impl ReadRealm {
    /// Notes that no route uses the realm.
    pub(super) fn warn_if_unused(&self, document: &Section<'_>) {
        if !self.used.get() {
            let problem = Problem::new(format!("the realm \"{}\" is not used", self.realm.id), "no route has it");
            document.findings.warn(&self.id, problem.help("name it in a [[site.route]], or remove it"));
        }
    }

    /// Notes that a part of an https origin is the realm's and the rest is not. A browser makes no such difference.
    pub(super) fn warn_if_partial(&self, document: &Section<'_>, sites: &[Site]) {
        let Some(first) = self.paths.first() else { return };
        let is_here = |route: &Arc<Route>| {
            let realm = route.access.asks().and_then(|asks| asks.realm.as_ref());
            realm.is_some_and(|realm| realm.id == self.realm.id)
        };
        let is_part = |origin: &&Origin| {
            let whole = self.realm.paths.as_ref().is_some_and(|paths| paths.contain(origin, origin, "/"));
            origin.scheme() == Scheme::Https && !whole
        };
        let here = sites.iter().filter(|site| site.routes.iter().any(is_here));
        let Some(origin) = here.flat_map(|site| &site.origins).find(is_part) else { return };
        let message =
            format!("`paths` leaves other pages of {origin} unproven, even to users of \"{}\"", self.realm.id);
        let problem =
            Problem::new(message, "a page outside of these, and thus anybody who can forge one, reads those inside");
        let help = "to browsers all pages of an origin are one: leave `paths` out, so that public pages are proven to whoever \
                    is logged in, or give the realm an origin of its own";
        document.findings.warn(&first.span(), problem.help(help));
    }

    /// Notes that users are to register or to change their passwords, and cannot come by a way on which they may.
    pub(super) fn warn_if_out_of_reach(&self, document: &Section<'_>, sites: &[Site]) {
        let with_tls = sites.iter().filter(|site| site.origins.iter().any(|origin| origin.scheme() == Scheme::Https));
        let asks = with_tls.flat_map(|site| &site.routes).filter_map(|route| route.access.asks());
        let mut here = asks.filter(|asks| asks.realm.as_ref().is_some_and(|realm| realm.id == self.realm.id));
        if !self.used.get() || here.any(|asks| asks.proofs.mutual) {
            return;
        }
        for span in &self.themselves {
            let message = format!("nobody can do this in the realm \"{}\"", self.realm.id);
            let problem =
                Problem::new(message, "no route of an https origin takes its users by Mutual authentication");
            let help = "users register and change their passwords over TLS alone: name the realm in a route of an https \
                        origin, with \"mutual\" among its proofs";
            document.findings.warn(span, problem.help(help));
        }
    }
}

pub(super) fn read(document: &Section<'_>) -> Vec<ReadRealm> {
    let mut realms: Vec<ReadRealm> = Vec::new();
    for section in document.sections("realm", "[[realm]]") {
        let Some(read) = one(section, document) else { continue };
        if let Some(twin) = realms.iter().find(|other| other.realm.id == read.realm.id) {
            let problem = Problem::new(format!("there are two realms \"{}\"", twin.realm.id), "this is the second");
            document.error(&read.id, problem.help("give each realm an id of its own"));
        } else if let Some(twin) = realms.iter().find(|other| other.realm.realm == read.realm.realm) {
            let message = format!("the realms \"{}\" and \"{}\" are the same", twin.realm.id, read.realm.id);
            let problem = Problem::new(message, "another realm has its name, its scope and its algorithm")
                .help("they would share their users: use one of them, or give one another name");
            document.error(&read.id, problem);
        }
        realms.push(read);
    }
    realms
}

fn one(section: Section<'_>, document: &Section<'_>) -> Option<ReadRealm> {
    let id = section.parsed("id", "a string such as \"staff\"", values::id);
    if id.is_none() {
        section.missing("id", "such as id = \"staff\": how this file and the command line call the realm");
    }
    let name = section.parsed("name", "a string such as \"Staff\"", |text| {
        RealmName::new(text).map_err(|error| Problem::new("this cannot be the name of a realm", error.to_string()))
    });
    match &name {
        None => section.missing("name", "such as name = \"Staff\": what users see when they are asked to log in"),
        Some(name) if !name.get_ref().as_str().is_ascii() => {
            let problem = Problem::new("the name of the realm is not ASCII", "some clients will not show it well");
            document.findings.warn(&name.span(), problem.help("RFC 8120 §4.1 asks servers for ASCII"));
        }
        Some(_) => {}
    }
    let scope = section.parsed("scope", "a string such as \"www.example.com\"", scope);
    if scope.is_none() {
        let help = "such as scope = \"www.example.com\" (one host), \"https://www.example.com\" (one server) or \
                    \"*.example.com\" (a domain): where the passwords of the realm are valid";
        section.missing("scope", help);
    }
    let algorithms = Algorithm::ALL.map(|algorithm| (algorithm.as_str(), algorithm));
    let algorithm = section
        .parsed("algorithm", "a string such as \"iso-kam3-ec-p256-sha256\"", |text| values::word(text, &algorithms))
        .map_or(Algorithm::EcP256Sha256, Spanned::into_inner);
    let session_time = session_time(&section);
    let session_requests = section.integer("session-requests", 1, u64::MAX).map(Spanned::into_inner);
    let nonce_window = section.integer("nonce-window", 1, u64::from(ServerConfig::MAX_NC_WINDOW));
    if let Some(window) = nonce_window.as_ref().filter(|window| *window.get_ref() < 128) {
        let problem = Problem::new("the window of request numbers is small", "128 or more is recommended");
        let help = "browsers that send many requests at once may have to repeat some of them (RFC 8120 §6)";
        section.findings.warn(&window.span(), problem.help(help));
    }
    let nonce_window = nonce_window.and_then(|window| u32::try_from(window.into_inner()).ok());
    let (paths, elements) = paths(&section);
    let unregistered = unregistered(&section);
    let ways = [("off", Registration::Off), ("invitation", Registration::Invitation)];
    let registration =
        section.parsed("registration", "a string, \"off\" or \"invitation\"", |text| values::word(text, &ways));
    let password_change = section.flag("password-change");
    let themselves = [
        registration.as_ref().filter(|way| *way.get_ref() != Registration::Off).map(Spanned::span),
        password_change.as_ref().filter(|on| *on.get_ref()).map(Spanned::span),
    ];
    section.finish();
    let (id, name, scope) = (id?, name?, scope?);
    let realm = AuthRealm { algorithm, auth_scope: scope.into_inner(), name: name.into_inner() };
    let (span, id) = (id.span(), id.into_inner());
    Some(ReadRealm {
        realm: Arc::new(Realm {
            id,
            realm,
            session_time,
            session_requests: session_requests.unwrap_or(u64::from(u32::MAX)),
            nonce_window: nonce_window.unwrap_or(128),
            paths,
            unregistered,
            registration: registration.map(Spanned::into_inner).unwrap_or_default(),
            password_change: password_change.is_none_or(Spanned::into_inner),
        }),
        paths: elements,
        id: span,
        used: Cell::new(false),
        themselves: themselves.into_iter().flatten().collect(),
    })
}

/// `unregistered`, of a realm or of a `[[client-ca]]`.
pub(super) fn unregistered(section: &Section<'_>) -> Unregistered {
    let words = [("accept", Unregistered::Accept), ("refuse", Unregistered::Refuse)];
    let read = section
        .parsed("unregistered", "a string, \"accept\" or \"refuse\"", |text| values::word(text, &words))
        .map(Spanned::into_inner);
    read.unwrap_or_default()
}

fn session_time(section: &Section<'_>) -> Duration {
    let recommended = Duration::from_secs(60);
    let time = section.parsed("session-time", "a string such as \"10m\"", |text| {
        let time = values::duration(text)?;
        if time.subsec_nanos() == 0 {
            Ok(time)
        } else {
            Err(Problem::new("`session-time` counts whole seconds", "this is not a whole number of them"))
        }
    });
    if let Some(short) = time.as_ref().filter(|time| *time.get_ref() < recommended) {
        let problem = Problem::new("sessions are over very soon", "60s or more is recommended");
        section.findings.warn(&short.span(), problem.help("every new session costs two more round trips"));
    }
    time.map_or(Duration::from_secs(600), Spanned::into_inner)
}

/// Reads a scope. A wildcard over domains of many owners is refused here, whichever site uses it.
fn scope(text: &str) -> Result<AuthScope, Problem> {
    let scope = AuthScope::parse(text).map_err(|error| {
        let problem = Problem::new("this is not an authentication scope", "it is not in the one spelling of a scope");
        match AuthScope::parse(&plainest(text)) {
            Ok(plain) => problem.help(format!("write \"{plain}\"")),
            Err(_) => problem.help(error.to_string()),
        }
    })?;
    if let AuthScope::WildcardDomain(domain) = &scope {
        let inside = Origin::new(Scheme::Https, Host::Domain(domain.clone()), 443);
        if let Err(ScopeError::PublicSuffix { .. }) = scope.acceptable_from(&inside) {
            let message = format!("the scope {scope} spans domains of different owners");
            let problem = Problem::new(message, "anybody can register a name below this domain");
            let help = format!("every client refuses it: name a domain of your own, such as \"*.example.{domain}\"");
            return Err(problem.help(help));
        }
    }
    Ok(scope)
}

/// What somebody may have meant who wrote a scope as one writes a URL.
fn plainest(text: &str) -> String {
    let text = text.trim().trim_end_matches('/');
    match Origin::parse(text) {
        Ok(origin) => origin.to_string(),
        Err(_) => match text.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => host.to_lowercase(),
            _ => text.to_lowercase(),
        },
    }
}

/// The `path` parameter, and each of its elements where it stands.
fn paths(section: &Section<'_>) -> (Option<Paths>, Vec<Spanned<Paths>>) {
    let list = section.list("paths", |text| {
        let one = Paths::parse(text);
        if !text.contains(' ') && one.to_string() == text && !text.is_empty() {
            return Ok(one);
        }
        let problem = Problem::new(
            format!("\"{text}\" cannot stand in a list of paths"),
            "an absolute path in ASCII, such as \"/app/\", or a URL with a host in lower case and a path",
        );
        Err(if text.contains(' ') { problem.help("write each path as a string of its own") } else { problem })
    });
    let Some(list) = list else { return (None, Vec::new()) };
    let (span, elements) = (list.span(), list.into_inner());
    let text = elements.iter().map(|path| path.get_ref().to_string()).collect::<Vec<_>>().join(" ");
    let all = Paths::parse(&text);
    if section.has_empty_list("paths") {
        let problem = Problem::new("`paths` is empty", "the realm would apply nowhere");
        section.error(&span, problem.help("remove it: then the realm applies to the whole server"));
    } else if text.len() > ServerConfig::MAX_PATHS_LEN || all.to_string() != text {
        let label =
            format!("64 paths, and {} octets with the spaces between them, is the most", ServerConfig::MAX_PATHS_LEN);
        let problem = Problem::new("`paths` is too long", label);
        section.error(&span, problem.help("name the directories that the paths have in common"));
    }
    (Some(all), elements)
}
