//! What a forward proxy is set up with, and what it asks whoever decides.

use super::target::Target;
use crate::proof::Refusal;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tagai_core::realm::Host;
use tagai_core::server::ServerConfig;
use tagai_server::AuthenticatedUser;

/// A forward proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardProxyConfig {
    /// The proxy and its realm. The origin is the proxy's own, by which its clients know it; the realm's scope is the origin's host
    /// (RFC 8120 §14). The role is set by the proxy itself.
    pub server: ServerConfig,
    /// Where it connects to; nowhere else.
    pub allow: Vec<Target>,
    /// How many, and how long.
    pub limits: ForwardLimits,
}

/// How many connections there may be, and how long they may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForwardLimits {
    /// Connections to servers, tunnels included: 1024.
    pub connections: usize,
    /// For the addresses of a name and a connection: 10 seconds.
    pub connect: Duration,
    /// From the last octet of a request to its response: 60 seconds. Not for tunnels.
    pub response: Duration,
    /// A tunnel, or a response's body, without a new octet: 5 minutes.
    pub idle: Duration,
    /// Octets of a request's body, not for tunnels: 100 MiB; `u64::MAX` for any number.
    pub max_body: u64,
}

impl Default for ForwardLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connect: Duration::from_secs(10),
            response: Duration::from_secs(60),
            idle: Duration::from_secs(300),
            max_body: 100 << 20,
        }
    }
}

/// What a proven user wants of the proxy.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ProxyRequest<'a> {
    /// The user.
    pub user: &'a AuthenticatedUser,
    /// The server that it is to be connected to, as the request names it.
    pub host: &'a Host,
    /// Its port.
    pub port: u16,
    /// The method: `CONNECT` for a tunnel.
    pub method: &'a str,
    /// The path, without the query; `None` for a tunnel, whose content nobody here sees.
    pub path: Option<&'a str>,
    /// Where the request came from.
    pub source: IpAddr,
}

/// Why somebody may not connect somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// A word for the user, and the whole reason for the log.
    pub refusal: Refusal,
    /// Who that is, as the log is to call it; the user's name if nothing is said.
    pub principal: Option<String>,
}

/// Decides whether a user may connect somewhere, beside the list. It is asked for each request, and about open tunnels each second:
/// a tunnel that would no longer be allowed ends.
pub type Authorize = Arc<dyn Fn(&ProxyRequest<'_>) -> Result<(), Denied> + Send + Sync>;
