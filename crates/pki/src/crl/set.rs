//! The CRLs of an authority, of which the newest count.

use super::Crl;
use crate::client_ca::ClientCa;
use crate::text::quoted;
use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::UnixTime;
use std::sync::Arc;
use std::time::Duration;
use webpki::CertRevocationList;

/// How far a CRL may come from the future: two clocks differ.
const SKEW: Duration = Duration::from_secs(300);

/// A CRL that does not count, and why.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// The CRL.
    pub crl: Arc<Crl>,
    /// Why it does not count.
    pub reason: String,
    /// Whether it is good, and only older than another, or the same.
    pub superseded: bool,
}

/// CRLs for one [`ClientCa`].
///
/// Of CRLs of one issuer, key and scope the newest counts, whatever its place in the list: by `cRLNumber`, then by
/// `thisUpdate`. Only a CRL that its issuer signed is compared at all, so that nobody else can displace a good one.
/// The issuers that the authority names are checked when the set is made. A CRL of another issuer is kept
/// until a client comes with that issuer's certificate, and its signature is checked then, every time: better to name
/// the certificate among the authority's intermediates.
#[derive(Default)]
pub struct CrlSet {
    entries: Vec<Entry>,
    rejected: Vec<Rejected>,
}

struct Entry {
    crl: Arc<Crl>,
    /// SHA-256 of the keys that signed it; none if its issuer is not known.
    signers: Vec<[u8; 32]>,
}

/// One that issues certificates of a path.
pub(crate) struct Issuer<'a> {
    /// DER of its name without the outer tag.
    pub(crate) name: &'a [u8],
    /// DER of its SubjectPublicKeyInfo.
    pub(crate) spki: Vec<u8>,
}

/// The CRLs that count for a path.
pub(crate) struct Selected<'a> {
    /// At most one for each issuer and scope.
    pub(crate) lists: Vec<&'a CertRevocationList<'static>>,
    /// When the first of them is too old.
    pub(crate) next_update: Option<UnixTime>,
    /// When a CRL from the future begins to count.
    pub(crate) next_change: Option<UnixTime>,
}

impl std::fmt::Debug for CrlSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let crls: Vec<_> = self.entries.iter().map(|entry| &entry.crl).collect();
        f.debug_struct("CrlSet").field("crls", &crls).field("rejected", &self.rejected).finish()
    }
}

impl CrlSet {
    /// The CRLs for `ca` at `now`. Those that do not count are in [`rejected`](Self::rejected).
    #[must_use]
    pub fn new(ca: &ClientCa, crls: impl IntoIterator<Item = Arc<Crl>>, now: UnixTime) -> Self {
        let mut set = Self::default();
        for crl in crls {
            match signers(ca, &crl) {
                Ok(signers) => set.entries.push(Entry { crl, signers }),
                Err(reason) => set.rejected.push(Rejected { crl, reason, superseded: false }),
            }
        }
        set.drop_older(now);
        set
    }

    /// Drops those that can count no more, now that a newer one is there. One from the future leaves the older one in force
    /// until then.
    fn drop_older(&mut self, now: UnixTime) {
        let mut kept: Vec<Entry> = Vec::new();
        self.entries.sort_by(|a, b| b.crl.age(&a.crl));
        for entry in self.entries.drain(..) {
            let list = &entry.crl.list;
            let newer = kept.iter().any(|newer| {
                began(&newer.crl, now)
                    && !newer.signers.is_empty()
                    && newer.signers == entry.signers
                    && newer.crl.list.issuer() == list.issuer()
                    && newer.crl.list.issuing_distribution_point() == list.issuing_distribution_point()
            });
            if newer {
                let reason = "a newer one, or the same, is there".into();
                self.rejected.push(Rejected { crl: entry.crl, reason, superseded: true });
            } else {
                kept.push(entry);
            }
        }
        self.entries = kept;
    }

    /// Those that may count: signed by a known issuer, or of an unknown one; the newest first.
    pub fn crls(&self) -> impl Iterator<Item = &Arc<Crl>> {
        self.entries.iter().map(|entry| &entry.crl)
    }

    /// Those that do not count, and why.
    #[must_use]
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// Whether `crl` is among those that may count.
    #[must_use]
    pub fn has(&self, crl: &Arc<Crl>) -> bool {
        self.crls().any(|other| Arc::ptr_eq(crl, other))
    }

    /// Whether the authority knows the issuer of `crl`, one of those that may count, so that its signature has been checked.
    #[must_use]
    pub fn is_verified(&self, crl: &Arc<Crl>) -> bool {
        self.entries.iter().any(|entry| Arc::ptr_eq(crl, &entry.crl) && !entry.signers.is_empty())
    }

    /// When the first of those in force at `now` becomes too old: time to have the next one before.
    #[must_use]
    pub fn next_update(&self, now: UnixTime) -> Option<UnixTime> {
        let mut seen: Vec<&Crl> = Vec::new();
        for entry in &self.entries {
            let same = |other: &&Crl| {
                other.list.issuer() == entry.crl.list.issuer()
                    && other.list.issuing_distribution_point() == entry.crl.list.issuing_distribution_point()
            };
            if began(&entry.crl, now) && !seen.iter().any(same) {
                seen.push(&entry.crl);
            }
        }
        seen.iter().map(|crl| crl.next_update()).min()
    }

    /// The CRLs that count for certificates of `issuers`.
    pub(crate) fn select(&self, issuers: &[Issuer<'_>], now: UnixTime) -> Selected<'_> {
        let mut chosen: Vec<&Crl> = Vec::new();
        let mut next_change: Option<UnixTime> = None;
        for issuer in issuers {
            let key = fingerprint(&issuer.spki);
            let mut scopes: Vec<Option<&[u8]>> = Vec::new();
            // The newest first.
            for entry in self.entries.iter().filter(|entry| entry.crl.list.issuer() == issuer.name) {
                let scope = entry.crl.list.issuing_distribution_point();
                if scopes.contains(&scope) {
                    continue;
                }
                let signed = if entry.signers.is_empty() {
                    entry.crl.signed.by(&issuer.spki)
                } else {
                    entry.signers.contains(&key)
                };
                if !signed {
                    continue;
                }
                if !began(&entry.crl, now) {
                    let begins = entry.crl.this_update();
                    next_change = Some(next_change.map_or(begins, |other| other.min(begins)));
                    continue;
                }
                scopes.push(scope);
                chosen.push(&entry.crl);
            }
        }
        // WebPKI takes the first that covers a certificate; of several scopes the one that was issued last knows most.
        chosen.sort_by_key(|crl| std::cmp::Reverse(crl.this_update()));
        Selected {
            lists: chosen.iter().map(|crl| &crl.list).collect(),
            next_update: chosen.iter().map(|crl| crl.next_update()).min(),
            next_change,
        }
    }
}

/// The keys that `ca` knows to have signed it: none if it knows nobody of the issuer's name.
///
/// # Errors
/// The reason, if it knows the issuer and this is not its CRL.
fn signers(ca: &ClientCa, crl: &Crl) -> Result<Vec<[u8; 32]>, String> {
    let named: Vec<_> = ca.known().filter(|known| known.subject == crl.list.issuer()).collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let signers: Vec<_> = named.into_iter().filter(|known| crl.signed.by(&known.spki)).collect();
    if signers.is_empty() {
        return Err(format!("{} did not sign it; somebody else did, or it is damaged", quoted(crl.issuer())));
    }
    if !signers.iter().any(|known| known.crl_sign) {
        return Err(format!(
            "the certificate of {} does not allow to sign CRLs (keyUsage: cRLSign)",
            quoted(crl.issuer())
        ));
    }
    let mut keys: Vec<_> = signers.iter().map(|known| fingerprint(&known.spki)).collect();
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

/// Whether it was issued already.
fn began(crl: &Crl, now: UnixTime) -> bool {
    crl.this_update().as_secs() <= now.as_secs().saturating_add(SKEW.as_secs())
}

fn fingerprint(spki: &[u8]) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, spki).as_ref());
    fingerprint
}
