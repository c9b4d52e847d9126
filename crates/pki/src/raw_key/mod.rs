//! Keys without certificates (RFC 7250): a peer is known by its public key alone, and the key by its pin.

mod base64;
mod pin;
mod private;
mod spki;

pub use pin::{Pin, PinError};
pub use private::{KeyKind, RawKey, RawKeyError, generate};
pub use spki::{MAX_SPKI_LEN, Spki, SpkiError};
