//! Whose sessions were ended, for what was begun in them and still goes on: downloads, uploads, tunnels.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use tagai_core::credential::Username;
use tagai_core::message::Sid;
use tagai_core::realm::AuthRealm;

/// How many endings are remembered. Whoever may have missed one that was forgotten is ended as well.
const KEPT: usize = 1 << 16;

/// The sessions that were ended last.
#[derive(Debug, Default)]
pub struct Endings {
    /// How many there were: what is asked each second is answered by it alone, as long as nothing was ended.
    count: AtomicU64,
    recent: RwLock<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    /// In order, with their numbers.
    all: VecDeque<(u64, Ended)>,
    /// The number of the newest of each.
    newest: HashMap<Ended, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Ended {
    /// All sessions of a user: disabled, removed, or with another password.
    User(AuthRealm, Username),
    /// One session: its user has logged out.
    Session(Sid),
}

/// A moment: how many endings there had been. It is taken before a request is judged, so that an ending amid that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(u64);

impl Endings {
    /// Now.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment(self.count.load(Ordering::Acquire))
    }

    /// All sessions of a user have been ended.
    pub(crate) fn add_user(&self, realm: &AuthRealm, user: &Username) {
        self.add(Ended::User(realm.clone(), user.clone()));
    }

    /// A session has been ended.
    pub(crate) fn add_session(&self, session: &Sid) {
        self.add(Ended::Session(session.clone()));
    }

    fn add(&self, ended: Ended) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        let number = self.count.load(Ordering::Relaxed).saturating_add(1);
        if recent.all.len() >= KEPT
            && let Some((oldest, forgotten)) = recent.all.pop_front()
            && recent.newest.get(&forgotten) == Some(&oldest)
        {
            recent.newest.remove(&forgotten);
        }
        recent.newest.insert(ended.clone(), number);
        recent.all.push_back((number, ended));
        self.count.store(number, Ordering::Release);
    }

    /// Whether a user's sessions, or the one of these, were ended since a moment, or may have been. If not, the moment becomes now.
    #[must_use]
    pub(crate) fn has_ended(
        &self,
        (realm, user): (&AuthRealm, &Username),
        session: Option<&Sid>,
        since: &mut Moment,
    ) -> bool {
        let now = self.now();
        if now == *since {
            return false;
        }
        let user = Ended::User(realm.clone(), user.clone());
        let session = session.map(|session| Ended::Session(session.clone()));
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let forgotten = recent.all.front().is_none_or(|(oldest, _)| *oldest > since.0.saturating_add(1));
        let is_newer = |ended: &Ended| recent.newest.get(ended).is_some_and(|number| *number > since.0);
        if forgotten || is_newer(&user) || session.as_ref().is_some_and(is_newer) {
            return true;
        }
        *since = now;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tagai_core::algorithm::Algorithm;
    use tagai_core::realm::{AuthScope, RealmName};

    fn realm(name: &str) -> AuthRealm {
        AuthRealm {
            algorithm: Algorithm::EcP256Sha256,
            auth_scope: AuthScope::parse("example.com").unwrap(),
            name: RealmName::new(name).unwrap(),
        }
    }

    fn named(name: &str) -> Username {
        Username::prepare(name).unwrap()
    }

    #[test]
    fn a_user_is_ended_since_then_and_nobody_else_is() {
        let (endings, staff, guests) = (Endings::default(), realm("Staff"), realm("Guests"));
        let (alice, bob) = (named("alice"), named("bob"));
        let began = endings.now();
        assert!(!endings.has_ended((&staff, &alice), None, &mut began.clone()));
        endings.add_user(&staff, &alice);
        let mut bobs = began;
        assert!(!endings.has_ended((&staff, &bob), None, &mut bobs), "nobody ended him");
        assert_eq!(bobs, endings.now());
        let mut alices = began;
        assert!(endings.has_ended((&staff, &alice), None, &mut alices));
        assert!(endings.has_ended((&staff, &alice), None, &mut alices), "it stays so");
        assert!(!endings.has_ended((&guests, &alice), None, &mut began.clone()), "of another realm");
        assert!(!endings.has_ended((&staff, &alice), None, &mut endings.now()), "what began afterwards");
    }

    #[test]
    fn a_session_is_ended_and_no_other_of_the_same_user() {
        let (endings, staff, alice) = (Endings::default(), realm("Staff"), named("alice"));
        let [one, other] = [[1; 16], [2; 16]].map(|octets| Sid::from_octets(&octets).unwrap());
        let began = endings.now();
        endings.add_session(&one);
        assert!(endings.has_ended((&staff, &alice), Some(&one), &mut began.clone()));
        assert!(!endings.has_ended((&staff, &alice), Some(&other), &mut began.clone()));
        assert!(!endings.has_ended((&staff, &alice), None, &mut began.clone()), "proven without a session");
    }

    #[test]
    fn whoever_may_have_been_forgotten_is_ended() {
        let (endings, staff, alice, bob) = (Endings::default(), realm("Staff"), named("alice"), named("bob"));
        endings.add_user(&staff, &alice);
        let since = endings.now();
        for _ in 0..KEPT {
            endings.add_user(&staff, &bob);
        }
        assert!(!endings.has_ended((&staff, &alice), None, &mut since.clone()), "all since then are remembered");
        endings.add_user(&staff, &bob);
        assert!(endings.has_ended((&staff, &alice), None, &mut since.clone()), "one is not");
        let recent = endings.recent.read().unwrap();
        assert_eq!((recent.all.len(), recent.newest.len()), (KEPT, 1));
    }
}
