//! Serial numbers of certificates.

use super::CaError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Octets of a serial number made here. RFC 5280 section 4.1.2.2 allows up to 20.
const LEN: usize = 16;

/// The serial number of a certificate that this authority has issued: random, positive, 128 bits long. Its text form is 32
/// lower-case hexadecimal digits; colons between them and capitals are accepted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial([u8; LEN]);

impl Serial {
    /// A new one.
    pub(super) fn random() -> Result<Self, CaError> {
        let mut octets = [0; LEN];
        // A first octet of zero would not be written, and the number be shorter than its text.
        while octets.first() == Some(&0) {
            getrandom::fill(&mut octets).map_err(|error| CaError::Failed {
                what: "the system's random generator",
                reason: error.to_string(),
            })?;
        }
        Ok(Self(octets))
    }

    /// The number that stands in a certificate, big-endian, with or without leading zeros. Others than those made here give none.
    pub(super) fn from_octets(octets: &[u8]) -> Option<Self> {
        let start = octets.iter().position(|octet| *octet != 0)?;
        octets.get(start..)?.try_into().ok().map(Self)
    }

    /// The number, big-endian.
    #[must_use]
    pub const fn octets(&self) -> &[u8; LEN] {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is no serial number of this authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a serial number has 32 hexadecimal digits, and the first two are not 00")]
pub struct NoSerial;

impl FromStr for Serial {
    type Err = NoSerial;

    fn from_str(text: &str) -> Result<Self, NoSerial> {
        let digits: Vec<u8> = text.bytes().filter(|octet| *octet != b':').collect();
        if digits.len() != 2 * LEN {
            return Err(NoSerial);
        }
        let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let mut octets = [0; LEN];
        for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = *pair else { return Err(NoSerial) };
            *octet = digit(high).zip(digit(low)).map(|(high, low)| 16 * high + low).ok_or(NoSerial)?;
        }
        if octets.first() == Some(&0) { Err(NoSerial) } else { Ok(Self(octets)) }
    }
}

impl TryFrom<String> for Serial {
    type Error = NoSerial;

    fn try_from(text: String) -> Result<Self, NoSerial> {
        text.parse()
    }
}

impl From<Serial> for String {
    fn from(serial: Serial) -> Self {
        serial.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_long_positive_and_read_back() {
        for _ in 0..200 {
            let serial = Serial::random().unwrap();
            assert_ne!(serial.octets()[0], 0);
            let text = serial.to_string();
            assert_eq!(text.len(), 32);
            assert_eq!(text.parse(), Ok(serial));
            assert_eq!(text.to_uppercase().parse(), Ok(serial));
            let mut padded = vec![0];
            padded.extend(serial.octets());
            assert_eq!(Serial::from_octets(&padded), Some(serial));
        }
        let colons = "01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10";
        assert_eq!(colons.parse::<Serial>().unwrap().to_string(), "0102030405060708090a0b0c0d0e0f10");
    }

    #[test]
    fn what_is_no_number_of_ours() {
        for text in ["", "1", "00000000000000000000000000000001", "zz02030405060708090a0b0c0d0e0f10", &"a".repeat(34)]
        {
            assert_eq!(text.parse::<Serial>(), Err(NoSerial), "{text}");
        }
        assert_eq!(Serial::from_octets(&[0; 16]), None);
        assert_eq!(Serial::from_octets(&[1; 17]), None);
    }
}
