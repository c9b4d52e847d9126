//! Who gets to see the body of a request, and when.

mod support;

use http::Method;
use std::sync::{Arc, Mutex};
use support::*;
use tagai_client::core::kam3::Binding;
use tagai_client::core::validation::Channel;
use tagai_client::{Body, Client, Error, ErrorKind, Proof, Reply, Timeouts, Unproven};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const LARGE: usize = 8 << 20;

async fn post(client: &Client, url: &str, body: impl Into<Body>) -> Result<Reply, Error> {
    client.request(Method::POST, url).body(body).send().await
}

#[tokio::test]
async fn a_small_body_goes_with_every_round_of_a_login_and_then_in_one_round_trip() {
    for https in [false, true] {
        let (site, client) = if https {
            let (site, certificate) = https_site(&["h2", "http/1.1"]).await;
            let client = trusting(builder(&site), &certificate).build().unwrap();
            (site, client)
        } else {
            let site = http_site().await;
            let client = client(&site);
            (site, client)
        };
        let reply = post(&client, &site.url("/private"), "four").await.unwrap();
        assert!(reply.is_proven());
        assert_eq!(text(reply).await, "/private for alice (4 octets)");
        assert_eq!(site.take_seen().len(), 3);
        let reply = post(&client, &site.url("/private"), "four more").await.unwrap();
        assert_eq!(text(reply).await, "/private for alice (9 octets)");
        let seen = site.take_seen();
        assert_eq!(seen.len(), 1);
        assert!(!seen[0].expect, "the peer is proven: no need to wait");
    }
}

#[tokio::test]
async fn a_stream_is_sent_once_whatever_the_login_takes() {
    let (site, certificate) = https_site(&["h2", "http/1.1"]).await;
    let client = trusting(builder(&site), &certificate).build().unwrap();
    for rounds in [3, 1] {
        let reply = post(&client, &site.url("/private"), upload(LARGE)).await.unwrap();
        assert!(reply.is_proven());
        assert_eq!(text(reply).await, format!("/private for alice ({LARGE} octets)"));
        let seen = site.take_seen();
        assert_eq!(seen.len(), rounds);
        assert!(seen.iter().all(|seen| seen.expect && seen.version == http::Version::HTTP_11));
        assert_eq!(seen.iter().filter(|seen| seen.body > 0).count(), 1);
    }
    // The server has forgotten the session: the stream is still whole when it says so.
    site.sessions.lock().unwrap().clear();
    let reply = post(&client, &site.url("/private"), upload(LARGE)).await.unwrap();
    assert!(matches!(reply.proof(), Proof::Mutual { session_reused: false, .. }));
    assert_eq!(text(reply).await, format!("/private for alice ({LARGE} octets)"));
}

#[tokio::test]
async fn a_stream_for_a_server_that_nothing_is_expected_of() {
    let site = http_site().await;
    let client = Client::builder().build().unwrap();
    let reply = post(&client, &site.url("/public"), upload(LARGE)).await.unwrap();
    assert!(!reply.is_proven());
    assert_eq!(text(reply).await, format!("/public for anybody ({LARGE} octets)"));
    let error = post(&client, &site.url("/private"), upload(LARGE)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Login);
    assert_eq!(site.take_seen()[1].body, 0);
}

#[tokio::test]
async fn a_server_that_never_says_continue_gets_the_stream_in_the_end() {
    let (listener, origin) = listen("http").await;
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        // The end of a chunked body.
        while !read.ends_with(b"\r\n0\r\n\r\n") {
            assert!(stream.read_buf(&mut read).await.unwrap() > 0);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    });
    let timeouts = Timeouts { expect_continue: std::time::Duration::from_millis(20), ..Timeouts::default() };
    let client = Client::builder().timeouts(timeouts).build().unwrap();
    assert_eq!(post(&client, &format!("{origin}/"), upload(100)).await.unwrap().status(), 200);
    served.await.unwrap();
}

#[tokio::test]
async fn an_eager_stream_is_gone_when_a_login_is_asked_for() {
    let site = http_site().await;
    let client = client(&site);
    let error = post(&client, &site.url("/private"), upload(100_000).eager()).await.unwrap_err();
    assert!(matches!(error, Error::BodyGone(_)), "{error}");
    // From memory, it goes again and again.
    let reply = post(&client, &site.url("/private"), Body::from(vec![0; 100_000]).eager()).await.unwrap();
    assert_eq!(text(reply).await, "/private for alice (100000 octets)");
    assert!(site.take_seen().iter().all(|seen| !seen.expect));
}

#[tokio::test]
async fn where_proof_is_required_the_body_waits_for_it() {
    let (site, certificate) = https_site(&["http/1.1"]).await;
    let client = trusting(builder(&site), &certificate).build().unwrap();
    let send = |body: Body| client.request(Method::POST, &site.url("/private")).body(body).require_proof().send();
    // hyper's 100 (Continue) has no field for a proof, so a first login cannot bring a body along.
    for body in [Body::from("secret"), upload(LARGE)] {
        let error = send(body).await.unwrap_err();
        let Error::NotProven(not_proven) = error else { panic!("{error}") };
        assert_eq!(not_proven.why, Unproven::BodyAsked);
        client.logout_all();
    }
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    for (body, octets) in [(Body::from("secret"), 6), (upload(LARGE), LARGE)] {
        let reply = send(body).await.unwrap();
        assert_eq!(text(reply).await, format!("/private for alice ({octets} octets)"));
    }
}

#[tokio::test]
async fn a_proof_in_100_continue_lets_the_body_go() {
    let (listener, origin) = listen("http").await;
    let site = Site::new(origin, &[(USER, PASSWORD)], |_| {});
    let judge = Arc::clone(&site);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut read = Vec::new();
            while !read.windows(4).any(|window| window == b"\r\n\r\n") {
                assert!(stream.read_buf(&mut read).await.unwrap() > 0);
            }
            assert!(read.ends_with(b"\r\n\r\n"), "the body waits");
            let head = String::from_utf8(std::mem::take(&mut read)).unwrap();
            let credentials = head.lines().find_map(|line| line.strip_prefix("authorization: "));
            let judged = judge.judge(credentials.map(str::as_bytes), &Channel::Plain, false);
            let (name, value) = judged.field.unwrap();
            if judged.status != 200 {
                let answer = format!("HTTP/1.1 401 No\r\n{name}: {value}\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                continue;
            }
            stream.write_all(format!("HTTP/1.1 100 Continue\r\n{name}: {value}\r\n\r\n").as_bytes()).await.unwrap();
            while !read.ends_with(b"\r\n0\r\n\r\n") {
                assert!(stream.read_buf(&mut read).await.unwrap() > 0);
            }
            // The proof is not repeated (RFC 8120 §4.5).
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nkept").await.unwrap();
        }
    });
    let client = client(&site);
    let request = client.request(Method::POST, &site.url("/")).body(upload(LARGE)).require_proof();
    let reply = request.send().await.unwrap();
    assert!(reply.is_proven());
    assert_eq!(text(reply).await, "kept");
}

#[tokio::test]
async fn one_that_plays_along_to_100_continue_gets_the_body_and_is_caught() {
    let site = http_site().await;
    let client = client(&site);
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    let listener = take_over(&site).await;
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        while !read.windows(4).any(|window| window == b"\r\n\r\n") {
            assert!(stream.read_buf(&mut read).await.unwrap() > 0);
        }
        assert!(read.ends_with(b"\r\n\r\n"), "the body waits");
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        while !read.ends_with(b"body") {
            assert!(stream.read_buf(&mut read).await.unwrap() > 0);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    });
    let error = post(&client, &site.url("/private"), "body").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotProven, "{error}");
    served.await.unwrap();
}

#[tokio::test]
async fn a_wrong_proof_in_100_continue_ends_everything() {
    let site = http_site().await;
    let client = client(&site);
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    let taken = serve_raw(take_over(&site).await, |head| {
        let sid = head.split("sid=").nth(1).unwrap().split(',').next().unwrap();
        let proof = format!("version=1, sid={sid}, vks={}", "0".repeat(64));
        format!("HTTP/1.1 100 Continue\r\nAuthentication-Info: {proof}\r\n\r\n").into_bytes()
    });
    let error = post(&client, &site.url("/private"), upload(LARGE)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotProven, "{error}");
    assert!(taken.lock().unwrap().iter().all(|read| read.ends_with(b"\r\n\r\n")));
}

#[tokio::test]
async fn a_source_that_fails_is_said_to_have_failed() {
    let site = http_site().await;
    let client = Client::builder().build().unwrap();
    let error = post(&client, &site.url("/public"), Body::stream(Broken).eager()).await.unwrap_err();
    let Error::Network { fault: tagai_client::NetworkFault::RequestBody(why), .. } = error else { panic!("{error}") };
    assert_eq!(why.to_string(), "the disk is gone");
}

struct Broken;

impl http_body::Body for Broken {
    type Data = bytes::Bytes;
    type Error = &'static str;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, &'static str>>> {
        std::task::Poll::Ready(Some(Err("the disk is gone")))
    }
}

/// The first request to a server begins with a key exchange, which no body goes with, over any version.
#[tokio::test]
async fn a_key_exchange_has_no_body() {
    for alpn in ["h2", "http/1.1"] {
        let (site, certificate) = https_site(&[alpn]).await;
        let client = trusting(Client::builder(), &certificate).build().unwrap();
        for round in 0..2 {
            client.remember(&site.realm, &site.origin, credential()).await.unwrap();
            let reply = post(&client, &site.url("/private"), "four").await.unwrap();
            assert_eq!(text(reply).await, "/private for alice (4 octets)", "{alpn} {round}");
            let seen = site.take_seen();
            assert_eq!(seen.iter().map(|seen| seen.body).collect::<Vec<_>>(), [0, 4]);
            client.logout_all();
        }
    }
}

#[tokio::test]
async fn a_key_exchange_with_a_thief_gives_no_body_away() {
    for asks in [false, true] {
        let (listener, origin) = listen("http").await;
        let realm = Site::new(origin.clone(), &[], |_| {}).realm.clone();
        let taken = serve_raw(listener, move |_| {
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            if asks { b"HTTP/1.1 100 Continue\r\n\r\n".to_vec() } else { answer.into() }
        });
        let client = Client::builder().build().unwrap();
        client.remember(&realm, &origin, credential()).await.unwrap();
        for body in [Body::from("secret"), upload(LARGE)] {
            let error = post(&client, &format!("{origin}/"), body).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotProven, "{error}");
        }
        assert!(taken.lock().unwrap().iter().all(|read| read.ends_with(b"\r\n\r\n")));
    }
}

type Bindings = Arc<Mutex<Vec<Vec<u8>>>>;

/// A body of so many octets for each request that is proven, with the bindings that it was made with.
fn bound(octets: usize) -> (Bindings, impl Fn(&Binding) -> Body) {
    let made = Bindings::default();
    let kept = Arc::clone(&made);
    let make = move |binding: &Binding| {
        kept.lock().unwrap().push(binding.expose_octets().to_vec());
        Body::from(vec![b'x'; octets])
    };
    (made, make)
}

#[tokio::test]
async fn a_bound_body_is_made_for_each_request_that_is_proven_and_for_no_other() {
    let site = http_site().await;
    let client = client(&site);
    let (made, make) = bound(7);
    let request = client.request(Method::POST, &site.url("/private")).bound_body("t", make).require_proof();
    assert_eq!(text(request.send().await.unwrap()).await, "/private for alice (7 octets)");
    let seen: Vec<_> = site.take_seen().iter().map(|seen| (seen.method.clone(), seen.body)).collect();
    let post = |octets| ("POST".to_owned(), octets);
    assert_eq!(seen, [post(0), post(0), post(7)], "the login has no body");
    assert_eq!(made.lock().unwrap().len(), 1);
    // In the session that is there, and in one that is over and made anew.
    let (again, make) = bound(7);
    let request = client.request(Method::POST, &site.url("/private")).bound_body("t", make);
    assert!(request.send().await.unwrap().is_proven());
    site.sessions.lock().unwrap().clear();
    let (anew, make) = bound(7);
    let request = client.request(Method::POST, &site.url("/private")).bound_body("t", make);
    assert!(request.send().await.unwrap().is_proven());
    assert_eq!(anew.lock().unwrap().len(), 2, "one for the old session, and one for the new");
    // Other octets, in the same request as it were, and nothing is the same as anything.
    let (other, make) = bound(7);
    let request = client.request(Method::POST, &site.url("/private")).bound_body("u", make);
    assert!(request.send().await.unwrap().is_proven());
    let all: std::collections::HashSet<_> =
        [made, again, anew, other].iter().flat_map(|made| made.lock().unwrap().clone()).collect();
    assert_eq!((all.len(), all.iter().all(|binding| binding.len() == 32)), (5, true));
}

#[tokio::test]
async fn a_bound_body_goes_to_nobody_without_a_login_and_to_no_other_place() {
    let site = http_site().await;
    let client = client(&site);
    let (made, make) = bound(7);
    let request = client.request(Method::POST, &site.url("/public")).bound_body("t", make);
    assert_eq!(text(request.send().await.unwrap()).await, "/public for anybody (0 octets)");
    assert!(made.lock().unwrap().is_empty());
    let (made, make) = bound(7);
    let request = client.request(Method::GET, &site.url("/private/to/302/private")).bound_body("t", make);
    assert_eq!(text(request.send().await.unwrap()).await, "/private for alice (0 octets)");
    assert_eq!(made.lock().unwrap().len(), 1, "not for the second place");
}
