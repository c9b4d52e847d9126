//! A realm that takes passwords, and a store that can be looked at and held up.
#![allow(unreachable_pub, dead_code, reason = "this module belongs to programs of tests")]

use base64ct::{Base64, Encoding as _};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tagai_core::algorithm::Algorithm;
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::{J, Pi};
use tagai_core::realm::{AuthRealm, AuthScope, Origin, RealmName};
use tagai_core::server::ServerConfig;
use tagai_core::validation::{Channel, Exporter};
use tagai_server::store::memory::{MemorySessions, MemoryUsers};
use tagai_server::store::{CredentialStore, NewUser, SessionLimits, StoreError, UserStore as _};
use tagai_server::{
    Answer, BasicDecision, Clock, Connection, Event, Guard, GuardConfig, MutualBuilder, Observer, PasswordLimits,
    PasswordTls, PasswordUser, Passwords,
};
use tokio::sync::Semaphore;

/// Users in memory. Each look-up is counted, and may be made to wait or to fail.
pub struct Users {
    users: MemoryUsers,
    lookups: AtomicUsize,
    /// The verifier is read, and not given out until there is a permit.
    pub hold: Mutex<Option<Arc<Semaphore>>>,
    pub broken: Mutex<bool>,
    foreign: Mutex<Option<J>>,
}

impl CredentialStore for Users {
    async fn verifier(&self, realm: &AuthRealm, user: &Username, decoy: &[u8]) -> Result<Option<J>, StoreError> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        if *self.broken.lock().unwrap() {
            return Err(StoreError::Unavailable("the disk is on fire".into()));
        }
        let foreign = self.foreign.lock().unwrap().as_ref().map(|j| J::from_affine(j.algorithm(), j.expose_affine()));
        let found = match foreign {
            Some(foreign) => Ok(foreign.ok()),
            None => self.users.verifier(realm, user, decoy).await,
        };
        let hold = self.hold.lock().unwrap().clone();
        if let Some(hold) = hold {
            hold.acquire().await.unwrap().forget();
        }
        found
    }
}

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Observer for Log {
    fn observe(&self, _: &ServerConfig, _: IpAddr, event: &Event<'_>) {
        let name = |user: &Option<&Username>| user.map_or("-".to_owned(), ToString::to_string);
        self.0.lock().unwrap().push(match event {
            Event::PasswordAccepted { user, again } => {
                format!("accepted {user}{}", if *again { " again" } else { "" })
            }
            Event::PasswordRefused { user, fault } => format!("refused {}: {fault}", name(user)),
            Event::Slowed { user, delay } => format!("slowed {} {delay:?}", name(user)),
            other => format!("{other:?}"),
        });
    }
}

/// A realm that takes passwords over TLS.
#[derive(Clone)]
pub struct Desk {
    pub tls: PasswordTls<Users>,
    pub builder: MutualBuilder<Users, MemorySessions>,
    pub passwords: Arc<Passwords>,
    pub users: Arc<Users>,
    pub clock: Clock,
    log: Arc<Log>,
}

pub fn config() -> ServerConfig {
    let origin = Origin::parse("https://example.com").unwrap();
    let realm = AuthRealm {
        algorithm: Algorithm::EcP256Sha256,
        auth_scope: AuthScope::SingleServer(origin.clone()),
        name: RealmName::new("a realm").unwrap(),
    };
    ServerConfig::new(origin, realm)
}

pub fn channel() -> Channel {
    Channel::Exporter(Exporter([7; 32]))
}

/// A TLS connection from one of the addresses for documentation.
pub fn from(last: u8) -> Connection {
    Connection { channel: channel(), address: [192, 0, 2, last].into() }
}

/// The field that a browser sends.
pub fn basic(user: &str, password: &str) -> HeaderMap {
    let token = Base64::encode_string(format!("{user}:{password}").as_bytes());
    let mut fields = HeaderMap::new();
    fields.insert(AUTHORIZATION, format!("Basic {token}").parse().unwrap());
    fields
}

#[track_caller]
pub fn answer(decision: BasicDecision) -> Answer {
    match decision {
        BasicDecision::Answer(answer) => answer,
        other => panic!("{other:?}"),
    }
}

impl Desk {
    pub fn new() -> Self {
        Self::with_guard(GuardConfig::default())
    }

    pub fn with_guard(guard: GuardConfig) -> Self {
        Self::of(config(), guard, PasswordLimits::default())
    }

    /// The users `john` and `disabled` have the password `secret`.
    pub fn of(config: ServerConfig, guard: GuardConfig, limits: PasswordLimits) -> Self {
        let users = Arc::new(Users {
            users: MemoryUsers::new(),
            lookups: AtomicUsize::new(0),
            hold: Mutex::new(None),
            broken: Mutex::new(false),
            foreign: Mutex::new(None),
        });
        let sessions = Arc::new(MemorySessions::new(SessionLimits::default()));
        let (log, clock, passwords) = (Arc::new(Log::default()), Clock::manual(), Arc::new(Passwords::new(limits)));
        let builder = MutualBuilder::new(Arc::clone(&users), sessions)
            .guard(Arc::new(Guard::new(guard)))
            .passwords(Arc::clone(&passwords))
            .clock(clock.clone())
            .observer(Arc::clone(&log) as Arc<dyn Observer>);
        let tls = builder.password_tls(config).unwrap();
        let desk = Self { tls, builder, passwords, users, clock, log };
        desk.add("john", "secret");
        desk.add("disabled", "secret");
        desk.disable("disabled");
        desk
    }

    fn realm(&self) -> &AuthRealm {
        &self.tls.config().realm
    }

    fn verifier(&self, user: &str, password: &str, algorithm: Algorithm) -> (Username, J) {
        let realm = AuthRealm { algorithm, ..self.realm().clone() };
        let (name, password) = (Username::prepare(user).unwrap(), Password::prepare(password).unwrap());
        let j = J::from_pi(algorithm, &Pi::derive(&realm, &name, &password)).unwrap();
        (name, j)
    }

    pub fn add(&self, user: &str, password: &str) {
        let (name, verifier) = self.verifier(user, password, self.realm().algorithm);
        self.users.users.add(&NewUser { realm: self.realm(), name: &name, verifier: &verifier }).unwrap();
    }

    pub fn set_password(&self, user: &str, password: &str) {
        let (name, verifier) = self.verifier(user, password, self.realm().algorithm);
        self.users.users.set_verifier(&NewUser { realm: self.realm(), name: &name, verifier: &verifier }).unwrap();
    }

    /// The store gives everybody a verifier that belongs to another algorithm.
    pub fn set_foreign_verifier(&self, user: &str, password: &str, algorithm: Algorithm) {
        *self.users.foreign.lock().unwrap() = Some(self.verifier(user, password, algorithm).1);
    }

    pub fn disable(&self, user: &str) {
        self.users.users.set_disabled(self.realm(), &Username::prepare(user).unwrap(), true).unwrap();
    }

    pub fn forget(&self, user: &str) {
        self.tls.forget_user(self.realm(), &Username::prepare(user).unwrap());
    }

    /// How often the store was asked for a verifier.
    pub fn lookups(&self) -> usize {
        self.users.lookups.load(Ordering::SeqCst)
    }

    pub fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.0.lock().unwrap())
    }

    pub async fn proven(&self, user: &str, password: &str, address: u8) -> PasswordUser {
        match self.tls.authenticate(&basic(user, password), &from(address)).await {
            BasicDecision::Proven(user) => user,
            other => panic!("{user}: {other:?}"),
        }
    }

    pub async fn refused(&self, user: &str, password: &str, address: u8) -> Answer {
        answer(self.tls.authenticate(&basic(user, password), &from(address)).await)
    }
}
