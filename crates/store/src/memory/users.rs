//! Users in memory.

use super::invitations::Invitations;
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
pub struct MemoryUsers(RwLock<Held>);

#[derive(Debug, Default)]
pub(super) struct Held {
    users: Users,
    pub(super) invitations: Invitations,
}

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
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, realm: &AuthRealm, name: &Username, change: impl FnOnce(&mut Entry)) -> Result<(), StoreError> {
        let mut held = self.write();
        let entry = held.users.get_mut(realm).and_then(|names| names.get_mut(name)).ok_or(StoreError::NoUser)?;
        change(entry);
        entry.changed = crate::wall_clock();
        held.invitations.end(realm, name);
        Ok(())
    }
}

impl Held {
    fn find(&self, realm: &AuthRealm, name: &Username) -> Option<&Entry> {
        self.users.get(realm).and_then(|names| names.get(name))
    }

    /// Whether the user may not log in, if there is one.
    pub(super) fn disabled(&self, realm: &AuthRealm, name: &Username) -> Option<bool> {
        self.find(realm, name).map(|entry| entry.disabled)
    }

    /// Gives a user this verifier, or adds the user.
    pub(super) fn put(&mut self, realm: &AuthRealm, name: &Username, verifier: J) {
        let now = crate::wall_clock();
        let names = self.users.entry(realm.clone()).or_default();
        match names.get_mut(name) {
            Some(entry) => {
                entry.verifier = verifier;
                entry.changed = now;
            }
            None => {
                names.insert(name.clone(), Entry { verifier, disabled: false, created: now, changed: now });
            }
        }
        self.invitations.end(realm, name);
    }
}

pub(super) fn copy(j: &J) -> Result<J, StoreError> {
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
        let held = self.read();
        match held.find(realm, user).filter(|entry| !entry.disabled) {
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
        let verifier = copy(user.verifier)?;
        let mut held = self.write();
        if held.find(user.realm, user.name).is_some() {
            return Err(StoreError::UserExists);
        }
        held.put(user.realm, user.name, verifier);
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
        let mut held = self.write();
        let names = held.users.get_mut(realm).ok_or(StoreError::NoUser)?;
        names.remove(name).ok_or(StoreError::NoUser)?;
        if names.is_empty() {
            held.users.remove(realm);
        }
        held.invitations.end(realm, name);
        Ok(())
    }

    fn user(&self, realm: &AuthRealm, name: &Username) -> Result<Option<User>, StoreError> {
        Ok(self.read().find(realm, name).map(|entry| user(realm, name, entry)))
    }

    fn users(&self, realm: Option<&AuthRealm>) -> Result<Vec<User>, StoreError> {
        let held = self.read();
        let of = |(realm, names): (&AuthRealm, &BTreeMap<Username, Entry>)| -> Vec<User> {
            names.iter().map(|(name, entry)| user(realm, name, entry)).collect()
        };
        Ok(match realm {
            Some(realm) => held.users.get_key_value(realm).map(of).unwrap_or_default(),
            None => held.users.iter().flat_map(of).collect(),
        })
    }

    fn export(&self, realm: &AuthRealm, name: &Username) -> Result<J, StoreError> {
        copy(&self.read().find(realm, name).ok_or(StoreError::NoUser)?.verifier)
    }
}
