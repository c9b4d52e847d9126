//! Whose request it is, when other proxies stand between.

use crate::config::{ForwardedField, Trust};
use crate::proxy::is_doubtful;
use http::{HeaderMap, HeaderName};
use std::net::{IpAddr, SocketAddr};

/// The proxies whose word counts.
#[derive(Debug, Clone, Default)]
pub struct Trusted(Trust);

impl Trusted {
    /// As the configuration says.
    #[must_use]
    pub fn new(trust: &Trust) -> Self {
        Self(trust.clone())
    }

    /// Whether an address is one of a trusted proxy.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.proxies.iter().any(|network| network.contains(&address))
    }

    /// Removes from a trusted proxy's request the field that it does not see to: what stands there is the client's own word. The
    /// spellings with `_` go too, which some applications take for the real ones.
    pub fn remove_others_words(&self, peer: IpAddr, fields: &mut HeaderMap) {
        if !self.contains(peer) {
            return;
        }
        fields.remove(match self.0.field {
            ForwardedField::XForwardedFor => "forwarded",
            ForwardedField::Forwarded => "x-forwarded-for",
        });
        let doubtful = |name: &&HeaderName| {
            is_doubtful(name) && name.as_str().starts_with("x") && name.as_str().contains("forwarded")
        };
        let doubtful: Vec<_> = fields.keys().filter(doubtful).cloned().collect();
        doubtful.iter().for_each(|name| drop(fields.remove(name)));
    }

    /// The address of the client: the peer's, or if the peer is trusted, the last one in the field of the configuration that
    /// is not a trusted proxy's itself. What cannot be read ends the search: the one who wrote it counts as the client.
    #[must_use]
    pub fn client(&self, peer: IpAddr, fields: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.contains(peer) {
            return peer;
        }
        match self.0.field {
            ForwardedField::XForwardedFor => {
                let lines = lines(fields, "x-forwarded-for");
                self.last(peer, lines.iter().rev().flat_map(|line| line.rsplit(',')).map(node))
            }
            ForwardedField::Forwarded => {
                let lines = lines(fields, "forwarded");
                self.last(peer, lines.iter().rev().flat_map(|line| split(line, b',')).map(forwarded_for))
            }
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
            quoted = !quoted || before % 2 == 1;
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
    use http::HeaderValue;

    fn trusted(field: ForwardedField) -> Trusted {
        let proxies = ["10.0.0.0/8", "2001:db8::/32"].map(|network| network.parse().unwrap()).into();
        Trusted::new(&Trust { proxies, field })
    }

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        map
    }

    /// The client, by the field that the first line has.
    fn client(peer: &str, fields: &[(&'static str, &'static str)]) -> String {
        let field = match fields.first() {
            Some(("forwarded", _)) => ForwardedField::Forwarded,
            _ => ForwardedField::XForwardedFor,
        };
        trusted(field).client(peer.parse().unwrap(), &map(fields)).to_string()
    }

    /// A proxy that sees to one field lets a client's own words pass in the other.
    #[test]
    fn only_one_field_counts() {
        let peer = "10.0.0.1".parse().unwrap();
        for (field, expected, dropped) in [
            (ForwardedField::XForwardedFor, "198.51.100.1", "forwarded"),
            (ForwardedField::Forwarded, "203.0.113.9", "x-forwarded-for"),
        ] {
            let lines =
                [("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "198.51.100.1"), ("x_forwarded_for", "x")];
            let mut fields = map(&lines);
            let trusted = trusted(field);
            assert_eq!(trusted.client(peer, &fields).to_string(), expected);
            trusted.remove_others_words("192.0.2.1".parse().unwrap(), &mut fields);
            assert_eq!(fields.len(), 3, "of others, everything is dropped elsewhere");
            trusted.remove_others_words(peer, &mut fields);
            assert_eq!(fields.len(), 1);
            assert!(!fields.contains_key(dropped));
            fields.clear();
            assert_eq!(trusted.client(peer, &fields).to_string(), "10.0.0.1");
        }
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
