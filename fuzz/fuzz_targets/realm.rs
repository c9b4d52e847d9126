//! Hosts, origins, authentication scopes and path lists.
//!
//! The first line of the input is read as each of them, the second is the server and the third a path on it.
//!
//! - What was read, written and read again is the same; case does not matter to hosts and origins.
//! - A scope is read from its only spelling, and from nothing else.
//! - A scope covers the server, the host, or the domain with all below it that it names; a scope that a client accepts covers the server that sent it.
//! - A path list without what lies outside of a scope contains what it contained inside of the scope, and no more.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cmp::Ordering;
use tagai_core::realm::{AuthScope, Host, Origin, Paths, RealmName};

fuzz_target!(|input: &str| {
    let mut lines = input.split('\n');
    let text = lines.next().unwrap_or_default();
    let server = lines.next().and_then(|line| Origin::parse(line).ok());
    let path = lines.next().unwrap_or("/");

    if let Ok(host) = Host::parse(text) {
        assert_eq!(Host::parse(&host.to_string()), Ok(host.clone()));
        assert_eq!(Host::parse(&text.to_ascii_uppercase()), Ok(host));
    }
    if let Ok(origin) = Origin::parse(text) {
        for same in [origin.to_string(), origin.with_port().to_string(), text.to_ascii_uppercase()] {
            assert_eq!(Origin::parse(&same), Ok(origin.clone()));
        }
        assert_eq!(AuthScope::parse(&origin.to_string()), Ok(AuthScope::SingleServer(origin.clone())));
        assert!(AuthScope::SingleServer(origin.clone()).covers(&origin));
        assert!(AuthScope::SingleHost(origin.host().clone()).covers(&origin));
    }
    if let Ok(name) = RealmName::new(text) {
        assert_eq!(name.as_str(), text);
    }

    let scope = AuthScope::parse(text).ok();
    if let Some(scope) = &scope {
        assert_eq!(scope.to_string(), text);
        assert_eq!(scope.cmp_specificity(scope), Ordering::Equal);
    }
    let Some(server) = server else { return };
    if let Some(scope) = &scope {
        let covers = match scope {
            AuthScope::SingleServer(single) => *single == server,
            AuthScope::SingleHost(host) => host == server.host(),
            AuthScope::WildcardDomain(domain) => format!(".{}", server.host()).ends_with(&format!(".{domain}")),
        };
        assert_eq!(scope.covers(&server), covers);
        let single = AuthScope::SingleServer(server.clone());
        assert_eq!(scope.cmp_specificity(&single), single.cmp_specificity(scope).reverse());
        if scope.acceptable_from(&server).is_ok() {
            assert!(scope.covers(&server));
        }
    }

    let paths = Paths::parse(text);
    assert_eq!(Paths::parse(&paths.to_string()), paths);
    for scope in [AuthScope::SingleServer(server.clone()), AuthScope::SingleHost(server.host().clone())] {
        let inside = paths.clone().within(&scope, &server);
        assert_eq!(inside.clone().within(&scope, &server), inside);
        for element in paths.to_string().split(' ') {
            let Some(slash) = element.find("://").and_then(|at| Some(at + 3 + element[at + 3..].find('/')?)) else {
                assert!(element.is_empty() || inside.contain(&server, &server, element));
                continue;
            };
            let (origin, prefix) = element.split_at(slash);
            if let Ok(origin) = Origin::parse(origin) {
                assert_eq!(inside.contain(&server, &origin, prefix), scope.covers(&origin));
            }
        }
        assert_eq!(inside.contain(&server, &server, path), paths.contain(&server, &server, path));
    }
});
