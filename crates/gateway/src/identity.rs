//! The fields that tell an application who sent a request.
//!
//! They are taken out of every request that comes in, in every spelling, before any is set: an application that finds one can
//! rely on it.

use crate::config::Identity;
use http::{HeaderName, HeaderValue};
use std::fmt::Write as _;
use tagai_core::server::AuthenticatedUser;

/// The fields that say who was proven by HTTP Mutual authentication.
#[must_use]
pub fn fields(names: &Identity, user: &AuthenticatedUser) -> [(HeaderName, HeaderValue); 3] {
    [
        (names.user.clone(), encode(user.name().as_str())),
        (names.realm.clone(), encode(user.realm().name.as_str())),
        (names.method.clone(), HeaderValue::from_static("mutual")),
    ]
}

/// Text as a field value: visible ASCII as it is, everything else and `%` percent-encoded in UTF-8. So the value, decoded,
/// is the text, and two texts never have one value.
#[must_use]
pub fn encode(text: &str) -> HeaderValue {
    let kept = |octet: u8| octet.is_ascii_graphic() && octet != b'%';
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        if kept(octet) {
            encoded.push(char::from(octet));
        } else {
            let _ = write!(encoded, "%{octet:02X}");
        }
    }
    // What was written is visible ASCII.
    HeaderValue::try_from(encoded).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_stay_as_they_are() {
        for (name, value) in [
            ("john", "john"),
            ("j.doe@example.com", "j.doe@example.com"),
            ("50% off", "50%25%20off"),
            ("互い", "%E4%BA%92%E3%81%84"),
        ] {
            assert_eq!(encode(name), value);
        }
    }

    fn decode(text: &str) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if first == '%' {
                octets.push(u8::from_str_radix(&rest[1..3], 16).unwrap());
                rest = &rest[3..];
            } else {
                octets.push(first as u8);
                rest = &rest[1..];
            }
        }
        octets
    }

    proptest! {
        #[test]
        fn what_is_encoded_can_be_decoded(text in "\\PC{0,40}") {
            prop_assert_eq!(decode(encode(&text).to_str().unwrap()), text.as_bytes());
        }
    }
}
