//! The body of a request.

use super::gate::Gate;
use crate::error::BoxError;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

/// Up to this many octets, a body from memory goes with the request to servers that nothing is expected of, as any HTTP client
/// sends it.
pub const SMALL_BODY: usize = 65_536;

type Stream = UnsyncBoxBody<Bytes, BoxError>;

/// The body of a request.
///
/// A body from memory is sent again in each round of a login. One from a stream can be sent once, so it is held back by
/// `Expect: 100-continue` until the server asks for it; see the crate's page about who gets to see a body.
#[derive(Debug, Default)]
pub struct Body {
    source: Source,
    eager: bool,
}

#[derive(Debug, Default, Clone)]
enum Source {
    #[default]
    Empty,
    Bytes(Bytes),
    Stream {
        /// Empty as soon as the first octet was asked for.
        slot: Arc<Mutex<Option<Stream>>>,
        hint: SizeHint,
    },
}

impl Body {
    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// A body that is made while it is sent. If its size hint is exact, it is announced as `Content-Length`.
    #[must_use]
    pub fn stream<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let hint = body.size_hint();
        if hint.exact() == Some(0) {
            return Self::empty();
        }
        let stream = body.map_err(Into::into).boxed_unsync();
        Self { source: Source::Stream { slot: Arc::new(Mutex::new(Some(stream))), hint }, eager: false }
    }

    /// Sends the body at once and with every request, to whoever answers, proven or not: for bodies that are no secret.
    #[must_use]
    pub fn eager(self) -> Self {
        Self { eager: true, ..self }
    }

    pub(crate) const fn is_eager(&self) -> bool {
        self.eager
    }

    pub(crate) const fn is_empty(&self) -> bool {
        matches!(self.source, Source::Empty)
    }

    /// Whether it can be sent again, and is small enough for that to cost little.
    pub(crate) fn is_small(&self) -> bool {
        match &self.source {
            Source::Empty => true,
            Source::Bytes(bytes) => bytes.len() <= SMALL_BODY,
            Source::Stream { .. } => false,
        }
    }

    /// Whether it can still be sent.
    pub(crate) fn is_whole(&self) -> bool {
        match &self.source {
            Source::Stream { slot, .. } => crate::lock(slot).is_some(),
            _ => true,
        }
    }

    /// The body for one HTTP request, behind a gate.
    pub(crate) fn outgoing(&self, held: bool) -> (Outgoing, Arc<Gate>) {
        let gate = Arc::new(Gate::new(held, self.is_empty()));
        let left = match &self.source {
            Source::Empty => Some(0),
            Source::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
            Source::Stream { hint, .. } => hint.exact(),
        };
        (
            Outgoing {
                source: self.source.clone(),
                taken: None,
                left,
                done: self.is_empty(),
                gate: Arc::clone(&gate),
            },
            gate,
        )
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        let source = if bytes.is_empty() { Source::Empty } else { Source::Bytes(bytes) };
        Self { source, eager: false }
    }
}

impl From<Vec<u8>> for Body {
    fn from(octets: Vec<u8>) -> Self {
        Bytes::from(octets).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

/// A body on its way to one server. It takes the stream out of its slot when its first octet may go, and not before.
pub(crate) struct Outgoing {
    source: Source,
    taken: Option<Stream>,
    /// How many octets are to come, where that is known.
    left: Option<u64>,
    done: bool,
    gate: Arc<Gate>,
}

impl Outgoing {
    fn finish(&mut self) {
        self.done = true;
        self.gate.moved(true);
    }

    fn fail<T>(&mut self, error: BoxError) -> Poll<Option<Result<T, BoxError>>> {
        self.done = true;
        let text = error.to_string();
        self.gate.failed(error);
        Poll::Ready(Some(Err(text.into())))
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.done {
            return Poll::Ready(None);
        }
        if let Err(error) = ready!(self.gate.poll(cx)) {
            self.done = true;
            return Poll::Ready(Some(Err(error)));
        }
        let this = &mut *self;
        match &mut this.source {
            Source::Empty => {
                this.finish();
                Poll::Ready(None)
            }
            Source::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                this.finish();
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Source::Stream { slot, .. } => {
                if this.taken.is_none() {
                    this.taken = crate::lock(slot).take();
                }
                let Some(stream) = &mut this.taken else {
                    return this.fail("the stream was sent before".into());
                };
                match ready!(Pin::new(stream).poll_frame(cx)) {
                    None => {
                        this.finish();
                        Poll::Ready(None)
                    }
                    Some(Err(error)) => this.fail(error),
                    Some(Ok(frame)) => {
                        if let (Some(left), Some(data)) = (this.left, frame.data_ref()) {
                            this.left = Some(left.saturating_sub(u64::try_from(data.len()).unwrap_or(u64::MAX)));
                        }
                        // hyper does not ask again behind the last octet of a known length, or behind trailers.
                        this.gate.moved(this.left == Some(0) || frame.is_trailers());
                        Poll::Ready(Some(Ok(frame)))
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.done
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.source, self.left) {
            (_, Some(left)) => SizeHint::with_exact(left),
            (Source::Stream { hint, .. }, None) => *hint,
            _ => SizeHint::default(),
        }
    }
}
