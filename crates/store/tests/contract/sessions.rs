//! The life of a session.

use crate::support::*;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tagai_core::message::Sid;
use tagai_core::server::{Session, SessionState, Step};
use tagai_core::time::Time;
use tagai_core::validation::Channel;
use tagai_store::{SessionLimits, SessionStore as _};

fn site<B: Backend>() -> Site<B> {
    Site::new(SessionLimits::default())
}

pub async fn a_login_is_kept_and_serves_many_requests<B: Backend>() {
    let site = site::<B>();
    let mut john = site.established("john", at(0)).await;
    assert_eq!(site.counts().await, (0, 1));
    let sid = john.sid();
    for second in 1..20 {
        assert_eq!(john.get(&site, owner(1), at(second)).await, 200);
        assert_eq!(john.sid(), sid);
    }
    let requests = john.sent.iter().filter(|sent| sent.contains("kc1=")).count();
    assert_eq!(requests, 1, "one key exchange served them all");
    assert_eq!(site.counts().await, (0, 1));
    let state = |session: Option<Session>| (None, session.map(|session| session.state()));
    let state = site.sessions().update(&site.server, &sid, at(20), state).await.unwrap();
    assert_eq!(state, Some(SessionState::Authenticated));
}

pub async fn a_session_of_another_server_is_unknown<B: Backend>() {
    let site = site::<B>();
    let mut john = site.established("john", at(0)).await;
    let waiting = site.half_open("john", owner(1), at(0)).await;
    let other = Site { server: server("http://example.org", 600), store: site.store.clone() };
    for sid in [john.sid(), waiting] {
        assert!(!other.has(&sid, at(1)).await);
        assert!(site.has(&sid, at(1)).await, "it is not lost for its own server");
    }
    assert_eq!(john.get(&site, owner(1), at(2)).await, 200);
    // The same server once more, as after a change of its configuration.
    let again = Site { server: server("http://example.com", 60), store: site.store.clone() };
    assert_eq!(john.get(&again, owner(1), at(3)).await, 200);
}

pub async fn a_replay_ends_the_session<B: Backend>() {
    let site = site::<B>();
    let john = site.established("john", at(0)).await;
    let answer = site.answer(Some(john.last()), owner(2), at(1)).await;
    assert!(answer.stale());
    assert_eq!(site.counts().await, (0, 0));
    assert!(!site.has(&john.sid(), at(1)).await);
}

pub async fn a_rejected_session_stays_half_open<B: Backend>() {
    let site = site::<B>();
    let mut stranger = Browser::new(&site.server, "john", "guess");
    assert_eq!(stranger.get(&site, owner(1), at(0)).await, 401);
    assert_eq!(site.counts().await, (1, 0));
    let again = site.answer(Some(stranger.last()), owner(1), at(1)).await;
    assert!(again.refused() && !again.stale());
    assert_eq!(site.counts().await, (1, 0));
    // Nobody of this name: the session is there as well.
    let mut stranger = Browser::new(&site.server, "nobody", "guess");
    assert_eq!(stranger.get(&site, owner(1), at(1)).await, 401);
    assert_eq!(site.counts().await, (2, 0));
    let answer = site.answer(Some(stranger.last()), owner(1), at(61)).await;
    assert!(answer.stale(), "it waited as long as any half-open one");
}

pub async fn an_ended_session_is_dropped<B: Backend>() {
    let site = site::<B>();
    let waiting = site.half_open("john", owner(1), at(0)).await;
    let logged_in = site.established("john", at(0)).await.sid();
    for (sid, left) in [(waiting, (0, 1)), (logged_in, (0, 0))] {
        let end = |session: Option<Session>| (session.map(Session::end), ());
        site.sessions().update(&site.server, &sid, at(1), end).await.unwrap();
        assert_eq!(site.counts().await, left);
        assert!(!site.has(&sid, at(1)).await);
    }
}

pub async fn a_session_that_is_not_given_back_is_dropped<B: Backend>() {
    let site = site::<B>();
    let sid = site.established("john", at(0)).await.sid();
    let take = |session: Option<Session>| (None, session.is_some());
    assert!(site.sessions().update(&site.server, &sid, at(1), take).await.unwrap());
    assert!(!site.has(&sid, at(1)).await);
    assert_eq!(site.counts().await, (0, 0));
}

pub async fn an_unknown_session_is_none<B: Backend>() {
    let site = site::<B>();
    let waiting = site.half_open("john", owner(1), at(0)).await;
    for octets in [vec![7; 16], vec![7], vec![7; 64], waiting.octets()[..15].to_vec()] {
        let sid = Sid::from_octets(&octets).unwrap();
        assert!(!site.has(&sid, at(0)).await);
    }
    // What is given back for none is ignored, though it is a session.
    let taken = site.sessions().update(&site.server, &waiting, at(0), |session| (None, session)).await.unwrap();
    let other = Sid::from_octets(&[7; 16]).unwrap();
    site.sessions().update(&site.server, &other, at(0), |_| (taken, ())).await.unwrap();
    assert_eq!(site.counts().await, (0, 0));
}

pub async fn a_session_is_over_when_it_says_so<B: Backend>() {
    let site = site::<B>();
    let sid = site.established("john", at(0)).await.sid();
    let before = Time::at(at(600).since_epoch() - Duration::from_nanos(1));
    assert!(site.has(&sid, before).await);
    assert!(!site.has(&sid, at(600)).await, "purged or not");
    assert!(!site.has(&sid, at(599)).await, "and for good");
}

pub async fn a_half_open_session_waits_so_long<B: Backend>() {
    let site = Site::<B>::new(SessionLimits { half_open_time: Duration::from_millis(1_500), ..Default::default() });
    let sid = site.half_open("john", owner(1), at(0)).await;
    let over = Time::at(at(1).since_epoch() + Duration::from_millis(500));
    let before = Time::at(over.since_epoch() - Duration::from_nanos(1));
    assert!(site.has(&sid, before).await);
    assert!(!site.has(&sid, over).await);
    // No longer than the session would live.
    let brief = Site { server: server("http://example.com", 1), store: site.store.clone() };
    let sid = brief.half_open("john", owner(1), at(10)).await;
    assert!(!brief.has(&sid, at(11)).await);
}

pub async fn what_is_over_is_purged<B: Backend>() {
    let site = site::<B>();
    for second in 0..10 {
        site.half_open("john", owner(1), at(second)).await;
    }
    site.established("john", at(0)).await;
    assert_eq!(site.sessions().purge(at(59)).await.unwrap(), 0);
    assert_eq!(site.counts().await, (10, 1));
    assert_eq!(site.sessions().purge(at(64)).await.unwrap(), 5);
    assert_eq!(site.counts().await, (5, 1));
    assert_eq!(site.sessions().purge(at(600)).await.unwrap(), 6);
    assert_eq!(site.counts().await, (0, 0));
    assert_eq!(site.sessions().purge(at(10_000)).await.unwrap(), 0);
}

pub async fn a_users_sessions_are_ended_in_both_classes<B: Backend>() {
    let site = site::<B>();
    let realm = site.server.config().realm.clone();
    add(site.store.users(), &realm, "ann");
    let mut john = site.established("john", at(0)).await;
    let mut ann = site.established("ann", at(0)).await;
    site.established("john", at(0)).await;
    let waiting = site.half_open("john", owner(1), at(0)).await;
    site.half_open("ann", owner(1), at(0)).await;
    let other = Site { server: server("http://example.org", 600), store: site.store.clone() };
    let elsewhere = other.half_open("john", owner(1), at(0)).await;

    assert_eq!(site.sessions().end_user(&realm, &name("John")).await.unwrap(), 0);
    assert_eq!(site.sessions().end_user(&realm, &name("john")).await.unwrap(), 3);
    assert_eq!(site.counts().await, (2, 1));
    assert!(!site.has(&waiting, at(1)).await);
    assert!(other.has(&elsewhere, at(1)).await, "another john");
    assert!(site.answer(Some(john.last()), owner(1), at(1)).await.stale());
    assert_eq!(ann.get(&site, owner(1), at(1)).await, 200);
    // The user can log in again.
    assert_eq!(john.get(&site, owner(1), at(1)).await, 200);
}

pub async fn a_panic_is_the_callers_alone<B: Backend>() {
    let site = site::<B>();
    let mut ann = site.established("john", at(0)).await;
    let john = site.established("john", at(0)).await;
    let sid = john.sid();
    let broken = |session: Option<Session>| -> (Option<Session>, ()) {
        assert!(session.is_none(), "this is what a mistake in a caller looks like");
        (session, ())
    };
    let update = site.sessions().update(&site.server, &sid, at(1), broken);
    let store = AssertUnwindSafe(update);
    let caught = futures_catch(store).await;
    assert!(caught.is_err());
    assert_eq!(ann.get(&site, owner(1), at(1)).await, 200, "others go on");
    site.half_open("john", owner(1), at(1)).await;
    site.sessions().purge(at(1000)).await.unwrap();
    assert_eq!(site.counts().await, (0, 0));
}

/// Awaits a future, and gives its panic.
async fn futures_catch<F: Future>(future: AssertUnwindSafe<F>) -> Result<F::Output, ()> {
    let mut future = std::pin::pin!(future.0);
    std::future::poll_fn(move |context| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(std::task::Poll::Ready(value)) => std::task::Poll::Ready(Ok(value)),
            Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
            Err(_) => std::task::Poll::Ready(Err(())),
        }
    })
    .await
}

/// Makes a session whose sid has the length that the script gives, by the octets of another.
pub async fn a_sid_of_another_length_is_kept<B: Backend>() {
    let site = site::<B>();
    let sid = site.half_open("john", owner(1), at(0)).await;
    let session =
        site.sessions().update(&site.server, &sid, at(0), |session| (None, session)).await.unwrap().unwrap();
    let octets = session.expose_octets();
    let at_sid = octets.windows(16).position(|window| window == sid.octets()).unwrap();
    // Parts have their length in front; a sid of 16 octets becomes one of 15.
    let mut shorter = octets.to_vec();
    shorter.remove(at_sid);
    shorter[at_sid - 1] -= 1;
    let session = site.server.session_from_octets(&shorter).expect("a session");
    let short = session.sid().clone();
    assert_eq!(short.octets(), &sid.octets()[1..]);
    site.sessions().insert(&site.server, session, owner(1), at(0)).await.unwrap();
    assert!(site.has(&short, at(0)).await);
    assert!(!site.has(&sid, at(0)).await);
}

pub async fn a_second_session_of_one_sid_replaces_the_first<B: Backend>() {
    let site = site::<B>();
    let sid = site.half_open("john", owner(1), at(0)).await;
    let session =
        site.sessions().update(&site.server, &sid, at(0), |session| (None, session)).await.unwrap().unwrap();
    let octets = session.expose_octets();
    for from in [1, 2, 2] {
        let session = site.server.session_from_octets(&octets).unwrap();
        site.sessions().insert(&site.server, session, owner(from), at(0)).await.unwrap();
    }
    assert_eq!(site.counts().await, (1, 0));
    assert!(matches!(site.server.receive([], &Channel::Plain).unwrap(), Step::Invite(_)));
    assert!(site.has(&sid, at(0)).await);
}
