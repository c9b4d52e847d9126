//! The layer in front of a service, with the core's client on the other side.

mod support;

use http::StatusCode;
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use std::time::Duration;
use support::{Site, address};
use tagai_core::client::{Fatal, Outcome};
use tagai_core::control::{AuthControl, AuthStyle};
use tagai_core::message::Reason;
use tagai_core::server::{Fault, ServerConfig};
use tagai_core::validation::Channel;
use tagai_server::{AuthenticatedUser, GuardConfig};

#[tokio::test]
async fn a_user_logs_in_and_stays_logged_in() {
    let site = Site::new();
    let mut john = site.browser();
    let proven = john.get("/", Some(("john", "secret"))).await.succeeded();
    assert_eq!(proven.body().body, "hello john");
    assert_eq!(john.take_statuses(), [401, 401, 200]);
    for _ in 0..10 {
        john.get("/", None).await.succeeded();
        assert_eq!(john.take_statuses(), [200]);
    }
    assert_eq!(site.take_log(), ["exchanged john", "logged in john"]);
}

#[tokio::test]
async fn wrong_passwords_and_unknown_users_look_alike() {
    let site = Site::new();
    let mut seen = Vec::new();
    for (user, password) in [("john", "wrong"), ("nobody", "secret"), ("disabled", "secret")] {
        let mut browser = site.browser();
        let required = browser.get("/", Some((user, password))).await.required();
        assert_eq!(*required.reason(), Reason::AuthFailed);
        let shape: Vec<_> =
            browser.responses.iter().map(|(status, fields)| (*status, support::shape(fields))).collect();
        seen.push(shape);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
    // The log knows the difference.
    let log = site.take_log().join("\n");
    assert!(log.contains(&format!("refused Some(\"john\") auth-failed: {}", Fault::WrongVkc)), "{log}");
    assert!(log.contains(&format!("refused Some(\"nobody\") auth-failed: {}", Fault::UnknownUser)), "{log}");
}

#[tokio::test]
async fn the_service_is_not_reached_without_proof() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.get("/", None).await.required();
    browser.get("/", Some(("john", "wrong"))).await.required();
    assert_eq!(site.reached(), 0);
    assert!(browser.responses.iter().all(|(_, fields)| fields[CACHE_CONTROL] == "no-store"));
}

#[tokio::test]
async fn a_user_in_the_extensions_from_outside_does_not_count() {
    let site = Site::new();
    let mut john = site.browser();
    john.get("/", Some(("john", "secret"))).await.succeeded();
    // A user that another request was proven with is put into a request without credentials.
    let user: AuthenticatedUser = site.last_user().unwrap();
    let site = site.optional();
    let response = site.call_with("/", |request| {
        request.extensions_mut().insert(user);
    });
    assert_eq!(response.await.into_body(), "hello guest");
}

#[tokio::test]
async fn credentials_do_not_reach_the_service() {
    let site = Site::new();
    let mut john = site.browser();
    john.get("/", Some(("john", "secret"))).await.succeeded();
    assert_eq!(site.credentials_seen(), 0);
}

#[tokio::test]
async fn without_a_connection_nothing_is_served() {
    let site = Site::new();
    let response = site.call_with("/", |request| {
        request.extensions_mut().clear();
    });
    let response = response.await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(site.reached(), 0);
}

#[tokio::test]
async fn a_connection_of_the_wrong_kind_is_the_operators_mistake() {
    let site = Site::new();
    let response = site
        .call_with("/", |request| {
            let exporter = Channel::Exporter(tagai_core::validation::Exporter([1; 32]));
            request.extensions_mut().insert(tagai_server::Connection { channel: exporter, address: address(1) });
        })
        .await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(site.take_log()[0].starts_with("misconfigured"), "{:?}", site.take_log());
}

#[tokio::test]
async fn a_401_of_the_service_is_a_403_to_a_proven_user() {
    let site = Site::new();
    let mut john = site.browser();
    let proven = john.get("/unauthorized", Some(("john", "secret"))).await.succeeded();
    assert_eq!(proven.body().status, 403);
    assert!(!proven.body().fields.contains_key(WWW_AUTHENTICATE));
}

#[tokio::test]
async fn the_service_does_not_speak_for_the_layer() {
    let site = Site::new();
    let mut john = site.browser();
    let proven = john.get("/forged", Some(("john", "secret"))).await.succeeded();
    assert_eq!(proven.body().fields.get_all("authentication-info").iter().count(), 1);
    assert!(!proven.body().fields.contains_key("authentication-control"));
}

#[tokio::test]
async fn guests_are_served_where_login_is_optional() {
    let site = Site::new().optional();
    let mut browser = site.browser();
    let required = browser.get("/", None).await.required();
    assert!(required.is_optional());
    assert_eq!(required.into_body().body, "hello guest");
    let proven = browser.get("/", Some(("john", "secret"))).await.succeeded();
    assert_eq!(proven.body().body, "hello john");
    // Credentials that are wrong are refused all the same (RFC 8120 §11, the plus signs).
    let mut other = site.browser();
    other.get("/", Some(("john", "wrong"))).await.required();
    assert_eq!(other.take_statuses(), [200, 401, 401]);
}

#[tokio::test]
async fn wishes_go_with_every_response() {
    let control = AuthControl { auth_style: Some(AuthStyle::Modal), ..AuthControl::default() };
    let site = Site::new().control(control);
    let mut john = site.browser();
    john.get("/", Some(("john", "secret"))).await.succeeded();
    assert_eq!(john.responses.len(), 3);
    for (_, fields) in &john.responses {
        assert_eq!(fields["authentication-control"], "Mutual realm=\"a realm\", auth-style=modal");
    }
}

#[tokio::test]
async fn guesses_are_answered_429_and_the_password_is_kept() {
    let site = Site::with_guard(GuardConfig { per_address: 3, ..GuardConfig::default() });
    for _ in 0..3 {
        site.browser().get("/", Some(("john", "wrong"))).await.required();
    }
    let mut browser = site.browser();
    let required = browser.get("/", Some(("john", "secret"))).await.required();
    assert_eq!(*required.reason(), Reason::InternalError);
    assert_eq!(browser.take_statuses(), [401, 429]);
    assert_eq!(browser.responses[1].1[RETRY_AFTER], "30");
    site.clock.advance(Duration::from_secs(30));
    browser.get("/", Some(("john", "secret"))).await.succeeded();
}

#[tokio::test]
async fn logout_ends_the_session_for_good() {
    let site = Site::new();
    let mut john = site.browser();
    john.get("/", Some(("john", "secret"))).await.succeeded();
    john.get("/logout", None).await.succeeded();
    john.take_statuses();
    john.get("/", None).await.succeeded();
    assert_eq!(john.take_statuses(), [401, 401, 200], "the session is stale, and a new one is made");
    assert!(site.take_log().contains(&"logged out john".to_owned()));
}

#[tokio::test]
async fn a_user_who_is_disabled_is_out_at_once() {
    let site = Site::new();
    let mut john = site.browser();
    john.get("/", Some(("john", "secret"))).await.succeeded();
    site.disable("john").await;
    john.take_statuses();
    let required = john.get("/", None).await.required();
    assert_eq!(*required.reason(), Reason::AuthFailed);
}

#[tokio::test]
async fn a_session_of_another_realm_or_server_is_unknown() {
    let site = Site::new();
    let mut john = site.browser();
    john.get("/", Some(("john", "secret"))).await.succeeded();
    let mut config = site.mutual.config().clone();
    config.realm.name = tagai_core::realm::RealmName::new("another realm").unwrap();
    let other = site.clone_for(config);
    john.site = other;
    john.take_statuses();
    match john.get("/", None).await {
        support::Ended::Outcome(Outcome::AuthRequired(required)) => {
            assert_eq!(required.realm().name.as_str(), "another realm");
        }
        ended => panic!("{ended:?}"),
    }
}

#[tokio::test]
async fn a_replay_ends_the_session() {
    let site = Site::new();
    let mut john = site.browser();
    john.get("/", Some(("john", "secret"))).await.succeeded();
    let field = john.sent.last().cloned().flatten().unwrap();
    let again = site.call_with("/", |request| {
        request.headers_mut().insert(http::header::AUTHORIZATION, field.parse().unwrap());
    });
    let again = again.await;
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
    assert!(again.headers()[WWW_AUTHENTICATE].to_str().unwrap().contains("reason=stale-session"));
    assert!(site.take_log().contains(&format!("stale: {}", Fault::Replay)));
}

#[tokio::test]
async fn whoever_answers_in_the_sites_place_is_caught() {
    let site = Site::new();
    let mut john = site.browser();
    john.get("/", Some(("john", "secret"))).await.succeeded();
    // Another server of the same name, with a user of the same name whose password it made up.
    let phisher = Site::new();
    phisher.set_password("john", "made up");
    john.site = phisher;
    john.client.logout_all();
    let required = john.get("/", Some(("john", "secret"))).await.required();
    assert_eq!(*required.reason(), Reason::AuthFailed, "it can only say no");
    john.lie = Some(200);
    match john.get("/", Some(("john", "secret"))).await {
        support::Ended::Fatal(Fatal::NotProven { .. } | Fatal::Status { .. }) => {}
        ended => panic!("{ended:?}"),
    }
}

#[tokio::test]
async fn every_algorithm_logs_in() {
    for algorithm in tagai_core::algorithm::Algorithm::ALL {
        let mut config: ServerConfig = Site::new().mutual.config().clone();
        config.realm.algorithm = algorithm;
        let site = Site::of(config, GuardConfig::default());
        site.browser().get("/", Some(("john", "secret"))).await.succeeded();
    }
}
