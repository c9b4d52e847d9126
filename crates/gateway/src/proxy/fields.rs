//! Fields that a proxy removes, changes and adds (RFC 9110 §7.6, RFC 7239).

use http::Version;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use tagai_core::grammar::parse_challenges;

/// The fields that applications trust because only the gateway sets them. They are removed from every request, in every
/// spelling that an application might take for them: CGI and its heirs make `_` of `-`, and some of every other sign as well.
#[derive(Debug, Clone, Default)]
pub struct StripList(Arc<[HeaderName]>);

impl StripList {
    /// The list of these names.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = HeaderName>) -> Self {
        let mut names: Vec<_> = names.into_iter().map(|name| dashed(&name).unwrap_or(name)).collect();
        names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        names.dedup();
        Self(names.into())
    }

    /// Whether the field is on the list, in any spelling.
    #[must_use]
    pub fn has(&self, name: &HeaderName) -> bool {
        dashed(name).map_or_else(|| self.0.contains(name), |name| self.0.contains(&name))
    }

    /// Removes them all.
    pub fn strip(&self, fields: &mut HeaderMap) {
        for name in self.0.iter() {
            fields.remove(name);
        }
        if fields.keys().any(is_doubtful) {
            let others: Vec<_> = fields.keys().filter(|name| self.has(name)).cloned().collect();
            others.iter().for_each(|name| drop(fields.remove(name)));
        }
    }
}

/// Whether a name has a sign that some applications take for `-`.
pub(crate) fn is_doubtful(name: &HeaderName) -> bool {
    name.as_str().bytes().any(|octet| !octet.is_ascii_alphanumeric() && octet != b'-')
}

/// The name with `-` for every other sign, if it has one.
fn dashed(name: &HeaderName) -> Option<HeaderName> {
    let plain = |octet: u8| if octet.is_ascii_alphanumeric() { octet } else { b'-' };
    let dashed = || name.as_str().bytes().map(plain).collect::<Vec<_>>();
    is_doubtful(name).then(|| HeaderName::from_bytes(&dashed()).ok()).flatten()
}

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

const OPTIONS: [&[u8]; 4] = [b"keep-alive", b"close", b"upgrade", b"te"];

/// Removes what is about the connection and not about the message (RFC 9110 §7.6.1), the fields that `Connection` names
/// among them.
pub(crate) fn remove_hop_by_hop(fields: &mut HeaderMap) {
    if fields.contains_key(header::CONNECTION) {
        let nominated: Vec<HeaderName> = fields
            .get_all(header::CONNECTION)
            .iter()
            .flat_map(|value| value.as_bytes().split(|octet| *octet == b','))
            .map(<[u8]>::trim_ascii)
            // The usual ones are options, and no fields that would be left.
            .filter(|name| !OPTIONS.iter().any(|option| name.eq_ignore_ascii_case(option)))
            .filter_map(|name| HeaderName::from_bytes(name).ok())
            // A client cannot talk the gateway out of these.
            .filter(|name| ![header::HOST, header::CONTENT_LENGTH, header::AUTHORIZATION].contains(name))
            .collect();
        nominated.iter().for_each(|name| drop(fields.remove(name)));
        fields.remove(header::CONNECTION);
    }
    for name in [KEEP_ALIVE, PROXY_CONNECTION, HTTP2_SETTINGS, header::TE, header::TRANSFER_ENCODING, header::UPGRADE]
    {
        fields.remove(name);
    }
}

/// Whether a comma-separated list has `token`; case does not count.
pub(crate) fn lists(fields: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    fields.get_all(name).iter().any(|value| {
        let mut tokens = value.as_bytes().split(|octet| *octet == b',').map(<[u8]>::trim_ascii);
        tokens.any(|have| have.eq_ignore_ascii_case(token.as_bytes()))
    })
}

/// Appends to `Via` (RFC 9110 §7.6.3), under a name or the usual pseudonym.
pub(crate) fn add_via(fields: &mut HeaderMap, received: Version, name: Option<&str>) {
    let version = match received {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        _ => "1.1",
    };
    let value = match (name, version) {
        (None, "1.0") => HeaderValue::from_static("1.0 tagai"),
        (None, "2.0") => HeaderValue::from_static("2.0 tagai"),
        (None, _) => HeaderValue::from_static("1.1 tagai"),
        (Some(name), version) => {
            HeaderValue::try_from(format!("{version} {name}")).unwrap_or(HeaderValue::from_static("1.1 tagai"))
        }
    };
    fields.append(header::VIA, value);
}

/// Whether a message has gone through a proxy of this name already.
pub(crate) fn has_been_at(fields: &HeaderMap, name: &str) -> bool {
    fields.get_all(header::VIA).iter().any(|value| {
        value.as_bytes().split(|octet| *octet == b',').any(|element| {
            let by = element.trim_ascii().split(|octet| matches!(octet, b' ' | b'\t')).nth(1);
            by.is_some_and(|by| by.eq_ignore_ascii_case(name.as_bytes()))
        })
    })
}

/// Removes what is between a client and its proxy: all that begins with `Proxy-`, in every spelling.
pub(crate) fn remove_proxy_fields(fields: &mut HeaderMap) {
    let of_proxy = |name: &&HeaderName| {
        let name = name.as_str().as_bytes();
        name.starts_with(b"proxy") && name.get(5).is_some_and(|octet| !octet.is_ascii_alphanumeric())
    };
    let all: Vec<_> = fields.keys().filter(of_proxy).cloned().collect();
    all.iter().for_each(|name| drop(fields.remove(name)));
}

/// HTTP/2 may cut a cookie field into crumbs; HTTP/1 knows only whole ones (RFC 9113 §8.2.3).
pub(crate) fn join_cookies(fields: &mut HeaderMap) {
    let mut crumbs = fields.get_all(header::COOKIE).iter();
    if crumbs.next().is_none() || crumbs.next().is_none() {
        return;
    }
    let all: Vec<&[u8]> = fields.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
        fields.insert(header::COOKIE, joined);
    }
}

/// Removes credentials that are for the gateway: `Authorization` of the scheme Mutual, and all `Proxy-Authorization`.
pub(crate) fn hide_credentials(fields: &mut HeaderMap) {
    fields.remove(header::PROXY_AUTHORIZATION);
    let mutual = |value: &HeaderValue| {
        let scheme = value.as_bytes().trim_ascii().split(|octet| matches!(octet, b' ' | b'\t')).next();
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"mutual"))
    };
    retain(fields, header::AUTHORIZATION, |value| !mutual(value));
}

const ANSWERS: [HeaderName; 5] = [
    HeaderName::from_static("tagai-refusal"),
    HeaderName::from_static("authentication-info"),
    HeaderName::from_static("proxy-authentication-info"),
    HeaderName::from_static("authentication-control"),
    HeaderName::from_static("optional-www-authenticate"),
];

/// Removes what only the gateway may say: an application must not prove, or ask for a proof, in its name. A field line
/// with a challenge of the scheme Mutual goes as a whole, and so does one that cannot be read.
pub(crate) fn hide_answers(fields: &mut HeaderMap) {
    for name in &ANSWERS {
        fields.remove(name);
    }
    for name in [header::WWW_AUTHENTICATE, header::PROXY_AUTHENTICATE] {
        retain(fields, name, |value| {
            parse_challenges([value.as_bytes()])
                .is_ok_and(|list| !list.iter().any(|challenge| challenge.is("mutual")))
        });
    }
}

fn retain(fields: &mut HeaderMap, name: HeaderName, keep: impl Fn(&HeaderValue) -> bool) {
    if fields.get_all(&name).iter().all(&keep) {
        return;
    }
    let kept: Vec<_> = fields.get_all(&name).iter().filter(|value| keep(value)).cloned().collect();
    fields.remove(&name);
    for value in kept {
        fields.append(&name, value);
    }
}

/// Removes from trailers what must not be there (RFC 9110 §6.5.1): framing, routing, authentication, and what would
/// change how the message is understood.
pub(crate) fn filter_trailers(fields: &mut HeaderMap, strip: Option<&StripList>) {
    const FORBIDDEN: &[HeaderName] = &[
        header::AGE,
        header::AUTHORIZATION,
        header::CACHE_CONTROL,
        header::CONNECTION,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_RANGE,
        header::CONTENT_TYPE,
        header::COOKIE,
        header::DATE,
        header::EXPECT,
        header::EXPIRES,
        header::FORWARDED,
        header::HOST,
        header::LOCATION,
        header::MAX_FORWARDS,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::RANGE,
        header::RETRY_AFTER,
        header::SET_COOKIE,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::VARY,
        header::VIA,
        header::WARNING,
        header::WWW_AUTHENTICATE,
    ];
    for name in FORBIDDEN.iter().chain(&ANSWERS) {
        fields.remove(name);
    }
    if let Some(strip) = strip {
        strip.strip(fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(list: &[(&str, &str)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for (name, value) in list {
            fields.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        fields
    }

    fn names(fields: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = fields.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_spelling_is_stripped() {
        let list = StripList::new([HeaderName::from_static("x-remote-user"), HeaderName::from_static("x_realm")]);
        let mut sent = fields(&[
            ("X-Remote-User", "a"),
            ("x-remote-user", "b"),
            ("X_Remote-User", "c"),
            ("x_remote_user", "d"),
            ("X-Realm", "e"),
            ("X_REALM", "f"),
            ("x-remote-users", "g"),
            ("x_other", "h"),
        ]);
        list.strip(&mut sent);
        assert_eq!(names(&sent), ["x-remote-users", "x_other"]);
    }

    #[test]
    fn what_connection_names_goes() {
        let mut sent = fields(&[
            ("connection", "close, X-A"),
            ("connection", "x-b,host,,content-length"),
            ("x-a", "1"),
            ("x-b", "1"),
            ("x-c", "1"),
            ("host", "h"),
            ("content-length", "1"),
            ("keep-alive", "1"),
            ("proxy-connection", "1"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "x"),
        ]);
        remove_hop_by_hop(&mut sent);
        assert_eq!(names(&sent), ["content-length", "host", "x-c"]);
    }

    #[test]
    fn only_the_gateway_speaks_mutual() {
        let mut sent = fields(&[
            ("authorization", "mutual sid=1"),
            ("authorization", "Basic x"),
            ("proxy-authorization", "Basic x"),
        ]);
        hide_credentials(&mut sent);
        assert_eq!(sent.get_all("authorization").iter().collect::<Vec<_>>(), ["Basic x"]);
        assert_eq!(names(&sent), ["authorization"]);

        let mut sent = fields(&[
            ("authentication-info", "version=1"),
            ("proxy-authentication-info", "version=1"),
            ("authentication-control", "Mutual x=1"),
            ("optional-www-authenticate", "Mutual version=1"),
            ("www-authenticate", "Basic realm=\"a, mutual b\""),
            ("www-authenticate", "Basic realm=\"a\", mUtual version=1"),
            ("www-authenticate", "\"not a challenge"),
        ]);
        hide_answers(&mut sent);
        assert_eq!(sent.get_all("www-authenticate").iter().collect::<Vec<_>>(), ["Basic realm=\"a, mutual b\""]);
        assert_eq!(names(&sent), ["www-authenticate"]);
    }

    #[test]
    fn what_is_said_to_a_proxy_goes_no_further() {
        let mut sent = fields(&[
            ("proxy-authorization", "Mutual sid=1"),
            ("proxy_authorization", "Mutual sid=1"),
            ("proxy-authenticate", "Mutual version=1"),
            ("proxy-x", "1"),
            ("proxies", "1"),
            ("authorization", "Mutual sid=1"),
        ]);
        remove_proxy_fields(&mut sent);
        assert_eq!(names(&sent), ["authorization", "proxies"]);
    }

    #[test]
    fn a_proxy_recognises_itself() {
        let mut sent = fields(&[("via", "1.0 fred, 1.1 p.example.com:3128 (a, comment)")]);
        assert!(has_been_at(&sent, "P.example.com:3128") && has_been_at(&sent, "fred"));
        assert!(!has_been_at(&sent, "p.example.com") && !has_been_at(&sent, "1.1"));
        add_via(&mut sent, Version::HTTP_2, Some("me.example.com:1"));
        assert_eq!(sent.get_all("via").iter().nth(1).unwrap(), "2.0 me.example.com:1");
    }

    #[test]
    fn crumbs_are_joined() {
        let mut sent = fields(&[("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")]);
        join_cookies(&mut sent);
        assert_eq!(sent.get_all("cookie").iter().collect::<Vec<_>>(), ["a=1; b=2; c=3"]);
    }

    #[test]
    fn trailers_cannot_pass_as_fields() {
        let list = StripList::new([HeaderName::from_static("x-remote-user")]);
        let mut sent = fields(&[
            ("x-checksum", "1"),
            ("x_remote_user", "root"),
            ("authentication-info", "1"),
            ("content-length", "1"),
            ("set-cookie", "1"),
        ]);
        filter_trailers(&mut sent, Some(&list));
        assert_eq!(names(&sent), ["x-checksum"]);
    }
}
