//! One principal, whatever it was proven with.

use super::support::*;
use base64ct::{Base64, Encoding as _};
use rcgen::{KeyPair, PublicKeyData as _};
use tagai_store::principal::{KeyPin, PrincipalKind, PrincipalName, PrincipalStore as _};

const SITES: &str = r#"
[[site]]
origins = ["https://127.0.0.1:{https}"]
[[site.route]]
path = "/"
access = "protected"
proof = ["mutual", "x509", "raw-key", "password-tls"]
realm = "staff"
client-ca = ["fleet"]
upstream = "http://{app}"
[[site.route]]
path = "/maybe"
access = "optional"
proof = ["mutual", "x509", "password-tls"]
realm = "staff"
client-ca = ["fleet"]
upstream = "http://{app}"
[[site.route]]
path = "/open"
access = "public"
upstream = "http://{app}"
"#;

struct World {
    app: App,
    site: Site,
    certified: TlsClient,
    key: KeyPair,
}

async fn world(realm: &str) -> World {
    let (app, fleet) = (App::start().await, Authority::new("Fleet"));
    let setup = Setup {
        realms: REALM.replace("name =", &format!("{realm}\nname =")),
        sites: SITES.into(),
        more: "\n[[client-ca]]\nid = \"fleet\"\ncertificates = \"fleet.pem\"\n".into(),
        files: vec![("fleet.pem", fleet.pem())],
        ..Setup::default()
    };
    let site = Site::start(app.address, setup).await;
    let certified = TlsClient::with(&site.certificate, &fleet.issue(client("alice.example")));
    World { app, site, certified, key: KeyPair::generate().unwrap() }
}

const PASSWORD: &str = "correct horse";

impl World {
    async fn register(&self) -> PrincipalName {
        let key = format!("key:{}", KeyPin::of_spki(&self.key.subject_public_key_info()));
        let all = ["user:staff/alice", "x509:fleet/dns:alice.example", &key];
        let name = self.site.register("alice", PrincipalKind::Person, &all).await;
        for group in ["ops", "night"] {
            self.site.store().add_to_group(&name, &group.parse().unwrap()).unwrap();
        }
        self.site.settle().await;
        name
    }

    fn basic(&self) -> String {
        format!("Authorization: Basic {}\r\n", Base64::encode_string(format!("alice:{PASSWORD}").as_bytes()))
    }

    /// Asks by each method; what came of it, in the order of the methods below.
    async fn all(&self) -> Vec<Response> {
        let (at, https) = (self.site.at("127.0.0.1"), self.site.https);
        let mut plain = self.site.connect("https").await;
        let mut user = User::new(&self.site.origin("https"), "alice", PASSWORD);
        let mutual = user.get(&mut plain, "/").await;
        let x509 = self.certified.connect(https, "127.0.0.1").await.get(&at, "/", "").await;
        let keyed = TlsClient::with_key(&self.site.certificate, &self.key);
        let raw = keyed.connect(https, "127.0.0.1").await.get(&at, "/", "").await;
        let basic = plain.get(&at, "/", &self.basic()).await;
        vec![mutual, x509, raw, basic]
    }
}

const METHODS: [&str; 4] = ["mutual", "x509", "raw-key", "password-tls"];

#[tokio::test(flavor = "multi_thread")]
async fn the_application_sees_one_principal_by_every_method() {
    let world = world("").await;
    world.register().await;
    assert!(world.all().await.iter().all(|answer| answer.status == 200));
    let seen = world.app.take();
    assert_eq!(seen.len(), 4);
    for (seen, method) in seen.iter().zip(METHODS) {
        assert_eq!(seen.field("tagai-method"), Some(method));
        assert_eq!(seen.field("tagai-principal"), Some("alice"), "{method}");
        assert_eq!(seen.field("tagai-groups"), Some("night,ops"), "{method}");
        let user = matches!(method, "mutual" | "password-tls").then_some("alice");
        assert_eq!(seen.field("tagai-user"), user, "{method}");
    }
    for method in METHODS {
        let name = format!("tagai_proven_requests_total{{method=\"{method}\"}}");
        assert_eq!(world.site.metric(&name), Some(1), "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_disabled_is_out_by_every_method() {
    let world = world("").await;
    let name = world.register().await;
    let mut open = world.certified.connect(world.site.https, "127.0.0.1").await;
    let at = world.site.at("127.0.0.1");
    assert_eq!(open.get(&at, "/", "").await.status, 200);
    let mut connection = world.site.connect("https").await;
    let mut user = User::new(&world.site.origin("https"), "alice", PASSWORD);
    user.get(&mut connection, "/").await;
    world.app.take();
    assert!(world.site.store().set_principal_disabled(&name, true).unwrap());
    world.site.settle().await;
    assert_eq!(open.get(&at, "/", "").await.verdict(), (403, "disabled"), "on a connection that is open");
    for (answer, method) in world.all().await.iter().zip(METHODS) {
        assert_eq!(answer.verdict(), (403, "disabled"), "{method}");
    }
    assert!(world.app.take().is_empty());
    // Where everybody may be, they are guests.
    assert_eq!(open.get(&at, "/maybe", "").await.status, 200);
    assert_eq!(world.app.take_one().field("tagai-principal"), None);
    // Let in again, there is no session of before.
    assert!(world.site.store().set_principal_disabled(&name, false).unwrap());
    world.site.settle().await;
    let (_, proof) = user.proof("/", &connection.channel);
    let answer = connection.get(&at, "/", &format!("Authorization: {proof}\r\n")).await;
    assert_eq!((answer.status, answer.field("authentication-info")), (401, None));
    assert_eq!(open.get(&at, "/", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_may_let_in_registered_principals_alone() {
    let world = world("unregistered = \"refuse\"").await;
    let mut connection = world.site.connect("https").await;
    let mut user = User::new(&world.site.origin("https"), "alice", PASSWORD);
    let answer = user.get(&mut connection, "/").await;
    assert_eq!(answer.verdict(), (403, "not-registered"));
    let at = world.site.at("127.0.0.1");
    assert_eq!(connection.get(&at, "/", &world.basic()).await.verdict(), (403, "not-registered"));
    assert!(world.app.take().is_empty());
    world.register().await;
    assert!(world.all().await.iter().all(|answer| answer.status == 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_is_taken_away_is_its_own_again() {
    let world = world("").await;
    let name = world.register().await;
    let credential = "x509:fleet/dns:alice.example".parse().unwrap();
    assert!(world.site.store().unbind(&name, &credential).unwrap());
    world.site.settle().await;
    let answers = world.all().await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let principals: Vec<_> =
        world.app.take().iter().map(|seen| seen.field("tagai-principal").unwrap().to_owned()).collect();
    assert_eq!(principals, ["alice", "fleet/dns:alice.example", "alice", "alice"]);
    // A bare key that is nobody's lets nobody in.
    let key = format!("key:{}", KeyPin::of_spki(&world.key.subject_public_key_info())).parse().unwrap();
    assert!(world.site.store().unbind(&name, &key).unwrap());
    world.site.settle().await;
    let keyed = TlsClient::with_key(&world.site.certificate, &world.key);
    let answer = keyed.connect(world.site.https, "127.0.0.1").await.get(&world.site.at("127.0.0.1"), "/", "").await;
    assert_eq!(answer.status, 401, "but they may log in");
    assert!(world.app.take().is_empty());
}

/// Whoever shows a certificate and logs in is known by the login.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_come_before_certificates() {
    let world = world("").await;
    let mut connection = world.certified.connect(world.site.https, "127.0.0.1").await;
    let at = world.site.at("127.0.0.1");
    assert_eq!(connection.get(&at, "/", "").await.status, 200);
    assert_eq!(world.app.take_one().field("tagai-principal"), Some("fleet/dns:alice.example"));
    assert_eq!(connection.get(&at, "/", &world.basic()).await.status, 200);
    assert_eq!(world.app.take_one().field("tagai-principal"), Some("staff/alice"));
    // A wrong password is not made good by a certificate.
    let wrong = format!("Authorization: Basic {}\r\n", Base64::encode_string(b"alice:wrong"));
    assert_eq!(connection.get(&at, "/", &wrong).await.status, 401);
    assert!(world.app.take().is_empty());
}

/// Browsers send a password again below the path where it was asked for, whatever the route there is.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_shown_to_no_application_of_the_host() {
    let world = world("").await;
    let (mut connection, at) = (world.site.connect("https").await, world.site.at("127.0.0.1"));
    for path in ["/open", "/maybe", "/"] {
        assert_eq!(connection.get(&at, path, &world.basic()).await.status, 200, "{path}");
        assert!(!world.app.take_one().fields.contains_key("authorization"), "{path}");
    }
    // What is no password is the application's own business.
    assert_eq!(connection.get(&at, "/open", "Authorization: Bearer x\r\n").await.status, 200);
    assert_eq!(world.app.take_one().field("authorization"), Some("Bearer x"));
}
