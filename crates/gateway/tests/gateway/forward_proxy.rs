//! The forward proxy: who gets through, where to, and what of a request goes on (RFC 8120 §14, RFC 9110 §7.6, §9.3.6).

use super::support::*;
use std::sync::Arc;
use tagai_client::{Client, Error, FixedCredential, NetworkFault, Proof};
use tagai_core::client::{Fatal, Outcome};
use tagai_core::realm::Origin;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PROXIES: &str = r#"
[[forward-proxy]]
address = "127.0.0.1:0"
name = "127.0.0.1"
realm = "staff"
allow = [{allow}]
max-body = "1KiB"
[[forward-proxy]]
address = "127.0.0.1:0"
tls = true
name = "127.0.0.1"
realm = "staff"
allow = [{allow}]
[guessing]
failures-per-address = 1000
failures-per-user = 1000
"#;

/// A gateway with a proxy for bob beside its site for alice.
struct Way {
    site: Site,
    app: App,
    plain: Origin,
    tls: Origin,
}

impl Way {
    async fn start(allow: &str) -> Self {
        let app = App::start().await;
        let setup = Setup {
            more: PROXIES.replace("{allow}", allow),
            users: vec![("staff", "alice", "correct horse"), ("staff", "bob", "battery staple")],
            ..Setup::default()
        };
        let site = Site::start(app.address, setup).await;
        let [plain, tls] = site.gateway.proxies()[..] else { panic!("two proxies") };
        let origin = |scheme, port| Origin::parse(&format!("{scheme}://127.0.0.1:{port}")).unwrap();
        let (plain, tls) = (origin("http", plain.address.port()), origin("https", tls.address.port()));
        Self { site, app, plain, tls }
    }

    async fn usual() -> Self {
        Self::start("\"{app}\", \"127.0.0.1:{https}\"").await
    }

    async fn connect(&self) -> Connection {
        Connection::plain(self.plain.port()).await
    }

    fn bob(&self) -> User {
        User::of_proxy(&self.plain, "bob", "battery staple")
    }

    fn builder(&self, proxy: &Origin, password: &str) -> tagai_client::ClientBuilder {
        let to_proxy = FixedCredential::new(proxy.clone(), "bob", password).unwrap().for_proxy();
        let to_site = FixedCredential::new(self.site.origin("https"), "alice", "correct horse").unwrap();
        let builder = Client::builder().root_certificates([&self.site.certificate[..]]).unwrap();
        builder.prompt(Arc::new((to_proxy, to_site))).proxy(&format!("{proxy}/").parse().unwrap()).unwrap()
    }

    fn client(&self, proxy: &Origin) -> Client {
        self.builder(proxy, "battery staple").build().unwrap()
    }

    fn app_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.app.address)
    }

    /// Asks as bob; the answer is proven, whatever it is.
    async fn proven(&self, method: &str, target: &str, fields: &str) -> (Connection, Response) {
        let (mut connection, mut bob) = (self.connect().await, self.bob());
        // The first goes to log in, so that the connection survives a refusal.
        let outcome = bob.ask(&mut connection, "GET", &self.app_url("/login"), "").await;
        assert!(matches!(outcome, Ok(Outcome::AuthSucceed(_))), "{outcome:?}");
        self.app.take();
        match bob.ask(&mut connection, method, target, fields).await {
            Ok(Outcome::AuthSucceed(proven)) => (connection, proven.into_body()),
            other => panic!("{method} {target}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http_and_https_go_through_and_everybody_is_proven() {
    let way = Way::usual().await;
    for proxy in [&way.plain, &way.tls] {
        let client = way.client(proxy);
        for round in 0..2 {
            let reply = client.get(&way.app_url("/page?x=1")).await.unwrap();
            let Some(Proof::Mutual { user, server, session_reused, .. }) = reply.proxy() else {
                panic!("not proven")
            };
            assert_eq!((user.as_str(), server, *session_reused), ("bob", proxy, round > 0));
            assert_eq!(*reply.proof(), Proof::None, "the site asked for nothing");
            let seen = way.app.take_one();
            assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/page?x=1"));
            assert_eq!(seen.field("host"), Some(&*way.app.address.to_string()));
            assert!(seen.fields.keys().all(|name| !name.as_str().starts_with("proxy")), "{seen:?}");
            assert_eq!(seen.field("forwarded"), None, "the site is not told who asks");
            assert_eq!(seen.field("x-forwarded-for"), None);
            let via = seen.field("via").unwrap();
            assert_eq!(via, format!("1.1 127.0.0.1:{}", proxy.port()));
        }
        // Through the tunnel, alice logs in to a site that has nothing to do with bob.
        let reply = client.get(&way.site.url("https", "/inside")).await.unwrap();
        assert!(reply.is_proven() && reply.proxy().is_some_and(Proof::is_mutual));
        let seen = way.app.take_one();
        assert_eq!(seen.field("tagai-user"), Some("alice"));
        assert!(seen.field("via").unwrap().ends_with("tagai"), "nobody touches what is in a tunnel");
        assert_eq!(client.proxy_logins()[0].user.as_str(), "bob");
        assert_eq!(client.logins()[0].user.as_str(), "alice");
    }
    let metric = |name| way.site.metric(name).unwrap_or(0);
    assert_eq!(metric("tagai_forward_proxy_requests_total{result=\"request\"}"), 4);
    assert_eq!(metric("tagai_forward_proxy_requests_total{result=\"tunnel\"}"), 2);
    until(async || metric("tagai_forward_proxy_tunnels") == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_goes_with_its_request_once() {
    let way = Way::usual().await;
    let client = way.client(&way.plain);
    let post = || client.request(http::Method::POST, &way.app_url("/post")).body("a body");
    for _ in 0..2 {
        assert!(post().send().await.unwrap().proxy().is_some_and(Proof::is_mutual));
        let seen = way.app.take_one();
        assert_eq!((seen.method.as_str(), &*seen.body), ("POST", &b"a body"[..]));
    }
    let large = client.request(http::Method::POST, &way.app_url("/post")).body(vec![b'x'; 2000]);
    let reply = large.send().await.unwrap();
    assert_eq!(reply.status(), 413, "max-body is 1KiB");
    assert!(reply.proxy().is_some_and(Proof::is_mutual), "and the proxy says so");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_asked_and_get_nowhere() {
    let way = Way::usual().await;
    for (method, target) in [("GET", way.app_url("/")), ("CONNECT", way.app.address.to_string())] {
        for credentials in ["", "Proxy-Authorization: Basic eDp5\r\n", "Authorization: Mutual version=1\r\n"] {
            let mut connection = way.connect().await;
            connection.send(format!("{method} {target} HTTP/1.1\r\nHost: x\r\n{credentials}\r\n")).await;
            let response = connection.response(method).await;
            assert_eq!(response.status, 407, "{method} {credentials}");
            let challenge = response.field("proxy-authenticate").unwrap();
            assert!(
                challenge.starts_with("Mutual ") && challenge.contains("auth-scope=\"127.0.0.1\""),
                "{challenge}"
            );
            assert!(challenge.contains("reason=initial"), "{challenge}");
            for name in ["www-authenticate", "proxy-authentication-info", "optional-www-authenticate"] {
                assert_eq!(response.field(name), None);
            }
            assert!(response.text().contains("tagai get --proxy"));
        }
    }
    assert!(way.app.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_told_what_this_is() {
    let way = Way::usual().await;
    let mut connection = way.connect().await;
    connection.send("GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n").await;
    let response = connection.response("GET").await;
    assert_eq!(response.status, 400);
    assert!(response.text().contains("This is a proxy, and no web site"), "{}", response.text());
    assert_eq!(response.field("proxy-authenticate"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_opens_nothing() {
    let way = Way::usual().await;
    let client = way.builder(&way.plain, "guess").build().unwrap();
    for url in [way.app_url("/"), way.site.url("https", "/")] {
        let Err(Error::Login(required)) = client.get(&url).await else { panic!("it was let through") };
        assert!(required.proxy && required.attempts == 1, "{required}");
        assert_eq!(required.origin, way.plain);
    }
    assert!(way.app.take().is_empty());
    assert!(way.site.metric("tagai_login_events_total{realm=\"staff\",event=\"refused-wrong-proof\"}").unwrap() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_targets_are_reached_and_the_refusal_is_proven() {
    let way = Way::usual().await;
    let other = App::start().await;
    let port = other.address.port();
    for target in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("[64:ff9b::7f00:1]:{port}"),
        format!("0.0.0.0:{port}"),
        "169.254.169.254:80".into(),
        "10.0.0.1:443".into(),
        "no-such-name.invalid:443".into(),
    ] {
        let (mut connection, response) = way.proven("CONNECT", &target, "").await;
        assert_eq!(response.status, 403, "{target}");
        assert!(response.text().contains("(target)"), "{}", response.text());
        assert!(connection.is_closed().await, "what was meant for the tunnel is not read as requests");
        let (_, response) = way.proven("GET", &format!("http://{target}/"), "").await;
        assert_eq!(response.status, 403, "{target}");
    }
    // Addresses in notations that some programs know, and we do not.
    for target in [format!("2130706433:{port}"), format!("0x7f.1:{port}"), format!("127.1:{port}")] {
        let (_, response) = way.proven("CONNECT", &target, "").await;
        assert_eq!(response.status, 400, "{target}");
    }
    assert!(other.take().is_empty() && way.app.take().is_empty());
    let Err(Error::Proxy(refused)) = way.client(&way.plain).get(&format!("https://localhost:{port}/")).await else {
        panic!("it was let through")
    };
    assert_eq!((refused.status, refused.proven), (403, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_opens_no_address_that_is_not_public() {
    // Whoever answers for the name in the DNS: here, it is this machine's own.
    let way = Way::start("\"localhost:*\", \"*:*\", \"0.0.0.0/0:*\"").await;
    for target in [format!("localhost:{}", way.app.address.port()), way.app.address.to_string()] {
        let (_, response) = way.proven("CONNECT", &target, "").await;
        assert_eq!(response.status, 403, "{target}");
    }
    assert!(way.app.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_decides_and_host_does_not() {
    let way = Way::usual().await;
    let url = way.app_url("/");
    let (mut connection, mut bob) = (way.connect().await, way.bob());
    bob.ask(&mut connection, "GET", &url, "").await.unwrap();
    way.app.take();
    let (_, proof) = bob.proof(&url, &connection.channel.clone());
    let fields = format!(
        "Proxy-Authorization: {proof}\r\nX_Proxy: 1\r\nProxy-Connection: keep-alive\r\nproxy_authorization: x\r\n"
    );
    connection.send(format!("GET {url} HTTP/1.1\r\nHost: evil.example\r\n{fields}\r\n")).await;
    assert_eq!(connection.response("GET").await.status, 200);
    let seen = way.app.take_one();
    assert_eq!(seen.field("host"), Some(&*way.app.address.to_string()), "RFC 9112 §3.2.2");
    assert_eq!(seen.field("x_proxy"), Some("1"));
    assert!(seen.fields.keys().all(|name| !name.as_str().starts_with("proxy")), "{seen:?}");
    for hosts in ["", "Host: a\r\nHost: b\r\n", "Host: a/b\r\n"] {
        connection.send(format!("GET {url} HTTP/1.1\r\n{hosts}\r\n")).await;
        assert_eq!(connection.response("GET").await.status, 400, "{hosts:?}");
    }
    assert!(way.app.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_for_one_proxy_is_none_for_another() {
    // A relay stands where the user believes the proxy to be, and passes everything on to the true one.
    let way = Way::usual().await;
    let (relay, target) = (tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(), way.plain.port());
    let port = relay.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = relay.accept().await {
            tokio::spawn(async move {
                let mut far = tokio::net::TcpStream::connect(("127.0.0.1", target)).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut near, &mut far).await);
            });
        }
    });
    let relayed = Origin::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    for url in [way.app_url("/"), way.site.url("https", "/")] {
        let error = way.client(&relayed).get(&url).await.unwrap_err();
        assert!(matches!(error, Error::Login(_) | Error::NotProven(_)), "{error}");
    }
    assert!(way.app.take().is_empty());
    assert!(way.site.metric("tagai_login_events_total{realm=\"staff\",event=\"refused-wrong-proof\"}").unwrap() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_good_for_one_request() {
    let way = Way::usual().await;
    let (mut connection, mut bob) = (way.connect().await, way.bob());
    let target = way.app.address.to_string();
    bob.ask(&mut connection, "GET", &way.app_url("/"), "").await.unwrap();
    let (_, proof) = bob.proof(&target, &connection.channel.clone());
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: {proof}\r\n\r\n");
    connection.send(&request).await;
    assert_eq!(connection.response("CONNECT").await.status, 200);
    let mut again = way.connect().await;
    again.send(&request).await;
    let refused = again.response("CONNECT").await;
    assert_eq!(refused.status, 407);
    assert_eq!(refused.field("proxy-authentication-info"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_hide_behind_a_connect() {
    let way = Way::usual().await;
    let target = way.app.address.to_string();
    let (mut connection, mut bob) = (way.connect().await, way.bob());
    bob.ask(&mut connection, "GET", &way.app_url("/login"), "").await.unwrap();
    way.app.take();
    let smuggled = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", way.app_url("/smuggled"));
    for framing in
        [String::new(), format!("Content-Length: {}\r\n", smuggled.len()), "Transfer-Encoding: chunked\r\n".into()]
    {
        for credentials in [true, false] {
            let (_, proof) = bob.proof(&target, &connection.channel.clone());
            let field = if credentials { format!("Proxy-Authorization: {proof}\r\n") } else { String::new() };
            let mut attacker = way.connect().await;
            attacker.send(format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\n{field}{framing}\r\n{smuggled}")).await;
            let response = attacker.response("GET").await;
            assert_eq!(response.status, 400, "{framing:?} {credentials}");
            assert!(attacker.is_closed().await);
        }
    }
    // Not even after a refusal.
    let mut attacker = way.connect().await;
    attacker.send(format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    assert_eq!(attacker.response("CONNECT").await.status, 407);
    let _ = attacker.try_send(&smuggled).await;
    assert!(attacker.is_closed().await);
    assert!(way.app.take().is_empty(), "nothing came through");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_carries_octets_and_ends_with_its_rules() {
    let echo = raw_upstream(|mut stream, head| async move {
        let _ = stream.write_all(format!("you said {head}").as_bytes()).await;
        let _ = stream.read_u8().await;
    })
    .await;
    let mut way = Way::start(&format!("\"{{app}}\", \"{echo}\"")).await;
    let (mut connection, response) = way.proven("CONNECT", &echo.to_string(), "").await;
    assert_eq!(response.status, 200);
    assert!(response.field("proxy-authentication-info").is_some(), "the proof is on the answer to CONNECT");
    assert!(response.field("content-length").is_none() && response.field("transfer-encoding").is_none());
    connection.send("no HTTP at all\n\0\r\n\r\n").await;
    let mut heard = vec![0; "you said no HTTP at all\n\0\r\n\r\n".len()];
    patiently(connection.stream.read_exact(&mut heard)).await.unwrap();
    assert_eq!(heard, b"you said no HTTP at all\n\0\r\n\r\n");
    assert_eq!(way.site.metric("tagai_forward_proxy_tunnels"), Some(1));
    // A new configuration without this target: the tunnel would not be opened now, so it ends.
    way.site.setup.more = PROXIES.replace("{allow}", "\"{app}\"");
    way.site.write_config();
    way.site.gateway.reload().await.unwrap();
    assert!(connection.is_closed().await);
    let gone = async || way.site.metric("tagai_forward_proxy_tunnels") == Some(0);
    until(gone).await;
    let (_, response) = way.proven("CONNECT", &echo.to_string(), "").await;
    assert_eq!(response.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_cannot_speak_for_the_proxy() {
    let lies = raw_upstream(|mut stream, head| async move {
        let status = if head.contains("/407") { "407 Proxy Authentication Required" } else { "200 OK" };
        let answer = format!(
            "HTTP/1.1 {status}\r\nProxy-Authenticate: Mutual version=1, realm=\"Evil\"\r\nProxy-Authentication-Info: version=1\r\n\
             WWW-Authenticate: Basic realm=\"own\"\r\nAuthentication-Info: x=1\r\nProxy-Connection: x\r\nContent-Length: 2\r\n\r\nhi"
        );
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.read_u8().await;
    })
    .await;
    let way = Way::start(&format!("\"{{app}}\", \"{lies}\"")).await;
    let (_, response) = way.proven("GET", &format!("http://{lies}/200"), "").await;
    assert_eq!((response.status, response.text().as_str()), (200, "hi"));
    assert_eq!(response.field("proxy-authenticate"), None);
    assert_eq!(
        response.names().iter().filter(|name| name.starts_with("proxy-")).count(),
        1,
        "the proxy's own proof alone"
    );
    // What a server says for itself is not the proxy's business.
    assert_eq!(response.field("www-authenticate"), Some("Basic realm=\"own\""));
    assert_eq!(response.field("authentication-info"), Some("x=1"));
    let (_, response) = way.proven("GET", &format!("http://{lies}/407"), "").await;
    assert_eq!(response.status, 502);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_for_a_proxy_is_refused() {
    let way = Way::usual().await;
    let long = "x".repeat(40_000);
    for (request, status) in [
        (format!("GET https://{}/ HTTP/1.1\r\nHost: x\r\n\r\n", way.app.address), 400),
        ("CONNECT x HTTP/1.1\r\nHost: x\r\n\r\n".into(), 400),
        ("CONNECT x:0 HTTP/1.1\r\nHost: x\r\n\r\n".into(), 400),
        (format!("GET http://u:p@{}/ HTTP/1.1\r\nHost: x\r\n\r\n", way.app.address), 400),
        (format!("GET {} HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n", way.app_url("/")), 431),
    ] {
        let mut connection = way.connect().await;
        connection.send(&request).await;
        let response = connection.response("GET").await;
        assert_eq!(response.status, status, "{}", &request[..40]);
    }
    let (_, response) = way.proven("TRACE", &way.app_url("/"), "").await;
    assert_eq!(response.status, 405);
    let via = format!("Via: 1.1 other, 1.1 127.0.0.1:{}\r\n", way.plain.port());
    let (_, response) = way.proven("GET", &way.app_url("/"), &via).await;
    assert_eq!(response.status, 508);
    let (_, response) = way.proven("OPTIONS", &way.app_url("/"), "Max-Forwards: 0\r\n").await;
    assert_eq!(response.status, 200);
    assert!(way.app.take().is_empty(), "none of them went on");
    let (_, response) = way.proven("OPTIONS", &way.app_url("/"), "Max-Forwards: 3\r\n").await;
    assert_eq!(response.status, 200);
    assert_eq!(way.app.take_one().field("max-forwards"), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_a_proven_failure() {
    // At an address where nothing of these tests listens, so that nobody gets the port meanwhile.
    let closed = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let way = Way::start(&format!("\"{{app}}\", \"{address}\"")).await;
    let (_, response) = way.proven("CONNECT", &address.to_string(), "").await;
    assert_eq!(response.status, 502);
    assert!(!response.text().contains("refused"), "the reason is for the log: {}", response.text());
    let error = way.client(&way.plain).get(&format!("https://{address}/")).await.unwrap_err();
    assert!(matches!(&error, Error::Proxy(refused) if refused.status == 502 && refused.proven), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_proxy_gets_nothing() {
    let way = Way::usual().await;
    // It knows nobody, and lets everybody through.
    let accepts = raw_upstream(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let _ = stream.read_u8().await;
    })
    .await;
    let client = way.client(&way.plain);
    client.get(&way.app_url("/")).await.unwrap();
    let kept = client.proxy_sessions();
    assert_eq!(kept.len(), 1);
    // It is not taken for the proxy that bob is logged in to: its origin is another, so it gets a plain request, and TLS fails.
    let stranger = way.client(&Origin::parse(&format!("http://{accepts}")).unwrap());
    let error = stranger.get(&way.site.url("https", "/")).await.unwrap_err();
    assert!(matches!(error, Error::Network { fault: NetworkFault::Tls(_), .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_of_the_same_place_has_to_prove_itself() {
    let way = Way::usual().await;
    let client = way.client(&way.plain);
    client.get(&way.app_url("/")).await.unwrap();
    let (session, port) = (client.proxy_sessions().remove(0), way.plain.port());
    way.site.gateway.shutdown().await;
    let listener = loop {
        match tokio::net::TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) => break listener,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                while read_head(&mut stream).await.is_some() {
                    let forged = "Proxy-Authentication-Info: version=1, sid=00, vks=00\r\nContent-Length: 0\r\n";
                    let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{forged}\r\n").as_bytes()).await;
                }
            });
        }
    });
    let proxy: tagai_client::Url = format!("http://127.0.0.1:{port}/").parse().unwrap();
    for url in ["https://127.0.0.1:1/", "http://127.0.0.1:1/"] {
        let client = Client::builder().proxy(&proxy).unwrap().build().unwrap();
        let octets = session.expose_octets();
        client.restore_proxy(tagai_core::client::StoredSession::from_octets(&octets).unwrap()).unwrap();
        let Err(Error::NotProven(attack)) = client.get(url).await else { panic!("{url}: it was believed") };
        assert!(matches!(attack.why, tagai_client::Unproven::Fatal(Fatal::WrongVks | Fatal::Message(_))), "{attack}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_may_be_a_stream_of_http2() {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let echo = raw_upstream(|mut stream, head| async move {
        let _ = stream.write_all(format!("you said {head}").as_bytes()).await;
        let _ = stream.read_u8().await;
    })
    .await;
    let way = Way::start(&format!("\"{{app}}\", \"{echo}\"")).await;
    let (mut connection, mut bob) = (way.connect().await, way.bob());
    bob.ask(&mut connection, "GET", &way.app_url("/login"), "").await.unwrap();
    let target = echo.to_string();
    let (_, proof) = bob.proof(&target, &connection.channel.clone());
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", way.plain.port())).await.unwrap();
    let (mut sender, client) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .handshake::<_, http_body_util::Empty<bytes::Bytes>>(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(async move { drop(client.await) });
    for (field, status) in [(None, 407), (Some(proof), 200)] {
        let mut request = http::Request::connect(&target);
        if let Some(field) = &field {
            request = request.header("proxy-authorization", field);
        }
        let request = request.body(http_body_util::Empty::new()).unwrap();
        let mut response = patiently(sender.send_request(request)).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers().contains_key("proxy-authentication-info"), status == 200);
        if status == 200 {
            let mut tunnel = TokioIo::new(hyper::upgrade::on(&mut response).await.unwrap());
            tunnel.write_all(b"hello\r\n\r\n").await.unwrap();
            let mut heard = [0; 18];
            patiently(tunnel.read_exact(&mut heard)).await.unwrap();
            assert_eq!(&heard, b"you said hello\r\n\r\n");
        }
    }
}
