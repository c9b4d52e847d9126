//! What an operator works on: a configuration, a realm, the store, and the audit log of it all.

use crate::failure::Failure;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tagai_core::credential::Username;
use tagai_core::kam3::J;
use tagai_gateway::audit::{AuditFile, Event, Line, rfc3339};
use tagai_gateway::config::{Audit, Config, Keys, Realm};
use tagai_store::invitation::{CodeDigest, NewInvitation};
use tagai_store::principal::{Authority, Credential, PrincipalName, PrincipalStore as _};
use tagai_store::sealing::SealingKeys;
use tagai_store::sqlite::SqliteStore;
use tagai_store::{InvitationStore as _, NewUser, StoreError, User, UserStore as _};

/// Where a configuration is looked for if no file is named.
const USUAL_FILES: [&str; 2] = ["tagai.toml", "/etc/tagai/tagai.toml"];

/// The configuration that a command works with.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ConfigFile {
    /// The configuration [default: ./tagai.toml, then /etc/tagai/tagai.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl ConfigFile {
    /// The file: the one named, or the first of the usual ones that is there.
    pub(crate) fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.config {
            return Ok(path.clone());
        }
        USUAL_FILES.into_iter().map(PathBuf::from).find(|path| path.exists()).ok_or_else(|| {
            Failure::usage("there is no configuration: neither ./tagai.toml nor /etc/tagai/tagai.toml is a file")
                .help("name one with --config FILE, or let `tagai init` write one")
        })
    }

    /// Reads it.
    pub(crate) fn load(&self) -> Result<Config, Failure> {
        Ok(Config::load(self.path()?)?)
    }
}

/// A realm of the configuration.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RealmChoice {
    /// The id of the realm in the configuration [default: the only one]
    #[arg(long, value_name = "ID")]
    pub(crate) realm: Option<String>,
}

impl RealmChoice {
    /// The realm that was named, or the only one.
    pub(crate) fn choose(&self, config: &Config) -> Result<Arc<Realm>, Failure> {
        let known = || config.realms.iter().map(|realm| realm.id.as_str()).collect::<Vec<_>>().join(", ");
        let file = config.file.display();
        match (&self.realm, &config.realms[..]) {
            (_, []) => Err(Failure::usage(format!("{file} has no realm")).help("add a [[realm]] to it")),
            (None, [only]) => Ok(Arc::clone(only)),
            (None, _) => Err(Failure::usage(format!("{file} has several realms: {}", known()))
                .help("name one of them with --realm ID")),
            (Some(id), _) => config.realm(id).cloned().ok_or_else(|| {
                Failure::usage(format!("there is no realm {id:?} in {file}")).help(format!("there is {}", known()))
            }),
        }
    }
}

/// The keys that a configuration names.
pub(crate) fn load_keys(config: &Config) -> Result<SealingKeys, Failure> {
    match &config.store.keys {
        Keys::File(path) => SealingKeys::load(path),
        Keys::Env(name) => SealingKeys::from_variable(name),
    }
    .map_err(|error| Failure::other(error.to_string()))
}

/// The database that a configuration names. It has to be there: one that is made by mistake would be found empty.
pub(crate) fn open_store(config: &Config) -> Result<SqliteStore, Failure> {
    let database = &config.store.database;
    if !database.exists() {
        return Err(Failure::other(format!("there is no database {}", database.display()))
            .help("`tagai init` makes one with a new configuration; is [store] database the right file?"));
    }
    SqliteStore::open(database, load_keys(config)?).map_err(unavailable)
}

/// A store that cannot be used. Its own text says what to do.
pub(crate) fn unavailable(error: StoreError) -> Failure {
    Failure::other(error.to_string())
}

/// The audit log that operators write to.
pub(crate) struct Journal(Option<AuditFile>);

impl Journal {
    /// The one that a configuration names; where the gateway writes to its own log or standard output, operators have none.
    pub(crate) fn of(config: &Config) -> Self {
        Self(match &config.log.audit {
            Audit::File(path) => Some(AuditFile::new(path)),
            Audit::Log | Audit::Stdout => None,
        })
    }

    /// Fails if it cannot be written, before anything is changed.
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        let Some(audit) = &self.0 else { return Ok(()) };
        audit.prepare().map_err(|error| {
            Failure::other(format!("the audit log {} cannot be written: {error}", audit.path().display()))
                .help("nothing was changed; make the file writable, or change [log] audit in the configuration")
        })
    }

    /// Writes a line, after the change has happened: what, when and by whom, and what `fill` adds.
    pub(crate) fn note(&self, event: Event, fill: impl FnOnce(&mut Line)) -> Result<(), Failure> {
        let Some(audit) = &self.0 else { return Ok(()) };
        #[allow(clippy::disallowed_methods)] // The time of a line in a log; nothing is decided by it.
        let now = std::time::SystemTime::now();
        let mut line = Line { by: Some(who()), ..Line::new(now, event) };
        fill(&mut line);
        audit.append(&line).map_err(|error| {
            let path = audit.path().display();
            Failure::other(format!("the change was made, but the audit log {path} could not be written: {error}"))
        })
    }
}

/// An operator at work on the users of one realm.
pub(crate) struct Operator {
    pub(crate) realm: Arc<Realm>,
    pub(crate) store: SqliteStore,
    journal: Journal,
}

impl Operator {
    /// Opens what the configuration names, to make changes. None is made if the audit log cannot be written.
    pub(crate) fn open_to_change(file: &ConfigFile, realm: &RealmChoice) -> Result<Self, Failure> {
        let operator = Self::open(file, realm)?;
        operator.journal.prepare()?;
        Ok(operator)
    }

    /// Opens what the configuration names, to look at it.
    pub(crate) fn open(file: &ConfigFile, realm: &RealmChoice) -> Result<Self, Failure> {
        let config = file.load()?;
        let realm = realm.choose(&config)?;
        let store = open_store(&config)?;
        Ok(Self { realm, store, journal: Journal::of(&config) })
    }

    /// Says that there is no such user.
    fn no_user(&self, name: &Username) -> Failure {
        Failure::other(format!("there is no user {name} in the realm {}", self.realm.id))
            .help(format!("`tagai user list --realm {}` shows those that are there", self.realm.id))
    }

    fn explain(&self, name: &Username, error: StoreError) -> Failure {
        match error {
            StoreError::UserExists => {
                Failure::other(format!("there is a user {name} in the realm {} already", self.realm.id))
                    .help(format!("`tagai passwd {name}` gives the user another password"))
            }
            StoreError::NoUser => self.no_user(name),
            error => unavailable(error),
        }
    }

    /// Writes a line to the audit log, after the change has happened.
    fn note(&self, event: Event, name: &Username) -> Result<(), Failure> {
        self.journal.note(event, |line| {
            line.realm = Some(self.realm.id.clone());
            line.user = Some(name.as_str().to_owned());
        })
    }

    /// What a user proves, as principals have it; `None` if the realm has an id that no credential can hold.
    pub(crate) fn credential(&self, name: &Username) -> Option<Credential> {
        let realm = Authority::new(&self.realm.id).ok()?;
        Some(Credential::User { realm, name: name.clone() })
    }

    /// Whom a user's credential belongs to.
    pub(crate) fn principal_of(&self, name: &Username) -> Result<Option<PrincipalName>, Failure> {
        let Some(credential) = self.credential(name) else { return Ok(None) };
        self.store.owner_of(&credential).map_err(unavailable)
    }

    /// One user.
    pub(crate) fn user(&self, name: &Username) -> Result<User, Failure> {
        self.find(name)?.ok_or_else(|| self.no_user(name))
    }

    /// One user, if it is there.
    pub(crate) fn find(&self, name: &Username) -> Result<Option<User>, Failure> {
        self.store.user(&self.realm.realm, name).map_err(unavailable)
    }

    /// Fails if there is a user of this name.
    pub(crate) fn must_be_new(&self, name: &Username) -> Result<(), Failure> {
        match self.find(name)? {
            None => Ok(()),
            Some(_) => Err(self.explain(name, StoreError::UserExists)),
        }
    }

    /// Adds a user.
    pub(crate) fn add(&self, name: &Username, verifier: &J) -> Result<(), Failure> {
        let new = NewUser { realm: &self.realm.realm, name, verifier };
        self.store.add(&new).map_err(|error| self.explain(name, error))?;
        self.note(Event::UserAdded, name)
    }

    /// Gives a user another verifier, and ends the user's sessions.
    pub(crate) fn set_verifier(&self, name: &Username, verifier: &J) -> Result<(), Failure> {
        let new = NewUser { realm: &self.realm.realm, name, verifier };
        self.store.set_verifier(&new).map_err(|error| self.explain(name, error))?;
        self.note(Event::PasswordChanged, name)
    }

    /// Lets a user log in, or not any more; that ends the user's sessions.
    pub(crate) fn set_disabled(&self, name: &Username, disabled: bool) -> Result<(), Failure> {
        self.store.set_disabled(&self.realm.realm, name, disabled).map_err(|error| self.explain(name, error))?;
        self.note(if disabled { Event::UserDisabled } else { Event::UserEnabled }, name)
    }

    /// Invites somebody to choose a password, from now until then. Says whether there was an invitation before.
    pub(crate) fn invite(
        &self,
        name: &Username,
        code: &CodeDigest,
        reset: bool,
        (now, expires): (SystemTime, SystemTime),
    ) -> Result<bool, Failure> {
        let new = NewInvitation { realm: &self.realm.realm, name, code, reset, expires };
        let replaced = self.store.invite(&new, now).map_err(|error| match error {
            StoreError::UserExists => {
                Failure::other(format!("there is a user {name} in the realm {} already", self.realm.id))
                    .help("say --reset to let the user choose another password")
            }
            StoreError::UserDisabled => {
                Failure::other(format!("the user {name} of the realm {} is disabled", self.realm.id))
                    .help(format!("`tagai user enable {name}` lets the user log in again; an invitation does not"))
            }
            StoreError::TooMany { .. } => {
                Failure::other(error.to_string()).help("`tagai user invite --revoke NAME` takes one back")
            }
            error => self.explain(name, error),
        })?;
        self.journal.note(Event::InvitationMade, |line| {
            line.realm = Some(self.realm.id.clone());
            line.user = Some(name.as_str().to_owned());
            let what = if reset { "another password" } else { "a new user" };
            line.reason = Some(format!("{what}, until {}", rfc3339(expires)));
        })?;
        Ok(replaced)
    }

    /// Takes an invitation back. Says whether there was one.
    pub(crate) fn revoke_invitation(&self, name: &Username) -> Result<bool, Failure> {
        let there = self.store.revoke_invitation(&self.realm.realm, name).map_err(unavailable)?;
        if there {
            self.note(Event::InvitationRevoked, name)?;
        }
        Ok(there)
    }

    /// Removes a user, and ends the user's sessions. The user's credential is taken from the principal that it belongs to, which
    /// is given back: whoever gets the name next is somebody else.
    pub(crate) fn remove(&self, name: &Username) -> Result<Option<PrincipalName>, Failure> {
        let owner = match self.credential(name) {
            Some(credential) => self.store.remove_with_credential(&self.realm.realm, name, &credential),
            None => self.store.remove(&self.realm.realm, name).map(|()| None),
        }
        .map_err(|error| self.explain(name, error))?;
        self.note(Event::UserRemoved, name)?;
        if let Some(owner) = &owner {
            self.journal.note(Event::PrincipalChanged, |line| {
                line.principal = Some(owner.to_string());
                line.reason = self.credential(name).map(|credential| format!("unbound {credential}"));
            })?;
        }
        Ok(owner)
    }

    /// Removes a user again that was added just now, or was about to be. What cannot be noted is taken back all the same.
    pub(crate) fn take_back(&self, name: &Username) -> Result<(), Failure> {
        match self.store.remove(&self.realm.realm, name) {
            Ok(()) => {
                let _ = self.note(Event::UserRemoved, name);
                Ok(())
            }
            Err(StoreError::NoUser) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Gives a user back what it had before.
    pub(crate) fn put_back(&self, name: &Username, verifier: &J, disabled: bool) -> Result<(), Failure> {
        let old = NewUser { realm: &self.realm.realm, name, verifier };
        self.store
            .set_verifier(&old)
            .and_then(|()| self.store.set_disabled(&self.realm.realm, name, disabled))
            .map_err(unavailable)?;
        let _ = self.note(Event::PasswordChanged, name);
        Ok(())
    }

    /// The verifier of a user, to put it back if a larger change fails.
    pub(crate) fn verifier(&self, name: &Username) -> Result<J, Failure> {
        self.store.export(&self.realm.realm, name).map_err(|error| self.explain(name, error))
    }

    /// Takes a verifier out of the store.
    pub(crate) fn export(&self, name: &Username) -> Result<J, Failure> {
        let verifier = self.verifier(name)?;
        self.note(Event::VerifierExported, name)?;
        Ok(verifier)
    }

    /// The users of the realm.
    pub(crate) fn users(&self) -> Result<Vec<User>, Failure> {
        self.store.users(Some(&self.realm.realm)).map_err(unavailable)
    }
}

/// The name of the person at work, as this machine knows it.
pub(crate) fn who() -> String {
    let uid = rustix::process::getuid().as_raw();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = |uid: u32| name_of(&users, uid).unwrap_or_else(|| format!("uid {uid}"));
    // What root says about itself can be believed as much as everything else that root writes.
    let behind = std::env::var("SUDO_UID").ok().filter(|_| uid == 0).and_then(|text| text.parse::<u32>().ok());
    match behind {
        Some(behind) => format!("{} (sudo by {})", name(uid), name(behind)),
        None => name(uid),
    }
}

fn name_of(users: &str, uid: u32) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// The directory that a file is in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_found_by_their_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbad line\nalice:x:1000:1000::/home/alice:/bin/sh\n";
        assert_eq!(name_of(users, 0).as_deref(), Some("root"));
        assert_eq!(name_of(users, 1000).as_deref(), Some("alice"));
        assert_eq!(name_of(users, 7), None);
    }
}
