//! Where CRLs come from: files, and servers that are asked ahead of time.
//!
//! [`CrlSources`] has the CRLs of one `[[client-ca]]`; requests take [`current`](CrlSources::current) and wait for nothing. What
//! was fetched is kept in memory alone: after a start, and until the first fetch, an authority that fails closed refuses
//! everybody whose CRL comes from a server.

mod fetch;
mod refresher;
mod source;

pub use fetch::{FetchError, Fetcher};
pub use refresher::{Clock, refresher};
pub use source::{CrlUrl, Source, SourceError};

use arc_swap::ArcSwap;
use rustls::pki_types::UnixTime;
use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tagai_pki::client_ca::ClientCa;
use tagai_pki::crl::{Crl, CrlSet, MAX_CRL_LEN};
use tagai_pki::pem;
use tokio::sync::watch;

/// How many sources an authority may have.
pub const MAX_SOURCES: usize = 64;

/// The CRLs of one authority for clients.
#[derive(Debug)]
pub struct CrlSources {
    ca: Arc<ClientCa>,
    sources: Vec<Source>,
    held: Mutex<Vec<Held>>,
    current: ArcSwap<CrlSet>,
    version: watch::Sender<u64>,
}

/// What came from one source.
#[derive(Debug, Default, Clone)]
struct Held {
    crls: Vec<Arc<Crl>>,
    last_success: Option<UnixTime>,
    last_error: Option<String>,
}

/// How a source does, for logs and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    /// The file or URL.
    pub source: String,
    /// When CRLs came from it last.
    pub last_success: Option<UnixTime>,
    /// When the first of its CRLs is too old.
    pub next_update: Option<UnixTime>,
    /// How many certificates they name.
    pub entries: usize,
    /// Why the last attempt failed, if it did.
    pub last_error: Option<String>,
}

/// Why a file's CRLs cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", .file.display())]
pub struct LoadError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong.
    pub reason: String,
}

impl CrlSources {
    /// The sources of `ca`'s CRLs, of which none has been read. Of `before`, which a reload replaces, it keeps what was
    /// fetched from the same URLs, if `ca` still accepts it.
    #[must_use]
    pub fn new(ca: Arc<ClientCa>, sources: Vec<Source>, before: Option<&Self>, now: UnixTime) -> Arc<Self> {
        let mut held = vec![Held::default(); sources.len()];
        let (version, _) = watch::channel(0);
        if let Some(before) = before {
            let known = before.held();
            for (source, held) in sources.iter().zip(&mut held) {
                let same = before.sources.iter().position(|other| other == source && source.url().is_some());
                if let Some(other) = same.and_then(|index| known.get(index)) {
                    held.clone_from(other);
                }
            }
        }
        let set = set(&ca, &held, now);
        for held in &mut held {
            held.crls.retain(|crl| set.is_verified(crl));
        }
        let current = ArcSwap::from_pointee(self::set(&ca, &held, now));
        Arc::new(Self { ca, sources, held: Mutex::new(held), current, version })
    }

    /// The authority that they are for.
    #[must_use]
    pub fn ca(&self) -> &Arc<ClientCa> {
        &self.ca
    }

    /// The CRLs that count now. It is another [`Arc`] whenever they have changed, so that answers which were
    /// kept can be told to be old.
    #[must_use]
    pub fn current(&self) -> Arc<CrlSet> {
        self.current.load_full()
    }

    /// Tells of every change by a number that grows.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// The files among the sources, to be watched for changes.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.sources.iter().filter_map(Source::file)
    }

    /// Whether there is anything to fetch.
    #[must_use]
    pub fn has_urls(&self) -> bool {
        self.sources.iter().any(|source| source.url().is_some())
    }

    /// How each source does, in the order of the configuration.
    #[must_use]
    pub fn states(&self) -> Vec<SourceState> {
        let held = self.held();
        let state = |(source, held): (&Source, &Held)| SourceState {
            source: source.to_string(),
            last_success: held.last_success,
            next_update: held.crls.iter().map(|crl| crl.next_update()).min(),
            entries: held.crls.iter().map(|crl| crl.entries()).sum(),
            last_error: held.last_error.clone(),
        };
        self.sources.iter().zip(held.iter()).map(state).collect()
    }

    /// Reads all files, and takes them over as a whole or not at all. It blocks.
    ///
    /// # Errors
    /// [`LoadError`] of the first file that cannot be read, or has a CRL that its issuer did not sign.
    pub fn load_files(&self, now: UnixTime) -> Result<(), LoadError> {
        let mut read: Vec<(usize, &Path, Vec<Arc<Crl>>)> = Vec::new();
        for (index, source) in self.sources.iter().enumerate() {
            let Some(file) = source.file() else { continue };
            let wrong = |reason: String| LoadError { file: file.into(), reason };
            let octets = source::read(file, MAX_CRL_LEN * 3 / 2).map_err(|error| wrong(error.to_string()))?;
            let crls = pem::crls(&octets).map_err(|error| wrong(error.to_string()))?;
            read.push((index, file, crls.into_iter().map(Arc::new).collect()));
        }
        let mut held = self.held();
        let mut next = held.clone();
        for (index, _, crls) in &read {
            if let Some(held) = next.get_mut(*index) {
                *held = Held { crls: crls.clone(), last_success: Some(now), last_error: None };
            }
        }
        let set = set(&self.ca, &next, now);
        for rejected in set.rejected().iter().filter(|rejected| !rejected.superseded) {
            let own = |crls: &[Arc<Crl>]| crls.iter().any(|crl| Arc::ptr_eq(crl, &rejected.crl));
            if let Some((_, file, _)) = read.iter().find(|(_, _, crls)| own(crls)) {
                return Err(LoadError { file: (*file).into(), reason: rejected.reason.clone() });
            }
        }
        *held = next;
        self.publish(set);
        Ok(())
    }

    /// Takes over what came from the URL `index`, if the authority vouches for all of it. What is older than
    /// what is there is not taken, and not wanted either.
    ///
    /// # Errors
    /// The reason; what was there before is kept.
    fn take(&self, index: usize, octets: &[u8], now: UnixTime) -> Result<UnixTime, String> {
        let fetched = pem::crls(octets).map_err(|error| format!("what was fetched {error}"))?;
        let fetched: Vec<Arc<Crl>> = fetched.into_iter().map(Arc::new).collect();
        let mut held = self.held();
        let mut next = held.clone();
        let own = next.get_mut(index).ok_or("there is no such source")?;
        let before = own.crls.clone();
        own.crls.extend(fetched.iter().cloned());
        let set = set(&self.ca, &next, now);
        for crl in &fetched {
            if let Some(rejected) =
                set.rejected().iter().find(|rejected| Arc::ptr_eq(&rejected.crl, crl) && !rejected.superseded)
            {
                return Err(format!("what was fetched is not to be believed: {}", rejected.reason));
            }
            if set.has(crl) && !set.is_verified(crl) {
                let issuer = crl.issuer();
                return Err(format!(
                    "the issuer of what was fetched, {issuer:?}, is not known; name its certificate among the intermediates"
                ));
            }
            let older = |other: &Arc<Crl>| other.issuer() == crl.issuer() && crl.age(other) == Ordering::Less;
            if before.iter().any(older) && !set.has(crl) {
                return Err("the server has an older CRL than it had before".into());
            }
        }
        if let Some(own) = next.get_mut(index) {
            own.crls.retain(|crl| set.has(crl));
            // Another source may have the same ones, and then they are there.
            if own.crls.is_empty() {
                own.crls = fetched;
            }
            (own.last_success, own.last_error) = (Some(now), None);
        }
        let due = next.get(index).and_then(|own| own.crls.iter().map(|crl| crl.next_update()).min());
        let same = self.current.load().crls().map(Arc::as_ptr).eq(set.crls().map(Arc::as_ptr));
        *held = next;
        if !same {
            self.publish(set);
        }
        due.ok_or_else(|| "nothing was fetched".into())
    }

    /// Keeps what is there, and says why it could not be better.
    fn failed(&self, index: usize, error: &str) {
        if let Some(held) = self.held().get_mut(index) {
            held.last_error = Some(error.to_owned());
        }
    }

    fn publish(&self, set: CrlSet) {
        self.current.store(Arc::new(set));
        self.version.send_modify(|version| *version += 1);
    }

    fn held(&self) -> MutexGuard<'_, Vec<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set(ca: &ClientCa, held: &[Held], now: UnixTime) -> CrlSet {
    CrlSet::new(ca, held.iter().flat_map(|held| held.crls.iter().cloned()), now)
}

#[cfg(test)]
mod tests;
