//! What clients are asked for in the handshake, by the host that they want.
//!
//! Only where a route takes certificates is anybody asked for one, so no browser opens a dialogue elsewhere; and the request says
//! whose certificates are taken, so a browser without such a one opens none there either. Whoever has none is let in all the same:
//! it is the route that insists. What is asked for is never an obligation here, and what is shown is only proven to be the client's;
//! who it names, and whether that still holds, is found out for each request (see `crate::proof`).

use rustls::DistinguishedName;
use rustls::server::CertificateType;
use rustls::server::danger::ClientCertVerifier;
use std::collections::HashMap;
use std::sync::Arc;
use tagai_pki::handshake::{AskForCertificate, AskForRawKey};

/// One way of asking.
#[derive(Debug, Clone)]
enum Ask {
    /// For a bare key (RFC 7250).
    RawKey,
    /// For a certificate, of one of these authorities if the client has several.
    Certificate(Vec<DistinguishedName>),
}

impl PartialEq for Ask {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::RawKey, Self::RawKey) => true,
            (Self::Certificate(one), Self::Certificate(two)) => {
                one.iter().map(AsRef::as_ref).eq(two.iter().map(AsRef::<[u8]>::as_ref))
            }
            _ => false,
        }
    }
}

/// What a host asks for.
#[derive(Debug, Clone, Default)]
pub struct HostAsks {
    /// Whether bare keys are taken.
    pub raw_key: bool,
    /// The names of the authorities whose certificates are taken; `None` if none are.
    pub certificates: Option<Vec<DistinguishedName>>,
}

impl HostAsks {
    /// Asks for what `other` asks for as well.
    pub fn join(&mut self, other: Self) {
        self.raw_key |= other.raw_key;
        if let Some(names) = other.certificates {
            let all = self.certificates.get_or_insert_default();
            for name in names {
                if !all.iter().any(|known| known.as_ref() == name.as_ref()) {
                    all.push(name);
                }
            }
        }
    }
}

/// What is asked for, by host.
#[derive(Debug, Default)]
pub struct Asks {
    /// Each once.
    list: Vec<Ask>,
    hosts: HashMap<Box<str>, Numbers>,
}

/// Positions in the list of all asks.
#[derive(Debug, Clone, Copy, Default)]
struct Numbers {
    raw_key: Option<usize>,
    certificate: Option<usize>,
}

/// The host of clients that name none: those that know the gateway by its address alone.
const NO_NAME: &str = "";

impl Asks {
    /// What these hosts ask for, each a DNS name in lower case, or an IP address: clients cannot name those in a handshake.
    #[must_use]
    pub fn new(hosts: impl IntoIterator<Item = (String, HostAsks)>) -> Self {
        let mut joined: HashMap<String, HostAsks> = HashMap::new();
        for (host, asks) in hosts {
            let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
            joined.entry(if address { NO_NAME.into() } else { host }).or_default().join(asks);
        }
        let mut all = Self::default();
        for (host, asks) in joined {
            let raw_key = asks.raw_key.then(|| all.number(Ask::RawKey));
            let certificate = asks.certificates.map(|mut names| {
                names.sort_by(|a, b| a.as_ref().cmp(b.as_ref()));
                all.number(Ask::Certificate(names))
            });
            all.hosts.insert(host.into(), Numbers { raw_key, certificate });
        }
        all
    }

    fn number(&mut self, ask: Ask) -> usize {
        self.list.iter().position(|known| *known == ask).unwrap_or_else(|| {
            self.list.push(ask);
            self.list.len() - 1
        })
    }

    /// For each ask, what rustls does with the answer.
    pub(super) fn verifiers(&self) -> Vec<Arc<dyn ClientCertVerifier>> {
        let verifier = |ask: &Ask| match ask {
            Ask::RawKey => Arc::new(AskForRawKey::default()) as Arc<dyn ClientCertVerifier>,
            Ask::Certificate(names) => Arc::new(AskForCertificate::new(names.clone())),
        };
        self.list.iter().map(verifier).collect()
    }

    /// What a client is asked for that wants `host` (in lower case) and can show these `kinds`; the number of an ask.
    pub(super) fn choose(&self, host: Option<&str>, kinds: Option<&[CertificateType]>) -> Option<usize> {
        let numbers = self.hosts.get(host.unwrap_or(NO_NAME))?;
        let can_raw = kinds.is_some_and(|kinds| kinds.contains(&CertificateType::RawPublicKey));
        numbers.raw_key.filter(|_| can_raw).or(numbers.certificate)
    }

    /// Whether this ask is for bare keys.
    pub(super) fn is_raw_key(&self, number: usize) -> bool {
        self.list.get(number) == Some(&Ask::RawKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificates(names: &[&str]) -> HostAsks {
        let names = names.iter().map(|name| DistinguishedName::in_sequence(name.as_bytes())).collect();
        HostAsks { raw_key: false, certificates: Some(names) }
    }

    #[test]
    fn a_host_is_asked_for_what_its_routes_take() {
        let raw = HostAsks { raw_key: true, certificates: None };
        let asks = Asks::new([
            ("a.example".to_owned(), certificates(&["one", "two"])),
            ("b.example".to_owned(), certificates(&["two"])),
            ("b.example".to_owned(), certificates(&["one"])),
            ("b.example".to_owned(), raw.clone()),
            ("c.example".to_owned(), HostAsks::default()),
            ("192.0.2.1".to_owned(), raw),
        ]);
        let both = [CertificateType::X509, CertificateType::RawPublicKey];
        let a = asks.choose(Some("a.example"), None).unwrap();
        assert_eq!(asks.choose(Some("b.example"), None), Some(a), "the same authorities, whatever their order");
        assert_eq!(asks.choose(Some("b.example"), Some(&both[..1])), Some(a));
        let raw = asks.choose(Some("b.example"), Some(&both)).unwrap();
        assert!(asks.is_raw_key(raw) && !asks.is_raw_key(a));
        assert_eq!(asks.choose(None, Some(&both)), Some(raw), "an address is named by nobody");
        for host in [Some("c.example"), Some("d.example"), None] {
            assert_eq!(asks.choose(host, None), None);
        }
        assert_eq!(asks.verifiers().len(), 2);
    }
}
