//! A client that gets arbitrary responses, some from a server that does everything right.
//!
//! The first line of the input seeds the generator, each of the others is a command; see `World::command`. When they are
//! used up, the server answers as it should, so that every sequence comes to its end.
//!
//! - A request ends as proven only if the server has accepted this very request, and its proof came back over the
//!   connection that it was sent on, whoever brought it and in whichever spelling.
//! - It ends as unproven and ordinary only with the first of its responses.
//! - Where it is proven, both ends agree on the user, the realm and the binding.
//! - Where nothing is tampered with, the right password succeeds and the wrong one does not.
//! - No proof is made for two requests.
//! - A sequence ends within six requests.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;
use tagai_core::client::{Client, Credential, Fatal, Next, Outcome, Response, Step, Target};
use tagai_core::control::{CONTROL_FIELD, OPTIONAL_FIELD};
use tagai_core::credential::Password;
use tagai_core::message::{ClientMessage, Reason, Role, Sid, VfyS};
use tagai_core::server::{self, Session, Verdict};
use tagai_core::time::Time;
use tagai_core::validation::{Channel, HostValidation};
use tagai_fuzz::{CHANNELS, Command, Site, edit, script};

static SITE: LazyLock<Site> = LazyLock::new(|| Site::new("staff"));

/// The most sequences of one input, and requests of a sequence.
const MAX_SEQUENCES: usize = 4;
const MAX_REQUESTS: usize = 6;

fuzz_target!(|input: &[u8]| {
    let (rng, commands) = script(input);
    let mut world = World {
        rng,
        commands,
        finished: false,
        honest: true,
        right_password: true,
        remembers: false,
        client: Client::new(Role::OriginServer),
        channel: &CHANNELS[0],
        now: Duration::ZERO,
        sent: BTreeSet::new(),
        store: BTreeMap::new(),
        extra: Vec::new(),
        answers: Vec::new(),
    };
    for _ in 0..MAX_SEQUENCES {
        world.sequence();
        if world.finished {
            break;
        }
    }
});

/// Both ends, and what lies between them.
struct World<C> {
    rng: ChaCha20Rng,
    commands: C,
    /// All commands are used up.
    finished: bool,
    /// So far, the client got what the server sent, over one connection.
    honest: bool,
    /// Whether the user's password is the right one.
    right_password: bool,
    /// The user has the password remembered before a request, and otherwise types it when asked.
    remembers: bool,
    client: Client,
    channel: &'static Channel,
    now: Duration,
    /// The req-VFY-C messages that the client has made.
    sent: BTreeSet<String>,
    store: BTreeMap<Sid, Session>,
    /// Fields that somebody adds to the next response.
    extra: Vec<(&'static str, Vec<u8>)>,
    /// What the server answered so far.
    answers: Vec<Head>,
}

/// A response without its body.
#[derive(Debug, Clone)]
struct Head {
    status: u16,
    fields: Vec<(&'static str, Vec<u8>)>,
}

/// A request that is under way, with what the server makes of it once it gets there.
struct Request {
    /// It is the first of its sequence.
    first: bool,
    field: Option<String>,
    answer: Option<(Head, Option<Acceptance>)>,
    /// A response brought the server's proof, over the connection on which the server had accepted the request.
    proven: bool,
}

/// What a server knows of a request that it accepted.
#[derive(Debug, Clone)]
struct Acceptance {
    proof: String,
    channel: &'static Channel,
    binding: Vec<u8>,
}

/// What becomes of a request.
enum Event {
    /// 100 (Continue), with these fields.
    Interim(Head),
    /// The final response.
    Final(Head),
}

impl<'a, C: Iterator<Item = Command<'a>>> World<C> {
    /// One request of the user.
    fn sequence(&mut self) {
        let target = Target {
            origin: SITE.server.config().origin.clone(),
            path: "/".to_owned(),
            channel: Some(CHANNELS[0].clone()).filter(|channel| channel == self.channel),
        };
        // Whether the password that was given in this sequence is the right one, if any was.
        let mut given = None;
        let now = Time::at(self.now);
        self.client.expire(now);
        if self.remembers && self.client.logins().next().is_none() {
            given = Some(self.right_password);
            let (server, method) = (&target.origin, self.channel.method());
            let remembered = self.client.remember(SITE.realm(), server, method, credential(self.right_password));
            remembered.expect("a scope that covers the server");
        }
        let mut next = self.client.begin(&target, now).expect("a channel with TLS");
        for number in 0..MAX_REQUESTS {
            let outcome = match self.request(next, number == 0) {
                Ok(Step::Continue(following)) => {
                    next = following;
                    continue;
                }
                Ok(Step::Done(outcome)) => outcome,
                Err(fatal) => {
                    assert!(!self.honest, "{fatal}");
                    return;
                }
            };
            match outcome {
                Outcome::AuthRequired(required) if given.is_none() => {
                    given = Some(self.right_password);
                    next = required.supply(credential(self.right_password)).0;
                    continue;
                }
                Outcome::AuthRequired(required) => {
                    assert!(!self.honest || (given == Some(false) && *required.reason() == Reason::AuthFailed));
                }
                Outcome::AuthSucceed(_) => assert!(!self.honest || given != Some(false)),
                Outcome::Unauthenticated(()) => assert!(!self.honest && number == 0),
            }
            return;
        }
        panic!("a sequence without an end");
    }

    /// One HTTP request with its responses.
    fn request(&mut self, next: Next, first: bool) -> Result<Step<()>, Fatal> {
        let mut sequence = next.run(&mut self.rng)?;
        let field = sequence.field().map(|field| field.value);
        if let Some(field) = &field
            && let Ok(Some(ClientMessage::VfyC(_))) = ClientMessage::read([field.as_bytes()])
        {
            assert!(self.sent.insert(field.clone()), "a proof for two requests");
        }
        let mut request = Request { first, field, answer: None, proven: false };
        loop {
            match self.command(&mut request) {
                Event::Interim(head) => {
                    self.look(&mut request, &head);
                    let fields = head.fields.iter().map(|(name, value)| (*name, &value[..]));
                    sequence = sequence.interim(head.status, fields, self.channel.clone())?;
                    assert_eq!(sequence.server_is_proven(), request.proven);
                }
                Event::Final(mut head) => {
                    head.fields.append(&mut self.extra);
                    self.look(&mut request, &head);
                    let fields = head.fields.iter().map(|(name, value)| (*name, &value[..]));
                    let response = Response::new(head.status, fields, self.channel.clone(), ());
                    let step = sequence.receive(&mut self.client, response, Time::at(self.now))?;
                    if let Step::Done(Outcome::AuthSucceed(proven)) = &step {
                        assert!(request.proven && head.status != 401, "nobody has proven anything");
                        let (_, accepted) = request.answer.as_ref().expect("the server has answered");
                        let accepted = accepted.as_ref().expect("the server has accepted");
                        assert_eq!(accepted.channel, self.channel);
                        assert_eq!(accepted.binding, proven.b_1(b"t").expose_octets());
                        assert_eq!((proven.user(), proven.realm()), (&SITE.accounts[0].name, SITE.realm()));
                    }
                    return Ok(step);
                }
            }
        }
    }

    /// Whether a response has the server's proof.
    fn look(&self, request: &mut Request, head: &Head) {
        let info = Role::OriginServer.info_field();
        let lines = head.fields.iter().filter(|(name, _)| *name == info).map(|(_, value)| &value[..]);
        if let (Ok(Some(found)), Some((_, Some(accepted)))) =
            (VfyS::read(lines, SITE.realm().algorithm), &request.answer)
        {
            let proof = found.to_field(Role::OriginServer).value;
            request.proven |= proof == accepted.proof && accepted.channel == self.channel;
        }
    }

    /// Follows commands up to the one that decides what comes back.
    fn command(&mut self, request: &mut Request) -> Event {
        while let Some(mut command) = self.commands.next() {
            match command.name {
                // The server's answer as it is.
                b's' => return Event::Final(self.serve(request)),
                // The user: another password, another habit, a logout, a pause.
                b'w' => self.right_password = !self.right_password,
                b'u' => self.remembers = !self.remembers,
                b'l' => drop(self.client.logout(SITE.realm())),
                b't' => {
                    // A fresh session that expires before its first use is an error.
                    self.honest &= request.first;
                    self.now += Duration::from_secs(command.number() % 10_000);
                }
                name => {
                    self.honest = false;
                    if let Some(event) = self.tamper(name, command, request) {
                        return event;
                    }
                }
            }
        }
        self.finished = true;
        Event::Final(self.serve(request))
    }

    /// What would not happen between honest ends.
    fn tamper(&mut self, name: u8, mut command: Command<'_>, request: &mut Request) -> Option<Event> {
        match name {
            // The server's answer with edits, with another status, as an optional challenge, ahead of time.
            b'm' => Some(Event::Final(edited(self.serve(request), command.rest))),
            b'n' => {
                let status = status(&mut command);
                Some(Event::Final(Head { status, ..edited(self.serve(request), command.rest) }))
            }
            b'o' => {
                let mut head = self.serve(request);
                for (name, _) in &mut head.fields {
                    *name = OPTIONAL_FIELD;
                }
                Some(Event::Final(edited(Head { status: 200, ..head }, command.rest)))
            }
            b'i' => Some(Event::Interim(Head { status: 100, ..edited(self.serve(request), command.rest) })),
            // An earlier answer, with edits.
            b'p' => command.pick(&self.answers).cloned().map(|head| Event::Final(edited(head, command.rest))),
            // A response that somebody made: its status, and fields with NUL between them.
            b'a' => {
                let status = status(&mut command);
                let fields = command.rest.split(|octet| *octet == 0).filter_map(field).collect();
                Some(Event::Final(Head { status, fields }))
            }
            // A field that is added to the next response.
            b'+' => {
                self.extra.extend(field(command.rest));
                None
            }
            // Another connection; a server that forgets its sessions.
            b'h' => {
                self.channel = command.pick(&CHANNELS[..4]).unwrap_or(self.channel);
                None
            }
            b'x' => {
                self.store.clear();
                None
            }
            _ => None,
        }
    }

    /// Lets the server answer, once a request.
    fn serve(&mut self, request: &mut Request) -> Head {
        if request.answer.is_none() {
            let answer = self.answer(request.field.as_deref());
            self.answers.push(answer.0.clone());
            request.answer = Some(answer);
        }
        request.answer.as_ref().map(|(head, _)| head.clone()).expect("just answered")
    }

    fn answer(&mut self, field: Option<&str>) -> (Head, Option<Acceptance>) {
        let now = Time::at(self.now);
        let refused = |reply: server::Reply| {
            let fields = vec![(reply.field.name, reply.field.value.into_bytes())];
            (Head { status: reply.status, fields }, None)
        };
        match SITE.server.receive(field.map(str::as_bytes), self.channel).expect("a channel with TLS") {
            server::Step::Invite(invitation) => refused(invitation.reply()),
            server::Step::Refuse(refusal) => refused(refusal.reply()),
            server::Step::NeedCredential(request) => {
                let j = request.user().and_then(|user| SITE.account(user)).map(|account| &account.j);
                let (session, reply) = request.answer(j, &mut self.rng, now).expect("a good K_c1");
                self.store.insert(session.sid().clone(), session);
                refused(reply)
            }
            server::Step::NeedSession(request) => {
                let Some(session) = self.store.remove(request.sid()) else {
                    let Verdict::Stale(stale) = request.no_session() else { panic!("a verdict without a session") };
                    return refused(stale.reply());
                };
                let (session, verdict) = session.verify(&request, now);
                let vh = HostValidation::new(&SITE.server.config().origin, self.channel).expect("a channel with TLS");
                let binding = session.b_1(&vh, b"t").map(|binding| binding.expose_octets().to_vec());
                self.store.insert(session.sid().clone(), session);
                match verdict {
                    Verdict::Rejected(refusal) => refused(refusal.reply()),
                    Verdict::Stale(stale) => refused(stale.reply()),
                    Verdict::Accepted(accepted) => {
                        let proof = accepted.proof;
                        let fields = vec![(proof.name, proof.value.clone().into_bytes())];
                        let binding = binding.expect("an authenticated session");
                        let accepted = Acceptance { proof: proof.value, channel: self.channel, binding };
                        (Head { status: 200, fields }, Some(accepted))
                    }
                }
            }
        }
    }
}

fn credential(right: bool) -> Credential {
    let password = if right { Site::PASSWORD } else { Site::WRONG_PASSWORD };
    Credential::password(SITE.accounts[0].name.clone(), Password::prepare(password).expect("a password"))
}

fn edited(head: Head, edits: &[u8]) -> Head {
    let edited = |(name, value): (_, Vec<u8>)| match String::from_utf8(value) {
        Ok(value) => (name, edit(&value, edits)),
        Err(error) => (name, error.into_bytes()),
    };
    Head { fields: head.fields.into_iter().map(edited).collect(), ..head }
}

fn status(command: &mut Command<'_>) -> u16 {
    u16::try_from(command.number() % 1000).unwrap_or(200)
}

/// A field by a letter for its name.
fn field(text: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let (letter, value) = text.split_first()?;
    let name = match letter {
        b'W' => Role::OriginServer.challenge_field(),
        b'I' => Role::OriginServer.info_field(),
        b'O' => OPTIONAL_FIELD,
        b'C' => CONTROL_FIELD,
        _ => return None,
    };
    Some((name, value.to_vec()))
}
