//! The names that a certificate is for: its subjectAltName (RFC 5280 section 4.2.1.6).

use super::{CaError, Purpose};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// The longest DNS name (RFC 1035 section 2.3.4), without the final dot.
const MAX_DNS: usize = 253;
/// The longest e-mail address (RFC 5321 section 4.5.3.1.3, without the angle brackets).
const MAX_EMAIL: usize = 254;
/// The longest URI, as the SPIFFE specification has it.
const MAX_URI: usize = 2048;

/// One name. Its text form has the kind in front: `dns:www.example.com`, `ip:192.0.2.1`, `uri:spiffe://example.com/device`,
/// `email:alice@example.com`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Name {
    /// A DNS name, in lower case; for servers also with `*` as its first label.
    Dns(String),
    /// An address; only servers have them.
    Ip(IpAddr),
    /// A URI, such as a SPIFFE id.
    Uri(String),
    /// An e-mail address.
    Email(String),
}

impl Name {
    /// Reads a name for a certificate of this purpose. Without a kind in front it is a URI if it has `://`, an e-mail address if it
    /// has `@`, else an address or a DNS name.
    ///
    /// # Errors
    /// [`CaError::Name`] for what cannot be such a name, or not of a certificate of this purpose.
    pub fn parse(text: &str, purpose: Purpose) -> Result<Self, CaError> {
        let name = Self::read(text).map_err(|reason| CaError::name(text, reason))?;
        let reason = match (&name, purpose) {
            (Self::Ip(_), Purpose::Client) => {
                "clients are known by a DNS name, URI or e-mail address, not by where they are"
            }
            (Self::Dns(name), Purpose::Client) if name.starts_with('*') => "a client is one, and has no wildcard",
            (Self::Uri(_) | Self::Email(_), Purpose::Server) => "servers are found by DNS names and addresses",
            _ => return Ok(name),
        };
        Err(CaError::name(text, reason))
    }

    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        if let Some(wrong) = text.chars().find(|char| !char.is_ascii_graphic()) {
            return Err(match wrong {
                wrong if wrong.is_whitespace() => "it has a space in it".to_owned(),
                wrong if wrong.is_control() => "it has a control character in it".to_owned(),
                _ => format!("{wrong:?} is not ASCII; domain names have an ASCII form, xn--..."),
            });
        }
        match text.split_once(':') {
            Some(("dns", rest)) => dns(rest).map(Self::Dns),
            Some(("uri", rest)) => uri(rest).map(Self::Uri),
            Some(("email", rest)) => email(rest).map(Self::Email),
            Some(("ip", rest)) => ip(rest).ok_or_else(|| "this is no IP address".to_owned()).map(Self::Ip),
            _ if text.contains("://") => uri(text).map(Self::Uri),
            _ if text.contains('@') => email(text).map(Self::Email),
            _ => match ip(text) {
                Some(address) => Ok(Self::Ip(address)),
                None => dns(text).map(Self::Dns),
            },
        }
    }

    /// The name without its kind.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::Dns(text) | Self::Uri(text) | Self::Email(text) => text.clone(),
            Self::Ip(address) => address.to_string(),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Dns(_) => "dns",
            Self::Ip(_) => "ip",
            Self::Uri(_) => "uri",
            Self::Email(_) => "email",
        }
    }

    /// Whether it is a SPIFFE id, of which a certificate has one and no other URI.
    pub(super) fn is_spiffe(&self) -> bool {
        matches!(self, Self::Uri(uri) if uri.starts_with("spiffe://"))
    }

    pub(super) fn to_san(&self) -> Result<rcgen::SanType, CaError> {
        let ia5 = |text: &String| rcgen::string::Ia5String::try_from(text.as_str());
        let san = match self {
            Self::Dns(text) => ia5(text).map(rcgen::SanType::DnsName),
            Self::Uri(text) => ia5(text).map(rcgen::SanType::URI),
            Self::Email(text) => ia5(text).map(rcgen::SanType::Rfc822Name),
            Self::Ip(address) => Ok(rcgen::SanType::IpAddress(*address)),
        };
        san.map_err(CaError::failed("encoding a name"))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.value())
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::read(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.to_string()
    }
}

fn ip(text: &str) -> Option<IpAddr> {
    text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text).parse().ok()
}

/// A host name of letters, digits and hyphens (RFC 1123 section 2.1), in lower case; its first label may be `*`.
fn dns(text: &str) -> Result<String, String> {
    let name = text.to_ascii_lowercase();
    match name.strip_prefix("*.") {
        Some(rest) if !rest.contains('.') => return Err("a wildcard needs two labels behind it".to_owned()),
        Some(rest) => host(rest)?,
        None => host(&name)?,
    }
    if name.len() > MAX_DNS { Err(format!("it has more than {MAX_DNS} characters")) } else { Ok(name) }
}

/// A host name without a wildcard, in lower case.
pub(super) fn host(name: &str) -> Result<(), String> {
    if name.len() > MAX_DNS {
        return Err(format!("it has more than {MAX_DNS} characters"));
    }
    for label in name.split('.') {
        let reason = if label.is_empty() {
            "a label of it is empty"
        } else if label.len() > 63 {
            "a label of it has more than 63 characters"
        } else if label.starts_with('-') || label.ends_with('-') {
            "a label begins or ends with a hyphen"
        } else if label.contains('*') {
            "a wildcard is the first label, alone"
        } else if !label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-') {
            "a host name has letters, digits and hyphens"
        } else {
            continue;
        };
        return Err(reason.to_owned());
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err("its last label is a number: it would be taken for an address".to_owned());
    }
    Ok(())
}

fn email(text: &str) -> Result<String, String> {
    let (local, domain) = text.split_once('@').ok_or("an e-mail address has an @")?;
    let atom = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet);
    if !local.split('.').all(|part| !part.is_empty() && part.bytes().all(atom)) {
        return Err("what is in front of the @ is not the local part of an address".to_owned());
    }
    let domain = domain.to_ascii_lowercase();
    host(&domain).map_err(|reason| format!("behind the @: {reason}"))?;
    if local.len() > 64 || text.len() > MAX_EMAIL {
        return Err(format!("more than 64 characters are in front of the @, or more than {MAX_EMAIL} in all"));
    }
    Ok(format!("{local}@{domain}"))
}

fn uri(text: &str) -> Result<String, String> {
    if text.len() > MAX_URI {
        return Err(format!("it has more than {MAX_URI} characters"));
    }
    let (scheme, rest) = text.split_once(':').ok_or("a URI begins with a scheme and a colon")?;
    let scheme_octet = |octet: u8| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet);
    if !scheme.starts_with(|char: char| char.is_ascii_alphabetic()) || !scheme.bytes().all(scheme_octet) {
        return Err("a URI begins with a scheme and a colon".to_owned());
    }
    if rest.is_empty() || rest.bytes().any(|octet| b"\"<>\\^`{|}".contains(&octet)) {
        return Err("it is not a URI (RFC 3986)".to_owned());
    }
    if scheme.eq_ignore_ascii_case("spiffe") {
        return spiffe(rest);
    }
    if let Some(authority) =
        rest.strip_prefix("//").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default())
        && authority.is_empty()
    {
        return Err("there is no host behind the //".to_owned());
    }
    Ok(text.to_owned())
}

/// A SPIFFE id: a trust domain in lower case, and a path of plain segments.
fn spiffe(rest: &str) -> Result<String, String> {
    let wrong = || "a SPIFFE id is spiffe://TRUST-DOMAIN/PATH with letters, digits, '.', '-' and '_'".to_owned();
    let id = rest.strip_prefix("//").ok_or_else(wrong)?;
    let (domain, path) = id.split_once('/').ok_or("a SPIFFE id of a workload has a path")?;
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
    let segment = |text: &str| !text.is_empty() && text != "." && text != ".." && text.bytes().all(plain);
    let lower = domain.bytes().all(|octet| plain(octet) && !octet.is_ascii_uppercase());
    if domain.is_empty() || domain.len() > 255 || !lower || !path.split('/').all(segment) {
        return Err(wrong());
    }
    Ok(format!("spiffe:{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, purpose: Purpose) -> Result<String, String> {
        Name::parse(text, purpose).map(|name| name.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn kinds_are_found_and_can_be_said() {
        for (text, purpose, wanted) in [
            ("WWW.Example.com", Purpose::Server, "dns:www.example.com"),
            ("*.example.com", Purpose::Server, "dns:*.example.com"),
            ("192.0.2.1", Purpose::Server, "ip:192.0.2.1"),
            ("[2001:db8::1]", Purpose::Server, "ip:2001:db8::1"),
            ("::1", Purpose::Server, "ip:::1"),
            ("ip:::1", Purpose::Server, "ip:::1"),
            ("localhost", Purpose::Server, "dns:localhost"),
            ("dns:device1", Purpose::Client, "dns:device1"),
            ("spiffe://example.org/ns/a", Purpose::Client, "uri:spiffe://example.org/ns/a"),
            ("SPIFFE://example.org/ns/A", Purpose::Client, "uri:spiffe://example.org/ns/A"),
            ("uri:urn:uuid:1", Purpose::Client, "uri:urn:uuid:1"),
            ("https://example.com/alice?x=1", Purpose::Client, "uri:https://example.com/alice?x=1"),
            ("Alice.B+c@Example.COM", Purpose::Client, "email:Alice.B+c@example.com"),
        ] {
            assert_eq!(read(text, purpose).as_deref(), Ok(wanted), "{text}");
            assert_eq!(Name::try_from(wanted.to_owned()).unwrap().to_string(), wanted);
        }
    }

    #[test]
    fn what_cannot_be_a_name_is_said_with_its_reason() {
        let long = format!("{}.com", "a.".repeat(130));
        let label = format!("{}.com", "a".repeat(64));
        for (text, purpose, words) in [
            ("", Purpose::Client, "it is empty"),
            ("dns:", Purpose::Client, "empty"),
            ("a b", Purpose::Client, "a space"),
            ("a\0b", Purpose::Client, "control character"),
            ("bücher.example", Purpose::Server, "xn--"),
            ("a..b", Purpose::Server, "empty"),
            ("a.b.", Purpose::Server, "empty"),
            (&long, Purpose::Server, "more than 253"),
            (&label, Purpose::Server, "more than 63"),
            ("-a.com", Purpose::Server, "hyphen"),
            ("a_b.com", Purpose::Server, "letters, digits and hyphens"),
            ("1.2.3", Purpose::Server, "number"),
            ("*", Purpose::Server, "wildcard"),
            ("*.com", Purpose::Server, "two labels"),
            ("a.*.example.com", Purpose::Server, "first label"),
            ("f*.example.com", Purpose::Server, "first label"),
            ("*.example.com", Purpose::Client, "no wildcard"),
            ("192.0.2.1", Purpose::Client, "not by where they are"),
            ("a@example.com", Purpose::Server, "DNS names and addresses"),
            ("spiffe://example.org/a", Purpose::Server, "DNS names and addresses"),
            ("ip:localhost", Purpose::Server, "no IP address"),
            ("@example.com", Purpose::Client, "in front of the @"),
            ("a@b@example.com", Purpose::Client, "behind the @"),
            ("a..b@example.com", Purpose::Client, "in front of the @"),
            ("\"a\"@example.com", Purpose::Client, "in front of the @"),
            ("a@", Purpose::Client, "behind the @"),
            ("https:///a", Purpose::Client, "no host"),
            ("uri:1:x", Purpose::Client, "scheme"),
            ("uri:x:", Purpose::Client, "RFC 3986"),
            ("https://a/<", Purpose::Client, "RFC 3986"),
            ("spiffe://example.org", Purpose::Client, "has a path"),
            ("spiffe://Example.org/a", Purpose::Client, "SPIFFE id"),
            ("spiffe://example.org:1/a", Purpose::Client, "SPIFFE id"),
            ("spiffe://example.org/a/../b", Purpose::Client, "SPIFFE id"),
            ("spiffe://example.org/a?b", Purpose::Client, "SPIFFE id"),
        ] {
            let error = read(text, purpose).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        assert!(read(&format!("https://example.com/{}", "a".repeat(2048)), Purpose::Client).is_err());
        assert!(read(&format!("{}@example.com", "a".repeat(65)), Purpose::Client).is_err());
    }
}
