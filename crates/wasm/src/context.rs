//! One memory of logins: a container's, or that of the private windows.

use crate::answer::Login;
use tagai_core::client::Client;
use tagai_core::message::Role;
use tagai_core::time::Time;

/// The most logins that ran out and were not asked for.
const MAX_EXPIRED: usize = 256;

#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) client: Client,
    /// Logins that ran out unseen, when something else was asked for.
    expired: Vec<Login>,
}

impl Context {
    pub(crate) fn new() -> Self {
        Self { client: Client::new(Role::OriginServer), expired: Vec::new() }
    }

    pub(crate) fn logins(&self) -> Vec<Login> {
        self.client.logins().map(Login::of).collect()
    }

    /// Logs out of what has run out, and keeps in mind what that was.
    pub(crate) fn sweep(&mut self, now: Time) {
        if self.client.next_expiry().is_none_or(|at| now < at) {
            return;
        }
        let before = self.logins();
        self.client.expire(now);
        let after = self.logins();
        self.expired.extend(before.into_iter().filter(|login| !after.contains(login)));
        let surplus = self.expired.len().saturating_sub(MAX_EXPIRED);
        self.expired.drain(..surplus);
    }

    /// What has run out since this was last asked.
    pub(crate) fn take_expired(&mut self, now: Time) -> Vec<Login> {
        self.sweep(now);
        std::mem::take(&mut self.expired)
    }

    /// Milliseconds, rounded up.
    pub(crate) fn until_expiry(&self, now: Time) -> Option<u128> {
        if !self.expired.is_empty() {
            return Some(0);
        }
        let at = self.client.next_expiry()?.since_epoch();
        Some(at.saturating_sub(now.since_epoch()).as_micros().div_ceil(1000))
    }

    /// Whether nothing would be lost with it.
    pub(crate) fn is_empty(&self) -> bool {
        self.expired.is_empty() && self.client.logins().next().is_none()
    }
}
