//! What was found right a short while ago, for a bounded number of users.

use std::collections::HashMap;
use std::time::Duration;

/// What stands for a user or a password: a keyed hash, which nobody can predict or search without the key.
pub(super) type Mark = [u8; 32];

/// The most marks of one user.
const MAX_OF_USER: usize = 64;

/// Remembers marks of users for a span of time.
///
/// There are two generations. The older is forgotten, and the younger takes its place, when the younger is full and when its span is
/// over. So memory is bounded, and no mark is kept for longer than two spans in which anything is asked.
#[derive(Debug)]
pub(super) struct Recent {
    span: Duration,
    half: usize,
    young: HashMap<Mark, Vec<Entry>>,
    old: HashMap<Mark, Vec<Entry>>,
    /// How many marks the younger has.
    len: usize,
    /// When the generations change next.
    turn: Duration,
}

#[derive(Debug)]
struct Entry {
    mark: Mark,
    until: Duration,
}

impl Recent {
    pub(super) fn new(max_entries: usize, span: Duration) -> Self {
        let (young, old) = (HashMap::new(), HashMap::new());
        Self { span, half: (max_entries / 2).max(1), young, old, len: 0, turn: Duration::ZERO }
    }

    /// Whether the user has this mark.
    pub(super) fn contains(&mut self, user: &Mark, mark: &Mark, now: Duration) -> bool {
        self.pass(now);
        let entries = self.young.get(user).into_iter().chain(self.old.get(user)).flatten();
        entries.into_iter().any(|entry| entry.mark == *mark && entry.until > now)
    }

    /// The user has this mark from now on, for the span.
    pub(super) fn insert(&mut self, user: Mark, mark: Mark, now: Duration) {
        self.pass(now);
        if self.len >= self.half {
            self.change();
        }
        let until = now.saturating_add(self.span);
        let entries = self.young.entry(user).or_default();
        let before = entries.len();
        entries.retain(|entry| entry.mark != mark && entry.until > now);
        if entries.len() >= MAX_OF_USER {
            entries.remove(0);
        }
        entries.push(Entry { mark, until });
        self.len = self.len.saturating_sub(before).saturating_add(entries.len());
    }

    /// The user has no marks any more.
    pub(super) fn forget(&mut self, user: &Mark) {
        let gone = self.young.remove(user).map_or(0, |entries| entries.len());
        self.len = self.len.saturating_sub(gone);
        self.old.remove(user);
    }

    /// Lets time pass.
    fn pass(&mut self, now: Duration) {
        if now < self.turn {
            return;
        }
        if now >= self.turn.saturating_add(self.span) {
            self.change();
        }
        self.change();
        self.turn = now.saturating_add(self.span);
    }

    fn change(&mut self) {
        self.old = std::mem::take(&mut self.young);
        self.len = 0;
    }

    #[cfg(test)]
    fn kept(&self) -> usize {
        self.young.values().chain(self.old.values()).map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPAN: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(1_000_000 + seconds)
    }

    fn mark(number: u8) -> Mark {
        [number; 32]
    }

    #[test]
    fn a_mark_is_kept_for_its_span_and_for_its_user() {
        let mut recent = Recent::new(100, SPAN);
        recent.insert(mark(1), mark(2), at(0));
        assert!(recent.contains(&mark(1), &mark(2), at(59)));
        assert!(!recent.contains(&mark(2), &mark(2), at(59)));
        assert!(!recent.contains(&mark(1), &mark(1), at(59)));
        assert!(!recent.contains(&mark(1), &mark(2), at(60)));
        recent.insert(mark(1), mark(2), at(70));
        recent.insert(mark(1), mark(3), at(100));
        assert!(recent.contains(&mark(1), &mark(2), at(129)), "the change of generations takes nothing that counts");
        assert!(!recent.contains(&mark(1), &mark(2), at(130)));
        assert!(recent.contains(&mark(1), &mark(3), at(159)));
    }

    #[test]
    fn a_forgotten_user_has_no_marks_in_either_generation() {
        let mut recent = Recent::new(4, SPAN);
        for number in 1..4 {
            recent.insert(mark(1), mark(number), at(0));
        }
        recent.insert(mark(2), mark(1), at(0));
        recent.forget(&mark(1));
        for number in 1..4 {
            assert!(!recent.contains(&mark(1), &mark(number), at(1)));
        }
        assert!(recent.contains(&mark(2), &mark(1), at(1)));
    }

    #[test]
    fn nothing_stays_for_long_after_its_time() {
        let mut recent = Recent::new(100, SPAN);
        recent.insert(mark(1), mark(1), at(0));
        recent.contains(&mark(9), &mark(9), at(120));
        assert_eq!(recent.kept(), 0);
    }

    proptest! {
        #[test]
        fn no_more_is_kept_than_may_be_and_nothing_that_was_not_put_in(
            max in 2usize..20,
            steps in proptest::collection::vec((0u8..6, 0u8..80, 0u64..40, 0u8..8), 0..300),
        ) {
            let mut recent = Recent::new(max, SPAN);
            let mut model: HashMap<(u8, u8), Duration> = HashMap::new();
            let mut now = at(0);
            for (user, number, seconds, step) in steps {
                now += Duration::from_secs(seconds);
                let fresh = model.get(&(user, number)).is_some_and(|until| *until > now);
                match step {
                    0 => {
                        recent.forget(&mark(user));
                        model.retain(|(of, _), _| *of != user);
                    }
                    1..4 => prop_assert!(fresh || !recent.contains(&mark(user), &mark(number), now)),
                    _ => {
                        recent.insert(mark(user), mark(number), now);
                        model.insert((user, number), now + SPAN);
                        prop_assert!(recent.contains(&mark(user), &mark(number), now));
                    }
                }
                prop_assert!(recent.kept() <= max.max(2), "{} of {max}", recent.kept());
            }
        }
    }
}
