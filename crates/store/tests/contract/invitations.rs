//! Invitations, and the change of a password.

use crate::support::*;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tagai_core::algorithm::Algorithm;
use tagai_core::realm::AuthRealm;
use tagai_store::invitation::{InvitationCode, InvitationFault, MAX_INVITATIONS, NewInvitation, Redeemed};
use tagai_store::{
    AccountStore as _, CredentialStore as _, InvitationStore, NewUser, SessionStore as _, StoreError, UserStore as _,
};

const HOUR: Duration = Duration::from_secs(3600);

/// Seconds after noon of some day.
fn noon(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn invite<B: Backend>(store: &B, realm: &AuthRealm, user: &str, reset: bool) -> Result<InvitationCode, StoreError> {
    let code = InvitationCode::generate().unwrap();
    let (name, digest) = (name(user), code.digest());
    let new = NewInvitation { realm, name: &name, code: &digest, reset, expires: noon(0) + HOUR };
    store.users().invite(&new, noon(0)).map(|_| code)
}

async fn redeem<B: Backend>(
    store: &B,
    realm: &AuthRealm,
    user: &str,
    code: &InvitationCode,
    now: SystemTime,
) -> Redeemed {
    let (name, verifier) = (name(user), verifier(realm, &name(user)));
    store.users().redeem(&code.digest(), &NewUser { realm, name: &name, verifier: &verifier }, now).await.unwrap()
}

async fn may_log_in<B: Backend>(store: &B, realm: &AuthRealm, user: &str) -> bool {
    store.users().verifier(realm, &name(user), b"").await.unwrap().is_some()
}

pub async fn an_invitation_makes_a_user_once<B: Backend>() {
    let (store, realm) = (B::new(), a_realm());
    let code = invite(&store, &realm, "john", false).unwrap();
    assert!(!may_log_in(&store, &realm, "john").await);
    let [known] = &store.users().invitations(None, noon(1)).unwrap()[..] else { panic!("one invitation") };
    assert_eq!((&known.realm, known.name.as_str(), known.reset), (&realm, "john", false));
    assert_eq!((known.created, known.expires), (noon(0), noon(0) + HOUR));
    assert_eq!(redeem(&store, &realm, "john", &code, noon(1)).await, Redeemed::Added);
    assert!(may_log_in(&store, &realm, "john").await);
    assert_eq!(store.users().invitations(None, noon(1)).unwrap(), []);
    let again = redeem(&store, &realm, "john", &code, noon(1)).await;
    assert_eq!(again, Redeemed::Refused(InvitationFault::Unknown));
    store.users().remove(&realm, &name("john")).unwrap();
    let again = redeem(&store, &realm, "john", &code, noon(1)).await;
    assert_eq!(again, Redeemed::Refused(InvitationFault::Unknown), "it does not bring back who was removed");
}

pub async fn an_invitation_is_for_one_name_in_one_realm<B: Backend>() {
    let (store, home) = (B::new(), a_realm());
    let code = invite(&store, &home, "john", false).unwrap();
    let refused = Redeemed::Refused(InvitationFault::NotForThis);
    for other in ["mary", "John", "john ", "joh"] {
        assert_eq!(redeem(&store, &home, other, &code, noon(1)).await, refused, "{other}");
    }
    for other in [
        realm(Algorithm::EcP256Sha256, "http://example.com", "A realm"),
        realm(Algorithm::EcP256Sha256, "https://example.com", "a realm"),
        realm(Algorithm::EcP521Sha512, "http://example.com", "a realm"),
    ] {
        assert_eq!(redeem(&store, &other, "john", &code, noon(1)).await, refused, "{other}");
        assert_eq!(store.users().invitations(Some(&other), noon(1)).unwrap(), []);
    }
    let made_up = InvitationCode::generate().unwrap();
    let unknown = Redeemed::Refused(InvitationFault::Unknown);
    assert_eq!(redeem(&store, &home, "john", &made_up, noon(1)).await, unknown);
    assert_eq!(store.users().users(None).unwrap(), [], "nothing came of it");
    assert_eq!(redeem(&store, &home, "john", &code, noon(1)).await, Redeemed::Added, "and it is still good");
}

pub async fn an_invitation_runs_out<B: Backend>() {
    let (store, realm) = (B::new(), a_realm());
    let code = invite(&store, &realm, "john", false).unwrap();
    let expired = Redeemed::Refused(InvitationFault::Expired);
    assert_eq!(redeem(&store, &realm, "john", &code, noon(0) + HOUR).await, expired);
    assert_eq!(redeem(&store, &realm, "john", &code, noon(7200)).await, expired);
    assert_eq!(store.users().invitations(None, noon(7200)).unwrap(), []);
    // The next one sweeps up.
    let (digest, mary) = (InvitationCode::generate().unwrap().digest(), name("mary"));
    let later = NewInvitation { realm: &realm, name: &mary, code: &digest, reset: false, expires: noon(9000) };
    assert!(!store.users().invite(&later, noon(7200)).unwrap());
    let unknown = Redeemed::Refused(InvitationFault::Unknown);
    assert_eq!(redeem(&store, &realm, "john", &code, noon(1)).await, unknown, "it is gone for good");
}

pub async fn a_later_invitation_replaces_an_earlier_one<B: Backend>() {
    let (store, realm) = (B::new(), a_realm());
    let first = invite(&store, &realm, "john", false).unwrap();
    let (digest, john) = (InvitationCode::generate().unwrap(), name("john"));
    let second =
        NewInvitation { realm: &realm, name: &john, code: &digest.digest(), reset: false, expires: noon(60) };
    assert!(store.users().invite(&second, noon(0)).unwrap(), "it says so");
    assert_eq!(store.users().invitations(Some(&realm), noon(0)).unwrap().len(), 1);
    let unknown = Redeemed::Refused(InvitationFault::Unknown);
    assert_eq!(redeem(&store, &realm, "john", &first, noon(1)).await, unknown);
    assert!(store.users().revoke_invitation(&realm, &john).unwrap());
    assert!(!store.users().revoke_invitation(&realm, &john).unwrap());
    assert_eq!(redeem(&store, &realm, "john", &digest, noon(1)).await, unknown, "it was taken back");
}

pub async fn a_reset_replaces_the_verifier_and_ends_sessions<B: Backend>() {
    let site = Site::<B>::new(Default::default());
    let realm = site.server.config().realm.clone();
    let store = &site.store;
    let browser = site.established("john", at(0)).await;
    let code = invite(&**store, &realm, "john", true).unwrap();
    assert!(site.has(&browser.sid(), at(1)).await, "an invitation alone changes nothing");
    let (john, other) = (name("john"), verifier(&realm, &name("another")));
    let user = NewUser { realm: &realm, name: &john, verifier: &other };
    assert_eq!(store.users().redeem(&code.digest(), &user, noon(1)).await.unwrap(), Redeemed::Reset);
    let kept = store.users().verifier(&realm, &john, b"").await.unwrap().unwrap();
    assert_eq!(kept.expose_affine(), other.expose_affine());
    // A store that keeps both ends them in the same step; memory leaves it to the caller.
    store.sessions().end_user(&realm, &john).await.unwrap();
    assert!(!site.has(&browser.sid(), at(1)).await);
}

pub async fn invitations_fit_their_users<B: Backend>() {
    let (store, realm) = (B::new(), a_realm());
    assert!(matches!(invite(&store, &realm, "nobody", true), Err(StoreError::NoUser)));
    add(store.users(), &realm, "john");
    assert!(matches!(invite(&store, &realm, "john", false), Err(StoreError::UserExists)));
    store.users().set_disabled(&realm, &name("john"), true).unwrap();
    assert!(matches!(invite(&store, &realm, "john", true), Err(StoreError::UserDisabled)));
    assert!(matches!(invite(&store, &realm, "john", false), Err(StoreError::UserDisabled)));
}

pub async fn a_change_of_the_user_ends_the_invitation<B: Backend>() {
    let (store, realm, john) = (B::new(), a_realm(), name("john"));
    let users = store.users();
    let unknown = Redeemed::Refused(InvitationFault::Unknown);
    let code = invite(&store, &realm, "john", false).unwrap();
    let old = add(users, &realm, "john");
    assert_eq!(redeem(&store, &realm, "john", &code, noon(1)).await, unknown, "an operator added the user");
    let code = invite(&store, &realm, "john", true).unwrap();
    users.set_disabled(&realm, &john, true).unwrap();
    assert_eq!(redeem(&store, &realm, "john", &code, noon(1)).await, unknown, "disabled");
    users.set_disabled(&realm, &john, false).unwrap();
    assert_eq!(redeem(&store, &realm, "john", &code, noon(1)).await, unknown, "enabled again");
    let code = invite(&store, &realm, "john", true).unwrap();
    users.change_verifier(&NewUser { realm: &realm, name: &john, verifier: &old }).await.unwrap();
    assert_eq!(redeem(&store, &realm, "john", &code, noon(1)).await, unknown, "the user has chosen another password");
    let code = invite(&store, &realm, "john", true).unwrap();
    users.remove(&realm, &john).unwrap();
    assert_eq!(redeem(&store, &realm, "john", &code, noon(1)).await, unknown, "removed");
    assert!(!may_log_in(&store, &realm, "john").await);
}

pub async fn of_many_with_one_code_one_is_served<B: Backend>() {
    let (store, realm) = (Arc::new(B::new()), a_realm());
    for reset in [false, true] {
        let code = Arc::new(invite(&*store, &realm, "john", reset).unwrap());
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (store, realm, code) = (Arc::clone(&store), realm.clone(), Arc::clone(&code));
                tokio::spawn(async move { redeem(&*store, &realm, "john", &code, noon(1)).await })
            })
            .collect();
        let mut served = 0;
        for task in tasks {
            match task.await.unwrap() {
                Redeemed::Added => served += usize::from(!reset),
                Redeemed::Reset => served += usize::from(reset),
                Redeemed::Refused(_) => {}
            }
        }
        assert_eq!(served, 1, "reset: {reset}");
    }
}

pub async fn only_who_may_log_in_changes_a_password<B: Backend>() {
    let site = Site::<B>::new(Default::default());
    let realm = site.server.config().realm.clone();
    let users = site.store.users();
    let (john, other) = (name("john"), verifier(&realm, &name("another")));
    let user = NewUser { realm: &realm, name: &john, verifier: &other };
    let nobody = NewUser { name: &name("nobody"), ..user };
    assert!(matches!(users.change_verifier(&nobody).await, Err(StoreError::NoUser)));
    users.set_disabled(&realm, &john, true).unwrap();
    let before = users.export(&realm, &john).unwrap();
    assert!(matches!(users.change_verifier(&user).await, Err(StoreError::UserDisabled)));
    assert_eq!(users.export(&realm, &john).unwrap().expose_affine(), before.expose_affine());
    users.set_disabled(&realm, &john, false).unwrap();
    users.change_verifier(&user).await.unwrap();
    assert_eq!(users.export(&realm, &john).unwrap().expose_affine(), other.expose_affine());
}

/// With as many as there may be, named "user 0" and so on until an hour after noon.
pub fn invitations_are_bounded(users: &impl InvitationStore) {
    let realm = a_realm();
    let (digest, more) = (InvitationCode::generate().unwrap().digest(), name("one more"));
    let one_more = NewInvitation { realm: &realm, name: &more, code: &digest, reset: false, expires: noon(9000) };
    assert!(matches!(users.invite(&one_more, noon(0)), Err(StoreError::TooMany { .. })));
    assert_eq!(users.invitations(None, noon(0)).unwrap().len(), MAX_INVITATIONS);
    let seventh = name("user 7");
    let replaced = NewInvitation { name: &seventh, ..one_more };
    assert!(users.invite(&replaced, noon(0)).unwrap(), "one may still take the place of another");
    users
        .invite(&NewInvitation { code: &InvitationCode::generate().unwrap().digest(), ..one_more }, noon(3600))
        .unwrap();
    assert_eq!(users.invitations(None, noon(3600)).unwrap().len(), 2, "those that had run out made room");
}

/// As many as there may be.
pub fn fill(invite: impl Fn(&NewInvitation<'_>, SystemTime)) {
    let realm = a_realm();
    for number in 0..MAX_INVITATIONS {
        let (code, user) = (InvitationCode::generate().unwrap().digest(), name(&format!("user {number}")));
        invite(
            &NewInvitation { realm: &realm, name: &user, code: &code, reset: false, expires: noon(0) + HOUR },
            noon(0),
        );
    }
}
