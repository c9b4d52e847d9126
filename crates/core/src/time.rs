//! Time as the caller tells it: this crate has no clock.

use crate::grammar::Natural;
use core::time::Duration;

/// A point in time: the span since an epoch that the caller chooses once: one epoch for all that share a
/// store of sessions. It must not go backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(Duration);

impl Time {
    /// The time at `since_epoch`.
    #[must_use]
    pub const fn at(since_epoch: Duration) -> Self {
        Self(since_epoch)
    }

    /// The span since the caller's epoch.
    #[must_use]
    pub const fn since_epoch(self) -> Duration {
        self.0
    }

    /// So many seconds later; for ever if the sum does not fit.
    #[must_use]
    pub fn after(self, seconds: Natural) -> Self {
        let seconds = u64::try_from(seconds.get()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(Duration::from_secs(seconds)))
    }
}
