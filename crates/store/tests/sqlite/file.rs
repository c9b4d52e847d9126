//! The file: what may be in it, who may read it, and what is refused.

use crate::place::*;
use crate::support::*;
use base64ct::{Base64, Encoding as _};
use tagai_store::principal::{NewPrincipal, PrincipalKind, Resolved};
use tagai_store::sealing::SealingKeys;
use tagai_store::sqlite::SqliteStore;
use tagai_store::{PrincipalStore as _, StoreError, UserStore as _};

#[tokio::test]
async fn users_and_sessions_are_there_when_it_is_opened_again() {
    let place = Place::new();
    let site = place.site();
    let realm = site.server.config().realm.clone();
    let j = add(site.store.users(), &realm, "john");
    let mut john = site.established("john", at(0)).await;
    let waiting = site.half_open("john", owner(1), at(0)).await;
    drop(site);
    let site = place.site();
    assert_eq!(site.store.users().export(&realm, &name("john")).unwrap().expose_affine(), j.expose_affine());
    assert_eq!(site.counts().await, (1, 1));
    assert!(site.has(&waiting, at(1)).await);
    assert_eq!(john.get(&site, owner(1), at(1)).await, 200);
    assert_eq!(john.sent.iter().filter(|sent| sent.contains("kc1=")).count(), 1, "in the same session");
}

#[test]
fn the_file_is_its_owners_alone() {
    let place = Place::new();
    let store = place.open();
    add(&store, &a_realm(), "john");
    #[cfg(unix)]
    for file in std::fs::read_dir(place.folder.path()).unwrap() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.path());
    }
}

#[test]
fn what_is_no_database_is_refused() {
    let place = Place::new();
    std::fs::write(place.database(), "this is a text, and not a short one: ".repeat(200)).unwrap();
    place.refused("no SQLite database");
    std::fs::remove_file(place.database()).unwrap();
    std::fs::create_dir(place.database()).unwrap();
    place.refused("this is a folder");
    let error = SqliteStore::open(place.folder.path().join("no/such/folder.db"), keys()).unwrap_err().to_string();
    assert!(error.contains("folder exists"), "{error}");
}

#[test]
fn a_damaged_database_is_named_as_one() {
    let place = Place::new();
    let realm = a_realm();
    let store = place.open();
    for n in 0..100 {
        let name = name(&format!("user {n}"));
        let verifier = verifier(&realm, &crate::support::name("x"));
        store.add(&tagai_store::NewUser { realm: &realm, name: &name, verifier: &verifier }).unwrap();
    }
    store.check().unwrap();
    store.reseal().unwrap(); // Moves the write-ahead log into the file.
    drop(store);
    let mut octets = std::fs::read(place.database()).unwrap();
    octets[2 * 4096..].fill(0x5a);
    std::fs::write(place.database(), octets).unwrap();
    let found = place.try_open().and_then(|store| store.users(None).and_then(|_| store.check()));
    let error = found.unwrap_err().to_string();
    assert!(error.contains("restore a backup"), "{error}");
}

#[test]
fn a_database_of_another_program_is_left_as_it_is() {
    let place = Place::new();
    for make in ["CREATE TABLE songs (title TEXT)", "PRAGMA application_id = 7", "PRAGMA user_version = 3"] {
        let _ = std::fs::remove_file(place.database());
        place.raw().execute_batch(make).unwrap();
        let before = std::fs::read(place.database()).unwrap();
        place.refused("belongs to another program");
        assert_eq!(std::fs::read(place.database()).unwrap(), before);
    }
}

#[test]
fn a_newer_database_is_left_as_it_is() {
    let place = Place::new();
    drop(place.open());
    place.raw().execute_batch("PRAGMA user_version = 1000").unwrap();
    place.refused("a newer version of tagai has made it (format 1000");
}

/// The key of `fixtures/format-1.sql`, made for it alone.
const KEY_OF_FORMAT_1: &str = "key-c72047cb71ca:Jr/ep0+nqp0UfSXjDy04L+dqkzN8Nrr5v/MITx5qXzY=\n";

#[test]
fn a_database_of_format_1_is_brought_up_to_date() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    let open = || SqliteStore::open(place.database(), SealingKeys::parse(KEY_OF_FORMAT_1).unwrap()).unwrap();
    place.raw().execute_batch(include_str!("../fixtures/format-1.sql")).unwrap();
    let format =
        |place: &Place| place.raw().query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(format(&place), 1);
    for _ in 0..2 {
        let store = open();
        assert_eq!(format(&place), 3);
        let users = store.users(None).unwrap();
        let [alice] = &users[..] else { panic!("{users:?}") };
        assert_eq!((alice.name.as_str(), alice.realm.to_string().contains("Staff")), ("alice", true));
        let j = store.export(&alice.realm, &alice.name).unwrap();
        assert_eq!(Base64::encode_string(&j.expose_octets()), "ALSDbXB0bkhtheJ6DA7j1NZpRGYj8i3mqeT6bvC9IMFq");
        assert!(store.principals().unwrap().is_empty() && store.denials().unwrap().is_empty());
        store.directory().unwrap();
        store.check().unwrap();
    }
    let store = open();
    store.add_principal(&NewPrincipal { name: "alice".parse().unwrap(), kind: PrincipalKind::Person }).unwrap();
    assert_eq!(store.directory().unwrap().len(), 1);
}

/// Whoever changes the tables by hand is seen as well, and cannot give a credential to two.
#[test]
fn the_tables_keep_their_own_rules() {
    let place = Place::new();
    let store = place.open();
    alice_with_a_credential(&store);
    let raw = place.raw();
    raw.pragma_update(None, "foreign_keys", "ON").unwrap();
    for refused in [
        "INSERT INTO credentials VALUES ('user:staff/john', 'alice')",
        "INSERT INTO credentials VALUES ('user:staff/jane', 'nobody')",
        "INSERT INTO principal_groups VALUES ('nobody', 'ops')",
        "INSERT INTO directory VALUES (1, 0, 0, 0)",
    ] {
        assert!(raw.execute(refused, []).is_err(), "{refused}");
    }
    for sql in [
        "INSERT INTO principals VALUES ('bob', 'person', 0, 0, 0)",
        "UPDATE principals SET disabled = 1 WHERE name = 'bob'",
        "INSERT INTO principal_groups VALUES ('bob', 'ops')",
        "UPDATE principal_groups SET name = 'dev'",
        "DELETE FROM principal_groups",
        "INSERT INTO principal_attributes VALUES ('bob', 'a', 'b')",
        "UPDATE principal_attributes SET value = 'c'",
        "DELETE FROM principal_attributes",
        "UPDATE credentials SET principal = 'bob'",
        "DELETE FROM credentials",
        "INSERT INTO denials VALUES ('principal', 'bob', '', '', 0, '')",
        "UPDATE denials SET name = 'alice'",
        "DELETE FROM denials",
        "DELETE FROM principals WHERE name = 'bob'",
    ] {
        let before = store.directory_version().unwrap();
        raw.execute(sql, []).unwrap();
        assert_ne!(store.directory_version().unwrap(), before, "{sql}");
    }
    for sql in ["UPDATE principals SET kind = 'robot'", "INSERT INTO denials VALUES ('what', 'bob', '', '', 0, '')"] {
        let place = Place::new();
        let store = place.open();
        alice_with_a_credential(&store);
        place.raw().execute(sql, []).unwrap();
        let error = store.directory().unwrap_err().to_string();
        assert!(error.contains("it is damaged") && error.contains("restore a backup"), "{error}");
    }
}

#[test]
fn a_user_is_removed_with_its_credential_or_not_at_all() {
    let place = Place::new();
    let store = place.open();
    let realm = a_realm();
    let (alice, credential) = alice_with_a_credential(&store);
    let nobody = store.remove_with_credential(&realm, &name("john"), &credential);
    assert!(matches!(nobody, Err(StoreError::NoUser)));
    assert_eq!(store.owner_of(&credential).unwrap().as_ref(), Some(&alice));
    add(&store, &realm, "john");
    let before = store.directory().unwrap();
    assert_eq!(store.remove_with_credential(&realm, &name("john"), &credential).unwrap(), Some(alice));
    assert!(store.users(None).unwrap().is_empty());
    let after = store.directory().unwrap();
    assert!(matches!(after.resolve(&credential), Resolved::Unregistered(_)));
    assert_eq!(after.ended_since(&before), std::slice::from_ref(&credential));
    add(&store, &realm, "john");
    assert_eq!(store.remove_with_credential(&realm, &name("john"), &credential).unwrap(), None);
}

#[test]
fn a_locked_database_says_who_has_to_stop() {
    let place = Place::new();
    let store = place.open();
    let other = place.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let john = verifier(&a_realm(), &name("john"));
    let user = tagai_store::NewUser { realm: &a_realm(), name: &name("john"), verifier: &john };
    let error = store.add(&user).unwrap_err().to_string();
    assert!(error.contains("another process has it locked"), "{error}");
    // Readers are not kept from reading, and the change works when the lock is gone.
    assert_eq!(store.users(None).unwrap(), []);
    other.execute_batch("ROLLBACK").unwrap();
    store.add(&user).unwrap();
}

#[test]
#[cfg(unix)]
fn a_file_that_can_only_be_read_says_so() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    drop(place.open());
    std::fs::set_permissions(place.database(), std::fs::Permissions::from_mode(0o400)).unwrap();
    if std::fs::OpenOptions::new().write(true).open(place.database()).is_ok() {
        return; // The superuser is refused nothing.
    }
    place.refused("can only be read");
}
