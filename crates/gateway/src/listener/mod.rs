//! Connections from clients: who may open one, how long each step may take, and how all of them end.
//!
//! A connection is one task. Everything that watches it (idle, slow head, stalled writes) is one timer and a few counters
//! (`activity`), so that a request touches no timer of its own. Below hyper stands `transport`, which reads every octet
//! of HTTP/1 a little more strictly than hyper does (`strict`) and can put fields into `100 Continue` ([`Interim`]).

mod activity;
mod body;
mod info;
mod interim;
mod limit;
mod serve;
mod settings;
mod sniff;
mod strict;
mod transport;

pub use body::{RequestBody, RequestBodyError};
pub use info::{Alive, ConnectionInfo};
pub use interim::Interim;
pub use serve::{Abort, Tracked};
pub use settings::{Http1Limits, Http2Limits, Limits, Settings, Timeouts};
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use strict::door::Reader as StrictReader;

use bytes::Bytes;
use http::{Request, Response};
use limit::{Counted, Owners};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How far a shutdown has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Serving.
    Open,
    /// No new requests; those that run may finish.
    Draining,
    /// What is still open is dropped.
    Cut,
}

/// What became of the connections at shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections and tunnels that were still busy at the deadline and were cut.
    pub cut: usize,
}

/// Ends a [`Listener`].
#[derive(Debug, Clone)]
pub struct Handle(watch::Sender<Option<Duration>>);

impl Handle {
    /// Stops accepting, lets what runs finish for at most `grace`, then cuts. Later calls change nothing.
    pub fn shutdown(&self, grace: Duration) {
        self.0.send_if_modified(|stop| {
            let first = stop.is_none();
            stop.get_or_insert(grace);
            first
        });
    }
}

/// A socket that accepts connections.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    settings: Arc<Settings>,
    stop: watch::Sender<Option<Duration>>,
    owners: Arc<Owners>,
}

/// What every connection of a listener shares.
pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    /// Set before `phase` changes, so that a connection need not ask the channel at each poll.
    pub(crate) draining: AtomicBool,
    pub(crate) start: tokio::time::Instant,
}

impl Listener {
    /// Binds to `address`.
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn bind(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        Ok(Self::from_socket(TcpListener::bind(address).await?, settings))
    }

    /// Takes a socket that listens already.
    #[must_use]
    pub fn from_socket(socket: TcpListener, settings: Settings) -> Self {
        let owners = Arc::new(Owners::new(settings.limits.connections, settings.limits.connections_per_address));
        Self { socket, settings: Arc::new(settings), stop: watch::Sender::new(None), owners }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// What ends it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(self.stop.clone())
    }

    /// How many connections are open, at any time.
    pub fn counter(&self) -> impl Fn() -> usize + Send + Sync + 'static {
        let owners = Arc::clone(&self.owners);
        move || owners.open()
    }

    /// Accepts connections and gives their requests to `handler` until [`Handle::shutdown`] is called.
    pub async fn run<F, Fut, B>(self, handler: F) -> Drained
    where
        F: Fn(Request<RequestBody>, Arc<ConnectionInfo>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Response<B>, Abort>> + Send + 'static,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let handler = Arc::new(handler);
        let shared = Arc::new(Shared {
            settings: Arc::clone(&self.settings),
            draining: AtomicBool::new(false),
            start: tokio::time::Instant::now(),
        });
        let phase = watch::Sender::new(Phase::Open);
        let mut stop = self.stop.subscribe();
        let mut pause = FIRST_PAUSE;
        let grace = loop {
            tokio::select! {
                grace = stopped(&mut stop) => break grace,
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, peer)) => {
                        pause = FIRST_PAUSE;
                        // Beyond the limit: closed at once, by being dropped.
                        if let Some(counted) = self.owners.admit(peer.ip()) {
                            open(stream, peer, counted, &shared, &handler, phase.subscribe());
                        } else {
                            tracing::debug!(%peer, "too many connections");
                        }
                    }
                    Err(error) if of_one_connection(&error) => {}
                    Err(error) => {
                        // Out of descriptors or memory: accepting again at once would only burn the processor.
                        tracing::warn!(%error, "cannot accept connections");
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                },
            }
        };
        drop(self.socket);
        shared.draining.store(true, Ordering::Release);
        phase.send_replace(Phase::Draining);
        if tokio::time::timeout(grace, phase.closed()).await.is_ok() {
            return Drained { cut: 0 };
        }
        let cut = self.owners.open();
        phase.send_replace(Phase::Cut);
        // Cutting is dropping: it takes no longer than the tasks need to be polled.
        let _ = tokio::time::timeout(LONGEST_PAUSE, phase.closed()).await;
        Drained { cut }
    }
}

async fn stopped(stop: &mut watch::Receiver<Option<Duration>>) -> Duration {
    stop.wait_for(Option::is_some).await.ok().and_then(|grace| *grace).unwrap_or_default()
}

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Errors of `accept` that are about the connection that was to be accepted, not about the listener.
fn of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::ConnectionAborted | K::ConnectionReset | K::ConnectionRefused | K::Interrupted)
}

fn open<F, Fut, B>(
    stream: TcpStream,
    peer: SocketAddr,
    counted: Counted,
    shared: &Arc<Shared>,
    handler: &Arc<F>,
    phase: watch::Receiver<Phase>,
) where
    F: Fn(Request<RequestBody>, Arc<ConnectionInfo>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response<B>, Abort>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Ok(local) = stream.local_addr() else { return };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
    }
    let alive = Alive::new(phase, counted);
    tokio::spawn(serve::connection(stream, peer, local, alive, Arc::clone(shared), Arc::clone(handler)));
}
