//! Octets of an HTTP/1 connection: the gateway's strict reader, with hyper behind it as in the gateway.
//!
//! - The octets may arrive in any pieces: the verdict is the same.
//! - Each request that hyper completes is one that the strict reader has seen the end of: the same method, target and body.
//! - The octet that is refused becomes NUL for hyper, and hyper completes nothing more with it.

#![no_main]

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use libfuzzer_sys::fuzz_target;
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use tagai_gateway::listener::StrictReader;

/// A request: method, target, body.
type Message = (String, String, Vec<u8>);

fuzz_target!(|input: &[u8]| {
    // The first octet says how large the pieces are.
    let Some((size, octets)) = input.split_first() else { return };
    let (refused, ends) = strict(octets, 1);
    for size in [octets.len().max(1), usize::from(*size).max(1)] {
        assert_eq!(strict(octets, size).0, refused, "in pieces of {size}");
    }
    check(octets, refused, &ends);
});

/// The index that is refused, and where messages were seen to end, with this size of pieces.
fn strict(octets: &[u8], size: usize) -> (Option<usize>, Vec<usize>) {
    let mut reader = StrictReader::new();
    let (mut at, mut ends, mut within) = (0, Vec::new(), false);
    for piece in octets.chunks(size) {
        if let Some(index) = reader.read(piece) {
            return (Some(at + index), ends);
        }
        at += piece.len();
        // A line that is empty may stand before a request: that is the end of nothing.
        let real = within && !reader.mid_message();
        within = reader.mid_message();
        if real {
            ends.push(at);
        }
    }
    (None, ends)
}

fn check(octets: &[u8], refused: Option<usize>, ends: &[usize]) {
    let mut start = 0;
    let mut expected: Vec<Message> = Vec::new();
    for end in ends {
        let message = &octets[start..*end];
        start = *end;
        if message == b"\r\n" {
            continue;
        }
        expected.push(naive(message));
    }
    let mut shown = octets[..refused.unwrap_or(octets.len())].to_vec();
    if refused.is_some() {
        shown.push(0);
    }
    let seen = hyper(shown);
    assert!(seen.len() <= expected.len(), "hyper sees {seen:?}, and not {expected:?}");
    for (seen, expected) in seen.iter().zip(&expected) {
        assert_eq!(seen, expected);
    }
}

/// A message of which nobody doubts where it ends, read in the simplest way.
fn naive(message: &[u8]) -> Message {
    let head_end = message.windows(4).position(|four| four == b"\r\n\r\n").expect("an end of the head") + 4;
    let (head, body) = message.split_at(head_end);
    let line = head.split(|octet| *octet == b'\r').next().expect("a line");
    let mut words = line.split(|octet| *octet == b' ').map(|word| String::from_utf8_lossy(word).into_owned());
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    // As hyper shows it: without a fragment, with a path.
    let target = target.parse().map_or(target, |target: Uri| target.to_string());
    let is_chunked = head.split(|octet| *octet == b'\n').skip(1).any(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with(b"transfer-encoding:")
    });
    (method, target, if is_chunked { dechunk(body) } else { body.to_vec() })
}

fn dechunk(mut body: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n").expect("an end of the size");
        let digits = body[..end].split(|octet| *octet == b';').next().expect("a size");
        let size = usize::from_str_radix(std::str::from_utf8(digits).expect("digits"), 16).expect("a size");
        if size == 0 {
            return all;
        }
        all.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 2 + size + 2..];
    }
}

/// The requests that hyper reads to their end.
fn hyper(octets: Vec<u8>) -> Vec<Message> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let service = service_fn(|request: Request<Incoming>| {
        let seen = Arc::clone(&seen);
        async move {
            let (head, body) = request.into_parts();
            let message = (head.method.to_string(), head.uri.to_string());
            if let Ok(body) = body.collect().await {
                let mut seen = seen.lock().expect("nobody panics with it");
                seen.push((message.0, message.1, body.to_bytes().to_vec()));
            }
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let connection =
        http1::Builder::new().header_read_timeout(None).serve_connection(Wire { octets, at: 0 }, service);
    let mut connection = pin!(connection);
    let mut context = Context::from_waker(Waker::noop());
    // Nothing here waits; a connection that is not done yields for the sake of others.
    for _ in 0..10_000 {
        if connection.as_mut().poll(&mut context).is_ready() {
            break;
        }
    }
    let mut seen = seen.lock().expect("nobody panics with it");
    std::mem::take(&mut *seen)
}

/// A connection that brings these octets, and whose answers nobody reads.
struct Wire {
    octets: Vec<u8>,
    at: usize,
}

impl Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let rest = &self.octets[self.at..];
        let count = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..count]);
        self.at += count;
        Poll::Ready(Ok(()))
    }
}

impl Write for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
