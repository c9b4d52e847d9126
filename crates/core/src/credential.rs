//! User names and passwords, prepared so that every keyboard gives the same octets (RFC 8120 §9, RFC 8265).

use crate::secret::secret;
use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;
use precis_profiles::precis_core::profile::Profile as _;
use precis_profiles::{OpaqueString, UsernameCasePreserved};
use zeroize::Zeroizing;

/// The longest user name, in octets after preparation.
pub const MAX_USERNAME_LEN: usize = 1024;
/// The longest password, in octets before preparation.
pub const MAX_PASSWORD_LEN: usize = 4096;

/// A user name as it stands in messages and goes into `pi`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

/// Why a user name or a password cannot be used. It never holds the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// Longer than [`MAX_USERNAME_LEN`] or [`MAX_PASSWORD_LEN`].
    #[error("it is too long")]
    TooLong,
    /// A character that the profile of RFC 8265 disallows: controls in both, symbols and unusual spaces in user names.
    #[error("it holds a character that is not allowed")]
    Disallowed,
    /// A space at either end of a user name.
    #[error("it begins or ends with a space")]
    OuterSpace,
}

impl Username {
    /// Prepares what a user typed, by the profile `UsernameCasePreserved` (RFC 8265 §3.4).
    ///
    /// A name may consist of several parts with spaces between them (RFC 8265 §3.1); each part is prepared by itself.
    ///
    /// # Errors
    /// [`PrepareError`] says what is wrong with the name.
    pub fn prepare(typed: &str) -> Result<Self, PrepareError> {
        if typed.is_empty() {
            return Err(PrepareError::Empty);
        }
        if typed.len() > MAX_USERNAME_LEN {
            return Err(PrepareError::TooLong);
        }
        if typed.starts_with(' ') || typed.ends_with(' ') {
            return Err(PrepareError::OuterSpace);
        }
        let profile = UsernameCasePreserved::new();
        let mut name = String::with_capacity(typed.len());
        for (position, part) in typed.split(' ').enumerate() {
            if position > 0 {
                name.push(' ');
            }
            if !part.is_empty() {
                name.push_str(&stable(part, |text| profile.enforce(text).ok().map(Cow::into_owned))?);
            }
        }
        if name.len() > MAX_USERNAME_LEN { Err(PrepareError::TooLong) } else { Ok(Self(name)) }
    }

    /// Takes a name that is prepared already, as from a user database (RFC 8120 §9, last paragraph).
    ///
    /// # Errors
    /// [`PrepareError`] if it is empty, too long, or could not stand in a header field.
    pub fn prepared(name: impl Into<String>) -> Result<Self, PrepareError> {
        let name = name.into();
        match name.len() {
            0 => Err(PrepareError::Empty),
            1..=MAX_USERNAME_LEN if name.chars().any(char::is_control) || name.starts_with('\u{feff}') => {
                Err(PrepareError::Disallowed)
            }
            1..=MAX_USERNAME_LEN => Ok(Self(name)),
            _ => Err(PrepareError::TooLong),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

secret! {
    /// A prepared password. It is needed only until `pi` is derived from it.
    pub struct Password;
}

impl Password {
    /// Prepares what a user typed, by the profile `OpaqueString` (RFC 8265 §4.2): case, width and spaces inside are kept,
    /// composed and decomposed characters become the same, and every space becomes the ASCII one.
    ///
    /// The caller still owns `typed` and should wipe it.
    ///
    /// # Errors
    /// [`PrepareError`] says what is wrong with it, without repeating it.
    pub fn prepare(typed: &str) -> Result<Self, PrepareError> {
        if typed.is_empty() {
            return Err(PrepareError::Empty);
        }
        if typed.len() > MAX_PASSWORD_LEN {
            return Err(PrepareError::TooLong);
        }
        let profile = OpaqueString::new();
        let prepared = stable(typed, |text| profile.enforce(text).ok().map(Cow::into_owned))?;
        Ok(Self(Zeroizing::new(prepared.into_bytes()).into()))
    }

    pub(crate) fn as_octets(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// Applies the rules of a profile until its output does not change, at most three times more than once (RFC 8265, end of
/// section 5); the text is refused if it never settles.
fn stable(text: &str, enforce: impl Fn(&str) -> Option<String>) -> Result<String, PrepareError> {
    let mut before = Zeroizing::new(enforce(text).ok_or(PrepareError::Disallowed)?);
    for _ in 0..3 {
        let mut after = Zeroizing::new(enforce(&before).ok_or(PrepareError::Disallowed)?);
        if *after == *before {
            return Ok(core::mem::take(&mut *after));
        }
        before = after;
    }
    Err(PrepareError::Disallowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_keep_case_and_spaces_between_parts() {
        for (typed, name) in [
            ("alice", "alice"),
            ("Alice Smith", "Alice Smith"),
            ("René of France", "René of France"),
            ("Rene\u{301} of France", "René of France"),
            ("ａｌｉｃｅ", "alice"),
            ("山田太郎", "山田太郎"),
            ("alice@example.com", "alice@example.com"),
        ] {
            assert_eq!(Username::prepare(typed).map(|name| name.0).as_deref(), Ok(name));
        }
    }

    #[test]
    fn user_names_that_would_not_compare_are_refused() {
        for (typed, error) in [
            ("", PrepareError::Empty),
            (" alice", PrepareError::OuterSpace),
            ("alice ", PrepareError::OuterSpace),
            ("ali\u{7}ce", PrepareError::Disallowed),
            ("ali\u{a0}ce", PrepareError::Disallowed),
            ("ali\tce", PrepareError::Disallowed),
            ("♚", PrepareError::Disallowed),
            // Allowed at first sight; what it becomes is not.
            ("l\u{b7}l\u{301}", PrepareError::Disallowed),
        ] {
            assert_eq!(Username::prepare(typed), Err(error), "{typed:?}");
        }
        assert_eq!(Username::prepare(&"a".repeat(MAX_USERNAME_LEN + 1)), Err(PrepareError::TooLong));
        assert!(Username::prepared("ali\nce").is_err());
    }

    #[test]
    fn passwords_are_normalised_but_not_folded() {
        let octets = |typed| Password::prepare(typed).map(|password| password.as_octets().to_vec());
        assert_eq!(octets("pa\u{301}ss wörd"), octets("páss wörd"));
        assert_eq!(octets("a\u{3000}b"), octets("a b"));
        assert_ne!(octets("Password"), octets("password"));
        assert_ne!(octets("ａ"), octets("a"));
        assert_eq!(octets("correct horse"), Ok(b"correct horse".to_vec()));
        assert_eq!(octets(""), Err(PrepareError::Empty));
        assert_eq!(octets("a\u{0}b"), Err(PrepareError::Disallowed));
        assert_eq!(octets(&"a".repeat(MAX_PASSWORD_LEN + 1)), Err(PrepareError::TooLong));
    }

    #[test]
    fn a_password_does_not_print() {
        let password = Password::prepare("hunter2").unwrap();
        assert_eq!(alloc::format!("{password:?}"), "Password(secret)");
    }
}
