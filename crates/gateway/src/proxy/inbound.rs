//! Whether a request is one at all, and whom it is for (RFC 9112 §3.2, RFC 9113 §8.3).

use http::header::{self, HeaderValue};
use http::uri::Authority;
use http::{Method, Request, StatusCode, Version};

/// Why a request is not handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// For the client.
    pub status: StatusCode,
    /// For the log.
    pub reason: &'static str,
}

const fn bad(reason: &'static str) -> Refusal {
    Refusal { status: StatusCode::BAD_REQUEST, reason }
}

/// Checks what hyper leaves open, and gives the one authority that the request is for: `Host`, or `:authority`.
/// `secure` says whether the connection has TLS.
///
/// # Errors
/// [`Refusal`] for methods that make no sense here, and for whatever would let two readers see two requests.
pub fn check<B>(request: &Request<B>, secure: bool) -> Result<Authority, Refusal> {
    if request.method() == Method::CONNECT {
        return Err(Refusal { status: StatusCode::METHOD_NOT_ALLOWED, reason: "CONNECT: this is no forward proxy" });
    }
    let uri = request.uri();
    let path = uri.path();
    if path == "*" && request.method() != Method::OPTIONS {
        return Err(bad("* is a target for OPTIONS alone"));
    }
    if path != "*" && !path.starts_with('/') {
        return Err(bad("the target is no path"));
    }
    let http2 = request.version() == Version::HTTP_2;
    let host = checked_fields(request)?;
    if let Some(scheme) = uri.scheme_str()
        && scheme != if secure { "https" } else { "http" }
    {
        return Err(bad("the target's scheme is not that of the connection"));
    }
    match (uri.authority(), host) {
        (Some(target), _) if !is_server(target) => Err(bad("the target's authority is no host")),
        (Some(target), Some(host)) if !same(target, &host, secure) => Err(bad("the target and Host disagree")),
        // RFC 9112 §3.2: HTTP/1.1 has Host, even if the target names the authority too.
        (Some(_), None) if !http2 => Err(bad("no Host")),
        (Some(target), _) => Ok(target.clone()),
        (None, Some(host)) => Ok(host),
        (None, None) => Err(bad("no Host")),
    }
}

/// What a client wants of a forward proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// CONNECT: a tunnel to this host and port.
    Tunnel(Authority),
    /// Absolute form: the resource, of the scheme `http`, from this server.
    Resource(Authority),
    /// The request is for a server, which this is not: somebody took the proxy for a site.
    Page,
}

/// Checks a request to a forward proxy (RFC 9112 §3.2.2, §3.2.3), and says what it wants.
///
/// Where the target names the server, `Host` has to be there and to be a host, and does not count: "the proxy MUST ignore the
/// received Host header field".
///
/// # Errors
/// As [`check`].
pub(crate) fn check_proxied<B>(request: &Request<B>) -> Result<Wanted, Refusal> {
    let uri = request.uri();
    let host = checked_fields(request)?;
    let target = uri.authority();
    if target.is_some_and(|target| !is_server(target)) {
        return Err(bad("the target's authority is no host"));
    }
    if host.is_none() && request.version() == Version::HTTP_11 {
        return Err(bad("no Host"));
    }
    match target {
        None => Ok(Wanted::Page),
        Some(target) if request.method() == Method::CONNECT => {
            // "There is no default port" (RFC 9110 §9.3.6).
            if target.port_u16().is_none_or(|port| port == 0) || uri.scheme().is_some() {
                return Err(bad("the target of CONNECT is a host and a port"));
            }
            Ok(Wanted::Tunnel(target.clone()))
        }
        Some(target) => match uri.scheme_str() {
            Some("http") if target.port_u16() != Some(0) => Ok(Wanted::Resource(target.clone())),
            Some("http") => Err(bad("the target's authority is no host")),
            _ => Err(bad("only http can be asked for in absolute form: https goes through a tunnel")),
        },
    }
}

/// Checks what hyper leaves open in the fields, and gives `Host`.
fn checked_fields<B>(request: &Request<B>) -> Result<Option<Authority>, Refusal> {
    let http2 = request.version() == Version::HTTP_2;
    let fields = request.headers();
    if fields.get_all(header::CONTENT_LENGTH).iter().nth(1).is_some() {
        return Err(bad("more than one Content-Length"));
    }
    let mut hosts = fields.get_all(header::HOST).iter();
    let host = hosts.next().map(authority).transpose()?;
    if hosts.next().is_some() {
        return Err(bad("more than one Host"));
    }
    if http2 {
        let connection = [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE];
        if connection.iter().any(|name| fields.contains_key(name))
            || ["keep-alive", "proxy-connection"].iter().any(|name| fields.contains_key(*name))
        {
            return Err(bad("a field about the connection in HTTP/2"));
        }
        if fields.get_all(header::TE).iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"trailers")) {
            return Err(bad("TE other than trailers in HTTP/2"));
        }
    }
    Ok(host)
}

fn authority(value: &HeaderValue) -> Result<Authority, Refusal> {
    let wrong = bad("Host is no host");
    let authority =
        Authority::from_maybe_shared(bytes::Bytes::copy_from_slice(value.as_bytes())).map_err(|_| wrong)?;
    if is_server(&authority) { Ok(authority) } else { Err(wrong) }
}

/// A host of letters, digits and the few marks of names and addresses, with a port that is a number or without one; no user
/// information, nothing that a configuration or a log could take for something else.
fn is_server(authority: &Authority) -> bool {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b':' | b'[' | b']');
    let (text, host) = (authority.as_str(), authority.host());
    // "h:", "h:x", "h:99999"
    let port = match text.strip_prefix(host).map(|port| port.strip_prefix(':').ok_or(port)) {
        Some(Ok(port)) => port.bytes().all(|octet| octet.is_ascii_digit()) && authority.port_u16().is_some(),
        port => port == Some(Err("")),
    };
    // Colons stand in brackets, and brackets around an address alone.
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let shape = !host.contains(':') || address.is_some();
    let inner = address.unwrap_or(host);
    port && shape && !inner.is_empty() && !inner.contains(['[', ']']) && text.bytes().all(plain)
}

/// Case does not count in a host, and the port of the scheme may be left out.
fn same(one: &Authority, other: &Authority, secure: bool) -> bool {
    let default = if secure { 443 } else { 80 };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
    one.host().eq_ignore_ascii_case(other.host()) && port(one) == port(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(version: Version, method: &str, target: &str, fields: &[(&str, &str)]) -> Result<String, &'static str> {
        let mut request = Request::builder().version(version).method(method).uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let authority = check(&request.body(()).unwrap(), false);
        authority.map(|authority| authority.to_string()).map_err(|refusal| refusal.reason)
    }

    #[test]
    fn the_authority_is_found() {
        let one = |target, host| ask(Version::HTTP_11, "GET", target, &[("host", host)]);
        assert_eq!(one("/", "a.example:8080").unwrap(), "a.example:8080");
        assert_eq!(one("/", "[::1]:8080").unwrap(), "[::1]:8080");
        assert_eq!(one("http://A.example/", "a.example:80").unwrap(), "A.example");
        assert_eq!(ask(Version::HTTP_2, "GET", "http://a.example/", &[]).unwrap(), "a.example");
        assert_eq!(ask(Version::HTTP_11, "OPTIONS", "*", &[("host", "a")]).unwrap(), "a");
    }

    fn want(method: &str, target: &str, fields: &[(&str, &str)]) -> Result<Wanted, &'static str> {
        let mut request = Request::builder().version(Version::HTTP_11).method(method).uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        check_proxied(&request.body(()).unwrap()).map_err(|refusal| refusal.reason)
    }

    #[test]
    fn a_proxy_goes_by_the_target_alone() {
        let server = |text: &str| Authority::try_from(text).unwrap();
        let host = [("host", "other.example")];
        assert_eq!(want("CONNECT", "a.example:443", &host), Ok(Wanted::Tunnel(server("a.example:443"))));
        assert_eq!(want("CONNECT", "[::1]:443", &host), Ok(Wanted::Tunnel(server("[::1]:443"))));
        assert_eq!(want("GET", "http://a.example/x", &host), Ok(Wanted::Resource(server("a.example"))));
        assert_eq!(want("GET", "/x", &host), Ok(Wanted::Page));
        assert_eq!(want("OPTIONS", "*", &host), Ok(Wanted::Page));
    }

    #[test]
    fn a_proxy_refuses_what_is_no_target() {
        let host = [("host", "a.example")];
        for target in ["a.example", "a.example:0", "u@a.example:443", "a.example:99999", "http://a.example:443"] {
            assert!(want("CONNECT", target, &host).is_err(), "{target}");
        }
        for target in
            ["https://a.example/", "ftp://a.example/", "http://u@a.example/", "http://a.example:0/", "a.example:80"]
        {
            assert!(want("GET", target, &host).is_err(), "{target}");
        }
        assert_eq!(want("GET", "http://a.example/", &[]), Err("no Host"));
        assert_eq!(want("GET", "http://a.example/", &[("host", "a"), ("host", "a")]), Err("more than one Host"));
        assert_eq!(want("CONNECT", "a.example:443", &[("host", "a/b")]), Err("Host is no host"));
    }

    #[test]
    fn what_is_ambiguous_is_refused() {
        let one = |target, host| ask(Version::HTTP_11, "GET", target, &[("host", host)]);
        assert!(one("http://b.example/", "a.example").is_err());
        assert!(one("http://a.example:81/", "a.example").is_err());
        assert!(one("https://a.example/", "a.example").is_err());
        assert!(one("http://u@a.example/", "a.example").is_err());
        assert!(one("*", "a.example").is_err());
        for host in ["", "a b", "u@a", "a:", "a:x", "a:99999", "a/b", "a,b", "a.example, b"] {
            assert!(one("/", host).is_err(), "{host}");
        }
        for target in ["http://a:", "http://a:99999", "http://u@a", "http://a,b", "http://[::1]a:80"] {
            assert!(ask(Version::HTTP_2, "GET", &format!("{target}/"), &[]).is_err(), "{target}");
            assert!(ask(Version::HTTP_11, "GET", &format!("{target}/"), &[("host", "a")]).is_err(), "{target}");
        }
        assert!(ask(Version::HTTP_11, "GET", "/", &[]).is_err());
        assert!(ask(Version::HTTP_11, "GET", "http://a.example/", &[]).is_err());
        assert!(ask(Version::HTTP_10, "GET", "/", &[]).is_err());
        assert!(ask(Version::HTTP_11, "GET", "/", &[("host", "a"), ("host", "a")]).is_err());
        assert!(ask(Version::HTTP_11, "CONNECT", "a.example:443", &[("host", "a.example:443")]).is_err());
        let two = |name, value| ask(Version::HTTP_2, "GET", "http://a.example/", &[(name, value)]);
        assert!(two("host", "b.example").is_err());
        assert!(two("te", "gzip").is_err());
        assert!(two("connection", "close").is_err());
        assert!(two("transfer-encoding", "chunked").is_err());
        assert!(two("te", "trailers").is_ok());
    }
}
