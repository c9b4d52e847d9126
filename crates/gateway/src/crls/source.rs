//! Files and URLs.

use http::Uri;
use http::uri::Authority;
use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Where CRLs come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, with one CRL in DER or any number in PEM.
    File(PathBuf),
    /// A server.
    Url(CrlUrl),
}

/// A URL of a CRL: `http` or `https`, without a user. Plain `http` is usual, for a CRL is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlUrl(Uri);

/// Not a source of CRLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a URL of a CRL, which is http://host/path or https://host/path without a user name")]
pub struct SourceError;

impl Source {
    /// What stands in a configuration: a URL if there is `://` in it, else a file, below `directory` unless it is absolute.
    ///
    /// # Errors
    /// [`SourceError`]
    pub fn parse(text: &str, directory: &Path) -> Result<Self, SourceError> {
        if text.contains("://") { CrlUrl::parse(text).map(Self::Url) } else { Ok(Self::File(directory.join(text))) }
    }

    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file),
            Self::Url(_) => None,
        }
    }

    /// The URL, if it is one.
    #[must_use]
    pub fn url(&self) -> Option<&CrlUrl> {
        match self {
            Self::File(_) => None,
            Self::Url(url) => Some(url),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.display().fmt(f),
            Self::Url(url) => url.0.fmt(f),
        }
    }
}

impl CrlUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`SourceError`]
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let uri: Uri = text.parse().map_err(|_| SourceError)?;
        let good = matches!(uri.scheme_str(), Some("http" | "https"))
            && uri
                .authority()
                .is_some_and(|authority| !authority.as_str().contains('@') && !authority.host().is_empty());
        if good { Ok(Self(uri)) } else { Err(SourceError) }
    }

    pub(super) fn is_https(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }

    pub(super) fn authority(&self) -> &str {
        self.0.authority().map_or("", Authority::as_str)
    }

    /// Without the brackets of an IPv6 address.
    pub(super) fn host(&self) -> &str {
        self.0.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    pub(super) fn port(&self) -> u16 {
        self.0.port_u16().unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    pub(super) fn target(&self) -> &str {
        self.0.path_and_query().map_or("/", |target| target.as_str())
    }
}

/// A file's contents, unless they are longer than `most` octets.
pub(super) fn read(file: &Path, most: usize) -> io::Result<Vec<u8>> {
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let mut octets = Vec::new();
    std::fs::File::open(file)?.take(most.saturating_add(1)).read_to_end(&mut octets)?;
    if octets.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("is longer than {most} octets")));
    }
    Ok(octets)
}
