//! What sessions and lookups cost. Not run by default: `cargo test -p tagai-store --release --test cost -- --ignored
//! --nocapture`
#![cfg(feature = "sqlite")]

mod support;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::time::Instant;
use support::*;
use tagai_core::message::Sid;
use tagai_store::principal::{
    Credential, Directory, Facts, KeyPin, Principal, PrincipalKind, PrincipalStore as _, Resolved,
};
use tagai_store::{CredentialStore as _, SessionLimits, SessionStore as _};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Octets that are allocated and not freed.
fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// How many sessions: `SESSIONS`, or 100,000.
fn sessions() -> u32 {
    std::env::var("SESSIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000)
}

/// Copies of one session under other sids, for users of their own.
#[tokio::test]
#[ignore = "a measurement"]
async fn memory_of_established_sessions() {
    let limits = SessionLimits { established_per_user: usize::MAX, established: usize::MAX, ..Default::default() };
    let site = Site::<Memory>::new(limits);
    let sid = site.established("john", at(0)).await.sid();
    let session =
        site.sessions().update(&site.server, &sid, at(0), |session| (None, session)).await.unwrap().unwrap();
    let octets = session.expose_octets();
    let place = octets.windows(16).position(|window| window == sid.octets()).unwrap();
    let user = octets.windows(4).position(|window| window == b"john").unwrap();
    for users in [1_u32, 100_000] {
        let store = Site { server: site.server.clone(), store: std::sync::Arc::new(Memory::with(limits)) };
        let before = held();
        let begun = Instant::now();
        for n in 0..sessions() {
            let mut octets = octets.to_vec();
            octets[place..place + 4].copy_from_slice(&n.to_be_bytes());
            let name = n % users;
            let letters: [u8; 4] = std::array::from_fn(|at| b'a' + (name / 26_u32.pow(at as u32) % 26) as u8);
            octets[user..user + 4].copy_from_slice(&letters);
            let session = store.server.session_from_octets(&octets).unwrap();
            let sid: Sid = session.sid().clone();
            store.sessions().insert(&store.server, session, owner((n % 200) as u8), at(0)).await.unwrap();
            store.sessions().update(&store.server, &sid, at(0), |session| (session, ())).await.unwrap();
        }
        let (held, counts) = (held() - before, store.counts().await);
        let each = held / counts.1;
        println!(
            "{counts:?} with {users} users: {each} octets each; {:?} each to insert and establish",
            begun.elapsed() / sessions()
        );
        assert!(each <= 1024 + 128, "{each}");
    }
}

#[tokio::test]
#[ignore = "a measurement"]
async fn time_of_lookups_and_requests() {
    let site = Site::<Sqlite>::new(SessionLimits::default());
    let realm = site.server.config().realm.clone();
    let both = [("a user", name("john")), ("nobody", name("nobo"))];
    for (what, user) in both.iter().cycle().take(6) {
        let begun = Instant::now();
        for _ in 0..5_000 {
            let found = site.store.users().verifier(&realm, user, site.server.decoy()).await.unwrap();
            assert_eq!(found.is_some(), *what == "a user");
        }
        println!("SQLite, the verifier of {what}: {:?}", begun.elapsed() / 5_000);
    }
    let sid = site.established("john", at(0)).await.sid();
    let begun = Instant::now();
    for _ in 0..2_000 {
        assert!(site.has(&sid, at(1)).await);
    }
    println!("SQLite, one change of a session: {:?}", begun.elapsed() / 2_000);
    let site = Site::<Memory>::new(SessionLimits::default());
    let sid = site.established("john", at(0)).await.sid();
    let begun = Instant::now();
    for _ in 0..100_000 {
        assert!(site.has(&sid, at(1)).await);
    }
    println!("memory, one change of a session: {:?}", begun.elapsed() / 100_000);
}

/// Principals with two groups, one attribute, and a credential of each kind.
fn principals(count: u32) -> Vec<Principal> {
    let now = std::time::UNIX_EPOCH;
    let one = |n: u32| Principal {
        name: format!("person-{n}").parse().unwrap(),
        kind: PrincipalKind::Person,
        disabled: false,
        groups: vec!["everybody".parse().unwrap(), format!("team-{}", n % 100).parse().unwrap()],
        attributes: vec![("department".parse().unwrap(), "engineering".parse().unwrap())],
        credentials: vec![
            user(n),
            format!("x509:partners/dns:device-{n}.example.com").parse().unwrap(),
            Credential::Key(KeyPin::of_spki(&n.to_be_bytes())),
        ],
        created: now,
        changed: now,
    };
    (0..count).map(one).collect()
}

fn user(n: u32) -> Credential {
    format!("user:staff/person-{n}").parse().unwrap()
}

#[test]
#[ignore = "a measurement"]
fn memory_and_time_of_a_directory() {
    const COUNT: u32 = 100_000;
    let before = held();
    let directory = Directory::new(1, principals(COUNT), Vec::new());
    let each = (held() - before) / COUNT as usize;
    println!("{COUNT} principals with 3 credentials: {each} octets each");
    assert!(each <= 2048, "{each}");
    let wanted: Vec<Credential> = (0..COUNT).map(|n| user(n * 7 % COUNT)).collect();
    let begun = Instant::now();
    for credential in &wanted {
        let Resolved::Registered(found) = directory.resolve(credential) else { panic!("{credential}") };
        let facts = Facts { principal: Some(found.name.as_str()), credential: Some(credential), ..Facts::default() };
        assert!(directory.denied(&facts).is_none());
    }
    println!("to resolve a credential and look at the deny list: {:?}", begun.elapsed() / COUNT);
    let next = Directory::new(2, principals(COUNT), Vec::new());
    let begun = Instant::now();
    assert!(next.ended_since(&directory).is_empty());
    println!("to find whose sessions end: {:?}", begun.elapsed());
    drop((directory, next));

    let store = Sqlite::new();
    let path = store.path();
    let mut raw = rusqlite::Connection::open(path).unwrap();
    let step = raw.transaction().unwrap();
    for one in principals(COUNT) {
        let name = one.name.as_str();
        step.execute("INSERT INTO principals VALUES (?1, 'person', 0, 0, 0)", [name]).unwrap();
        for group in &one.groups {
            step.execute("INSERT INTO principal_groups VALUES (?1, ?2)", [name, group.as_str()]).unwrap();
        }
        for (key, value) in &one.attributes {
            step.execute(
                "INSERT INTO principal_attributes VALUES (?1, ?2, ?3)",
                [name, key.as_str(), value.as_str()],
            )
            .unwrap();
        }
        for credential in &one.credentials {
            step.execute("INSERT INTO credentials VALUES (?1, ?2)", [&credential.to_string(), name]).unwrap();
        }
    }
    step.commit().unwrap();
    let begun = Instant::now();
    assert_eq!(store.principals().directory().unwrap().len(), COUNT as usize);
    println!("SQLite, to read all of it: {:?}", begun.elapsed());
    let begun = Instant::now();
    for _ in 0..10_000 {
        store.principals().directory_version().unwrap();
    }
    println!("SQLite, to see whether it has changed: {:?}", begun.elapsed() / 10_000);
}
