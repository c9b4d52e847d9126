//! Users in memory.

use crate::credential::{CredentialStore, NewUser, User, UserStore};
use crate::error::StoreError;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;
use tagai_core::credential::Username;
use tagai_core::kam3::J;
use tagai_core::realm::AuthRealm;

type Users = BTreeMap<AuthRealm, BTreeMap<Username, Entry>>;

/// Users who are forgotten when the process ends. For tests, and for programs that keep their users elsewhere.
#[derive(Debug, Default)]
pub struct MemoryUsers(RwLock<Users>);

#[derive(Debug)]
struct Entry {
    verifier: J,
    disabled: bool,
    created: SystemTime,
    changed: SystemTime,
}

impl MemoryUsers {
    /// No users.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    // No code that runs under the lock leaves a change half done, so a poisoned lock is as good as another.
    fn read(&self) -> RwLockReadGuard<'_, Users> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Users> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, realm: &AuthRealm, name: &Username, change: impl FnOnce(&mut Entry)) -> Result<(), StoreError> {
        let mut users = self.write();
        let entry = users.get_mut(realm).and_then(|names| names.get_mut(name)).ok_or(StoreError::NoUser)?;
        change(entry);
        entry.changed = crate::wall_clock();
        Ok(())
    }
}

fn copy(j: &J) -> Result<J, StoreError> {
    J::from_affine(j.algorithm(), j.expose_affine())
        .map_err(|error| StoreError::Unavailable(format!("the verifier of the user cannot be loaded: {error}")))
}

fn user(realm: &AuthRealm, name: &Username, entry: &Entry) -> User {
    User {
        realm: realm.clone(),
        name: name.clone(),
        disabled: entry.disabled,
        created: entry.created,
        changed: entry.changed,
    }
}

impl CredentialStore for MemoryUsers {
    async fn verifier(&self, realm: &AuthRealm, user: &Username, decoy: &[u8]) -> Result<Option<J>, StoreError> {
        let users = self.read();
        let entry = users.get(realm).and_then(|names| names.get(user)).filter(|entry| !entry.disabled);
        match entry {
            Some(entry) => copy(&entry.verifier).map(Some),
            None => {
                // The same work as for a user, and nothing comes of it.
                drop(J::from_affine(realm.algorithm, decoy));
                Ok(None)
            }
        }
    }
}

impl UserStore for MemoryUsers {
    fn add(&self, user: &NewUser<'_>) -> Result<(), StoreError> {
        let now = crate::wall_clock();
        let entry = Entry { verifier: copy(user.verifier)?, disabled: false, created: now, changed: now };
        let mut users = self.write();
        let names = users.entry(user.realm.clone()).or_default();
        if names.contains_key(user.name) {
            return Err(StoreError::UserExists);
        }
        names.insert(user.name.clone(), entry);
        Ok(())
    }

    fn set_verifier(&self, user: &NewUser<'_>) -> Result<(), StoreError> {
        let verifier = copy(user.verifier)?;
        self.change(user.realm, user.name, |entry| entry.verifier = verifier)
    }

    fn set_disabled(&self, realm: &AuthRealm, name: &Username, disabled: bool) -> Result<(), StoreError> {
        self.change(realm, name, |entry| entry.disabled = disabled)
    }

    fn remove(&self, realm: &AuthRealm, name: &Username) -> Result<(), StoreError> {
        let mut users = self.write();
        let names = users.get_mut(realm).ok_or(StoreError::NoUser)?;
        names.remove(name).ok_or(StoreError::NoUser)?;
        if names.is_empty() {
            users.remove(realm);
        }
        Ok(())
    }

    fn user(&self, realm: &AuthRealm, name: &Username) -> Result<Option<User>, StoreError> {
        let users = self.read();
        Ok(users.get(realm).and_then(|names| names.get(name)).map(|entry| user(realm, name, entry)))
    }

    fn users(&self, realm: Option<&AuthRealm>) -> Result<Vec<User>, StoreError> {
        let users = self.read();
        let of = |(realm, names): (&AuthRealm, &BTreeMap<Username, Entry>)| -> Vec<User> {
            names.iter().map(|(name, entry)| user(realm, name, entry)).collect()
        };
        Ok(match realm {
            Some(realm) => users.get_key_value(realm).map(of).unwrap_or_default(),
            None => users.iter().flat_map(of).collect(),
        })
    }

    fn export(&self, realm: &AuthRealm, name: &Username) -> Result<J, StoreError> {
        let users = self.read();
        let entry = users.get(realm).and_then(|names| names.get(name)).ok_or(StoreError::NoUser)?;
        copy(&entry.verifier)
    }
}
