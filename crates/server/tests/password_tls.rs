//! Passwords over TLS: what lets in, what does not, and how much work each costs.

mod password_support;

use http::header::{AUTHORIZATION, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use password_support::{Desk, answer, basic, config, from};
use std::time::Duration;
use tagai_core::algorithm::Algorithm;
use tagai_core::message::Role;
use tagai_core::realm::RealmName;
use tagai_core::validation::Channel;
use tagai_server::{BasicDecision, Connection, GuardConfig, PasswordLimits, PasswordTlsError};

const CHALLENGE: &str = "Basic realm=\"a realm\", charset=\"UTF-8\"";

#[tokio::test]
async fn the_right_password_lets_in() {
    let desk = Desk::new();
    let user = desk.proven("john", "secret", 1).await;
    assert_eq!((user.name().as_str(), user.realm()), ("john", &desk.tls.config().realm));
    assert_eq!(desk.take_log(), ["accepted john"]);
    assert!(matches!(desk.tls.authenticate(&HeaderMap::new(), &from(1)).await, BasicDecision::Guest));
    assert_eq!(desk.take_log(), [""; 0]);
}

#[tokio::test]
async fn every_algorithm_has_the_same_users_as_mutual() {
    for algorithm in Algorithm::ALL {
        let mut config = config();
        config.realm.algorithm = algorithm;
        let desk = Desk::of(config, GuardConfig::default(), PasswordLimits::default());
        desk.proven("john", "secret", 1).await;
        assert_eq!(desk.refused("john", "Secret", 1).await.status, StatusCode::UNAUTHORIZED, "{algorithm}");
    }
}

#[tokio::test]
async fn wrong_passwords_and_unknown_users_look_alike_and_cost_the_same() {
    let desk = Desk::new();
    let mut seen = Vec::new();
    for (user, password) in [("john", "wrong"), ("nobody", "secret"), ("disabled", "secret"), ("john", "secret ")] {
        let before = (desk.lookups(), desk.passwords.derived());
        let answer = desk.refused(user, password, 1).await;
        let cost = (desk.lookups() - before.0, desk.passwords.derived() - before.1);
        assert_eq!(cost, (1, 1), "{user}");
        seen.push((answer.status, answer.fields));
    }
    assert!(seen.iter().all(|answer| *answer == seen[0]), "{seen:?}");
    assert_eq!(seen[0].0, StatusCode::UNAUTHORIZED);
    assert_eq!(seen[0].1[WWW_AUTHENTICATE], CHALLENGE);
    assert_eq!(seen[0].1[CACHE_CONTROL], "no-store");
    // The log knows the difference.
    assert_eq!(
        desk.take_log(),
        [
            "refused john: the password is wrong",
            "refused nobody: the user is unknown",
            "refused disabled: the user is unknown",
            "refused john: the password is wrong"
        ]
    );
}

#[tokio::test]
async fn a_verifier_of_another_algorithm_lets_nobody_in() {
    let desk = Desk::new();
    desk.set_foreign_verifier("john", "secret", Algorithm::EcP521Sha512);
    let answer = desk.refused("john", "secret", 1).await;
    assert_eq!(answer.fields[WWW_AUTHENTICATE], CHALLENGE);
    assert_eq!(desk.passwords.derived(), 1);
    assert!(desk.take_log()[0].contains("another algorithm"));
}

#[tokio::test]
async fn nothing_is_accepted_or_asked_for_without_tls() {
    let desk = Desk::new();
    let plain = Connection { channel: Channel::Plain, ..from(1) };
    for fields in [basic("john", "secret"), basic("john", "wrong"), basic("nobody", "x")] {
        let answer = answer(desk.tls.authenticate(&fields, &plain).await);
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(!answer.fields.contains_key(WWW_AUTHENTICATE));
    }
    assert_eq!((desk.lookups(), desk.passwords.derived()), (0, 0));
    assert_eq!(desk.take_log()[0], "refused john: a password was sent without TLS: it should be changed");
    assert!(matches!(desk.tls.authenticate(&HeaderMap::new(), &plain).await, BasicDecision::Guest));
    assert!(desk.tls.challenge(&plain).is_none());
    assert_eq!(desk.tls.ask(&plain).status, StatusCode::FORBIDDEN);
    assert!(!desk.tls.ask(&plain).fields.contains_key(WWW_AUTHENTICATE));

    // Not even if it was right a moment ago.
    desk.proven("john", "secret", 1).await;
    let answer = answer(desk.tls.authenticate(&basic("john", "secret"), &plain).await);
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_realm_without_tls_cannot_take_passwords() {
    let desk = Desk::new();
    let mut config = config();
    config.origin = tagai_core::realm::Origin::parse("http://example.com").unwrap();
    config.realm.auth_scope = tagai_core::realm::AuthScope::SingleServer(config.origin.clone());
    let error = desk.builder.password_tls(config).unwrap_err();
    assert!(matches!(error, PasswordTlsError::NoTls(_)));
    assert!(error.to_string().contains("http://example.com"), "{error}");
}

#[tokio::test]
async fn the_challenge_quotes_the_realm() {
    let mut config = config();
    config.realm.name = RealmName::new("a \"b\\c\" ☃").unwrap();
    let desk = Desk::of(config.clone(), GuardConfig::default(), PasswordLimits::default());
    let challenge = desk.tls.challenge(&from(1)).unwrap();
    assert_eq!(challenge.as_bytes(), "Basic realm=\"a \\\"b\\\\c\\\" ☃\", charset=\"UTF-8\"".as_bytes());
    let exporter = Connection { channel: Channel::Exporter(tagai_core::validation::Exporter([1; 32])), ..from(1) };
    assert_eq!(desk.tls.challenge(&exporter), Some(challenge), "TLS without a certificate is TLS");

    config.role = Role::Proxy;
    config.realm.auth_scope = tagai_core::realm::AuthScope::parse("example.com").unwrap();
    let proxy = Desk::of(config, GuardConfig::default(), PasswordLimits::default());
    let ask = proxy.tls.ask(&from(1));
    assert_eq!(ask.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    assert!(ask.fields.contains_key("proxy-authenticate") && !ask.fields.contains_key(WWW_AUTHENTICATE));
    assert_eq!(proxy.tls.credentials_field().as_str(), "proxy-authorization");
}

#[tokio::test]
async fn what_is_malformed_is_refused_without_work() {
    let desk = Desk::new();
    let of = |lines: &[&str]| {
        let mut fields = HeaderMap::new();
        for line in lines {
            fields.append(AUTHORIZATION, line.parse().unwrap());
        }
        fields
    };
    let right = basic("john", "secret")[AUTHORIZATION].to_str().unwrap().to_owned();
    let twice = format!("{right}, {right}");
    let long = format!("Basic {}", "QUFB".repeat(4000));
    for lines in [
        &["Basic"][..],
        &["Basic !"],
        &["Basic am9objpzZWNyZXQ"],
        &["Basic am9obg=="],
        &[&twice],
        &[&right, &right],
        &[&right, "Mutual version=1"],
        &["Mutual version=1", &right],
        &[&long],
    ] {
        let answer = answer(desk.tls.authenticate(&of(lines), &from(1)).await);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{lines:?}");
        assert!(!answer.fields.contains_key(WWW_AUTHENTICATE));
    }
    // What nobody can be called, or have for a password, is as good as wrong.
    let wrong = desk.refused("john", "wrong", 2).await.fields;
    for (user, password) in [("", "secret"), ("john", ""), (" john", "secret"), ("♚", "secret")] {
        let answer = desk.refused(user, password, 1).await;
        assert_eq!((answer.status, answer.fields), (StatusCode::UNAUTHORIZED, wrong.clone()), "{user:?}");
    }
    assert_eq!(desk.passwords.derived(), 1);
    for lines in [&["Mutual version=1"][..], &["Bearer am9objpzZWNyZXQ="], &["Mutual a=1", "Mutual b=2"]] {
        assert!(matches!(desk.tls.authenticate(&of(lines), &from(1)).await, BasicDecision::Guest), "{lines:?}");
    }
}

#[tokio::test]
async fn names_and_passwords_are_prepared_as_if_typed() {
    let desk = Desk::new();
    desk.add("René", "pa\u{301}ss\u{3000}wort");
    for (user, password) in [("Rene\u{301}", "páss wort"), ("Ｒené", "p\u{e1}ss\u{a0}wort")] {
        assert_eq!(desk.proven(user, password, 1).await.name().as_str(), "René");
    }
    desk.refused("rené", "páss wort", 1).await;
    let fields = {
        let mut fields = HeaderMap::new();
        let value = basic("john", "secret")[AUTHORIZATION].to_str().unwrap().replace("Basic ", "BASIC   ");
        fields.insert(AUTHORIZATION, value.parse().unwrap());
        fields
    };
    assert!(matches!(desk.tls.authenticate(&fields, &from(1)).await, BasicDecision::Proven(_)));
}

#[tokio::test]
async fn a_password_that_was_right_is_not_derived_again_for_a_minute() {
    let desk = Desk::new();
    desk.proven("john", "secret", 1).await;
    for _ in 0..50 {
        desk.proven("john", "secret", 1).await;
    }
    assert_eq!((desk.lookups(), desk.passwords.derived()), (1, 1));
    // It is that password of that user in that realm, at that address.
    desk.refused("john", "Secret", 1).await;
    desk.refused("mary", "secret", 1).await;
    assert_eq!(desk.passwords.derived(), 3);
    desk.proven("john", "secret", 2).await;
    assert_eq!(desk.passwords.derived(), 4);
    let mut other = config();
    other.realm.name = RealmName::new("another realm").unwrap();
    let other = desk.builder.password_tls(other).unwrap();
    let answer = answer(other.authenticate(&basic("john", "secret"), &from(1)).await);
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    desk.take_log();

    desk.clock.advance(Duration::from_secs(60));
    desk.proven("john", "secret", 1).await;
    assert_eq!(desk.passwords.derived(), 6);
    assert_eq!(desk.take_log(), ["accepted john again"], "who goes on does not log in");
    desk.clock.advance(Duration::from_secs(1801));
    desk.proven("john", "secret", 1).await;
    assert_eq!(desk.take_log(), ["accepted john"]);
}

#[tokio::test]
async fn wrong_passwords_are_not_remembered() {
    let desk = Desk::new();
    desk.refused("john", "wrong", 1).await;
    desk.refused("john", "wrong", 1).await;
    assert_eq!(desk.passwords.derived(), 2);
    desk.set_password("john", "wrong");
    desk.proven("john", "wrong", 1).await;
}

#[tokio::test]
async fn a_changed_password_counts_from_the_moment_that_it_is_told() {
    let desk = Desk::new();
    desk.proven("john", "secret", 1).await;
    desk.set_password("john", "another");
    desk.forget("john");
    desk.refused("john", "secret", 1).await;
    desk.proven("john", "another", 1).await;
    assert_eq!(desk.take_log(), ["accepted john", "refused john: the password is wrong", "accepted john"]);
    desk.disable("john");
    desk.forget("john");
    desk.refused("john", "another", 1).await;
}

#[tokio::test]
async fn others_are_not_forgotten_with_a_user() {
    let desk = Desk::new();
    desk.add("mary", "hers");
    desk.proven("john", "secret", 1).await;
    desk.proven("mary", "hers", 1).await;
    desk.forget("john");
    desk.proven("mary", "hers", 1).await;
    assert_eq!(desk.passwords.derived(), 2);
    desk.proven("john", "secret", 1).await;
    assert_eq!(desk.passwords.derived(), 3);
}

#[tokio::test]
async fn guesses_are_slowed_and_refused() {
    let desk = Desk::with_guard(GuardConfig { per_address: 3, per_user: 100, ..GuardConfig::default() });
    for _ in 0..3 {
        desk.refused("john", "wrong", 1).await;
    }
    for (user, password) in [("john", "secret"), ("nobody", "secret")] {
        let answer = desk.refused(user, password, 1).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.fields[RETRY_AFTER], "30");
        assert!(!answer.fields.contains_key(WWW_AUTHENTICATE), "another password is not what is missing");
    }
    assert_eq!(desk.passwords.derived(), 3);
    desk.proven("john", "secret", 2).await;
    desk.clock.advance(Duration::from_secs(30));
    desk.proven("john", "secret", 1).await;
}

#[tokio::test]
async fn where_a_user_is_known_strangers_do_not_slow_it() {
    let desk = Desk::with_guard(GuardConfig { per_address: 3, per_user: 3, ..GuardConfig::default() });
    desk.proven("john", "secret", 1).await;
    // Another behind the same address uses it up.
    for _ in 0..3 {
        desk.refused("nobody", "wrong", 1).await;
    }
    assert_eq!(desk.refused("nobody", "wrong", 1).await.status, StatusCode::TOO_MANY_REQUESTS);
    desk.clock.advance(Duration::from_secs(61));
    desk.proven("john", "secret", 1).await;
}

#[tokio::test]
async fn a_right_password_costs_nothing_however_often_it_is_shown() {
    let desk = Desk::with_guard(GuardConfig { per_address: 2, per_user: 2, ..GuardConfig::default() });
    for _ in 0..20 {
        desk.proven("john", "secret", 1).await;
        desk.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(desk.passwords.derived(), 20);
}
