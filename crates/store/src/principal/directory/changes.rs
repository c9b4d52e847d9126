//! Whose sessions a change ends.

use super::Directory;
use crate::principal::{Credential, Principal};
use std::sync::Arc;

impl Directory {
    /// Users whose sessions have to end now that this directory follows `old`: the credentials of users
    ///
    /// - that are kept out and were not: their principal was disabled or denied, or they are denied under the name that they
    ///   have by themselves;
    /// - that belonged to a principal, and do not any more: they were unbound, bound to another, or the principal was removed.
    ///
    /// Sorted, each once. Denials of serial numbers and keys are for each request to look at: no session belongs to them.
    #[must_use]
    pub fn ended_since(&self, old: &Self) -> Vec<Credential> {
        let ends = |credential: &Credential| {
            let before = old.owners.get(credential);
            let lost = before
                .is_some_and(|before| self.owners.get(credential).is_none_or(|owner| owner.name != before.name));
            lost || (self.keeps_out(credential) && !old.keeps_out(credential))
        };
        // There may be very many principals, and few that have changed: only the credentials of those are looked at.
        let changed = self.unlike(old).chain(old.unlike(self)).flat_map(|principal| &principal.credentials).cloned();
        let denied = self.denied.principals().filter_map(|name| name.credential());
        let mut ended: Vec<Credential> = changed.chain(denied).filter(|one| is_user(one) && ends(one)).collect();
        ended.sort();
        ended.dedup();
        ended
    }

    /// The principals that `other` does not have with the same credentials, as kept out or not as here.
    fn unlike<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a Principal> {
        let same = |here: &Principal, there: &Principal| {
            here.credentials == there.credentials && self.shuts_out(here) == other.shuts_out(there)
        };
        let known =
            move |here: &&Arc<Principal>| other.principals.get(&here.name).is_some_and(|there| same(here, there));
        self.principals.values().filter(move |here| !known(here)).map(|here| &**here)
    }

    /// Whether a registered principal is kept out.
    fn shuts_out(&self, principal: &Principal) -> bool {
        principal.disabled || self.denied.principal(principal.name.as_str()).is_some()
    }

    /// Whether a user is kept out, under whichever name.
    fn keeps_out(&self, credential: &Credential) -> bool {
        let owner = self.owners.get(credential);
        owner.is_some_and(|owner| self.shuts_out(owner))
            || self.denied.has_principals()
                && credential.subject().is_some_and(|subject| self.denied.principal(subject.as_str()).is_some())
    }
}

const fn is_user(credential: &Credential) -> bool {
    matches!(credential, Credential::User { .. })
}
