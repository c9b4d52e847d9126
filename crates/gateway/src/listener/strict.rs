//! A second, stricter reading of HTTP/1 requests.
//!
//! hyper reads as RFC 9112 allows: a line may end with a bare LF, `Transfer-Encoding` beats `Content-Length`, repeated
//! equal lengths are one. What it sends on is unambiguous; but something in front of the gateway may have read the same
//! octets in another way, and that difference is what request smuggling lives on. So every octet passes here first, and
//! what could be read in two ways is refused:
//!
//! - a line that does not end with CR LF, CR elsewhere, other control characters;
//! - a line that begins with a space (obs-fold), a space before the colon, an empty name;
//! - more than one `Content-Length` (even if equal), one that is not digits alone, or together with `Transfer-Encoding`;
//! - any `Transfer-Encoding` but exactly `chunked`, once, in HTTP/1.1; any version but 1.0 and 1.1;
//! - chunk sizes with anything but hexadecimal digits, framing fields in trailers.
//!
//! It keeps no octets, only where it is: a few words for each connection, whatever the client sends.

/// Where in the stream of requests the next octet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a request line; so many empty lines have been skipped.
    Before(u8),
    /// CR of an empty line before a request line.
    BeforeCr(u8),
    /// In the request line; with the last eight octets.
    RequestLine(u64),
    /// At the first octet of a field line.
    LineStart,
    /// In a field's name.
    Name,
    /// In a field's value.
    Value,
    /// After the CR of a line.
    LineEnd(After),
    /// In the digits of a chunk's size; so many yet.
    ChunkSize(u8),
    /// In a chunk's extension; so many octets yet.
    ChunkExtension(u16),
    /// After the CR that ends a chunk's size.
    ChunkSizeEnd,
    /// In a body or a chunk, with so many octets to come.
    Data { left: u64, chunked: bool },
    /// After a chunk's data.
    ChunkCr,
    /// After the CR that follows a chunk's data.
    ChunkLf,
    /// Behind the head of a CONNECT that has not been answered: what comes is neither a request nor, yet, a tunnel's.
    Connect,
}

/// What follows a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Line,
    EndOfHead,
}

/// A field that decides where the message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Other,
    ContentLength,
    TransferEncoding,
}

/// The reader of one connection.
#[derive(Debug)]
pub(crate) struct Strict {
    state: State,
    /// Whether CONNECT asks for a tunnel. If not, it is a request like every other, and refused as one.
    tunnels: bool,
    /// Octets of the request line, up to 255.
    line: u8,
    connect: bool,
    trailers: bool,
    http10: bool,
    /// The start of the field's name, in lower case, to recognise two names.
    name: [u8; 17],
    name_len: usize,
    framing: Framing,
    /// The value of a framing field, without the spaces around it.
    value: [u8; 19],
    value_len: usize,
    value_ended: bool,
    length: Option<u64>,
    chunked: bool,
    size: u64,
}

const CONTENT_LENGTH: &[u8] = b"content-length";
const TRANSFER_ENCODING: &[u8] = b"transfer-encoding";
const EMPTY_LINES: u8 = 4;
const EXTENSION: u16 = 256;
const CONNECT_: u64 = u64::from_be_bytes(*b"CONNECT ");
const HTTP_1_: u64 = u64::from_be_bytes(*b"HTTP/1.0");

impl Strict {
    /// At the beginning of a connection. `tunnels`: CONNECT asks for a tunnel here, so nothing may follow its head until it is
    /// answered, and it has no body.
    pub(crate) const fn new(tunnels: bool) -> Self {
        Self {
            state: State::Before(0),
            tunnels,
            line: 0,
            connect: false,
            trailers: false,
            http10: false,
            name: [0; 17],
            name_len: 0,
            framing: Framing::Other,
            value: [0; 19],
            value_len: 0,
            value_ended: false,
            length: None,
            chunked: false,
            size: 0,
        }
    }

    /// Whether a message has begun and not ended.
    pub(crate) fn mid_message(&self) -> bool {
        !matches!(self.state, State::Before(_) | State::Connect)
    }

    /// Whether a CONNECT waits for its answer.
    pub(crate) fn awaits_answer(&self) -> bool {
        self.state == State::Connect
    }

    /// The CONNECT was answered, and not by a tunnel.
    pub(crate) fn answered(&mut self) {
        if self.state == State::Connect {
            self.state = State::Before(0);
        }
    }

    /// Reads on. The index of the first octet that must not be accepted.
    pub(crate) fn read(&mut self, octets: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(rest) = octets.get(at..).filter(|rest| !rest.is_empty()) {
            // What is most of the stream goes by in one step.
            let plain = match self.state {
                State::Data { left, chunked } => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    self.state = match left - here as u64 {
                        0 if chunked => State::ChunkCr,
                        0 => State::Before(0),
                        left => State::Data { left, chunked },
                    };
                    here
                }
                State::Value if self.framing == Framing::Other => {
                    rest.iter().position(|octet| !is_text(*octet)).unwrap_or(rest.len())
                }
                _ => 0,
            };
            at += plain;
            if plain == 0 {
                let octet = rest.first().copied().unwrap_or_default();
                match self.step(octet) {
                    Some(state) => self.state = state,
                    None => return Some(at),
                }
                at += 1;
            }
        }
        None
    }

    fn step(&mut self, octet: u8) -> Option<State> {
        match (self.state, octet) {
            (State::Before(lines), b'\r') if lines < EMPTY_LINES => Some(State::BeforeCr(lines)),
            (State::BeforeCr(lines), b'\n') => Some(State::Before(lines + 1)),
            (State::Before(_), _) if is_token(octet) => {
                self.begin();
                Some(State::RequestLine(u64::from(octet)))
            }
            (State::RequestLine(last), b'\r') => {
                self.http10 = last == HTTP_1_;
                (last & !1 == HTTP_1_).then_some(State::LineEnd(After::Line))
            }
            (State::RequestLine(last), b' '..=b'~' | 0x80..) => {
                let last = last << 8 | u64::from(octet);
                self.line = self.line.saturating_add(1);
                self.connect |= self.tunnels && self.line == 8 && last == CONNECT_;
                Some(State::RequestLine(last))
            }
            (State::LineEnd(After::Line), b'\n') => Some(State::LineStart),
            (State::LineEnd(After::EndOfHead), b'\n') => self.body(),
            (State::LineStart, b'\r') => Some(State::LineEnd(After::EndOfHead)),
            (State::LineStart, _) if is_token(octet) => {
                self.name_len = 0;
                self.name_octet(octet);
                Some(State::Name)
            }
            (State::Name, b':') => self.name_ends(),
            (State::Name, _) if is_token(octet) => {
                self.name_octet(octet);
                Some(State::Name)
            }
            (State::Value, b'\r') => self.value_ends(),
            (State::Value, _) if is_text(octet) => self.value_octet(octet),
            (State::ChunkSize(digits), _) => self.chunk_size(digits, octet),
            (State::ChunkExtension(_), b'\r') => Some(State::ChunkSizeEnd),
            (State::ChunkExtension(length), _) if is_text(octet) && length < EXTENSION => {
                Some(State::ChunkExtension(length + 1))
            }
            (State::ChunkSizeEnd, b'\n') if self.size == 0 => {
                self.trailers = true;
                Some(State::LineStart)
            }
            (State::ChunkSizeEnd, b'\n') => Some(State::Data { left: self.size, chunked: true }),
            (State::ChunkCr, b'\r') => Some(State::ChunkLf),
            (State::ChunkLf, b'\n') => Some(self.next_chunk()),
            _ => None,
        }
    }

    fn begin(&mut self) {
        self.trailers = false;
        self.line = 1;
        self.connect = false;
        self.length = None;
        self.chunked = false;
    }

    fn name_octet(&mut self, octet: u8) {
        if let Some(place) = self.name.get_mut(self.name_len) {
            *place = octet.to_ascii_lowercase();
        }
        self.name_len = self.name_len.saturating_add(1);
    }

    fn name_ends(&mut self) -> Option<State> {
        self.framing = match self.name.get(..self.name_len) {
            Some(CONTENT_LENGTH) => Framing::ContentLength,
            Some(TRANSFER_ENCODING) => Framing::TransferEncoding,
            _ => Framing::Other,
        };
        self.value_len = 0;
        self.value_ended = false;
        (self.framing == Framing::Other || !self.trailers).then_some(State::Value)
    }

    /// An octet in the value of a framing field.
    fn value_octet(&mut self, octet: u8) -> Option<State> {
        if self.framing == Framing::Other {
            return Some(State::Value);
        }
        if matches!(octet, b' ' | b'\t') {
            self.value_ended = self.value_len != 0;
            return Some(State::Value);
        }
        let place = self.value.get_mut(self.value_len).filter(|_| !self.value_ended)?;
        *place = octet;
        self.value_len += 1;
        Some(State::Value)
    }

    fn value_ends(&mut self) -> Option<State> {
        let value = self.value.get(..self.value_len)?;
        match self.framing {
            Framing::Other => {}
            Framing::ContentLength => {
                if self.length.is_some() || self.chunked || value.is_empty() || !value.iter().all(u8::is_ascii_digit)
                {
                    return None;
                }
                // 19 digits fit into 64 bits.
                self.length = Some(value.iter().fold(0, |length, digit| length * 10 + u64::from(digit - b'0')));
            }
            Framing::TransferEncoding => {
                let once = self.length.is_none() && !self.chunked && !self.http10;
                if !once || !value.eq_ignore_ascii_case(b"chunked") {
                    return None;
                }
                self.chunked = true;
            }
        }
        Some(State::LineEnd(After::Line))
    }

    fn body(&mut self) -> Option<State> {
        Some(match self.length {
            _ if self.trailers => State::Before(0),
            // Content has no meaning there (RFC 9110 §9.3.6), and would have to be told from the tunnel's octets.
            length if self.connect => return (length.unwrap_or(0) == 0 && !self.chunked).then_some(State::Connect),
            _ if self.chunked => self.next_chunk(),
            Some(left) if left > 0 => State::Data { left, chunked: false },
            _ => State::Before(0),
        })
    }

    fn next_chunk(&mut self) -> State {
        self.size = 0;
        State::ChunkSize(0)
    }

    fn chunk_size(&mut self, digits: u8, octet: u8) -> Option<State> {
        let digit = match octet {
            b'\r' if digits > 0 => return Some(State::ChunkSizeEnd),
            b';' if digits > 0 => return Some(State::ChunkExtension(0)),
            _ => char::from(octet).to_digit(16)?,
        };
        self.size = self.size << 4 | u64::from(digit);
        (digits < 15).then_some(State::ChunkSize(digits + 1))
    }
}

/// RFC 9110 §5.6.2.
fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(
            octet,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// What a field's value may consist of (RFC 9110 §5.5).
fn is_text(octet: u8) -> bool {
    matches!(octet, b'\t' | b' '..=b'~' | 0x80..)
}

/// The door for fuzzing.
#[cfg(feature = "fuzzing")]
pub(super) mod door {
    /// A reader of one connection.
    #[derive(Debug)]
    pub struct Reader(super::Strict);

    impl Reader {
        /// At the beginning of a connection.
        #[must_use]
        #[allow(clippy::new_without_default)]
        pub const fn new() -> Self {
            Self(super::Strict::new(false))
        }

        /// Reads on. The index of the first octet that must not be accepted.
        pub fn read(&mut self, octets: &[u8]) -> Option<usize> {
            self.0.read(octets)
        }

        /// Whether a message has begun and not ended.
        #[must_use]
        pub fn mid_message(&self) -> bool {
            self.0.mid_message()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The index of the octet that is refused, the same for any way in which the octets arrive.
    fn refused(octets: &[u8]) -> Option<usize> {
        refused_by(false, octets)
    }

    fn refused_by(tunnels: bool, octets: &[u8]) -> Option<usize> {
        let whole = Strict::new(tunnels).read(octets);
        for size in [1, 2, 7] {
            let mut strict = Strict::new(tunnels);
            let mut at = 0;
            let piecewise = octets.chunks(size).find_map(|piece| {
                let found = strict.read(piece).map(|index| at + index);
                at += piece.len();
                found
            });
            assert_eq!(piecewise, whole);
        }
        whole
    }

    #[test]
    fn what_is_unambiguous_passes() {
        for good in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\n\r\nGET / HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\ncontent-LENGTH: 3 \r\n\r\n\0\n\rGET / HTTP/1.1\r\nhost:\ta\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\na\nb\r\n0A;x=\"y\"\r\n0123456789\r\n0\r\nX: y\r\n\r\nGET",
            "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET /\u{e9} HTTP/1.1\r\nX-Content-Length: a b\r\n\r\n",
        ] {
            assert_eq!(refused(good.as_bytes()), None, "{good:?}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        // Each up to and including the octet that is refused.
        for bad in [
            "GET / HTTP/1.1\n",
            "GET / HTTP/1.1\r\nHost: a\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "GET / HTTP/1.1\r\nHost: a\rb",
            "GET / HTTP/1.1\r\r",
            "\n",
            "\r\n\r\n\r\n\r\n\r",
            " ",
            "GET /\0",
            "GET /\t",
            "GET / HTTP/2.0\r",
            "GET /\r",
            "GET / HTTP/1.10\r",
            "GET / HTTP/1.1\r\nX: a\r\n ",
            "GET / HTTP/1.1\r\n ",
            "GET / HTTP/1.1\r\nHost ",
            "GET / HTTP/1.1\r\n:",
            "GET / HTTP/1.1\r\nX\r",
            "GET / HTTP/1.1\r\nX: \x7f",
            "GET / HTTP/1.1\r\nX: \x01",
            "P / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r",
            "P / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r",
            "P / HTTP/1.1\r\nContent-Length: 1, 1",
            "P / HTTP/1.1\r\nContent-Length: +1\r",
            "P / HTTP/1.1\r\nContent-Length: 0x1\r",
            "P / HTTP/1.1\r\nContent-Length: \r",
            "P / HTTP/1.1\r\nContent-Length: 1 2",
            "P / HTTP/1.1\r\nContent-Length: 12345678901234567890",
            "P / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r",
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r",
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked, i",
            "P / HTTP/1.1\r\nTransfer-Encoding: identity\r",
            "P / HTTP/1.1\r\nTransfer-Encoding: xchunked\r",
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r",
            "P / HTTP/1.0\r\nTransfer-Encoding: chunked\r",
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r",
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\n",
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1 ",
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-",
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000000",
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a\n",
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naa",
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\n",
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length:",
        ] {
            assert_eq!(refused(bad.as_bytes()), Some(bad.len() - 1), "{bad:?}");
        }
    }

    #[test]
    fn it_knows_where_messages_end() {
        let mut strict = Strict::new(false);
        assert_eq!(strict.read(b"P / HTTP/1.1\r\nContent-Length: 2\r\n\r\na"), None);
        assert!(strict.mid_message());
        assert_eq!(strict.read(b"b"), None);
        assert!(!strict.mid_message());
    }

    #[test]
    fn nothing_follows_a_connect_before_its_answer() {
        let head = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 0\r\n\r\n";
        for behind in ["G", "\r", "\n", "\u{16}"] {
            let sent = format!("{head}{behind}");
            assert_eq!(refused_by(true, sent.as_bytes()), Some(head.len()), "{sent:?}");
        }
        let mut strict = Strict::new(true);
        assert_eq!(strict.read(head.as_bytes()), None);
        assert!(strict.awaits_answer() && !strict.mid_message());
        strict.answered();
        assert_eq!(strict.read(head.as_bytes()), None, "another one may follow the answer");
        // A body of it could be a request in somebody else's eyes.
        for framing in ["Content-Length: 1", "Transfer-Encoding: chunked"] {
            let sent = format!("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n{framing}\r\n\r\n");
            assert_eq!(refused_by(true, sent.as_bytes()), Some(sent.len() - 1), "{sent:?}");
        }
        // It is a method, and nothing else that looks like it.
        for other in [
            "GET /CONNECT HTTP/1.1\r\n\r\nGET",
            "CONNECTS a:1 HTTP/1.1\r\n\r\nGET",
            "connect a:1 HTTP/1.1\r\n\r\nGET",
        ] {
            assert_eq!(refused_by(true, other.as_bytes()), None, "{other:?}");
        }
        // Where there are no tunnels, it is a request like every other.
        assert_eq!(refused(format!("{head}GET / HTTP/1.1\r\n\r\n").as_bytes()), None);
    }

    proptest! {
        #[test]
        fn arbitrary_octets_are_read_alike_in_any_pieces(octets: Vec<u8>, text in "[ -~\r\n\t]{0,200}") {
            refused(&octets);
            refused(format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{text}").as_bytes());
            refused(format!("GET / HTTP/1.1\r\n{text}").as_bytes());
        }
    }
}
