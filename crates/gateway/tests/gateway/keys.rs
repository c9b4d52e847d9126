//! Bare keys (RFC 7250), of clients and of the gateway.

use super::support::*;
use rcgen::{KeyPair, PublicKeyData as _};
use tagai_core::validation::Channel;
use tagai_store::principal::{DenialTarget, KeyPin, PrincipalKind, PrincipalStore as _};

const SITES: &str = r#"
[[site]]
origins = ["https://127.0.0.1:{https}"]
[[site.route]]
path = "/"
access = "protected"
proof = ["raw-key"]
upstream = "http://{app}"
[[site.route]]
path = "/users"
access = "protected"
proof = ["mutual", "raw-key"]
realm = "staff"
upstream = "http://{app}"
[[site.route]]
path = "/people"
access = "protected"
realm = "staff"
upstream = "http://{app}"
[[site.route]]
path = "/maybe"
access = "optional"
proof = ["raw-key"]
upstream = "http://{app}"
[[site]]
origins = ["https://a.example.test:{https}", "https://b.example.test:{https}"]
[[site.route]]
path = "/"
access = "protected"
proof = ["raw-key"]
upstream = "http://{app}"
[[site]]
origins = ["https://c.example.test:{https}"]
[[site.route]]
path = "/"
access = "public"
upstream = "http://{app}"
"#;

struct World {
    app: App,
    site: Site,
    /// The gateway's own.
    key: KeyPair,
}

async fn world() -> World {
    let (app, key) = (App::start().await, KeyPair::generate().unwrap());
    let setup = Setup {
        sites: SITES.into(),
        more: "\n[[raw-key]]\nkey = \"gateway.key\"\n".into(),
        files: vec![("gateway.key", key.serialize_pem())],
        ..Setup::default()
    };
    let site = Site::start(app.address, setup).await;
    World { app, site, key }
}

fn credential(key: &KeyPair) -> String {
    format!("key:{}", KeyPin::of_spki(&key.subject_public_key_info()))
}

impl World {
    async fn connect(&self, key: Option<&KeyPair>) -> Connection {
        TlsClient::pinning(&self.key, key).connect(self.site.https, "127.0.0.1").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_key_is_let_in_and_no_other() {
    let world = world().await;
    let (pump, stranger) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    world.site.register("pump", PrincipalKind::Device, &[&credential(&pump)]).await;
    let at = world.site.at("127.0.0.1");
    // The gateway shows its bare key to one of them, and its certificate to the other.
    let certified = TlsClient::with_key(&world.site.certificate, &pump).connect(world.site.https, "127.0.0.1").await;
    for mut known in [world.connect(Some(&pump)).await, certified] {
        assert_eq!(known.get(&at, "/", "").await.status, 200);
        let seen = world.app.take_one();
        assert_eq!((seen.field("tagai-principal"), seen.field("tagai-method")), (Some("pump"), Some("raw-key")));
    }
    let mut unknown = world.connect(Some(&stranger)).await;
    assert_eq!(unknown.get(&at, "/", "").await.verdict(), (403, "not-registered"));
    let mut nobody = world.connect(None).await;
    assert_eq!(nobody.get(&at, "/", "").await.verdict(), (403, "key-required"));
    assert!(world.app.take().is_empty());
    for connection in [&mut unknown, &mut nobody] {
        assert_eq!(connection.get(&at, "/maybe", "").await.status, 200);
        assert_eq!(world.app.take_one().field("tagai-principal"), None);
    }
    // What is registered while the connection is open counts on it.
    world.site.register("valve", PrincipalKind::Device, &[&credential(&stranger)]).await;
    assert_eq!(unknown.get(&at, "/", "").await.status, 200);
    assert_eq!(world.app.take_one().field("tagai-principal"), Some("valve"));
    // And who is denied is out on it.
    let denied = DenialTarget::Key(KeyPin::of_spki(&stranger.subject_public_key_info()));
    assert!(world.site.store().deny(&denied, "", "tests").unwrap());
    world.site.settle().await;
    assert_eq!(unknown.get(&at, "/", "").await.verdict(), (403, "denied"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_certificate_is_no_bare_key() {
    let world = world().await;
    let issued = Authority::new("Somebody").issue(client("device.example"));
    world.site.register("pump", PrincipalKind::Device, &[&credential(&issued.key)]).await;
    // Nobody asks for certificates here, and what is not asked for is not shown.
    let with = TlsClient::with(&world.site.certificate, &issued);
    let mut connection = with.connect(world.site.https, "127.0.0.1").await;
    let answer = connection.get(&world.site.at("127.0.0.1"), "/", "").await;
    assert_eq!(answer.verdict(), (403, "key-required"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_key_counts_for_the_host_of_the_handshake() {
    let world = world().await;
    let pump = KeyPair::generate().unwrap();
    world.site.register("pump", PrincipalKind::Device, &[&credential(&pump)]).await;
    let client = TlsClient::pinning(&world.key, Some(&pump));
    let mut connection = client.connect(world.site.https, "a.example.test").await;
    let at = |host| world.site.at(host);
    assert_eq!(connection.get(&at("a.example.test"), "/", "").await.status, 200);
    assert_eq!(connection.get(&at("b.example.test"), "/", "").await.status, 421);
    assert_eq!(connection.get(&at("127.0.0.1"), "/", "").await.status, 421);
    assert_eq!(connection.get(&at("c.example.test"), "/", "").await.status, 200);
}

/// A bare key has no certificate whose hash could bind a proof.
#[tokio::test(flavor = "multi_thread")]
async fn without_certificates_mutual_is_bound_by_the_exporter() {
    let world = world().await;
    let origin = world.site.origin("https");
    let mut alice = User::new(&origin, "alice", "correct horse");
    let mut connection = world.connect(None).await;
    assert!(matches!(connection.channel, Channel::Exporter(_)));
    for path in ["/people", "/users"] {
        alice.get(&mut connection, path).await;
        let seen = world.app.take_one();
        assert_eq!(seen.field("tagai-principal"), Some("staff/alice"), "{path}");
        assert_eq!(seen.field("tagai-method"), Some("mutual"), "{path}");
    }
    // A proof that was made for this connection is none on another, with whatever key.
    let mut other = world.connect(None).await;
    assert!(other.channel != connection.channel);
    let (_, proof) = alice.proof("/people", &connection.channel);
    let answer = other.get(&alice.host(), "/people", &format!("Authorization: {proof}\r\n")).await;
    assert_eq!((answer.status, answer.field("authentication-info")), (401, None));
    assert!(world.app.take().is_empty());
}

/// Whoever holds a key that nobody knows can still log in, where the route takes users as well.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_keeps_no_user_from_logging_in() {
    let world = world().await;
    let mut connection = world.connect(Some(&KeyPair::generate().unwrap())).await;
    let mut alice = User::new(&world.site.origin("https"), "alice", "correct horse");
    alice.get(&mut connection, "/users").await;
    assert_eq!(world.app.take_one().field("tagai-method"), Some("mutual"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_gateway_key_is_not_taken_by_who_has_pinned_this_one() {
    let world = world().await;
    let other = KeyPair::generate().unwrap();
    let failed = TlsClient::pinning(&other, None).try_connect(world.site.https, "127.0.0.1").await;
    assert!(failed.is_err());
    // A new key is for new connections, and the old connection goes on.
    let mut open = world.connect(None).await;
    world.site.write_file("gateway.key", &other.serialize_pem());
    world.site.gateway.reload().await.unwrap();
    TlsClient::pinning(&other, None).connect(world.site.https, "127.0.0.1").await;
    assert!(TlsClient::pinning(&world.key, None).try_connect(world.site.https, "127.0.0.1").await.is_err());
    assert_eq!(open.get(&world.site.at("127.0.0.1"), "/maybe", "").await.status, 200);
}
