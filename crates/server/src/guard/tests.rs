//! The rules of the module's first comment, one by one.

use super::*;
use proptest::prelude::*;
use std::net::IpAddr;
use tagai_core::algorithm::Algorithm;
use tagai_core::realm::{AuthScope, RealmName};

fn realm() -> AuthRealm {
    AuthRealm {
        algorithm: Algorithm::EcP256Sha256,
        auth_scope: AuthScope::parse("example.com").unwrap(),
        name: RealmName::new("a realm").unwrap(),
    }
}

fn user(name: &str) -> Username {
    Username::prepare(name).unwrap()
}

fn from(address: &str) -> Owner {
    Owner::of(address.parse::<IpAddr>().unwrap())
}

fn at(seconds: u64) -> Time {
    Time::at(Duration::from_secs(1_000_000 + seconds))
}

fn guard(per_address: u32, per_user: u32) -> Guard {
    Guard::new(GuardConfig { per_address, per_user, ..GuardConfig::default() })
}

/// Whether an exchange is let through, at once or later.
fn admitted(guard: &Guard, owner: Owner, name: &str, now: Time) -> bool {
    !matches!(guard.admit(owner, &realm(), Some(&user(name)), now), Admission::Refused(_))
}

#[test]
fn an_address_that_guesses_has_to_wait() {
    let guard = guard(3, 100);
    for _ in 0..3 {
        assert!(admitted(&guard, from("192.0.2.1"), "john", at(0)));
    }
    let Admission::Refused(wait) = guard.admit(from("192.0.2.1"), &realm(), Some(&user("mary")), at(0)) else {
        panic!("a fourth guess was let through");
    };
    assert_eq!(wait, Duration::from_secs(30));
    assert!(admitted(&guard, from("192.0.2.2"), "john", at(0)), "another address is not concerned");
    assert!(!admitted(&guard, from("192.0.2.1"), "john", at(29)));
    assert!(admitted(&guard, from("192.0.2.1"), "john", at(30)));
    assert!(!admitted(&guard, from("192.0.2.1"), "john", at(30)));
}

#[test]
fn a_network_of_ipv6_is_one_address() {
    let guard = guard(2, 100);
    assert!(admitted(&guard, from("2001:db8::1"), "john", at(0)));
    assert!(admitted(&guard, from("2001:db8::2"), "john", at(0)));
    assert!(!admitted(&guard, from("2001:db8::3"), "john", at(0)));
    assert!(admitted(&guard, from("2001:db8:0:1::1"), "john", at(0)));
    assert!(admitted(&guard, from("::ffff:192.0.2.1"), "john", at(0)));
}

#[test]
fn who_is_proven_is_not_charged() {
    let guard = guard(3, 3);
    for round in 0..50 {
        assert!(
            matches!(guard.admit(from("192.0.2.1"), &realm(), Some(&user("john")), at(0)), Admission::Now),
            "{round}"
        );
        guard.proven(from("192.0.2.1"), &realm(), &user("john"), at(0));
    }
}

#[test]
fn a_user_is_never_locked_out_by_strangers() {
    let guard = guard(2, 4);
    let (john, home) = (user("john"), from("192.0.2.1"));
    assert!(admitted(&guard, home, "john", at(0)));
    guard.proven(home, &realm(), &john, at(0));
    // Strangers guess from everywhere.
    for stranger in 0..200u8 {
        let owner = Owner::of([198, 51, 100, stranger].into());
        drop(guard.admit(owner, &realm(), Some(&john), at(1)));
    }
    // At home nothing has changed, and from elsewhere it is slow, but it is let through.
    assert!(matches!(guard.admit(home, &realm(), Some(&john), at(1)), Admission::Now));
    match guard.admit(from("203.0.113.9"), &realm(), Some(&john), at(1)) {
        Admission::After(delay, _permit) => assert_eq!(delay, Duration::from_secs(5)),
        other => panic!("{other:?}"),
    }
    // Others are not concerned.
    assert!(matches!(guard.admit(from("203.0.113.9"), &realm(), Some(&user("mary")), at(1)), Admission::Now));
}

#[test]
fn a_neighbour_behind_the_same_address_locks_nobody_out() {
    let guard = guard(2, 4);
    let shared = from("192.0.2.1");
    assert!(admitted(&guard, shared, "john", at(0)));
    guard.proven(shared, &realm(), &user("john"), at(0));
    while admitted(&guard, shared, "mary", at(1)) {}
    assert!(admitted(&guard, shared, "john", at(1)));
}

#[test]
fn where_a_user_was_proven_guesses_are_limited_too() {
    let guard = guard(2, 4);
    let home = from("192.0.2.1");
    assert!(admitted(&guard, home, "john", at(0)));
    guard.proven(home, &realm(), &user("john"), at(0));
    let guesses = (0..100).filter(|_| admitted(&guard, home, "john", at(1))).count();
    assert_eq!(guesses, 4 + 2, "what the user has there, and then what a stranger has");
    // Half a minute later there is one of each.
    let guesses = (0..100).filter(|_| admitted(&guard, home, "john", at(31))).count();
    assert_eq!(guesses, 2);
    let month = 31 * 24 * 3600;
    let later = (0..100).filter(|_| admitted(&guard, home, "john", at(month))).count();
    assert_eq!(later, 2, "after a month of silence it is an address like any other");
}

#[test]
fn delays_grow_and_have_a_limit() {
    let guard = guard(1000, 2);
    let delays: Vec<u64> = (0..12)
        .map(|_| match guard.admit(from("192.0.2.1"), &realm(), Some(&user("john")), at(0)) {
            Admission::Now => 0,
            Admission::After(delay, _) => delay.as_secs(),
            Admission::Refused(_) => panic!("refused"),
        })
        .collect();
    assert_eq!(delays, [0, 0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3], "the level is at most twice the burst and one");
    let guard = self::guard(1000, 20);
    let delays = (0..50).map(|_| match guard.admit(from("192.0.2.1"), &realm(), Some(&user("john")), at(0)) {
        Admission::After(delay, _) => delay,
        _ => Duration::ZERO,
    });
    assert_eq!(delays.max(), Some(Duration::from_secs(5)));
}

#[test]
fn only_so_many_wait_at_once() {
    let guard = Guard::new(GuardConfig { per_address: 1000, per_user: 1, max_waiting: 2, ..GuardConfig::default() });
    let john = user("john");
    let mut waiting = Vec::new();
    for _ in 0..4 {
        waiting.push(guard.admit(from("192.0.2.1"), &realm(), Some(&john), at(0)));
    }
    assert!(matches!(waiting[0], Admission::Now));
    assert!(matches!(waiting[1], Admission::After(..)) && matches!(waiting[2], Admission::After(..)));
    assert!(matches!(waiting[3], Admission::Refused(_)));
    waiting.clear();
    assert!(matches!(guard.admit(from("192.0.2.1"), &realm(), Some(&john), at(0)), Admission::After(..)));
}

#[test]
fn realms_are_apart() {
    let guard = guard(100, 1);
    let other = AuthRealm { name: RealmName::new("another").unwrap(), ..realm() };
    assert!(matches!(guard.admit(from("192.0.2.1"), &realm(), Some(&user("john")), at(0)), Admission::Now));
    assert!(matches!(guard.admit(from("192.0.2.1"), &other, Some(&user("john")), at(0)), Admission::Now));
}

#[test]
fn registrations_are_charged_to_the_address_and_to_all() {
    let config = GuardConfig { registrations_per_address: 3, registrations: 10, ..GuardConfig::default() };
    let guard = Guard::new(config);
    let home = from("192.0.2.1");
    for _ in 0..3 {
        guard.admit_registration(home, at(0)).unwrap();
    }
    assert_eq!(guard.admit_registration(home, at(0)), Err(Duration::from_secs(30)));
    guard.registered(home, at(0));
    guard.admit_registration(home, at(0)).unwrap();
    assert!(guard.admit_registration(home, at(29)).is_err());
    guard.admit_registration(home, at(30)).unwrap();
    // Logins are not concerned.
    assert!(matches!(guard.admit(home, &realm(), Some(&user("john")), at(30)), Admission::Now));
    // Many addresses, each once.
    let let_through = |at: Time, net: u8| {
        (0..100u8)
            .filter(|last| guard.admit_registration(Owner::of([198, 51, net, *last].into()), at).is_ok())
            .count()
    };
    assert_eq!(let_through(at(1_000), 100), 10);
    assert_eq!(guard.admit_registration(from("203.0.113.1"), at(1_000)), Err(Duration::from_secs(3)));
    assert_eq!(let_through(at(1_003), 101), 1, "one more every three seconds");
    assert_eq!(let_through(at(1_033), 102), 10);
}

#[test]
fn who_had_to_wait_for_all_is_not_charged() {
    let config = GuardConfig { registrations_per_address: 1, registrations: 1, ..GuardConfig::default() };
    let guard = Guard::new(config);
    guard.admit_registration(from("192.0.2.1"), at(0)).unwrap();
    assert!(guard.admit_registration(from("192.0.2.2"), at(0)).is_err());
    guard.registered(from("192.0.2.1"), at(0));
    guard.admit_registration(from("192.0.2.2"), at(0)).unwrap();
}

proptest! {
    #[test]
    fn a_table_never_holds_more_than_it_may(
        max in 2usize..50,
        keys in proptest::collection::vec((any::<u16>(), 1u64..100, any::<bool>()), 0..500),
    ) {
        let mut table = Table::new(max);
        let mut now = Duration::ZERO;
        for (key, seconds, refund) in keys {
            now += Duration::from_millis(seconds);
            if refund {
                table.refund(&key, now, Duration::from_secs(seconds));
            } else {
                let _ = table.charge(key, now, Duration::from_secs(seconds), 3);
            }
            prop_assert!(table.len() <= max.max(2), "{} of {}", table.len(), max);
        }
    }

    #[test]
    fn never_more_than_the_burst_and_what_time_allows(gaps in proptest::collection::vec(0u64..40, 1..200)) {
        let mut table = Table::new(8);
        let (span, burst) = (Duration::from_secs(30), 5u32);
        let (mut now, mut let_through) = (Duration::from_secs(1), 0u64);
        let began = now;
        for gap in gaps {
            now += Duration::from_secs(gap);
            let_through += u64::from(table.charge(0u8, now, span, burst).is_ok());
            prop_assert!(let_through <= u64::from(burst) + (now - began).as_secs() / 30);
        }
    }
}
