//! Names of principals and groups, keys and values of attributes.

use super::NameError;
use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// The longest name of a principal or group, in octets.
pub const MAX_NAME_LEN: usize = 128;
/// The longest key of an attribute, in octets.
pub const MAX_ATTRIBUTE_KEY_LEN: usize = 64;
/// The longest value of an attribute, in octets.
pub const MAX_ATTRIBUTE_VALUE_LEN: usize = 1024;

/// `[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}`.
fn is_name(text: &str) -> bool {
    let good = |octet: u8| octet.is_ascii_alphanumeric() || b"._@+-".contains(&octet);
    (1..=MAX_NAME_LEN).contains(&text.len())
        && text.bytes().all(good)
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

/// `[A-Za-z][A-Za-z0-9._-]{0,63}`.
fn is_key(text: &str) -> bool {
    let good = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
    (1..=MAX_ATTRIBUTE_KEY_LEN).contains(&text.len())
        && text.bytes().all(good)
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
}

fn is_value(text: &str) -> bool {
    text.len() <= MAX_ATTRIBUTE_VALUE_LEN && !text.chars().any(char::is_control)
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $check:ident, $error:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes it.
            ///
            /// # Errors
            #[doc = concat!("[`NameError::", stringify!($error), "`].")]
            pub fn new(text: &str) -> Result<Self, NameError> {
                if $check(text) { Ok(Self(text.into())) } else { Err(NameError::$error) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
    };
}

text! {
    /// The name of a registered principal: `[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}`, compared octet for octet.
    PrincipalName, is_name, PrincipalName
}

text! {
    /// The name of a group: `[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}`, compared octet for octet.
    GroupName, is_name, GroupName
}

text! {
    /// The key of an attribute: `[A-Za-z][A-Za-z0-9._-]{0,63}`, compared octet for octet.
    AttributeKey, is_key, AttributeKey
}

text! {
    /// The value of an attribute: a text of at most 1024 octets, without control characters.
    AttributeValue, is_value, AttributeValue
}
