//! Applications that fail: the user is told so by a server that is proven, the log knows why, and the next request works.

use super::support::*;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use tagai_client::{Client, Error, Reply};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage";

/// Does what the path says.
async fn fault(mut stream: TcpStream, head: String) {
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let answer: &[u8] = match path.as_str() {
        "/hang" => {
            let _ = stream.read_to_end(&mut Vec::new()).await;
            return;
        }
        "/reset" => {
            // Closing with unsent or unread octets and no time to linger is a reset.
            let _ = stream.set_zero_linger();
            return;
        }
        "/close" => return,
        "/half-head" => b"HTTP/1.1 200 OK\r\nContent-Le",
        "/garbage" => b"\x16\x03\x01 this is no HTTP\r\n\r\n",
        "/two-lengths" => b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\npage!",
        "/too-short" => b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\npage",
        "/broken-chunk" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\nZZ\r\n",
        "/no-last-chunk" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\n",
        "/too-long" => {
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npageHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
        }
        "/switch" => b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: evil\r\n\r\n",
        _ => PAGE,
    };
    let _ = stream.write_all(answer).await;
    if path == "/too-long" {
        // Stays open, as if the rest were the answer to somebody else's request.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}

async fn faulty() -> Site {
    let upstream = raw_upstream(fault).await;
    // A port that nobody listens on.
    let gone = TcpListener::bind("127.0.0.2:0").await.unwrap().local_addr().unwrap();
    let mut setup = Setup::default();
    // One of them waits for it; all others have to be quicker, on a busy machine too.
    setup.sites = setup.sites.replace("upstream = \"http://{app}\"", "upstream = \"http://{app}\"\ntimeout = \"3s\"");
    setup.sites += &format!(
        "[[site.route]]\npath = \"/gone\"\naccess = \"protected\"\nrealm = \"staff\"\nupstream = \"http://{gone}\"\n\
         [[site.route]]\npath = \"/public-gone\"\naccess = \"public\"\nupstream = \"http://{gone}\"\n"
    );
    Site::start(upstream, setup).await
}

/// The three ways that a client can come by.
fn clients(site: &Site) -> [(&'static str, Client); 3] {
    [("http", true), ("https", false), ("https", true)].map(|(scheme, http2)| {
        (scheme, site.client_of(scheme, "alice", "correct horse").http2(http2).build().unwrap())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_has_its_status_and_its_line_in_the_log() {
    let site = faulty().await;
    for (scheme, client) in clients(&site) {
        for (path, status) in [
            ("/hang", 504),
            ("/reset", 502),
            ("/close", 502),
            ("/half-head", 502),
            ("/garbage", 502),
            ("/two-lengths", 502),
            ("/switch", 502),
            ("/gone", 502),
        ] {
            let request = client.request(http::Method::GET, &site.url(scheme, path)).header("accept", "text/html");
            let reply = request.send().await.unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(reply.status(), status, "{scheme}: {path}");
            assert!(reply.is_proven(), "{scheme}: {path}: the gateway itself says so");
            let page = String::from_utf8(reply.bytes(10_000).await.unwrap().unwrap().to_vec()).unwrap();
            let id = page.split("please mention ").nth(1).and_then(|rest| rest.get(..16)).expect("an id").to_owned();
            let lines = logged(&id);
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert!(lines[0].contains("ERROR") && lines[0].contains("127.0.0."), "{}", lines[0]);
            assert!(!page.contains("127.0.0."), "nothing about what is behind: {page}");

            let next = client.get(&site.url(scheme, "/page")).await.unwrap();
            assert!(next.is_proven());
            assert_eq!(next.bytes(100).await.unwrap().unwrap(), "page", "{scheme}: after {path}");
        }
    }
}

/// The beginning of a page comes, and then an error.
async fn breaks_off(mut reply: Reply) {
    assert!(reply.is_proven() && reply.status() == 200);
    let mut read = Vec::new();
    let end = loop {
        match patiently(reply.content().frame()).await {
            Some(Ok(frame)) => read.extend_from_slice(&frame.into_data().unwrap_or(Bytes::new())),
            end => break end,
        }
    };
    assert!(matches!(end, Some(Err(Error::Network { .. }))), "{}: {end:?} after {read:?}", reply.url());
    assert!(b"page".starts_with(&read[..]), "{}: {read:?}", reply.url());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_is_no_whole_body() {
    let site = faulty().await;
    for (scheme, client) in clients(&site) {
        for path in ["/too-short", "/broken-chunk", "/no-last-chunk"] {
            // If the application is quick, the connection may be cut before the head of its response has left.
            match client.get(&site.url(scheme, path)).await {
                Ok(reply) => breaks_off(reply).await,
                Err(error) => assert!(matches!(error, Error::Network { .. }), "{scheme}: {path}: {error}"),
            }
            let next = client.get(&site.url(scheme, "/page")).await.unwrap();
            assert_eq!(next.bytes(100).await.unwrap().unwrap(), "page", "{scheme}: after {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_application_says_unasked_is_nobodys_answer() {
    let site = faulty().await;
    for (scheme, client) in clients(&site) {
        for _ in 0..3 {
            for path in ["/too-long", "/page"] {
                let reply = client.get(&site.url(scheme, path)).await.unwrap();
                assert!(reply.is_proven());
                assert_eq!(reply.bytes(100).await.unwrap().unwrap(), "page", "{scheme}: {path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_get_a_page_without_secrets() {
    let site = faulty().await;
    let mut connection = site.connect("http").await;
    connection.send(format!("GET /public-gone HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", site.http)).await;
    let response = connection.response("GET").await;
    assert_eq!((response.status, response.field("authentication-info")), (502, None));
    assert!(response.text().contains("please mention ") && !response.text().contains("127.0.0."));
}
