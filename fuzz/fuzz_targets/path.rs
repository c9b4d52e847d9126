//! Which route a path belongs to. The first line of the input is a reader: an application that undoes what is odd in a path
//! in steps of its own (see `step`), and then looks which of the routes' paths it stands below. The second line is the path.
//!
//! - If the gateway finds one route for a path, every reader finds the same one.
//! - A path without anything odd is never refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use tagai_gateway::config::Config;
use tagai_gateway::identity::Names;
use tagai_gateway::metrics::Metrics;
use tagai_gateway::proxy::{Protocol, Upstream, UpstreamLimits};
use tagai_gateway::route::{NoRoute, Place, Shared, Table};
use tagai_server::MutualBuilder;
use tagai_store::SessionLimits;
use tagai_store::memory::{MemorySessions, MemoryUsers};

/// The paths of the routes, as the configuration spells them; there is none for what is below none of these.
const ROUTES: [&str; 5] = ["/a", "/a/b", "/b/", "/a/b/c%20d", "/%E4%BA%92"];
/// The most steps of a reader.
const MAX_STEPS: usize = 8;

struct Site {
    table: Table<MemoryUsers, MemorySessions>,
    /// One for each route, to know it by.
    upstreams: BTreeMap<&'static str, Arc<Upstream>>,
}

/// Sites with the routes above; with a route for everything else, and without one.
static SITES: LazyLock<[Site; 2]> = LazyLock::new(|| [site(true), site(false)]);

fn site(root: bool) -> Site {
    let mut text = String::from(
        "[store]\ndatabase = \"x\"\nkeys = \"x\"\n[[listen]]\naddress = \"127.0.0.1:80\"\n[[site]]\norigins = [\"http://a\"]\n",
    );
    let paths: Vec<&str> = ROUTES.into_iter().chain(root.then_some("/")).collect();
    for path in &paths {
        text.push_str(&format!(
            "[[site.route]]\npath = \"{path}\"\naccess = \"public\"\nupstream = \"http://127.0.0.1:1\"\n"
        ));
    }
    let config = Config::parse(Path::new("tagai.toml"), &text).unwrap_or_else(|errors| panic!("{errors}"));
    let upstream = || Upstream::new("http://127.0.0.1:1", Protocol::Http1, None, UpstreamLimits::default());
    let upstreams: BTreeMap<&str, Arc<Upstream>> =
        paths.iter().map(|path| (*path, Arc::new(upstream().expect("an upstream")))).collect();
    let sessions = MemorySessions::new(SessionLimits::default());
    let builder = MutualBuilder::new(Arc::new(MemoryUsers::new()), Arc::new(sessions));
    let (authorities, names, metrics) = (HashMap::new(), Names::of(&config), Metrics::default());
    let shared = Shared { builder: &builder, authorities: &authorities, names: &names, metrics: &metrics };
    let table = Table::new(&config, &shared, |route| upstreams.get(&*route.path).cloned());
    Site { table: table.expect("a good configuration"), upstreams }
}

fuzz_target!(|input: &str| {
    let Some((steps, path)) = input.split_once('\n') else { return };
    // What a path can be made of where hyper has read it.
    if !path.starts_with('/') || path.bytes().any(|octet| octet <= b' ' || b"?#\x7f".contains(&octet)) {
        return;
    }
    // Capitals may be those of a route's name in another case, which is odd enough to be refused.
    let plain =
        |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"/-._~!$&'()*+,=:@".contains(&octet);
    let is_plain = path.bytes().all(plain) && !path.contains("//") && !path.contains("/.");
    for site in &*SITES {
        let place = site.table.find(false, "a").expect("the origin");
        let found = match find(site, place, path) {
            Err(NoRoute::Ambiguous) => {
                assert!(!is_plain, "{path} is refused");
                continue;
            }
            Err(NoRoute::NotFound) => None,
            Ok(route) => Some(route),
        };
        let mut read = path.as_bytes().to_vec();
        for letter in steps.bytes().take(MAX_STEPS) {
            read = step(letter, read);
        }
        let naive = site.upstreams.keys().copied().filter(|route| is_below(&read, route));
        let naive = naive.max_by_key(|route| route.len());
        assert_eq!(found, naive, "{path} read as {:?}", String::from_utf8_lossy(&read));
    }
});

fn find(site: &Site, place: &Place<MemoryUsers, MemorySessions>, path: &str) -> Result<&'static str, NoRoute> {
    let entry = place.route(path)?;
    let mut routes = site.upstreams.iter();
    Ok(routes.find(|(_, upstream)| Arc::ptr_eq(upstream, &entry.upstream)).expect("a route").0)
}

/// Whether a path is a route's, or below it, in the route's spelling or without escapes.
fn is_below(path: &[u8], route: &str) -> bool {
    let plain = decode(route.as_bytes(), |_| true);
    [route.as_bytes(), &plain].into_iter().any(|route| {
        let route = route.strip_suffix(b"/").unwrap_or(route);
        path.strip_prefix(route).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
    })
}

/// One thing that applications do.
fn step(letter: u8, path: Vec<u8>) -> Vec<u8> {
    match letter {
        // Decodes everything, or leaves encoded slashes, or both kinds of them, as they are.
        b'd' => decode(&path, |_| true),
        b'e' => decode(&path, |octet| octet != b'/'),
        b'f' => decode(&path, |octet| !matches!(octet, b'/' | b'\\')),
        // Normalises as RFC 3986 §6.2.2.2 has it, and no more.
        b'u' => decode(&path, |octet| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)),
        // Takes `\` for `/`.
        b'b' => path.iter().map(|octet| if *octet == b'\\' { b'/' } else { *octet }).collect(),
        // Leaves out what follows `;` in each segment.
        b'p' => segments(&path, |name, all| {
            all.push(name.split(|octet| *octet == b';').next().unwrap_or_default().to_vec());
        }),
        // Takes several slashes for one.
        b's' => {
            let mut path = path;
            path.dedup_by(|one, other| *one == b'/' && *other == b'/');
            path
        }
        // Resolves dots (RFC 3986 §5.2.4).
        b'.' => segments(&path, |name, all| match name {
            b"." => {}
            b".." => drop(all.pop()),
            _ => all.push(name.to_vec()),
        }),
        // As browsers do: encoded dots are dots.
        b':' => segments(&path, |name, all| match decode(name, |octet| octet == b'.').as_slice() {
            b"." => {}
            b".." => drop(all.pop()),
            _ => all.push(name.to_vec()),
        }),
        _ => path,
    }
}

fn segments(path: &[u8], mut take: impl FnMut(&[u8], &mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut all = Vec::new();
    for name in path.strip_prefix(b"/").unwrap_or(path).split(|octet| *octet == b'/') {
        take(name, &mut all);
    }
    let mut path: Vec<u8> = all.into_iter().flat_map(|name| [vec![b'/'], name].concat()).collect();
    if path.is_empty() {
        path.push(b'/');
    }
    path
}

fn decode(text: &[u8], which: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(octet) = text.get(at) {
        let digits = text.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let value = digits.filter(|_| *octet == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let value = value.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|value| which(*value));
        decoded.push(value.unwrap_or(*octet));
        at += if value.is_some() { 3 } else { 1 };
    }
    decoded
}
