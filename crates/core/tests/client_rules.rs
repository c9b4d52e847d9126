//! What a client must not accept: RFC 8120 §2.2, §4, §5, §7, §10.1, §17.5. Each test is somebody who lies to it, and each ends
//! without a byte of the response.

mod support;

use base64ct::{Base64, Encoding as _};
use support::pair::{Ended, Pair, Site, Wire, changed, config, origin, realm, replace, spoil};
use tagai_core::algorithm::Algorithm;
use tagai_core::client::Fatal;
use tagai_core::message::MessageError;
use tagai_core::server::ServerConfig;
use tagai_core::validation::{Channel, EndPoint, Exporter, ValidationMethod};

/// A pair that is logged in, and then meets a server that answers everything with `answer`.
fn logged_in_meets(answer: impl Fn(Option<&str>) -> Wire + 'static) -> Ended {
    let mut pair = Pair::new();
    pair.log_in();
    pair.between(move |_, _, credentials, _| answer(credentials));
    pair.get("/")
}

#[test]
fn a_phishing_site_that_says_yes_to_everything() {
    // It plays along as far as anyone can who knows no J, and then serves its page.
    let mut pair = Pair::new();
    let mut phisher = Site::new(config(), 77);
    pair.between(move |_, path, credentials, now| {
        let kind = support::pair::request_kind(credentials);
        if kind == "req-VFY-C" { Wire::new(200, &[]) } else { phisher.serve(path, credentials, &Channel::Plain, now) }
    });
    assert_eq!(pair.get("/").fatal(), Fatal::NotProven { status: 200 });
}

#[test]
fn a_phishing_site_that_makes_up_a_proof() {
    let zeros = "0".repeat(64);
    let mut pair = Pair::new();
    let mut phisher = Site::new(config(), 77);
    pair.between(move |_, path, credentials, now| match support::pair::request_kind(credentials) {
        "req-VFY-C" => {
            let sid = credentials.and_then(|value| value.split("sid=").nth(1)).unwrap();
            let sid = sid.split(',').next().unwrap();
            Wire::new(200, &[("Authentication-Info", &format!("version=1, sid={sid}, vks={zeros}"))])
        }
        _ => phisher.serve(path, credentials, &Channel::Plain, now),
    });
    assert_eq!(pair.get("/").fatal(), Fatal::WrongVks);
}

#[test]
fn a_server_that_does_not_know_the_verifier_is_found_out() {
    // It has guessed another password, and so accepts nobody.
    let mut pair = Pair::new();
    let mut impostor = Site::new(config(), 77);
    impostor.add_user("john", "guess");
    pair.between(move |_, path, credentials, now| impostor.serve(path, credentials, &Channel::Plain, now));
    assert_eq!(*pair.get("/").required().reason(), tagai_core::message::Reason::AuthFailed);
}

#[test]
fn a_relay_to_the_real_server_under_another_name() {
    // The phisher shows the client its own name, and passes everything on to the real server, which sees its own.
    let mut pair = Pair::new();
    pair.origin = origin("http://examp1e.com");
    pair.between(|site, path, credentials, now| {
        let mut wire = site.serve(path, credentials, &Channel::Plain, now);
        for (_, value) in &mut wire.fields {
            *value = value.replace("http://example.com", "http://examp1e.com");
        }
        wire
    });
    // The realm is another one, so the credentials that the client derives are worthless to the real server.
    assert!(matches!(pair.get("/"), Ended::Fatal(_) | Ended::Required(_)));
    assert!(pair.site.users_seen.is_empty());
}

#[test]
fn a_relay_with_a_certificate_of_its_own() {
    // Same host name, another certificate: the proofs are made for different ones.
    let end_point = |octet| Channel::Certificate(EndPoint::from_hash(&[octet; 32]).unwrap());
    let https =
        ServerConfig::new(origin("https://example.com"), realm(Algorithm::EcP256Sha256, "example.com", "a realm"));
    let mut pair = Pair::with(https, end_point(1));
    pair.channel = end_point(2);
    pair.get("/").required();
    assert!(pair.site.users_seen.is_empty());
    assert_eq!(pair.site.faults.last(), Some(&tagai_core::server::Fault::WrongVkc));
}

#[test]
fn a_certificate_that_changes_between_request_and_answer() {
    let end_point = |octet| Channel::Certificate(EndPoint::from_hash(&[octet; 32]).unwrap());
    let https =
        ServerConfig::new(origin("https://example.com"), realm(Algorithm::EcP256Sha256, "example.com", "a realm"));
    let mut pair = Pair::with(https, end_point(1));
    pair.log_in();
    let next = pair.client.begin(&pair.target("/"), pair.now).unwrap();
    pair.channel = end_point(2);
    assert_eq!(pair.go_on("/", next).fatal(), Fatal::ChannelChanged);
}

#[test]
fn a_normal_response_in_the_middle_of_a_sequence() {
    for kind in ["req-KEX-C1", "req-VFY-C"] {
        for status in [200, 302, 401, 404] {
            let fatal = changed(kind, move |wire| *wire = Wire::new(status, &[])).fatal();
            assert_eq!(fatal, Fatal::NotProven { status }, "{kind}");
        }
    }
}

#[test]
fn a_server_error_without_proof_is_not_shown_either() {
    // RFC 8120 §10.1 lets a client accept it, and recommends to ignore its content; this one ignores it whole.
    assert_eq!(changed("req-VFY-C", |wire| *wire = Wire::new(503, &[])).fatal(), Fatal::NotProven { status: 503 });
}

#[test]
fn another_scheme_in_the_middle_of_a_sequence() {
    // "Basic" instead of Mutual once the user has typed a password: nothing goes there.
    let basic = ("WWW-Authenticate", "Basic realm=\"a realm\"");
    for kind in ["req-KEX-C1", "req-VFY-C"] {
        assert_eq!(
            changed(kind, move |wire| *wire = Wire::new(401, &[basic])).fatal(),
            Fatal::NotProven { status: 401 }
        );
    }
}

#[test]
fn another_realm_in_the_middle_of_a_sequence() {
    for kind in ["req-KEX-C1", "req-VFY-C"] {
        let fatal = changed(kind, |wire| {
            *wire = Site::new(
                ServerConfig::new(
                    origin("http://example.com"),
                    realm(Algorithm::EcP256Sha256, "example.com", "other"),
                ),
                5,
            )
            .serve("/", None, &Channel::Plain, Default::default());
        })
        .fatal();
        assert!(matches!(fatal, Fatal::RealmChanged(realm) if realm.name.as_str() == "other"), "{kind}");
    }
}

#[test]
fn terms_that_change_with_k_s1() {
    for (from, to) in [
        ("realm=\"a realm\"", "realm=\"another\""),
        ("auth-scope=\"http://example.com\"", "auth-scope=\"example.com\""),
        ("validation=host", "validation=tls-server-end-point"),
        (", auth-scope=\"http://example.com\"", ""),
    ] {
        assert_eq!(changed("req-KEX-C1", move |wire| replace(wire, from, to)).fatal(), Fatal::TermsChanged, "{to}");
    }
    let longer = changed("req-KEX-C1", |wire| replace(wire, "p256-sha256", "p521-sha512")).fatal();
    assert!(matches!(longer, Fatal::Message(MessageError::Param(_))));
}

#[test]
fn k_s1_that_is_no_group_element() {
    let spoilt = |change: fn(&str) -> String| {
        changed("req-KEX-C1", move |wire| {
            let value = wire.fields[0].1.clone();
            let (before, rest) = value.split_once("ks1=").unwrap();
            let (ks1, after) = rest.split_once(',').unwrap();
            wire.fields[0].1 = format!("{before}ks1={},{after}", change(ks1));
        })
        .fatal()
    };
    // x = 1 and x = 7 have no point on P-256. (x = 0 has one.)
    for (what, change) in [
        ("x = 1", (|ks1: &str| format!("{}02", "0".repeat(ks1.len() - 2))) as fn(&str) -> String),
        ("x = 1, odd", |ks1| format!("{}03", "0".repeat(ks1.len() - 2))),
        ("x = 7", |ks1| format!("{}0e", "0".repeat(ks1.len() - 2))),
        ("above the field", |ks1| "f".repeat(ks1.len())),
    ] {
        assert!(matches!(spoilt(change), Fatal::KeyExchange(_)), "{what}");
    }
    for (what, change) in [
        ("too short", (|ks1: &str| ks1[2..].to_owned()) as fn(&str) -> String),
        ("too long", |ks1| format!("00{ks1}")),
        ("an odd number of digits", |ks1| ks1[1..].to_owned()),
        ("base64", |_| "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"".to_owned()),
        ("empty", |_| "\"\"".to_owned()),
    ] {
        assert!(matches!(spoilt(change), Fatal::Message(MessageError::Param(_))), "{what}");
    }
}

/// The same for the MODP groups, whose values have bounds: 1 < K_s1 < q - 1.
#[test]
fn k_s1_that_is_out_of_range() {
    let q = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF";
    let q = base16ct::mixed::decode_vec(q).expect("hexadecimal digits");
    let mut below = q.clone();
    *below.last_mut().expect("octets") -= 1;
    let small = |value| [vec![0; 255], vec![value]].concat();
    for (what, value) in [("0", small(0)), ("1", small(1)), ("q - 1", below), ("q", q), ("above q", vec![0xff; 256])]
    {
        let config =
            ServerConfig::new(origin("http://example.com"), realm(Algorithm::Dl2048Sha256, "example.com", "a realm"));
        let mut pair = Pair::with(config, Channel::Plain);
        let text = Base64::encode_string(&value);
        pair.between(move |site, path, credentials, now| {
            let mut wire = site.serve(path, credentials, &Channel::Plain, now);
            if let Some((before, rest)) = wire.fields[0].1.clone().split_once("ks1=\"") {
                let (_, after) = rest.split_once('"').expect("a closing quote");
                wire.fields[0].1 = format!("{before}ks1=\"{text}\"{after}");
            }
            wire
        });
        assert!(matches!(pair.get("/").fatal(), Fatal::KeyExchange(_)), "{what}");
    }
}

#[test]
fn a_proof_that_is_wrong_missing_or_of_another_session() {
    assert_eq!(changed("req-VFY-C", |wire| wire.fields[0].1 = spoil(&wire.fields[0].1)).fatal(), Fatal::WrongVks);
    assert_eq!(
        changed("req-VFY-C", |wire| {
            let sid = wire.fields[0].1.split("sid=").nth(1).unwrap()[..32].to_owned();
            replace(wire, &sid, &"00".repeat(16));
        })
        .fatal(),
        Fatal::WrongVks
    );
    assert_eq!(
        changed("req-VFY-C", |wire| {
            let sid = wire.fields[0].1.split("sid=").nth(1).unwrap()[..32].to_owned();
            replace(wire, &sid, &format!("00{sid}"));
        })
        .fatal(),
        Fatal::WrongVks,
        "a sid of another length is another sid"
    );
    for (from, to) in [("version=1", "version=2"), ("vks=", "vkx="), ("sid=", "sidd="), ("version=1, ", "")] {
        let fatal = changed("req-VFY-C", move |wire| replace(wire, from, to)).fatal();
        assert!(matches!(fatal, Fatal::Message(_)), "{to}: {fatal}");
    }
    assert_eq!(changed("req-VFY-C", |wire| wire.fields.clear()).fatal(), Fatal::NotProven { status: 200 });
}

#[test]
fn the_proof_of_an_earlier_request() {
    let mut pair = Pair::new();
    pair.log_in();
    pair.get("/").succeeded();
    let old = pair.received.last().unwrap().clone();
    pair.between(move |_, _, _, _| old.clone());
    assert_eq!(pair.get("/").fatal(), Fatal::WrongVks);
}

#[test]
fn a_proof_in_answer_to_anything_but_req_vfy_c() {
    let proof = format!("version=1, sid=00, vks={}", "0".repeat(64));
    for kind in ["normal request", "req-KEX-C1"] {
        let proof = proof.clone();
        let fatal = changed(kind, move |wire| *wire = Wire::new(200, &[("Authentication-Info", &proof)])).fatal();
        assert!(matches!(fatal, Fatal::Unexpected { message: "200-VFY-S", .. }), "{kind}: {fatal}");
    }
    // What another scheme put there is none of our business.
    let mut pair = Pair::new();
    pair.between(|_, _, _, _| Wire::new(200, &[("Authentication-Info", "nextnonce=\"1\", qop=auth")]));
    pair.get("/").unauthenticated();
}

#[test]
fn a_proof_with_status_401_is_none() {
    let fatal = changed("req-VFY-C", |wire| wire.status = 401).fatal();
    assert!(matches!(fatal, Fatal::Status { status: 401, .. }), "{fatal}");
}

#[test]
fn a_proof_together_with_a_challenge() {
    let fatal = changed("req-VFY-C", |wire| {
        wire.status = 403;
        let init = Pair::new().site.serve("/", None, &Channel::Plain, Default::default());
        wire.fields.extend(init.fields);
    })
    .fatal();
    assert!(matches!(fatal, Fatal::Status { status: 403, .. }), "{fatal}");
}

#[test]
fn messages_in_the_wrong_place() {
    let stale = |wire: &mut Wire| {
        *wire = Pair::new().site.serve("/", None, &Channel::Plain, Default::default());
        replace(wire, "reason=initial", "reason=stale-session");
    };
    for kind in ["normal request", "req-KEX-C1", "req-VFY-C"] {
        let fatal = changed(kind, stale).fatal();
        assert!(matches!(fatal, Fatal::Unexpected { message: "401-STALE", .. }), "{kind}: {fatal}");
    }
    let mut pair = Pair::new();
    pair.get("/").succeeded();
    let kex_s1 = pair.received[1].clone();
    assert_eq!(kex_s1.kind(), "401-KEX-S1");
    for kind in ["normal request", "req-VFY-C"] {
        let kex_s1 = kex_s1.clone();
        let fatal = changed(kind, move |wire| *wire = kex_s1.clone()).fatal();
        assert!(matches!(fatal, Fatal::Unexpected { message: "401-KEX-S1", .. }), "{kind}: {fatal}");
    }
}

#[test]
fn a_key_exchange_message_comes_with_401_alone() {
    for status in [200, 403, 407, 500] {
        let fatal = changed("req-KEX-C1", move |wire| wire.status = status).fatal();
        assert!(matches!(fatal, Fatal::Status { .. }), "{status}: {fatal}");
    }
    for status in [200, 302, 500] {
        let fatal = changed("normal request", move |wire| wire.status = status).fatal();
        assert!(matches!(fatal, Fatal::Status { .. }), "{status}: {fatal}");
    }
}

#[test]
fn req_kex_c1_is_sent_once_in_a_sequence() {
    // A server that finds every session stale gets one key exchange, and no more.
    let ended = logged_in_meets(|_| {
        let mut wire = Pair::new().site.serve("/", None, &Channel::Plain, Default::default());
        replace(&mut wire, "reason=initial", "reason=stale-session");
        wire
    });
    assert!(matches!(ended.fatal(), Fatal::Unexpected { message: "401-STALE", request: "req-KEX-C1" }));
    let mut pair = Pair::new();
    pair.log_in();
    pair.between(|site, path, credentials, now| {
        site.sessions.clear();
        site.serve(path, credentials, &Channel::Plain, now)
    });
    assert!(matches!(pair.get("/").fatal(), Fatal::Unexpected { message: "401-STALE", .. }));
    assert_eq!(pair.log.iter().filter(|kind| **kind == "req-KEX-C1").count(), 1);
}

#[test]
fn a_stale_session_is_not_used_again() {
    let mut pair = Pair::new();
    pair.log_in();
    pair.between(|_, _, _, _| Wire::new(401, &[]));
    pair.get("/").unauthenticated();
    pair.middle = None;
    pair.take_log();
    // Any 401 in answer to req-VFY-C ends the session (RFC 8120 §10.1).
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"]);
}

#[test]
fn validation_weaker_than_the_transport_allows() {
    let https =
        || ServerConfig::new(origin("https://example.com"), realm(Algorithm::EcP256Sha256, "example.com", "a realm"));
    let certificate = Channel::Certificate(EndPoint::from_hash(&[1; 32]).unwrap());
    let exporter = Channel::Exporter(Exporter([1; 32]));
    for (channel, needed, offered) in [
        (certificate.clone(), "tls-server-end-point", "host"),
        (certificate.clone(), "tls-server-end-point", "tls-unique"),
        (certificate, "tls-server-end-point", "-tls-exporter.tagai.alt"),
        (exporter.clone(), "-tls-exporter.tagai.alt", "host"),
        (exporter, "-tls-exporter.tagai.alt", "tls-unique"),
    ] {
        let server_channel = channel.clone();
        let mut pair = Pair::with(https(), channel);
        pair.between(move |site, path, credentials, now| {
            let mut wire = site.serve(path, credentials, &server_channel, now);
            replace(&mut wire, needed, offered);
            wire
        });
        let fatal = pair.get("/").fatal();
        assert!(matches!(fatal, Fatal::Validation { found, .. } if found.as_str() == offered), "{offered}: {fatal}");
    }
    let fatal = changed("normal request", |wire| replace(wire, "validation=host", "validation=tls-unique")).fatal();
    assert_eq!(fatal, Fatal::Validation { found: ValidationMethod::TlsUnique, needed: ValidationMethod::Host });
}

#[test]
fn an_origin_and_a_channel_that_contradict_each_other() {
    let mut pair = Pair::new();
    pair.origin = origin("https://example.com");
    assert!(pair.client.begin(&pair.target("/"), pair.now).is_err());
    pair.knows_channel = false;
    assert!(matches!(pair.get("/").fatal(), Fatal::ChannelMismatch(_)));
}

#[test]
fn messages_that_are_broken() {
    for (from, to) in [
        ("version=1", "version=2"),
        ("version=1, ", ""),
        ("algorithm=iso-kam3-ec-p256-sha256", "algorithm=iso-kam3-ec-p384-sha384"),
        ("algorithm=iso-kam3-ec-p256-sha256, ", ""),
        ("validation=host", "validation=none"),
        ("validation=host, ", ""),
        ("auth-scope=\"http://example.com\"", "auth-scope=\"http://example.com:80\""),
        ("realm=\"a realm\"", "realm=\"\""),
        ("realm=\"a realm\"", "realm*=UTF-8''%C3%A9"),
        (", reason=initial", ""),
        ("reason=initial", "reason=\"not a token\""),
        ("reason=initial", "reason=initial, reason=initial"),
        ("reason=initial", "reason=initial, ks1=00"),
        ("reason=initial", "reason=initial, kc1=00"),
        ("reason=initial", "reason=initial, vks=00"),
        ("Mutual ", "Mutual abcd==, Mutual "),
        ("Mutual ", "Mutual version=1, Mutual "),
        ("Mutual ", "\"Mutual "),
    ] {
        let fatal = changed("normal request", move |wire| replace(wire, from, to)).fatal();
        assert!(matches!(fatal, Fatal::Message(_)), "{to}: {fatal}");
    }
}

#[test]
fn two_mutual_challenges_in_two_lines() {
    let fatal = changed("normal request", |wire| wire.fields.push(wire.fields[0].clone())).fatal();
    assert_eq!(fatal, Fatal::Message(MessageError::TwoMessages));
}

#[test]
fn other_schemes_beside_mutual_are_left_alone() {
    let mut pair = Pair::new();
    pair.between(|site, path, credentials, now| {
        let mut wire = site.serve(path, credentials, &Channel::Plain, now);
        if wire.status == 401 {
            wire.fields[0].1 = format!("Basic realm=\"x, y\", {}, Negotiate, NTLM TlRM==", wire.fields[0].1);
            wire.fields.insert(0, ("www-authenticate".into(), "Digest realm=\"d\", nonce=\"n\"".into()));
        }
        wire
    });
    pair.get("/").succeeded();
}

#[test]
fn nothing_that_the_server_sends_makes_the_client_send_a_password() {
    let mut pair = Pair::new();
    pair.get("/").succeeded();
    for sent in pair.sent.iter().flatten() {
        assert!(sent.starts_with("Mutual ") && !sent.contains("secret"));
    }
}

#[test]
fn unknown_parameters_of_a_server_are_ignored() {
    let mut pair = Pair::new();
    pair.between(|site, path, credentials, now| {
        let mut wire = site.serve(path, credentials, &Channel::Plain, now);
        for (_, value) in &mut wire.fields {
            value.push_str(", -mine.example.com=\"x\", unknown*=junk, kc=1, user=\"y\"");
        }
        wire
    });
    pair.get("/").succeeded();
    assert!(pair.received.iter().all(|wire| wire.fields[0].1.contains("unknown*=junk")));
}

#[test]
fn a_proof_with_parameters_of_other_messages() {
    for more in ["kc1=00", "kc12=00", "vkc=00", "ks1=00", "ks2=00", "reason=initial"] {
        let fatal = changed("req-VFY-C", move |wire| wire.fields[0].1.push_str(&format!(", {more}"))).fatal();
        assert!(matches!(fatal, Fatal::Message(MessageError::Exclusive(_))), "{more}: {fatal}");
    }
}

#[test]
fn a_key_exchange_message_without_one_of_its_parameters() {
    for (from, to) in [
        ("version=", "versiom="),
        ("algorithm=", "algorithn="),
        ("validation=", "validatiom="),
        ("realm=", "realn="),
        ("sid=", "sie="),
        ("ks1=", "ksx="),
        ("nc-max=", "nc-may="),
        ("nc-window=", "nc-windox="),
        ("time=", "timf="),
        ("nc-max=", "nc-max=0"),
        ("time=", "time=-"),
        ("sid=", "sid=0"),
    ] {
        let fatal = changed("req-KEX-C1", move |wire| replace(wire, from, to)).fatal();
        assert!(matches!(fatal, Fatal::Message(_)), "{to}: {fatal}");
    }
}

#[test]
fn terms_that_change_with_401_stale() {
    for (from, to) in [
        ("realm=\"a realm\"", "realm=\"another\""),
        ("auth-scope=\"http://example.com\"", "auth-scope=\"example.com\""),
        ("p256-sha256", "p521-sha512"),
    ] {
        let ended = logged_in_meets(move |_| {
            let mut wire = Pair::new().site.serve("/", None, &Channel::Plain, Default::default());
            replace(&mut wire, "reason=initial", "reason=stale-session");
            replace(&mut wire, from, to);
            wire
        });
        assert_eq!(ended.fatal(), Fatal::TermsChanged, "{to}");
    }
}

/// RFC 8120 section 7: "Clients MUST validate this parameter upon receipt of 401-INIT messages", whatever they answer.
#[test]
fn validation_is_checked_in_every_challenge() {
    let asking = |reason: &str| {
        let mut wire = Pair::new().site.serve("/", None, &Channel::Plain, Default::default());
        replace(&mut wire, "reason=initial", reason);
        replace(&mut wire, "validation=host", "validation=tls-server-end-point");
        wire
    };
    let wrong = Fatal::Validation { found: ValidationMethod::TlsServerEndPoint, needed: ValidationMethod::Host };
    for kind in ["normal request", "req-KEX-C1", "req-VFY-C"] {
        let wire = asking("reason=auth-failed");
        assert_eq!(changed(kind, move |answer| *answer = wire.clone()).fatal(), wrong, "{kind}");
    }
    for reason in ["reason=auth-failed", "reason=stale-session"] {
        assert_eq!(logged_in_meets(move |_| asking(reason)).fatal(), wrong, "{reason}");
    }
}

#[test]
fn a_key_exchange_that_ends_on_another_kind_of_connection() {
    use tagai_core::client::Response;
    let https =
        ServerConfig::new(origin("https://example.com"), realm(Algorithm::EcP256Sha256, "example.com", "a realm"));
    let certificate = Channel::Certificate(EndPoint::from_hash(&[1; 32]).unwrap());
    let mut pair = Pair::with(https, certificate.clone());
    pair.typed.clear();
    let required = pair.get("/").required();
    let next = required.supply(support::pair::credential("john", "secret")).0;
    let mut sequence = next.run(&mut pair.rng).unwrap();
    let wire = pair.exchange("/", sequence.field().map(|field| field.value));
    assert_eq!(wire.kind(), "401-KEX-S1");
    let fields = wire.fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let response = Response::new(401, fields, Channel::Exporter(Exporter([1; 32])), ());
    let fatal = sequence.receive(&mut pair.client, response, pair.now).unwrap_err();
    assert!(matches!(fatal, Fatal::Validation { needed: ValidationMethod::TlsExporter, .. }), "{fatal}");
}
