//! Guessing and floods: whoever does it is slowed, and nobody else is.

use super::support::*;
use std::net::{Ipv4Addr, SocketAddr};
use tagai_client::Error;
use tagai_core::client::{Outcome, Step};

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_has_to_wait_and_who_was_proven_there_has_not() {
    let app = App::start().await;
    let setup = Setup {
        more: "[guessing]\nfailures-per-address = 4\nfailures-per-user = 1000\nrecovery = \"1h\"\n".into(),
        users: vec![("staff", "alice", "correct horse"), ("staff", "bob", "battery staple")],
        ..Setup::default()
    };
    let site = Site::start(app.address, setup).await;
    let url = site.url("http", "/");
    site.client("http").get(&url).await.unwrap();
    let mut connection = site.connect("http").await;
    for attempt in 0..4 {
        let mut guesser = User::new(&site.origin("http"), "bob", &format!("guess {attempt}"));
        let outcome = guesser.ask(&mut connection, "GET", "/", "").await;
        assert!(matches!(outcome, Ok(Outcome::AuthRequired(_))), "{attempt}: {outcome:?}");
    }
    // The right password does not help any more, and what is said does not tell that it is right.
    for password in ["battery staple", "guess"] {
        let mut guesser = User::new(&site.origin("http"), "bob", password);
        let _ = guesser.ask(&mut connection, "GET", "/", "").await;
        let refused = guesser.trace.last().unwrap();
        assert_eq!(refused.status, 429, "{password}");
        assert!(refused.field("retry-after").unwrap().parse::<u64>().unwrap() > 0);
        assert_eq!(refused.field("authentication-info"), None);
    }
    let bob = site.client_of("http", "bob", "battery staple").build().unwrap();
    let error = bob.get(&url).await.unwrap_err();
    assert!(matches!(error, Error::Login(_)), "{error}");
    // Alice, behind the same address, logs in anew as often as she likes.
    for _ in 0..6 {
        assert!(site.client("http").get(&url).await.unwrap().is_proven());
    }
    assert!(logged("too many failed logins: refused").len() >= 2);
    assert!(app.take().iter().all(|seen| seen.field("tagai-user") == Some("alice")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_guessed_at_is_slowed_elsewhere_and_not_at_home() {
    let app = App::start().await;
    let setup = Setup {
        more: "[guessing]\nfailures-per-address = 100\nfailures-per-user = 1\nrecovery = \"1h\"\n\
               [trust]\nproxies = [\"127.0.0.1/32\"]\n"
            .into(),
        ..Setup::default()
    };
    let site = Site::start(app.address, setup).await;
    let delayed = || site.metric("tagai_login_events_total{realm=\"staff\",event=\"delayed\"}").unwrap_or(0);
    let mut connection = site.connect("http").await;
    let home = "X-Forwarded-For: 203.0.113.1\r\n";
    let alice = || User::new(&site.origin("http"), "alice", "correct horse");
    let outcome = alice().ask(&mut connection, "GET", "/", home).await;
    assert!(matches!(outcome, Ok(Outcome::AuthSucceed(_))), "{outcome:?}");
    for guess in 1..=2 {
        let from = format!("X-Forwarded-For: 198.51.100.{guess}\r\n");
        let mut guesser = User::new(&site.origin("http"), "alice", "guess");
        let outcome = guesser.ask(&mut connection, "GET", "/", &from).await;
        assert!(matches!(outcome, Ok(Outcome::AuthRequired(_))), "{outcome:?}");
        assert_eq!(delayed(), guess - 1, "the second guess is held back, from wherever it comes");
    }
    let outcome = alice().ask(&mut connection, "GET", "/", home).await;
    assert!(matches!(outcome, Ok(Outcome::AuthSucceed(_))), "{outcome:?}");
    assert_eq!(delayed(), 1, "alice is not, where she was proven before");
    // Elsewhere she has to wait, and gets in.
    let outcome = alice().ask(&mut connection, "GET", "/", "X-Forwarded-For: 203.0.113.2\r\n").await;
    assert!(matches!(outcome, Ok(Outcome::AuthSucceed(_))), "{outcome:?}");
    assert_eq!(delayed(), 2);
}

/// How many half-open sessions there may be in these tests.
const HALF_OPEN: u32 = 200;

/// A gateway behind a proxy whose word on addresses counts, with its metrics at an address of their own.
async fn guarded(sessions: &'static str) -> (Site, SocketAddr) {
    let app = App::start().await;
    // An address where nothing else of these tests listens.
    let free = tokio::net::TcpListener::bind("127.0.0.3:0").await.unwrap();
    let admin = free.local_addr().unwrap();
    drop(free);
    let more = format!(
        "[limits]\nhalf-open = {HALF_OPEN}\nhalf-open-per-address = 5\nsessions = 50\n\
         [guessing]\nfailures-per-address = 10000\nfailures-per-user = 1048576\nrecovery = \"1h\"\n\
         [trust]\nproxies = [\"127.0.0.1/32\"]\n[admin]\naddress = \"{admin}\"\n"
    );
    (Site::start(app.address, Setup { more, sessions, ..Setup::default() }).await, admin)
}

/// So many key exchanges that nobody finishes, from so many addresses, over one connection.
async fn flood(port: u16, host: String, exchange: String, exchanges: u32, first: u32, addresses: u32) {
    let mut connection = Connection::plain(port).await;
    for number in 0..exchanges {
        let address = Ipv4Addr::from_bits(0x0b00_0000 + first + number % addresses);
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nAuthorization: {exchange}\r\nX-Forwarded-For: {address}\r\n\r\n"
        );
        connection.send(request).await;
        let answer = connection.response("GET").await;
        assert!(answer.says("ks1="), "{answer:?}");
    }
}

/// `Authorization` of a key exchange, which anybody can send as often as they like.
async fn exchange_of_nobody(site: &Site) -> String {
    let mut connection = site.connect("http").await;
    let mut mallory = User::new(&site.origin("http"), "mallory", "x");
    mallory.begin_login(&mut connection, "/").await.field().unwrap().value
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_half_open_exchanges_ends_no_session() {
    const WORKERS: u32 = 4;
    for (sessions, exchanges) in [("memory", 3_000), ("sqlite", 600)] {
        let (site, admin) = guarded(sessions).await;
        let mut connection = site.connect("http").await;
        let mut alice = User::new(&site.origin("http"), "alice", "correct horse");
        alice.get(&mut connection, "/").await;
        let exchange = exchange_of_nobody(&site).await;
        let mut workers = tokio::task::JoinSet::new();
        for worker in 0..WORKERS {
            let each = exchanges / WORKERS;
            workers.spawn(flood(site.http, alice.host(), exchange.clone(), each, worker * 0x1_0000, each));
        }
        for number in 0..20 {
            alice.trace.clear();
            alice.get(&mut connection, "/").await;
            assert_eq!(alice.trace.len(), 1, "{sessions}: request {number} is of the session that there was");
        }
        while let Some(worker) = workers.join_next().await {
            worker.unwrap();
        }
        alice.trace.clear();
        alice.get(&mut connection, "/").await;
        assert_eq!(alice.trace.len(), 1, "{sessions}: the session is still there");

        let mut operator = Connection::plain_to(admin).await;
        operator.send(format!("GET /metrics HTTP/1.1\r\nHost: {admin}\r\n\r\n")).await;
        let metrics = operator.response("GET").await.text();
        let gauge = |state: &str| metric(&metrics, &format!("tagai_sessions{{state=\"{state}\"}}")).unwrap();
        assert_eq!(gauge("half_open"), u64::from(HALF_OPEN), "{sessions}: as many as there may be");
        assert_eq!(gauge("established"), 1, "{sessions}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_stops_no_login_that_is_under_way() {
    for sessions in ["memory", "sqlite"] {
        let (site, _) = guarded(sessions).await;
        let exchange = exchange_of_nobody(&site).await;
        let host = format!("127.0.0.1:{}", site.http);
        let flood = |exchanges, first, addresses| {
            flood(site.http, host.clone(), exchange.clone(), exchanges, first, addresses)
        };
        // From few addresses: however many exchanges there are, those that have most make room.
        // From many: as long as they are fewer than there may be in all.
        for (round, (exchanges, addresses)) in [(500, 100), (HALF_OPEN - 10, HALF_OPEN - 10)].into_iter().enumerate()
        {
            flood(300, 0, 300).await;
            let mut connection = site.connect("http").await;
            let mut alice = User::new(&site.origin("http"), "alice", "correct horse");
            let proof = alice.exchange(&mut connection, "/").await;
            flood(exchanges, 0x2_0000, addresses).await;
            let judged = alice.step(&mut connection, "/", proof).await;
            assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{sessions}, {round}: {judged:?}");
        }
    }
}
