//! Fetches CRLs ahead of their expiry, for as long as somebody needs them.

use super::{CrlSources, Fetcher};
use rustls::pki_types::UnixTime;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The longest time between two fetches.
const LONGEST: Duration = Duration::from_secs(3600);
/// The shortest after a success.
const SHORTEST: Duration = Duration::from_secs(60);
/// After a first failure; each further one doubles it.
const FIRST_RETRY: Duration = Duration::from_secs(30);
const LAST_RETRY: Duration = Duration::from_secs(600);

/// Reads the clock.
pub type Clock = fn() -> UnixTime;

/// Fetches what `sources` has URLs for, at once and then ahead of time, until it is dropped: at half of the time that is left to a
/// CRL, and every hour at least. After a failure it tries again in 30 seconds, then in a minute, up to ten minutes, while
/// what is there stays in force.
pub async fn refresher(sources: Weak<CrlSources>, fetcher: Fetcher, clock: Clock) {
    let Some(strong) = sources.upgrade() else { return };
    let mut urls = JoinSet::new();
    for (index, source) in strong.sources.iter().enumerate() {
        if source.url().is_some() {
            urls.spawn(one(Weak::clone(&sources), index, fetcher.clone(), clock));
        }
    }
    drop(strong);
    urls.join_all().await;
}

async fn one(sources: Weak<CrlSources>, index: usize, fetcher: Fetcher, clock: Clock) {
    let mut failures = 0;
    loop {
        let Some(strong) = sources.upgrade() else { return };
        let wait = match strong.fetch_one(index, &fetcher, clock).await {
            Ok(due) => {
                failures = 0;
                after_success(clock(), due)
            }
            Err(()) => {
                failures += 1;
                after_failure(failures)
            }
        };
        drop(strong);
        sleep(wait).await;
    }
}

impl CrlSources {
    /// Fetches from one URL, and tells when the result is too old. Failures are logged and kept.
    pub(super) async fn fetch_one(
        self: &Arc<Self>,
        index: usize,
        fetcher: &Fetcher,
        clock: Clock,
    ) -> Result<UnixTime, ()> {
        let Some((source, url)) = self.sources.get(index).and_then(|source| Some((source, source.url()?))) else {
            return Err(());
        };
        let result = match fetcher.fetch(url).await {
            Ok(octets) => {
                let this = Arc::clone(self);
                // Signatures of long lists take their time.
                let taken = tokio::task::spawn_blocking(move || this.take(index, &octets, clock())).await;
                taken.unwrap_or_else(|_| Err("reading it failed".into()))
            }
            Err(error) => Err(error.to_string()),
        };
        let result = result.and_then(|due| {
            if due > clock() {
                Ok(due)
            } else {
                Err("what the server has is too old: its next update was due".into())
            }
        });
        match result {
            Ok(due) => {
                tracing::debug!(client_ca = self.ca.id(), %source, "CRL fetched");
                Ok(due)
            }
            Err(error) => {
                self.failed(index, &error);
                tracing::warn!(client_ca = self.ca.id(), %source, error, "CRL not fetched; what is there stays");
                Err(())
            }
        }
    }
}

fn after_success(now: UnixTime, due: UnixTime) -> Duration {
    let left = due.as_secs().saturating_sub(now.as_secs());
    Duration::from_secs(left / 2).clamp(SHORTEST, LONGEST)
}

fn after_failure(failures: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1 << (failures.clamp(1, 10) - 1)).min(LAST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn half_of_what_is_left() {
        assert_eq!(after_success(at(1000), at(2000)), Duration::from_secs(500));
        assert_eq!(after_success(at(1000), at(1_000_000)), LONGEST);
        assert_eq!(after_success(at(1000), at(1001)), SHORTEST);
        assert_eq!(after_success(at(1000), at(0)), SHORTEST);
    }

    #[test]
    fn failures_make_patient() {
        let waits: Vec<u64> = (1..8).map(|failures| after_failure(failures).as_secs()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 600, 600]);
        assert_eq!(after_failure(u32::MAX), LAST_RETRY);
    }
}
