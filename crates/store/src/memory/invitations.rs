//! Invitations in memory, under the lock of their users.

use super::users::MemoryUsers;
use crate::credential::NewUser;
use crate::error::StoreError;
use crate::invitation::{
    AccountStore, CodeDigest, Found, Invitation, InvitationStore, MAX_INVITATIONS, NewInvitation, Redeemed, judge,
    may_invite, too_many,
};
use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;
use tagai_core::credential::Username;
use tagai_core::realm::AuthRealm;

type Key = (AuthRealm, Username);

/// Each by its user and by its code.
#[derive(Debug, Default)]
pub(super) struct Invitations {
    users: BTreeMap<Key, Kept>,
    codes: HashMap<CodeDigest, Key>,
}

#[derive(Debug)]
struct Kept {
    code: CodeDigest,
    reset: bool,
    created: SystemTime,
    expires: SystemTime,
}

impl Invitations {
    /// Ends the invitation for a name, if there is one: the user was changed, or it was used.
    pub(super) fn end(&mut self, realm: &AuthRealm, name: &Username) -> Option<SystemTime> {
        let kept = self.users.remove(&(realm.clone(), name.clone()))?;
        self.codes.remove(&kept.code);
        Some(kept.expires)
    }

    fn find(&self, code: &CodeDigest) -> Option<Found<'_>> {
        let ((realm, name), kept) = self.users.get_key_value(self.codes.get(code)?)?;
        Some(Found { realm, name, reset: kept.reset, expires: kept.expires })
    }

    fn drop_expired(&mut self, now: SystemTime) {
        let codes = &mut self.codes;
        self.users.retain(|_, kept| {
            let stays = now < kept.expires;
            if !stays {
                codes.remove(&kept.code);
            }
            stays
        });
    }
}

impl InvitationStore for MemoryUsers {
    fn invite(&self, invitation: &NewInvitation<'_>, now: SystemTime) -> Result<bool, StoreError> {
        let NewInvitation { realm, name, code, reset, expires } = *invitation;
        let mut held = self.write();
        may_invite(reset, held.disabled(realm, name))?;
        let invitations = &mut held.invitations;
        invitations.drop_expired(now);
        let replaced = invitations.end(realm, name).is_some();
        if invitations.users.len() >= MAX_INVITATIONS {
            return Err(too_many());
        }
        let key = (realm.clone(), name.clone());
        invitations.codes.insert(*code, key.clone());
        invitations.users.insert(key, Kept { code: *code, reset, created: now, expires });
        Ok(replaced)
    }

    fn invitations(&self, realm: Option<&AuthRealm>, now: SystemTime) -> Result<Vec<Invitation>, StoreError> {
        let held = self.read();
        let wanted = held
            .invitations
            .users
            .iter()
            .filter(|((of, _), kept)| realm.is_none_or(|realm| realm == of) && now < kept.expires);
        let known = wanted.map(|((realm, name), kept)| Invitation {
            realm: realm.clone(),
            name: name.clone(),
            reset: kept.reset,
            created: kept.created,
            expires: kept.expires,
        });
        Ok(known.collect())
    }

    fn revoke_invitation(&self, realm: &AuthRealm, name: &Username) -> Result<bool, StoreError> {
        Ok(self.write().invitations.end(realm, name).is_some())
    }
}

impl AccountStore for MemoryUsers {
    async fn redeem(&self, code: &CodeDigest, user: &NewUser<'_>, now: SystemTime) -> Result<Redeemed, StoreError> {
        let verifier = super::users::copy(user.verifier)?;
        let mut held = self.write();
        let disabled = held.disabled(user.realm, user.name);
        let reset = match judge(held.invitations.find(code).as_ref(), (user.realm, user.name), disabled, now) {
            Ok(reset) => reset,
            Err(fault) => return Ok(Redeemed::Refused(fault)),
        };
        held.put(user.realm, user.name, verifier);
        Ok(if reset { Redeemed::Reset } else { Redeemed::Added })
    }

    async fn change_verifier(&self, user: &NewUser<'_>) -> Result<(), StoreError> {
        let verifier = super::users::copy(user.verifier)?;
        let mut held = self.write();
        match held.disabled(user.realm, user.name) {
            None => Err(StoreError::NoUser),
            Some(true) => Err(StoreError::UserDisabled),
            Some(false) => {
                held.put(user.realm, user.name, verifier);
                Ok(())
            }
        }
    }
}
