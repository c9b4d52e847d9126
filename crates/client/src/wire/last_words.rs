//! What a peer said before it closed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that is read to its end, although it cannot be written any more.
///
/// In TLS 1.3 a server judges what the client showed when the client already writes its request: the alert that says why it
/// refused, and the end of the connection, cross that request. Whoever writes first learns "broken pipe" and no more. So what
/// cannot be written for this reason is thrown away, and the reader finds the alert, or the end.
#[derive(Debug)]
pub(crate) struct LastWords<S> {
    io: S,
    /// The peer takes nothing any more.
    deaf: bool,
}

impl<S> LastWords<S> {
    pub(crate) const fn new(io: S) -> Self {
        Self { io, deaf: false }
    }

    /// What becomes of an attempt to write that would otherwise have been `done`.
    fn wrote<T>(&mut self, attempt: Poll<io::Result<T>>, done: T) -> Poll<io::Result<T>> {
        match attempt {
            Poll::Ready(Err(error)) if is_gone(&error) => {
                self.deaf = true;
                Poll::Ready(Ok(done))
            }
            other => other,
        }
    }
}

/// Whether the peer has closed. Whoever reads learns that too: nobody waits for ever.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted
    )
}

impl<S: AsyncRead + Unpin> AsyncRead for LastWords<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for LastWords<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if self.deaf {
            return Poll::Ready(Ok(data.len()));
        }
        let attempt = Pin::new(&mut self.io).poll_write(cx, data);
        self.wrote(attempt, data.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all = data.iter().map(|slice| slice.len()).sum();
        if self.deaf {
            return Poll::Ready(Ok(all));
        }
        let attempt = Pin::new(&mut self.io).poll_write_vectored(cx, data);
        self.wrote(attempt, all)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.deaf {
            return Poll::Ready(Ok(()));
        }
        let attempt = Pin::new(&mut self.io).poll_flush(cx);
        self.wrote(attempt, ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.deaf {
            return Poll::Ready(Ok(()));
        }
        let attempt = Pin::new(&mut self.io).poll_shutdown(cx);
        self.wrote(attempt, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Refuses to be written, and still has something to say.
    struct Closed(io::ErrorKind, &'static [u8]);

    impl AsyncRead for Closed {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            buf.put_slice(std::mem::take(&mut self.1));
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Closed {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(self.0.into()))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(self.0.into()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(self.0.into()))
        }
    }

    #[tokio::test]
    async fn what_was_said_before_the_end_is_heard_by_whoever_writes_first() {
        for kind in [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset] {
            let mut io = LastWords::new(Closed(kind, b"certificate required"));
            io.write_all(b"a request").await.unwrap();
            io.flush().await.unwrap();
            let mut said = String::new();
            io.read_to_string(&mut said).await.unwrap();
            assert_eq!(said, "certificate required");
            io.shutdown().await.unwrap();
        }
    }

    #[tokio::test]
    async fn other_errors_are_errors() {
        let mut io = LastWords::new(Closed(io::ErrorKind::TimedOut, b""));
        assert_eq!(io.write_all(b"a request").await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
