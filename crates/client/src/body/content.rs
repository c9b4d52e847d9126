//! The body of a reply.

use crate::error::{Error, NetworkFault};
use crate::wire::Lease;
use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tagai_core::realm::Origin;
use tokio::time::{Instant, Sleep};

/// How much of a body that nobody wants is read for the sake of its connection, and for how long.
const DISCARD_OCTETS: usize = 65_536;
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// The body of a reply as it arrives: an [`http_body::Body`], with trailers if there are any.
///
/// Nothing is decompressed or decoded. Dropping it before its end closes the connection, or resets its HTTP/2 stream.
pub struct Content {
    incoming: Option<Incoming>,
    /// The connection, to be given back at the end.
    lease: Option<Lease>,
    idle: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    origin: Origin,
}

impl Content {
    pub(crate) fn new(incoming: Incoming, lease: Lease, idle: Duration, origin: Origin) -> Self {
        let mut content = Self { incoming: Some(incoming), lease: Some(lease), idle, sleep: None, origin };
        if content.is_end_stream() {
            content.finish();
        }
        content
    }

    fn finish(&mut self) {
        self.incoming = None;
        self.sleep = None;
        if let Some(lease) = self.lease.take() {
            lease.finish();
        }
    }

    fn fail(&mut self, fault: NetworkFault) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        // The lease is dropped and not finished: the connection is of no use.
        (self.incoming, self.lease, self.sleep) = (None, None, None);
        Poll::Ready(Some(Err(Error::network(&self.origin, fault))))
    }

    /// Reads what is left, if it is little, so that the connection can serve another request.
    pub(crate) async fn discard(self) {
        drop(self.discarded().await);
    }

    /// As [`Content::discard`], and leaves an empty body.
    pub(crate) async fn discarded(mut self) -> Self {
        let drain = async {
            let mut left = DISCARD_OCTETS;
            while let Some(Ok(frame)) = self.frame().await {
                let octets = frame.data_ref().map_or(0, Bytes::len);
                match left.checked_sub(octets) {
                    Some(rest) => left = rest,
                    None => break,
                }
            }
        };
        // It makes no difference to the caller whether this worked.
        drop(tokio::time::timeout(DISCARD_TIME, drain).await);
        (self.incoming, self.lease, self.sleep) = (None, None, None);
        self
    }

    /// All of the body, if it is not longer than `limit` octets.
    ///
    /// # Errors
    /// [`Error::Network`] if the body does not arrive whole. `Ok(None)` if it is longer than the limit.
    pub async fn collect_up_to(mut self, limit: usize) -> Result<Option<Bytes>, Error> {
        let mut whole = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if whole.len().saturating_add(data.len()) > limit {
                return Ok(None);
            }
            whole.extend_from_slice(&data);
        }
        Ok(Some(whole.freeze()))
    }
}

impl http_body::Body for Content {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        match Pin::new(incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.sleep = None;
                if this.incoming.as_ref().is_some_and(|incoming| incoming.is_end_stream()) {
                    this.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => this.fail(error.into()),
            Poll::Ready(None) => {
                this.finish();
                Poll::Ready(None)
            }
            Poll::Pending => {
                let idle = this.idle;
                let sleep =
                    this.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + idle)));
                match sleep.as_mut().poll(cx) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(()) => {
                        this.fail(NetworkFault::Timeout { what: "the next part of the body", after: idle })
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(|incoming| incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), |incoming| incoming.size_hint())
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("size_hint", &self.size_hint()).finish_non_exhaustive()
    }
}
