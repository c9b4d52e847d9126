//! Holds the body of one HTTP request back until somebody lets it go.

use crate::error::BoxError;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use tokio::time::Instant;

/// Stands between a request's body and hyper, which would send it at once.
#[derive(Debug)]
pub(crate) struct Gate(Mutex<State>);

#[derive(Debug)]
struct State {
    phase: Phase,
    waker: Option<Waker>,
    /// The last octet has been handed over: the connection can serve another request.
    finished: bool,
    /// When something last happened here.
    active: Instant,
    error: Option<BoxError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Held,
    Open,
    Closed,
}

impl Gate {
    /// A gate that is shut at first if `held`; `finished` if there is nothing behind it.
    pub(crate) fn new(held: bool, finished: bool) -> Self {
        let phase = if held { Phase::Held } else { Phase::Open };
        Self(Mutex::new(State { phase, waker: None, finished, active: Instant::now(), error: None }))
    }

    /// Whether the body may go. A closed gate is an error: the request will never be complete.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Result<(), BoxError>> {
        let mut state = crate::lock(&self.0);
        match state.phase {
            Phase::Open => Poll::Ready(Ok(())),
            Phase::Closed => Poll::Ready(Err("the body was not asked for".into())),
            Phase::Held => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(crate) fn is_held(&self) -> bool {
        crate::lock(&self.0).phase == Phase::Held
    }

    /// Lets the body go.
    pub(crate) fn open(&self) {
        self.turn(|phase| if phase == Phase::Held { Phase::Open } else { phase });
    }

    /// Whatever has not gone yet never will.
    pub(crate) fn close(&self) {
        self.turn(|_| Phase::Closed);
    }

    fn turn(&self, next: impl FnOnce(Phase) -> Phase) {
        let waker = {
            let mut state = crate::lock(&self.0);
            state.phase = next(state.phase);
            state.active = Instant::now();
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn moved(&self, finished: bool) {
        let mut state = crate::lock(&self.0);
        state.active = Instant::now();
        state.finished |= finished;
    }

    pub(super) fn failed(&self, error: BoxError) {
        crate::lock(&self.0).error = Some(error);
    }

    /// Why the source of the body failed, if it did.
    pub(crate) fn take_error(&self) -> Option<BoxError> {
        crate::lock(&self.0).error.take()
    }

    pub(crate) fn is_finished(&self) -> bool {
        crate::lock(&self.0).finished
    }

    pub(crate) fn last_active(&self) -> Instant {
        crate::lock(&self.0).active
    }
}
