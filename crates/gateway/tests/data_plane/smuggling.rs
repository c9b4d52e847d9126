//! Requests that two readers could read in two ways.

use super::support::*;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Each is refused with this status, the connection is closed, and what follows never becomes a request.
const REFUSED: &[(&str, &str, &str)] = &[
    ("400", "length and coding", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("400", "coding and length", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    ("400", "two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    ("400", "the same length twice", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na"),
    ("400", "a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na"),
    ("400", "a signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na"),
    ("400", "obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
    ("400", "bare LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
    ("400", "bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
    ("400", "bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
    ("400", "bare CR", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
    ("400", "space before the colon", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\na"),
    ("400", "two codings", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    ("400", "identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"),
    ("400", "a coding that is hidden", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    ("400", "a coding in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("400", "NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    ("400", "control in the target", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("400", "no name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
    ("400", "no version", "GET /\r\nHost: a\r\n\r\n"),
    ("400", "target and Host disagree", "GET http://b/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    ("400", "two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n"),
    ("400", "no Host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"),
    ("400", "a bad Host", "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n"),
    ("400", "asterisk", "GET * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    ("405", "CONNECT", "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\nConnection: close\r\n\r\n"),
];

#[tokio::test]
async fn what_is_ambiguous_never_reaches_the_application() {
    let (address, heads) = canned(OK).await;
    let gateway = Gateway::to(address).await;
    for (status, name, request) in REFUSED {
        let answer = ask(gateway.address, format!("{request}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer}");
        assert!(!answer.contains("200"), "{name}: {answer}");
    }
    assert_eq!(heads.lock().unwrap().len(), 0, "{heads:?}");
    // And the next honest one is served.
    assert!(get(gateway.address, "/").await.contains("200"));
}

#[tokio::test]
async fn an_ambiguous_request_in_a_pipeline_is_refused_too() {
    let (address, heads) = canned(OK).await;
    let gateway = Gateway::to(address).await;
    let answer = ask(
        gateway.address,
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nGET \
         GET /3 HTTP/1.1\r\nHost: a\nX: y\r\n\r\nGET /4 HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 2, "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 400").count(), 1, "{answer}");
    assert_eq!(heads.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_bad_chunk_breaks_the_request() {
    let (address, heads) = canned(OK).await;
    let gateway = Gateway::to(address).await;
    for chunks in ["1\na\r\n0\r\n\r\n", "1 \r\na\r\n0\r\n\r\n", "-1\r\na\r\n0\r\n\r\n", "1\r\nab\r\n0\r\n\r\n"] {
        let post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let answer = ask(gateway.address, format!("{post}{chunks}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{chunks:?}: {answer}");
    }
    assert!(heads.lock().unwrap().iter().all(|head| !head.contains("smuggled")), "{heads:?}");
}

#[tokio::test]
async fn heads_have_limits() {
    let (address, heads) = canned(OK).await;
    let gateway = Gateway::to(address).await;
    let many = "X: y\r\n".repeat(101);
    let long = format!("X: {}\r\n", "y".repeat(40 << 10));
    for fields in [many, long] {
        let answer = ask(gateway.address, format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    assert_eq!(heads.lock().unwrap().len(), 0);
}
