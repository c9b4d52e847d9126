//! Invitations in SQLite, and what users do with their own accounts.

use super::SqliteStore;
use super::database::Database;
use super::fault::Fault;
use super::limits::execute;
use super::revocations::end_sessions;
use super::users::{Place, date, insert, realm_of, seconds, update};
use crate::credential::NewUser;
use crate::error::StoreError;
use crate::invitation::{
    AccountStore, CodeDigest, Found, Invitation, InvitationFault, InvitationStore, MAX_INVITATIONS, NewInvitation,
    Redeemed, judge, may_invite, too_many,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::sync::Arc;
use std::time::SystemTime;
use tagai_core::credential::Username;
use tagai_core::realm::AuthRealm;

const COLUMNS: &str = "SELECT algorithm, auth_scope, realm, name, reset, created, expires FROM invitations";

fn invitation(row: &Row<'_>, fault: &Fault) -> Result<Invitation, StoreError> {
    let text = |column| row.get::<_, String>(column).map_err(|error| fault.of(&error));
    let number = |column| row.get::<_, i64>(column).map_err(|error| fault.of(&error));
    Ok(Invitation {
        realm: realm_of(&text(0)?, &text(1)?, text(2)?, fault)?,
        name: Username::prepared(text(3)?).map_err(|_| fault.corrupt("an invited user's name cannot be one"))?,
        reset: number(4)? != 0,
        created: date(number(5)?),
        expires: date(number(6)?),
    })
}

/// The invitation with this code.
fn find(connection: &Connection, code: &CodeDigest, fault: &Fault) -> Result<Option<Invitation>, StoreError> {
    let sql = "SELECT algorithm, auth_scope, realm, name, reset, created, expires FROM invitations WHERE code = ?1";
    let mut statement = connection.prepare_cached(sql).map_err(|error| fault.of(&error))?;
    let mut rows = statement.query([code.octets()]).map_err(|error| fault.of(&error))?;
    rows.next().map_err(|error| fault.of(&error))?.map(|row| invitation(row, fault)).transpose()
}

/// Whether a user may not log in, if there is one.
fn disabled(connection: &Connection, place: &Place, fault: &Fault) -> Result<Option<bool>, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT disabled FROM users WHERE algorithm = ?1 AND auth_scope = ?2 AND realm = ?3 AND name = ?4",
        )
        .and_then(|mut statement| statement.query_row(place.columns(), |row| row.get(0)).optional());
    found.map_err(|error| fault.of(&error))
}

impl InvitationStore for SqliteStore {
    fn invite(&self, invitation: &NewInvitation<'_>, now: SystemTime) -> Result<bool, StoreError> {
        let NewInvitation { realm, name, code, reset, expires } = *invitation;
        let place = Place::new(realm, name);
        let [algorithm, scope, name_of_realm, user] = place.columns();
        let (created, expires) = (seconds(now), seconds(expires));
        self.database.change(|step, fault| {
            may_invite(reset, disabled(step, &place, fault)?)?;
            execute(step, fault, "DELETE FROM invitations WHERE expires <= ?1", [created])?;
            let replaced = revoke(step, fault, &place)?;
            let sql = "INSERT INTO invitations VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            let row = params![algorithm, scope, name_of_realm, user, code.octets(), reset, created, expires];
            execute(step, fault, sql, row)?;
            let count = step.query_row("SELECT count(*) FROM invitations", [], |row| row.get::<_, i64>(0));
            let count = count.map_err(|error| fault.of(&error))?;
            if usize::try_from(count).is_ok_and(|count| count > MAX_INVITATIONS) {
                return Err(too_many());
            }
            Ok(replaced)
        })
    }

    fn invitations(&self, realm: Option<&AuthRealm>, now: SystemTime) -> Result<Vec<Invitation>, StoreError> {
        let mut found = self.database.read(|connection, fault| {
            let failed = |error| fault.of(&error);
            let sql = format!("{COLUMNS} WHERE expires > ?1");
            let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
            let mut rows = statement.query([seconds(now)]).map_err(failed)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next().map_err(failed)? {
                found.push(invitation(row, fault)?);
            }
            Ok(found)
        })?;
        found.retain(|invitation| realm.is_none_or(|realm| *realm == invitation.realm));
        // The order of the types, and not of the texts in the table.
        found.sort_by(|a, b| (&a.realm, &a.name).cmp(&(&b.realm, &b.name)));
        Ok(found)
    }

    fn revoke_invitation(&self, realm: &AuthRealm, name: &Username) -> Result<bool, StoreError> {
        let place = Place::new(realm, name);
        self.database.change(|step, fault| revoke(step, fault, &place))
    }
}

fn revoke(step: &rusqlite::Transaction<'_>, fault: &Fault, place: &Place) -> Result<bool, StoreError> {
    let sql = "DELETE FROM invitations WHERE algorithm = ?1 AND auth_scope = ?2 AND realm = ?3 AND name = ?4";
    execute(step, fault, sql, place.columns()).map(|removed| removed > 0)
}

/// A user and a sealed verifier, as a thread of the database needs them.
struct Change {
    database: Arc<Database>,
    realm: AuthRealm,
    name: Username,
    place: Place,
    sealed: Vec<u8>,
}

impl Change {
    fn new(store: &SqliteStore, user: &NewUser<'_>) -> Result<Self, StoreError> {
        let (place, sealed) = store.seal(user)?;
        let (realm, name) = (user.realm.clone(), user.name.clone());
        Ok(Self { database: Arc::clone(&store.database), realm, name, place, sealed })
    }

    /// What a code is good for, at one point in time. All of it is read whatever is found.
    fn judge(
        &self,
        connection: &Connection,
        fault: &Fault,
        code: &CodeDigest,
        now: SystemTime,
    ) -> Result<Result<bool, InvitationFault>, StoreError> {
        let found = find(connection, code, fault)?;
        let disabled = disabled(connection, &self.place, fault)?;
        let found = found.as_ref().map(|found| Found {
            realm: &found.realm,
            name: &found.name,
            reset: found.reset,
            expires: found.expires,
        });
        Ok(judge(found.as_ref(), (&self.realm, &self.name), disabled, now))
    }

    fn redeem(&self, code: &CodeDigest, now: SystemTime) -> Result<Redeemed, StoreError> {
        // A code that somebody made up is told by a look, and does not hold up those who write.
        let look = self.database.snapshot(|connection, fault| self.judge(connection, fault, code, now))?;
        if let Err(why) = look {
            return Ok(Redeemed::Refused(why));
        }
        self.database.change(|step, fault| {
            let reset = match self.judge(step, fault, code, now)? {
                Ok(reset) => reset,
                // Somebody else was quicker.
                Err(why) => return Ok(Redeemed::Refused(why)),
            };
            revoke(step, fault, &self.place)?;
            let key_id = self.database.keys.first_id();
            if reset {
                update(step, fault, &self.place, key_id, &self.sealed)?;
                end_sessions(step, fault, &self.realm, &self.name)?;
                Ok(Redeemed::Reset)
            } else {
                insert(step, fault, &self.place, key_id, &self.sealed)?;
                Ok(Redeemed::Added)
            }
        })
    }

    fn change(&self) -> Result<(), StoreError> {
        self.database.change(|step, fault| {
            match disabled(step, &self.place, fault)? {
                None => return Err(StoreError::NoUser),
                Some(true) => return Err(StoreError::UserDisabled),
                Some(false) => {}
            }
            update(step, fault, &self.place, self.database.keys.first_id(), &self.sealed)?;
            end_sessions(step, fault, &self.realm, &self.name)
        })
    }
}

impl AccountStore for SqliteStore {
    async fn redeem(&self, code: &CodeDigest, user: &NewUser<'_>, now: SystemTime) -> Result<Redeemed, StoreError> {
        let (change, code) = (Change::new(self, user)?, *code);
        self.database.blocking(move || change.redeem(&code, now)).await
    }

    async fn change_verifier(&self, user: &NewUser<'_>) -> Result<(), StoreError> {
        let change = Change::new(self, user)?;
        self.database.blocking(move || change.change()).await
    }
}
