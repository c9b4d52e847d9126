//! The three numeric forms of RFC 8120 §3.2.3: `integer`, `hex-fixed-number` and `base64-fixed-number`.

use alloc::vec::Vec;
use base64ct::{Base64, Encoding as _};
use core::fmt;

/// A natural number of the protocol: `nc`, `nc-max`, `nc-window` or `time` (RFC 8120 §3.2.3 `integer`).
///
/// The RFC's numbers have no bound. What does not fit becomes [`Natural::HUGE`], which RFC 8120 §6 allows because every
/// bound that it is compared with is smaller; nothing is ever truncated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Natural(u128);

impl Natural {
    /// Stands for 2^128 - 1 and everything above.
    pub const HUGE: Self = Self(u128::MAX);
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// Parses `"0" / (%x31-39 *DIGIT)`; `None` for anything else, such as a sign or a leading zero.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text {
            [b'0'] => Some(Self::ZERO),
            [b'1'..=b'9', ..] if text.iter().all(u8::is_ascii_digit) => {
                let value = text
                    .iter()
                    .try_fold(0u128, |value, digit| value.checked_mul(10)?.checked_add(u128::from(digit - b'0')));
                Some(value.map_or(Self::HUGE, Self))
            }
            _ => None,
        }
    }

    /// The number; `u128::MAX` for [`Natural::HUGE`].
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }
}

impl From<u128> for Natural {
    fn from(value: u128) -> Self {
        Self(value)
    }
}

impl From<u64> for Natural {
    fn from(value: u64) -> Self {
        Self(u128::from(value))
    }
}

impl From<u32> for Natural {
    fn from(value: u32) -> Self {
        Self(u128::from(value))
    }
}

impl fmt::Display for Natural {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Decodes a `hex-fixed-number`: an even, non-zero number of digits in either case. The octets keep its length.
pub(crate) fn hex_fixed_number(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() { None } else { base16ct::mixed::decode_vec(text).ok() }
}

/// Decodes a `base64-fixed-number`: padded, without white space, and with zero pad bits (RFC 4648 §3.5).
pub(crate) fn base64_fixed_number(text: &[u8]) -> Option<Vec<u8>> {
    let text = core::str::from_utf8(text).ok()?;
    if text.is_empty() { None } else { Base64::decode_vec(text).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn integers_have_no_leading_zero_sign_or_space() {
        assert_eq!(Natural::parse(b"0"), Some(Natural::ZERO));
        assert_eq!(Natural::parse(b"16384"), Some(Natural(16384)));
        for bad in ["", "00", "01", "+1", "-1", " 1", "1 ", "1_000", "0x10", "1.0", "１"] {
            assert_eq!(Natural::parse(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn integers_of_any_length_are_accepted_and_saturate() {
        let two_to_the_80 = Natural::parse(b"1208925819614629174706176").unwrap();
        assert_eq!(two_to_the_80.get(), 1 << 80);
        let mut long = alloc::vec![b'9'; 10_000];
        assert_eq!(Natural::parse(&long), Some(Natural::HUGE));
        long[9_999] = b'x';
        assert_eq!(Natural::parse(&long), None);
        assert_eq!(Natural::parse((u128::MAX).to_string().as_bytes()), Some(Natural::HUGE));
    }

    #[test]
    fn hexadecimal_needs_an_even_number_of_digits() {
        assert_eq!(hex_fixed_number(b"00fF").as_deref(), Some(&[0x00, 0xff][..]));
        for bad in ["", "0", "0ff", "0g", " 00", "00 ", "0x00"] {
            assert_eq!(hex_fixed_number(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn base64_padding_is_exact_and_canonical() {
        assert_eq!(base64_fixed_number(b"AQI=").as_deref(), Some(&[1, 2][..]));
        for bad in ["", "AQI", "AQI==", "AQJ=", "AQ=", "A", "AQI=\n", " AQI=", "AQ-_", "AQI=AQI=", "===="] {
            assert_eq!(base64_fixed_number(bad.as_bytes()), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_integer_survives(n: u128) {
            prop_assert_eq!(Natural::parse(Natural(n).to_string().as_bytes()), Some(Natural(n)));
        }
    }
}
