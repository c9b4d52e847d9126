//! The tables, and how they came to be.

use super::fault::Fault;
use crate::error::StoreError;
use rusqlite::{Connection, TransactionBehavior};

/// "taga": what tells our databases from those of other programs.
pub(super) const APPLICATION_ID: i32 = 0x7461_6761;

/// What brings a database from the version that is the position to the next. Never changed once released; only added
/// to.
///
/// `counts` is kept by triggers, so that no limit needs a count over many rows: kind 0 is all half-open sessions, 1
/// those of an owner, 2 all established sessions, 3 those of a user. `revocations` is written by triggers too: it tells servers whose sessions
/// have to end. Only the names of users are compared, octet for
/// octet (BINARY).
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE keys (
        id TEXT NOT NULL PRIMARY KEY,
        sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE users (
        algorithm TEXT NOT NULL,
        auth_scope TEXT NOT NULL,
        realm TEXT NOT NULL,
        name TEXT NOT NULL,
        disabled INTEGER NOT NULL,
        created INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        key_id TEXT NOT NULL REFERENCES keys (id),
        sealed BLOB NOT NULL,
        PRIMARY KEY (algorithm, auth_scope, realm, name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX users_key ON users (key_id);

    CREATE TABLE sessions (
        sid BLOB NOT NULL PRIMARY KEY,
        established INTEGER NOT NULL,
        owner BLOB NOT NULL,
        holder BLOB NOT NULL,
        used INTEGER NOT NULL,
        due INTEGER NOT NULL,
        key_id TEXT NOT NULL REFERENCES keys (id),
        sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_used ON sessions (established, used);
    CREATE INDEX sessions_holder ON sessions (holder, established, used);
    CREATE INDEX sessions_owner ON sessions (owner, used) WHERE established = 0;
    CREATE INDEX sessions_due ON sessions (due);
    CREATE INDEX sessions_key ON sessions (key_id);

    CREATE TABLE counts (
        kind INTEGER NOT NULL,
        subject BLOB NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY (kind, subject)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX counts_n ON counts (kind, n);

    CREATE TRIGGER sessions_inserted AFTER INSERT ON sessions BEGIN
        INSERT INTO counts VALUES (2 * NEW.established, x'', 1) ON CONFLICT DO UPDATE SET n = n + 1;
        INSERT INTO counts VALUES (1 + 2 * NEW.established, iif(NEW.established, NEW.holder, NEW.owner), 1)
            ON CONFLICT DO UPDATE SET n = n + 1;
    END;
    CREATE TRIGGER sessions_deleted AFTER DELETE ON sessions BEGIN
        UPDATE counts SET n = n - 1 WHERE kind = 2 * OLD.established AND subject = x'';
        UPDATE counts SET n = n - 1
            WHERE kind = 1 + 2 * OLD.established AND subject = iif(OLD.established, OLD.holder, OLD.owner);
        DELETE FROM counts
            WHERE kind = 1 + 2 * OLD.established AND subject = iif(OLD.established, OLD.holder, OLD.owner) AND n <= 0;
    END;

    CREATE TABLE revocations (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        algorithm TEXT NOT NULL,
        auth_scope TEXT NOT NULL,
        realm TEXT NOT NULL,
        name TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER users_changed AFTER UPDATE OF changed ON users
    WHEN NOT (OLD.disabled = 1 AND NEW.disabled = 0) BEGIN
        INSERT INTO revocations (algorithm, auth_scope, realm, name)
            VALUES (NEW.algorithm, NEW.auth_scope, NEW.realm, NEW.name);
    END;
    CREATE TRIGGER users_removed AFTER DELETE ON users BEGIN
        INSERT INTO revocations (algorithm, auth_scope, realm, name)
            VALUES (OLD.algorithm, OLD.auth_scope, OLD.realm, OLD.name);
    END;
    CREATE TRIGGER revocations_bounded AFTER INSERT ON revocations BEGIN
        DELETE FROM revocations WHERE number <= NEW.number - 100000;
    END;

    CREATE TABLE notes (
        name TEXT NOT NULL PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    PRINCIPALS,
    INVITATIONS,
];

/// Principals and denials.
///
/// `directory` has one row, kept by triggers: a version, by which processes that hold all of it in memory see that it has
/// changed, and how many principals and denials there are. A credential is in its text form, of which there is one; so is
/// what a denial denies, with `client_ca` '' for none.
const PRINCIPALS: &str = "
    CREATE TABLE principals (
        name TEXT NOT NULL PRIMARY KEY,
        kind TEXT NOT NULL,
        disabled INTEGER NOT NULL,
        created INTEGER NOT NULL,
        changed INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE principal_groups (
        principal TEXT NOT NULL REFERENCES principals (name) ON DELETE CASCADE,
        name TEXT NOT NULL,
        PRIMARY KEY (principal, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE principal_attributes (
        principal TEXT NOT NULL REFERENCES principals (name) ON DELETE CASCADE,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (principal, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE credentials (
        credential TEXT NOT NULL PRIMARY KEY,
        principal TEXT NOT NULL REFERENCES principals (name) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX credentials_principal ON credentials (principal);
    CREATE TABLE denials (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        client_ca TEXT NOT NULL,
        reason TEXT NOT NULL,
        created INTEGER NOT NULL,
        given_by TEXT NOT NULL,
        PRIMARY KEY (kind, name, client_ca)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE directory (
        only INTEGER NOT NULL PRIMARY KEY CHECK (only = 0),
        version INTEGER NOT NULL,
        principals INTEGER NOT NULL,
        denials INTEGER NOT NULL
    ) STRICT;
    INSERT INTO directory VALUES (0, 0, 0, 0);
    CREATE TRIGGER principals_inserted AFTER INSERT ON principals BEGIN
        UPDATE directory SET version = version + 1, principals = principals + 1;
    END;
    CREATE TRIGGER principals_updated AFTER UPDATE ON principals BEGIN
        UPDATE directory SET version = version + 1;
    END;
    CREATE TRIGGER principals_deleted AFTER DELETE ON principals BEGIN
        UPDATE directory SET version = version + 1, principals = principals - 1;
    END;
    CREATE TRIGGER principal_groups_inserted AFTER INSERT ON principal_groups BEGIN
        UPDATE directory SET version = version + 1;
    END;
    CREATE TRIGGER principal_groups_updated AFTER UPDATE ON principal_groups BEGIN
        UPDATE directory SET version = version + 1;
    END;
    CREATE TRIGGER principal_groups_deleted AFTER DELETE ON principal_groups BEGIN
        UPDATE directory SET version = version + 1;
    END;
    CREATE TRIGGER principal_attributes_inserted AFTER INSERT ON principal_attributes BEGIN
        UPDATE directory SET version = version + 1;
    END;
    CREATE TRIGGER principal_attributes_updated AFTER UPDATE ON principal_attributes BEGIN
        UPDATE directory SET version = version + 1;
    END;
    CREATE TRIGGER principal_attributes_deleted AFTER DELETE ON principal_attributes BEGIN
        UPDATE directory SET version = version + 1;
    END;
    CREATE TRIGGER credentials_inserted AFTER INSERT ON credentials BEGIN
        UPDATE directory SET version = version + 1;
    END;
    CREATE TRIGGER credentials_updated AFTER UPDATE ON credentials BEGIN
        UPDATE directory SET version = version + 1;
    END;
    CREATE TRIGGER credentials_deleted AFTER DELETE ON credentials BEGIN
        UPDATE directory SET version = version + 1;
    END;
    CREATE TRIGGER denials_inserted AFTER INSERT ON denials BEGIN
        UPDATE directory SET version = version + 1, denials = denials + 1;
    END;
    CREATE TRIGGER denials_updated AFTER UPDATE ON denials BEGIN
        UPDATE directory SET version = version + 1;
    END;
    CREATE TRIGGER denials_deleted AFTER DELETE ON denials BEGIN
        UPDATE directory SET version = version + 1, denials = denials - 1;
    END;
";

/// Invitations: of each the hash of its code. One for a name, and none that outlasts a change of the name's user.
const INVITATIONS: &str = "
    CREATE TABLE invitations (
        algorithm TEXT NOT NULL,
        auth_scope TEXT NOT NULL,
        realm TEXT NOT NULL,
        name TEXT NOT NULL,
        code BLOB NOT NULL UNIQUE,
        reset INTEGER NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        PRIMARY KEY (algorithm, auth_scope, realm, name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX invitations_expires ON invitations (expires);
    CREATE TRIGGER users_added_uninvited AFTER INSERT ON users BEGIN
        DELETE FROM invitations WHERE algorithm = NEW.algorithm AND auth_scope = NEW.auth_scope
            AND realm = NEW.realm AND name = NEW.name;
    END;
    CREATE TRIGGER users_changed_uninvited AFTER UPDATE OF changed ON users BEGIN
        DELETE FROM invitations WHERE algorithm = NEW.algorithm AND auth_scope = NEW.auth_scope
            AND realm = NEW.realm AND name = NEW.name;
    END;
    CREATE TRIGGER users_removed_uninvited AFTER DELETE ON users BEGIN
        DELETE FROM invitations WHERE algorithm = OLD.algorithm AND auth_scope = OLD.auth_scope
            AND realm = OLD.realm AND name = OLD.name;
    END;
";

struct Head {
    application_id: i32,
    version: usize,
    tables: i64,
}

fn head(connection: &Connection) -> rusqlite::Result<Head> {
    let one = |sql| connection.query_row(sql, [], |row| row.get(0));
    Ok(Head {
        application_id: connection.query_row("PRAGMA application_id", [], |row| row.get(0))?,
        version: usize::try_from(one("PRAGMA user_version")?).unwrap_or(usize::MAX),
        tables: one("SELECT count(*) FROM sqlite_schema")?,
    })
}

/// Sees to it that the database is ours and not newer than this program. Changes nothing.
pub(super) fn inspect(connection: &Connection, fault: &Fault) -> Result<(), StoreError> {
    let head = head(connection).map_err(|error| fault.of(&error))?;
    let empty = head.application_id == 0 && head.version == 0 && head.tables == 0;
    if !empty && head.application_id != APPLICATION_ID {
        return Err(
            fault.because("it belongs to another program; it is left as it is. Choose another path for tagai")
        );
    }
    if head.version > MIGRATIONS.len() {
        return Err(fault.because(format!(
            "a newer version of tagai has made it (format {}, and this one knows {}); it is left as it is. Install the newer \
             version again, or restore the backup from before",
            head.version,
            MIGRATIONS.len()
        )));
    }
    Ok(())
}

/// Brings the tables up to date: all of it in one transaction, or nothing.
pub(super) fn migrate(connection: &mut Connection, fault: &Fault) -> Result<(), StoreError> {
    let failed = |error| fault.of(&error);
    let version = head(connection).map_err(failed)?.version;
    if version == MIGRATIONS.len() {
        return Ok(());
    }
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Another process may have been quicker, or may be another program.
    inspect(&step, fault)?;
    let version = head(&step).map_err(failed)?.version;
    for sql in MIGRATIONS.iter().skip(version) {
        step.execute_batch(sql).map_err(failed)?;
    }
    step.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    let version = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    step.pragma_update(None, "user_version", version).map_err(failed)?;
    step.commit().map_err(failed)
}
