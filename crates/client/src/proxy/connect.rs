//! Tunnels: CONNECT (RFC 9110 §9.3.6), and the login that it may take.

use super::{Hop, Judged};
use crate::builder::{HeadLimits, Timeouts};
use crate::error::{Error, NetworkFault};
use crate::reply::Proof;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tagai_core::realm::Origin;
use tagai_core::validation::Channel;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;

/// More requests than any honest login has.
const MAX_REQUESTS: u32 = 16;
/// How much of an answer that nobody will see is read for the sake of its connection, and for how long.
const DISCARD_OCTETS: usize = 65_536;
const DISCARD_TIME: Duration = Duration::from_secs(2);
/// How long a connection may take to say that it is ready for another request.
const READY_WITHIN: Duration = Duration::from_millis(500);

/// A connection to the proxy that is to become a tunnel.
pub(crate) struct Line {
    sender: http1::SendRequest<Empty<Bytes>>,
    channel: Channel,
    task: AbortHandle,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    /// HTTP/1.1 over a stream to the proxy.
    pub(crate) async fn new<S>(stream: S, channel: Channel, limits: HeadLimits) -> Result<Self, NetworkFault>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut builder = http1::Builder::new();
        builder.max_headers(limits.fields).max_header_size(limits.octets);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        // What went wrong is told to whoever waits for the answer.
        let task = tokio::spawn(async move { drop(connection.with_upgrades().await) }).abort_handle();
        Ok(Self { sender, channel, task })
    }

    async fn is_ready(&mut self) -> bool {
        tokio::time::timeout(READY_WITHIN, self.sender.ready()).await.is_ok_and(|ready| ready.is_ok())
    }
}

impl Hop {
    /// A tunnel to a server, by a proxy that is proven if it asks for a login. `open` makes a connection to the proxy.
    pub(crate) async fn tunnel<F, Fut>(
        &self,
        target: &Origin,
        open: F,
        timeouts: &Timeouts,
    ) -> Result<(TokioIo<Upgraded>, Proof), Error>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Line, Error>>,
    {
        let fail = |fault| Error::network(&self.origin, fault);
        let authority = format!("{}:{}", target.host(), target.port());
        let mut line = open().await?;
        let mut visit = self.visit(&authority, &line.channel)?;
        for _ in 0..MAX_REQUESTS {
            if !line.is_ready().await {
                line = open().await?;
            }
            let (sequence, stage, field) = visit.step(&line.channel).await?;
            let request = connect(&authority, field)?;
            let answer = tokio::time::timeout(timeouts.head, line.sender.send_request(request)).await;
            let late = |_| fail(NetworkFault::Timeout { what: "the answer of the proxy", after: timeouts.head });
            let mut answer = answer.map_err(late)?.map_err(|error| fail(error.into()))?;
            let open_now = answer.status().is_success().then(|| hyper::upgrade::on(&mut answer));
            let (head, incoming) = answer.into_parts();
            if open_now.is_none() {
                let rest = Limited::new(incoming, DISCARD_OCTETS).collect();
                // What is left unread ends the connection.
                drop(tokio::time::timeout(DISCARD_TIME, rest).await);
            }
            match visit.judge((sequence, stage), &head, &line.channel, ()).await? {
                Judged::Again => {}
                Judged::Done((), proof) => {
                    let Some(opened) = open_now else { return Err(visit.refused(head.status, &proof)) };
                    let opened = opened.await.map_err(|error| fail(error.into()))?;
                    return Ok((TokioIo::new(opened), proof));
                }
            }
        }
        Err(Error::Internal("a login to a proxy had more steps than there are"))
    }
}

fn connect(authority: &str, field: Option<tagai_core::message::Field>) -> Result<Request<Empty<Bytes>>, Error> {
    let broken = |_: http::Error| Error::Internal("the request to the proxy could not be put together");
    let mut request = Request::connect(authority).header(HOST, authority).body(Empty::new()).map_err(broken)?;
    if let Some(field) = field {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|error| broken(error.into()))?;
        let mut value = HeaderValue::from_bytes(field.value.as_bytes()).map_err(|error| broken(error.into()))?;
        value.set_sensitive(true);
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}
