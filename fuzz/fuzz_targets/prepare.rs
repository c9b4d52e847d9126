//! User names and passwords as somebody typed them.
//!
//! - A prepared user name is prepared: preparing it again changes nothing, and it is taken as prepared.
//! - What is a prepared user name of one part can be a password. (The parts around spaces stand on their own in a user name, and
//!   what may not be mixed, as digits of two scripts, may stand in different parts.)

#![no_main]

use libfuzzer_sys::fuzz_target;
use tagai_core::credential::{MAX_PASSWORD_LEN, MAX_USERNAME_LEN, Password, Username};
use tagai_core::realm::RealmName;

fuzz_target!(|typed: &str| {
    let password = Password::prepare(typed);
    assert!(password.is_err() || (1..=MAX_PASSWORD_LEN).contains(&typed.len()));
    let Ok(name) = Username::prepare(typed) else { return };
    assert!((1..=MAX_USERNAME_LEN).contains(&name.as_str().len()));
    assert_eq!(Username::prepare(name.as_str()).as_ref(), Ok(&name));
    assert_eq!(Username::prepared(name.as_str()).as_ref(), Ok(&name));
    assert!(password.is_ok() || name.as_str() != typed || typed.contains(' '));
    assert!(RealmName::new(name.as_str()).is_ok());
});
