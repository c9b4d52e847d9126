//! `Expect: 100-continue` through the proxy.

use super::support::*;
use std::time::Duration;
use tagai_gateway::proxy::{Protocol, Upstream, UpstreamLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const EXPECT: &str = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

#[tokio::test]
async fn the_upstream_asks_for_the_body() {
    let address = serve(|mut stream, _| async move {
        let head = read_head(&mut stream).await.unwrap().to_lowercase();
        assert!(head.contains("expect: 100-continue"), "{head}");
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        let body = read_exactly(&mut stream, 4).await;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
        let _ = stream.read_u8().await;
    })
    .await;
    let upstream = Upstream::new(
        &format!("http://{address}"),
        Protocol::Http1,
        None,
        UpstreamLimits { continue_wait: Duration::from_secs(3600), ..limits() },
    );
    let gateway = Gateway::start(upstream.unwrap(), Options::default()).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(EXPECT.as_bytes()).await.unwrap();
    assert_eq!(read_head(&mut client).await.unwrap(), CONTINUE);
    client.write_all(b"body").await.unwrap();
    let answer = read_to_end(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("body"), "{answer}");
    assert_eq!(gateway.upstream.idle_connections(), 1);
}

#[tokio::test]
async fn the_upstream_refuses_before_the_body() {
    let address = serve(|mut stream, _| async move {
        let _ = read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "{rest:?}");
    })
    .await;
    let gateway = Gateway::to(address).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(EXPECT.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.ends_with("no"), "{answer}");
    // The upstream still waits for a body on that connection, so nobody else gets it.
    assert_eq!(gateway.upstream.idle_connections(), 0);
}

#[tokio::test]
async fn an_upstream_that_does_not_know_it_gets_the_body_after_a_while() {
    let address = serve(|mut stream, _| async move {
        let _ = read_head(&mut stream).await;
        let body = read_exactly(&mut stream, 4).await;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let wait = Duration::from_millis(50);
    let upstream = Upstream::new(
        &format!("http://{address}"),
        Protocol::Http1,
        None,
        UpstreamLimits { continue_wait: wait, ..limits() },
    );
    let gateway = Gateway::start(upstream.unwrap(), Options::default()).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(EXPECT.as_bytes()).await.unwrap();
    assert_eq!(read_head(&mut client).await.unwrap(), CONTINUE);
    client.write_all(b"body").await.unwrap();
    assert!(read_to_end(&mut client).await.ends_with("body"));
}
