//! A server: scheme, host and port (RFC 6454, RFC 8120 §5 and §7).

use super::host::{Host, HostError};
use core::fmt;

/// The two schemes that HTTP authentication runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// HTTP over an unprotected connection; default port 80.
    Http,
    /// HTTP over TLS; default port 443.
    Https,
}

impl Scheme {
    /// The scheme's name in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URI of this scheme means if it names none.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A server as sessions know it: scheme, host and port (RFC 8120 §6 "local to each server").
///
/// A server takes its origin from its configuration and never from a `Host` header; a client takes it from the URL that
/// its user asked for. Everything that the protocol binds to a place goes through this type.
///
/// `Display` writes the ASCII serialisation of RFC 6454 §6.2, which is the single-server `auth-scope`: the default port
/// is left out. [`Origin::with_port`] always has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
}

/// Why a text is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// The scheme is missing, or neither `http` nor `https`.
    #[error("an origin starts with \"http://\" or \"https://\"")]
    Scheme,
    /// The host is wrong.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The port is not a number from 1 to 65535 without leading zeros.
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

impl Origin {
    /// An origin of these parts; `port` is always explicit here.
    #[must_use]
    pub const fn new(scheme: Scheme, host: Host, port: u16) -> Self {
        Self { scheme, host, port }
    }

    /// Parses `scheme://host` or `scheme://host:port`, ignoring case, with nothing behind it.
    ///
    /// # Errors
    /// [`OriginError`] names the part that is wrong. A path, a user or a query makes the host or the port wrong.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let (scheme, authority) = text.split_once("://").ok_or(OriginError::Scheme)?;
        let scheme = [Scheme::Http, Scheme::Https]
            .into_iter()
            .find(|known| scheme.eq_ignore_ascii_case(known.as_str()))
            .ok_or(OriginError::Scheme)?;
        // The colons inside an IPv6 address are not the one before a port.
        let host_end = authority.find(']').map_or(0, |bracket| bracket + 1);
        let colon = authority.get(host_end..).and_then(|rest| rest.find(':')).map(|at| host_end + at);
        let (host, port) = match colon.and_then(|at| authority.split_at_checked(at)) {
            None => (authority, scheme.default_port()),
            Some((host, port)) => (host, parse_port(port.trim_start_matches(':'), port.len())?),
        };
        Ok(Self { scheme, host: Host::parse(host)?, port })
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// `scheme://host:port` with the port always there: the `vh` of host validation (RFC 8120 §7).
    #[must_use]
    pub fn with_port(&self) -> impl fmt::Display {
        struct WithPort<'a>(&'a Origin);
        impl fmt::Display for WithPort<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Origin { scheme, host, port } = self.0;
                write!(f, "{}://{host}:{port}", scheme.as_str())
            }
        }
        WithPort(self)
    }
}

/// `shown` is the length of the port with its colon, which shows whether there was more than one colon.
fn parse_port(digits: &str, shown: usize) -> Result<u16, OriginError> {
    let plain = digits.len() + 1 == shown && !digits.starts_with(['0', '+']);
    if plain { digits.parse().map_err(|_| OriginError::Port) } else { Err(OriginError::Port) }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port != self.scheme.default_port() {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_default_port_is_left_out_of_the_scope_and_kept_in_vh() {
        for (given, scope, vh) in [
            ("https://Example.com", "https://example.com", "https://example.com:443"),
            ("HTTPS://example.com:443", "https://example.com", "https://example.com:443"),
            ("http://example.com:80", "http://example.com", "http://example.com:80"),
            ("http://example.com:443", "http://example.com:443", "http://example.com:443"),
            ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
            ("https://[::1]", "https://[::1]", "https://[::1]:443"),
        ] {
            let origin = Origin::parse(given).unwrap();
            assert_eq!(origin.to_string(), scope);
            assert_eq!(origin.with_port().to_string(), vh);
            assert_eq!(Origin::parse(scope).unwrap(), origin);
            assert_eq!(Origin::parse(vh).unwrap(), origin);
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for bad in ["", "example.com", "ftp://example.com", "://x", "https:example.com", "//example.com"] {
            assert_eq!(Origin::parse(bad), Err(OriginError::Scheme), "{bad}");
        }
        for bad in [
            "https://a:",
            "https://a:0",
            "https://a:080",
            "https://a:65536",
            "https://a:+1",
            "https://a:1:2",
            "https://a::1",
            "https://[::1]:x",
            "https://a:80/",
        ] {
            assert_eq!(Origin::parse(bad), Err(OriginError::Port), "{bad}");
        }
        for bad in
            ["https://", "https:///", "https://a/b", "https://u@h", "https://a?b", "https://[::1]a:1", "http://é"]
        {
            assert!(matches!(Origin::parse(bad), Err(OriginError::Host(_))), "{bad}");
        }
    }
}
