//! What a gateway would say to a request, found out without starting one: by the same tables, gates, principals and policies.
//!
//! What only a handshake or a network would show is not looked at: whether a client really proves what it says, whether its
//! connection is with the host that it asks (421), what lists of revoked certificates at URLs say, and what the application answers.

mod account;
mod proxy;
mod sender;

pub use account::{Account, Step};
pub use sender::Sender;

use super::build::{self, Warning};
use super::error::StartError;
use super::proofs::{self, Proofs};
use super::sessions::Sessions;
use crate::config::Config;
use crate::identity::assertion::JWKS_PATH;
use crate::metrics::Metrics;
use crate::proof::{Admitted, Asked, Kind, Principals, question};
use crate::proxy::check;
use crate::route::{Entry, NoRoute, Place};
use crate::service::{ACCOUNT_PATH, LOGOUT_PATH, Rules};
use http::header::HOST;
use http::{Method, Request, StatusCode, Uri};
use rustls::pki_types::UnixTime;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tagai_core::realm::Scheme;
use tagai_policy::{Action, Policies, PolicyProblem};
use tagai_server::MutualBuilder;
use tagai_store::memory::MemorySessions;
use tagai_store::principal::PrincipalStore as _;
use tagai_store::sqlite::SqliteStore;

/// A request that nobody has sent.
#[derive(Debug, Clone)]
pub struct Imagined {
    /// What is asked for: `https://www.example.com/api/x`.
    pub url: Uri,
    /// By which HTTP method.
    pub method: Method,
    /// Where from.
    pub source: IpAddr,
    /// When, since the epoch.
    pub time: Duration,
    /// By whom.
    pub sender: Sender,
}

/// A gateway that answers what it would do.
#[derive(Debug)]
pub struct Preview {
    rules: Rules<SqliteStore, Sessions>,
    principals: Principals,
    store: SqliteStore,
    config: Config,
}

/// The policies of a configuration, with what is doubtful of them.
///
/// # Errors
/// What is wrong with them, or with the file.
pub fn policies(config: &Config) -> Result<Policies, StartError> {
    proofs::policies(config).map(|(policies, _)| policies)
}

/// The same, with another policy file in the place of the configuration's own.
///
/// # Errors
/// What is wrong with the file.
pub fn policies_of(config: &Config, file: &Path) -> Result<Policies, StartError> {
    policies(&Config { policy: Some(file.into()), ..config.clone() })
}

impl Preview {
    /// Reads what decides: routes, authorities and their lists in files, policies, and the principals of the moment.
    ///
    /// # Errors
    /// [`StartError`] for the first thing that cannot be used.
    pub fn open(config: &Config, store: SqliteStore) -> Result<(Self, Vec<Warning>), StartError> {
        let (proofs, warnings) = Proofs::to_judge(config, &HashMap::new(), build::now())?;
        let sessions = Sessions::Memory(MemorySessions::new(config.limits.sessions));
        let builder = MutualBuilder::new(Arc::new(store.clone()), Arc::new(sessions));
        let rules = build::rules(config, proofs, &builder, &Metrics::default())?;
        let principals = Principals::new(store.directory()?);
        Ok((Self { rules, principals, store, config: config.clone() }, warnings))
    }

    /// What would become of a request.
    #[must_use]
    pub fn ask(&self, imagined: &Imagined) -> Account {
        let mut account = Account::default();
        let Some(place) = self.place(imagined, &mut account) else { return account };
        account.step("origin", true, format!("{} is served", place.text));
        let path = imagined.url.path();
        let published = path == JWKS_PATH && self.config.assertion.is_some();
        if path == LOGOUT_PATH || path.starts_with(ACCOUNT_PATH) || published {
            account.step("route", true, format!("{path} is the gateway's own"));
            account.passes = true;
            return account;
        }
        let entry = match place.route(path) {
            Ok(entry) => entry,
            Err(NoRoute::NotFound) => {
                account.refuse("route", StatusCode::NOT_FOUND, "no route of the site covers the path");
                return account;
            }
            Err(NoRoute::Ambiguous) => {
                account.refuse("route", StatusCode::BAD_REQUEST, "the path could be read as that of two routes");
                return account;
            }
        };
        account.route = Some(entry.id.to_string());
        let kind = match entry.gate.kind {
            Kind::Public => "public",
            Kind::Optional => "optional",
            Kind::Protected => "protected",
        };
        account.step("route", true, format!("{}, which is {kind}", entry.id));
        if let Some(methods) = entry.methods.as_ref().filter(|methods| !methods.contains(&imagined.method)) {
            let there = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
            account.refuse("method", StatusCode::METHOD_NOT_ALLOWED, format!("the route takes {there} alone"));
            return account;
        }
        let Some(who) = self.who(imagined, place, entry, &mut account) else { return account };
        self.policy(imagined, place, entry, who.as_ref(), &mut account);
        account
    }

    fn place(&self, imagined: &Imagined, account: &mut Account) -> Option<&Arc<Place<SqliteStore, Sessions>>> {
        let secure = imagined.url.scheme_str() == Some("https");
        let host = imagined.url.authority().map_or("", |authority| authority.as_str());
        let target = imagined.url.path_and_query().map_or("/", |target| target.as_str());
        let request = Request::builder().method(&imagined.method).uri(target).header(HOST, host).body(());
        let checked = match &request {
            Ok(request) => check(request, secure).map_err(|refusal| (refusal.status, refusal.reason.to_owned())),
            Err(error) => Err((StatusCode::BAD_REQUEST, error.to_string())),
        };
        let authority = match checked {
            Ok(authority) => authority,
            Err((status, reason)) => {
                account.refuse("request", status, reason);
                return None;
            }
        };
        let place = self.rules.table.find(secure, authority.as_str());
        if place.is_none() {
            let scheme = if secure { Scheme::Https } else { Scheme::Http }.as_str();
            let reason = format!("no [[site]] has the origin {scheme}://{authority}");
            account.refuse("origin", StatusCode::MISDIRECTED_REQUEST, reason);
        }
        place
    }

    /// Who the sender is to the route, `Some(None)` being a guest; `None` if that is the end of it.
    fn who(
        &self,
        imagined: &Imagined,
        place: &Place<SqliteStore, Sessions>,
        entry: &Entry<SqliteStore, Sessions>,
        account: &mut Account,
    ) -> Option<Option<Admitted>> {
        let protected = entry.gate.kind == Kind::Protected;
        let now = UnixTime::since_unix_epoch(imagined.time);
        let identified = self.identify(&imagined.sender, place, entry, now);
        let refused = match identified {
            Ok(identified) => {
                account.credential = Some(identified.credential.to_string());
                account.method = Some(identified.method.as_str());
                account.step("proof", true, format!("{}, by {}", identified.credential, identified.method));
                if identified.method == tagai_store::principal::Method::X509 && identified.certificate.is_none() {
                    account.note(
                        "of a certificate only the name is known here: its dates, revocation, serial number and key are judged with \
                         --certificate FILE",
                    );
                }
                match identified.resolve(&self.principals) {
                    Ok(who) => {
                        account.principal = Some(who.name.clone());
                        account.step("principal", true, describe(&who));
                        return Some(Some(who));
                    }
                    Err(refusal) if protected => {
                        account.refuse("principal", refusal.status(), refusal.reason);
                        account.code = Some(refusal.code.to_owned());
                        return None;
                    }
                    Err(refusal) => {
                        account.step("principal", true, format!("{}: a guest here", refusal.reason));
                        return Some(None);
                    }
                }
            }
            Err(refused) => refused,
        };
        if !protected {
            account.step("proof", true, format!("{}: a guest here", refused.reason));
            return Some(None);
        }
        let (status, code) = if can_ask(entry) {
            (StatusCode::UNAUTHORIZED, None)
        } else {
            let code = if refused.code.is_empty() { entry.gate.required().code } else { refused.code };
            (StatusCode::FORBIDDEN, Some(code.to_owned()))
        };
        account.refuse("proof", status, format!("{}; the route takes {}", refused.reason, sender::taken(entry)));
        account.code = code;
        None
    }

    fn policy(
        &self,
        imagined: &Imagined,
        place: &Place<SqliteStore, Sessions>,
        entry: &Entry<SqliteStore, Sessions>,
        who: Option<&Admitted>,
        account: &mut Account,
    ) {
        let asked = Asked {
            action: Action::Request,
            route: &entry.id,
            host: &place.host,
            port: place.origin.port(),
            tls: place.origin.scheme() == Scheme::Https,
            path: imagined.url.path(),
            method: imagined.method.as_str(),
            source: imagined.source,
            time: imagined.time.as_secs(),
        };
        let explained = self.rules.policies.explain(&question(who, &asked));
        account.judge(explained);
        // Somebody, once proven, may be permitted what a guest is not.
        if !account.passes && account.credential.is_none() && entry.gate.kind == Kind::Optional && can_ask(entry) {
            account.status = Some(StatusCode::UNAUTHORIZED.as_u16());
            account.code = None;
        }
    }
}

/// Whether the route has a login to ask for in an answer.
const fn can_ask(entry: &Entry<SqliteStore, Sessions>) -> bool {
    entry.gate.mutual.is_some() || entry.gate.password.is_some()
}

fn describe(who: &Admitted) -> String {
    let Some(profile) = &who.profile else { return format!("{}, who is not registered", who.name) };
    let groups = if who.groups().is_empty() { "no group".to_owned() } else { who.groups().join(", ") };
    format!("{}, a registered {}, in {groups}; on no deny list", who.name, profile.kind)
}

/// What is wrong with policies, as the configuration's own diagnostics have it.
#[must_use]
pub fn diagnostics(problems: &[PolicyProblem]) -> Vec<crate::config::Diagnostic> {
    problems.iter().map(crate::config::Diagnostic::of_policy).collect()
}
