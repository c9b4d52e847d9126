//! Verifiers, exchange values and session keys from arbitrary octets; the first octet chooses the algorithm.
//!
//! - What is accepted as a verifier comes back as the same octets, in both forms.
//! - Exactly the octets of a group element are accepted as a verifier, as `K_c1` and as `K_s1`.
//! - A session key comes back as the same octets.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::sync::LazyLock;
use tagai_core::algorithm::Algorithm;
use tagai_core::kam3::{ClientExchange, J, Kc1, Ks1, SessionKey, respond};
use tagai_fuzz::Site;

static SITE: LazyLock<Site> = LazyLock::new(|| Site::new("staff"));

fuzz_target!(|input: &[u8]| {
    let Some((choice, octets)) = input.split_first() else { return };
    let algorithm = Algorithm::ALL[usize::from(*choice) % Algorithm::ALL.len()];

    let element = J::from_octets(algorithm, octets);
    if let Ok(j) = &element {
        assert_eq!(j.expose_octets()[..], *octets);
        let same = J::from_affine(algorithm, j.expose_affine()).expect("what was exposed");
        assert_eq!(same.expose_octets(), j.expose_octets());
    }
    if let Ok(j) = J::from_affine(algorithm, octets) {
        assert_eq!(j.expose_affine(), octets);
        let same = J::from_octets(algorithm, &j.expose_octets()).expect("what was exposed");
        assert_eq!(same.expose_affine(), octets);
    }
    if let Some(key) = SessionKey::from_octets(algorithm, octets) {
        assert_eq!((key.expose_octets(), key.algorithm()), (octets, algorithm));
    }

    let (k_c1, k_s1) = (Kc1::from_octets(algorithm, octets), Ks1::from_octets(algorithm, octets));
    assert_eq!(k_c1.is_some(), octets.len() == algorithm.element_len());
    assert_eq!(k_s1.is_some(), octets.len() == algorithm.element_len());
    // The whole exchange is too slow in the other groups.
    if algorithm == Algorithm::EcP256Sha256
        && let (Some(k_c1), Some(k_s1)) = (k_c1, k_s1)
    {
        let (rng, alice) = (&mut ChaCha20Rng::seed_from_u64(0), &SITE.accounts[0]);
        assert_eq!(respond(&alice.j, &k_c1, rng).is_ok(), element.is_ok());
        let exchange = ClientExchange::start(algorithm, rng).expect("a working generator");
        assert_eq!(exchange.finish(&alice.pi, &k_s1).is_ok(), element.is_ok());
    }
});
