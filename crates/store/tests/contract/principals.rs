//! Principals and denials.

use crate::support::*;
use std::time::SystemTime;
use tagai_store::StoreError;
use tagai_store::principal::{
    Credential, DenialTarget, Facts, GroupName, KeyPin, MAX_ATTRIBUTES, MAX_CREDENTIALS, MAX_GROUPS, NewPrincipal,
    Principal, PrincipalKind, PrincipalName, PrincipalStore, Resolved,
};

fn named(name: &str) -> PrincipalName {
    name.parse().unwrap()
}

fn credential(text: &str) -> Credential {
    text.parse().unwrap()
}

fn group(text: &str) -> GroupName {
    text.parse().unwrap()
}

fn add(store: &impl PrincipalStore, name: &str) {
    store.add_principal(&NewPrincipal { name: named(name), kind: PrincipalKind::Person }).unwrap();
}

fn get(store: &impl PrincipalStore, name: &str) -> Principal {
    store.principal(&named(name)).unwrap().unwrap()
}

fn denied(name: &str) -> DenialTarget {
    DenialTarget::Principal(name.parse().unwrap())
}

/// Checks that `change` changes the version if it says so, and only then; gives what it says.
#[track_caller]
fn counted<S: PrincipalStore, T>(store: &S, change: impl FnOnce(&S) -> T, changes: impl FnOnce(&T) -> bool) -> T {
    let before = store.directory_version().unwrap();
    let said = change(store);
    assert_eq!(store.directory_version().unwrap() != before, changes(&said));
    assert_eq!(store.directory().unwrap().version(), store.directory_version().unwrap());
    said
}

/// The same for what says itself whether it is a change.
#[track_caller]
fn changes<S: PrincipalStore>(store: &S, change: impl FnOnce(&S) -> Result<bool, StoreError>) -> bool {
    counted(store, change, |said| matches!(said, Ok(true))).unwrap()
}

pub async fn a_principal_is_added_changed_and_removed<B: Backend>() {
    let store = B::new();
    let store = store.principals();
    assert!(store.principals().unwrap().is_empty() && store.principal(&named("alice")).unwrap().is_none());
    let new = NewPrincipal { name: named("sensor-7"), kind: PrincipalKind::Device };
    counted(store, |store| store.add_principal(&new), Result::is_ok).unwrap();
    let again = counted(store, |store| store.add_principal(&new), Result::is_ok);
    assert!(matches!(again, Err(StoreError::PrincipalExists)));
    let added = get(store, "sensor-7");
    assert_eq!((added.kind, added.disabled, added.groups.len()), (PrincipalKind::Device, false, 0));
    assert!(added.created == added.changed && added.created > SystemTime::UNIX_EPOCH);

    for (disabled, expected) in [(true, true), (true, false), (false, true), (false, false)] {
        assert_eq!(changes(store, |store| store.set_principal_disabled(&named("sensor-7"), disabled)), expected);
        assert_eq!(get(store, "sensor-7").disabled, disabled);
    }
    counted(store, |store| store.remove_principal(&named("sensor-7")), Result::is_ok).unwrap();
    assert!(store.principal(&named("sensor-7")).unwrap().is_none());
    let again = counted(store, |store| store.remove_principal(&named("sensor-7")), Result::is_ok);
    assert!(matches!(again, Err(StoreError::NoPrincipal)));
}

pub async fn groups_and_attributes_are_sets<B: Backend>() {
    let store = B::new();
    let store = store.principals();
    let alice = &named("alice");
    add(store, "alice");
    for (name, expected) in [("ops", true), ("dev", true), ("ops", false), ("Ops", true)] {
        assert_eq!(changes(store, |store| store.add_to_group(alice, &group(name))), expected, "{name}");
    }
    assert_eq!(get(store, "alice").groups, ["Ops", "dev", "ops"].map(group));
    assert!(changes(store, |store| store.remove_from_group(alice, &group("dev"))));
    assert!(!changes(store, |store| store.remove_from_group(alice, &group("dev"))));
    let set = |key: &str, value: &str| {
        changes(store, |store| store.set_attribute(alice, &key.parse().unwrap(), &value.parse().unwrap()))
    };
    assert!(set("floor", "3") && !set("floor", "3") && set("floor", "4") && set("desk", ""));
    let there = get(store, "alice");
    let attributes: Vec<_> = there.attributes.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(attributes, [("desk", ""), ("floor", "4")]);
    assert!(changes(store, |store| store.unset_attribute(alice, &"desk".parse().unwrap())));
    assert!(!changes(store, |store| store.unset_attribute(alice, &"desk".parse().unwrap())));
    // Another principal of the name has none of it.
    store.remove_principal(alice).unwrap();
    add(store, "alice");
    let there = get(store, "alice");
    assert!(there.groups.is_empty() && there.attributes.is_empty());
}

pub async fn a_credential_belongs_to_one_principal<B: Backend>() {
    let store = B::new();
    let store = store.principals();
    let (alice, bob) = (&named("alice"), &named("bob"));
    add(store, "alice");
    add(store, "bob");
    let all = [
        "key:sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "user:staff/Alice O'Hara",
        "x509:p/uri:a:b/c?d='--",
    ];
    for text in all {
        let one = credential(text);
        assert_eq!(store.owner_of(&one).unwrap(), None);
        assert!(changes(store, |store| store.bind(alice, &one)));
        assert!(!changes(store, |store| store.bind(alice, &one)));
        let taken = counted(store, |store| store.bind(bob, &one), Result::is_ok);
        assert!(matches!(taken, Err(StoreError::CredentialTaken(owner)) if owner == *alice));
        assert!(!changes(store, |store| store.unbind(bob, &one)));
        assert_eq!(store.owner_of(&one).unwrap().as_ref(), Some(alice));
    }
    let mut sorted = all.map(credential);
    sorted.sort();
    assert_eq!(get(store, "alice").credentials, sorted);
    assert!(changes(store, |store| store.unbind(alice, &sorted[0])));
    assert!(changes(store, |store| store.bind(bob, &sorted[0])));
    // What belonged to somebody who is removed is free.
    store.remove_principal(alice).unwrap();
    assert_eq!(store.owner_of(&sorted[1]).unwrap(), None);
    assert!(changes(store, |store| store.bind(bob, &sorted[1])));
    assert_eq!(get(store, "bob").credentials, sorted[..2]);
}

pub async fn nobody_is_changed<B: Backend>() {
    let store = B::new();
    let store = store.principals();
    let nobody = &named("nobody");
    let one = credential("user:staff/alice");
    let (key, value) = ("a".parse().unwrap(), "b".parse().unwrap());
    let version = store.directory_version().unwrap();
    for refused in [
        store.set_principal_disabled(nobody, true),
        store.add_to_group(nobody, &group("ops")),
        store.remove_from_group(nobody, &group("ops")),
        store.set_attribute(nobody, &key, &value),
        store.unset_attribute(nobody, &key),
        store.bind(nobody, &one),
        store.unbind(nobody, &one),
    ] {
        assert!(matches!(refused, Err(StoreError::NoPrincipal)));
    }
    assert_eq!((store.owner_of(&one).unwrap(), store.directory_version().unwrap()), (None, version));
}

pub async fn what_one_principal_has_is_bounded<B: Backend>() {
    let store = B::new();
    let store = store.principals();
    let alice = &named("alice");
    add(store, "alice");
    let full = |refused: Result<bool, StoreError>, limit: usize| {
        assert!(matches!(refused, Err(StoreError::TooMany { most, .. }) if most == limit));
    };
    for n in 0..MAX_GROUPS {
        assert!(store.add_to_group(alice, &group(&format!("g{n}"))).unwrap());
    }
    full(store.add_to_group(alice, &group("more")), MAX_GROUPS);
    assert!(!store.add_to_group(alice, &group("g0")).unwrap(), "it is in this one");
    for n in 0..MAX_ATTRIBUTES {
        assert!(store.set_attribute(alice, &format!("k{n}").parse().unwrap(), &"v".parse().unwrap()).unwrap());
    }
    full(store.set_attribute(alice, &"more".parse().unwrap(), &"v".parse().unwrap()), MAX_ATTRIBUTES);
    assert!(store.set_attribute(alice, &"k0".parse().unwrap(), &"w".parse().unwrap()).unwrap());
    for n in 0..MAX_CREDENTIALS {
        assert!(store.bind(alice, &credential(&format!("user:staff/{n}"))).unwrap());
    }
    full(store.bind(alice, &credential("user:staff/more")), MAX_CREDENTIALS);
    assert_eq!(store.owner_of(&credential("user:staff/more")).unwrap(), None);
    let there = get(store, "alice");
    assert_eq!(
        (there.groups.len(), there.attributes.len(), there.credentials.len()),
        (MAX_GROUPS, MAX_ATTRIBUTES, MAX_CREDENTIALS)
    );
}

pub async fn denials_are_kept_and_taken_back<B: Backend>() {
    let store = B::new();
    let store = store.principals();
    let serial = |text: &str, id: Option<&str>| DenialTarget::Serial {
        serial: text.parse().unwrap(),
        client_ca: id.map(|id| id.parse().unwrap()),
    };
    let mut all = vec![
        serial("0a", None),
        serial("0a", Some("partners")),
        serial("0a", Some("others")),
        DenialTarget::Key(KeyPin::of_spki(b"")),
        denied("alice"),
        denied("staff/alice"),
        denied("partners/dns:a.example.com"),
    ];
    for target in &all {
        assert!(changes(store, |store| store.deny(target, "it was lost", "root")));
        assert!(!changes(store, |store| store.deny(target, "another reason", "root")));
    }
    assert!(!changes(store, |store| store.deny(&serial("0:0A", None), "", "")), "the same number");
    all.sort();
    let there = store.denials().unwrap();
    assert!(there.iter().all(|denial| denial.reason == "it was lost" && denial.by == "root"));
    assert!(there.iter().map(|denial| &denial.target).eq(&all));
    for target in &all {
        assert!(changes(store, |store| store.allow(target)));
        assert!(!changes(store, |store| store.allow(target)));
    }
    assert!(store.denials().unwrap().is_empty());
    for (reason, by) in
        [("x".repeat(1025), String::new()), (String::new(), "x".repeat(257)), ("a\nb".into(), "".into())]
    {
        assert!(matches!(store.deny(&all[0], &reason, &by), Err(StoreError::Name(_))));
    }
    assert!(store.deny(&all[0], &"x".repeat(1024), &"x".repeat(256)).unwrap());
}

pub async fn a_directory_is_all_of_it_and_stays_as_it_was<B: Backend>() {
    let store = B::new();
    let store = store.principals();
    add(store, "zoe");
    add(store, "alice");
    add(store, "Bob");
    let (alice, one) = (named("alice"), credential("user:staff/alice"));
    store.bind(&alice, &one).unwrap();
    store.add_to_group(&alice, &group("ops")).unwrap();
    store.deny(&denied("zoe"), "gone", "root").unwrap();
    let names: Vec<String> = store.principals().unwrap().iter().map(|one| one.name.to_string()).collect();
    assert_eq!(names, ["Bob", "alice", "zoe"]);
    let before = store.directory().unwrap();
    store.set_principal_disabled(&alice, true).unwrap();
    store.allow(&denied("zoe")).unwrap();
    let after = store.directory().unwrap();
    assert!(matches!(before.resolve(&one), Resolved::Registered(alice) if alice.is_in("ops")));
    assert!(matches!(after.resolve(&one), Resolved::Disabled(_)));
    let zoe = Facts { principal: Some("zoe"), ..Facts::default() };
    assert!(before.denied(&zoe).is_some_and(|denial| denial.reason == "gone") && after.denied(&zoe).is_none());
    assert_eq!(after.ended_since(&before), [one]);
    assert!(before.version() != after.version());
}
