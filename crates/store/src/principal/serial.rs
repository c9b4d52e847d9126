//! Serial numbers of certificates.

use super::NameError;
use std::fmt::{self, Write as _};
use std::str::FromStr;

/// The longest serial number, in octets. RFC 5280 §4.1.2.2 has 20 as the most, and CAs that do not keep to it exist.
pub const MAX_SERIAL_LEN: usize = 64;

/// The serial number of a certificate, without leading zeros: so it is compared as a number, however it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(Box<[u8]>);

impl Serial {
    /// The number of these octets, the first of most weight, as they are in a certificate.
    ///
    /// # Errors
    /// [`NameError::Serial`] if there are none, or more than [`MAX_SERIAL_LEN`] without leading zeros.
    pub fn from_octets(octets: &[u8]) -> Result<Self, NameError> {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        match octets.get(zeros..) {
            Some(number) if !octets.is_empty() && number.len() <= MAX_SERIAL_LEN => Ok(Self(number.into())),
            _ => Err(NameError::Serial),
        }
    }
}

impl fmt::Display for Serial {
    /// Lower-case hexadecimal digits, two for each octet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("00");
        }
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl FromStr for Serial {
    type Err = NameError;

    /// Reads hexadecimal digits in either case, with colons between them or not, with `0x` in front or not.
    fn from_str(text: &str) -> Result<Self, NameError> {
        // With colons, as OpenSSL shows it, and with one zero too many in front.
        if text.len() > 3 * (MAX_SERIAL_LEN + 1) {
            return Err(NameError::Serial);
        }
        let number = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        if number.starts_with(':') || number.ends_with(':') || number.contains("::") {
            return Err(NameError::Serial);
        }
        let mut digits = String::with_capacity(number.len().saturating_add(1));
        for digit in number.chars().filter(|c| *c != ':') {
            digits.write_char(digit).map_err(|_| NameError::Serial)?;
        }
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NameError::Serial);
        }
        if !digits.len().is_multiple_of(2) {
            digits.insert(0, '0');
        }
        let octets = digits.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).map_err(|_| NameError::Serial)?;
            u8::from_str_radix(pair, 16).map_err(|_| NameError::Serial)
        });
        Self::from_octets(&octets.collect::<Result<Vec<u8>, _>>()?)
    }
}
