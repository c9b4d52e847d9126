//! URLs as this client takes them: `http` and `https`, without users and passwords (RFC 3986, RFC 9110 §4.2).

use std::fmt;
use tagai_core::realm::{Origin, OriginError, Scheme};

/// The longest URL, in octets.
pub const MAX_URL_LEN: usize = 16_384;

/// An absolute URL of a resource: a server, and a path with an optional query.
///
/// What is parsed is normalised: the host is in lower case, the default port and dot segments are gone, octets that may not stand
/// in a URL are percent-encoded, and the fragment, which is not for servers, is dropped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url {
    origin: Origin,
    target: String,
}

/// Why a text is no URL that this client can ask for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It does not begin with `http://` or `https://`.
    #[error("a URL begins with \"http://\" or \"https://\"")]
    Scheme,
    /// It holds a user name or a password.
    ///
    /// The text is not repeated: there may be a password in it.
    #[error(
        "the URL holds a user name or a password before \"@\"; leave it out, since URLs end up in histories and logs, and give the user name apart"
    )]
    UserInfo,
    /// The host or the port is wrong.
    #[error("the server in the URL is wrong: {0}")]
    Server(#[from] OriginError),
    /// A space or a control character.
    #[error("the URL holds a space or a control character; write it as %20 or the like")]
    Character,
    /// It is longer than [`MAX_URL_LEN`].
    #[error("the URL is longer than {MAX_URL_LEN} octets")]
    TooLong,
}

impl Url {
    /// Reads an absolute URL.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        check(text)?;
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(UrlError::UserInfo);
        }
        let origin = Origin::parse(&format!("{scheme}://{authority}"))?;
        Self { origin, target: normal(target) }.bounded()
    }

    /// The URL that a reference means when it stands in a response for this one (RFC 3986 §5.2).
    ///
    /// # Errors
    /// As [`Url::parse`].
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        check(reference)?;
        let scheme_end = reference.find([':', '/', '?', '#']);
        let absolute = scheme_end.and_then(|at| reference.get(at..)).is_some_and(|rest| rest.starts_with(':'));
        if absolute {
            return Self::parse(reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{}:{reference}", self.origin.scheme().as_str()));
        }
        let path = self.target.split('?').next().unwrap_or("/");
        let merged = match reference.as_bytes().first() {
            None | Some(b'#') => self.target.clone(),
            Some(b'/') => reference.to_owned(),
            Some(b'?') => format!("{path}{reference}"),
            Some(_) => {
                let folder = path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or("/");
                format!("{folder}{reference}")
            }
        };
        Self { origin: self.origin.clone(), target: normal(&merged) }.bounded()
    }

    /// What was percent-encoded or put together is longer than what was read.
    fn bounded(self) -> Result<Self, UrlError> {
        if self.to_string().len() > MAX_URL_LEN { Err(UrlError::TooLong) } else { Ok(self) }
    }

    /// The server.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The path and the query, beginning with `/`.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Whether the URL is of the scheme `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.origin.scheme() == Scheme::Https
    }

    /// The host and, unless it is the scheme's own, the port: the value of `Host` (RFC 9110 §7.2).
    pub(crate) fn authority(&self) -> String {
        let (host, port) = (self.origin.host(), self.origin.port());
        if port == self.origin.scheme().default_port() { host.to_string() } else { format!("{host}:{port}") }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.target)
    }
}

impl std::str::FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

fn check(text: &str) -> Result<(), UrlError> {
    if text.len() > MAX_URL_LEN {
        return Err(UrlError::TooLong);
    }
    if text.chars().any(|c| c == ' ' || c.is_control()) { Err(UrlError::Character) } else { Ok(()) }
}

/// Path and query without a fragment, without dot segments, and with what is not allowed percent-encoded.
fn normal(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    let mut segments: Vec<&str> = Vec::new();
    let mut folder = true;
    for segment in path.strip_prefix('/').unwrap_or(path).split('/') {
        // Dots that are percent-encoded mean the same (RFC 3986 §6.2.2.2).
        let plain = segment.replace("%2e", ".").replace("%2E", ".");
        folder = matches!(plain.as_str(), "." | "..");
        match plain.as_str() {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let mut target = String::with_capacity(text.len() + 1);
    for segment in &segments {
        target.push('/');
        encode(segment, &mut target);
    }
    if folder || segments.is_empty() {
        target.push('/');
    }
    if let Some(query) = query {
        target.push('?');
        encode(query, &mut target);
    }
    target
}

fn encode(text: &str, out: &mut String) {
    for octet in text.bytes() {
        if octet.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&octet) {
            out.push(char::from(octet));
        } else {
            out.push_str(&format!("%{octet:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Url::parse(text).unwrap().to_string()
    }

    #[test]
    fn urls_are_normalised() {
        for (given, normal) in [
            ("http://Example.com", "http://example.com/"),
            ("HTTPS://example.com:443/a?b=c#d", "https://example.com/a?b=c"),
            ("https://example.com:8443?x", "https://example.com:8443/?x"),
            ("https://[2001:DB8::1]/", "https://[2001:db8::1]/"),
            ("https://[::1]:8443/x", "https://[::1]:8443/x"),
            ("http://a/b/./c/../d", "http://a/b/d"),
            ("http://a/%2e%2E/../..", "http://a/"),
            ("http://a/b/..", "http://a/"),
            ("http://a/b/.", "http://a/b/"),
            ("http://a//b//", "http://a//b//"),
            ("http://a/ü?ü=\"", "http://a/%C3%BC?%C3%BC=%22"),
            ("http://a#b", "http://a/"),
            ("http://a/p@q", "http://a/p@q"),
        ] {
            assert_eq!(shown(given), normal, "{given}");
            assert_eq!(shown(normal), normal, "a normal URL stays as it is");
        }
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused() {
        for (given, error) in [
            ("example.com", UrlError::Scheme),
            ("http:/a", UrlError::Scheme),
            ("http://user:secret@a/", UrlError::UserInfo),
            ("https://user@a", UrlError::UserInfo),
            ("http://a/b c", UrlError::Character),
            ("http://a/\r\nX: y", UrlError::Character),
        ] {
            assert_eq!(Url::parse(given), Err(error), "{given}");
        }
        for given in
            ["ftp://a/", "http://", "http://a:0/", "http://a:x/", "http://a\\b/", "http://[::1/", "http://é/"]
        {
            assert!(matches!(Url::parse(given), Err(UrlError::Server(_))), "{given}");
        }
        assert_eq!(Url::parse(&format!("http://a/{}", "b".repeat(MAX_URL_LEN))), Err(UrlError::TooLong));
        assert_eq!(Url::parse(&format!("http://a/{}", "é".repeat(MAX_URL_LEN / 4))), Err(UrlError::TooLong));
        let error = Url::parse("http://user:secret@a/").unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn references_are_resolved() {
        let base = Url::parse("https://a.example/b/c?d").unwrap();
        for (reference, url) in [
            ("", "https://a.example/b/c?d"),
            ("#x", "https://a.example/b/c?d"),
            ("?e", "https://a.example/b/c?e"),
            ("f", "https://a.example/b/f"),
            ("../g?h:i", "https://a.example/g?h:i"),
            ("/j", "https://a.example/j"),
            ("//k.example/l", "https://k.example/l"),
            ("http://m.example", "http://m.example/"),
            ("n/o:p", "https://a.example/b/n/o:p"),
        ] {
            assert_eq!(base.join(reference).unwrap().to_string(), url, "{reference}");
        }
        let long = base.join(&"f/".repeat(MAX_URL_LEN / 3)).unwrap();
        assert_eq!(long.join(&"g/".repeat(MAX_URL_LEN / 3)), Err(UrlError::TooLong));
        assert_eq!(base.join("//u:p@k.example/"), Err(UrlError::UserInfo));
        assert_eq!(base.join("javascript:alert(1)"), Err(UrlError::Scheme));
    }
}
