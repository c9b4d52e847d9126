//! What an operator decides for one realm on one server.

use crate::message::Role;
use crate::realm::{AuthRealm, Origin, Paths, ScopeError};
use alloc::string::ToString as _;
use core::time::Duration;

/// One authentication realm as one server offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// The server (or proxy) itself: what host validation binds to. Never taken from a request.
    pub origin: Origin,
    /// Whether it authenticates as the origin server or as a proxy.
    pub role: Role,
    /// The realm.
    pub realm: AuthRealm,
    /// The largest nonce number that is accepted, and so the number of requests that one session serves.
    pub nc_max: u64,
    /// How far nonce numbers may come out of order: 1 to [`ServerConfig::MAX_NC_WINDOW`]; 128 or more is recommended.
    pub nc_window: u32,
    /// How long clients are told that a session lives; whole seconds count. 60 seconds or more is recommended.
    pub time: Duration,
    /// Where the realm applies, if not on the whole server.
    pub paths: Option<Paths>,
}

/// Why a configuration cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The realm's scope does not cover the server, or is one that clients refuse: a wildcard over a public suffix, or for a
    /// proxy anything but its host name.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The window is empty or too large.
    #[error("nc_window is {0}, and has to be from 1 to {max}", max = ServerConfig::MAX_NC_WINDOW)]
    NcWindow(u32),
    /// No request could be made.
    #[error("nc_max is 0, which lets no client log in")]
    NcMax,
    /// Every session would be over before its first request.
    #[error("time is less than a second, which lets no client log in")]
    Time,
    /// The path list has an element outside of the realm's scope, or is longer than [`ServerConfig::MAX_PATHS_LEN`].
    #[error("the path list is longer than {max} octets, or has elements outside of the authentication scope", max = ServerConfig::MAX_PATHS_LEN)]
    Paths,
    /// The random generator or the arithmetic library failed.
    #[error("the arithmetic library or the random generator failed")]
    Backend,
}

impl ServerConfig {
    /// The largest window: 512 octets a session.
    pub const MAX_NC_WINDOW: u32 = 4096;
    /// The longest path list, in octets: with it, a message stays well below what clients read.
    pub const MAX_PATHS_LEN: usize = 8192;

    /// A configuration with the usual values: 2^32 - 1 requests and ten minutes a session, a window of 128.
    #[must_use]
    pub const fn new(origin: Origin, realm: AuthRealm) -> Self {
        Self {
            origin,
            role: Role::OriginServer,
            realm,
            nc_max: u32::MAX as u64,
            nc_window: 128,
            time: Duration::from_secs(600),
            paths: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let (scope, origin) = (&self.realm.auth_scope, &self.origin);
        match self.role {
            Role::OriginServer => scope.acceptable_from(origin)?,
            Role::Proxy => scope.acceptable_from_proxy(origin)?,
        }
        if !(1..=Self::MAX_NC_WINDOW).contains(&self.nc_window) {
            return Err(ConfigError::NcWindow(self.nc_window));
        }
        if self.nc_max == 0 {
            return Err(ConfigError::NcMax);
        }
        if self.time.as_secs() == 0 {
            return Err(ConfigError::Time);
        }
        // The limitation of paths to the scope does not hold for proxies (RFC 8120 §14).
        match &self.paths {
            Some(paths) if paths.to_string().len() > Self::MAX_PATHS_LEN => Err(ConfigError::Paths),
            Some(paths) if self.role == Role::OriginServer && paths.clone().within(scope, origin) != *paths => {
                Err(ConfigError::Paths)
            }
            _ => Ok(()),
        }
    }
}
