//! The check itself: the store, the slow derivation on a thread of its own, and the comparison.

use super::passwords::{Outcome, Ticket};
use super::{Inner, PasswordFault};
use crate::event::Event;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::{KeyError, Pi};
use tagai_store::{CredentialStore, Owner};
use tokio::sync::OwnedSemaphorePermit;

/// What somebody shows.
pub(super) struct Guess {
    pub(super) name: Username,
    pub(super) password: Password,
    pub(super) address: IpAddr,
}

/// What the guard says to it.
pub(super) enum Admitted {
    /// It may be checked, in this place.
    Now(OwnedSemaphorePermit),
    /// It is held back first; the permit says how many are.
    After(Duration, OwnedSemaphorePermit),
}

/// Checks a guess, and tells everybody who waits for it.
pub(super) async fn check<C: CredentialStore>(
    inner: Arc<Inner<C>>,
    ticket: Ticket,
    guess: Guess,
    admitted: Admitted,
) {
    let config = inner.server.config();
    let (name, address) = (guess.name.clone(), guess.address);
    let refused = |fault: &PasswordFault| {
        let event = Event::PasswordRefused { user: Some(&name), fault };
        inner.observer.observe(config, address, &event);
    };
    let place = match admitted {
        Admitted::Now(place) => Some(place),
        Admitted::After(delay, permit) => {
            tokio::time::sleep(delay).await;
            drop(permit);
            inner.passwords.place()
        }
    };
    let Some(place) = place else {
        refused(&PasswordFault::Busy);
        return ticket.land(Outcome::Busy);
    };
    match compare(&inner, guess, place).await {
        Ok(Verdict::Right) => {
            let now = inner.clock.now();
            inner.guard.proven(Owner::of(address), &config.realm, &name, now);
            let again = ticket.right(now);
            inner.observer.observe(config, address, &Event::PasswordAccepted { user: &name, again });
            ticket.land(Outcome::Right);
        }
        Ok(Verdict::Wrong(fault)) => {
            refused(&fault);
            ticket.land(Outcome::Wrong);
        }
        Err(Failure::Store(error)) => {
            inner.observer.observe(config, address, &Event::StoreFailed { error: &error });
            ticket.land(Outcome::Failed);
        }
        Err(Failure::Arithmetic) => {
            refused(&PasswordFault::Arithmetic);
            ticket.land(Outcome::Failed);
        }
    }
}

enum Verdict {
    Right,
    Wrong(PasswordFault),
}

enum Failure {
    Store(tagai_store::StoreError),
    Arithmetic,
}

/// The same work whether there is such a user or not.
async fn compare<C: CredentialStore>(
    inner: &Arc<Inner<C>>,
    guess: Guess,
    place: OwnedSemaphorePermit,
) -> Result<Verdict, Failure> {
    let realm = &inner.server.config().realm;
    let found = inner.credentials.verifier(realm, &guess.name, inner.server.decoy()).await;
    let found = found.map_err(Failure::Store)?;
    let other_algorithm = found.as_ref().is_some_and(|j| j.algorithm() != realm.algorithm);
    let found = found.filter(|_| !other_algorithm);
    let known = found.is_some();
    let turn = inner.passwords.turn().await.ok_or(Failure::Arithmetic)?;
    inner.passwords.count_derived();
    let (realm, nobody) = (realm.clone(), Arc::clone(&inner.nobody));
    let work = move || {
        // Both end with the work, and not with the request: whoever gives up requests makes no more work at a time than others.
        let _permits = (place, turn);
        let pi = Pi::derive(&realm, &guess.name, &guess.password);
        found.as_ref().unwrap_or(&nobody).matches(&pi)
    };
    let matches: Result<bool, KeyError> = tokio::task::spawn_blocking(work).await.map_err(|_| Failure::Arithmetic)?;
    let matches = matches.map_err(|_| Failure::Arithmetic)?;
    Ok(match (known, matches) {
        (true, true) => Verdict::Right,
        (true, false) => Verdict::Wrong(PasswordFault::WrongPassword),
        (false, _) if other_algorithm => Verdict::Wrong(PasswordFault::Verifier),
        (false, _) => Verdict::Wrong(PasswordFault::UnknownUser),
    })
}
