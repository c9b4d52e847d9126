//! From who is proven to whether that is enough: deny list, principal, policy.

use super::principals::{Principals, Profile};
use super::{Identified, Refusal};
use crate::config::Unregistered;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use tagai_core::realm::{Origin, Scheme};
use tagai_policy::{Action, Certificate, Kind, Policies, Proof, ProofMethod, Question, Subject};
use tagai_store::principal::{Facts, KeyPin, Method, Resolved};

/// What is asked for, as policies see it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The route's id: origin and path.
    pub route: &'a str,
    /// The origin.
    pub origin: &'a Origin,
    /// The host, as the origin has it.
    pub host: &'a str,
    /// The request's path, without its query.
    pub path: &'a str,
    /// The request's method.
    pub method: &'a str,
    /// Where the request came from.
    pub source: IpAddr,
    /// Seconds since the epoch.
    pub time: u64,
}

/// Somebody who may act.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Who that is, as applications, policies and logs know it.
    pub name: String,
    /// What is known of it, if it is registered.
    pub profile: Option<Arc<Profile>>,
    /// The text form of the credential.
    pub credential: String,
    /// How it was proven.
    pub identified: Identified,
}

impl Admitted {
    /// The groups it is in; none if it is not registered.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        self.profile.as_ref().map_or(&[], |profile| profile.groups.as_slice())
    }

    /// As policies see it.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            name: &self.name,
            kind: self.profile.as_ref().map_or(Kind::Unknown, |profile| profile.kind),
            registered: self.profile.is_some(),
            groups: self.groups(),
            attributes: self.profile.as_ref().map_or(&[], |profile| profile.attributes.as_slice()),
            proof: Proof {
                method: match self.identified.method {
                    Method::Mutual => ProofMethod::Mutual,
                    Method::X509 => ProofMethod::X509,
                    Method::RawKey => ProofMethod::RawKey,
                    Method::PasswordTls => ProofMethod::PasswordTls,
                },
                authority: self.identified.credential.authority().map_or("", |id| id.as_str()),
                credential: &self.credential,
                certificate: self.identified.certificate.as_ref().map(|client| Certificate {
                    ca: &client.verified.ca,
                    issuer: &client.verified.facts.issuer,
                    subject: &client.verified.facts.subject,
                    serial: &client.verified.facts.serial,
                    names: &client.names,
                    not_after: client.verified.facts.not_after.as_secs(),
                    key: &client.pin,
                }),
            },
        }
    }
}

impl Identified {
    /// Why this is nobody here: the credential belongs to no registered principal, and only those are let in by it. `None` if it is
    /// somebody, whether they are kept out or not.
    #[must_use]
    pub fn stranger(&self, principals: &Principals) -> Option<Refusal> {
        match principals.directory().resolve(&self.credential) {
            Resolved::Registered(_) | Resolved::Disabled(_) => None,
            Resolved::Unregistered(_) if self.unregistered == Unregistered::Accept => None,
            Resolved::Unregistered(_) | Resolved::Nobody => {
                let reason = format!("{} belongs to no registered principal", self.credential);
                Some(Refusal::new("not-registered", reason))
            }
        }
    }

    /// Whose credential it is, if that one may act at all.
    ///
    /// # Errors
    /// [`Refusal`]
    pub fn resolve(self, principals: &Principals) -> Result<Admitted, Refusal> {
        if let Some(refusal) = self.stranger(principals) {
            return Err(refusal);
        }
        let credential = self.credential.to_string();
        let (name, profile) = match principals.directory().resolve(&self.credential) {
            Resolved::Registered(principal) => {
                let profile = principals.profile(principal.name.as_str()).cloned();
                // Without what policies decide by, nobody is let through.
                let Some(profile) = profile else {
                    return Err(Refusal::new("unavailable", format!("{} is not in the directory", principal.name)));
                };
                (principal.name.to_string(), Some(profile))
            }
            Resolved::Disabled(principal) => {
                return Err(Refusal::new("disabled", format!("the principal {} is disabled", principal.name)));
            }
            Resolved::Unregistered(name) => (name.to_string(), None),
            Resolved::Nobody => return Err(Refusal::new("not-registered", format!("{credential} is nobody's"))),
        };
        let keys: &[KeyPin] = self.key.as_slice();
        let denial = principals.directory().denied(&Facts {
            principal: Some(&name),
            credential: Some(&self.credential),
            serial: self.certificate.as_ref().map(|client| &client.serial),
            client_ca: self.certificate.as_ref().map(|client| client.verified.ca.as_str()),
            keys,
        });
        if let Some(denial) = denial {
            let why = if denial.reason.is_empty() { String::new() } else { format!(" ({})", denial.reason) };
            return Err(Refusal::new("denied", format!("the deny list has {}{why}", denial.target)));
        }
        Ok(Admitted { name, profile, credential, identified: self })
    }
}

/// Whether the policies let somebody, or a guest, do what is asked for.
///
/// # Errors
/// [`Refusal`]
pub fn permit(policies: &Policies, who: Option<&Admitted>, asked: &Asked<'_>) -> Result<(), Refusal> {
    let decision = policies.decide(&question(who, asked));
    let Some(refusal) = decision.refusal else { return Ok(()) };
    let mut reason = refusal.to_string();
    if !decision.policies.is_empty() {
        let _ = write!(reason, ": {}", decision.policies.join(", "));
    }
    for failure in &decision.errors {
        let _ = write!(reason, "; {} failed: {}", failure.policy, failure.message);
    }
    Err(Refusal::new(refusal.code(), reason))
}

/// What policies are asked.
#[must_use]
pub fn question<'a>(who: Option<&'a Admitted>, asked: &Asked<'a>) -> Question<'a> {
    Question {
        route: asked.route,
        action: Action::Request,
        principal: who.map(Admitted::subject),
        host: asked.host,
        port: asked.origin.port(),
        path: asked.path,
        method: asked.method,
        tls: asked.origin.scheme() == Scheme::Https,
        source: asked.source,
        time: asked.time,
    }
}
