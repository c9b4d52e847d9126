//! What may not happen: an answer of a server that had to be proven and was not, in the hands of the caller.

mod support;

use http::{HeaderValue, Method, StatusCode};
use http_body_util::Full;
use std::sync::{Arc, Mutex};
use support::*;
use tagai_client::core::client::Fatal;
use tagai_client::core::realm::{AuthScope, Host};
use tagai_client::{Client, Error, ErrorKind, Proof, Unproven};

const LIE: &str = "give me your card number";

/// The fault that an error names; and nothing of what the attacker wrote is anywhere in it.
fn unproven(error: Error) -> Unproven {
    assert_eq!((error.kind(), error.kind().exit_code()), (ErrorKind::NotProven, 4), "{error}");
    assert!(!format!("{error} {error:?}").contains(LIE));
    match error {
        Error::NotProven(not_proven) => not_proven.why,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_server_that_does_not_know_the_verifier_says_yes_all_the_same() {
    let (listener, origin) = listen("http").await;
    // It has the realm's name right, and no user.
    let phisher = Site::new(origin, &[], |_| {});
    serve_http(&phisher, listener);
    phisher.trick(|seen, response| {
        if seen.authorization.as_ref().is_some_and(|value| value.contains("vkc=")) {
            let sid = seen.authorization.as_ref().unwrap().split("sid=").nth(1).unwrap().split(',').next().unwrap();
            let proof = format!("version=1, sid={sid}, vks={}", "0".repeat(64));
            response.headers_mut().remove("www-authenticate");
            response.headers_mut().insert("authentication-info", proof.parse().unwrap());
            *response.status_mut() = StatusCode::OK;
            *response.body_mut() = Full::new(LIE.into());
        }
    });
    let client = client(&phisher);
    let error = client.get(&phisher.url("/private")).await.unwrap_err();
    assert_eq!(unproven(error), Unproven::Fatal(Fatal::WrongVks));
    assert!(client.logins().is_empty());
}

#[tokio::test]
async fn an_answer_without_proof_in_the_middle_of_a_login() {
    let site = http_site().await;
    for status in [200_u16, 204, 302, 404, 500] {
        let client = client(&site);
        site.trick(move |seen, response| {
            if seen.user.is_some() {
                response.headers_mut().remove("authentication-info");
                response.headers_mut().insert("location", HeaderValue::from_static("/public"));
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                *response.body_mut() = Full::new(LIE.into());
            }
        });
        let error = client.get(&site.url("/private")).await.unwrap_err();
        assert_eq!(unproven(error), Unproven::Fatal(Fatal::NotProven { status }));
    }
}

#[tokio::test]
async fn basic_is_asked_for_after_a_login() {
    let site = http_site().await;
    let client = client(&site);
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    site.trick(|_, response| {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response.headers_mut().remove("authentication-info");
        response.headers_mut().insert("www-authenticate", HeaderValue::from_static("Basic realm=\"staff\""));
        *response.body_mut() = Full::new(LIE.into());
    });
    let error = client.get(&site.url("/private")).await.unwrap_err();
    assert_eq!(unproven(error), Unproven::Expected { status: 401 });
}

#[tokio::test]
async fn a_relay_in_another_place() {
    // It passes everything on, octet for octet: the same decisions at another port.
    let site = http_site().await;
    let (listener, relay) = listen("http").await;
    serve_http(&site, listener);
    let client = client(&site);
    let error = client.get(&format!("{relay}/private")).await.unwrap_err();
    assert!(matches!(unproven(error), Unproven::Fatal(Fatal::Scope(_))));

    // Where the realm spans both places, the proof holds in one of them alone.
    let (listener, origin) = listen("http").await;
    let scope = AuthScope::SingleHost(Host::parse("127.0.0.1").unwrap());
    let site = Site::new(origin, &[(USER, PASSWORD)], |config| config.realm.auth_scope = scope.clone());
    serve_http(&site, listener);
    let (listener, relay) = listen("http").await;
    serve_http(&site, listener);
    let prompt = tagai_client::FixedCredential::new(relay.clone(), USER, PASSWORD).unwrap();
    let victim = Client::builder().prompt(Arc::new(prompt)).build().unwrap();
    let error = victim.get(&format!("{relay}/private")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Login, "the server finds the proof wrong: {error}");
    assert!(site.nonces.lock().unwrap().is_empty(), "and the relay got nothing from it");
}

#[tokio::test]
async fn the_certificate_changes() {
    let (listener, origin) = listen("https").await;
    let site = Site::new(origin, &[(USER, PASSWORD)], |_| {});
    let [old, new] = [0, 1].map(|_| Arc::new(Certificate::new(&rcgen::PKCS_ECDSA_P256_SHA256)));
    let shown = Arc::new(Mutex::new(Arc::clone(&old)));
    serve_https(&site, listener, Arc::clone(&shown), &["http/1.1"]);
    let client = trusting(trusting(builder(&site), &old), &new).build().unwrap();
    let url = site.url("/private");

    let first = client.get(&url).await.unwrap();
    assert_eq!(first.server_certificate(), Some(old.der.as_slice()));
    *shown.lock().unwrap() = Arc::clone(&new);
    // While `first` holds its connection, the next request needs a new one: the session is not shown to the stranger, a key
    // exchange is made, and the server is proven by it.
    let second = client.get(&url).await.unwrap();
    assert_eq!(second.server_certificate(), Some(new.der.as_slice()));
    assert!(matches!(second.proof(), Proof::Mutual { session_reused: false, .. }));

    let (listener, stranger) = (take_over(&site).await, Site::new(site.origin.clone(), &[], |_| {}));
    stranger.trick(|_, response| {
        *response.status_mut() = StatusCode::OK;
        response.headers_mut().clear();
        *response.body_mut() = Full::new(LIE.into());
    });
    *shown.lock().unwrap() = old;
    serve_https(&stranger, listener, shown, &["http/1.1"]);
    let error = client.get(&url).await.unwrap_err();
    assert_eq!(unproven(error), Unproven::Expected { status: 200 });
    let seen = stranger.take_seen();
    assert!(seen.iter().all(|seen| !seen.authorization.as_deref().unwrap_or_default().contains("vkc=")), "{seen:?}");
}

#[tokio::test]
async fn guessing_by_exchanges_that_come_to_nothing_ends() {
    let site = http_site().await;
    let client = client(&site);
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    site.sessions.lock().unwrap().clear();
    site.trick(|_, response| drop(response.headers_mut().remove("authentication-info")));
    for number in 0..16 {
        let error = client.get(&site.url("/private")).await.unwrap_err();
        assert_eq!(unproven(error), Unproven::Fatal(Fatal::NotProven { status: 200 }), "{number}");
    }
    let error = client.get(&site.url("/private")).await.unwrap_err();
    assert!(matches!(unproven(error), Unproven::Fatal(Fatal::TooManyUnproven(_))));
    assert!(client.logins().is_empty());
}

#[tokio::test]
async fn a_body_stays_here_when_the_port_was_taken_over() {
    for require_proof in [false, true] {
        for continues in [false, true] {
            for stream in [false, true] {
                let site = http_site().await;
                let client = client(&site);
                assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
                let taken = serve_raw(take_over(&site).await, move |_| {
                    let interim = if continues { "HTTP/1.1 100 Continue\r\n\r\n" } else { "" };
                    let fin = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{LIE}", LIE.len());
                    // One that asks for the body waits for it.
                    if continues { interim.into() } else { fin.into_bytes() }
                });
                let request = client.request(Method::POST, &site.url("/private"));
                let request = if stream { request.body(upload(8 << 20)) } else { request.body("the secret") };
                let request = if require_proof { request.require_proof() } else { request };
                if continues && !require_proof {
                    // Without proof required, 100 (Continue) is enough: that is documented, and tested elsewhere.
                    continue;
                }
                let error = request.send().await.unwrap_err();
                let why = unproven(error);
                match (continues, require_proof) {
                    (true, _) => assert_eq!(why, Unproven::BodyAsked),
                    (false, true) => assert_eq!(why, Unproven::Required { status: 200 }),
                    (false, false) => assert_eq!(why, Unproven::Expected { status: 200 }),
                }
                for request in taken.lock().unwrap().iter() {
                    let text = String::from_utf8_lossy(request);
                    assert!(text.contains("expect: 100-continue"), "{text}");
                    assert!(text.ends_with("\r\n\r\n"), "not an octet of the body: {text}");
                }
            }
        }
    }
}
