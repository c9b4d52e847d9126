//! What a review found, or thought of: people who get in between, and callers who do things in another order.

mod support;

use support::pair::{Ended, Pair, Site, Wire, config, credential, origin, realm};
use tagai_core::algorithm::Algorithm;
use tagai_core::client::{Client, Fatal, Next, Outcome, Response, Sequence, Step};
use tagai_core::kam3::J;
use tagai_core::message::{Reason, Role};
use tagai_core::server::{Fault, ServerConfig};
use tagai_core::validation::{Channel, EndPoint, Exporter, HostValidation};

fn https() -> ServerConfig {
    ServerConfig::new(origin("https://example.com"), realm(Algorithm::EcP256Sha256, "example.com", "a realm"))
}

fn end_point(octet: u8) -> Channel {
    Channel::Certificate(EndPoint::from_hash(&[octet; 32]).unwrap())
}

/// Begins a request, without sending it.
fn begin(pair: &mut Pair, path: &str) -> Sequence {
    pair.client.begin(&pair.target(path), pair.now).unwrap().run(&mut pair.rng).unwrap()
}

/// Whoever answers in the server's place can try one password in each key exchange. The client must not give that away for
/// ever, with nobody looking.
#[test]
fn a_logged_in_client_is_no_oracle_for_passwords() {
    let mut pair = Pair::new();
    pair.log_in();
    let mut guesses = 0;
    let mut guessed = false;
    for guess in 0..100 {
        // A new session each time, and an error at the end, so that the client does not forget the login by itself.
        let mut impostor = Site::new(config(), 100 + guess);
        let right = guess == 60;
        impostor.add_user("john", if right { "secret" } else { "guess" });
        pair.between(move |_, path, credentials, now| {
            let wire = impostor.serve(path, credentials, &Channel::Plain, now);
            if wire.kind() == "401-INIT" && credentials.is_some() { Wire::new(500, &[]) } else { wire }
        });
        pair.typed.clear();
        pair.wait(601);
        pair.take_log();
        let ended = pair.get("/");
        guesses += pair.take_log().iter().filter(|kind| **kind == "req-VFY-C").count();
        guessed |= matches!(ended, Ended::Succeeded(_));
        if let Ended::Fatal(Fatal::TooManyUnproven(_)) = ended {
            break;
        }
    }
    assert!(guesses <= 16 && !guessed, "{guesses} guesses");
    assert_eq!(pair.client.logins().count(), 0, "the login is forgotten, and the user is asked again");
}

/// The same over another scheme of the same host, where the attacker hangs up as soon as he has VK_c.
#[test]
fn nor_is_it_for_one_who_hangs_up() {
    let mut pair = Pair::with(https(), end_point(1));
    pair.log_in();
    pair.origin = origin("http://example.com");
    pair.channel = Channel::Plain;
    let mut impostor = Site::new(ServerConfig { origin: origin("http://example.com"), ..https() }, 7);
    impostor.add_user("john", "guess");
    for guesses in 0..50 {
        // One image in some page of the attacker: 401-INIT, then K_s1 from a guess, and then he has seen VK_c.
        let mut sequence = begin(&mut pair, "/image.png");
        loop {
            let credentials = sequence.field().map(|field| field.value);
            if credentials.as_ref().is_some_and(|value| value.contains("vkc=")) {
                break;
            }
            let wire = impostor.serve("/image.png", credentials.as_deref(), &Channel::Plain, pair.now);
            sequence = match answer(&mut pair, sequence, &wire) {
                Ok(Step::Continue(next)) => next.run(&mut pair.rng).unwrap(),
                Err(Fatal::TooManyUnproven(_)) => return assert!(guesses <= 16, "{guesses} guesses"),
                other => panic!("{other:?}"),
            };
        }
    }
    panic!("the client goes on for ever");
}

fn answer(pair: &mut Pair, sequence: Sequence, wire: &Wire) -> Result<Step<&'static str>, Fatal> {
    let fields = wire.fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let response = Response::new(wire.status, fields, pair.channel.clone(), "a body");
    sequence.receive(&mut pair.client, response, pair.now)
}

#[test]
fn honest_failures_do_not_add_up() {
    // Every exchange that is proven in the end is paid back.
    let mut pair = Pair::new();
    pair.log_in();
    for _ in 0..40 {
        pair.wait(601);
        pair.get("/").succeeded();
    }
}

#[test]
fn a_proof_in_100_continue_is_for_its_connection() {
    let mut pair = Pair::with(https(), end_point(1));
    pair.log_in();
    for (final_channel, succeeds) in [(end_point(1), true), (end_point(2), false)] {
        let mut sequence = begin(&mut pair, "/upload");
        let proof = pair.exchange("/upload", sequence.field().map(|field| field.value));
        let value = proof.field("Authentication-Info").unwrap();
        let sequence = sequence.interim(100, [("Authentication-Info", value.as_bytes())], end_point(1)).unwrap();
        let last = Response::new(200, [], final_channel, "done");
        let result = sequence.receive(&mut pair.client, last, pair.now);
        match result {
            Ok(Step::Done(Outcome::AuthSucceed(_))) => assert!(succeeds),
            Err(Fatal::ChannelChanged) => assert!(!succeeds),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_proof_that_was_made_is_not_sent_elsewhere() {
    let mut pair = Pair::with(https(), Channel::Exporter(Exporter([1; 32])));
    pair.log_in();
    let mut sequence = begin(&mut pair, "/");
    let other = Channel::Exporter(Exporter([2; 32]));
    sequence.send_over(&other).unwrap();
    sequence.field().unwrap();
    assert_eq!(sequence.send_over(&Channel::Exporter(Exporter([3; 32]))), Err(Fatal::ChannelChanged));
    assert_eq!(sequence.send_over(&other), Ok(()));
}

#[test]
fn a_kept_session_does_not_go_over_another_certificate() {
    let mut pair = Pair::with(https(), end_point(1));
    pair.log_in();
    let mut sequence = begin(&mut pair, "/");
    assert_eq!(sequence.send_over(&end_point(2)), Err(Fatal::ChannelChanged));
    // The caller begins again, and says so: there is a key exchange.
    pair.channel = end_point(2);
    let mut sequence = begin(&mut pair, "/");
    assert!(sequence.field().unwrap().value.contains("kc1="));
}

#[test]
fn a_renewed_certificate_does_not_log_out_who_learns_it_late() {
    let mut pair = Pair::with(https(), end_point(1));
    pair.knows_channel = false;
    pair.log_in();
    pair.channel = end_point(2);
    pair.server_channel = end_point(2);
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "401-INIT", "req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"]);
    assert_eq!(pair.client.logins().count(), 1);
}

#[test]
fn an_exporter_is_not_guessed_from_the_last_connection() {
    let mut pair = Pair::with(https(), Channel::Exporter(Exporter([1; 32])));
    pair.knows_channel = false;
    pair.log_in();
    pair.channel = Channel::Exporter(Exporter([2; 32]));
    pair.server_channel = pair.channel.clone();
    pair.get("/").succeeded();
    assert_eq!(pair.take_log()[0], "req-KEX-C1");
}

#[test]
fn names_that_cannot_be_names_are_nobodys() {
    let mut pair = Pair::new();
    pair.typed.clear();
    let required = pair.get("/").required();
    let mut sequence = required.supply(credential("john", "secret")).0.run(&mut pair.rng).unwrap();
    let field = sequence.field().unwrap().value;
    for user in
        ["user*=UTF-8''%C3%A9%0D%0AX-User%3A%20root%00", &format!("user=\"{}\"", "x".repeat(1_025)), "user=\"\""]
    {
        let wire = pair.site.serve("/", Some(&field.replace("user=\"john\"", user)), &Channel::Plain, pair.now);
        assert_eq!(wire.kind(), "401-KEX-S1", "{user}");
        let session = pair.site.sessions.pop_first().unwrap().1;
        assert_eq!(session.claimed_user(), None);
    }
}

#[test]
fn a_verifier_of_another_algorithm_is_no_mark_of_a_user() {
    let mut pair = Pair::new();
    let other = realm(Algorithm::EcP521Sha512, "http://example.com", "a realm");
    pair.site.users.insert("john".into(), support::pair::verifier(&other, "john", "secret"));
    assert_eq!(*pair.get("/").required().reason(), Reason::AuthFailed);
    assert_eq!(pair.take_log()[2..], ["req-KEX-C1", "401-KEX-S1", "req-VFY-C", "401-INIT"]);
    assert_eq!(pair.site.faults.last(), Some(&Fault::Verifier));
}

#[test]
fn a_store_can_load_a_verifier_for_nobody() {
    let pair = Pair::new();
    let algorithm = pair.site.server.config().realm.algorithm;
    assert!(J::from_affine(algorithm, pair.site.server.decoy()).is_ok());
}

#[test]
fn a_logout_is_not_followed_by_a_new_exchange() {
    let mut pair = Pair::new();
    pair.log_in();
    let next = pair.client.begin(&pair.target("/"), pair.now).unwrap();
    pair.client.logout_all();
    pair.site.sessions.clear();
    pair.typed.clear();
    let required = pair.go_on("/", next).required();
    assert_eq!(pair.take_log(), ["req-VFY-C", "401-STALE"]);
    assert_eq!(*required.reason(), Reason::Initial);
}

#[test]
fn a_logout_elsewhere_concerns_nobody_here() {
    let mut pair = Pair::new();
    pair.typed.clear();
    let required = pair.get("/").required();
    let kex = required.supply(credential("john", "secret")).0;
    pair.client.logout(&realm(Algorithm::EcP256Sha256, "example.org", "another realm"));
    pair.go_on("/", kex).succeeded();
    assert_eq!(pair.client.logins().count(), 1);
}

#[test]
fn a_sequence_belongs_to_its_client() {
    let mut pair = Pair::new();
    let next = pair.client.begin(&pair.target("/"), pair.now).unwrap();
    pair.client = Client::new(Role::OriginServer);
    assert_eq!(pair.go_on("/", next).fatal(), Fatal::OtherClient);
}

#[test]
fn an_answer_to_nothing_is_none() {
    let mut pair = Pair::new();
    pair.log_in();
    let Next::Send(sequence) = pair.client.begin(&pair.target("/"), pair.now).unwrap() else { panic!("no session") };
    let response = Response::new(200, [], Channel::Plain, "a page");
    assert_eq!(sequence.receive(&mut pair.client, response, pair.now).unwrap_err(), Fatal::NotSent);
}

#[test]
fn numbers_are_given_out_in_the_order_of_sending() {
    // Many requests begin, and are sent in the opposite order: none falls below the server's window.
    let mut pair = Pair::new();
    pair.log_in();
    let sequences: Vec<_> = (0..300).map(|_| begin(&mut pair, "/")).collect();
    for mut sequence in sequences.into_iter().rev() {
        let first = sequence.field().map(|field| field.value);
        assert_eq!(first, sequence.field().map(|field| field.value), "asked twice, it is the same");
        assert_eq!(pair.exchange("/", first).kind(), "200-VFY-S");
    }
}

#[test]
fn a_site_of_another_scheme_is_left_alone_however_broken() {
    let bearer = "Bearer error=invalid_token error_description=\"x\"";
    let mut pair = Pair::new();
    pair.between(move |_, _, _, _| Wire::new(401, &[("WWW-Authenticate", bearer)]));
    pair.get("/").unauthenticated();
    // With ours among it, half-understood challenges are not used.
    let ours = format!("{bearer}, Mutual version=1");
    pair.between(move |_, _, _, _| Wire::new(401, &[("WWW-Authenticate", &ours)]));
    assert!(matches!(pair.get("/").fatal(), Fatal::Message(_)));
}

#[test]
fn an_optional_challenge_beside_a_proof_means_nothing() {
    let mut pair = Pair::new();
    pair.between(|site, path, credentials, now| {
        let mut wire = site.serve(path, credentials, &Channel::Plain, now);
        if wire.kind() == "200-VFY-S" {
            wire.fields.push(("Optional-WWW-Authenticate".into(), "Mutual version=1, what=ever".into()));
        }
        wire
    });
    pair.get("/").succeeded();
}

#[test]
fn an_exporter_does_not_print() {
    let channel = Channel::Exporter(Exporter([0xab; 32]));
    let vh = HostValidation::new(&origin("https://example.com"), &channel).unwrap();
    for shown in [format!("{vh:?}"), format!("{channel:?}")] {
        assert!(!shown.contains("ab") && !shown.contains("171"), "{shown}");
    }
}

#[test]
fn a_scope_is_checked_before_it_is_remembered() {
    let mut client = Client::new(Role::OriginServer);
    let realm = realm(Algorithm::EcP256Sha256, "*.com", "a realm");
    let method = Channel::Plain.method();
    assert!(client.remember(&realm, &origin("http://example.com"), method, credential("john", "secret")).is_err());
}

#[test]
fn an_application_can_ask_again() {
    let pair = Pair::new();
    let refusal = pair.site.server.refuse(Reason::ReauthNeeded, &Channel::Plain).unwrap();
    assert!(refusal.reply().field.value.ends_with("reason=reauth-needed"));
    assert_eq!(*refusal.fault(), Fault::Application);
}

#[test]
fn a_session_keeps_its_validation_method() {
    let mut pair = Pair::with(https(), end_point(1));
    pair.log_in();
    let message = begin(&mut pair, "/").field().unwrap().value;
    let exporter = Channel::Exporter(Exporter([1; 32]));
    let message = message.replace("validation=tls-server-end-point", "validation=-tls-exporter.tagai.alt");
    assert_eq!(pair.site.serve("/", Some(&message), &exporter, pair.now).kind(), "401-STALE");
    assert_eq!(pair.site.faults.last(), Some(&Fault::NoSession));
}

#[test]
fn a_pi_that_was_kept_logs_in() {
    use tagai_core::client::Credential;
    use tagai_core::credential::{Password, Username};
    use tagai_core::kam3::Pi;
    let mut pair = Pair::new();
    let realm = pair.site.server.config().realm.clone();
    let user = Username::prepare("john").unwrap();
    let derived = Pi::derive(&realm, &user, &Password::prepare("secret").unwrap());
    let kept = Pi::from_octets(realm.algorithm, derived.expose_octets()).unwrap();
    assert!(Pi::from_octets(realm.algorithm, &[0; 31]).is_none());
    let method = Channel::Plain.method();
    pair.client.remember(&realm, &pair.origin, method, Credential::pi(user, kept)).unwrap();
    pair.get("/").succeeded();
}
