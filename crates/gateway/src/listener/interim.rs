//! Fields in `100 Continue`.
//!
//! RFC 8120 §4.5 wants `Authentication-Info` in the interim response if there is one. hyper writes that response itself,
//! without fields, when the body is first asked for. So the connection's [`Transport`](super::transport) looks at what
//! hyper writes, while a field is armed and only then.
//!
//! That this finds the right octets rests on three facts about hyper's HTTP/1 server. It calls `poll_flush` of its
//! transport when its write buffer is empty, and only then; so if nothing was written since, what comes next is the start
//! of a response. It appends the whole interim response at once to a contiguous buffer, so the next write begins with all
//! of it. And a write that is not accepted is repeated from the same octet. If a field is to be armed while octets of an
//! earlier response wait, it is refused, and belongs into the final response.

use http::{HeaderName, HeaderValue};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What hyper writes.
pub(crate) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Where in it the fields go.
const FIELDS_AT: usize = CONTINUE.len() - 2;

/// The request does not ask for an interim response.
const OFF: u8 = 0;
/// It does, and nothing is armed.
const IDLE: u8 = 1;
/// Fields wait for an interim response.
const ARMED: u8 = 2;
/// The same, and hyper is known to have put the interim response into its buffer.
const COMMITTED: u8 = 3;
/// Fields have gone into an interim response.
const SENT: u8 = 4;

/// The fields for the interim response of the request that an HTTP/1 connection is handling.
#[derive(Debug, Clone, Default)]
pub struct Interim(Arc<State>);

#[derive(Debug, Default)]
struct State {
    step: AtomicU8,
    /// Whether octets may be waiting in hyper's buffer.
    dirty: AtomicBool,
    lines: Mutex<Vec<u8>>,
}

impl Interim {
    /// Puts a field into the `100 Continue` of the present request, if one will be sent. To be called before the body is
    /// asked for. `false`: not possible at this moment; the field belongs into the final response.
    #[must_use]
    pub fn arm(&self, name: &HeaderName, value: &HeaderValue) -> bool {
        let step = self.0.step.load(Ordering::Acquire);
        if self.0.dirty.load(Ordering::Acquire) || !matches!(step, IDLE | ARMED) {
            return false;
        }
        {
            let mut lines = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if step == IDLE {
                lines.clear();
            }
            lines.extend_from_slice(name.as_str().as_bytes());
            lines.extend_from_slice(b": ");
            lines.extend_from_slice(value.as_bytes());
            lines.extend_from_slice(b"\r\n");
        }
        self.0.step.store(ARMED, Ordering::Release);
        true
    }

    /// Whether the armed fields have been sent, or certainly will be.
    #[must_use]
    pub fn sent(&self) -> bool {
        self.0.step.load(Ordering::Acquire) >= COMMITTED
    }

    /// Settles the matter when the final response is about to be given: `true` if the fields are in the interim response,
    /// `false` if they are not, and now will not be.
    #[must_use]
    pub fn settle(&self) -> bool {
        match self.0.step.compare_exchange(ARMED, IDLE, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => false,
            Err(step) => step >= COMMITTED,
        }
    }

    /// A new request begins. What `expects` must not say is more than hyper sees in the request.
    pub(crate) fn reset(&self, expects: bool) {
        let step = if expects { IDLE } else { OFF };
        if self.0.step.load(Ordering::Relaxed) != step {
            self.0.step.store(step, Ordering::Release);
        }
    }

    /// Something of the body was read, so hyper has buffered its interim response.
    pub(crate) fn commit(&self) {
        if self.0.step.load(Ordering::Relaxed) == ARMED {
            let _ = self.0.step.compare_exchange(ARMED, COMMITTED, Ordering::AcqRel, Ordering::Relaxed);
        }
    }

    /// hyper writes octets that begin with `first`. What to send instead of [`CONTINUE`], if that is what they are.
    pub(crate) fn on_write(&self, first: &[u8]) -> Option<Vec<u8>> {
        if !self.0.dirty.swap(true, Ordering::AcqRel) && self.0.step.load(Ordering::Acquire) >= ARMED {
            return self.substitute(first);
        }
        None
    }

    #[cold]
    fn substitute(&self, first: &[u8]) -> Option<Vec<u8>> {
        if !matches!(self.0.step.load(Ordering::Acquire), ARMED | COMMITTED) {
            return None;
        }
        if !first.starts_with(CONTINUE) {
            self.0.step.store(IDLE, Ordering::Release);
            return None;
        }
        let lines = std::mem::take(&mut *self.0.lines.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.step.store(SENT, Ordering::Release);
        let (head, end) = CONTINUE.split_at(FIELDS_AT);
        Some([head, &lines, end].concat())
    }

    /// hyper's buffer is empty.
    pub(crate) fn on_flush(&self) {
        self.0.dirty.store(false, Ordering::Release);
    }
}
