//! Levels that fall by themselves, for a bounded number of keys.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// Remembers for each key until when its level is above zero: each charge adds a span, and time takes it away.
///
/// There are two generations. When the younger is full, the older is forgotten and the younger takes its place; an entry that is
/// used moves to the younger. So memory is bounded, each step takes constant time, and what is forgotten is what was not used for
/// the longest.
#[derive(Debug)]
pub(super) struct Table<K> {
    young: HashMap<K, Duration>,
    old: HashMap<K, Duration>,
    half: usize,
}

impl<K: Eq + Hash + Copy> Table<K> {
    pub(super) fn new(max_entries: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), half: (max_entries / 2).max(1) }
    }

    /// How far above zero the level of a key is.
    pub(super) fn level(&self, key: &K, now: Duration) -> Duration {
        let until = self.young.get(key).or_else(|| self.old.get(key));
        until.map_or(Duration::ZERO, |until| until.saturating_sub(now))
    }

    /// Adds `span`, unless `burst` spans are charged already: then it says how long to wait.
    pub(super) fn charge(&mut self, key: K, now: Duration, span: Duration, burst: u32) -> Result<(), Duration> {
        let level = self.level(&key, now).saturating_add(span);
        let excess = level.saturating_sub(span.saturating_mul(burst));
        if !excess.is_zero() {
            return Err(excess);
        }
        self.set(key, now.saturating_add(level), now);
        Ok(())
    }

    /// Adds `span`, and says how far the level is above `burst` spans. It goes no higher than twice that.
    pub(super) fn charge_beyond(&mut self, key: K, now: Duration, span: Duration, burst: u32) -> Duration {
        let limit = span.saturating_mul(burst);
        let level = self.level(&key, now).saturating_add(span).min(limit.saturating_mul(2).saturating_add(span));
        self.set(key, now.saturating_add(level), now);
        level.saturating_sub(limit)
    }

    /// Takes `span` away.
    pub(super) fn refund(&mut self, key: &K, now: Duration, span: Duration) {
        let level = self.level(key, now);
        if !level.is_zero() {
            self.set(*key, now.saturating_add(level.saturating_sub(span)), now);
        }
    }

    /// The level is above zero until then.
    pub(super) fn set(&mut self, key: K, until: Duration, now: Duration) {
        if until <= now {
            self.young.remove(&key);
            self.old.remove(&key);
            return;
        }
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, until);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}
