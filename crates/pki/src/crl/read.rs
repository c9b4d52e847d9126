//! Reading a CRL.

use super::signature::Signed;
use crate::client_ca::dn;
use crate::text;
use rustls::pki_types::UnixTime;
use std::cmp::Ordering;
use std::fmt;
use webpki::{CertRevocationList, OwnedCertRevocationList};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, ParsedExtension};

/// Octets of a CRL at most.
pub const MAX_CRL_LEN: usize = 10 << 20;

/// Why a CRL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrlError {
    /// More than [`MAX_CRL_LEN`] octets.
    #[error("is longer than {MAX_CRL_LEN} octets")]
    TooLong,
    /// Not a CRL.
    #[error("is not a CRL (RFC 5280 section 5): {0}")]
    Malformed(String),
    /// Without a time at which the next one comes, nobody could tell when it is too old.
    #[error(
        "says nothing of its next update, so that nobody can tell when it is too old; RFC 5280 section 5.1.2.5 wants it"
    )]
    NoNextUpdate,
    /// A list of changes.
    #[error("is a delta CRL, with the changes to another alone; give the complete one")]
    Delta,
    /// A list of other issuers' certificates.
    #[error("is an indirect CRL, for certificates of other issuers; give one of each issuer's own")]
    Indirect,
    /// A list for some reasons of revocation.
    #[error("lists the certificates revoked for some reasons only; give the complete one")]
    SomeReasons,
    /// Something else that is not supported.
    #[error("cannot be used: {0}")]
    Unsupported(String),
}

/// A CRL that can be read. Who signed it has not been looked at: that is for [`CrlSet`](super::CrlSet).
pub struct Crl {
    pub(super) list: CertRevocationList<'static>,
    pub(super) signed: Signed,
    issuer: String,
    number: Option<Vec<u8>>,
    this_update: UnixTime,
    next_update: UnixTime,
    entries: usize,
}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crl")
            .field("issuer", &self.issuer)
            .field("number", &self.number())
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

impl Crl {
    /// Reads a CRL (DER).
    ///
    /// # Errors
    /// [`CrlError`]
    pub fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        if der.len() > MAX_CRL_LEN {
            return Err(CrlError::TooLong);
        }
        let malformed = |reason: &str| CrlError::Malformed(reason.into());
        let (rest, read) =
            CertificateRevocationList::from_der(der).map_err(|_| malformed("its structure is another"))?;
        if !rest.is_empty() {
            return Err(malformed("octets follow it"));
        }
        // Said here for its plainness; WebPKI would call it a wrong tag.
        let next_update = read.next_update().ok_or(CrlError::NoNextUpdate)?;
        let mut number = None;
        for extension in read.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::CRLNumber(found) => number = Some(found.to_bytes_be()),
                ParsedExtension::IssuingDistributionPoint(point) if point.indirect_crl => {
                    return Err(CrlError::Indirect);
                }
                ParsedExtension::IssuingDistributionPoint(point) if point.only_some_reasons.is_some() => {
                    return Err(CrlError::SomeReasons);
                }
                _ => (),
            }
        }
        let list = OwnedCertRevocationList::from_der(der).map_err(error)?;
        let crl = Self {
            signed: Signed::read(der).ok_or_else(|| malformed("its signature cannot be read"))?,
            issuer: dn::text(read.issuer()),
            number,
            this_update: text::unix(&read.last_update()),
            next_update: text::unix(&next_update),
            entries: read.iter_revoked_certificates().count(),
            list: list.into(),
        };
        if crl.next_update < crl.this_update {
            return Err(malformed("its next update is before this one"));
        }
        Ok(crl)
    }

    /// Its issuer's name (RFC 4514).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its number in hexadecimal, if it has one.
    #[must_use]
    pub fn number(&self) -> Option<String> {
        self.number.as_ref().map(|number| text::serial(number))
    }

    /// When it was issued.
    #[must_use]
    pub fn this_update(&self) -> UnixTime {
        self.this_update
    }

    /// By when the next one is issued. From this time on it is too old.
    #[must_use]
    pub fn next_update(&self) -> UnixTime {
        self.next_update
    }

    /// How many certificates it names.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Which of two is newer: by number, then by time.
    #[must_use]
    pub fn age(&self, other: &Self) -> Ordering {
        fn number(crl: &Crl) -> (usize, &[u8]) {
            let octets = crl.number.as_deref().unwrap_or_default();
            let zeros = octets.iter().take_while(|octet| **octet == 0).count();
            let significant = octets.get(zeros..).unwrap_or_default();
            (significant.len(), significant)
        }
        let (has, others) = (self.number.is_some(), other.number.is_some());
        has.cmp(&others)
            .then_with(|| number(self).cmp(&number(other)))
            .then_with(|| self.this_update.cmp(&other.this_update))
    }
}

fn error(error: webpki::Error) -> CrlError {
    use webpki::Error as E;
    match error {
        E::UnsupportedDeltaCrl => CrlError::Delta,
        E::UnsupportedIndirectCrl => CrlError::Indirect,
        E::UnsupportedRevocationReasonsPartitioning => CrlError::SomeReasons,
        E::UnsupportedCrlVersion => CrlError::Unsupported("it is not of version 2".into()),
        E::UnsupportedCrlIssuingDistributionPoint => {
            CrlError::Unsupported("its issuing distribution point has no full name".into())
        }
        E::UnsupportedCriticalExtension => {
            CrlError::Unsupported("it has a critical extension that is not known here".into())
        }
        other => CrlError::Malformed(other.to_string()),
    }
}
