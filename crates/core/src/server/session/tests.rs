//! What cannot be brought about from outside: a proof that is right, on a session that is fake.

use super::*;
use crate::algorithm::Algorithm;
use crate::credential::Password;
use crate::kam3::{ClientExchange, J, Pi};
use crate::message::{KexC1, Role, ServerMessage, VfyC};
use crate::realm::{AuthScope, Origin, RealmName};
use crate::server::{Server, ServerConfig, Step};
use crate::validation::Channel;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;

/// A session in state "key exchanging", and the request that proves it.
fn exchanged() -> (Session, VfyRequest) {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let origin = Origin::parse("http://example.com").unwrap();
    let auth_scope = AuthScope::SingleServer(origin.clone());
    let name = RealmName::new("a realm").unwrap();
    let realm = AuthRealm { algorithm: Algorithm::EcP256Sha256, auth_scope, name };
    let (john, password) = (Username::prepare("john").unwrap(), Password::prepare("secret").unwrap());
    let pi = Pi::derive(&realm, &john, &password);
    let j = J::from_pi(realm.algorithm, &pi).unwrap();
    let server = Server::new(ServerConfig::new(origin, realm), &mut rng).unwrap();
    let step = |field: crate::message::Field| server.receive([field.value.as_bytes()], &Channel::Plain).unwrap();

    let client = ClientExchange::start(Algorithm::EcP256Sha256, &mut rng).unwrap();
    let Step::Invite(invitation) = server.receive([], &Channel::Plain).unwrap() else { panic!("no 401-INIT") };
    let init = invitation.reply().field.value;
    let Ok(Some(ServerMessage::Init(init))) = ServerMessage::read([init.as_bytes()]) else { panic!("{init}") };
    let terms = init.terms().clone();
    let message = KexC1 { terms: terms.clone(), user: Some(john), k_c1: client.k_c1().clone() };
    let Step::NeedCredential(request) = step(message.to_field(Role::OriginServer)) else { panic!("no req-KEX-C1") };
    let (session, reply) = request.answer(Some(&j), &mut rng, Time::default()).unwrap();
    let answer = ServerMessage::read([reply.field.value.as_bytes()]);
    let Ok(Some(ServerMessage::KexS1(answer))) = answer else { panic!("no 401-KEX-S1") };
    let key = client.finish(&pi, &answer.k_s1).unwrap();
    let vh = HostValidation::new(&server.config().origin, &Channel::Plain).unwrap();
    let message = VfyC { terms, sid: answer.sid, nc: 1u32.into(), vk_c: key.vk_c(1, &vh) };
    let Step::NeedSession(request) = step(message.to_field(Role::OriginServer)) else { panic!("no req-VFY-C") };
    (session, request)
}

#[test]
fn a_fake_session_refuses_even_the_right_proof() {
    let (session, request) = exchanged();
    let (session, verdict) = session.verify(&request, Time::default());
    assert!(matches!(verdict, Verdict::Accepted(_)), "{verdict:?}");
    assert_eq!(session.state(), SessionState::Authenticated);

    let (mut session, request) = exchanged();
    session.fake = Some(Fault::UnknownUser);
    let (session, verdict) = session.verify(&request, Time::default());
    assert!(matches!(&verdict, Verdict::Rejected(refusal) if *refusal.fault() == Fault::UnknownUser), "{verdict:?}");
    assert_eq!(session.state(), SessionState::Rejected);
}
