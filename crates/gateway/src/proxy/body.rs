//! The body of a response.

use super::error::BodyError;
use super::fields::filter_trailers;
use super::link::{Detached, Link};
use super::over::{Over, ROUND};
use super::pool::Pool;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// The body of a response, wherever it comes from.
#[derive(Debug, Default)]
pub struct Body(Kind);

#[derive(Debug, Default)]
enum Kind {
    #[default]
    Empty,
    Full(Bytes),
    Upstream(FromUpstream),
}

/// What drives the connection that a body comes on.
pub(super) enum Driver {
    /// Nothing here does: it is a task anyway, or it has ended.
    None,
    /// The body itself; afterwards the connection goes back.
    Inline(Box<(Link, Arc<Pool>)>),
    /// A task that ends with the body.
    Task(#[expect(dead_code, reason = "dropping it ends the task")] Detached),
}

struct FromUpstream {
    incoming: Incoming,
    driver: Driver,
    idle: Duration,
    /// Since when the upstream is waited for.
    waiting: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// What breaks it off, and since when it goes on.
    over: Option<(Instant, Over)>,
    /// Some of it has come, so it is not one of the many that come in one piece, at once.
    begun: bool,
}

impl fmt::Debug for FromUpstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromUpstream")
    }
}

impl Body {
    /// Nothing.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// These octets.
    #[must_use]
    pub fn full(octets: impl Into<Bytes>) -> Self {
        let octets = octets.into();
        Self(if octets.is_empty() { Kind::Empty } else { Kind::Full(octets) })
    }

    pub(super) fn upstream(
        incoming: Incoming,
        driver: Driver,
        idle: Duration,
        over: Option<(Instant, Over)>,
    ) -> Self {
        let mut body = FromUpstream { incoming, driver, idle, waiting: None, timer: None, over, begun: false };
        if body.incoming.is_end_stream() {
            body.finish(None);
            return Self(Kind::Empty);
        }
        Self(Kind::Upstream(body))
    }
}

impl From<Bytes> for Body {
    fn from(octets: Bytes) -> Self {
        Self::full(octets)
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::full(Bytes::from_static(text.as_bytes()))
    }
}

impl FromUpstream {
    /// The body is complete: the connection can serve others, if it is in a state to.
    fn finish(&mut self, cx: Option<&mut Context<'_>>) {
        if let Driver::Inline(inline) = std::mem::replace(&mut self.driver, Driver::None) {
            let (mut link, pool) = *inline;
            let usable = match cx {
                Some(cx) => link.is_usable(cx),
                None => link.is_usable(&mut Context::from_waker(std::task::Waker::noop())),
            };
            if usable {
                pool.give_back(link);
            }
        }
    }

    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.incoming).poll_frame(cx);
        let Driver::Inline(inline) = &mut self.driver else { return frame };
        if frame.is_ready() {
            return frame;
        }
        if !inline.0.drive(cx) {
            self.driver = Driver::None;
        }
        Pin::new(&mut self.incoming).poll_frame(cx)
    }

    /// Whether the upstream has sent nothing for too long.
    fn overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let idle = self.idle;
        let deadline = *self.waiting.get_or_insert_with(Instant::now) + idle;
        if let Driver::Inline(inline) = &mut self.driver {
            return inline.0.overdue(deadline, cx);
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx).is_ready()
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let next = self.poll_incoming(cx);
        if let Some((since, over)) = &mut self.over
            && (self.begun || next.is_pending() || since.elapsed() >= ROUND)
            && over.as_mut().poll(cx).is_ready()
        {
            self.driver = Driver::None;
            return Poll::Ready(Some(Err(BodyError::Over)));
        }
        let frame = match next {
            Poll::Ready(frame) => frame,
            Poll::Pending if self.overdue(cx) => {
                self.driver = Driver::None;
                return Poll::Ready(Some(Err(BodyError::Idle(self.idle))));
            }
            Poll::Pending => return Poll::Pending,
        };
        self.waiting = None;
        self.begun = true;
        Poll::Ready(match frame {
            None => {
                self.finish(Some(cx));
                None
            }
            Some(Err(error)) => {
                self.driver = Driver::None;
                Some(Err(BodyError::Upstream(error)))
            }
            Some(Ok(frame)) => {
                if self.incoming.is_end_stream() {
                    self.finish(Some(cx));
                }
                Some(Ok(match frame.into_trailers() {
                    Ok(mut trailers) => {
                        filter_trailers(&mut trailers, None);
                        Frame::trailers(trailers)
                    }
                    Err(frame) => frame,
                }))
            }
        })
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(octets) => {
                let octets = std::mem::take(octets);
                self.0 = Kind::Empty;
                Poll::Ready(Some(Ok(Frame::data(octets))))
            }
            Kind::Upstream(body) => {
                let frame = ready!(body.poll_frame(cx));
                if let Some(Err(_)) = &frame {
                    self.0 = Kind::Empty;
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(_) => false,
            Kind::Upstream(body) => body.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(octets) => SizeHint::with_exact(octets.len() as u64),
            Kind::Upstream(body) => body.incoming.size_hint(),
        }
    }
}
