//! Principals in memory.

use crate::error::StoreError;
use crate::principal::{
    AttributeKey, AttributeValue, Credential, Denial, DenialTarget, Directory, GroupName, MAX_ATTRIBUTES,
    MAX_CREDENTIALS, MAX_DENIALS, MAX_GROUPS, MAX_PRINCIPALS, NewPrincipal, Principal, PrincipalName, PrincipalStore,
    check_texts,
};
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Principals that are forgotten when the process ends. For tests, and for programs that keep theirs elsewhere.
#[derive(Debug, Default)]
pub struct MemoryPrincipals(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    version: i64,
    principals: BTreeMap<PrincipalName, Principal>,
    owners: BTreeMap<Credential, PrincipalName>,
    denials: BTreeMap<DenialTarget, Denial>,
}

/// The time in whole seconds, as other stores keep it.
fn now() -> SystemTime {
    let seconds = crate::wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}

fn room(len: usize, what: &'static str, most: usize) -> Result<(), StoreError> {
    if len < most { Ok(()) } else { Err(StoreError::TooMany { what, most }) }
}

impl State {
    fn get_mut(&mut self, name: &PrincipalName) -> Result<&mut Principal, StoreError> {
        self.principals.get_mut(name).ok_or(StoreError::NoPrincipal)
    }

    /// Counts a change of a principal.
    fn changed(&mut self, name: &PrincipalName) -> bool {
        if let Some(principal) = self.principals.get_mut(name) {
            principal.changed = now();
        }
        self.version = self.version.wrapping_add(1);
        true
    }
}

impl MemoryPrincipals {
    /// No principals, and no denials.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    // No code that runs under the lock leaves a change half done, so a poisoned lock is as good as another.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PrincipalStore for MemoryPrincipals {
    fn add_principal(&self, principal: &NewPrincipal) -> Result<(), StoreError> {
        let mut state = self.write();
        if state.principals.contains_key(&principal.name) {
            return Err(StoreError::PrincipalExists);
        }
        room(state.principals.len(), "principals", MAX_PRINCIPALS)?;
        let now = now();
        let new = Principal {
            name: principal.name.clone(),
            kind: principal.kind,
            disabled: false,
            groups: Vec::new(),
            attributes: Vec::new(),
            credentials: Vec::new(),
            created: now,
            changed: now,
        };
        state.principals.insert(principal.name.clone(), new);
        state.changed(&principal.name);
        Ok(())
    }

    fn remove_principal(&self, name: &PrincipalName) -> Result<(), StoreError> {
        let mut state = self.write();
        state.principals.remove(name).ok_or(StoreError::NoPrincipal)?;
        state.owners.retain(|_, owner| owner != name);
        state.changed(name);
        Ok(())
    }

    fn set_principal_disabled(&self, name: &PrincipalName, disabled: bool) -> Result<bool, StoreError> {
        let mut state = self.write();
        let principal = state.get_mut(name)?;
        if principal.disabled == disabled {
            return Ok(false);
        }
        principal.disabled = disabled;
        Ok(state.changed(name))
    }

    fn add_to_group(&self, name: &PrincipalName, group: &GroupName) -> Result<bool, StoreError> {
        let mut state = self.write();
        let groups = &mut state.get_mut(name)?.groups;
        let Err(place) = groups.binary_search(group) else { return Ok(false) };
        room(groups.len(), "groups of one principal", MAX_GROUPS)?;
        groups.insert(place, group.clone());
        Ok(state.changed(name))
    }

    fn remove_from_group(&self, name: &PrincipalName, group: &GroupName) -> Result<bool, StoreError> {
        let mut state = self.write();
        let groups = &mut state.get_mut(name)?.groups;
        let Ok(place) = groups.binary_search(group) else { return Ok(false) };
        groups.remove(place);
        Ok(state.changed(name))
    }

    fn set_attribute(
        &self,
        name: &PrincipalName,
        key: &AttributeKey,
        value: &AttributeValue,
    ) -> Result<bool, StoreError> {
        let mut state = self.write();
        let attributes = &mut state.get_mut(name)?.attributes;
        match attributes.binary_search_by(|(known, _)| known.cmp(key)) {
            Ok(place) => match attributes.get_mut(place) {
                Some((_, old)) if old != value => *old = value.clone(),
                _ => return Ok(false),
            },
            Err(place) => {
                room(attributes.len(), "attributes of one principal", MAX_ATTRIBUTES)?;
                attributes.insert(place, (key.clone(), value.clone()));
            }
        }
        Ok(state.changed(name))
    }

    fn unset_attribute(&self, name: &PrincipalName, key: &AttributeKey) -> Result<bool, StoreError> {
        let mut state = self.write();
        let attributes = &mut state.get_mut(name)?.attributes;
        let Ok(place) = attributes.binary_search_by(|(known, _)| known.cmp(key)) else { return Ok(false) };
        attributes.remove(place);
        Ok(state.changed(name))
    }

    fn bind(&self, name: &PrincipalName, credential: &Credential) -> Result<bool, StoreError> {
        let mut state = self.write();
        let owner = state.owners.get(credential).cloned();
        let credentials = &mut state.get_mut(name)?.credentials;
        match owner {
            Some(owner) if owner == *name => return Ok(false),
            Some(owner) => return Err(StoreError::CredentialTaken(owner)),
            None => {}
        }
        room(credentials.len(), "credentials of one principal", MAX_CREDENTIALS)?;
        let place = credentials.partition_point(|known| known < credential);
        credentials.insert(place, credential.clone());
        state.owners.insert(credential.clone(), name.clone());
        Ok(state.changed(name))
    }

    fn unbind(&self, name: &PrincipalName, credential: &Credential) -> Result<bool, StoreError> {
        let mut state = self.write();
        let credentials = &mut state.get_mut(name)?.credentials;
        let Ok(place) = credentials.binary_search(credential) else { return Ok(false) };
        credentials.remove(place);
        state.owners.remove(credential);
        Ok(state.changed(name))
    }

    fn principal(&self, name: &PrincipalName) -> Result<Option<Principal>, StoreError> {
        Ok(self.read().principals.get(name).cloned())
    }

    fn principals(&self) -> Result<Vec<Principal>, StoreError> {
        Ok(self.read().principals.values().cloned().collect())
    }

    fn owner_of(&self, credential: &Credential) -> Result<Option<PrincipalName>, StoreError> {
        Ok(self.read().owners.get(credential).cloned())
    }

    fn deny(&self, target: &DenialTarget, reason: &str, by: &str) -> Result<bool, StoreError> {
        check_texts(reason, by)?;
        let mut state = self.write();
        if state.denials.contains_key(target) {
            return Ok(false);
        }
        room(state.denials.len(), "denials", MAX_DENIALS)?;
        let denial = Denial { target: target.clone(), reason: reason.to_owned(), created: now(), by: by.to_owned() };
        state.denials.insert(target.clone(), denial);
        state.version = state.version.wrapping_add(1);
        Ok(true)
    }

    fn allow(&self, target: &DenialTarget) -> Result<bool, StoreError> {
        let mut state = self.write();
        let removed = state.denials.remove(target).is_some();
        if removed {
            state.version = state.version.wrapping_add(1);
        }
        Ok(removed)
    }

    fn denials(&self) -> Result<Vec<Denial>, StoreError> {
        Ok(self.read().denials.values().cloned().collect())
    }

    fn directory_version(&self) -> Result<i64, StoreError> {
        Ok(self.read().version)
    }

    fn directory(&self) -> Result<Directory, StoreError> {
        let state = self.read();
        let (principals, denials) = (state.principals.values().cloned(), state.denials.values().cloned());
        Ok(Directory::new(state.version, principals.collect(), denials.collect()))
    }
}
