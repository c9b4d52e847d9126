//! Sessions that come out of a store or a file, as parts (see `tagai_fuzz::parts`).
//!
//! The first line says whose parts stand in front: `0` and `1` a session of one of two servers, anything else none.
//!
//! - What is read as a session is written back octet for octet the same, and nothing shorter or longer is one.
//! - A server's session is no session of another server.
//! - Leases of a client's session and what is left of it never share a number, and lose none; they are the same session.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use tagai_core::client::StoredSession;
use tagai_core::realm::AuthRealm;
use tagai_fuzz::{Site, parts, take_apart};

static SITES: LazyLock<[Site; 2]> = LazyLock::new(|| ["staff", "guests"].map(Site::new));

/// The most leases that are taken of one session.
const MAX_LEASES: u32 = 16;

fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|octet| *octet == b'\n');
    let first = lines.next().unwrap_or_default();
    let site = match first {
        [b'0', ..] => Some(&SITES[0]),
        [b'1', ..] => Some(&SITES[1]),
        _ => None,
    };
    let octets = parts(site.map(place).iter().flatten().map(Vec::as_slice).chain(lines));
    of_servers(&octets);
    of_a_client(&octets, u32::from(first.last().copied().unwrap_or(1)));
});

/// The parts in front of every session of this server.
fn place(site: &Site) -> [Vec<u8>; 5] {
    let AuthRealm { algorithm, auth_scope, name } = site.realm();
    let origin = site.server.config().origin.with_port();
    [
        format!("t{origin}"),
        "torigin server".into(),
        format!("t{}", algorithm.as_str()),
        format!("t{auth_scope}"),
        format!("t{}", name.as_str()),
    ]
    .map(String::into_bytes)
}

fn of_servers(octets: &[u8]) {
    let read = SITES.each_ref().map(|site| site.server.session_from_octets(octets));
    assert!(read.iter().flatten().count() <= 1, "one session of two servers");
    for (site, session) in SITES.iter().zip(&read) {
        let Some(session) = session else { continue };
        assert_eq!(*session.expose_octets(), octets);
        let longer = [octets, &[0]].concat();
        assert!(site.server.session_from_octets(&longer).is_none());
        assert!(site.server.session_from_octets(&octets[..octets.len() - 1]).is_none());
    }
}

fn of_a_client(octets: &[u8], count: u32) {
    let Some(mut session) = StoredSession::from_octets(octets) else { return };
    assert_eq!(*session.expose_octets(), octets);
    assert!(StoredSession::from_octets(&[octets, &[0]].concat()).is_none());
    assert!(StoredSession::from_octets(&octets[..octets.len() - 1]).is_none());

    assert!(session.lease(0).is_none());
    let (start, end) = numbers(&session);
    let mut next = start;
    for _ in 0..MAX_LEASES {
        let Some(lease) = session.lease(count) else {
            assert!(next > end || count == 0, "numbers are lost");
            return;
        };
        let (from, to) = numbers(&lease);
        assert_eq!(from, next, "a number is lost, or taken twice");
        assert!(from <= to && to <= end && to - from < u64::from(count));
        next = to + 1;
        let (rest, rest_end) = numbers(&session);
        assert!(rest > rest_end && next > end || (rest, rest_end) == (next, end));
        assert!(lease.is_same_session(&session));
        assert_eq!((lease.user(), lease.expires()), (session.user(), session.expires()));
        let again = StoredSession::from_octets(&lease.expose_octets()).expect("what was written");
        assert_eq!(numbers(&again), (from, to));
    }
}

/// The nonce numbers of a session: its last two parts.
fn numbers(session: &StoredSession) -> (u64, u64) {
    let octets = session.expose_octets();
    let parts = take_apart(&octets).expect("parts");
    let number = |from_end: usize| {
        let part = parts[parts.len() - from_end];
        u64::from_be_bytes(part.try_into().expect("eight octets"))
    };
    (number(2), number(1))
}
