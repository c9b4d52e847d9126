//! What the benchmarks share: a server with one user, and the other end of that user's logins.
//!
//! Both ends are the public API of `tagai-core` and speak in header fields, as programs do. There is no network and no
//! database.

pub mod load;
pub mod memory;
pub mod welch;

use std::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng as _;
use tagai_core::algorithm::Algorithm;
use tagai_core::client::{Client, Credential, Next, Outcome, Response, Step, Target};
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::{J, Pi};
use tagai_core::message::Role;
use tagai_core::realm::{AuthRealm, AuthScope, Origin, RealmName};
use tagai_core::server::{self, Accepted, KexRequest, Reply, Server, ServerConfig, Session, Verdict, VfyRequest};
use tagai_core::time::Time;
use tagai_core::validation::{Channel, Exporter, HostValidation};

/// How many different logins are prepared and then taken in turn, so that no measurement runs over one set of secrets.
pub const PREPARED: usize = 16;

/// The user's name.
const USER: &str = "user@example.org";
/// The server.
const ORIGIN: &str = "https://www.example.org";

/// The connection of all requests. Its `vh` has 32 octets, as that of a certificate signed with SHA-256.
const CHANNEL: Channel = Channel::Exporter(Exporter([7; 32]));

/// The realm of the benchmarks.
///
/// # Panics
/// Never: its parts are constant.
#[must_use]
pub fn realm(algorithm: Algorithm) -> AuthRealm {
    AuthRealm {
        algorithm,
        auth_scope: AuthScope::parse(ORIGIN).expect("a scope"),
        name: RealmName::new("members").expect("a realm's name"),
    }
}

/// The `vh` of all requests.
///
/// # Panics
/// Never: its parts are constant.
#[must_use]
pub fn host_validation() -> HostValidation {
    HostValidation::new(&origin(), &CHANNEL).expect("TLS for https")
}

/// `pi` of the user with a password.
///
/// # Panics
/// If `password` is no password.
#[must_use]
pub fn derive_pi(algorithm: Algorithm, password: &str) -> Pi {
    let username = Username::prepare(USER).expect("a user name");
    Pi::derive(&realm(algorithm), &username, &Password::prepare(password).expect("a password"))
}

/// A generator with a known seed: what `rand` calls its standard one.
#[must_use]
pub fn rng(seed: u64) -> ChaCha12Rng {
    ChaCha12Rng::seed_from_u64(seed)
}

fn origin() -> Origin {
    Origin::parse(ORIGIN).expect("an origin")
}

/// A server with one registered user.
pub struct LoginServer {
    server: Server,
    /// The user's verifier as a database keeps it.
    affine: Vec<u8>,
}

/// The user's end.
pub struct User {
    client: Client,
    target: Target,
    now: Time,
    rng: ChaCha12Rng,
}

/// One login as the server sees it.
pub struct Login {
    /// What the server's generator is seeded with: `vfy` answers what it makes of that.
    pub seed: u64,
    /// When it happens.
    pub now: Time,
    /// The value of the field with req-KEX-C1.
    pub kex: String,
    /// The value of the field with req-VFY-C.
    pub vfy: String,
}

impl LoginServer {
    /// Registers the user. Gives the server and the user.
    ///
    /// # Panics
    /// If the core refuses what is right.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> (Self, User) {
        let (realm, mut rng) = (realm(algorithm), rng(0));
        let password = "correct horse battery staple";
        let pi = derive_pi(algorithm, password);
        let affine = J::from_pi(algorithm, &pi).expect("J").expose_affine().to_vec();
        let server = Server::new(ServerConfig::new(origin(), realm.clone()), &mut rng).expect("a server");

        let mut client = Client::new(Role::OriginServer);
        let credential = Credential::pi(Username::prepare(USER).expect("a user name"), pi);
        client.remember(&realm, &origin(), CHANNEL.method(), credential).expect("the scope is the server");
        let target = Target { origin: origin(), path: "/".into(), channel: Some(CHANNEL) };
        (Self { server, affine }, User { client, target, now: Time::default(), rng })
    }

    /// The user's verifier, loaded from the database's octets.
    ///
    /// # Panics
    /// Never: the octets are those of a verifier.
    #[must_use]
    pub fn verifier(&self) -> J {
        J::from_affine(self.server.config().realm.algorithm, &self.affine).expect("J")
    }

    /// Reads a req-KEX-C1 field.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn read_kex(&self, field: &str) -> KexRequest {
        match self.server.receive([field.as_bytes()], &CHANNEL).expect("TLS for https") {
            server::Step::NeedCredential(request) => request,
            other => panic!("not req-KEX-C1: {other:?}"),
        }
    }

    /// Reads a req-VFY-C field.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn read_vfy(&self, field: &str) -> VfyRequest {
        match self.server.receive([field.as_bytes()], &CHANNEL).expect("TLS for https") {
            server::Step::NeedSession(request) => request,
            other => panic!("not req-VFY-C: {other:?}"),
        }
    }

    /// The server's work of the key exchange, from field to field.
    ///
    /// # Panics
    /// If the core refuses what is right.
    #[must_use]
    pub fn exchange(&self, kex: &str, seed: u64, now: Time) -> (Session, Reply) {
        self.read_kex(kex).answer(Some(&self.verifier()), &mut rng(seed), now).expect("K_c1 is acceptable")
    }

    /// The server's work of one request in a session, from field to field.
    ///
    /// # Panics
    /// If the proof is not accepted.
    #[must_use]
    pub fn request(&self, session: Session, vfy: &str, now: Time) -> (Session, Accepted) {
        match session.verify(&self.read_vfy(vfy), now) {
            (session, Verdict::Accepted(accepted)) => (session, accepted),
            (_, other) => panic!("not accepted: {other:?}"),
        }
    }

    /// The server's work of one login: the whole of it, without network and database.
    #[must_use]
    pub fn login(&self, login: &Login) -> (Session, Reply, Accepted) {
        let (session, reply) = self.exchange(&login.kex, login.seed, login.now);
        let (session, accepted) = self.request(session, &login.vfy, login.now);
        (session, reply, accepted)
    }
}

impl User {
    /// Logs in anew, with a key exchange. Gives the login, and the session that the server has of it.
    ///
    /// # Panics
    /// If one end refuses the other.
    pub fn login(&mut self, server: &LoginServer, seed: u64) -> (Login, Session) {
        // The session of the last login is over by then, so that the client begins with a key exchange.
        self.now = Time::at(self.now.since_epoch() + Duration::from_secs(1000));
        let now = self.now;
        let mut sequence = self.begin().run(&mut self.rng).expect("K_c1");
        let kex = sequence.field().expect("credentials").value;
        let (session, reply) = server.exchange(&kex, seed, now);
        let fields = [(reply.field.name, reply.field.value.as_bytes())];
        let response = Response::new(reply.status, fields, CHANNEL, ());
        let Step::Continue(next) = sequence.receive(&mut self.client, response, now).expect("401-KEX-S1") else {
            panic!("the client ends after 401-KEX-S1");
        };

        let mut sequence = next.run(&mut self.rng).expect("K_s1 is acceptable");
        let vfy = sequence.field().expect("credentials").value;
        let (session, accepted) = server.request(session, &vfy, now);
        let response = Response::new(200, [(accepted.proof.name, accepted.proof.value.as_bytes())], CHANNEL, ());
        match sequence.receive(&mut self.client, response, now).expect("200-VFY-S") {
            Step::Done(Outcome::AuthSucceed(_)) => (Login { seed, now, kex, vfy }, session),
            other => panic!("the server is not proven: {other:?}"),
        }
    }

    /// [`PREPARED`] logins.
    pub fn prepare(&mut self, server: &LoginServer) -> Vec<Login> {
        (0..PREPARED as u64).map(|seed| self.login(server, seed).0).collect()
    }

    /// The req-VFY-C field of another request in the session of the last login.
    ///
    /// # Panics
    /// If there was no login.
    pub fn request(&mut self) -> String {
        match self.begin() {
            Next::Send(mut sequence) => sequence.field().expect("a session").value,
            Next::Compute(_) => panic!("the session is over"),
        }
    }

    /// The time of the last login.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    fn begin(&mut self) -> Next {
        self.client.begin(&self.target, self.now).expect("TLS for https")
    }
}
