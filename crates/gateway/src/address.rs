//! Whose request it is, when other proxies stand between.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The proxies whose word counts.
#[derive(Debug, Clone, Default)]
pub struct Trusted(Vec<IpNet>);

impl Trusted {
    /// These networks.
    #[must_use]
    pub fn new(proxies: &[IpNet]) -> Self {
        Self(proxies.to_vec())
    }

    /// Whether an address is one of a trusted proxy.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The address of the client: the peer's, or if the peer is trusted, the last one in `Forwarded` (RFC 7239) or in
    /// `X-Forwarded-For` that is not a trusted proxy's itself. What cannot be read ends the search: the one who wrote it
    /// counts as the client.
    ///
    /// A proxy writes one of the two fields and may leave alone what its client wrote in the other. So if both are there and
    /// disagree, neither is believed.
    #[must_use]
    pub fn client(&self, peer: IpAddr, fields: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if self.0.is_empty() || !self.contains(peer) {
            return peer;
        }
        let (forwarded, x_forwarded_for) = (lines(fields, "forwarded"), lines(fields, "x-forwarded-for"));
        let elements = forwarded.iter().rev().flat_map(|line| split(line, b','));
        let by_forwarded = self.last(peer, elements.map(forwarded_for));
        let elements = x_forwarded_for.iter().rev().flat_map(|line| line.rsplit(','));
        let by_x_forwarded_for = self.last(peer, elements.map(node));
        match (forwarded.is_empty(), x_forwarded_for.is_empty()) {
            (_, true) => by_forwarded,
            (true, false) => by_x_forwarded_for,
            (false, false) if by_forwarded == by_x_forwarded_for => by_forwarded,
            (false, false) => peer,
        }
    }

    /// The first address from the end that is not a trusted proxy's.
    fn last(&self, peer: IpAddr, from_the_end: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut client = peer;
        for address in from_the_end {
            let Some(address) = address else { return client };
            client = address;
            if !self.contains(client) {
                return client;
            }
        }
        client
    }
}

/// A line that is not text spoils the chain: nothing before it can be believed.
fn lines(fields: &HeaderMap, name: &str) -> Vec<String> {
    fields.get_all(name).iter().map(|value| value.to_str().unwrap_or("unreadable").to_owned()).collect()
}

/// Splits at a delimiter outside of quotes; the last part first.
///
/// From the end, because the end is what the last proxy wrote: a quote that somebody before it left open is their own loss.
fn split(text: &str, delimiter: u8) -> Vec<&str> {
    let (mut parts, mut end, mut quoted) = (Vec::new(), text.len(), false);
    for (at, octet) in text.bytes().enumerate().rev() {
        if octet == b'"' {
            let before = text.bytes().take(at).rev().take_while(|octet| *octet == b'\\').count();
            // Escaped, if it is within quotes and the backslash is not escaped itself.
            quoted = quoted && before % 2 == 1 || !quoted;
        } else if octet == delimiter && !quoted {
            parts.extend(text.get(at + 1..end));
            end = at;
        }
    }
    parts.extend(text.get(..end));
    parts
}

/// The `for` of one element of `Forwarded`, if there is one.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = split(element, b';').into_iter().filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("for")).map(|(_, value)| value);
    let value = values.next().filter(|_| values.next().is_none())?;
    node(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value))
}

/// An address, maybe with a port, IPv6 maybe in brackets.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = bracketed.unwrap_or(text).parse().ok();
    address
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn client(peer: &str, fields: &[(&'static str, &'static str)]) -> String {
        let trusted = Trusted::new(&["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()]);
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        trusted.client(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn nobody_is_believed_but_trusted_proxies() {
        assert_eq!(client("192.0.2.1", &[("x-forwarded-for", "198.51.100.1")]), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &[("forwarded", "for=198.51.100.1")]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "198.51.100.1")]), "198.51.100.1");
        assert_eq!(client("::ffff:10.0.0.1", &[("x-forwarded-for", "198.51.100.1")]), "198.51.100.1");
    }

    #[test]
    fn the_last_that_is_not_trusted_is_the_client() {
        for (fields, expected) in [
            (&[("x-forwarded-for", "203.0.113.9, 198.51.100.1")][..], "198.51.100.1"),
            (&[("x-forwarded-for", "203.0.113.9, 198.51.100.1, 10.0.0.2")], "198.51.100.1"),
            (&[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
            (&[("forwarded", "for=203.0.113.9, for=\"198.51.100.1:80\";proto=https")], "198.51.100.1"),
            (&[("forwarded", "proto=https;For=\"[2001:db9::1]:80\", for=10.2.3.4")], "2001:db9::1"),
            (&[("forwarded", "for=198.51.100.1"), ("x-forwarded-for", "203.0.113.9, 198.51.100.1")], "198.51.100.1"),
            (&[("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "198.51.100.1")], "10.0.0.1"),
            // What a proxy repeats in quotes is not what it says.
            (&[("forwarded", "for=198.51.100.1;host=\"x, for=203.0.113.9\"")], "198.51.100.1"),
            (&[("forwarded", "for=198.51.100.1;host=\"x\\\", for=203.0.113.9\"")], "198.51.100.1"),
            (&[("forwarded", "for=198.51.100.1;host=\"x;for=203.0.113.9\"")], "198.51.100.1"),
            (&[("forwarded", "for=\"203.0.113.9, for=198.51.100.1")], "198.51.100.1"),
            (&[("x-forwarded-for", "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_ends_the_search() {
        for fields in [
            &[("x-forwarded-for", "198.51.100.1, unknown")][..],
            &[("x-forwarded-for", "198.51.100.1,")],
            &[("forwarded", "for=198.51.100.1, for=_hidden")],
            &[("forwarded", "for=198.51.100.1, proto=http")],
            &[("forwarded", "for=198.51.100.1;for=203.0.113.9")],
        ] {
            assert_eq!(client("10.0.0.1", fields), "10.0.0.1", "{fields:?}");
        }
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "198.51.100.1, unknown, 10.0.0.2")]), "10.0.0.2");
    }
}
