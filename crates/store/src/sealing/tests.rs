//! Sealing: what opens, and what does not.

use super::*;
use proptest::prelude::*;

fn keys() -> SealingKeys {
    SealingKeys::parse(&SealingKeys::generate_line().unwrap()).unwrap()
}

#[test]
fn what_was_sealed_opens_with_the_same_parts_only() {
    let keys = keys();
    let id = keys.first_id().to_owned();
    let sealed = keys.seal(Purpose::Verifier, &[b"ab", b"c"], b"secret octets").unwrap();
    assert_eq!(*keys.open(&id, Purpose::Verifier, &[b"ab", b"c"], &sealed).unwrap(), b"secret octets");
    let misfit = Err(SealError::DoesNotFit(id.clone()));
    let parts: [&[&[u8]]; 4] = [&[b"a", b"bc"], &[b"ab"], &[b"ab", b"c", b""], &[b"abc"]];
    for parts in parts {
        assert_eq!(keys.open(&id, Purpose::Verifier, parts, &sealed).map(drop), misfit, "{parts:?}");
    }
    assert_eq!(keys.open(&id, Purpose::Session, &[b"ab", b"c"], &sealed).map(drop), misfit);
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(keys.open(&id, Purpose::Verifier, &[b"ab", b"c"], &changed).map(drop), misfit, "octet {at}");
        assert_eq!(keys.open(&id, Purpose::Verifier, &[b"ab", b"c"], &sealed[..at]).map(drop), misfit);
    }
    assert_ne!(sealed, keys.seal(Purpose::Verifier, &[b"ab", b"c"], b"secret octets").unwrap());
}

#[test]
fn a_missing_key_is_named_and_a_wrong_one_as_well() {
    let (one, other) = (keys(), keys());
    let sealed = one.seal(Purpose::Verifier, &[], b"x").unwrap();
    let missing = other.open(one.first_id(), Purpose::Verifier, &[], &sealed).unwrap_err();
    assert_eq!(missing, SealError::NoKey(one.first_id().to_owned()));
    let line = SealingKeys::generate_line().unwrap();
    let renamed = format!("{}:{}", one.first_id(), line.split_once(':').unwrap().1);
    let wrong = SealingKeys::parse(&renamed).unwrap().open(one.first_id(), Purpose::Verifier, &[], &sealed);
    assert_eq!(wrong.unwrap_err(), SealError::DoesNotFit(one.first_id().to_owned()));
}

#[test]
fn nothing_of_a_key_is_printed() {
    let line = SealingKeys::generate_line().unwrap();
    let (id, base64) = line.trim().split_once(':').unwrap();
    let keys = SealingKeys::parse(&line).unwrap();
    let shown = format!("{keys:?}");
    assert!(shown.contains(id) && !shown.contains(base64), "{shown}");
}

#[test]
fn a_bad_line_is_named_by_its_number() {
    let good = SealingKeys::generate_line().unwrap().to_string();
    let (id, base64) = good.trim().split_once(':').unwrap();
    for (text, line) in [
        (format!("# keys\n\n{id}"), 3),
        (format!("{good}{good}"), 2),
        (format!(":{base64}"), 1),
        (format!("a b:{base64}"), 1),
        (format!("{}:{base64}", "a".repeat(65)), 1),
        ("k:".to_owned(), 1),
        ("k:AAAA".to_owned(), 1),
        (format!("k:{}", &base64[1..]), 1),
        (format!("k:AAAA{base64}"), 1),
        (format!("{good}k:!!!!"), 2),
    ] {
        match SealingKeys::parse(&text) {
            Err(KeysError::Line { line: found, .. }) => assert_eq!(found, line, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(matches!(SealingKeys::parse("# nothing\n"), Err(KeysError::Empty)));
    let many: String = (0..=MAX_KEYS).map(|n| format!("k{n}:{base64}\n")).collect();
    assert!(matches!(SealingKeys::parse(&many), Err(KeysError::Line { line: 65, .. })));
}

#[test]
fn a_key_file_is_made_rotated_and_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let old = SealingKeys::generate_file(&path).unwrap();
    assert!(matches!(SealingKeys::generate_file(&path), Err(KeysError::Exists { .. })));
    let sealed = SealingKeys::load(&path).unwrap().seal(Purpose::Verifier, &[], b"x").unwrap();
    let new = SealingKeys::rotate_file(&path).unwrap();
    let keys = SealingKeys::load(&path).unwrap();
    assert_eq!(keys.ids().collect::<Vec<_>>(), [new.as_str(), old.as_str()]);
    assert_eq!(*keys.open(&old, Purpose::Verifier, &[], &sealed).unwrap(), b"x");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o660, 0o644] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = SealingKeys::load(&path).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
            assert!(SealingKeys::rotate_file(&path).is_err());
        }
    }
}

#[test]
fn a_path_that_is_no_key_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("none")] {
        let error = SealingKeys::load(&path).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "(?s).{0,200}") {
        let _ = SealingKeys::parse(&text);
    }

    #[test]
    fn no_line_makes_the_parser_panic(id in "[a-z#:. ]{0,8}", base64 in "[A-Za-z0-9+/=]{0,50}") {
        let _ = SealingKeys::parse(&format!("{id}:{base64}\n"));
    }

    #[test]
    fn no_octets_open(octets in proptest::collection::vec(any::<u8>(), 0..200), format in any::<bool>()) {
        let keys = keys();
        let mut octets = octets;
        if let Some(first) = octets.first_mut().filter(|_| format) {
            *first = 1;
        }
        prop_assert!(keys.open(keys.first_id(), Purpose::Session, &[b"sid"], &octets).is_err());
    }

    #[test]
    fn parts_are_delimited(
        one in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..4), 0..4),
        other in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..4), 0..4),
    ) {
        let of = |parts: &[Vec<u8>]| encode(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(one == other, of(&one) == of(&other));
    }
}
