//! Upgrades.

use super::support::*;
use std::time::Duration;
use tagai_gateway::proxy::Policy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const UPGRADE: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

async fn echo() -> std::net::SocketAddr {
    serve(|mut stream, _| async move {
        let head = read_head(&mut stream).await.unwrap().to_lowercase();
        if !head.contains("upgrade: websocket") {
            let _ = stream.write_all(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n").await;
            return;
        }
        assert!(head.contains("connection: upgrade") && head.contains("sec-websocket-key: "), "{head}");
        stream.write_all(SWITCH.as_bytes()).await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
        let _ = writer.shutdown().await;
    })
    .await
}

#[tokio::test]
async fn a_tunnel_carries_any_octets_both_ways() {
    let gateway = Gateway::to(echo().await).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(UPGRADE.as_bytes()).await.unwrap();
    let head = read_head(&mut client).await.unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 101") && head.contains("sec-websocket-accept: s3pp"), "{head}");
    assert!(head.contains("connection: upgrade\r\n") && head.contains("upgrade: websocket\r\n"), "{head}");
    assert_eq!(read_exactly(&mut client, 5).await, "hello");
    let octets: Vec<u8> = (0..200_000_u32).map(|number| number as u8).collect();
    let (mut reader, mut writer) = client.split();
    let sent = octets.clone();
    let write = async {
        writer.write_all(&sent).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let mut back = Vec::new();
    let ((), read) = tokio::join!(write, tokio::time::timeout(PATIENCE, reader.read_to_end(&mut back)));
    read.unwrap().unwrap();
    assert!(back == octets);
}

#[tokio::test]
async fn no_tunnel_where_none_is_allowed() {
    let policy = Policy { upgrades: false, ..Policy::default() };
    let gateway = Gateway::start(upstream(echo().await), Options { policy, ..Options::default() }).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(UPGRADE.as_bytes()).await.unwrap();
    assert!(read_head(&mut client).await.unwrap().starts_with("HTTP/1.1 400"));
    // h2c would be a way around everything that looks at requests.
    let gateway = Gateway::to(echo().await).await;
    let h2c = UPGRADE.replace("Upgrade: websocket", "Upgrade: h2c");
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(h2c.as_bytes()).await.unwrap();
    assert!(read_head(&mut client).await.unwrap().starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn tunnels_are_cut_at_the_deadline() {
    let gateway = Gateway::to(echo().await).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(UPGRADE.as_bytes()).await.unwrap();
    read_head(&mut client).await.unwrap();
    assert_eq!(read_exactly(&mut client, 5).await, "hello");
    gateway.handle.shutdown(Duration::from_millis(50));
    let drained = tokio::time::timeout(PATIENCE, gateway.run).await.unwrap().unwrap();
    assert_eq!(drained.cut, 1);
    read_to_end(&mut client).await;
}
