//! `tagai.toml`.
//!
//! - What is wrong is said at a place in the text, in lines without control characters, and at least once as an error.
//! - A configuration that was accepted has warnings alone, and can be put to work: every realm on every origin, every site by its
//!   origins, every route by its own path.
//! - Other line ends and a comment behind mean the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use tagai_core::realm::Scheme;
use tagai_gateway::config::{Config, Diagnostic, Severity};
use tagai_gateway::identity::Names;
use tagai_gateway::metrics::Metrics;
use tagai_gateway::proxy::{Protocol, Upstream, UpstreamLimits};
use tagai_gateway::route::{Shared, Table};
use tagai_server::MutualBuilder;
use tagai_store::SessionLimits;
use tagai_store::memory::{MemorySessions, MemoryUsers};

static BUILDER: LazyLock<MutualBuilder<MemoryUsers, MemorySessions>> = LazyLock::new(|| {
    MutualBuilder::new(Arc::new(MemoryUsers::new()), Arc::new(MemorySessions::new(SessionLimits::default())))
});

/// The most routes, over all origins, of a configuration that is put to work.
const MAX_ROUTES: usize = 64;

fuzz_target!(|text: &str| {
    let file = Path::new("etc/tagai.toml");
    match Config::parse(file, text) {
        Err(errors) => {
            let found = errors.diagnostics();
            assert!(found.iter().any(|found| found.severity() == Severity::Error));
            found.iter().for_each(|found| check(found, text));
            assert!(!errors.to_string().chars().any(|c| c.is_control() && c != '\n'));
        }
        Ok(config) => {
            for found in &config.warnings {
                assert_eq!(found.severity(), Severity::Warning);
                check(found, text);
            }
            assert_eq!(Config::parse(file, &format!("{text}\n# more")).as_ref().map(whole), Ok(whole(&config)));
            put_to_work(&config);
        }
    }
});

/// All but the warnings, whose places may differ.
fn whole(config: &Config) -> Config {
    Config { warnings: Vec::new(), ..config.clone() }
}

fn check(found: &Diagnostic, text: &str) {
    let (line, column) = found.position().expect("a place");
    let lines: Vec<&str> = text.split('\n').collect();
    assert!((1..=lines.len()).contains(&line), "line {line}");
    let length = lines[line - 1].chars().count();
    assert!((1..=length + 1).contains(&column), "column {column} of line {line}, which has {length}");
    assert!(!found.message().is_empty() && !found.message().contains('\n'), "{:?}", found.message());
    let shown = found.render(false);
    assert!(shown.contains(&format!(":{line}:{column}\n")) && !shown.chars().any(|c| c.is_control() && c != '\n'));
}

fn put_to_work(config: &Config) {
    let origins = config.sites.iter().flat_map(|site| site.origins.iter().map(move |origin| (site, origin)));
    if origins.clone().map(|(site, _)| site.routes.len()).sum::<usize>() > MAX_ROUTES {
        return;
    }
    let upstream = || Upstream::new("http://127.0.0.1:1", Protocol::Http1, None, UpstreamLimits::default());
    let mut upstreams = Vec::new();
    let (authorities, names, metrics) = (HashMap::new(), Names::of(config), Metrics::default());
    let shared = Shared { builder: &BUILDER, authorities: &authorities, names: &names, metrics: &metrics };
    let table = Table::new(config, &shared, |_| {
        let upstream = Arc::new(upstream().expect("an upstream"));
        upstreams.push(Arc::clone(&upstream));
        Some(upstream)
    });
    let table = table.unwrap_or_else(|(realm, error)| panic!("the realm {realm}: {error}"));
    let mut upstreams = upstreams.iter();
    for (site, origin) in origins {
        let authority = origin.with_port().to_string();
        let authority = authority.split_once("://").expect("an origin").1;
        let place = table.find(origin.scheme() == Scheme::Https, authority).expect("a site by its origin");
        assert_eq!(place.origin, *origin);
        for route in &site.routes {
            let upstream = upstreams.next().expect("one for each route");
            let entry = place.route(&route.path);
            let same = entry.is_ok_and(|entry| Arc::ptr_eq(&entry.upstream, upstream));
            assert!(same, "{} is not the route {}", route.path, route.path);
        }
    }
}
