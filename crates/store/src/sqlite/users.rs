//! Users in SQLite.

use super::SqliteStore;
use super::database::Database;
use super::fault::Fault;
use super::principals::release;
use super::revocations::end_sessions;
use crate::credential::{CredentialStore, NewUser, User, UserStore};
use crate::error::StoreError;
use crate::principal::{Credential, PrincipalName};
use crate::sealing::Purpose;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tagai_core::algorithm::Algorithm;
use tagai_core::credential::Username;
use tagai_core::kam3::J;
use tagai_core::realm::{AuthRealm, AuthScope, RealmName};
use zeroize::Zeroizing;

/// Decoys that are kept sealed: one for each server, of which there are few.
const MAX_DECOYS: usize = 64;
/// What decoys are bound to: no realm has such an algorithm.
const DECOY_PARTS: [&[u8]; 4] = [b"decoy", b"decoy", b"decoy", b"decoy"];

/// What a user's row is found by, and what its verifier is bound to.
pub(super) struct Place {
    algorithm: &'static str,
    scope: String,
    realm: String,
    name: String,
}

impl Place {
    pub(super) fn new(realm: &AuthRealm, name: &Username) -> Self {
        Self {
            algorithm: realm.algorithm.as_str(),
            scope: realm.auth_scope.to_string(),
            realm: realm.name.as_str().to_owned(),
            name: name.as_str().to_owned(),
        }
    }

    fn parts(&self) -> [&[u8]; 4] {
        [self.algorithm, &self.scope, &self.realm, &self.name].map(str::as_bytes)
    }

    pub(super) fn columns(&self) -> [&str; 4] {
        [self.algorithm, &self.scope, &self.realm, &self.name]
    }

    fn shown(&self) -> String {
        format!("the user \"{}\" of the realm \"{}\" at {}", self.name, self.realm, self.scope)
    }
}

/// Decoys, sealed as if they were users' verifiers.
#[derive(Default)]
pub(super) struct Decoys(Vec<Arc<Decoy>>);

struct Decoy {
    octets: Zeroizing<Vec<u8>>,
    key_id: String,
    sealed: Vec<u8>,
}

impl fmt::Debug for Decoys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decoys({})", self.0.len())
    }
}

impl Decoys {
    fn of(this: &Mutex<Self>, octets: &[u8], database: &Database) -> Result<Arc<Decoy>, StoreError> {
        let mut decoys = this.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = decoys.0.iter().find(|known| known.octets.as_slice() == octets) {
            return Ok(Arc::clone(known));
        }
        let sealed = database.keys.seal(Purpose::Verifier, &DECOY_PARTS, octets);
        let sealed = sealed.map_err(|error| database.sealed("the decoy", &error))?;
        let key_id = database.keys.first_id().to_owned();
        let decoy = Arc::new(Decoy { octets: Zeroizing::new(octets.to_vec()), key_id, sealed });
        if decoys.0.len() >= MAX_DECOYS {
            decoys.0.remove(0);
        }
        decoys.0.push(Arc::clone(&decoy));
        Ok(decoy)
    }
}

struct Sealed {
    disabled: bool,
    key_id: String,
    sealed: Vec<u8>,
}

fn row(connection: &Connection, place: &Place, fault: &Fault) -> Result<Option<Sealed>, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT disabled, key_id, sealed FROM users
             WHERE algorithm = ?1 AND auth_scope = ?2 AND realm = ?3 AND name = ?4",
        )
        .and_then(|mut statement| {
            statement
                .query_row(place.columns(), |row| {
                    Ok(Sealed { disabled: row.get(0)?, key_id: row.get(1)?, sealed: row.get(2)? })
                })
                .optional()
        });
    found.map_err(|error| fault.of(&error))
}

fn load(database: &Database, algorithm: Algorithm, place: &Place, row: &Sealed) -> Result<J, StoreError> {
    let affine = database
        .keys
        .open(&row.key_id, Purpose::Verifier, &place.parts(), &row.sealed)
        .map_err(|error| database.sealed(&format!("the verifier of {}", place.shown()), &error))?;
    J::from_affine(algorithm, &affine)
        .map_err(|error| database.fault.corrupt(&format!("the verifier of {}: {error}", place.shown())))
}

impl CredentialStore for SqliteStore {
    async fn verifier(&self, realm: &AuthRealm, user: &Username, decoy: &[u8]) -> Result<Option<J>, StoreError> {
        let (algorithm, place) = (realm.algorithm, Place::new(realm, user));
        let decoy = Decoys::of(&self.decoys, decoy, &self.database)?;
        let database = Arc::clone(&self.database);
        let work = move || {
            let row = database.read(|connection, fault| row(connection, &place, fault))?;
            match row.filter(|row| !row.disabled) {
                Some(row) => load(&database, algorithm, &place, &row).map(Some),
                None => {
                    // The same work as for a user, and nothing comes of it.
                    let opened = database.keys.open(&decoy.key_id, Purpose::Verifier, &DECOY_PARTS, &decoy.sealed);
                    drop(opened.map(|affine| J::from_affine(algorithm, &affine)));
                    Ok(None)
                }
            }
        };
        self.database.blocking(work).await
    }
}

/// Whole seconds since the epoch, which is what a row keeps.
pub(super) fn seconds(time: SystemTime) -> i64 {
    let span = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

pub(super) fn date(seconds: i64) -> SystemTime {
    let span = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    UNIX_EPOCH.checked_add(span).unwrap_or(UNIX_EPOCH)
}

fn of_one(changed: usize) -> Result<(), StoreError> {
    if changed == 0 { Err(StoreError::NoUser) } else { Ok(()) }
}

/// The realm of three columns.
pub(super) fn realm_of(algorithm: &str, scope: &str, name: String, fault: &Fault) -> Result<AuthRealm, StoreError> {
    let wrong = |what: &str| fault.corrupt(&format!("a user's {what} cannot be one"));
    Ok(AuthRealm {
        algorithm: algorithm.parse().map_err(|_| wrong("algorithm"))?,
        auth_scope: AuthScope::parse(scope).map_err(|_| wrong("authentication scope"))?,
        name: RealmName::new(name).map_err(|_| wrong("realm"))?,
    })
}

fn user(row: &Row<'_>, fault: &Fault) -> Result<User, StoreError> {
    let text = |column| row.get::<_, String>(column).map_err(|error| fault.of(&error));
    let number = |column| row.get::<_, i64>(column).map_err(|error| fault.of(&error));
    Ok(User {
        realm: realm_of(&text(0)?, &text(1)?, text(2)?, fault)?,
        name: Username::prepared(text(3)?).map_err(|_| fault.corrupt("a user's name cannot be one"))?,
        disabled: number(4)? != 0,
        created: date(number(5)?),
        changed: date(number(6)?),
    })
}

const COLUMNS: &str = "SELECT algorithm, auth_scope, realm, name, disabled, created, changed FROM users";

impl SqliteStore {
    pub(super) fn seal(&self, user: &NewUser<'_>) -> Result<(Place, Vec<u8>), StoreError> {
        let place = Place::new(user.realm, user.name);
        let sealed = self.database.keys.seal(Purpose::Verifier, &place.parts(), user.verifier.expose_affine());
        let sealed = sealed.map_err(|error| self.database.sealed("the verifier", &error))?;
        Ok((place, sealed))
    }
}

impl SqliteStore {
    /// Removes a user, and takes the user's credential from the principal that it belongs to: else whoever gets the name next
    /// would be this principal. All of it or nothing. Gives the principal, if there was one.
    ///
    /// # Errors
    /// [`StoreError::NoUser`], [`StoreError::Unavailable`].
    pub fn remove_with_credential(
        &self,
        realm: &AuthRealm,
        name: &Username,
        credential: &Credential,
    ) -> Result<Option<PrincipalName>, StoreError> {
        self.database.change(|step, fault| {
            remove(step, fault, realm, name)?;
            release(step, fault, credential)
        })
    }
}

fn remove(step: &Transaction<'_>, fault: &Fault, realm: &AuthRealm, name: &Username) -> Result<(), StoreError> {
    let removed = step.execute(
        "DELETE FROM users WHERE algorithm = ?1 AND auth_scope = ?2 AND realm = ?3 AND name = ?4",
        Place::new(realm, name).columns(),
    );
    of_one(removed.map_err(|error| fault.of(&error))?)?;
    end_sessions(step, fault, realm, name)
}

/// Adds a user, unless there is one of this name.
pub(super) fn insert(
    step: &Transaction<'_>,
    fault: &Fault,
    place: &Place,
    key_id: &str,
    sealed: &[u8],
) -> Result<usize, StoreError> {
    let [algorithm, scope, realm, name] = place.columns();
    let now = seconds(crate::wall_clock());
    let added = step.execute(
        "INSERT INTO users VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        params![algorithm, scope, realm, name, now, key_id, sealed],
    );
    added.map_err(|error| fault.of(&error))
}

/// Gives a user another verifier. The sessions are the caller's to end.
pub(super) fn update(
    step: &Transaction<'_>,
    fault: &Fault,
    place: &Place,
    key_id: &str,
    sealed: &[u8],
) -> Result<usize, StoreError> {
    let [algorithm, scope, realm, name] = place.columns();
    let now = seconds(crate::wall_clock());
    let changed = step.execute(
        "UPDATE users SET changed = ?5, key_id = ?6, sealed = ?7
         WHERE algorithm = ?1 AND auth_scope = ?2 AND realm = ?3 AND name = ?4",
        params![algorithm, scope, realm, name, now, key_id, sealed],
    );
    changed.map_err(|error| fault.of(&error))
}

impl UserStore for SqliteStore {
    fn add(&self, user: &NewUser<'_>) -> Result<(), StoreError> {
        let (place, sealed) = self.seal(user)?;
        self.database.change(|step, fault| {
            match insert(step, fault, &place, self.database.keys.first_id(), &sealed)? {
                0 => Err(StoreError::UserExists),
                _ => Ok(()),
            }
        })
    }

    fn set_verifier(&self, user: &NewUser<'_>) -> Result<(), StoreError> {
        let (place, sealed) = self.seal(user)?;
        self.database.change(|step, fault| {
            of_one(update(step, fault, &place, self.database.keys.first_id(), &sealed)?)?;
            end_sessions(step, fault, user.realm, user.name)
        })
    }

    fn set_disabled(&self, realm: &AuthRealm, user: &Username, disabled: bool) -> Result<(), StoreError> {
        let place = Place::new(realm, user);
        let [algorithm, scope, name_of_realm, name] = place.columns();
        let now = seconds(crate::wall_clock());
        self.database.change(|step, fault| {
            let changed = step.execute(
                "UPDATE users SET changed = ?5, disabled = ?6
                 WHERE algorithm = ?1 AND auth_scope = ?2 AND realm = ?3 AND name = ?4",
                params![algorithm, scope, name_of_realm, name, now, disabled],
            );
            of_one(changed.map_err(|error| fault.of(&error))?)?;
            end_sessions(step, fault, realm, user)
        })
    }

    fn remove(&self, realm: &AuthRealm, name: &Username) -> Result<(), StoreError> {
        self.database.change(|step, fault| remove(step, fault, realm, name))
    }

    fn user(&self, realm: &AuthRealm, name: &Username) -> Result<Option<User>, StoreError> {
        let place = Place::new(realm, name);
        let sql = format!("{COLUMNS} WHERE algorithm = ?1 AND auth_scope = ?2 AND realm = ?3 AND name = ?4");
        self.database.read(|connection, fault| {
            let mut statement = connection.prepare_cached(&sql).map_err(|error| fault.of(&error))?;
            let mut rows = statement.query(place.columns()).map_err(|error| fault.of(&error))?;
            rows.next().map_err(|error| fault.of(&error))?.map(|row| user(row, fault)).transpose()
        })
    }

    fn users(&self, realm: Option<&AuthRealm>) -> Result<Vec<User>, StoreError> {
        let mut users: Vec<User> = self.database.read(|connection, fault| {
            let failed = |error| fault.of(&error);
            let mut statement;
            let mut rows = match realm {
                Some(realm) => {
                    let sql = format!("{COLUMNS} WHERE algorithm = ?1 AND auth_scope = ?2 AND realm = ?3");
                    statement = connection.prepare_cached(&sql).map_err(failed)?;
                    statement.query([realm.algorithm.as_str(), &realm.auth_scope.to_string(), realm.name.as_str()])
                }
                None => {
                    statement = connection.prepare_cached(COLUMNS).map_err(failed)?;
                    statement.query([])
                }
            }
            .map_err(failed)?;
            let mut users = Vec::new();
            while let Some(row) = rows.next().map_err(failed)? {
                users.push(user(row, fault)?);
            }
            Ok(users)
        })?;
        // The order of the types, and not of the texts in the table.
        users.sort_by(|a, b| (&a.realm, &a.name).cmp(&(&b.realm, &b.name)));
        Ok(users)
    }

    fn export(&self, realm: &AuthRealm, name: &Username) -> Result<J, StoreError> {
        let place = Place::new(realm, name);
        let row = self.database.read(|connection, fault| row(connection, &place, fault))?;
        load(&self.database, realm.algorithm, &place, &row.ok_or(StoreError::NoUser)?)
    }
}
