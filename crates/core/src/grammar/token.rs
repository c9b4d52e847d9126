//! Bare, extension and extensive tokens (RFC 8120 §3.2.1, RFC 8053 §2.2).

use alloc::string::String;
use core::fmt;

/// A token of the set that the protocol may extend, kept in lower case.
///
/// ```abnf
/// bare-token           = bare-token-lead-char *bare-token-char
/// bare-token-lead-char = DIGIT / ALPHA
/// bare-token-char      = DIGIT / ALPHA / "-" / "_"
/// extension-token      = "-" bare-token 1*("." bare-token)
/// extensive-token      = bare-token / extension-token
/// ```
///
/// Tokens are case-insensitive, sent in lower case, and always lower case in hashes; keeping them so makes comparison
/// and hashing right without a thought (RFC 8120 §3.2.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensiveToken(String);

/// The text is not an `extensive-token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token of RFC 8120 section 3.2.1")]
pub struct TokenError;

impl ExtensiveToken {
    /// Checks the syntax and folds to lower case.
    ///
    /// # Errors
    /// [`TokenError`] if `text` does not match `extensive-token`.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let good = match text.strip_prefix('-') {
            None => is_bare(text),
            Some(extension) => extension.contains('.') && extension.split('.').all(is_bare),
        };
        if good { Ok(Self(text.to_ascii_lowercase())) } else { Err(TokenError) }
    }

    /// A token that is known to be good and in lower case: a constant of this crate.
    pub(crate) fn known(text: &str) -> Self {
        debug_assert!(Self::new(text).is_ok_and(|token| token.as_str() == text));
        Self(text.into())
    }

    /// The token in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_bare(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
}

impl fmt::Display for ExtensiveToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_case_insensitive() {
        let mixed = ExtensiveToken::new("ISO-kam3-EC-p256-SHA256").unwrap();
        assert_eq!(mixed.as_str(), "iso-kam3-ec-p256-sha256");
        assert_eq!(mixed, ExtensiveToken::new("iso-kam3-ec-p256-sha256").unwrap());
    }

    #[test]
    fn extension_tokens_name_a_domain() {
        for good in ["-mine.example.com", "-a_b.c-d", "mine", "0"] {
            assert!(ExtensiveToken::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-", "-mine", "-mine.", "-.example", "a.b", "_a", "a b", "a=b", "é", "-a..b", "-a.-b", "a\""]
        {
            assert_eq!(ExtensiveToken::new(bad), Err(TokenError), "{bad:?}");
        }
    }
}
