//! Proofs ahead of bodies (RFC 8120 §4.5), and on connections that become something else.

use super::support::*;
use tagai_client::Body;
use tagai_core::client::{Outcome, Step};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const EXPECT: &str = "Expect: 100-continue\r\nContent-Length: 4\r\n";

async fn logged_in(site: &Site, scheme: &str) -> (User, Connection) {
    let mut connection = site.connect(scheme).await;
    let mut user = User::new(&site.origin(scheme), "alice", "correct horse");
    user.get(&mut connection, "/").await;
    (user, connection)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proof_is_in_the_interim_response_and_in_no_other() {
    for scheme in ["http", "https"] {
        let app = App::start().await;
        let site = Site::start(app.address, Setup::default()).await;
        let (mut user, mut connection) = logged_in(&site, scheme).await;
        app.take();
        let channel = connection.channel.clone();
        for _ in 0..3 {
            let (sequence, proof) = user.proof("/put", &channel);
            let host = user.host();
            connection
                .send(format!("PUT /put HTTP/1.1\r\nHost: {host}\r\nAuthorization: {proof}\r\n{EXPECT}\r\n"))
                .await;
            let interim = connection.response("PUT").await;
            assert_eq!(interim.status, 100, "{scheme}: {interim:?}");
            let fields = interim.fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            let sequence = sequence.interim(100, fields, channel.clone()).unwrap();
            assert!(sequence.server_is_proven(), "{scheme}: {interim:?}");
            connection.send("body").await;
            let response = connection.response("PUT").await;
            assert_eq!((response.status, response.field("authentication-info")), (200, None), "{scheme}");
            let judged = user.receive(sequence, response, &channel);
            assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{scheme}: {judged:?}");
            assert_eq!(app.take_one().body, "body");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_interim_response_the_proof_is_in_the_final_one() {
    let app = App::start().await;
    // The upstream answers without asking for the body.
    let quick = raw_upstream(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let mut setup = Setup::default();
    setup.sites += &format!(
        "[[site.route]]\npath = \"/quick\"\naccess = \"protected\"\nrealm = \"staff\"\nupstream = \"http://{quick}\"\n"
    );
    let site = Site::start(app.address, setup).await;
    for (path, fields, status) in [("/put", "Content-Length: 4\r\n\r\nbody", 200), ("/quick", EXPECT, 417)] {
        let (mut user, mut connection) = logged_in(&site, "http").await;
        let channel = connection.channel.clone();
        let (sequence, proof) = user.proof(path, &channel);
        let end = if fields.ends_with("body") { "" } else { "\r\n" };
        connection
            .send(format!("PUT {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {proof}\r\n{fields}{end}", user.host()))
            .await;
        let response = connection.response("PUT").await;
        assert_eq!(response.status, status, "{path}");
        let judged = user.receive(sequence, response, &channel);
        assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{path}: {judged:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_proven_is_not_asked_for_a_body() {
    let app = App::start().await;
    let site = Site::start(app.address, Setup::default()).await;
    let mut connection = site.connect("http").await;
    connection.send(format!("PUT / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{EXPECT}\r\n", site.http)).await;
    assert_eq!(connection.response("PUT").await.status, 401);
    assert!(app.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_are_sent_to_a_proven_server() {
    for (scheme, http2) in [("http", false), ("https", false), ("https", true)] {
        let app = App::start().await;
        let site = Site::start(app.address, Setup::default()).await;
        let client = site.client_of(scheme, "alice", "correct horse").http2(http2).build().unwrap();
        // The login, and over HTTP/2 what comes after it: without interim responses that could carry a proof.
        let large = vec![b'x'; 300_000];
        for body in [Body::from(large.clone()), Body::from(large.clone()).eager()] {
            client.get(&site.url(scheme, "/")).await.unwrap();
            app.take();
            let request = client.request(http::Method::PUT, &site.url(scheme, "/put")).body(body);
            let reply = request.send().await.unwrap();
            assert!(reply.is_proven(), "{scheme}");
            let seen = app.take_one();
            assert_eq!((seen.method.as_str(), seen.body.len()), ("PUT", 300_000));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http2_the_proof_is_in_the_final_response_even_if_a_continue_is_asked_for() {
    let app = App::start().await;
    let site = Site::start(app.address, Setup::default()).await;
    let (mut user, connection) = logged_in(&site, "https").await;
    let channel = connection.channel.clone();
    // The session moves to another connection with the same certificate.
    let h2 = Connection::tls(site.https, &site.certificate, &["h2"]).await;
    let stream = hyper_util::rt::TokioIo::new(h2.stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, driver) = hyper::client::conn::http2::handshake(executor, stream).await.unwrap();
    tokio::spawn(driver);
    let (sequence, proof) = user.proof("/put", &channel);
    let request = http::Request::put(site.url("https", "/put"))
        .header("authorization", proof)
        .header("expect", "100-continue")
        .body(http_body_util::Full::new(bytes::Bytes::from_static(b"body")))
        .unwrap();
    let response = patiently(sender.send_request(request)).await.unwrap();
    let fields = response.headers().iter();
    let fields = fields.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let response = Response { status: response.status().as_u16(), fields, body: Vec::new(), whole: true, octets: 0 };
    let judged = user.receive(sequence, response, &channel);
    assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{judged:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_is_opened_by_a_proven_user_alone() {
    let app = App::start().await;
    let site = Site::start(app.address, Setup::default()).await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for scheme in ["http", "https"] {
        let (mut user, mut connection) = logged_in(&site, scheme).await;
        app.take();
        let host = user.host();
        let mut stranger = site.connect(scheme).await;
        stranger.send(format!("GET /ws HTTP/1.1\r\nHost: {host}\r\n{upgrade}\r\n")).await;
        assert_eq!(stranger.response("GET").await.status, 401);
        assert!(app.take().is_empty());

        let channel = connection.channel.clone();
        let (sequence, proof) = user.proof("/ws", &channel);
        connection.send(format!("GET /ws HTTP/1.1\r\nHost: {host}\r\nAuthorization: {proof}\r\n{upgrade}\r\n")).await;
        let response = connection.response("GET").await;
        assert_eq!(response.status, 101, "{response:?}");
        let seen = app.take_one();
        assert_eq!((seen.field("tagai-user"), seen.field("authorization")), (Some("alice"), None));
        let judged = user.receive(sequence, response, &channel);
        assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{scheme}: {judged:?}");
        for round in 0..3_u8 {
            let sent = vec![round; 70_000];
            let (mut reader, mut writer) = tokio::io::split(&mut connection.stream);
            let mut back = vec![0; sent.len()];
            let (written, read) = tokio::join!(writer.write_all(&sent), patiently(reader.read_exact(&mut back)));
            written.unwrap();
            read.unwrap();
            assert!(back == sent, "{scheme}: round {round}");
        }
    }
}
