//! The body of a request, as it comes from the client.

use super::interim::Interim;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Why a request's body ended before its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestBodyError {
    /// The client sent nothing for too long: 408.
    #[error("the client sent nothing more of the body for {0:?}")]
    Idle(Duration),
    /// It is larger than allowed: 413.
    #[error("the body has more than {0} octets")]
    TooLarge(u64),
    /// The connection broke, or what came was no body.
    #[error("the client's body broke off: {0}")]
    Client(#[source] hyper::Error),
}

/// The body of a request: read from the client only when asked for, and then for as long as the client keeps sending.
#[derive(Debug, Default)]
pub struct RequestBody(Option<Source>);

#[derive(Debug)]
struct Source {
    incoming: Incoming,
    idle: Duration,
    /// Runs only while the client is waited for.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    interim: Option<Interim>,
    limit: u64,
    read: u64,
}

impl RequestBody {
    /// Without a body.
    #[must_use]
    pub const fn empty() -> Self {
        Self(None)
    }

    pub(super) fn new(incoming: Incoming, idle: Duration, interim: Option<&Interim>) -> Self {
        if incoming.is_end_stream() {
            return Self(None);
        }
        let interim = interim.cloned();
        Self(Some(Source { incoming, idle, timer: None, waiting: false, interim, limit: u64::MAX, read: 0 }))
    }

    /// Refuses bodies with more octets than this; the error comes when they are counted.
    pub fn set_limit(&mut self, octets: u64) {
        if let Some(source) = &mut self.0 {
            source.limit = octets;
        }
    }

    /// Octets read so far.
    #[must_use]
    pub fn octets_read(&self) -> u64 {
        self.0.as_ref().map_or(0, |source| source.read)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let Some(source) = &mut self.0 else { return Poll::Ready(None) };
        match Pin::new(&mut source.incoming).poll_frame(cx) {
            Poll::Ready(frame) => {
                source.waiting = false;
                if let Some(interim) = &source.interim {
                    interim.commit();
                }
                let frame = match frame {
                    None => return Poll::Ready(None),
                    Some(frame) => frame.map_err(RequestBodyError::Client)?,
                };
                if let Some(data) = frame.data_ref() {
                    source.read = source.read.saturating_add(data.len() as u64);
                    if source.read > source.limit {
                        let limit = source.limit;
                        // Nothing more is read, so the connection ends after the response.
                        self.0 = None;
                        return Poll::Ready(Some(Err(RequestBodyError::TooLarge(limit))));
                    }
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Pending => {
                let idle = source.idle;
                let timer = source.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
                if !source.waiting {
                    source.waiting = true;
                    timer.as_mut().reset(Instant::now() + idle);
                }
                if timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.0 = None;
                Poll::Ready(Some(Err(RequestBodyError::Idle(idle))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|source| source.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |source| source.incoming.size_hint())
    }
}
