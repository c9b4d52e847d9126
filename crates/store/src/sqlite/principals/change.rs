//! What changes of principals have in common.

use super::super::fault::Fault;
use super::super::limits::execute;
use super::super::users::seconds;
use crate::error::StoreError;
use crate::principal::PrincipalName;
use rusqlite::{Params, Transaction, params};

/// Fails if there is no such principal.
pub(super) fn must_be(step: &Transaction<'_>, fault: &Fault, name: &PrincipalName) -> Result<(), StoreError> {
    let found = step
        .prepare_cached("SELECT 1 FROM principals WHERE name = ?1")
        .and_then(|mut statement| statement.exists([name.as_str()]));
    if found.map_err(|error| fault.of(&error))? { Ok(()) } else { Err(StoreError::NoPrincipal) }
}

/// Fails if there are more than so many now; the change is undone then.
pub(super) fn room(
    step: &Transaction<'_>,
    fault: &Fault,
    count: &str,
    params: impl Params,
    what: &'static str,
    most: usize,
) -> Result<(), StoreError> {
    let count = step
        .prepare_cached(count)
        .and_then(|mut statement| statement.query_row(params, |row| row.get::<_, i64>(0)))
        .map_err(|error| fault.of(&error))?;
    if usize::try_from(count).is_ok_and(|count| count <= most) {
        Ok(())
    } else {
        Err(StoreError::TooMany { what, most })
    }
}

/// Notes when a principal was changed, if it was; says whether.
pub(super) fn touch(
    step: &Transaction<'_>,
    fault: &Fault,
    name: &PrincipalName,
    changed: usize,
) -> Result<bool, StoreError> {
    if changed == 0 {
        return Ok(false);
    }
    let now = seconds(crate::wall_clock());
    execute(step, fault, "UPDATE principals SET changed = ?2 WHERE name = ?1", params![name.as_str(), now])?;
    Ok(true)
}
