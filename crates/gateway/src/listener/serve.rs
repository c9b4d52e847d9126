//! One connection, from its first octet to its last.

use super::activity::{Activity, Overdue};
use super::body::RequestBody;
use super::info::{Alive, ConnectionInfo};
use super::interim::Interim;
use super::settings::Settings;
use super::transport::Transport;
use super::{Shared, sniff};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pin_project_lite::pin_project;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tagai_core::validation::Channel;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A handler's wish to end the connection (HTTP/1) or the stream (HTTP/2) without a response.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("ended without a response")]
pub struct Abort;

type BoxError = Box<dyn Error + Send + Sync>;

/// How long a polite end of an idle connection may take.
const GOODBYE: Duration = Duration::from_secs(1);

pub(super) async fn connection<F, Fut, B>(
    stream: TcpStream,
    peer: SocketAddr,
    local: SocketAddr,
    mut alive: Alive,
    shared: Arc<Shared>,
    handler: Arc<F>,
) where
    F: Fn(Request<RequestBody>, Arc<ConnectionInfo>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response<B>, Abort>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    static PLAIN: LazyLock<Arc<Channel>> = LazyLock::new(|| Arc::new(Channel::Plain));
    let settings = Arc::clone(&shared.settings);
    let activity = Arc::new(Activity::new(shared.start, &settings.timeouts));
    let mut closing = alive.clone();
    let within = settings.timeouts.handshake;
    let info = |channel, tls, http2, alive| ConnectionInfo {
        peer,
        local,
        channel,
        tls,
        version: if http2 { Version::HTTP_2 } else { Version::HTTP_11 },
        interim: (!http2).then(Interim::default),
        peer_field: HeaderValue::try_from(peer.ip().to_canonical().to_string())
            .unwrap_or(HeaderValue::from_static("unknown")),
        activity: Arc::clone(&activity),
        alive,
    };
    match &settings.tls {
        None => {
            let mut stream = stream;
            let begun = tokio::select! {
                () = closing.draining() => return,
                begun = tokio::time::timeout(within, sniff::sniff(&mut stream)) => begun,
            };
            let Ok(Ok((http2, begun))) = begun else { return };
            if begun.is_empty() {
                return;
            }
            let info = info(Arc::clone(&PLAIN), None, http2 && settings.limits.http2.is_some(), alive);
            serve(stream, begun, info, &shared, handler).await;
        }
        Some(certificates) => {
            let accepted = tokio::select! {
                () = alive.draining() => return,
                accepted = tokio::time::timeout(within, crate::tls::accept(stream, certificates)) => accepted,
            };
            match accepted {
                Err(_) => tracing::debug!(%peer, "TLS handshake took too long"),
                Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS connection"),
                Ok(Ok((stream, channel, tls))) => {
                    let http2 = tls.http2 && settings.limits.http2.is_some();
                    let info = info(channel, Some(tls), http2, alive);
                    serve(stream, Bytes::new(), info, &shared, handler).await;
                }
            }
        }
    }
}

async fn serve<T, F, Fut, B>(io: T, begun: Bytes, info: ConnectionInfo, shared: &Shared, handler: Arc<F>)
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Fn(Request<RequestBody>, Arc<ConnectionInfo>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response<B>, Abort>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let settings = &*shared.settings;
    let info = Arc::new(info);
    let activity = Arc::clone(&info.activity);
    let entry = Entry { handler, info: Arc::clone(&info), body: settings.timeouts.body };
    match &info.interim {
        Some(interim) => {
            let io =
                TokioIo::new(Transport::http1(io, Arc::clone(&activity), begun, interim.clone(), settings.tunnels));
            let connection = http1(settings).serve_connection(io, entry).with_upgrades();
            drive(pin!(connection), &activity, &info, shared).await;
        }
        None => {
            let io = TokioIo::new(Transport::http2(io, Arc::clone(&activity), begun));
            let connection = http2(settings).serve_connection(io, entry);
            drive(pin!(connection), &activity, &info, shared).await;
        }
    }
}

/// hyper's own limit. Any that is set, even to the same number, costs an allocation for each request.
const HYPERS_FIELDS: usize = 100;

fn http1(settings: &Settings) -> http1::Builder {
    let limits = &settings.limits.http1;
    let mut builder = http1::Builder::new();
    builder
        // The connection's own timer does it, apart from the time that a connection is idle.
        .header_read_timeout(None)
        .max_header_size(limits.head)
        .max_buf_size(limits.buffer.max(8192));
    if limits.fields != HYPERS_FIELDS {
        builder.max_headers(limits.fields);
    }
    builder
}

fn http2(settings: &Settings) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    if let Some(limits) = &settings.limits.http2 {
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(limits.head)
            .initial_stream_window_size(limits.stream_window)
            .initial_connection_window_size(limits.connection_window)
            .max_send_buf_size(limits.send_buffer)
            .max_pending_accept_reset_streams(limits.pending_resets)
            .max_local_error_reset_streams(limits.error_resets)
            .keep_alive_interval(limits.ping)
            .keep_alive_timeout(settings.timeouts.ping);
    }
    builder
}

/// hyper's two kinds of connections.
trait Connection: Future<Output = hyper::Result<()>> {
    /// No more requests after those that run.
    fn finish(self: Pin<&mut Self>);
}

impl<I, S, B> Connection for http1::UpgradeableConnection<I, S>
where
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<BoxError>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    B: Body + 'static,
    B::Error: Into<BoxError>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S, B, E> Connection for http2::Connection<I, S, E>
where
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<BoxError>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: Body + 'static,
    B::Error: Into<BoxError>,
    E: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Runs a connection until it ends by itself, is overdue, or the listener ends.
async fn drive<C: Connection>(
    mut connection: Pin<&mut C>,
    activity: &Activity,
    info: &ConnectionInfo,
    shared: &Shared,
) {
    let (mut draining, mut cut) = (info.alive(), info.alive());
    let (mut draining, mut cut) = (pin!(draining.draining()), pin!(cut.cut()));
    let mut timer = pin!(tokio::time::sleep_until(activity.deadline().0));
    let mut armed = false;
    let mut finishing = false;
    poll_fn(|cx| {
        if let Poll::Ready(result) = connection.as_mut().poll(cx) {
            if let Err(error) = result {
                tracing::debug!(peer = %info.peer, %error, "connection ended");
            }
            return Poll::Ready(());
        }
        // A task keeps its waker, so what was polled once need not be polled again until there is news.
        if !armed || shared.draining.load(Ordering::Acquire) {
            if !finishing && draining.as_mut().poll(cx).is_ready() {
                finishing = true;
                connection.as_mut().finish();
                if connection.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
            }
            if cut.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
        }
        let (due, why) = activity.deadline();
        if due < timer.deadline() && !(finishing && why == Overdue::Idle) {
            timer.as_mut().reset(due);
            armed = false;
        }
        while !armed || timer.is_elapsed() {
            if timer.as_mut().poll(cx).is_pending() {
                break;
            }
            let (due, why) = activity.deadline();
            if due > Instant::now() {
                timer.as_mut().reset(due);
                continue;
            }
            tracing::debug!(peer = %info.peer, ?why, "connection overdue");
            if why != Overdue::Idle || finishing {
                return Poll::Ready(());
            }
            finishing = true;
            connection.as_mut().finish();
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            timer.as_mut().reset(Instant::now() + GOODBYE);
        }
        armed = true;
        Poll::Pending
    })
    .await;
}

pin_project! {
    /// The response of a handler, and that it is watched.
    struct Served<Fut> {
        #[pin]
        future: Fut,
        watch: Option<Watch>,
        silent: bool,
        connect: bool,
    }
}

/// A request that is being handled or answered.
struct Watch {
    info: Arc<ConnectionInfo>,
    handed: bool,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.handed {
            self.info.activity.taken();
        }
        self.info.activity.end();
    }
}

/// hyper's service.
struct Entry<F> {
    handler: Arc<F>,
    info: Arc<ConnectionInfo>,
    body: Duration,
}

impl<F, Fut, B> hyper::service::Service<Request<Incoming>> for Entry<F>
where
    F: Fn(Request<RequestBody>, Arc<ConnectionInfo>) -> Fut,
    Fut: Future<Output = Result<Response<B>, Abort>>,
    B: Body,
{
    type Response = Response<Tracked<B>>;
    type Error = Abort;
    type Future = Served<Fut>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let info = &self.info;
        info.activity.begin();
        let interim = info.interim.as_ref();
        if let Some(interim) = interim {
            interim.reset(expects_continue(&request));
        }
        let watch = Some(Watch { info: Arc::clone(info), handed: false });
        // RFC 9110 §9.3.2: no content comes back for HEAD. In HTTP/1 hyper sees to it.
        let silent = interim.is_none() && request.method() == Method::HEAD;
        let connect = interim.is_some() && request.method() == Method::CONNECT;
        let request = request.map(|body| RequestBody::new(body, self.body, interim));
        Served { future: (self.handler)(request, Arc::clone(info)), watch, silent, connect }
    }
}

/// Whether hyper will write "100 Continue" before it reads the body: the same rule as its own, or a narrower one.
fn expects_continue<B>(request: &Request<B>) -> bool {
    let mut expected = request.headers().get_all(EXPECT).iter();
    let one = expected.next().is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    one && expected.next().is_none() && request.version() == Version::HTTP_11
}

impl<Fut, B> Future for Served<Fut>
where
    Fut: Future<Output = Result<Response<B>, Abort>>,
    B: Body,
{
    type Output = Result<Response<Tracked<B>>, Abort>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.future.poll(cx))?;
        let watch = this.watch.take();
        if let Some(Watch { info, .. }) = &watch {
            let status = response.status();
            // The rules by which hyper makes a tunnel of a connection of HTTP/1.
            if status == StatusCode::SWITCHING_PROTOCOLS || (*this.connect && status.is_success()) {
                info.activity.set_tunnel();
            } else if *this.connect {
                info.activity.set_connect_answered();
            }
        }
        let silent = *this.silent;
        if silent && let Some(length @ 1..) = response.body().size_hint().exact() {
            response.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| length.into());
        }
        Poll::Ready(Ok(response.map(|body| Tracked { body, watch, silent })))
    }
}

pin_project! {
    /// A response's body, and whether the client takes it.
    pub struct Tracked<B> {
        #[pin]
        body: B,
        watch: Option<Watch>,
        silent: bool,
    }
}

impl<B: Body<Data = Bytes>> Body for Tracked<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        if *this.silent {
            return Poll::Ready(None);
        }
        if let Some(watch) = this.watch.as_mut().filter(|watch| watch.handed) {
            watch.handed = false;
            watch.info.activity.taken();
        }
        let frame = ready!(this.body.poll_frame(cx));
        if let (Some(Ok(_)), Some(watch)) = (&frame, this.watch.as_mut()) {
            watch.handed = true;
            watch.info.activity.hand_over();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.silent || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.silent { SizeHint::with_exact(0) } else { self.body.size_hint() }
    }
}
