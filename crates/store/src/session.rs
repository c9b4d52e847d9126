//! Sessions, and how many there may be.

use crate::error::StoreError;
use std::future::Future;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use tagai_core::credential::Username;
use tagai_core::message::Sid;
use tagai_core::realm::AuthRealm;
use tagai_core::server::{Server, Session};
use tagai_core::time::Time;

/// Keeps sessions. Times are spans since the Unix epoch.
///
/// A session is *half-open* while its client has not proven itself; strangers can make as many of those as they like.
/// So they have limits of their own, and never push out a session that was proven.
pub trait SessionStore: Send + Sync + 'static {
    /// Keeps a new, half-open session of `server` that `owner` asked for. If there are too many, others of the kind
    /// make room; see [`SessionLimits`]. A session with the same sid is replaced: sids are 128 random bits.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn insert(
        &self,
        server: &Server,
        session: Session,
        owner: Owner,
        now: Time,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Changes the session `sid` of `server` by one atomic step: no other call sees it before `change` has returned
    /// and what it gave back is kept. `change` gets `None` if there is no such session, and what it gives back for
    /// none is ignored. A session that comes back authenticated is established from now on; one that comes back
    /// inactive is dropped.
    ///
    /// `change` is short and does not wait: other sessions may wait for it. If it panics, nothing that it made is
    /// kept, the panic goes on to the caller, and the store goes on with its other sessions.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; what `change` returned is lost then, and must not have had an effect.
    fn update<R: Send + 'static>(
        &self,
        server: &Server,
        sid: &Sid,
        now: Time,
        change: impl FnOnce(Option<Session>) -> (Option<Session>, R) + Send + 'static,
    ) -> impl Future<Output = Result<R, StoreError>> + Send;

    /// Ends all sessions of a user, as when the user is disabled, removed, or gets another password. Says how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn end_user(&self, realm: &AuthRealm, user: &Username) -> impl Future<Output = Result<usize, StoreError>> + Send;

    /// Drops what is over. To be called every few seconds; sessions that are over are never given out, purged or not.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn purge(&self, now: Time) -> impl Future<Output = Result<usize, StoreError>> + Send;

    /// How many sessions there are.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn counts(&self) -> impl Future<Output = Result<Counts, StoreError>> + Send;
}

/// How many sessions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Sessions whose clients have not proven themselves.
    pub half_open: usize,
    /// Sessions whose clients have.
    pub established: usize,
}

/// Whom a half-open session is counted against: an IPv4 address, or the /64 network of an IPv6 address, which is what
/// one customer has at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(IpAddr);

impl Owner {
    /// The owner of requests from an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }

    /// The address, or the first of the network.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.0
    }
}

/// How many sessions a store keeps. Memory is bounded by `half_open + established`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Half-open sessions in all. If there are more, the oldest of the owner with the most goes; if none has more than one,
    /// the oldest of all.
    pub half_open: usize,
    /// Half-open sessions of one owner. If there are more, its oldest goes.
    pub half_open_per_owner: usize,
    /// How long a half-open session waits for its client; no longer than the session would live.
    pub half_open_time: Duration,
    /// Established sessions in all. If there are more, the one that was used longest ago goes.
    pub established: usize,
    /// Established sessions of one user. If there are more, the one of the user that was used longest ago goes.
    pub established_per_user: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            half_open: 65_536,
            half_open_per_owner: 1_024,
            half_open_time: Duration::from_secs(60),
            established: 1_000_000,
            established_per_user: 256,
        }
    }
}
