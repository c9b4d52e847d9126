//! Where a forward proxy connects to: the list that its operator writes.

use super::address;
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use tagai_core::realm::Host;

/// One element of the list: hosts, and one port or all of them.
///
/// | written | means |
/// |---|---|
/// | `www.example.com:443` | this host, by this name |
/// | `*.example.com:443` | every host below this domain, by name; not `example.com` itself |
/// | `*:443` | every host, by name or by address |
/// | `10.0.0.0/8:*`, `192.0.2.7:22`, `[2001:db8::/32]:443` | these addresses, by whatever name |
///
/// Names, `*`, and networks that are larger than a block of special addresses open only what is on the public Internet. What is
/// not (loopback, link-local, private networks and so on) has to be listed by a network inside of such a block: so no name can
/// lead there that is not meant to, whoever answers for it in the DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    hosts: Hosts,
    /// `None` for all.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    Any,
    Name(String),
    /// Below this domain.
    Below(String),
    Net(IpNet),
}

/// Why a text is no [`Target`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// There is no port behind a colon, or it is neither a number from 1 to 65535 nor `*`.
    #[error("a port is missing behind the host: a number from 1 to 65535, or * for all")]
    Port,
    /// The host is neither a name, nor `*.` and a name, nor `*`, nor an address or a network.
    #[error(
        "the host is neither a name, nor *.domain, nor an address, nor a network such as 10.0.0.0/8 or [fd00::/8]"
    )]
    Host,
    /// A network whose address has bits behind its length.
    #[error("the address has bits behind the network's length")]
    Bits,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (host, port) = text.rsplit_once(':').ok_or(TargetError::Port)?;
        let port = match port {
            "*" => None,
            _ if port.starts_with('0') || !port.bytes().all(|octet| octet.is_ascii_digit()) => {
                return Err(TargetError::Port);
            }
            _ => Some(port.parse().map_err(|_| TargetError::Port)?),
        };
        Ok(Self { hosts: host.parse()?, port })
    }
}

impl FromStr for Hosts {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        // An IPv6 address stands in brackets, and nothing else does.
        if inner.is_some() != text.contains(':') {
            return Err(TargetError::Host);
        }
        let address = inner.unwrap_or(text);
        if let Ok(address) = address.parse::<IpAddr>() {
            return Ok(Self::Net(address::plain(address).into()));
        }
        if address.contains('/') {
            let net: IpNet = address.parse().map_err(|_| TargetError::Host)?;
            return if net.trunc() == net { Ok(Self::Net(net)) } else { Err(TargetError::Bits) };
        }
        if text == "*" {
            return Ok(Self::Any);
        }
        let name = |text: &str| match Host::parse(text) {
            Ok(Host::Domain(name)) => Ok(name),
            _ => Err(TargetError::Host),
        };
        match text.strip_prefix("*.") {
            Some(domain) => name(domain).map(Self::Below),
            None => name(text).map(Self::Name),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Hosts::Any => f.write_str("*")?,
            Hosts::Name(name) => f.write_str(name)?,
            Hosts::Below(domain) => write!(f, "*.{domain}")?,
            Hosts::Net(net @ IpNet::V4(_)) => net.fmt(f)?,
            Hosts::Net(net @ IpNet::V6(_)) => write!(f, "[{net}]")?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => f.write_str(":*"),
        }
    }
}

/// Whether anything of a list could match a host and port, before its addresses are known: a name that nothing matches need not
/// be looked up, unless there are networks, in which it may be.
pub(crate) fn may_match(list: &[Target], host: &Host, port: u16) -> bool {
    list.iter().any(|target| {
        let hosts = match (&target.hosts, host) {
            (Hosts::Net(_), Host::Domain(_)) => true,
            (Hosts::Net(net), Host::V4(address)) => net.contains(&address::plain((*address).into())),
            (Hosts::Net(net), Host::V6(address)) => net.contains(&address::plain((*address).into())),
            (hosts, host) => hosts.name(host),
        };
        hosts && target.has_port(port)
    })
}

/// Whether a list lets a host be connected to at one of its addresses.
pub(super) fn allows(list: &[Target], host: &Host, address: IpAddr, port: u16) -> bool {
    let (address, block) = address::special(address);
    list.iter().filter(|target| target.has_port(port)).any(|target| match (&target.hosts, block) {
        (Hosts::Net(net), None) => net.contains(&address),
        (Hosts::Net(net), Some(block)) => net.contains(&address) && block.contains(net),
        (hosts, None) => hosts.name(host),
        (_, Some(_)) => false,
    })
}

impl Target {
    fn has_port(&self, port: u16) -> bool {
        self.port.is_none_or(|own| own == port)
    }
}

impl Hosts {
    /// Whether a host is meant by what it is called.
    fn name(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Name(own), Host::Domain(name)) => own == name,
            (Self::Below(domain), Host::Domain(name)) => {
                name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> Vec<Target> {
        texts.iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))).collect()
    }

    fn goes(texts: &[&str], host: &str, address: &str, port: u16) -> bool {
        let (list, host) = (list(texts), Host::parse(host).unwrap());
        let allowed = allows(&list, &host, address.parse().unwrap(), port);
        assert!(may_match(&list, &host, port) || !allowed, "what is allowed may match");
        allowed
    }

    #[test]
    fn targets_are_written_as_they_are_read() {
        for text in [
            "a.example:443",
            "*.a.example:*",
            "*:443",
            "10.0.0.0/8:*",
            "192.0.2.7/32:22",
            "[fd00::/8]:443",
            "[::1/128]:1",
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        assert_eq!("A.Example:1".parse::<Target>().unwrap().to_string(), "a.example:1");
        assert_eq!("[::ffff:10.0.0.1]:1".parse::<Target>().unwrap().to_string(), "10.0.0.1/32:1");
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for (text, error) in [
            ("a.example", TargetError::Port),
            ("a.example:", TargetError::Port),
            ("a.example:0", TargetError::Port),
            ("a.example:080", TargetError::Port),
            ("a.example:65536", TargetError::Port),
            ("a.example:https", TargetError::Port),
            (":443", TargetError::Host),
            ("*.:443", TargetError::Host),
            ("*a.example:443", TargetError::Host),
            ("a.*.example:443", TargetError::Host),
            ("https://a.example:443", TargetError::Host),
            ("10.0.0.0/33:1", TargetError::Host),
            ("fd00::/8:443", TargetError::Host),
            ("[a.example]:443", TargetError::Host),
            ("0x7f.1:80", TargetError::Host),
            ("10.0.0.1/8:1", TargetError::Bits),
        ] {
            assert_eq!(text.parse::<Target>(), Err(error), "{text}");
        }
    }

    #[test]
    fn names_open_the_public_internet_alone() {
        assert!(goes(&["a.example:443"], "a.example", "9.9.9.9", 443));
        assert!(!goes(&["a.example:443"], "a.example", "9.9.9.9", 80));
        assert!(!goes(&["a.example:443"], "b.a.example", "9.9.9.9", 443));
        assert!(goes(&["*.a.example:443"], "c.b.a.example", "9.9.9.9", 443));
        for other in ["a.example", "ba.example", "a.example.org"] {
            assert!(!goes(&["*.a.example:443"], other, "9.9.9.9", 443), "{other}");
        }
        assert!(goes(&["*:*"], "9.9.9.9", "9.9.9.9", 1));
        for address in
            ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "fe80::1"]
        {
            for allow in ["a.example:*", "*.example:*", "*:*", "0.0.0.0/0:*", "[::/0]:*", "0.0.0.0/1:*"] {
                assert!(!goes(&[allow], "a.example", address, 443), "{allow} {address}");
            }
        }
    }

    #[test]
    fn networks_open_what_they_name() {
        assert!(goes(&["10.0.0.0/8:*"], "10.1.2.3", "10.1.2.3", 22));
        assert!(goes(&["10.0.0.0/8:*"], "intern.example", "10.1.2.3", 22), "by whatever name");
        assert!(goes(&["10.0.0.0/8:*"], "[::ffff:10.1.2.3]", "::ffff:10.1.2.3", 22), "in whatever form");
        assert!(goes(&["127.0.0.1:8080"], "localhost", "127.0.0.1", 8080));
        assert!(!goes(&["127.0.0.1:8080"], "localhost", "::1", 8080));
        assert!(!goes(&["127.0.0.1:8080"], "localhost", "127.0.0.1", 8081));
        assert!(!goes(&["10.0.0.0/8:*"], "11.0.0.1", "11.0.0.1", 22));
        // Larger than the private block: not meant for it.
        assert!(!goes(&["10.0.0.0/7:*"], "10.0.0.1", "10.0.0.1", 22));
        assert!(goes(&["10.0.0.0/7:*"], "11.0.0.1", "11.0.0.1", 22));
        assert!(goes(&["[fd00::/8]:*"], "[fd00::1]", "fd00::1", 22));
        assert!(goes(&["0.0.0.0/0:443"], "a.example", "64:ff9b::909:909", 443));
    }
}
