//! Session identifiers (RFC 8120 §4.3, §6).

use crate::grammar::hex_fixed_number;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use rand_core::CryptoRng;

/// The longest session identifier that is accepted, in octets.
pub const MAX_SID_LEN: usize = 64;

/// The length of the identifiers that a server of this crate makes: 128 random bits.
const SID_LEN: usize = 16;

/// A session identifier: a `hex-fixed-number` of 1 to [`MAX_SID_LEN`] octets, made by the server.
///
/// It names a session of one server and one realm; the same octets from elsewhere mean another session. Two identifiers
/// of different lengths are different, whatever their numbers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid(Vec<u8>);

impl Sid {
    /// A new identifier of 128 random bits.
    #[must_use]
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut octets = alloc::vec![0; SID_LEN];
        rng.fill_bytes(&mut octets);
        Self(octets)
    }

    /// An identifier of these octets, as from a store of sessions. `None` if there are none or more than [`MAX_SID_LEN`].
    #[must_use]
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        (1..=MAX_SID_LEN).contains(&octets.len()).then(|| Self(octets.to_vec()))
    }

    pub(super) fn read(text: &[u8]) -> Option<Self> {
        hex_fixed_number(text).and_then(|octets| Self::from_octets(&octets))
    }

    /// The octets.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The identifier as it stands in messages: lower-case hexadecimal.
    #[must_use]
    pub fn to_hex(&self) -> String {
        base16ct::lower::encode_string(&self.0)
    }
}

/// Shows the first two octets alone: enough to follow a session in a log, not enough to name it in a request.
impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sid(")?;
        for octet in self.0.iter().take(2) {
            write!(f, "{octet:02x}")?;
        }
        f.write_str("..)")
    }
}
