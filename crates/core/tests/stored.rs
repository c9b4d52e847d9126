//! Sessions that leave memory and come back: the server's to a store, the client's to a file.

mod support;

use proptest::prelude::*;
use support::pair::{Pair, config, origin, realm};
use tagai_core::algorithm::Algorithm;
use tagai_core::client::{Client, Fatal, StoredSession};
use tagai_core::message::Role;
use tagai_core::server::{Fault, Server, ServerConfig, Session, SessionState};
use tagai_core::validation::{Channel, EndPoint};

/// Every session of the site goes through octets.
fn store_and_load(pair: &mut Pair) {
    let sessions = std::mem::take(&mut pair.site.sessions);
    for (sid, session) in sessions {
        let octets = session.expose_octets();
        let loaded = pair.site.server.session_from_octets(&octets).expect("what was written is read");
        assert_eq!(*loaded.expose_octets(), *octets);
        assert_eq!(
            (loaded.state(), loaded.expires(), loaded.claimed_user()),
            (session.state(), session.expires(), session.claimed_user())
        );
        pair.site.sessions.insert(sid, loaded);
    }
}

fn only(sessions: Vec<StoredSession>) -> StoredSession {
    let [session] = <[StoredSession; 1]>::try_from(sessions).expect("there is one session");
    session
}

#[test]
fn a_server_goes_on_with_stored_sessions_of_every_algorithm() {
    for algorithm in Algorithm::ALL {
        let realm = realm(algorithm, "http://example.com", "a realm");
        let mut pair = Pair::with(ServerConfig::new(origin("http://example.com"), realm), Channel::Plain);
        pair.log_in();
        for _ in 0..3 {
            store_and_load(&mut pair);
            pair.get("/").succeeded();
            assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"], "{algorithm}");
        }
    }
}

#[test]
fn a_session_is_stored_in_every_state() {
    let mut pair = Pair::new();
    pair.typed = vec![("john", "wrong")];
    pair.get("/").required();
    assert_eq!(pair.site.states(), [SessionState::Rejected]);
    store_and_load(&mut pair);
    pair.typed = vec![("nobody", "secret")];
    pair.get("/").required();
    store_and_load(&mut pair);
    assert_eq!(pair.site.states(), [SessionState::Rejected, SessionState::Rejected]);
    assert!(pair.site.faults.contains(&Fault::UnknownUser), "{:?}", pair.site.faults);
    let ended: Vec<_> = std::mem::take(&mut pair.site.sessions).into_iter().collect();
    pair.site.sessions = ended.into_iter().map(|(sid, session)| (sid, session.end())).collect();
    store_and_load(&mut pair);
    assert_eq!(pair.site.states(), [SessionState::Inactive, SessionState::Inactive]);
}

#[test]
fn the_window_comes_back_with_the_session() {
    let mut pair = Pair::new();
    pair.log_in();
    pair.get("/").succeeded();
    let replayed = pair.sent.last().cloned().flatten();
    store_and_load(&mut pair);
    let again = pair.exchange("/", replayed);
    assert_eq!(again.kind(), "401-STALE");
    assert!(pair.site.faults.contains(&Fault::Replay), "{:?}", pair.site.faults);
}

#[test]
fn a_session_comes_back_on_its_own_server_and_in_its_own_realm_alone() {
    let mut pair = Pair::new();
    pair.log_in();
    let octets = pair.site.sessions.values().next().map(Session::expose_octets).unwrap();
    let own = config();
    let mut rng = pair.rng.clone();
    let mut server = |config| Server::new(config, &mut rng).unwrap();
    assert!(server(own.clone()).session_from_octets(&octets).is_some());
    let elsewhere = |text: &str| ServerConfig::new(origin(text), realm(Algorithm::EcP256Sha256, text, "a realm"));
    for other in [
        elsewhere("http://example.org"),
        elsewhere("http://example.com:8080"),
        ServerConfig::new(own.origin.clone(), realm(Algorithm::EcP256Sha256, "example.com", "a realm")),
        ServerConfig::new(own.origin.clone(), realm(Algorithm::EcP256Sha256, "http://example.com", "another realm")),
        ServerConfig::new(own.origin.clone(), realm(Algorithm::EcP521Sha512, "http://example.com", "a realm")),
        ServerConfig {
            role: Role::Proxy,
            ..ServerConfig::new(own.origin, realm(Algorithm::EcP256Sha256, "example.com", "a realm"))
        },
    ] {
        assert!(server(other.clone()).session_from_octets(&octets).is_none(), "{other:?}");
    }
}

#[test]
fn what_was_cut_or_lengthened_is_no_session() {
    let mut pair = Pair::new();
    pair.log_in();
    let server = pair.site.sessions.values().next().map(Session::expose_octets).unwrap();
    let client = only(pair.client.sessions(pair.now)).expose_octets();
    for length in 0..server.len() {
        assert!(pair.site.server.session_from_octets(&server[..length]).is_none(), "{length}");
    }
    for length in 0..client.len() {
        assert!(StoredSession::from_octets(&client[..length]).is_none(), "{length}");
    }
    assert!(pair.site.server.session_from_octets(&[&server[..], &[0]].concat()).is_none());
    assert!(StoredSession::from_octets(&[&client[..], &[0]].concat()).is_none());
}

#[test]
fn another_client_goes_on_with_a_lease() {
    let mut pair = Pair::new();
    pair.log_in();
    let octets = only(pair.client.sessions(pair.now)).expose_octets();
    let mut stored = StoredSession::from_octets(&octets).unwrap();
    assert_eq!(stored.user().as_str(), "john");
    assert_eq!(stored.realm(), config().realm);
    let leases = [stored.lease(2).unwrap(), stored.lease(2).unwrap()];
    assert!(leases[0].is_same_session(&stored));
    for lease in leases {
        pair.client = Client::new(Role::OriginServer);
        pair.client.restore(lease).unwrap();
        for _ in 0..2 {
            pair.get("/").succeeded();
            assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
        }
        // The lease is used up: the client has no password of its own, so it asks.
        assert!(pair.client.sessions(pair.now).is_empty());
    }
    assert_eq!(pair.site.states(), [SessionState::Authenticated]);
    pair.typed = vec![("john", "secret")];
    pair.get("/").succeeded();
    assert_eq!(pair.site.states().len(), 2);
}

#[test]
fn a_stale_stored_session_asks_the_user() {
    let mut pair = Pair::new();
    pair.log_in();
    let mut stored = only(pair.client.sessions(pair.now));
    pair.client = Client::new(Role::OriginServer);
    pair.client.restore(stored.lease(5).unwrap()).unwrap();
    pair.site.sessions.clear();
    let required = pair.get("/").required();
    assert!(!required.is_optional());
    assert_eq!(pair.take_log(), ["req-VFY-C", "401-STALE"]);
}

#[test]
fn a_stored_session_does_not_go_over_another_certificate() {
    let end_point = |octet| Channel::Certificate(EndPoint::from_hash(&[octet; 32]).unwrap());
    let realm = realm(Algorithm::EcP256Sha256, "https://example.com", "a realm");
    let mut pair = Pair::with(ServerConfig::new(origin("https://example.com"), realm), end_point(1));
    pair.log_in();
    let mut stored = only(pair.client.sessions(pair.now));
    pair.client = Client::new(Role::OriginServer);
    pair.client.restore(stored.lease(5).unwrap()).unwrap();
    let Ok(tagai_core::client::Next::Send(mut sequence)) =
        pair.client.begin(&tagai_core::client::Target { channel: None, ..pair.target("/") }, pair.now)
    else {
        panic!("the session was not used");
    };
    assert_eq!(sequence.send_over(&end_point(2)), Err(Fatal::ChannelChanged));
    assert_eq!(sequence.send_over(&end_point(1)), Ok(()));
}

#[test]
fn leases_end_with_the_numbers_of_the_session() {
    let mut pair = Pair::with(ServerConfig { nc_max: 5, ..config() }, Channel::Plain);
    pair.log_in();
    // Number 1 was used to log in.
    let mut stored = only(pair.client.sessions(pair.now));
    assert!(stored.lease(0).is_none());
    assert!(stored.lease(3).is_some());
    let last = stored.lease(3).unwrap();
    assert!(stored.lease(1).is_none());
    pair.client = Client::new(Role::OriginServer);
    pair.client.restore(last).unwrap();
    pair.get("/").succeeded();
    assert!(pair.client.sessions(pair.now).is_empty());
}

#[test]
fn a_session_is_written_in_one_way() {
    let mut pair = Pair::new();
    pair.log_in();
    let octets = only(pair.client.sessions(pair.now)).expose_octets();
    let at = octets.windows(4).position(|four| four == b"http").expect("the server's origin");
    let replaced = |from: usize, old: usize, new: &[u8]| [&octets[..from], new, &octets[from + old..]].concat();
    assert!(StoredSession::from_octets(&replaced(at, 4, b"http")).is_some());
    assert!(StoredSession::from_octets(&replaced(at, 4, b"HTTP")).is_none());
    let length = octets[at - 1];
    assert!(StoredSession::from_octets(&replaced(at - 1, 1, &[length])).is_some());
    assert!(StoredSession::from_octets(&replaced(at - 1, 1, &[0x80, length])).is_none());

    let session = pair.site.sessions.values().next().expect("a session").expose_octets();
    let longer = [&session[..1], &[0x80], &session[1..]].concat();
    assert!(pair.site.server.session_from_octets(&session).is_some());
    assert!(pair.site.server.session_from_octets(&longer).is_none());
}

proptest! {
    #[test]
    fn arbitrary_octets_are_no_session(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        let pair = Pair::new();
        prop_assert!(pair.site.server.session_from_octets(&octets).is_none());
        prop_assert!(StoredSession::from_octets(&octets).is_none());
    }
}
