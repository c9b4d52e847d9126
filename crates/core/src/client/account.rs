//! One login: a credential, and the sessions that were made with it.

use super::sequence::Context;
use super::states::{ClientSession, Proving, SentVfyC};
use super::work::Known;
use crate::message::Terms;
use crate::realm::{AuthRealm, Origin, Paths};
use crate::time::Time;
use crate::validation::{HostValidation, ValidationMethod};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

/// The most servers that are remembered for one realm.
const MAX_SERVERS: usize = 256;
/// The most key exchanges with one credential that servers may begin and not finish.
///
/// Whoever answers in a server's place can try one password in each exchange: it makes `K_s1` from a guess, and `VK_c` tells
/// whether the guess was right. A client that starts exchanges by itself, as for images in a page, must not do so for ever.
/// Honest servers fail to finish now and then, so the number is not one.
const MAX_UNPROVEN: u32 = 16;

/// One realm to which the user is logged in.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) known: Known,
    pub(super) logout_at: Option<Time>,
    /// Key exchanges in which the client has shown `VK_c`, or is about to, and the server has not proven itself.
    unproven: u32,
    pub(super) servers: BTreeMap<Origin, Server>,
}

/// What is known of a realm on one server.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) terms: Terms,
    pub(super) paths: Option<Paths>,
    pub(super) session: Option<Kept>,
}

/// A session that may serve more requests.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) session: Arc<ClientSession>,
    /// The connection that it was made on.
    pub(super) vh: HostValidation,
}

impl Account {
    pub(super) const fn new(known: Known) -> Self {
        Self { known, logout_at: None, unproven: 0, servers: BTreeMap::new() }
    }

    /// Counts a key exchange that has yet to be proven. `false` if there were too many.
    pub(super) fn charge(&mut self) -> bool {
        self.unproven = self.unproven.saturating_add(1);
        self.unproven <= MAX_UNPROVEN
    }

    /// A req-VFY-C message of a session with a server, if there is one that can be used.
    pub(super) fn prove(&self, origin: &Origin, vh: Option<&HostValidation>, now: Time) -> Option<SentVfyC> {
        let kept = self.servers.get(origin)?.session.as_ref()?;
        let exporter = kept.vh.method() == ValidationMethod::TlsExporter;
        let vh = match vh {
            // An exporter is another one on every connection, and cannot be guessed from the last.
            None if exporter => return None,
            vh => vh.unwrap_or(&kept.vh),
        };
        // Another certificate than last time: the peer is validated anew, by a key exchange (RFC 8120 §17.5).
        let same = vh.method() == kept.vh.method() && (exporter || *vh == kept.vh);
        (same && kept.session.is_open(now))
            .then(|| SentVfyC::new(Arc::clone(&kept.session), self.known.clone(), vh.clone(), Proving::Kept))
    }

    /// Keeps a session that was made and proven just now.
    pub(super) fn keep(&mut self, context: &Context, sent: &SentVfyC) {
        self.unproven = self.unproven.saturating_sub(1);
        let (origin, session) = (&context.origin, &sent.session);
        let kept = Kept { session: Arc::clone(session), vh: sent.vh.clone() };
        let paths = session.paths.clone().or_else(|| context.offered.clone());
        let paths = paths.map(|paths| paths.within(&session.realm.auth_scope, origin));
        self.add_server(origin.clone(), Server { terms: session.terms.clone(), paths, session: Some(kept) });
    }

    /// Remembers a server; of too many, the one whose session ends first makes room.
    pub(super) fn add_server(&mut self, origin: Origin, server: Server) {
        if self.servers.len() >= MAX_SERVERS && !self.servers.contains_key(&origin) {
            let expiry = |server: &Server| server.session.as_ref().map(|kept| kept.session.expires);
            let oldest = self.servers.iter().min_by_key(|(_, server)| expiry(server));
            if let Some(oldest) = oldest.map(|(origin, _)| origin.clone()) {
                self.servers.remove(&oldest);
            }
        }
        self.servers.insert(origin, server);
    }

    /// Takes over the path list of an optional challenge: "clients MUST recognize the parameter" (RFC 8053 §3).
    pub(super) fn add_paths(&mut self, context: &Context, realm: &AuthRealm) {
        if let (Some(offered), Some(server)) = (&context.offered, self.servers.get_mut(&context.origin)) {
            server.paths = Some(offered.clone().within(&realm.auth_scope, &context.origin));
        }
    }

    /// Whether any server of the realm said that a URI belongs to it; without a list, all of the server does.
    pub(super) fn expects(&self, origin: &Origin, path: &str) -> bool {
        self.servers.iter().any(|(server, known)| match &known.paths {
            Some(paths) => paths.contain(server, origin, path),
            None => server == origin,
        })
    }
}
