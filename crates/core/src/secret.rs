//! Secret octets that wipe themselves, do not print, do not copy, and compare in constant time.

use alloc::vec::Vec;
use zeroize::Zeroizing;

/// Defines a type of secret octets. It has no `Clone` and no `Display`; its `Debug` shows its name alone.
macro_rules! secret {
    ($(#[$doc:meta])* $visibility:vis struct $name:ident;) => {
        $(#[$doc])*
        $visibility struct $name($crate::secret::SecretOctets);

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(secret)"))
            }
        }
    };
}
pub(crate) use secret;

/// Octets that are wiped when dropped.
pub(crate) struct SecretOctets(Zeroizing<Vec<u8>>);

impl SecretOctets {
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl From<Zeroizing<Vec<u8>>> for SecretOctets {
    fn from(octets: Zeroizing<Vec<u8>>) -> Self {
        Self(octets)
    }
}
