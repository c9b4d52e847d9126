//! Keys without certificates, in files.
#![allow(missing_docs, unused_crate_dependencies)]

mod support;

use support::Ca;
use tagai_pki::raw_key::{KeyKind, Pin, RawKey, RawKeyError, Spki, SpkiError, generate};

#[test]
fn what_is_generated_can_be_read() {
    for kind in [KeyKind::Ed25519, KeyKind::P256] {
        let pem = generate(kind).unwrap();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        let key = RawKey::from_pem(pem.as_bytes()).unwrap();
        let public = key.public().to_pem();
        assert_eq!(Spki::from_pem(public.as_bytes()).as_ref(), Ok(key.public()));
        assert_eq!(key.pin(), Pin::of(key.public()));
        assert_ne!(generate(kind).unwrap(), pem);
        assert!(!format!("{key:?}").contains("PRIVATE"));
    }
    assert_eq!("p256".parse(), Ok(KeyKind::P256));
    assert_eq!("rsa".parse::<KeyKind>(), Err(RawKeyError::Kind));
}

#[test]
fn the_pin_of_a_certificate_is_that_of_its_key() {
    let ca = Ca::root("Root");
    let key = RawKey::from_pem(ca.key.serialize_pem().as_bytes()).unwrap();
    assert_eq!(Pin::of_certificate(&ca.der), Some(key.pin()));
    assert_eq!(Pin::of_certificate(key.public().as_der()), None);
}

#[test]
fn files_without_a_key_say_so() {
    let key = generate(KeyKind::Ed25519).unwrap();
    let read = |text: &str| RawKey::from_pem(text.as_bytes()).map(|_| ()).unwrap_err();
    assert_eq!(read(""), RawKeyError::None);
    assert_eq!(read(&key.repeat(2)), RawKeyError::Several);
    assert_eq!(read(&key.replace("PRIVATE", "ENCRYPTED PRIVATE")), RawKeyError::Encrypted);
    assert_eq!(read(&key.replace("PRIVATE", "EC PRIVATE")), RawKeyError::OldForm);
    assert_eq!(read(&key.replace("PRIVATE", "PUBLIC")), RawKeyError::None);
    assert_eq!(read("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"), RawKeyError::Unusable);
    assert_eq!(read(&" ".repeat(65 << 10)), RawKeyError::TooLong);
}

#[test]
fn only_public_keys_are_public_keys() {
    let private = generate(KeyKind::P256).unwrap();
    assert_eq!(Spki::from_pem(private.as_bytes()), Err(SpkiError::Private));
    let key = RawKey::from_pem(private.as_bytes()).unwrap();
    let (der, pem) = (key.public().as_der(), key.public().to_pem());
    assert_eq!(Spki::from_pem(pem.repeat(2).as_bytes()), Err(SpkiError::Pem));
    assert_eq!(Spki::from_pem(b"nothing"), Err(SpkiError::Pem));
    assert_eq!(Spki::from_der(&[der, b"\0"].concat()), Err(SpkiError::Malformed));
    assert_eq!(Spki::from_der(&der[..der.len() - 1]), Err(SpkiError::Malformed));
    assert_eq!(Spki::from_der(&vec![0x30; 9 << 10]), Err(SpkiError::TooLong));
    // The same bits as a key of X25519, which signs nothing.
    let x25519 = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00".as_slice(), &[7; 32]].concat();
    assert_eq!(Spki::from_der(&x25519), Err(SpkiError::Algorithm));
}
