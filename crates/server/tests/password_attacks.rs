//! Attacks on passwords over TLS that need more than one request at a time, and what fails meanwhile.

mod password_support;

use http::StatusCode;
use http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use password_support::{Desk, answer, basic, config, from};
use std::sync::Arc;
use std::time::Duration;
use tagai_server::{BasicDecision, Decision, GuardConfig, PasswordLimits};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Sends a request, and waits until the store is asked or nothing more happens.
async fn send(desk: &Desk, user: &'static str, password: &'static str, address: u8) -> JoinHandle<BasicDecision> {
    let tls = desk.tls.clone();
    let request = async move { tls.authenticate(&basic(user, password), &from(address)).await };
    let request = tokio::spawn(request);
    settle().await;
    request
}

/// Lets all tasks go on until they wait for something; on one thread, where turns are taken.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// The store reads verifiers and gives them out one by one, as permits come.
fn hold(desk: &Desk) -> Arc<Semaphore> {
    let hold = Arc::new(Semaphore::new(0));
    *desk.users.hold.lock().unwrap() = Some(Arc::clone(&hold));
    hold
}

#[tokio::test]
async fn a_check_that_began_before_a_change_does_not_outlive_it() {
    let desk = Desk::new();
    let hold = hold(&desk);
    let early = send(&desk, "john", "secret", 1).await;
    assert_eq!(desk.lookups(), 1, "the old verifier is read");
    desk.set_password("john", "another");
    desk.forget("john");
    // Whoever comes now gets nothing of it, not even by waiting.
    let late = send(&desk, "john", "secret", 1).await;
    assert_eq!(desk.lookups(), 2);
    hold.add_permits(2);
    assert!(matches!(early.await.unwrap(), BasicDecision::Proven(_)), "it came before the change");
    assert_eq!(answer(late.await.unwrap()).status, StatusCode::UNAUTHORIZED);
    hold.add_permits(1);
    assert_eq!(desk.refused("john", "secret", 1).await.status, StatusCode::UNAUTHORIZED, "nothing was remembered");
}

#[tokio::test]
async fn an_early_check_that_lands_last_is_not_remembered_either() {
    let desk = Desk::new();
    let first = hold(&desk);
    let early = send(&desk, "john", "secret", 1).await;
    desk.set_password("john", "another");
    desk.forget("john");
    let second = hold(&desk);
    second.add_permits(10);
    let late = send(&desk, "john", "secret", 1).await;
    assert_eq!(desk.lookups(), 2, "it does not wait for the early one");
    assert_eq!(answer(late.await.unwrap()).status, StatusCode::UNAUTHORIZED);
    first.add_permits(1);
    assert!(matches!(early.await.unwrap(), BasicDecision::Proven(_)));
    assert_eq!(desk.refused("john", "secret", 1).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn many_requests_at_once_are_one_check() {
    let desk = Desk::with_guard(GuardConfig { per_address: 2, per_user: 2, ..GuardConfig::default() });
    for (password, status) in [("wrong", Some(StatusCode::UNAUTHORIZED)), ("secret", None)] {
        let hold = hold(&desk);
        let before = desk.passwords.derived();
        let mut requests = Vec::new();
        for _ in 0..100 {
            requests.push(send(&desk, "john", password, 1).await);
        }
        hold.add_permits(100);
        for request in requests {
            match (request.await.unwrap(), status) {
                (BasicDecision::Proven(user), None) => assert_eq!(user.name().as_str(), "john"),
                (BasicDecision::Answer(answer), Some(status)) => assert_eq!(answer.status, status),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(desk.passwords.derived() - before, 1, "{password}");
    }
    assert_eq!(desk.take_log(), ["refused john: the password is wrong", "accepted john"]);
}

#[tokio::test]
async fn others_do_not_share_a_check() {
    let desk = Desk::new();
    desk.add("mary", "secret");
    let hold = hold(&desk);
    let mut requests = Vec::new();
    for (user, password, address) in
        [("john", "secret", 1), ("john", "wrong", 1), ("mary", "secret", 1), ("john", "secret", 2)]
    {
        requests.push(send(&desk, user, password, address).await);
    }
    assert_eq!(desk.lookups(), 4);
    hold.add_permits(4);
    let mut proven = Vec::new();
    for request in requests {
        proven.push(matches!(request.await.unwrap(), BasicDecision::Proven(_)));
    }
    assert_eq!(proven, [true, false, true, true]);
}

#[tokio::test]
async fn the_parts_of_what_is_shown_cannot_be_moved() {
    // The name ends at the first colon; what is right for one name and password is not for another cut of the same text.
    let desk = Desk::new();
    desk.add("a", "b:c");
    desk.proven("a", "b:c", 1).await;
    desk.proven("a:b", "c", 1).await; // The same octets on the wire.
    assert_eq!(desk.passwords.derived(), 1);
    desk.add("ab", "c");
    desk.refused("a", "bc", 1).await;
    desk.refused("ab", ":c", 1).await;
    desk.proven("ab", "c", 1).await;
    desk.refused("a", "b", 1).await;
    assert_eq!(desk.passwords.derived(), 5);
}

#[tokio::test]
async fn there_is_a_limit_to_what_is_done_at_once() {
    let limits = PasswordLimits { at_once: 1, waiting: 2, ..PasswordLimits::default() };
    let desk = Desk::of(config(), GuardConfig::default(), limits);
    let hold = hold(&desk);
    let mut requests = Vec::new();
    for address in 1..=3 {
        requests.push(send(&desk, "nobody", "wrong", address).await);
    }
    let refused = desk.refused("john", "secret", 4).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.fields[RETRY_AFTER], "1");
    assert!(!refused.fields.contains_key(WWW_AUTHENTICATE));
    assert_eq!(desk.lookups(), 3);
    hold.add_permits(4);
    for request in requests {
        assert_eq!(answer(request.await.unwrap()).status, StatusCode::UNAUTHORIZED);
    }
    desk.proven("john", "secret", 4).await;
}

#[tokio::test]
async fn whoever_is_turned_away_has_not_paid() {
    let limits = PasswordLimits { at_once: 1, waiting: 0, ..PasswordLimits::default() };
    let desk = Desk::of(config(), GuardConfig { per_address: 1, ..GuardConfig::default() }, limits);
    let hold = hold(&desk);
    let other = send(&desk, "nobody", "wrong", 1).await;
    for _ in 0..10 {
        assert_eq!(desk.refused("john", "secret", 2).await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    hold.add_permits(2);
    other.await.unwrap();
    desk.proven("john", "secret", 2).await;
}

#[tokio::test]
async fn a_client_that_goes_away_makes_no_more_work_than_one_that_stays() {
    let limits = PasswordLimits { at_once: 1, waiting: 1, ..PasswordLimits::default() };
    let desk = Desk::of(config(), GuardConfig::default(), limits);
    let hold = hold(&desk);
    for address in 1..=2 {
        send(&desk, "nobody", "wrong", address).await.abort();
    }
    settle().await;
    // The checks go on, and keep their places until they are done.
    assert_eq!(desk.refused("nobody", "wrong", 3).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(desk.lookups(), 2);
    hold.add_permits(3);
    while desk.passwords.derived() < 2 {
        tokio::task::yield_now().await;
    }
    // A right one is remembered although nobody waits for it any more.
    let request = loop {
        let request = send(&desk, "john", "secret", 4).await;
        if desk.lookups() == 3 {
            break request;
        }
        request.await.unwrap();
    };
    request.abort();
    while !desk.take_log().contains(&"accepted john".to_owned()) {
        tokio::task::yield_now().await;
    }
    desk.proven("john", "secret", 4).await;
    assert_eq!(desk.passwords.derived(), 3);
}

#[tokio::test]
async fn a_request_that_waits_is_not_lost_when_the_first_goes_away() {
    let desk = Desk::new();
    let hold = hold(&desk);
    let first = send(&desk, "john", "secret", 1).await;
    let second = send(&desk, "john", "secret", 1).await;
    first.abort();
    hold.add_permits(1);
    assert!(matches!(second.await.unwrap(), BasicDecision::Proven(_)));
    assert_eq!(desk.lookups(), 1);
}

#[tokio::test(start_paused = true)]
async fn guesses_from_everywhere_are_held_back_and_take_nobodys_place() {
    let limits = PasswordLimits { at_once: 1, waiting: 1, ..PasswordLimits::default() };
    let guard = GuardConfig { per_user: 2, max_waiting: 3, ..GuardConfig::default() };
    let desk = Desk::of(config(), guard, limits);
    desk.add("mary", "hers");
    for address in 1..=2 {
        desk.refused("john", "wrong", address).await;
    }
    desk.take_log();
    let mut held = Vec::new();
    for address in 3..=5 {
        held.push(send(&desk, "john", "wrong", address).await);
    }
    assert_eq!(desk.lookups(), 2, "nothing is looked at before its time");
    assert_eq!(desk.refused("john", "wrong", 6).await.status, StatusCode::TOO_MANY_REQUESTS);
    desk.proven("mary", "hers", 7).await;
    assert_eq!(desk.take_log()[..3], [1, 2, 3].map(|seconds| format!("slowed john Some({seconds}s)")));
    for request in held {
        assert_eq!(answer(request.await.unwrap()).status, StatusCode::UNAUTHORIZED);
    }
    // The owner is held back as well where it is a stranger, and gets in.
    desk.proven("john", "secret", 8).await;
}

#[tokio::test]
async fn guesses_here_and_by_mutual_are_paid_from_one_purse() {
    let desk = Desk::with_guard(GuardConfig { per_address: 2, ..GuardConfig::default() });
    let mutual = desk.builder.build(config()).unwrap();
    let mut fields = basic("john", "wrong");
    // What is Basic's does not concern Mutual.
    assert!(matches!(mutual.authenticate(&fields, &from(1)).await, Decision::Guest(_)));
    let kex = format!(
        "Mutual version=1, algorithm=iso-kam3-ec-p256-sha256, validation=-tls-exporter.tagai.alt, \
         auth-scope=\"https://example.com\", realm=\"a realm\", user=\"john\", kc1={}",
        // The generator of P-256: as good a K_c1 as any.
        "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    );
    fields.insert(AUTHORIZATION, kex.parse().unwrap());
    for _ in 0..2 {
        let Decision::Answer(answer) = mutual.authenticate(&fields, &from(1)).await else { panic!("no exchange") };
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(desk.refused("john", "secret", 1).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(desk.passwords.derived(), 0);
}

#[tokio::test]
async fn a_store_that_fails_lets_nobody_in_and_asks_for_no_password() {
    let desk = Desk::new();
    *desk.users.broken.lock().unwrap() = true;
    for user in ["john", "nobody"] {
        let refused = desk.refused(user, "secret", 1).await;
        assert_eq!(refused.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!refused.fields.contains_key(WWW_AUTHENTICATE));
    }
    assert!(desk.take_log()[0].contains("on fire"));
    *desk.users.broken.lock().unwrap() = false;
    desk.proven("john", "secret", 1).await;
    // What was right a moment ago is not asked for.
    *desk.users.broken.lock().unwrap() = true;
    desk.proven("john", "secret", 1).await;
    desk.clock.advance(Duration::from_secs(60));
    assert_eq!(desk.refused("john", "secret", 1).await.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_flood_of_right_passwords_of_others_pushes_out_and_lets_nobody_else_in() {
    let limits = PasswordLimits { entries: 4, ..PasswordLimits::default() };
    let desk = Desk::of(config(), GuardConfig::default(), limits);
    for address in 1..=20 {
        desk.proven("john", "secret", address).await;
    }
    let before = desk.passwords.derived();
    desk.proven("john", "secret", 1).await;
    assert_eq!(desk.passwords.derived(), before + 1, "it was pushed out, and is checked again");
    desk.refused("john", "wrong", 20).await;
}

#[tokio::test]
async fn nothing_that_is_kept_or_told_has_the_password() {
    let desk = Desk::new();
    desk.add("alice", "correct horse");
    let decision = desk.tls.authenticate(&basic("alice", "correct horse"), &from(1)).await;
    desk.refused("alice", "correct horse!", 1).await;
    let told = format!("{decision:?} {:?} {:?} {:?}", desk.tls, desk.passwords, desk.take_log());
    for secret in ["correct", "horse", "Y29ycmVjdC"] {
        assert!(!told.contains(secret), "{told}");
    }
}
