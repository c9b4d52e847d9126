//! Both back ends against each other and against everything that RFC 8121 wants refused.

use super::octets::{Q_2048, Q_4096};
use super::*;
use crate::algorithm::Algorithm;
use alloc::string::String;
use alloc::vec;
use proptest::prelude::*;

type Backend = fn(Algorithm) -> &'static dyn Group;

/// Every back end of this build.
const BACKENDS: &[(&str, Backend)] = &[
    ("rustcrypto", rustcrypto::of),
    #[cfg(all(feature = "aws-lc", not(target_arch = "wasm32")))]
    ("aws-lc", aws_lc::of),
];

const P256_PRIME: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

fn from_hex(hex: &str) -> Vec<u8> {
    let even = if hex.len() % 2 == 1 { std::format!("0{hex}") } else { String::from(hex) };
    base16ct::lower::decode_vec(even).unwrap()
}

/// `number + change`, big-endian, of the same length.
fn plus(number: &[u8], change: i32) -> Vec<u8> {
    let mut number = number.to_vec();
    let mut carry = change;
    for octet in number.iter_mut().rev() {
        let sum = i32::from(*octet) + carry;
        *octet = sum.rem_euclid(256) as u8;
        carry = sum.div_euclid(256);
    }
    assert_eq!(carry, 0);
    number
}

fn small(length: usize, value: u8) -> Vec<u8> {
    let mut octets = vec![0; length];
    octets[length - 1] = value;
    octets
}

/// Every use of an element that a peer or a store could send: all of them have to refuse it.
fn refused(algorithm: Algorithm, element: &[u8], what: &str) {
    for (name, of) in BACKENDS {
        let group = of(algorithm);
        let s = small(32, 7);
        let j = group.generate(&small(32, 5)).unwrap();
        let t = vec![9; algorithm.hash_len()];
        let mut t_2 = |_: &[u8]| vec![9; 32];
        assert_eq!(group.decode(element).err(), Some(GroupError::NotInGroup), "{name} decode {algorithm} {what}");
        let server = group.server(&s, &j, element, &t, &mut t_2);
        assert_eq!(server.err(), Some(GroupError::NotInGroup), "{name} K_c1 {algorithm} {what}");
        let client = group.client(&s, &small(32, 3), &t, &t, element);
        assert_eq!(client.err(), Some(GroupError::NotInGroup), "{name} K_s1 {algorithm} {what}");
    }
}

#[test]
fn modp_elements_are_between_1_and_q_minus_1() {
    for (algorithm, q) in [(Algorithm::Dl2048Sha256, Q_2048), (Algorithm::Dl4096Sha512, Q_4096)] {
        let q = from_hex(q);
        let length = q.len();
        refused(algorithm, &small(length, 0), "0");
        refused(algorithm, &small(length, 1), "1");
        refused(algorithm, &plus(&q, -1), "q - 1");
        refused(algorithm, &q, "q");
        refused(algorithm, &plus(&q, 1), "q + 1");
        refused(algorithm, &vec![0xff; length], "above q");
        refused(algorithm, &small(length - 1, 4), "too short");
        refused(algorithm, &small(length + 1, 4), "too long");
        refused(algorithm, &[], "empty");
        for (name, of) in BACKENDS {
            assert!(of(algorithm).decode(&small(length, 2)).is_ok(), "{name} 2");
            assert!(of(algorithm).decode(&plus(&q, -2)).is_ok(), "{name} q - 2");
        }
    }
}

#[test]
fn curve_elements_are_on_the_curve() {
    for (algorithm, length) in [(Algorithm::EcP256Sha256, 33), (Algorithm::EcP521Sha512, 66)] {
        refused(algorithm, &vec![0xff; length], "x above the field");
        refused(algorithm, &vec![0; length - 1], "too short");
        refused(algorithm, &vec![0; length + 1], "too long");
        refused(algorithm, &[], "empty");
        // About half of all x have no point. RustCrypto says which; both back ends have to agree.
        let mut off_curve = 0;
        for x in 0..40u8 {
            let octets = small(length, 2 * x);
            if rustcrypto::of(algorithm).decode(&octets).is_err() {
                refused(algorithm, &octets, "not on the curve");
                refused(algorithm, &small(length, 2 * x + 1), "not on the curve, odd");
                off_curve += 1;
            }
        }
        assert!((5..35).contains(&off_curve));
    }
    // 2q and 2q + 2 stand for x = q and x = q + 1, which are no field elements even where x mod q is on the curve.
    let q = from_hex(P256_PRIME);
    for change in [0, 1, 5] {
        let x = plus(&q, change);
        let doubled = compress(Algorithm::EcP256Sha256, &[x, vec![0; 32]].concat());
        refused(Algorithm::EcP256Sha256, &doubled, "x not reduced");
    }
    // SEC 1 octets are something else than OCTETS(P(p)).
    let g = "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    refused(Algorithm::EcP256Sha256, &from_hex(g), "SEC 1 compressed");
}

#[test]
fn affine_octets_are_checked_too() {
    for algorithm in Algorithm::ALL {
        for (name, of) in BACKENDS {
            let group = of(algorithm);
            let good = group.generate(&small(32, 5)).unwrap();
            assert_eq!(group.check_affine(&good), Ok(()), "{name} {algorithm}");
            let mut bad = vec![vec![0; good.len()], vec![0xff; good.len()], good[1..].to_vec(), vec![]];
            if matches!(algorithm, Algorithm::EcP256Sha256 | Algorithm::EcP521Sha512) {
                let mut off_curve = good.to_vec();
                off_curve[good.len() - 1] ^= 1;
                bad.push(off_curve);
            }
            for bad in bad {
                assert_eq!(group.check_affine(&bad), Err(GroupError::NotInGroup), "{name} {algorithm}");
            }
        }
    }
}

#[test]
fn a_trivial_result_is_refused() {
    // J = g^(-t_1) and K_c1 = g make K_s1 = (J · K_c1^(t_1))^s the neutral element.
    for algorithm in Algorithm::ALL {
        for (name, of) in BACKENDS {
            let group = of(algorithm);
            let g = group.generate(&small(1, 1));
            let order = super::octets::order(algorithm).unwrap();
            let t_1 = small(algorithm.hash_len(), 3);
            let j = group.generate(&plus(&order, -3)).unwrap();
            let k_c1 = compress(algorithm, &g.unwrap());
            let result = group.server(&small(32, 7), &j, &k_c1, &t_1, &mut |_| vec![1; 32]);
            assert_eq!(result.err(), Some(GroupError::NotInGroup), "{name} {algorithm}");
            // And so does a divisor s · t_1 + pi of zero on the client's side.
            let k_s1 = compress(algorithm, &group.generate(&small(1, 9)).unwrap());
            let result = group.client(&small(32, 1), &plus(&order, -3), &t_1, &t_1, &k_s1);
            assert_eq!(result.err(), Some(GroupError::NotInGroup), "{name} {algorithm} client");
            assert!(group.generate(&order).is_err(), "{name} {algorithm} pi = r");
        }
    }
}

#[test]
fn a_result_of_q_minus_1_is_refused() {
    // K_c1 = -2, t_1 = 3 and J = 2^(-3) make J · K_c1^(t_1) = -1, and so K_s1 for every odd s.
    for (algorithm, q) in [(Algorithm::Dl2048Sha256, Q_2048), (Algorithm::Dl4096Sha512, Q_4096)] {
        let k_c1 = plus(&from_hex(q), -2);
        let t_1 = small(algorithm.hash_len(), 3);
        for (name, of) in BACKENDS {
            let group = of(algorithm);
            let j = group.generate(&plus(&super::octets::order(algorithm).unwrap(), -3)).unwrap();
            let result = group.server(&small(32, 7), &j, &k_c1, &t_1, &mut |_| vec![1; 32]);
            assert_eq!(result.err(), Some(GroupError::NotInGroup), "{name} {algorithm}");
        }
    }
}

#[test]
fn scalars_come_from_the_whole_range_and_no_further() {
    use rand_chacha::rand_core::SeedableRng as _;
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
    for algorithm in Algorithm::ALL {
        let order = super::octets::order(algorithm).unwrap();
        for _ in 0..100 {
            let scalar = sample(algorithm, 1, &mut rng).unwrap();
            assert_eq!(scalar.len(), order.len());
            assert!(scalar.as_slice() < order.as_slice() && scalar.iter().any(|octet| *octet != 0));
        }
    }
}

/// Gives the same octet for ever, as a broken generator does.
struct Stuck(u8);

impl rand_core::TryRng for Stuck {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_ne_bytes([self.0; 4]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from_ne_bytes([self.0; 8]))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        out.fill(self.0);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Stuck {}

#[test]
fn numbers_out_of_range_are_never_taken() {
    for algorithm in Algorithm::ALL {
        assert_eq!(sample(algorithm, 1, &mut Stuck(0)).err(), Some(GroupError::Backend), "{algorithm} 0");
        assert_eq!(sample(algorithm, 1, &mut Stuck(0xff)).err(), Some(GroupError::Backend), "{algorithm} above r");
        assert!(sample(algorithm, 4096, &mut Stuck(1)).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn both_ends_and_both_back_ends_agree(
        s in proptest::collection::vec(any::<u8>(), 31),
        s_c1 in proptest::collection::vec(any::<u8>(), 31),
        pi in proptest::collection::vec(any::<u8>(), 32),
        t_1 in proptest::collection::vec(any::<u8>(), 32),
        t_2 in proptest::collection::vec(any::<u8>(), 32),
        which in 0usize..4,
    ) {
        prop_assume!(s.iter().any(|o| *o != 0) && s_c1.iter().any(|o| *o != 0) && pi.iter().any(|o| *o != 0));
        let algorithm = Algorithm::ALL[which];
        let mut seen: Option<(Vec<u8>, Vec<u8>, Vec<u8>)> = None;
        for (name, of) in BACKENDS {
            let group = of(algorithm);
            let j = group.generate(&pi).unwrap();
            prop_assert_eq!(group.decode(&compress(algorithm, &j)).unwrap(), j.clone());
            let k_c1 = compress(algorithm, &group.generate(&s_c1).unwrap());
            let (k_s1, z) = group.server(&s, &j, &k_c1, &t_1, &mut |_| t_2.clone()).unwrap();
            let z_client = group.client(&s_c1, &pi, &t_1, &t_2, &k_s1).unwrap();
            prop_assert_eq!(&z, &z_client, "{} {}", name, algorithm);
            let all = (k_c1.to_vec(), k_s1, z.to_vec());
            if let Some(other) = &seen {
                prop_assert_eq!(other, &all, "{} {}", name, algorithm);
            }
            seen = Some(all);
        }
    }
}
