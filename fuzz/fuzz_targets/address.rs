//! Whose request it is, behind proxies: the first line is the peer, each other one a field (`F` for `Forwarded`, else
//! `X-Forwarded-For`).
//!
//! - The word of a peer that is not trusted does not count.
//! - The address is the peer's or stands in a field.
//! - What a trusted proxy says at the end counts, whatever its client wrote before, and whatever of it the proxy repeats in quotes.

#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;
use tagai_gateway::Trusted;
use tagai_gateway::config::{ForwardedField, Trust};

/// Trusted for `X-Forwarded-For`, and for `Forwarded`.
static TRUSTED: LazyLock<[Trusted; 2]> = LazyLock::new(|| {
    [ForwardedField::XForwardedFor, ForwardedField::Forwarded].map(|field| {
        let proxies = ["10.0.0.0/8", "2001:db8::/32"].map(|network| network.parse().expect("a network"));
        Trusted::new(&Trust { proxies: proxies.into(), field })
    })
});

const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|octet| *octet == b'\n');
    let first = lines.next().and_then(|line| std::str::from_utf8(line).ok());
    let peer: IpAddr = first.and_then(|line| line.parse().ok()).unwrap_or([10, 0, 0, 1].into());
    let mut fields = HeaderMap::new();
    let mut known = vec![peer.to_canonical()];
    let mut last = (X_FORWARDED_FOR, Vec::new());
    for line in lines.take(64) {
        let (name, value) = match line {
            [b'F', value @ ..] => (FORWARDED, value),
            _ => (X_FORWARDED_FOR, line),
        };
        let Ok(field) = HeaderValue::from_bytes(value) else { continue };
        fields.append(name.clone(), field);
        known.extend(addresses(value));
        last = (name, value.to_vec());
    }
    // The proxy sees to the field of the last line.
    let trusted = &TRUSTED[usize::from(last.0 == FORWARDED)];
    let client = trusted.client(peer, &fields);
    if !trusted.contains(peer) {
        assert_eq!(client, peer.to_canonical());
        return;
    }
    assert!(known.contains(&client), "{client} stands nowhere");

    // The proxy adds its element to the last line, or a line behind it. Whatever stands in the other field does not count.
    let expected = IpAddr::from([198, 51, 100, 7]);
    let (name, mut line) = last;
    let quoted = line.iter().flat_map(|octet| match octet {
        b'"' | b'\\' => vec![b'\\', *octet],
        _ => vec![*octet],
    });
    let quoted: Vec<u8> = quoted.filter(u8::is_ascii).collect();
    let element = match name {
        FORWARDED => [b"for=\"198.51.100.7:80\";host=\"", &quoted[..], b"\";proto=https"].concat(),
        _ => b"198.51.100.7".to_vec(),
    };
    let mut behind = fields.clone();
    behind.append(name.clone(), HeaderValue::from_bytes(&element).expect("a value"));
    assert_eq!(trusted.client(peer, &behind), expected, "as a line of its own");
    if !line.is_ascii() {
        return;
    }
    line.extend_from_slice(b", ");
    line.extend_from_slice(&element);
    let mut lines: Vec<HeaderValue> = fields.get_all(&name).iter().cloned().collect();
    lines.pop();
    lines.push(HeaderValue::from_bytes(&line).expect("a value"));
    fields.remove(&name);
    for line in lines {
        fields.append(name.clone(), line);
    }
    assert_eq!(trusted.client(peer, &fields), expected, "at the end of a line");
});

/// Everything in a value that looks like an address.
fn addresses(value: &[u8]) -> Vec<IpAddr> {
    // In quotes, an octet may be escaped that need not be.
    let plain: Vec<u8> = value.iter().copied().filter(|octet| *octet != b'\\').collect();
    let words = plain.split(|octet| !(octet.is_ascii_hexdigit() || b".:".contains(octet)));
    let words = words.filter_map(|word| std::str::from_utf8(word).ok());
    words
        .flat_map(|word| [word.parse().ok(), word.parse().ok().map(|socket: SocketAddr| socket.ip())])
        .flatten()
        .map(|address| address.to_canonical())
        .collect()
}
