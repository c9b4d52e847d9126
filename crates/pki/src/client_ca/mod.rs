//! An authority for clients: whom it vouches for, and how that is checked (RFC 5280 section 6).

mod anchor;
pub(crate) mod dn;
mod facts;
mod refusal;
mod verify;

use crate::names::{MappedName, NameKind};
use anchor::Known;
use rustls::DistinguishedName;
use rustls::pki_types::{CertificateDer, UnixTime};

pub use facts::{CertificateFacts, FactsError, MAX_NAMES};
pub use refusal::Refusal;

/// How many certificates of a client are looked at.
pub const MAX_CHAIN: usize = 6;
/// How many octets of them.
pub const MAX_CHAIN_LEN: usize = 64 << 10;
/// How many trust anchors or intermediates an authority may have.
pub const MAX_AUTHORITIES: usize = crate::pem::MAX_CERTIFICATES;

/// What happens without a valid CRL. Whatever a valid CRL names is refused, unless there is no checking at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrlPolicy {
    /// CRLs are not looked at.
    None,
    /// A certificate without a CRL that has not expired is refused: it fails closed.
    Refuse,
    /// It is accepted: it fails open. An expired CRL still refuses those that it names.
    Accept,
}

/// What makes an authority.
#[derive(Debug, Clone)]
pub struct ClientCaConfig {
    /// Its name in the configuration.
    pub id: String,
    /// The trust anchors.
    pub roots: Vec<CertificateDer<'static>>,
    /// Certificates between them and clients, which clients then need not send.
    pub intermediates: Vec<CertificateDer<'static>>,
    /// By which names clients are known, in order of preference.
    pub names: Vec<NameKind>,
    /// What happens without a valid CRL.
    pub crl_policy: CrlPolicy,
}

/// Why an authority cannot be used as configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientCaError {
    /// Nothing to trust.
    #[error("there is no certificate to trust")]
    NoRoots,
    /// More than are searched for every client.
    #[error("there are more than {MAX_AUTHORITIES} certificates")]
    TooMany,
    /// Clients would have no names.
    #[error("there is no kind of names by which clients are known; there are uri, dns, email and cn")]
    NoNames,
    /// A kind is listed twice.
    #[error("the kind of names {0} is listed twice")]
    NameTwice(NameKind),
    /// A certificate that cannot be one of an authority.
    #[error("{} {part}{}: {reason}", if *.root { "certificate" } else { "intermediate certificate" }, described(.subject))]
    Certificate {
        /// Whether it is a trust anchor.
        root: bool,
        /// Its number in the list, from 1.
        part: usize,
        /// Its subject, if it could be read.
        subject: Option<String>,
        /// What is wrong.
        reason: String,
    },
}

fn described(subject: &Option<String>) -> String {
    subject.as_ref().map(|subject| format!(" ({})", crate::text::quoted(subject))).unwrap_or_default()
}

/// An authority for clients. See [`ClientCa::verify`].
pub struct ClientCa {
    id: String,
    roots: Vec<Known>,
    intermediates: Vec<Known>,
    names: Vec<NameKind>,
    crl_policy: CrlPolicy,
}

impl std::fmt::Debug for ClientCa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let roots: Vec<_> = self.roots.iter().map(|root| &root.subject_text).collect();
        f.debug_struct("ClientCa").field("id", &self.id).field("roots", &roots).finish_non_exhaustive()
    }
}

impl ClientCa {
    /// An authority, once all of its certificates can be read as those of authorities. Expired ones are allowed, so that a
    /// program can start with them; [`expires`](Self::expires) tells.
    ///
    /// # Errors
    /// [`ClientCaError`]
    pub fn new(config: ClientCaConfig) -> Result<Self, ClientCaError> {
        if config.roots.is_empty() {
            return Err(ClientCaError::NoRoots);
        }
        if config.roots.len() > MAX_AUTHORITIES || config.intermediates.len() > MAX_AUTHORITIES {
            return Err(ClientCaError::TooMany);
        }
        if config.names.is_empty() {
            return Err(ClientCaError::NoNames);
        }
        for (index, kind) in config.names.iter().enumerate() {
            if config.names.iter().take(index).any(|other| other == kind) {
                return Err(ClientCaError::NameTwice(*kind));
            }
        }
        let read = |certificates: Vec<CertificateDer<'static>>, root| {
            certificates
                .into_iter()
                .enumerate()
                .map(|(index, der)| {
                    Known::read(der, root).map_err(|(subject, reason)| ClientCaError::Certificate {
                        root,
                        part: index + 1,
                        subject,
                        reason,
                    })
                })
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            id: config.id,
            roots: read(config.roots, true)?,
            intermediates: read(config.intermediates, false)?,
            names: config.names,
            crl_policy: config.crl_policy,
        })
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What happens without a valid CRL.
    #[must_use]
    pub fn crl_policy(&self) -> CrlPolicy {
        self.crl_policy
    }

    /// The names of its certificates, as clients are told them in a handshake, each once.
    #[must_use]
    pub fn subjects(&self) -> Vec<DistinguishedName> {
        let mut subjects: Vec<DistinguishedName> = Vec::new();
        for known in self.known() {
            let subject = DistinguishedName::in_sequence(&known.subject);
            if !subjects.iter().any(|other| other.as_ref() == subject.as_ref()) {
                subjects.push(subject);
            }
        }
        subjects
    }

    /// The trust anchors and intermediates that are not valid for ever: subject and last second of each.
    pub fn expires(&self) -> impl Iterator<Item = (&str, UnixTime)> {
        self.known().map(|known| (&*known.subject_text, known.not_after))
    }

    pub(crate) fn known(&self) -> impl Iterator<Item = &Known> {
        self.roots.iter().chain(&self.intermediates)
    }
}

/// A client that an authority vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedClient {
    /// The authority's name in the configuration.
    pub ca: String,
    /// The client's name.
    pub name: MappedName,
    /// What its certificate says.
    pub facts: CertificateFacts,
    /// The path that was verified, from the client's certificate to the one below the trust anchor.
    pub chain: Vec<CertificateDer<'static>>,
    /// From this time on, the answer must be asked for anew: a certificate of the path or a CRL will have expired.
    pub valid_until: UnixTime,
}
