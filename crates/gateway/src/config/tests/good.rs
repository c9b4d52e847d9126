use super::*;
use crate::config::*;
use proptest::prelude::*;
use std::time::Duration;
use tagai_core::algorithm::Algorithm;
use tagai_core::control::AuthStyle;
use tagai_core::grammar::Natural;
use tagai_core::realm::{AuthScope, Origin};
use tagai_core::server::Server;

/// Everything that can be said, none of it as it is by default.
const FULL: &str = r#"
store = { database = "/var/lib/tagai/users.db", keys-env = "TAGAI_STORE_KEYS", sessions = "sqlite" }

[[listen]]
address = "[::1]:443"
tls = true

[[certificate]]
chain = "a.pem"
key = "/etc/ssl/a.key"

[[realm]]
id = "all"
name = "Everybody"
scope = "*.example.com"
algorithm = "iso-kam3-dl-2048-sha256"
session-time = "1h30m"
session-requests = 1_000
nonce-window = 4096
paths = ["/app/", "https://b.example.com/"]
registration = "invitation"
password-change = false

[[realm]]
id = "admins"
name = "Administrators"
scope = "https://a.example.com"

[[site]]
origins = ["https://A.example.com:443"]
[[site.route]]
path = "/"
access = "public"
upstream = "h2c://127.0.0.1:9000/prefix/"
max-body = "unlimited"
pass-host = false
[[site.route]]
path = "/admin"
access = "protected"
realm = "admins"
upstream = "https://backend.example.net"
methods = ["GET", "POST"]
max-body = "10MiB"
timeout = "1500ms"
idle-timeout = "1h"
upstream-ca = "ca.pem"
[site.route.control]
auth-style = "modal"
location-when-unauthenticated = "/login"
no-auth = true
location-when-logout = "/bye"
logout-timeout = 0
username = "admin"

[[site]]
origins = ["https://b.example.com"]
[[site.route]]
path = "/"
access = "optional"
realm = "all"
upstream = "http://[::1]:9001"

[identity]
user = "X-User"
realm = "X-Realm"
method = "X-Method"

[limits]
connections = 100
header-size = "64KiB"
headers = 200
header-timeout = "5s"
handshake-timeout = "6s"
idle-timeout = "7s"
body-timeout = "8s"
streams = 16
half-open = 1000
half-open-per-address = 10
half-open-time = "9s"
sessions = 5000
sessions-per-user = 4
shutdown-timeout = "10s"

[guessing]
failures-per-address = 1
failures-per-user = 2
recovery = "3s"

[trust]
proxies = ["10.0.0.0/8", "2001:db8::1"]

[admin]
address = "127.0.0.1:9901"

[log]
format = "json"
level = "debug"
audit = "audit.log"
"#;

#[test]
fn the_smallest_configuration_has_every_default() {
    let config = parse(SMALL).unwrap();
    assert_eq!(config.warnings, []);
    assert_eq!(config.store.database, Path::new("etc/tagai.db"));
    assert_eq!(config.store.keys, Keys::File("etc/keys/store.keys".into()));
    assert_eq!(config.store.sessions, SessionsIn::Memory);
    assert_eq!(config.listen.iter().map(|listen| listen.tls).collect::<Vec<_>>(), [true, false]);
    let realm = config.realm("staff").unwrap();
    assert_eq!(realm.realm.algorithm, Algorithm::EcP256Sha256);
    assert_eq!(realm.realm.auth_scope, AuthScope::parse("localhost").unwrap());
    assert_eq!((realm.session_requests, realm.nonce_window), (4_294_967_295, 128));
    assert_eq!(realm.session_time, Duration::from_secs(600));
    assert_eq!((realm.registration, realm.password_change), (Registration::Off, true));
    let [site] = &config.sites[..] else { panic!("{:?}", config.sites) };
    let [route] = &site.routes[..] else { panic!("{:?}", site.routes) };
    assert!(matches!(&route.access, Access::Protected(asks) if asks.realm.as_ref() == Some(realm)));
    assert_eq!((route.max_body, route.timeout, route.pass_host), (Some(100 << 20), Duration::from_secs(60), true));
    assert_eq!((&config.identity, &config.limits), (&Identity::default(), &Limits::default()));
    assert_eq!((config.guessing, config.admin), (Guessing::default(), None));
    assert_eq!(config.log, Log::default());
    assert_eq!(config.directory(), Path::new("etc"));
}

/// A realm for parts of an origin is warned of where it matters: not without TLS, and not where it is all of it.
#[test]
fn paths_that_leave_nothing_out_are_no_reason_to_warn() {
    for (paths, origins) in [
        ("[\"/app/\", \"/\"]", "[\"https://localhost:8443\"]"),
        ("[\"https://localhost:8443/\"]", "[\"https://localhost:8443\"]"),
        ("[\"/app/\"]", "[\"http://localhost:8080\"]"),
    ] {
        let text = SMALL.replace("scope = \"localhost\"", &format!("scope = \"localhost\"\npaths = {paths}"));
        let mut lines: Vec<&str> = text.lines().collect();
        let new = format!("origins = {origins}");
        for line in lines.iter_mut().filter(|line| line.starts_with("origins")) {
            *line = &new;
        }
        let config = parse(&lines.join("\n")).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(
            !config.warnings.iter().any(|warning| warning.to_string().contains("`paths`")),
            "{:?}",
            config.warnings
        );
    }
}

#[test]
fn everything_that_can_be_said_is_read() {
    let config = parse(FULL).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.warnings, []);
    assert_eq!(config.store.database, Path::new("/var/lib/tagai/users.db"));
    assert_eq!(config.store.keys, Keys::Env("TAGAI_STORE_KEYS".into()));
    assert_eq!(config.store.sessions, SessionsIn::Sqlite);
    assert_eq!(config.certificates, [Certificate { chain: "etc/a.pem".into(), key: "/etc/ssl/a.key".into() }]);
    let all = config.realm("all").unwrap();
    assert_eq!(all.realm.algorithm, Algorithm::Dl2048Sha256);
    assert_eq!((all.session_time, all.session_requests, all.nonce_window), (Duration::from_secs(5400), 1000, 4096));
    assert_eq!((all.registration, all.password_change), (Registration::Invitation, false));
    assert_eq!(all.paths.as_ref().unwrap().to_string(), "/app/ https://b.example.com/");

    let [first, second] = &config.sites[..] else { panic!("{:?}", config.sites) };
    assert_eq!(first.origins, [Origin::parse("https://a.example.com").unwrap()]);
    let [admin, root] = &first.routes[..] else { panic!("{:?}", first.routes) };
    assert_eq!((admin.path.as_str(), root.path.as_str()), ("/admin", "/"), "the longest path is first");
    assert_eq!(root.access, Access::Public);
    assert_eq!(root.upstream.protocol, UpstreamProtocol::H2c);
    assert_eq!(root.upstream.uri, "http://127.0.0.1:9000/prefix/");
    assert_eq!((root.upstream.path_prefix(), admin.upstream.path_prefix()), ("/prefix", ""));
    assert_eq!((root.max_body, root.pass_host), (None, false));
    assert_eq!(admin.methods.as_deref(), Some(&[http::Method::GET, http::Method::POST][..]));
    assert_eq!((admin.max_body, admin.timeout), (Some(10 << 20), Duration::from_millis(1500)));
    assert_eq!(
        (admin.idle_timeout, admin.upstream_ca.as_deref()),
        (Duration::from_secs(3600), Some(Path::new("etc/ca.pem")))
    );
    assert_eq!((root.idle_timeout, &root.upstream_ca), (Duration::from_secs(300), &None));
    let control = &admin.control;
    assert_eq!(control.auth_style, Some(AuthStyle::Modal));
    assert_eq!(control.location_when_unauthenticated.as_ref().unwrap().as_str(), "/login");
    assert_eq!(control.location_when_logout.as_ref().unwrap().as_str(), "/bye");
    assert!(control.no_auth);
    assert_eq!(control.logout_timeout, Some(Natural::ZERO));
    assert_eq!(control.username.as_ref().unwrap().as_str(), "admin");
    assert!(matches!(&second.routes[0].access, Access::Optional(asks) if asks.realm.as_ref() == Some(all)));

    assert_eq!(config.identity.user, "x-user");
    assert_eq!(config.identity.method, "x-method");
    let limits = config.limits;
    assert_eq!((limits.connections, limits.connections_per_address), (100, 100), "no more for one than for all");
    assert_eq!((limits.header_size, limits.headers, limits.streams), (64 << 10, 200, 16));
    let times = [
        limits.header_timeout,
        limits.handshake_timeout,
        limits.idle_timeout,
        limits.body_timeout,
        limits.sessions.half_open_time,
        limits.shutdown_timeout,
    ];
    assert_eq!(times.map(|time| time.as_secs()), [5, 6, 7, 8, 9, 10]);
    assert_eq!((limits.sessions.half_open, limits.sessions.half_open_per_owner), (1000, 10));
    assert_eq!((limits.sessions.established, limits.sessions.established_per_user), (5000, 4));
    let guessing = config.guessing;
    assert_eq!((guessing.failures_per_address, guessing.failures_per_user), (1, 2));
    assert_eq!(guessing.recovery, Duration::from_secs(3));
    assert_eq!(
        config.trust.proxies.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["10.0.0.0/8", "2001:db8::1/128"]
    );
    assert_eq!(config.admin.unwrap().address, "127.0.0.1:9901".parse().unwrap());
    assert_eq!((config.log.format, config.log.level.to_string()), (LogFormat::Json, "debug".to_owned()));
    assert_eq!(config.log.audit, Audit::File("etc/audit.log".into()));
}

/// What this module lets through, the protocol's own checks let through as well.
#[test]
fn every_realm_works_on_every_origin_that_it_is_used_on() {
    for text in [SMALL, FULL] {
        let config = parse(text).unwrap();
        for site in &config.sites {
            for (origin, route) in site.origins.iter().flat_map(|origin| site.routes.iter().map(move |r| (origin, r)))
            {
                let Some(realm) = route.access.realm() else { continue };
                let made =
                    Server::new(realm.server_config(origin), &mut getrandom::rand_core::UnwrapErr(getrandom::SysRng));
                assert!(made.is_ok(), "{}: {:?}", realm.id, made.err());
            }
        }
    }
}

#[test]
fn one_underscore_is_forgiven() {
    let config = parse(&SMALL.replace("keys = \"keys/store.keys\"", "keys_env = \"KEYS\"")).unwrap();
    assert_eq!(config.store.keys, Keys::Env("KEYS".into()));
}

#[test]
fn a_file_that_is_not_there_is_an_error_with_a_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let errors = Config::load(dir.path().join("tagai.toml")).unwrap_err();
    let text = errors.to_string();
    assert!(text.contains("cannot be read") && text.contains("tagai init"), "{text}");
    assert!(text.contains("tagai.toml"), "{text}");

    std::fs::write(dir.path().join("tagai.toml"), SMALL).unwrap();
    let config = Config::load(dir.path().join("tagai.toml")).unwrap();
    assert_eq!(config.store.database, dir.path().join("tagai.db"));

    std::fs::write(dir.path().join("tagai.toml"), b"[store]\nx = \"\xff\"\n").unwrap();
    let text = Config::load(dir.path().join("tagai.toml")).unwrap_err().to_string();
    assert!(text.contains("not UTF-8") && text.contains("line 2"), "{text}");

    std::fs::write(dir.path().join("tagai.toml"), " ".repeat((1 << 20) + 1)).unwrap();
    let text = Config::load(dir.path().join("tagai.toml")).unwrap_err().to_string();
    assert!(text.contains("longer than 1 MiB"), "{text}");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = parse(&text).map_err(|errors| errors.to_string());
    }

    /// Texts that are nearly right get further in.
    #[test]
    fn no_damage_makes_it_panic(at in 0..FULL.len(), remove in 0usize..40, insert in "[\\PC\n\"\\[\\]=]{0,8}") {
        let floor = |at: usize| (0..=at.min(FULL.len())).rev().find(|at| FULL.is_char_boundary(*at)).unwrap();
        let (start, end) = (floor(at), floor(at + remove));
        let text = format!("{}{insert}{}", &FULL[..start], &FULL[end.max(start)..]);
        if let Err(errors) = parse(&text) {
            let shown = errors.to_string();
            prop_assert!(errors.diagnostics().iter().any(|found| found.severity() == Severity::Error), "{}", shown);
            let lines = text.lines().count() + 1;
            for (line, _) in errors.diagnostics().iter().filter_map(Diagnostic::position) {
                prop_assert!(line <= lines, "{}", shown);
            }
        }
    }
}

#[test]
fn a_forward_proxy_stands_alone_or_beside_sites() {
    let proxy = r#"
[[realm]]
id = "out"
name = "Way out"
scope = "proxy.example.com"
[[forward-proxy]]
address = "127.0.0.1:3128"
name = "proxy.example.com"
realm = "out"
allow = ["*.example.com:443", "10.0.0.0/8:*"]
"#;
    let store = SMALL.split("[[listen]]").next().unwrap();
    let alone = parse(&format!("{store}{proxy}")).unwrap();
    assert_eq!((alone.listen.len(), alone.sites.len(), alone.warnings.len()), (0, 0, 0));
    let config = parse(&format!("{SMALL}{proxy}")).unwrap();
    assert_eq!(config.warnings, []);
    let [read] = &config.forward_proxies[..] else { panic!("one proxy") };
    assert_eq!(read.origin(3128), Origin::parse("http://proxy.example.com:3128").unwrap());
    assert_eq!(read.allow.iter().map(ToString::to_string).collect::<Vec<_>>(), ["*.example.com:443", "10.0.0.0/8:*"]);
    assert_eq!(read.limits, crate::forward_proxy::ForwardLimits::default());
    assert_eq!(read.who, None);
    let who = parse(&format!("{SMALL}{proxy}who = [\"group:ops and from:10.0.0.0/8\", \"alice\"]\n")).unwrap();
    assert_eq!(who.forward_proxies[0].who.as_ref().unwrap().len(), 2);
    let all = "tls = true\nport = 443\nconnections = 7\nconnect-timeout = \"1s\"\ntimeout = \"2s\"\nidle-timeout = \"3s\"\nmax-body = \"unlimited\"\n";
    let config = parse(&format!("{SMALL}{proxy}{all}")).unwrap();
    let read = &config.forward_proxies[0];
    assert_eq!(read.origin(3128), Origin::parse("https://proxy.example.com").unwrap());
    let limits = read.limits;
    assert_eq!((limits.connections, limits.max_body), (7, u64::MAX));
    assert_eq!([limits.connect, limits.response, limits.idle].map(|time| time.as_secs()), [1, 2, 3]);
    let built = read.proxy_config(3128);
    let server = tagai_core::server::ServerConfig { role: tagai_core::message::Role::Proxy, ..built.server };
    assert!(Server::new(server, &mut getrandom::rand_core::UnwrapErr(getrandom::SysRng)).is_ok());
}
