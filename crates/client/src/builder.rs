//! How a client is set up: roots, time limits, bounds.

use crate::client::{Client, Inner};
use crate::clock::Clock;
use crate::error::{Error, UsageError};
use crate::identity::{ClientIdentity, KeyPin};
use crate::prompt::Prompt;
use crate::proxy::Hop;
use crate::sequence::Demand;
use crate::url::Url;
use crate::wire::{Connector, Peer, Pool, Tls};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tagai_core::message::Role;
use tagai_core::realm::{Origin, Scheme};

/// How long the client waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a name's addresses and a TCP connection, and for a place in the pool: 10 s.
    pub connect: Duration,
    /// For the TLS handshake: 10 s.
    pub tls: Duration,
    /// For the head of a response, since the last part of the request was sent: 60 s.
    pub head: Duration,
    /// For the next part of a response's body: 60 s.
    pub body_idle: Duration,
    /// For 100 (Continue) before the body is sent without it, to a server of which no proof is outstanding: 1 s.
    pub expect_continue: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(10),
            tls: seconds(10),
            head: seconds(60),
            body_idle: seconds(60),
            expect_continue: seconds(1),
        }
    }
}

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// To one server, idle or not: 16. Requests beyond them wait.
    pub per_origin: usize,
    /// In all: 256.
    pub total: usize,
    /// How long a connection is kept without a request: 45 s.
    pub idle: Duration,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self { per_origin: 16, total: 256, idle: Duration::from_secs(45) }
    }
}

/// How large the head of a response may be. A larger one is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadLimits {
    /// In octets: 65,536.
    pub octets: usize,
    /// In fields (HTTP/1.1 alone; HTTP/2 has the octets): 128.
    pub fields: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { octets: 65_536, fields: 128 }
    }
}

/// Sets a [`Client`] up; see [`Client::builder`].
pub struct ClientBuilder {
    roots: RootCertStore,
    peers: BTreeMap<Origin, Peer>,
    timeouts: Timeouts,
    pool: PoolLimits,
    head: HeadLimits,
    http2: bool,
    max_redirects: usize,
    prompt: Option<Arc<dyn Prompt>>,
    demand: Demand,
    proxy: Option<Url>,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            roots: RootCertStore::empty(),
            peers: BTreeMap::new(),
            timeouts: Timeouts::default(),
            pool: PoolLimits::default(),
            head: HeadLimits::default(),
            http2: true,
            max_redirects: 10,
            prompt: None,
            demand: Demand::Expected,
            proxy: None,
        }
    }

    /// Trusts these certificate authorities, each in DER. Without any, no `https` server is accepted.
    ///
    /// # Errors
    /// [`UsageError::Roots`] if one cannot be read.
    pub fn root_certificates<'a>(
        mut self,
        certificates: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, UsageError> {
        for certificate in certificates {
            let certificate = CertificateDer::from(certificate.to_vec());
            self.roots.add(certificate).map_err(|error| UsageError::Roots(error.to_string()))?;
        }
        Ok(self)
    }

    /// Trusts the certificate authorities of a PEM file's content.
    ///
    /// # Errors
    /// [`UsageError::Roots`] if there is no certificate in it, or one that cannot be read.
    pub fn add_root_pem(mut self, pem: &[u8]) -> Result<Self, UsageError> {
        let before = self.roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| UsageError::Roots(error.to_string()))?;
            self.roots.add(certificate).map_err(|error| UsageError::Roots(error.to_string()))?;
        }
        if self.roots.len() == before {
            return Err(UsageError::Roots("there is no \"BEGIN CERTIFICATE\" in the file".into()));
        }
        Ok(self)
    }

    /// Trusts what the operating system trusts. Reads files: not for the middle of an asynchronous program.
    ///
    /// # Errors
    /// [`UsageError::Roots`] if the system has none that can be read.
    pub fn native_roots(mut self) -> Result<Self, UsageError> {
        let found = rustls_native_certs::load_native_certs();
        // Some old certificates in systems' stores cannot be read by anybody.
        let (added, _) = self.roots.add_parsable_certificates(found.certs);
        if added == 0 {
            let why = found.errors.first().map_or_else(|| "the store is empty".into(), ToString::to_string);
            return Err(UsageError::Roots(format!("the system's certificate authorities were not found: {why}")));
        }
        Ok(self)
    }

    /// Shows a certificate or a bare key to a server that asks for one in TLS. It is shown to this server alone, and not to one that it
    /// redirects to; call this for each server that should see it.
    #[must_use]
    pub fn identity(mut self, server: &Origin, identity: ClientIdentity) -> Self {
        self.peers.entry(server.clone()).or_default().identity = Some(identity);
        self
    }

    /// Knows a server by its bare key (RFC 7250), and not by certificates: by this one, or by another that was given for it. Connections
    /// to it are TLS 1.3, and logins over them are bound to the connection (RFC 9266).
    #[must_use]
    pub fn pin(mut self, server: &Origin, key: KeyPin) -> Self {
        self.peers.entry(server.clone()).or_default().pins.push(key);
        self
    }

    /// Sets the time limits.
    #[must_use]
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets the bounds of the connection pool.
    #[must_use]
    pub const fn pool(mut self, limits: PoolLimits) -> Self {
        self.pool = limits;
        self
    }

    /// Sets the bounds of response heads.
    #[must_use]
    pub const fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.head = limits;
        self
    }

    /// Whether HTTP/2 is offered to `https` servers: yes by default.
    #[must_use]
    pub const fn http2(mut self, offered: bool) -> Self {
        self.http2 = offered;
        self
    }

    /// How many redirects one request follows: 10 by default; 0 gives redirects to the caller as they are.
    #[must_use]
    pub const fn max_redirects(mut self, redirects: usize) -> Self {
        self.max_redirects = redirects;
        self
    }

    /// Who is asked for user names and passwords. Without, a server that asks is an [`Error::Login`].
    #[must_use]
    pub fn prompt(mut self, prompt: Arc<dyn Prompt>) -> Self {
        self.prompt = Some(prompt);
        self
    }

    /// Every request must be answered by a proven server; see [`Request::require_proof`](crate::Request::require_proof).
    #[must_use]
    pub const fn require_proof(mut self) -> Self {
        self.demand = Demand::Always;
        self
    }

    /// Sends every request through this proxy: `http://` or `https://`, a host and a port, no path. Nothing is read from the
    /// environment. Its logins are asked for by the same [`Prompt`], which tells them by [`Ask::proxy`](crate::Ask::proxy).
    ///
    /// # Errors
    /// [`UsageError::Proxy`] if the URL has a path or a query.
    pub fn proxy(mut self, url: &Url) -> Result<Self, UsageError> {
        if url.target() != "/" {
            return Err(UsageError::Proxy(url.to_string()));
        }
        self.proxy = Some(url.clone());
        Ok(self)
    }

    /// Makes the client.
    ///
    /// # Errors
    /// [`Error::Usage`] if a limit lets nothing through, or a key belongs to a server without TLS.
    pub fn build(self) -> Result<Client, Error> {
        let Self { roots, peers, timeouts, pool, head, http2, max_redirects, prompt, demand, proxy } = self;
        for (limit, name, least) in [
            (pool.per_origin, "the number of connections to one server", 1),
            (pool.total, "the number of connections", 1),
            (head.octets, "the limit of a response's head", 1024),
            (head.fields, "the number of fields in a response's head", 8),
        ] {
            if limit < least {
                return Err(UsageError::Limit(name).into());
            }
        }
        if let Some(origin) = peers.keys().find(|origin| origin.scheme() != Scheme::Https) {
            let why = format!("keys and certificates are shown in TLS, and {origin} is without");
            return Err(UsageError::Identity(why).into());
        }
        let hop = proxy.map(|url| Arc::new(Hop::new(&url, prompt.clone())));
        let connector = Connector::new(Tls::new(roots, http2, peers)?, timeouts, head, hop.clone());
        Ok(Client::from_inner(Inner {
            core: Mutex::new(tagai_core::client::Client::new(Role::OriginServer)),
            clock: Clock::default(),
            pool: Arc::new(Pool::new(connector, pool, timeouts)),
            prompt,
            prompting: tokio::sync::Mutex::new(()),
            logins_made: AtomicU64::new(0),
            timeouts,
            max_redirects,
            demand,
            hop,
        }))
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("roots", &self.roots.len())
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}
