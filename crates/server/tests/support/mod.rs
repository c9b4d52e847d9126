//! A site behind the layer, and a browser that asks it, without a socket between them.
#![allow(unreachable_pub, reason = "this module belongs to a program of tests")]

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response, StatusCode};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tagai_core::algorithm::Algorithm;
use tagai_core::client::{AuthRequired, Client, Credential, Fatal, Outcome, Proven, Step, Target};
use tagai_core::control::AuthControl;
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::{J, Pi};
use tagai_core::message::Role;
use tagai_core::realm::{AuthRealm, AuthScope, Origin, RealmName};
use tagai_core::server::ServerConfig;
use tagai_core::validation::Channel;
use tagai_server::store::memory::{MemorySessions, MemoryUsers};
use tagai_server::store::{NewUser, SessionLimits, SessionStore as _, UserStore as _};
use tagai_server::{
    AuthenticatedUser, Clock, Connection, Event, Guard, GuardConfig, Mutual, MutualBuilder, MutualLayer, Observer,
};
use tower::{Layer as _, ServiceExt as _, service_fn};

/// One of the addresses for documentation.
pub fn address(last: u8) -> IpAddr {
    [192, 0, 2, last].into()
}

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Observer for Log {
    fn observe(&self, _: &ServerConfig, _: IpAddr, event: &Event<'_>) {
        let name = |user: &Option<&Username>| user.map_or("-".to_owned(), ToString::to_string);
        self.0.lock().unwrap().push(match event {
            Event::KeyExchanged { user, .. } => format!("exchanged {}", name(user)),
            Event::LoggedIn { user, .. } => format!("logged in {user}"),
            Event::LoggedOut { user, .. } => format!("logged out {user}"),
            Event::Refused { user, reason, fault, .. } => {
                format!("refused {:?} {reason}: {fault}", user.map(Username::as_str))
            }
            Event::Stale { fault, .. } => format!("stale: {fault}"),
            Event::Slowed { user, delay } => format!("slowed {} {delay:?}", name(user)),
            Event::StoreFailed { error } => format!("store failed: {error}"),
            Event::Misconfigured { problem } => format!("misconfigured: {problem}"),
            other => format!("{other:?}"),
        });
    }
}

#[derive(Default)]
struct Seen {
    reached: AtomicUsize,
    credentials: AtomicUsize,
    last_user: Mutex<Option<AuthenticatedUser>>,
}

#[derive(Clone)]
pub struct Site {
    pub mutual: Mutual<MemoryUsers, MemorySessions>,
    pub clock: Clock,
    optional: bool,
    control: Option<AuthControl>,
    builder: MutualBuilder<MemoryUsers, MemorySessions>,
    users: Arc<MemoryUsers>,
    sessions: Arc<MemorySessions>,
    log: Arc<Log>,
    seen: Arc<Seen>,
}

pub fn verifier(realm: &AuthRealm, user: &str, password: &str) -> J {
    let (user, password) = (Username::prepare(user).unwrap(), Password::prepare(password).unwrap());
    J::from_pi(realm.algorithm, &Pi::derive(realm, &user, &password)).unwrap()
}

impl Site {
    pub fn new() -> Self {
        Self::with_guard(GuardConfig::default())
    }

    pub fn with_guard(guard: GuardConfig) -> Self {
        let origin = Origin::parse("http://example.com").unwrap();
        let realm = AuthRealm {
            algorithm: Algorithm::EcP256Sha256,
            auth_scope: AuthScope::SingleServer(origin.clone()),
            name: RealmName::new("a realm").unwrap(),
        };
        Self::of(ServerConfig::new(origin, realm), guard)
    }

    pub fn of(config: ServerConfig, guard: GuardConfig) -> Self {
        let users = Arc::new(MemoryUsers::new());
        let sessions = Arc::new(MemorySessions::new(SessionLimits::default()));
        let (log, clock) = (Arc::new(Log::default()), Clock::manual());
        let builder = MutualBuilder::new(Arc::clone(&users), Arc::clone(&sessions))
            .guard(Arc::new(Guard::new(guard)))
            .clock(clock.clone())
            .observer(Arc::clone(&log) as Arc<dyn Observer>);
        let mutual = builder.build(config).unwrap();
        let seen = Arc::new(Seen::default());
        let site = Self { mutual, clock, optional: false, control: None, builder, users, sessions, log, seen };
        for user in ["john", "disabled"] {
            site.add(user, "secret");
        }
        let disabled = Username::prepare("disabled").unwrap();
        site.users.set_disabled(&site.mutual.config().realm, &disabled, true).unwrap();
        site
    }

    /// Guests are served.
    pub fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// Every response has these wishes.
    pub fn control(self, control: AuthControl) -> Self {
        Self { control: Some(control), ..self }
    }

    /// The same site with another realm or server, on the same stores.
    pub fn clone_for(&self, config: ServerConfig) -> Self {
        Self { mutual: self.builder.build(config).unwrap(), ..self.clone() }
    }

    fn add(&self, user: &str, password: &str) {
        let realm = &self.mutual.config().realm;
        let verifier = verifier(realm, user, password);
        let name = Username::prepare(user).unwrap();
        self.users.add(&NewUser { realm, name: &name, verifier: &verifier }).unwrap();
    }

    pub fn set_password(&self, user: &str, password: &str) {
        let realm = &self.mutual.config().realm;
        let verifier = verifier(realm, user, password);
        let name = Username::prepare(user).unwrap();
        self.users.set_verifier(&NewUser { realm, name: &name, verifier: &verifier }).unwrap();
    }

    pub async fn disable(&self, user: &str) {
        let (realm, name) = (&self.mutual.config().realm, Username::prepare(user).unwrap());
        self.users.set_disabled(realm, &name, true).unwrap();
        assert_eq!(self.sessions.end_user(realm, &name).await.unwrap(), 1);
    }

    pub fn browser(&self) -> Browser {
        let client = Client::new(Role::OriginServer);
        Browser { client, site: self.clone(), responses: Vec::new(), sent: Vec::new(), lie: None, taken: 0 }
    }

    pub fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.0.lock().unwrap())
    }

    /// How often the service itself was reached.
    pub fn reached(&self) -> usize {
        self.seen.reached.load(Ordering::SeqCst)
    }

    /// How many requests reached the service with credentials.
    pub fn credentials_seen(&self) -> usize {
        self.seen.credentials.load(Ordering::SeqCst)
    }

    pub fn last_user(&self) -> Option<AuthenticatedUser> {
        self.seen.last_user.lock().unwrap().clone()
    }

    pub async fn call_with(&self, path: &str, change: impl FnOnce(&mut Request<String>)) -> Response<String> {
        let mut request = Request::new(String::new());
        *request.uri_mut() = path.parse().unwrap();
        request.extensions_mut().insert(Connection { channel: Channel::Plain, address: address(1) });
        change(&mut request);
        let mut layer = MutualLayer::new(self.mutual.clone());
        if self.optional {
            layer = layer.optional();
        }
        if let Some(control) = &self.control {
            layer = layer.control(control);
        }
        let credentials = request.headers().get_all(AUTHORIZATION).iter().cloned().collect::<Vec<_>>();
        let site = self.clone();
        let service = service_fn(move |request: Request<String>| {
            let (site, credentials) = (site.clone(), credentials.clone());
            async move { Ok::<_, Infallible>(site.application(&request, &credentials).await) }
        });
        layer.layer(service).oneshot(request).await.unwrap()
    }

    async fn application(&self, request: &Request<String>, credentials: &[http::HeaderValue]) -> Response<String> {
        self.seen.reached.fetch_add(1, Ordering::SeqCst);
        if request.headers().contains_key(AUTHORIZATION) {
            self.seen.credentials.fetch_add(1, Ordering::SeqCst);
        }
        let user = request.extensions().get::<AuthenticatedUser>();
        *self.seen.last_user.lock().unwrap() = user.cloned();
        let name = user.map_or("guest".to_owned(), |user| user.name().to_string());
        let mut response = Response::new(format!("hello {name}"));
        let fields = response.headers_mut();
        match request.uri().path() {
            "/unauthorized" => {
                fields.insert("www-authenticate", "Basic realm=\"inner\"".parse().unwrap());
                *response.status_mut() = StatusCode::UNAUTHORIZED;
            }
            "/forged" => {
                fields.insert("authentication-info", "version=1, sid=00, vks=00".parse().unwrap());
                fields
                    .insert("authentication-control", "Mutual realm=\"a realm\", logout-timeout=0".parse().unwrap());
            }
            "/logout" => {
                let mut fields = HeaderMap::new();
                fields.extend(credentials.iter().map(|value| (AUTHORIZATION, value.clone())));
                let connection = Connection { channel: Channel::Plain, address: address(1) };
                self.mutual.log_out(&fields, &connection).await.unwrap();
            }
            _ => {}
        }
        response
    }
}

/// What the browser may show.
#[derive(Debug, Clone)]
pub struct Page {
    pub status: u16,
    pub fields: HeaderMap,
    pub body: String,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum Ended {
    Outcome(Outcome<Page>),
    Fatal(Fatal),
}

impl Ended {
    #[track_caller]
    pub fn succeeded(self) -> Proven<Page> {
        match self {
            Self::Outcome(Outcome::AuthSucceed(proven)) => proven,
            ended => panic!("{ended:?}"),
        }
    }

    #[track_caller]
    pub fn required(self) -> AuthRequired<Page> {
        match self {
            Self::Outcome(Outcome::AuthRequired(required)) => required,
            ended => panic!("{ended:?}"),
        }
    }
}

pub struct Browser {
    pub client: Client,
    pub site: Site,
    /// Status and fields of every response.
    pub responses: Vec<(u16, HeaderMap)>,
    pub sent: Vec<Option<String>>,
    /// The status that the site's answers are changed to.
    pub lie: Option<u16>,
    taken: usize,
}

impl Browser {
    /// GETs a page; the user types this if asked.
    pub async fn get(&mut self, path: &str, mut typed: Option<(&str, &str)>) -> Ended {
        let mut rng = UnwrapErr(SysRng);
        let origin = self.site.mutual.config().origin.clone();
        let target = Target { origin, path: path.into(), channel: Some(Channel::Plain) };
        let mut next = self.client.begin(&target, self.site.clock.now()).unwrap();
        loop {
            let mut sequence = match next.run(&mut rng) {
                Ok(sequence) => sequence,
                Err(fatal) => return Ended::Fatal(fatal),
            };
            let field = sequence.field().map(|field| field.value);
            self.sent.push(field.clone());
            let response = self.site.call_with(path, |request| {
                if let Some(field) = field {
                    request.headers_mut().insert(AUTHORIZATION, field.parse().unwrap());
                }
            });
            let response = response.await;
            let status = self.lie.unwrap_or(response.status().as_u16());
            self.responses.push((status, response.headers().clone()));
            let page = Page { status, fields: response.headers().clone(), body: response.into_body() };
            let fields: Vec<_> =
                page.fields.clone().into_iter().map(|(name, value)| (name.unwrap(), value)).collect();
            let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            let response = tagai_core::client::Response::new(status, fields, Channel::Plain, page);
            next = match sequence.receive(&mut self.client, response, self.site.clock.now()) {
                Err(fatal) => return Ended::Fatal(fatal),
                Ok(Step::Continue(next)) => next,
                Ok(Step::Done(Outcome::AuthRequired(required))) => match typed.take() {
                    None => return Ended::Outcome(Outcome::AuthRequired(required)),
                    Some((user, password)) => {
                        let (user, password) =
                            (Username::prepare(user).unwrap(), Password::prepare(password).unwrap());
                        required.supply(Credential::password(user, password)).0
                    }
                },
                Ok(Step::Done(outcome)) => return Ended::Outcome(outcome),
            };
        }
    }

    /// The statuses since the last time.
    pub fn take_statuses(&mut self) -> Vec<u16> {
        let new = self.responses[self.taken..].iter().map(|(status, _)| *status).collect();
        self.taken = self.responses.len();
        new
    }
}

/// Fields with everything random taken out, but its length.
pub fn shape(fields: &HeaderMap) -> Vec<String> {
    let hide = |text: &str| {
        let parts = text.split(", ").map(|part| match part.split_once('=') {
            Some((name @ ("sid" | "ks1" | "vks"), value)) => format!("{name}=({} digits)", value.len()),
            _ => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join(", ")
    };
    fields.iter().map(|(name, value)| format!("{name}: {}", hide(value.to_str().unwrap()))).collect()
}
