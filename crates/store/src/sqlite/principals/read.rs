//! Reading principals and denials, in one pass for all of them.

use super::super::fault::Fault;
use super::super::users::date;
use crate::error::StoreError;
use crate::principal::{
    AttributeKey, AttributeValue, Authority, Credential, Denial, DenialTarget, GroupName, NameError, Principal,
    PrincipalName,
};
use rusqlite::{Connection, OptionalExtension as _, Row};
use std::str::FromStr;

/// What a column holds, which has been checked before it came into the database.
fn parsed<T: FromStr<Err = NameError>>(row: &Row<'_>, column: usize, fault: &Fault) -> Result<T, StoreError> {
    let text = row.get_ref(column).map_err(|error| fault.of(&error))?;
    let text = text.as_str().map_err(|_| fault.corrupt("a column of a principal is no text"))?;
    text.parse().map_err(|error: NameError| fault.corrupt(&format!("in a principal or denial: {error}")))
}

fn get<T: rusqlite::types::FromSql>(row: &Row<'_>, column: usize, fault: &Fault) -> Result<T, StoreError> {
    row.get(column).map_err(|error| fault.of(&error))
}

pub(super) fn version(connection: &Connection, fault: &Fault) -> Result<i64, StoreError> {
    connection
        .prepare_cached("SELECT version FROM directory")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(|error| fault.of(&error))
}

pub(super) fn owner(
    connection: &Connection,
    fault: &Fault,
    credential: &str,
) -> Result<Option<PrincipalName>, StoreError> {
    let owner = connection
        .prepare_cached("SELECT principal FROM credentials WHERE credential = ?1")
        .and_then(|mut statement| statement.query_row([credential], |row| row.get::<_, String>(0)).optional())
        .map_err(|error| fault.of(&error))?;
    owner.map(|name| name.parse().map_err(|_| fault.corrupt("a principal's name cannot be one"))).transpose()
}

/// Calls `each` with each row of a query over all principals, or over one.
fn rows(
    connection: &Connection,
    fault: &Fault,
    select: &str,
    column: &str,
    name: Option<&PrincipalName>,
    mut each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let failed = |error| fault.of(&error);
    let sql = match name {
        Some(_) => format!("{select} WHERE {column} = ?1"),
        None => select.to_owned(),
    };
    let mut statement = connection.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement.query(rusqlite::params_from_iter(name.map(PrincipalName::as_str))).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        each(row)?;
    }
    Ok(())
}

/// All principals in the order of their names, or one of them. To be called in one transaction.
pub(super) fn principals(
    connection: &Connection,
    fault: &Fault,
    name: Option<&PrincipalName>,
) -> Result<Vec<Principal>, StoreError> {
    let mut all: Vec<Principal> = Vec::new();
    let select = "SELECT name, kind, disabled, created, changed FROM principals";
    rows(connection, fault, select, "name", name, |row| {
        all.push(Principal {
            name: parsed(row, 0, fault)?,
            kind: parsed(row, 1, fault)?,
            disabled: get::<i64>(row, 2, fault)? != 0,
            groups: Vec::new(),
            attributes: Vec::new(),
            credentials: Vec::new(),
            created: date(get(row, 3, fault)?),
            changed: date(get(row, 4, fault)?),
        });
        Ok(())
    })?;
    // The order of SQLite's BINARY is that of octets, as ours; but nothing here rests on a table's order.
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let lost = || fault.corrupt("something belongs to a principal that is not there");
    let owner = |all: &[Principal], row: &Row<'_>| -> Result<usize, StoreError> {
        let name = row.get_ref(0).map_err(|error| fault.of(&error))?;
        let name = name.as_str().map_err(|_| lost())?;
        all.binary_search_by(|principal| principal.name.as_str().cmp(name)).map_err(|_| lost())
    };
    rows(connection, fault, "SELECT principal, name FROM principal_groups", "principal", name, |row| {
        let at = owner(&all, row)?;
        all.get_mut(at).ok_or_else(lost)?.groups.push(parsed::<GroupName>(row, 1, fault)?);
        Ok(())
    })?;
    let select = "SELECT principal, key, value FROM principal_attributes";
    rows(connection, fault, select, "principal", name, |row| {
        let at = owner(&all, row)?;
        let attribute = (parsed::<AttributeKey>(row, 1, fault)?, parsed::<AttributeValue>(row, 2, fault)?);
        all.get_mut(at).ok_or_else(lost)?.attributes.push(attribute);
        Ok(())
    })?;
    rows(connection, fault, "SELECT principal, credential FROM credentials", "principal", name, |row| {
        let at = owner(&all, row)?;
        all.get_mut(at).ok_or_else(lost)?.credentials.push(parsed::<Credential>(row, 1, fault)?);
        Ok(())
    })?;
    for principal in &mut all {
        principal.groups.sort();
        principal.groups.shrink_to_fit();
        principal.attributes.sort();
        principal.attributes.shrink_to_fit();
        principal.credentials.sort();
        principal.credentials.shrink_to_fit();
    }
    Ok(all)
}

/// The deny list, in the order of what is denied.
pub(super) fn denials(connection: &Connection, fault: &Fault) -> Result<Vec<Denial>, StoreError> {
    let mut all = Vec::new();
    let select = "SELECT kind, name, client_ca, reason, created, given_by FROM denials";
    rows(connection, fault, select, "name", None, |row| {
        let target = match get::<String>(row, 0, fault)?.as_str() {
            "serial" => DenialTarget::Serial {
                serial: parsed(row, 1, fault)?,
                client_ca: match get::<String>(row, 2, fault)?.as_str() {
                    "" => None,
                    _ => Some(parsed::<Authority>(row, 2, fault)?),
                },
            },
            "key" => DenialTarget::Key(parsed(row, 1, fault)?),
            "principal" => DenialTarget::Principal(parsed(row, 1, fault)?),
            _ => return Err(fault.corrupt("a denial of a kind that is unknown")),
        };
        let created = date(get(row, 4, fault)?);
        all.push(Denial { target, reason: get(row, 3, fault)?, created, by: get(row, 5, fault)? });
        Ok(())
    })?;
    all.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(all)
}
