//! A reader over the octets of one field value: tokens, quoted strings and white space (RFC 9110 §5.6).

use super::SyntaxError;
use alloc::vec::Vec;

/// `tchar` of RFC 9110 §5.6.2.
pub(super) fn is_tchar(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

/// The characters of `token68` before its padding (RFC 9110 §11.2).
fn is_token68(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~+/".contains(&octet)
}

/// `qdtext`, and what may follow a backslash: tabs, visible ASCII, spaces and obs-text, but no control.
fn is_text(octet: u8) -> bool {
    octet == b'\t' || (octet >= b' ' && octet != 0x7f)
}

#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.input.len()
    }

    pub(super) fn expected(&self, what: &'static str) -> SyntaxError {
        SyntaxError::Expected { what, at: self.at }
    }

    /// Takes the next octet if it is `wanted`.
    pub(super) fn eat(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += 1;
        }
        found
    }

    /// Takes the longest run of octets that satisfy `accept`; it may be empty.
    fn run(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|octet| !accept(*octet)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// `OWS` and `BWS`: optional spaces and tabs. Says whether there were any.
    pub(super) fn white_space(&mut self) -> bool {
        !self.run(|octet| octet == b' ' || octet == b'\t').is_empty()
    }

    /// White space and empty list elements before the next element (RFC 9110 §5.6.1.2).
    pub(super) fn list_gap(&mut self) {
        self.run(|octet| matches!(octet, b' ' | b'\t' | b','));
    }

    pub(super) fn token(&mut self, what: &'static str) -> Result<&'a [u8], SyntaxError> {
        let token = self.run(is_tchar);
        if token.is_empty() { Err(self.expected(what)) } else { Ok(token) }
    }

    /// A `token68` that fills its list element, or nothing (and nothing is taken).
    pub(super) fn token68(&mut self) -> Option<&'a [u8]> {
        let start = *self;
        let text = self.run(is_token68);
        self.run(|octet| octet == b'=');
        let taken = self.input.get(start.at..self.at).unwrap_or_default();
        self.white_space();
        if !text.is_empty() && matches!(self.peek(), None | Some(b',')) {
            Some(taken)
        } else {
            *self = start;
            None
        }
    }

    /// A quoted string, unescaped; the cursor stands on its opening quote.
    pub(super) fn quoted_string(&mut self) -> Result<Vec<u8>, SyntaxError> {
        if !self.eat(b'"') {
            return Err(self.expected("an opening quote"));
        }
        let mut value = Vec::new();
        loop {
            value.extend_from_slice(self.run(|octet| is_text(octet) && octet != b'"' && octet != b'\\'));
            if self.eat(b'"') {
                return Ok(value);
            }
            if !self.eat(b'\\') {
                return Err(self.expected("text or a closing quote"));
            }
            match self.peek() {
                Some(octet) if is_text(octet) => {
                    value.push(octet);
                    self.at += 1;
                }
                _ => return Err(self.expected("a character after the backslash")),
            }
        }
    }
}
