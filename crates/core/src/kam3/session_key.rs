//! What both ends hold after a key exchange: `z` with its exchange, ready to make and check verification values.

use super::hash::{HashState, hash};
use super::values::{Vkc, Vks};
use crate::algorithm::Algorithm;
use crate::octets::{push_vs, vi};
use crate::validation::HostValidation;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

/// The result of a key exchange: `K_c1`, `K_s1` and the session secret `z`.
///
/// The hash states of `VK_c` and `VK_s` after `octet | K_c1 | K_s1 | z`, which never change in a session, are kept, so that
/// a request costs two short hashes however large the group is.
pub struct SessionKey {
    algorithm: Algorithm,
    /// `OCTETS(K_c1) | OCTETS(K_s1) | OCTETS(z)`.
    exchange: Zeroizing<Vec<u8>>,
    client: HashState,
    server: HashState,
}

impl SessionKey {
    pub(super) fn new(algorithm: Algorithm, k_c1: &[u8], k_s1: &[u8], z: &[u8]) -> Self {
        let mut exchange = Zeroizing::new(Vec::with_capacity(k_c1.len() + k_s1.len() + z.len()));
        exchange.extend_from_slice(k_c1);
        exchange.extend_from_slice(k_s1);
        exchange.extend_from_slice(z);
        Self::of_exchange(algorithm, exchange)
    }

    fn of_exchange(algorithm: Algorithm, exchange: Zeroizing<Vec<u8>>) -> Self {
        let state = |octet: u8| {
            let mut state = HashState::new(algorithm.hash());
            state.update(&[octet]);
            state.update(&exchange);
            state
        };
        Self { algorithm, client: state(4), server: state(3), exchange }
    }

    /// Reads what [`SessionKey::expose_octets`] gave, as a store of sessions does.
    ///
    /// `None` if there are not three elements.
    #[must_use]
    pub fn from_octets(algorithm: Algorithm, octets: &[u8]) -> Option<Self> {
        (octets.len() == 3 * algorithm.element_len())
            .then(|| Self::of_exchange(algorithm, Zeroizing::new(octets.to_vec())))
    }

    /// `OCTETS(K_c1) | OCTETS(K_s1) | OCTETS(z)`. Secret: whoever has it can take over the session while it lives.
    #[must_use]
    pub fn expose_octets(&self) -> &[u8] {
        &self.exchange
    }

    /// The algorithm of the exchange.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `VK_c = H(octet(4) | K_c1 | K_s1 | z | VI(nc) | VS(vh))` (RFC 8120 §12.2).
    #[must_use]
    pub fn vk_c(&self, nc: u128, vh: &HostValidation) -> Vkc {
        Vkc::new(self.algorithm, verification_value(&self.client, nc, vh))
    }

    /// `VK_s = H(octet(3) | K_c1 | K_s1 | z | VI(nc) | VS(vh))` (RFC 8120 §12.2).
    ///
    /// A server sends it only after it has found `VK_c` right (RFC 8121 §5.1); [`crate::server::Session`] sees to that.
    #[must_use]
    pub fn vk_s(&self, nc: u128, vh: &HostValidation) -> Vks {
        Vks::new(self.algorithm, verification_value(&self.server, nc, vh))
    }

    /// `b_1`: binds an application to the session, with the application's own octets `t` (RFC 8120 §13).
    #[must_use]
    pub fn b_1(&self, vh: &HostValidation, t: &[u8]) -> Binding {
        self.binding(6, 0, vh, t)
    }

    /// `b_2`: binds an application to the request with this `nc` (RFC 8120 §13).
    #[must_use]
    pub fn b_2(&self, nc: u128, vh: &HostValidation, t: &[u8]) -> Binding {
        self.binding(7, nc, vh, t)
    }

    /// `H(H(octet | K_c1 | K_s1 | z | VI(nc) | VS(vh)) | VS(t))`.
    fn binding(&self, octet: u8, nc: u128, vh: &HostValidation, t: &[u8]) -> Binding {
        let function = self.algorithm.hash();
        let length = vi(vh.as_bytes().len() as u128);
        let inner = Zeroizing::new(hash(
            function,
            &[&[octet], &self.exchange, vi(nc).as_ref(), length.as_ref(), vh.as_bytes()],
        ));
        let mut token = Vec::new();
        push_vs(&mut token, t);
        Binding(Zeroizing::new(hash(function, &[&inner, &token])))
    }
}

fn verification_value(state: &HashState, nc: u128, vh: &HostValidation) -> Vec<u8> {
    let length = vi(vh.as_bytes().len() as u128);
    state.finish_with(&[vi(nc).as_ref(), length.as_ref(), vh.as_bytes()])
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({}, secret)", self.algorithm)
    }
}

/// A value of RFC 8120 §13 that both ends can compute and nobody else.
pub struct Binding(Zeroizing<Vec<u8>>);

impl Binding {
    /// The octets: as many as the output of the hash function.
    #[must_use]
    pub fn expose_octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Binding(secret)")
    }
}
