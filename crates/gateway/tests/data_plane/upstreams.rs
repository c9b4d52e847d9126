//! Upstreams that behave, and upstreams that do not.

use super::support::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tagai_gateway::proxy::{Protocol, Upstream, UpstreamLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const KEPT: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const SHORT: Duration = Duration::from_millis(80);

async fn with_limits(address: std::net::SocketAddr, limits: UpstreamLimits) -> Gateway {
    let upstream = Upstream::new(&format!("http://{address}"), Protocol::Http1, None, limits).unwrap();
    Gateway::start(upstream, Options::default()).await
}

#[tokio::test]
async fn connections_are_kept_and_used_again() {
    let count = Arc::new(AtomicUsize::new(0));
    let opened = Arc::clone(&count);
    let address = serve(move |mut stream, _| {
        opened.fetch_add(1, Ordering::SeqCst);
        async move {
            while read_head(&mut stream).await.is_some() {
                stream.write_all(OK.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let gateway = Gateway::to(address).await;
    for _ in 0..20 {
        assert!(get(gateway.address, "/").await.ends_with("ok"));
    }
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    for _ in 0..20 {
        client.write_all(KEPT.as_bytes()).await.unwrap();
        assert!(read_head(&mut client).await.unwrap().contains("200"));
        assert_eq!(read_exactly(&mut client, 2).await, "ok");
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert_eq!(gateway.upstream.idle_connections(), 1);
}

#[tokio::test]
async fn a_connection_that_the_upstream_closed_is_not_used() {
    let address = serve(|mut stream, _| async move {
        if read_head(&mut stream).await.is_some() {
            stream.write_all(OK.as_bytes()).await.unwrap();
        }
    })
    .await;
    let gateway = Gateway::to(address).await;
    for _ in 0..10 {
        assert!(get(gateway.address, "/").await.ends_with("ok"), "{}", gateway.errors());
    }
}

/// An upstream that answers the first request on a connection, and closes when it sees the second.
async fn closes_at_the_second() -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let address = serve(move |mut stream, _| {
        let count = Arc::clone(&count);
        async move {
            if read_head(&mut stream).await.is_some() {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream.write_all(OK.as_bytes()).await;
                let _ = read_head(&mut stream).await;
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    })
    .await;
    (address, seen)
}

#[tokio::test]
async fn what_can_be_repeated_is_repeated_once() {
    let (address, seen) = closes_at_the_second().await;
    let gateway = Gateway::to(address).await;
    assert!(get(gateway.address, "/").await.ends_with("ok"));
    assert!(get(gateway.address, "/").await.ends_with("ok"), "{}", gateway.errors());
    until(|| seen.load(Ordering::SeqCst) == 3).await;
}

#[tokio::test]
async fn what_may_have_been_done_is_not_repeated() {
    let (address, seen) = closes_at_the_second().await;
    let gateway = Gateway::to(address).await;
    assert!(get(gateway.address, "/").await.ends_with("ok"));
    let post = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab";
    let answer = ask(gateway.address, post).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    until(|| seen.load(Ordering::SeqCst) == 2).await;
}

#[tokio::test]
async fn nobody_there() {
    // At an address where nothing of these tests listens, so that nobody gets the port meanwhile.
    let listener = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let gateway = Gateway::to(address).await;
    let answer = get(gateway.address, "/").await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert!(!answer.contains("127.0.0."), "{answer}");
    assert!(gateway.errors().contains("cannot connect") && gateway.errors().contains(&address.to_string()));
}

#[tokio::test]
async fn somebody_there_who_says_nothing() {
    let address = serve(|mut stream, _| async move {
        let _ = read_head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let gateway = with_limits(address, UpstreamLimits { response: SHORT, ..limits() }).await;
    for _ in 0..2 {
        let answer = get(gateway.address, "/").await;
        assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
    }
    assert!(gateway.errors().contains("no response within 80ms"), "{}", gateway.errors());
    assert_eq!(gateway.upstream.idle_connections(), 0);
}

#[tokio::test]
async fn what_is_no_http_is_a_bad_gateway() {
    for bad in [
        "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switch\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        "",
    ] {
        let address = serve(move |mut stream, _| async move {
            let _ = read_head(&mut stream).await;
            let _ = stream.write_all(bad.as_bytes()).await;
        })
        .await;
        let gateway = Gateway::to(address).await;
        let answer = get(gateway.address, "/").await;
        assert!(answer.starts_with("HTTP/1.1 502"), "{bad:?}: {answer}");
        assert!(gateway.errors().contains(&address.to_string()), "{}", gateway.errors());
    }
}

#[tokio::test]
async fn half_a_body_is_no_body() {
    let halves = [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n",
    ];
    for half in halves {
        let address = serve(move |mut stream, _| async move {
            let _ = read_head(&mut stream).await;
            let _ = stream.write_all(half.as_bytes()).await;
        })
        .await;
        let gateway = Gateway::to(address).await;
        // Perhaps nothing comes at all; if something does, the client can tell that it is not all: the announced length
        // is not reached, the last chunk is missing.
        let answer = ask(gateway.address, KEPT).await.to_lowercase();
        let announced =
            answer.contains("content-length: 100\r\n") || answer.contains("transfer-encoding: chunked\r\n");
        assert!(announced || !answer.contains("\r\n\r\n"), "{answer}");
        assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
        assert_eq!(gateway.upstream.idle_connections(), 0);
    }
}

#[tokio::test]
async fn a_body_that_stops_is_cut() {
    let address = serve(|mut stream, _| async move {
        let _ = read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
        let _ = stream.read_u8().await;
    })
    .await;
    let gateway = with_limits(address, UpstreamLimits { idle_body: SHORT, ..limits() }).await;
    let answer = ask(gateway.address, KEPT).await;
    assert!(answer.contains("half"), "{answer}");
}

#[tokio::test]
async fn an_early_answer_does_not_read_the_body() {
    let address = serve(|mut stream, _| async move {
        let _ = read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno").await;
    })
    .await;
    let gateway = Gateway::to(address).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", 1_u64 << 40);
    client.write_all(head.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("\r\n\r\nno"), "{answer}");
}

#[tokio::test]
async fn idle_connections_are_closed_in_time() {
    let (address, _) = canned(OK).await;
    // Long enough to be seen while it is kept.
    let idle_connection = Duration::from_secs(1);
    let gateway = with_limits(address, UpstreamLimits { idle_connection, ..limits() }).await;
    assert!(get(gateway.address, "/").await.ends_with("ok"));
    assert_eq!(gateway.upstream.idle_connections(), 1);
    until(|| gateway.upstream.idle_connections() == 0).await;
    assert!(get(gateway.address, "/").await.ends_with("ok"));
    assert_eq!(gateway.upstream.idle_connections(), 1);
}

#[tokio::test]
async fn a_url_must_be_one() {
    for bad in ["", "x", "ftp://a", "http://", "http://u@a", "http://a/?q"] {
        assert!(Upstream::new(bad, Protocol::Http1, None, limits()).is_err(), "{bad}");
    }
    assert!(Upstream::new("http://[::1]:1/x", Protocol::Http1, None, limits()).is_ok());
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_request_along() {
    let (left, mut gone) = tokio::sync::mpsc::unbounded_channel();
    let address = serve(move |mut stream, _| {
        let left = left.clone();
        async move {
            let _ = read_head(&mut stream).await;
            left.send("asked").unwrap();
            let _ = stream.read_u8().await;
            left.send("left").unwrap();
        }
    })
    .await;
    let gateway = Gateway::to(address).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(KEPT.as_bytes()).await.unwrap();
    assert_eq!(gone.recv().await, Some("asked"));
    drop(client);
    assert_eq!(tokio::time::timeout(PATIENCE, gone.recv()).await.unwrap(), Some("left"));
}
