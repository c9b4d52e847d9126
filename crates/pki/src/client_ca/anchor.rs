//! Certificates of authorities, read once.

use super::dn;
use crate::text;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use x509_parser::prelude::{FromDer as _, ParsedExtension, X509Certificate};

/// A certificate that the operator trusts, or has put between.
pub(crate) struct Known {
    pub(crate) der: CertificateDer<'static>,
    pub(crate) anchor: TrustAnchor<'static>,
    /// DER of the name, without the tag of its SEQUENCE.
    pub(crate) subject: Vec<u8>,
    pub(crate) subject_text: String,
    /// DER of the SubjectPublicKeyInfo, with its tag.
    pub(crate) spki: Vec<u8>,
    pub(crate) not_before: UnixTime,
    pub(crate) not_after: UnixTime,
    /// Whether it may sign CRLs.
    pub(crate) crl_sign: bool,
    pub(crate) name_constraints: bool,
}

impl Known {
    /// Reads it.
    ///
    /// # Errors
    /// The subject if there is one, and what is wrong.
    pub(crate) fn read(der: CertificateDer<'static>, root: bool) -> Result<Self, (Option<String>, String)> {
        let wrong = |reason: &str| (None, reason.to_owned());
        let (rest, certificate) =
            X509Certificate::from_der(&der).map_err(|_| wrong("is not an X.509 certificate"))?;
        if !rest.is_empty() {
            return Err(wrong("has octets behind it"));
        }
        let subject_text = dn::text(certificate.subject());
        let wrong = |reason: String| (Some(subject_text.clone()), reason);
        let uses = uses(&certificate).map_err(|reason| wrong(reason.into()))?;
        // A client's own certificate among the trust anchors would vouch for nobody else; one of version 1 says nothing.
        let authority = uses.authority || (root && certificate.version().0 < 2);
        if !authority {
            let reason =
                "is not one of an authority (basicConstraints: CA); list those that sign clients' certificates";
            return Err(wrong(reason.into()));
        }
        if !uses.cert_sign {
            return Err(wrong("may not sign certificates (keyUsage: keyCertSign)".into()));
        }
        let anchor = webpki::anchor_from_trusted_cert(&der).map_err(|error| wrong(error.to_string()))?.to_owned();
        Ok(Self {
            subject: anchor.subject.to_vec(),
            anchor,
            subject_text,
            spki: certificate.public_key().raw.to_vec(),
            not_before: text::unix(&certificate.validity().not_before),
            not_after: text::unix(&certificate.validity().not_after),
            crl_sign: uses.crl_sign,
            name_constraints: uses.name_constraints,
            der,
        })
    }
}

/// What a certificate may be used for. Without a keyUsage it may be used for all.
pub(crate) struct Uses {
    pub(crate) authority: bool,
    pub(crate) cert_sign: bool,
    pub(crate) crl_sign: bool,
    pub(crate) digital_signature: bool,
    pub(crate) name_constraints: bool,
    /// Whether there is a keyUsage.
    pub(crate) restricted: bool,
}

/// Reads the extensions that WebPKI leaves to others (RFC 5280 sections 4.2.1.3, 4.2.1.9 and 6.1.4 (n)).
pub(crate) fn uses(certificate: &X509Certificate<'_>) -> Result<Uses, &'static str> {
    let mut uses = Uses {
        authority: false,
        cert_sign: true,
        crl_sign: true,
        digital_signature: true,
        name_constraints: false,
        restricted: false,
    };
    for extension in certificate.iter_extensions() {
        match extension.parsed_extension() {
            ParsedExtension::KeyUsage(usage) => {
                uses.restricted = true;
                uses.cert_sign = usage.key_cert_sign();
                uses.crl_sign = usage.crl_sign();
                uses.digital_signature = usage.digital_signature();
            }
            ParsedExtension::BasicConstraints(constraints) => uses.authority = constraints.ca,
            ParsedExtension::NameConstraints(_) => uses.name_constraints = true,
            // Unknown kinds have a variant of their own.
            ParsedExtension::ParseError { .. } => return Err("has an extension that cannot be read"),
            _ => (),
        }
    }
    Ok(uses)
}
