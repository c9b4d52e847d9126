//! Logging in, and staying logged in.

mod support;

use http::{Method, StatusCode, Version};
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use support::*;
use tagai_client::core::client::Credential;
use tagai_client::core::credential::{Password, Username};
use tagai_client::{Ask, BoxFuture, Client, Error, ErrorKind, Prompt, Proof, Unproven};

/// Answers with one pair after another, and counts.
#[derive(Default)]
struct Script {
    answers: Mutex<Vec<(&'static str, &'static str)>>,
    asked: Mutex<Vec<Ask>>,
}

impl Script {
    fn new(answers: &[(&'static str, &'static str)]) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.iter().rev().copied().collect()), asked: Mutex::default() })
    }
}

impl Prompt for Script {
    fn ask(&self, ask: Ask) -> BoxFuture<'_, Option<Credential>> {
        self.asked.lock().unwrap().push(ask);
        let answer = self.answers.lock().unwrap().pop();
        Box::pin(std::future::ready(answer.map(|(user, password)| {
            Credential::password(Username::prepare(user).unwrap(), Password::prepare(password).unwrap())
        })))
    }
}

#[tokio::test]
async fn one_login_serves_many_requests_of_one_round_trip_each() {
    let site = http_site().await;
    let client = client(&site);
    let reply = client.get(&site.url("/private")).await.unwrap();
    let Proof::Mutual { user, realm, server, session_reused, .. } = reply.proof().clone() else {
        panic!("not proven")
    };
    assert_eq!((user.as_str(), &realm, &server, session_reused), (USER, &site.realm, &site.origin, false));
    assert_eq!(text(reply).await, "/private for alice (0 octets)");
    assert_eq!(site.take_seen().len(), 3, "401-INIT, 401-KEX-S1, 200-VFY-S");
    for _ in 0..10 {
        let reply = client.get(&site.url("/private/more")).await.unwrap();
        assert!(matches!(reply.proof(), Proof::Mutual { session_reused: true, .. }));
        drop(text(reply).await);
    }
    assert_eq!(site.take_seen().len(), 10, "one request each");
    assert_eq!(site.connections.load(Ordering::Relaxed), 1, "all over one connection");
}

#[tokio::test]
async fn https_binds_the_login_to_the_certificate() {
    let (site, certificate) = https_site(&["http/1.1"]).await;
    let client = trusting(builder(&site), &certificate).build().unwrap();
    let reply = client.get(&site.url("/private")).await.unwrap();
    assert!(reply.is_proven());
    assert_eq!(reply.server_certificate(), Some(certificate.der.as_slice()));
    assert_eq!(reply.version(), Version::HTTP_11);
    assert_eq!(text(reply).await, "/private for alice (0 octets)");
}

#[tokio::test]
async fn a_certificate_without_end_point_binding_is_bound_by_the_exporter() {
    let (site, certificate) = https_site_with(&["http/1.1"], &rcgen::PKCS_ED25519).await;
    let client = trusting(builder(&site), &certificate).build().unwrap();
    for path in ["/private", "/private/more"] {
        let reply = client.get(&site.url(path)).await.unwrap();
        assert!(reply.is_proven());
        drop(text(reply).await);
    }
    let (mut a, mut b) = (Vec::new(), Vec::new());
    // Each over a connection of its own, with another exporter.
    for (path, kept) in [("/private/a", &mut a), ("/private/b", &mut b)] {
        kept.push(client.get(&site.url(path)).await.unwrap());
    }
    assert!(a.iter().chain(&b).all(|reply| matches!(reply.proof(), Proof::Mutual { session_reused: true, .. })));
}

#[tokio::test]
async fn http2_carries_parallel_requests_with_numbers_of_their_own() {
    let (site, certificate) = https_site(&["h2", "http/1.1"]).await;
    let client = trusting(builder(&site), &certificate).build().unwrap();
    let first = client.get(&site.url("/private")).await.unwrap();
    assert_eq!(first.version(), Version::HTTP_2);
    drop(text(first).await);
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let (client, url) = (client.clone(), site.url(&format!("/private/{number}")));
            tokio::spawn(async move { client.get(&url).await.unwrap().is_proven() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    let nonces = site.nonces.lock().unwrap().clone();
    assert_eq!(nonces.len(), 41);
    assert_eq!(nonces.iter().collect::<HashSet<_>>().len(), 41, "no number twice");
    assert_eq!(site.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn parallel_first_requests_ask_once() {
    let site = http_site().await;
    let prompt = Script::new(&[(USER, PASSWORD)]);
    let client = Client::builder().prompt(prompt.clone()).build().unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (client, url) = (client.clone(), site.url("/private"));
            tokio::spawn(async move { client.get(&url).await.unwrap().is_proven() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(prompt.asked.lock().unwrap().len(), 1);
    let nonces = site.nonces.lock().unwrap().clone();
    assert_eq!(nonces.iter().collect::<HashSet<_>>().len(), 8);
}

#[tokio::test]
async fn a_wrong_password_is_asked_for_again_and_not_for_ever() {
    let site = http_site().await;
    let prompt = Script::new(&[(USER, "wrong"), ("nobody", PASSWORD), (USER, PASSWORD)]);
    let client = Client::builder().prompt(prompt.clone()).build().unwrap();
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    let asked = prompt.asked.lock().unwrap().clone();
    assert_eq!(asked.iter().map(|ask| ask.attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(asked[0].realm, site.realm);
    assert!(!asked[0].optional);

    let prompt = Script::new(&[(USER, "wrong"); 9]);
    let client = Client::builder().prompt(prompt.clone()).build().unwrap();
    let error = client.get(&site.url("/private")).await.unwrap_err();
    let Error::Login(login) = &error else { panic!("{error}") };
    assert_eq!((login.attempts, error.kind(), error.kind().exit_code()), (3, ErrorKind::Login, 3));
    assert_eq!(prompt.asked.lock().unwrap().len(), 3);
    assert!(client.logins().is_empty());
}

#[tokio::test]
async fn nobody_to_ask_and_nobody_who_answers() {
    let site = http_site().await;
    for client in [Client::builder().build().unwrap(), Client::builder().prompt(Script::new(&[])).build().unwrap()] {
        let error = client.get(&site.url("/private")).await.unwrap_err();
        let Error::Login(login) = &error else { panic!("{error}") };
        assert_eq!((&login.realm, login.attempts), (&site.realm, 0));
        assert!(error.to_string().contains("asks for a login"), "{error}");
    }
}

#[tokio::test]
async fn wishes_of_the_server_about_the_login() {
    let site = http_site().await;
    site.trick(|seen, response| {
        let wish = match seen.path.as_str() {
            "/private/no-auth" => "Mutual realm=\"staff\", no-auth=true",
            "/private/elsewhere" => "Mutual realm=\"staff\", location-when-unauthenticated=\"/login\"",
            _ => "Mutual realm=\"staff\", username=\"alice\"",
        };
        response.headers_mut().insert("authentication-control", wish.parse().unwrap());
    });
    let prompt = Script::new(&[]);
    let client = Client::builder().prompt(prompt.clone()).build().unwrap();
    for (path, no_auth, location) in
        [("/private/no-auth", true, None), ("/private/elsewhere", false, Some("/login")), ("/private", false, None)]
    {
        let error = client.get(&site.url(path)).await.unwrap_err();
        let Error::Login(login) = error else { panic!("{error}") };
        assert_eq!(login.no_auth, no_auth);
        assert_eq!(login.location.as_ref().map(|location| location.as_str()), location);
    }
    let asked = prompt.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1, "not where the server does not want it");
    assert_eq!(asked[0].username_hint.as_ref().map(|user| user.as_str()), Some(USER));
}

#[tokio::test]
async fn a_guest_sees_what_is_optional_and_a_user_more() {
    let site = http_site().await;
    let guest = Client::builder().build().unwrap();
    let reply = guest.get(&site.url("/optional")).await.unwrap();
    assert!(!reply.is_proven());
    assert_eq!(text(reply).await, "/optional for anybody (0 octets)");
    let error = guest.request(Method::GET, &site.url("/optional")).require_proof().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Login);

    let prompt = Script::new(&[(USER, PASSWORD)]);
    let user = Client::builder().prompt(prompt.clone()).build().unwrap();
    let reply = user.get(&site.url("/optional")).await.unwrap();
    assert!(reply.is_proven());
    assert!(prompt.asked.lock().unwrap()[0].optional);
}

#[tokio::test]
async fn a_stale_session_is_renewed_without_a_question() {
    let site = http_site().await;
    let prompt = Script::new(&[(USER, PASSWORD)]);
    let client = Client::builder().prompt(prompt.clone()).build().unwrap();
    drop(text(client.get(&site.url("/private")).await.unwrap()).await);
    site.sessions.lock().unwrap().clear();
    site.take_seen();
    let reply = client.get(&site.url("/private")).await.unwrap();
    assert!(matches!(reply.proof(), Proof::Mutual { session_reused: false, .. }));
    assert_eq!(site.take_seen().len(), 3, "401-STALE, 401-KEX-S1, 200-VFY-S");
    assert_eq!(prompt.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn logout_forgets() {
    let site = http_site().await;
    let client = client(&site);
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    assert_eq!(client.logins().len(), 1);
    assert_eq!(client.sessions().len(), 1);
    assert!(client.logout(&site.realm));
    assert!(!client.logout(&site.realm));
    assert!(client.logins().is_empty());
    site.take_seen();
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    assert_eq!(site.take_seen().len(), 3, "a login from its beginning");
    client.logout_all();
    assert!(client.logins().is_empty() && client.sessions().is_empty());
}

#[tokio::test]
async fn a_remembered_credential_saves_the_first_round() {
    let site = http_site().await;
    let client = Client::builder().build().unwrap();
    let credential = Credential::password(Username::prepare(USER).unwrap(), Password::prepare(PASSWORD).unwrap());
    client.remember(&site.realm, &site.origin, credential).await.unwrap();
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    assert_eq!(site.take_seen().len(), 2);
}

#[tokio::test]
async fn public_pages_beside_a_login() {
    let site = http_site().await;
    let client = client(&site);
    let reply = client.get(&site.url("/public")).await.unwrap();
    assert_eq!(reply.proof(), &Proof::None);
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    // The server did not say that the realm ends anywhere, so a proof is expected here as well.
    let error = client.get(&site.url("/public")).await.unwrap_err();
    let Error::NotProven(not_proven) = &error else { panic!("{error}") };
    assert_eq!(not_proven.why, Unproven::Expected { status: 200 });
    assert_eq!(error.kind().exit_code(), 4);
    let reply = client.request(Method::GET, &site.url("/public")).allow_unproven().send().await.unwrap();
    assert_eq!((reply.status(), reply.is_proven()), (StatusCode::OK, false));
}

#[tokio::test]
async fn where_proof_is_required_a_public_page_is_not_enough() {
    let site = http_site().await;
    let client = client(&site);
    for path in ["/public", "/go/elsewhere"] {
        let error = client.request(Method::GET, &site.url(path)).require_proof().send().await.unwrap_err();
        let Error::NotProven(not_proven) = error else { panic!("{error}") };
        assert_eq!(not_proven.why, Unproven::Required { status: 200 });
    }
    assert!(client.request(Method::GET, &site.url("/private")).require_proof().send().await.unwrap().is_proven());
}
