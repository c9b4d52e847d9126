//! How a server is reached.

use tagai_core::realm::Origin;

/// A way to a server, or to many: connections of one way can take each other's place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Route {
    /// To this server.
    Direct(Origin),
    /// To this proxy, which is told in each request where it goes.
    Forward(Origin),
    /// Through the proxy, to this server.
    Tunnel(Origin),
}

impl Route {
    /// Who is at the other end of a connection.
    pub(crate) const fn peer(&self) -> &Origin {
        match self {
            Self::Direct(origin) | Self::Forward(origin) | Self::Tunnel(origin) => origin,
        }
    }
}
