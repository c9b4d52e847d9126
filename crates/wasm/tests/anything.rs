//! Whatever comes, the engine answers: a panic would be the end of every login.

mod support;

use proptest::prelude::*;
use support::{Browser, CERTIFICATE, CONTEXT, PLAIN, REALM, TLS, TLS_REALM, browser, typed};
use tagai_core::algorithm::Algorithm;
use tagai_wasm::{Head, Received, Send, Sends};

/// Field values of the protocol, with something wrong in them now and then.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "Mutual ",
        "version=1",
        "algorithm=iso-kam3-ec-p256-sha256",
        "validation=host",
        "validation=tls-server-end-point",
        "auth-scope=\"http://example.com\"",
        "auth-scope=\"*.com\"",
        "realm=\"a realm\"",
        "reason=initial",
        "reason=stale-session",
        "sid=abcdef",
        "ks1=00",
        "ks1=ffff",
        "nc-max=1",
        "nc-window=128",
        "time=60",
        "vks=00",
        "logout-timeout=0",
        "auth-style=modal",
        "no-auth=true",
        "location-when-logout=\"/x\"",
        "username=\"john\"",
        "path=\"/\"",
        "Basic ",
        "\"",
        ", ",
        ", ",
        ", ",
        "\\",
        "=",
    ]);
    prop_oneof![
        3 => prop::collection::vec(words, 0..14).prop_map(|words| words.concat().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ]
}

type Parts = (u16, Vec<(String, Vec<u8>)>, Option<Vec<u8>>);

fn head() -> impl Strategy<Value = Parts> {
    let name = prop::sample::select(vec![
        "WWW-Authenticate",
        "Authentication-Info",
        "Optional-WWW-Authenticate",
        "Authentication-Control",
        "Age",
    ]);
    let status = prop_oneof![3 => Just(401u16), 3 => Just(200), 1 => any::<u16>()];
    let certificate = prop_oneof![
        2 => Just(None),
        2 => Just(Some(CERTIFICATE.to_vec())),
        1 => prop::collection::vec(any::<u8>(), 0..90).prop_map(Some),
    ];
    let fields = prop::collection::vec((name.prop_map(str::to_owned), value()), 0..4);
    (status, fields, certificate)
}

/// A sequence in each of its states, in a browser of its own.
fn states(server: &'static str) -> Vec<(Browser, Send)> {
    let realm = if server == PLAIN { REALM } else { TLS_REALM };
    [Sends::Normal, Sends::Kex, Sends::Vfy]
        .into_iter()
        .map(|wanted| {
            let mut browser = browser(Algorithm::EcP256Sha256, server);
            match wanted {
                Sends::Normal => {}
                Sends::Kex => browser.engine.remember(CONTEXT, server, realm, &typed("john", "secret")).unwrap(),
                Sends::Vfy => browser.log_in(),
            }
            let send = browser.begin("/");
            assert_eq!(send.sends, wanted);
            (browser, send)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_answer_is_too_strange((status, fields, certificate) in head(), sent: bool) {
        let head = Head::new(status, fields, certificate);
        for server in [PLAIN, TLS] {
            for (mut browser, send) in states(server) {
                if sent {
                    browser.engine.field(send.sequence).unwrap();
                }
                let received = browser.engine.receive(send.sequence, &head, browser.now, &mut browser.rng).unwrap();
                let proven = matches!(received, Received::Proven { .. });
                prop_assert!(!proven, "nobody knows the verifier: {received:?}");
            }
        }
    }

    #[test]
    fn no_argument_is_too_strange(a in ".{0,40}", b in ".{0,40}", c in ".{0,20}", password in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut browser = browser(Algorithm::EcP256Sha256, PLAIN);
        let mut given = typed(&a, "");
        given.password = password.clone().into();
        let (now, engine, rng) = (browser.now, &mut browser.engine, &mut browser.rng);
        let _ = engine.begin(&a, &b, &c, now, rng);
        let _ = engine.begin(&a, PLAIN, &c, now, rng);
        let _ = engine.expects(&a, &b, &c, now);
        let _ = engine.logout(&a, (&a, &b, &c));
        let _ = engine.begin_as(CONTEXT, PLAIN, &c, (&a, PLAIN, REALM.2), &given, now, rng);
        let _ = engine.remember(CONTEXT, &b, (&a, &c, REALM.2), &given);
        let _ = Head::from_json(401, &b, Some(password));
        engine.logout_all(&a);
        engine.drop(a.len() as u32);
    }
}
