//! Looks for changes of the files that a configuration consists of.
//!
//! A file is known by what its path leads to, so a link that is swapped, as Kubernetes does it, is a change.

use super::Inner;
use crate::config::Config;
use crate::crls::Source;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, Weak};
use std::time::{Duration, SystemTime};

/// How often. A change is taken over when it has been the same for one round, so that no half-written file is read.
const ROUND: Duration = Duration::from_secs(2);

/// What is compared: when it was changed, how long it is, and which file it is. `None`: there is none.
type State = BTreeMap<PathBuf, Option<(SystemTime, u64, u64)>>;

pub(super) async fn watch(gateway: Weak<Inner>) {
    let mut loaded: Option<State> = None;
    let mut last: Option<State> = None;
    loop {
        let Some(strong) = gateway.upgrade() else { return };
        let config = strong.config.lock().unwrap_or_else(PoisonError::into_inner).clone();
        drop(strong);
        let Ok(now) = tokio::task::spawn_blocking(move || look(&config)).await else { return };
        match &loaded {
            None => loaded = Some(now.clone()),
            Some(state) if *state != now && last.as_ref() == Some(&now) => {
                loaded = Some(now.clone());
                let Some(strong) = gateway.upgrade() else { return };
                tracing::info!("files of the configuration have changed");
                // What went wrong has been logged; the next change is another chance.
                let _ = strong.reload().await;
            }
            Some(_) => {}
        }
        last = Some(now);
        tokio::time::sleep(ROUND).await;
    }
}

fn look(config: &Config) -> State {
    let mut files: Vec<&Path> = vec![&config.file];
    for certificate in &config.certificates {
        files.extend([&*certificate.chain, &certificate.key]);
    }
    files.extend(config.sites.iter().flat_map(|site| &site.routes).filter_map(|route| route.upstream_ca.as_deref()));
    for section in &config.client_cas {
        files.push(&section.certificates);
        files.extend(section.intermediates.as_deref());
        files.extend(section.crls.iter().filter_map(Source::file));
    }
    files.extend(config.raw_key.as_deref());
    files.extend(config.policy.as_deref());
    files.extend(config.assertion.as_ref().map(|section| &*section.keys));
    files
        .into_iter()
        .map(|file| {
            let state = std::fs::metadata(file).ok().map(|metadata| {
                let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                (changed, metadata.len(), number(&metadata))
            });
            (file.to_owned(), state)
        })
        .collect()
}

#[cfg(unix)]
fn number(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn number(_: &std::fs::Metadata) -> u64 {
    0
}
