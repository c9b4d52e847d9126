//! From names to addresses.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

/// The most addresses of one name that count.
pub(super) const MAX_ADDRESSES: usize = 16;

/// A future of addresses.
pub type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Looks names up. What it gives is checked, and connected to as it is: no name is looked up twice for one connection.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a name, with this port.
    fn resolve(&self, name: &str, port: u16) -> Addresses;
}

/// As the operating system does.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str, port: u16) -> Addresses {
        let name = name.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((name, port)).await?.take(MAX_ADDRESSES).collect()) })
    }
}
