//! What can go wrong below the protocol, and redirects.

mod support;

use http::{Method, StatusCode};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use support::*;
use tagai_client::{
    Client, Error, ErrorKind, HeadLimits, NetworkFault, PoolLimits, RedirectError, Timeouts, UsageError,
};

fn fault(error: Error) -> NetworkFault {
    assert_eq!(error.kind().exit_code(), 5, "{error}");
    match error {
        Error::Network { fault, .. } => fault,
        other => panic!("{other}"),
    }
}

fn hasty() -> Timeouts {
    let short = Duration::from_millis(50);
    Timeouts { connect: Duration::from_secs(5), tls: short, head: short, body_idle: short, expect_continue: short }
}

#[tokio::test]
async fn what_cannot_be_asked_for() {
    let client = Client::builder().build().unwrap();
    for url in ["http://user:secret@127.0.0.1/", "ftp://127.0.0.1/", "127.0.0.1", "http://127.0.0.1/a b"] {
        let error = client.get(url).await.unwrap_err();
        assert_eq!((error.kind(), error.kind().exit_code()), (ErrorKind::Usage, 2), "{url}");
        assert!(!error.to_string().contains("secret"));
    }
    let get = || client.request(Method::GET, "http://127.0.0.1:1/");
    for (request, what) in [
        (get().header("Host", "elsewhere"), "host"),
        (get().header("content-length", "5"), "content-length"),
        (get().header("a b", "c"), "a b"),
        (get().header("a", "b\r\nc: d"), "a"),
        (client.request(Method::CONNECT, "http://127.0.0.1:1/"), "CONNECT"),
    ] {
        let error = request.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(what), "{error}");
    }
    let none = Client::builder().pool(PoolLimits { per_origin: 0, ..PoolLimits::default() }).build();
    assert!(matches!(none, Err(Error::Usage(UsageError::Limit(_)))));
    assert!(Client::builder().add_root_pem(b"no certificate").is_err());
}

#[tokio::test]
async fn nobody_listens_and_nobody_is_trusted() {
    let (listener, origin) = listen("http").await;
    drop(listener);
    let client = Client::builder().build().unwrap();
    assert!(matches!(fault(client.get(&format!("{origin}/")).await.unwrap_err()), NetworkFault::Connect(_)));

    let (site, certificate) = https_site(&["http/1.1"]).await;
    let error = builder(&site).build().unwrap().get(&site.url("/public")).await.unwrap_err();
    assert!(matches!(fault(error), NetworkFault::Tls(_)));
    // The right key, and another name.
    let client = trusting(Client::builder(), &certificate).build().unwrap();
    let error = client.get(&format!("https://localhost:{}/public", site.origin.port())).await.unwrap_err();
    assert!(matches!(fault(error), NetworkFault::Tls(_)));
    assert!(client.get(&site.url("/public")).await.is_ok());
}

#[tokio::test]
async fn servers_that_take_their_time() {
    let (listener, origin) = listen("http").await;
    serve_raw(listener, |head| {
        if head.starts_with("GET /half ") {
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_vec()
        } else {
            // Part of a head, which makes the connection wait.
            b"HTTP/1.1".to_vec()
        }
    });
    let client = Client::builder().timeouts(hasty()).build().unwrap();
    let error = client.get(&format!("{origin}/")).await.unwrap_err();
    assert!(matches!(fault(error), NetworkFault::Timeout { what: "the response", .. }));
    // The head is there at once, and may take its time on a busy machine; only the body is short of it.
    let timeouts = Timeouts { body_idle: hasty().body_idle, ..Timeouts::default() };
    let patient = Client::builder().timeouts(timeouts).build().unwrap();
    let reply = patient.get(&format!("{origin}/half")).await.unwrap();
    let error = reply.bytes(100).await.unwrap_err();
    assert!(matches!(fault(error), NetworkFault::Timeout { what: "the next part of the body", .. }));
    let error = client.get(&origin.to_string().replace("http", "https")).await.unwrap_err();
    assert!(matches!(fault(error), NetworkFault::Tls(_) | NetworkFault::Timeout { what: "the TLS handshake", .. }));
}

#[tokio::test]
async fn heads_that_are_too_large_and_bodies_that_are_too_short() {
    let (listener, origin) = listen("http").await;
    serve_raw(listener, |head| {
        if head.starts_with("GET /large ") {
            format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(10_000)).into_bytes()
        } else if head.starts_with("GET /many ") {
            format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(100)).into_bytes()
        } else {
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour".to_vec()
        }
    });
    let limits = HeadLimits { octets: 8192, fields: 64 };
    let client = Client::builder().head_limits(limits).build().unwrap();
    for path in ["/large", "/many"] {
        assert!(
            matches!(fault(client.get(&format!("{origin}{path}")).await.unwrap_err()), NetworkFault::Http(_)),
            "{path}"
        );
    }
    let reply = client.get(&format!("{origin}/")).await.unwrap();
    assert_eq!(reply.bytes(3).await.unwrap(), None, "longer than the limit");
}

#[tokio::test]
async fn connections_that_end() {
    let site = http_site().await;
    let client = client(&site);
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    site.end_connections();
    for _ in 0..2 {
        // Noticed in time or not: GET is safe to repeat, with another number.
        let reply = client.get(&site.url("/private")).await.unwrap();
        assert!(reply.is_proven());
        drop(text(reply).await);
        site.end_connections();
    }
    let nonces = site.nonces.lock().unwrap().clone();
    assert!(nonces.len() >= 3);
    assert_eq!(nonces.iter().collect::<HashSet<_>>().len(), nonces.len(), "{nonces:?}");
}

#[tokio::test]
async fn a_request_that_may_have_arrived_is_repeated_only_if_that_is_safe() {
    let (listener, origin) = listen("http").await;
    // The first request of a connection is answered, and the second is where it ends.
    let heads = serve_twice(listener);
    let client = Client::builder().build().unwrap();
    let url = format!("{origin}/");
    for method in [Method::GET, Method::GET] {
        assert_eq!(client.request(method, &url).send().await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(heads.load(Ordering::SeqCst), 3, "the second was sent again over a new connection");
    let error = client.request(Method::POST, &url).body("once").send().await.unwrap_err();
    assert!(matches!(fault(error), NetworkFault::Http(_)));
    assert_eq!(heads.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn the_pool_has_its_bounds() {
    let site = http_site().await;
    let limits = PoolLimits { per_origin: 3, total: 3, idle: Duration::from_secs(60) };
    let client = builder(&site).pool(limits).build().unwrap();
    drop(text(client.get(&site.url("/private")).await.unwrap()).await);
    let tasks: Vec<_> = (0..30)
        .map(|_| {
            let (client, url) = (client.clone(), site.url("/private"));
            tokio::spawn(async move { text(client.get(&url).await.unwrap()).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(site.connections.load(Ordering::Relaxed) <= 3);
    // All three wait for the first site; the second needs one of them.
    let other = http_site().await;
    assert!(client.get(&other.url("/public")).await.is_ok());
}

#[tokio::test]
async fn redirects_are_followed_and_reported() {
    let site = http_site().await;
    let client = client(&site);
    let reply = client.get(&site.url("/go/to/302/private/to/307/private/end")).await.unwrap();
    assert_eq!(reply.url().target(), "/private/end");
    let hops: Vec<_> = reply.redirects().iter().map(|hop| (hop.status.as_u16(), hop.proof.is_mutual())).collect();
    assert_eq!(hops, [(302, false), (307, true)], "one of them could have come from anybody");
    assert!(reply.is_proven());

    let reply =
        client.request(Method::POST, &site.url("/private/to/303/private/end")).body("x").send().await.unwrap();
    assert_eq!(text(reply).await, "/private/end for alice (0 octets)");
    for status in [301, 302, 307, 308] {
        let url = site.url(&format!("/private/to/{status}/private/end"));
        let reply = client.request(Method::POST, &url).body("x").send().await.unwrap();
        assert_eq!(reply.status().as_u16(), status, "a POST is not repeated");
    }
    let error = Client::builder().max_redirects(2).build().unwrap();
    site.trick(|_, response| {
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert("location", "/go/round".parse().unwrap());
    });
    let error = error.get(&site.url("/go/round")).await.unwrap_err();
    assert!(matches!(error, Error::Redirect(RedirectError::TooMany(2, _))), "{error}");
}

#[tokio::test]
async fn what_is_for_one_server_does_not_go_to_another() {
    let (site, other) = (http_site().await, http_site().await);
    let client = client(&site);
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    let with_secrets = |url: &str| {
        client
            .request(Method::GET, url)
            .allow_unproven()
            .header("Cookie", "a=b")
            .header("Authorization", "Bearer x")
            .send()
    };
    let reply = with_secrets(&site.url(&format!("/private/to/302/x?{}", other.url("/public")))).await.unwrap();
    assert_eq!(reply.url().origin(), &other.origin);
    let seen = other.take_seen();
    assert_eq!((seen.len(), &seen[0].cookie, &seen[0].authorization), (1, &None, &None));
    let there = site.take_seen();
    assert!(there.last().unwrap().cookie.is_some());
    assert!(there.last().unwrap().authorization.as_ref().unwrap().starts_with("Mutual"));
    // The same server keeps the cookie.
    assert!(with_secrets(&site.url("/private/to/302/private/end")).await.unwrap().is_proven());
    assert!(site.take_seen().iter().all(|seen| seen.cookie.is_some()));

    let (secure, certificate) = https_site(&["http/1.1"]).await;
    let client = trusting(builder(&secure), &certificate).build().unwrap();
    let error = client.get(&secure.url(&format!("/private/to/302/x?{}", other.url("/public")))).await.unwrap_err();
    assert!(matches!(error, Error::Redirect(RedirectError::Downgrade(_))), "{error}");
    assert!(other.take_seen().is_empty());
    for to in ["http://u:p@127.0.0.1/", "javascript:alert(1)"] {
        let error = client.get(&secure.url(&format!("/private/to/302/x?{to}"))).await.unwrap_err();
        assert!(matches!(error, Error::Redirect(RedirectError::Location(_))), "{error}");
    }
}

#[tokio::test]
async fn a_cancelled_request_leaves_the_client_as_good_as_before() {
    let site = http_site().await;
    let client = client(&site);
    drop(text(client.get(&site.url("/private")).await.unwrap()).await);
    for _ in 0..5 {
        let (client, url) = (client.clone(), site.url("/private"));
        let task = tokio::spawn(async move { drop(client.get(&url).await) });
        tokio::task::yield_now().await;
        task.abort();
        drop(task.await);
    }
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    let nonces = site.nonces.lock().unwrap().clone();
    assert_eq!(nonces.iter().collect::<HashSet<_>>().len(), nonces.len());
    drop(Arc::clone(&site));
}

#[tokio::test]
async fn trailers_arrive_behind_the_body() {
    use http_body_util::BodyExt as _;
    let (listener, origin) = listen("http").await;
    serve_raw(listener, |_| {
        b"HTTP/1.1 200 OK\r\nTrailer: sum\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\nsum: 4\r\n\r\n"
            .to_vec()
    });
    let reply = Client::builder().build().unwrap().get(&format!("{origin}/")).await.unwrap();
    let whole = reply.into_response().into_body().collect().await.unwrap();
    assert_eq!(whole.trailers().unwrap()["sum"], "4");
    assert_eq!(whole.to_bytes(), "four");
}

#[tokio::test]
async fn an_ipv6_address_is_a_server_like_others() {
    // Where there is no IPv6, there is nothing to test.
    let Ok(listener) = tokio::net::TcpListener::bind("[::1]:0").await else { return };
    let origin = format!("http://[::1]:{}", listener.local_addr().unwrap().port());
    let site = Site::new(tagai_client::core::realm::Origin::parse(&origin).unwrap(), &[(USER, PASSWORD)], |_| {});
    serve_http(&site, listener);
    let reply = client(&site).get(&format!("{origin}/private#fragment")).await.unwrap();
    assert!(reply.is_proven());
    assert_eq!(text(reply).await, "/private for alice (0 octets)");
}

#[tokio::test]
async fn a_name_is_looked_up_and_its_addresses_are_tried() {
    let site = http_site().await;
    let reply =
        Client::builder().build().unwrap().get(&format!("http://localhost:{}/public", site.origin.port())).await;
    assert_eq!(reply.unwrap().url().origin().to_string(), format!("http://localhost:{}", site.origin.port()));
}
