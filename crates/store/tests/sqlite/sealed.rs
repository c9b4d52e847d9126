//! What is sealed, and under which keys.

use crate::place::*;
use crate::support::*;
use std::time::{Duration, SystemTime};
use tagai_store::invitation::{InvitationCode, NewInvitation, Redeemed};
use tagai_store::sealing::SealingKeys;
use tagai_store::sqlite::Resealed;
use tagai_store::{AccountStore as _, CredentialStore as _, InvitationStore as _, NewUser, UserStore as _};

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
