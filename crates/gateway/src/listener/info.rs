//! What a request's connection is.

use super::Phase;
use super::activity::Activity;
use super::interim::Interim;
use super::limit::Counted;
use crate::proof::Judgements;
use crate::tls::TlsFacts;
use http::{HeaderValue, Version};
use std::net::SocketAddr;
use std::sync::Arc;
use tagai_core::validation::Channel;
use tokio::sync::watch;

/// The connection that a request came on; one for all of its requests.
#[derive(Debug)]
pub struct ConnectionInfo {
    /// The client's address.
    pub peer: SocketAddr,
    /// The address that it connected to.
    pub local: SocketAddr,
    /// What proofs are bound to; [`Channel::Plain`] without TLS.
    pub channel: Arc<Channel>,
    /// About TLS, if there is any.
    pub tls: Option<TlsFacts>,
    /// HTTP/1.1 or HTTP/2. (A request says itself if it is HTTP/1.0.)
    pub version: Version,
    /// Fields for `100 Continue`; with HTTP/1 only.
    pub interim: Option<Interim>,
    /// The client's address as a field's value.
    pub(crate) peer_field: HeaderValue,
    pub(crate) judgements: Judgements,
    pub(crate) activity: Arc<Activity>,
    pub(crate) alive: Alive,
}

impl ConnectionInfo {
    /// Keeps the connection counted, and its listener waiting at shutdown, for as long as what comes back lives. It also
    /// tells when to stop.
    #[must_use]
    pub fn alive(&self) -> Alive {
        self.alive.clone()
    }

    /// Keeps the connection from being closed as idle for as long as what comes back lives: for a tunnel that is one of its
    /// streams (HTTP/2).
    #[must_use]
    pub(crate) fn busy(&self) -> Busy {
        self.activity.begin();
        Busy(Arc::clone(&self.activity))
    }
}

/// See [`ConnectionInfo::busy`].
#[derive(Debug)]
pub(crate) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A share in a connection that is open. See [`ConnectionInfo::alive`].
#[derive(Debug, Clone)]
pub struct Alive {
    phase: watch::Receiver<Phase>,
    _counted: Arc<Counted>,
}

impl Alive {
    pub(super) fn new(phase: watch::Receiver<Phase>, counted: Counted) -> Self {
        Self { phase, _counted: Arc::new(counted) }
    }

    /// Returns when the listener shuts down.
    pub async fn draining(&mut self) {
        self.reached(Phase::Draining).await;
    }

    /// Returns when the listener's time for finishing is over: everything has to be dropped.
    pub async fn cut(&mut self) {
        self.reached(Phase::Cut).await;
    }

    async fn reached(&mut self, phase: Phase) {
        // An error is a listener that is gone, and with it everybody's time.
        let _ = self.phase.wait_for(|now| *now == phase || *now == Phase::Cut).await;
    }
}
