//! HTTP/2 to an upstream: one connection for all requests, a task of its own.

use super::error::ProxyError;
use super::link::{Failure, broken};
use super::outbound::{Outbound, Upload};
use super::upstream::Upstream;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The connection, if there is one. Held while it is made, so that a burst of requests makes one.
#[derive(Default)]
pub(super) struct Multiplexed(Mutex<Option<http2::SendRequest<Outbound>>>);

impl Multiplexed {
    /// The connection; `true` if others have used it before.
    pub(super) async fn sender(
        &self,
        upstream: &Upstream,
    ) -> Result<(http2::SendRequest<Outbound>, bool), ProxyError> {
        let mut present = self.0.lock().await;
        if let Some(sender) = present.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok((sender.clone(), true));
        }
        let io = upstream.connect().await?;
        let limits = &upstream.limits;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(256 << 10)
            .initial_connection_window_size(4 << 20)
            .max_send_buf_size(64 << 10)
            .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10))
            .handshake(io)
            .await
            .map_err(|error| ProxyError::from_hyper(upstream.name(), error))?;
        tokio::spawn(async move { drop(connection.await) });
        *present = Some(sender.clone());
        Ok((sender, false))
    }
}

/// Sends a request and waits for its response.
pub(super) async fn exchange(
    sender: &mut http2::SendRequest<Outbound>,
    request: Request<Outbound>,
    upload: Option<&Upload>,
    limit: Duration,
) -> Result<Response<Incoming>, Failure> {
    let mut response = pin!(sender.try_send_request(request));
    let mut timer = pin!(tokio::time::sleep(limit));
    let mut progress = 0;
    poll_fn(|cx| {
        if let Poll::Ready(result) = response.as_mut().poll(cx) {
            return Poll::Ready(result.map_err(broken));
        }
        while timer.as_mut().poll(cx).is_ready() {
            let now = upload.map_or(0, Upload::progress);
            if now == progress {
                return Poll::Ready(Err(Failure::Timeout));
            }
            progress = now;
            timer.as_mut().reset(Instant::now() + limit);
        }
        Poll::Pending
    })
    .await
}
