//! Who may do what: rules of one line, a policy file, what is said on the wire and what in the log.

use super::support::*;
use tagai_store::principal::{PrincipalKind, PrincipalStore as _};

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
[[site.route]]
path = "/ops"
access = "protected"
proof = ["mutual", "x509"]
realm = "staff"
client-ca = ["fleet"]
allow = ["group:ops and proof:x509", "staff/alice and method:GET"]
upstream = "http://{app}"
[[site.route]]
path = "/open"
access = "public"
upstream = "http://{app}"
[[site.route]]
path = "/maybe"
access = "optional"
realm = "staff"
upstream = "http://{app}"
[log]
audit = "audit.log"
"#;

/// Everybody may read, and nobody but a member of `ops` may see what is below `/private`.
const POLICY: &str = r#"
@id("readers")
permit (principal is Principal, action == Action::"Request", resource)
when { context.method == "GET" };
@id("private")
forbid (principal, action, resource)
when { context.path like "*/private*" }
unless { principal is Principal && principal in Group::"ops" };
"#;

struct World {
    app: App,
    site: Site,
    device: TlsClient,
}

async fn world(policy: Option<&str>) -> World {
    let (app, fleet) = (App::start().await, Authority::new("Fleet"));
    let mut more = "\n[[client-ca]]\nid = \"fleet\"\ncertificates = \"fleet.pem\"\n".to_owned();
    let mut files = vec![("fleet.pem", fleet.pem())];
    if let Some(policy) = policy {
        more += "[policy]\nfile = \"policy.cedar\"\n";
        files.push(("policy.cedar", policy.to_owned()));
    }
    let setup = Setup { sites: SITES.into(), more, files, ..Setup::default() };
    let site = Site::start(app.address, setup).await;
    let device = TlsClient::with(&site.certificate, &fleet.issue(client("device.example")));
    World { app, site, device }
}

impl World {
    async fn device(&self) -> Connection {
        self.device.connect(self.site.https, "127.0.0.1").await
    }

    fn at(&self) -> String {
        self.site.at("127.0.0.1")
    }

    /// What the audit log has under the id of a refusal.
    async fn audited(&self, id: &str) -> serde_json::Value {
        let path = self.site.dir.path().join("audit.log");
        let find = || {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let lines: Vec<_> = text.lines().filter(|line| line.contains(id)).map(str::to_owned).collect();
            assert!(lines.len() <= 1, "{lines:?}");
            lines.into_iter().next()
        };
        until(|| async { find().is_some() }).await;
        serde_json::from_str(&find().unwrap()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_one_line_let_in_and_keep_out() {
    let world = world(None).await;
    let mut device = world.device().await;
    assert_eq!(device.get(&world.at(), "/", "").await.status, 200, "without a rule, whoever is proven");
    assert_eq!(device.get(&world.at(), "/ops", "").await.verdict(), (403, "not-permitted"));
    let name = world.site.register("pump", PrincipalKind::Device, &["x509:fleet/dns:device.example"]).await;
    assert_eq!(device.get(&world.at(), "/ops", "").await.verdict(), (403, "not-permitted"));
    world.site.store().add_to_group(&name, &"ops".parse().unwrap()).unwrap();
    world.site.settle().await;
    assert_eq!(device.get(&world.at(), "/ops", "").await.status, 200, "on the connection that was open");
    assert_eq!(world.app.take().len(), 2);

    let mut connection = world.site.connect("https").await;
    let mut alice = User::new(&world.site.origin("https"), "alice", "correct horse");
    assert_eq!(alice.get(&mut connection, "/ops").await.status, 200);
    let posted = alice.ask(&mut connection, "POST", "/ops", "Content-Length: 0\r\n").await;
    let refused = alice.trace.last().unwrap();
    assert_eq!(refused.verdict(), (403, "not-permitted"), "{posted:?}");
    assert!(refused.field("authentication-info").is_some(), "a refusal is proven to be the gateway's");
    // A group without the right proof is not enough.
    let bob = world.site.register("alice", PrincipalKind::Person, &["user:staff/alice"]).await;
    world.site.store().add_to_group(&bob, &"ops".parse().unwrap()).unwrap();
    world.site.settle().await;
    let answer = alice.get(&mut connection, "/ops").await;
    assert_eq!(answer.verdict(), (403, "not-permitted"), "staff/alice is called alice now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_file_permits_and_its_forbid_wins() {
    let world = world(Some(POLICY)).await;
    let (at, mut device) = (world.at(), world.device().await);
    assert_eq!(device.get(&at, "/a", "").await.status, 200);
    device.send(head("POST", "/a", &at, "Content-Length: 0\r\n")).await;
    assert_eq!(device.response("POST").await.verdict(), (403, "not-permitted"));
    assert_eq!(device.get(&at, "/a/private/b", "").await.verdict(), (403, "forbidden"));
    // On public routes too, for guests too.
    let mut guest = world.site.connect("https").await;
    assert_eq!(guest.get(&at, "/open/a", "").await.status, 200);
    assert_eq!(guest.get(&at, "/open/private", "").await.verdict(), (403, "forbidden"));
    // However it is spelled.
    for path in ["/open/%70rivate", "/open//private", "/open/x/../private", "/open/pr%69vate/y"] {
        let answer = guest.get(&at, path, "").await;
        assert!(matches!(answer.status, 400 | 403), "{path}: {answer:?}");
    }
    // Who may become somebody is asked.
    assert_eq!(guest.get(&at, "/maybe/private", "").await.status, 401);
    assert_eq!(world.app.take().len(), 2);
    let name = world.site.register("pump", PrincipalKind::Device, &["x509:fleet/dns:device.example"]).await;
    world.site.store().add_to_group(&name, &"ops".parse().unwrap()).unwrap();
    world.site.settle().await;
    assert_eq!(device.get(&at, "/a/private/b", "").await.status, 200);
    assert_eq!(world.site.metric("tagai_refusals_total{code=\"not-permitted\"}"), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wire_has_a_code_and_an_id_and_the_audit_log_has_the_reason() {
    let world = world(Some(POLICY)).await;
    let mut device = world.device().await;
    let answer = device.get(&world.at(), "/private?token=secret", "").await;
    let (code, id) = answer.refusal();
    assert_eq!((answer.status, code, id.len()), (403, "forbidden", 16));
    assert!(!answer.text().contains("private") && answer.text().contains(id), "{}", answer.text());
    let line = world.audited(id).await;
    assert_eq!(line["event"], "refused");
    assert_eq!((&line["principal"], &line["method"]), (&"fleet/dns:device.example".into(), &"x509".into()));
    let reason = line["reason"].as_str().unwrap();
    assert!(reason.starts_with("forbidden: a policy forbids it: ") && reason.contains("private"), "{line}");
    assert!(!line.to_string().contains("secret"), "{line}");
    let other = device.get(&world.at(), "/private", "").await;
    assert_ne!(other.refusal().1, id, "each refusal has its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_wrong_is_refused_and_the_old_one_stays() {
    let world = world(Some(POLICY)).await;
    let (at, mut device) = (world.at(), world.device().await);
    let failures = "tagai_reloads_total{result=\"failure\"}";
    for (count, (wrong, says)) in (1..).zip([
        ("permit (principal, action, resource", "policy.cedar"),
        ("\npermit (principal is Principal, action, resource)\nwhen { principal.nmae == \"x\" };", "nmae"),
        ("permit (principal is Principal, action, resource)\nwhen { principal in Grup::\"x\" };", "Grup"),
    ]) {
        world.site.write_file("policy.cedar", wrong);
        let error = world.site.gateway.reload().await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert_eq!(world.site.metric(failures), Some(count));
        assert_eq!(device.get(&at, "/a", "").await.status, 200, "{wrong}");
        assert_eq!(device.get(&at, "/private", "").await.verdict(), (403, "forbidden"), "{wrong}");
    }
    // No file is no policy that permits everything.
    std::fs::remove_file(world.site.dir.path().join("policy.cedar")).unwrap();
    assert!(world.site.gateway.reload().await.is_err());
    assert_eq!(device.get(&at, "/private", "").await.verdict(), (403, "forbidden"));
    // An empty one permits nothing on protected routes, but for their own rules.
    world.site.write_file("policy.cedar", "");
    world.site.gateway.reload().await.unwrap();
    assert_eq!(device.get(&at, "/a", "").await.verdict(), (403, "not-permitted"));
    assert_eq!(device.get(&at, "/open/private", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_policy_ends_no_session() {
    let world = world(Some(POLICY)).await;
    let mut connection = world.site.connect("https").await;
    let mut alice = User::new(&world.site.origin("https"), "alice", "correct horse");
    alice.get(&mut connection, "/a").await;
    let logins = alice.trace.len();
    world.site.write_file("policy.cedar", &POLICY.replace("private", "a"));
    world.site.gateway.reload().await.unwrap();
    assert_eq!(alice.get(&mut connection, "/a").await.verdict(), (403, "forbidden"));
    assert_eq!(alice.get(&mut connection, "/b").await.status, 200);
    assert_eq!(alice.trace.len(), logins + 2, "one request each, in the session that there was");
}
