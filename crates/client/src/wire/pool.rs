//! Connections that wait for their next request, and how many there may be.

use super::connect::{Connection, Connector};
use super::route::Route;
use crate::body::Gate;
use crate::builder::{PoolLimits, Timeouts};
use crate::error::{Error, NetworkFault};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a connection from the pool may take to say that it is ready: it has nothing else to do.
const READY_WITHIN: Duration = Duration::from_millis(500);

/// All connections of one client.
#[derive(Debug)]
pub(crate) struct Pool {
    connector: Connector,
    limits: PoolLimits,
    timeouts: Timeouts,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Default)]
struct State {
    idle: BTreeMap<Route, Vec<Idle>>,
    /// Connections that are open, idle or not.
    open: BTreeMap<Route, usize>,
    total: usize,
    reaping: bool,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("open", &self.open).finish_non_exhaustive()
    }
}

/// What a request needs of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    /// HTTP/1.1: interim responses have to be seen.
    pub(crate) http1: bool,
    /// No connection that has been waiting in the pool.
    pub(crate) fresh: bool,
}

/// The right to have one more connection open.
struct Slot {
    pool: Weak<Pool>,
    route: Route,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(pool) = self.pool.upgrade() else { return };
        {
            let mut state = crate::lock(&pool.state);
            state.total = state.total.saturating_sub(1);
            if let Some(open) = state.open.get_mut(&self.route) {
                *open = open.saturating_sub(1);
                if *open == 0 {
                    state.open.remove(&self.route);
                }
            }
        }
        pool.freed.notify_waiters();
    }
}

enum Found {
    Idle(Connection),
    Slot(Slot),
    Full,
}

impl Pool {
    pub(crate) fn new(connector: Connector, limits: PoolLimits, timeouts: Timeouts) -> Self {
        Self { connector, limits, timeouts, state: Mutex::default(), freed: Notify::new() }
    }

    /// Whether a server is known by a bare key.
    pub(crate) fn expects_bare_key(&self, origin: &tagai_core::realm::Origin) -> bool {
        self.connector.expects_bare_key(origin)
    }

    /// A connection to a server: one that waits, or a new one.
    pub(crate) async fn checkout(self: &Arc<Self>, route: &Route, need: Need) -> Result<Connection, Error> {
        let after = self.timeouts.connect;
        let deadline = Instant::now() + after;
        loop {
            // Before looking, so that what is given back in between is not missed.
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            match self.find(route, need) {
                Found::Idle(mut connection) => {
                    if tokio::time::timeout(READY_WITHIN, connection.ready()).await == Ok(true) {
                        return Ok(connection);
                    }
                }
                Found::Slot(slot) => {
                    let connection = self.connector.connect(route, need.http1, slot).await?;
                    if let Some(share) = connection.share() {
                        self.put(route, share);
                    }
                    return Ok(connection);
                }
                Found::Full => {
                    if tokio::time::timeout_at(deadline, freed).await.is_err() {
                        let what = "waiting for one of the connections that may be open";
                        return Err(Error::network(route.peer(), NetworkFault::Timeout { what, after }));
                    }
                }
            }
        }
    }

    fn find(self: &Arc<Self>, route: &Route, need: Need) -> Found {
        let mut ended = Vec::new();
        let mut state = crate::lock(&self.state);
        state.purge(self.limits.idle, &mut ended);
        if !need.fresh
            && let Some(connection) = state.take(route, need.http1)
        {
            return Found::Idle(connection);
        }
        let open = state.open.get(route).copied().unwrap_or(0);
        if open < self.limits.per_origin && state.total < self.limits.total {
            state.total += 1;
            *state.open.entry(route.clone()).or_default() += 1;
            return Found::Slot(Slot { pool: Arc::downgrade(self), route: route.clone() });
        }
        // Makes room by ending one that only waits; its slot comes back when its task is gone.
        let at = if open < self.limits.per_origin { None } else { Some(route) };
        ended.extend(state.evict(at));
        drop(state);
        Found::Full
    }

    /// Takes a connection back that is ready, or soon will be, for another request.
    fn put(self: &Arc<Self>, route: &Route, mut connection: Connection) {
        if connection.is_closed() {
            return;
        }
        connection.reused = true;
        let start_reaper = {
            let mut state = crate::lock(&self.state);
            state.idle.entry(route.clone()).or_default().push(Idle { connection, since: Instant::now() });
            !std::mem::replace(&mut state.reaping, true)
        };
        self.freed.notify_waiters();
        if start_reaper {
            tokio::spawn(reap(Arc::downgrade(self), self.limits.idle));
        }
    }
}

impl State {
    /// Takes out what has ended or has waited too long.
    fn purge(&mut self, idle: Duration, ended: &mut Vec<Idle>) {
        for waiting in self.idle.values_mut() {
            ended.extend(waiting.extract_if(.., |one| one.connection.is_closed() || one.since.elapsed() >= idle));
        }
        self.idle.retain(|_, waiting| !waiting.is_empty());
    }

    fn take(&mut self, route: &Route, http1: bool) -> Option<Connection> {
        let waiting = self.idle.get_mut(route)?;
        let at = waiting.iter().rposition(|one| !(http1 && one.connection.is_http2()))?;
        let one = waiting.get_mut(at)?;
        // An HTTP/2 connection stays for others to share in.
        if let Some(share) = one.connection.share() {
            one.since = Instant::now();
            return Some(share);
        }
        Some(waiting.remove(at).connection)
    }

    /// Takes out the connection that has waited longest, anywhere or at one origin.
    fn evict(&mut self, at: Option<&Route>) -> Option<Idle> {
        let of_route = |route: &Route| at.is_none_or(|at| at == route);
        let all = self.idle.iter().filter(|(route, _)| of_route(route));
        let oldest = all.filter_map(|(route, waiting)| {
            let (index, one) = waiting.iter().enumerate().min_by_key(|(_, one)| one.since)?;
            Some((one.since, route.clone(), index))
        });
        let (_, route, index) = oldest.min_by_key(|(since, _, _)| *since)?;
        let waiting = self.idle.get_mut(&route)?;
        (index < waiting.len()).then(|| waiting.remove(index))
    }
}

/// Ends connections that nobody has used for `idle`, as long as there are any.
async fn reap(pool: Weak<Pool>, idle: Duration) {
    loop {
        tokio::time::sleep(idle).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut ended = Vec::new();
        let mut state = crate::lock(&pool.state);
        state.purge(idle, &mut ended);
        if state.idle.is_empty() {
            state.reaping = false;
            return;
        }
    }
}

/// A connection while it serves one request.
pub(crate) struct Lease {
    pool: Arc<Pool>,
    route: Route,
    connection: Connection,
    gate: Shutter,
}

/// Closes a gate when nobody waits for the response any more: an HTTP/2 stream would wait behind it for ever.
pub(crate) struct Shutter(pub(crate) Arc<Gate>);

impl Drop for Shutter {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Lease {
    pub(crate) fn new(pool: &Arc<Pool>, route: &Route, connection: Connection, gate: Shutter) -> Self {
        Self { pool: Arc::clone(pool), route: route.clone(), connection, gate }
    }

    /// The response is at its end.
    pub(crate) fn finish(self) {
        // A request whose body was not sent, or not to its end, leaves HTTP/1.1 without a place to go on.
        if self.gate.0.is_finished() && !self.connection.is_http2() {
            self.pool.put(&self.route, self.connection);
        }
    }
}
