//! How a client finds the realm of a request: RFC 8120 §4.3 "path", §5, §5.1, §6.

mod support;

use std::collections::BTreeMap;
use support::pair::{Ended, Pair, Site, origin, realm};
use tagai_core::algorithm::Algorithm;
use tagai_core::realm::{Origin, Paths};
use tagai_core::server::ServerConfig;
use tagai_core::validation::Channel;

/// A client in front of several sites; each is asked for paths that begin with its key, longest key first.
struct World {
    pair: Pair,
}

fn site(server: &str, scope: &str, name: &str, paths: Option<&str>) -> Site {
    let config = ServerConfig {
        paths: paths.map(Paths::parse),
        ..ServerConfig::new(origin(server), realm(Algorithm::EcP256Sha256, scope, name))
    };
    let mut site = Site::new(config, 8);
    site.add_user("john", "secret");
    site
}

impl World {
    fn new(sites: Vec<(&'static str, Site)>) -> Self {
        let mut pair = Pair::new();
        let mut sites: BTreeMap<_, _> = sites.into_iter().collect();
        pair.between(move |_, path, credentials, now| {
            let (_, site) = sites.iter_mut().rev().find(|(prefix, _)| path.starts_with(**prefix)).expect("a site");
            site.serve(path, credentials, &Channel::Plain, now)
        });
        Self { pair }
    }

    /// The realm in which a request succeeded, and the messages it took.
    fn get(&mut self, server: &str, path: &str) -> (String, Vec<&'static str>) {
        self.pair.origin = origin(server);
        self.pair.typed = vec![("john", "secret")];
        let ended = self.pair.get(path);
        let Ended::Succeeded(proven) = ended else { panic!("{path}: {ended:?}") };
        (proven.realm().name.as_str().to_owned(), self.pair.take_log())
    }
}

const ONE_ROUND_TRIP: [&str; 2] = ["req-VFY-C", "200-VFY-S"];

#[test]
fn without_a_path_list_the_whole_server_is_expected() {
    let mut world = World::new(vec![("/", site("http://example.com", "http://example.com", "all", None))]);
    world.get("http://example.com", "/deep/down");
    assert_eq!(world.get("http://example.com", "/").1, ONE_ROUND_TRIP);
}

#[test]
fn disjoint_path_lists_keep_realms_apart() {
    let mut world = World::new(vec![
        ("/a", site("http://example.com", "http://example.com", "a", Some("/a"))),
        ("/b", site("http://example.com", "http://example.com", "b", Some("/b"))),
    ]);
    world.get("http://example.com", "/a");
    world.get("http://example.com", "/b");
    for (path, name) in [("/a/1", "a"), ("/b/1", "b"), ("/a/2", "a")] {
        assert_eq!(world.get("http://example.com", path), (name.to_owned(), ONE_ROUND_TRIP.to_vec()));
    }
}

#[test]
fn a_realm_may_span_hosts_with_a_session_for_each() {
    let first = site("http://www.example.com", "*.example.com", "staff", Some("http://mail.example.com/ /"));
    let second = site("http://mail.example.com", "*.example.com", "staff", None);
    let mut world = World::new(vec![("/www", first), ("/mail", second)]);
    world.get("http://www.example.com", "/www");
    // The list named the other host: no need to be asked, but a session of its own.
    let (name, log) = world.get("http://mail.example.com", "/mail");
    assert_eq!(name, "staff");
    assert_eq!(log, ["req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"]);
    assert_eq!(world.get("http://mail.example.com", "/mail").1, ONE_ROUND_TRIP);
    assert_eq!(world.get("http://www.example.com", "/www").1, ONE_ROUND_TRIP);
    assert_eq!(world.pair.client.logins().count(), 1);
}

#[test]
fn elements_outside_of_the_scope_are_ignored() {
    let mut pair = Pair::new();
    pair.between(|site, path, credentials, now| {
        let mut wire = site.serve(path, credentials, &Channel::Plain, now);
        if wire.kind() == "401-KEX-S1" {
            wire.fields[0].1.push_str(", path=\"http://evil.example.org/ /here\"");
        }
        wire
    });
    pair.get("/here").succeeded();
    pair.take_log();
    pair.origin = origin("http://evil.example.org");
    pair.typed.clear();
    pair.between(|_, _, _, _| support::pair::Wire::new(200, &[]));
    pair.get("/").unauthenticated();
    // Nothing of the login went there, not even the user's name.
    assert_eq!(pair.take_log(), ["normal request", "normal response"]);
}

#[test]
fn the_most_specific_scope_is_preferred() {
    let scopes = [
        ("/1", "*.example.com", "wide"),
        ("/2", "www.example.com", "host"),
        ("/3", "http://www.example.com", "server"),
    ];
    let server = "http://www.example.com";
    let mut world = World::new(scopes.map(|(path, scope, name)| (path, site(server, scope, name, Some("/")))).into());
    for (path, _, _) in scopes {
        world.get(server, path);
    }
    // A new place: all three claim it, and the single-server one is tried first. It is right there by the way.
    assert_eq!(world.get(server, "/3/new"), ("server".to_owned(), ONE_ROUND_TRIP.to_vec()));
    // Where it is not, the server says so, and that is remembered for the same URI. (The session of the realm that was
    // tried first is discarded then: "any response with a 401 status code", §10.1.)
    assert_eq!(
        world.get(server, "/1/new"),
        ("wide".to_owned(), vec!["req-VFY-C", "401-INIT", "req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"])
    );
    assert_eq!(world.get(server, "/1/new"), ("wide".to_owned(), ONE_ROUND_TRIP.to_vec()));
}

#[test]
fn realms_differ_by_algorithm_too() {
    let mut pair = Pair::new();
    pair.log_in();
    let mut other = Site::new(
        ServerConfig::new(
            origin("http://example.com"),
            realm(Algorithm::EcP521Sha512, "http://example.com", "a realm"),
        ),
        6,
    );
    other.add_user("john", "secret");
    pair.typed.clear();
    pair.between(move |_, path, credentials, now| other.serve(path, credentials, &Channel::Plain, now));
    // Same scope, same name: and yet no credential goes there unasked.
    pair.get("/").required();
    assert_eq!(pair.take_log(), ["req-VFY-C", "401-INIT"]);
}

#[test]
fn ipv6_and_ports_are_part_of_a_server() {
    let server = "http://[2001:db8::1]:8080";
    let config = ServerConfig::new(origin(server), realm(Algorithm::EcP256Sha256, server, "a realm"));
    let mut pair = Pair::with(config, Channel::Plain);
    pair.get("/").succeeded();
    assert!(pair.received[0].fields[0].1.contains("auth-scope=\"http://[2001:db8::1]:8080\""));
    assert_eq!(Origin::parse("http://[2001:DB8:0::1]:8080").unwrap(), pair.origin);
}

#[test]
fn what_a_client_remembers_is_bounded() {
    let mut pair = Pair::new();
    pair.get("/").succeeded();
    for n in 0..2_000 {
        pair.get(&format!("/{n}")).succeeded();
    }
    let debug = format!("{:?}", pair.client);
    assert!(debug.matches("/19").count() < 300, "the visited places are not bounded");
    assert!(!debug.contains("secret\"") && debug.contains("Pi(secret)"));
}
