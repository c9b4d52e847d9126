//! Users.

use crate::support::*;
use tagai_core::algorithm::Algorithm;
use tagai_core::kam3::J;
use tagai_core::realm::AuthRealm;
use tagai_store::{CredentialStore as _, NewUser, StoreError, UserStore as _};

async fn verifier_of<B: Backend>(store: &B, realm: &AuthRealm, user: &str) -> Option<Vec<u8>> {
    let decoy = verifier(realm, &name("decoy"));
    let found = store.users().verifier(realm, &name(user), decoy.expose_affine()).await.unwrap();
    found.map(|j| {
        assert_eq!(j.algorithm(), realm.algorithm);
        j.expose_affine().to_vec()
    })
}

pub async fn a_user_is_added_found_changed_and_removed<B: Backend>() {
    let (store, realm) = (B::new(), a_realm());
    let users = store.users();
    assert_eq!(verifier_of(&store, &realm, "john").await, None);
    let first = add(users, &realm, "john");
    assert_eq!(verifier_of(&store, &realm, "john").await.as_deref(), Some(first.expose_affine()));
    let other = verifier(&realm, &name("another"));
    let again = NewUser { realm: &realm, name: &name("john"), verifier: &other };
    assert!(matches!(users.add(&again), Err(StoreError::UserExists)));
    assert_eq!(verifier_of(&store, &realm, "john").await.as_deref(), Some(first.expose_affine()));
    users.set_verifier(&again).unwrap();
    assert_eq!(verifier_of(&store, &realm, "john").await.as_deref(), Some(other.expose_affine()));
    assert_eq!(users.export(&realm, &name("john")).unwrap().expose_affine(), other.expose_affine());
    let user = users.user(&realm, &name("john")).unwrap().unwrap();
    assert_eq!((user.realm, user.name, user.disabled), (realm.clone(), name("john"), false));
    assert!(user.created <= user.changed);
    users.remove(&realm, &name("john")).unwrap();
    assert_eq!(verifier_of(&store, &realm, "john").await, None);
    assert_eq!(users.user(&realm, &name("john")).unwrap(), None);
    add(users, &realm, "john");
}

pub async fn names_are_compared_octet_for_octet<B: Backend>() {
    let (store, realm) = (B::new(), a_realm());
    let spellings =
        ["john", "John", "JOHN", "john ", " john", "jöhn", "jo\u{308}hn", "john%", "_ohn", "'; --", "joh"];
    for spelling in spellings {
        assert_eq!(verifier_of(&store, &realm, spelling).await, None, "{spelling:?}");
        let j = add(store.users(), &realm, spelling);
        assert_eq!(verifier_of(&store, &realm, spelling).await.as_deref(), Some(j.expose_affine()));
    }
    let long = "x".repeat(1024);
    add(store.users(), &realm, &long);
    assert_eq!(verifier_of(&store, &realm, &long[1..]).await, None);
    assert_eq!(store.users().users(None).unwrap().len(), spellings.len() + 1);
}

pub async fn a_realm_is_all_three_of_its_parts<B: Backend>() {
    let (store, home) = (B::new(), a_realm());
    add(store.users(), &home, "john");
    for other in [
        realm(Algorithm::EcP256Sha256, "http://example.com", "A realm"),
        realm(Algorithm::EcP256Sha256, "https://example.com", "a realm"),
        realm(Algorithm::EcP256Sha256, "example.com", "a realm"),
        realm(Algorithm::EcP256Sha256, "*.example.com", "a realm"),
        realm(Algorithm::EcP521Sha512, "http://example.com", "a realm"),
    ] {
        assert_eq!(verifier_of(&store, &other, "john").await, None, "{other}");
        assert!(matches!(store.users().export(&other, &name("john")), Err(StoreError::NoUser)));
        assert!(matches!(store.users().remove(&other, &name("john")), Err(StoreError::NoUser)));
        assert_eq!(store.users().users(Some(&other)).unwrap(), []);
    }
    assert!(verifier_of(&store, &home, "john").await.is_some());
}

pub async fn a_disabled_user_has_no_verifier_and_comes_back<B: Backend>() {
    let (store, realm) = (B::new(), a_realm());
    let j = add(store.users(), &realm, "john");
    store.users().set_disabled(&realm, &name("john"), true).unwrap();
    assert_eq!(verifier_of(&store, &realm, "john").await, None);
    assert!(store.users().user(&realm, &name("john")).unwrap().unwrap().disabled);
    assert_eq!(store.users().export(&realm, &name("john")).unwrap().expose_affine(), j.expose_affine());
    // Another password does not let the user in again.
    store.users().set_verifier(&NewUser { realm: &realm, name: &name("john"), verifier: &j }).unwrap();
    assert_eq!(verifier_of(&store, &realm, "john").await, None);
    store.users().set_disabled(&realm, &name("john"), false).unwrap();
    assert!(verifier_of(&store, &realm, "john").await.is_some());
}

pub async fn changes_of_nobody_are_refused<B: Backend>() {
    let (store, realm, nobody) = (B::new(), a_realm(), name("nobody"));
    let users = store.users();
    let verifier = verifier(&realm, &nobody);
    let user = NewUser { realm: &realm, name: &nobody, verifier: &verifier };
    assert!(matches!(users.set_verifier(&user), Err(StoreError::NoUser)));
    assert!(matches!(users.set_disabled(&realm, &nobody, true), Err(StoreError::NoUser)));
    assert!(matches!(users.remove(&realm, &nobody), Err(StoreError::NoUser)));
    assert!(matches!(users.export(&realm, &nobody), Err(StoreError::NoUser)));
    assert_eq!(users.users(None).unwrap(), []);
}

pub async fn users_are_listed_in_order<B: Backend>() {
    let store = B::new();
    let one = a_realm();
    let other = realm(Algorithm::Dl2048Sha256, "*.example.org", "staff");
    let mut expected = Vec::new();
    for (realm, user) in [(&one, "zoe"), (&other, "bob"), (&one, "Adam"), (&one, "adam"), (&other, "ann")] {
        add(store.users(), realm, user);
        expected.push((realm.clone(), name(user)));
    }
    expected.sort();
    let names = |realm: Option<&AuthRealm>| -> Vec<_> {
        store.users().users(realm).unwrap().into_iter().map(|user| (user.realm, user.name)).collect()
    };
    assert_eq!(names(None), expected);
    expected.retain(|(realm, _)| *realm == one);
    assert_eq!(names(Some(&one)), expected);
}

pub async fn every_algorithm_is_kept<B: Backend>() {
    let store = B::new();
    for algorithm in Algorithm::ALL {
        let realm = realm(algorithm, "example.com", "a realm");
        let j = add(store.users(), &realm, "john");
        assert_eq!(verifier_of(&store, &realm, "john").await.as_deref(), Some(j.expose_affine()), "{algorithm}");
        let exported = store.users().export(&realm, &name("john")).unwrap();
        assert_eq!(*exported.expose_octets(), *j.expose_octets());
        let again = J::from_octets(algorithm, &exported.expose_octets()).unwrap();
        assert_eq!(again.expose_affine(), j.expose_affine());
    }
}

pub async fn a_decoy_that_is_none_is_no_error<B: Backend>() {
    let (store, realm) = (B::new(), a_realm());
    for decoy in [&b""[..], b"not on the curve", &[0xff; 2000]] {
        assert!(store.users().verifier(&realm, &name("john"), decoy).await.unwrap().is_none());
    }
}
