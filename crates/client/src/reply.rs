//! What comes back to the caller.

use crate::body::Content;
use crate::error::Error;
use crate::url::Url;
use crate::wire::{Facts, Shown};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, Version};
use std::sync::Arc;
use tagai_core::credential::Username;
use tagai_core::realm::{AuthRealm, Origin};

/// What was proven in one request and its response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// Both ends (AUTH-SUCCEED of RFC 8120 §10.1): the server knows who the user is, and has proven that it knows the user.
    #[non_exhaustive]
    Mutual {
        /// The user, as the server knows it.
        user: Username,
        /// The realm.
        realm: AuthRealm,
        /// The server.
        server: Origin,
        /// Whether a session from an earlier request served; otherwise this request logged in.
        session_reused: bool,
    },
    /// Nothing but what TLS proves (UNAUTHENTICATED): the resource needed no login.
    None,
}

impl Proof {
    /// Whether both ends are proven.
    #[must_use]
    pub const fn is_mutual(&self) -> bool {
        matches!(self, Self::Mutual { .. })
    }
}

/// One redirect that was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hop {
    /// The URL that was asked for.
    pub url: Url,
    /// The status of its response.
    pub status: StatusCode,
    /// What was proven in it. A redirect without proof may come from anybody.
    pub proof: Proof,
}

/// A response that may be used.
#[derive(Debug)]
pub struct Reply {
    pub(crate) url: Url,
    pub(crate) head: http::response::Parts,
    pub(crate) content: Content,
    pub(crate) proof: Proof,
    pub(crate) hops: Vec<Hop>,
    pub(crate) facts: Arc<Facts>,
    pub(crate) way: Option<Proof>,
}

impl Reply {
    /// What was proven.
    #[must_use]
    pub const fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Whether both ends are proven.
    #[must_use]
    pub const fn is_proven(&self) -> bool {
        self.proof.is_mutual()
    }

    /// What was proven of the proxy that this came through; `None` without a proxy.
    #[must_use]
    pub const fn proxy(&self) -> Option<&Proof> {
        self.way.as_ref()
    }

    /// The URL that this is the answer of: the last one, if redirects were followed.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The version of HTTP that it came by.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.head.version
    }

    /// The header fields.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The redirects that led here, first to last.
    #[must_use]
    pub fn redirects(&self) -> &[Hop] {
        &self.hops
    }

    /// The server's certificate in DER, as TLS verified it. `None` for `http`, and for a server that is known by its key.
    #[must_use]
    pub fn server_certificate(&self) -> Option<&[u8]> {
        match self.facts.shown.as_ref()? {
            Shown::Certificate(certificate) => Some(certificate),
            Shown::Key(_) => None,
        }
    }

    /// The server's bare key (RFC 7250), as a `SubjectPublicKeyInfo` in DER, if the server is known by a
    /// [pin](crate::ClientBuilder::pin): TLS has proven that the server has it.
    #[must_use]
    pub fn server_key(&self) -> Option<&[u8]> {
        match self.facts.shown.as_ref()? {
            Shown::Key(key) => Some(key),
            Shown::Certificate(_) => None,
        }
    }

    /// The body, to be read as it arrives.
    pub const fn content(&mut self) -> &mut Content {
        &mut self.content
    }

    /// All of the body, if it is not longer than `limit` octets; `Ok(None)` if it is.
    ///
    /// # Errors
    /// [`Error::Network`] if the body does not arrive whole.
    pub async fn bytes(self, limit: usize) -> Result<Option<Bytes>, Error> {
        self.content.collect_up_to(limit).await
    }

    /// The response as other libraries know it, with its [`Proof`] and [`Url`] among the extensions.
    #[must_use]
    pub fn into_response(self) -> Response<Content> {
        let mut response = Response::from_parts(self.head, self.content);
        response.extensions_mut().insert(self.proof);
        response.extensions_mut().insert(self.url);
        response
    }
}
