//! Certificates and lists of revoked ones as they stand in files.

use crate::crl::{Crl, CrlError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{PemObject as _, SectionKind};

/// How many octets of a file with certificates are read.
pub const MAX_CERTIFICATES_LEN: usize = 1 << 20;
/// How many certificates a file may hold.
pub const MAX_CERTIFICATES: usize = 512;
/// How many CRLs a file may hold.
pub const MAX_CRLS: usize = 64;

/// What is wrong with the contents of a file. The caller, who knows its name, puts it in front.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// More than is read.
    #[error("is longer than {0} octets, or holds too many items; split it")]
    TooLong(usize),
    /// Nothing of the kind that was looked for.
    #[error("holds no {0} in PEM")]
    Empty(&'static str),
    /// Something else.
    #[error("part {part} is a {found}, which does not belong here: only {wanted} are read from this file")]
    Other {
        /// Its number, from 1.
        part: usize,
        /// What it is.
        found: &'static str,
        /// What should have been there.
        wanted: &'static str,
    },
    /// Not PEM.
    #[error("part {part} is not PEM: {reason}")]
    Pem {
        /// Its number, from 1.
        part: usize,
        /// What is wrong.
        reason: String,
    },
    /// A CRL that cannot be used.
    #[error("CRL {part}: {error}")]
    Crl {
        /// Its number, from 1.
        part: usize,
        /// Why not.
        error: CrlError,
    },
}

/// The certificates in `octets` (PEM), in their order, at least one. They are not looked into.
///
/// # Errors
/// [`PemError`]: anything else in the file, private keys before all, is a mistake worth hearing of.
pub fn certificates(octets: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    if octets.len() > MAX_CERTIFICATES_LEN {
        return Err(PemError::TooLong(MAX_CERTIFICATES_LEN));
    }
    let found = sections(octets, SectionKind::Certificate, "certificates", MAX_CERTIFICATES)?;
    if found.is_empty() {
        Err(PemError::Empty("certificate"))
    } else {
        Ok(found.into_iter().map(Into::into).collect())
    }
}

/// The CRLs in `octets`: one in DER, or any number in PEM, at least one.
///
/// # Errors
/// [`PemError`]
pub fn crls(octets: &[u8]) -> Result<Vec<Crl>, PemError> {
    if octets.len() > crate::crl::MAX_CRL_LEN * 3 / 2 {
        return Err(PemError::TooLong(crate::crl::MAX_CRL_LEN));
    }
    // The tag of a SEQUENCE: DER. A 0 can stand at the start of no PEM that people write.
    if octets.first() == Some(&0x30) {
        return Ok(vec![Crl::from_der(octets).map_err(|error| PemError::Crl { part: 1, error })?]);
    }
    let found = sections(octets, SectionKind::Crl, "CRLs", MAX_CRLS)?;
    if found.is_empty() {
        return Err(PemError::Empty("CRL (X509 CRL)"));
    }
    let read = |(index, der): (usize, &Vec<u8>)| {
        Crl::from_der(der).map_err(|error| PemError::Crl { part: index + 1, error })
    };
    found.iter().enumerate().map(read).collect()
}

fn sections(octets: &[u8], kind: SectionKind, wanted: &'static str, most: usize) -> Result<Vec<Vec<u8>>, PemError> {
    let mut found = Vec::new();
    for (index, section) in <(SectionKind, Vec<u8>)>::pem_slice_iter(octets).enumerate() {
        let part = index + 1;
        if part > most {
            return Err(PemError::TooLong(octets.len()));
        }
        match section {
            Ok((found_kind, der)) if found_kind == kind => found.push(der),
            Ok((other, _)) => return Err(PemError::Other { part, found: name(other), wanted }),
            Err(error) => return Err(PemError::Pem { part, reason: error.to_string() }),
        }
    }
    Ok(found)
}

fn name(kind: SectionKind) -> &'static str {
    match kind {
        SectionKind::Certificate => "certificate",
        SectionKind::PublicKey => "public key",
        SectionKind::RsaPrivateKey | SectionKind::PrivateKey | SectionKind::EcPrivateKey => "private key",
        SectionKind::Crl => "CRL",
        SectionKind::Csr => "request for a certificate",
        _ => "part of another kind",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";

    #[test]
    fn a_file_holds_certificates_and_nothing_else() {
        let certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates([certificate, certificate].concat().as_bytes()).map(|found| found.len()), Ok(2));
        let error = certificates([certificate, KEY].concat().as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "part 2 is a private key, which does not belong here: only certificates are read from this file"
        );
        assert_eq!(certificates(b"nothing"), Err(PemError::Empty("certificate")));
        assert!(matches!(
            certificates(b"-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n"),
            Err(PemError::Pem { part: 1, .. })
        ));
        assert!(matches!(certificates(&vec![b' '; MAX_CERTIFICATES_LEN + 1]), Err(PemError::TooLong(_))));
        let many = certificate.repeat(MAX_CERTIFICATES + 1);
        assert!(matches!(certificates(many.as_bytes()), Err(PemError::TooLong(_))));
    }

    #[test]
    fn a_file_holds_crls_and_nothing_else() {
        assert!(matches!(crls(KEY.as_bytes()), Err(PemError::Other { part: 1, found: "private key", .. })));
        assert!(matches!(crls(b""), Err(PemError::Empty(_))));
        assert!(matches!(crls(&[0x30, 0]), Err(PemError::Crl { part: 1, .. })));
        let empty = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
        assert!(matches!(crls(empty.as_bytes()), Err(PemError::Crl { part: 1, .. })));
    }
}
