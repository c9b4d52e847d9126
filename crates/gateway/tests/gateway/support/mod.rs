//! What the tests are made of.

mod app;
mod pki;
mod site;
mod user;
mod wire;

pub(crate) use app::{App, raw_upstream};
pub(crate) use pki::{Authority, Issued, TlsClient, Wanted, client};
pub(crate) use site::{REALM, Setup, Site, logged, metric, user, verifier};
pub(crate) use user::{User, head};
pub(crate) use wire::{Connection, Response, read_head};

use std::future::Future;
use std::time::Duration;

/// Nothing here takes as long, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that has to happen.
pub(crate) async fn patiently<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it hangs")
}

/// Asks again and again until something is so.
pub(crate) async fn until<F: Future<Output = bool>>(mut so: impl FnMut() -> F) {
    patiently(async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}
