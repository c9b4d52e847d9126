//! Tunnels that are open: counted, and ended when their user may no longer have them.

use super::service::{ForwardProxy, Order};
use crate::listener::ConnectionInfo;
use prometheus_client::metrics::gauge::Gauge;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tagai_store::{CredentialStore, SessionStore};

/// How often it is asked whether a tunnel may stay.
const ROUND: Duration = Duration::from_secs(1);

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
        loop {
            tokio::time::sleep(ROUND).await;
            if !proxy.still_allows(&order, &addresses) {
                let user = order.user.name().as_str();
                tracing::info!(user, host = %order.host, port = order.port, "a tunnel is ended: it would not be allowed now");
                return;
            }
        }
    }
}
