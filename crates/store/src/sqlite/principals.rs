//! Principals and denials in SQLite.

mod change;
mod read;

use super::SqliteStore;
use super::fault::Fault;
use super::limits::execute;
use super::users::seconds;
use crate::error::StoreError;
use crate::principal::{
    AttributeKey, AttributeValue, Credential, Denial, DenialTarget, Directory, GroupName, MAX_ATTRIBUTES,
    MAX_CREDENTIALS, MAX_DENIALS, MAX_GROUPS, MAX_PRINCIPALS, NewPrincipal, Principal, PrincipalName, PrincipalStore,
    check_texts,
};
use change::{must_be, room, touch};
use rusqlite::params;

/// The columns that a denial is found by: its kind, what it names, and the client CA.
pub(super) fn columns(target: &DenialTarget) -> [String; 3] {
    let none = String::new;
    match target {
        DenialTarget::Serial { serial, client_ca } => {
            ["serial".into(), serial.to_string(), client_ca.as_ref().map(ToString::to_string).unwrap_or_default()]
        }
        DenialTarget::Key(pin) => ["key".into(), pin.to_string(), none()],
        DenialTarget::Principal(name) => ["principal".into(), name.to_string(), none()],
    }
}

impl PrincipalStore for SqliteStore {
    fn add_principal(&self, principal: &NewPrincipal) -> Result<(), StoreError> {
        let now = seconds(crate::wall_clock());
        self.database.change(|step, fault| {
            let sql = "INSERT INTO principals VALUES (?1, ?2, 0, ?3, ?3) ON CONFLICT DO NOTHING";
            let added = execute(step, fault, sql, params![principal.name.as_str(), principal.kind.as_str(), now])?;
            if added == 0 {
                return Err(StoreError::PrincipalExists);
            }
            room(step, fault, "SELECT principals FROM directory", [], "principals", MAX_PRINCIPALS)
        })
    }

    fn remove_principal(&self, name: &PrincipalName) -> Result<(), StoreError> {
        self.database.change(|step, fault| {
            match execute(step, fault, "DELETE FROM principals WHERE name = ?1", [name.as_str()])? {
                0 => Err(StoreError::NoPrincipal),
                _ => Ok(()),
            }
        })
    }

    fn set_principal_disabled(&self, name: &PrincipalName, disabled: bool) -> Result<bool, StoreError> {
        self.database.change(|step, fault| {
            must_be(step, fault, name)?;
            let sql = "UPDATE principals SET disabled = ?2 WHERE name = ?1 AND disabled <> ?2";
            let changed = execute(step, fault, sql, params![name.as_str(), disabled])?;
            touch(step, fault, name, changed)
        })
    }

    fn add_to_group(&self, name: &PrincipalName, group: &GroupName) -> Result<bool, StoreError> {
        self.database.change(|step, fault| {
            must_be(step, fault, name)?;
            let sql = "INSERT INTO principal_groups VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            let changed = execute(step, fault, sql, [name.as_str(), group.as_str()])?;
            let count = "SELECT count(*) FROM principal_groups WHERE principal = ?1";
            room(step, fault, count, [name.as_str()], "groups of one principal", MAX_GROUPS)?;
            touch(step, fault, name, changed)
        })
    }

    fn remove_from_group(&self, name: &PrincipalName, group: &GroupName) -> Result<bool, StoreError> {
        self.database.change(|step, fault| {
            must_be(step, fault, name)?;
            let sql = "DELETE FROM principal_groups WHERE principal = ?1 AND name = ?2";
            let changed = execute(step, fault, sql, [name.as_str(), group.as_str()])?;
            touch(step, fault, name, changed)
        })
    }

    fn set_attribute(
        &self,
        name: &PrincipalName,
        key: &AttributeKey,
        value: &AttributeValue,
    ) -> Result<bool, StoreError> {
        self.database.change(|step, fault| {
            must_be(step, fault, name)?;
            let sql = "INSERT INTO principal_attributes VALUES (?1, ?2, ?3)
                       ON CONFLICT DO UPDATE SET value = excluded.value WHERE value <> excluded.value";
            let changed = execute(step, fault, sql, [name.as_str(), key.as_str(), value.as_str()])?;
            let count = "SELECT count(*) FROM principal_attributes WHERE principal = ?1";
            room(step, fault, count, [name.as_str()], "attributes of one principal", MAX_ATTRIBUTES)?;
            touch(step, fault, name, changed)
        })
    }

    fn unset_attribute(&self, name: &PrincipalName, key: &AttributeKey) -> Result<bool, StoreError> {
        self.database.change(|step, fault| {
            must_be(step, fault, name)?;
            let sql = "DELETE FROM principal_attributes WHERE principal = ?1 AND key = ?2";
            let changed = execute(step, fault, sql, [name.as_str(), key.as_str()])?;
            touch(step, fault, name, changed)
        })
    }

    fn bind(&self, name: &PrincipalName, credential: &Credential) -> Result<bool, StoreError> {
        let credential = credential.to_string();
        self.database.change(|step, fault| {
            must_be(step, fault, name)?;
            let sql = "INSERT INTO credentials VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            let changed = execute(step, fault, sql, [&credential, name.as_str()])?;
            if changed == 0 {
                return match read::owner(step, fault, &credential)? {
                    Some(owner) if owner != *name => Err(StoreError::CredentialTaken(owner)),
                    _ => Ok(false),
                };
            }
            let count = "SELECT count(*) FROM credentials WHERE principal = ?1";
            room(step, fault, count, [name.as_str()], "credentials of one principal", MAX_CREDENTIALS)?;
            touch(step, fault, name, changed)
        })
    }

    fn unbind(&self, name: &PrincipalName, credential: &Credential) -> Result<bool, StoreError> {
        self.database.change(|step, fault| {
            must_be(step, fault, name)?;
            let sql = "DELETE FROM credentials WHERE principal = ?1 AND credential = ?2";
            let changed = execute(step, fault, sql, [name.as_str(), &credential.to_string()])?;
            touch(step, fault, name, changed)
        })
    }

    fn principal(&self, name: &PrincipalName) -> Result<Option<Principal>, StoreError> {
        self.database.snapshot(|connection, fault| Ok(read::principals(connection, fault, Some(name))?.pop()))
    }

    fn principals(&self) -> Result<Vec<Principal>, StoreError> {
        self.database.snapshot(|connection, fault| read::principals(connection, fault, None))
    }

    fn owner_of(&self, credential: &Credential) -> Result<Option<PrincipalName>, StoreError> {
        self.database.read(|connection, fault| read::owner(connection, fault, &credential.to_string()))
    }

    fn deny(&self, target: &DenialTarget, reason: &str, by: &str) -> Result<bool, StoreError> {
        check_texts(reason, by)?;
        let [kind, name, client_ca] = columns(target);
        let now = seconds(crate::wall_clock());
        self.database.change(|step, fault| {
            let sql = "INSERT INTO denials VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
            let changed = execute(step, fault, sql, params![kind, name, client_ca, reason, now, by])?;
            room(step, fault, "SELECT denials FROM directory", [], "denials", MAX_DENIALS)?;
            Ok(changed > 0)
        })
    }

    fn allow(&self, target: &DenialTarget) -> Result<bool, StoreError> {
        let place = columns(target);
        self.database.change(|step, fault| {
            let sql = "DELETE FROM denials WHERE kind = ?1 AND name = ?2 AND client_ca = ?3";
            Ok(execute(step, fault, sql, place)? > 0)
        })
    }

    fn denials(&self) -> Result<Vec<Denial>, StoreError> {
        self.database.read(read::denials)
    }

    fn directory_version(&self) -> Result<i64, StoreError> {
        self.database.read(read::version)
    }

    fn directory(&self) -> Result<Directory, StoreError> {
        let (version, principals, denials) = self.database.snapshot(|connection, fault| {
            let version = read::version(connection, fault)?;
            Ok((version, read::principals(connection, fault, None)?, read::denials(connection, fault)?))
        })?;
        Ok(Directory::new(version, principals, denials))
    }
}

/// Takes a credential from whomever it belongs to, and says who that was.
pub(super) fn release(
    step: &rusqlite::Transaction<'_>,
    fault: &Fault,
    credential: &Credential,
) -> Result<Option<PrincipalName>, StoreError> {
    let credential = credential.to_string();
    let Some(owner) = read::owner(step, fault, &credential)? else { return Ok(None) };
    let removed = execute(step, fault, "DELETE FROM credentials WHERE credential = ?1", [&credential])?;
    touch(step, fault, &owner, removed)?;
    Ok(Some(owner))
}
