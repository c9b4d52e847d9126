//! Several processes on one file.

use crate::place::*;
use crate::support::*;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tagai_store::invitation::{InvitationCode, NewInvitation, Redeemed};
use tagai_store::principal::Resolved;
use tagai_store::{
    AccountStore as _, InvitationStore as _, NewUser, PrincipalStore as _, StoreError, UserStore as _,
};

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
