//! What SQLite alone has: a file, keys, and what can go wrong with them.
#![cfg(feature = "sqlite")]

mod support;

use base64ct::{Base64, Encoding as _};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use support::*;
use tagai_store::invitation::{InvitationCode, NewInvitation, Redeemed};
use tagai_store::principal::{Credential, NewPrincipal, PrincipalKind, PrincipalName, Resolved};
use tagai_store::sealing::SealingKeys;
use tagai_store::sqlite::{Resealed, SqliteSessions, SqliteStore};
use tagai_store::{AccountStore as _, InvitationStore as _};
use tagai_store::{CredentialStore as _, NewUser, PrincipalStore as _, SessionLimits, StoreError, UserStore as _};
use tempfile::TempDir;

/// A folder with a key file and the path of a database.
struct Place {
    folder: TempDir,
}

/// One database as a back end, opened from outside.
struct Opened(SqliteStore, SqliteSessions);

impl Backend for Opened {
    type Users = SqliteStore;
    type Sessions = SqliteSessions;
    type Principals = SqliteStore;

    fn with(_: SessionLimits) -> Self {
        unreachable!("these are opened by path")
    }

    fn users(&self) -> &SqliteStore {
        &self.0
    }

    fn sessions(&self) -> &SqliteSessions {
        &self.1
    }

    fn principals(&self) -> &SqliteStore {
        &self.0
    }
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        SealingKeys::generate_file(place.keys()).unwrap();
        place
    }

    fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("tagai.db")
    }

    fn open(&self) -> SqliteStore {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(self.database(), SealingKeys::load(self.keys()).unwrap())
    }

    fn site(&self) -> Site<Opened> {
        let users = self.open();
        let sessions = users.sessions(SessionLimits::default()).unwrap();
        Site { server: server("http://example.com", 600), store: Arc::new(Opened(users, sessions)) }
    }

    /// Why it does not open; it names the file, and says what to do.
    fn refused(&self, says: &str) {
        let error = self.try_open().unwrap_err().to_string();
        assert!(error.contains(says) && error.contains(self.database().to_str().unwrap()), "{error}");
    }

    fn raw(&self) -> Connection {
        Connection::open(self.database()).unwrap()
    }

    /// Whether the octets are in any file of the folder.
    fn holds(&self, octets: &[u8]) -> bool {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap().path());
        files.into_iter().any(|path| contains(&path, octets))
    }
}

fn contains(path: &Path, octets: &[u8]) -> bool {
    std::fs::read(path).unwrap().windows(octets.len()).any(|window| window == octets)
}

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

#[tokio::test]
async fn sessions_end_with_the_system_they_were_made_on() {
    let place = Place::new();
    let site = place.site();
    add(site.store.users(), &site.server.config().realm, "john");
    let john = site.established("john", at(0)).await;
    drop(site);
    let noted = place.raw().execute("UPDATE notes SET value = 'another start' WHERE name = 'boot'", []).unwrap();
    if noted == 0 {
        return; // This system does not say when it was started.
    }
    let site = place.site();
    assert!(!site.has(&john.sid(), at(1)).await);
    assert_eq!(site.counts().await, (0, 0));
    assert_eq!(site.established("john", at(1)).await.get(&site, owner(1), at(2)).await, 200);
}

#[tokio::test]
async fn nothing_secret_is_in_the_files() {
    let place = Place::new();
    let site = place.site();
    let j = add(site.store.users(), &site.server.config().realm, "john");
    let mut john = site.established("john", at(0)).await;
    let take = |session: Option<tagai_core::server::Session>| {
        let octets = session.as_ref().unwrap().expose_octets();
        (session, octets)
    };
    let sid = john.sid();
    let octets = tagai_store::SessionStore::update(site.sessions(), &site.server, &sid, at(0), take).await.unwrap();
    assert_eq!(john.get(&site, owner(1), at(1)).await, 200);
    assert!(place.holds(b"john"), "the test looks where things are");
    for secret in [j.expose_affine(), &j.expose_affine()[..16], &j.expose_octets()[1..17]] {
        assert!(!place.holds(secret));
    }
    // Names are in clear; the session's key, three elements of 33 octets, has no 16 octets in any file.
    let hidden = octets.windows(16).filter(|window| !place.holds(window)).count();
    assert!(hidden >= 3 * 33 - 15, "{hidden} of {} pieces of a session are in no file", octets.len());
    assert!(!place.holds(site.server.decoy()));
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

#[tokio::test]
async fn a_verifier_that_was_moved_does_not_open() {
    let place = Place::new();
    let store = place.open();
    let realm = a_realm();
    add(&store, &realm, "john");
    add(&store, &realm, "mallory");
    let swap = "UPDATE users SET sealed = (SELECT sealed FROM users WHERE name = 'mallory') WHERE name = 'john'";
    assert_eq!(place.raw().execute(swap, []).unwrap(), 1);
    let error = store.verifier(&realm, &name("john"), b"").await.unwrap_err().to_string();
    assert!(error.contains("\"john\"") && error.contains("changed or moved"), "{error}");
    assert!(store.verifier(&realm, &name("mallory"), b"").await.unwrap().is_some());
    // Nor does a row under another name.
    place.raw().execute("UPDATE users SET name = 'ann' WHERE name = 'mallory'", []).unwrap();
    assert!(store.verifier(&realm, &name("ann"), b"").await.is_err());
    assert!(store.verifier(&realm, &name("mallory"), b"").await.unwrap().is_none());
    place.raw().execute("UPDATE users SET realm = 'other'", []).unwrap();
    let other = tagai_core::realm::RealmName::new("other").unwrap();
    let other = tagai_core::realm::AuthRealm { name: other, ..realm };
    assert!(store.export(&other, &name("ann")).is_err());
}

#[tokio::test]
async fn a_session_that_was_moved_is_unknown() {
    let place = Place::new();
    let site = place.site();
    add(site.store.users(), &site.server.config().realm, "john");
    let (one, other) = (site.established("john", at(0)).await, site.established("john", at(0)).await);
    let raw = place.raw();
    let sealed: Vec<u8> =
        raw.query_row("SELECT sealed FROM sessions WHERE sid = ?1", [one.sid().octets()], |row| row.get(0)).unwrap();
    raw.execute("UPDATE sessions SET sealed = ?1 WHERE sid = ?2", (sealed, other.sid().octets())).unwrap();
    assert!(!site.has(&other.sid(), at(1)).await);
    assert!(site.has(&one.sid(), at(1)).await);
}

#[test]
fn a_wrong_key_is_found_at_once() {
    let place = Place::new();
    let realm = a_realm();
    add(&place.open(), &realm, "john");
    let right = std::fs::read_to_string(place.keys()).unwrap();
    let id = SealingKeys::parse(&right).unwrap().first_id().to_owned();
    // Another key: the missing one is named.
    std::fs::write(place.keys(), SealingKeys::generate_line().unwrap().as_bytes()).unwrap();
    place.refused(&format!("\"{id}\", which is not among the sealing keys"));
    // Another key of the same name.
    let line = SealingKeys::generate_line().unwrap();
    let (_, base64) = line.split_once(':').unwrap();
    std::fs::write(place.keys(), format!("{id}:{base64}")).unwrap();
    place.refused(&format!("\"{id}\" is not the one of this name"));
    std::fs::write(place.keys(), right).unwrap();
    assert!(place.open().export(&realm, &name("john")).is_ok());
}

#[tokio::test]
async fn keys_are_changed_while_it_runs() {
    let place = Place::new();
    let realm = a_realm();
    let site = place.site();
    let mut verifiers = Vec::new();
    let one = verifier(&realm, &name("user"));
    for n in 0..600 {
        let name = name(&format!("user {n}"));
        site.store.users().add(&tagai_store::NewUser { realm: &realm, name: &name, verifier: &one }).unwrap();
        verifiers.push(name);
    }
    add(site.store.users(), &realm, "john");
    let mut john = site.established("john", at(0)).await;
    drop(site);
    let old = SealingKeys::load(place.keys()).unwrap().first_id().to_owned();
    let new = SealingKeys::rotate_file(place.keys()).unwrap();
    let site = place.site();
    add(site.store.users(), &realm, "ann");
    assert_eq!(site.store.users().reseal().unwrap(), Resealed { users: 601, sessions: 1 });
    assert_eq!(site.store.users().reseal().unwrap(), Resealed::default());
    drop(site);
    // The old key is not needed any more.
    let text = std::fs::read_to_string(place.keys()).unwrap();
    let kept: String = text.lines().filter(|line| !line.starts_with(&old)).map(|line| format!("{line}\n")).collect();
    std::fs::write(place.keys(), kept).unwrap();
    let site = place.site();
    assert_eq!(SealingKeys::load(place.keys()).unwrap().ids().collect::<Vec<_>>(), [new.as_str()]);
    for name in verifiers {
        assert_eq!(site.store.users().export(&realm, &name).unwrap().expose_affine(), one.expose_affine());
    }
    assert_eq!(john.get(&site, owner(1), at(1)).await, 200);
    assert!(!place.holds(old.as_bytes()), "nothing that was sealed under it is left");
    site.store.users().check().unwrap();
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
        let verifier = verifier(&realm, &crate::name("x"));
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
    place.raw().execute_batch(include_str!("fixtures/format-1.sql")).unwrap();
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

fn alice_with_a_credential(store: &SqliteStore) -> (PrincipalName, Credential) {
    let (alice, credential) = ("alice".parse().unwrap(), "user:staff/john".parse().unwrap());
    store.add_principal(&NewPrincipal { name: PrincipalName::clone(&alice), kind: PrincipalKind::Person }).unwrap();
    store.bind(&alice, &credential).unwrap();
    (alice, credential)
}

#[test]
fn another_process_sees_what_has_changed() {
    let place = Place::new();
    let (operator, gateway) = (place.open(), place.open());
    let (alice, credential) = alice_with_a_credential(&operator);
    let before = gateway.directory().unwrap();
    assert_eq!(gateway.directory_version().unwrap(), before.version());
    operator.set_principal_disabled(&alice, true).unwrap();
    assert_ne!(gateway.directory_version().unwrap(), before.version());
    let after = gateway.directory().unwrap();
    assert!(matches!(after.resolve(&credential), Resolved::Disabled(_)));
    assert_eq!(after.ended_since(&before), [credential]);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_stores_on_one_file_accept_one_number_once() {
    let place = Place::new();
    let one = Arc::new(place.site());
    let other = Arc::new(Site { server: one.server.clone(), store: place.site().store });
    add(one.store.users(), &one.server.config().realm, "john");
    for _ in 0..5 {
        let mut john = Browser::new(&one.server, "john", "secret");
        john.begin(&one, owner(1), at(0)).await;
        let mut requests = tokio::task::JoinSet::new();
        for turn in 0..16 {
            let site = Arc::clone(if turn % 2 == 0 { &one } else { &other });
            let credentials = john.last().to_owned();
            requests.spawn(async move { site.answer(Some(&credentials), owner(1), at(1)).await.status });
        }
        let statuses = requests.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    }
    let mut john = one.established("john", at(1)).await;
    assert_eq!(john.get(&other, owner(1), at(2)).await, 200);
    other.store.users().set_disabled(&one.server.config().realm, &name("john"), true).unwrap();
    assert!(one.store.users().user(&one.server.config().realm, &name("john")).unwrap().unwrap().disabled);
}

#[test]
fn a_process_with_retired_keys_is_told_so() {
    let place = Place::new();
    let old = place.open();
    add(&old, &a_realm(), "john");
    SealingKeys::rotate_file(place.keys()).unwrap();
    place.open().reseal().unwrap();
    let john = verifier(&a_realm(), &name("ann"));
    let user = tagai_store::NewUser { realm: &a_realm(), name: &name("ann"), verifier: &john };
    let error = old.add(&user).unwrap_err().to_string();
    assert!(error.contains("start this process anew"), "{error}");
    let error = old.export(&a_realm(), &name("john")).unwrap_err().to_string();
    assert!(error.contains("not among the sealing keys"), "{error}");
    place.open().add(&user).unwrap();
}

#[test]
fn many_processes_may_make_it_at_once() {
    for _ in 0..10 {
        let place = Place::new();
        let barrier = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for n in 0..8 {
                let (place, barrier) = (&place, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let store = place.open();
                    add(&store, &a_realm(), &format!("user {n}"));
                });
            }
        });
        assert_eq!(place.open().users(None).unwrap().len(), 8);
    }
}

#[tokio::test]
async fn who_was_changed_is_told_and_their_sessions_end() {
    let place = Place::new();
    let site = place.site();
    let realm = site.server.config().realm.clone();
    for user in ["john", "mary", "jane"] {
        add(site.store.users(), &realm, user);
    }
    let mut john = site.established("john", at(0)).await;
    let mut mary = site.established("mary", at(0)).await;
    let store = site.store.users();
    let begin = store.revocations(None).unwrap();
    assert_eq!(begin.users, []);
    assert_eq!(store.revocations(Some(begin.last)).unwrap(), begin, "adding users ends no session");

    // As another process would do it.
    let other = place.open();
    other.set_disabled(&realm, &name("john"), true).unwrap();
    let told = store.revocations(Some(begin.last)).unwrap();
    assert_eq!(told.users, [(realm.clone(), name("john"))]);
    assert!(!site.has(&john.sid(), at(1)).await);
    assert_eq!(mary.get(&site, owner(1), at(1)).await, 200, "others are not concerned");
    assert_ne!(john.get(&site, owner(1), at(1)).await, 200);

    other.set_disabled(&realm, &name("john"), false).unwrap();
    assert_eq!(store.revocations(Some(told.last)).unwrap().users, [], "who may log in again has no session to end");

    let j = other.export(&realm, &name("mary")).unwrap();
    other.set_verifier(&NewUser { realm: &realm, name: &name("mary"), verifier: &j }).unwrap();
    other.remove(&realm, &name("jane")).unwrap();
    assert_eq!(other.remove(&realm, &name("nobody")).unwrap_err().to_string(), StoreError::NoUser.to_string());
    let told = store.revocations(Some(told.last)).unwrap();
    assert_eq!(told.users, [(realm.clone(), name("mary")), (realm.clone(), name("jane"))]);
    assert!(!site.has(&mary.sid(), at(1)).await);
    // Sealing anew changes nobody.
    other.reseal().unwrap();
    assert_eq!(store.revocations(Some(told.last)).unwrap().users, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_and_the_sessions_change_in_one_step_and_others_hear_of_it() {
    let place = Place::new();
    let site = place.site();
    let (realm, john) = (site.server.config().realm.clone(), name("john"));
    add(&place.open(), &realm, "john");
    let gateway = place.open();
    let mut seen = gateway.revocations(None).unwrap().last;
    let changed = |after: i64| gateway.revocations(Some(after)).unwrap();
    let other = verifier(&realm, &name("another"));
    let user = NewUser { realm: &realm, name: &john, verifier: &other };
    for reset in [false, true] {
        let password = if reset { "another" } else { "john" };
        let browser = if reset { None } else { Some(site.established("john", at(0)).await) };
        assert_eq!(site.counts().await.1, usize::from(!reset), "{password}");
        if reset {
            let code = InvitationCode::generate().unwrap().digest();
            let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
            let new = NewInvitation { realm: &realm, name: &john, code: &code, reset, expires };
            site.store.users().invite(&new, SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(changed(seen).users, [], "an invitation changes nobody");
            let redeemed = site.store.users().redeem(&code, &user, SystemTime::UNIX_EPOCH).await.unwrap();
            assert_eq!(redeemed, Redeemed::Reset);
        } else {
            site.store.users().change_verifier(&user).await.unwrap();
        }
        assert_eq!(site.counts().await, (0, 0), "the sessions are over");
        let heard = changed(seen);
        assert_eq!(heard.users, [(realm.clone(), john.clone())]);
        seen = heard.last;
        drop(browser);
    }
    place.open().check().unwrap();
}

#[tokio::test]
async fn the_database_holds_no_code() {
    let place = Place::new();
    let (store, realm, john) = (place.open(), a_realm(), name("john"));
    let code = InvitationCode::generate().unwrap();
    let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    let new = NewInvitation { realm: &realm, name: &john, code: &code.digest(), reset: false, expires };
    store.invite(&new, SystemTime::UNIX_EPOCH).unwrap();
    let text = code.expose_text();
    assert!(place.holds(code.digest().octets()), "the test looks where it has to");
    assert!(!place.holds(text.as_bytes()) && !place.holds(text.replace('-', "").as_bytes()));
    // The next process finds it, and a reseal leaves it alone.
    drop(store);
    let store = place.open();
    store.reseal().unwrap();
    let j = verifier(&realm, &john);
    let user = NewUser { realm: &realm, name: &john, verifier: &j };
    assert_eq!(store.redeem(&code.digest(), &user, SystemTime::UNIX_EPOCH).await.unwrap(), Redeemed::Added);
}
