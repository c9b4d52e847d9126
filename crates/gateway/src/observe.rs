//! What happens to logins, told to the log, the audit log and the counters.

use crate::audit::{AuditFile, Event as AuditEvent, Line};
use crate::config::Audit;
use crate::metrics::Metrics;
use crate::proof::{Admitted, Principals, Refusal};
use arc_swap::ArcSwap;
use aws_lc_rs::digest::{SHA256, digest};
use std::collections::HashMap;
use std::io::Write as _;
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tagai_core::credential::Username;
use tagai_core::message::Sid;
use tagai_core::realm::AuthRealm;
use tagai_core::server::{Fault, ServerConfig};
use tagai_server::{AccountFault, Event, Observer, PasswordFault};
use tagai_store::principal::{Credential, Method, Resolved};

/// How many lines may wait for a slow disk. What comes after is counted and reported, and a login is not held up by it.
const MAX_WAITING: usize = 65_536;

/// How many refusals are written in one second. Anybody can be refused as often as they like: what is more is counted, and told by one
/// line, so that strangers neither fill a disk nor push out the lines of logins.
const MAX_REFUSALS: u32 = 200;

/// How lines call the proof by a password over TLS.
const PASSWORD_TLS: &str = "password-tls";

/// Tells the log, the audit log and the counters.
#[derive(Debug)]
pub struct Journal {
    metrics: Arc<Metrics>,
    refusals: Mutex<Refusals>,
    audit: SyncSender<Job>,
    /// How the configuration calls the realms.
    ids: Mutex<HashMap<AuthRealm, String>>,
    /// Whose the users are.
    principals: ArcSwap<Principals>,
}

/// The refusals of the present second.
#[derive(Debug, Default)]
struct Refusals {
    second: u64,
    written: u32,
    left_out: u64,
}

impl Refusals {
    /// Whether one more is written, and how many were left out before this second, once.
    fn take(&mut self, second: u64) -> (bool, u64) {
        let mut left_out = 0;
        if self.second != second {
            left_out = std::mem::take(&mut self.left_out);
            (self.second, self.written) = (second, 0);
        }
        let room = self.written < MAX_REFUSALS;
        if room {
            self.written += 1;
        } else {
            self.left_out += 1;
        }
        (room, left_out)
    }
}

enum Job {
    Line(Box<Line>),
    /// Lines go somewhere else from now on.
    Target(Audit),
    /// Everything before this has been written.
    Flush(SyncSender<()>),
}

impl Journal {
    /// Starts the thread that writes audit lines to `target`.
    ///
    /// # Errors
    /// If no thread could be started.
    pub fn start(metrics: Arc<Metrics>, target: Audit) -> std::io::Result<Arc<Self>> {
        let (audit, jobs) = sync_channel(MAX_WAITING);
        std::thread::Builder::new().name("audit".into()).spawn(move || write_lines(&jobs, target))?;
        Ok(Arc::new(Self {
            metrics,
            audit,
            refusals: Mutex::default(),
            ids: Mutex::default(),
            principals: ArcSwap::default(),
        }))
    }

    /// Takes over what a new configuration says.
    pub fn configure(&self, target: Audit, ids: HashMap<AuthRealm, String>) {
        *self.ids.lock().unwrap_or_else(PoisonError::into_inner) = ids;
        let _ = self.audit.send(Job::Target(target));
    }

    /// The principals of the moment.
    pub(crate) fn know(&self, principals: Arc<Principals>) {
        self.principals.store(principals);
    }

    /// The principal that a user of a realm is.
    fn principal_of(&self, realm: &str, user: &Username) -> Option<String> {
        let realm = tagai_store::principal::Authority::new(realm).ok()?;
        let credential = Credential::User { realm, name: user.clone() };
        match self.principals.load().directory().resolve(&credential) {
            Resolved::Registered(principal) | Resolved::Disabled(principal) => Some(principal.name.to_string()),
            Resolved::Unregistered(name) => Some(name.to_string()),
            Resolved::Nobody => None,
        }
    }

    /// Somebody is let through by what a connection has shown, for the first time on it.
    pub(crate) fn let_in(&self, route: &str, address: IpAddr, who: &Admitted) {
        let Admitted { name: principal, credential, identified, .. } = who;
        let method = identified.method.as_str();
        tracing::info!(route, %address, principal, method, credential, "let in");
        self.write(Line {
            principal: Some(principal.clone()),
            method: Some(method.to_owned()),
            origin: Some(route.to_owned()),
            address: Some(address),
            reason: Some(credential.clone()),
            ..Line::new(wall_clock(), AuditEvent::Login)
        });
    }

    /// Waits until every line is written.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.audit.send(Job::Flush(done)).is_ok() {
            let _ = wait.recv();
        }
    }

    /// How the configuration calls a realm.
    pub(crate) fn id(&self, realm: &AuthRealm) -> String {
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.get(realm).cloned().unwrap_or_else(|| realm.name.to_string())
    }

    /// Somebody was refused by a route: the whole reason, under the id that the answer has.
    pub(crate) fn refused(
        &self,
        id: &str,
        route: &str,
        address: IpAddr,
        principal: Option<&str>,
        method: Option<Method>,
        refusal: &Refusal,
    ) {
        self.metrics.refused(refusal.code);
        if !self.room_for_refusal() {
            return;
        }
        let Refusal { code, reason } = refusal;
        let by = method.map(Method::as_str);
        tracing::warn!(id, route, %address, principal, method = by, code, reason, "refused");
        self.write(Line {
            origin: Some(route.to_owned()),
            address: Some(address),
            principal: principal.map(str::to_owned),
            method: by.map(str::to_owned),
            id: Some(id.to_owned()),
            reason: Some(format!("{code}: {reason}")),
            ..Line::new(wall_clock(), AuditEvent::Refused)
        });
    }

    /// Whether another refusal is written.
    fn room_for_refusal(&self) -> bool {
        let second = wall_clock().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let (room, left_out) = self.refusals.lock().unwrap_or_else(PoisonError::into_inner).take(second);
        if left_out > 0 {
            tracing::warn!(left_out, "more refusals than are written: somebody tries a lot");
            let reason = format!("{left_out} more refusals in one second were not written down");
            self.write(Line { reason: Some(reason), ..Line::new(wall_clock(), AuditEvent::Refused) });
        }
        room
    }

    fn write(&self, line: Line) {
        match self.audit.try_send(Job::Line(Box::new(line))) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                self.metrics.login("", "audit-line-lost");
                tracing::error!("the audit log cannot keep up: a line was lost; is the disk slow or full?");
            }
            Err(TrySendError::Disconnected(_)) => tracing::error!("the audit log has ended: a line was lost"),
        }
    }
}

/// The clock on the wall, for what people read.
#[allow(clippy::disallowed_methods, reason = "nothing is decided by it")]
pub(crate) fn wall_clock() -> SystemTime {
    SystemTime::now()
}

/// A hash by which lines of one session are found, and the session is not.
#[must_use]
pub fn sid_hash(sid: &Sid) -> String {
    let hash = digest(&SHA256, sid.octets());
    hash.as_ref().iter().take(8).map(|octet| format!("{octet:02x}")).collect()
}

impl Observer for Journal {
    fn observe(&self, config: &ServerConfig, address: IpAddr, event: &Event<'_>) {
        let realm = self.id(&config.realm);
        let origin = config.origin.to_string();
        let name = |user: &Option<&Username>| user.map(ToString::to_string);
        // Only who is proven is somebody.
        let principal = match event {
            Event::LoggedIn { user, .. }
            | Event::LoggedOut { user, .. }
            | Event::PasswordAccepted { user, .. }
            | Event::Registered { user, .. }
            | Event::PasswordChanged { user } => self.principal_of(&realm, user),
            _ => None,
        };
        // Whoever registers has a code, and has proven nothing.
        let by_code = matches!(
            event,
            Event::Registered { .. }
                | Event::RegistrationSlowed { .. }
                | Event::AccountRefused { fault: AccountFault::Invitation(_) | AccountFault::Verifier, .. }
        );
        let line = |kind, user: Option<String>, sid: Option<&Sid>, reason: Option<String>| {
            self.write(Line {
                realm: Some(realm.clone()),
                user,
                principal: principal.clone(),
                method: (!by_code).then(|| Method::Mutual.as_str().into()),
                origin: Some(origin.clone()),
                address: Some(address),
                sid_hash: sid.map(sid_hash),
                reason,
                ..Line::new(wall_clock(), kind)
            });
        };
        let shown = |kind, user: Option<String>, reason: Option<String>| {
            self.write(Line {
                realm: Some(realm.clone()),
                user,
                principal: principal.clone(),
                method: Some(PASSWORD_TLS.into()),
                origin: Some(origin.clone()),
                address: Some(address),
                reason,
                ..Line::new(wall_clock(), kind)
            });
        };
        match event {
            Event::KeyExchanged { user, sid } => {
                self.metrics.login(&realm, "key-exchanged");
                tracing::debug!(realm, origin, %address, user = name(user), sid = sid_hash(sid), "key exchange");
            }
            Event::LoggedIn { user, sid } => {
                self.metrics.login(&realm, "logged-in");
                tracing::info!(realm, origin, %address, user = user.as_str(), sid = sid_hash(sid), "logged in");
                line(AuditEvent::Login, Some(user.to_string()), Some(sid), None);
            }
            Event::LoggedOut { user, sid } => {
                self.metrics.login(&realm, "logged-out");
                tracing::info!(realm, origin, %address, user = user.as_str(), sid = sid_hash(sid), "logged out");
                line(AuditEvent::Logout, Some(user.to_string()), Some(sid), None);
            }
            Event::Refused { user, sid, reason, fault } => {
                self.metrics.login(&realm, refused_as(fault));
                if !self.room_for_refusal() {
                    return;
                }
                let fault = fault.to_string();
                tracing::warn!(realm, origin, %address, user = name(user), %reason, fault, "refused");
                line(AuditEvent::Refused, name(user), *sid, Some(fault));
            }
            Event::Stale { sid, fault } => {
                self.metrics.login(&realm, "stale");
                match fault {
                    // What happens to every session in the end.
                    Fault::NoSession | Fault::Expired => {
                        tracing::debug!(realm, origin, %address, sid = sid_hash(sid), %fault, "stale session");
                    }
                    _ if !self.room_for_refusal() => {}
                    _ => {
                        tracing::warn!(realm, origin, %address, sid = sid_hash(sid), %fault, "session ended");
                        line(AuditEvent::Refused, None, Some(sid), Some(fault.to_string()));
                    }
                }
            }
            Event::PasswordAccepted { user, again } => {
                self.metrics.login(&realm, if *again { "password-accepted-again" } else { "password-accepted" });
                if *again {
                    tracing::debug!(realm, origin, %address, user = user.as_str(), "password over TLS, again");
                    return;
                }
                tracing::info!(realm, origin, %address, user = user.as_str(), method = PASSWORD_TLS, "logged in");
                shown(AuditEvent::Login, Some(user.to_string()), None);
            }
            Event::PasswordRefused { user, fault } => {
                self.metrics.login(&realm, password_refused_as(fault));
                if !self.room_for_refusal() {
                    return;
                }
                let (fault, method) = (fault.to_string(), PASSWORD_TLS);
                tracing::warn!(realm, origin, %address, user = name(user), method, fault, "refused");
                shown(AuditEvent::Refused, name(user), Some(fault));
            }
            Event::Slowed { user, delay: Some(delay) } => {
                self.metrics.login(&realm, "delayed");
                tracing::warn!(realm, origin, %address, user = name(user), ?delay, "too many failed logins: held back");
            }
            Event::Slowed { user, delay: None } => {
                self.metrics.login(&realm, "too-many");
                if !self.room_for_refusal() {
                    return;
                }
                tracing::warn!(realm, origin, %address, user = name(user), "too many failed logins: refused");
                line(AuditEvent::Refused, name(user), None, Some("too many failed logins from this address".into()));
            }
            Event::Registered { user, reset } => {
                self.metrics.login(&realm, if *reset { "password-reset" } else { "registered" });
                tracing::info!(realm, origin, %address, user = user.as_str(), reset, "registered by an invitation");
                let kind = if *reset { AuditEvent::PasswordChanged } else { AuditEvent::UserRegistered };
                line(kind, Some(user.to_string()), None, Some("by an invitation".into()));
            }
            Event::PasswordChanged { user } => {
                self.metrics.login(&realm, "password-changed");
                tracing::info!(realm, origin, %address, user = user.as_str(), "password changed by the user");
                line(AuditEvent::PasswordChanged, Some(user.to_string()), None, Some("by the user".into()));
            }
            Event::AccountRefused { user, fault } => {
                self.metrics.login(&realm, account_refused_as(*fault));
                if !self.room_for_refusal() {
                    return;
                }
                let fault = fault.to_string();
                tracing::warn!(realm, origin, %address, user = user.as_str(), fault, "account refused");
                line(AuditEvent::Refused, Some(user.to_string()), None, Some(fault));
            }
            Event::RegistrationSlowed { user } => {
                self.metrics.login(&realm, "registration-slowed");
                if !self.room_for_refusal() {
                    return;
                }
                tracing::warn!(realm, origin, %address, user = user.as_str(), "too many registrations: refused");
                line(AuditEvent::Refused, Some(user.to_string()), None, Some("too many registrations".into()));
            }
            Event::StoreFailed { error } => {
                self.metrics.login(&realm, "store-failed");
                tracing::error!(realm, origin, %error, "the store failed");
            }
            Event::Misconfigured { problem } => {
                self.metrics.login(&realm, "misconfigured");
                tracing::error!(realm, origin, problem, "this server is not set up right");
            }
            other => tracing::debug!(realm, origin, %address, ?other, "login event"),
        }
    }
}

/// The counter's label for a refusal: of a set that no stranger extends.
const fn refused_as(fault: &Fault) -> &'static str {
    match fault {
        Fault::UnknownUser => "refused-unknown-user",
        Fault::WrongVkc => "refused-wrong-proof",
        Fault::SessionRejected => "refused-session-rejected",
        Fault::Verifier => "refused-verifier",
        Fault::KeyExchange(_) => "refused-key-exchange",
        Fault::Validation { .. } => "refused-validation",
        _ => "refused-message",
    }
}

/// The counter's label for what users may not do with their accounts: of a set that no stranger extends.
const fn account_refused_as(fault: AccountFault) -> &'static str {
    match fault {
        AccountFault::Invitation(_) => "registration-refused-invitation",
        AccountFault::Binding => "password-change-refused-binding",
        AccountFault::Gone => "password-change-refused-gone",
        _ => "account-refused-verifier",
    }
}

/// The counter's label for a password that was refused: of a set that no stranger extends.
const fn password_refused_as(fault: &PasswordFault) -> &'static str {
    match fault {
        PasswordFault::UnknownUser => "password-refused-unknown-user",
        PasswordFault::WrongPassword => "password-refused-wrong",
        PasswordFault::Verifier => "password-refused-verifier",
        PasswordFault::NoTls => "password-refused-without-tls",
        PasswordFault::Busy => "password-refused-busy",
        PasswordFault::Arithmetic => "password-refused-failure",
        _ => "password-refused-message",
    }
}

fn write_lines(jobs: &Receiver<Job>, mut target: Audit) {
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Line(line) => write_line(&target, &line),
            Job::Target(next) => target = next,
            Job::Flush(done) => drop(done.send(())),
        }
    }
}

fn write_line(target: &Audit, line: &Line) {
    let written = match target {
        // The log has had it already.
        Audit::Log => Ok(()),
        Audit::Stdout => std::io::stdout().write_all(line.to_json().as_bytes()),
        Audit::File(path) => AuditFile::new(path).append(line),
    };
    if let Err(error) = written {
        tracing::error!(%error, line = line.to_json().trim_end(), "the audit log cannot be written; this is the line");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tagai_core::algorithm::Algorithm;
    use tagai_core::realm::{AuthScope, Origin, RealmName};

    #[test]
    fn a_password_over_tls_is_noted_with_its_method_once_for_each_login() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let metrics = Metrics::new();
        let journal = Journal::start(Arc::clone(&metrics), Audit::File(path.clone())).unwrap();
        let origin = Origin::parse("https://example.com").unwrap();
        let auth_scope = AuthScope::SingleServer(origin.clone());
        let realm =
            AuthRealm { algorithm: Algorithm::EcP256Sha256, auth_scope, name: RealmName::new("Staff").unwrap() };
        let config = ServerConfig::new(origin, realm);
        let alice = Username::prepare("alice").unwrap();
        for event in [
            Event::PasswordAccepted { user: &alice, again: false },
            Event::PasswordAccepted { user: &alice, again: true },
            Event::PasswordRefused { user: Some(&alice), fault: &PasswordFault::WrongPassword },
            Event::PasswordRefused { user: None, fault: &PasswordFault::NoTls },
        ] {
            journal.observe(&config, [192, 0, 2, 1].into(), &event);
        }
        journal.flush();
        let lines = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Line> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let seen: Vec<_> =
            lines.iter().map(|line| (line.event, line.user.as_deref(), line.reason.is_some())).collect();
        let refused = AuditEvent::Refused;
        assert_eq!(
            seen,
            [(AuditEvent::Login, Some("alice"), false), (refused, Some("alice"), true), (refused, None, true)]
        );
        assert!(lines.iter().all(|line| line.method.as_deref() == Some("password-tls")));
        let counted = metrics.encode();
        for event in ["password-accepted", "password-accepted-again", "password-refused-wrong"] {
            assert!(counted.contains(&format!("event=\"{event}\"}} 1")), "{counted}");
        }
    }

    #[test]
    fn refusals_are_counted_when_there_are_too_many() {
        let mut refusals = Refusals::default();
        for _ in 0..MAX_REFUSALS {
            assert_eq!(refusals.take(1), (true, 0));
        }
        assert_eq!(refusals.take(1), (false, 0));
        assert_eq!(refusals.take(1), (false, 0));
        assert_eq!(refusals.take(2), (true, 2), "they are told once");
        assert_eq!(refusals.take(2), (true, 0));
        assert_eq!(refusals.take(9), (true, 0));
    }
}
