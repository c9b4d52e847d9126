//! Public keys as JWK, and their thumbprints (RFC 7517, RFC 7638, RFC 8037).

use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64UrlUnpadded, Encoding as _};

/// A bare key of a client, as applications are told of it. It is made once for a connection.
#[derive(Debug, Clone)]
pub struct RawKey {
    thumbprint: String,
}

impl RawKey {
    /// Of a `SubjectPublicKeyInfo` in DER, of a kind that TLS connections are proven with: ECDSA over P-256, P-384 or P-521,
    /// Ed25519, RSA. `None` for any other.
    #[must_use]
    pub fn new(spki: &[u8]) -> Option<Self> {
        Jwk::from_spki(spki).map(|key| Self { thumbprint: key.thumbprint() })
    }

    /// `jkt`: the thumbprint of the key (RFC 7638 with SHA-256, RFC 9449 §6.1).
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }
}

/// A public key: its members that a thumbprint is made of, in the order of RFC 7638 §3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Jwk {
    /// `EC`: the curve, x and y.
    Ec(&'static str, String, String),
    /// `OKP` over Ed25519: x.
    Ed25519(String),
    /// `RSA`: e and n.
    Rsa(String, String),
}

/// What stands in the DER of a `SubjectPublicKeyInfo` before an uncompressed point; and how long a coordinate is.
const CURVES: [(&str, &[u8], usize); 3] = [
    (
        "P-256",
        &[
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
            0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
        ],
        32,
    ),
    (
        "P-384",
        &[
            0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
            0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04,
        ],
        48,
    ),
    (
        "P-521",
        &[
            0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
            0x81, 0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00, 0x04,
        ],
        66,
    ),
];
const ED25519: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// `SEQUENCE { OID rsaEncryption, NULL }`
const RSA: &[u8] = &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

impl Jwk {
    /// A point of P-256, uncompressed.
    pub(super) fn p256(point: &[u8]) -> Option<Self> {
        ec("P-256", point.strip_prefix(&[4])?, 32)
    }

    /// The 32 octets of a key of Ed25519.
    pub(super) fn ed25519(octets: &[u8]) -> Option<Self> {
        (octets.len() == 32).then(|| Self::Ed25519(base64url(octets)))
    }

    /// Of a `SubjectPublicKeyInfo`.
    pub(super) fn from_spki(der: &[u8]) -> Option<Self> {
        if let Some(octets) = der.strip_prefix(ED25519) {
            return Self::ed25519(octets);
        }
        for (curve, head, length) in CURVES {
            if let Some(point) = der.strip_prefix(head) {
                return ec(curve, point, length);
            }
        }
        let key = whole(0x30, der)?.strip_prefix(RSA)?;
        // BIT STRING without unused bits, and in it SEQUENCE { modulus, publicExponent }.
        let numbers = whole(0x30, whole(0x03, key)?.strip_prefix(&[0])?)?;
        let (n, rest) = take(0x02, numbers)?;
        Some(Self::Rsa(base64url(positive(whole(0x02, rest)?)?), base64url(positive(n)?)))
    }

    /// The members, with others at will after them, as JSON. All values are base64url and names: nothing needs an escape.
    pub(super) fn members(&self) -> String {
        match self {
            Self::Ec(curve, x, y) => format!(r#""crv":"{curve}","kty":"EC","x":"{x}","y":"{y}""#),
            Self::Ed25519(x) => format!(r#""crv":"Ed25519","kty":"OKP","x":"{x}""#),
            Self::Rsa(e, n) => format!(r#""e":"{e}","kty":"RSA","n":"{n}""#),
        }
    }

    /// RFC 7638, with SHA-256.
    pub(super) fn thumbprint(&self) -> String {
        let canonical = format!("{{{}}}", self.members());
        base64url(digest(&SHA256, canonical.as_bytes()).as_ref())
    }
}

fn ec(curve: &'static str, point: &[u8], length: usize) -> Option<Jwk> {
    let (x, y) = point.split_at_checked(length)?;
    (y.len() == length).then(|| Jwk::Ec(curve, base64url(x), base64url(y)))
}

/// Without the octet that keeps a positive INTEGER from being a negative one.
fn positive(integer: &[u8]) -> Option<&[u8]> {
    match integer {
        [0, rest @ ..] => (!rest.is_empty()).then_some(rest),
        [first, ..] if *first < 0x80 => Some(integer),
        _ => None,
    }
}

/// The value of one element of DER, and what follows it.
fn take(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[tag])?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 | 0x82 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
            (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

fn whole(tag: u8, der: &[u8]) -> Option<&[u8]> {
    take(tag, der).and_then(|(value, rest)| rest.is_empty().then_some(value))
}

pub(super) fn base64url(octets: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::Base64;
    use proptest::prelude::*;

    #[test]
    fn thumbprints_of_the_rfcs() {
        // RFC 7638 §3.1
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi\
                 FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9\
                 c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1j\
                 F44-csFCur-kEgU8awapJzKnqDKgw";
        let rsa = Jwk::Rsa("AQAB".into(), n.into());
        assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        // RFC 8037 appendix A.3
        let ed25519 = Jwk::Ed25519("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into());
        assert_eq!(ed25519.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn keys_of_every_kind_are_read() {
        for (algorithm, kind) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, "P-256"),
            (&rcgen::PKCS_ECDSA_P384_SHA384, "P-384"),
            (&rcgen::PKCS_ECDSA_P521_SHA512, "P-521"),
            (&rcgen::PKCS_ED25519, "Ed25519"),
        ] {
            use rcgen::PublicKeyData as _;
            let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
            let spki = key.subject_public_key_info();
            let jwk = Jwk::from_spki(&spki).unwrap();
            assert!(jwk.members().contains(&format!("\"crv\":\"{kind}\"")), "{jwk:?}");
            let theirs: jsonwebtoken::jwk::Jwk = serde_json::from_str(&format!("{{{}}}", jwk.members())).unwrap();
            if kind != "P-521" {
                let hash = jsonwebtoken::jwk::ThumbprintHash::SHA256;
                assert_eq!(theirs.thumbprint(hash).unwrap(), RawKey::new(&spki).unwrap().thumbprint());
            }
            for bad in [&spki[1..], &spki[..spki.len() - 1], &[&spki[..], &[0]].concat()] {
                assert_eq!(Jwk::from_spki(bad), None, "{kind}");
            }
        }
    }

    /// openssl genrsa 2048 | openssl rsa -pubout -outform DER | base64 -w0
    #[test]
    fn rsa() {
        let spki = Base64::decode_vec(include_str!("testdata/rsa.spki.b64").trim()).unwrap();
        let Some(Jwk::Rsa(e, n)) = Jwk::from_spki(&spki) else { panic!("it is a key of RSA") };
        assert_eq!((e.as_str(), n.len()), ("AQAB", 342));
        assert_eq!(Jwk::from_spki(&spki[..spki.len() - 1]), None);
    }

    proptest! {
        #[test]
        fn arbitrary_octets_do_not_panic(octets: Vec<u8>, at in 0usize..294, to: u8) {
            let _ = Jwk::from_spki(&octets);
            let mut spki = Base64::decode_vec(include_str!("testdata/rsa.spki.b64").trim()).unwrap();
            spki[at] = to;
            let _ = Jwk::from_spki(&spki);
        }
    }
}
