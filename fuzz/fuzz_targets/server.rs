//! A server that gets an arbitrary sequence of messages, some from clients that do everything right.
//!
//! The first line of the input seeds the generator, each of the others is a command; see `World::run`.
//!
//! - A request is accepted only if it has the message that a client with the right password made, for this session, this
//!   nonce number and this channel, and only once. Who sent it does not matter, nor does its spelling.
//! - It is accepted as that client's user, and the server's proof and its binding are what the client expects.
//! - Such a message is accepted, once, if its session lives and its nonce number is in the window, and not otherwise.
//! - The session of an unknown user, or one that is expired, rejected or inactive, accepts nothing.
//! - A first proof that is wrong ends a session, and a later one does not; nor does a message to another realm.
//! - What the server answers is a message that can be read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;
use tagai_core::kam3::{ClientExchange, Ks1, Pi, SessionKey};
use tagai_core::message::{ClientMessage, Role, SCHEME, ServerMessage, Sid, VfyS};
use tagai_core::realm::AuthRealm;
use tagai_core::server::{Accepted, KexRequest, Reply, Session, SessionState, Step, Verdict, VfyRequest};
use tagai_core::time::Time;
use tagai_core::validation::{Channel, ChannelMismatch, HostValidation, ValidationMethod};
use tagai_fuzz::{CHANNELS, Command, NC_MAX, NC_WINDOW, Site, edit, script};

static SITES: LazyLock<[Site; 2]> = LazyLock::new(|| ["staff", "guests"].map(Site::new));

/// The most commands and key exchanges of one input.
const MAX_COMMANDS: usize = 64;
const MAX_EXCHANGES: usize = 6;

fuzz_target!(|input: &[u8]| {
    let (rng, commands) = script(input);
    let mut world = World {
        rng,
        site: &SITES[0],
        channel: &CHANNELS[0],
        now: Duration::ZERO,
        store: BTreeMap::new(),
        exchanges: Vec::new(),
        proofs: Vec::new(),
    };
    for command in commands.take(MAX_COMMANDS) {
        world.run(command);
    }
});

/// The server, its store, and everything that clients have made.
struct World {
    rng: ChaCha20Rng,
    site: &'static Site,
    channel: &'static Channel,
    now: Duration,
    store: BTreeMap<Sid, Session>,
    exchanges: Vec<Exchange>,
    proofs: Vec<Proof>,
}

/// A key exchange as its client sees it.
struct Exchange {
    site: &'static Site,
    method: ValidationMethod,
    sid: Sid,
    key: SessionKey,
    /// The user as whom the client has to be let in, if any.
    user: Option<&'static str>,
    /// The nonce numbers that were accepted.
    used: BTreeSet<u64>,
}

impl Exchange {
    /// Whether a nonce number may be used: it was not, and is in the window.
    fn is_fresh(&self, nc: u128) -> bool {
        let largest = self.used.last().copied().unwrap_or(0);
        u64::try_from(nc)
            .is_ok_and(|nc| nc <= NC_MAX && nc + u64::from(NC_WINDOW) > largest && !self.used.contains(&nc))
    }
}

/// A req-VFY-C message as its client made it.
struct Proof {
    exchange: usize,
    nc: u128,
    channel: &'static Channel,
    field: String,
}

impl World {
    fn run(&mut self, mut command: Command<'_>) {
        match command.name {
            // Lines of credentials as they stand there, with NUL between them.
            b'r' => drop(self.send(command.rest.split(|octet| *octet == 0).collect())),
            // A key exchange: who, and edits of the message.
            b'k' if self.exchanges.len() < MAX_EXCHANGES => {
                let site = self.site;
                let [alice, bob] = &site.accounts;
                let (user, pi) = match command.octet() {
                    b'a' => ("alice", &alice.pi),
                    b'b' => ("bob", &bob.pi),
                    b'w' => ("alice", &site.wrong),
                    _ => ("mallory", &site.wrong),
                };
                self.exchange(user, pi, command.rest);
            }
            // A proof: of which exchange, with which nonce number, and edits of the message.
            b'v' => {
                let indices: Vec<_> = (0..self.exchanges.len()).collect();
                if let Some(exchange) = command.pick(&indices) {
                    let nc = u128::from(command.number());
                    self.prove(*exchange, nc);
                    self.send_proof(self.proofs.len() - 1, command.rest);
                }
            }
            // An earlier proof again: which, and edits.
            b'p' => {
                let indices: Vec<_> = (0..self.proofs.len()).collect();
                if let Some(proof) = command.pick(&indices) {
                    self.send_proof(*proof, command.rest);
                }
            }
            // Another channel, another realm, a later time.
            b'h' => self.channel = command.pick(&*CHANNELS).unwrap_or(self.channel),
            b's' => self.site = command.pick(&*SITES).unwrap_or(self.site),
            b't' => self.now = self.now.saturating_add(Duration::from_secs(command.number())),
            // The end of a session; the loss of one.
            b'e' => {
                if let Some(session) = self.exchanged(&mut command).and_then(|sid| self.store.remove(&sid)) {
                    self.store.insert(session.sid().clone(), session.end());
                }
            }
            b'd' => drop(self.exchanged(&mut command).and_then(|sid| self.store.remove(&sid))),
            _ => {}
        }
    }

    fn exchanged(&self, command: &mut Command<'_>) -> Option<Sid> {
        command.pick(&self.exchanges).map(|exchange| exchange.sid.clone())
    }

    /// Writes the beginning that all messages of a client have.
    fn terms(site: &Site, method: ValidationMethod) -> String {
        let AuthRealm { algorithm, auth_scope, name } = site.realm();
        format!(
            "{SCHEME} version=1, algorithm={algorithm}, validation={method}, auth-scope=\"{auth_scope}\", realm=\"{name}\""
        )
    }

    /// Does a key exchange as a client that takes `pi` for that of `user`.
    fn exchange(&mut self, user: &str, pi: &Pi, edits: &[u8]) {
        let (site, method) = (self.site, self.channel.method());
        let client = ClientExchange::start(site.realm().algorithm, &mut self.rng).expect("a working generator");
        let k_c1 = hex(client.k_c1().octets());
        let field = format!("{}, user=\"{user}\", kc1={k_c1}", Self::terms(site, method));
        let sent = edit(&field, edits);
        let Some((session, answer)) = self.send(vec![&sent]) else { return };

        // The client is let in as the user whom it asked for: if that reached the server, and the password is right.
        let same_k_c1 = match ClientMessage::read([&sent[..]]) {
            Ok(Some(ClientMessage::KexC1(message))) => message.k_c1() == client.k_c1(),
            read => panic!("no req-KEX-C1: {read:?}"),
        };
        let account = session.claimed_user().and_then(|user| site.account(user));
        let user = account.filter(|account| same_k_c1 && std::ptr::eq(&raw const account.pi, pi));
        let key = client.finish(pi, &k_s1(&answer)).expect("an element of the group");
        let sid = session.sid().clone();
        self.exchanges.push(Exchange {
            site,
            method,
            sid: sid.clone(),
            key,
            user: user.map(|account| account.name.as_str()),
            used: BTreeSet::new(),
        });
        assert!(self.store.insert(sid, session).is_none(), "two sessions of one identifier");
    }

    /// Makes a proof for the channel of now.
    fn prove(&mut self, exchange: usize, nc: u128) {
        let of = &self.exchanges[exchange];
        // What no client can make, no server gets: it would have to lie to its own user about the connection.
        let channel = if matches!(self.channel, Channel::Plain) { &CHANNELS[0] } else { self.channel };
        let vh = HostValidation::new(&of.site.server.config().origin, channel).expect("a channel with TLS");
        let (sid, vk_c) = (of.sid.to_hex(), hex(of.key.vk_c(nc, &vh).octets()));
        let field = format!("{}, sid={sid}, nc={nc}, vkc={vk_c}", Self::terms(of.site, channel.method()));
        self.proofs.push(Proof { exchange, nc, channel, field });
    }

    /// Sends a proof. It has to be accepted if it is unchanged, in time, and newer than all that were accepted before.
    fn send_proof(&mut self, proof: usize, edits: &[u8]) {
        let Proof { exchange, nc, channel, field } = &self.proofs[proof];
        let of = &self.exchanges[*exchange];
        let session = self.store.get(&of.sid);
        let good = edits.is_empty()
            && of.user.is_some()
            && std::ptr::eq(of.site, self.site)
            && of.method == channel.method()
            && *channel == self.channel
            && session.is_some_and(|session| self.is_usable(session))
            && of.is_fresh(*nc);
        let (exchange, before) = (*exchange, of.used.len());
        let field = edit(field, edits);
        self.send(vec![&field]);
        assert!(!good || self.exchanges[exchange].used.len() == before + 1, "a good request was not accepted");
    }

    fn is_usable(&self, session: &Session) -> bool {
        matches!(session.state(), SessionState::KeyExchanging | SessionState::Authenticated)
            && Time::at(self.now) < session.expires()
    }

    /// Sends a request and stores what becomes of its session. Gives a session that begins, not stored yet.
    fn send(&mut self, lines: Vec<&[u8]>) -> Option<(Session, Reply)> {
        let step = match self.site.server.receive(lines.iter().copied(), self.channel) {
            Ok(step) => step,
            Err(ChannelMismatch) => {
                assert_eq!(self.channel, &Channel::Plain);
                return None;
            }
        };
        assert_ne!(self.channel, &Channel::Plain);
        match step {
            Step::Invite(invitation) => {
                let optional = invitation.optional_field().expect("an origin server");
                assert_eq!(optional.value, invitation.reply().field.value);
                check(&invitation.reply());
            }
            Step::Refuse(refusal) => check(&refusal.reply()),
            Step::NeedCredential(request) => return self.answer(request),
            Step::NeedSession(request) => {
                let Some(session) = self.store.remove(request.sid()) else {
                    assert!(matches!(request.no_session(), Verdict::Stale(_)));
                    return None;
                };
                let (before, usable) = (session.state(), self.is_usable(&session));
                let (session, verdict) = session.verify(&request, Time::at(self.now));
                match &verdict {
                    Verdict::Accepted(accepted) => {
                        assert!(usable, "a session that is over");
                        self.accepted(&lines, &request, &session, accepted);
                    }
                    Verdict::Rejected(refusal) => {
                        check(&refusal.reply());
                        let proven = before == SessionState::Authenticated;
                        assert_eq!(session.state(), if proven { before } else { SessionState::Rejected });
                    }
                    Verdict::Stale(stale) => {
                        check(&stale.reply());
                        // Elsewhere, or by another method, it is no session at all, and stays as it is.
                        let method = self.channel.method();
                        let here = self.exchanges.iter().any(|of| {
                            of.sid == *session.sid() && std::ptr::eq(of.site, self.site) && of.method == method
                        });
                        assert_eq!(session.state(), if here { SessionState::Inactive } else { before });
                    }
                }
                self.store.insert(session.sid().clone(), session);
            }
        }
        None
    }

    fn answer(&mut self, request: KexRequest) -> Option<(Session, Reply)> {
        let account = request.user().and_then(|user| self.site.account(user));
        match request.answer(account.map(|account| &account.j), &mut self.rng, Time::at(self.now)) {
            Ok((session, reply)) => {
                check(&reply);
                Some((session, reply))
            }
            Err(refusal) => {
                check(&refusal.reply());
                None
            }
        }
    }

    fn accepted(&mut self, lines: &[&[u8]], request: &VfyRequest, session: &Session, accepted: &Accepted) {
        let message = match ClientMessage::read(lines.iter().copied()) {
            Ok(Some(ClientMessage::VfyC(message))) => message,
            read => panic!("no req-VFY-C: {read:?}"),
        };
        let field = message.to_field(Role::OriginServer).value;
        let proof = self.proofs.iter().find(|proof| proof.field == field && proof.channel == self.channel);
        let proof = proof.expect("a proof that a client made for this channel");
        let exchange = &mut self.exchanges[proof.exchange];
        assert!(std::ptr::eq(exchange.site, self.site), "another realm");
        assert_eq!(session.sid(), &exchange.sid);
        assert_eq!(session.state(), SessionState::Authenticated);
        assert_eq!(Some(accepted.user.name().as_str()), exchange.user);
        assert_eq!(accepted.user.realm(), self.site.realm());
        assert_eq!(u128::from(accepted.user.nc()), proof.nc);
        assert!(exchange.is_fresh(proof.nc), "a replay, or out of bounds");
        exchange.used.insert(accepted.user.nc());

        let vh = request.host_validation();
        let value = accepted.proof.value.as_bytes();
        let answer = VfyS::read([value], self.site.realm().algorithm).expect("a good proof").expect("a proof");
        assert_eq!(answer.to_field(Role::OriginServer), accepted.proof);
        let vks = accepted.proof.value.rsplit_once("vks=").map(|(_, vks)| vks.to_owned());
        assert_eq!(vks, Some(hex(exchange.key.vk_s(proof.nc, vh).octets())));
        let bindings = [session.b_1(vh, b"t"), session.b_2(&accepted.user, vh, b"t")];
        let expected = [exchange.key.b_1(vh, b"t"), exchange.key.b_2(proof.nc, vh, b"t")];
        for (binding, expected) in bindings.iter().zip(expected) {
            assert_eq!(binding.as_ref().map(|binding| binding.expose_octets()), Some(expected.expose_octets()));
        }
    }
}

/// Every challenge is a message.
fn check(reply: &Reply) {
    assert_eq!((reply.status, reply.field.name), (401, Role::OriginServer.challenge_field()));
    assert!(matches!(ServerMessage::read([reply.field.value.as_bytes()]), Ok(Some(_))));
}

/// `K_s1` of a 401-KEX-S1 message.
fn k_s1(reply: &Reply) -> Ks1 {
    let challenges = tagai_core::grammar::parse_challenges([reply.field.value.as_bytes()]).expect("a challenge");
    let text = challenges[0].params().get("ks1").and_then(|param| param.text()).expect("ks1");
    let octets: Vec<_> = (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hexadecimal digits"))
        .collect();
    Ks1::from_octets(SITES[0].realm().algorithm, &octets).expect("the natural length")
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
