//! An operator at work on principals and the deny list.

use crate::failure::Failure;
use crate::operator::{ConfigFile, Journal, open_store, unavailable, who};
use crate::{output, password};
use tagai_gateway::audit::Event;
use tagai_gateway::config::Config;
use tagai_pki::names::MappedName;
use tagai_store::principal::{
    Authority, CertificateName, Credential, DenialTarget, NameError, Principal, PrincipalName, PrincipalStore as _,
    SubjectName,
};
use tagai_store::sqlite::SqliteStore;
use tagai_store::{StoreError, UserStore as _};

/// What a configuration names, opened.
pub(crate) struct Registrar {
    config: Config,
    pub(crate) store: SqliteStore,
    journal: Journal,
}

impl Registrar {
    /// Opens what the configuration names, to look at it.
    pub(crate) fn open(file: &ConfigFile) -> Result<Self, Failure> {
        let config = file.load()?;
        let store = open_store(&config)?;
        let journal = Journal::of(&config);
        Ok(Self { config, store, journal })
    }

    /// The same, to make changes. None is made if the audit log cannot be written.
    pub(crate) fn open_to_change(file: &ConfigFile) -> Result<Self, Failure> {
        let registrar = Self::open(file)?;
        registrar.journal.prepare()?;
        Ok(registrar)
    }

    /// The configuration.
    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// One principal.
    pub(crate) fn principal(&self, name: &PrincipalName) -> Result<Principal, Failure> {
        let found = self.store.principal(name).map_err(unavailable)?;
        found.ok_or_else(|| explain(StoreError::NoPrincipal, name))
    }

    /// Notes a change of a principal in the audit log.
    pub(crate) fn note(&self, event: Event, name: &PrincipalName, what: Option<String>) -> Result<(), Failure> {
        self.journal.note(event, |line| {
            line.principal = Some(name.to_string());
            line.reason = what;
        })
    }

    /// Puts somebody on the deny list; says whether that is a change.
    pub(crate) fn deny(&self, target: &DenialTarget, reason: &str) -> Result<bool, Failure> {
        // A name from the system that cannot be kept is no reason to let somebody in.
        let by: String = who().chars().filter(|c| !c.is_control()).take(64).collect();
        let changed = self.store.deny(target, reason, &by).map_err(|error| match error {
            StoreError::Name(error) => Failure::usage(format!("--reason: {error}")),
            error => unavailable(error),
        })?;
        if changed {
            self.journal.note(Event::Denied, |line| {
                line.principal = Some(named(target));
                line.reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
            })?;
        }
        Ok(changed)
    }

    /// Takes somebody off the deny list; says whether that is a change.
    pub(crate) fn allow(&self, target: &DenialTarget) -> Result<bool, Failure> {
        let changed = self.store.allow(target).map_err(unavailable)?;
        if changed {
            self.journal.note(Event::DenialRemoved, |line| line.principal = Some(named(target)))?;
        }
        Ok(changed)
    }

    /// Says what of a credential is not there, since nobody can prove it yet.
    pub(crate) fn warn_of(&self, credential: &Credential) -> Result<(), Failure> {
        if let Some(missing) = missing_authority(&self.config, credential) {
            output::note(&format!("warning: {missing}"));
            return Ok(());
        }
        let Credential::User { realm, name } = credential else { return Ok(()) };
        let Some(known) = self.config.realm(realm.as_str()) else { return Ok(()) };
        if self.store.user(&known.realm, name).map_err(unavailable)?.is_none() {
            output::note(&format!(
                "warning: there is no user {name} in the realm {realm} yet; whoever is added by this name is meant"
            ));
        }
        Ok(())
    }
}

/// That nobody can prove a credential, since the configuration does not have who would vouch for it.
pub(crate) fn missing_authority(config: &Config, credential: &Credential) -> Option<String> {
    let (what, id, there) = match credential {
        Credential::User { realm, .. } => {
            ("realm", realm, config.realms.iter().map(|realm| realm.id.as_str()).collect::<Vec<_>>())
        }
        Credential::Certificate { client_ca, .. } => {
            ("client-ca", client_ca, config.client_cas.iter().map(|known| known.id.as_str()).collect())
        }
        Credential::Key(_) => return None,
    };
    if there.contains(&id.as_str()) {
        return None;
    }
    let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    Some(format!("there is no {what} {id} in {}; there is {there}", config.file.display()))
}

/// Whom a denial names, as the command line has it.
pub(crate) fn named(target: &DenialTarget) -> String {
    match target {
        DenialTarget::Serial { serial, client_ca: Some(id) } => format!("serial {serial} of {id}"),
        DenialTarget::Serial { serial, client_ca: None } => format!("serial {serial}"),
        DenialTarget::Key(pin) => format!("key {pin}"),
        DenialTarget::Principal(name) => name.to_string(),
    }
}

/// A change of a principal that did not happen, and what to do.
pub(crate) fn explain(error: StoreError, name: &PrincipalName) -> Failure {
    match error {
        StoreError::PrincipalExists => Failure::other(format!("there is a principal {name} already"))
            .help(format!("`tagai principal show {name}` shows it")),
        StoreError::NoPrincipal => {
            let failure = Failure::other(format!("there is no principal {name}"));
            failure.help("`tagai principal list` shows those that are there; `tagai principal add` adds one")
        }
        StoreError::TooMany { .. } => Failure::other(format!("{error}: nothing was changed")),
        error => unavailable(error),
    }
}

/// The name of a registered principal.
pub(crate) fn principal_name(typed: &str) -> Result<PrincipalName, Failure> {
    typed.parse().map_err(|error| {
        let failure = Failure::usage(format!("{typed:?} cannot be the name of a principal: {error}"));
        match typed.contains('/') {
            true => failure.help(
                "staff/alice is a user who is not registered: add a principal, and bind user:staff/alice to it",
            ),
            false => failure,
        }
    })
}

/// A credential as somebody typed it, in its one spelling.
pub(crate) fn credential(typed: &str) -> Result<Credential, Failure> {
    let wrong = |error: NameError| {
        Failure::usage(format!("{typed:?} is no credential: {error}"))
            .help("such as user:staff/alice, x509:partners/dns:device1.example.com or key:sha256:BASE64")
    };
    // What is typed is prepared before it is read: the name of a user by RFC 8265, that in a certificate as the gateway does.
    if let Some((realm, name)) = typed.strip_prefix("user:").and_then(|rest| rest.split_once('/')) {
        let realm = Authority::new(realm).map_err(wrong)?;
        return Ok(Credential::User { realm, name: password::user_name(name)? });
    }
    match typed.parse().map_err(wrong)? {
        Credential::Certificate { client_ca, name } => {
            let name = certificate_name(&name)?;
            Ok(Credential::Certificate { client_ca, name })
        }
        other => Ok(other),
    }
}

/// A name in a certificate, in the spelling that the gateway gives it.
fn certificate_name(name: &CertificateName) -> Result<CertificateName, Failure> {
    let wrong = |what: String| Failure::usage(format!("no certificate is known by \"{name}\": the name {what}"));
    let kind = name.kind().as_str().parse().map_err(|_| wrong("is of no kind that is known".into()))?;
    let mapped = MappedName::new(kind, name.value()).map_err(|error| wrong(error.to_string()))?;
    mapped.to_string().parse().map_err(|error: NameError| wrong(error.to_string()))
}

/// The name of any principal as somebody typed it: `alice`, `staff/alice`, or the credential `user:staff/alice`.
pub(crate) fn subject_name(typed: &str) -> Result<SubjectName, Failure> {
    if ["user:", "x509:", "key:"].iter().any(|kind| typed.starts_with(kind)) {
        return credential(typed)?.subject().ok_or_else(|| {
            Failure::usage("a key is denied as such").help(format!("tagai deny add {}", typed.replacen(':', " ", 1)))
        });
    }
    let read: SubjectName = typed
        .parse()
        .map_err(|error| Failure::usage(format!("{typed:?} cannot be the name of a principal: {error}")))?;
    match read.credential() {
        Some(one) => Ok(credential(&one.to_string())?.subject().unwrap_or(read)),
        None => Ok(read),
    }
}
