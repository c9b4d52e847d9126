//! Authentication scopes (RFC 8120 §5) and the order in which they are preferred (§5.1).

use super::host::Host;
use super::origin::Origin;
use alloc::string::{String, ToString as _};
use core::cmp::Ordering;
use core::fmt;

/// The range of hosts for which a realm's credentials are valid: the value of `auth-scope` (RFC 8120 §5).
///
/// The text of a scope is hashed with the password, so it has exactly one spelling: `AuthScope::parse(s)` succeeds only
/// if `s` is what `Display` writes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthScope {
    /// Single-server type: one scheme, host and port.
    SingleServer(Origin),
    /// Single-host type: every scheme and port of one host.
    SingleHost(Host),
    /// Wildcard-domain type: this domain (without `*.`) and every host below it.
    WildcardDomain(String),
}

/// Why a scope is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// Not one of the three types, or not in its only spelling: lower case, no default port, shortest numbers.
    #[error(
        "not an authentication scope: \"scheme://host[:port]\", \"host\" or \"*.domain\", in lower case and without a default port"
    )]
    Syntax,
    /// The server that sent the scope is outside of it.
    #[error("the server {origin} claims the authentication scope {scope}, in which it is not")]
    NotCovered {
        /// The scope it sent.
        scope: AuthScope,
        /// The server.
        origin: Origin,
    },
    /// A proxy whose scope is not its host name (RFC 8120 §14).
    #[error("the proxy {origin} claims the authentication scope {scope}, and has to use its host name")]
    Proxy {
        /// The scope it sent.
        scope: AuthScope,
        /// The proxy.
        origin: Origin,
    },
    /// A wildcard over a suffix under which anyone can register.
    #[error("the authentication scope {scope} spans domains of different owners")]
    PublicSuffix {
        /// The scope.
        scope: AuthScope,
    },
}

impl AuthScope {
    /// Parses a scope; it has to be in its only spelling.
    ///
    /// # Errors
    /// [`ScopeError::Syntax`].
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let scope = if let Some(domain) = text.strip_prefix("*.") {
            match Host::parse(domain) {
                Ok(Host::Domain(name)) => Self::WildcardDomain(name),
                _ => return Err(ScopeError::Syntax),
            }
        } else if text.contains("://") {
            Self::SingleServer(Origin::parse(text).map_err(|_| ScopeError::Syntax)?)
        } else {
            Self::SingleHost(Host::parse(text).map_err(|_| ScopeError::Syntax)?)
        };
        if scope.to_string() == text { Ok(scope) } else { Err(ScopeError::Syntax) }
    }

    /// Whether `origin` is inside the scope.
    #[must_use]
    pub fn covers(&self, origin: &Origin) -> bool {
        match (self, origin.host()) {
            (Self::SingleServer(server), _) => server == origin,
            (Self::SingleHost(host), requested) => host == requested,
            (Self::WildcardDomain(domain), Host::Domain(requested)) => {
                requested == domain || requested.strip_suffix(domain.as_str()).is_some_and(|left| left.ends_with('.'))
            }
            (Self::WildcardDomain(_), _) => false,
        }
    }

    /// The check that a client makes before it uses a scope that `origin` sent: the server is inside, and a wildcard
    /// stays within one owner's domain by the Public Suffix List (RFC 8120 §5).
    ///
    /// # Errors
    /// [`ScopeError::NotCovered`] or [`ScopeError::PublicSuffix`].
    pub fn acceptable_from(&self, origin: &Origin) -> Result<(), ScopeError> {
        if !self.covers(origin) {
            return Err(ScopeError::NotCovered { scope: self.clone(), origin: origin.clone() });
        }
        match self {
            // A suffix that the list does not know counts as one too: the list's own default rule is "*".
            Self::WildcardDomain(domain) if psl::domain_str(domain).is_none() => {
                Err(ScopeError::PublicSuffix { scope: self.clone() })
            }
            _ => Ok(()),
        }
    }

    /// The same for a scope that a proxy sent: it is the proxy's host name and nothing else (RFC 8120 §14).
    ///
    /// # Errors
    /// [`ScopeError::Proxy`].
    pub fn acceptable_from_proxy(&self, proxy: &Origin) -> Result<(), ScopeError> {
        if *self == Self::SingleHost(proxy.host().clone()) {
            Ok(())
        } else {
            Err(ScopeError::Proxy { scope: self.clone(), origin: proxy.clone() })
        }
    }

    /// Orders scopes for RFC 8120 §5.1: the greater one is the more specific.
    ///
    /// Single-server before single-host before wildcard-domain, longer domain before shorter; equal otherwise.
    #[must_use]
    pub fn cmp_specificity(&self, other: &Self) -> Ordering {
        fn rank(scope: &AuthScope) -> (u8, usize) {
            match scope {
                AuthScope::SingleServer(_) => (2, 0),
                AuthScope::SingleHost(_) => (1, 0),
                AuthScope::WildcardDomain(domain) => (0, domain.len()),
            }
        }
        rank(self).cmp(&rank(other))
    }
}

impl fmt::Display for AuthScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SingleServer(origin) => origin.fmt(f),
            Self::SingleHost(host) => host.fmt(f),
            Self::WildcardDomain(domain) => write!(f, "*.{domain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scope(text: &str) -> AuthScope {
        AuthScope::parse(text).unwrap()
    }

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    #[test]
    fn single_server_covers_one_scheme_host_and_port() {
        let single = scope("https://example.com");
        assert!(single.covers(&origin("https://example.com:443")));
        for other in ["http://example.com", "https://example.com:8443", "https://www.example.com"] {
            assert!(!single.covers(&origin(other)), "{other}");
        }
    }

    #[test]
    fn single_host_covers_every_scheme_and_port() {
        let host = scope("example.com");
        assert!(host.covers(&origin("http://example.com:8080")));
        assert!(host.covers(&origin("https://example.com")));
        assert!(!host.covers(&origin("https://www.example.com")));
        assert!(scope("[2001:db8::1]").covers(&origin("http://[2001:DB8::1]:8080")));
    }

    #[test]
    fn wildcard_domain_covers_itself_and_all_below() {
        let wildcard = scope("*.example.com");
        for inside in ["www.example.com", "web.example.com", "www.sales.example.com", "example.com"] {
            assert!(wildcard.covers(&origin(&alloc::format!("https://{inside}"))), "{inside}");
        }
        for outside in ["badexample.com", "example.com.evil.org", "com", "192.0.2.1"] {
            assert!(!wildcard.covers(&origin(&alloc::format!("https://{outside}"))), "{outside}");
        }
    }

    #[test]
    fn there_is_one_spelling() {
        for bad in [
            "",
            "https://example.com:443",
            "http://example.com:80",
            "https://Example.com",
            "HTTPS://example.com",
            "https://example.com/",
            "https://example.com:08443",
            "Example.com",
            "*.Example.com",
            "*.",
            "*",
            "*.*.com",
            "*.192.0.2.1",
            "*.[::1]",
            "example.com:80",
            "[2001:DB8::1]",
            "[2001:db8:0::1]",
            "ftp://example.com",
            "a.*.com",
            "日本.jp",
            " example.com",
            "example.com.",
        ] {
            assert_eq!(AuthScope::parse(bad), Err(ScopeError::Syntax), "{bad:?}");
        }
    }

    #[test]
    fn a_client_refuses_wildcards_on_public_suffixes() {
        for (text, from) in [
            ("*.com", "https://example.com"),
            ("*.jp", "https://example.co.jp"),
            ("*.co.jp", "https://example.co.jp"),
            ("*.github.io", "https://tagai.github.io"),
            ("*.localhost", "http://a.localhost"),
        ] {
            let refused = scope(text).acceptable_from(&origin(from));
            assert!(matches!(refused, Err(ScopeError::PublicSuffix { .. })), "{text}");
        }
        for (text, from) in [
            ("*.example.com", "https://www.example.com"),
            ("*.example.co.jp", "https://example.co.jp"),
            ("localhost", "http://localhost:8080"),
            ("com", "http://com"),
        ] {
            assert_eq!(scope(text).acceptable_from(&origin(from)), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_client_refuses_a_scope_that_does_not_cover_its_sender() {
        for text in ["https://example.org", "example.org", "*.example.org", "http://example.com"] {
            let refused = scope(text).acceptable_from(&origin("https://example.com"));
            assert!(matches!(refused, Err(ScopeError::NotCovered { .. })), "{text}");
        }
    }

    #[test]
    fn the_more_specific_scope_wins() {
        let order = ["*.com", "*.example.com", "*.www.example.com", "www.example.com", "https://www.example.com"];
        for pair in order.windows(2) {
            assert_eq!(scope(pair[0]).cmp_specificity(&scope(pair[1])), Ordering::Less, "{pair:?}");
        }
        assert_eq!(scope("a.example").cmp_specificity(&scope("b.example")), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn parsing_and_writing_are_inverse(text in "(\\*\\.|https?://)?[a-z0-9.-]{1,20}(:[0-9]{1,5})?") {
            if let Ok(scope) = AuthScope::parse(&text) {
                prop_assert_eq!(scope.to_string(), text);
            }
        }
    }
}
