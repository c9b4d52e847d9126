//! What the gateway reads in its own certificates: for which names they are, and from when until when.
//!
//! These are the operator's files, so nothing is decided on trust here: a certificate that cannot be read gives an error
//! when it is loaded.

use std::net::IpAddr;

/// A name out of the subject alternative names (RFC 5280 §4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name {
    /// A DNS name in lower case, as it stands: `www.example.com` or `*.example.com`.
    Dns(String),
    /// An IP address.
    Ip(IpAddr),
}

impl Name {
    /// Whether this name is for `host`, a DNS name in lower case. A wildcard stands for exactly one label, the first
    /// (RFC 9525 §6.3).
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        let Self::Dns(name) = self else { return false };
        match name.strip_prefix("*.") {
            None => name == host,
            Some(parent) => host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
        }
    }
}

/// What a certificate says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The names, in the certificate's order.
    pub names: Vec<Name>,
    /// First second of its validity, counted from 1970 (negative before).
    pub not_before: i64,
    /// Last second of its validity, counted from 1970.
    pub not_after: i64,
}

impl Facts {
    /// Reads them out of a certificate in DER; `None` if it is not one.
    #[must_use]
    pub fn read(der: &[u8]) -> Option<Self> {
        let (certificate, _) = Element::take(der)?;
        let (body, _) = Element::take(certificate.of(SEQUENCE)?)?;
        let mut rest = body.of(SEQUENCE)?;
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let (field, after) = Element::take(rest)?;
            fields.push(field);
            rest = after;
        }
        // [0] version is left out of version 1. Then: serialNumber, signature, issuer, validity, ...
        let first = usize::from(fields.first()?.tag == 0xa0);
        let (not_before, after) = Element::take(fields.get(first + 3)?.of(SEQUENCE)?)?;
        let (not_after, _) = Element::take(after)?;
        let extensions = fields.iter().find(|field| field.tag == 0xa3);
        Some(Self {
            names: extensions.map_or(Some(Vec::new()), |list| names(list.value))?,
            not_before: time(not_before)?,
            not_after: time(not_after)?,
        })
    }
}

const SEQUENCE: u8 = 0x30;
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

#[derive(Clone, Copy)]
struct Element<'a> {
    tag: u8,
    value: &'a [u8],
}

impl<'a> Element<'a> {
    /// One element of DER (with tags of one octet, as certificates have), and what follows it.
    fn take(der: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&tag, rest) = der.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (octets, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
                (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        Some((Self { tag, value }, rest))
    }

    fn of(self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.value)
    }
}

/// The names in `[3] Extensions`.
fn names(extensions: &[u8]) -> Option<Vec<Name>> {
    let mut list = Element::take(extensions)?.0.of(SEQUENCE)?;
    while !list.is_empty() {
        let (extension, after) = Element::take(list)?;
        list = after;
        let (id, mut rest) = Element::take(extension.of(SEQUENCE)?)?;
        if id.value != SUBJECT_ALT_NAME {
            continue;
        }
        let (mut value, after) = Element::take(rest)?;
        if value.tag == 0x01 {
            // critical
            rest = after;
            value = Element::take(rest)?.0;
        }
        let mut general = Element::take(value.of(0x04)?)?.0.of(SEQUENCE)?;
        let mut found = Vec::new();
        while !general.is_empty() {
            let (name, after) = Element::take(general)?;
            general = after;
            match (name.tag, name.value.len()) {
                (0x82, _) => found.push(Name::Dns(std::str::from_utf8(name.value).ok()?.to_ascii_lowercase())),
                (0x87, 4) => found.push(Name::Ip(<[u8; 4]>::try_from(name.value).ok()?.into())),
                (0x87, 16) => found.push(Name::Ip(<[u8; 16]>::try_from(name.value).ok()?.into())),
                _ => {}
            }
        }
        return Some(found);
    }
    Some(Vec::new())
}

/// UTCTime or GeneralizedTime, always in the form that ends with `Z` (RFC 5280 §4.1.2.5).
fn time(element: Element<'_>) -> Option<i64> {
    let text = std::str::from_utf8(element.value).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match element.tag {
        0x17 => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i64 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        0x18 => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    if rest.len() != 10 {
        return None;
    }
    let part = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    let (month, day) = (part(0)?, part(2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some(((days(year, month, day) * 24 + part(4)?) * 60 + part(6)?) * 60 + part(8)?)
}

/// Days since 1970-01-01 in the Gregorian calendar; years that begin in March put the leap day last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 306 + 5) / 10 + day
        - 1
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(1969, 12, 31), -1);
        assert_eq!(days(2000, 2, 29), 11_016);
        assert_eq!(days(2024, 3, 1), 19_783);
    }

    #[test]
    fn times_are_read() {
        let read = |tag, text: &str| time(Element { tag, value: text.as_bytes() });
        assert_eq!(read(0x17, "700101000001Z"), Some(1));
        assert_eq!(read(0x17, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(read(0x18, "20500101000000Z"), Some(2_524_608_000));
        for bad in ["", "Z", "7001010000Z", "701301000000Z", "70010100000+Z", "700101000000"] {
            assert_eq!(read(0x17, bad), None, "{bad}");
        }
    }

    #[test]
    fn names_and_dates_of_a_certificate() {
        let mut params = rcgen::CertificateParams::new(["WWW.example.com".into(), "*.example.org".into()]).unwrap();
        params.subject_alt_names.push(rcgen::SanType::IpAddress("::1".parse().unwrap()));
        params.not_before = rcgen::date_time_ymd(2024, 3, 1);
        params.not_after = rcgen::date_time_ymd(2060, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let facts = Facts::read(&der).unwrap();
        assert_eq!(
            facts.names,
            [
                Name::Dns("www.example.com".into()),
                Name::Dns("*.example.org".into()),
                Name::Ip("::1".parse().unwrap())
            ]
        );
        assert_eq!(facts.not_before, 19_783 * 86_400);
        assert_eq!(facts.not_after, days(2060, 1, 1) * 86_400);
        for end in 0..der.len() {
            let _ = Facts::read(&der[..end]);
        }
        assert_eq!(Facts::read(b""), None);
    }

    #[test]
    fn a_wildcard_is_one_label() {
        let wildcard = Name::Dns("*.example.org".into());
        assert!(wildcard.covers("a.example.org"));
        for other in ["example.org", "a.b.example.org", ".example.org", "a.example.com"] {
            assert!(!wildcard.covers(other), "{other}");
        }
    }
}
