//! Whether a request is one, and whom it is for. The first line is `1`, `2` (the version of HTTP) or `3`, `4` (the same over
//! TLS), a method and a target; each other line a field.
//!
//! What is accepted has one host that everybody reads alike:
//!
//! - the only `Host`, or the target's authority, and both are of the same server if there are both;
//! - made of letters, digits and marks of addresses, with a port that is a number;
//! - in a target that is a path or `*`, of the connection's scheme, and not CONNECT.

#![no_main]

use http::header::{HOST, HeaderName};
use http::{Method, Request, Version};
use libfuzzer_sys::fuzz_target;
use tagai_gateway::proxy::check;

fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|octet| *octet == b'\n');
    let Some((kind, first)) = lines.next().and_then(<[u8]>::split_first) else { return };
    let mut words = first.split(|octet| *octet == b' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return };
    let (version, secure) = match kind {
        b'1' => (Version::HTTP_11, false),
        b'2' => (Version::HTTP_2, false),
        b'3' => (Version::HTTP_11, true),
        _ => (Version::HTTP_2, true),
    };
    let mut request = Request::builder().version(version).method(method).uri(target);
    for line in lines.take(64) {
        let colon = line.iter().position(|octet| *octet == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let (Ok(name), Some((_, value))) = (HeaderName::from_bytes(name), value.split_first()) else { continue };
        request = request.header(name, value);
    }
    let Ok(request) = request.body(()) else { return };
    let Ok(authority) = check(&request, secure) else { return };

    let default = if secure { 443 } else { 80 };
    let (host, port) = server(authority.as_str(), default).expect("a host and a port");
    assert_eq!((authority.host(), authority.port_u16().unwrap_or(default)), (host, port));
    assert_ne!(request.method(), Method::CONNECT);
    let uri = request.uri();
    assert!(uri.path().starts_with('/') || uri.path() == "*" && request.method() == Method::OPTIONS);
    assert!(uri.scheme_str().is_none_or(|scheme| scheme == if secure { "https" } else { "http" }));

    let hosts: Vec<&str> =
        request.headers().get_all(HOST).iter().map(|value| value.to_str().expect("text")).collect();
    assert!(hosts.len() == 1 || hosts.is_empty() && version == Version::HTTP_2, "{hosts:?}");
    for named in hosts.into_iter().chain(uri.authority().map(|target| target.as_str())) {
        let (named, named_port) = server(named, default).expect("a host and a port");
        assert!(named.eq_ignore_ascii_case(host) && named_port == port, "{named} is not {authority}");
    }
});

/// The host and the port, read in the simplest way; `None` if others could read it differently.
fn server(text: &str, default: u16) -> Option<(&str, u16)> {
    if !text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._:[]".contains(&octet)) {
        return None;
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inner = address.unwrap_or(host);
    // Colons stand in brackets, and brackets around the whole.
    if inner.is_empty() || inner.contains(['[', ']']) || address.is_none() && inner.contains(':') {
        return None;
    }
    let port = match port {
        None => default,
        Some(port) if port.bytes().all(|octet| octet.is_ascii_digit()) => port.parse().ok()?,
        Some(_) => return None,
    };
    Some((host, port))
}
