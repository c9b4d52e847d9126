//! tagai-gateway: a reverse proxy that lets through whoever is proven, and proves itself.
//!
//! [`tls`], [`listener`] and [`proxy`] are the data plane: they know nothing of authentication and nothing of
//! configuration files. A connection comes in through a listener, with the channel that it was made on; a request of it
//! goes out through the proxy.

pub mod listener;
pub mod proxy;
pub mod tls;
