//! The four authentication algorithms of RFC 8121 and the sizes that they fix (RFC 8121 §3, appendix B).

use crate::grammar::ExtensiveToken;
use core::fmt;

/// An authentication algorithm: a group, a hash function, and the way their values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// `iso-kam3-dl-2048-sha256`: the 2048-bit MODP group of RFC 3526.
    Dl2048Sha256,
    /// `iso-kam3-dl-4096-sha512`: the 4096-bit MODP group of RFC 3526.
    Dl4096Sha512,
    /// `iso-kam3-ec-p256-sha256`: the curve P-256.
    EcP256Sha256,
    /// `iso-kam3-ec-p521-sha512`: the curve P-521.
    EcP521Sha512,
}

/// The hash function `H` of an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashFunction {
    /// SHA-256; `hSize` is 256 bits.
    Sha256,
    /// SHA-512; `hSize` is 512 bits.
    Sha512,
}

/// How `kc1`, `ks1`, `vkc` and `vks` are written (RFC 8120 §3.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Representation {
    /// `hex-fixed-number`: the elliptic curves.
    Hex,
    /// `base64-fixed-number`: the MODP groups.
    Base64,
}

impl Algorithm {
    /// All algorithms, cheapest for a server first.
    pub const ALL: [Self; 4] = [Self::EcP256Sha256, Self::EcP521Sha512, Self::Dl2048Sha256, Self::Dl4096Sha512];

    /// The `nIterPi` of all algorithms of RFC 8121: iterations of PBKDF2.
    pub const N_ITER_PI: u32 = 16_384;

    /// The token by which messages name the algorithm, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dl2048Sha256 => "iso-kam3-dl-2048-sha256",
            Self::Dl4096Sha512 => "iso-kam3-dl-4096-sha512",
            Self::EcP256Sha256 => "iso-kam3-ec-p256-sha256",
            Self::EcP521Sha512 => "iso-kam3-ec-p521-sha512",
        }
    }

    /// The algorithm that a token names, if it is one of RFC 8121.
    #[must_use]
    pub fn from_token(token: &ExtensiveToken) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == token.as_str())
    }

    /// The hash function `H`.
    #[must_use]
    pub const fn hash(self) -> HashFunction {
        match self {
            Self::Dl2048Sha256 | Self::EcP256Sha256 => HashFunction::Sha256,
            Self::Dl4096Sha512 | Self::EcP521Sha512 => HashFunction::Sha512,
        }
    }

    /// How the algorithm-determined parameters are written.
    #[must_use]
    pub const fn representation(self) -> Representation {
        match self {
            Self::Dl2048Sha256 | Self::Dl4096Sha512 => Representation::Base64,
            Self::EcP256Sha256 | Self::EcP521Sha512 => Representation::Hex,
        }
    }

    /// The natural length of `K_c1`, `K_s1` and `z` in octets (RFC 8121 appendix B).
    #[must_use]
    pub const fn element_len(self) -> usize {
        match self {
            Self::Dl2048Sha256 => 256,
            Self::Dl4096Sha512 => 512,
            Self::EcP256Sha256 => 33,
            Self::EcP521Sha512 => 66,
        }
    }

    /// The natural length of `VK_c` and `VK_s` in octets: `hSize / 8`.
    #[must_use]
    pub const fn hash_len(self) -> usize {
        self.hash().output_len()
    }
}

impl HashFunction {
    /// The output length in octets.
    #[must_use]
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no algorithm of RFC 8121.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an algorithm of RFC 8121: one of iso-kam3-ec-p256-sha256, iso-kam3-ec-p521-sha512, iso-kam3-dl-2048-sha256, iso-kam3-dl-4096-sha512"
)]
pub struct UnknownAlgorithm;

impl core::str::FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        ExtensiveToken::new(text).ok().and_then(|token| Self::from_token(&token)).ok_or(UnknownAlgorithm)
    }
}
