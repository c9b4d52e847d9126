//! Fields in both directions.

use super::support::*;
use http::{HeaderName, HeaderValue};
use tagai_gateway::proxy::{Host, Policy, StripList};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn lines(head: &str) -> Vec<String> {
    let mut lines: Vec<_> = head.trim_end().lines().skip(1).map(str::to_lowercase).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_request_arrives_as_it_should() {
    let (address, heads) = canned(OK).await;
    let policy = Policy { strip: StripList::new([HeaderName::from_static("x-remote-user")]), ..Policy::default() };
    let add = vec![(HeaderName::from_static("x-remote-user"), HeaderValue::from_static("john"))];
    let gateway = Gateway::start(upstream(address), Options { policy, add, ..Options::default() }).await;
    let answer = ask(
        gateway.address,
        "GET /a?b HTTP/1.1\r\nHost: gate.example\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nX-End: 2\r\n\
         X_Remote_User: root\r\nx-remote-USER: root\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nTE: gzip\r\n\
         Forwarded: for=6.6.6.6\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n\
         X-Forwarded-Proto: https\r\nVia: 1.1 first\r\n\
         Authorization: Mutual sid=1\r\nProxy-Authorization: Basic x\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok"), "{answer}");
    let head = heads.lock().unwrap().remove(0);
    assert!(head.starts_with("GET /a?b HTTP/1.1\r\n"), "{head}");
    assert_eq!(
        lines(&head),
        [
            "forwarded: for=127.0.0.1;host=\"gate.example\";proto=http",
            "host: gate.example",
            "via: 1.1 first",
            "via: 1.1 tagai",
            "x-end: 2",
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: gate.example",
            "x-forwarded-proto: http",
            "x-remote-user: john",
        ]
    );
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_about_addresses() {
    let (address, heads) = canned(OK).await;
    let policy = Policy { hide_credentials: false, host: Host::Upstream, ..Policy::default() };
    let gateway = Gateway::start(upstream(address), Options { policy, trusted: true, ..Options::default() }).await;
    ask(
        gateway.address,
        "GET / HTTP/1.1\r\nHost: gate.example\r\nConnection: close\r\nForwarded: for=6.6.6.6\r\n\
         X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\n\
         Authorization: Mutual sid=1\r\n\r\n",
    )
    .await;
    let head = heads.lock().unwrap().remove(0);
    let lines = lines(&head);
    for line in [
        "authorization: mutual sid=1".to_owned(),
        "forwarded: for=6.6.6.6, for=127.0.0.1;host=\"gate.example\";proto=http".into(),
        format!("host: {address}"),
        "x-forwarded-for: 6.6.6.6, 127.0.0.1".into(),
        // These are known here, and a proxy that does not see to them passes on what its client wrote.
        "x-forwarded-host: gate.example".into(),
        "x-forwarded-proto: http".into(),
    ] {
        assert!(lines.contains(&line), "{line}: {lines:#?}");
    }
}

#[tokio::test]
async fn an_application_does_not_speak_for_the_gateway() {
    let (address, _) = canned(
        "HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-End: 1\r\nKeep-Alive: 1\r\n\
         Authentication-Info: version=1\r\nProxy-Authentication-Info: a=b\r\nAuthentication-Control: Mutual a=b\r\n\
         Optional-WWW-Authenticate: Mutual a=b\r\nWWW-Authenticate: Mutual a=b\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n",
    )
    .await;
    let gateway = Gateway::to(address).await;
    let answer = get(gateway.address, "/").await.to_lowercase();
    assert!(answer.starts_with("http/1.1 401 no\r\n"), "{answer}");
    for gone in ["authentication-info", "authentication-control", "optional-", "mutual", "x-hop", "keep-alive"] {
        assert!(!answer.contains(gone), "{gone}: {answer}");
    }
    for kept in ["www-authenticate: basic realm=\"x\"", "x-end: 1", "via: 1.1 tagai", "connection: close"] {
        assert!(answer.contains(kept), "{kept}: {answer}");
    }
}

#[tokio::test]
async fn answers_without_a_body_stay_so() {
    let (address, heads) = canned("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n").await;
    let gateway = Gateway::to(address).await;
    let head = ask(gateway.address, "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.to_lowercase();
    assert!(head.contains("content-length: 1234\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(heads.lock().unwrap()[0].starts_with("HEAD / "));
    for status in ["204 None", "304 Same"] {
        let (address, _) = canned(format!("HTTP/1.1 {status}\r\nETag: \"x\"\r\n\r\n")).await;
        let gateway = Gateway::to(address).await;
        let answer = get(gateway.address, "/").await.to_lowercase();
        assert!(answer.contains("etag: \"x\"") && answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn the_prefix_comes_before_the_path() {
    let (address, heads) = canned(OK).await;
    let url = format!("http://{address}/app/");
    let upstream = tagai_gateway::proxy::Upstream::new(&url, Default::default(), None, limits()).unwrap();
    let gateway = Gateway::start(upstream, Options::default()).await;
    get(gateway.address, "/a?b=/c").await;
    ask(gateway.address, "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let heads = heads.lock().unwrap();
    assert!(heads[0].starts_with("GET /app/a?b=/c HTTP/1.1\r\n"), "{heads:?}");
    assert!(heads[1].starts_with("OPTIONS * HTTP/1.1\r\n"), "{heads:?}");
}
