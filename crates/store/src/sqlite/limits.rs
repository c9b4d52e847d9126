//! How sessions make room for others.

use super::fault::Fault;
use crate::error::StoreError;
use crate::session::SessionLimits;
use rusqlite::{OptionalExtension as _, Params, Transaction};

/// The kinds of the table `counts`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    HalfOpen = 0,
    Owner = 1,
    Established = 2,
    User = 3,
}

pub(super) fn execute(
    step: &Transaction<'_>,
    fault: &Fault,
    sql: &str,
    params: impl Params,
) -> Result<usize, StoreError> {
    step.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).map_err(|error| fault.of(&error))
}

fn exceeds(
    step: &Transaction<'_>,
    fault: &Fault,
    kind: Kind,
    subject: &[u8],
    limit: usize,
) -> Result<bool, StoreError> {
    let count = step
        .prepare_cached("SELECT n FROM counts WHERE kind = ?1 AND subject = ?2")
        .and_then(|mut statement| statement.query_row((kind as i64, subject), |row| row.get::<_, i64>(0)).optional());
    let count = count.map_err(|error| fault.of(&error))?.unwrap_or(0);
    Ok(usize::try_from(count).is_ok_and(|count| count > limit))
}

/// Makes room among the half-open sessions after one of `owner` came.
pub(super) fn half_open(
    step: &Transaction<'_>,
    fault: &Fault,
    limits: &SessionLimits,
    owner: &[u8],
) -> Result<(), StoreError> {
    const OLDEST_OF_OWNER: &str = "DELETE FROM sessions WHERE sid =
        (SELECT sid FROM sessions WHERE established = 0 AND owner = ?1 ORDER BY used LIMIT 1)";
    const MOST: &str = "SELECT max(n) FROM counts WHERE kind = 1";
    const OLDEST: &str = "DELETE FROM sessions WHERE sid =
        (SELECT sid FROM sessions WHERE established = 0 ORDER BY used LIMIT 1)";
    const OLDEST_OF_MOST: &str = "DELETE FROM sessions WHERE sid =
        (SELECT sid FROM sessions WHERE established = 0 AND owner =
            (SELECT subject FROM counts WHERE kind = 1 ORDER BY n DESC LIMIT 1)
         ORDER BY used LIMIT 1)";
    while exceeds(step, fault, Kind::Owner, owner, limits.half_open_per_owner)? {
        if execute(step, fault, OLDEST_OF_OWNER, [owner])? == 0 {
            break;
        }
    }
    while exceeds(step, fault, Kind::HalfOpen, b"", limits.half_open)? {
        let most = step.prepare_cached(MOST).and_then(|mut statement| statement.query_row([], |row| row.get(0)));
        let most: Option<i64> = most.map_err(|error| fault.of(&error))?;
        // Where nobody has more than others, age decides: by rank some owners would always make room before others, and a
        // flood could keep them out.
        let sql = if most.is_none_or(|most| most <= 1) { OLDEST } else { OLDEST_OF_MOST };
        if execute(step, fault, sql, [])? == 0 {
            break;
        }
    }
    Ok(())
}

/// Makes room among the established sessions after one of `holder` came.
pub(super) fn established(
    step: &Transaction<'_>,
    fault: &Fault,
    limits: &SessionLimits,
    holder: &[u8],
) -> Result<(), StoreError> {
    const LEAST_USED_OF_USER: &str = "DELETE FROM sessions WHERE sid =
        (SELECT sid FROM sessions WHERE holder = ?1 AND established = 1 ORDER BY used LIMIT 1)";
    const LEAST_USED: &str = "DELETE FROM sessions WHERE sid =
        (SELECT sid FROM sessions WHERE established = 1 ORDER BY used LIMIT 1)";
    while exceeds(step, fault, Kind::User, holder, limits.established_per_user)? {
        if execute(step, fault, LEAST_USED_OF_USER, [holder])? == 0 {
            break;
        }
    }
    while exceeds(step, fault, Kind::Established, b"", limits.established)? {
        if execute(step, fault, LEAST_USED, [])? == 0 {
            break;
        }
    }
    Ok(())
}

/// Drops sessions that are over, at most so many.
pub(super) fn drop_over(
    step: &Transaction<'_>,
    fault: &Fault,
    now: i64,
    at_most: usize,
) -> Result<usize, StoreError> {
    const OVER: &str =
        "DELETE FROM sessions WHERE sid IN (SELECT sid FROM sessions WHERE due <= ?1 ORDER BY due LIMIT ?2)";
    execute(step, fault, OVER, (now, i64::try_from(at_most).unwrap_or(i64::MAX)))
}
