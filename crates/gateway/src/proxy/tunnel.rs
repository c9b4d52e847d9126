//! Connections that are no longer HTTP: WebSocket and whatever else both ends agree on, and the tunnels of CONNECT.

use super::over::Over;
use crate::listener::Alive;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Octets that are held in each direction.
const BUFFER: usize = 16 << 10;

/// A tunnel between two upgraded connections.
pub(super) fn run(client: OnUpgrade, upstream: OnUpgrade, idle: Duration, alive: Alive, over: Option<Over>) {
    let over = async {
        match over {
            Some(over) => drop(over.await),
            None => std::future::pending().await,
        }
    };
    carry(client, async { upstream.await.map(TokioIo::new) }, idle, alive, over);
}

/// Carries octets both ways until both ends have closed, neither says anything for `idle`, the listener cuts, or `over` comes to
/// its end, which is dropped with the tunnel in any case.
pub(crate) fn carry<U>(
    client: OnUpgrade,
    upstream: impl Future<Output = hyper::Result<U>> + Send + 'static,
    idle: Duration,
    mut alive: Alive,
    over: impl Future<Output = ()> + Send + 'static,
) where
    U: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    tokio::spawn(async move {
        let both = async {
            let client = client.await?;
            let upstream = upstream.await?;
            Ok::<_, hyper::Error>((client, upstream))
        };
        let (client, upstream) = tokio::select! {
            both = tokio::time::timeout(idle, both) => match both {
                Ok(Ok(both)) => both,
                Ok(Err(error)) => return tracing::debug!(%error, "no tunnel"),
                Err(_) => return tracing::debug!("no tunnel in time"),
            },
            () = alive.cut() => return,
        };
        let moved = Arc::new(AtomicU64::new(0));
        let mut client = Moving { io: TokioIo::new(client), moved: Arc::clone(&moved) };
        let mut upstream = Moving { io: upstream, moved: Arc::clone(&moved) };
        let quiet = async {
            let mut seen = 0;
            loop {
                tokio::time::sleep(idle).await;
                let now = moved.load(Ordering::Relaxed);
                if now == seen {
                    return;
                }
                seen = now;
            }
        };
        tokio::select! {
            result = tokio::io::copy_bidirectional_with_sizes(&mut client, &mut upstream, BUFFER, BUFFER) => {
                if let Err(error) = result {
                    tracing::debug!(%error, "tunnel ended");
                }
            }
            () = quiet => tracing::debug!("tunnel idle"),
            () = over => {}
            () = alive.cut() => {}
        }
    });
}

/// Counts reads, to tell a quiet tunnel from a busy one.
struct Moving<T> {
    io: T,
    moved: Arc<AtomicU64>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Moving<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        self.moved.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Moving<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
