//! Whose sessions a change ends.

use super::Directory;
use crate::principal::Credential;

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
        // There may be very many credentials, and few that end: only those are copied.
        let owned = old.owners.keys().chain(self.owners.keys()).filter(|one| is_user(one) && ends(one)).cloned();
        let denied = self.denied.principals().filter_map(|name| name.credential());
        let mut ended: Vec<Credential> = owned.chain(denied.filter(|one| is_user(one) && ends(one))).collect();
        ended.sort();
        ended.dedup();
        ended
    }

    /// Whether a user is kept out, under whichever name.
    fn keeps_out(&self, credential: &Credential) -> bool {
        let owner = self.owners.get(credential);
        owner.is_some_and(|owner| owner.disabled || self.denied.principal(owner.name.as_str()).is_some())
            || self.denied.has_principals()
                && credential.subject().is_some_and(|subject| self.denied.principal(subject.as_str()).is_some())
    }
}

const fn is_user(credential: &Credential) -> bool {
    matches!(credential, Credential::User { .. })
}
