//! Bounds, and who makes room.

use crate::support::*;
use std::collections::BTreeMap;
use tagai_core::message::Sid;
use tagai_store::{Owner, SessionLimits, SessionStore as _};

async fn there<B: Backend>(site: &Site<B>, sids: &[Sid]) -> Vec<bool> {
    let mut out = Vec::new();
    for sid in sids {
        out.push(site.has(sid, at(10)).await);
    }
    out
}

pub async fn the_oldest_half_open_session_of_an_owner_goes<B: Backend>() {
    let site = Site::<B>::new(SessionLimits { half_open_per_owner: 2, ..Default::default() });
    let mut sids = vec![site.half_open("john", owner(9), at(0)).await];
    for _ in 0..3 {
        sids.push(site.half_open("john", owner(1), at(1)).await);
    }
    assert_eq!(there(&site, &sids).await, [true, false, true, true]);
    // To ask for it does not make it younger.
    sids.push(site.half_open("john", owner(1), at(2)).await);
    assert_eq!(there(&site, &sids).await, [true, false, false, true, true]);
    assert_eq!(site.counts().await, (3, 0));
    // A network of one customer is one owner.
    let v6 = |text: &str| Owner::of(text.parse().unwrap());
    for end in ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:ffff::", "2001:db8:1:3::1"] {
        site.half_open("john", v6(end), at(2)).await;
    }
    assert_eq!(site.counts().await, (6, 0));
}

pub async fn the_owner_with_the_most_makes_room<B: Backend>() {
    let site = Site::<B>::new(SessionLimits { half_open: 5, half_open_per_owner: 4, ..Default::default() });
    let mut sids = Vec::new();
    for from in [1, 2, 2, 2, 3] {
        sids.push(site.half_open("john", owner(from), at(0)).await);
    }
    assert_eq!(there(&site, &sids).await, [true; 5]);
    sids.push(site.half_open("john", owner(4), at(1)).await);
    assert_eq!(there(&site, &sids).await, [true, false, true, true, true, true]);
    // The newcomer itself, if it has the most.
    sids.push(site.half_open("john", owner(2), at(1)).await);
    assert_eq!(there(&site, &sids).await, [true, false, false, true, true, true, true]);
    assert_eq!(site.counts().await, (5, 0));
}

pub async fn among_equals_the_oldest_makes_room<B: Backend>() {
    for honest in [owner(0), owner(255), Owner::of("2001:db8::1".parse().unwrap())] {
        let site = Site::<B>::new(SessionLimits { half_open: 20, half_open_per_owner: 4, ..Default::default() });
        for from in 1..=30 {
            site.half_open("nobody", owner(from), at(0)).await;
        }
        // Whatever the address is, its session stays while fewer than there may be are begun after it.
        let sid = site.half_open("john", honest, at(1)).await;
        for from in 101..=119 {
            site.half_open("nobody", owner(from), at(1)).await;
            assert!(site.has(&sid, at(1)).await, "{honest:?}: after {from}");
        }
        site.half_open("nobody", owner(120), at(1)).await;
        assert!(!site.has(&sid, at(1)).await, "{honest:?}: now it is the oldest");
        assert_eq!(site.counts().await, (20, 0));
    }
}

pub async fn a_flood_does_not_touch_what_is_established<B: Backend>() {
    let limits = SessionLimits { half_open: 8, half_open_per_owner: 3, established: 4, ..Default::default() };
    let site = Site::<B>::new(limits);
    let mut john = site.established("john", at(0)).await;
    let honest = site.half_open("john", owner(200), at(0)).await;
    for flood in 0..60 {
        site.half_open("john", owner(flood % 2), at(0)).await;
    }
    assert_eq!(john.get(&site, owner(1), at(1)).await, 200);
    assert!(site.has(&honest, at(1)).await, "the flood of few owners makes room for itself");
    for flood in 0..60 {
        site.half_open("nobody", owner(flood), at(1)).await;
    }
    assert_eq!(site.counts().await, (8, 1));
    assert_eq!(john.get(&site, owner(1), at(2)).await, 200);
    let logins = john.sent.iter().filter(|sent| sent.contains("kc1=")).count();
    assert_eq!(logins, 1, "in the same session");
}

pub async fn the_least_used_session_of_a_user_goes<B: Backend>() {
    let site = Site::<B>::new(SessionLimits { established_per_user: 2, ..Default::default() });
    let realm = site.server.config().realm.clone();
    add(site.store.users(), &realm, "ann");
    let ann = site.established("ann", at(0)).await;
    let mut first = site.established("john", at(0)).await;
    let second = site.established("john", at(1)).await;
    assert_eq!(first.get(&site, owner(1), at(2)).await, 200);
    let third = site.established("john", at(3)).await;
    let sids = [ann.sid(), first.sid(), second.sid(), third.sid()];
    assert_eq!(there(&site, &sids).await, [true, true, false, true]);
    assert_eq!(site.counts().await, (0, 3));
}

pub async fn the_least_used_session_goes<B: Backend>() {
    let site = Site::<B>::new(SessionLimits { established: 3, ..Default::default() });
    let mut users = Vec::new();
    for second in 0..3 {
        users.push(site.established("john", at(second)).await);
    }
    assert_eq!(users[0].get(&site, owner(1), at(4)).await, 200);
    users.push(site.established("john", at(5)).await);
    let sids: Vec<_> = users.iter().map(Browser::sid).collect();
    assert_eq!(there(&site, &sids).await, [true, false, true, true]);
    assert_eq!(site.counts().await, (0, 3));
}

/// Random steps against a model of who has how many half-open sessions.
pub async fn many_random_steps_keep_the_counts<B: Backend>() {
    let limits = SessionLimits { half_open: 12, half_open_per_owner: 5, established: 6, ..Default::default() };
    let site = Site::<B>::new(limits);
    let mut seed = 11_u64;
    let mut model: Vec<(u8, Sid)> = Vec::new();
    let mut established = 0;
    for _ in 0..120 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (step, from) = ((seed >> 33) % 10, u8::try_from((seed >> 40) % 5).unwrap());
        if step < 7 {
            model.push((from, site.half_open("john", owner(from), at(0)).await));
            let count = |of: u8| model.iter().filter(|(from, _)| *from == of).count();
            let most = (0..5).map(|of| (count(of), of)).max().unwrap();
            if count(from) > limits.half_open_per_owner {
                let oldest = model.iter().position(|(of, _)| *of == from).unwrap();
                model.remove(oldest);
            } else if model.len() > limits.half_open {
                let mut gone = Vec::new();
                for (at_place, (of, sid)) in model.iter().enumerate() {
                    if !site.has(sid, at(0)).await {
                        gone.push((at_place, *of));
                    }
                }
                assert_eq!(gone.len(), 1);
                assert_eq!(count(gone[0].1), most.0, "an owner with the most");
                assert_eq!(model.iter().position(|(of, _)| *of == gone[0].1), Some(gone[0].0), "its oldest");
                model.remove(gone[0].0);
            }
        } else if step < 9 {
            site.established("john", at(0)).await;
            established = (established + 1).min(limits.established);
            // A login is half-open first, and may have made room.
            let mut left = Vec::new();
            for (from, sid) in model {
                if site.has(&sid, at(0)).await {
                    left.push((from, sid));
                }
            }
            model = left;
        } else if !model.is_empty() {
            let (_, sid) = model.remove(usize::try_from(seed >> 50).unwrap() % model.len());
            site.sessions().update(&site.server, &sid, at(0), |_| (None, ())).await.unwrap();
        }
        assert_eq!(site.counts().await, (model.len(), established));
    }
    let mut owners = BTreeMap::new();
    for (from, sid) in &model {
        assert!(site.has(sid, at(0)).await);
        *owners.entry(from).or_insert(0) += 1;
    }
    assert!(owners.values().all(|count| *count <= limits.half_open_per_owner));
}
