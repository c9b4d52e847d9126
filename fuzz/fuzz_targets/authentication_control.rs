//! `Authentication-Control` in arbitrary lines: the first line of the input names the realm.
//!
//! What was read, written and read again is the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tagai_core::control::AuthControl;
use tagai_core::grammar::MAX_FIELD_LEN;
use tagai_core::realm::RealmName;
use tagai_fuzz::lines;

fuzz_target!(|input: &[u8]| {
    let lines = lines(input);
    let Some((realm, lines)) = lines.split_first() else { return };
    let Some(realm) = std::str::from_utf8(realm).ok().and_then(|name| RealmName::new(name).ok()) else { return };
    let control = AuthControl::read(lines.iter().copied(), &realm);
    let field = control.to_field(&realm);
    // Text outside of ASCII gets longer by being written, and too long is not read.
    if field.value.len() <= MAX_FIELD_LEN {
        assert_eq!(AuthControl::read([field.value.as_bytes()], &realm), control);
    }
});
