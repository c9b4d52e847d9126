//! Who sends a request that nobody has sent: what of theirs a route would take.

use super::Preview;
use crate::config::{ForwardProxy, Realm};
use crate::proof::{Identified, Judgements, Kind, Refusal, Shown};
use crate::route::{Entry, Place};
use crate::run::sessions::Sessions;
use crate::tls::ClientKey;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::sync::Arc;
use tagai_core::credential::Username;
use tagai_store::UserStore as _;
use tagai_store::principal::{Credential, Method, SubjectName};
use tagai_store::sqlite::SqliteStore;

/// Who sends a request.
#[derive(Debug, Clone)]
pub enum Sender {
    /// Nobody that is known.
    Guest,
    /// A principal, registered or not, with whichever of its credentials the route takes.
    Principal {
        /// Its name.
        name: SubjectName,
        /// By which method; by any if nothing is said.
        method: Option<Method>,
    },
    /// The holder of a credential.
    Credential {
        /// The credential.
        credential: Credential,
        /// By which method; by any if nothing is said.
        method: Option<Method>,
    },
    /// The holder of a certificate, followed by those that come with it.
    Certificate(Arc<[CertificateDer<'static>]>),
}

/// The methods, the strongest bond to a person first.
const METHODS: [Method; 4] = [Method::Mutual, Method::X509, Method::RawKey, Method::PasswordTls];

/// Nothing that the wire has a code for, beyond that something is required.
fn nothing(reason: impl Into<String>) -> Refusal {
    Refusal::new("", reason)
}

impl Preview {
    /// What the route would know of the sender.
    ///
    /// # Errors
    /// Why it would know nobody.
    pub(super) fn identify(
        &self,
        sender: &Sender,
        place: &Place<SqliteStore, Sessions>,
        entry: &Entry<SqliteStore, Sessions>,
        now: UnixTime,
    ) -> Result<Identified, Refusal> {
        let (credentials, method) = match sender {
            Sender::Guest => return Err(nothing("nothing is proven")),
            Sender::Certificate(chain) => {
                let shown = ClientKey::Certificate(Arc::clone(chain));
                return match entry.gate.judged(Some(&shown), &Judgements::default(), now) {
                    Shown::Proven(identified) => Ok(*identified),
                    Shown::Refused(refusal) => Err(refusal),
                    Shown::Nothing => Err(nothing("the route asks for no certificate")),
                };
            }
            Sender::Credential { .. } | Sender::Principal { .. } => self.claimed(sender)?,
        };
        choose(&credentials, method, |method, credential| self.taken(method, credential, place, entry))
    }

    /// What a forward proxy would know of the sender: a user of its realm, or nobody.
    ///
    /// # Errors
    /// Why it would know nobody.
    pub(super) fn identify_to_proxy(&self, sender: &Sender, proxy: &ForwardProxy) -> Result<Identified, Refusal> {
        let (credentials, method) = match sender {
            Sender::Guest => return Err(nothing("nothing is proven")),
            Sender::Certificate(_) => return Err(nothing("a forward proxy asks for no certificate")),
            Sender::Credential { .. } | Sender::Principal { .. } => self.claimed(sender)?,
        };
        choose(&credentials, method, |method, credential| match credential {
            Credential::User { realm, name } if method == Method::Mutual && *realm.as_str() == *proxy.realm.id => {
                self.user(&proxy.realm, method, name)
            }
            Credential::User { realm, .. } if method == Method::Mutual => {
                Err(format!("the proxy does not take users of the realm {realm}"))
            }
            _ => Err(format!("the proxy does not take {method}")),
        })
    }

    /// The credentials that a sender could prove, and how; none if there is nothing but a name.
    fn claimed(&self, sender: &Sender) -> Result<(Vec<Credential>, Option<Method>), Refusal> {
        match sender {
            Sender::Credential { credential, method } => Ok((vec![credential.clone()], *method)),
            Sender::Principal { name, method } => Ok((self.credentials(name)?, *method)),
            Sender::Guest | Sender::Certificate(_) => Ok((Vec::new(), None)),
        }
    }

    /// What a principal has to prove itself with.
    fn credentials(&self, name: &SubjectName) -> Result<Vec<Credential>, Refusal> {
        if let Some(principal) = self.principals.directory().principal(name.as_str()) {
            return Ok(principal.credentials.to_vec());
        }
        let credential = name.credential().ok_or_else(|| {
            nothing(format!("there is no principal {name}; `tagai principal list` shows those that there are"))
        })?;
        Ok(vec![credential])
    }

    /// A user who can log in.
    fn user(&self, realm: &Arc<Realm>, method: Method, name: &Username) -> Result<Identified, String> {
        match self.store.user(&realm.realm, name) {
            Ok(Some(user)) if user.disabled => return Err(format!("the user {name} is disabled")),
            Ok(Some(_)) => {}
            Ok(None) => return Err(format!("there is no user {name} in the realm {}", realm.id)),
            Err(error) => return Err(format!("the store could not be asked for the user {name}: {error}")),
        }
        Identified::of_user(realm, method, name.clone())
            .ok_or_else(|| format!("the id of the realm {} names no credentials", realm.id))
    }

    /// Whether the route would take a credential, proven in this way.
    fn taken(
        &self,
        method: Method,
        credential: &Credential,
        place: &Place<SqliteStore, Sessions>,
        entry: &Entry<SqliteStore, Sessions>,
    ) -> Result<Identified, String> {
        let gate = &entry.gate;
        let accepted = match method {
            // On public routes, whoever is logged in to a realm of the server is known all the same.
            Method::Mutual => gate.proofs.mutual || gate.kind == Kind::Public,
            Method::X509 => gate.proofs.x509,
            Method::RawKey => gate.proofs.raw_key,
            Method::PasswordTls => gate.proofs.password_tls,
        };
        if !accepted {
            return Err(format!("the route does not take {method}"));
        }
        match credential {
            Credential::User { realm, name } => {
                let mut known = place.realms.iter().map(|(realm, _)| realm).filter(|_| gate.kind == Kind::Public);
                let mut known = gate.realm.iter().chain(&mut known);
                let Some(realm) = known.find(|known| known.id == realm.as_str()) else {
                    return Err(format!("the route does not take users of the realm {realm}"));
                };
                self.user(realm, method, name)
            }
            Credential::Certificate { client_ca, .. } => {
                let authority = gate.authorities.iter().find(|known| known.config().id == client_ca.as_str());
                let authority =
                    authority.ok_or_else(|| format!("the route does not take certificates of {client_ca}"))?;
                Ok(Identified {
                    method,
                    credential: credential.clone(),
                    unregistered: authority.config().unregistered,
                    user: None,
                    session: None,
                    certificate: None,
                    key: None,
                    spki: None,
                })
            }
            Credential::Key(pin) => Ok(Identified::of_key(*pin)),
        }
    }
}

/// The first credential that is taken, by the first method.
fn choose(
    credentials: &[Credential],
    method: Option<Method>,
    taken: impl Fn(Method, &Credential) -> Result<Identified, String>,
) -> Result<Identified, Refusal> {
    let mut reasons: Vec<String> = Vec::new();
    for method in METHODS.into_iter().filter(|one| method.is_none_or(|wanted| wanted == *one)) {
        for credential in credentials.iter().filter(|credential| fits(method, credential)) {
            match taken(method, credential) {
                Ok(identified) => return Ok(identified),
                Err(reason) if reasons.contains(&reason) => {}
                Err(reason) => reasons.push(reason),
            }
        }
    }
    if !reasons.is_empty() {
        return Err(nothing(reasons.join("; ")));
    }
    let by = method.map(|method| format!(" by {method}")).unwrap_or_default();
    let have = credentials.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let have = if have.is_empty() { "there is no credential".to_owned() } else { format!("there is {have}") };
    Err(nothing(format!("nothing could be proven{by}: {have}")))
}

/// Whether a credential can be proven in this way.
const fn fits(method: Method, credential: &Credential) -> bool {
    match credential {
        Credential::User { .. } => matches!(method, Method::Mutual | Method::PasswordTls),
        Credential::Certificate { .. } => matches!(method, Method::X509),
        Credential::Key(_) => matches!(method, Method::RawKey),
    }
}

/// What a route takes, in words.
pub(super) fn taken(entry: &Entry<SqliteStore, Sessions>) -> String {
    let gate = &entry.gate;
    let realm = gate.realm.as_ref().map_or("", |realm| &realm.id);
    let authorities = gate.authorities.iter().map(|known| known.config().id.as_str()).collect::<Vec<_>>().join(", ");
    let all = [
        (gate.proofs.mutual, format!("mutual ({realm})")),
        (gate.proofs.x509, format!("x509 ({authorities})")),
        (gate.proofs.raw_key, "raw-key".to_owned()),
        (gate.proofs.password_tls, format!("password-tls ({realm})")),
    ];
    all.into_iter().filter(|(taken, _)| *taken).map(|(_, text)| text).collect::<Vec<_>>().join(", ")
}
