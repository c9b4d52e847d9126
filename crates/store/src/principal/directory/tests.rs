//! Who a credential is, who is denied, and whose sessions end.

use super::*;
use crate::principal::{DenialTarget, PrincipalKind};
use std::time::UNIX_EPOCH;

fn principal(name: &str, credentials: &[&str]) -> Principal {
    let mut credentials: Vec<Credential> = credentials.iter().map(|text| text.parse().unwrap()).collect();
    credentials.sort();
    Principal {
        name: name.parse().unwrap(),
        kind: PrincipalKind::Person,
        disabled: false,
        groups: vec!["ops".parse().unwrap()],
        attributes: vec![("floor".parse().unwrap(), "3".parse().unwrap())],
        credentials,
        created: UNIX_EPOCH,
        changed: UNIX_EPOCH,
    }
}

fn disabled(principal: Principal) -> Principal {
    Principal { disabled: true, ..principal }
}

fn denial(target: DenialTarget) -> Denial {
    Denial { target, reason: "lost".into(), created: UNIX_EPOCH, by: "root".into() }
}

fn denied(name: &str) -> Denial {
    denial(DenialTarget::Principal(name.parse().unwrap()))
}

fn serial(number: &str, client_ca: Option<&str>) -> Denial {
    let client_ca = client_ca.map(|id| id.parse().unwrap());
    denial(DenialTarget::Serial { serial: number.parse().unwrap(), client_ca })
}

fn directory(principals: Vec<Principal>, denials: Vec<Denial>) -> Directory {
    Directory::new(1, principals, denials)
}

fn credential(text: &str) -> Credential {
    text.parse().unwrap()
}

const KEY: &str = "key:sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

#[test]
fn every_credential_of_a_principal_is_the_principal() {
    let all = ["user:staff/alice", "x509:partners/dns:a.example.com", KEY];
    let directory =
        directory(vec![principal("alice", &all), disabled(principal("bob", &["user:staff/bob"]))], vec![]);
    for text in all {
        let Resolved::Registered(alice) = directory.resolve(&credential(text)) else { panic!("{text}") };
        assert_eq!(alice.name.as_str(), "alice");
        assert!(alice.is_in("ops") && !alice.is_in("op") && !alice.is_in("dev"));
        assert_eq!((alice.attribute("floor"), alice.attribute("room")), (Some("3"), None));
    }
    assert!(
        matches!(directory.resolve(&credential("user:staff/bob")), Resolved::Disabled(bob) if bob.name.as_str() == "bob")
    );
    assert_eq!((directory.len(), directory.is_empty(), directory.version()), (2, false, 1));
    assert_eq!(directory.principals().count(), 2);
    assert!(directory.principal("alice").is_some() && directory.principal("staff/alice").is_none());
}

#[test]
fn equal_names_under_two_authorities_are_two_principals() {
    let directory = directory(vec![principal("alice", &["x509:one/dns:a.example.com"])], vec![]);
    let unregistered = |text: &str| match directory.resolve(&credential(text)) {
        Resolved::Unregistered(name) => name.to_string(),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(unregistered("x509:two/dns:a.example.com"), "two/dns:a.example.com");
    assert_eq!(unregistered("x509:one/cn:a.example.com"), "one/cn:a.example.com");
    // A user whose name is made to look like it, in a realm of the same id.
    assert_eq!(unregistered("user:one/dns:a.example.com"), "one/user:dns:a.example.com");
    assert_eq!(unregistered("user:one/alice"), "one/alice");
    assert_eq!(directory.resolve(&credential(KEY)), Resolved::Nobody);
}

#[test]
fn denials_hold_for_what_they_name_and_nothing_else() {
    let pin = KeyPin::of_spki(b"a key");
    let other = KeyPin::of_spki(b"another");
    let key = denial(DenialTarget::Key(pin));
    let list = vec![denied("alice"), denied("staff/bob"), serial("0a0B", Some("partners")), serial("ff", None), key];
    let directory = directory(vec![], list);
    let denied = |facts: Facts<'_>| directory.denied(&facts).map(|denial| denial.target.to_string());
    assert_eq!(denied(Facts::default()), None);
    let named = |name| denied(Facts { principal: Some(name), ..Facts::default() });
    assert_eq!(named("alice").as_deref(), Some("the principal alice"));
    assert_eq!(named("staff/bob").as_deref(), Some("the principal staff/bob"));
    for other in ["bob", "Alice", "staff/alice", "dev/bob"] {
        assert_eq!(named(other), None, "{other}");
    }
    // Bob has become somebody since, and is denied still.
    let bob = credential("user:staff/bob");
    assert!(denied(Facts { principal: Some("robert"), credential: Some(&bob), ..Facts::default() }).is_some());
    let carol = credential("user:staff/carol");
    assert!(denied(Facts { principal: Some("carol"), credential: Some(&carol), ..Facts::default() }).is_none());

    let number = |octets: &[u8], client_ca| {
        let serial = Serial::from_octets(octets).unwrap();
        denied(Facts { serial: Some(&serial), client_ca, ..Facts::default() }).is_some()
    };
    assert!(number(&[0x0a, 0x0b], Some("partners")) && number(&[0, 0, 0x0a, 0x0b], Some("partners")));
    assert!(!number(&[0x0a, 0x0b], Some("others")) && !number(&[0x0a, 0x0b], None));
    assert!(!number(&[0x0a, 0x0b, 0], Some("partners")));
    assert!(number(&[0xff], Some("others")) && number(&[0, 0xff], None));

    let keys = |keys: &[KeyPin]| denied(Facts { keys, ..Facts::default() }).is_some();
    assert!(keys(&[pin]) && keys(&[other, pin]) && !keys(&[other]) && !keys(&[]));
}

#[test]
fn one_number_may_be_denied_under_several_client_cas() {
    let directory = directory(vec![], vec![serial("1", Some("one")), serial("1", Some("two"))]);
    let serial = Serial::from_octets(&[1]).unwrap();
    for (id, found) in [("one", true), ("two", true), ("three", false)] {
        let facts = Facts { serial: Some(&serial), client_ca: Some(id), ..Facts::default() };
        assert_eq!(directory.denied(&facts).is_some(), found, "{id}");
    }
}

#[track_caller]
fn ends(old: (Vec<Principal>, Vec<Denial>), new: (Vec<Principal>, Vec<Denial>), expected: &[&str]) {
    let (old, new) = (directory(old.0, old.1), directory(new.0, new.1));
    let ended: Vec<String> = new.ended_since(&old).iter().map(ToString::to_string).collect();
    assert_eq!(ended, expected);
    assert!(new.ended_since(&new).is_empty() && old.ended_since(&old).is_empty());
}

#[test]
fn sessions_end_with_what_their_user_was_allowed() {
    let both = ["user:dev/al", "user:staff/alice"];
    let alice = || principal("alice", &["user:staff/alice", "user:dev/al", KEY, "x509:p/cn:al"]);
    let bob = || principal("bob", &["user:staff/bob"]);
    let before = || (vec![alice(), bob()], vec![]);
    // Disabled, denied, removed.
    ends(before(), (vec![disabled(alice()), bob()], vec![]), &both);
    ends(before(), (vec![alice(), bob()], vec![denied("alice")]), &both);
    ends(before(), (vec![bob()], vec![]), &both);
    // Denied by the name of one credential.
    ends(before(), (vec![alice(), bob()], vec![denied("staff/alice")]), &["user:staff/alice"]);
    // Unbound; bound to another.
    let less = || principal("alice", &["user:staff/alice"]);
    ends(before(), (vec![less(), bob()], vec![]), &["user:dev/al"]);
    let more = || principal("bob", &["user:staff/bob", "user:dev/al"]);
    ends(before(), (vec![less(), more()], vec![]), &["user:dev/al"]);
}

#[test]
fn sessions_of_principals_that_are_not_registered_end() {
    ends(
        (vec![], vec![]),
        (vec![], vec![denied("staff/alice"), denied("p/cn:x"), denied("bob")]),
        &["user:staff/alice"],
    );
    ends((vec![], vec![]), (vec![], vec![denied("staff/user:dns:x")]), &["user:staff/dns:x"]);
    // Registered and disabled between two looks.
    let alice = disabled(principal("alice", &["user:staff/alice"]));
    ends((vec![], vec![]), (vec![alice], vec![]), &["user:staff/alice"]);
}

#[test]
fn other_changes_end_no_session() {
    let alice = || principal("alice", &["user:staff/alice"]);
    let more = principal("alice", &["user:staff/alice", "user:dev/al"]);
    ends((vec![alice()], vec![]), (vec![Principal { groups: vec![], ..more }], vec![]), &[]);
    // Let in again; kept out in another way.
    ends((vec![disabled(alice())], vec![denied("staff/bob")]), (vec![alice()], vec![]), &[]);
    ends((vec![disabled(alice())], vec![]), (vec![alice()], vec![denied("alice")]), &[]);
    // For requests to look at.
    let denials = vec![serial("1", None), denial(DenialTarget::Key(KeyPin::of_spki(b"")))];
    ends((vec![alice()], vec![]), (vec![alice()], denials), &[]);
}
