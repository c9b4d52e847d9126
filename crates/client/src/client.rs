//! The client: what its users hold.

use crate::builder::{ClientBuilder, Timeouts};
use crate::clock::Clock;
use crate::error::Error;
use crate::prompt::Prompt;
use crate::proxy::Hop;
use crate::reply::Reply;
use crate::request::Request;
use crate::sequence::Demand;
use crate::url::Url;
use crate::wire::{Pool, Route};
use http::Method;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use tagai_core::client::{Client as Core, Credential, StoredSession};
use tagai_core::credential::Username;
use tagai_core::realm::{AuthRealm, Origin, ScopeError};
use tagai_core::validation::ValidationMethod;

/// An HTTP client of one user. Copies of it share logins, sessions and connections.
///
/// Users who must not see each other's logins have a client each.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) core: Mutex<Core>,
    pub(crate) clock: Clock,
    pub(crate) pool: Arc<Pool>,
    pub(crate) prompt: Option<Arc<dyn Prompt>>,
    /// Held from the question to the end of the login, so that requests that begin together ask once.
    pub(crate) prompting: tokio::sync::Mutex<()>,
    /// Counts logins, so that whoever waited for `prompting` notices that there was one.
    pub(crate) logins_made: AtomicU64,
    pub(crate) timeouts: Timeouts,
    pub(crate) max_redirects: usize,
    pub(crate) demand: Demand,
    pub(crate) hop: Option<Arc<Hop>>,
}

impl Inner {
    /// How a URL's server is reached.
    pub(crate) fn route(&self, url: &Url) -> Route {
        match &self.hop {
            None => Route::Direct(url.origin().clone()),
            Some(_) if url.is_https() => Route::Tunnel(url.origin().clone()),
            Some(hop) => Route::Forward(hop.origin.clone()),
        }
    }
}

/// One entry of [`Client::logins`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Login {
    /// The realm.
    pub realm: AuthRealm,
    /// The user.
    pub user: Username,
}

impl Client {
    /// A client to be set up.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    pub(crate) fn from_inner(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    /// Fetches a URL with GET.
    ///
    /// # Errors
    /// [`Error`] says what happened and what to do; see [`Error::kind`].
    pub async fn get(&self, url: &str) -> Result<Reply, Error> {
        self.request(Method::GET, url).send().await
    }

    /// A request to be completed and sent. What is wrong with the URL comes out when it is sent.
    pub fn request(&self, method: Method, url: &str) -> Request {
        Request::new(self, method, url)
    }

    /// Remembers a credential without having used it, so that the first request to `server` begins with the key exchange.
    /// The password's `pi` is derived on another thread.
    ///
    /// # Errors
    /// [`RememberError`] if the realm's scope is one that the server has no right to.
    pub async fn remember(
        &self,
        realm: &AuthRealm,
        server: &Origin,
        credential: Credential,
    ) -> Result<(), RememberError> {
        let validation = match server.scheme() {
            tagai_core::realm::Scheme::Http => ValidationMethod::Host,
            tagai_core::realm::Scheme::Https if self.0.pool.expects_bare_key(server) => ValidationMethod::TlsExporter,
            tagai_core::realm::Scheme::Https => ValidationMethod::TlsServerEndPoint,
        };
        let (inner, realm, server) = (Arc::clone(&self.0), realm.clone(), server.clone());
        let work = move || crate::lock(&inner.core).remember(&realm, &server, validation, credential);
        tokio::task::spawn_blocking(work).await.map_err(|_| RememberError::Internal)?.map_err(RememberError::Scope)
    }

    /// Who is logged in where.
    #[must_use]
    pub fn logins(&self) -> Vec<Login> {
        let core = crate::lock(&self.0.core);
        core.logins().map(|login| Login { realm: login.realm.clone(), user: login.user.clone() }).collect()
    }

    /// Forgets everything about a realm: the credential and all sessions. Says whether there was any. Requests that are under
    /// way come to their end, but bring nothing of it back.
    #[expect(clippy::must_use_candidate, reason = "whether there was a login matters to few")]
    pub fn logout(&self, realm: &AuthRealm) -> bool {
        crate::lock(&self.0.core).logout(realm)
    }

    /// Forgets everything about all realms, those of the proxy too.
    pub fn logout_all(&self) {
        crate::lock(&self.0.core).logout_all();
        if let Some(hop) = &self.0.hop {
            crate::lock(&hop.core).logout_all();
        }
    }

    /// The sessions that may serve more requests, to be stored: by a [`SessionFile`](crate::SessionFile), or elsewhere.
    ///
    /// A stored session has the same nonce numbers as the client's own, and a server takes the second request with a number for
    /// a replay. So the client must not be used afterwards, unless for what [`StoredSession::lease`] gave.
    #[must_use]
    pub fn sessions(&self) -> Vec<StoredSession> {
        crate::lock(&self.0.core).sessions(self.0.clock.now())
    }

    /// Goes on with a session that was stored or leased.
    ///
    /// # Errors
    /// [`ScopeError`] if the realm's scope is one that the server has no right to.
    pub fn restore(&self, session: StoredSession) -> Result<(), ScopeError> {
        crate::lock(&self.0.core).restore(session)
    }
}

/// The same for the proxy, which has logins of its own: kept apart, since a proof for a proxy is none for a server.
impl Client {
    /// Who is logged in to the proxy; nobody without one.
    #[must_use]
    pub fn proxy_logins(&self) -> Vec<Login> {
        let Some(hop) = &self.0.hop else { return Vec::new() };
        let core = crate::lock(&hop.core);
        core.logins().map(|login| Login { realm: login.realm.clone(), user: login.user.clone() }).collect()
    }

    /// The sessions with the proxy, as [`Client::sessions`].
    #[must_use]
    pub fn proxy_sessions(&self) -> Vec<StoredSession> {
        let Some(hop) = &self.0.hop else { return Vec::new() };
        crate::lock(&hop.core).sessions(hop.clock.now())
    }

    /// Goes on with a session with the proxy that was stored or leased; without a proxy, nothing happens.
    ///
    /// # Errors
    /// [`ScopeError`] if the realm's scope is not the proxy's host name (RFC 8120 §14).
    pub fn restore_proxy(&self, session: StoredSession) -> Result<(), ScopeError> {
        match &self.0.hop {
            Some(hop) => crate::lock(&hop.core).restore(session),
            None => Ok(()),
        }
    }
}

/// Why a credential cannot be remembered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RememberError {
    /// The realm's scope is one that the server has no right to.
    #[error(transparent)]
    Scope(ScopeError),
    /// The thread for it failed.
    #[error("the client itself failed to derive the credential")]
    Internal,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("logins", &self.logins()).finish_non_exhaustive()
    }
}
