//! The body of the request: from the command line, a file, or standard input.

use super::trouble::Trouble;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use tagai_client::SMALL_BODY;
use tokio::sync::mpsc;

/// Parts that are read ahead of the network, and the octets in one of them.
const PARTS_AHEAD: usize = 4;
const PART: usize = 65_536;

/// What `-d` names.
pub(crate) enum Upload {
    /// It fits in memory, and can be sent in every round of a login.
    Small(Vec<u8>),
    /// It can be sent once.
    Stream(Stream),
}

impl Upload {
    /// Reads the beginning of what `-d` names, to see whether that is all.
    pub(crate) fn open(data: &str) -> Result<Self, Trouble> {
        let Some(name) = data.strip_prefix('@') else { return Ok(Self::Small(data.as_bytes().to_vec())) };
        if name == "-" {
            return Self::begin(io::stdin(), None)
                .map_err(|error| Trouble::local(format!("standard input cannot be read: {error}")));
        }
        let path = Path::new(name);
        let failed = |error: io::Error| {
            Trouble::usage(format!("cannot read {}: {error}", path.display()))
                .help("-d @FILE sends what is in a file; -d DATA sends the text itself")
        };
        let file = File::open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        let length = found.is_file().then_some(found.len());
        Self::begin(file, length).map_err(failed)
    }

    fn begin(mut source: impl Read + Send + 'static, length: Option<u64>) -> io::Result<Self> {
        let mut head = Vec::new();
        let limit = u64::try_from(SMALL_BODY).unwrap_or(u64::MAX).saturating_add(1);
        source.by_ref().take(limit).read_to_end(&mut head)?;
        if head.len() <= SMALL_BODY {
            return Ok(Self::Small(head));
        }
        Ok(Self::Stream(Stream { source: Source::Waiting(head, Box::new(source)), left: length }))
    }

    pub(crate) const fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(_))
    }
}

impl From<Upload> for tagai_client::Body {
    fn from(upload: Upload) -> Self {
        match upload {
            Upload::Small(octets) => octets.into(),
            Upload::Stream(stream) => Self::stream(stream),
        }
    }
}

/// A body that is read while it is sent, by a thread of its own: a disk or a pipe may keep it waiting.
pub(crate) struct Stream {
    source: Source,
    /// What is to come, where that is known.
    left: Option<u64>,
}

enum Source {
    Waiting(Vec<u8>, Box<dyn Read + Send>),
    Reading(mpsc::Receiver<io::Result<Bytes>>),
    Done,
}

impl Stream {
    fn take(&mut self, part: &Bytes) -> io::Result<()> {
        let Some(left) = &mut self.left else { return Ok(()) };
        let octets = u64::try_from(part.len()).unwrap_or(u64::MAX);
        *left = left.checked_sub(octets).ok_or_else(|| io::Error::other("the file has grown meanwhile"))?;
        Ok(())
    }
}

fn start(head: Vec<u8>, mut rest: Box<dyn Read + Send>) -> mpsc::Receiver<io::Result<Bytes>> {
    let (sender, receiver) = mpsc::channel(PARTS_AHEAD);
    std::thread::spawn(move || {
        let mut part = Ok(Bytes::from(head));
        // Where nobody receives any more, nobody wants the rest.
        while sender.blocking_send(part).is_ok() {
            let mut octets = vec![0; PART];
            part = match rest.read(&mut octets) {
                Ok(0) => break,
                Ok(read) => {
                    octets.truncate(read);
                    Ok(octets.into())
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Bytes::new()),
                Err(error) => {
                    drop(sender.blocking_send(Err(error)));
                    break;
                }
            };
        }
    });
    receiver
}

impl Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        let mut receiver = match std::mem::replace(&mut this.source, Source::Done) {
            Source::Waiting(head, rest) => start(head, rest),
            Source::Reading(receiver) => receiver,
            Source::Done => return Poll::Ready(None),
        };
        let polled = receiver.poll_recv(cx);
        let part = match polled {
            Poll::Pending => {
                this.source = Source::Reading(receiver);
                return Poll::Pending;
            }
            Poll::Ready(None) if this.left.unwrap_or(0) > 0 => Err(io::Error::other("the file has shrunk meanwhile")),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(part)) => part,
        };
        Poll::Ready(Some(part.and_then(|part| {
            this.take(&part)?;
            this.source = Source::Reading(receiver);
            Ok(Frame::data(part))
        })))
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    fn stream(octets: usize, length: Option<u64>) -> Stream {
        match Upload::begin(io::repeat(7).take(octets as u64), length).unwrap() {
            Upload::Stream(stream) => stream,
            Upload::Small(_) => panic!("small"),
        }
    }

    #[test]
    fn what_is_small_stays_in_memory() {
        for octets in [0, 1, SMALL_BODY] {
            let upload = Upload::begin(io::repeat(7).take(octets as u64), None).unwrap();
            assert!(matches!(upload, Upload::Small(read) if read.len() == octets));
        }
        assert!(Upload::open("@").is_err(), "a file without a name");
        assert!(matches!(Upload::open("a@b").unwrap(), Upload::Small(text) if text == b"a@b"));
    }

    #[tokio::test]
    async fn a_stream_is_sent_whole() {
        let octets = 3 * PART + 5;
        for length in [None, Some(octets as u64)] {
            let stream = stream(octets, length);
            assert_eq!(stream.size_hint().exact(), length);
            let sent = stream.collect().await.unwrap().to_bytes();
            assert_eq!(sent.len(), octets);
            assert!(sent.iter().all(|octet| *octet == 7));
        }
    }

    #[tokio::test]
    async fn a_file_that_changes_its_size_is_an_error() {
        let octets = 2 * PART as u64;
        assert!(stream(2 * PART, Some(octets + 1)).collect().await.unwrap_err().to_string().contains("shrunk"));
        assert!(stream(2 * PART, Some(octets - 1)).collect().await.unwrap_err().to_string().contains("grown"));
    }
}
