//! The host part of an origin: a domain name in A-labels, or an address.

use alloc::string::String;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

/// A host as it stands in a URI, normalised: lower case, no trailing dot, IPv6 in its shortest form (RFC 5952).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A domain name in LDH labels; internationalised names stand as A-labels (RFC 8120 §5).
    Domain(String),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address, displayed in brackets.
    V6(Ipv6Addr),
}

/// Why a text is not a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// Characters outside ASCII.
    #[error("the host name is not ASCII: give internationalised names as A-labels, \"xn--...\"")]
    NotAscii,
    /// Not labels of letters, digits and hyphens of 1 to 63 octets, 253 in all.
    #[error("the host is neither a domain name nor an address")]
    Syntax,
}

impl Host {
    /// Parses a host, ignoring case.
    ///
    /// # Errors
    /// [`HostError`] if it is neither a domain name in ASCII nor an IPv4 nor a bracketed IPv6 address.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if !text.is_ascii() {
            return Err(HostError::NotAscii);
        }
        if let Some(address) = text.strip_prefix('[') {
            let address = address.strip_suffix(']').ok_or(HostError::Syntax)?;
            return address.parse().map(Self::V6).map_err(|_| HostError::Syntax);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::V4(address));
        }
        // A name whose last label is a number is an address in some notation that URLs know and we do not.
        let numeric = text.rsplit('.').next().is_some_and(is_number);
        if text.len() <= 253 && !numeric && text.split('.').all(is_label) {
            Ok(Self::Domain(text.to_ascii_lowercase()))
        } else {
            Err(HostError::Syntax)
        }
    }
}

/// Digits, or `0x` with hexadecimal digits or none, as the URL standard reads the parts of an IPv4 address.
fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x").or_else(|| label.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|octet| octet.is_ascii_hexdigit()),
        None => label.bytes().all(|octet| octet.is_ascii_digit()),
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn hosts_are_normalised() {
        for (given, normal) in [
            ("Example.COM", "example.com"),
            ("xn--wgv71a119e.JP", "xn--wgv71a119e.jp"),
            ("192.0.2.1", "192.0.2.1"),
            ("[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]"),
            ("a_b.example", "a_b.example"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(Host::parse(given).unwrap().to_string(), normal);
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        assert_eq!(Host::parse("日本語.jp"), Err(HostError::NotAscii));
        for bad in [
            "",
            ".",
            "a..b",
            "example.com.",
            "-a.b",
            "a-.b",
            "a b",
            "a/b",
            "a:80",
            "[::1",
            "::1",
            "[1.2.3.4]",
            "1.2.3",
            "0x7f",
            "127.0x1",
            "0X7F.0x",
            "127.1",
            "user@host",
            "*",
            "*.example.com",
            "[fe80::1%eth0]",
        ] {
            assert_eq!(Host::parse(bad), Err(HostError::Syntax), "{bad:?}");
        }
        assert!(Host::parse(&"a".repeat(64)).is_err());
        assert!(Host::parse(&alloc::vec!["a".repeat(63); 4].join(".")).is_err());
    }
}
