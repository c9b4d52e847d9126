//! HTTP/1 connections that wait for their next request.

use super::link::Link;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;

/// The connections of one upstream. The one that came last goes first: it is the warmest, and the others can grow old.
pub(super) struct Pool {
    waiting: Mutex<Vec<Link>>,
    most: usize,
    idle: Duration,
    sweeping: AtomicBool,
}

impl Pool {
    pub(super) fn new(most: usize, idle: Duration) -> Arc<Self> {
        Arc::new(Self { waiting: Mutex::default(), most, idle, sweeping: AtomicBool::new(false) })
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Link>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting().len()
    }

    /// A connection that is still open, as far as this end can know.
    pub(super) async fn take(&self) -> Option<Link> {
        loop {
            let mut link = self.waiting().pop()?;
            if link.idle_since.elapsed() > self.idle {
                // All the others are older.
                let old = std::mem::take(&mut *self.waiting());
                drop(old);
                return None;
            }
            if poll_fn(|cx| Poll::Ready(link.is_usable(cx))).await {
                return Some(link);
            }
        }
    }

    /// Puts one back after its response.
    pub(super) fn give_back(self: &Arc<Self>, mut link: Link) {
        link.idle_since = Instant::now();
        {
            let mut waiting = self.waiting();
            if waiting.len() >= self.most {
                return;
            }
            waiting.push(link);
        }
        if !self.sweeping.load(Ordering::Relaxed) && !self.sweeping.swap(true, Ordering::AcqRel) {
            self.sweep();
        }
    }

    /// Closes connections that have waited for too long; ends when none is left, or nobody has the pool.
    fn sweep(self: &Arc<Self>) {
        let pool = Arc::downgrade(self);
        let idle = self.idle;
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(idle / 2 + Duration::from_millis(1)).await;
                let Some(pool) = pool.upgrade() else { return };
                let mut waiting = pool.waiting();
                let fresh =
                    waiting.iter().position(|link| link.idle_since.elapsed() <= idle).unwrap_or(waiting.len());
                let old: Vec<_> = waiting.drain(..fresh).collect();
                if waiting.is_empty() {
                    pool.sweeping.store(false, Ordering::Release);
                }
                let done = waiting.is_empty();
                drop(waiting);
                drop(old);
                if done {
                    return;
                }
            }
        });
    }
}
