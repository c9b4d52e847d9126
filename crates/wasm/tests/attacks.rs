//! What must not be let through, and what a broken caller gets.

mod support;

use support::{
    Access, CERTIFICATE, CONTEXT, ED25519, OTHER_CERTIFICATE, PLAIN, REALM, TLS, Wire, browser, replace, spoil, typed,
};
use tagai_core::algorithm::Algorithm;
use tagai_wasm::{EngineError, Head, MAX_ASKS, MAX_CONTEXTS, MAX_SEQUENCES, Received, Sends, Why};

const P256: Algorithm = Algorithm::EcP256Sha256;

#[track_caller]
fn assert_fatal(received: &Received, expected: Why) {
    let Received::Fatal { why, detail } = received else { panic!("not fatal: {received:?}") };
    assert_eq!(*why, expected, "{detail}");
    assert!(!detail.is_empty());
}

/// The judgement on the answer to a proof, changed on its way.
fn changed(change: impl Fn(&mut Wire)) -> Received {
    let mut browser = browser(P256, PLAIN);
    browser.log_in();
    let send = browser.begin("/");
    let mut wire = browser.ask(send, "/");
    change(&mut wire);
    browser.receive(send.sequence, &wire)
}

#[test]
fn a_wrong_proof_is_fatal() {
    assert_fatal(&changed(|wire| wire.fields[0].1 = spoil(&wire.fields[0].1)), Why::WrongProof);
    // Somebody who says yes to everything.
    assert_fatal(&changed(|wire| replace(wire, "vks=", "vks=00")), Why::WrongProof);
    assert_fatal(&changed(|wire| replace(wire, "version=1", "version=2")), Why::WrongProof);
    let twice = |wire: &mut Wire| wire.fields.push(wire.fields[0].clone());
    assert_fatal(&changed(twice), Why::WrongProof);
}

#[test]
fn an_answer_to_a_proof_without_one_is_told_apart() {
    assert_eq!(changed(|wire| wire.fields.clear()), Received::Unauthenticated { to: Sends::Vfy });
    let mut browser = browser(P256, PLAIN);
    browser.engine.remember(CONTEXT, PLAIN, REALM, &typed("john", "secret")).unwrap();
    browser.site.access.insert("/".to_owned(), Access::Public);
    assert_eq!(browser.get("/"), Received::Unauthenticated { to: Sends::Kex });
    browser.engine.logout_all(CONTEXT);
    assert_eq!(browser.get("/"), Received::Unauthenticated { to: Sends::Normal });
}

#[test]
fn an_exchange_that_ends_without_a_proof_is_fatal() {
    let mut browser = browser(P256, PLAIN);
    let asked = browser.get("/");
    let Received::Asked { ask, .. } = asked else { panic!() };
    let send = browser.engine.supply(ask, &typed("john", "secret"), &mut browser.rng).unwrap();
    let Received::Continue { next } = browser.send(send, "/") else { panic!() };
    let answer = browser.receive(next.sequence, &Wire::new(200, &[]));
    assert!(matches!(answer, Received::Fatal { .. }), "the field was never asked for: {answer:?}");

    let asked = browser.get("/");
    browser.site.access.insert("/".to_owned(), Access::Public);
    assert_fatal(&browser.supply(&asked, "john", "secret", "/"), Why::NoProof);
}

#[test]
fn a_certificate_that_changed_in_mid_session_is_noticed() {
    let mut browser = browser(P256, TLS);
    browser.log_in();
    // Between two requests: the session is renewed with the new one, unseen.
    (browser.seen, browser.has) = (Some(OTHER_CERTIFICATE), Some(OTHER_CERTIFICATE));
    assert!(matches!(browser.get("/"), Received::Proven { .. }));
    assert_eq!(browser.log, [Sends::Vfy, Sends::Kex, Sends::Vfy]);
    // In between client and server: nothing that the server says is right here.
    browser.seen = Some(CERTIFICATE);
    let send = browser.begin("/");
    assert_fatal(&browser.send(send, "/"), Why::Certificate);
    // A stranger's certificate from the start: the password does not get through.
    browser.engine.logout_all(CONTEXT);
    let asked = browser.get("/");
    let relayed = browser.supply(&asked, "john", "secret", "/");
    assert!(!matches!(relayed, Received::Proven { .. }), "{relayed:?}");
    assert_eq!(browser.users(), [""; 0]);
}

#[test]
fn a_certificate_that_cannot_be_used_is_none() {
    let garbage: &[u8] = b"garbage";
    for certificate in [None, Some(ED25519), Some(garbage)] {
        let mut browser = browser(P256, TLS);
        browser.seen = certificate;
        assert_fatal(&browser.get("/"), Why::Certificate);
        // A page of another scheme does not need one, nor does an ordinary page.
        let send = browser.begin("/");
        let basic =
            Wire::new(401, &[("WWW-Authenticate", "Basic realm=\"x\""), ("Authentication-Info", "nextnonce=\"1\"")]);
        assert_eq!(browser.receive(send.sequence, &basic), Received::Unauthenticated { to: Sends::Normal });
        browser.site.access.insert("/".to_owned(), Access::Public);
        assert_eq!(browser.get("/"), Received::Unauthenticated { to: Sends::Normal });
    }
    let mut plain = browser(P256, PLAIN);
    plain.seen = Some(CERTIFICATE);
    assert_fatal(&plain.get("/"), Why::Certificate);
}

/// The judgement on a challenge, changed on its way.
fn challenged(from: &str, to: &str) -> Received {
    let mut browser = browser(P256, PLAIN);
    let send = browser.begin("/");
    let mut wire = browser.ask(send, "/");
    replace(&mut wire, from, to);
    browser.receive(send.sequence, &wire)
}

#[test]
fn a_realm_of_others_is_refused() {
    for scope in ["http://example.org", "*.com", "example.org"] {
        assert_fatal(&challenged("http://example.com", scope), Why::Scope);
    }
    assert_fatal(&challenged("version=1", "version=2"), Why::Protocol);
    assert_fatal(&challenged("validation=host", "validation=tls-server-end-point"), Why::Protocol);
}

#[test]
fn two_challenges_are_refused() {
    let mut browser = browser(P256, PLAIN);
    let send = browser.begin("/");
    let mut wire = browser.ask(send, "/");
    wire.fields.push(wire.fields[0].clone());
    assert_fatal(&browser.receive(send.sequence, &wire), Why::Protocol);
}

#[test]
fn a_key_outside_of_the_group_is_a_wrong_proof() {
    let mut browser = browser(P256, PLAIN);
    let asked = browser.get("/");
    let Received::Asked { ask, .. } = asked else { panic!() };
    let send = browser.engine.supply(ask, &typed("john", "secret"), &mut browser.rng).unwrap();
    let mut wire = browser.ask(send, "/");
    let at = wire.fields[0].1.find("ks1=").unwrap() + 4;
    wire.fields[0].1.replace_range(at..at + 66, &format!("02{}", "f".repeat(64)));
    assert_fatal(&browser.receive(send.sequence, &wire), Why::WrongProof);
}

#[test]
fn an_answer_is_judged_once() {
    let mut browser = browser(P256, PLAIN);
    browser.log_in();
    let send = browser.begin("/");
    let wire = browser.ask(send, "/");
    assert!(matches!(browser.receive(send.sequence, &wire), Received::Proven { .. }));
    let (head, now) = (browser.head(&wire), browser.now);
    let again = browser.engine.receive(send.sequence, &head, now, &mut browser.rng);
    assert_eq!(again, Err(EngineError::Gone { what: "sequence", id: send.sequence }));
    assert!(browser.engine.field(send.sequence).is_err());
}

#[test]
fn what_was_dropped_is_gone() {
    let mut browser = browser(P256, PLAIN);
    let send = browser.begin("/");
    browser.engine.drop(send.sequence);
    assert!(browser.engine.field(send.sequence).is_err());
    let Received::Asked { ask, .. } = browser.get("/") else { panic!() };
    browser.engine.drop(ask);
    assert!(browser.engine.supply(ask, &typed("john", "secret"), &mut browser.rng).is_err());
    browser.engine.drop(ask);
}

#[test]
fn tables_are_bounded_and_the_oldest_makes_room() {
    let mut browser = browser(P256, PLAIN);
    let first = browser.begin("/");
    let second = browser.begin("/");
    for _ in 1..MAX_SEQUENCES {
        browser.begin("/");
    }
    assert!(browser.engine.field(first.sequence).is_err());
    assert_eq!(browser.engine.field(second.sequence), Ok(None));

    let ask = |browser: &mut support::Browser| match browser.get("/") {
        Received::Asked { ask, .. } => ask,
        other => panic!("{other:?}"),
    };
    let first = ask(&mut browser);
    for _ in 0..MAX_ASKS {
        ask(&mut browser);
    }
    let gone = browser.engine.supply(first, &typed("john", "secret"), &mut browser.rng);
    assert_eq!(gone, Err(EngineError::Gone { what: "question", id: first }));
}

#[test]
fn contexts_are_bounded_and_those_with_logins_stay() {
    let mut browser = browser(P256, PLAIN);
    browser.log_in();
    for number in 0..2 * MAX_CONTEXTS {
        let name = format!("container-{number}");
        let send = browser.engine.begin(&name, PLAIN, "/", browser.now, &mut browser.rng).unwrap();
        browser.engine.drop(send.sequence);
    }
    assert_eq!(browser.users(), ["john"]);
    for number in 0..MAX_CONTEXTS - 1 {
        browser.engine.begin(&format!("busy-{number}"), PLAIN, "/", browser.now, &mut browser.rng).unwrap();
    }
    let full = browser.engine.begin("one more", PLAIN, "/", browser.now, &mut browser.rng);
    assert_eq!(full, Err(EngineError::Contexts));
}

#[test]
fn arguments_that_are_none_are_refused() {
    let mut browser = browser(P256, PLAIN);
    let (engine, now, rng) = (&mut browser.engine, browser.now, &mut browser.rng);
    for origin in ["", "null", "about:blank", "moz-extension://x", "http://", "http://a/b", "ftp://a"] {
        assert!(matches!(engine.begin(CONTEXT, origin, "/", now, rng), Err(EngineError::Argument(_))), "{origin}");
    }
    for context in ["", &"x".repeat(257)] {
        assert!(engine.begin(context, PLAIN, "/", now, rng).is_err());
    }
    for realm in [("", PLAIN, "iso-kam3-ec-p256-sha256"), ("a", "*", "iso-kam3-ec-p256-sha256"), ("a", PLAIN, "md5")]
    {
        assert!(matches!(engine.logout(CONTEXT, realm), Err(EngineError::Argument(_))), "{realm:?}");
        assert!(engine.verifier(realm, &typed("john", "secret")).is_err());
    }
    let foreign = engine.begin_as(CONTEXT, "http://example.org", "/", REALM, &typed("a", "b"), now, rng);
    assert!(matches!(foreign, Err(EngineError::Fatal(_))), "{foreign:?}");
    let head = Head::new(0, Vec::new(), None);
    assert!(matches!(engine.receive(1, &head, now, rng), Err(EngineError::Gone { .. })));
}
