//! `auth-param` lists: the parameters of one challenge, credential or information field (RFC 9110 §11.2).

use super::cursor::Cursor;
use super::{ExtensiveToken, MAX_PARAMS, Natural, SyntaxError, ext_value};
use alloc::string::String;
use alloc::vec::Vec;

/// How a parameter's value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As a token or a quoted string, which mean the same (RFC 8120 §3.2).
    Plain,
    /// As an unquoted value of a name that ends in `*` (RFC 8187).
    Ext,
    /// As a quoted value of a name that ends in `*`, which RFC 8187 does not know.
    QuotedExt,
}

/// One parameter, its value unquoted but not yet interpreted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    name: String,
    form: Form,
    value: Vec<u8>,
}

impl Param {
    /// The name in lower case, without the `*` of an extended one.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value as text, whichever form it was sent in. `None` if it is not UTF-8 or a malformed ext-value.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self.form {
            Form::Plain => String::from_utf8(self.value.clone()).ok(),
            Form::Ext => ext_value::decode(&self.value),
            Form::QuotedExt => None,
        }
    }

    /// The octets of a value that was sent in plain form, as everything but strings must be.
    fn plain(&self) -> Option<&[u8]> {
        (self.form == Form::Plain).then_some(&self.value)
    }
}

/// A parameter is absent, or its value is of the wrong kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamError {
    /// A mandatory parameter is not there.
    #[error("parameter \"{name}\" is missing")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// The value does not have the syntax that the parameter asks for.
    #[error("parameter \"{name}\" is not {expected}")]
    Invalid {
        /// Its name.
        name: &'static str,
        /// What the value should have been.
        expected: &'static str,
    },
}

/// The parameters of one challenge, credential or information field: no name occurs twice, in either spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<Param>);

impl Params {
    /// All parameters in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &Param> {
        self.0.iter()
    }

    /// The parameter of this lower-case name, in whichever spelling it came.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|param| param.name == name)
    }

    /// Reads `name BWS "=" BWS value` at the cursor and adds it. The cursor stands on the name.
    pub(super) fn read_param(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SyntaxError> {
        let at = cursor.at();
        let name = cursor.token("a parameter name")?;
        cursor.white_space();
        if !cursor.eat(b'=') {
            return Err(cursor.expected("\"=\" after the parameter name"));
        }
        cursor.white_space();
        let (bare, extended) = match name {
            [bare @ .., b'*'] if !bare.is_empty() => (bare, true),
            _ => (name, false),
        };
        let quoted = cursor.peek() == Some(b'"');
        let value = if quoted {
            cursor.quoted_string()?
        } else {
            cursor.token("a value: a token or a quoted string")?.to_vec()
        };
        let form = match (extended, quoted) {
            (false, _) => Form::Plain,
            (true, false) => Form::Ext,
            (true, true) => Form::QuotedExt,
        };
        let name = String::from_utf8_lossy(bare).to_ascii_lowercase();
        if self.get(&name).is_some() {
            return Err(SyntaxError::Duplicate { at });
        }
        if self.0.len() >= MAX_PARAMS {
            return Err(SyntaxError::TooMany);
        }
        self.0.push(Param { name, form, value });
        Ok(())
    }

    /// A `string` (RFC 8120 §3.2.2): UTF-8 without a leading byte order mark.
    pub(crate) fn string(&self, name: &'static str) -> Result<Option<String>, ParamError> {
        let expected = "a UTF-8 string, plain or as an ext-value of RFC 8187";
        self.get(name)
            .map(|param| {
                param
                    .text()
                    .filter(|text| !text.starts_with('\u{feff}'))
                    .ok_or(ParamError::Invalid { name, expected })
            })
            .transpose()
    }

    /// A `string` that may never be sent as an ext-value: only `realm` (RFC 8120 §3.1).
    pub(crate) fn plain_string(&self, name: &'static str) -> Result<Option<String>, ParamError> {
        match self.get(name) {
            Some(param) if param.plain().is_none() => {
                Err(ParamError::Invalid { name, expected: "in plain form; an ext-value is not allowed here" })
            }
            _ => self.string(name),
        }
    }

    /// An `extensive-token` (RFC 8120 §3.2.1).
    pub(crate) fn token(&self, name: &'static str) -> Result<Option<ExtensiveToken>, ParamError> {
        self.typed(name, "a token of RFC 8120 section 3.2.1", |value| {
            ExtensiveToken::new(core::str::from_utf8(value).ok()?).ok()
        })
    }

    /// An `integer` (RFC 8120 §3.2.3).
    pub(crate) fn integer(&self, name: &'static str) -> Result<Option<Natural>, ParamError> {
        self.typed(name, "an integer without leading zeros", Natural::parse)
    }

    /// A value that `read` understands; `expected` says in words what it looks for.
    pub(crate) fn typed<T>(
        &self,
        name: &'static str,
        expected: &'static str,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, ParamError> {
        self.get(name)
            .map(|param| param.plain().and_then(read).ok_or(ParamError::Invalid { name, expected }))
            .transpose()
    }
}
