//! The proxy on the way, if there is one: who it is, and how the user logs in to it (RFC 8120 §14).
//!
//! What a proxy says is read from its own hop alone: from the answer to a CONNECT, or from the fields of its role in the answer to a
//! request in absolute form. What comes through a tunnel is the server's, whatever it looks like.

mod connect;
mod visit;

pub(crate) use connect::Line;
pub(crate) use visit::{Judged, Visit, asks};

use crate::clock::Clock;
use crate::error::Error;
use crate::prompt::Prompt;
use crate::url::Url;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tagai_core::client::{Client as Core, Next, Target};
use tagai_core::message::Role;
use tagai_core::realm::Origin;
use tagai_core::validation::Channel;

/// The proxy of a client.
pub(crate) struct Hop {
    pub(crate) origin: Origin,
    pub(crate) core: Mutex<Core>,
    pub(crate) clock: Clock,
    prompt: Option<Arc<dyn Prompt>>,
    /// Held from the question to the end of the login.
    prompting: tokio::sync::Mutex<()>,
    /// Counts logins, so that whoever waited for `prompting` notices that there was one.
    logins_made: AtomicU64,
}

impl Hop {
    pub(crate) fn new(url: &Url, prompt: Option<Arc<dyn Prompt>>) -> Self {
        Self {
            origin: url.origin().clone(),
            core: Mutex::new(Core::new(Role::Proxy)),
            clock: Clock::default(),
            prompt,
            prompting: tokio::sync::Mutex::new(()),
            logins_made: AtomicU64::new(0),
        }
    }

    /// Begins a sequence with the proxy, for what is asked of it there.
    pub(crate) fn visit(&self, path: &str, channel: &Channel) -> Result<Visit<'_>, Error> {
        let logins_made = self.logins_made.load(Ordering::Acquire);
        Ok(Visit::new(self, path.to_owned(), self.begin(path, channel)?, logins_made))
    }

    fn begin(&self, path: &str, channel: &Channel) -> Result<Next, Error> {
        let target = Target { origin: self.origin.clone(), path: path.to_owned(), channel: Some(channel.clone()) };
        let begun = crate::lock(&self.core).begin(&target, self.clock.now());
        begun.map_err(|mismatch| Error::fatal(&self.origin, mismatch.into()))
    }
}

impl std::fmt::Debug for Hop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hop").field("origin", &self.origin).finish_non_exhaustive()
    }
}
