//! Writes field values in the canonical form that RFC 8120 §3.2 recommends.

use super::{ExtensiveToken, Natural, ext_value};
use alloc::string::String;
use base64ct::{Base64, Encoding as _};
use core::fmt::Write as _;

/// Builds one challenge, credential or information field, parameter by parameter.
///
/// The canonical forms: tokens, integers and hexadecimal numbers unquoted; strings and base64 numbers quoted; strings
/// outside ASCII as ext-values (RFC 8120 §3.1, §3.2).
#[derive(Debug, Default)]
pub(crate) struct FieldWriter {
    out: String,
    has_params: bool,
}

impl FieldWriter {
    /// Starts a challenge or credential of `scheme`.
    #[must_use]
    pub(crate) fn new(scheme: &str) -> Self {
        let mut out = String::with_capacity(512);
        out.push_str(scheme);
        out.push(' ');
        Self { out, has_params: false }
    }

    /// Starts an information field, which names no scheme (RFC 7615 §3).
    #[must_use]
    pub(crate) fn bare() -> Self {
        Self::default()
    }

    fn name(&mut self, name: &str) {
        if self.has_params {
            self.out.push_str(", ");
        }
        self.has_params = true;
        self.out.push_str(name);
    }

    /// Adds a token as it is.
    pub(crate) fn token(&mut self, name: &str, value: &ExtensiveToken) -> &mut Self {
        self.name(name);
        self.out.push('=');
        self.out.push_str(value.as_str());
        self
    }

    /// Adds an integer.
    pub(crate) fn integer(&mut self, name: &str, value: Natural) -> &mut Self {
        self.name(name);
        // Writing to a String cannot fail.
        let _ = write!(self.out, "={value}");
        self
    }

    /// Adds a string: quoted if it is ASCII, as `name*=UTF-8''…` otherwise (RFC 8120 §3.1).
    pub(crate) fn string(&mut self, name: &str, value: &str) -> &mut Self {
        if value.is_ascii() {
            return self.plain_string(name, value);
        }
        self.name(name);
        self.out.push_str("*=");
        ext_value::encode(value, &mut self.out);
        self
    }

    /// Adds a string quoted, whatever its characters: only `realm`, which has no extended form (RFC 8120 §4.1).
    pub(crate) fn plain_string(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        self.out.push_str("=\"");
        for character in value.chars() {
            if matches!(character, '"' | '\\') {
                self.out.push('\\');
            }
            self.out.push(character);
        }
        self.out.push('"');
        self
    }

    /// Adds a `hex-fixed-number` in lower case.
    pub(crate) fn hex(&mut self, name: &str, octets: &[u8]) -> &mut Self {
        self.name(name);
        self.out.push('=');
        self.out.push_str(&base16ct::lower::encode_string(octets));
        self
    }

    /// Adds a `base64-fixed-number`, quoted.
    pub(crate) fn base64(&mut self, name: &str, octets: &[u8]) -> &mut Self {
        self.name(name);
        self.out.push_str("=\"");
        self.out.push_str(&Base64::encode_string(octets));
        self.out.push('"');
        self
    }

    /// The finished field value.
    #[must_use]
    pub(crate) fn finish(self) -> String {
        self.out
    }
}
