//! One change at a time, whoever asks.

use crate::support::*;
use std::sync::Arc;
use tagai_core::server::Session;
use tagai_store::{SessionLimits, SessionStore as _};
use tokio::task::JoinSet;

/// The statuses of the answers to these credentials, all sent at once.
async fn at_once<B: Backend>(site: &Arc<Site<B>>, credentials: Vec<String>) -> Vec<u16> {
    let mut requests = JoinSet::new();
    for credentials in credentials {
        let site = Arc::clone(site);
        requests.spawn(async move { site.answer(Some(&credentials), owner(1), at(1)).await.status });
    }
    requests.join_all().await
}

pub async fn of_many_requests_with_one_number_one_is_accepted<B: Backend>() {
    let site = Arc::new(Site::<B>::new(SessionLimits::default()));
    for _ in 0..4 {
        // The first proof of a session, and a later one.
        let mut john = Browser::new(&site.server, "john", "secret");
        john.begin(&site, owner(1), at(0)).await;
        let statuses = at_once(&site, vec![john.last().to_owned(); 32]).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(!site.has(&john.sid(), at(1)).await, "the replay ended it");
    }
    assert_eq!(site.counts().await, (0, 0));
}

pub async fn numbers_of_one_session_are_each_accepted_once<B: Backend>() {
    let site = Arc::new(Site::<B>::new(SessionLimits::default()));
    let other = Arc::new(Site::<B>::new(SessionLimits::default()));
    // Requests 2 to 40 of the session, made by a client that was answered elsewhere.
    let mut john = site.established("john", at(0)).await;
    let sid = john.sid();
    let session =
        site.sessions().update(&site.server, &sid, at(0), |session| (None, session)).await.unwrap().unwrap();
    let octets = session.expose_octets();
    let restore = |to: Arc<Site<B>>, octets: Vec<u8>, sid: tagai_core::message::Sid| async move {
        // A session comes in half-open; the first update makes it what it is.
        let session = to.server.session_from_octets(&octets).unwrap();
        to.sessions().insert(&to.server, session, owner(1), at(0)).await.unwrap();
        to.sessions().update(&to.server, &sid, at(0), |session| (session, ())).await.unwrap();
    };
    restore(Arc::clone(&other), octets.to_vec(), sid.clone()).await;
    let before = john.sent.len();
    for _ in 0..39 {
        assert_eq!(john.get(&other, owner(1), at(1)).await, 200);
    }
    restore(Arc::clone(&site), octets.to_vec(), sid.clone()).await;
    assert_eq!(site.counts().await, (0, 1));
    let statuses = at_once(&site, john.sent[before..].to_vec()).await;
    assert_eq!(statuses, vec![200; 39], "in whatever order they came");
    assert!(site.has(&sid, at(1)).await);
}

pub async fn a_dropped_future_leaves_the_store_whole<B: Backend>() {
    let site = Arc::new(Site::<B>::new(SessionLimits::default()));
    let mut john = site.established("john", at(0)).await;
    let sid = john.sid();
    for _ in 0..50 {
        let here = Arc::clone(&site);
        let sid = sid.clone();
        let task = tokio::spawn(async move {
            let keep = |session: Option<Session>| (session, ());
            here.sessions().update(&here.server, &sid, at(1), keep).await
        });
        tokio::task::yield_now().await;
        task.abort();
        let _ = task.await;
    }
    assert_eq!(site.counts().await, (0, 1));
    assert_eq!(john.get(&site, owner(1), at(1)).await, 200);
    assert_eq!(john.sid(), sid);
}
