//! Too much of everything: it is bounded, and honest users are served.

use super::support::*;
use std::time::Duration;

/// Times that are short, since these tests wait for them, and long enough for an honest peer on a busy machine.
const LIMITS: &str = "[limits]\nconnections = 400\nconnections-per-address = 300\nheader-timeout = \"2s\"\n\
                      handshake-timeout = \"2s\"\nbody-timeout = \"2s\"\nidle-timeout = \"3s\"\nheaders = 50\nheader-size = \"8KiB\"\n";

async fn limited(app: &App, limits: &str) -> Site {
    Site::start(app.address, Setup { more: limits.into(), ..Setup::default() }).await
}

async fn get_from(site: &Site, address: &str) -> Option<u16> {
    let mut connection = Connection::plain_from(address, site.http).await.ok()?;
    let request = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", site.http);
    connection.try_send(request).await.ok()?;
    patiently(connection.try_response("GET")).await.map(|response| response.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_of_one_address_keep_out_no_other() {
    let app = App::start().await;
    // Nothing runs out of time here.
    let long = "handshake-timeout = \"1h\"\nidle-timeout = \"1h\"\n";
    let site = limited(&app, &format!("[limits]\nconnections = 400\nconnections-per-address = 300\n{long}")).await;
    let mut held = Vec::new();
    for _ in 0..500 {
        held.push(Connection::plain_from("127.0.0.9", site.http).await.unwrap());
    }
    // The address has what it may have, and another is served.
    until(|| async { get_from(&site, "127.0.0.9").await.is_none() }).await;
    assert_eq!(get_from(&site, "127.0.0.10").await, Some(401));
    assert!(site.client("http").get(&site.url("http", "/")).await.unwrap().is_proven());
    // Two addresses together have no more than all may have.
    for _ in 0..150 {
        held.push(Connection::plain_from("127.0.0.11", site.http).await.unwrap());
    }
    until(|| async { get_from(&site, "127.0.0.10").await.is_none() }).await;
    drop(held);
    until(|| async { get_from(&site, "127.0.0.10").await == Some(401) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_and_slow_connections_are_closed() {
    let app = App::start().await;
    let site = limited(&app, LIMITS).await;
    let host = format!("127.0.0.1:{}", site.http);
    // Nothing at all; a part of a head; TLS that is never begun; a connection without a second request.
    let mut silent = site.connect("http").await;
    let mut begun = site.connect("http").await;
    begun.send("GET / HT").await;
    let mut no_tls = Connection::plain(site.https).await;
    let mut idle = site.connect("http").await;
    idle.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
    assert_eq!(idle.response("GET").await.status, 401);
    assert!(silent.is_closed().await);
    let _ = patiently(begun.try_response("GET")).await.map(|response| assert_eq!(response.status, 408));
    assert!(no_tls.is_closed().await);
    assert!(idle.is_closed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_octet_now_and_then_does_not_keep_a_head_alive() {
    let app = App::start().await;
    let site = limited(&app, LIMITS).await;
    let mut connection = site.connect("http").await;
    connection.send(format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nX: ", site.http)).await;
    let drip = async {
        while connection.try_send("x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    patiently(drip).await;
    assert!(app.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stands_still_fails_and_the_proof_is_there() {
    let app = App::start().await;
    let site = limited(&app, LIMITS).await;
    let mut connection = site.connect("http").await;
    let mut alice = User::new(&site.origin("http"), "alice", "correct horse");
    alice.get(&mut connection, "/").await;
    let (_, proof) = alice.proof("/put", &connection.channel);
    let host = alice.host();
    connection
        .send(format!(
            "PUT /put HTTP/1.1\r\nHost: {host}\r\nAuthorization: {proof}\r\nContent-Length: 100\r\n\r\nbegun"
        ))
        .await;
    let response = connection.response("PUT").await;
    assert_eq!(response.status, 408, "{response:?}");
    assert!(response.field("authentication-info").is_some());
    assert!(site.client("http").get(&site.url("http", "/")).await.unwrap().is_proven());
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_bounded_in_octets_and_in_fields() {
    let app = App::start().await;
    let site = limited(&app, LIMITS).await;
    let host = format!("127.0.0.1:{}", site.http);
    let many = "X-A: 1\r\n".repeat(100);
    let long = format!("X-A: {}\r\n", "x".repeat(20_000));
    let endless = "Cookie: a=b\r\n".repeat(100_000);
    for fields in [&many, &long, &endless] {
        let mut connection = site.connect("http").await;
        let _ = connection.try_send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n")).await;
        if let Some(response) = patiently(connection.try_response("GET")).await {
            assert!(matches!(response.status, 400 | 431), "{}", response.status);
        }
    }
    assert!(app.take().is_empty());
    let mut connection = site.connect("http").await;
    let authorization = format!("Authorization: Mutual {}\r\n", "sid=00,".repeat(900));
    connection.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n{authorization}\r\n")).await;
    assert_eq!(connection.response("GET").await.status, 401);
    assert!(site.client("https").get(&site.url("https", "/")).await.unwrap().is_proven());
}
