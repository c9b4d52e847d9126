//! Which rules a request goes by: origins, realms, routes.

use super::support::*;
use tagai_core::client::{Outcome, Step};
use tagai_core::realm::Origin;

const SEVERAL: &str = r#"
[[site]]
origins = ["http://127.0.0.1:{http}"]
[[site.route]]
path = "/"
access = "public"
upstream = "http://{app}"
[[site.route]]
path = "/staff"
access = "protected"
realm = "staff"
upstream = "http://{app}"
[[site.route]]
path = "/admin"
access = "protected"
realm = "admins"
upstream = "http://{app}"
[[site.route]]
path = "/maybe"
access = "optional"
realm = "staff"
upstream = "http://{app}"
[[site.route]]
path = "/read"
access = "protected"
realm = "staff"
upstream = "http://{app}"
methods = ["GET"]
"#;

const REALMS: &str = r#"
[[realm]]
id = "staff"
name = "Staff"
scope = "127.0.0.1"
paths = ["/staff", "/maybe", "/read"]
[[realm]]
id = "admins"
name = "Admins"
scope = "127.0.0.1"
paths = ["/admin"]
"#;

async fn several(app: &App) -> Site {
    let users = vec![("staff", "alice", "correct horse"), ("admins", "root", "battery staple")];
    let setup = Setup { realms: REALMS.into(), sites: SEVERAL.into(), users, ..Setup::default() };
    Site::start(app.address, setup).await
}

#[tokio::test(flavor = "multi_thread")]
async fn several_realms_on_one_host_keep_apart() {
    let app = App::start().await;
    let site = several(&app).await;
    let origin = site.origin("http");
    let mut connection = site.connect("http").await;
    let mut alice = User::new(&origin, "alice", "correct horse");
    let mut root = User::new(&origin, "root", "battery staple");
    alice.get(&mut connection, "/staff/a").await;
    assert_eq!(app.take_one().field("tagai-user"), Some("alice"));
    root.get(&mut connection, "/admin/a").await;
    assert_eq!(app.take_one().field("tagai-realm"), Some("Admins"));

    // A session of one realm is none of the other: by hand, since no honest client would try.
    let (_, proof) = alice.proof("/staff/a", &connection.channel);
    let host = alice.host();
    connection.send(format!("GET /admin/a HTTP/1.1\r\nHost: {host}\r\nAuthorization: {proof}\r\n\r\n")).await;
    let refused = connection.response("GET").await;
    assert_eq!(refused.status, 401);
    assert!(refused.says("realm=\"Admins\""), "{refused:?}");
    let mut wrong = User::new(&origin, "alice", "correct horse");
    let outcome = wrong.ask(&mut connection, "GET", "/admin/a", "").await;
    assert!(matches!(outcome, Ok(Outcome::AuthRequired(_))), "{outcome:?}");
    assert!(app.take().is_empty());
    // Alice's session is as good as before.
    alice.get(&mut connection, "/staff/b").await;
    assert_eq!(alice.trace.last().unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn public_pages_are_proven_to_users_and_optional_ones_offered_to_guests() {
    let app = App::start().await;
    let site = several(&app).await;
    let mut connection = site.connect("http").await;
    let mut alice = User::new(&site.origin("http"), "alice", "correct horse");
    let guest = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", site.http);

    connection.send(guest("/open")).await;
    let open = connection.response("GET").await;
    assert_eq!(
        (open.status, open.field("www-authenticate"), open.field("optional-www-authenticate")),
        (200, None, None)
    );
    connection.send(guest("/maybe")).await;
    let maybe = connection.response("GET").await;
    assert_eq!((maybe.status, maybe.field("authentication-info")), (200, None));
    assert!(maybe.field("optional-www-authenticate").unwrap().contains("realm=\"Staff\""));
    assert!(app.take().iter().all(|seen| seen.field("tagai-user").is_none()));

    // The client logs in on the optional page, and its credentials are good on the public one.
    alice.get(&mut connection, "/maybe").await;
    let (_, proof) = alice.proof("/maybe", &connection.channel);
    app.take();
    connection.send(guest("/open").replace("\r\n\r\n", &format!("\r\nAuthorization: {proof}\r\n\r\n"))).await;
    let open = connection.response("GET").await;
    assert_eq!(open.status, 200);
    assert!(open.field("authentication-info").is_some_and(|info| info.contains("vks=")), "{open:?}");
    assert_eq!(app.take_one().field("authorization"), None);
    // And on a public page a proof that was used before is refused as anywhere.
    connection.send(guest("/open").replace("\r\n\r\n", &format!("\r\nAuthorization: {proof}\r\n\r\n"))).await;
    assert_eq!(connection.response("GET").await.status, 401);
    assert!(app.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_be_of_two_routes_is_refused() {
    let app = App::start().await;
    let site = several(&app).await;
    let mut connection = site.connect("http").await;
    for (target, status) in [
        ("/open/../admin", 400),
        ("/open/%2e%2e/admin", 400),
        ("/open/..%2fadmin", 400),
        ("/x/..;a/admin/b", 400),
        ("/%61dmin", 400),
        ("/admin/../open", 400),
        ("//admin", 400),
        ("/administrator", 200),
        ("/admin", 401),
        ("/admin/", 401),
        ("/admin?/../open", 401),
        ("/open/%252e%252e/admin", 400),
        ("/open/a%20b", 200),
    ] {
        connection.send(format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", site.http)).await;
        let response = connection.response("GET").await;
        assert_eq!(response.status, status, "{target}");
        for seen in app.take() {
            assert_eq!(status, 200, "{target} reached the application as {}", seen.target);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_of_a_route_are_kept() {
    let app = App::start().await;
    let site = several(&app).await;
    let mut connection = site.connect("http").await;
    connection
        .send(format!("PUT /read HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: 0\r\n\r\n", site.http))
        .await;
    let response = connection.response("PUT").await;
    assert_eq!((response.status, response.field("allow")), (405, Some("GET")));
    assert!(app.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_configured_is_misdirected() {
    let app = App::start().await;
    let site = several(&app).await;
    let mut connection = site.connect("http").await;
    let port = site.http;
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        // The same host (RFC 9110 §4.2.3, RFC 3986 §3.2.2).
        (format!("127.0.0.1.:{port}"), 200),
        (format!("evil.example:{port}"), 421),
        ("127.0.0.1".into(), 421),
        (format!("127.0.0.1:{}", site.https), 421),
        (format!("localhost:{port}"), 421),
    ] {
        connection.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        let response = connection.response("GET").await;
        assert!(
            response.status == status || (status == 421 && response.status == 400),
            "{host}: {}",
            response.status
        );
        assert_eq!(app.take().len(), usize::from(status == 200), "{host}");
    }
    // Over TLS nothing is configured at all.
    let mut connection = site.connect("https").await;
    connection.send(format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", site.https)).await;
    assert_eq!(connection.response("GET").await.status, 421);
}

fn hosts() -> Setup {
    let realms = "[[realm]]\nid = \"all\"\nname = \"Everybody\"\nscope = \"*.example.test\"\n";
    let sites = r#"
[[site]]
origins = ["http://a.example.test:{http}", "http://b.example.test:{http}", "https://c.example.test:{https}"]
[[site.route]]
path = "/"
access = "protected"
realm = "all"
upstream = "http://{app}"
"#;
    let users = vec![("all", "alice", "correct horse")];
    Setup { realms: realms.into(), sites: sites.into(), users, ..Setup::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_realm_spans_several_hosts() {
    let app = App::start().await;
    let site = Site::start(app.address, hosts()).await;
    for (scheme, host) in [("http", "a"), ("http", "b"), ("https", "c")] {
        let port = if scheme == "http" { site.http } else { site.https };
        let origin = Origin::parse(&format!("{scheme}://{host}.example.test:{port}")).unwrap();
        let mut connection = site.connect(scheme).await;
        let mut alice = User::new(&origin, "alice", "correct horse");
        alice.get(&mut connection, "/").await;
        let seen = app.take_one();
        assert_eq!(seen.field("tagai-realm"), Some("Everybody"));
        assert_eq!(seen.field("host"), Some(format!("{host}.example.test:{port}").as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_for_one_host_is_none_for_its_neighbour() {
    let app = App::start().await;
    let site = Site::start(app.address, hosts()).await;
    let origin = Origin::parse(&format!("http://a.example.test:{}", site.http)).unwrap();
    let mut connection = site.connect("http").await;
    let mut alice = User::new(&origin, "alice", "correct horse");
    alice.get(&mut connection, "/").await;
    app.take();
    let (_, proof) = alice.proof("/", &connection.channel);
    connection
        .send(format!("GET / HTTP/1.1\r\nHost: b.example.test:{}\r\nAuthorization: {proof}\r\n\r\n", site.http))
        .await;
    let refused = connection.response("GET").await;
    assert_eq!((refused.status, refused.field("authentication-info")), (401, None));
    assert!(app.take().is_empty());
}

/// A client that knows its user to be logged in takes no answer without proof.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_says_itself_is_proven_to_users() {
    let app = App::start().await;
    let sites = r#"
[[site]]
origins = ["http://127.0.0.1:{http}", "https://127.0.0.1:{https}"]
[[site.route]]
path = "/app"
access = "protected"
realm = "staff"
upstream = "http://{app}"
methods = ["GET", "PUT"]
max-body = "10B"
[[site.route]]
path = "/open"
access = "public"
upstream = "http://{app}"
"#;
    let site = Site::start(app.address, Setup { sites: sites.into(), ..Setup::default() }).await;
    for scheme in ["http", "https"] {
        let client = site.client(scheme);
        client.get(&site.url(scheme, "/app")).await.unwrap();
        for (method, path, body, status) in [
            ("GET", "/nowhere", "", 404),
            ("GET", "/app/..%2fopen", "", 400),
            ("DELETE", "/app/x", "", 405),
            ("GET", "/.well-known/tagai/logout", "", 405),
            ("PUT", "/app/x", "more than ten octets", 413),
        ] {
            let request = client.request(method.parse().unwrap(), &site.url(scheme, path)).body(body);
            let reply = request.send().await.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
            assert_eq!(reply.status(), status, "{method} {path}");
            assert!(reply.is_proven(), "{method} {path}");
        }
        // Strangers are told the same, without.
        let mut stranger = site.connect(scheme).await;
        let host = site.origin(scheme).to_string().split_once("//").unwrap().1.to_owned();
        for (method, path, status) in [("GET", "/nowhere", 404), ("DELETE", "/app/x", 405)] {
            stranger.send(format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
            let response = stranger.response(method).await;
            assert_eq!((response.status, response.field("authentication-info")), (status, None));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_every_realm_are_known_on_public_pages() {
    let app = App::start().await;
    let site = several(&app).await;
    let origin = site.origin("http");
    let mut connection = site.connect("http").await;
    for (name, password, path) in [("alice", "correct horse", "/staff"), ("root", "battery staple", "/admin")] {
        let mut user = User::new(&origin, name, password);
        user.get(&mut connection, path).await;
        app.take();
        let (sequence, proof) = user.proof(path, &connection.channel);
        let host = user.host();
        connection.send(format!("GET /open HTTP/1.1\r\nHost: {host}\r\nAuthorization: {proof}\r\n\r\n")).await;
        let response = connection.response("GET").await;
        assert_eq!(app.take_one().field("tagai-user"), Some(name));
        let judged = user.receive(sequence, response, &connection.channel);
        assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{judged:?}");
    }
}
