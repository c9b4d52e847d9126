//! A site with users, and the connections by which it can be reached.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::sync::LazyLock;
use std::time::Duration;
use tagai_core::algorithm::Algorithm;
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::{J, Pi};
use tagai_core::realm::{AuthRealm, AuthScope, Origin, RealmName};
use tagai_core::server::{Server, ServerConfig};
use tagai_core::validation::{Channel, EndPoint, Exporter};

/// The largest nonce number of a session: small enough to be passed.
pub const NC_MAX: u64 = 1000;
/// The size of the window of nonce numbers: small enough to be left.
pub const NC_WINDOW: u32 = 16;
/// How long a session lives.
pub const TIME: Duration = Duration::from_secs(600);

/// Connections of two servers with certificates, two connections without, and one that does not fit the site.
pub static CHANNELS: LazyLock<[Channel; 5]> = LazyLock::new(|| {
    let certificate = |octet| Channel::Certificate(EndPoint::from_hash(&[octet; 32]).expect("a hash of 32 octets"));
    let exporter = |octet| Channel::Exporter(Exporter([octet; 32]));
    [certificate(1), certificate(2), exporter(3), exporter(4), Channel::Plain]
});

/// One realm, with the server that offers it and its users.
pub struct Site {
    /// The server.
    pub server: Server,
    /// Those who are known to it, and what they know.
    pub accounts: [Account; 2],
    /// What those believe who do not know the password.
    pub wrong: Pi,
}

/// A user, as both ends know it.
pub struct Account {
    /// The user's name.
    pub name: Username,
    /// What the user knows.
    pub pi: Pi,
    /// What the server knows.
    pub j: J,
}

impl Site {
    /// The password of all users; they differ by their names.
    pub const PASSWORD: &str = "correct horse";
    /// Another one.
    pub const WRONG_PASSWORD: &str = "battery staple";

    /// The realm of this name at `https://example.com`. The scope is the host, so that it cannot be left out.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let origin = Origin::parse("https://example.com").expect("an origin");
        let realm = AuthRealm {
            algorithm: Algorithm::EcP256Sha256,
            auth_scope: AuthScope::SingleHost(origin.host().clone()),
            name: RealmName::new(name).expect("a realm's name"),
        };
        let pi =
            |name: &Username, password| Pi::derive(&realm, name, &Password::prepare(password).expect("a password"));
        let accounts = ["alice", "bob"].map(|name| {
            let name = Username::prepare(name).expect("a user name");
            let pi = pi(&name, Self::PASSWORD);
            Account { j: J::from_pi(realm.algorithm, &pi).expect("not zero"), name, pi }
        });
        let wrong = pi(&accounts[0].name, Self::WRONG_PASSWORD);
        let config =
            ServerConfig { nc_max: NC_MAX, nc_window: NC_WINDOW, time: TIME, ..ServerConfig::new(origin, realm) };
        let server = Server::new(config, &mut ChaCha20Rng::seed_from_u64(0)).expect("a good configuration");
        Self { server, accounts, wrong }
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &AuthRealm {
        &self.server.config().realm
    }

    /// The account of this name.
    #[must_use]
    pub fn account(&self, name: &Username) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == *name)
    }
}
