//! HTTP/1 or HTTP/2, on a connection without TLS: a client that knows that HTTP/2 is spoken begins with a preface (RFC 9113
//! §3.4) that no request of HTTP/1 begins with.

use bytes::{Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads until it is clear what is spoken: whether it is HTTP/2, and the octets that were read.
pub(super) async fn sniff<T: AsyncRead + Unpin>(io: &mut T) -> io::Result<(bool, Bytes)> {
    let mut read = BytesMut::with_capacity(1024);
    loop {
        let count = io.read_buf(&mut read).await?;
        let begun = read.get(..PREFACE.len()).unwrap_or(&read);
        if count == 0 || !PREFACE.starts_with(begun) {
            return Ok((false, read.freeze()));
        }
        if begun.len() == PREFACE.len() {
            return Ok((true, read.freeze()));
        }
    }
}
