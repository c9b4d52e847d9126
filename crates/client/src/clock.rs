//! The one place that reads the clock.

use std::sync::Mutex;
use std::time::Duration;
use tagai_core::time::Time;

/// The time of the system, as the core wants it: since 1970, since sessions in files are shared between processes, and never
/// going backwards.
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<Duration>);

impl Clock {
    pub(crate) fn now(&self) -> Time {
        let read = system_time();
        let mut latest = crate::lock(&self.0);
        *latest = read.max(*latest);
        Time::at(*latest)
    }
}

/// How long ago 1970 began.
// A session expires by the clock on the wall: reading it is what this module is for.
#[allow(clippy::disallowed_methods)]
pub(crate) fn system_time() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}
