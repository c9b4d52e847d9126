//! `[[client-ca]]`, `[[raw-key]]`, `[assertion]` and `[policy]`: who else but users can be proven, and what follows from it.

use super::model::{Assertion, CertificateName, ClientCa, CrlPolicy, Identity, Listen};
use super::reader::{Problem, Section, Span};
use super::realms::unregistered;
use super::{surroundings, values};
use crate::crls::Source;
use http::HeaderName;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// The longest life of an assertion: it speaks of one request.
const LONGEST_LIFE: Duration = Duration::from_secs(3_600);

/// A `[[client-ca]]`, and where it stands.
pub(super) struct ReadClientCa {
    pub(super) authority: Arc<ClientCa>,
    id: Span,
    pub(super) used: Cell<bool>,
}

impl ReadClientCa {
    /// Notes that no route takes its certificates.
    pub(super) fn warn_if_unused(&self, document: &Section<'_>) {
        if !self.used.get() {
            let message = format!("the [[client-ca]] \"{}\" is not used", self.authority.id);
            let problem = Problem::new(message, "no route takes its certificates");
            let help = "a route does by proof = [\"x509\"] and client-ca = [\"...\"]; name it there, or remove it";
            document.findings.warn(&self.id, problem.help(help));
        }
    }
}

pub(super) fn authorities(document: &Section<'_>, base: &Path) -> Vec<ReadClientCa> {
    let mut read: Vec<ReadClientCa> = Vec::new();
    for section in document.sections("client-ca", "[[client-ca]]") {
        let Some(one) = authority(section, base) else { continue };
        if read.iter().any(|other| other.authority.id == one.authority.id) {
            let message = format!("there are two [[client-ca]] \"{}\"", one.authority.id);
            let problem = Problem::new(message, "this is the second");
            document.error(&one.id, problem.help("give each an id of its own: principals are told apart by it"));
        }
        read.push(one);
    }
    read
}

fn authority(section: Section<'_>, base: &Path) -> Option<ReadClientCa> {
    let id = section.parsed("id", "a string such as \"partners\"", values::id);
    if id.is_none() {
        section.missing("id", "such as id = \"partners\": how routes, policies and the command line call it");
    }
    let certificates = surroundings::path(&section, "certificates", base);
    if certificates.is_none() {
        section.missing("certificates", "such as certificates = \"partners.pem\": the authorities that are trusted");
    }
    let intermediates = surroundings::path(&section, "intermediates", base);
    let names = names(&section);
    let unregistered = unregistered(&section);
    let crls = section.list("crls", |text| crl_source(text, base)).map(Spanned::into_inner).unwrap_or_default();
    let words = [("refuse", CrlPolicy::Refuse), ("accept", CrlPolicy::Accept)];
    let policy = section
        .parsed("crl-policy", "a string, \"refuse\" or \"accept\"", |text| values::word(text, &words))
        .map(Spanned::into_inner);
    if section.has("crls") && !section.has("crl-policy") {
        let help = "\"refuse\" refuses certificates when no current list speaks of them, \"accept\" takes them unless a list \
                    names them: only you can know which is worse";
        section.missing("crl-policy", help);
    } else if section.has("crl-policy") && !section.has("crls") {
        let problem = Problem::new("there are no lists that `crl-policy` could be about", "`crls` is missing");
        section.error(&section.key_span("crl-policy"), problem.help("add crls = [\"...\"], or remove it"));
    }
    section.finish();
    let (id, certificates) = (id?, certificates?);
    let (span, id) = (id.span(), id.into_inner());
    let crls = crls.into_iter().map(Spanned::into_inner).collect();
    let crl_policy = policy.unwrap_or_default();
    let authority = ClientCa { id, certificates, intermediates, names, unregistered, crls, crl_policy };
    Some(ReadClientCa { authority: Arc::new(authority), id: span, used: Cell::new(false) })
}

fn names(section: &Section<'_>) -> Vec<CertificateName> {
    let words = [
        ("uri", CertificateName::Uri),
        ("dns", CertificateName::Dns),
        ("email", CertificateName::Email),
        ("cn", CertificateName::CommonName),
    ];
    let Some(list) = section.list("names", |text| values::word(text, &words)) else {
        return vec![CertificateName::Uri, CertificateName::Dns, CertificateName::Email];
    };
    if section.has_empty_list("names") {
        let problem = Problem::new("`names` is empty", "no certificate would name anybody");
        section.error(&section.key_span("names"), problem.help("such as names = [\"uri\", \"dns\", \"email\"]"));
    }
    let mut names = Vec::new();
    for name in list.into_inner() {
        if names.contains(name.get_ref()) {
            section.error(&name.span(), Problem::new("a kind of name is there twice", "it has been named before"));
        }
        names.push(name.into_inner());
    }
    names
}

fn crl_source(text: &str, base: &Path) -> Result<Source, Problem> {
    if text.is_empty() || text.contains('\0') {
        return Err(Problem::new("this is not the path of a file", "a path has at least one character"));
    }
    Source::parse(text, base).map_err(|_| {
        let problem = Problem::new("a list cannot be fetched from there", "http:// and https:// URLs are fetched");
        problem.help(
            "such as \"http://crl.example.com/partners.crl\", without a user; a list is signed, so http will do",
        )
    })
}

pub(super) fn raw_key(document: &Section<'_>, base: &Path, listen: &[Listen]) -> Option<PathBuf> {
    let mut key = None;
    for (number, section) in document.sections("raw-key", "[[raw-key]]").into_iter().enumerate() {
        let path = surroundings::path(&section, "key", base);
        if path.is_none() {
            section.missing("key", "such as key = \"keys/gateway.key\", which `tagai key gen` makes");
        }
        if number > 0 {
            let problem = Problem::new("the gateway has one bare key", "this is another [[raw-key]]");
            section.error(&section.span, problem.help("remove it: clients pin the one key"));
        } else if !listen.iter().any(|listen| listen.tls) {
            let problem = Problem::new("no [[listen]] has TLS", "bare keys are shown in TLS alone (RFC 7250)");
            section.error(&section.span, problem.help("add a [[listen]] with tls = true, or remove [[raw-key]]"));
        }
        section.finish();
        key = key.or(path);
    }
    key
}

pub(super) fn policy(document: &Section<'_>, base: &Path) -> Option<PathBuf> {
    let section = document.section("policy", "[policy]")?;
    let file = surroundings::path(&section, "file", base);
    if file.is_none() {
        section.missing("file", "such as file = \"policy.cedar\"");
    }
    section.finish();
    file
}

pub(super) fn assertion(document: &Section<'_>, base: &Path, identity: &Identity) -> Option<Assertion> {
    let section = document.section("assertion", "[assertion]")?;
    let issuer = section.parsed("issuer", "a string such as \"https://www.example.com\"", |text| {
        if text.is_empty() || text.len() > 256 || text.chars().any(char::is_control) {
            return Err(Problem::new("this cannot name the issuer", "1 to 256 octets, without control characters"));
        }
        Ok(text.to_owned())
    });
    if issuer.is_none() {
        section
            .missing("issuer", "such as issuer = \"https://www.example.com\": what applications compare with `iss`");
    }
    let keys = surroundings::path(&section, "keys", base);
    if keys.is_none() {
        section.missing("keys", "such as keys = \"keys/assertion.pem\", which `tagai keys assertion new` makes");
    }
    let field = section.parsed("field", "a string such as \"Tagai-Assertion\"", values::identity_header);
    if let Some(field) = field.as_ref().filter(|field| identity.all().contains(&field.get_ref())) {
        let message = format!("the field {} would say two things", field.get_ref());
        section.error(&field.span(), Problem::new(message, "one of [identity] has this name"));
    }
    let life = section.parsed("life", "a string such as \"60s\"", |text| {
        let life = values::duration(text)?;
        if life.subsec_nanos() != 0 {
            return Err(Problem::new("`life` counts whole seconds", "this is not a whole number of them"));
        }
        if life > LONGEST_LIFE {
            return Err(Problem::new("the life is too long", "1h is the longest")
                .help("an assertion speaks of one request: whoever finds it later must not be able to use it"));
        }
        Ok(life)
    });
    section.finish();
    Some(Assertion {
        issuer: issuer?.into_inner(),
        keys: keys?,
        field: field.map_or(HeaderName::from_static("tagai-assertion"), Spanned::into_inner),
        life: life.map_or(Duration::from_secs(60), Spanned::into_inner),
    })
}
