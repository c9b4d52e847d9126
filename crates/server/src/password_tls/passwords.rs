//! What all realms of a process know of passwords that were shown: which were right a moment ago, and which are being checked.

use super::recent::{Mark, Recent};
use aws_lc_rs::hmac;
use getrandom::SysRng;
use getrandom::rand_core::{Rng as _, UnwrapErr};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tagai_core::credential::Username;
use tagai_core::realm::AuthRealm;
use tagai_core::time::Time;
use tagai_store::Owner;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use zeroize::Zeroizing;

/// How much work passwords may make, and for how long one that was right stays so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordLimits {
    /// How many passwords are checked at once, each of them on a thread of its own for some milliseconds: one for each processor.
    pub at_once: usize,
    /// How many wait for that; the next is answered 503.
    pub waiting: usize,
    /// For how long a password that was right is not checked again for the same user at the same address. A change of the user ends
    /// it, see [`Passwords::forget_user`].
    pub fresh_for: Duration,
    /// How many such passwords are remembered.
    pub entries: usize,
    /// A user who comes again from an address within this time is no new login; see [`crate::Event::PasswordAccepted`].
    pub quiet_for: Duration,
}

impl Default for PasswordLimits {
    fn default() -> Self {
        Self {
            at_once: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            waiting: 64,
            fresh_for: Duration::from_secs(60),
            entries: 10_000,
            quiet_for: Duration::from_secs(1800),
        }
    }
}

/// What all realms of a process know of passwords that were shown over TLS. No password is in it: what was right is remembered
/// as a keyed hash, under a key that is made anew with each process.
#[derive(Debug)]
pub struct Passwords {
    key: hmac::Key,
    state: Mutex<State>,
    /// One for each password that is being checked or waits for it.
    places: Arc<Semaphore>,
    /// One for each password that is being checked.
    at_once: Arc<Semaphore>,
    derived: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// Grows each time that a user is forgotten: what began before does not count after.
    generation: u64,
    fresh: Recent,
    /// Users at addresses, by which one who goes on is told from one who comes.
    seen: Recent,
    flights: HashMap<Mark, Flight>,
    /// The number of the next flight.
    next: u64,
}

/// A check that is under way. Whoever shows the same password for the same user from the same address waits for it, and makes no
/// other: a browser sends many requests at a time, and they are one guess.
#[derive(Debug)]
struct Flight {
    number: u64,
    generation: u64,
    landing: Landing,
}

/// Where the outcome of a check appears.
pub(super) type Landing = watch::Receiver<Option<Outcome>>;

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The password is the user's.
    Right,
    /// It is not, or there is no such user.
    Wrong,
    /// It was not checked: there is too much to do.
    Busy,
    /// It was not checked: the store or the arithmetic failed.
    Failed,
}

/// Whose password is shown from where, as keyed hashes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    user: Mark,
    /// The user at the address.
    place: Mark,
    /// The user at the address with the password.
    password: Mark,
}

/// What there is to do about a password that is shown.
#[derive(Debug)]
pub(super) enum Start<A, E> {
    /// Nothing: it was right a moment ago.
    Fresh,
    /// To wait for a check that is under way.
    Wait(Landing),
    /// To check it.
    Check(Ticket, Landing, A),
    /// It was not admitted.
    Stop(E),
}

impl Passwords {
    /// Nothing is known yet.
    ///
    /// # Panics
    /// If the system has no random numbers to give.
    #[must_use]
    pub fn new(limits: PasswordLimits) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        UnwrapErr(SysRng).fill_bytes(secret.as_mut_slice());
        let at_once = limits.at_once.clamp(1, 1 << 16);
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_slice()),
            state: Mutex::new(State {
                generation: 0,
                fresh: Recent::new(limits.entries, limits.fresh_for),
                seen: Recent::new(limits.entries, limits.quiet_for),
                flights: HashMap::new(),
                next: 0,
            }),
            places: Arc::new(Semaphore::new(at_once.saturating_add(limits.waiting.min(1 << 16)))),
            at_once: Arc::new(Semaphore::new(at_once)),
            derived: AtomicU64::new(0),
        }
    }

    /// What was right for this user has to be checked again: the user was changed, disabled or removed. It holds for checks that are
    /// under way as well: the requests that wait for them get their outcome, and those that come later do not.
    pub fn forget_user(&self, realm: &AuthRealm, user: &Username) {
        let user = self.user(realm, user);
        let mut state = self.lock();
        state.generation = state.generation.wrapping_add(1);
        state.fresh.forget(&user);
        state.seen.forget(&user);
    }

    /// How many passwords were derived since the start: each costs some milliseconds of a processor.
    #[must_use]
    pub fn derived(&self) -> u64 {
        self.derived.load(Ordering::Relaxed)
    }

    pub(super) fn count_derived(&self) {
        self.derived.fetch_add(1, Ordering::Relaxed);
    }

    /// A place among those who are checked or wait for it, if there is one.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Waits until there is a processor to spare.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.at_once).acquire_owned().await.ok()
    }

    /// What is remembered of a password, and asked for.
    pub(super) fn shown(&self, realm: &AuthRealm, user: &Username, password: &str, address: IpAddr) -> Shown {
        let of_user = self.user(realm, user);
        let address = Owner::of(address).address().to_string();
        let place = self.mark(b"place", &[&of_user, address.as_bytes()]);
        Shown { user: of_user, place, password: self.mark(b"password", &[&place, password.as_bytes()]) }
    }

    fn user(&self, realm: &AuthRealm, user: &Username) -> Mark {
        let scope = realm.auth_scope.to_string();
        let parts = [realm.algorithm.as_str(), &scope, realm.name.as_str(), user.as_str()];
        self.mark(b"user", &parts.map(str::as_bytes))
    }

    /// A keyed hash of parts, each with its length, so that no two lists of parts look alike.
    fn mark(&self, purpose: &[u8], parts: &[&[u8]]) -> Mark {
        let mut context = hmac::Context::with_key(&self.key);
        for part in std::iter::once(&purpose).chain(parts) {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        let mut mark = [0; 32];
        for (to, from) in mark.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        mark
    }

    /// Finds out what there is to do. `admit` is asked if it is a check.
    pub(super) fn start<A, E>(
        self: &Arc<Self>,
        shown: &Shown,
        now: Time,
        admit: impl FnOnce() -> Result<A, E>,
    ) -> Start<A, E> {
        let mut state = self.lock();
        if state.fresh.contains(&shown.user, &shown.password, now.since_epoch()) {
            return Start::Fresh;
        }
        let generation = state.generation;
        if let Some(flight) = state.flights.get(&shown.password).filter(|flight| flight.generation == generation) {
            return Start::Wait(flight.landing.clone());
        }
        let admitted = match admit() {
            Ok(admitted) => admitted,
            Err(stop) => return Start::Stop(stop),
        };
        let (outcome, landing) = watch::channel(None);
        let number = state.next;
        state.next = state.next.wrapping_add(1);
        state.flights.insert(shown.password, Flight { number, generation, landing: landing.clone() });
        let ticket = Ticket { passwords: Arc::clone(self), shown: *shown, number, generation, outcome };
        Start::Check(ticket, landing, admitted)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A check that is under way, in the hands of who makes it. Dropped without an outcome, it fails those who wait.
#[derive(Debug)]
pub(super) struct Ticket {
    passwords: Arc<Passwords>,
    shown: Shown,
    number: u64,
    generation: u64,
    outcome: watch::Sender<Option<Outcome>>,
}

impl Ticket {
    /// The password was right. Says whether the user was here a short while ago.
    pub(super) fn right(&self, now: Time) -> bool {
        let (now, shown) = (now.since_epoch(), &self.shown);
        let mut state = self.passwords.lock();
        let again = state.seen.contains(&shown.user, &shown.place, now);
        // The verifier may be that of before the change.
        if state.generation == self.generation {
            state.fresh.insert(shown.user, shown.password, now);
            state.seen.insert(shown.user, shown.place, now);
        }
        again
    }

    /// Those who wait are told.
    pub(super) fn land(self, outcome: Outcome) {
        self.leave();
        let _ = self.outcome.send(Some(outcome));
    }

    fn leave(&self) {
        let mut state = self.passwords.lock();
        if state.flights.get(&self.shown.password).is_some_and(|flight| flight.number == self.number) {
            state.flights.remove(&self.shown.password);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.leave();
    }
}
