//! The body of a request on its way to the upstream.

use super::error::ProxyError;
use super::fields::{StripList, filter_trailers};
use super::over::Over;
use crate::listener::RequestBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

/// What the forwarding side has to know about a body that is being sent.
#[derive(Debug, Default)]
pub(super) struct Upload {
    done: AtomicBool,
    frames: AtomicU64,
    gate: AtomicU8,
    failure: Mutex<Option<ProxyError>>,
}

/// The gate of `Expect: 100-continue` is not used.
const OPEN: u8 = 0;
/// Nobody has asked for the body yet.
const SHUT: u8 = 1;
/// The final response is there, and the body was never asked for: it will not be sent.
const ABANDONED: u8 = 2;

impl Upload {
    /// Whether all of it has been handed to the connection.
    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Why the body broke off, if it did. hyper tells it with HTTP/1 alone.
    pub(super) fn failure(&self) -> Option<ProxyError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A number that changes while the body moves.
    pub(super) fn progress(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// The upstream has said `100 Continue`.
    pub(super) fn asked_for(&self) {
        let _ = self.gate.compare_exchange(SHUT, OPEN, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// The final response has come. `true` if the body had not been asked for; then it never will be.
    pub(super) fn abandon(&self) -> bool {
        self.gate.compare_exchange(SHUT, ABANDONED, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

/// The body.
pub(super) struct Outbound {
    body: RequestBody,
    upload: Option<Arc<Upload>>,
    strip: StripList,
    /// When the body is sent although the upstream has not asked for it (RFC 9110 §10.1.1).
    patience: Option<Pin<Box<Sleep>>>,
    /// What breaks it off. The response may be on its way by then, and held back by a client that takes nothing of it.
    over: Option<Over>,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("body", &self.body).finish_non_exhaustive()
    }
}

impl Outbound {
    pub(super) const fn has_body(&self) -> bool {
        self.upload.is_some()
    }

    /// No body.
    pub(super) fn empty() -> Self {
        Self { body: RequestBody::empty(), upload: None, strip: StripList::default(), patience: None, over: None }
    }

    /// A body; with `wait`, one that is sent when it is asked for, or after that time. `over` makes what breaks it off.
    pub(super) fn new(
        body: RequestBody,
        strip: StripList,
        wait: Option<Duration>,
        over: impl FnOnce() -> Option<Over>,
    ) -> (Self, Option<Arc<Upload>>) {
        if body.is_end_stream() {
            return (Self::empty(), None);
        }
        let upload = Arc::new(Upload::default());
        if wait.is_some() {
            upload.gate.store(SHUT, Ordering::Release);
        }
        let patience = wait.map(|wait| Box::pin(tokio::time::sleep(wait)));
        (Self { body, upload: Some(Arc::clone(&upload)), strip, patience, over: over() }, Some(upload))
    }
}

impl Body for Outbound {
    type Data = Bytes;
    type Error = ProxyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ProxyError>>> {
        let this = &mut *self;
        let Some(upload) = &this.upload else { return Poll::Ready(None) };
        if let Some(patience) = &mut this.patience {
            match upload.gate.load(Ordering::Acquire) {
                OPEN => {}
                ABANDONED => return Poll::Pending,
                _ => {
                    ready!(patience.as_mut().poll(cx));
                    upload.asked_for();
                    if upload.gate.load(Ordering::Acquire) == ABANDONED {
                        return Poll::Pending;
                    }
                }
            }
            this.patience = None;
        }
        let fail = |error| *upload.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        let next = Pin::new(&mut this.body).poll_frame(cx);
        if let Some(Poll::Ready(cut)) = this.over.as_mut().map(|over| over.as_mut().poll(cx)) {
            this.over = None;
            this.body = RequestBody::empty();
            fail(ProxyError::over(cut.clone()));
            return Poll::Ready(Some(Err(ProxyError::over(cut))));
        }
        let frame = ready!(next);
        upload.frames.fetch_add(1, Ordering::Relaxed);
        if let Some(Err(error)) = &frame {
            fail(ProxyError::from_body(error));
        }
        if frame.is_none() || this.body.is_end_stream() {
            upload.done.store(true, Ordering::Release);
        }
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|error| ProxyError::from_body(&error)).map(|frame| match frame.into_trailers() {
                Ok(mut trailers) => {
                    upload.done.store(true, Ordering::Release);
                    filter_trailers(&mut trailers, Some(&this.strip));
                    Frame::trailers(trailers)
                }
                Err(frame) => frame,
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.upload.is_none() || (self.patience.is_none() && self.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
