//! How sessions are written down for a store: parts with their lengths in front, a format octet before all.
//!
//! Only this crate reads it. What it does not know, or what was cut off, is no session.

use crate::octets::push_vs;
use crate::validation::ValidationMethod;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use zeroize::Zeroizing;

/// Says that these are octets of a session, and in which format.
const FORMAT: u8 = 1;

/// The parts of a session, one behind another.
pub(crate) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub(crate) fn new() -> Self {
        // Large enough for a P-256 session, so that no copy of its secrets is left behind by growth.
        let mut octets = Zeroizing::new(Vec::with_capacity(4096));
        octets.push(FORMAT);
        Self(octets)
    }

    pub(crate) fn octets(&mut self, part: &[u8]) {
        push_vs(&mut self.0, part);
    }

    pub(crate) fn text(&mut self, part: &str) {
        self.octets(part.as_bytes());
    }

    pub(crate) fn number(&mut self, part: u64) {
        self.octets(&part.to_be_bytes());
    }

    pub(crate) fn duration(&mut self, part: Duration) {
        self.number(part.as_secs());
        self.number(part.subsec_nanos().into());
    }

    pub(crate) fn validation(&mut self, part: ValidationMethod) {
        self.text(part.as_str());
    }

    pub(crate) fn optional(&mut self, part: Option<&str>) {
        self.number(u64::from(part.is_some()));
        self.text(part.unwrap_or_default());
    }

    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

/// Takes the parts off again; `None` whenever what should be there is not.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Option<Self> {
        let (format, rest) = octets.split_first()?;
        (*format == FORMAT).then_some(Self(rest))
    }

    pub(crate) fn octets(&mut self) -> Option<&'a [u8]> {
        let mut length = 0usize;
        // There is one way to write a length.
        if self.0.first() == Some(&0x80) {
            return None;
        }
        loop {
            let (digit, rest) = self.0.split_first()?;
            self.0 = rest;
            length = length.checked_mul(128)?.checked_add(usize::from(digit & 0x7f))?;
            if digit & 0x80 == 0 {
                break;
            }
        }
        let (part, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(part)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        core::str::from_utf8(self.octets()?).ok()
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.octets()?.try_into().ok()?))
    }

    pub(crate) fn duration(&mut self) -> Option<Duration> {
        let seconds = self.number()?;
        let nanos = u32::try_from(self.number()?).ok().filter(|nanos| *nanos < 1_000_000_000)?;
        Some(Duration::new(seconds, nanos))
    }

    pub(crate) fn validation(&mut self) -> Option<ValidationMethod> {
        let text = self.text()?;
        ValidationMethod::ALL.into_iter().find(|method| method.as_str() == text)
    }

    pub(crate) fn optional(&mut self) -> Option<Option<String>> {
        let present = self.number()?;
        let text = self.text()?;
        match present {
            0 if text.is_empty() => Some(None),
            1 => Some(Some(text.into())),
            _ => None,
        }
    }

    /// There is nothing behind the last part.
    pub(crate) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}
