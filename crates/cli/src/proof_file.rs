//! Files that show what somebody proves: keys and certificates.

use crate::failure::Failure;
use rustls::pki_types::CertificateDer;
use std::io::Read as _;
use std::path::Path;
use tagai_pki::client_ca::CertificateFacts;
use tagai_pki::names::{self, NameKind, Unmapped};
use tagai_pki::pem;
use tagai_pki::raw_key::{Pin, RawKey, Spki};
use tagai_store::principal::{Authority, Credential, KeyPin, NameError};
use zeroize::Zeroizing;

/// The most that is read of a file.
const MAX_FILE: u64 = 1 << 20;

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error: std::io::Error| Failure::other(format!("{} cannot be read: {error}", path.display()));
    let mut octets = Zeroizing::new(Vec::new());
    // A private key may be in it: a buffer that grows would leave copies behind.
    octets.reserve_exact(usize::try_from(MAX_FILE).unwrap_or_default().saturating_add(1));
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_FILE + 1).read_to_end(&mut octets).map_err(failed)?;
    if octets.len() > usize::try_from(MAX_FILE).unwrap_or(usize::MAX) {
        return Err(Failure::other(format!("{} is longer than a key or certificate is", path.display())));
    }
    Ok(octets)
}

fn holds(octets: &[u8], label: &[u8]) -> bool {
    octets.windows(label.len()).any(|window| window == label)
}

/// The pin of the key in a file: a public key, a private key, or a certificate, in PEM.
pub(crate) fn key(path: &Path) -> Result<KeyPin, Failure> {
    let octets = read(path)?;
    let wrong = |what: String| {
        Failure::other(format!("{}: {what}", path.display()))
            .help("a public key, a private key (PKCS #8) or a certificate in PEM names a key")
    };
    let pin: Pin = if holds(&octets, b"-----BEGIN CERTIFICATE-----") {
        first_certificate(path, &octets)?.key
    } else if holds(&octets, b"PRIVATE KEY-----") {
        RawKey::from_pem(&octets).map_err(|error| wrong(error.to_string()))?.pin()
    } else {
        Spki::from_pem(&octets).map_err(|error| wrong(format!("it {error}")))?.pin()
    };
    Ok(KeyPin::from_octets(*pin.octets()))
}

/// The certificates in a file, in their order.
pub(crate) fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    certificates(path, &read(path)?)
}

fn certificates(path: &Path, octets: &[u8]) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let wrong = |what: String| Failure::other(format!("{}: {what}", path.display()));
    let found = pem::certificates(octets).map_err(|error| wrong(format!("it {error}")))?;
    if found.is_empty() { Err(wrong("it holds no certificate".into())) } else { Ok(found) }
}

fn first_certificate(path: &Path, octets: &[u8]) -> Result<CertificateFacts, Failure> {
    let wrong = |what: String| Failure::other(format!("{}: {what}", path.display()));
    let found = certificates(path, octets)?;
    let first = found.first().ok_or_else(|| wrong("it holds no certificate".into()))?;
    CertificateFacts::read(first).map_err(|error| wrong(error.to_string()))
}

/// The credential that a certificate is, verified by a client CA that looks for names of these kinds, by preference.
pub(crate) fn certificate(path: &Path, client_ca: &Authority, kinds: &[NameKind]) -> Result<Credential, Failure> {
    let facts = first_certificate(path, &read(path)?)?;
    let wrong = |what: String| {
        Failure::other(format!("{}: {what}", path.display())).help(
            "--names says which names the client CA looks for; or give the credential itself, as x509:ID/dns:NAME",
        )
    };
    let name = names::map(&facts, kinds).map_err(|error| match error {
        Unmapped::None => {
            let looked: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            wrong(format!("the certificate has no name ({})", looked.join(", ")))
        }
        error => wrong(error.to_string()),
    })?;
    let name = name.to_string().parse().map_err(|error: NameError| wrong(error.to_string()))?;
    Ok(Credential::Certificate { client_ca: client_ca.clone(), name })
}
