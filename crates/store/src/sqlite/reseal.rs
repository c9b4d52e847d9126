//! Sealing everything anew under the first key.

use super::database::Database;
use super::fault::Fault;
use crate::error::StoreError;
use crate::sealing::Purpose;
use rusqlite::{Transaction, params};

/// Rows of one transaction: others write in between.
const BATCH: usize = 256;

/// How many rows were sealed anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resealed {
    /// Users.
    pub users: usize,
    /// Sessions.
    pub sessions: usize,
}

pub(super) fn reseal(database: &Database) -> Result<Resealed, StoreError> {
    let mut done = Resealed::default();
    loop {
        let batch = database.change(|step, fault| users(database, step, fault))?;
        done.users += batch;
        if batch == 0 {
            break;
        }
    }
    loop {
        let (sealed, dropped) = database.change(|step, fault| sessions(database, step, fault))?;
        done.sessions += sealed;
        if sealed + dropped == 0 {
            break;
        }
    }
    database.change(|step, fault| {
        step.execute(
            "DELETE FROM keys WHERE id <> ?1 AND NOT EXISTS (SELECT 1 FROM users WHERE key_id = id)
             AND NOT EXISTS (SELECT 1 FROM sessions WHERE key_id = id)",
            [database.keys.first_id()],
        )
        .map_err(|error| fault.of(&error))
    })?;
    database.checkpoint()?;
    Ok(done)
}

fn users(database: &Database, step: &Transaction<'_>, fault: &Fault) -> Result<usize, StoreError> {
    let failed = |error| fault.of(&error);
    let mut old = step
        .prepare_cached(
            "SELECT algorithm, auth_scope, realm, name, key_id, sealed FROM users
             WHERE key_id < ?1 OR key_id > ?1 LIMIT ?2",
        )
        .map_err(failed)?;
    let mut new = step
        .prepare_cached(
            "UPDATE users SET key_id = ?5, sealed = ?6
             WHERE algorithm = ?1 AND auth_scope = ?2 AND realm = ?3 AND name = ?4",
        )
        .map_err(failed)?;
    let first = database.keys.first_id();
    let rows: Vec<([String; 5], Vec<u8>)> = old
        .query_map(params![first, BATCH as i64], |row| {
            Ok(([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?], row.get(5)?))
        })
        .and_then(Iterator::collect)
        .map_err(failed)?;
    for ([algorithm, scope, realm, name, key_id], sealed) in &rows {
        let parts = [algorithm, scope, realm, name].map(String::as_bytes);
        let what = || format!("the verifier of the user \"{name}\" of the realm \"{realm}\" at {scope}");
        let sealed = database
            .keys
            .open(key_id, Purpose::Verifier, &parts, sealed)
            .and_then(|plain| database.keys.seal(Purpose::Verifier, &parts, &plain))
            .map_err(|error| database.sealed(&what(), &error))?;
        new.execute(params![algorithm, scope, realm, name, first, sealed]).map_err(failed)?;
    }
    Ok(rows.len())
}

/// Sessions that do not open are dropped: their users log in anew.
fn sessions(database: &Database, step: &Transaction<'_>, fault: &Fault) -> Result<(usize, usize), StoreError> {
    let failed = |error| fault.of(&error);
    let mut old = step
        .prepare_cached("SELECT sid, key_id, sealed FROM sessions WHERE key_id < ?1 OR key_id > ?1 LIMIT ?2")
        .map_err(failed)?;
    let first = database.keys.first_id();
    let rows: Vec<(Vec<u8>, String, Vec<u8>)> = old
        .query_map(params![first, BATCH as i64], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .and_then(Iterator::collect)
        .map_err(failed)?;
    let (mut sealed_anew, mut dropped) = (0, 0);
    for (sid, key_id, sealed) in rows {
        let sealed = database
            .keys
            .open(&key_id, Purpose::Session, &[&sid], &sealed)
            .and_then(|plain| database.keys.seal(Purpose::Session, &[&sid], &plain));
        match sealed {
            Ok(sealed) => {
                step.execute(
                    "UPDATE sessions SET key_id = ?2, sealed = ?3 WHERE sid = ?1",
                    params![sid, first, sealed],
                )
                .map_err(failed)?;
                sealed_anew += 1;
            }
            Err(_) => {
                step.execute("DELETE FROM sessions WHERE sid = ?1", [sid]).map_err(failed)?;
                dropped += 1;
            }
        }
    }
    Ok((sealed_anew, dropped))
}
