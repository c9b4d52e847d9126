//! The test vectors of an independent implementation, every intermediate value included.
//!
//! `TAGAI_VECTORS` may name another folder with files of the same form; see `docs/vectors.md`.

mod support;

use support::vectors::{check, load};

#[test]
fn every_vector_passes() {
    let vectors = load();
    assert!(vectors.len() >= 4, "there are hardly any vectors: {}", vectors.len());
    for vector in &vectors {
        check(vector);
    }
}

/// The vectors would find a mistake: change any value of one, and it fails.
#[test]
fn a_changed_vector_fails() {
    let vectors = load();
    let vector = vectors.iter().find(|vector| vector.algorithm.contains("p256")).expect("a vector for P-256");
    for field in ["pi", "J", "kc1", "ks1", "t_1", "t_2", "z", "vkc", "vks", "b_1", "b_2"] {
        let mut changed = serde_json::to_value(vector).expect("JSON");
        let text = changed[field].as_str().expect("a string").to_owned();
        let last = if text.ends_with('0') { "1" } else { "0" };
        changed[field] = format!("{}{last}", &text[..text.len() - 1]).into();
        let changed = serde_json::from_value(changed).expect("a vector");
        assert!(std::panic::catch_unwind(|| check(&changed)).is_err(), "{field} is not looked at");
    }
}

/// In the MODP groups `S_c1` is large enough for `g^(S_c1) > q`: RFC 8121, section 3.2 and appendix B.
#[test]
fn s_c1_is_large_enough_in_the_modp_groups() {
    use support::rng::Script;
    use tagai_core::algorithm::Algorithm;
    use tagai_core::kam3::ClientExchange;
    for (algorithm, length, minimum) in [
        (Algorithm::Dl2048Sha256, 256, 2048u16),
        (Algorithm::Dl4096Sha512, 512, 4096),
        (Algorithm::EcP256Sha256, 32, 1),
        (Algorithm::EcP521Sha512, 66, 1),
    ] {
        let number = |value: u16| [vec![0; length - 2], value.to_be_bytes().to_vec()].concat();
        let mut good = Script::new(&number(minimum));
        ClientExchange::start(algorithm, &mut good).expect("K_c1");
        assert!(good.is_used_up());
        let mut small = Script::new(&[number(minimum - 1), number(minimum)].concat());
        ClientExchange::start(algorithm, &mut small).expect("K_c1");
        assert!(small.is_used_up(), "{algorithm} took {}", minimum - 1);
    }
}
