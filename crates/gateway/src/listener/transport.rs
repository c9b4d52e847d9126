//! What hyper reads from and writes to: the socket, with or without TLS, and the connection's watchers.

use super::activity::Activity;
use super::interim::{CONTINUE, Interim};
use super::strict::Strict;
use bytes::{Buf as _, Bytes};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How much of a body that nobody wants is still read after the last response, so that closing does not destroy the
/// response on its way (RFC 9112 §9.6), and for how long.
const LINGER: usize = 256 << 10;
const LINGER_FOR: Duration = Duration::from_secs(1);

pub(super) struct Transport<T> {
    io: T,
    activity: Arc<Activity>,
    /// Octets that were read to find out the version.
    begun: Bytes,
    http1: Option<Http1>,
}

/// What only HTTP/1 needs.
struct Http1 {
    strict: Strict,
    /// Something was refused: there is nothing more to read.
    refused: bool,
    interim: Interim,
    /// The rest of an interim response with fields, that goes out in the place of hyper's.
    instead: Option<Bytes>,
    linger: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<T> Transport<T> {
    /// For HTTP/2.
    pub(super) fn http2(io: T, activity: Arc<Activity>, begun: Bytes) -> Self {
        Self { io, activity, begun, http1: None }
    }

    /// For HTTP/1.
    pub(super) fn http1(io: T, activity: Arc<Activity>, begun: Bytes, interim: Interim, tunnels: bool) -> Self {
        let http1 = Http1 { strict: Strict::new(tunnels), refused: false, interim, instead: None, linger: None };
        Self { io, activity, begun, http1: Some(http1) }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Transport<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        if this.http1.as_ref().is_some_and(|http1| http1.refused) {
            return Poll::Ready(Ok(()));
        }
        if this.begun.is_empty() {
            ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
        } else {
            let count = this.begun.len().min(buf.remaining());
            buf.put_slice(&this.begun.split_to(count));
        }
        if buf.filled().len() == before {
            return Poll::Ready(Ok(()));
        }
        if let Some(http1) = &mut this.http1 {
            if this.activity.is_tunnel() {
                return Poll::Ready(Ok(()));
            }
            if http1.strict.awaits_answer() && this.activity.take_connect_answered() {
                http1.strict.answered();
            }
            this.activity.octets_in();
            let refused = buf.filled().get(before..).and_then(|new| http1.strict.read(new));
            if let Some(index) = refused {
                // hyper shall come to the same opinion, and say so to the client: NUL is allowed nowhere that `Strict`
                // looks at.
                // Behind a CONNECT there is no place for it: so its head is spoiled, or if hyper has that already, the connection.
                let behind = usize::from(http1.strict.awaits_answer());
                http1.refused = true;
                let Some(index) = index.checked_sub(behind) else {
                    buf.set_filled(before);
                    let why = "octets behind a CONNECT before it was answered";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
                };
                buf.set_filled(before + index);
                buf.put_slice(&[0]);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> Transport<T> {
    /// Notes whether the client takes what it is sent.
    fn watch<R>(&self, result: Poll<R>) -> Poll<R> {
        if result.is_pending() {
            self.activity.write_blocked();
        } else {
            self.activity.write_moved();
        }
        result
    }

    /// Before a write of octets that begin with `first`: if these are hyper's interim response, and another one goes out
    /// instead, the number of octets that are thereby written.
    fn interim(&mut self, cx: &mut Context<'_>, first: &[u8]) -> Poll<io::Result<usize>> {
        let Some(http1) = &mut self.http1 else { return Poll::Ready(Ok(0)) };
        if let Some(octets) = http1.interim.on_write(first) {
            http1.instead = Some(octets.into());
        }
        let Some(instead) = &mut http1.instead else { return Poll::Ready(Ok(0)) };
        while !instead.is_empty() {
            match Pin::new(&mut self.io).poll_write(cx, instead) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => {
                    instead.advance(count);
                    self.activity.write_moved();
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.activity.write_blocked();
                    return Poll::Pending;
                }
            }
        }
        http1.instead = None;
        Poll::Ready(Ok(CONTINUE.len()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Transport<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match ready!(self.interim(cx, octets))? {
            0 => {
                let result = Pin::new(&mut self.io).poll_write(cx, octets);
                self.watch(result)
            }
            written => Poll::Ready(Ok(written)),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match ready!(self.interim(cx, slices.first().map_or(&[], |first| first)))? {
            0 => {
                let result = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
                self.watch(result)
            }
            written => Poll::Ready(Ok(written)),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_flush(cx);
        if let (Poll::Ready(Ok(())), Some(http1)) = (&result, &self.http1) {
            http1.interim.on_flush();
        }
        self.watch(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let linger = this.http1.as_mut().and_then(|http1| http1.linger.as_mut());
        if linger.is_none() {
            ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
        }
        let Some(http1) = &mut this.http1 else { return Poll::Ready(Ok(())) };
        if this.activity.is_tunnel() || !(http1.refused || http1.strict.mid_message()) {
            return Poll::Ready(Ok(()));
        }
        let (timer, read) = http1.linger.get_or_insert_with(|| (Box::pin(tokio::time::sleep(LINGER_FOR)), 0));
        let mut octets = [std::mem::MaybeUninit::uninit(); 4096];
        while *read < LINGER {
            let mut buf = ReadBuf::uninit(&mut octets);
            match Pin::new(&mut this.io).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => *read += buf.filled().len(),
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    use std::future::Future as _;
                    ready!(timer.as_mut().poll(cx));
                    return Poll::Ready(Ok(()));
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listener::settings::Timeouts;
    use http::{HeaderName, HeaderValue, Request, Response};
    use http_body_util::{BodyExt as _, Full};
    use hyper::body::Incoming;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// hyper on a transport that takes and gives so many octets at a time; what comes back when these are sent.
    async fn through(width: usize, vectored: bool, sent: &str) -> String {
        let (mut client, server) = tokio::io::duplex(width);
        let interim = Interim::default();
        let activity = Arc::new(Activity::new(tokio::time::Instant::now(), &Timeouts::default()));
        let transport = Transport::http1(server, activity, Bytes::new(), interim.clone(), false);
        let service = service_fn(move |request: Request<Incoming>| {
            let interim = interim.clone();
            async move {
                interim.reset(request.headers().contains_key("expect"));
                let armed = interim.arm(&HeaderName::from_static("x-a"), &HeaderValue::from_static("1"))
                    && interim.arm(&HeaderName::from_static("x-b"), &HeaderValue::from_static("2"));
                let body = request.into_body().collect().await?.to_bytes();
                // What `RequestBody` does.
                interim.commit();
                assert_eq!(interim.settle(), armed);
                Ok::<_, hyper::Error>(Response::new(Full::new(body)))
            }
        });
        let mut builder = http1::Builder::new();
        builder.auto_date_header(false).writev(vectored);
        let server = tokio::spawn(builder.serve_connection(TokioIo::new(transport), service));
        let (mut reader, mut writer) = tokio::io::split(&mut client);
        let mut back = String::new();
        let (written, read) = tokio::join!(writer.write_all(sent.as_bytes()), reader.read_to_string(&mut back));
        written.unwrap();
        read.unwrap();
        server.await.unwrap().unwrap();
        back
    }

    #[tokio::test]
    async fn fields_go_in_whole_however_narrow_the_transport() {
        let ask = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 25\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
        let last = ask.replace("Host: a", "Host: a\r\nConnection: close");
        let plain = ask.replace("Expect: 100-continue\r\n", "");
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 25\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
        let interim = "HTTP/1.1 100 Continue\r\nx-a: 1\r\nx-b: 2\r\n\r\n";
        let end = answer.replace("OK", "OK\r\nconnection: close");
        for width in [1, 2, 3, 24, 25, 26, 40, 1000] {
            for vectored in [false, true] {
                let back = through(width, vectored, &format!("{ask}{plain}{ask}{last}")).await;
                assert_eq!(back, format!("{interim}{answer}{answer}{interim}{answer}{interim}{end}"), "{width}");
            }
        }
    }
}
