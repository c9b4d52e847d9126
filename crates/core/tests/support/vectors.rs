//! Reads test vectors and checks one through the public interface of the crate.

use super::rng::Script;
use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};
use std::path::PathBuf;
use tagai_core::algorithm::{Algorithm, HashFunction, Representation};
use tagai_core::credential::{Password, Username};
use tagai_core::grammar::Natural;
use tagai_core::kam3::{ClientExchange, J, Kc1, Ks1, Pi, respond};
use tagai_core::realm::{AuthRealm, AuthScope, RealmName};
use tagai_core::validation::HostValidation;

/// One vector. Group elements are in the representation of the algorithm, other numbers in hexadecimal of any length.
#[derive(Serialize, Deserialize)]
pub struct Vector {
    pub algorithm: String,
    pub user: String,
    pub password: String,
    #[serde(rename = "auth-scope")]
    pub auth_scope: String,
    pub realm: String,
    pub pi: String,
    #[serde(rename = "J")]
    pub j: String,
    #[serde(rename = "S_c1")]
    pub s_c1: String,
    #[serde(rename = "S_s1")]
    pub s_s1: String,
    pub kc1: String,
    pub ks1: String,
    pub t_1: String,
    pub t_2: String,
    pub z: String,
    pub vh: String,
    pub nc: String,
    pub vkc: String,
    pub vks: String,
    pub t: String,
    pub b_1: String,
    pub b_2: String,
}

/// All vectors of all `.json` files in the folder.
pub fn load() -> Vec<Vector> {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    let folder = PathBuf::from(std::env::var_os("TAGAI_VECTORS").unwrap_or_else(|| own.into()));
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut vectors = Vec::new();
    for path in entries.map(|entry| entry.expect("a folder entry").path()) {
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            vectors.extend(parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        }
    }
    vectors
}

/// The vectors of one file.
pub fn parse(text: &str) -> serde_json::Result<Vec<Vector>> {
    serde_json::from_str(text)
}

fn hex(text: &str) -> Vec<u8> {
    let even = if text.len() % 2 == 1 { format!("0{text}") } else { text.to_owned() };
    base16ct::mixed::decode_vec(even).expect("hexadecimal digits")
}

/// Left-padded to `length` octets.
fn padded(text: &str, length: usize) -> Vec<u8> {
    let octets = hex(text);
    [vec![0; length - octets.len()], octets].concat()
}

fn element(algorithm: Algorithm, text: &str) -> Vec<u8> {
    match algorithm.representation() {
        Representation::Hex => hex(text),
        Representation::Base64 => Base64::decode_vec(text).expect("base64"),
    }
}

fn hash(algorithm: Algorithm, parts: &[&[u8]]) -> Vec<u8> {
    match algorithm.hash() {
        HashFunction::Sha256 => Sha256::digest(parts.concat()).to_vec(),
        HashFunction::Sha512 => Sha512::digest(parts.concat()).to_vec(),
    }
}

/// Runs the whole exchange of a vector with its secrets as randomness, and compares every value.
///
/// # Panics
/// If any value differs.
pub fn check(vector: &Vector) {
    let algorithm: Algorithm = vector.algorithm.parse().expect("an algorithm");
    let name = format!("{algorithm} {} {}", vector.user, vector.vh);
    let scalar_len = match algorithm {
        Algorithm::EcP521Sha512 => 66,
        Algorithm::EcP256Sha256 => 32,
        other => other.element_len(),
    };

    let realm = AuthRealm {
        algorithm,
        auth_scope: AuthScope::parse(&vector.auth_scope).expect("a scope"),
        name: RealmName::new(vector.realm.as_str()).expect("a realm"),
    };
    let username = Username::prepare(&vector.user).expect("a user name");
    let password = Password::prepare(&vector.password).expect("a password");
    let pi = Pi::derive(&realm, &username, &password);
    assert_eq!(pi.expose_octets(), padded(&vector.pi, algorithm.hash_len()), "pi of {name}");

    let j = J::from_pi(algorithm, &pi).expect("J");
    let expected_j = element(algorithm, &vector.j);
    assert_eq!(*j.expose_octets(), expected_j, "J of {name}");
    let loaded = J::from_octets(algorithm, &expected_j).expect("J from its octets");
    let loaded = J::from_affine(algorithm, loaded.expose_affine()).expect("J from its affine octets");

    let mut s_c1 = Script::new(&padded(&vector.s_c1, scalar_len));
    let client = ClientExchange::start(algorithm, &mut s_c1).expect("K_c1");
    let expected_kc1 = element(algorithm, &vector.kc1);
    assert_eq!(client.k_c1().octets(), expected_kc1, "K_c1 of {name}");

    let mut s_s1 = Script::new(&padded(&vector.s_s1, scalar_len));
    let received = Kc1::from_octets(algorithm, &expected_kc1).expect("natural length");
    let (k_s1, server_key) = respond(&loaded, &received, &mut s_s1).expect("K_s1");
    let expected_ks1 = element(algorithm, &vector.ks1);
    assert_eq!(k_s1.octets(), expected_ks1, "K_s1 of {name}");
    assert!(s_c1.is_used_up() && s_s1.is_used_up(), "{name} took other randomness");

    let received = Ks1::from_octets(algorithm, &expected_ks1).expect("natural length");
    let client_key = client.finish(&pi, &received).expect("z");
    let t_1 = hash(algorithm, &[&[1], &expected_kc1]);
    let t_2 = hash(algorithm, &[&[2], &expected_kc1, &expected_ks1]);
    assert_eq!(t_1, padded(&vector.t_1, algorithm.hash_len()), "t_1 of {name}");
    assert_eq!(t_2, padded(&vector.t_2, algorithm.hash_len()), "t_2 of {name}");

    let exchange = [expected_kc1, expected_ks1, element(algorithm, &vector.z)].concat();
    assert_eq!(client_key.expose_octets(), exchange, "the client's z of {name}");
    assert_eq!(server_key.expose_octets(), exchange, "the server's z of {name}");

    let nc = Natural::parse(vector.nc.as_bytes()).expect("an integer").get();
    let vh = HostValidation::from_vector(vector.vh.as_bytes());
    for key in [client_key, server_key] {
        assert_eq!(key.vk_c(nc, &vh).octets(), element(algorithm, &vector.vkc), "VK_c of {name}");
        assert_eq!(key.vk_s(nc, &vh).octets(), element(algorithm, &vector.vks), "VK_s of {name}");
        let t = vector.t.as_bytes();
        assert_eq!(key.b_1(&vh, t).expose_octets(), padded(&vector.b_1, algorithm.hash_len()), "b_1 of {name}");
        assert_eq!(key.b_2(nc, &vh, t).expose_octets(), padded(&vector.b_2, algorithm.hash_len()), "b_2 of {name}");
    }
}
