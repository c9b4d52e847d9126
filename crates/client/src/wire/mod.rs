//! Connections: TCP, TLS, HTTP/1.1 and HTTP/2, and the pool that keeps them.

mod bare_key;
mod connect;
mod last_words;
mod pool;
mod route;
mod tls;

pub(crate) use connect::{Connection, Connector, Facts, SendError};
pub(crate) use pool::{Lease, Need, Pool, Shutter};
pub(crate) use route::Route;
pub(crate) use tls::{Peer, Shown, Tls, provider};
