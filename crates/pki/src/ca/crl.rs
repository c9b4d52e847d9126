//! Revocation: what is revoked, and the lists that say so (RFC 5280 section 5).

use super::files::{self, Mode};
use super::folder::MAX_CRL;
use super::index::authority_name;
use super::issue::check_lifetime;
use super::{Ca, CaError, DAY, Passphrase, Purpose, Record, Revocation, Serial, moment, seconds};
use rcgen::{
    CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, RevocationReason, RevokedCertParams, SerialNumber,
};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

/// How long an entry stays on the list after its certificate has expired: longer than any list is good.
const KEPT: Duration = Duration::from_secs(400 * 86_400);

/// Why a certificate was revoked (RFC 5280 section 5.3.1). What has no use here is missing: `certificateHold`, since nothing
/// takes a revocation back, and the reasons of delta CRLs and of attribute certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// No reason is given.
    #[default]
    Unspecified,
    /// Somebody else has, or may have, the private key.
    KeyCompromise,
    /// Somebody else has, or may have, the private key of an authority.
    #[serde(rename = "cACompromise")]
    CaCompromise,
    /// Its owner has another name or place.
    AffiliationChanged,
    /// There is a newer one.
    Superseded,
    /// It is not needed any more.
    CessationOfOperation,
    /// Its owner may not do any more what it was for.
    PrivilegeWithdrawn,
}

impl Reason {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Unspecified, "unspecified"),
        (Self::KeyCompromise, "keyCompromise"),
        (Self::CaCompromise, "cACompromise"),
        (Self::AffiliationChanged, "affiliationChanged"),
        (Self::Superseded, "superseded"),
        (Self::CessationOfOperation, "cessationOfOperation"),
        (Self::PrivilegeWithdrawn, "privilegeWithdrawn"),
    ];

    /// Its name in RFC 5280.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(reason, _)| *reason == self).map_or("unspecified", |(_, word)| word)
    }

    pub(super) fn names() -> String {
        Self::ALL.map(|(_, word)| word).join(", ")
    }

    const fn code(self) -> RevocationReason {
        match self {
            Self::Unspecified => RevocationReason::Unspecified,
            Self::KeyCompromise => RevocationReason::KeyCompromise,
            Self::CaCompromise => RevocationReason::CaCompromise,
            Self::AffiliationChanged => RevocationReason::AffiliationChanged,
            Self::Superseded => RevocationReason::Superseded,
            Self::CessationOfOperation => RevocationReason::CessationOfOperation,
            Self::PrivilegeWithdrawn => RevocationReason::PrivilegeWithdrawn,
        }
    }
}

impl FromStr for Reason {
    type Err = CaError;

    /// The name in RFC 5280, in any case, also with hyphens between its words.
    fn from_str(text: &str) -> Result<Self, CaError> {
        let plain = text.replace('-', "");
        let found = Self::ALL.into_iter().find(|(_, word)| word.eq_ignore_ascii_case(&plain));
        found.map(|(reason, _)| reason).ok_or_else(|| CaError::Reason { text: text.to_owned() })
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlReport {
    /// All lists in one file, PEM; then each, DER.
    pub files: Vec<PathBuf>,
    /// Their number.
    pub number: u64,
    /// Certificates on them.
    pub revoked: usize,
    /// When those of the intermediates are over.
    pub next_update: SystemTime,
    /// When that of the root is over.
    pub root_next_update: SystemTime,
    /// Intermediates whose keys are not there, so that their lists are the old ones, and when those are over.
    pub stale: Vec<(String, SystemTime)>,
}

/// Who signs lists.
pub(super) struct Signers {
    issuers: Vec<(u32, Issuer<'static, KeyPair>)>,
    /// Those that should, and whose keys are not there.
    without: Vec<u32>,
}

impl Ca {
    /// Revokes certificates, and writes new lists. Those with the same key are revoked with one whose key was compromised. What is
    /// revoked already stays as it is. Gives the ones that were revoked now.
    ///
    /// # Errors
    /// [`CaError::NotFound`]; [`CaError::NoRootKey`] if one is an intermediate; [`CaError::NoKey`], [`CaError::WrongPassphrase`],
    /// [`CaError::Io`]. The keys are tried before anything changes.
    pub fn revoke(
        &mut self,
        serials: &[Serial],
        reason: Reason,
        passphrase: &Passphrase,
        now: SystemTime,
    ) -> Result<Vec<Record>, CaError> {
        let mut chosen = Vec::new();
        for serial in serials {
            let record = self.by_serial(*serial).ok_or_else(|| CaError::NotFound { what: serial.to_string() })?;
            if record.purpose == Purpose::Root {
                return Err(CaError::NotPossible {
                    what: "a root is revoked by nobody but those who trust it".to_owned(),
                    help: "take its certificate out of every place where it is trusted, and make a new CA",
                });
            }
            let same_key = |other: &&Record| other.key == record.key && reason == Reason::KeyCompromise;
            chosen.push(record.serial);
            chosen.extend(self.index.certificates.iter().filter(same_key).map(|other| other.serial));
        }
        let intermediate =
            |record: &Record| record.purpose == Purpose::Intermediate && chosen.contains(&record.serial);
        let root = match self.index.certificates.iter().any(intermediate) {
            true => Some(self.folder.issuer(0, passphrase, "the revocation of an intermediate")?),
            false => None,
        };
        self.signers(self.index.newest(), passphrase, now)?;
        let revocation = Revocation { time: seconds(now), reason };
        let mut revoked = Vec::new();
        for record in &mut self.index.certificates {
            if chosen.contains(&record.serial) && record.revoked.is_none() {
                record.revoked = Some(revocation);
                revoked.push(record.clone());
            }
        }
        self.write_crls_with(root.as_ref(), super::CRL_LIFETIME, passphrase, now)?;
        Ok(revoked)
    }

    /// Writes new lists of the intermediates, good for `lifetime`, and with `root` that of the root as well, good as long as the newest
    /// intermediate is: then the root's key is needed anyway.
    ///
    /// # Errors
    /// [`CaError::NoRootKey`] if the root's is asked for; [`CaError::NoKey`], [`CaError::WrongPassphrase`], [`CaError::Lifetime`],
    /// [`CaError::Io`].
    pub fn write_crls(
        &mut self,
        lifetime: Duration,
        root: bool,
        passphrase: &Passphrase,
        now: SystemTime,
    ) -> Result<CrlReport, CaError> {
        let root = match root {
            true => Some(self.folder.issuer(0, passphrase, "the CRL of the root")?),
            false => None,
        };
        self.write_crls_with(root.as_ref(), lifetime, passphrase, now)
    }

    /// The intermediates whose certificates may still be in use. The key of the one `at_work` has to be there.
    pub(super) fn signers(&self, at_work: u32, passphrase: &Passphrase, now: SystemTime) -> Result<Signers, CaError> {
        let mut signers = Signers { issuers: Vec::new(), without: Vec::new() };
        for number in 1..=self.index.newest() {
            let Some(record) = self.index.authority(number) else { continue };
            // Nobody asks for the list of one that is over.
            if record.not_after < seconds(now) {
                continue;
            }
            if self.folder.has_key(number) || number == at_work && record.revoked.is_none() {
                signers.issuers.push((number, self.folder.issuer(number, passphrase, "a CRL")?));
            } else if record.revoked.is_none() {
                signers.without.push(number);
            }
        }
        Ok(signers)
    }

    pub(super) fn write_crls_with(
        &mut self,
        root: Option<&Issuer<'_, KeyPair>>,
        lifetime: Duration,
        passphrase: &Passphrase,
        now: SystemTime,
    ) -> Result<CrlReport, CaError> {
        check_lifetime(lifetime, "CRL")?;
        let signers = self.signers(self.index.newest(), passphrase, now)?;
        let mut lists = match root {
            Some(_) => Vec::new(),
            None => vec![(0, self.kept_root_list()?)],
        };
        let mut stale = Vec::new();
        for number in signers.without {
            // Without its key it can only be passed on as it is. Where it is not there either, nobody is believed.
            if let Ok(der) = files::read(&self.folder.crl_path(number), MAX_CRL) {
                stale.push((authority_name(number), over(&der).unwrap_or(now)));
                lists.push((number, der.to_vec()));
            }
        }
        // A number is used once, also if what follows fails.
        self.index.crl_number = self.index.crl_number.saturating_add(1);
        self.index.write(&self.folder.index())?;

        let next_update = now + lifetime;
        if let Some(root) = root {
            let until = self.intermediates_until(now);
            lists.push((0, self.list(0, root, now, until.min(self.root_until()).max(now + DAY))?));
        }
        for (number, issuer) in &signers.issuers {
            lists.push((*number, self.list(*number, issuer, now, next_update)?));
        }
        lists.sort_by_key(|(number, _)| *number);
        let pem = lists.iter().map(|(_, der)| to_pem(der)).collect::<Result<String, _>>()?;
        let path = self.crl_path();
        let mut written = vec![path.clone()];
        files::replace(&path, pem.as_bytes(), Mode::Public)?;
        for (number, der) in &lists {
            let path = self.folder.crl_path(*number);
            files::replace(&path, der, Mode::Public)?;
            written.push(path);
        }
        let root_next_update = lists.first().and_then(|(_, der)| over(der)).unwrap_or(now);
        let revoked = self.index.certificates.iter().filter(|record| on_list(record, now)).count();
        let number = self.index.crl_number;
        Ok(CrlReport { files: written, number, revoked, next_update, root_next_update, stale })
    }

    /// The root's list as it was signed when the root's key was there.
    fn kept_root_list(&self) -> Result<Vec<u8>, CaError> {
        let path = self.folder.crl_path(0);
        match files::read(&path, MAX_CRL) {
            Ok(der) => Ok(der.to_vec()),
            Err(CaError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => Err(CaError::NotPossible {
                what: format!("{} is not there", path.display()),
                help: "put it back, or make it anew with the root's key: tagai ca crl --root",
            }),
            Err(error) => Err(error),
        }
    }

    /// When the last intermediate is over.
    fn intermediates_until(&self, now: SystemTime) -> SystemTime {
        let intermediates = self.index.certificates.iter().filter(|record| record.purpose == Purpose::Intermediate);
        intermediates.map(Record::until).max().unwrap_or(now)
    }

    /// The list of one authority, signed, as DER.
    fn list(
        &self,
        number: u32,
        issuer: &Issuer<'_, KeyPair>,
        now: SystemTime,
        next_update: SystemTime,
    ) -> Result<Vec<u8>, CaError> {
        let entries = self
            .index
            .certificates
            .iter()
            .filter(|record| record.issuer == number && record.purpose != Purpose::Root && on_list(record, now));
        let revoked_certs = entries.filter_map(|record| {
            let Revocation { time, reason } = record.revoked?;
            Some(RevokedCertParams {
                serial_number: SerialNumber::from_slice(record.serial.octets()),
                revocation_time: moment(time).into(),
                reason_code: Some(reason.code()),
                invalidity_date: None,
            })
        });
        let params = CertificateRevocationListParams {
            this_update: now.into(),
            next_update: next_update.into(),
            crl_number: SerialNumber::from(self.index.crl_number),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let what = if number == 0 { "signing the root's CRL" } else { "signing a CRL" };
        Ok(params.signed_by(issuer).map_err(CaError::failed(what))?.der().to_vec())
    }

    /// The names of the lists' files, for who publishes them.
    #[must_use]
    pub fn published(&self) -> Vec<String> {
        (0..=self.index.newest()).map(|number| format!("{}.crl", authority_name(number))).collect()
    }
}

fn on_list(record: &Record, now: SystemTime) -> bool {
    record.revoked.is_some() && record.until().checked_add(KEPT).is_none_or(|kept| kept > now)
}

/// When a list is over.
fn over(der: &[u8]) -> Option<SystemTime> {
    let (_, list) = x509_parser::parse_x509_crl(der).ok()?;
    list.next_update().and_then(|time| u64::try_from(time.timestamp()).ok()).map(moment)
}

fn to_pem(der: &[u8]) -> Result<String, CaError> {
    pkcs8::Document::try_from(der)
        .and_then(|document| document.to_pem("X509 CRL", pkcs8::LineEnding::LF))
        .map_err(|error| CaError::Failed { what: "encoding a CRL", reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_read_by_their_names() {
        for (reason, word) in Reason::ALL {
            assert_eq!(word.parse::<Reason>().unwrap(), reason);
            assert_eq!(reason.word(), word);
            assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{word}\""));
        }
        assert_eq!("key-compromise".parse::<Reason>().unwrap(), Reason::KeyCompromise);
        assert_eq!("CACompromise".parse::<Reason>().unwrap(), Reason::CaCompromise);
        for text in ["", "removeFromCRL", "certificateHold", "why not"] {
            let error = text.parse::<Reason>().unwrap_err();
            assert!(error.help().unwrap().contains("keyCompromise"), "{text}");
        }
    }
}
