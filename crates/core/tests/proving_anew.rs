//! A password that is proven anew in the middle of a login, and what is bound to such a proof (RFC 8120 §13).

mod support;

use support::pair::{Pair, config, credential, origin, realm};
use tagai_core::algorithm::Algorithm;
use tagai_core::client::{Fatal, Sends};
use tagai_core::server::ServerConfig;
use tagai_core::validation::{Channel, EndPoint, HostValidation};

const EXCHANGE: [&str; 4] = ["req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"];

fn vh(pair: &Pair) -> HostValidation {
    HostValidation::new(&pair.origin, &pair.channel).unwrap()
}

fn users(pair: &Pair) -> Vec<&str> {
    pair.client.logins().map(|login| login.user.as_str()).collect()
}

#[test]
fn what_goes_with_a_proof_is_bound_before_it_is_sent() {
    let mut pair = Pair::new();
    pair.log_in();
    let mut sequence = pair.client.begin(&pair.target("/"), pair.now).unwrap().run(&mut pair.rng).unwrap();
    assert_eq!(sequence.sends(), Sends::VfyC);
    let (body, other) = (sequence.b_2(b"body").unwrap(), sequence.b_2(b"other").unwrap());
    assert_ne!(body.expose_octets(), other.expose_octets());
    // The proof is made for this connection from now on.
    let elsewhere = Channel::Certificate(EndPoint::from_hash(&[7; 32]).unwrap());
    assert!(sequence.send_over(&elsewhere).is_err());
    pair.exchange("/", sequence.field().map(|field| field.value));

    let (user, session) = (pair.site.users_seen.last().unwrap(), pair.site.sessions.values().next().unwrap());
    let server = |t| session.b_2(user, &vh(&pair), t).unwrap();
    assert_eq!(server(b"body").expose_octets(), body.expose_octets());
    assert_eq!(server(b"other").expose_octets(), other.expose_octets());
}

#[test]
fn each_request_is_bound_by_itself() {
    let mut pair = Pair::new();
    pair.log_in();
    let mut bind = || {
        let next = pair.client.begin(&pair.target("/"), pair.now).unwrap();
        next.run(&mut pair.rng).unwrap().b_2(b"body").unwrap()
    };
    assert_ne!(bind().expose_octets(), bind().expose_octets());
}

#[test]
fn what_proves_nothing_cannot_be_bound() {
    let mut pair = Pair::new();
    let mut normal = pair.client.begin(&pair.target("/"), pair.now).unwrap().run(&mut pair.rng).unwrap();
    assert_eq!((normal.sends(), normal.b_2(b"body").is_none()), (Sends::Normal, true));
    let next = pair.client.begin_as(&pair.target("/"), &config().realm, credential("john", "secret"), pair.now);
    let mut exchange = next.unwrap().run(&mut pair.rng).unwrap();
    assert_eq!((exchange.sends(), exchange.b_2(b"body").is_none()), (Sends::KexC1, true));
}

#[test]
fn a_credential_is_proven_by_an_exchange_though_a_session_is_at_hand() {
    let mut pair = Pair::new();
    pair.log_in();
    let next = pair.client.begin_as(&pair.target("/"), &config().realm, credential("john", "secret"), pair.now);
    pair.go_on("/", next.unwrap()).succeeded();
    assert_eq!(pair.take_log(), EXCHANGE);
    assert_eq!(pair.site.sessions.len(), 2);
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
}

#[test]
fn a_credential_that_is_refused_leaves_the_login_alone() {
    let mut pair = Pair::new();
    pair.log_in();
    let next = pair.client.begin_as(&pair.target("/"), &config().realm, credential("john", "wrong"), pair.now);
    pair.go_on("/", next.unwrap()).required();
    assert_eq!(users(&pair), ["john"]);
    pair.take_log();
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
}

#[test]
fn a_credential_that_is_accepted_takes_the_place_of_the_login() {
    let mut pair = Pair::new();
    pair.site.add_user("mary", "geheim");
    pair.log_in();
    let next = pair.client.begin_as(&pair.target("/"), &config().realm, credential("mary", "geheim"), pair.now);
    pair.go_on("/", next.unwrap()).succeeded();
    assert_eq!(users(&pair), ["mary"]);
}

#[test]
fn a_logout_meanwhile_is_final() {
    let mut pair = Pair::new();
    pair.log_in();
    let next = pair.client.begin_as(&pair.target("/"), &config().realm, credential("john", "secret"), pair.now);
    pair.client.logout(&config().realm);
    pair.go_on("/", next.unwrap()).succeeded();
    assert_eq!(users(&pair), [""; 0]);
}

#[test]
fn a_stranger_begins_with_the_exchange_too() {
    for (server, channel) in [
        ("http://example.com", Channel::Plain),
        ("https://example.com", Channel::Certificate(EndPoint::from_hash(&[7; 32]).unwrap())),
    ] {
        for knows_channel in [true, false] {
            let realm = realm(Algorithm::EcP256Sha256, server, "a realm");
            let config = ServerConfig::new(origin(server), realm.clone());
            let mut pair = Pair { knows_channel, ..Pair::with(config, channel.clone()) };
            let next = pair.client.begin_as(&pair.target("/"), &realm, credential("john", "secret"), pair.now);
            pair.go_on("/", next.unwrap()).succeeded();
            assert_eq!(pair.take_log(), EXCHANGE);
        }
    }
}

#[test]
fn a_realm_of_others_is_not_proven_to() {
    let mut pair = Pair::new();
    let foreign = realm(Algorithm::EcP256Sha256, "http://example.org", "a realm");
    let next = pair.client.begin_as(&pair.target("/"), &foreign, credential("john", "secret"), pair.now);
    assert!(matches!(next, Err(Fatal::Scope(_))), "{next:?}");
}

#[test]
fn who_is_expected_is_who_would_be_proven() {
    let mut pair = Pair::new();
    assert!(pair.client.expects(&pair.origin, "/").is_none());
    pair.log_in();
    let login = pair.client.expects(&pair.origin, "/deep/down").unwrap();
    assert_eq!((login.user.as_str(), login.realm), ("john", &config().realm));
    assert!(pair.client.expects(&origin("http://example.org"), "/").is_none());
    assert!(pair.client.expects(&origin("https://example.com"), "/").is_none());
    pair.client.logout(&config().realm);
    assert!(pair.client.expects(&pair.origin, "/").is_none());
}
