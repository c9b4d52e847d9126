//! Bodies: streaming, limits, trailers.

use super::support::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tagai_gateway::listener::{Settings, Timeouts};
use tagai_gateway::proxy::Policy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const LENGTH: usize = 64 << 20;

/// More than this is not held anywhere on the way: the sockets' buffers are the largest part.
const HELD: usize = 24 << 20;

#[tokio::test]
async fn a_large_response_waits_for_its_reader() {
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let address = serve(move |mut stream, _| {
        let count = Arc::clone(&count);
        async move {
            let _ = read_head(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let piece = vec![7; 64 << 10];
            while count.load(Ordering::SeqCst) < LENGTH {
                stream.write_all(&piece).await.unwrap();
                count.fetch_add(piece.len(), Ordering::SeqCst);
            }
            let _ = stream.read_u8().await;
        }
    })
    .await;
    let gateway = Gateway::to(address).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    read_head(&mut client).await.unwrap();
    settled(&written).await;
    assert!(written.load(Ordering::SeqCst) < HELD, "{written:?}");
    let mut piece = vec![0; 256 << 10];
    let mut read = 0;
    while read < LENGTH {
        let count = client.read(&mut piece).await.unwrap();
        assert!(count > 0 && piece[..count].iter().all(|octet| *octet == 7));
        read += count;
        assert!(written.load(Ordering::SeqCst) <= read + HELD);
    }
    assert_eq!(read, LENGTH);
}

/// Waits until a count stands still.
async fn settled(count: &AtomicUsize) {
    let mut last = usize::MAX;
    loop {
        let now = count.load(Ordering::SeqCst);
        if now == last && now > 0 {
            return;
        }
        last = now;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_large_request_waits_for_its_reader() {
    let (go, went) = tokio::sync::watch::channel(false);
    let address = serve(move |mut stream, _| {
        let mut went = went.clone();
        async move {
            let _ = read_head(&mut stream).await;
            went.wait_for(|go| *go).await.unwrap();
            let mut rest = LENGTH;
            let mut piece = vec![0; 256 << 10];
            while rest > 0 {
                rest -= stream.read(&mut piece).await.unwrap();
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nall").await.unwrap();
            let _ = stream.read_u8().await;
        }
    })
    .await;
    let gateway = Gateway::to(address).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {LENGTH}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = client.into_split();
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    tokio::spawn(async move {
        let piece = vec![7; 64 << 10];
        while count.load(Ordering::SeqCst) < LENGTH {
            writer.write_all(&piece).await.unwrap();
            count.fetch_add(piece.len(), Ordering::SeqCst);
        }
        std::future::pending::<()>().await;
    });
    settled(&written).await;
    assert!(written.load(Ordering::SeqCst) < HELD, "{written:?}");
    go.send(true).unwrap();
    assert!(read_to_end(&mut reader).await.ends_with("all"));
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let (address, heads) = canned("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let policy = Policy { max_body: 10, ..Policy::default() };
    let gateway = Gateway::start(upstream(address), Options { policy, ..Options::default() }).await;
    let post = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    let said = ask(gateway.address, format!("{post}Content-Length: 11\r\n\r\n01234567890")).await;
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
    assert_eq!(heads.lock().unwrap().len(), 0);
    let counted =
        ask(gateway.address, format!("{post}Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n")).await;
    assert!(counted.starts_with("HTTP/1.1 413") || counted.starts_with("HTTP/1.1 200"), "{counted}");
    assert!(gateway.errors().contains("more than 10 octets"), "{}", gateway.errors());
}

#[tokio::test]
async fn a_client_that_stops_sending_is_told() {
    let address = serve(|mut stream, _| async move {
        let _ = read_head(&mut stream).await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    })
    .await;
    let settings = Settings {
        timeouts: Timeouts { body: Duration::from_millis(80), ..Timeouts::default() },
        ..Settings::default()
    };
    let gateway = Gateway::start(upstream(address), Options { settings, ..Options::default() }).await;
    let answer = ask(gateway.address, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(gateway.errors().contains("nothing more of the body"), "{}", gateway.errors());
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let (saw, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let address = serve(move |mut stream, _| {
        let saw = saw.clone();
        async move {
            let head = read_head(&mut stream).await.unwrap();
            let body = read_head(&mut stream).await.unwrap();
            saw.send((head, body)).unwrap();
            let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Authentication-Info\r\n\r\n\
                          2\r\nok\r\n0\r\nX-Sum: 2\r\nAuthentication-Info: version=1\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
            let _ = stream.read_u8().await;
        }
    })
    .await;
    let policy = Policy {
        strip: tagai_gateway::proxy::StripList::new([http::HeaderName::from_static("x-remote-user")]),
        ..Policy::default()
    };
    let gateway = Gateway::start(upstream(address), Options { policy, ..Options::default() }).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    let request = "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: X-Check, X_Remote_User\r\n\
                   Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Check: 3\r\nX_Remote_User: root\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let head = read_head(&mut client).await.unwrap().to_lowercase();
    let body = read_head(&mut client).await.unwrap().to_lowercase();
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    assert_eq!(body, "2\r\nok\r\n0\r\nx-sum: 2\r\n\r\n");
    let (head, body) = seen.recv().await.unwrap();
    assert!(head.to_lowercase().contains("te: trailers\r\n"), "{head}");
    assert_eq!(body.to_lowercase(), "3\r\nabc\r\n0\r\nx-check: 3\r\n\r\n");
}

#[tokio::test]
async fn both_directions_move_on_their_own() {
    // The upstream answers at once and echoes; the client reads only after it has sent everything.
    const ECHO: usize = 8 << 20;
    let address = serve(|mut stream, _| async move {
        let _ = read_head(&mut stream).await;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {ECHO}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut all = vec![0; ECHO];
        stream.read_exact(&mut all).await.unwrap();
        stream.write_all(&all).await.unwrap();
        let _ = stream.read_u8().await;
    })
    .await;
    let gateway = Gateway::to(address).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {ECHO}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    read_head(&mut client).await.unwrap();
    let sent = vec![b'x'; ECHO];
    tokio::time::timeout(PATIENCE, client.write_all(&sent)).await.unwrap().unwrap();
    assert!(read_exactly(&mut client, ECHO).await.bytes().all(|octet| octet == b'x'));
}
