//! What cannot be brought about from outside of the connections.

use super::*;
use crate::credential::{NewUser, UserStore as _};
use std::path::PathBuf;
use tagai_core::algorithm::Algorithm;
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::{J, Pi};
use tagai_core::realm::{AuthRealm, AuthScope, RealmName};

struct Place {
    store: SqliteStore,
    realm: AuthRealm,
    j: J,
    _folder: tempfile::TempDir,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("tagai.db");
    let keys = SealingKeys::parse(&SealingKeys::generate_line().unwrap()).unwrap();
    let realm = AuthRealm {
        algorithm: Algorithm::Dl4096Sha512,
        auth_scope: AuthScope::parse("example.com").unwrap(),
        name: RealmName::new("a realm").unwrap(),
    };
    let (user, password) = (Username::prepare("john").unwrap(), Password::prepare("secret").unwrap());
    let j = J::from_pi(realm.algorithm, &Pi::derive(&realm, &user, &password)).unwrap();
    Place { store: SqliteStore::open(path, keys).unwrap(), realm, j, _folder: folder }
}

impl Place {
    fn add(&self, n: usize) -> Result<(), StoreError> {
        let name = Username::prepared(format!("user {n}")).unwrap();
        self.store.add(&NewUser { realm: &self.realm, name: &name, verifier: &self.j })
    }

    fn pragma(&self, sql: &str) -> i64 {
        let one = self
            .store
            .database
            .change(|step, fault| step.query_row(sql, [], |row| row.get(0)).map_err(|error| fault.of(&error)));
        one.unwrap()
    }
}

#[test]
fn a_full_disk_says_so_and_loses_nothing() {
    let place = place();
    let pages = place.pragma("PRAGMA page_count");
    place.pragma(&format!("PRAGMA max_page_count = {}", pages + 4));
    let (added, error) = (0..)
        .find_map(|n| match place.add(n) {
            Ok(()) => None,
            Err(error) => Some((n, error.to_string())),
        })
        .unwrap();
    assert!(error.contains("the disk is full; make room"), "{error}");
    assert_eq!(place.store.users(None).unwrap().len(), added);
    place.store.check().unwrap();
    place.pragma("PRAGMA max_page_count = 1000000");
    place.add(added).unwrap();
}

#[test]
fn connections_are_set_to_survive_what_they_promise() {
    let place = place();
    place.store.sessions(SessionLimits::default()).unwrap();
    let of = |sql: &str| {
        let durable = place.pragma(sql);
        let quick = place.store.database.change_quickly(|step, fault| {
            step.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| fault.of(&error))
        });
        (durable, quick.unwrap())
    };
    let (durable, quick) = of("PRAGMA synchronous");
    assert_eq!(durable, 2, "FULL");
    assert!(quick == 2 || (quick == 1 && cfg!(target_os = "linux")), "NORMAL only where the start is known");
    assert_eq!(of("PRAGMA foreign_keys"), (1, 1));
    assert_eq!(place.pragma("PRAGMA busy_timeout"), 5000);
    assert_eq!(place.pragma("PRAGMA secure_delete"), 1);
}

#[test]
fn readers_cannot_write_and_are_not_lost() {
    let place = place();
    for _ in 0..20 {
        let refused = place
            .store
            .database
            .read(|connection, fault| connection.execute("DELETE FROM users", []).map_err(|error| fault.of(&error)));
        assert!(refused.is_err());
    }
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..20 {
                    place.store.users(None).unwrap();
                }
            });
        }
    });
}
