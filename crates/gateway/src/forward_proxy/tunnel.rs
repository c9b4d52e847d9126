//! What goes on for long: tunnels, which are counted, and bodies. Both end when their user may no longer have them.

use super::order::Order;
use super::service::ForwardProxy;
use crate::listener::ConnectionInfo;
use crate::proxy::{Cut, ROUND};
use prometheus_client::metrics::gauge::Gauge;
use std::net::SocketAddr;
use std::sync::Arc;
use tagai_store::{CredentialStore, SessionStore};
use tokio::time::Instant;

/// A tunnel in the gauge.
struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Comes to its end when the tunnel may no longer be; dropped, it takes the tunnel out of the counts.
pub(super) fn watch<C: CredentialStore, S: SessionStore>(
    proxy: Arc<ForwardProxy<C, S>>,
    order: Order,
    addresses: Vec<SocketAddr>,
    info: &ConnectionInfo,
) -> impl Future<Output = ()> + Send + 'static {
    let counted = Counted::new(proxy.tunnels());
    // The streams of HTTP/2 are over for the listener when the response is.
    let busy = info.busy();
    async move {
        let _held = (counted, busy);
        until_over(proxy, order, addresses, Instant::now()).await;
    }
}

/// Comes to its end when an order would no longer be allowed, which has been written down then.
pub(super) async fn until_over<C: CredentialStore, S: SessionStore>(
    proxy: Arc<ForwardProxy<C, S>>,
    mut order: Order,
    addresses: Vec<SocketAddr>,
    began: Instant,
) -> Cut {
    let mut due = began + ROUND;
    loop {
        tokio::time::sleep_until(due).await;
        if let Err(cut) = proxy.still_allows(&mut order, &addresses) {
            return cut;
        }
        due = Instant::now() + ROUND;
    }
}
