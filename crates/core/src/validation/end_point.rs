//! `tls-server-end-point`: the hash of a certificate, made with the hash function of its signature (RFC 5929 §4.1).

use crate::algorithm::HashFunction;
use alloc::vec::Vec;
use const_oid::ObjectIdentifier;
use der::asn1::AnyRef;
use der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};
use sha2::Digest as _;

/// The channel binding `tls-server-end-point` of one certificate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndPoint(Vec<u8>);

/// Why a certificate has no `tls-server-end-point` binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndPointError {
    /// Not a certificate in DER.
    #[error("the certificate is not DER of an X.509 certificate")]
    Malformed,
    /// RFC 5929 §4.1 leaves it undefined: the signature uses no hash function (Ed25519, ML-DSA) or several.
    #[error(
        "tls-server-end-point is not defined for the signature algorithm of this certificate; the TLS exporter is needed"
    )]
    Undefined,
    /// The signature algorithm is not known here.
    #[error("the signature algorithm {0} of the certificate is not known")]
    Unknown(ObjectIdentifier),
}

impl EndPoint {
    /// The binding of a certificate in DER, octet for octet as the server's Certificate message has it.
    ///
    /// # Errors
    /// [`EndPointError`] if it is not a certificate or its signature has no single, known hash function.
    pub fn from_certificate(der: &[u8]) -> Result<Self, EndPointError> {
        let (algorithm, parameters) = signature_algorithm(der).ok_or(EndPointError::Malformed)?;
        let hash = if algorithm == RSASSA_PSS { pss_hash(parameters)? } else { signature_hash(algorithm)? };
        Ok(Self(hash.digest(der)))
    }

    /// A binding that was computed elsewhere, for example by a load balancer that ends TLS in front of the server: the
    /// hash of its certificate, 28 to 64 octets.
    ///
    /// # Errors
    /// [`EndPointError::Malformed`] if no hash function has outputs of this length.
    pub fn from_hash(hash: &[u8]) -> Result<Self, EndPointError> {
        if matches!(hash.len(), 28 | 32 | 48 | 64) { Ok(Self(hash.to_vec())) } else { Err(EndPointError::Malformed) }
    }

    /// The octets of the hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The hash functions that certificates are signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CertificateHash {
    Sha2(HashFunction),
    Sha224,
    Sha384,
    Sha512Trunc224,
    Sha512Trunc256,
    Sha3Len224,
    Sha3Len256,
    Sha3Len384,
    Sha3Len512,
}

use CertificateHash as H;
const SHA256: CertificateHash = H::Sha2(HashFunction::Sha256);
const SHA512: CertificateHash = H::Sha2(HashFunction::Sha512);

impl CertificateHash {
    fn digest(self, der: &[u8]) -> Vec<u8> {
        match self {
            SHA256 => sha2::Sha256::digest(der).to_vec(),
            SHA512 => sha2::Sha512::digest(der).to_vec(),
            H::Sha224 => sha2::Sha224::digest(der).to_vec(),
            H::Sha384 => sha2::Sha384::digest(der).to_vec(),
            H::Sha512Trunc224 => sha2::Sha512_224::digest(der).to_vec(),
            H::Sha512Trunc256 => sha2::Sha512_256::digest(der).to_vec(),
            H::Sha3Len224 => sha3::Sha3_224::digest(der).to_vec(),
            H::Sha3Len256 => sha3::Sha3_256::digest(der).to_vec(),
            H::Sha3Len384 => sha3::Sha3_384::digest(der).to_vec(),
            H::Sha3Len512 => sha3::Sha3_512::digest(der).to_vec(),
        }
    }
}

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const RSASSA_PSS: ObjectIdentifier = oid("1.2.840.113549.1.1.10");
const MGF1: ObjectIdentifier = oid("1.2.840.113549.1.1.8");

/// Signature algorithms with one hash function; MD5 and SHA-1 stand with SHA-256, as RFC 5929 §4.1 replaces them.
const SIGNATURES: &[(ObjectIdentifier, CertificateHash)] = &[
    (oid("1.2.840.113549.1.1.11"), SHA256),            // sha256WithRSAEncryption
    (oid("1.2.840.10045.4.3.2"), SHA256),              // ecdsa-with-SHA256
    (oid("1.2.840.10045.4.3.3"), H::Sha384),           // ecdsa-with-SHA384
    (oid("1.2.840.10045.4.3.4"), SHA512),              // ecdsa-with-SHA512
    (oid("1.2.840.113549.1.1.12"), H::Sha384),         // sha384WithRSAEncryption
    (oid("1.2.840.113549.1.1.13"), SHA512),            // sha512WithRSAEncryption
    (oid("1.2.840.113549.1.1.14"), H::Sha224),         // sha224WithRSAEncryption
    (oid("1.2.840.113549.1.1.15"), H::Sha512Trunc224), // sha512-224WithRSAEncryption
    (oid("1.2.840.113549.1.1.16"), H::Sha512Trunc256), // sha512-256WithRSAEncryption
    (oid("1.2.840.10045.4.3.1"), H::Sha224),           // ecdsa-with-SHA224
    (oid("2.16.840.1.101.3.4.3.1"), H::Sha224),        // dsa-with-SHA224
    (oid("2.16.840.1.101.3.4.3.2"), SHA256),           // dsa-with-SHA256
    (oid("2.16.840.1.101.3.4.3.3"), H::Sha384),        // dsa-with-SHA384
    (oid("2.16.840.1.101.3.4.3.4"), SHA512),           // dsa-with-SHA512
    (oid("2.16.840.1.101.3.4.3.9"), H::Sha3Len224),    // ecdsa-with-SHA3-224
    (oid("2.16.840.1.101.3.4.3.10"), H::Sha3Len256),   // ecdsa-with-SHA3-256
    (oid("2.16.840.1.101.3.4.3.11"), H::Sha3Len384),   // ecdsa-with-SHA3-384
    (oid("2.16.840.1.101.3.4.3.12"), H::Sha3Len512),   // ecdsa-with-SHA3-512
    (oid("2.16.840.1.101.3.4.3.13"), H::Sha3Len224),   // RSA with SHA3-224
    (oid("2.16.840.1.101.3.4.3.14"), H::Sha3Len256),   // RSA with SHA3-256
    (oid("2.16.840.1.101.3.4.3.15"), H::Sha3Len384),   // RSA with SHA3-384
    (oid("2.16.840.1.101.3.4.3.16"), H::Sha3Len512),   // RSA with SHA3-512
    (oid("1.2.840.113549.1.1.4"), SHA256),             // md5WithRSAEncryption
    (oid("1.2.840.113549.1.1.5"), SHA256),             // sha1WithRSAEncryption
    (oid("1.3.14.3.2.29"), SHA256),                    // sha1WithRSA, the older identifier
    (oid("1.2.840.10045.4.1"), SHA256),                // ecdsa-with-SHA1
    (oid("1.2.840.10040.4.3"), SHA256),                // dsa-with-SHA1
];

/// Signature algorithms that hash inside, or not at all.
const UNHASHED: &[ObjectIdentifier] = &[
    oid("1.3.101.112"),             // Ed25519
    oid("1.3.101.113"),             // Ed448
    oid("2.16.840.1.101.3.4.3.17"), // ML-DSA-44
    oid("2.16.840.1.101.3.4.3.18"), // ML-DSA-65
    oid("2.16.840.1.101.3.4.3.19"), // ML-DSA-87
];

/// The hash functions of RSASSA-PSS parameters (RFC 4055 §2.1).
const HASHES: &[(ObjectIdentifier, CertificateHash)] = &[
    (oid("2.16.840.1.101.3.4.2.1"), SHA256),
    (oid("2.16.840.1.101.3.4.2.2"), H::Sha384),
    (oid("2.16.840.1.101.3.4.2.3"), SHA512),
    (oid("2.16.840.1.101.3.4.2.4"), H::Sha224),
    (oid("2.16.840.1.101.3.4.2.5"), H::Sha512Trunc224),
    (oid("2.16.840.1.101.3.4.2.6"), H::Sha512Trunc256),
    (oid("2.16.840.1.101.3.4.2.7"), H::Sha3Len224),
    (oid("2.16.840.1.101.3.4.2.8"), H::Sha3Len256),
    (oid("2.16.840.1.101.3.4.2.9"), H::Sha3Len384),
    (oid("2.16.840.1.101.3.4.2.10"), H::Sha3Len512),
];
const SHA1: ObjectIdentifier = oid("1.3.14.3.2.26");

fn find(table: &[(ObjectIdentifier, CertificateHash)], wanted: ObjectIdentifier) -> Option<CertificateHash> {
    table.iter().find(|(known, _)| *known == wanted).map(|(_, hash)| *hash)
}

fn signature_hash(algorithm: ObjectIdentifier) -> Result<CertificateHash, EndPointError> {
    match find(SIGNATURES, algorithm) {
        Some(hash) => Ok(hash),
        None if UNHASHED.contains(&algorithm) => Err(EndPointError::Undefined),
        None => Err(EndPointError::Unknown(algorithm)),
    }
}

/// Reads `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }` as far as needed.
fn signature_algorithm(der: &[u8]) -> Option<AlgorithmIdentifier<'_>> {
    match elements(AnyRef::from_der(der).ok()?)?.as_slice() {
        [body, algorithm, signature] if body.tag() == Tag::Sequence && signature.tag() == Tag::BitString => {
            algorithm_identifier(*algorithm)
        }
        _ => None,
    }
}

type AlgorithmIdentifier<'a> = (ObjectIdentifier, Option<AnyRef<'a>>);

fn algorithm_identifier(value: AnyRef<'_>) -> Option<AlgorithmIdentifier<'_>> {
    match elements(value)?.as_slice() {
        [algorithm] => Some((algorithm.decode_as().ok()?, None)),
        [algorithm, parameters] => Some((algorithm.decode_as().ok()?, Some(*parameters))),
        _ => None,
    }
}

/// The elements of a SEQUENCE.
fn elements(sequence: AnyRef<'_>) -> Option<Vec<AnyRef<'_>>> {
    if sequence.tag() != Tag::Sequence {
        return None;
    }
    let mut reader = SliceReader::new(sequence.value()).ok()?;
    let mut elements = Vec::new();
    while !reader.is_finished() {
        elements.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(elements)
}

/// The one hash function of `RSASSA-PSS-params`; where they say none it is SHA-1.
fn pss_hash(parameters: Option<AnyRef<'_>>) -> Result<CertificateHash, EndPointError> {
    let (hash, mask) = match parameters {
        None => (SHA1, SHA1),
        Some(parameters) => pss_params(parameters).ok_or(EndPointError::Malformed)?,
    };
    match hash {
        _ if hash != mask => Err(EndPointError::Undefined),
        SHA1 => Ok(SHA256),
        hash => find(HASHES, hash).ok_or(EndPointError::Unknown(hash)),
    }
}

/// The hash function and that of the mask: `[0] hashAlgorithm DEFAULT sha1, [1] maskGenAlgorithm DEFAULT mgf1SHA1, …`
/// (RFC 4055 §3.1).
fn pss_params(parameters: AnyRef<'_>) -> Option<(ObjectIdentifier, ObjectIdentifier)> {
    let fields = elements(parameters)?;
    let field = |number| {
        let tag = Tag::ContextSpecific { constructed: true, number };
        fields
            .iter()
            .find(|field| field.tag() == tag)
            .map(|field| AnyRef::from_der(field.value()).ok().and_then(algorithm_identifier))
    };
    let hash = match field(TagNumber(0)) {
        None => SHA1,
        Some(identifier) => identifier?.0,
    };
    let mask = match field(TagNumber(1)) {
        None => SHA1,
        Some(identifier) => match identifier? {
            (MGF1, Some(mask)) => algorithm_identifier(mask)?.0,
            _ => return None,
        },
    };
    Some((hash, mask))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;
    use std::path::Path;
    use std::string::String;

    /// Certificates that OpenSSL made (`tests/certificates/make`), each with the binding that OpenSSL computed.
    fn certificates() -> Vec<(String, Vec<u8>, String)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certificates");
        let list = std::fs::read_to_string(folder.join("expected.txt")).unwrap();
        list.lines()
            .map(|line| {
                let (name, expected) = line.split_once(' ').unwrap();
                (name.into(), std::fs::read(folder.join(std::format!("{name}.der"))).unwrap(), expected.into())
            })
            .collect()
    }

    #[test]
    fn openssl_computes_the_same_hash() {
        let all = certificates();
        assert!(all.len() >= 20, "{}", all.len());
        for (name, der, expected) in all {
            match EndPoint::from_certificate(&der) {
                Ok(binding) => assert_eq!(base16ct::lower::encode_string(binding.as_bytes()), expected, "{name}"),
                Err(EndPointError::Undefined) => assert_eq!(expected, "undefined", "{name}"),
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let (_, der, _) = certificates().swap_remove(0);
        for bad in [&b""[..], b"0", b"\x30\x00", &der[1..], &der[..der.len() - 1]] {
            assert_eq!(EndPoint::from_certificate(bad), Err(EndPointError::Malformed));
        }
        let mut trailing = der;
        trailing.push(0);
        assert_eq!(EndPoint::from_certificate(&trailing), Err(EndPointError::Malformed));
    }

    #[test]
    fn an_unknown_algorithm_is_named() {
        // SEQUENCE { SEQUENCE {}, SEQUENCE { OID 1.2.3 }, BIT STRING }
        let der = [0x30, 0x0b, 0x30, 0x00, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x03, 0x03, 0x01, 0x00];
        assert_eq!(EndPoint::from_certificate(&der), Err(EndPointError::Unknown(oid("1.2.3"))));
    }

    #[test]
    fn a_configured_hash_has_the_length_of_a_hash() {
        assert!(EndPoint::from_hash(&[0; 32]).is_ok());
        assert!(EndPoint::from_hash(&[0; 20]).is_err());
        assert!(EndPoint::from_hash(&[]).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_octets_do_not_panic(octets: Vec<u8>, at in 0usize..900, to: u8) {
            let _ = EndPoint::from_certificate(&octets);
            for (_, mut der, _) in certificates() {
                let length = der.len();
                der[at % length] = to;
                let _ = EndPoint::from_certificate(&der);
            }
            let _ = EndPoint::from_certificate(&[vec![0x30, 0x82], octets].concat());
        }
    }
}
