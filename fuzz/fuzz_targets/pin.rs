//! Pins, bare public keys and names of clients as they are written.
//!
//! - What is read as a pin or a name is written as it was read; only a pin has curl's form besides.
//! - A public key is the same in PEM, and has nothing behind it.
//! - A private key is never read as a public one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tagai_pki::names::MappedName;
use tagai_pki::raw_key::{Pin, RawKey, Spki};

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input) {
        if let Ok(pin) = text.parse::<Pin>() {
            assert_eq!(pin.to_string(), text.replacen("//", ":", usize::from(text.starts_with("sha256//"))));
            assert_eq!(Pin::from_octets(*pin.octets()), pin);
        }
        if let Ok(name) = text.parse::<MappedName>() {
            assert_eq!(name.to_string(), text);
        }
    }
    for key in [Spki::from_der(input), Spki::from_pem(input)].into_iter().flatten() {
        assert_eq!(Spki::from_pem(key.to_pem().as_bytes()).as_ref(), Ok(&key));
        assert_eq!(Spki::from_der(key.as_der()).as_ref(), Ok(&key));
        assert!(Spki::from_der(&[key.as_der(), b"\0"].concat()).is_err());
        assert_eq!(key.pin(), Pin::of_octets(key.as_der()));
    }
    if let Ok(key) = RawKey::from_pem(input) {
        assert!(Spki::from_pem(input).is_err());
        assert_eq!(Spki::from_pem(key.public().to_pem().as_bytes()).as_ref(), Ok(key.public()));
    }
});
