//! What a connection is doing, as far as a time-out depends on it.
//!
//! Times are milliseconds since the listener started, plus one, so that zero means "not now". They are written where
//! something happens and read by the one timer of the connection, in [`Activity::deadline`].

use super::settings::Timeouts;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;

/// Why a connection is ended by its timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// No request for too long: it may be closed politely.
    Idle,
    /// The head of a request takes too long.
    Head,
    /// The client does not take what is sent.
    Stall,
}

#[derive(Debug)]
pub(crate) struct Activity {
    start: Instant,
    head: u64,
    idle: u64,
    stall: u64,
    /// Requests that are being handled or answered.
    active: AtomicU32,
    idle_since: AtomicU64,
    head_since: AtomicU64,
    write_since: AtomicU64,
    /// Response bodies that gave a frame and have not been asked for the next one. With HTTP/2 a client stops a stream by
    /// its window, and no write ever stalls; then this does.
    handed: AtomicU32,
    handed_since: AtomicU64,
    /// The connection has become a tunnel, and its octets are no longer HTTP.
    tunnel: AtomicBool,
    /// A CONNECT was answered, and not by a tunnel: the connection's next octets are a request.
    connect_answered: AtomicBool,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 2)
}

impl Activity {
    pub(crate) fn new(start: Instant, timeouts: &Timeouts) -> Self {
        let activity = Self {
            start,
            head: millis(timeouts.head),
            idle: millis(timeouts.idle),
            stall: millis(timeouts.stall),
            active: AtomicU32::new(0),
            idle_since: AtomicU64::new(0),
            head_since: AtomicU64::new(0),
            write_since: AtomicU64::new(0),
            handed: AtomicU32::new(0),
            handed_since: AtomicU64::new(0),
            tunnel: AtomicBool::new(false),
            connect_answered: AtomicBool::new(false),
        };
        activity.idle_since.store(activity.now(), Relaxed);
        activity
    }

    fn now(&self) -> u64 {
        millis(self.start.elapsed()) + 1
    }

    /// Octets came in while no request was active: the head of one.
    pub(crate) fn octets_in(&self) {
        if self.active.load(Relaxed) == 0 && self.head_since.load(Relaxed) == 0 {
            self.head_since.store(self.now(), Relaxed);
        }
    }

    /// A head is complete.
    pub(crate) fn begin(&self) {
        self.active.fetch_add(1, Relaxed);
        self.head_since.store(0, Relaxed);
    }

    /// A response is finished, or given up.
    pub(crate) fn end(&self) {
        if self.active.fetch_sub(1, Relaxed) == 1 {
            self.idle_since.store(self.now(), Relaxed);
        }
    }

    pub(crate) fn write_blocked(&self) {
        if self.write_since.load(Relaxed) == 0 {
            self.write_since.store(self.now(), Relaxed);
        }
    }

    pub(crate) fn write_moved(&self) {
        if self.write_since.load(Relaxed) != 0 {
            self.write_since.store(0, Relaxed);
        }
    }

    pub(crate) fn hand_over(&self) {
        self.handed.fetch_add(1, Relaxed);
        self.handed_since.store(self.now(), Relaxed);
    }

    pub(crate) fn taken(&self) {
        self.handed.fetch_sub(1, Relaxed);
        self.handed_since.store(self.now(), Relaxed);
    }

    pub(crate) fn set_tunnel(&self) {
        self.tunnel.store(true, Relaxed);
    }

    pub(crate) fn is_tunnel(&self) -> bool {
        self.tunnel.load(Relaxed)
    }

    pub(crate) fn set_connect_answered(&self) {
        self.connect_answered.store(true, Relaxed);
    }

    /// Whether a CONNECT was answered since this was last asked.
    pub(crate) fn take_connect_answered(&self) -> bool {
        self.connect_answered.swap(false, Relaxed)
    }

    /// When the connection will be overdue, if nothing changes, and for what.
    pub(crate) fn deadline(&self) -> (Instant, Overdue) {
        let soonest = |now: (u64, Overdue), since: u64, span: u64, why| {
            let at = since.saturating_add(span);
            if since != 0 && at < now.0 { (at, why) } else { now }
        };
        let mut due = (u64::MAX / 4, Overdue::Stall);
        due = soonest(due, self.write_since.load(Relaxed), self.stall, Overdue::Stall);
        if self.active.load(Relaxed) == 0 {
            match self.head_since.load(Relaxed) {
                0 => due = soonest(due, self.idle_since.load(Relaxed), self.idle, Overdue::Idle),
                since => due = soonest(due, since, self.head, Overdue::Head),
            }
        } else if self.handed.load(Relaxed) != 0 {
            due = soonest(due, self.handed_since.load(Relaxed), self.stall, Overdue::Stall);
        }
        // A month is for ever, and within what the timer can hold.
        let span = Duration::from_millis(due.0.min(self.now() + 2_592_000_000));
        (self.start + span, due.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity() -> Activity {
        let timeouts = Timeouts {
            head: Duration::from_secs(1),
            idle: Duration::from_secs(9),
            stall: Duration::from_secs(3),
            ..Timeouts::default()
        };
        Activity::new(Instant::now(), &timeouts)
    }

    async fn due_in(activity: &Activity) -> (u64, Overdue) {
        let (at, why) = activity.deadline();
        ((at - Instant::now()).as_secs(), why)
    }

    #[tokio::test(start_paused = true)]
    async fn each_state_has_its_deadline() {
        let activity = activity();
        assert_eq!(due_in(&activity).await, (9, Overdue::Idle));
        tokio::time::advance(Duration::from_secs(5)).await;
        activity.octets_in();
        assert_eq!(due_in(&activity).await, (1, Overdue::Head));
        activity.begin();
        assert!(due_in(&activity).await.0 > 1_000_000);
        activity.write_blocked();
        assert_eq!(due_in(&activity).await, (3, Overdue::Stall));
        activity.write_moved();
        activity.hand_over();
        assert_eq!(due_in(&activity).await, (3, Overdue::Stall));
        activity.taken();
        assert!(due_in(&activity).await.0 > 1_000_000);
        activity.end();
        assert_eq!(due_in(&activity).await, (9, Overdue::Idle));
    }
}
