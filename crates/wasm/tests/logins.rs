//! Whole logins between the engine and a server of tagai-core.

mod support;

use base64ct::{Base64, Encoding as _};
use support::{Access, CONTEXT, PLAIN, REALM, Site, TLS, TLS_REALM, browser, origin, realm, typed, with};
use tagai_core::algorithm::Algorithm;
use tagai_core::control::{AuthControl, Location};
use tagai_core::credential::{Password, Username};
use tagai_core::grammar::Natural;
use tagai_core::kam3::{J, Pi};
use tagai_core::realm::{AuthRealm, RealmName};
use tagai_core::server::ServerConfig;
use tagai_core::validation::{Channel, HostValidation};
use tagai_wasm::{AskReason, AtLogout, EngineError, Present, Received, Send, Sends};

const P256: Algorithm = Algorithm::EcP256Sha256;

fn is_proven(received: &Received) -> bool {
    matches!(received, Received::Proven { .. })
}

fn control(site: &mut Site, control: &AuthControl) {
    site.extra = vec![control.to_field(&RealmName::new("a realm").unwrap())];
}

#[test]
fn a_login_with_each_algorithm_and_one_round_trip_from_then_on() {
    for algorithm in Algorithm::ALL {
        for server in [PLAIN, TLS] {
            let mut browser = browser(algorithm, server);
            let asked = browser.get("/");
            let Received::Asked { reason, optional, username, present, realm, .. } = &asked else {
                panic!("{asked:?}")
            };
            assert_eq!(
                (*reason, *optional, username, present),
                (AskReason::Initial, false, &None, &Present::NonModal)
            );
            assert_eq!((realm.name.as_str(), realm.scope.as_str()), ("a realm", server));
            let Received::Proven { login, at_logout } = browser.supply(&asked, "john", "secret", "/") else {
                panic!("{algorithm}")
            };
            assert_eq!((login.user.as_str(), at_logout), ("john", AtLogout::ReloadIfGet));
            assert_eq!(browser.log, [Sends::Normal, Sends::Kex, Sends::Vfy]);
            browser.log.clear();
            for _ in 0..10 {
                assert!(is_proven(&browser.get("/more")));
            }
            assert_eq!(browser.log, [Sends::Vfy; 10]);
        }
    }
}

#[test]
fn a_wrong_password_is_refused_and_the_right_one_taken_afterwards() {
    for (user, password) in [("john", "wrong"), ("nobody", "secret")] {
        let mut browser = browser(P256, PLAIN);
        let asked = browser.get("/");
        let again = browser.supply(&asked, user, password, "/");
        assert!(matches!(again, Received::Asked { reason: AskReason::Refused, .. }), "{again:?}");
        assert_eq!(browser.users(), [""; 0]);
        // The first question is answered, and there is a new one.
        let Received::Asked { ask, .. } = asked else { panic!() };
        let gone = browser.engine.supply(ask, &typed("john", "secret"), &mut browser.rng);
        assert_eq!(gone, Err(EngineError::Gone { what: "question", id: ask }));
        assert!(is_proven(&browser.supply(&again, "john", "secret", "/")));
    }
}

fn return_to_start(browser: &mut support::Browser) {
    assert!(matches!(browser.get("/"), Received::Asked { reason: AskReason::Initial, .. }));
}

#[test]
fn what_cannot_be_used_leaves_the_question_open() {
    let mut browser = browser(P256, PLAIN);
    let asked = browser.get("/");
    let Received::Asked { ask, .. } = asked else { panic!() };
    for (user, password) in
        [("", "secret"), (" john", "secret"), ("a\u{7}b", "secret"), ("john", ""), ("john", "a\u{0}b")]
    {
        let error = browser.engine.supply(ask, &typed(user, password), &mut browser.rng).unwrap_err();
        assert_eq!(error.name(), "CredentialError", "{user:?} {password:?}");
        assert!(!error.to_json().contains("secret"));
    }
    let long = typed("john", &"x".repeat(5000));
    assert!(matches!(browser.engine.supply(ask, &long, &mut browser.rng), Err(EngineError::Password(_))));
    assert!(is_proven(&browser.supply(&asked, "john", "secret", "/")));
}

#[test]
fn a_server_that_forgot_its_sessions_gets_a_new_one_unseen() {
    let mut browser = browser(P256, PLAIN);
    browser.log_in();
    browser.site.sessions.clear();
    assert!(is_proven(&browser.get("/")));
    assert_eq!(browser.log, [Sends::Vfy, Sends::Kex, Sends::Vfy]);
}

#[test]
fn a_session_whose_time_is_over_is_renewed_before_it_is_used() {
    let mut browser = browser(P256, PLAIN);
    browser.log_in();
    browser.later(601);
    assert!(is_proven(&browser.get("/")));
    assert_eq!(browser.log, [Sends::Kex, Sends::Vfy]);
}

#[test]
fn logout_forgets_and_says_whether_there_was_anything() {
    let mut browser = browser(P256, PLAIN);
    browser.log_in();
    assert_eq!(browser.users(), ["john"]);
    assert!(browser.engine.logout(CONTEXT, REALM).unwrap());
    assert!(!browser.engine.logout(CONTEXT, REALM).unwrap());
    assert_eq!(browser.users(), [""; 0]);
    return_to_start(&mut browser);
}

#[test]
fn a_proof_that_is_under_way_brings_no_login_back() {
    let mut browser = browser(P256, PLAIN);
    browser.log_in();
    let send = browser.begin("/");
    let wire = browser.ask(send, "/");
    browser.engine.logout_all(CONTEXT);
    assert!(is_proven(&browser.receive(send.sequence, &wire)), "this answer was proven");
    assert_eq!(browser.users(), [""; 0]);
}

#[test]
fn contexts_do_not_know_each_other() {
    let mut browser = browser(P256, PLAIN);
    browser.log_in();
    assert_eq!(browser.engine.logins("firefox-private"), []);
    let (now, rng) = (browser.now, &mut browser.rng);
    let send = browser.engine.begin("firefox-private", PLAIN, "/", now, rng).unwrap();
    assert_eq!(send.sends, Sends::Normal);
    browser.engine.logout_all("firefox-private");
    assert_eq!(browser.users(), ["john"]);
}

#[test]
fn a_login_runs_out_when_the_server_said_and_is_told_once() {
    let mut browser = browser(P256, PLAIN);
    assert_eq!(browser.engine.until_expiry(CONTEXT, browser.now), None);
    let seconds = |n: u32| AuthControl { logout_timeout: Some(Natural::from(n)), ..AuthControl::default() };
    control(&mut browser.site, &seconds(30));
    browser.log_in();
    assert_eq!(browser.engine.until_expiry(CONTEXT, browser.now), Some(30_000));
    browser.later(29);
    assert_eq!(browser.engine.expire(CONTEXT, browser.now), []);
    browser.later(1);
    assert_eq!(browser.engine.until_expiry(CONTEXT, browser.now), Some(0));
    // Somebody asks for something else first: what ran out is told all the same.
    assert_eq!(browser.begin("/").sends, Sends::Normal);
    assert_eq!(browser.users(), [""; 0]);
    assert_eq!(browser.engine.until_expiry(CONTEXT, browser.now), Some(0));
    let expired = browser.engine.expire(CONTEXT, browser.now);
    assert_eq!(expired.iter().map(|login| login.user.as_str()).collect::<Vec<_>>(), ["john"]);
    assert_eq!(browser.engine.expire(CONTEXT, browser.now), []);
    assert_eq!(browser.engine.until_expiry(CONTEXT, browser.now), None);
    // No timer of a browser takes so long.
    control(&mut browser.site, &seconds(u32::MAX));
    browser.log_in();
    assert_eq!(browser.engine.until_expiry(CONTEXT, browser.now), Some(0x7fff_ffff));
}

#[test]
fn what_a_server_wishes_is_passed_on() {
    let mut browser = browser(P256, PLAIN);
    let wish = AuthControl {
        location_when_logout: Location::new("/bye").ok(),
        username: Username::prepare("john").ok(),
        ..AuthControl::default()
    };
    control(&mut browser.site, &wish);
    let asked = browser.get("/");
    let Received::Asked { username, .. } = &asked else { panic!() };
    assert_eq!(username.as_deref(), Some("john"));
    let Received::Proven { at_logout, .. } = browser.supply(&asked, "john", "secret", "/") else { panic!() };
    assert_eq!(at_logout, AtLogout::Go("/bye".to_owned()));

    browser.engine.logout_all(CONTEXT);
    let style = Some(tagai_core::control::AuthStyle::Modal);
    let see_other = Location::new("/login").ok();
    for (wish, present) in [
        (AuthControl { auth_style: style, ..AuthControl::default() }, Present::Modal),
        (AuthControl { no_auth: true, ..AuthControl::default() }, Present::DoNotAsk),
        (
            AuthControl { location_when_unauthenticated: see_other, ..AuthControl::default() },
            Present::SeeOther("/login".to_owned()),
        ),
    ] {
        control(&mut browser.site, &wish);
        let Received::Asked { present: found, .. } = browser.get("/") else { panic!() };
        assert_eq!(found, present);
    }
}

#[test]
fn a_page_for_guests_offers_a_login() {
    let mut browser = browser(P256, PLAIN);
    browser.site.access.insert("/".to_owned(), Access::Optional);
    let asked = browser.get("/");
    assert!(matches!(asked, Received::Asked { optional: true, .. }), "{asked:?}");
    assert!(is_proven(&browser.supply(&asked, "john", "secret", "/")));
}

#[test]
fn who_is_expected_where() {
    let mut browser = browser(P256, PLAIN);
    let expects = |browser: &mut support::Browser, context, server| {
        browser.engine.expects(context, server, "/x", browser.now).unwrap().map(|login| login.user)
    };
    assert_eq!(expects(&mut browser, CONTEXT, PLAIN), None);
    browser.log_in();
    assert_eq!(expects(&mut browser, CONTEXT, PLAIN).as_deref(), Some("john"));
    assert_eq!(expects(&mut browser, CONTEXT, "http://example.org"), None);
    assert_eq!(expects(&mut browser, "firefox-private", PLAIN), None);
    assert!(browser.engine.expects(CONTEXT, "about:blank", "/", browser.now).is_err());
}

#[test]
fn a_remembered_login_begins_with_the_key_exchange() {
    for (server, realm) in [(PLAIN, REALM), (TLS, TLS_REALM)] {
        let mut browser = browser(P256, server);
        browser.engine.remember(CONTEXT, server, realm, &typed("john", "secret")).unwrap();
        assert!(is_proven(&browser.get("/")));
        assert_eq!(browser.log, [Sends::Kex, Sends::Vfy]);
    }
    let mut browser = browser(P256, PLAIN);
    let foreign = browser.engine.remember(CONTEXT, "http://example.org", REALM, &typed("john", "secret"));
    assert!(matches!(foreign, Err(EngineError::Fatal(_))), "{foreign:?}");
}

#[test]
fn the_verifier_is_what_the_server_stores() {
    for algorithm in Algorithm::ALL {
        let realm: AuthRealm = realm(algorithm, PLAIN, "a realm");
        let pi = Pi::derive(&realm, &Username::prepare("john").unwrap(), &Password::prepare("secret").unwrap());
        let stored = J::from_pi(algorithm, &pi).unwrap();
        let browser = browser(P256, PLAIN);
        let made = browser.engine.verifier(("a realm", PLAIN, algorithm.as_str()), &typed("john", "secret")).unwrap();
        assert_eq!(made, Base64::encode_string(&stored.expose_octets()));
    }
}

/// Proves `password` by an exchange of its own, up to the proof.
fn prove_anew(browser: &mut support::Browser, password: &str) -> Send {
    let (typed, now) = (typed("john", password), browser.now);
    let send = browser.engine.begin_as(CONTEXT, PLAIN, "/change", REALM, &typed, now, &mut browser.rng).unwrap();
    assert_eq!(send.sends, Sends::Kex);
    let Received::Continue { next } = browser.send(send, "/change") else { panic!() };
    assert_eq!(next.sends, Sends::Vfy);
    next
}

#[test]
fn a_proof_binds_the_body_of_its_request() {
    let mut browser = browser(P256, PLAIN);
    browser.log_in();
    let before = browser.site.sessions.len();
    let next = prove_anew(&mut browser, "secret");
    assert_eq!(browser.site.sessions.len(), before + 1, "a session of its own");
    let binding = browser.engine.bind(next.sequence, b"a new verifier").unwrap();
    assert_eq!(browser.engine.bind(next.sequence, b"a new verifier").unwrap(), binding, "one proof, one number");
    assert_ne!(browser.engine.bind(next.sequence, b"another").unwrap(), binding);
    assert!(is_proven(&browser.send(next, "/change")));

    let user = browser.site.users_seen.last().unwrap();
    let vh = HostValidation::new(&origin(PLAIN), &Channel::Plain).unwrap();
    let same = |session: &tagai_core::server::Session| {
        let made = session.b_2(user, &vh, b"a new verifier").map(|b| Base64::encode_string(b.expose_octets()));
        made == Some(binding.clone())
    };
    assert_eq!(browser.site.sessions.values().filter(|session| same(session)).count(), 1);
}

#[test]
fn a_wrong_old_password_changes_nothing() {
    let mut browser = browser(P256, PLAIN);
    browser.log_in();
    let next = prove_anew(&mut browser, "wrong");
    let Received::Asked { reason, .. } = browser.send(next, "/change") else { panic!() };
    assert_eq!(reason, AskReason::Refused);
    assert_eq!(browser.users(), ["john"], "still logged in");
    browser.log.clear();
    assert!(is_proven(&browser.get("/")));
    assert_eq!(browser.log, [Sends::Vfy]);
}

#[test]
fn only_a_proof_can_be_bound() {
    let mut browser = browser(P256, PLAIN);
    let normal = browser.begin("/");
    assert_eq!(browser.engine.bind(normal.sequence, b"t"), Err(EngineError::NoProof));
    browser.engine.remember(CONTEXT, PLAIN, REALM, &typed("john", "secret")).unwrap();
    let kex = browser.begin("/");
    assert_eq!(browser.engine.bind(kex.sequence, b"t"), Err(EngineError::NoProof));
    assert!(matches!(browser.engine.bind(4711, b"t"), Err(EngineError::Gone { .. })));
}

#[test]
fn two_realms_are_two_logins() {
    let mut browser = browser(P256, PLAIN);
    browser.log_in();
    let other = ServerConfig::new(origin("http://example.org"), realm(P256, "http://example.org", "another"));
    let mut second = with(other, "http://example.org");
    std::mem::swap(&mut browser.engine, &mut second.engine);
    second.log_in();
    assert_eq!(second.users(), ["john", "john"]);
    assert!(second.engine.logout(CONTEXT, REALM).unwrap());
    assert_eq!(second.engine.logins(CONTEXT)[0].realm.name, "another");
}
