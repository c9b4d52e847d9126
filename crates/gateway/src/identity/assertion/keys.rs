//! The keys that sign assertions.

use crate::identity::jwk::Jwk;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, Signature};
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use zeroize::Zeroizing;

/// How many keys there may be: one that signs, and others whose tokens may still be about.
pub const MAX_KEYS: usize = 16;

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyKind {
    /// ECDSA over P-256 with SHA-256: `ES256` (RFC 7518 §3.4). What every library knows.
    #[default]
    P256,
    /// Ed25519: `EdDSA` (RFC 8037 §3.1).
    Ed25519,
}

impl KeyKind {
    /// `alg` of the tokens that it signs.
    #[must_use]
    pub const fn alg(self) -> &'static str {
        match self {
            Self::P256 => "ES256",
            Self::Ed25519 => "EdDSA",
        }
    }
}

/// What is wrong with keys. It never holds a part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// There is none.
    #[error("there is no key in it (no -----BEGIN PRIVATE KEY-----); `tagai keys assertion new FILE` makes one")]
    None,
    /// The PEM is damaged.
    #[error("the PEM of key {0} is damaged")]
    Pem(usize),
    /// A key under a password.
    #[error(
        "a key in it is encrypted, and nobody can type its password when the gateway starts: decrypt it with `openssl pkcs8 -in FILE`, and protect the file instead"
    )]
    Encrypted,
    /// A key that is not in PKCS #8.
    #[error(
        "key {0} is not in PKCS #8 (-----BEGIN PRIVATE KEY-----): convert it with `openssl pkcs8 -topk8 -nocrypt`"
    )]
    Form(usize),
    /// Something that is not a private key.
    #[error("section {0} is no private key: the file holds the keys alone")]
    Stranger(usize),
    /// A key of another kind.
    #[error(
        "key {0} is neither of ECDSA over P-256 nor of Ed25519: make one with `tagai keys assertion new FILE`, or `openssl genpkey -algorithm ed25519`"
    )]
    Kind(usize),
    /// The same key twice.
    #[error("key {0} stands in it twice")]
    Twice(usize),
    /// Too many.
    #[error("there are more than {MAX_KEYS} keys: take out old ones, from the end")]
    Many,
}

/// One key.
pub(super) struct SigningKey {
    pair: Pair,
    public: Jwk,
    id: String,
}

enum Pair {
    P256(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl SigningKey {
    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let (pair, public) = match EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
            Ok(pair) => {
                let public = Jwk::p256(pair.public_key().as_ref())?;
                (Pair::P256(Box::new(pair)), public)
            }
            Err(_) => {
                let pair = Ed25519KeyPair::from_pkcs8(der).ok()?;
                let public = Jwk::ed25519(pair.public_key().as_ref())?;
                (Pair::Ed25519(Box::new(pair)), public)
            }
        };
        let id = public.thumbprint();
        Some(Self { pair, public, id })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) const fn kind(&self) -> KeyKind {
        match self.pair {
            Pair::P256(_) => KeyKind::P256,
            Pair::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    /// The signature of a JWS: r and s, or that of RFC 8032.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Signature> {
        match &self.pair {
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), message).ok(),
            Pair::Ed25519(pair) => pair.try_sign(message).ok(),
        }
    }
}

/// The keys that sign assertions: the first signs, all of them are published. AWS-LC holds them, and wipes them when they are dropped.
pub struct AssertionKeys {
    first: SigningKey,
    others: Vec<SigningKey>,
}

impl AssertionKeys {
    /// Reads keys in PKCS #8 out of PEM.
    ///
    /// # Errors
    /// [`KeysError`] says which key is wrong, counted from one.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeysError> {
        // Such a section is one that the reader of PEM knows nothing of, and passes over.
        if contains(pem, b"-----BEGIN ENCRYPTED PRIVATE KEY-----") {
            return Err(KeysError::Encrypted);
        }
        let mut keys: Vec<SigningKey> = Vec::new();
        for (place, section) in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem).enumerate() {
            let place = place.saturating_add(1);
            let (kind, der) = section.map_err(|_| KeysError::Pem(place))?;
            let der = Zeroizing::new(der);
            match kind {
                SectionKind::PrivateKey => {}
                SectionKind::EcPrivateKey | SectionKind::RsaPrivateKey => return Err(KeysError::Form(place)),
                _ => return Err(KeysError::Stranger(place)),
            }
            if keys.len() == MAX_KEYS {
                return Err(KeysError::Many);
            }
            let key = SigningKey::from_pkcs8(&der).ok_or(KeysError::Kind(place))?;
            if keys.iter().any(|known| known.id == key.id) {
                return Err(KeysError::Twice(place));
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(KeysError::None)?;
        Ok(Self { first, others: keys.collect() })
    }

    /// `kid` and kind of each, the one that signs first.
    pub fn ids(&self) -> impl Iterator<Item = (&str, KeyKind)> {
        self.all().map(|key| (key.id(), key.kind()))
    }

    pub(super) const fn signing(&self) -> &SigningKey {
        &self.first
    }

    /// The public keys as a JWK set.
    pub(super) fn jwks(&self) -> String {
        let keys: Vec<String> = self.all().map(SigningKey::published).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    fn all(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl SigningKey {
    fn published(&self) -> String {
        let Self { public, id, .. } = self;
        format!(r#"{{{},"alg":"{}","kid":"{id}","use":"sig"}}"#, public.members(), self.kind().alg())
    }
}

/// Shows the names alone.
impl std::fmt::Debug for AssertionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.ids().map(|(id, _)| id)).finish()
    }
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

/// A new key, in PKCS #8; its `kid`. `None` if the random generator fails.
pub(super) fn generate(kind: KeyKind) -> Option<(String, Zeroizing<Vec<u8>>)> {
    let random = SystemRandom::new();
    let der = match kind {
        KeyKind::P256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random),
        KeyKind::Ed25519 => Ed25519KeyPair::generate_pkcs8v1(&random),
    };
    let der = Zeroizing::new(der.ok()?.as_ref().to_vec());
    Some((SigningKey::from_pkcs8(&der)?.id, der))
}
