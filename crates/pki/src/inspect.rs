//! What a PEM file with one key or certificate holds, for people who look at it.

use crate::client_ca::CertificateFacts;
use crate::raw_key::{Pin, RawKey, RawKeyError};
use pkcs8::LineEnding;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// The most octets that are looked at.
pub const MAX_LEN: usize = 64 << 10;

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A private key, which is not shown.
    PrivateKey,
    /// A public key.
    PublicKey,
    /// A request for a certificate, of which only the key was looked at.
    Request,
    /// A certificate, with what it says; and how many others stand behind it, as in a chain.
    Certificate {
        /// What the first one says.
        facts: Box<CertificateFacts>,
        /// The number of others.
        others: usize,
    },
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// What it is.
    pub kind: Kind,
    /// The algorithm of its key: `Ed25519`, `ECDSA on P-256`, `RSA, 2048 bits`.
    pub algorithm: String,
    /// The public key (SubjectPublicKeyInfo) as PEM.
    pub public: String,
    /// What the key is known by.
    pub pin: Pin,
}

/// Why nothing is said of a file. The caller, who knows its name, puts it in front.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// More than is looked at.
    #[error("is longer than {MAX_LEN} octets")]
    TooLong,
    /// Nothing that has a key.
    #[error("holds no key and no certificate in PEM")]
    Nothing,
    /// A part that cannot be read.
    #[error("holds a {0} that cannot be read")]
    Malformed(&'static str),
    /// A private key that cannot be used.
    #[error("{0}")]
    PrivateKey(RawKeyError),
}

/// Looks at the first thing in a file that has a key.
///
/// # Errors
/// [`InspectError`]
pub fn inspect(octets: &[u8]) -> Result<Inspected, InspectError> {
    if octets.len() > MAX_LEN {
        return Err(InspectError::TooLong);
    }
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(octets) {
        let (kind, der) = section.map_err(|_| InspectError::Nothing)?;
        let der = zeroize::Zeroizing::new(der);
        return match kind {
            SectionKind::PrivateKey | SectionKind::EcPrivateKey | SectionKind::RsaPrivateKey => private(octets),
            SectionKind::PublicKey => about(Kind::PublicKey, &der),
            SectionKind::Csr => {
                let (_, request) =
                    X509CertificationRequest::from_der(&der).map_err(|_| InspectError::Malformed("request"))?;
                about(Kind::Request, request.certification_request_info.subject_pki.raw)
            }
            SectionKind::Certificate => certificate(&der, octets),
            _ => continue,
        };
    }
    // What is encrypted is no section of a kind that is known, and says so here.
    private(octets).map_err(|error| match error {
        InspectError::PrivateKey(RawKeyError::None) => InspectError::Nothing,
        error => error,
    })
}

fn private(octets: &[u8]) -> Result<Inspected, InspectError> {
    let key = RawKey::from_pem(octets).map_err(InspectError::PrivateKey)?;
    about(Kind::PrivateKey, key.public().as_der())
}

fn certificate(der: &[u8], octets: &[u8]) -> Result<Inspected, InspectError> {
    let malformed = || InspectError::Malformed("certificate");
    let facts = Box::new(CertificateFacts::read(der).map_err(|_| malformed())?);
    let (_, parsed) = X509Certificate::from_der(der).map_err(|_| malformed())?;
    let all = CertificateDer::pem_slice_iter(octets).filter(Result::is_ok).count();
    about(Kind::Certificate { facts, others: all.saturating_sub(1) }, parsed.public_key().raw)
}

fn about(kind: Kind, spki: &[u8]) -> Result<Inspected, InspectError> {
    let malformed = || InspectError::Malformed("public key");
    let (rest, parsed) = SubjectPublicKeyInfo::from_der(spki).map_err(|_| malformed())?;
    if !rest.is_empty() {
        return Err(malformed());
    }
    let public = pkcs8::Document::try_from(spki)
        .and_then(|document| document.to_pem("PUBLIC KEY", LineEnding::LF))
        .map_err(|_| malformed())?;
    Ok(Inspected { kind, algorithm: algorithm(&parsed), public, pin: Pin::of_octets(spki) })
}

fn algorithm(key: &SubjectPublicKeyInfo<'_>) -> String {
    match (key.algorithm.algorithm.to_id_string().as_str(), key.parsed()) {
        ("1.3.101.112", _) => "Ed25519".to_owned(),
        ("1.3.101.113", _) => "Ed448".to_owned(),
        (_, Ok(PublicKey::RSA(rsa))) => format!("RSA, {} bits", rsa.key_size()),
        ("1.2.840.10045.2.1", _) => {
            let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
            match curve.map(|curve| curve.to_id_string()).as_deref() {
                Some("1.2.840.10045.3.1.7") => "ECDSA on P-256".to_owned(),
                Some("1.3.132.0.34") => "ECDSA on P-384".to_owned(),
                Some("1.3.132.0.35") => "ECDSA on P-521".to_owned(),
                _ => "ECDSA on another curve".to_owned(),
            }
        }
        (other, _) => format!("of the algorithm {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw_key::{KeyKind, generate};

    #[test]
    fn keys_and_what_holds_them_have_the_same_pin() {
        for (kind, name) in [(KeyKind::Ed25519, "Ed25519"), (KeyKind::P256, "ECDSA on P-256")] {
            let pem = generate(kind).unwrap();
            let private = inspect(pem.as_bytes()).unwrap();
            assert_eq!((&private.kind, private.algorithm.as_str()), (&Kind::PrivateKey, name));
            assert_eq!(private.pin, RawKey::from_pem(pem.as_bytes()).unwrap().pin());
            let public = inspect(private.public.as_bytes()).unwrap();
            assert_eq!((&public.kind, public.pin), (&Kind::PublicKey, private.pin));
            let key = rcgen::KeyPair::from_pem(&pem).unwrap();
            let params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
            let request = inspect(params.serialize_request(&key).unwrap().pem().unwrap().as_bytes()).unwrap();
            assert_eq!((&request.kind, request.pin), (&Kind::Request, private.pin));
            let certificate = params.self_signed(&key).unwrap().pem();
            let certificate = inspect(format!("{certificate}{certificate}").as_bytes()).unwrap();
            assert_eq!(certificate.pin, private.pin);
            let Kind::Certificate { facts, others } = certificate.kind else { panic!("{certificate:?}") };
            assert_eq!((facts.dns_names, others), (vec!["a.example".to_owned()], 1));
        }
    }

    #[test]
    fn what_has_no_key() {
        let error = |text: &str| inspect(text.as_bytes()).unwrap_err();
        assert_eq!(error(""), InspectError::Nothing);
        assert_eq!(error("nonsense"), InspectError::Nothing);
        assert_eq!(error(&"a".repeat(MAX_LEN + 1)), InspectError::TooLong);
        let pem = |label: &str| format!("-----BEGIN {label}-----\nMAA=\n-----END {label}-----\n");
        assert_eq!(error(&pem("CERTIFICATE")), InspectError::Malformed("certificate"));
        assert_eq!(error(&pem("PUBLIC KEY")), InspectError::Malformed("public key"));
        assert_eq!(error(&pem("CERTIFICATE REQUEST")), InspectError::Malformed("request"));
        assert_eq!(error(&pem("X509 CRL")), InspectError::Nothing);
        assert_eq!(error(&pem("ENCRYPTED PRIVATE KEY")), InspectError::PrivateKey(RawKeyError::Encrypted));
        assert_eq!(error(&pem("EC PRIVATE KEY")), InspectError::PrivateKey(RawKeyError::OldForm));
        assert_eq!(error(&pem("PRIVATE KEY")), InspectError::PrivateKey(RawKeyError::Unusable));
    }
}
