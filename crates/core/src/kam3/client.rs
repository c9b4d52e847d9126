//! The client's half of the key exchange.

use super::group::{self, sample};
use super::hash::hash;
use super::secrets::{KeyError, Pi};
use super::session_key::SessionKey;
use super::values::{Kc1, Ks1};
use crate::algorithm::Algorithm;
use crate::secret::secret;
use rand_core::CryptoRng;

secret! {
    /// `S_c1`: the client's secret exponent for one exchange.
    struct Sc1;
}

/// A client that has chosen `S_c1`, and waits for `K_s1` (RFC 8121 §3.2, §3.3).
#[derive(Debug)]
pub struct ClientExchange {
    s_c1: Sc1,
    k_c1: Kc1,
}

impl ClientExchange {
    /// Chooses `S_c1` and computes `K_c1`.
    ///
    /// `S_c1` is at least 2048 or 4096 in the MODP groups, so that `g^(S_c1) > q` (RFC 8121 §3.2).
    ///
    /// # Errors
    /// [`KeyError::Backend`].
    pub fn start(algorithm: Algorithm, rng: &mut dyn CryptoRng) -> Result<Self, KeyError> {
        let minimum = match algorithm {
            Algorithm::EcP256Sha256 | Algorithm::EcP521Sha512 => 1,
            Algorithm::Dl2048Sha256 => 2048,
            Algorithm::Dl4096Sha512 => 4096,
        };
        let s_c1 = sample(algorithm, minimum, rng)?;
        let k_c1 = group::of(algorithm).generate(&s_c1)?;
        let k_c1 = Kc1::new(algorithm, group::compress(algorithm, &k_c1).to_vec());
        Ok(Self { s_c1: Sc1(s_c1.into()), k_c1 })
    }

    /// `K_c1`, to be sent in `req-KEX-C1`.
    #[must_use]
    pub const fn k_c1(&self) -> &Kc1 {
        &self.k_c1
    }

    /// Checks `K_s1` and computes `z` with the client's credential.
    ///
    /// # Errors
    /// [`KeyError::NotInGroup`] if `K_s1` is not what RFC 8121 allows, or of another algorithm.
    pub fn finish(self, pi: &Pi, k_s1: &Ks1) -> Result<SessionKey, KeyError> {
        let algorithm = self.k_c1.algorithm();
        if k_s1.algorithm() != algorithm {
            return Err(KeyError::NotInGroup);
        }
        let (function, k_c1) = (algorithm.hash(), self.k_c1.octets());
        let t_1 = hash(function, &[&[1], k_c1]);
        let t_2 = hash(function, &[&[2], k_c1, k_s1.octets()]);
        let z = group::of(algorithm).client(self.s_c1.0.as_slice(), pi.expose_octets(), &t_1, &t_2, k_s1.octets())?;
        Ok(SessionKey::new(algorithm, k_c1, k_s1.octets(), &z))
    }
}
