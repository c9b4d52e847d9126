//! A browser in front of a server of tagai-core: what the background page does with an engine, without a browser.

#![allow(dead_code, unreachable_pub, reason = "each test file uses what it needs")]

#[path = "../../../core/tests/support/pair.rs"]
mod pair;

#[allow(unused_imports, reason = "each test file uses what it needs")]
pub use pair::{Access, Site, Wire, origin, realm, replace, spoil};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use std::time::Duration;
use tagai_core::algorithm::Algorithm;
use tagai_core::server::ServerConfig;
use tagai_core::time::Time;
use tagai_core::validation::Channel;
use tagai_wasm::{Engine, Head, Received, Send, Sends, Typed};
use zeroize::Zeroizing;

pub const CONTEXT: &str = "firefox-default";
pub const PLAIN: &str = "http://example.com";
pub const TLS: &str = "https://example.com";

/// A certificate, and another.
pub const CERTIFICATE: &[u8] = include_bytes!("../../../core/tests/certificates/ecdsa-sha256.der");
pub const OTHER_CERTIFICATE: &[u8] = include_bytes!("../../../core/tests/certificates/rsa-sha256.der");
pub const ED25519: &[u8] = include_bytes!("../../../core/tests/certificates/ed25519.der");

/// The parts of the realm that [`browser`] logs in to.
pub const REALM: (&str, &str, &str) = ("a realm", PLAIN, "iso-kam3-ec-p256-sha256");
pub const TLS_REALM: (&str, &str, &str) = ("a realm", TLS, "iso-kam3-ec-p256-sha256");

pub fn typed(user: &str, password: &str) -> Typed {
    Typed { user: user.to_owned(), password: Zeroizing::new(password.as_bytes().to_vec()) }
}

pub struct Browser {
    pub engine: Engine,
    pub site: Site,
    pub origin: &'static str,
    pub now: Time,
    pub rng: ChaCha20Rng,
    /// The certificate that the browser sees, and the one that the server has.
    pub seen: Option<&'static [u8]>,
    pub has: Option<&'static [u8]>,
    /// What was sent.
    pub log: Vec<Sends>,
}

/// A browser before a site of one realm, in which john has the password "secret".
pub fn browser(algorithm: Algorithm, server: &'static str) -> Browser {
    with(ServerConfig::new(origin(server), realm(algorithm, server, "a realm")), server)
}

pub fn with(config: ServerConfig, server: &'static str) -> Browser {
    let mut site = Site::new(config, 1);
    site.add_user("john", "secret");
    let certificate = server.starts_with("https:").then_some(CERTIFICATE);
    Browser {
        engine: Engine::new(),
        site,
        origin: server,
        now: Time::at(Duration::from_secs(1_000)),
        rng: ChaCha20Rng::seed_from_u64(2),
        seen: certificate,
        has: certificate,
        log: Vec::new(),
    }
}

fn channel(certificate: Option<&[u8]>) -> Channel {
    certificate.map_or(Channel::Plain, |der| Channel::tls(der, None).expect("a certificate"))
}

impl Browser {
    pub fn begin(&mut self, path: &str) -> Send {
        self.engine.begin(CONTEXT, self.origin, path, self.now, &mut self.rng).expect("a sequence")
    }

    pub fn head(&self, wire: &Wire) -> Head {
        let fields = wire.fields.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes()));
        Head::new(wire.status, fields.collect(), self.seen.map(<[u8]>::to_vec))
    }

    /// Gives the engine an answer.
    pub fn receive(&mut self, sequence: u32, wire: &Wire) -> Received {
        let head = self.head(wire);
        self.engine.receive(sequence, &head, self.now, &mut self.rng).expect("a sequence that waits")
    }

    /// Sends one request, and gives its answer to the engine.
    pub fn send(&mut self, send: Send, path: &str) -> Received {
        let wire = self.ask(send, path);
        self.receive(send.sequence, &wire)
    }

    /// Sends one request.
    pub fn ask(&mut self, send: Send, path: &str) -> Wire {
        self.log.push(send.sends);
        let field = self.engine.field(send.sequence).expect("a sequence");
        assert_eq!(field.is_none(), send.sends == Sends::Normal);
        self.site.serve(path, field.as_deref(), &channel(self.has), self.now)
    }

    /// Sends until there is an outcome.
    pub fn finish(&mut self, mut send: Send, path: &str) -> Received {
        for _ in 0..6 {
            match self.send(send, path) {
                Received::Continue { next } => send = next,
                outcome => return outcome,
            }
        }
        panic!("no end: {:?}", self.log);
    }

    pub fn get(&mut self, path: &str) -> Received {
        let send = self.begin(path);
        self.finish(send, path)
    }

    /// Answers the question that a request ended with.
    pub fn supply(&mut self, asked: &Received, user: &str, password: &str, path: &str) -> Received {
        let Received::Asked { ask, .. } = asked else { panic!("not asked: {asked:?}") };
        let send = self.engine.supply(*ask, &typed(user, password), &mut self.rng).expect("what can be used");
        self.finish(send, path)
    }

    /// Logs john in.
    pub fn log_in(&mut self) {
        let asked = self.get("/");
        let proven = self.supply(&asked, "john", "secret", "/");
        assert!(matches!(proven, Received::Proven { .. }), "{proven:?}");
        self.log.clear();
    }

    pub fn later(&mut self, seconds: u64) {
        self.now = Time::at(self.now.since_epoch() + Duration::from_secs(seconds));
    }

    pub fn users(&self) -> Vec<String> {
        self.engine.logins(CONTEXT).into_iter().map(|login| login.user).collect()
    }
}
