//! Where a request came from.

use std::net::IpAddr;
use tagai_core::validation::Channel;

/// The connection that brought a request, as whoever accepted it knows it. Never made from anything the client says.
///
/// It stands in the request's extensions. A request without it is answered 500, since nothing could be bound to anything.
#[derive(Debug, Clone)]
pub struct Connection {
    /// What the proofs of both ends are bound to (RFC 8120 §7).
    pub channel: Channel,
    /// The client's address: guesses and half-open sessions are counted by it. Behind a proxy that is trusted to say so, the
    /// address that the proxy tells.
    pub address: IpAddr,
}
