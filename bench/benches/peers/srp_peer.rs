//! SRP-6a (RFC 5054) by `srp` 0.6, with the 2048-bit group and SHA-256.
//!
//! The exponents `a` and `b` have 64 octets, as the documentation of the crate proposes. `srp` 0.6 computes the
//! server's public value B a second time while it processes the reply. This is part of what the crate costs a server;
//! the login with B computed once is measured beside it, to be fair to the protocol.

use std::cell::Cell;

use rand_chacha_03::ChaCha12Rng;
use rand_chacha_03::rand_core::{RngCore, SeedableRng};
use sha2_010::Sha256;
use srp::client::SrpClient;
use srp::groups::G_2048;
use srp::server::SrpServer;

use super::{PASSWORD, PREPARED, USER};

/// Octets of the secret exponents `a` and `b`.
const EXPONENT: usize = 64;

/// What is prepared for one login.
struct Login {
    /// The server's secret exponent.
    b: [u8; EXPONENT],
    /// The client's public value A.
    a_pub: Vec<u8>,
    /// The client's proof M1.
    proof: Vec<u8>,
}

/// A server with one registered user and prepared logins of that user.
pub(crate) struct Srp2048Server {
    verifier: Vec<u8>,
    logins: Vec<Login>,
    next: Cell<usize>,
}

impl Srp2048Server {
    /// Registers the user and prepares the logins.
    pub(crate) fn new() -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(0);
        let mut salt = [0; 32];
        rng.fill_bytes(&mut salt);
        let client = SrpClient::<Sha256>::new(&G_2048);
        let verifier = client.compute_verifier(USER, PASSWORD, &salt);

        let logins = (0..PREPARED)
            .map(|_| {
                let (mut a, mut b) = ([0; EXPONENT], [0; EXPONENT]);
                rng.fill_bytes(&mut a);
                rng.fill_bytes(&mut b);
                let server = SrpServer::<Sha256>::new(&G_2048);
                let b_pub = server.compute_public_ephemeral(&b, &verifier);
                let proof =
                    client.process_reply(&a, USER, PASSWORD, &salt, &b_pub).expect("B is legal").proof().to_vec();
                Login { b, a_pub: client.compute_public_ephemeral(&a), proof }
            })
            .collect();
        Self { verifier, logins, next: Cell::new(0) }
    }

    /// The server's work of one login: B, the shared secret, the check of M1, and M2. Returns B and M2, which the
    /// server sends.
    pub(crate) fn login(&self) -> (Vec<u8>, Vec<u8>) {
        let login = self.turn();
        let server = SrpServer::<Sha256>::new(&G_2048);
        let b_pub = server.compute_public_ephemeral(&login.b, &self.verifier);
        (b_pub, self.reply_to(login))
    }

    /// The same without the first computation of B: what a login would cost if the crate kept B instead of computing
    /// it again. Returns M2.
    pub(crate) fn login_with_b_once(&self) -> Vec<u8> {
        let login = self.turn();
        self.reply_to(login)
    }

    /// The second step, in which the crate computes B once more.
    fn reply_to(&self, login: &Login) -> Vec<u8> {
        let session = SrpServer::<Sha256>::new(&G_2048)
            .process_reply(&login.b, &self.verifier, &login.a_pub)
            .expect("A is legal");
        session.verify_client(&login.proof).expect("login is valid");
        session.proof().to_vec()
    }

    fn turn(&self) -> &Login {
        let next = self.next.get();
        self.next.set((next + 1) % self.logins.len());
        &self.logins[next]
    }
}
