//! Back ends, users, and real exchanges on them.
#![allow(dead_code, unreachable_pub)] // Each test binary uses its part.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tagai_core::algorithm::Algorithm;
use tagai_core::client::{Client, Credential, Outcome, Response, Step, Target};
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::{J, Pi};
use tagai_core::message::{Role, Sid};
use tagai_core::realm::{AuthRealm, AuthScope, Origin, RealmName};
use tagai_core::server::{self, Server, ServerConfig, Session, Verdict, VfyRequest};
use tagai_core::time::Time;
use tagai_core::validation::Channel;
use tagai_store::memory::{MemoryPrincipals, MemorySessions, MemoryUsers};
use tagai_store::sealing::SealingKeys;
use tagai_store::sqlite::{SqliteSessions, SqliteStore};
use tagai_store::{
    AccountStore, Counts, CredentialStore, InvitationStore, NewUser, Owner, PrincipalStore, SessionLimits,
    SessionStore, UserStore,
};

/// The system's randomness.
pub fn rng() -> getrandom::rand_core::UnwrapErr<getrandom::SysRng> {
    getrandom::rand_core::UnwrapErr(getrandom::SysRng)
}

/// A kind of store.
pub trait Backend: Sized + Send + Sync + 'static {
    type Users: AccountStore + UserStore + InvitationStore;
    type Sessions: SessionStore;
    type Principals: PrincipalStore;

    fn with(limits: SessionLimits) -> Self;
    fn users(&self) -> &Self::Users;
    fn sessions(&self) -> &Self::Sessions;
    fn principals(&self) -> &Self::Principals;

    fn new() -> Self {
        Self::with(SessionLimits::default())
    }
}

pub struct Memory(MemoryUsers, MemorySessions, MemoryPrincipals);

impl Backend for Memory {
    type Users = MemoryUsers;
    type Sessions = MemorySessions;
    type Principals = MemoryPrincipals;

    fn with(limits: SessionLimits) -> Self {
        Self(MemoryUsers::new(), MemorySessions::new(limits), MemoryPrincipals::new())
    }

    fn users(&self) -> &MemoryUsers {
        &self.0
    }

    fn sessions(&self) -> &MemorySessions {
        &self.1
    }

    fn principals(&self) -> &MemoryPrincipals {
        &self.2
    }
}

pub struct Sqlite {
    users: SqliteStore,
    sessions: SqliteSessions,
    folder: tempfile::TempDir,
}

impl Sqlite {
    /// The database.
    pub fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("tagai.db")
    }
}

impl Backend for Sqlite {
    type Users = SqliteStore;
    type Sessions = SqliteSessions;
    type Principals = SqliteStore;

    fn with(limits: SessionLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let users = SqliteStore::open(folder.path().join("tagai.db"), keys()).unwrap();
        let sessions = users.sessions(limits).unwrap();
        Self { users, sessions, folder }
    }

    fn users(&self) -> &SqliteStore {
        &self.users
    }

    fn sessions(&self) -> &SqliteSessions {
        &self.sessions
    }

    fn principals(&self) -> &SqliteStore {
        &self.users
    }
}

/// New keys.
pub fn keys() -> SealingKeys {
    SealingKeys::parse(&SealingKeys::generate_line().unwrap()).unwrap()
}

pub fn at(seconds: u64) -> Time {
    Time::at(Duration::from_secs(1_800_000_000 + seconds))
}

pub fn name(text: &str) -> Username {
    Username::prepared(text).unwrap()
}

pub fn owner(last: u8) -> Owner {
    Owner::of(IpAddr::from([192, 0, 2, last]))
}

pub fn realm(algorithm: Algorithm, scope: &str, realm: &str) -> AuthRealm {
    AuthRealm { algorithm, auth_scope: AuthScope::parse(scope).unwrap(), name: RealmName::new(realm).unwrap() }
}

pub fn a_realm() -> AuthRealm {
    realm(Algorithm::EcP256Sha256, "http://example.com", "a realm")
}

/// The verifier of a password: the key stretching is left to the core's own tests.
pub fn verifier(realm: &AuthRealm, user: &Username) -> J {
    let password = Password::prepare("secret").unwrap();
    J::from_pi(realm.algorithm, &Pi::derive(realm, user, &password)).unwrap()
}

pub fn add(users: &impl UserStore, realm: &AuthRealm, user: &str) -> J {
    let (name, verifier) = (name(user), verifier(realm, &name(user)));
    users.add(&NewUser { realm, name: &name, verifier: &verifier }).unwrap();
    verifier
}

/// A server with its origin and the realm "a realm", whose sessions live so long.
pub fn server(origin: &str, live: u64) -> Server {
    let origin = Origin::parse(origin).unwrap();
    let realm = realm(Algorithm::EcP256Sha256, &origin.to_string(), "a realm");
    let config = ServerConfig { time: Duration::from_secs(live), ..ServerConfig::new(origin, realm) };
    Server::new(config, &mut rng()).unwrap()
}

/// A site: a server with what it keeps.
pub struct Site<B> {
    pub server: Server,
    pub store: Arc<B>,
}

/// What a response says.
pub struct Answer {
    pub status: u16,
    field: (&'static str, String),
}

impl Answer {
    pub fn stale(&self) -> bool {
        self.field.1.contains("reason=stale-session")
    }

    pub fn refused(&self) -> bool {
        self.field.1.contains("reason=auth-failed")
    }
}

impl<B: Backend> Site<B> {
    /// `http://example.com` with the user john.
    pub fn new(limits: SessionLimits) -> Self {
        let site = Self { server: server("http://example.com", 600), store: Arc::new(B::with(limits)) };
        add(site.store.users(), &site.server.config().realm, "john");
        site
    }

    pub fn sessions(&self) -> &B::Sessions {
        self.store.sessions()
    }

    pub async fn counts(&self) -> (usize, usize) {
        let Counts { half_open, established } = self.sessions().counts().await.unwrap();
        (half_open, established)
    }

    pub async fn answer(&self, credentials: Option<&str>, from: Owner, now: Time) -> Answer {
        let lines = credentials.iter().map(|value| value.as_bytes());
        let reply =
            |reply: server::Reply| Answer { status: reply.status, field: (reply.field.name, reply.field.value) };
        match self.server.receive(lines, &Channel::Plain).unwrap() {
            server::Step::Invite(invitation) => reply(invitation.reply()),
            server::Step::Refuse(refusal) => reply(refusal.reply()),
            server::Step::NeedCredential(request) => {
                let realm = &self.server.config().realm;
                let user = request.user().unwrap().clone();
                let j = self.store.users().verifier(realm, &user, self.server.decoy()).await.unwrap();
                let (session, answer) = request.answer(j.as_ref(), &mut rng(), now).unwrap();
                self.sessions().insert(&self.server, session, from, now).await.unwrap();
                reply(answer)
            }
            server::Step::NeedSession(request) => match self.verify(request, now).await {
                Verdict::Accepted(accepted) => {
                    Answer { status: 200, field: (accepted.proof.name, accepted.proof.value) }
                }
                Verdict::Rejected(refusal) => reply(refusal.reply()),
                Verdict::Stale(stale) => reply(stale.reply()),
            },
        }
    }

    pub async fn verify(&self, request: VfyRequest, now: Time) -> Verdict {
        let sid = request.sid().clone();
        let verify = move |session: Option<Session>| match session {
            None => (None, request.no_session()),
            Some(session) => {
                let (session, verdict) = session.verify(&request, now);
                (Some(session), verdict)
            }
        };
        self.sessions().update(&self.server, &sid, now, verify).await.unwrap()
    }

    /// A session that nobody has proven anything in.
    pub async fn half_open(&self, user: &str, from: Owner, now: Time) -> Sid {
        let mut browser = Browser::new(&self.server, user, "secret");
        browser.begin(self, from, now).await;
        browser.sid()
    }

    /// A session in which the user has logged in.
    pub async fn established(&self, user: &str, now: Time) -> Browser {
        let mut browser = Browser::new(&self.server, user, "secret");
        assert_eq!(browser.get(self, owner(1), now).await, 200);
        browser
    }

    /// Whether the session is there; it is not changed, but counts as used.
    pub async fn has(&self, sid: &Sid, now: Time) -> bool {
        self.sessions()
            .update(&self.server, sid, now, |session| {
                let there = session.is_some();
                (session, there)
            })
            .await
            .unwrap()
    }
}

/// A real client.
pub struct Browser {
    client: Client,
    target: Target,
    typed: (String, String),
    /// The credentials that were sent.
    pub sent: Vec<String>,
}

impl Browser {
    pub fn new(server: &Server, user: &str, password: &str) -> Self {
        let origin = server.config().origin.clone();
        Self {
            client: Client::new(Role::OriginServer),
            target: Target { origin, path: "/".into(), channel: Some(Channel::Plain) },
            typed: (user.into(), password.into()),
            sent: Vec::new(),
        }
    }

    /// One request, with a login if need be. The status of the last answer.
    pub async fn get<B: Backend>(&mut self, site: &Site<B>, from: Owner, now: Time) -> u16 {
        self.run(site, from, now, false).await
    }

    /// The key exchange alone.
    pub async fn begin<B: Backend>(&mut self, site: &Site<B>, from: Owner, now: Time) {
        self.run(site, from, now, true).await;
    }

    async fn run<B: Backend>(&mut self, site: &Site<B>, from: Owner, now: Time, stop: bool) -> u16 {
        let mut typed = Some(self.typed.clone());
        let mut next = self.client.begin(&self.target, now).unwrap();
        loop {
            let mut sequence = next.run(&mut rng()).unwrap();
            let credentials = sequence.field().map(|field| field.value);
            let answer = site.answer(credentials.as_deref(), from, now).await;
            let exchanged = credentials.as_deref().is_some_and(|value| value.contains("kc1="));
            self.sent.extend(credentials);
            let (name, value) = &answer.field;
            let response = Response::new(answer.status, [(*name, value.as_bytes())], Channel::Plain, ());
            next = match sequence.receive(&mut self.client, response, now).unwrap() {
                Step::Continue(next) => next,
                Step::Done(Outcome::AuthRequired(asked)) => match typed.take() {
                    None => return answer.status,
                    Some((user, password)) => {
                        let password = Password::prepare(&password).unwrap();
                        asked.supply(Credential::password(name_of(&user), password)).0
                    }
                },
                Step::Done(_) => return answer.status,
            };
            if stop && exchanged {
                // The client computes its proof, and it is not sent.
                let mut sequence = next.run(&mut rng()).unwrap();
                self.sent.extend(sequence.field().map(|field| field.value));
                return answer.status;
            }
        }
    }

    /// The last credentials that were made.
    pub fn last(&self) -> &str {
        self.sent.last().unwrap()
    }

    /// The session of the last credentials.
    pub fn sid(&self) -> Sid {
        let sid = self.last().split("sid=").nth(1).unwrap().split(',').next().unwrap();
        let octets: Vec<u8> =
            (0..sid.len()).step_by(2).map(|at| u8::from_str_radix(&sid[at..at + 2], 16).unwrap()).collect();
        Sid::from_octets(&octets).unwrap()
    }
}

fn name_of(user: &str) -> Username {
    name(user)
}
