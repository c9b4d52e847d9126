//! Guessing is slowed, per address and per user, and nobody is locked out by a stranger.
//!
//! In this protocol a guess at a password costs a whole exchange: what a client learns from `K_s1` tells nothing, only the answer to
//! its `VK_c` does. So each key exchange is paid for in advance and refunded when its client proves itself; an exchange that
//! is given up counts like a wrong guess. A password that is shown over TLS is paid for in the same way and from the same purse.
//! What is charged:
//!
//! - *the address* (an IPv4 address, or a /64 of IPv6): so many exchanges, and one more every so often. When there are none left,
//!   the answer is 429 until there is;
//! - *the user*, whether there is such a user or not: when strangers have failed at one name from everywhere, their exchanges
//!   for it are held back, ever longer up to a limit, and refused only while too many of them wait;
//! - *a user at an address where the user was proven before* is charged there first. So whoever guesses at a name from elsewhere
//!   does not slow its owner where the owner usually is, and nor do others behind the same address; and when somebody at that
//!   address has used it up by guessing at that very name, what holds for strangers holds there too.
//!
//! Codes of invitations have 100 random bits, so nobody guesses one; what the guard bounds there is the work that strangers can cause.
//! *Registrations* are charged to the address, and to all addresses together, and refunded when the invitation was good.

mod table;

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use table::Table;
use tagai_core::credential::Username;
use tagai_core::realm::AuthRealm;
use tagai_core::time::Time;
use tagai_store::Owner;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How guessing is slowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardConfig {
    /// How many exchanges in a row may fail for one address, before it has to wait.
    pub per_address: u32,
    /// How many exchanges in a row may fail for one user, before strangers' are held back.
    pub per_user: u32,
    /// After how long one more attempt is allowed, for each of them.
    pub recovery: Duration,
    /// The longest that an exchange is held back.
    pub max_delay: Duration,
    /// How many exchanges may be held back at once; the next is refused.
    pub max_waiting: usize,
    /// How many addresses, users, and users at addresses are remembered, each.
    pub max_entries: usize,
    /// How long it is remembered that a user was proven at an address.
    pub familiar_for: Duration,
    /// How many registrations in a row may fail for one address, before it has to wait; one more is allowed after each `recovery`.
    pub registrations_per_address: u32,
    /// How many may fail for all addresses together, before everybody has to wait; as many more are allowed within each `recovery`.
    pub registrations: u32,
}

impl Default for GuardConfig {
    fn default() -> Self {
        Self {
            per_address: 20,
            per_user: 20,
            recovery: Duration::from_secs(30),
            max_delay: Duration::from_secs(5),
            max_waiting: 1_024,
            max_entries: 65_536,
            familiar_for: Duration::from_secs(30 * 24 * 3600),
            registrations_per_address: 10,
            registrations: 300,
        }
    }
}

/// Slows guessing. One guard serves all realms of a process.
#[derive(Debug)]
pub struct Guard {
    config: GuardConfig,
    /// Names are remembered as two keyed hashes: of one size whatever the name, and not to be predicted.
    hashers: [RandomState; 2],
    tables: Mutex<Tables>,
    waiting: Arc<Semaphore>,
}

#[derive(Debug)]
struct Tables {
    addresses: Table<Owner>,
    users: Table<Key>,
    familiar: Table<(Owner, Key)>,
    /// Until when a user's having been at an address counts.
    proven: Table<(Owner, Key)>,
    /// Registrations, of an address and of all.
    registrations: Table<Option<Owner>>,
}

/// A user of a realm.
type Key = [u64; 2];

/// What a key exchange has to do first.
#[derive(Debug)]
#[must_use = "an exchange that was not admitted must not be answered"]
pub(crate) enum Admission {
    /// Nothing.
    Now,
    /// Wait so long, and then drop the permit.
    After(Duration, OwnedSemaphorePermit),
    /// It is refused; in so long it may be tried again.
    Refused(Duration),
}

impl Guard {
    /// A guard that has seen nobody.
    #[must_use]
    pub fn new(config: GuardConfig) -> Self {
        let max = config.max_entries;
        let tables = Tables {
            addresses: Table::new(max),
            users: Table::new(max),
            familiar: Table::new(max),
            proven: Table::new(max),
            registrations: Table::new(max),
        };
        Self {
            config,
            hashers: [RandomState::new(), RandomState::new()],
            tables: Mutex::new(tables),
            waiting: Arc::new(Semaphore::new(config.max_waiting.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Charges a key exchange.
    pub(crate) fn admit(&self, owner: Owner, realm: &AuthRealm, user: Option<&Username>, now: Time) -> Admission {
        let GuardConfig { per_address, per_user, recovery, max_delay, .. } = self.config;
        let key = self.key(realm, user);
        let now = now.since_epoch();
        let mut tables = self.lock();
        let familiar = tables.proven.level(&(owner, key), now) > Duration::ZERO;
        if familiar && tables.familiar.charge((owner, key), now, recovery, per_user).is_ok() {
            return Admission::Now;
        }
        // Somebody here has used up what the user had here, and is treated as the stranger that it may be.
        if let Err(wait) = tables.addresses.charge(owner, now, recovery, per_address) {
            return Admission::Refused(wait);
        }
        // The user's level goes up without end, or a client that fails often enough would be let through at once again.
        let excess = tables.users.charge_beyond(key, now, recovery, per_user);
        drop(tables);
        if excess.is_zero() {
            return Admission::Now;
        }
        // The first exchange too many waits a second, the next two, and so on.
        let beyond = excess.as_secs_f64() / recovery.as_secs_f64().max(0.001);
        let delay = Duration::try_from_secs_f64(beyond.ceil()).unwrap_or(max_delay).min(max_delay);
        match Arc::clone(&self.waiting).try_acquire_owned() {
            Ok(permit) => Admission::After(delay, permit),
            Err(_) => {
                self.lock().addresses.refund(&owner, now, recovery);
                Admission::Refused(max_delay)
            }
        }
    }

    /// The user was proven at this address: what was charged is given back, and the address is the user's from now on.
    pub(crate) fn proven(&self, owner: Owner, realm: &AuthRealm, user: &Username, now: Time) {
        let key = self.key(realm, Some(user));
        let now = now.since_epoch();
        let recovery = self.config.recovery;
        let mut tables = self.lock();
        tables.familiar.refund(&(owner, key), now, recovery);
        if tables.proven.level(&(owner, key), now).is_zero() {
            tables.addresses.refund(&owner, now, recovery);
            tables.users.refund(&key, now, recovery);
        }
        tables.proven.set((owner, key), now + self.config.familiar_for, now);
    }

    /// Charges a registration, or says how long to wait.
    pub(crate) fn admit_registration(&self, owner: Owner, now: Time) -> Result<(), Duration> {
        let GuardConfig { registrations_per_address, registrations, recovery, .. } = self.config;
        let now = now.since_epoch();
        let mut tables = self.lock();
        tables.registrations.charge(Some(owner), now, recovery, registrations_per_address)?;
        let charged = tables.registrations.charge(None, now, self.share(), registrations);
        if charged.is_err() {
            // This address has done nothing wrong.
            tables.registrations.refund(&Some(owner), now, recovery);
        }
        charged
    }

    /// The invitation was good: what was charged is given back.
    pub(crate) fn registered(&self, owner: Owner, now: Time) {
        let now = now.since_epoch();
        let mut tables = self.lock();
        tables.registrations.refund(&Some(owner), now, self.config.recovery);
        tables.registrations.refund(&None, now, self.share());
    }

    /// After how long all addresses together may register once more.
    fn share(&self) -> Duration {
        self.config.recovery.checked_div(self.config.registrations).unwrap_or(self.config.recovery)
    }

    fn key(&self, realm: &AuthRealm, user: Option<&Username>) -> Key {
        let hash = |hasher: &RandomState| {
            let mut state = hasher.build_hasher();
            realm.hash(&mut state);
            user.hash(&mut state);
            std::hash::Hasher::finish(&state)
        };
        [hash(&self.hashers[0]), hash(&self.hashers[1])]
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Tables> {
        // Nothing in here can panic half-way through a change.
        self.tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
