//! What time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tagai_core::time::Time;

/// The time since the Unix epoch, which never goes backwards while the process runs.
///
/// The system's clock is read once; from then on a steady clock counts, so that no correction of the system's clock brings an
/// expired session back.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    Steady { start: Instant, epoch: Duration },
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the one place where time comes from")]
    pub fn system() -> Self {
        let epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(Source::Steady { start: Instant::now(), epoch })
    }

    /// A clock that stands still until [`Clock::advance`], for tests. It begins a year after the epoch.
    #[must_use]
    pub fn manual() -> Self {
        Self(Source::Manual(Arc::new(AtomicU64::new(365 * 24 * 3600 * 1_000))))
    }

    /// Moves a manual clock, and all its clones, on by so many whole milliseconds. Does nothing to the system's.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(millis) = &self.0 {
            millis.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
        }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Time {
        Time::at(match &self.0 {
            Source::Steady { start, epoch } => epoch.saturating_add(start.elapsed()),
            Source::Manual(millis) => Duration::from_millis(millis.load(Ordering::SeqCst)),
        })
    }
}
