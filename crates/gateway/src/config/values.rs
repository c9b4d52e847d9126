//! The forms of single values: durations, sizes, networks, URLs, paths, header names.

use super::model::{Upstream, UpstreamProtocol};
use super::reader::Problem;
use super::suggest::closest;
use http::uri::Scheme;
use http::{HeaderName, Method, Uri};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The longest duration: instants that far away can still be computed with.
pub(super) const MAX_DURATION: Duration = Duration::from_secs(365 * 86_400);

const DURATION_FORM: &str = "a number with ms, s, m, h or d, such as \"30s\", \"10m\" or \"1h30m\"";
const SIZE_FORM: &str = "a number with B, KiB, MiB or GiB, such as \"64KiB\"";

/// Digits at the start of a text, and what follows.
fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

/// `"10m"`, `"1h30m"`; not zero and at most [`MAX_DURATION`].
pub(super) fn duration(text: &str) -> Result<Duration, Problem> {
    let bad = || Problem::new("this is not a duration", format!("{DURATION_FORM} is one"));
    let (mut total, mut rest) = (Duration::ZERO, text);
    while !rest.is_empty() {
        let (count, tail) = number(rest).ok_or_else(bad)?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at_checked(unit_end).ok_or_else(bad)?;
        let milliseconds: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(bad()),
        };
        let part = count.checked_mul(milliseconds).map(Duration::from_millis);
        total = part
            .and_then(|part| total.checked_add(part))
            .filter(|sum| *sum <= MAX_DURATION)
            .ok_or_else(|| Problem::new("the duration is too long", "365d is the longest"))?;
        rest = next;
    }
    match total {
        _ if text.is_empty() => Err(bad()),
        Duration::ZERO => Err(Problem::new("the duration is zero", "nothing could happen in time")),
        total => Ok(total),
    }
}

/// `"10MiB"`, in octets; not zero.
pub(super) fn size(text: &str) -> Result<u64, Problem> {
    let bad = || Problem::new("this is not a size", format!("{SIZE_FORM} is one"));
    let (count, unit) = number(text).ok_or_else(bad)?;
    let factor: u64 = match unit.trim_start() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        other => {
            let first = other.chars().next().map(|c| c.to_ascii_uppercase());
            return Err(match first {
                Some(letter @ ('K' | 'M' | 'G')) => {
                    bad().help(format!("write \"{count}{letter}iB\", powers of 1024"))
                }
                None => bad().help(format!("write \"{count}B\" if octets are meant")),
                _ => bad(),
            });
        }
    };
    match count.checked_mul(factor) {
        Some(0) => Err(Problem::new("the size is zero", "nothing would fit")),
        Some(octets) if octets <= 1 << 50 => Ok(octets),
        _ => Err(Problem::new("the size is too large", "1048576GiB is the largest")),
    }
}

/// `"unlimited"`, or a size.
pub(super) fn size_or_unlimited(text: &str) -> Result<Option<u64>, Problem> {
    if text == "unlimited" {
        return Ok(None);
    }
    size(text).map(Some).map_err(|problem| match problem.help {
        None => problem.help("or write \"unlimited\""),
        Some(_) => problem,
    })
}

/// `"127.0.0.1:8080"`, `"[::]:8443"`.
pub(super) fn socket_address(text: &str) -> Result<SocketAddr, Problem> {
    text.parse().map_err(|_| {
        let problem = Problem::new("this is not an address with a port", "an IP address, a colon and a port are one");
        let port = text.rsplit(':').next().filter(|port| port.parse::<u16>().is_ok());
        match port {
            Some(port) if text.starts_with("localhost") => problem.help(format!("write \"127.0.0.1:{port}\"")),
            Some(port) => problem.help(format!(
                "\"0.0.0.0:{port}\" is every IPv4 address of this machine, \"[::]:{port}\" every address"
            )),
            None => problem.help("such as \"127.0.0.1:8080\" or \"[::1]:8080\""),
        }
    })
}

/// `"10.0.0.0/8"`, or an address alone.
pub(super) fn network(text: &str) -> Result<IpNet, Problem> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.into());
    }
    let net: IpNet = text.parse().map_err(|_| {
        Problem::new("this is not a network", "an address, a slash and a number of bits are one")
            .help("such as \"10.0.0.0/8\" or \"2001:db8::/32\"")
    })?;
    if net.trunc() == net {
        Ok(net)
    } else {
        Err(Problem::new("the address has bits behind the network's length", "which network is meant?")
            .help(format!("write \"{}\" for the network, or \"{}\" for the one address", net.trunc(), net.addr())))
    }
}

/// A name of a realm in this file: letters, digits, `-`, `_` and `.`.
pub(super) fn id(text: &str) -> Result<String, Problem> {
    let good = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    if (1..=64).contains(&text.len()) && text.bytes().all(good) && !text.starts_with('-') {
        Ok(text.into())
    } else {
        Err(Problem::new(
            "this cannot be an id",
            "an id has 1 to 64 ASCII letters, digits, \"-\", \"_\" and \".\", and no \"-\" in front",
        ))
    }
}

/// A rule of one line: who is let through.
pub(super) fn rule(text: &str) -> Result<String, Problem> {
    tagai_policy::rule::parse(text).map(|_| text.to_owned()).map_err(|error| {
        let part = text.get(error.span.clone()).unwrap_or_default().trim();
        let label = if part.is_empty() || part == text {
            "in this rule".to_owned()
        } else {
            let column = text.get(..error.span.start).unwrap_or_default().chars().count() + 1;
            format!("at \"{part}\", character {column} of the rule")
        };
        let problem = Problem::new(error.message, label);
        match error.help {
            Some(help) => problem.help(help),
            None => problem,
        }
    })
}

/// The path of a route: absolute, in its plainest spelling.
pub(super) fn route_path(text: &str) -> Result<String, Problem> {
    let bad = |label: &str| Err(Problem::new(format!("\"{text}\" cannot be the path of a route"), label));
    if !text.starts_with('/') {
        return bad("a path starts with \"/\"").map_err(|problem| problem.help(format!("write \"/{text}\"")));
    }
    if text.contains(['?', '#']) {
        return bad("a route is chosen by the path alone, without \"?\" and \"#\"");
    }
    if text.contains("//") || text.split('/').any(|segment| segment == "." || segment == "..") {
        return bad("empty, \".\" and \"..\" segments never match");
    }
    if text.contains(';') {
        return bad("what \";\" means in a path is read in too many ways");
    }
    let good = |octet: u8| octet.is_ascii_alphanumeric() || b"/-._~!$&'()*+,=:@".contains(&octet);
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        if good(octet) {
            continue;
        }
        let digits = [octets.next(), octets.next()].map(|digit| char::from(digit.unwrap_or(b' ')));
        let capitals = digits.iter().all(|digit| matches!(digit, '0'..='9' | 'A'..='F'));
        let value = u8::from_str_radix(&String::from_iter(digits), 16).ok().filter(|_| capitals);
        match value.filter(|_| octet == b'%') {
            Some(value) if good(value) || matches!(value, b'\\' | b';' | b'%') => {
                return bad("percent-encode only what cannot stand in a path, and no delimiters");
            }
            Some(_) => {}
            None => return bad("write other characters percent-encoded, as in a URL, with capitals: \"%C3%A9\""),
        }
    }
    Ok(text.into())
}

/// `"http://127.0.0.1:9000/prefix"`.
pub(super) fn upstream(text: &str) -> Result<Upstream, Problem> {
    let form = "such as \"http://127.0.0.1:9000\"; https:// and h2c:// are possible, and a path prefix";
    let bad = |label: &str| Problem::new(format!("\"{text}\" is no upstream"), label).help(form);
    let uri: Uri = text.parse().map_err(|_| bad("this is not a URL"))?;
    let mut parts = uri.into_parts();
    let protocol = match parts.scheme.as_ref().map(Scheme::as_str) {
        Some("http") => UpstreamProtocol::Http,
        Some("https") => UpstreamProtocol::Https,
        Some("h2c") => UpstreamProtocol::H2c,
        None => return Err(bad("it has to start with http://, https:// or h2c://")),
        Some(_) => return Err(bad("only http, https and h2c can be spoken")),
    };
    let authority = parts.authority.as_ref().ok_or_else(|| bad("it names no host"))?;
    if authority.as_str().contains('@') {
        return Err(bad("a user and a password cannot be given here"));
    }
    // `port_u16` is absent for "host:" and for numbers that are too large; both are mistakes.
    if authority.host().is_empty()
        || (authority.as_str() != authority.host() && authority.port_u16().is_none_or(|p| p == 0))
    {
        return Err(bad("the host or the port is wrong"));
    }
    let path = parts.path_and_query.as_ref();
    if path.is_some_and(|path| path.query().is_some()) || text.contains('#') {
        return Err(bad("it can have a path, but no \"?\" and \"#\""));
    }
    if protocol == UpstreamProtocol::H2c {
        parts.scheme = Some(Scheme::HTTP);
    }
    let uri = Uri::from_parts(parts).map_err(|_| bad("this is not a URL"))?;
    Ok(Upstream { protocol, uri })
}

/// A method of HTTP.
pub(super) fn method(text: &str) -> Result<Method, Problem> {
    let usual = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"];
    if let Some(name) = usual.into_iter().find(|name| *name != text && name.eq_ignore_ascii_case(text)) {
        return Err(Problem::new(format!("there is no method \"{text}\""), "methods are told apart by their case")
            .help(format!("write \"{name}\"")));
    }
    match Method::from_bytes(text.as_bytes()) {
        Ok(Method::CONNECT) => {
            Err(Problem::new("CONNECT cannot be routed", "it asks for a tunnel, not for a resource"))
        }
        Ok(method) => Ok(method),
        Err(_) => Err(Problem::new("this is not a method of HTTP", "a method is a word such as GET")),
    }
}

/// Fields that mean something to HTTP, to its authentication or to proxies, and so cannot carry who a user is.
const STANDARD_FIELDS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "authentication-control",
    "authentication-info",
    "authorization",
    "cache-control",
    "client-cert",
    "client-cert-chain",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-security-policy",
    "content-type",
    "cookie",
    "date",
    "dnt",
    "early-data",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "optional-www-authenticate",
    "origin",
    "pragma",
    "priority",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
];

/// The name of a header field that carries who a user is.
pub(super) fn identity_header(text: &str) -> Result<HeaderName, Problem> {
    let name = HeaderName::from_bytes(text.as_bytes()).map_err(|_| {
        Problem::new(format!("\"{text}\" is no name of a header field"), "letters, digits and \"-\" make one")
    })?;
    // Servers with a CGI-like interface cannot tell "_" from "-", and some drop names with "_".
    if text.contains('_') {
        return Err(Problem::new("the name holds \"_\"", "many servers drop such fields, or take them for others")
            .help(format!("write \"{}\"", text.replace('_', "-"))));
    }
    let spelling = text.to_ascii_lowercase();
    let standard = STANDARD_FIELDS.contains(&spelling.as_str()) || spelling.starts_with("sec-");
    if standard {
        return Err(Problem::new(
            format!("the field {text} has a meaning of its own"),
            "HTTP or proxies use this name",
        )
        .help("take a name that is yours alone, such as \"Tagai-User\""));
    }
    Ok(name)
}

/// One of several words.
pub(super) fn word<T: Copy>(text: &str, words: &[(&'static str, T)]) -> Result<T, Problem> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let all: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    let problem = Problem::new(format!("\"{text}\" is not known here"), format!("one of {}", all.join(", ")));
    Err(match closest(&text.to_lowercase(), words.iter().map(|(word, _)| *word)) {
        Some(word) => problem.help(format!("did you mean \"{word}\"?")),
        None => problem,
    })
}
