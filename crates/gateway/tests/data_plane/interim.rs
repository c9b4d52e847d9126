//! Fields in `100 Continue` (RFC 8120 §4.5).

use super::support::*;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use std::sync::Arc;
use tagai_gateway::listener::{Abort, ConnectionInfo, Listener, RequestBody, Settings};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const INFO: HeaderName = HeaderName::from_static("authentication-info");
const EXPECT: &str = "POST /arm HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
const WITH: &str = "HTTP/1.1 100 Continue\r\nauthentication-info: vks=1\r\n\r\n";
const WITHOUT: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// Answers with the body. What the path says decides: `/arm` arms a field, `/ignore` does not read the body.
async fn answer(request: Request<RequestBody>, info: Arc<ConnectionInfo>) -> Result<Response<Full<Bytes>>, Abort> {
    let path = request.uri().path().to_owned();
    let interim = info.interim.clone().unwrap();
    let value = HeaderValue::from_static("vks=1");
    let wanted = path.starts_with("/arm");
    if wanted {
        let _ = interim.arm(&INFO, &value);
    }
    let body = match path.as_str() {
        "/arm/ignore" => Bytes::from_static(b"unread"),
        _ => request.into_body().collect().await.map_err(|_| Abort)?.to_bytes(),
    };
    let mut response = Response::new(Full::new(body));
    let sent = interim.settle();
    assert_eq!(interim.sent(), sent);
    if wanted && !sent {
        response.headers_mut().insert(INFO, value);
    }
    Ok(response)
}

async fn start() -> std::net::SocketAddr {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), Settings::default()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listener.run(answer));
    address
}

#[tokio::test]
async fn the_field_is_in_the_interim_response_and_not_in_the_final_one() {
    let mut client = TcpStream::connect(start().await).await.unwrap();
    for _ in 0..3 {
        client.write_all(EXPECT.as_bytes()).await.unwrap();
        assert_eq!(read_head(&mut client).await.unwrap(), WITH);
        client.write_all(b"body").await.unwrap();
        let head = read_head(&mut client).await.unwrap();
        assert!(head.starts_with("HTTP/1.1 200") && !head.contains("authentication-info"), "{head}");
        assert_eq!(read_exactly(&mut client, 4).await, "body");
    }
}

#[tokio::test]
async fn nothing_is_changed_when_nothing_is_armed() {
    let mut client = TcpStream::connect(start().await).await.unwrap();
    client.write_all(EXPECT.replace("/arm", "/").as_bytes()).await.unwrap();
    assert_eq!(read_head(&mut client).await.unwrap(), WITHOUT);
    client.write_all(b"body").await.unwrap();
    assert!(!read_head(&mut client).await.unwrap().contains("authentication-info"));
    assert_eq!(read_exactly(&mut client, 4).await, "body");
}

#[tokio::test]
async fn without_an_interim_response_the_field_is_in_the_final_one() {
    let address = start().await;
    let requests = [
        "POST /arm HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody",
        "POST /arm HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody",
        "POST /arm/ignore HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    ];
    for request in requests {
        let answer = ask(address, request).await;
        assert!(answer.starts_with("HTTP/1.") && answer.contains(" 200 "), "{answer}");
        assert!(answer.contains("authentication-info: vks=1\r\n") && !answer.contains("100 Continue"), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_came_with_the_head_makes_no_difference() {
    // hyper writes both responses in one go.
    let mut client = TcpStream::connect(start().await).await.unwrap();
    client.write_all(format!("{EXPECT}body").as_bytes()).await.unwrap();
    assert_eq!(read_head(&mut client).await.unwrap(), WITH);
    assert!(!read_head(&mut client).await.unwrap().contains("authentication-info"));
    assert_eq!(read_exactly(&mut client, 4).await, "body");
}

#[tokio::test]
async fn a_pipeline_keeps_its_order() {
    let mut client = TcpStream::connect(start().await).await.unwrap();
    // A body that looks like what is looked for, right before the real thing.
    let decoy = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{WITHOUT}", WITHOUT.len());
    let all = format!("{decoy}{EXPECT}body{decoy}{EXPECT}last");
    client.write_all(all.as_bytes()).await.unwrap();
    for body in ["body", "last"] {
        assert!(read_head(&mut client).await.unwrap().starts_with("HTTP/1.1 200"));
        assert_eq!(read_exactly(&mut client, WITHOUT.len()).await, WITHOUT);
        let first = read_head(&mut client).await.unwrap();
        let final_head =
            if first == WITHOUT || first == WITH { read_head(&mut client).await.unwrap() } else { first.clone() };
        // Once and in one place only.
        let said = [&first, &final_head].iter().filter(|head| head.contains("authentication-info")).count();
        assert_eq!(said, 1, "{first}{final_head}");
        assert_eq!(read_exactly(&mut client, 4).await, body);
    }
}

#[tokio::test]
async fn octet_by_octet() {
    let mut client = TcpStream::connect(start().await).await.unwrap();
    client.set_nodelay(true).unwrap();
    for octet in EXPECT.bytes() {
        client.write_all(&[octet]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(read_head(&mut client).await.unwrap(), WITH);
    for octet in *b"body" {
        client.write_all(&[octet]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(!read_head(&mut client).await.unwrap().contains("authentication-info"));
    assert_eq!(read_exactly(&mut client, 4).await, "body");
}

#[tokio::test]
async fn a_field_for_one_request_is_not_in_the_next() {
    let address = start().await;
    let mut seen = Vec::new();
    let mut client = TcpStream::connect(address).await.unwrap();
    for path in ["/arm", "/", "/arm"] {
        client.write_all(EXPECT.replace("/arm", path).as_bytes()).await.unwrap();
        seen.push(read_head(&mut client).await.unwrap());
        client.write_all(b"body").await.unwrap();
        read_head(&mut client).await.unwrap();
        read_exactly(&mut client, 4).await;
    }
    assert_eq!(seen, [WITH, WITHOUT, WITH]);
}
