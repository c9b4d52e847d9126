//! Limits and time-outs of connections, and their end.

use super::support::*;
use std::time::Duration;
use tagai_gateway::listener::{Limits, Settings, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const KEPT: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const SHORT: Duration = Duration::from_millis(80);
const LONG: Duration = Duration::from_secs(3600);

async fn gateway(limits: Limits, timeouts: Timeouts) -> Gateway {
    let (address, _) = canned(OK).await;
    let settings = Settings { limits, timeouts, ..Settings::default() };
    Gateway::start(upstream(address), Options { settings, ..Options::default() }).await
}

fn patient() -> Timeouts {
    Timeouts { handshake: LONG, head: LONG, idle: LONG, body: LONG, stall: LONG, ping: LONG }
}

async fn kept(gateway: &Gateway) -> TcpStream {
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(KEPT.as_bytes()).await.unwrap();
    assert!(read_head(&mut client).await.unwrap().contains("200"));
    assert_eq!(read_exactly(&mut client, 2).await, "ok");
    client
}

#[tokio::test]
async fn too_many_connections_are_closed_at_once() {
    for limits in
        [Limits { connections: 2, ..Limits::default() }, Limits { connections_per_address: 2, ..Limits::default() }]
    {
        let gateway = gateway(limits, patient()).await;
        let first = kept(&gateway).await;
        let mut second = kept(&gateway).await;
        let mut third = TcpStream::connect(gateway.address).await.unwrap();
        assert!(matches!(third.read(&mut [0]).await, Ok(0) | Err(_)));
        // The others go on, and a place that is given back is given again.
        second.write_all(KEPT.as_bytes()).await.unwrap();
        assert!(read_head(&mut second).await.unwrap().contains("200"));
        drop(first);
        let again = async {
            loop {
                let mut client = TcpStream::connect(gateway.address).await.unwrap();
                let _ = client.write_all(KEPT.as_bytes()).await;
                if read_head(&mut client).await.is_some() {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, again).await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let gateway = gateway(Limits::default(), Timeouts { handshake: SHORT, ..patient() }).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    assert_eq!(read_to_end(&mut client).await, "");
}

#[tokio::test]
async fn a_head_that_is_never_finished_is_cut() {
    let gateway = gateway(Limits::default(), Timeouts { head: SHORT, ..patient() }).await;
    for mut client in [TcpStream::connect(gateway.address).await.unwrap(), kept(&gateway).await] {
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").await.unwrap();
        let (mut reader, mut writer) = client.split();
        // One octet now and then does not help.
        let drip = async {
            loop {
                if writer.write_all(b"X").await.is_err() {
                    std::future::pending::<()>().await;
                }
                tokio::time::sleep(SHORT / 8).await;
            }
        };
        tokio::select! {
            answer = read_to_end(&mut reader) => assert!(!answer.contains("200"), "{answer}"),
            () = drip => {}
        }
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let gateway = gateway(Limits::default(), Timeouts { idle: SHORT, ..patient() }).await;
    let mut client = kept(&gateway).await;
    assert_eq!(read_to_end(&mut client).await, "");
    // A slow upstream is not idleness of the client.
    let address = serve(|mut stream, _| async move {
        let _ = read_head(&mut stream).await;
        tokio::time::sleep(SHORT * 4).await;
        let _ = stream.write_all(OK.as_bytes()).await;
    })
    .await;
    let settings = Settings {
        timeouts: Timeouts { idle: SHORT, head: SHORT, stall: SHORT, ..patient() },
        ..Settings::default()
    };
    let gateway = Gateway::start(upstream(address), Options { settings, ..Options::default() }).await;
    assert!(get(gateway.address, "/").await.ends_with("ok"));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let address = serve(|mut stream, _| async move {
        let _ = read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await;
        let piece = vec![7; 64 << 10];
        while stream.write_all(&piece).await.is_ok() {}
    })
    .await;
    let settings = Settings { timeouts: Timeouts { stall: SHORT, ..patient() }, ..Settings::default() };
    let gateway = Gateway::start(upstream(address), Options { settings, ..Options::default() }).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(KEPT.as_bytes()).await.unwrap();
    gateway.handle.shutdown(LONG);
    // Nothing but the stall ends it.
    let drained = tokio::time::timeout(PATIENCE, gateway.run).await.unwrap().unwrap();
    assert_eq!(drained.cut, 0);
}

#[tokio::test]
async fn shutdown_lets_requests_finish() {
    let (go, went) = tokio::sync::watch::channel(false);
    let address = serve(move |mut stream, _| {
        let mut went = went.clone();
        async move {
            let _ = read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no").await.unwrap();
            went.wait_for(|go| *go).await.unwrap();
            stream.write_all(b"k").await.unwrap();
        }
    })
    .await;
    let settings = Settings { timeouts: patient(), ..Settings::default() };
    let gateway = Gateway::start(upstream(address), Options { settings, ..Options::default() }).await;
    let mut busy = TcpStream::connect(gateway.address).await.unwrap();
    busy.write_all(KEPT.as_bytes()).await.unwrap();
    assert!(read_head(&mut busy).await.unwrap().contains("200"));
    let mut silent = TcpStream::connect(gateway.address).await.unwrap();
    gateway.handle.shutdown(LONG);
    assert!(matches!(&*read_to_end(&mut silent).await, "" | "RESET"));
    until_refused(gateway.address).await;
    assert!(!gateway.run.is_finished());
    go.send(true).unwrap();
    assert_eq!(read_to_end(&mut busy).await, "ok");
    let drained = tokio::time::timeout(PATIENCE, gateway.run).await.unwrap().unwrap();
    assert_eq!(drained.cut, 0);
}

async fn until_refused(address: std::net::SocketAddr) {
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, refused).await.unwrap();
}

#[tokio::test]
async fn shutdown_ends_idle_connections_and_cuts_the_rest() {
    let gateway = gateway(Limits::default(), patient()).await;
    let mut idle = kept(&gateway).await;
    gateway.handle.shutdown(LONG);
    assert_eq!(read_to_end(&mut idle).await, "");
    assert_eq!(tokio::time::timeout(PATIENCE, gateway.run).await.unwrap().unwrap().cut, 0);

    let address = serve(|mut stream, _| async move {
        let _ = read_head(&mut stream).await;
        let _ = stream.read_u8().await;
    })
    .await;
    let settings = Settings { timeouts: patient(), ..Settings::default() };
    let gateway = Gateway::start(upstream(address), Options { settings, ..Options::default() }).await;
    let mut hung = TcpStream::connect(gateway.address).await.unwrap();
    hung.write_all(KEPT.as_bytes()).await.unwrap();
    tokio::task::yield_now().await;
    tokio::time::sleep(SHORT).await;
    gateway.handle.shutdown(SHORT);
    let drained = tokio::time::timeout(PATIENCE, gateway.run).await.unwrap().unwrap();
    assert_eq!(drained.cut, 1);
    assert!(!read_to_end(&mut hung).await.contains("200"));
}

#[tokio::test]
async fn many_idle_connections_do_not_hinder_an_honest_one() {
    let gateway = gateway(Limits { connections_per_address: 1000, ..Limits::default() }, patient()).await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        let mut client = TcpStream::connect(gateway.address).await.unwrap();
        client.write_all(b"GET / HT").await.unwrap();
        idle.push(client);
    }
    assert!(get(gateway.address, "/").await.ends_with("ok"));
}
