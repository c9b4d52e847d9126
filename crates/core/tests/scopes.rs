//! Scopes and realms that a client must not be talked into (RFC 8120 §5, §6, §14).

mod support;

use support::pair::{Access, Pair, Site, changed, origin, realm, replace};
use tagai_core::algorithm::Algorithm;
use tagai_core::client::Fatal;
use tagai_core::message::Role;
use tagai_core::realm::ScopeError;
use tagai_core::server::ServerConfig;
use tagai_core::validation::Channel;

#[test]
fn scopes_that_a_server_has_no_right_to() {
    for (scope, public_suffix) in
        [("http://example.org", false), ("*.example.org", false), ("https://example.com", false), ("*.com", true)]
    {
        let fatal = changed("normal request", move |wire| {
            replace(wire, "auth-scope=\"http://example.com\"", &format!("auth-scope=\"{scope}\""))
        })
        .fatal();
        match fatal {
            Fatal::Scope(error) => {
                assert_eq!(matches!(*error, ScopeError::PublicSuffix { .. }), public_suffix, "{scope}");
            }
            other => panic!("{scope}: {other}"),
        }
    }
}

#[test]
fn a_proxy_has_its_host_name_for_a_scope() {
    for scope in ["http://proxy.example.com:3128", "*.example.com"] {
        let proxy = origin("http://proxy.example.com:3128");
        let config = ServerConfig {
            role: Role::Proxy,
            ..ServerConfig::new(proxy, realm(Algorithm::EcP256Sha256, "proxy.example.com", "a realm"))
        };
        let mut pair = Pair::with(config, Channel::Plain);
        pair.between(move |site, path, credentials, now| {
            let mut wire = site.serve(path, credentials, &Channel::Plain, now);
            replace(&mut wire, "auth-scope=\"proxy.example.com\"", &format!("auth-scope=\"{scope}\""));
            wire
        });
        assert!(matches!(pair.get("/").fatal(), Fatal::Scope(error) if matches!(*error, ScopeError::Proxy { .. })));
    }
}

#[test]
fn an_omitted_scope_is_the_single_server_one_and_stays_omitted() {
    let mut pair = Pair::with(
        ServerConfig::new(
            origin("http://example.com"),
            realm(Algorithm::EcP256Sha256, "http://example.com", "a realm"),
        ),
        Channel::Plain,
    );
    pair.between(|site, path, credentials, now| {
        let mut wire = site.serve(path, credentials, &Channel::Plain, now);
        wire.fields[0].1 = wire.fields[0].1.replace(", auth-scope=\"http://example.com\"", "");
        wire
    });
    let proven = pair.get("/").succeeded();
    assert_eq!(proven.realm().auth_scope.to_string(), "http://example.com");
    assert!(pair.sent.iter().flatten().all(|sent| !sent.contains("auth-scope")));
}

#[test]
fn passwords_are_not_tried_on_another_realm() {
    let mut pair = Pair::new();
    pair.site.access.insert("/".into(), Access::Protected);
    pair.log_in();
    let other = ServerConfig::new(pair.origin.clone(), realm(Algorithm::EcP256Sha256, "example.com", "other"));
    let mut other = Site::new(other, 9);
    other.add_user("john", "secret");
    pair.between(move |_, path, credentials, now| other.serve(path, credentials, &Channel::Plain, now));
    // Same user, same password, another scope: the user is asked.
    let required = pair.get("/").required();
    assert_eq!(required.realm().auth_scope.to_string(), "example.com");
    assert_eq!(pair.take_log(), ["req-VFY-C", "401-INIT"]);
}

#[test]
fn sessions_are_local_to_a_server() {
    // One realm on two ports of a host: two sessions, one login.
    let config =
        ServerConfig::new(origin("http://example.com"), realm(Algorithm::EcP256Sha256, "example.com", "a realm"));
    let mut pair = Pair::with(config.clone(), Channel::Plain);
    pair.log_in();
    let mut second = Site::new(ServerConfig { origin: origin("http://example.com:8080"), ..config }, 3);
    second.add_user("john", "secret");
    pair.origin = origin("http://example.com:8080");
    pair.between(move |_, path, credentials, now| second.serve(path, credentials, &Channel::Plain, now));
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["normal request", "401-INIT", "req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"]);
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
}
