//! A process that is killed in the middle of changing users loses none that it said it had added.
#![cfg(feature = "sqlite")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use support::*;
use tagai_store::sealing::SealingKeys;
use tagai_store::sqlite::SqliteStore;
use tagai_store::{NewUser, StoreError, UserStore as _};

const DATABASE: &str = "TAGAI_TEST_DATABASE";
const KEYS: &str = "TAGAI_TEST_KEYS";

/// What the child does; as a test of its own it does nothing.
#[test]
fn child() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let store = SqliteStore::open(database, SealingKeys::from_variable(KEYS).unwrap()).unwrap();
    let realm = a_realm();
    let j = verifier(&realm, &name("user"));
    let known = store.users(None).unwrap().len();
    // The last one may have been added and not acknowledged: it is done once more.
    for n in known.saturating_sub(1).. {
        let name = name(&format!("user-{n}"));
        match store.add(&NewUser { realm: &realm, name: &name, verifier: &j }) {
            Err(StoreError::UserExists) if n + 1 == known => {}
            added => added.unwrap(),
        }
        if n % 3 == 0 {
            store.set_disabled(&realm, &name, true).unwrap();
        }
        // What was said is what has to be there.
        println!("\nacknowledged {n}");
    }
}

#[test]
fn a_killed_process_loses_no_acknowledged_user() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("tagai.db");
    let keys = SealingKeys::generate_line().unwrap();
    let realm = a_realm();
    let mut last = 0;
    for round in 0..4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(DATABASE, &database)
            .env(KEYS, keys.as_str())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = || {
            lines
                .by_ref()
                .find_map(|line| line.unwrap().strip_prefix("acknowledged ").map(|n| n.parse::<usize>().unwrap()))
        };
        for _ in 0..25 + 7 * round {
            last = acknowledged().expect("the child goes on until it is killed");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died counts as well.
        while let Some(n) = acknowledged() {
            last = n;
        }
        let store = SqliteStore::open(&database, SealingKeys::parse(&keys).unwrap()).unwrap();
        store.check().unwrap();
        let users = store.users(None).unwrap();
        assert!(users.len() > last, "{} users, and {last} was acknowledged", users.len());
        for n in 0..=last {
            let name = name(&format!("user-{n}"));
            let user = store.user(&realm, &name).unwrap().expect("an acknowledged user");
            assert_eq!(user.disabled, n % 3 == 0, "{n}");
            store.export(&realm, &name).unwrap();
        }
    }
}
