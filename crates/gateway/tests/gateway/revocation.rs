//! Whoever is revoked or denied is out: on new connections, on open ones, and on those that resume an earlier TLS session.

use super::support::*;
use tagai_store::principal::{DenialTarget, KeyPin, PrincipalKind, PrincipalStore as _, SubjectName};

const SITES: &str = r#"
[[site]]
origins = ["https://127.0.0.1:{https}"]
[[site.route]]
path = "/"
access = "protected"
proof = ["mutual", "x509"]
realm = "staff"
client-ca = ["fleet"]
upstream = "http://{app}"
"#;

struct World {
    app: App,
    site: Site,
    fleet: Authority,
}

/// With these lines about lists, and the files that they name, made by the authority.
async fn world(crls: &str, files: impl FnOnce(&Authority) -> Vec<(&'static str, String)>) -> World {
    let (app, fleet) = (App::start().await, Authority::new("Fleet"));
    let mut files = files(&fleet);
    files.push(("fleet.pem", fleet.pem()));
    let section = format!("\n[[client-ca]]\nid = \"fleet\"\ncertificates = \"fleet.pem\"\n{crls}");
    let setup = Setup { sites: SITES.into(), more: section, files, ..Setup::default() };
    let site = Site::start(app.address, setup).await;
    World { app, site, fleet }
}

impl World {
    fn issue(&self, serial: u64) -> Issued {
        self.fleet.issue(Wanted { serial, ..client("device.example") })
    }

    fn client(&self, issued: &Issued) -> TlsClient {
        TlsClient::with(&self.site.certificate, issued)
    }

    async fn connect(&self, client: &TlsClient) -> Connection {
        client.connect(self.site.https, "127.0.0.1").await
    }

    /// What comes of a request on this connection: the status, and whether the application has seen it.
    async fn asks(&self, connection: &mut Connection) -> (u16, bool) {
        let answer = connection.get(&self.site.at("127.0.0.1"), "/", "").await;
        let reached = !self.app.take().is_empty();
        (answer.status, reached)
    }

    async fn serial(&self, serial: u64) -> (u16, bool) {
        let mut connection = self.connect(&self.client(&self.issue(serial))).await;
        self.asks(&mut connection).await
    }
}

const IN: (u16, bool) = (200, true);
/// Mutual is left to them.
const OUT: (u16, bool) = (401, false);

const ONE: &str = "crls = [\"one.crl\"]\ncrl-policy = \"refuse\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_names_is_refused_and_nothing_else() {
    let world = world(ONE, |fleet| vec![("one.crl", fleet.crl(1, (-1, 9), &[7, 300]))]).await;
    assert_eq!(world.serial(7).await, OUT);
    assert_eq!(world.serial(300).await, OUT);
    assert_eq!(world.serial(8).await, IN);
    let code = "tagai_refusals_total{code=\"certificate-revoked\"}";
    assert_eq!(world.site.metric(code), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_list_counts_wherever_it_stands() {
    for order in ["\"old.crl\", \"new.crl\"", "\"new.crl\", \"old.crl\""] {
        let lines = format!("crls = [{order}]\ncrl-policy = \"refuse\"\n");
        let files = |fleet: &Authority| {
            // The old one ran out, knows nothing of 7, and still has 8, which is good again.
            vec![("old.crl", fleet.crl(1, (-20, -10), &[8])), ("new.crl", fleet.crl(2, (-1, 9), &[7]))]
        };
        let world = world(&lines, files).await;
        assert_eq!(world.serial(7).await, OUT, "{order}");
        assert_eq!(world.serial(8).await, IN, "{order}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_list_knows_is_refused_or_accepted_as_the_configuration_says() {
    let old = |fleet: &Authority| vec![("one.crl", fleet.crl(1, (-20, -10), &[7]))];
    let refuse = world(ONE, old).await;
    assert_eq!((refuse.serial(8).await, refuse.serial(7).await), (OUT, OUT));
    let code = "tagai_refusals_total{code=\"certificate-status-unknown\"}";
    assert!(refuse.site.metric(code).is_some_and(|count| count >= 1));
    let accept = world(&ONE.replace("refuse", "accept"), old).await;
    assert_eq!((accept.serial(8).await, accept.serial(7).await), (IN, OUT), "who is named in it stays out");
    // A server that does not answer is no list.
    let nowhere = "crls = [\"http://127.0.0.1:1/fleet.crl\"]\ncrl-policy = \"refuse\"\n";
    assert_eq!(world(nowhere, |_| Vec::new()).await.serial(8).await, OUT);
    assert_eq!(world(&nowhere.replace("refuse", "accept"), |_| Vec::new()).await.serial(8).await, IN);
}

/// The session of TLS knows of no list.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_list_ends_what_is_open_and_what_is_resumed() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let world = world(ONE, |fleet| vec![("one.crl", fleet.crl(1, (-1, 9), &[]))]).await;
        let client = TlsClient::with_versions(&world.site.certificate, &world.issue(7), &[version]);
        let mut open = world.connect(&client).await;
        assert_eq!(world.asks(&mut open).await, IN, "{version:?}");
        // Resumption works, and who resumes is who they were.
        let (mut resumed, was) = client.try_connect(world.site.https, "127.0.0.1").await.unwrap();
        assert!(was, "{version:?}");
        assert_eq!(world.asks(&mut resumed).await, IN, "{version:?}");

        world.site.write_file("one.crl", &world.fleet.crl(2, (-1, 9), &[7]));
        // A reload makes new configurations of TLS; what is open stays so.
        world.site.gateway.reload().await.unwrap();
        for connection in [&mut open, &mut resumed] {
            assert_eq!(world.asks(connection).await, OUT, "{version:?}");
        }
        for _ in 0..2 {
            let mut again = world.connect(&client).await;
            assert_eq!(world.asks(&mut again).await, OUT, "{version:?}");
        }
        assert_eq!(world.serial(8).await, IN);
        // What the next list does not name is good again, on the same connection.
        world.site.write_file("one.crl", &world.fleet.crl(3, (-1, 9), &[]));
        world.site.gateway.reload().await.unwrap();
        assert_eq!(world.asks(&mut open).await, IN, "{version:?}");
    }
}

/// Nothing makes new configurations of TLS here, so the session is really resumed.
#[tokio::test(flavor = "multi_thread")]
async fn who_resumes_a_session_is_looked_for_on_the_deny_list() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let world = world("", |_| Vec::new()).await;
        let client = TlsClient::with_versions(&world.site.certificate, &world.issue(7), &[version]);
        let mut open = world.connect(&client).await;
        assert_eq!(world.asks(&mut open).await, IN);
        let target = DenialTarget::Serial { serial: "07".parse().unwrap(), client_ca: None };
        assert!(world.site.store().deny(&target, "lost", "tests").unwrap());
        world.site.settle().await;
        let (mut resumed, was) = client.try_connect(world.site.https, "127.0.0.1").await.unwrap();
        assert!(was, "{version:?}");
        assert_eq!(world.asks(&mut resumed).await, (403, false), "{version:?}");
        assert_eq!(world.asks(&mut open).await, (403, false), "{version:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_wrong_is_not_taken_over() {
    let world = world(ONE, |fleet| vec![("one.crl", fleet.crl(1, (-1, 9), &[7]))]).await;
    for wrong in [
        String::from("-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n"),
        Authority::new("Fleet").crl(9, (-1, 9), &[]),
    ] {
        world.site.write_file("one.crl", &wrong);
        let error = world.site.gateway.reload().await.unwrap_err().to_string();
        assert!(error.contains("one.crl"), "{error}");
        assert_eq!((world.serial(7).await, world.serial(8).await), (OUT, IN));
    }
    assert_eq!(world.site.metric("tagai_reloads_total{result=\"failure\"}"), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deny_list_keeps_out_by_number_key_and_name_and_lets_in_again() {
    let world = world("", |_| Vec::new()).await;
    let (device, other) = (world.issue(7), world.fleet.issue(Wanted { serial: 9, ..client("other.example") }));
    let mut open = world.connect(&world.client(&device)).await;
    let mut others = world.connect(&world.client(&other)).await;
    let key = KeyPin::of_spki(&rcgen::PublicKeyData::subject_public_key_info(&device.key));
    let name: SubjectName = "fleet/dns:device.example".parse().unwrap();
    let serial = |client_ca: Option<&str>| DenialTarget::Serial {
        serial: "07".parse().unwrap(),
        client_ca: client_ca.map(|id| id.parse().unwrap()),
    };
    for target in [serial(None), serial(Some("fleet")), DenialTarget::Key(key), DenialTarget::Principal(name)] {
        assert_eq!(world.asks(&mut open).await, IN, "{target}");
        assert!(world.site.store().deny(&target, "stolen from a car", "tests").unwrap());
        world.site.settle().await;
        let answer = open.get(&world.site.at("127.0.0.1"), "/", "").await;
        assert_eq!(answer.verdict(), (403, "denied"), "{target}");
        assert!(world.app.take().is_empty());
        // Why, is for the log.
        let (_, id) = answer.refusal();
        assert!(logged(id).iter().any(|line| line.contains("stolen from a car")), "{target}");
        assert!(!answer.text().contains("stolen"), "{}", answer.text());
        assert_eq!(world.asks(&mut others).await, IN, "{target}");
        assert!(world.site.store().allow(&target).unwrap());
        world.site.settle().await;
    }
    assert_eq!(world.asks(&mut open).await, IN);
    // The number of another authority's certificate is another.
    assert!(world.site.store().deny(&serial(Some("partners")), "", "").unwrap());
    world.site.settle().await;
    assert_eq!(world.asks(&mut open).await, IN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_ends_the_sessions_of_a_user() {
    for registered in [false, true] {
        let world = world("", |_| Vec::new()).await;
        let name = if registered { "alice" } else { "staff/alice" };
        if registered {
            world.site.register("alice", PrincipalKind::Person, &["user:staff/alice"]).await;
        }
        let origin = world.site.origin("https");
        let mut connection = world.site.connect("https").await;
        let mut alice = User::new(&origin, "alice", "correct horse");
        alice.get(&mut connection, "/").await;
        let target = DenialTarget::Principal(name.parse().unwrap());
        assert!(world.site.store().deny(&target, "", "tests").unwrap());
        world.site.settle().await;
        // Let in again, the session does not come back: what is seen now was seen after the sessions were ended.
        assert!(world.site.store().allow(&target).unwrap());
        world.site.settle().await;
        world.app.take();
        let (_, proof) = alice.proof("/", &connection.channel);
        let answer = connection.get(&alice.host(), "/", &format!("Authorization: {proof}\r\n")).await;
        assert_eq!((answer.status, answer.field("authentication-info")), (401, None));
        assert!(world.app.take().is_empty());
        let mut again = User::new(&origin, "alice", "correct horse");
        again.get(&mut connection, "/").await;
        assert_eq!(world.app.take_one().field("tagai-principal"), Some(name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_user_can_log_in_and_is_told_no_with_proof() {
    let world = world("", |_| Vec::new()).await;
    let target = DenialTarget::Principal("staff/alice".parse().unwrap());
    assert!(world.site.store().deny(&target, "", "tests").unwrap());
    world.site.settle().await;
    let mut connection = world.site.connect("https").await;
    let mut alice = User::new(&world.site.origin("https"), "alice", "correct horse");
    let answer = alice.get(&mut connection, "/").await;
    assert_eq!(answer.verdict(), (403, "denied"));
    assert!(answer.field("authentication-info").is_some_and(|proof| proof.contains("vks=")));
    assert!(world.app.take().is_empty());
}
