//! Why a certificate is not accepted.

use crate::names::{NameError, NameKind, Unmapped};
use crate::text::{quoted, utc};
use rustls::pki_types::UnixTime;
use std::fmt;

/// Why a certificate is not accepted. [`Display`](fmt::Display) is for the operator's log and says all; what the peer may learn
/// is [`code`](Self::code).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// An empty chain.
    Missing,
    /// More certificates or octets than are looked at.
    TooLong {
        /// How many certificates were sent.
        certificates: usize,
        /// Their octets.
        octets: usize,
    },
    /// Not certificates, or such as nobody may issue.
    Malformed {
        /// What is wrong.
        reason: String,
    },
    /// Well-formed, with something that is not supported: an algorithm, or a critical extension.
    Unsupported {
        /// What it is.
        reason: String,
    },
    /// No path to a trust anchor.
    UnknownCa {
        /// The issuer that the client's certificate names (RFC 4514).
        issuer: String,
    },
    /// The issuer has the right name and the signature is not its own.
    BadSignature {
        /// The issuer that the client's certificate names (RFC 4514).
        issuer: String,
    },
    /// A certificate of the path, or its trust anchor, has expired.
    Expired {
        /// Its last second.
        not_after: UnixTime,
        /// When it was looked at.
        now: UnixTime,
        /// Whether it is the trust anchor.
        anchor: bool,
    },
    /// A certificate of the path, or its trust anchor, is not valid yet.
    NotYetValid {
        /// Its first second.
        not_before: UnixTime,
        /// When it was looked at.
        now: UnixTime,
        /// Whether it is the trust anchor.
        anchor: bool,
    },
    /// A CRL names a certificate of the path.
    Revoked {
        /// The revoked certificate's serial number in hexadecimal.
        serial: String,
        /// Whether it is the client's own.
        own: bool,
    },
    /// The policy is to refuse where there is no valid CRL, and there is none.
    StatusUnknown {
        /// What is missing.
        reason: String,
    },
    /// An extended key usage without `clientAuth`, or a key that may not sign.
    NotForClients {
        /// What it is for.
        reason: String,
    },
    /// A certificate of the path may not issue what comes below it.
    NotPermitted {
        /// The rule that is broken.
        reason: String,
    },
    /// The path takes too much work.
    TooComplex,
    /// None of the names that are looked for.
    NoName {
        /// What is looked for.
        wanted: Vec<NameKind>,
    },
    /// The name that counts cannot be used.
    BadName {
        /// Its kind.
        kind: NameKind,
        /// What is wrong with it, with the name.
        reason: String,
    },
}

impl Refusal {
    /// A word for the peer that tells nothing of the configuration. It never changes its meaning.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "certificate-missing",
            Self::TooLong { .. } | Self::TooComplex => "certificate-chain-too-long",
            Self::Malformed { .. } => "certificate-malformed",
            Self::Unsupported { .. } => "certificate-unsupported",
            // Whether the names of an issuer are known here is nobody's business.
            Self::UnknownCa { .. } | Self::BadSignature { .. } => "certificate-unknown-ca",
            Self::Expired { .. } => "certificate-expired",
            Self::NotYetValid { .. } => "certificate-not-yet-valid",
            Self::Revoked { .. } => "certificate-revoked",
            Self::StatusUnknown { .. } => "certificate-status-unknown",
            Self::NotForClients { .. } => "certificate-not-for-clients",
            Self::NotPermitted { .. } => "certificate-not-permitted",
            Self::NoName { .. } | Self::BadName { .. } => "certificate-no-name",
        }
    }

    pub(crate) fn unmapped(error: Unmapped, wanted: &[NameKind]) -> Self {
        match error {
            Unmapped::None => Self::NoName { wanted: wanted.to_vec() },
            Unmapped::Bad { kind, name, error } => Self::bad_name(kind, &name, error),
            Unmapped::Several(kind) => {
                let reason = "there are several, of which none can be told to be the client's".into();
                Self::BadName { kind, reason }
            }
        }
    }

    fn bad_name(kind: NameKind, name: &str, error: NameError) -> Self {
        Self::BadName { kind, reason: format!("{} {error}", quoted(name)) }
    }

    /// What WebPKI says. `issuer` is that of the client's certificate.
    #[allow(deprecated)] // Variants that older versions of WebPKI return are read as those that took their place.
    pub(crate) fn from_webpki(error: webpki::Error, issuer: &str) -> Self {
        use webpki::Error as E;
        let issuer = || issuer.to_owned();
        let malformed = |reason: &str| Self::Malformed { reason: reason.into() };
        let not_permitted = |reason: &str| Self::NotPermitted { reason: reason.into() };
        match error {
            E::CertExpired { time, not_after } => Self::Expired { not_after, now: time, anchor: false },
            E::CertNotValidYet { time, not_before } => Self::NotYetValid { not_before, now: time, anchor: false },
            E::UnknownIssuer => Self::UnknownCa { issuer: issuer() },
            E::InvalidSignatureForPublicKey => Self::BadSignature { issuer: issuer() },
            E::CertRevoked => Self::Revoked { serial: "unknown".into(), own: false },
            E::UnknownRevocationStatus => {
                Self::StatusUnknown { reason: "no CRL covers a certificate of the path".into() }
            }
            E::CrlExpired { next_update, .. } => Self::StatusUnknown {
                reason: format!("the newest CRL has expired: its next update was due at {}", utc(next_update)),
            },
            E::IssuerNotCrlSigner => Self::StatusUnknown {
                reason: "a CRL was signed by an issuer whose certificate does not allow it (cRLSign)".into(),
            },
            E::InvalidCrlSignatureForPublicKey => {
                Self::StatusUnknown { reason: "a CRL has a wrong signature".into() }
            }
            E::RequiredEkuNotFound => {
                Self::NotForClients { reason: "its extended key usage does not have clientAuth".into() }
            }
            E::RequiredEkuNotFoundContext(context) => Self::NotForClients {
                reason: format!(
                    "an extended key usage of the path has {}, and no clientAuth",
                    purposes(&context.present)
                ),
            },
            E::EmptyEkuExtension => malformed("an extended key usage is empty"),
            E::NameConstraintViolation => not_permitted("a name is outside of an issuer's name constraints"),
            E::PathLenConstraintViolated => {
                not_permitted("there are more certificates below an issuer than it may have")
            }
            E::CaUsedAsEndEntity => not_permitted("the certificate is one of an authority, not of a client"),
            E::EndEntityUsedAsCa => not_permitted("an issuer is no authority: its basicConstraints do not say so"),
            E::UnsupportedCriticalExtension => {
                Self::Unsupported { reason: "a critical extension is not known here".into() }
            }
            E::UnsupportedCertVersion => Self::Unsupported { reason: "a certificate is not of version 3".into() },
            E::UnsupportedSignatureAlgorithm
            | E::UnsupportedSignatureAlgorithmContext(_)
            | E::UnsupportedSignatureAlgorithmForPublicKey
            | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => Self::Unsupported {
                reason: "a signature is of an algorithm that is not accepted, or does not fit its key".into(),
            },
            E::MaximumPathDepthExceeded
            | E::MaximumSignatureChecksExceeded
            | E::MaximumPathBuildCallsExceeded
            | E::MaximumNameConstraintComparisonsExceeded => Self::TooComplex,
            other => Self::Malformed { reason: format!("{other}") },
        }
    }
}

fn purposes(present: &[Vec<usize>]) -> String {
    let text: Vec<String> = present
        .iter()
        .take(8)
        .map(|purpose| match purpose.as_slice() {
            [1, 3, 6, 1, 5, 5, 7, 3, 1] => "serverAuth".into(),
            [1, 3, 6, 1, 5, 5, 7, 3, 3] => "codeSigning".into(),
            [1, 3, 6, 1, 5, 5, 7, 3, 4] => "emailProtection".into(),
            [1, 3, 6, 1, 5, 5, 7, 3, 9] => "OCSPSigning".into(),
            [2, 5, 29, 37, 0] => "anyExtendedKeyUsage".into(),
            numbers => numbers.iter().take(32).map(usize::to_string).collect::<Vec<_>>().join("."),
        })
        .collect();
    if text.is_empty() { "nothing".into() } else { text.join(", ") }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = |anchor: bool| if anchor { "the trust anchor" } else { "a certificate of the chain" };
        match self {
            Self::Missing => f.write_str("no certificate was sent"),
            Self::TooLong { certificates, octets } => {
                write!(f, "the chain is too long: {certificates} certificates of {octets} octets")
            }
            Self::Malformed { reason } => write!(f, "a certificate of the chain is malformed: {reason}"),
            Self::Unsupported { reason } => write!(f, "{reason}"),
            Self::UnknownCa { issuer } => {
                write!(f, "no path leads from the issuer {} to a trust anchor", quoted(issuer))
            }
            Self::BadSignature { issuer } => write!(
                f,
                "a signature is not of the issuer that it names, for which another with the same name may have passed \
                 (issuer of the client's certificate: {})",
                quoted(issuer)
            ),
            Self::Expired { not_after, now, anchor } => {
                write!(f, "{} expired at {} (now {})", what(*anchor), utc(*not_after), utc(*now))
            }
            Self::NotYetValid { not_before, now, anchor } => {
                write!(f, "{} is valid from {} on (now {})", what(*anchor), utc(*not_before), utc(*now))
            }
            Self::Revoked { serial, own } => {
                write!(f, "{} certificate {serial} is revoked", if *own { "the client's" } else { "an issuer's" })
            }
            Self::StatusUnknown { reason } => write!(f, "whether the certificate is revoked is not known: {reason}"),
            Self::NotForClients { reason } => write!(f, "the certificate is not for clients: {reason}"),
            Self::NotPermitted { reason } => f.write_str(reason),
            Self::TooComplex => f.write_str("the chain takes too much work to verify"),
            Self::NoName { wanted } => {
                let wanted: Vec<_> = wanted.iter().map(|kind| kind.as_str()).collect();
                write!(f, "the certificate has no name of a kind that is looked for ({})", wanted.join(", "))
            }
            Self::BadName { kind, reason } => write!(f, "its {kind} name cannot name a client: {reason}"),
        }
    }
}

impl std::error::Error for Refusal {}
