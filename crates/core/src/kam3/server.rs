//! The server's half of the key exchange.

use super::group::{self, sample};
use super::hash::hash;
use super::secrets::{J, KeyError};
use super::session_key::SessionKey;
use super::values::{Kc1, Ks1};
use crate::secret::secret;
use rand_core::CryptoRng;

secret! {
    /// `S_s1`: the server's secret exponent for one exchange; it does not outlive [`respond`].
    struct Ss1;
}

/// Checks `K_c1`, chooses `S_s1`, and computes `K_s1` and `z` (RFC 8121 §3.2, §3.3).
///
/// `z` is computed at once, and not when `VK_c` comes, so that `S_s1` lives no longer than this call.
///
/// # Errors
/// [`KeyError::NotInGroup`] if `K_c1` is not what RFC 8121 allows, if it belongs to another algorithm than `j`, or if
/// `K_s1` came out trivial: the exchange has to be rejected.
pub fn respond(j: &J, k_c1: &Kc1, rng: &mut dyn CryptoRng) -> Result<(Ks1, SessionKey), KeyError> {
    let algorithm = j.algorithm();
    if k_c1.algorithm() != algorithm {
        return Err(KeyError::NotInGroup);
    }
    let s_s1 = Ss1(sample(algorithm, 1, rng)?.into());
    let t_1 = hash(algorithm.hash(), &[&[1], k_c1.octets()]);
    let mut t_2 = |k_s1: &[u8]| hash(algorithm.hash(), &[&[2], k_c1.octets(), k_s1]);
    let (k_s1, z) =
        group::of(algorithm).server(s_s1.0.as_slice(), j.expose_affine(), k_c1.octets(), &t_1, &mut t_2)?;
    let key = SessionKey::new(algorithm, k_c1.octets(), &k_s1, &z);
    Ok((Ks1::new(algorithm, k_s1), key))
}
