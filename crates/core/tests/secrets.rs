//! Secrets do not print, do not copy, and are gone when they are dropped.

mod support;

use support::pair::{Pair, credential, realm, verifier};
use tagai_core::algorithm::Algorithm;
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::{Binding, ClientExchange, J, Kc1, Pi, SessionKey, respond};

/// Fails to compile where `$type` implements `$trait`: then the call below could mean either of two implementations.
macro_rules! assert_not_impl {
    ($type:ty: $trait:path) => {{
        trait Ambiguous<A> {
            fn some_item() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        impl<T: ?Sized + $trait> Ambiguous<u8> for T {}
        <$type as Ambiguous<_>>::some_item();
    }};
}

#[test]
fn secrets_are_neither_copied_nor_displayed() {
    assert_not_impl!(Password: Clone);
    assert_not_impl!(Pi: Clone);
    assert_not_impl!(J: Clone);
    assert_not_impl!(SessionKey: Clone);
    assert_not_impl!(ClientExchange: Clone);
    assert_not_impl!(Binding: Clone);
    assert_not_impl!(Password: std::fmt::Display);
    assert_not_impl!(Pi: std::fmt::Display);
    assert_not_impl!(J: std::fmt::Display);
    assert_not_impl!(SessionKey: std::fmt::Display);
    assert_not_impl!(Pi: PartialEq);
    assert_not_impl!(J: PartialEq);
    assert_not_impl!(SessionKey: PartialEq);
}

#[test]
fn nothing_secret_prints() {
    let mut rng = Pair::new().rng;
    for algorithm in Algorithm::ALL {
        let realm = realm(algorithm, "example.com", "a realm");
        let user = Username::prepare("john").unwrap();
        let pi = Pi::derive(&realm, &user, &Password::prepare("hunter2").unwrap());
        let j = verifier(&realm, "john", "hunter2");
        let client = ClientExchange::start(algorithm, &mut rng).unwrap();
        let k_c1 = Kc1::from_octets(algorithm, client.k_c1().octets()).unwrap();
        let (_, key) = respond(&j, &k_c1, &mut rng).unwrap();
        let secrets = [pi.expose_octets().to_vec(), j.expose_octets().to_vec(), key.expose_octets().to_vec()];
        let shown = format!("{pi:?} {j:?} {client:?} {key:?} {:?}", credential("john", "hunter2"));
        assert!(shown.contains("Pi(secret)") && shown.contains("Sc1(secret)"), "{shown}");
        assert!(!shown.contains("hunter2"));
        for secret in secrets {
            let hex = base16ct::lower::encode_string(&secret[secret.len() - 8..]);
            let list = format!("{:?}", &secret[secret.len() - 8..]);
            assert!(!shown.contains(&hex) && !shown.contains(&list), "{shown}");
        }
    }
}

#[test]
fn a_whole_pair_prints_without_secrets() {
    let mut pair = Pair::new();
    pair.log_in();
    let shown = format!("{:?} {:?}", pair.client, pair.site.sessions);
    let key = pair.client.logins().next().unwrap();
    assert_eq!(key.user.as_str(), "john");
    assert!(shown.contains("SessionKey(iso-kam3-ec-p256-sha256, secret)"), "{shown}");
    // No run of octets is shown that is long enough to be a key.
    let longest = shown.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max().unwrap_or(0);
    assert!(longest < 16, "{longest} hexadecimal digits in a row in {shown}");
}

#[test]
fn a_session_key_survives_a_store() {
    let mut rng = Pair::new().rng;
    let realm = realm(Algorithm::EcP256Sha256, "example.com", "a realm");
    let j = verifier(&realm, "john", "hunter2");
    let client = ClientExchange::start(realm.algorithm, &mut rng).unwrap();
    let (_, key) = respond(&j, client.k_c1(), &mut rng).unwrap();
    let loaded = SessionKey::from_octets(realm.algorithm, key.expose_octets()).unwrap();
    let vh = tagai_core::validation::HostValidation::from_vector(b"http://example.com:80");
    assert!(loaded.vk_c(7, &vh).ct_eq(&key.vk_c(7, &vh)));
    assert!(!loaded.vk_c(7, &vh).ct_eq(&key.vk_c(8, &vh)));
    for wrong in [98, 100] {
        assert!(SessionKey::from_octets(realm.algorithm, &vec![0; wrong]).is_none());
    }
}
