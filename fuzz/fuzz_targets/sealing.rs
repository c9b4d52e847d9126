//! A key file, and what its keys seal.
//!
//! - Names of keys are as they should be, and each is there once; the order is the file's, and the first seals.
//! - Comments, empty lines, spaces around and another kind of line end change nothing.
//! - What is wrong is said with a line that is there, and without the line's key.
//! - What was sealed opens under its key, with its parts, for its purpose; and not with anything changed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tagai_store::sealing::{KeysError, MAX_KEY_ID_LEN, MAX_KEYS, SealingKeys};

fuzz_target!(|input: &str| {
    let keys = match SealingKeys::parse(input) {
        Ok(keys) => keys,
        Err(error) => {
            let shown = format!("{error} {error:?}");
            if let KeysError::Line { line, .. } = error {
                assert!((1..=input.lines().count()).contains(&line));
            }
            for key in input.lines().filter_map(|line| line.split_once(':')).map(|(_, key)| key.trim()) {
                let is_base64 = key.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+/=".contains(&octet));
                assert!(key.len() < 24 || !is_base64 || !shown.contains(key));
            }
            return;
        }
    };
    let ids: Vec<&str> = keys.ids().collect();
    assert!((1..=MAX_KEYS).contains(&ids.len()));
    assert_eq!(keys.first_id(), ids[0]);
    for (position, id) in ids.iter().enumerate() {
        assert!((1..=MAX_KEY_ID_LEN).contains(&id.len()));
        assert!(id.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet)));
        assert!(!ids[..position].contains(id));
    }
    let other_layout: Vec<String> = input.lines().map(|line| format!("# :\r\n\r\n \t{line} ")).collect();
    let other = SealingKeys::parse(&other_layout.join("\r\n")).expect("the same keys");
    assert!(other.ids().eq(ids.iter().copied()));

    let (plain, parts) = (input.as_bytes(), [ids[0].as_bytes(), b"b"]);
    let sealed = keys.seal_session(&parts, plain).expect("it can be sealed");
    assert_eq!(*other.open_session(ids[0], &parts, &sealed).expect("what was sealed"), plain);
    assert!(keys.open_verifier(ids[0], &parts, &sealed).is_err(), "another purpose");
    let joined = [ids[0].as_bytes(), b"b"].concat();
    for other in [&[&joined[..]][..], &[parts[1], parts[0]], &[], &[&joined, b""]] {
        assert!(keys.open_session(ids[0], other, &sealed).is_err(), "other parts");
    }
    for id in ids.iter().skip(1) {
        assert!(keys.open_session(id, &parts, &sealed).is_err(), "another key");
    }
    assert!(keys.open_session("no:id", &parts, &sealed).is_err());
    for place in (0..sealed.len()).step_by(sealed.len() / 16) {
        let mut changed = sealed.clone();
        changed[place] ^= 1 << (place % 8);
        assert!(keys.open_session(ids[0], &parts, &changed).is_err(), "octet {place} was changed");
        assert!(keys.open_session(ids[0], &parts, &sealed[..place]).is_err(), "cut off");
    }
    assert!(keys.open_session(ids[0], &parts, plain).is_err(), "something else");
});
