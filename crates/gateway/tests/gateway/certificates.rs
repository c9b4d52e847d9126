//! Certificates: which routes take whose, who is asked for one, and on which connections they count.

use super::support::*;
use bytes::Bytes;
use http::{Request, Version};
use http_body_util::Empty;
use hyper::client::conn::http2::SendRequest;
use rcgen::{ExtendedKeyUsagePurpose, SanType};
use tagai_store::principal::PrincipalKind;

const CAS: &str = r#"
[[client-ca]]
id = "a"
certificates = "a.pem"
[[client-ca]]
id = "b"
certificates = "b.pem"
"#;

/// `a` and `b` take certificates, `c` does not.
const SITES: &str = r#"
[[site]]
origins = ["https://a.example.test:{https}", "https://127.0.0.1:{https}"]
[[site.route]]
path = "/"
access = "protected"
proof = ["x509"]
client-ca = ["a"]
upstream = "http://{app}"
[[site.route]]
path = "/b"
access = "protected"
proof = ["x509"]
client-ca = ["b"]
upstream = "http://{app}"
[[site.route]]
path = "/either"
access = "protected"
proof = ["x509"]
client-ca = ["b", "a"]
upstream = "http://{app}"
[[site.route]]
path = "/maybe"
access = "optional"
proof = ["x509"]
client-ca = ["a"]
upstream = "http://{app}"
[[site.route]]
path = "/open"
access = "public"
upstream = "http://{app}"
[[site]]
origins = ["https://b.example.test:{https}"]
[[site.route]]
path = "/"
access = "protected"
proof = ["x509"]
client-ca = ["a"]
upstream = "http://{app}"
[[site]]
origins = ["https://c.example.test:{https}"]
[[site.route]]
path = "/"
access = "public"
upstream = "http://{app}"
"#;

const A: &str = "a.example.test";
const B: &str = "b.example.test";
const C: &str = "c.example.test";

struct World {
    app: App,
    site: Site,
    a: Authority,
    b: Authority,
}

/// Two authorities with one name, and other keys.
async fn world() -> World {
    let (app, a, b) = (App::start().await, Authority::new("Partners"), Authority::new("Partners"));
    let setup = Setup {
        realms: CAS.into(),
        sites: SITES.into(),
        files: vec![("a.pem", a.pem()), ("b.pem", b.pem())],
        users: Vec::new(),
        ..Setup::default()
    };
    let site = Site::start(app.address, setup).await;
    World { app, site, a, b }
}

impl World {
    async fn connect(&self, issued: &Issued) -> Connection {
        TlsClient::with(&self.site.certificate, issued).connect(self.site.https, A).await
    }

    /// What comes of a request to `a` with this certificate.
    async fn verdict(&self, issued: &Issued, path: &str) -> (u16, String) {
        let answer = self.connect(issued).await.get(&self.site.at(A), path, "").await;
        let (status, code) = answer.verdict();
        (status, code.to_owned())
    }

    /// Whom the application has seen since the last time; none if it was a guest.
    fn seen(&self) -> Option<String> {
        let seen = self.app.take_one();
        let method = seen.field("tagai-method");
        let principal = seen.field("tagai-principal").map(str::to_owned);
        assert_eq!(method, principal.as_ref().map(|_| "x509"), "{seen:?}");
        principal
    }
}

fn refused(code: &str) -> (u16, String) {
    (403, code.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_of_a_host_asks_for_what_it_needs() {
    let world = world().await;
    let at = world.site.at(A);
    let mut guest = TlsClient::plain(&world.site.certificate).connect(world.site.https, A).await;
    for (path, status) in [("/", 403), ("/b", 403), ("/either", 403)] {
        assert_eq!(guest.get(&at, path, "").await.verdict(), (status, "certificate-required"), "{path}");
    }
    assert!(world.app.take().is_empty());
    for path in ["/maybe", "/open"] {
        assert_eq!(guest.get(&at, path, "").await.status, 200, "{path}");
        assert_eq!(world.seen(), None, "{path}");
    }
    let mut device = world.connect(&world.a.issue(client("device.example"))).await;
    for path in ["/", "/either", "/maybe"] {
        assert_eq!(device.get(&at, path, "").await.status, 200, "{path}");
        assert_eq!(world.seen().as_deref(), Some("a/dns:device.example"), "{path}");
    }
    // A public page is for everybody, and nobody is told who reads it.
    assert_eq!(device.get(&at, "/open", "").await.status, 200);
    assert_eq!(world.seen(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_known_by_its_address_takes_certificates_too() {
    let world = world().await;
    let with = TlsClient::with(&world.site.certificate, &world.a.issue(client("device.example")));
    let mut device = with.connect(world.site.https, "127.0.0.1").await;
    assert_eq!(device.get(&world.site.at("127.0.0.1"), "/", "").await.status, 200);
    assert_eq!(world.seen().as_deref(), Some("a/dns:device.example"));
    let mut guest = TlsClient::plain(&world.site.certificate).connect(world.site.https, "127.0.0.1").await;
    let answer = guest.get(&world.site.at("127.0.0.1"), "/", "").await;
    assert_eq!(answer.verdict(), (403, "certificate-required"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_where_no_route_takes_certificates() {
    let world = world().await;
    let (browser, asked) = TlsClient::recording(&world.site.certificate);
    for host in [C, "unknown.example.test"] {
        browser.connect(world.site.https, host).await;
        assert_eq!(asked.take().len(), 0, "{host}");
    }
    for (host, hints) in [(A, 1), (B, 1), ("127.0.0.1", 1)] {
        browser.connect(world.site.https, host).await;
        let all = asked.take();
        assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [hints], "{host}");
        let name = b"Partners";
        assert!(all[0][0].windows(name.len()).any(|part| part == name), "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_authority_with_the_same_names_is_refused() {
    let world = world().await;
    let of_b = world.b.issue(client("device.example"));
    assert_eq!(world.verdict(&of_b, "/").await, refused("certificate-unknown-ca"));
    let stranger = Authority::new("Partners").issue(client("device.example"));
    for path in ["/", "/b", "/either"] {
        assert_eq!(world.verdict(&stranger, path).await, refused("certificate-unknown-ca"), "{path}");
    }
    // With the authority itself sent along, which nobody trusts for that.
    let forged = Authority::new("Partners");
    let with = TlsClient::with_chain(&world.site.certificate, &forged.issue(client("device.example")), &[&forged]);
    let answer = with.connect(world.site.https, A).await.get(&world.site.at(A), "/", "").await;
    assert_eq!(answer.verdict(), (403, "certificate-unknown-ca"));
    assert!(world.app.take().is_empty());
    // On an optional route it is nothing.
    assert_eq!(world.verdict(&of_b, "/maybe").await.0, 200);
    assert_eq!(world.seen(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_names_of_two_authorities_are_two_principals() {
    let world = world().await;
    let (of_a, of_b) = (world.a.issue(client("device.example")), world.b.issue(client("device.example")));
    for (issued, path, principal) in [
        (&of_a, "/", "a/dns:device.example"),
        (&of_b, "/b", "b/dns:device.example"),
        (&of_a, "/either", "a/dns:device.example"),
        (&of_b, "/either", "b/dns:device.example"),
    ] {
        assert_eq!(world.verdict(issued, path).await.0, 200, "{path}");
        assert_eq!(world.seen().as_deref(), Some(principal), "{path}");
    }
    world.site.register("pump", PrincipalKind::Device, &["x509:a/dns:device.example"]).await;
    for (issued, path, principal) in
        [(&of_a, "/", "pump"), (&of_b, "/b", "b/dns:device.example"), (&of_b, "/either", "b/dns:device.example")]
    {
        assert_eq!(world.verdict(issued, path).await.0, 200, "{path}");
        assert_eq!(world.seen().as_deref(), Some(principal), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_prove_nothing_here_are_refused() {
    let world = world().await;
    let server = Wanted { usage: ExtendedKeyUsagePurpose::ServerAuth, ..client("device.example") };
    let expired = Wanted { days: (-9, -1), ..client("device.example") };
    let early = Wanted { days: (1, 9), ..client("device.example") };
    let nameless = Wanted { names: vec![SanType::IpAddress([192, 0, 2, 1].into())], ..client("device.example") };
    for (wanted, code) in [
        (server, "certificate-not-for-clients"),
        (expired, "certificate-expired"),
        (early, "certificate-not-yet-valid"),
        (nameless, "certificate-no-name"),
    ] {
        let issued = world.a.issue(wanted);
        assert_eq!(world.verdict(&issued, "/").await, refused(code));
        assert_eq!(world.verdict(&issued, "/maybe").await.0, 200, "{code}");
        assert_eq!(world.seen(), None, "{code}");
    }
    // The log has what the client is not told.
    let answer = world.connect(&world.b.issue(client("who.example"))).await.get(&world.site.at(A), "/", "").await;
    let (_, id) = answer.refusal();
    let lines = logged(id);
    assert!(
        lines.iter().any(|line| line.contains("certificate-unknown-ca") && line.contains("Partners")),
        "{lines:?}"
    );
    assert!(!answer.text().contains("Partners"), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_may_let_in_registered_principals_alone() {
    let mut world = world().await;
    world.site.setup.realms =
        CAS.replace("certificates = \"a.pem\"", "certificates = \"a.pem\"\nunregistered = \"refuse\"");
    world.site.write_config();
    world.site.gateway.reload().await.unwrap();
    let device = world.a.issue(client("device.example"));
    assert_eq!(world.verdict(&device, "/").await, refused("not-registered"));
    assert_eq!(world.verdict(&device, "/maybe").await.0, 200);
    assert_eq!(world.seen(), None);
    world.site.register("pump", PrincipalKind::Device, &["x509:a/dns:device.example"]).await;
    assert_eq!(world.verdict(&device, "/").await.0, 200);
    assert_eq!(world.seen().as_deref(), Some("pump"));
    assert_eq!(world.verdict(&world.a.issue(client("other.example")), "/").await, refused("not-registered"));
}

async fn http2(sender: &mut SendRequest<Empty<Bytes>>, at: &str, path: &str) -> u16 {
    let request = Request::builder().version(Version::HTTP_2).uri(format!("https://{at}{path}"));
    patiently(sender.send_request(request.body(Empty::new()).unwrap())).await.unwrap().status().as_u16()
}

/// The certificate of the gateway is for all of these hosts, so a browser would send requests for one on a connection to another.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_connection_to_one_host_no_certificate_counts_for_another() {
    let world = world().await;
    let (a, b, c) = (world.site.at(A), world.site.at(B), world.site.at(C));
    let client = TlsClient::with(&world.site.certificate, &world.a.issue(client("device.example")));
    let mut to_a = client.http2(world.site.https, A).await;
    assert_eq!(http2(&mut to_a, &a, "/").await, 200);
    assert_eq!(http2(&mut to_a, &b, "/").await, 421, "it has to make a connection of its own");
    assert_eq!(http2(&mut to_a, &c, "/").await, 200, "whoever asks for nothing does not care");
    assert_eq!(http2(&mut to_a, &a, "/").await, 200, "and the connection is as good as before");
    assert_eq!(world.app.take().len(), 3);
    // Nobody was asked on this one, so nothing can be missing here either.
    let mut to_c = client.http2(world.site.https, C).await;
    assert_eq!(http2(&mut to_c, &c, "/").await, 200);
    for path in ["/", "/maybe", "/b", "/either"] {
        assert_eq!(http2(&mut to_c, &a, path).await, 421, "{path}");
    }
    assert_eq!(http2(&mut to_c, &a, "/open").await, 200);
    // HTTP/1.1 is no other, nor are capitals or a dot at the end.
    let mut to_a = client.connect(world.site.https, A).await;
    assert_eq!(to_a.get(&b, "/", "").await.status, 421);
    assert_eq!(to_a.get(&b.to_uppercase(), "/", "").await.status, 421);
    assert_eq!(to_a.get(&a.to_uppercase(), "/", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_no_host_in_the_handshake_cannot_ask_a_named_one() {
    let world = world().await;
    let client = TlsClient::with(&world.site.certificate, &world.a.issue(client("device.example")));
    let mut unnamed = client.connect(world.site.https, "127.0.0.1").await;
    for path in ["/", "/maybe"] {
        assert_eq!(unnamed.get(&world.site.at(A), path, "").await.status, 421, "{path}");
    }
    assert_eq!(unnamed.get(&world.site.at(A), "/open", "").await.status, 200);
    // Nor is a host with a name one without.
    let mut named = client.connect(world.site.https, A).await;
    assert_eq!(named.get(&world.site.at("127.0.0.1"), "/", "").await.status, 421);
}
