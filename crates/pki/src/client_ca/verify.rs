//! Whether an authority vouches for a certificate, and for how long.

use super::anchor::{self, Known};
use super::{CertificateFacts, ClientCa, CrlPolicy, FactsError, MAX_CHAIN, MAX_CHAIN_LEN, Refusal, VerifiedClient};
use crate::crl::{CrlSet, Issuer, Selected};
use crate::names::{self, NameKind};
use crate::text;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use std::cell::RefCell;
use std::ops::Deref as _;
use webpki::{
    Cert, EndEntityCert, Error, ExpirationPolicy, KeyUsage, RevocationCheckDepth, RevocationOptionsBuilder,
    UnknownStatusPolicy, VerifiedPath,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What a path that is good in all respects leaves for the answer.
struct Good {
    chain: Vec<CertificateDer<'static>>,
    valid_until: UnixTime,
    name_constraints: bool,
}

impl ClientCa {
    /// Whether this authority vouches at `now` for the client that sent `chain` (its own certificate first, the others in
    /// any order) and proved in a handshake that it holds the key.
    ///
    /// That is: RFC 5280 section 6 as `webpki` has it (signatures, dates, basicConstraints, name constraints, extended key
    /// usage) with every certificate of the path permitting `clientAuth` if it restricts its purposes at all; and beyond it, the trust
    /// anchor's own dates, `keyCertSign` of issuers and `digitalSignature` of the client where there is a keyUsage. Revocation is
    /// checked of the whole path below the trust anchor, by the newest CRL of each issuer. Directory name and URI
    /// constraints are not understood, and refused where they would apply.
    ///
    /// Only a DNS name names a client whose path has name constraints: they would not bind another.
    ///
    /// # Errors
    /// [`Refusal`]
    pub fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        crls: &CrlSet,
        now: UnixTime,
    ) -> Result<VerifiedClient, Refusal> {
        let (own, sent) = chain.split_first().ok_or(Refusal::Missing)?;
        let octets = chain.iter().map(|certificate| certificate.len()).sum();
        if chain.len() > MAX_CHAIN || octets > MAX_CHAIN_LEN {
            return Err(Refusal::TooLong { certificates: chain.len(), octets });
        }
        let facts = CertificateFacts::read(own)
            .map_err(|error: FactsError| Refusal::Malformed { reason: error.to_string() })?;
        let wrong = |error| Refusal::from_webpki(error, &facts.issuer);

        let own = CertificateDer::from(own.as_ref());
        let end_entity = EndEntityCert::try_from(&own).map_err(wrong)?;
        let intermediates: Vec<CertificateDer<'_>> = sent
            .iter()
            .map(|certificate| CertificateDer::from(certificate.as_ref()))
            .chain(self.intermediates.iter().map(|known| CertificateDer::from(known.der.as_ref())))
            .collect();
        let (anchors, expired): (Vec<&Known>, Vec<&Known>) =
            self.roots.iter().partition(|root| root.not_before <= now && now <= root.not_after);
        let anchors: Vec<TrustAnchor<'_>> = anchors.iter().map(|root| root.anchor.clone()).collect();

        // What is found out about a path decides whether WebPKI goes on to look for another.
        let verdict: RefCell<Result<Good, Refusal>> = RefCell::new(Err(Refusal::TooComplex));
        let judged = RefCell::new(false);
        let judge = |path: &VerifiedPath<'_>| {
            let found = self.judge(path, crls, now, &facts);
            let answer = if found.is_ok() { Ok(()) } else { Err(Error::UnknownIssuer) };
            // The reason of the first path that was refused is kept: it is the one that the client meant.
            if answer.is_ok() || !judged.replace(true) {
                let _ = verdict.replace(found);
            }
            answer
        };
        let found = end_entity.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &intermediates,
            now,
            KeyUsage::client_auth(),
            None,
            Some(&judge),
        );
        if let Err(error) = found {
            return Err(match (error, verdict.into_inner()) {
                (_, Err(refusal)) if judged.into_inner() => refusal,
                (Error::UnknownIssuer, _) => self.unknown_issuer(&facts, &end_entity, &expired, now),
                (error, _) => wrong(error),
            });
        }
        let Good { chain, valid_until, name_constraints } = verdict.into_inner()?;

        let name = names::map(&facts, &self.names).map_err(|error| Refusal::unmapped(error, &self.names))?;
        // DNS names are the one kind that constraints are understood for: an authority that is limited to some of them could else
        // name anybody by another kind.
        if name.kind() != NameKind::Dns && name_constraints {
            let reason = "an issuer has name constraints, which bind DNS names alone here; use such a name".into();
            return Err(Refusal::BadName { kind: name.kind(), reason });
        }
        Ok(VerifiedClient { ca: self.id.clone(), name, facts, chain, valid_until })
    }

    /// An anchor that would have been the issuer, were it not for its dates.
    fn unknown_issuer(
        &self,
        facts: &CertificateFacts,
        end_entity: &EndEntityCert<'_>,
        expired: &[&Known],
        now: UnixTime,
    ) -> Refusal {
        // Below an intermediate the anchor's name does not stand in the client's certificate; then any will do.
        let of_own = expired.iter().find(|root| root.subject == end_entity.issuer());
        match of_own.or(expired.first().filter(|_| expired.len() == self.roots.len())) {
            Some(root) if now > root.not_after => Refusal::Expired { not_after: root.not_after, now, anchor: true },
            Some(root) => Refusal::NotYetValid { not_before: root.not_before, now, anchor: true },
            None => Refusal::UnknownCa { issuer: facts.issuer.clone() },
        }
    }

    /// What WebPKI leaves to others, about a path that it found good: key usages, and revocation by the newest CRLs.
    fn judge(
        &self,
        path: &VerifiedPath<'_>,
        crls: &CrlSet,
        now: UnixTime,
        facts: &CertificateFacts,
    ) -> Result<Good, Refusal> {
        let anchor = path.anchor();
        let root = self
            .roots
            .iter()
            .filter(|root| root.not_before <= now && now <= root.not_after)
            .find(|root| root.anchor == *anchor)
            .ok_or(Refusal::TooComplex)?;
        let own: &Cert<'_> = path.end_entity().deref();
        let certificates: Vec<&Cert<'_>> = std::iter::once(own).chain(path.intermediate_certificates()).collect();

        let mut valid_until = root.not_after;
        let mut name_constraints = root.name_constraints;
        for (index, certificate) in certificates.iter().enumerate() {
            let der = certificate.der();
            let malformed = |reason: &str| Refusal::Malformed { reason: reason.into() };
            let (_, read) =
                X509Certificate::from_der(&der).map_err(|_| malformed("it is not an X.509 certificate"))?;
            let uses = anchor::uses(&read).map_err(|reason| malformed(&format!("it {reason}")))?;
            if index == 0 && !uses.digital_signature {
                let reason = "its keyUsage does not have digitalSignature".into();
                return Err(Refusal::NotForClients { reason });
            }
            // RFC 5280 sections 4.2.1.3 and 4.2.1.10: for authorities, and it is none.
            if index == 0 && (uses.name_constraints || (uses.restricted && uses.cert_sign)) {
                let reason = "the client's certificate has what belongs to one of an authority".into();
                return Err(Refusal::NotPermitted { reason });
            }
            if index > 0 && !uses.cert_sign {
                let reason = "an issuer's keyUsage does not have keyCertSign".into();
                return Err(Refusal::NotPermitted { reason });
            }
            name_constraints |= uses.name_constraints;
            valid_until = valid_until.min(text::unix(&read.validity().not_after));
        }
        // The last second counts in full.
        valid_until =
            UnixTime::since_unix_epoch(std::time::Duration::from_secs(valid_until.as_secs().saturating_add(1)));

        if let Some(until) = self.revocation(path, root, &certificates, crls, now, facts)? {
            valid_until = valid_until.min(until);
        }
        let chain = certificates.iter().map(|certificate| certificate.der().into_owned()).collect();
        Ok(Good { chain, valid_until, name_constraints })
    }

    /// Checks all of `certificates`; gives the time from which on this must be done anew.
    fn revocation(
        &self,
        path: &VerifiedPath<'_>,
        root: &Known,
        certificates: &[&Cert<'_>],
        crls: &CrlSet,
        now: UnixTime,
        facts: &CertificateFacts,
    ) -> Result<Option<UnixTime>, Refusal> {
        let (status, expiration) = match self.crl_policy {
            CrlPolicy::None => return Ok(None),
            CrlPolicy::Refuse => (UnknownStatusPolicy::Deny, ExpirationPolicy::Enforce),
            CrlPolicy::Accept => (UnknownStatusPolicy::Allow, ExpirationPolicy::Ignore),
        };
        let mut issuers = vec![Issuer { name: &root.subject, spki: root.spki.clone() }];
        issuers.extend(certificates.iter().skip(1).map(|certificate| Issuer {
            name: certificate.subject(),
            spki: certificate.subject_public_key_info().to_vec(),
        }));
        let Selected { lists, next_update, next_change } = crls.select(&issuers, now);
        let until = match self.crl_policy {
            CrlPolicy::Refuse => [next_update, next_change].into_iter().flatten().min(),
            _ => next_change,
        };
        if lists.is_empty() {
            return match self.crl_policy {
                CrlPolicy::Accept => Ok(until),
                _ => Err(Refusal::from_webpki(Error::UnknownRevocationStatus, &facts.issuer)),
            };
        }
        let options = RevocationOptionsBuilder::new(&lists)
            .map_err(|_| Refusal::from_webpki(Error::UnknownRevocationStatus, &facts.issuer))?
            .with_depth(RevocationCheckDepth::Chain)
            .with_status_policy(status)
            .with_expiration_policy(expiration)
            .build();
        // The same path once more, now that it is known whose CRLs count.
        let below: Vec<CertificateDer<'_>> = path.intermediate_certificates().map(Cert::der).collect();
        let anchors = [root.anchor.clone()];
        let own = path.end_entity().der();
        let end_entity = EndEntityCert::try_from(&own).map_err(|error| Refusal::from_webpki(error, &facts.issuer))?;
        let checked = end_entity.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &below,
            now,
            KeyUsage::client_auth(),
            Some(options),
            None,
        );
        match checked {
            // Of several scopes WebPKI looks into one. A serial number is the same certificate in all.
            Ok(_) => named(certificates, &lists).map_or(Ok(until), Err),
            // A list of one that may sign none is no list, which is for this policy to accept.
            Err(Error::IssuerNotCrlSigner) if self.crl_policy == CrlPolicy::Accept => {
                named(certificates, &lists).map_or(Ok(until), Err)
            }
            Err(Error::CertRevoked) => Err(named(certificates, &lists)
                .unwrap_or_else(|| Refusal::from_webpki(Error::CertRevoked, &facts.issuer))),
            Err(error) => Err(Refusal::from_webpki(error, &facts.issuer)),
        }
    }
}

/// The first of them that one of its issuer's lists names.
fn named(certificates: &[&Cert<'_>], lists: &[&webpki::CertRevocationList<'_>]) -> Option<Refusal> {
    let named = |certificate: &Cert<'_>| {
        lists.iter().any(|list| {
            list.issuer() == certificate.issuer() && matches!(list.find_serial(certificate.serial()), Ok(Some(_)))
        })
    };
    let (index, certificate) = certificates.iter().enumerate().find(|(_, certificate)| named(certificate))?;
    Some(Refusal::Revoked { serial: text::serial(certificate.serial()), own: index == 0 })
}
