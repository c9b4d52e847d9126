//! OPAQUE (RFC 9807) by `opaque-ke`, with 3DH.
//!
//! The key-stretching function runs in the client only; the identity function keeps the preparation short and changes
//! nothing for the server.
//!
//! The client's last message answers a reply which the server makes with fresh randomness. The server's generator is
//! therefore a ChaCha12 (what `rand`'s `StdRng` and `thread_rng` are) set to a known seed for each login: the server
//! pays for its randomness as usual, and all the messages of the client can be prepared.

use std::cell::Cell;

use opaque_ke::ksf::Identity;
use opaque_ke::{
    CipherSuite, ClientLogin, ClientLoginFinishParameters, ClientRegistration, ClientRegistrationFinishParameters,
    CredentialFinalization, CredentialRequest, CredentialResponse, ServerLogin, ServerLoginParameters,
    ServerRegistration, ServerSetup, TripleDh,
};
use rand_chacha_03::ChaCha12Rng;
use rand_chacha_03::rand_core::SeedableRng;

use super::{PASSWORD, PREPARED, USER};

/// OPAQUE over ristretto255 with SHA-512, the crate's usual suite.
pub(crate) struct Ristretto255;

impl CipherSuite for Ristretto255 {
    type OprfCs = opaque_ke::Ristretto255;
    type KeyExchange = TripleDh<opaque_ke::Ristretto255, sha2_010::Sha512>;
    type Ksf = Identity;
}

/// OPAQUE over P-256 with SHA-256.
pub(crate) struct P256;

impl CipherSuite for P256 {
    type OprfCs = p256_013::NistP256;
    type KeyExchange = TripleDh<p256_013::NistP256, sha2_010::Sha256>;
    type Ksf = Identity;
}

/// What a server reads to serve one login: the user's record and the client's two messages.
pub(crate) struct Input<S: CipherSuite> {
    record: ServerRegistration<S>,
    request: CredentialRequest<S>,
    finalization: CredentialFinalization<S>,
}

/// The same three as octets.
pub(crate) struct WireInput {
    record: Vec<u8>,
    request: Vec<u8>,
    finalization: Vec<u8>,
}

/// The octet form of a suite's messages. It is a trait, implemented by a macro, because generic code would have to
/// repeat the many bounds on lengths of `opaque-ke`.
pub(crate) trait Suite: CipherSuite + Sized {
    /// Encodes an input, in the preparation.
    fn encode(input: &Input<Self>) -> WireInput;
    /// Decodes an input, as a server does.
    fn decode(wire: &WireInput) -> Input<Self>;
    /// Encodes the server's reply.
    fn encode_reply(reply: &CredentialResponse<Self>) -> Vec<u8>;
}

macro_rules! impl_suite {
    ($suite:ty) => {
        impl Suite for $suite {
            fn encode(input: &Input<Self>) -> WireInput {
                WireInput {
                    record: input.record.serialize().to_vec(),
                    request: input.request.serialize().to_vec(),
                    finalization: input.finalization.serialize().to_vec(),
                }
            }

            fn decode(wire: &WireInput) -> Input<Self> {
                Input {
                    record: ServerRegistration::deserialize(&wire.record).expect("record"),
                    request: CredentialRequest::deserialize(&wire.request).expect("request"),
                    finalization: CredentialFinalization::deserialize(&wire.finalization).expect("finalization"),
                }
            }

            fn encode_reply(reply: &CredentialResponse<Self>) -> Vec<u8> {
                reply.serialize().to_vec()
            }
        }
    };
}

impl_suite!(Ristretto255);
impl_suite!(P256);

/// A server with one registered user and prepared logins of that user.
pub(crate) struct OpaqueServer<S: Suite> {
    setup: ServerSetup<S>,
    logins: Vec<(u64, Input<S>, WireInput)>,
    next: Cell<usize>,
}

impl<S: Suite> OpaqueServer<S> {
    /// Registers the user and prepares the logins.
    pub(crate) fn new() -> Self {
        let rng = &mut ChaCha12Rng::seed_from_u64(0);
        let setup = ServerSetup::<S>::new(rng);

        let client = ClientRegistration::<S>::start(rng, PASSWORD).expect("start");
        let reply = ServerRegistration::start(&setup, client.message, USER).expect("reply");
        let parameters = ClientRegistrationFinishParameters::default();
        let upload = client.state.finish(rng, PASSWORD, reply.message, parameters).expect("finish");
        let record = ServerRegistration::finish(upload.message);

        let logins = (1..=PREPARED)
            .map(|seed| {
                let client = ClientLogin::<S>::start(rng, PASSWORD).expect("start");
                let request = client.message;
                let reply = start(&setup, seed, record.clone(), request.clone());
                let parameters = ClientLoginFinishParameters::default();
                let answer = client.state.finish(rng, PASSWORD, reply.message, parameters).expect("finish");
                let record = record.clone();
                let input = Input { record, request, finalization: answer.message };
                let wire = S::encode(&input);
                (seed, input, wire)
            })
            .collect();
        Self { setup, logins, next: Cell::new(0) }
    }

    /// The server's two steps of one login, messages in decoded form. Returns the session key.
    pub(crate) fn login(&self) -> Vec<u8> {
        let (seed, input, _) = self.turn();
        let reply = start(&self.setup, *seed, input.record.clone(), input.request.clone());
        finish(reply.state, input.finalization.clone())
    }

    /// The same from octets to octets: with the decoding of record and messages, which checks and decompresses the
    /// points, and the encoding of the reply. Returns the reply and the session key.
    pub(crate) fn login_from_wire(&self) -> (Vec<u8>, Vec<u8>) {
        let (seed, _, wire) = self.turn();
        let input = S::decode(wire);
        let reply = start(&self.setup, *seed, input.record, input.request);
        let octets = S::encode_reply(&reply.message);
        (octets, finish(reply.state, input.finalization))
    }

    fn turn(&self) -> &(u64, Input<S>, WireInput) {
        let next = self.next.get();
        self.next.set((next + 1) % self.logins.len());
        &self.logins[next]
    }
}

/// The server's first step.
fn start<S: CipherSuite>(
    setup: &ServerSetup<S>,
    seed: u64,
    record: ServerRegistration<S>,
    request: CredentialRequest<S>,
) -> opaque_ke::ServerLoginStartResult<S> {
    let rng = &mut ChaCha12Rng::seed_from_u64(seed);
    let parameters = ServerLoginParameters::default();
    ServerLogin::start(rng, setup, Some(record), request, USER, parameters).expect("login starts")
}

/// The server's second step: checks the client's answer and returns the session key.
fn finish<S: CipherSuite>(state: ServerLogin<S>, finalization: CredentialFinalization<S>) -> Vec<u8> {
    let parameters = ServerLoginParameters::default();
    state.finish(finalization, parameters).expect("login is valid").session_key.to_vec()
}
