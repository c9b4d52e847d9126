//! The `path` parameter: where in the URI space a realm applies (RFC 8120 §4.3, RFC 7616 §3.3 "domain").

use super::auth_scope::AuthScope;
use super::origin::Origin;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

/// The most elements of a path list that are kept.
const MAX_ELEMENTS: usize = 64;

/// A space-separated list of URIs, each the common prefix of URIs to which the same authentication applies.
///
/// An element is an absolute path, meant on the server that sent it, or an absolute URI. Elements of any other form,
/// and those outside the scope (see [`Paths::within`]), are ignored as RFC 8120 §4.3 asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths(Vec<Element>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Element {
    /// `None` for the server that sent the list.
    origin: Option<Origin>,
    /// Starts with `/`.
    prefix: String,
}

impl Paths {
    /// Reads a list, leaving out what is no absolute path and no absolute URI.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.split(' ').filter_map(Element::parse).take(MAX_ELEMENTS).collect())
    }

    /// The list without the elements that lie outside of `scope`; `server` sent it.
    #[must_use]
    pub fn within(mut self, scope: &AuthScope, server: &Origin) -> Self {
        self.0.retain(|element| scope.covers(element.origin.as_ref().unwrap_or(server)));
        self
    }

    /// Whether `path` (with its query) on `origin` is inside one of the elements; `server` sent the list.
    #[must_use]
    pub fn contain(&self, server: &Origin, origin: &Origin, path: &str) -> bool {
        self.0
            .iter()
            .any(|element| element.origin.as_ref().unwrap_or(server) == origin && path.starts_with(&element.prefix))
    }
}

impl Element {
    fn parse(text: &str) -> Option<Self> {
        if text.chars().any(|c| c.is_control() || !c.is_ascii()) {
            return None;
        }
        if text.starts_with('/') {
            return (!text.starts_with("//")).then(|| Self { origin: None, prefix: text.to_string() });
        }
        let authority = text.find("://")? + 3;
        let slash = text.get(authority..)?.find('/').map_or(text.len(), |at| authority + at);
        let (origin, path) = text.split_at_checked(slash)?;
        let prefix = if path.is_empty() { "/" } else { path };
        Some(Self { origin: Some(Origin::parse(origin).ok()?), prefix: prefix.to_string() })
    }
}

impl fmt::Display for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, element) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            if let Some(origin) = &element.origin {
                origin.fmt(f)?;
            }
            f.write_str(&element.prefix)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    #[test]
    fn elements_are_prefixes_on_a_server() {
        let here = origin("https://a.example.com");
        let there = origin("https://b.example.com");
        let paths = Paths::parse("/staff/ https://b.example.com/x https://b.example.com:8443");
        assert!(paths.contain(&here, &here, "/staff/list?q=1"));
        assert!(!paths.contain(&here, &here, "/staff"));
        assert!(!paths.contain(&here, &there, "/staff/"));
        assert!(paths.contain(&here, &there, "/x/y"));
        assert!(paths.contain(&here, &origin("https://b.example.com:8443"), "/anything"));
        assert!(!paths.contain(&here, &origin("http://a.example.com"), "/staff/"));
    }

    #[test]
    fn elements_outside_of_the_scope_are_ignored() {
        let server = origin("https://a.example.com");
        let paths = Paths::parse("/ https://evil.example.org/ https://b.example.com/");
        let single = paths.clone().within(&AuthScope::SingleServer(server.clone()), &server);
        assert_eq!(single.to_string(), "/");
        let wildcard = paths.within(&AuthScope::parse("*.example.com").unwrap(), &server);
        assert_eq!(wildcard.to_string(), "/ https://b.example.com/");
    }

    #[test]
    fn what_is_no_uri_is_left_out() {
        let paths = Paths::parse("relative //host/x  ftp://a/ https://b c:d /ok https://u@h/ /é");
        assert_eq!(paths.to_string(), "https://b/ /ok");
        let many = "/a ".repeat(1000);
        assert_eq!(Paths::parse(&many).0.len(), MAX_ELEMENTS);
    }
}
