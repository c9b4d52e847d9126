//! How a route asks clients to prove themselves, and what its application is told: `access`, `proof`, `realm`, `client-ca`,
//! `allow`, `audience`, `client-cert`.

use super::model::{Access, Asks, ClientCa, ClientCertFields, Proofs, Realm};
use super::reader::{Problem, Section, Span};
use super::realms::ReadRealm;
use super::sites::Known;
use super::suggest::closest;
use super::values;
use std::sync::Arc;
use tagai_core::realm::{Origin, Scheme};
use toml::Spanned;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Public,
    Optional,
    Protected,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    Mutual,
    X509,
    RawKey,
    PasswordTls,
}

pub(super) fn access(section: &Section<'_>, known: &Known<'_>, origins: &[Origin]) -> Option<Access> {
    let words = [("public", Kind::Public), ("optional", Kind::Optional), ("protected", Kind::Protected)];
    let kind = section
        .parsed("access", "\"public\", \"optional\" or \"protected\": a string", |text| values::word(text, &words));
    if kind.is_none() {
        let help = "\"protected\" lets users of a realm through, \"optional\" lets everybody through and offers to log in, \
                    \"public\" lets everybody through";
        section.missing("access", help);
    }
    let proofs = proofs(section, origins);
    let named = section.text("realm");
    let authorities = authorities(section, known);
    let kind = kind?.into_inner();
    if kind == Kind::Public {
        if section.has("realm") {
            let problem = Problem::new("a public route has no realm", "nobody is asked to log in here");
            section.error(&section.key_span("realm"), problem.help("remove it, or set access to \"protected\""));
        }
        for key in ["proof", "client-ca", "allow"].into_iter().filter(|key| section.has(key)) {
            let problem = Problem::new(format!("a public route has no `{key}`"), "nobody is asked for proof here");
            section.error(&section.key_span(key), problem.help("remove it, or set access to \"protected\""));
        }
        return Some(Access::Public);
    }
    let proofs = proofs?;
    let realm = match (proofs.needs_realm(), named) {
        (true, named) => Some(realm(section, known, origins, named)?),
        (false, Some(_)) => {
            let problem = Problem::new("no method of this route asks users of a realm", "`realm` says nothing here");
            let help = "remove it, or add \"mutual\" to `proof`";
            section.error(&section.key_span("realm"), problem.help(help));
            None
        }
        (false, None) => None,
    };
    match (proofs.x509, section.has("client-ca")) {
        (true, false) => {
            let all = known.client_cas.iter().map(|read| format!("client-ca = [\"{}\"]", read.authority.id));
            let all = all.collect::<Vec<_>>().join(" or ");
            let help = if all.is_empty() { "define a [[client-ca]], and name its id".to_owned() } else { all };
            section.missing("client-ca", help);
        }
        (false, true) => {
            let problem = Problem::new("this route takes no certificates", "`client-ca` says nothing here");
            section.error(&section.key_span("client-ca"), problem.help("add \"x509\" to `proof`, or remove it"));
        }
        _ => {}
    }
    if kind == Kind::Optional && section.has("allow") {
        let problem = Problem::new("an optional route lets everybody through", "`allow` would keep nobody out");
        section.error(&section.key_span("allow"), problem.help("remove it, or set access to \"protected\""));
    }
    let asks = Asks { proofs, realm, client_cas: authorities };
    Some(if kind == Kind::Optional { Access::Optional(asks) } else { Access::Protected(asks) })
}

/// `proof`; `None` if it is wrong.
fn proofs(section: &Section<'_>, origins: &[Origin]) -> Option<Proofs> {
    let words = [
        ("mutual", Proof::Mutual),
        ("x509", Proof::X509),
        ("raw-key", Proof::RawKey),
        ("password-tls", Proof::PasswordTls),
    ];
    if !section.has("proof") {
        return Some(Proofs { mutual: true, ..Proofs::default() });
    }
    let list = section.list("proof", |text| values::word(text, &words))?;
    let mut proofs = Proofs::default();
    for proof in list.get_ref() {
        let which = match proof.get_ref() {
            Proof::Mutual => &mut proofs.mutual,
            Proof::X509 => &mut proofs.x509,
            Proof::RawKey => &mut proofs.raw_key,
            Proof::PasswordTls => &mut proofs.password_tls,
        };
        if std::mem::replace(which, true) {
            section.error(&proof.span(), Problem::new("a method is there twice", "it has been named before"));
        }
        let plain = origins.iter().find(|origin| origin.scheme() == Scheme::Http);
        if let Some(origin) = plain.filter(|_| *proof.get_ref() != Proof::Mutual) {
            let message = format!("the site is served without TLS as well, as {origin}");
            let problem = Problem::new(message, "this method is a part of TLS, or needs its protection");
            section.error(&proof.span(), problem.help("put the http:// origin into a [[site]] of its own"));
        }
    }
    if section.has_empty_list("proof") {
        let problem = Problem::new("`proof` is empty", "nobody could prove anything");
        section.error(&list.span(), problem.help("such as proof = [\"mutual\"], or access = \"public\""));
    }
    (proofs != Proofs::default()).then_some(proofs)
}

fn realm(
    section: &Section<'_>,
    known: &Known<'_>,
    origins: &[Origin],
    named: Option<Spanned<&str>>,
) -> Option<Arc<Realm>> {
    let ids = || known.realms.iter().map(|realm| realm.realm.id.as_str());
    let Some(named) = named else {
        let all = ids().map(|id| format!("realm = \"{id}\"")).collect::<Vec<_>>();
        let help = if all.is_empty() { "define a [[realm]], and name its id".to_owned() } else { all.join(" or ") };
        section.missing("realm", help);
        return None;
    };
    let (span, id) = (named.span(), named.into_inner());
    let Some(found) = known.realms.iter().find(|realm| realm.realm.id == id) else {
        if known.realms_are_sure {
            section.error(&span, nothing_of("realm", "[[realm]]", id, &ids().collect::<Vec<_>>()));
        }
        return None;
    };
    found.used.set(true);
    for origin in origins {
        check_realm(section, &span, found, origin);
    }
    Some(Arc::clone(&found.realm))
}

fn nothing_of(what: &str, section: &str, id: &str, there: &[&str]) -> Problem {
    let problem = Problem::new(format!("there is no {what} \"{id}\""), format!("no {section} has this id"));
    match closest(id, there.iter().copied()) {
        Some(name) => problem.help(format!("did you mean \"{name}\"?")),
        None if there.is_empty() => problem.help(format!("define a {section} with this id")),
        None => problem.help(format!("there is {}", there.join(", "))),
    }
}

fn authorities(section: &Section<'_>, known: &Known<'_>) -> Vec<Arc<ClientCa>> {
    let Some(list) = section.list("client-ca", Ok) else { return Vec::new() };
    if section.has_empty_list("client-ca") {
        let problem = Problem::new("`client-ca` is empty", "no certificate would be taken");
        section.error(&list.span(), problem.help("name a [[client-ca]], or remove \"x509\" from `proof`"));
    }
    let mut authorities: Vec<Arc<ClientCa>> = Vec::new();
    for id in list.into_inner() {
        let (span, id) = (id.span(), id.into_inner());
        let Some(found) = known.client_cas.iter().find(|read| read.authority.id == id) else {
            if known.client_cas_are_sure {
                let there = known.client_cas.iter().map(|read| read.authority.id.as_str()).collect::<Vec<_>>();
                section.error(&span, nothing_of("client-ca", "[[client-ca]]", id, &there));
            }
            continue;
        };
        if authorities.iter().any(|other| other.id == id) {
            section.error(&span, Problem::new("a [[client-ca]] is there twice", "it has been named before"));
        }
        found.used.set(true);
        authorities.push(Arc::clone(&found.authority));
    }
    authorities
}

/// Notes it if the realm cannot be used on the origin: clients would refuse it.
fn check_realm(section: &Section<'_>, span: &Span, read: &ReadRealm, origin: &Origin) {
    let scope = &read.realm.realm.auth_scope;
    if !scope.covers(origin) {
        let message = format!("the realm \"{}\" is not valid on {origin}", read.realm.id);
        let problem = Problem::new(message, format!("its scope is \"{scope}\"")).help(format!(
            "widen the scope, to \"{}\" or a domain above it; passwords have to be set anew then",
            origin.host()
        ));
        return section.error(span, problem);
    }
    for path in &read.paths {
        if path.get_ref().clone().within(scope, origin) != *path.get_ref() {
            let problem = Problem::new(
                format!("the path {} is outside of the realm's scope", path.get_ref()),
                format!("the scope is \"{scope}\""),
            );
            section.error(&path.span(), problem.help("clients ignore such a path: remove it, or widen the scope"));
        }
    }
}

/// What a route lets through, and tells its application.
pub(super) struct Sent {
    pub(super) allow: Option<Vec<String>>,
    pub(super) audience: Option<String>,
    pub(super) client_cert: ClientCertFields,
}

pub(super) fn sent(section: &Section<'_>, known: &Known<'_>, access: Option<&Access>) -> Sent {
    let allow = section.list("allow", values::rule);
    if section.has_empty_list("allow") {
        let problem = Problem::new("`allow` lets nobody through", "there is no rule in it");
        let help = "remove it: then everybody is let through who is proven, or whom the [policy] permits";
        section.error(&section.key_span("allow"), problem.help(help));
    }
    let audience = section.parsed("audience", "a string such as \"wiki\"", |text| {
        if text.is_empty() || text.len() > 256 || text.chars().any(char::is_control) {
            return Err(Problem::new("this cannot be an audience", "1 to 256 octets, without control characters"));
        }
        Ok(text.to_owned())
    });
    if let Some(audience) = audience.as_ref().filter(|_| !known.has_assertion) {
        let problem = Problem::new("there is no [assertion]", "nothing would be signed for this audience");
        section.error(&audience.span(), problem.help("add [assertion] with issuer and keys, or remove `audience`"));
    }
    let words =
        [("none", ClientCertFields::None), ("leaf", ClientCertFields::Leaf), ("chain", ClientCertFields::Chain)];
    let client_cert =
        section.parsed("client-cert", "a string, \"leaf\" or \"chain\"", |text| values::word(text, &words));
    let certificates = access.is_none_or(|access| access.asks().is_some_and(|asks| asks.proofs.x509));
    if let Some(fields) = client_cert.as_ref().filter(|_| !certificates) {
        let problem = Problem::new("this route takes no certificates", "there is none that could be sent on");
        section.error(&fields.span(), problem.help("add \"x509\" to `proof`, or remove `client-cert`"));
    }
    Sent {
        allow: allow.map(|list| list.into_inner().into_iter().map(Spanned::into_inner).collect()),
        audience: audience.map(Spanned::into_inner),
        client_cert: client_cert.map(Spanned::into_inner).unwrap_or_default(),
    }
}
