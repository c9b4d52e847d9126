//! Both ends of the protocol, face to face, with a clock that a test turns and randomness that it seeds. Between them sits
//! whoever the test puts there.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use std::collections::BTreeMap;
use std::time::Duration;
use tagai_core::algorithm::Algorithm;
use tagai_core::client::{AuthRequired, Client, Credential, Fatal, Next, Outcome, Proven, Response, Step, Target};
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::{J, Pi};
use tagai_core::message::{Field, Role};
use tagai_core::realm::{AuthRealm, AuthScope, Origin, RealmName};
use tagai_core::server::{self, AuthenticatedUser, Fault, Server, ServerConfig, Session, SessionState, Verdict};
use tagai_core::time::Time;
use tagai_core::validation::Channel;

/// A response on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: String,
}

impl Wire {
    pub fn new(status: u16, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { status, fields, body: format!("body of {status}") }
    }

    pub fn with(mut self, field: Field) -> Self {
        self.fields.push((field.name.to_owned(), field.value));
        self
    }

    /// The first line of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The RFC's name for it.
    pub fn kind(&self) -> &'static str {
        let value = |names: &[&str]| names.iter().find_map(|name| self.field(name)).unwrap_or_default();
        let challenge = value(&["WWW-Authenticate", "Proxy-Authenticate"]);
        if value(&["Authentication-Info", "Proxy-Authentication-Info"]).contains("vks=") {
            "200-VFY-S"
        } else if challenge.contains("ks1=") {
            "401-KEX-S1"
        } else if challenge.contains("reason=stale-session") {
            "401-STALE"
        } else if challenge.contains("reason=") {
            "401-INIT"
        } else if self.field("Optional-WWW-Authenticate").is_some() {
            "optional 401-INIT"
        } else {
            "normal response"
        }
    }
}

/// The RFC's name for a request with these credentials.
pub fn request_kind(credentials: Option<&str>) -> &'static str {
    match credentials {
        Some(value) if value.contains("kc1=") => "req-KEX-C1",
        Some(value) if value.contains("vkc=") => "req-VFY-C",
        _ => "normal request",
    }
}

/// How the server treats a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Protected,
    Optional,
    Public,
}

/// A server with its stores.
pub struct Site {
    pub server: Server,
    pub users: BTreeMap<String, J>,
    pub sessions: BTreeMap<Vec<u8>, Session>,
    pub rng: ChaCha20Rng,
    pub faults: Vec<Fault>,
    pub users_seen: Vec<AuthenticatedUser>,
    /// Paths beginning with the key are treated so; the longest key wins, and everything else is protected.
    pub access: BTreeMap<String, Access>,
    /// Fields that the application adds to every response.
    pub extra: Vec<Field>,
}

impl Site {
    pub fn new(config: ServerConfig, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let server = Server::new(config, &mut rng).expect("a good configuration");
        Self {
            server,
            users: BTreeMap::new(),
            sessions: BTreeMap::new(),
            rng,
            faults: Vec::new(),
            users_seen: Vec::new(),
            access: BTreeMap::new(),
            extra: Vec::new(),
        }
    }

    pub fn add_user(&mut self, user: &str, password: &str) {
        self.users.insert(user.to_owned(), verifier(&self.server.config().realm, user, password));
    }

    /// Answers one request.
    pub fn serve(&mut self, path: &str, credentials: Option<&str>, channel: &Channel, now: Time) -> Wire {
        let access = self.access.iter().rev().find(|(prefix, _)| path.starts_with(prefix.as_str()));
        let access = access.map_or(Access::Protected, |(_, access)| *access);
        let mut wire = self.answer(access, credentials, channel, now);
        for field in self.extra.clone() {
            wire = wire.with(field);
        }
        wire
    }

    fn answer(&mut self, access: Access, credentials: Option<&str>, channel: &Channel, now: Time) -> Wire {
        if access == Access::Public {
            return Wire::new(200, &[]);
        }
        let lines = credentials.iter().map(|value| value.as_bytes());
        match self.server.receive(lines, channel).expect("the channel of the server's origin") {
            server::Step::Invite(invitation) => {
                self.faults.push(invitation.fault().clone());
                match (access, invitation.optional_field()) {
                    (Access::Optional, Some(field)) => Wire::new(200, &[]).with(field),
                    _ => wire(invitation.reply()),
                }
            }
            server::Step::Refuse(refusal) => self.refuse(&refusal),
            server::Step::NeedCredential(request) => {
                let j = request.user().and_then(|user| self.users.get(user.as_str()));
                match request.answer(j, &mut self.rng, now) {
                    Ok((session, reply)) => {
                        self.sessions.insert(session.sid().octets().to_vec(), session);
                        wire(reply)
                    }
                    Err(refusal) => self.refuse(&refusal),
                }
            }
            server::Step::NeedSession(request) => {
                let verdict = match self.sessions.remove(request.sid().octets()) {
                    None => request.no_session(),
                    Some(session) => {
                        let (session, verdict) = session.verify(&request, now);
                        self.sessions.insert(session.sid().octets().to_vec(), session);
                        verdict
                    }
                };
                match verdict {
                    Verdict::Accepted(accepted) => {
                        let text = format!("for {}", accepted.user.name());
                        self.users_seen.push(accepted.user);
                        Wire { body: text, ..Wire::new(200, &[]).with(accepted.proof) }
                    }
                    Verdict::Rejected(refusal) => self.refuse(&refusal),
                    Verdict::Stale(stale) => {
                        self.faults.push(stale.fault().clone());
                        wire(stale.reply())
                    }
                }
            }
        }
    }

    fn refuse(&mut self, refusal: &server::Refusal) -> Wire {
        self.faults.push(refusal.fault().clone());
        wire(refusal.reply())
    }

    /// The states of all sessions.
    pub fn states(&self) -> Vec<SessionState> {
        self.sessions.values().map(Session::state).collect()
    }
}

fn wire(reply: server::Reply) -> Wire {
    Wire::new(reply.status, &[]).with(reply.field)
}

/// Somebody between client and server: sees each request, and answers it, with or without the server's help.
pub type Middle = Box<dyn FnMut(&mut Site, &str, Option<&str>, Time) -> Wire>;

/// A client and a server.
pub struct Pair {
    pub client: Client,
    pub site: Site,
    pub origin: Origin,
    pub now: Time,
    pub rng: ChaCha20Rng,
    /// What the user types when asked, once for each question.
    pub typed: Vec<(&'static str, &'static str)>,
    /// The connection as the client sees it, and as the server does.
    pub channel: Channel,
    pub server_channel: Channel,
    /// Whether the client knows its connection before it sends.
    pub knows_channel: bool,
    pub middle: Option<Middle>,
    /// The messages that were exchanged, by their names in the RFC.
    pub log: Vec<&'static str>,
    /// The credentials that were sent.
    pub sent: Vec<Option<String>>,
    /// The responses that the client saw.
    pub received: Vec<Wire>,
}

/// How a request ended.
#[derive(Debug)]
pub enum Ended {
    Succeeded(Proven<String>),
    Required(AuthRequired<String>),
    Unauthenticated(String),
    Fatal(Fatal),
}

impl Ended {
    pub fn succeeded(self) -> Proven<String> {
        match self {
            Self::Succeeded(proven) => proven,
            other => panic!("not AUTH-SUCCEED: {other:?}"),
        }
    }

    pub fn required(self) -> AuthRequired<String> {
        match self {
            Self::Required(required) => required,
            other => panic!("not AUTH-REQUIRED: {other:?}"),
        }
    }

    pub fn unauthenticated(self) -> String {
        match self {
            Self::Unauthenticated(body) => body,
            other => panic!("not UNAUTHENTICATED: {other:?}"),
        }
    }

    pub fn fatal(self) -> Fatal {
        match self {
            Self::Fatal(fatal) => fatal,
            other => panic!("not fatal: {other:?}"),
        }
    }
}

pub fn origin(text: &str) -> Origin {
    Origin::parse(text).expect("an origin")
}

pub fn realm(algorithm: Algorithm, scope: &str, name: &str) -> AuthRealm {
    AuthRealm {
        algorithm,
        auth_scope: AuthScope::parse(scope).expect("a scope"),
        name: RealmName::new(name).expect("a realm"),
    }
}

pub fn verifier(realm: &AuthRealm, user: &str, password: &str) -> J {
    let user = Username::prepare(user).expect("a user name");
    let password = Password::prepare(password).expect("a password");
    J::from_pi(realm.algorithm, &Pi::derive(realm, &user, &password)).expect("J")
}

pub fn credential(user: &str, password: &str) -> Credential {
    let user = Username::prepare(user).expect("a user name");
    Credential::password(user, Password::prepare(password).expect("a password"))
}

/// The field with its last hexadecimal digit changed.
pub fn spoil(field: &str) -> String {
    let end = field.rfind(|c: char| c.is_ascii_hexdigit()).expect("a hexadecimal digit");
    let digit = if &field[end..=end] == "0" { "1" } else { "0" };
    format!("{}{digit}{}", &field[..end], &field[end + 1..])
}

/// A pair whose answers to the kind of request are changed by `change`.
pub fn changed(kind: &'static str, change: impl Fn(&mut Wire) + 'static) -> Ended {
    let mut pair = Pair::new();
    pair.between(move |site, path, credentials, now| {
        let mut wire = site.serve(path, credentials, &Channel::Plain, now);
        if request_kind(credentials) == kind {
            change(&mut wire);
        }
        wire
    });
    pair.get("/")
}

/// Changes the first field of a response, which has to hold `from`.
pub fn replace(wire: &mut Wire, from: &str, to: &str) {
    assert!(wire.fields[0].1.contains(from), "{from} is not in {}", wire.fields[0].1);
    wire.fields[0].1 = wire.fields[0].1.replace(from, to);
}

/// `http://example.com` with the realm "a realm" on P-256.
pub fn config() -> ServerConfig {
    ServerConfig::new(origin("http://example.com"), realm(Algorithm::EcP256Sha256, "http://example.com", "a realm"))
}

impl Pair {
    /// The server of [`config`], with the user john, whose password is "secret", and who types it when asked.
    pub fn new() -> Self {
        Self::with(config(), Channel::Plain)
    }

    pub fn with(config: ServerConfig, channel: Channel) -> Self {
        let (origin, role) = (config.origin.clone(), config.role);
        let mut site = Site::new(config, 1);
        site.add_user("john", "secret");
        Self {
            client: Client::new(role),
            site,
            origin,
            now: Time::at(Duration::from_secs(1_000)),
            rng: ChaCha20Rng::seed_from_u64(2),
            typed: vec![("john", "secret")],
            server_channel: channel.clone(),
            channel,
            knows_channel: true,
            middle: None,
            log: Vec::new(),
            sent: Vec::new(),
            received: Vec::new(),
        }
    }

    pub fn role(&self) -> Role {
        self.site.server.config().role
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now = Time::at(self.now.since_epoch() + Duration::from_secs(seconds));
    }

    pub fn target(&self, path: &str) -> Target {
        let channel = self.knows_channel.then(|| self.channel.clone());
        Target { origin: self.origin.clone(), path: path.to_owned(), channel }
    }

    /// Puts somebody between.
    pub fn between(&mut self, middle: impl FnMut(&mut Site, &str, Option<&str>, Time) -> Wire + 'static) {
        self.middle = Some(Box::new(middle));
    }

    /// One request on the wire.
    pub fn exchange(&mut self, path: &str, credentials: Option<String>) -> Wire {
        self.log.push(request_kind(credentials.as_deref()));
        let wire = match &mut self.middle {
            Some(middle) => middle(&mut self.site, path, credentials.as_deref(), self.now),
            None => self.site.serve(path, credentials.as_deref(), &self.server_channel, self.now),
        };
        self.log.push(wire.kind());
        self.sent.push(credentials);
        self.received.push(wire.clone());
        wire
    }

    /// One request of the user, who types what is asked for as long as there is something in `typed`.
    pub fn get(&mut self, path: &str) -> Ended {
        let next = self.client.begin(&self.target(path), self.now).expect("a fitting channel");
        self.go_on(path, next)
    }

    pub fn go_on(&mut self, path: &str, next: Next) -> Ended {
        match self.run(path, next) {
            Ok(ended) => ended,
            Err(fatal) => Ended::Fatal(fatal),
        }
    }

    fn run(&mut self, path: &str, mut next: Next) -> Result<Ended, Fatal> {
        for _ in 0..10 {
            let mut sequence = next.run(&mut self.rng)?;
            let wire = self.exchange(path, sequence.field().map(|field| field.value));
            let fields: Vec<_> = wire.fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
            let response = Response::new(wire.status, fields, self.channel.clone(), wire.body.clone());
            next = match sequence.receive(&mut self.client, response, self.now)? {
                Step::Continue(next) => next,
                Step::Done(Outcome::AuthSucceed(proven)) => return Ok(Ended::Succeeded(proven)),
                Step::Done(Outcome::Unauthenticated(body)) => return Ok(Ended::Unauthenticated(body)),
                Step::Done(Outcome::AuthRequired(required)) if self.typed.is_empty() => {
                    return Ok(Ended::Required(required));
                }
                Step::Done(Outcome::AuthRequired(required)) => {
                    let (user, password) = self.typed.remove(0);
                    required.supply(credential(user, password)).0
                }
            };
        }
        panic!("the sequence does not end: {:?}", self.log);
    }

    /// The messages since the last call.
    pub fn take_log(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.log)
    }

    /// Logs in, and forgets what was exchanged so far.
    pub fn log_in(&mut self) {
        self.get("/").succeeded();
        self.log.clear();
        self.sent.clear();
        self.received.clear();
        self.site.faults.clear();
    }
}
