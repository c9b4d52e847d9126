//! Every arrow of figures 1 and 2 of RFC 8120, and every arrow of figure 5 that leads to an outcome.

mod support;

use support::pair::{Access, Pair, credential, origin, realm};
use tagai_core::algorithm::Algorithm;
use tagai_core::message::{Reason, Role};
use tagai_core::realm::Paths;
use tagai_core::server::{Fault, ServerConfig, SessionState};
use tagai_core::validation::{Channel, ValidationMethod};

const FIGURE_1: [&str; 6] = ["normal request", "401-INIT", "req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"];

#[test]
fn figure_1_first_access() {
    for algorithm in Algorithm::ALL {
        let config = ServerConfig::new(origin("http://example.com"), realm(algorithm, "example.com", "a realm"));
        let mut pair = Pair::with(config, Channel::Plain);
        let proven = pair.get("/").succeeded();
        assert_eq!(proven.user().as_str(), "john");
        assert_eq!(proven.into_body(), "for john");
        assert_eq!(pair.take_log(), FIGURE_1, "{algorithm}");
        assert_eq!(pair.site.states(), [SessionState::Authenticated]);
    }
}

#[test]
fn figure_2_case_a_the_first_request_is_omitted() {
    let mut pair = Pair::new();
    let realm = pair.site.server.config().realm.clone();
    pair.client.remember(&realm, &pair.origin, ValidationMethod::Host, credential("john", "secret")).unwrap();
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"]);
}

#[test]
fn figure_2_case_b1_the_key_is_available() {
    let mut pair = Pair::new();
    pair.log_in();
    for path in ["/", "/a", "/b?c"] {
        pair.get(path).succeeded();
        assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
    }
    // A fresh nonce number each time.
    let numbers: Vec<_> = pair.site.users_seen.iter().map(|user| user.nc()).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[test]
fn figure_2_case_b2_the_key_has_expired() {
    let mut pair = Pair::new();
    pair.log_in();
    pair.site.sessions.clear();
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "401-STALE", "req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"]);
    assert_eq!(pair.site.faults, [Fault::NoSession]);
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
}

#[test]
fn the_client_renews_a_session_whose_time_is_over() {
    let mut pair = Pair::new();
    pair.log_in();
    pair.wait(599);
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
    pair.wait(1);
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"]);
}

#[test]
fn the_server_ends_a_session_whose_time_is_over() {
    let mut pair = Pair::new();
    pair.log_in();
    pair.between(|site, path, credentials, now| {
        let later = now.after(600u32.into());
        site.serve(path, credentials, &Channel::Plain, later)
    });
    pair.get("/").succeeded();
    assert_eq!(pair.take_log()[..2], ["req-VFY-C", "401-STALE"]);
    assert_eq!(pair.site.faults, [Fault::Expired]);
}

#[test]
fn the_client_stops_at_nc_max() {
    let config = ServerConfig { nc_max: 3, ..support::pair::config() };
    let mut pair = Pair::with(config, Channel::Plain);
    pair.log_in();
    pair.get("/").succeeded();
    pair.get("/").succeeded();
    pair.take_log();
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"]);
    assert_eq!(pair.site.faults, []);
}

#[test]
fn figure_5_steps_5_and_11_nothing_is_protected() {
    let mut pair = Pair::new();
    pair.site.access.insert("/public".into(), Access::Public);
    assert_eq!(pair.get("/public/x").unauthenticated(), "body of 200");
    assert_eq!(pair.take_log(), ["normal request", "normal response"]);
}

#[test]
fn figure_5_steps_6_and_12_nobody_is_known() {
    let mut pair = Pair::new();
    pair.typed.clear();
    let required = pair.get("/").required();
    assert_eq!(pair.take_log(), ["normal request", "401-INIT"]);
    assert_eq!(*required.reason(), Reason::Initial);
    assert_eq!(required.realm().name.as_str(), "a realm");
    assert!(!required.is_optional());
    assert_eq!(required.into_body(), "body of 401");
}

#[test]
fn figure_5_steps_3_and_11_the_area_is_not_protected_any_more() {
    let mut pair = Pair::new();
    pair.log_in();
    pair.site.access.insert("/".into(), Access::Public);
    assert_eq!(pair.get("/").unauthenticated(), "body of 200");
    assert_eq!(pair.take_log(), ["req-VFY-C", "normal response"]);
}

#[test]
fn figure_5_steps_4_and_11_the_same_without_a_session() {
    let mut pair = Pair::new();
    pair.log_in();
    pair.wait(601);
    pair.site.access.insert("/".into(), Access::Public);
    pair.get("/").unauthenticated();
    assert_eq!(pair.take_log(), ["req-KEX-C1", "normal response"]);
}

#[test]
fn figure_5_steps_10_and_13_a_wrong_password() {
    let mut pair = Pair::new();
    pair.typed = vec![("john", "wrong")];
    let required = pair.get("/").required();
    assert_eq!(pair.take_log()[4..], ["req-VFY-C", "401-INIT"]);
    assert_eq!(*required.reason(), Reason::AuthFailed);
    assert_eq!(pair.site.faults.last(), Some(&Fault::WrongVkc));
    assert_eq!(pair.site.states(), [SessionState::Rejected]);
    // The credential is forgotten: the next request begins as if nothing had been.
    assert_eq!(pair.client.logins().count(), 0);
    pair.get("/").required();
    assert_eq!(pair.take_log(), ["normal request", "401-INIT"]);
}

#[test]
fn figure_5_steps_12_and_9_a_second_try() {
    let mut pair = Pair::new();
    pair.typed = vec![("john", "wrong"), ("john", "secret")];
    pair.get("/").succeeded();
    let expected = [&FIGURE_1[..5], &["401-INIT"], &FIGURE_1[2..]].concat();
    assert_eq!(pair.take_log(), expected);
}

#[test]
fn an_unknown_user_is_told_apart_by_nothing() {
    let log_of = |user: &'static str| {
        let mut pair = Pair::new();
        pair.typed = vec![(user, "wrong")];
        let required = pair.get("/").required();
        let sizes: Vec<_> =
            pair.received.iter().map(|wire| (wire.status, wire.field("WWW-Authenticate").map(str::len))).collect();
        (pair.take_log(), required.reason().clone(), sizes, pair.site.faults.pop(), pair.site.states())
    };
    let (known, unknown) = (log_of("john"), log_of("jane"));
    assert_eq!(known.0, unknown.0);
    assert_eq!(known.1, unknown.1);
    assert_eq!(known.2, unknown.2);
    assert_eq!(known.4, unknown.4);
    // The operator does learn it.
    assert_eq!((known.3, unknown.3), (Some(Fault::WrongVkc), Some(Fault::UnknownUser)));
}

#[test]
fn a_user_name_of_any_kind_gets_a_fake_session() {
    let log_of = |user: &str| {
        let mut pair = Pair::new();
        pair.typed.clear();
        let required = pair.get("/").required();
        let mut next = required.supply(credential("john", "secret")).0.run(&mut pair.rng).unwrap();
        let field = next.field().unwrap().value.replace("user=\"john\"", &format!("user=\"{user}\""));
        next.send_over(&Channel::Plain).unwrap();
        pair.exchange("/", Some(field));
        pair.take_log()
    };
    for user in ["", " ", "nobody", "a/b\\\\", "%00", &"x".repeat(5_000)] {
        assert_eq!(log_of(user)[2..], ["req-KEX-C1", "401-KEX-S1"], "{user:?}");
    }
}

#[test]
fn figure_5_steps_3_to_6_another_realm_is_asked_for() {
    let mut pair = Pair::new();
    pair.log_in();
    // Another realm takes over a part of the site.
    let other = ServerConfig::new(pair.origin.clone(), realm(Algorithm::EcP256Sha256, "http://example.com", "other"));
    let mut other = support::pair::Site::new(other, 9);
    other.add_user("jane", "hidden");
    pair.typed = vec![("jane", "hidden")];
    pair.between(move |_, path, credentials, now| other.serve(path, credentials, &Channel::Plain, now));
    let proven = pair.get("/other").succeeded();
    assert_eq!(proven.realm().name.as_str(), "other");
    assert_eq!(proven.user().as_str(), "jane");
    assert_eq!(pair.take_log(), [&["req-VFY-C", "401-INIT"], &FIGURE_1[2..]].concat());
    // From then on the client expects that realm at that place (RFC 8120 §5.1), and step 8 is taken elsewhere.
    pair.get("/other").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
    assert_eq!(pair.client.logins().count(), 2);
}

#[test]
fn figure_5_steps_4_to_6_another_realm_is_asked_for() {
    let mut pair = Pair::new();
    pair.log_in();
    pair.wait(601);
    let other = ServerConfig::new(pair.origin.clone(), realm(Algorithm::EcP256Sha256, "http://example.com", "other"));
    let mut other = support::pair::Site::new(other, 9);
    other.add_user("jane", "hidden");
    pair.typed = vec![("jane", "hidden")];
    pair.between(move |_, path, credentials, now| other.serve(path, credentials, &Channel::Plain, now));
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), [&["req-KEX-C1", "401-INIT"], &FIGURE_1[2..]].concat());
}

#[test]
fn figure_5_steps_7_8_and_14_a_session_is_found_after_401_init() {
    let mut pair =
        Pair::with(ServerConfig { paths: Some(Paths::parse("/staff/")), ..support::pair::config() }, Channel::Plain);
    pair.get("/staff/").succeeded();
    pair.take_log();
    // Outside of the path list nothing is expected, and the session turns out to be good all the same.
    pair.get("/elsewhere").succeeded();
    assert_eq!(pair.take_log(), ["normal request", "401-INIT", "req-VFY-C", "200-VFY-S"]);
    pair.get("/staff/list").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
}

#[test]
fn figure_5_steps_8_and_9_that_session_is_stale() {
    let mut pair =
        Pair::with(ServerConfig { paths: Some(Paths::parse("/staff/")), ..support::pair::config() }, Channel::Plain);
    pair.get("/staff/").succeeded();
    pair.site.sessions.clear();
    pair.take_log();
    pair.get("/elsewhere").succeeded();
    assert_eq!(
        pair.take_log(),
        [
            "normal request",
            "401-INIT",
            "req-VFY-C",
            "401-STALE",
            "req-KEX-C1",
            "401-KEX-S1",
            "req-VFY-C",
            "200-VFY-S"
        ]
    );
}

#[test]
fn figure_5_steps_7_and_9_a_credential_without_a_session() {
    let mut pair =
        Pair::with(ServerConfig { paths: Some(Paths::parse("/staff/")), ..support::pair::config() }, Channel::Plain);
    pair.get("/staff/").succeeded();
    pair.wait(601);
    pair.take_log();
    pair.get("/elsewhere").succeeded();
    assert_eq!(pair.take_log(), FIGURE_1);
}

#[test]
fn figure_5_steps_3_and_13_the_password_was_changed() {
    let mut pair = Pair::new();
    pair.log_in();
    // The server has the session no more, and another verifier.
    pair.site.sessions.clear();
    pair.site.add_user("john", "changed");
    let required = pair.get("/").required();
    assert_eq!(pair.take_log()[4..], ["req-VFY-C", "401-INIT"]);
    assert_eq!(*required.reason(), Reason::AuthFailed);
    assert_eq!(pair.client.logins().count(), 0);
}

#[test]
fn figure_5_steps_3_and_13_the_server_wants_a_new_login() {
    let mut pair = Pair::new();
    pair.log_in();
    pair.between(|site, path, _, now| {
        let mut wire = site.serve(path, None, &Channel::Plain, now);
        wire.fields[0].1 = wire.fields[0].1.replace("reason=initial", "reason=reauth-needed");
        wire
    });
    let required = pair.get("/").required();
    assert_eq!(pair.take_log(), ["req-VFY-C", "401-INIT"]);
    assert_eq!(*required.reason(), Reason::ReauthNeeded);
    assert_eq!(pair.client.logins().count(), 0);
}

#[test]
fn figure_5_steps_4_and_13_note_1() {
    let mut pair = Pair::new();
    pair.log_in();
    pair.wait(601);
    pair.between(|site, path, _, now| site.serve(path, None, &Channel::Plain, now));
    pair.get("/").required();
    assert_eq!(pair.take_log(), ["req-KEX-C1", "401-INIT"]);
}

#[test]
fn a_refusal_for_another_reason_keeps_the_credential() {
    for (reason, status, kept) in [
        ("authz-failed", 403, 1),
        ("authz-failed", 401, 1),
        ("internal-error", 401, 1),
        ("auth-failed", 401, 0),
        ("x", 401, 0),
    ] {
        let mut pair = Pair::new();
        pair.log_in();
        pair.between(move |site, path, _, now| {
            let mut wire = site.serve(path, None, &Channel::Plain, now);
            wire.status = status;
            wire.fields[0].1 = wire.fields[0].1.replace("reason=initial", &format!("reason={reason}"));
            wire
        });
        assert_eq!(pair.get("/").required().reason().as_str(), reason);
        assert_eq!(pair.client.logins().count(), kept, "{reason}");
    }
}

#[test]
fn figure_5_logout_forgets_everything() {
    let mut pair = Pair::new();
    pair.log_in();
    let realm = pair.site.server.config().realm.clone();
    assert!(pair.client.logout(&realm));
    assert_eq!(pair.client.logins().count(), 0);
    pair.get("/").required();
    assert_eq!(pair.take_log(), ["normal request", "401-INIT"]);
    assert!(!pair.client.logout(&realm));
}

#[test]
fn a_logout_is_not_undone_by_a_request_that_was_under_way() {
    let mut pair = Pair::new();
    pair.typed.clear();
    let required = pair.get("/").required();
    let kex = required.supply(credential("john", "secret")).0;
    pair.client.logout_all();
    pair.go_on("/", kex).succeeded();
    assert_eq!(pair.client.logins().count(), 0);
    pair.get("/").required();
}

#[test]
fn figure_5_steps_8_and_13_the_server_wants_a_new_login() {
    let mut pair =
        Pair::with(ServerConfig { paths: Some(Paths::parse("/staff/")), ..support::pair::config() }, Channel::Plain);
    pair.get("/staff/").succeeded();
    pair.take_log();
    pair.between(|site, path, credentials, now| {
        let mut wire = site.serve(path, None, &Channel::Plain, now);
        if credentials.is_some() {
            wire.fields[0].1 = wire.fields[0].1.replace("reason=initial", "reason=reauth-needed");
        }
        wire
    });
    let required = pair.get("/elsewhere").required();
    assert_eq!(pair.take_log(), ["normal request", "401-INIT", "req-VFY-C", "401-INIT"]);
    assert_eq!(*required.reason(), Reason::ReauthNeeded);
    assert_eq!(pair.client.logins().count(), 0);
}

#[test]
fn figure_5_steps_9_and_13_note_1() {
    let mut pair = Pair::new();
    pair.between(|site, path, _, now| site.serve(path, None, &Channel::Plain, now));
    pair.get("/").required();
    assert_eq!(pair.take_log(), ["normal request", "401-INIT", "req-KEX-C1", "401-INIT"]);
    assert_eq!(pair.client.logins().count(), 0);
}

/// The names of the parameters of a field, which has none twice, and the value of one.
fn params_of(value: &str) -> (Vec<String>, impl Fn(&str) -> String) {
    let params = if value.starts_with("Mutual ") {
        tagai_core::grammar::parse_credentials(value.as_bytes()).unwrap().params().clone()
    } else {
        tagai_core::grammar::parse_info([value.as_bytes()], "-").unwrap()
    };
    let names = params.iter().map(|param| param.name().to_owned()).collect();
    (names, move |name: &str| params.get(name).and_then(|param| param.text()).unwrap())
}

#[test]
fn every_message_has_its_parameters_once() {
    const TERMS: [&str; 4] = ["algorithm", "validation", "auth-scope", "realm"];
    for algorithm in Algorithm::ALL {
        let config = ServerConfig::new(origin("http://example.com"), realm(algorithm, "example.com", "a realm"));
        let mut pair = Pair::with(config, Channel::Plain);
        pair.get("/").succeeded();
        // Once more, with a session that the server has forgotten, for 401-STALE.
        pair.site.sessions.clear();
        pair.get("/").succeeded();

        assert_eq!(pair.sent[0], None);
        let sent = |at: usize| pair.sent[at].clone().unwrap();
        let received = |at: usize, status: u16, name: &str| {
            let wire = &pair.received[at];
            assert_eq!((wire.status, wire.fields.len()), (status, 1));
            assert_eq!(wire.fields[0].0, name);
            wire.fields[0].1.clone()
        };
        let challenge = |at| received(at, 401, "WWW-Authenticate");
        let (init, kex_c1, kex_s1, vfy_c) = (challenge(0), sent(1), challenge(1), sent(2));
        let (vfy_s, stale) = (received(2, 200, "Authentication-Info"), challenge(3));
        for (message, more) in [
            (&init, &["reason"][..]),
            (&kex_c1, &["user", "kc1"]),
            (&kex_s1, &["sid", "ks1", "nc-max", "nc-window", "time"]),
            (&vfy_c, &["sid", "nc", "vkc"]),
            (&stale, &["reason"]),
        ] {
            let (names, value) = params_of(message);
            assert_eq!(names, [&["version"], &TERMS[..], more].concat(), "{message}");
            assert_eq!(value("version"), "1");
            for name in TERMS {
                assert_eq!(value(name), params_of(&init).1(name), "{name} of {message}");
            }
        }
        let (names, proof) = params_of(&vfy_s);
        assert_eq!(names, ["version", "sid", "vks"]);
        assert!(vfy_s.starts_with("version=1, "), "no scheme in front");
        for message in [&vfy_c, &vfy_s] {
            assert_eq!(params_of(message).1("sid"), params_of(&kex_s1).1("sid"));
        }
        assert_eq!(proof("version"), "1");

        // The canonical forms of section 3.2: lower-case hexadecimal without quotes, base64 in quotes.
        let hex = matches!(algorithm, Algorithm::EcP256Sha256 | Algorithm::EcP521Sha512);
        for (message, name) in
            [(&kex_c1, "kc1"), (&kex_s1, "ks1"), (&vfy_c, "vkc"), (&vfy_s, "vks"), (&kex_s1, "sid")]
        {
            let raw = message.split(&format!(" {name}=")).nth(1).unwrap().split(',').next().unwrap();
            let lower_hex = raw.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'));
            assert_eq!(lower_hex, hex || name == "sid", "{raw}");
            assert_eq!(raw.starts_with('"') && raw.ends_with('"'), !lower_hex, "{raw}");
        }
        assert!(kex_s1.ends_with(", nc-max=4294967295, nc-window=128, time=600"), "{kex_s1}");
        assert!(init.contains(", realm=\"a realm\", "), "{init}");
    }
}

#[test]
fn a_token_in_capitals_makes_the_same_pi() {
    let mut pair = Pair::new();
    pair.between(|site, path, credentials, now| {
        let mut wire = site.serve(path, credentials, &Channel::Plain, now);
        wire.fields[0].1 = wire.fields[0].1.replace("iso-kam3-ec-p256-sha256", "ISO-KAM3-EC-P256-SHA256");
        wire
    });
    pair.get("/").succeeded();
    assert!(pair.received[0].fields[0].1.contains("ISO-KAM3"));
    assert!(pair.sent[1].as_ref().unwrap().contains("algorithm=iso-kam3-ec-p256-sha256,"));
}

#[test]
fn a_proxy_covers_all_that_goes_through_it() {
    let config = ServerConfig {
        role: Role::Proxy,
        paths: Some(Paths::parse("http://elsewhere.example.org/ /a/")),
        ..ServerConfig::new(
            origin("http://proxy.example.com:3128"),
            realm(Algorithm::EcP256Sha256, "proxy.example.com", "the way out"),
        )
    };
    let mut pair = Pair::with(config, Channel::Plain);
    pair.log_in();
    for path in ["/a/", "/b", "/"] {
        pair.get(path).succeeded();
        assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"], "{path}");
    }
}

#[test]
fn a_forgotten_credential_is_not_brought_back_by_a_request_that_was_under_way() {
    use tagai_core::client::{Outcome, Response, Step};
    let mut pair = Pair::new();
    pair.log_in();
    let mut early = pair.client.begin(&pair.target("/"), pair.now).unwrap().run(&mut pair.rng).unwrap();
    let wire = pair.exchange("/", early.field().map(|field| field.value));
    // While its answer is on the way, another one refuses the credential (step 13).
    pair.typed.clear();
    pair.between(|site, path, _, now| {
        let mut wire = site.serve(path, None, &Channel::Plain, now);
        wire.fields[0].1 = wire.fields[0].1.replace("reason=initial", "reason=auth-failed");
        wire
    });
    pair.get("/").required();
    assert_eq!(pair.client.logins().count(), 0);
    let fields = wire.fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let response = Response::new(wire.status, fields, Channel::Plain, ());
    let step = early.receive(&mut pair.client, response, pair.now).unwrap();
    assert!(matches!(step, Step::Done(Outcome::AuthSucceed(_))), "{step:?}");
    assert_eq!(pair.client.logins().count(), 0);
}
