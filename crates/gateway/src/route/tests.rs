//! Origins and routes of a whole configuration.

use super::*;
use crate::proxy::{Protocol, UpstreamLimits};
use std::path::Path;
use tagai_store::SessionLimits;
use tagai_store::memory::{MemorySessions, MemoryUsers};

const CONFIG: &str = r#"
[store]
database = "x.db"
keys = "x.keys"
[[listen]]
address = "127.0.0.1:8443"
tls = true
[[listen]]
address = "127.0.0.1:8080"
[[certificate]]
chain = "c.pem"
key = "c.key"
[[realm]]
id = "staff"
name = "Staff"
scope = "www.example.com"
[[realm]]
id = "admins"
name = "Admins"
scope = "www.example.com"
[[site]]
origins = ["https://www.example.com", "http://www.example.com:8080", "http://[::1]"]
[[site.route]]
path = "/"
access = "public"
upstream = "http://127.0.0.1:1"
[[site.route]]
path = "/app/"
access = "public"
upstream = "http://127.0.0.1:1"
[[site]]
origins = ["http://www.example.com"]
[[site.route]]
path = "/"
access = "public"
upstream = "http://127.0.0.1:1"
[[site.route]]
path = "/staff"
access = "protected"
realm = "staff"
upstream = "http://127.0.0.1:1"
[[site.route]]
path = "/staff/admin"
access = "protected"
realm = "admins"
upstream = "http://127.0.0.1:1"
"#;

fn table() -> Table<MemoryUsers, MemorySessions> {
    let config = Config::parse(Path::new("tagai.toml"), CONFIG).unwrap_or_else(|errors| panic!("{errors}"));
    let sessions = MemorySessions::new(SessionLimits::default());
    let builder = MutualBuilder::new(Arc::new(MemoryUsers::new()), Arc::new(sessions));
    let upstream =
        Arc::new(Upstream::new("http://127.0.0.1:1", Protocol::Http1, None, UpstreamLimits::default()).unwrap());
    let (authorities, names, metrics) = (HashMap::new(), Names::of(&config), Metrics::default());
    let shared = Shared { builder: &builder, authorities: &authorities, names: &names, metrics: &metrics };
    Table::new(&config, &shared, |_| Some(Arc::clone(&upstream))).unwrap()
}

#[test]
fn only_configured_origins_are_served() {
    let table = table();
    for (tls, authority, origin) in [
        (true, "www.example.com", Some("https://www.example.com")),
        (true, "WWW.Example.com:443", Some("https://www.example.com")),
        (true, "www.example.com.", Some("https://www.example.com")),
        (true, "www.example.com:", Some("https://www.example.com")),
        (false, "www.example.com", Some("http://www.example.com")),
        (false, "www.example.com:80", Some("http://www.example.com")),
        (false, "www.example.com:8080", Some("http://www.example.com:8080")),
        (false, "[::1]", Some("http://[::1]")),
        (false, "[::1]:80", Some("http://[::1]")),
        (true, "[::1]", None),
        (true, "www.example.com:8080", None),
        (true, "example.com", None),
        (true, "www.example.com:443:443", None),
        (true, "user@www.example.com", None),
        (true, "", None),
        (false, ":80", None),
    ] {
        let found = table.find(tls, authority).map(|place| place.origin.to_string());
        assert_eq!(found.as_deref(), origin, "{authority}");
    }
}

fn place(table: &Table<MemoryUsers, MemorySessions>) -> &Place<MemoryUsers, MemorySessions> {
    table.find(false, "www.example.com").unwrap()
}

#[test]
fn the_longest_route_wins() {
    let table = table();
    let realm = |path: &str| match &place(&table).route(path).unwrap().gate.mutual {
        None => "public".to_owned(),
        Some(mutual) => mutual.config().realm.name.to_string(),
    };
    for (path, expected) in [
        ("/", "public"),
        ("/staffing", "public"),
        ("/staff", "Staff"),
        ("/staff/x", "Staff"),
        ("/staff/admin", "Admins"),
        ("/staff/admin/x", "Admins"),
        ("/staff/administrators", "Staff"),
    ] {
        assert_eq!(realm(path), expected, "{path}");
    }
}

#[test]
fn a_path_that_could_be_of_two_routes_is_of_none() {
    let table = table();
    for path in [
        "/x/../staff",
        "/x/..%2fstaff",
        "/staff;x",
        "/staff/..",
        "/staff/admin/../x",
        "/staff/admin;x/y",
        "/x\\..\\staff",
        "/x/%252e%252e/staff",
        "/staff%2Fadmin",
        "/%73taff",
        "//staff",
    ] {
        assert_eq!(place(&table).route(path).err(), Some(NoRoute::Ambiguous), "{path}");
    }
    // What is odd without being ambiguous passes.
    for path in ["/files/a%2Fb", "/a;version=1", "/a/../b", "/staff/a%2Fb", "/staff/x;y"] {
        assert!(place(&table).route(path).is_ok(), "{path}");
    }
    let app = table.find(true, "www.example.com").unwrap();
    assert!(app.route("/app").is_ok());
}
