//! All principals at one point in time.

mod changes;
mod denied;

use self::denied::Denied;
use super::{Credential, Denial, KeyPin, Principal, PrincipalName, Serial, SubjectName};
use std::collections::HashMap;
use std::sync::Arc;

/// All principals and denials at one point in time, in memory. Each question is answered without going through them.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    version: i64,
    principals: HashMap<PrincipalName, Arc<Principal>>,
    /// Whom each credential belongs to.
    owners: HashMap<Credential, Arc<Principal>>,
    denied: Denied,
}

/// Who a credential is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// A registered principal.
    Registered(Arc<Principal>),
    /// A principal of its own, for realms and client CAs that accept such.
    Unregistered(SubjectName),
    /// A registered principal that may do nothing.
    Disabled(Arc<Principal>),
    /// Nobody: a bare key that belongs to no principal.
    Nobody,
}

/// What is known of the sender of a request, for the deny list. What is not known is left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The name of the principal, registered or not.
    pub principal: Option<&'a str>,
    /// The credential that was proven. A denial of the name that it has by itself holds for a principal that it belongs to as
    /// well.
    pub credential: Option<&'a Credential>,
    /// The serial number of the certificate.
    pub serial: Option<&'a Serial>,
    /// The id of the client CA that has verified the certificate.
    pub client_ca: Option<&'a str>,
    /// The keys: the bare one, or that of the certificate; those of the CAs between may be here too.
    pub keys: &'a [KeyPin],
}

impl Directory {
    /// A directory of these. Where two principals have one name or one credential, which a store rules out, the last wins.
    #[must_use]
    pub fn new(version: i64, principals: Vec<Principal>, denials: Vec<Denial>) -> Self {
        let mut all = Self {
            version,
            principals: HashMap::with_capacity(principals.len()),
            owners: HashMap::with_capacity(principals.iter().map(|principal| principal.credentials.len()).sum()),
            denied: Denied::new(denials),
        };
        for principal in principals {
            let principal = Arc::new(principal);
            let credentials = principal.credentials.iter().cloned();
            all.owners.extend(credentials.map(|credential| (credential, Arc::clone(&principal))));
            all.principals.insert(principal.name.clone(), principal);
        }
        all
    }

    /// The number of [`super::PrincipalStore::directory_version`] that it belongs to.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// How many principals there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.principals.len()
    }

    /// Whether there are no principals.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.principals.is_empty()
    }

    /// A registered principal.
    #[must_use]
    pub fn principal(&self, name: &str) -> Option<&Arc<Principal>> {
        self.principals.get(name)
    }

    /// All registered principals, in no order.
    pub fn principals(&self) -> impl Iterator<Item = &Arc<Principal>> {
        self.principals.values()
    }

    /// Who has proven this credential. Denials are not looked at: that is [`Directory::denied`].
    #[must_use]
    pub fn resolve(&self, credential: &Credential) -> Resolved {
        match self.owners.get(credential) {
            Some(owner) if owner.disabled => Resolved::Disabled(Arc::clone(owner)),
            Some(owner) => Resolved::Registered(Arc::clone(owner)),
            None => credential.subject().map_or(Resolved::Nobody, Resolved::Unregistered),
        }
    }

    /// The denial that holds for the sender of a request, if there is one.
    #[must_use]
    pub fn denied(&self, facts: &Facts<'_>) -> Option<&Denial> {
        self.denied.find(facts)
    }
}

#[cfg(test)]
mod tests;
