//! What an operator decides, and what comes of it on the wire (RFC 8120 §4.3, §5, §14).

mod support;

use std::time::Duration;
use support::pair::{Pair, Site, config, realm};
use tagai_core::algorithm::Algorithm;
use tagai_core::message::Role;
use tagai_core::realm::{Paths, ScopeError};
use tagai_core::server::{ConfigError, Server, ServerConfig};
use tagai_core::validation::{Channel, EndPoint};

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let check =
        |config: ServerConfig| Server::new(config, &mut support::pair::Pair::new().rng).map(drop).unwrap_err();
    let other_scope = ServerConfig { realm: realm(Algorithm::EcP256Sha256, "example.org", "a realm"), ..config() };
    assert!(matches!(check(other_scope), ConfigError::Scope(ScopeError::NotCovered { .. })));
    assert_eq!(check(ServerConfig { nc_window: 0, ..config() }), ConfigError::NcWindow(0));
    assert_eq!(check(ServerConfig { nc_window: 4097, ..config() }), ConfigError::NcWindow(4097));
    assert_eq!(check(ServerConfig { nc_max: 0, ..config() }), ConfigError::NcMax);
    let outside = ServerConfig { paths: Some(Paths::parse("https://example.org/")), ..config() };
    assert_eq!(check(outside), ConfigError::Paths);
    let proxy = ServerConfig { role: Role::Proxy, ..config() };
    assert!(matches!(check(proxy), ConfigError::Scope(ScopeError::Proxy { .. })));
    let wide = ServerConfig { realm: realm(Algorithm::EcP256Sha256, "*.com", "a realm"), ..config() };
    assert!(matches!(check(wide), ConfigError::Scope(ScopeError::PublicSuffix { .. })));
    assert_eq!(check(ServerConfig { time: Duration::from_millis(999), ..config() }), ConfigError::Time);
}

#[test]
fn the_channel_has_to_fit_the_configured_origin() {
    let site = Site::new(config(), 1);
    let certificate = Channel::Certificate(EndPoint::from_hash(&[1; 32]).unwrap());
    assert!(site.server.receive([], &certificate).is_err());
}

#[test]
fn k_ex_s1_has_what_the_rfc_wants() {
    let config = ServerConfig {
        nc_max: 1_000,
        nc_window: 256,
        time: Duration::from_secs(60),
        paths: Some(Paths::parse("/a /b/")),
        ..config()
    };
    let mut pair = Pair::with(config, Channel::Plain);
    pair.get("/a").succeeded();
    let value = &pair.received[1].fields[0].1;
    let sid = value.split("sid=").nth(1).unwrap().split(',').next().unwrap();
    assert_eq!(sid.len(), 32, "128 bits");
    for part in ["nc-max=1000", "nc-window=256", "time=60", "path=\"/a /b/\"", "version=1", "ks1="] {
        assert!(value.contains(part), "{part} in {value}");
    }
    assert!(!value.contains("reason"));
}
