//! What a certificate says.

use super::dn;
use crate::raw_key::Pin;
use crate::text;
use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::UnixTime;
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509Certificate};

/// How many names of a subjectAltName are read.
pub const MAX_NAMES: usize = 256;

/// What a certificate says, for policy, logs and applications. Nothing of it is proven by having been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The subject's name as text (RFC 4514); may be empty.
    pub subject: String,
    /// The issuer's name as text (RFC 4514).
    pub issuer: String,
    /// The serial number: hexadecimal digits in lower case, two for each octet, no octet of zeros in front.
    pub serial: String,
    /// From when it is valid.
    pub not_before: UnixTime,
    /// The last second in which it is valid.
    pub not_after: UnixTime,
    /// `dNSName`s, as they stand in it.
    pub dns_names: Vec<String>,
    /// `uniformResourceIdentifier`s, as they stand in it.
    pub uri_names: Vec<String>,
    /// `rfc822Name`s, as they stand in it.
    pub email_names: Vec<String>,
    /// The common names of the subject, in their order in the certificate.
    pub common_names: Vec<String>,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub key: Pin,
    /// SHA-256 of the certificate.
    pub thumbprint: [u8; 32],
}

impl Default for CertificateFacts {
    fn default() -> Self {
        let none = UnixTime::since_unix_epoch(std::time::Duration::ZERO);
        Self {
            subject: String::new(),
            issuer: String::new(),
            serial: text::serial(&[]),
            not_before: none,
            not_after: none,
            dns_names: Vec::new(),
            uri_names: Vec::new(),
            email_names: Vec::new(),
            common_names: Vec::new(),
            key: Pin::from_octets([0; 32]),
            thumbprint: [0; 32],
        }
    }
}

/// Why nothing can be read from a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FactsError {
    /// Not a certificate (RFC 5280 section 4.1), or something follows it.
    #[error("it is not an X.509 certificate")]
    Malformed,
    /// A serial number below zero, which would be written like another.
    #[error("its serial number is negative")]
    Serial,
    /// An alternative name that is not encoded as its kind wants it, or a second list of them.
    #[error("its alternative names are malformed")]
    Names,
    /// Too many alternative names.
    #[error("it has more than {MAX_NAMES} alternative names")]
    TooManyNames,
}

impl CertificateFacts {
    /// Reads a certificate (DER).
    ///
    /// # Errors
    /// [`FactsError`]
    pub fn read(der: &[u8]) -> Result<Self, FactsError> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| FactsError::Malformed)?;
        if !rest.is_empty() {
            return Err(FactsError::Malformed);
        }
        if certificate.raw_serial().first().is_some_and(|octet| *octet >= 0x80) {
            return Err(FactsError::Serial);
        }
        let mut facts = Self {
            subject: dn::text(certificate.subject()),
            issuer: dn::text(certificate.issuer()),
            serial: text::serial(certificate.raw_serial()),
            not_before: text::unix(&certificate.validity().not_before),
            not_after: text::unix(&certificate.validity().not_after),
            key: Pin::of_octets(certificate.public_key().raw),
            ..Self::default()
        };
        facts.thumbprint.copy_from_slice(digest(&SHA256, der).as_ref());
        for name in certificate.subject().iter_common_name().take(MAX_NAMES) {
            // What has no string form is kept in its place, and cannot be a name.
            facts.common_names.push(name.as_str().unwrap_or("\0").to_owned());
        }
        facts.alternative_names(&certificate)?;
        Ok(facts)
    }

    fn alternative_names(&mut self, certificate: &X509Certificate<'_>) -> Result<(), FactsError> {
        let mut seen = false;
        for extension in certificate.iter_extensions() {
            if extension.oid != x509_parser::oid_registry::OID_X509_EXT_SUBJECT_ALT_NAME {
                continue;
            }
            let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension() else {
                return Err(FactsError::Names);
            };
            if std::mem::replace(&mut seen, true) {
                return Err(FactsError::Names);
            }
            if names.general_names.len() > MAX_NAMES {
                return Err(FactsError::TooManyNames);
            }
            for name in &names.general_names {
                match name {
                    GeneralName::DNSName(name) => self.dns_names.push((*name).to_owned()),
                    GeneralName::URI(name) => self.uri_names.push((*name).to_owned()),
                    GeneralName::RFC822Name(name) => self.email_names.push((*name).to_owned()),
                    GeneralName::Invalid(..) => return Err(FactsError::Names),
                    _ => (),
                }
            }
        }
        Ok(())
    }
}
