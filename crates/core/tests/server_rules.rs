//! The decision procedure of RFC 8120 §11, clause by clause, and what a server must not accept.

mod support;

use base64ct::{Base64, Encoding as _};
use std::time::Duration;
use support::pair::{Access, Pair, Site, Wire, config, credential, origin, realm, spoil};
use tagai_core::algorithm::Algorithm;
use tagai_core::credential::Username;
use tagai_core::message::{MessageError, Role};
use tagai_core::realm::Paths;
use tagai_core::server::{Fault, ServerConfig, SessionState, Step};
use tagai_core::time::Time;
use tagai_core::validation::{Channel, EndPoint, ValidationMethod};

const NOW: Time = Time::at(Duration::from_secs(5_000));

/// A pair that is logged in, with the credentials of its last request.
fn logged_in() -> (Pair, String) {
    let mut pair = Pair::new();
    pair.get("/").succeeded();
    let last = pair.sent.last().cloned().flatten().expect("credentials");
    pair.site.faults.clear();
    pair.take_log();
    (pair, last)
}

fn serve(pair: &mut Pair, credentials: &str) -> Wire {
    pair.site.serve("/", Some(credentials), &Channel::Plain, pair.now)
}

/// The credentials of a next request, unsent.
fn next_credentials(pair: &mut Pair) -> String {
    let next = pair.client.begin(&pair.target("/"), pair.now).unwrap();
    next.run(&mut pair.rng).unwrap().field().unwrap().value
}

fn only_state(pair: &Pair) -> SessionState {
    match pair.site.states()[..] {
        [state] => state,
        ref others => panic!("{others:?}"),
    }
}

#[test]
fn a_normal_request_is_invited() {
    let mut site = Site::new(config(), 1);
    let wire = site.serve("/", None, &Channel::Plain, NOW);
    assert_eq!(wire.status, 401);
    assert_eq!(
        wire.field("WWW-Authenticate"),
        Some(
            "Mutual version=1, algorithm=iso-kam3-ec-p256-sha256, validation=host, \
             auth-scope=\"http://example.com\", realm=\"a realm\", reason=initial"
        )
    );
    // So is one with credentials of another scheme, however odd.
    for other in ["Basic am9objpzZWNyZXQ=", "Bearer abc", "", "Mutualism x=1", "\"\"\"", "Mutua"] {
        assert_eq!(site.serve("/", Some(other), &Channel::Plain, NOW), wire, "{other}");
    }
    assert!(site.faults.iter().all(|fault| *fault == Fault::NoCredentials));
}

#[test]
fn a_resource_that_is_not_protected_ignores_credentials() {
    let (mut pair, last) = logged_in();
    pair.site.access.insert("/".into(), Access::Public);
    assert_eq!(serve(&mut pair, &last).kind(), "normal response");
}

#[test]
fn messages_for_another_realm_get_401_init() {
    let (mut pair, vfy) = logged_in();
    let kex = pair.sent[1].clone().unwrap();
    for message in [vfy, kex] {
        for (from, to) in [
            ("realm=\"a realm\"", "realm=\"other\""),
            ("auth-scope=\"http://example.com\"", "auth-scope=\"example.com\""),
        ] {
            let wire = serve(&mut pair, &message.replace(from, to));
            assert_eq!(wire.kind(), "401-INIT");
            assert!(wire.fields[0].1.contains("reason=initial"), "{to}");
            assert!(matches!(pair.site.faults.last(), Some(Fault::OtherRealm(_))));
        }
    }
    assert_eq!(only_state(&pair), SessionState::Authenticated);
}

#[test]
fn a_validation_method_that_the_connection_does_not_have() {
    let (mut pair, vfy) = logged_in();
    for method in ["tls-server-end-point", "tls-unique", "-tls-exporter.tagai.alt"] {
        let wire = serve(&mut pair, &vfy.replace("validation=host", &format!("validation={method}")));
        assert!(wire.fields[0].1.contains("reason=invalid-parameters"));
        assert!(matches!(pair.site.faults.last(), Some(Fault::Validation { needed: ValidationMethod::Host, .. })));
    }
}

#[test]
fn k_c1_that_is_no_group_element_starts_no_session() {
    let curve = |digits: String| format!("kc1={digits}");
    let modp = |octets: &[u8]| format!("kc1=\"{}\"", Base64::encode_string(octets));
    let q = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF";
    let q = base16ct::mixed::decode_vec(q).expect("hexadecimal digits");
    let mut below_q = q.clone();
    *below_q.last_mut().expect("octets") -= 1;
    let small = |length: usize, value| [vec![0; length - 1], vec![value]].concat();
    let p256 = Algorithm::EcP256Sha256;
    let dl = Algorithm::Dl2048Sha256;
    let cases = [
        (p256, "not on the curve", curve(format!("{}02", "0".repeat(64)))),
        (p256, "above the field", curve("f".repeat(66))),
        (p256, "too short", curve("0".repeat(64))),
        (p256, "too long", curve("0".repeat(68))),
        (p256, "an odd number of digits", curve("0".repeat(65))),
        (p256, "not hexadecimal", curve("x".repeat(66))),
        (p256, "base64", modp(&[0; 33])),
        (p256, "empty", "kc1=\"\"".into()),
        (dl, "0", modp(&small(256, 0))),
        (dl, "1", modp(&small(256, 1))),
        (dl, "q - 1", modp(&below_q)),
        (dl, "q", modp(&q)),
        (dl, "above q", modp(&[0xff; 256])),
        (dl, "too short", modp(&small(255, 2))),
        (dl, "too long", modp(&small(257, 2))),
        (dl, "no padding", modp(&small(256, 2)).replace('=', "").replace("kc1", "kc1=")),
        (dl, "hexadecimal", curve("02".repeat(256))),
    ];
    for (algorithm, what, kc1) in cases {
        let config =
            ServerConfig::new(origin("http://example.com"), realm(algorithm, "http://example.com", "a realm"));
        let mut site = Site::new(config, 1);
        site.add_user("john", "secret");
        for user in ["john", "nobody"] {
            let message = format!(
                "Mutual version=1, algorithm={algorithm}, validation=host, auth-scope=\"http://example.com\", \
                 realm=\"a realm\", user=\"{user}\", {kc1}"
            );
            let wire = site.serve("/", Some(&message), &Channel::Plain, NOW);
            assert_eq!(wire.kind(), "401-INIT", "{what}");
            assert!(wire.fields[0].1.ends_with("reason=invalid-parameters"), "{what}: {wire:?}");
            let fault = site.faults.pop().expect("a fault");
            assert!(
                matches!(fault, Fault::KeyExchange(_) | Fault::Message(MessageError::Param(_))),
                "{what}: {fault}"
            );
        }
        assert!(site.sessions.is_empty());
    }
}

#[test]
fn an_unknown_sid_is_stale() {
    let (mut pair, vfy) = logged_in();
    let sid = vfy.split("sid=").nth(1).unwrap()[..32].to_owned();
    for other in ["00".repeat(16), format!("00{sid}"), sid[2..].to_owned()] {
        let wire = serve(&mut pair, &vfy.replace(&sid, &other));
        assert_eq!(wire.kind(), "401-STALE", "{other}");
        assert_eq!(pair.site.faults.pop(), Some(Fault::NoSession));
    }
    // Hexadecimal digits mean the same in either case; the length counts.
    let wire = serve(&mut pair, &vfy.replace(&sid, &sid.to_uppercase()));
    assert_eq!(pair.site.faults.pop(), Some(Fault::Replay));
    assert_eq!(wire.kind(), "401-STALE");
}

#[test]
fn a_replay_ends_the_session() {
    let (mut pair, vfy) = logged_in();
    assert_eq!(serve(&mut pair, &vfy).kind(), "401-STALE");
    assert_eq!(pair.site.faults, [Fault::Replay]);
    assert_eq!(only_state(&pair), SessionState::Inactive);
    // Not even an honest request gets through any more.
    let honest = next_credentials(&mut pair);
    assert_eq!(serve(&mut pair, &honest).kind(), "401-STALE");
    assert_eq!(pair.site.faults.last(), Some(&Fault::NoSession));
    assert_eq!(pair.site.users_seen.len(), 1);
}

#[test]
fn nonce_numbers_may_come_out_of_order_within_the_window() {
    let (mut pair, _) = logged_in();
    let messages: Vec<_> = (0..300).map(|_| next_credentials(&mut pair)).collect();
    for message in messages[..100].iter().rev() {
        assert_eq!(serve(&mut pair, message).kind(), "200-VFY-S");
    }
    assert_eq!(serve(&mut pair, &messages[299]).kind(), "200-VFY-S");
    // 301 - 128 = 173 is the limit: the 174th is the last that may still come.
    assert!(messages[172].contains("nc=174,") && messages[171].contains("nc=173,"));
    assert_eq!(serve(&mut pair, &messages[172]).kind(), "200-VFY-S");
    assert_eq!(serve(&mut pair, &messages[171]).kind(), "401-STALE");
    assert_eq!(pair.site.faults, [Fault::NcOutsideWindow]);
    assert_eq!(only_state(&pair), SessionState::Inactive);
}

#[test]
fn a_nonce_number_above_nc_max_ends_the_session() {
    let huge = "9".repeat(3_000);
    for nc in ["4294967296", "340282366920938463463374607431768211456", huge.as_str()] {
        let (mut pair, vfy) = logged_in();
        let wire = serve(&mut pair, &vfy.replace("nc=1,", &format!("nc={nc},")));
        assert_eq!(wire.kind(), "401-STALE");
        assert_eq!(pair.site.faults, [Fault::NcOutsideWindow]);
        assert_eq!(only_state(&pair), SessionState::Inactive);
    }
}

#[test]
fn a_wrong_vkc_rejects_a_session_that_was_never_proven() {
    let mut pair = Pair::new();
    pair.between(|site, path, credentials, now| {
        let spoilt = credentials.map(|value| if value.contains("vkc=") { spoil(value) } else { value.to_owned() });
        site.serve(path, spoilt.as_deref(), &Channel::Plain, now)
    });
    pair.get("/").required();
    assert_eq!(only_state(&pair), SessionState::Rejected);
    // The right one comes too late.
    let right = pair.sent.last().cloned().flatten().unwrap();
    let wire = serve(&mut pair, &right);
    assert!(wire.fields[0].1.contains("reason=auth-failed"));
    assert_eq!(pair.site.faults.last(), Some(&Fault::SessionRejected));
    assert!(pair.site.users_seen.is_empty());
}

#[test]
fn a_wrong_vkc_does_not_end_a_session_that_was_proven() {
    let (mut pair, _) = logged_in();
    let good = next_credentials(&mut pair);
    let wire = serve(&mut pair, &spoil(&good));
    assert!(wire.fields[0].1.contains("reason=auth-failed"));
    assert_eq!(only_state(&pair), SessionState::Authenticated);
    // Nor does it use up the nonce number.
    assert_eq!(serve(&mut pair, &good).kind(), "200-VFY-S");
}

#[test]
fn vks_is_sent_only_for_a_right_vkc() {
    let (mut pair, _) = logged_in();
    let good = next_credentials(&mut pair);
    for wire in [serve(&mut pair, &spoil(&good)), serve(&mut pair, &good.replace("nc=2", "nc=3"))] {
        assert_eq!(wire.status, 401);
        assert!(wire.field("Authentication-Info").is_none() && !wire.fields[0].1.contains("vks"));
    }
}

#[test]
fn a_fake_session_is_never_accepted() {
    let mut pair = Pair::new();
    pair.site.users.clear();
    pair.get("/").required();
    assert_eq!(pair.site.faults.last(), Some(&Fault::UnknownUser));
    assert_eq!(pair.site.states(), [SessionState::Rejected]);
}

#[test]
fn a_proof_made_for_another_connection_is_worthless() {
    let https =
        ServerConfig::new(origin("https://example.com"), realm(Algorithm::EcP256Sha256, "example.com", "a realm"));
    let end_point = |octet| Channel::Certificate(EndPoint::from_hash(&[octet; 32]).unwrap());
    let mut pair = Pair::with(https, end_point(1));
    pair.log_in();
    let message = next_credentials(&mut pair);
    let wire = pair.site.serve("/", Some(&message), &end_point(2), pair.now);
    assert_eq!(wire.kind(), "401-INIT");
    assert_eq!(pair.site.faults, [Fault::WrongVkc]);
}

#[test]
fn a_session_of_another_server_or_realm_is_no_session() {
    let (mut pair, vfy) = logged_in();
    let session = pair.site.sessions.pop_first().unwrap().1;
    for config in [
        ServerConfig {
            origin: origin("http://example.com:8080"),
            ..ServerConfig::new(
                origin("http://example.com"),
                realm(Algorithm::EcP256Sha256, "example.com", "a realm"),
            )
        },
        ServerConfig::new(
            origin("http://example.com"),
            realm(Algorithm::EcP256Sha256, "http://example.com", "other"),
        ),
    ] {
        let realm = config.realm.clone();
        let mut other = Site::new(config, 4);
        let message = vfy
            .replace("auth-scope=\"http://example.com\"", &format!("auth-scope=\"{}\"", realm.auth_scope))
            .replace("realm=\"a realm\"", &format!("realm=\"{}\"", realm.name));
        let lines = [message.as_bytes()];
        let Step::NeedSession(request) = other.server.receive(lines, &Channel::Plain).unwrap() else {
            panic!("not a req-VFY-C");
        };
        // A store that hands out a session of somebody else: the session itself refuses.
        let mut first = Pair::new();
        first.get("/").succeeded();
        let foreign = first.site.sessions.pop_first().unwrap().1;
        let (foreign, verdict) = foreign.verify(&request, NOW);
        assert!(matches!(verdict, tagai_core::server::Verdict::Stale(_)));
        assert_eq!(foreign.state(), SessionState::Authenticated);
        assert_eq!(other.serve("/", Some(&message), &Channel::Plain, NOW).kind(), "401-STALE");
    }
    assert_eq!(session.end().state(), SessionState::Inactive);
}

#[test]
fn an_ended_session_is_stale() {
    let (mut pair, _) = logged_in();
    let (sid, session) = pair.site.sessions.pop_first().unwrap();
    assert_eq!(session.claimed_user().map(Username::as_str), Some("john"));
    pair.site.sessions.insert(sid, session.end());
    let message = next_credentials(&mut pair);
    assert_eq!(serve(&mut pair, &message).kind(), "401-STALE");
}

#[test]
fn broken_credentials_are_refused_and_never_optional() {
    let (mut pair, vfy) = logged_in();
    let kex = pair.sent[1].clone().unwrap();
    pair.site.access.insert("/".into(), Access::Optional);
    for (message, from, to) in [
        (&vfy, "version=1", "version=2"),
        (&vfy, "version=1, ", ""),
        (&vfy, "sid=", "sid=0"),
        (&vfy, "sid=", "sid=00, sid="),
        (&vfy, "nc=1", "nc=01"),
        (&vfy, "nc=1", "nc=-1"),
        (&vfy, "nc=1, ", ""),
        (&vfy, "vkc=", "vkc=00"),
        (&vfy, "vkc=", "vks="),
        (&vfy, "vkc=", "kc1=00, vkc="),
        (&vfy, "vkc=", "kc2=00, vkc="),
        (&vfy, "vkc=", "ks1=00, vkc="),
        (&vfy, "algorithm=iso-kam3-ec-p256-sha256", "algorithm=none"),
        (&vfy, "realm=\"a realm\"", "realm=\"a realm"),
        (&vfy, "Mutual ", "Mutual YWJj, "),
        (&kex, "user=\"john\", ", ""),
        (&kex, "user=\"john\"", "user*=UTF-8''john"),
        (&kex, "user=\"john\"", "user*=\"UTF-8''j%C3%B6hn\""),
        (&kex, "user=\"john\"", "user=\"john\", user*=UTF-8''j%C3%B6hn"),
        (&kex, "user=\"john\"", "user*=ISO-8859-1''j%F6hn"),
        (&kex, "user=\"john\"", "user=\"\u{feff}john\""),
        (&kex, "kc1=", "kc1=00, vkc=00, kc3="),
    ] {
        assert!(message.contains(from));
        let wire = serve(&mut pair, &message.replace(from, to));
        assert_eq!(wire.status, 401, "{to}");
        assert!(wire.fields[0].1.ends_with("reason=invalid-parameters"), "{to}");
        assert!(matches!(pair.site.faults.pop(), Some(Fault::Message(_))), "{to}");
    }
    assert_eq!(only_state(&pair), SessionState::Authenticated);
}

#[test]
fn two_credentials_are_refused() {
    let (pair, vfy) = logged_in();
    for lines in [[vfy.as_bytes(), vfy.as_bytes()], [vfy.as_bytes(), b"Basic abc"], [b"Basic abc", vfy.as_bytes()]] {
        let step = pair.site.server.receive(lines, &Channel::Plain).unwrap();
        assert!(
            matches!(step, Step::Refuse(refusal) if *refusal.fault() == Fault::Message(MessageError::TwoMessages))
        );
    }
}

#[test]
fn unknown_parameters_are_ignored() {
    let (mut pair, _) = logged_in();
    let message = next_credentials(&mut pair);
    let wire = serve(&mut pair, &format!("{message}, -mine.example.com=\"x\", unknown=1, path*=junk"));
    assert_eq!(wire.kind(), "200-VFY-S");
}

#[test]
fn quoting_case_and_order_do_not_matter() {
    let (mut pair, _) = logged_in();
    let message = next_credentials(&mut pair);
    let mut params: Vec<_> = message.strip_prefix("Mutual ").unwrap().split(", ").collect();
    params.reverse();
    let quoted: Vec<_> = params
        .iter()
        .map(|param| {
            let (name, value) = param.split_once('=').unwrap();
            format!("{} = \"{}\"", name.to_uppercase(), value.trim_matches('"'))
        })
        .collect();
    let message =
        format!("mUTUAL {}", quoted.join(" ,\t")).replace("iso-kam3", "ISO-kam3").replace("\"host\"", "HOST");
    assert_eq!(serve(&mut pair, &message).kind(), "200-VFY-S");
}

#[test]
fn an_omitted_scope_means_the_single_server_one() {
    let mut pair = Pair::new();
    pair.typed.clear();
    let required = pair.get("/").required();
    let mut sequence = required.supply(credential("john", "secret")).0.run(&mut pair.rng).unwrap();
    let message = sequence.field().unwrap().value.replace("auth-scope=\"http://example.com\", ", "");
    let wire = serve(&mut pair, &message);
    assert_eq!(wire.kind(), "401-KEX-S1");
    assert!(!wire.fields[0].1.contains("auth-scope"), "the same values as those received");
}

#[test]
fn user_names_outside_ascii_travel_as_ext_values() {
    let mut pair = Pair::new();
    pair.site.add_user("René of France", "páss wörd");
    pair.typed = vec![("Rene\u{301} of France", "pa\u{301}ss wörd")];
    assert_eq!(pair.get("/").succeeded().into_body(), "for René of France");
    assert!(pair.sent[1].as_ref().unwrap().contains("user*=UTF-8''Ren%C3%A9%20of%20France,"));
}

#[test]
fn user_names_in_ascii_travel_plain() {
    for (name, on_the_wire) in
        [("Renee of France", "user=\"Renee of France\","), ("a\"b\\c'*=", "user=\"a\\\"b\\\\c'*=\",")]
    {
        let mut pair = Pair::new();
        pair.site.add_user(name, "secret");
        pair.typed = vec![(name, "secret")];
        assert_eq!(pair.get("/").succeeded().into_body(), format!("for {name}"));
        let sent = pair.sent[1].as_ref().unwrap();
        assert!(sent.contains(on_the_wire) && !sent.contains("user*"), "{sent}");
    }
}

#[test]
fn no_string_begins_with_a_byte_order_mark() {
    use tagai_core::credential::{Password, Username};
    assert!(Username::prepare("\u{feff}john").is_err());
    assert!(Username::prepared("\u{feff}john").is_err());
    assert!(Password::prepare("\u{feff}secret").is_err());
    assert!(tagai_core::realm::RealmName::new("\u{feff}a realm").is_err());
    let (mut pair, vfy) = logged_in();
    let kex = pair.sent[1].clone().unwrap();
    for (message, from, to) in [
        (&vfy, "realm=\"", "realm=\"\u{feff}"),
        (&kex, "auth-scope=\"", "auth-scope=\"\u{feff}"),
        (&kex, "user=\"john\"", "user=\"\u{feff}john\""),
        (&kex, "user=\"john\"", "user*=UTF-8''%EF%BB%BFjohn"),
    ] {
        serve(&mut pair, &message.replace(from, to));
        assert!(matches!(pair.site.faults.pop(), Some(Fault::Message(_))), "{to}");
    }
}

#[test]
fn sids_are_random() {
    let mut pair = Pair::new();
    pair.get("/").succeeded();
    let kex = pair.sent[1].clone().unwrap();
    let mut site = Site::new(config(), 3);
    site.add_user("john", "secret");
    for _ in 0..20 {
        assert_eq!(site.serve("/", Some(&kex), &Channel::Plain, NOW).kind(), "401-KEX-S1");
    }
    let sids: Vec<_> = site.sessions.keys().collect();
    assert_eq!(sids.len(), 20, "no two are the same");
    // No part of it stays the same or counts.
    for at in 0..16 {
        let octets: std::collections::BTreeSet<_> = sids.iter().map(|sid| sid[at]).collect();
        assert!(octets.len() > 10, "octet {at} hardly changes");
    }
}

#[test]
fn a_session_is_bound_to_its_origin_alone_too() {
    // One realm on two ports, and on a proxy of the same name: a store that mixes up their sessions changes nothing.
    let here =
        ServerConfig::new(origin("http://example.com"), realm(Algorithm::EcP256Sha256, "example.com", "a realm"));
    let elsewhere = ServerConfig { origin: origin("http://example.com:8080"), ..here.clone() };
    let proxy = ServerConfig { role: Role::Proxy, ..here.clone() };
    for other in [elsewhere, proxy] {
        let mut pair = Pair::with(here.clone(), Channel::Plain);
        pair.log_in();
        let message = next_credentials(&mut pair);
        let other = Site::new(other, 4);
        let Step::NeedSession(request) = other.server.receive([message.as_bytes()], &Channel::Plain).unwrap() else {
            panic!("not a req-VFY-C");
        };
        let (_, session) = pair.site.sessions.pop_first().unwrap();
        let (session, verdict) = session.verify(&request, pair.now);
        assert!(matches!(verdict, tagai_core::server::Verdict::Stale(_)), "{verdict:?}");
        assert_eq!(session.state(), SessionState::Authenticated);
    }
}

#[test]
fn nonce_number_zero_is_accepted_once() {
    let mut pair = Pair::new();
    // A client that may go no further than 0 begins with it.
    pair.between(|site, path, credentials, now| {
        let mut wire = site.serve(path, credentials, &Channel::Plain, now);
        wire.fields[0].1 = wire.fields[0].1.replace("nc-max=4294967295", "nc-max=0");
        wire
    });
    pair.get("/").succeeded();
    assert_eq!(pair.site.users_seen[0].nc(), 0);
    let sent = pair.sent.last().cloned().flatten().unwrap();
    assert!(sent.contains(", nc=0, "));
    pair.site.faults.clear();
    assert_eq!(serve(&mut pair, &sent).kind(), "401-STALE");
    assert_eq!(pair.site.faults, [Fault::Replay]);
}

#[test]
fn a_nonce_number_is_never_wrapped() {
    // 2 plus 2^8, 2^16, 2^32, 2^64 and 2^128: the proof was made for 2.
    for nc in ["258", "65538", "4294967298", "18446744073709551618", "340282366920938463463374607431768211458"] {
        let mut pair = Pair::with(ServerConfig { nc_max: u64::MAX, ..config() }, Channel::Plain);
        pair.log_in();
        let message = next_credentials(&mut pair);
        assert!(message.contains("nc=2,"));
        let wire = serve(&mut pair, &message.replace("nc=2,", &format!("nc={nc},")));
        assert_eq!(wire.status, 401, "{nc}");
        assert_eq!(pair.site.users_seen.len(), 1, "{nc}");
    }
}

#[test]
fn a_proxy_may_list_any_path() {
    let config = ServerConfig {
        role: Role::Proxy,
        paths: Some(Paths::parse("http://elsewhere.example.org/ https://example.net/a")),
        ..ServerConfig::new(
            origin("http://proxy.example.com:3128"),
            realm(Algorithm::EcP256Sha256, "proxy.example.com", "a realm"),
        )
    };
    let mut pair = Pair::with(config, Channel::Plain);
    pair.get("/").succeeded();
    assert!(pair.received[1].fields[0].1.ends_with("path=\"http://elsewhere.example.org/ https://example.net/a\""));
}

#[test]
fn an_exchange_that_comes_out_trivial_is_rejected() {
    use p256::elliptic_curve::ops::Reduce as _;
    use p256::elliptic_curve::sec1::ToSec1Point as _;
    use sha2::Digest as _;
    // OCTETS(P(p)) = 2x + (y mod 2), in 33 octets.
    let octets = |point: p256::ProjectivePoint| {
        let point = point.to_affine().to_sec1_point(false);
        let mut octets = [&[0], &point.as_bytes()[1..33]].concat();
        let mut carry = point.as_bytes()[64] & 1;
        for octet in octets.iter_mut().rev() {
            (*octet, carry) = (*octet << 1 | carry, *octet >> 7);
        }
        octets
    };
    // J = [-t_1]G and K_c1 = G, so that J + [t_1]K_c1 is the point at infinity, whatever S_s1 is.
    let k_c1 = octets(p256::ProjectivePoint::GENERATOR);
    let t_1 = sha2::Sha256::digest([&[1], &k_c1[..]].concat());
    let t_1 = p256::Scalar::reduce(&p256::FieldBytes::from(<[u8; 32]>::from(t_1)));
    let j = octets(-(p256::ProjectivePoint::GENERATOR * t_1));
    let mut site = Site::new(config(), 1);
    site.users
        .insert("john".into(), tagai_core::kam3::J::from_octets(Algorithm::EcP256Sha256, &j).expect("a verifier"));
    let message = format!(
        "Mutual version=1, algorithm=iso-kam3-ec-p256-sha256, validation=host, auth-scope=\"http://example.com\", \
         realm=\"a realm\", user=\"john\", kc1={}",
        base16ct::lower::encode_string(&k_c1)
    );
    let wire = site.serve("/", Some(&message), &Channel::Plain, NOW);
    assert_eq!(wire.kind(), "401-INIT");
    assert!(matches!(site.faults[..], [Fault::KeyExchange(_)]), "{:?}", site.faults);
    assert!(site.sessions.is_empty());
    // The same message is good for any other user.
    site.add_user("john", "secret");
    assert_eq!(site.serve("/", Some(&message), &Channel::Plain, NOW).kind(), "401-KEX-S1");
}

#[test]
fn a_session_of_another_sid_is_no_session() {
    // A store that hands out the wrong session of the right server.
    let mut pair = Pair::new();
    pair.log_in();
    let message = next_credentials(&mut pair);
    let Step::NeedSession(request) = pair.site.server.receive([message.as_bytes()], &Channel::Plain).unwrap() else {
        panic!("not a req-VFY-C");
    };
    pair.site.sessions.clear();
    pair.get("/").succeeded();
    let (_, session) = pair.site.sessions.pop_first().unwrap();
    assert_ne!(session.sid(), request.sid());
    let (session, verdict) = session.verify(&request, pair.now);
    assert!(matches!(verdict, tagai_core::server::Verdict::Stale(_)), "{verdict:?}");
    assert_eq!(session.state(), SessionState::Authenticated);
}
