//! What goes on for long: downloads, uploads, streams of events, WebSockets. Whoever sent the request was let through when it came;
//! for as long as it goes on it is asked again, by what holds by then, and what would not be let through now is cut.

use super::{Scene, Service, random_id};
use crate::listener::ConnectionInfo;
use crate::observe::wall_clock;
use crate::proof::{Identified, Kind, Moment, Refusal, Shown, is_for};
use crate::proxy::Over;
use http::{Method, Uri, uri};
use rustls::pki_types::UnixTime;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tagai_core::realm::Scheme;
use tagai_store::{AccountStore, SessionStore};

/// How often it is asked.
const ROUND: Duration = Duration::from_secs(1);

/// What a request was let through by.
struct Standing {
    secure: bool,
    authority: uri::Authority,
    uri: Uri,
    method: Method,
    source: IpAddr,
    info: Arc<ConnectionInfo>,
    /// The route, for the log.
    route: Box<str>,
    identified: Identified,
    /// Until when nobody had ended the user's sessions, or this one.
    since: Moment,
}

impl<C: AccountStore, S: SessionStore> Service<C, S> {
    /// Comes to its end when a request of somebody who was let through would no longer be; the reason has been written down then.
    pub(super) fn until_over(
        self: &Arc<Self>,
        scene: &Scene<'_, C, S>,
        (uri, method): (&Uri, &Method),
        identified: &Identified,
    ) -> Over {
        let mut standing = Standing {
            secure: scene.place.origin.scheme() == Scheme::Https,
            authority: scene.authority.clone(),
            uri: uri.clone(),
            method: method.clone(),
            source: scene.connection.address,
            info: Arc::clone(scene.info),
            route: scene.entry.id.clone(),
            identified: identified.clone(),
            since: scene.since,
        };
        let service = Arc::clone(self);
        Box::pin(async move {
            let (refusal, name) = loop {
                tokio::time::sleep(ROUND).await;
                if let Err(refused) = service.still(&mut standing) {
                    break refused;
                }
            };
            let Standing { route, source, identified, .. } = standing;
            let reason = format!("{} (what was open is cut)", refusal.reason);
            let refusal = Refusal::new(refusal.code, reason);
            let name = name.unwrap_or_else(|| identified.credential.to_string());
            let id = random_id();
            service.journal.refused(&id, &route, source, Some(&name), Some(identified.method), &refusal);
        })
    }

    /// Whether the request would be let through now.
    ///
    /// # Errors
    /// Why not, and the name by which that is written down, if it is another than the credential's.
    fn still(&self, standing: &mut Standing) -> Result<(), (Refusal, Option<String>)> {
        let refused = |code, reason: &str| Err((Refusal::new(code, reason), None));
        let Identified { user, session, .. } = &standing.identified;
        let ended = user.as_ref().is_some_and(|(realm, name)| {
            self.endings.has_ended((&realm.realm, name), session.as_ref(), &mut standing.since)
        });
        let rules = self.rules();
        let place = rules.table.find(standing.secure, standing.authority.as_str());
        let Some((place, entry)) = place.and_then(|place| Some((place, place.route(standing.uri.path()).ok()?)))
        else {
            return refused("not-configured", "its route is no longer configured");
        };
        let now = wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default();
        let gate = &entry.gate;
        let identified = match user {
            // Everybody passes a public route, and who is logged in elsewhere on the server is known there.
            Some(_) if gate.kind == Kind::Public => standing.identified.clone(),
            Some((realm, name)) => {
                let same = gate.proofs.takes(standing.identified.method)
                    && gate.realm.as_ref().is_some_and(|now| now.id == realm.id && now.realm == realm.realm);
                match gate.user(standing.identified.method, name.clone()).filter(|_| same) {
                    Some(identified) => identified,
                    None => return refused("not-configured", "its route takes no such login any more"),
                }
            }
            None if !is_for(&standing.info, &place.origin) => {
                return refused("not-configured", "its handshake was with another host");
            }
            None => match gate.shown(&standing.info, UnixTime::since_unix_epoch(now)) {
                Shown::Proven(identified) if identified.credential == standing.identified.credential => *identified,
                Shown::Refused(refusal) => return Err((refusal, None)),
                Shown::Proven(_) | Shown::Nothing => {
                    return refused("not-configured", "its route takes no such proof any more");
                }
            },
        };
        let scene = Scene {
            rules: &rules,
            place,
            entry,
            info: &standing.info,
            authority: &standing.authority,
            connection: super::Connection { channel: (*standing.info.channel).clone(), address: standing.source },
            now,
            since: standing.since,
        };
        // Last, since whoever is kept out has no sessions either, and the reason is what the log is read for.
        match self.admit(&scene, standing.uri.path(), &standing.method, identified)? {
            Some(_) if ended => refused("session-ended", "the user has logged out, or was changed"),
            Some(_) => Ok(()),
            // A guest would be let through; but it was not begun as a guest's.
            None => refused("not-admitted", "whoever it is counts as a guest now"),
        }
    }
}
