//! One HTTP/1 connection to an upstream, driven by whoever uses it.
//!
//! hyper wants a connection to be a task. Then each request wakes that task, and is woken by it, several times, often on
//! another processor. Here the connection is polled by the request that has it: first by [`Exchange`], then by the
//! response's body, while no body is being sent up. It becomes a task only when both directions have to move on their own.

use super::outbound::{Outbound, Upload};
use super::upstream::UpstreamIo;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use hyper_util::rt::TokioIo;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

type Connection = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// A connection.
pub(super) struct Link {
    sender: http1::SendRequest<Outbound>,
    connection: Option<Connection>,
    /// One timer for the connection's life, moved only when it fires too early: most requests never touch it.
    timer: Pin<Box<Sleep>>,
    pub(super) idle_since: Instant,
}

/// Why there is no response.
pub(super) enum Failure {
    /// The connection failed; with the request, if none of it was sent.
    Broken(hyper::Error, Option<Box<Request<Outbound>>>),
    /// Nothing came in time.
    Timeout,
}

impl Link {
    pub(super) async fn open(io: TokioIo<UpstreamIo>, head: usize) -> hyper::Result<Self> {
        let mut builder = http1::Builder::new();
        builder.max_header_size(head);
        let (sender, connection) = builder.handshake(io).await?;
        Ok(Self {
            sender,
            connection: Some(Box::pin(connection.with_upgrades())),
            timer: Box::pin(tokio::time::sleep(Duration::from_secs(1))),
            idle_since: Instant::now(),
        })
    }

    /// Lets the connection do what it can. `false` when it has ended.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        if connection.as_mut().poll(cx).is_ready() {
            // What went wrong is told to the response or to its body.
            self.connection = None;
        }
        self.connection.is_some()
    }

    /// Whether another request can be sent.
    pub(super) fn is_usable(&mut self, cx: &mut Context<'_>) -> bool {
        self.drive(cx) && self.sender.is_ready()
    }

    /// Whether `deadline` has passed; if not, the task will be woken when it has.
    pub(super) fn overdue(&mut self, deadline: Instant, cx: &mut Context<'_>) -> bool {
        if deadline < self.timer.deadline() {
            self.timer.as_mut().reset(deadline);
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return true;
            }
            self.timer.as_mut().reset(deadline);
        }
        false
    }

    /// Sends a request and waits for its response. The connection lives on in `self`, for the response's body.
    ///
    /// The time for the response starts anew whenever the request's body moves.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Outbound>,
        upload: Option<&Upload>,
        limit: Duration,
    ) -> Result<Response<Incoming>, Failure> {
        let mut response = pin!(self.sender.try_send_request(request));
        let mut deadline = Instant::now() + limit;
        let mut progress = 0;
        poll_fn(|cx| {
            self.drive(cx);
            if let Poll::Ready(result) = response.as_mut().poll(cx) {
                return Poll::Ready(result.map_err(broken));
            }
            if let Some(upload) = upload {
                let now = upload.progress();
                if now != progress {
                    progress = now;
                    deadline = Instant::now() + limit;
                }
            }
            if self.overdue(deadline, cx) { Poll::Ready(Err(Failure::Timeout)) } else { Poll::Pending }
        })
        .await
    }

    /// Makes the connection a task of its own, which ends with what comes back.
    pub(super) fn detach(self) -> Option<Detached> {
        let connection = self.connection?;
        // Without a sender the connection would end after the response, which is what is wanted.
        Some(Detached(Some(tokio::spawn(async move { drop(connection.await) }))))
    }
}

/// hyper's failure, with the request if none of it was sent.
pub(super) fn broken(mut error: TrySendError<Request<Outbound>>) -> Failure {
    let request = error.take_message().map(Box::new);
    Failure::Broken(error.into_error(), request)
}

/// A connection that runs as a task.
#[derive(Debug)]
pub(super) struct Detached(Option<tokio::task::JoinHandle<()>>);

impl Detached {
    /// Lets it run to its end.
    pub(super) fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}
