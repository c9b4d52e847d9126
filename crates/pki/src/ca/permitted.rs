//! What an authority may sign: name constraints (RFC 5280 section 4.2.1.10).

use super::{CaError, Name, name};
use rcgen::{CidrSubnet, GeneralSubtree, NameConstraints};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// The names that an authority is kept to. Empty, it may sign every name.
///
/// DNS names and addresses stand in its certificates, so that every verifier keeps it to them; once one of the two is
/// limited, the other is forbidden unless it is limited as well. E-mail addresses are kept to the same domains by this program
/// when it issues, but not by verifiers: several refuse certificates with constraints on them altogether. URIs are free.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permitted {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dns: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ip: Vec<String>,
}

impl Permitted {
    /// DNS names, with all names below them, and networks as `192.0.2.0/24`.
    ///
    /// # Errors
    /// [`CaError::Setting`] for what is neither.
    pub fn new(dns: &[String], ip: &[String]) -> Result<Self, CaError> {
        let setting = |what, text: &String, reason| CaError::Setting { what, text: text.clone(), reason };
        let dns = dns.iter().map(|text| {
            let domain = text.to_ascii_lowercase();
            name::host(&domain).map_err(|reason| setting("--permit-dns", text, reason)).map(|()| domain)
        });
        let ip = ip.iter().map(|text| {
            let reason = || "a network is written 192.0.2.0/24 or 2001:db8::/32".to_owned();
            subnet(text).ok_or_else(|| setting("--permit-ip", text, reason())).map(|_| text.clone())
        });
        Ok(Self { dns: dns.collect::<Result<_, _>>()?, ip: ip.collect::<Result<_, _>>()? })
    }

    /// Whether every name may be signed.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.dns.is_empty() && self.ip.is_empty()
    }

    /// Fails if the name may not be signed.
    pub(super) fn check(&self, name: &Name) -> Result<(), CaError> {
        let below = |host: &str| {
            self.dns.iter().any(|domain| {
                host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
        };
        let permitted = self.is_everything()
            || match name {
                Name::Dns(host) => below(host),
                Name::Email(address) => self.dns.is_empty() || below(address.rsplit('@').next().unwrap_or_default()),
                Name::Ip(address) => {
                    self.ip.iter().filter_map(|text| subnet(text)).any(|net| contains(&net, *address))
                }
                Name::Uri(_) => true,
            };
        if permitted {
            return Ok(());
        }
        Err(CaError::NotPermitted { name: name.to_string(), permitted: self.to_string() })
    }

    /// The extension, if there is something to say in it.
    pub(super) fn constraints(&self) -> Option<NameConstraints> {
        if self.is_everything() {
            return None;
        }
        let mut permitted_subtrees: Vec<_> = self.dns.iter().cloned().map(GeneralSubtree::DnsName).collect();
        permitted_subtrees.extend(self.ip.iter().filter_map(|text| subnet(text)).map(GeneralSubtree::IpAddress));
        let mut excluded_subtrees = Vec::new();
        // A permitted name limits its own kind only, and a permitted network that of its own kind of address.
        if self.dns.is_empty() {
            excluded_subtrees.push(GeneralSubtree::DnsName(String::new()));
        }
        let is_v4 = |text: &String| text.contains('.') && !text.contains(':');
        if !self.ip.iter().any(is_v4) {
            excluded_subtrees.push(GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])));
        }
        if !self.ip.iter().any(|text| !is_v4(text)) {
            excluded_subtrees.push(GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])));
        }
        Some(NameConstraints { permitted_subtrees, excluded_subtrees })
    }
}

impl fmt::Display for Permitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_everything() {
            return f.write_str("every name");
        }
        let domains = self.dns.iter().map(|domain| format!("{domain} and names below it"));
        f.write_str(&domains.chain(self.ip.iter().cloned()).collect::<Vec<_>>().join(", "))
    }
}

/// A network; its address has no bit set behind the prefix.
fn subnet(text: &str) -> Option<CidrSubnet> {
    let (address, prefix) = text.split_once('/')?;
    let (address, prefix) = (address.parse::<IpAddr>().ok()?, prefix.parse::<u8>().ok()?);
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let net = (prefix <= bits).then(|| CidrSubnet::from_addr_prefix(address, prefix))?;
    let clean = match net {
        CidrSubnet::V4(base, mask) => masked(base, mask) == base,
        CidrSubnet::V6(base, mask) => masked(base, mask) == base,
    };
    clean.then_some(net)
}

fn masked<const N: usize>(mut address: [u8; N], mask: [u8; N]) -> [u8; N] {
    for (octet, mask) in address.iter_mut().zip(mask) {
        *octet &= mask;
    }
    address
}

fn contains(net: &CidrSubnet, address: IpAddr) -> bool {
    match (net, address) {
        (CidrSubnet::V4(base, mask), IpAddr::V4(address)) => masked(address.octets(), *mask) == *base,
        (CidrSubnet::V6(base, mask), IpAddr::V6(address)) => masked(address.octets(), *mask) == *base,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ca::Purpose;

    fn permitted(dns: &[&str], ip: &[&str]) -> Result<Permitted, CaError> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Permitted::new(&owned(dns), &owned(ip))
    }

    fn may(permitted: &Permitted, name: &str, purpose: Purpose) -> bool {
        permitted.check(&Name::parse(name, purpose).unwrap()).is_ok()
    }

    #[test]
    fn names_below_a_domain_and_no_others() {
        let limits = permitted(&["Example.com"], &["192.0.2.0/24"]).unwrap();
        for name in ["example.com", "www.example.com", "*.example.com", "192.0.2.255"] {
            assert!(may(&limits, name, Purpose::Server), "{name}");
        }
        for name in ["example.org", "badexample.com", "example.com.evil", "192.0.3.1", "::1", "localhost"] {
            assert!(!may(&limits, name, Purpose::Server), "{name}");
        }
        assert!(may(&limits, "a@mail.example.com", Purpose::Client));
        assert!(!may(&limits, "a@example.org", Purpose::Client));
        assert!(may(&limits, "spiffe://elsewhere/x", Purpose::Client));
        assert!(may(&Permitted::default(), "localhost", Purpose::Server));
        assert!(Permitted::default().constraints().is_none());
        let error = limits.check(&Name::Dns("a.org".into())).unwrap_err().to_string();
        assert!(error.contains("example.com and names below it, 192.0.2.0/24"), "{error}");
    }

    #[test]
    fn what_is_not_limited_is_forbidden() {
        let excluded =
            |dns: &[&str], ip: &[&str]| permitted(dns, ip).unwrap().constraints().unwrap().excluded_subtrees.len();
        assert_eq!(excluded(&["example.com"], &[]), 2, "both kinds of addresses");
        assert_eq!(excluded(&["example.com"], &["10.0.0.0/8"]), 1, "IPv6");
        assert_eq!(excluded(&[], &["10.0.0.0/8", "2001:db8::/32"]), 1, "DNS names");
        assert_eq!(excluded(&["example.com"], &["10.0.0.0/8", "2001:db8::/32"]), 0);
    }

    #[test]
    fn settings_that_are_wrong() {
        for (dns, ip) in [
            (&["*.example.com"][..], &[][..]),
            (&[""], &[]),
            (&[".example.com"], &[]),
            (&["a b"], &[]),
            (&[], &["10.0.0.0"]),
            (&[], &["10.0.0.0/33"]),
            (&[], &["10.0.0.1/8"]),
            (&[], &["::/129"]),
            (&[], &["x/8"]),
        ] {
            assert!(permitted(dns, ip).is_err(), "{dns:?} {ip:?}");
        }
    }
}
