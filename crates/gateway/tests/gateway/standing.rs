//! What goes on for long ends when whoever began it would no longer be let through: tunnels, downloads, uploads.

use super::support::*;
use http_body_util::BodyExt as _;
use std::net::SocketAddr;
use std::time::Duration;
use tagai_store::UserStore as _;
use tagai_store::principal::{DenialTarget, PrincipalKind, PrincipalName, PrincipalStore as _, SubjectName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const SITES: &str = r#"
[[site]]
origins = ["https://127.0.0.1:{https}"]
[[site.route]]
path = "/"
access = "protected"
proof = ["mutual", "x509", "password-tls"]
realm = "staff"
client-ca = ["fleet"]
upstream = "http://{app}"
[[site.route]]
path = "/maybe"
access = "optional"
proof = ["mutual", "x509"]
realm = "staff"
client-ca = ["fleet"]
upstream = "http://{app}"
[[site.route]]
path = "/open"
access = "public"
upstream = "http://{app}"
"#;

const UPGRADE: &str = "Connection: upgrade\r\nUpgrade: websocket\r\n";

struct World {
    site: Site,
    fleet: Authority,
}

async fn world() -> World {
    world_before(App::start().await.address).await
}

async fn world_before(app: SocketAddr) -> World {
    let fleet = Authority::new("Fleet");
    let list = "crls = [\"one.crl\"]\ncrl-policy = \"refuse\"\n";
    let setup = Setup {
        sites: SITES.into(),
        more: format!(
            "\n[log]\naudit = \"audit.log\"\n[[client-ca]]\nid = \"fleet\"\ncertificates = \"fleet.pem\"\n{list}"
        ),
        files: vec![("fleet.pem", fleet.pem()), ("one.crl", fleet.crl(1, (-1, 9), &[]))],
        users: vec![("staff", "alice", "correct horse"), ("staff", "bob", "battery staple")],
        ..Setup::default()
    };
    World { site: Site::start(app, setup).await, fleet }
}

/// A user who has logged in.
struct Somebody {
    user: User,
    connection: Connection,
}

impl World {
    async fn log_in(&self, name: &str, password: &str) -> Somebody {
        let mut connection = self.site.connect("https").await;
        let mut user = User::new(&self.site.origin("https"), name, password);
        user.get(&mut connection, "/").await;
        Somebody { user, connection }
    }

    async fn alice(&self) -> Somebody {
        self.log_in("alice", "correct horse").await
    }

    async fn bob(&self) -> Somebody {
        self.log_in("bob", "battery staple").await
    }

    /// A client with a certificate, connected.
    async fn device(&self, name: &str, serial: u64) -> Connection {
        let issued = self.fleet.issue(Wanted { serial, ..client(name) });
        TlsClient::with(&self.site.certificate, &issued).connect(self.site.https, "127.0.0.1").await
    }

    fn deny(&self, name: &str) {
        let target = DenialTarget::Principal(name.parse::<SubjectName>().unwrap());
        assert!(self.site.store().deny(&target, "stolen", "tests").unwrap());
    }

    /// The line of the audit log about what was cut.
    fn cut(&self) -> String {
        self.site.gateway.journal().flush();
        let log = std::fs::read_to_string(self.site.dir.path().join("audit.log")).unwrap();
        let mut lines = log.lines().filter(|line| line.contains("(what was open is cut)"));
        let line = lines.next().unwrap_or_else(|| panic!("{log}")).to_owned();
        assert_eq!(lines.next(), None, "one for each");
        line
    }
}

impl Somebody {
    /// Begins on a connection of its own what goes on.
    async fn begin(&mut self, world: &World, path: &str, fields: &str) -> Connection {
        let connection = world.site.connect("https").await;
        self.begin_on(connection, path, fields).await
    }

    async fn begin_on(&mut self, connection: Connection, path: &str, fields: &str) -> Connection {
        let (_, proof) = self.user.proof(path, &connection.channel);
        begin(connection, &self.user.host(), path, &format!("Authorization: {proof}\r\n{fields}")).await
    }
}

/// Asks for what goes on; its first octets have come, and it lasts.
async fn begin(mut connection: Connection, host: &str, path: &str, fields: &str) -> Connection {
    connection.send(head("GET", path, host, fields)).await;
    let answer = patiently(read_head(&mut connection.stream)).await.unwrap();
    if fields.contains("Upgrade") {
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        echoes(&mut connection).await;
    } else {
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        patiently(connection.stream.read_u8()).await.unwrap();
    }
    connection
}

/// The tunnel is open.
async fn echoes(connection: &mut Connection) {
    connection.send("ping").await;
    let mut back = [0; 4];
    patiently(connection.stream.read_exact(&mut back)).await.unwrap();
    assert_eq!(&back, b"ping");
}

/// Whatever comes before, it breaks off, and not where a body would end.
async fn breaks_off(connection: &mut Connection) {
    let mut end = Vec::new();
    patiently(async {
        let mut octets = vec![0; 1 << 16];
        while let Ok(read @ 1..) = connection.stream.read(&mut octets).await {
            end = octets[read.saturating_sub(8)..read].to_vec();
        }
    })
    .await;
    assert!(!end.ends_with(b"0\r\n\r\n"), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_denied_loses_what_is_open_and_nobody_else_does() {
    for (path, fields) in [("/ws", UPGRADE), ("/slow", ""), ("/endless", "")] {
        let world = world().await;
        let (mut alice, mut bob) = (world.alice().await, world.bob().await);
        let mut open = alice.begin(&world, path, fields).await;
        let mut bobs = bob.begin(&world, "/ws", UPGRADE).await;
        world.deny("staff/alice");
        breaks_off(&mut open).await;
        let line = world.cut();
        assert!(
            line.contains("staff/alice\",") && line.contains("denied: ") && line.contains("\"method\":\"mutual\""),
            "{line}"
        );
        echoes(&mut bobs).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_denied_or_revoked_loses_what_is_open() {
    for revoked in [false, true] {
        let world = world().await;
        let host = world.site.at("127.0.0.1");
        let mut open = begin(world.device("one.example", 7).await, &host, "/ws", UPGRADE).await;
        let mut other = begin(world.device("other.example", 8).await, &host, "/ws", UPGRADE).await;
        if revoked {
            world.site.write_file("one.crl", &world.fleet.crl(2, (-1, 9), &[7]));
            world.site.gateway.reload().await.unwrap();
        } else {
            let target = DenialTarget::Serial { serial: "07".parse().unwrap(), client_ca: None };
            assert!(world.site.store().deny(&target, "stolen", "tests").unwrap());
        }
        breaks_off(&mut open).await;
        let code = if revoked { "certificate-revoked: " } else { "denied: " };
        let line = world.cut();
        assert!(line.contains(code) && line.contains("fleet/dns:one.example"), "{line}");
        echoes(&mut other).await;
    }
}

/// The connection is others' as well: only the stream ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_http_2_is_reset() {
    let world = world().await;
    let issued = world.fleet.issue(client("one.example"));
    let client = TlsClient::with(&world.site.certificate, &issued).alpn(&["h2"]);
    let mut sender = client.http2(world.site.https, "127.0.0.1").await;
    let ask = |path: &str| {
        let uri = format!("https://{}{path}", world.site.at("127.0.0.1"));
        http::Request::get(uri).body(http_body_util::Empty::new()).unwrap()
    };
    let mut open = patiently(sender.send_request(ask("/slow"))).await.unwrap().into_body();
    assert!(patiently(open.frame()).await.unwrap().is_ok());
    world.deny("fleet/dns:one.example");
    assert!(patiently(open.frame()).await.unwrap().is_err(), "it is broken off");
    let refused = patiently(sender.send_request(ask("/"))).await.unwrap();
    assert_eq!(refused.status(), 403, "on the same connection");
    assert!(world.cut().contains("denied: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_ends_with_a_refusal_that_is_proven() {
    let world = world().await;
    let mut alice = world.alice().await;
    let mut connection = world.site.connect("https").await;
    let (_, proof) = alice.user.proof("/", &connection.channel);
    let fields = format!("Authorization: {proof}\r\nContent-Length: 1000000\r\n");
    connection.send(head("POST", "/", &alice.user.host(), &fields)).await;
    connection.send([b'x'; 1000]).await;
    world.deny("staff/alice");
    let answer = connection.response("POST").await;
    assert_eq!(answer.verdict(), (403, "denied"));
    let info = answer.field("authentication-info");
    assert!(info.is_some_and(|info| info.contains("vks=")), "the user knows that it was this gateway: {answer:?}");
    let line = world.cut();
    assert!(line.contains("denied: ") && line.contains(answer.refusal().1), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_ends_what_was_begun_in_its_session_alone() {
    let world = world().await;
    let (mut alice, mut elsewhere) = (world.alice().await, world.alice().await);
    let mut open = alice.begin(&world, "/ws", UPGRADE).await;
    let mut others = elsewhere.begin(&world, "/ws", UPGRADE).await;
    let logout = "/.well-known/tagai/logout";
    let Somebody { user, connection } = &mut alice;
    user.ask(connection, "POST", logout, "Content-Length: 0\r\n").await.unwrap();
    breaks_off(&mut open).await;
    assert!(world.cut().contains("session-ended: "));
    echoes(&mut others).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_changed_or_disabled_loses_what_is_open() {
    for changed in [false, true] {
        let world = world().await;
        let (mut alice, mut bob) = (world.alice().await, world.bob().await);
        let mut open = alice.begin(&world, "/ws", UPGRADE).await;
        let mut bobs = bob.begin(&world, "/ws", UPGRADE).await;
        if changed {
            world.site.change_password("staff", "alice", "another horse");
        } else {
            let realm = world.site.realm("staff");
            world.site.store().set_disabled(&realm, &user("alice"), true).unwrap();
        }
        breaks_off(&mut open).await;
        assert!(world.cut().contains("session-ended: "));
        echoes(&mut bobs).await;
    }
}

/// A guest was let through as one; somebody who was not is not left there as who they were.
#[tokio::test(flavor = "multi_thread")]
async fn on_routes_for_everybody_whoever_was_known_loses_what_is_open() {
    let world = world().await;
    let host = world.site.at("127.0.0.1");
    let mut guest = begin(world.site.connect("https").await, &host, "/maybe/ws", UPGRADE).await;
    let mut known = begin(world.device("one.example", 7).await, &host, "/maybe/ws", UPGRADE).await;
    world.deny("fleet/dns:one.example");
    breaks_off(&mut known).await;
    assert!(world.cut().contains("denied: "));
    echoes(&mut guest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_ends_what_the_new_rules_would_not_let_through() {
    let mut world = world().await;
    let group = |name: &str, world: &World| {
        let name: PrincipalName = name.parse().unwrap();
        world.site.store().add_to_group(&name, &"ops".parse().unwrap()).unwrap();
    };
    world.site.register("alice", PrincipalKind::Person, &["user:staff/alice"]).await;
    world.site.register("bob", PrincipalKind::Person, &["user:staff/bob"]).await;
    group("bob", &world);
    world.site.settle().await;
    let (mut alice, mut bob) = (world.alice().await, world.bob().await);
    let mut alices = alice.begin(&world, "/ws", UPGRADE).await;
    let mut bobs = bob.begin(&world, "/ws", UPGRADE).await;
    let host = world.site.at("127.0.0.1");
    let mut guest = begin(world.site.connect("https").await, &host, "/open/ws", UPGRADE).await;

    let only_ops = SITES.replacen("realm = \"staff\"", "allow = [\"group:ops\"]\nrealm = \"staff\"", 1);
    world.site.setup.sites = only_ops.clone();
    world.site.write_config();
    world.site.gateway.reload().await.unwrap();
    breaks_off(&mut alices).await;
    assert!(world.cut().contains("\"principal\":\"alice\""));
    echoes(&mut bobs).await;
    echoes(&mut guest).await;

    // The route takes certificates alone now.
    world.site.setup.sites = only_ops.replacen(
        "proof = [\"mutual\", \"x509\", \"password-tls\"]\nallow = [\"group:ops\"]\nrealm = \"staff\"",
        "proof = [\"x509\"]",
        1,
    );
    world.site.write_config();
    world.site.gateway.reload().await.unwrap();
    breaks_off(&mut bobs).await;
    echoes(&mut guest).await;
}

/// The head of the answer is there before the upload is, and its client takes nothing of the rest, so that nobody asks for that.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_ends_behind_an_answer_that_nobody_takes() {
    let (ended, end) = tokio::sync::oneshot::channel();
    let ended = std::sync::Mutex::new(Some(ended));
    let upstream = raw_upstream(move |mut stream, head| {
        let ended = head.starts_with("POST").then(|| ended.lock().unwrap().take()).flatten();
        async move {
            let Some(ended) = ended else {
                drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await);
                return;
            };
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await);
            let (mut reader, mut writer) = stream.into_split();
            let answer = tokio::spawn(async move { while writer.write_all(&[b'x'; 65536]).await.is_ok() {} });
            let mut octets = [0; 4096];
            while let Ok(1..) = reader.read(&mut octets).await {}
            answer.abort();
            let _ = ended.send(());
        }
    })
    .await;
    let world = world_before(upstream).await;
    let mut alice = world.alice().await;
    let mut connection = world.site.connect("https").await;
    let (_, proof) = alice.user.proof("/", &connection.channel);
    let fields = format!("Authorization: {proof}\r\nContent-Length: 50000000\r\n");
    connection.send(head("POST", "/", &alice.user.host(), &fields)).await;
    let sending = async {
        let mut sent = 0;
        while connection.try_send([b'x'; 1000]).await.is_ok() {
            sent += 1;
            if sent == 20 {
                world.deny("staff/alice");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = patiently(end) => ended.unwrap(),
        () = sending => {}
    }
    assert!(world.cut().contains("denied: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_waited_for_does_not_come() {
    let app = App::start().await;
    let world = world_before(app.address).await;
    let mut alice = world.alice().await;
    let mut connection = world.site.connect("https").await;
    let (_, proof) = alice.user.proof("/late", &connection.channel);
    let fields = format!("Authorization: {proof}\r\n");
    connection.send(head("GET", "/late", &alice.user.host(), &fields)).await;
    world.deny("staff/alice");
    world.site.settle().await;
    // Nobody is asked about in the first second.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    // It may not be waiting yet.
    let application = async {
        loop {
            app.go.notify_waiters();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut came = Vec::new();
    tokio::select! {
        read = patiently(connection.stream.read_to_end(&mut came)) => drop(read),
        () = application => {}
    }
    assert!(!String::from_utf8_lossy(&came).contains("page"), "{}", String::from_utf8_lossy(&came));
    assert!(world.cut().contains("denied: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_the_route_no_longer_takes_is_cut() {
    let mut world = world().await;
    let mut alice = world.alice().await;
    let mut open = alice.begin(&world, "/slow", "").await;
    world.site.setup.sites = SITES.replacen("realm = \"staff\"", "methods = [\"POST\"]\nrealm = \"staff\"", 1);
    world.site.write_config();
    world.site.gateway.reload().await.unwrap();
    breaks_off(&mut open).await;
    assert!(world.cut().contains("not-configured: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_another_principals_now_loses_what_is_open() {
    let world = world().await;
    let credential = "x509:fleet/dns:one.example";
    let billing = world.site.register("billing", PrincipalKind::Service, &[credential]).await;
    let host = world.site.at("127.0.0.1");
    let mut open = begin(world.device("one.example", 7).await, &host, "/ws", UPGRADE).await;
    let mut same = begin(world.device("one.example", 8).await, &host, "/maybe/ws", UPGRADE).await;
    world.site.store().unbind(&billing, &credential.parse().unwrap()).unwrap();
    world.site.register("kiosk", PrincipalKind::Device, &[credential]).await;
    breaks_off(&mut open).await;
    breaks_off(&mut same).await;
    world.site.gateway.journal().flush();
    let log = std::fs::read_to_string(world.site.dir.path().join("audit.log")).unwrap();
    assert_eq!(log.matches("not-admitted: ").count(), 2, "{log}");
}
