//! The table of sessions: one entry for each, in as many lists as there are limits.

use super::chains::{Chain, List, Slot, Slots};
use crate::session::{Counts, Owner, SessionLimits};
use std::collections::hash_map::{Entry, RandomState};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher as _, Hash};
use tagai_core::credential::Username;
use tagai_core::message::{Role, Sid};
use tagai_core::realm::AuthRealm;
use tagai_core::server::{Server, Session, SessionState};
use tagai_core::time::Time;

/// How many sessions that are over one call drops by the way, so that no call takes long.
const BY_THE_WAY: usize = 4;

/// A sid; without an allocation for those that our servers make.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Own([u8; 16]),
    Other(Box<[u8]>),
}

impl Key {
    fn of(sid: &Sid) -> Self {
        <[u8; 16]>::try_from(sid.octets()).map_or_else(|_| Self::Other(sid.octets().into()), Self::Own)
    }
}

/// A user of a realm, by 128 bits of a keyed hash that no stranger can foresee: names may be long, and are in the
/// session.
type UserKey = (u64, u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    HalfOpen { owner: Owner, until: Time },
    Established,
}

#[derive(Debug)]
struct Node {
    /// `None` while it is being changed.
    session: Option<Session>,
    key: Key,
    /// The server and realm, by a keyed hash.
    place: u64,
    user: UserKey,
    /// The second in which it is over at the latest.
    due: u64,
    class: Class,
}

/// What both classes have.
#[derive(Debug, Default)]
struct Lists {
    /// The one to go first is in front.
    age: List,
    users: HashMap<UserKey, List>,
    due: BTreeMap<u64, List>,
}

#[derive(Debug)]
pub(super) struct Table {
    limits: SessionLimits,
    slots: Slots<Node>,
    sids: HashMap<Key, Slot>,
    half_open: Lists,
    owners: HashMap<Owner, List>,
    /// Owners in the order of how many half-open sessions they have.
    ranks: BTreeSet<(u32, Owner)>,
    established: Lists,
    hashers: (RandomState, RandomState),
}

/// The first whole second at which `time` is over.
fn second(time: Time) -> u64 {
    let span = time.since_epoch();
    span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0))
}

fn exceeds(len: u32, limit: usize) -> bool {
    usize::try_from(len).is_ok_and(|len| len > limit)
}

impl Lists {
    fn append(&mut self, slots: &mut Slots<Node>, slot: Slot, user: UserKey, due: u64) {
        slots.append(&mut self.age, Chain::Age, slot);
        slots.append(self.users.entry(user).or_default(), Chain::User, slot);
        slots.append(self.due.entry(due).or_default(), Chain::Due, slot);
    }

    fn unlink(&mut self, slots: &mut Slots<Node>, slot: Slot, user: UserKey, due: u64) {
        slots.unlink(&mut self.age, Chain::Age, slot);
        if let Entry::Occupied(mut list) = self.users.entry(user) {
            slots.unlink(list.get_mut(), Chain::User, slot);
            if list.get().len() == 0 {
                list.remove();
            }
        }
        if let Some(list) = self.due.get_mut(&due) {
            slots.unlink(list, Chain::Due, slot);
            if list.len() == 0 {
                self.due.remove(&due);
            }
        }
    }

    /// One that is over, if there is one.
    fn over(&self, now: Time) -> Option<Slot> {
        let (second, list) = self.due.first_key_value()?;
        list.first().filter(|_| *second <= now.since_epoch().as_secs())
    }

    fn of_user(&self, user: UserKey) -> List {
        self.users.get(&user).copied().unwrap_or_default()
    }
}

impl Table {
    pub(super) fn new(limits: SessionLimits) -> Self {
        Self {
            limits,
            slots: Slots::default(),
            sids: HashMap::new(),
            half_open: Lists::default(),
            owners: HashMap::new(),
            ranks: BTreeSet::new(),
            established: Lists::default(),
            hashers: Default::default(),
        }
    }

    fn user_key(&self, realm: &AuthRealm, user: Option<&Username>) -> UserKey {
        let of = |value: &(&AuthRealm, Option<&Username>)| {
            (self.hashers.0.hash_one(value), self.hashers.1.hash_one(value))
        };
        of(&(realm, user))
    }

    fn place(&self, server: &Server) -> u64 {
        let config = server.config();
        let proxy = config.role == Role::Proxy;
        hash(&self.hashers.0, &(&config.origin, proxy, &config.realm))
    }

    pub(super) fn insert(&mut self, server: &Server, session: Session, owner: Owner, now: Time) {
        let key = Key::of(session.sid());
        if let Some(slot) = self.sids.get(&key).copied() {
            self.remove(slot);
        }
        self.drop_some_over(now);
        let wait = Time::at(now.since_epoch().saturating_add(self.limits.half_open_time));
        let until = wait.min(session.expires());
        let node = Node {
            place: self.place(server),
            user: self.user_key(&server.config().realm, session.claimed_user()),
            due: second(until),
            class: Class::HalfOpen { owner, until },
            key: key.clone(),
            session: Some(session),
        };
        let Some(slot) = self.slots.put(node) else { return };
        self.sids.insert(key, slot);
        self.link(slot);
        while let Some(oldest) =
            self.owners.get(&owner).filter(|list| exceeds(list.len(), self.limits.half_open_per_owner))
        {
            let Some(slot) = oldest.first() else { break };
            self.remove(slot);
        }
        while exceeds(self.half_open.age.len(), self.limits.half_open) {
            let most = match self.ranks.last() {
                // Where nobody has more than others, age decides: by rank the greatest address would always make room, and a
                // flood from many small ones could keep it out.
                None | Some((1, _)) => Some(&self.half_open.age),
                Some((_, owner)) => self.owners.get(owner),
            };
            let Some(slot) = most.and_then(List::first) else { break };
            self.remove(slot);
        }
    }

    /// The session `sid` of `server`, if there is one that is not over, to be given back by [`Table::put_back`] or
    /// dropped by [`Table::remove`].
    pub(super) fn take(&mut self, server: &Server, sid: &Sid, now: Time) -> Option<(Slot, Session)> {
        let slot = *self.sids.get(&Key::of(sid))?;
        let place = self.place(server);
        let node = self.slots.get_mut(slot)?;
        if node.place != place {
            return None;
        }
        let waits_in_vain = matches!(node.class, Class::HalfOpen { until, .. } if now >= until);
        match node.session.take() {
            Some(session) if !waits_in_vain && now < session.expires() => Some((slot, session)),
            _ => {
                self.remove(slot);
                None
            }
        }
    }

    pub(super) fn put_back(&mut self, slot: Slot, session: Session, now: Time) {
        let (state, expires) = (session.state(), session.expires());
        let Some(node) = self.slots.get_mut(slot) else { return };
        let half_open = node.class != Class::Established;
        let same = node.key == Key::of(session.sid());
        node.session = Some(session);
        match state {
            SessionState::Authenticated if same => {}
            SessionState::KeyExchanging | SessionState::Rejected if same && half_open => return,
            _ => return self.remove(slot),
        }
        if !half_open {
            self.slots.unlink(&mut self.established.age, Chain::Age, slot);
            self.slots.append(&mut self.established.age, Chain::Age, slot);
            let user = self.slots.get(slot).map(|node| node.user);
            if let Some(list) = user.and_then(|user| self.established.users.get_mut(&user)) {
                self.slots.unlink(list, Chain::User, slot);
                self.slots.append(list, Chain::User, slot);
            }
            return;
        }
        self.unlink(slot);
        let Some(node) = self.slots.get_mut(slot) else { return };
        node.class = Class::Established;
        node.due = second(expires);
        let user = node.user;
        self.link(slot);
        self.drop_some_over(now);
        while exceeds(self.established.of_user(user).len(), self.limits.established_per_user) {
            let Some(slot) = self.established.of_user(user).first() else { break };
            self.remove(slot);
        }
        while exceeds(self.established.age.len(), self.limits.established) {
            let Some(slot) = self.established.age.first() else { break };
            self.remove(slot);
        }
    }

    /// Forgets a session.
    pub(super) fn remove(&mut self, slot: Slot) {
        self.unlink(slot);
        if let Some(node) = self.slots.take(slot) {
            self.sids.remove(&node.key);
        }
    }

    /// Forgets the sessions of a user, and says how many there were.
    pub(super) fn end_user(&mut self, realm: &AuthRealm, user: &Username) -> usize {
        let user = self.user_key(realm, Some(user));
        let mut ended = 0;
        while let Some(slot) = self.established.of_user(user).first().or_else(|| self.half_open.of_user(user).first())
        {
            self.remove(slot);
            ended += 1;
        }
        ended
    }

    /// Drops sessions that are over, at most so many, and says how many there were.
    pub(super) fn drop_over(&mut self, now: Time, at_most: usize) -> usize {
        let mut dropped = 0;
        while dropped < at_most {
            let Some(slot) = self.half_open.over(now).or_else(|| self.established.over(now)) else { break };
            self.remove(slot);
            dropped += 1;
        }
        dropped
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            half_open: usize::try_from(self.half_open.age.len()).unwrap_or(usize::MAX),
            established: usize::try_from(self.established.age.len()).unwrap_or(usize::MAX),
        }
    }

    fn drop_some_over(&mut self, now: Time) {
        self.drop_over(now, BY_THE_WAY);
    }

    /// Enters a session into the lists of its class.
    fn link(&mut self, slot: Slot) {
        let Some(&Node { user, due, class, .. }) = self.slots.get(slot) else { return };
        match class {
            Class::Established => self.established.append(&mut self.slots, slot, user, due),
            Class::HalfOpen { owner, .. } => {
                self.half_open.append(&mut self.slots, slot, user, due);
                let list = self.owners.entry(owner).or_default();
                self.ranks.remove(&(list.len(), owner));
                self.slots.append(list, Chain::Owner, slot);
                self.ranks.insert((list.len(), owner));
            }
        }
    }

    /// Takes a session out of the lists of its class.
    fn unlink(&mut self, slot: Slot) {
        let Some(&Node { user, due, class, .. }) = self.slots.get(slot) else { return };
        match class {
            Class::Established => self.established.unlink(&mut self.slots, slot, user, due),
            Class::HalfOpen { owner, .. } => {
                self.half_open.unlink(&mut self.slots, slot, user, due);
                let Some(list) = self.owners.get_mut(&owner) else { return };
                self.ranks.remove(&(list.len(), owner));
                self.slots.unlink(list, Chain::Owner, slot);
                match list.len() {
                    0 => drop(self.owners.remove(&owner)),
                    len => drop(self.ranks.insert((len, owner))),
                }
            }
        }
    }
}

fn hash(state: &RandomState, value: &impl Hash) -> u64 {
    state.hash_one(value)
}
