//! What a login is bound to, and who asks for it: connections (RFC 8120 §7), interim responses (§4.5), proxies (§14), applications
//! (§13).

mod support;

use support::pair::{Pair, Wire, credential, origin, realm};
use tagai_core::algorithm::Algorithm;
use tagai_core::client::Fatal;
use tagai_core::message::Role;
use tagai_core::server::{ServerConfig, SessionState};
use tagai_core::validation::{Channel, EndPoint, Exporter, ValidationMethod};

/// Every arrow of figure 1.
const FIGURE_1: [&str; 6] = ["normal request", "401-INIT", "req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"];

#[test]
fn every_kind_of_channel_works() {
    let certificate = std::fs::read("tests/certificates/ecdsa-sha256.der").unwrap();
    let ed25519 = std::fs::read("tests/certificates/ed25519.der").unwrap();
    let exporter = Exporter([9; 32]);
    let https = || {
        ServerConfig::new(
            origin("https://example.com"),
            realm(Algorithm::EcP256Sha256, "https://example.com", "a realm"),
        )
    };
    for (channel, token) in [
        (Channel::tls(&certificate, None).unwrap(), "tls-server-end-point"),
        (Channel::tls(&certificate, Some(exporter.clone())).unwrap(), "tls-server-end-point"),
        (Channel::tls(&ed25519, Some(exporter.clone())).unwrap(), "-tls-exporter.tagai.alt"),
        (Channel::Exporter(exporter.clone()), "-tls-exporter.tagai.alt"),
    ] {
        let mut pair = Pair::with(https(), channel);
        pair.get("/").succeeded();
        assert!(pair.received[0].fields[0].1.contains(&format!("validation={token},")));
    }
    assert!(Channel::tls(&ed25519, None).is_err());
}

#[test]
fn a_session_serves_another_connection_by_its_exporter() {
    let https = ServerConfig::new(
        origin("https://example.com"),
        realm(Algorithm::EcP256Sha256, "https://example.com", "a realm"),
    );
    let mut pair = Pair::with(https, Channel::Exporter(Exporter([1; 32])));
    pair.log_in();
    pair.channel = Channel::Exporter(Exporter([2; 32]));
    pair.server_channel = pair.channel.clone();
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
}

#[test]
fn another_certificate_means_another_key_exchange() {
    let end_point = |octet| Channel::Certificate(EndPoint::from_hash(&[octet; 32]).unwrap());
    let https = ServerConfig::new(
        origin("https://example.com"),
        realm(Algorithm::EcP256Sha256, "https://example.com", "a realm"),
    );
    let mut pair = Pair::with(https, end_point(1));
    pair.log_in();
    pair.channel = end_point(2);
    pair.server_channel = end_point(2);
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"]);
}

#[test]
fn a_client_that_learns_its_channel_late_is_as_safe() {
    let end_point = |octet| Channel::Certificate(EndPoint::from_hash(&[octet; 32]).unwrap());
    let https = ServerConfig::new(
        origin("https://example.com"),
        realm(Algorithm::EcP256Sha256, "https://example.com", "a realm"),
    );
    let mut pair = Pair::with(https, end_point(1));
    pair.knows_channel = false;
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), FIGURE_1);
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
    // The next answer comes over another certificate: it is not used, proof or no proof.
    pair.channel = end_point(2);
    assert_eq!(pair.get("/").fatal(), Fatal::ChannelChanged);
}

#[test]
fn a_proxy_asks_in_its_own_fields() {
    let proxy = origin("http://proxy.example.com:3128");
    let config = ServerConfig {
        role: Role::Proxy,
        ..ServerConfig::new(proxy, realm(Algorithm::EcP256Sha256, "proxy.example.com", "the way out"))
    };
    let mut pair = Pair::with(config, Channel::Plain);
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), FIGURE_1);
    assert!(pair.received.iter().all(|wire| wire.status != 401));
    assert!(pair.received[0].field("Proxy-Authenticate").is_some());
    assert!(pair.received[2].field("Proxy-Authentication-Info").is_some());
    // Its realm covers whatever goes through it.
    pair.get("/anything").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
}

#[test]
fn a_proxy_and_an_origin_server_are_proven_in_one_response() {
    use tagai_core::client::{Outcome, Response, Step};
    let proxy = origin("http://proxy.example.com:3128");
    let config = ServerConfig {
        role: Role::Proxy,
        ..ServerConfig::new(proxy, realm(Algorithm::EcP256Sha256, "proxy.example.com", "the way out"))
    };
    let mut outer = Pair::with(config, Channel::Plain);
    let mut inner = Pair::new();
    outer.log_in();
    inner.log_in();

    // One request with both fields, one response with both proofs.
    let mut to_proxy = outer.client.begin(&outer.target("/"), outer.now).unwrap().run(&mut outer.rng).unwrap();
    let mut to_origin = inner.client.begin(&inner.target("/"), inner.now).unwrap().run(&mut inner.rng).unwrap();
    let by_proxy = outer.exchange("/", to_proxy.field().map(|field| field.value));
    let by_origin = inner.exchange("/", to_origin.field().map(|field| field.value));
    let lines: Vec<_> = by_proxy.fields.iter().chain(&by_origin.fields).collect();
    assert_eq!(lines.len(), 2);
    let fields = || lines.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));

    // The origin's response is what the proxy's proof lets out.
    let inside = Response::new(200, fields(), Channel::Plain, "the page");
    let outside = Response::new(200, fields(), Channel::Plain, inside);
    let Step::Done(Outcome::AuthSucceed(proven)) = to_proxy.receive(&mut outer.client, outside, outer.now).unwrap()
    else {
        panic!("the proxy is not proven");
    };
    assert_eq!(proven.realm().name.as_str(), "the way out");
    match to_origin.receive(&mut inner.client, proven.into_body(), inner.now).unwrap() {
        Step::Done(Outcome::AuthSucceed(proven)) => assert_eq!(proven.into_body(), "the page"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_proof_in_100_continue_serves_for_the_final_response() {
    use tagai_core::client::{Outcome, Response, Step};
    let mut pair = Pair::new();
    pair.log_in();
    let next = pair.client.begin(&pair.target("/upload"), pair.now).unwrap();
    let mut sequence = next.run(&mut pair.rng).unwrap();
    let proof = pair.exchange("/upload", sequence.field().map(|field| field.value));
    let value = proof.field("Authentication-Info").unwrap();
    let fields = || [("Authentication-Info", value.as_bytes())];
    // 103 (Early Hints) proves nothing.
    let sequence = sequence.interim(103, fields(), Channel::Plain).unwrap();
    assert!(!sequence.server_is_proven());
    let sequence = sequence.interim(100, fields(), Channel::Plain).unwrap();
    assert!(sequence.server_is_proven());
    let last = Response::new(201, [], Channel::Plain, "created");
    match sequence.receive(&mut pair.client, last, pair.now).unwrap() {
        Step::Done(Outcome::AuthSucceed(proven)) => assert_eq!(proven.into_body(), "created"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wrong_proof_in_100_continue_is_fatal() {
    let mut pair = Pair::new();
    pair.log_in();
    let next = pair.client.begin(&pair.target("/upload"), pair.now).unwrap();
    let mut sequence = next.run(&mut pair.rng).unwrap();
    let proof = pair.exchange("/upload", sequence.field().map(|field| field.value));
    let value = support::pair::spoil(proof.field("Authentication-Info").unwrap());
    let result = sequence.interim(100, [("Authentication-Info", value.as_bytes())], Channel::Plain);
    assert_eq!(result.err(), Some(Fatal::WrongVks));
}

#[test]
fn application_channel_bindings_agree() {
    let mut pair = Pair::new();
    pair.log_in();
    let proven = pair.get("/").succeeded();
    let user = pair.site.users_seen.last().unwrap();
    let vh = tagai_core::validation::HostValidation::new(&pair.origin, &Channel::Plain).unwrap();
    let session = pair.site.sessions.values().next().unwrap();
    for t in [&b""[..], b"application token"] {
        assert_eq!(session.b_1(&vh, t).unwrap().expose_octets(), proven.b_1(t).expose_octets());
        assert_eq!(session.b_2(user, &vh, t).unwrap().expose_octets(), proven.b_2(t).expose_octets());
        assert_ne!(proven.b_1(t).expose_octets(), proven.b_2(t).expose_octets());
    }
    // Before the client has proven itself there is nothing to bind to.
    let mut half = Pair::new();
    half.typed.clear();
    let required = half.get("/").required();
    let mut sequence = required.supply(credential("john", "secret")).0.run(&mut half.rng).unwrap();
    half.exchange("/", sequence.field().map(|field| field.value));
    let session = half.site.sessions.values().next().unwrap();
    assert_eq!(session.state(), SessionState::KeyExchanging);
    assert!(session.b_1(&vh, b"").is_none());
}

#[test]
fn a_refusal_over_another_certificate_is_no_way_to_a_weaker_method() {
    // The caller learns its channel late, and meets a relay with another certificate, which asks for less.
    let end_point = |octet| Channel::Certificate(EndPoint::from_hash(&[octet; 32]).unwrap());
    let https =
        ServerConfig::new(origin("https://example.com"), realm(Algorithm::EcP256Sha256, "example.com", "a realm"));
    let mut pair = Pair::with(https, end_point(1));
    pair.knows_channel = false;
    pair.log_in();
    pair.channel = end_point(2);
    pair.between(move |site, path, _, now| {
        let mut wire = site.serve(path, None, &end_point(2), now);
        wire.fields[0].1 = wire.fields[0].1.replace("validation=tls-server-end-point", "validation=host");
        wire
    });
    let fatal = pair.get("/").fatal();
    assert!(matches!(fatal, Fatal::Validation { found: ValidationMethod::Host, .. }), "{fatal}");
    assert_eq!(pair.take_log(), ["req-VFY-C", "401-INIT"], "and nothing more is sent");
}

/// A proxy's realm, on which the negative cases of §14 are tried.
fn proxy() -> Pair {
    let config = ServerConfig {
        role: Role::Proxy,
        ..ServerConfig::new(
            origin("http://proxy.example.com:3128"),
            realm(Algorithm::EcP256Sha256, "proxy.example.com", "the way out"),
        )
    };
    Pair::with(config, Channel::Plain)
}

#[test]
fn what_an_origin_server_says_means_nothing_to_the_client_of_a_proxy() {
    // The right challenge, in the status or in the field of the other role: an ordinary response.
    for (status, name) in [(401, "WWW-Authenticate"), (407, "WWW-Authenticate")] {
        let mut pair = proxy();
        pair.between(move |site, path, credentials, now| {
            let wire = site.serve(path, credentials, &Channel::Plain, now);
            Wire::new(status, &[(name, &wire.fields[0].1)])
        });
        pair.get("/").unauthenticated();
        assert_eq!(pair.received.len(), 1, "{status} {name}: nothing was asked");
    }
    // And the other way round: a server cannot ask in the name of a proxy.
    let mut pair = Pair::new();
    pair.between(|site, path, credentials, now| {
        let wire = site.serve(path, credentials, &Channel::Plain, now);
        Wire::new(407, &[("Proxy-Authenticate", &wire.fields[0].1)])
    });
    pair.get("/").unauthenticated();
    assert_eq!(pair.received.len(), 1);
}

#[test]
fn a_proof_in_the_field_of_the_other_role_proves_nothing() {
    let mut pair = proxy();
    pair.log_in();
    pair.between(|site, path, credentials, now| {
        let wire = site.serve(path, credentials, &Channel::Plain, now);
        Wire::new(200, &[("Authentication-Info", wire.field("Proxy-Authentication-Info").unwrap())])
    });
    // The first request of a sequence may be answered by anybody; what is not there is the proof.
    pair.get("/").unauthenticated();
    // A proof with the status that asks contradicts itself.
    let mut pair = proxy();
    pair.log_in();
    pair.between(|site, path, credentials, now| {
        let wire = site.serve(path, credentials, &Channel::Plain, now);
        Wire::new(407, &[("Proxy-Authentication-Info", wire.field("Proxy-Authentication-Info").unwrap())])
    });
    let fatal = pair.get("/").fatal();
    assert!(matches!(fatal, Fatal::Status { status: 407, .. }), "{fatal}");
}

#[test]
fn a_proof_for_a_proxy_of_another_place_is_refused() {
    // The same host, and another port or scheme: vh is made of all three.
    for other in ["http://proxy.example.com:3129", "http://proxy.example.com"] {
        let mut pair = proxy();
        let mut elsewhere = proxy();
        elsewhere.origin = origin(other);
        // The client believes to be there; the relay passes everything on to the true proxy.
        elsewhere.between(move |_, path, credentials, now| pair.site.serve(path, credentials, &Channel::Plain, now));
        let required = elsewhere.get("/").required();
        assert!(!required.reason().keeps_credentials(), "{other}: {}", required.reason());
        assert_eq!(elsewhere.take_log().last(), Some(&"401-INIT"), "{other}");
    }
}

#[test]
fn a_proxy_with_another_scope_than_its_host_name_is_refused() {
    for scope in ["http://proxy.example.com:3128", "*.example.com", "other.example.com"] {
        let mut pair = proxy();
        let scope = format!("auth-scope=\"{scope}\"");
        pair.between(move |site, path, credentials, now| {
            let mut wire = site.serve(path, credentials, &Channel::Plain, now);
            wire.fields[0].1 = wire.fields[0].1.replace("auth-scope=\"proxy.example.com\"", &scope);
            wire
        });
        let fatal = pair.get("/").fatal();
        assert!(matches!(fatal, Fatal::Scope(_)), "{fatal}");
    }
}
