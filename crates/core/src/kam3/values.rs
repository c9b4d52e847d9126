//! The four values that cross the wire: `K_c1`, `K_s1`, `VK_c`, `VK_s`.

use crate::algorithm::{Algorithm, Representation};
use crate::grammar::{FieldWriter, ParamError, Params, base64_fixed_number, hex_fixed_number};
use alloc::vec::Vec;
use core::fmt;
use subtle::ConstantTimeEq as _;

/// Turns the text of a number into its octets.
type Decode = fn(&[u8]) -> Option<Vec<u8>>;

/// Reads an algorithm-determined parameter of exactly `length` octets.
fn read(
    params: &Params,
    name: &'static str,
    algorithm: Algorithm,
    length: usize,
) -> Result<Option<Vec<u8>>, ParamError> {
    let (expected, decode): (_, Decode) = match algorithm.representation() {
        Representation::Hex => ("a hexadecimal number of the length that the algorithm fixes", hex_fixed_number),
        Representation::Base64 => ("a base64 number of the length that the algorithm fixes", base64_fixed_number),
    };
    params.typed(name, expected, |value| decode(value).filter(|octets| octets.len() == length))
}

fn write(fields: &mut FieldWriter, name: &str, algorithm: Algorithm, octets: &[u8]) {
    match algorithm.representation() {
        Representation::Hex => fields.hex(name, octets),
        Representation::Base64 => fields.base64(name, octets),
    };
}

/// Octets do not matter in a log, and are many.
fn debug(f: &mut fmt::Formatter<'_>, name: &str, algorithm: Algorithm) -> fmt::Result {
    write!(f, "{name}({algorithm})")
}

/// A key exchange value of natural length. That it is in its group is checked when it is used.
macro_rules! exchange_value {
    ($(#[$doc:meta])* $name:ident, $parameter:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name {
            algorithm: Algorithm,
            octets: Vec<u8>,
        }

        impl $name {
            /// Takes `OCTETS` of the value.
            ///
            /// `None` unless they have the natural length of the algorithm (RFC 8121 appendix B).
            #[must_use]
            pub fn from_octets(algorithm: Algorithm, octets: &[u8]) -> Option<Self> {
                (octets.len() == algorithm.element_len()).then(|| Self { algorithm, octets: octets.to_vec() })
            }

            pub(super) fn new(algorithm: Algorithm, octets: Vec<u8>) -> Self {
                Self { algorithm, octets }
            }

            /// The algorithm that the value belongs to.
            #[must_use]
            pub const fn algorithm(&self) -> Algorithm {
                self.algorithm
            }

            /// `OCTETS` of the value, of natural length.
            #[must_use]
            pub fn octets(&self) -> &[u8] {
                &self.octets
            }

            pub(crate) fn read(params: &Params, algorithm: Algorithm) -> Result<Option<Self>, ParamError> {
                let octets = read(params, $parameter, algorithm, algorithm.element_len())?;
                Ok(octets.map(|octets| Self { algorithm, octets }))
            }

            pub(crate) fn write(&self, fields: &mut FieldWriter) {
                write(fields, $parameter, self.algorithm, &self.octets);
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                debug(f, stringify!($name), self.algorithm)
            }
        }
    };
}

exchange_value! {
    /// `K_c1`: the client's key exchange value, the parameter `kc1` (RFC 8120 §4.2).
    Kc1, "kc1"
}
exchange_value! {
    /// `K_s1`: the server's key exchange value, the parameter `ks1` (RFC 8120 §4.3).
    Ks1, "ks1"
}

/// A verification value: a hash, compared in constant time.
macro_rules! verification_value {
    ($(#[$doc:meta])* $name:ident, $parameter:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            algorithm: Algorithm,
            octets: Vec<u8>,
        }

        impl $name {
            pub(super) fn new(algorithm: Algorithm, octets: Vec<u8>) -> Self {
                Self { algorithm, octets }
            }

            /// `OCTETS` of the value: as many as the output of the hash function.
            #[must_use]
            pub fn octets(&self) -> &[u8] {
                &self.octets
            }

            /// Whether the two are the same, in time that does not depend on where they differ.
            #[must_use]
            pub fn ct_eq(&self, other: &Self) -> bool {
                self.algorithm == other.algorithm && bool::from(self.octets.ct_eq(&other.octets))
            }

            pub(crate) fn read(params: &Params, algorithm: Algorithm) -> Result<Option<Self>, ParamError> {
                let octets = read(params, $parameter, algorithm, algorithm.hash_len())?;
                Ok(octets.map(|octets| Self { algorithm, octets }))
            }

            pub(crate) fn write(&self, fields: &mut FieldWriter) {
                write(fields, $parameter, self.algorithm, &self.octets);
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                debug(f, stringify!($name), self.algorithm)
            }
        }
    };
}

verification_value! {
    /// `VK_c`: the client's verification value, the parameter `vkc` (RFC 8120 §4.4, §12.2).
    Vkc, "vkc"
}
verification_value! {
    /// `VK_s`: the server's verification value, the parameter `vks` (RFC 8120 §4.5, §12.2).
    Vks, "vks"
}
