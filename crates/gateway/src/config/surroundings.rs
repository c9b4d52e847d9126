//! The sections that tie the gateway to its machine: `[store]`, `[[listen]]`, `[[certificate]]`, `[identity]`, `[trust]`,
//! `[admin]`, `[log]`.

use super::model::{
    Admin, Audit, Certificate, ForwardedField, Identity, Keys, Listen, Log, LogFormat, SessionsIn, Store, Trust,
};
use super::reader::{Problem, Section};
use super::values;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::Spanned;
use tracing::level_filters::LevelFilter;

/// A path of the file system, relative to the configuration's directory.
pub(super) fn path(section: &Section<'_>, key: &'static str, base: &Path) -> Option<PathBuf> {
    let path = section.parsed(key, "a string: the path of a file", |text| {
        if text.is_empty() || text.contains('\0') {
            return Err(Problem::new(
                "this is not the path of a file",
                "a path has at least one character, and no NUL",
            ));
        }
        if text.starts_with("~/") {
            let problem = Problem::new("`~` is not known here", "only a shell replaces it");
            return Err(problem.help("write the whole path, or one relative to the directory of this file"));
        }
        Ok(base.join(text))
    });
    path.map(Spanned::into_inner)
}

pub(super) fn store(document: &Section<'_>, base: &Path) -> Option<Store> {
    let Some(section) = document.section("store", "[store]") else {
        document.missing_section(
            "store",
            "[store]",
            "add [store] with database = \"tagai.db\" and keys = \"keys/store.keys\"",
        );
        return None;
    };
    let database = path(&section, "database", base);
    if database.is_none() {
        section.missing("database", "such as database = \"tagai.db\"");
    }
    let file = path(&section, "keys", base).map(Keys::File);
    let mut env = variable(&section, "keys-env");
    // The one name with an underscore that earlier drafts of the format had.
    if env.is_none() {
        env = variable(&section, "keys_env");
    }
    let env_key = if section.has("keys_env") { "keys_env" } else { "keys-env" };
    let both = section.has("keys") && section.has(env_key);
    if both {
        let problem = Problem::new("the keys are in one place, not in two", "`keys` names a file already");
        section.error(&section.key_span(env_key), problem.help(format!("remove `keys` or `{env_key}`")));
    } else if !section.has(env_key) {
        section.missing(
            "keys",
            "such as keys = \"keys/store.keys\", a file, or keys-env = \"TAGAI_STORE_KEYS\", a variable",
        );
    }
    let words = [("memory", SessionsIn::Memory), ("sqlite", SessionsIn::Sqlite)];
    let sessions = section
        .parsed("sessions", "a string, \"memory\" or \"sqlite\"", |text| values::word(text, &words))
        .map_or(SessionsIn::Memory, Spanned::into_inner);
    section.finish();
    Some(Store { database: database?, keys: file.or(env)?, sessions })
}

fn variable(section: &Section<'_>, key: &'static str) -> Option<Keys> {
    let name = section.parsed(key, "a string: the name of an environment variable", |text| {
        let good = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
        if !text.is_empty() && text.bytes().all(good) && !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(text.to_owned());
        }
        let problem =
            Problem::new("this is not the name of an environment variable", "letters, digits and \"_\" make one");
        Err(problem.help("it is the name of the variable that stands here, never the keys themselves"))
    });
    name.map(|name| Keys::Env(name.into_inner()))
}

/// The listeners, and the address of each.
pub(super) fn listen(document: &Section<'_>) -> (Vec<Listen>, Vec<SocketAddr>) {
    let sections = document.sections("listen", "[[listen]]");
    if sections.is_empty() && !document.has("forward-proxy") {
        document.missing_section("listen", "[[listen]]", "add [[listen]] with address = \"127.0.0.1:8080\"");
    }
    let mut list: Vec<Listen> = Vec::new();
    for section in sections {
        let address = section.parsed("address", "a string such as \"127.0.0.1:8080\"", values::socket_address);
        if address.is_none() {
            section.missing("address", "such as address = \"127.0.0.1:8080\"");
        }
        let tls = section.flag("tls").is_some_and(Spanned::into_inner);
        if let Some(address) = address {
            let same = |other: &Listen| other.address == *address.get_ref() && other.address.port() != 0;
            if list.iter().any(same) {
                let message = format!("two [[listen]] have the address {}", address.get_ref());
                section.error(&address.span(), Problem::new(message, "an address can be listened on once"));
            }
            list.push(Listen { address: address.into_inner(), tls });
        }
        section.finish();
    }
    let addresses = list.iter().map(|listen| listen.address).collect();
    (list, addresses)
}

pub(super) fn certificates(document: &Section<'_>, base: &Path, listen: &[Listen]) -> Vec<Certificate> {
    let sections = document.sections("certificate", "[[certificate]]");
    if sections.is_empty() && listen.iter().any(|listen| listen.tls) {
        let help = "a [[listen]] has tls = true: add [[certificate]] with chain and key, two PEM files";
        document.missing_section("certificate", "[[certificate]]", help);
    }
    let mut certificates = Vec::new();
    for section in sections {
        let (chain, key) = (path(&section, "chain", base), path(&section, "key", base));
        if chain.is_none() {
            section.missing("chain", "such as chain = \"keys/localhost.pem\"");
        }
        if key.is_none() {
            section.missing("key", "such as key = \"keys/localhost.key\"");
        }
        if let (Some(chain), Some(key)) = (chain, key) {
            certificates.push(Certificate { chain, key });
        }
        section.finish();
    }
    certificates
}

pub(super) fn identity(document: &Section<'_>) -> Identity {
    let defaults = Identity::default();
    let Some(section) = document.section("identity", "[identity]") else { return defaults };
    let read = |key, default| {
        let name = section.parsed(key, "a string such as \"Tagai-User\"", values::identity_header);
        name.unwrap_or_else(|| Spanned::new(section.key_span(key), default))
    };
    let fields = [
        read("user", defaults.user),
        read("realm", defaults.realm),
        read("method", defaults.method),
        read("principal", defaults.principal),
        read("groups", defaults.groups),
    ];
    for (number, first) in fields.iter().enumerate() {
        for second in fields.iter().skip(number + 1).filter(|second| second.get_ref() == first.get_ref()) {
            let later = if first.span().start > second.span().start { first } else { second };
            let message = format!("the field {} would say two things", first.get_ref());
            section.error(&later.span(), Problem::new(message, "another of [identity] has this name"));
        }
    }
    section.finish();
    let [user, realm, method, principal, groups] = fields.map(Spanned::into_inner);
    Identity { user, realm, method, principal, groups }
}

pub(super) fn trust(document: &Section<'_>) -> Trust {
    let Some(section) = document.section("trust", "[trust]") else { return Trust::default() };
    let proxies = section.list("proxies", values::network).map(Spanned::into_inner).unwrap_or_default();
    for net in &proxies {
        if net.get_ref().prefix_len() == 0 {
            let problem = Problem::new("everybody is trusted to be a proxy", "anybody could claim any address");
            section.error(&net.span(), problem.help("name the addresses of your own proxies alone"));
        }
    }
    let words = [("X-Forwarded-For", ForwardedField::XForwardedFor), ("Forwarded", ForwardedField::Forwarded)];
    let field = section
        .parsed("field", "a string, \"X-Forwarded-For\" or \"Forwarded\"", |text| values::word(text, &words))
        .map(Spanned::into_inner)
        .unwrap_or_default();
    section.finish();
    Trust { proxies: proxies.into_iter().map(Spanned::into_inner).collect(), field }
}

pub(super) fn admin(document: &Section<'_>, taken: &[SocketAddr]) -> Option<Admin> {
    let section = document.section("admin", "[admin]")?;
    let address = section.parsed("address", "a string such as \"127.0.0.1:9901\"", values::socket_address);
    match &address {
        None => section.missing("address", "such as address = \"127.0.0.1:9901\""),
        Some(address) if taken.contains(address.get_ref()) && address.get_ref().port() != 0 => {
            let problem = Problem::new("the address of [admin] is that of a [[listen]]", "it is taken");
            section.error(&address.span(), problem.help("give [admin] a port of its own"));
        }
        Some(address) if !address.get_ref().ip().is_loopback() => {
            let problem = Problem::new("[admin] can be reached from other machines", "it asks nobody who they are");
            section
                .findings
                .warn(&address.span(), problem.help("listen on 127.0.0.1, or keep strangers out by a firewall"));
        }
        Some(_) => {}
    }
    section.finish();
    address.map(|address| Admin { address: address.into_inner() })
}

pub(super) fn log(document: &Section<'_>, base: &Path) -> Log {
    let defaults = Log::default();
    let Some(section) = document.section("log", "[log]") else { return defaults };
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let levels = [
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
        ("off", LevelFilter::OFF),
    ];
    let format = section.parsed("format", "a string, \"text\" or \"json\"", |text| values::word(text, &formats));
    let level = section.parsed("level", "a string such as \"info\"", |text| values::word(text, &levels));
    let audit = path(&section, "audit", Path::new(""))
        .map(|path| if path == Path::new("-") { Audit::Stdout } else { Audit::File(base.join(path)) });
    section.finish();
    Log {
        format: format.map_or(defaults.format, Spanned::into_inner),
        level: level.map_or(defaults.level, Spanned::into_inner),
        audit: audit.unwrap_or_default(),
    }
}
