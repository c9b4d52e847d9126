//! What goes on for long: downloads, uploads, streams of events, WebSockets. Whoever sent the request was let through when it came;
//! for as long as it goes on it is asked again, by what holds by then, and what would not be let through now is cut.

use super::{Connection, Scene, Service, random_id};
use crate::listener::ConnectionInfo;
use crate::observe::wall_clock;
use crate::proof::{Admitted, Identified, Kind, Moment, Refusal, Shown, is_for};
use crate::proxy::{Cut, Over, ROUND};
use http::{Method, uri};
use rustls::pki_types::UnixTime;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::UNIX_EPOCH;
use tagai_core::realm::Scheme;
use tagai_store::{AccountStore, SessionStore};
use tokio::time::Instant;

/// What a request was let through by.
#[derive(Clone)]
pub(super) struct Standing {
    secure: bool,
    authority: uri::Authority,
    path: Box<str>,
    method: Method,
    source: IpAddr,
    info: Arc<ConnectionInfo>,
    /// The route, for the log.
    route: Box<str>,
    /// Whom the application was told that it comes from.
    name: Box<str>,
    identified: Identified,
    /// Until when nobody had ended the user's sessions, or this one.
    since: Moment,
    /// What has ended it: the request and its response are asked about apart, and written down once.
    cut: Arc<OnceLock<Cut>>,
}

/// Why it would not be let through, and whom the log is to name.
type Refused = (Refusal, Option<String>);

impl Standing {
    /// What a request to a route is let through by.
    pub(super) fn new<C, S>(scene: &Scene<'_, C, S>, path: &str, method: &Method, who: &Admitted) -> Self {
        Self {
            secure: scene.place.origin.scheme() == Scheme::Https,
            // Copied: what comes of a connection's buffer would hold all of it for as long as this.
            authority: scene.authority.as_str().parse().unwrap_or_else(|_| scene.authority.clone()),
            path: path.into(),
            method: method.clone(),
            source: scene.connection.address,
            info: Arc::clone(scene.info),
            route: scene.entry.id.clone(),
            name: who.name.as_str().into(),
            identified: who.identified.clone(),
            since: scene.since,
            cut: Arc::default(),
        }
    }
}

impl<C: AccountStore, S: SessionStore> Service<C, S> {
    /// Comes to its end when a request of somebody who was let through would no longer be; the reason has been written down then.
    pub(super) fn until_over(self: &Arc<Self>, standing: &Standing, began: Instant) -> Over {
        let (service, mut standing) = (Arc::clone(self), standing.clone());
        Box::pin(async move {
            let mut due = began + ROUND;
            loop {
                tokio::time::sleep_until(due).await;
                if let Err(refused) = service.still(&mut standing) {
                    return service.cut(&standing, refused);
                }
                due = Instant::now() + ROUND;
            }
        })
    }

    fn cut(&self, standing: &Standing, (refusal, name): Refused) -> Cut {
        let Standing { route, source, identified, .. } = standing;
        let cut = standing.cut.get_or_init(|| {
            let id = random_id();
            let noted = Refusal::new(refusal.code, format!("{} (what was open is cut)", refusal.reason));
            let name = name.unwrap_or_else(|| identified.credential.to_string());
            self.journal.refused(&id, route, *source, Some(&name), Some(identified.method), &noted);
            Cut { refusal, id }
        });
        cut.clone()
    }

    /// Whether the request would be let through now.
    fn still(&self, standing: &mut Standing) -> Result<(), Refused> {
        let refused = |code, reason: &str| Err((Refusal::new(code, reason), None));
        let Identified { user, session, .. } = &standing.identified;
        let ended = user.as_ref().is_some_and(|(realm, name)| {
            self.endings.has_ended((&realm.realm, name), session.as_ref(), &mut standing.since)
        });
        let rules = self.rules();
        let place = rules.table.find(standing.secure, standing.authority.as_str());
        let Some((place, entry)) = place.and_then(|place| Some((place, place.route(&standing.path).ok()?))) else {
            return refused("not-configured", "its route is no longer configured");
        };
        if entry.methods.as_ref().is_some_and(|methods| !methods.contains(&standing.method)) {
            return refused("not-configured", "its route no longer takes this method");
        }
        let now = wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default();
        let gate = &entry.gate;
        let identified = match user {
            Some((realm, name)) => {
                // Everybody passes a public route, and who is logged in elsewhere on the server is known there.
                let same = match gate.kind {
                    Kind::Public => {
                        place.realms.iter().any(|(now, _)| now.id == realm.id && now.realm == realm.realm)
                    }
                    _ => {
                        gate.proofs.takes(standing.identified.method)
                            && gate.realm.as_ref().is_some_and(|now| now.id == realm.id && now.realm == realm.realm)
                    }
                };
                let again = match gate.kind {
                    Kind::Public => Some(standing.identified.clone()),
                    _ => gate.user(standing.identified.method, name.clone()),
                };
                match again.filter(|_| same) {
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
            connection: Connection { channel: (*standing.info.channel).clone(), address: standing.source },
            now,
            since: standing.since,
        };
        match self.admit(&scene, &standing.path, &standing.method, identified.clone())? {
            // A guest would be let through; but it was not begun as a guest's.
            None => Err(match identified.resolve(&self.principals.load()) {
                Err(refusal) => (refusal, None),
                Ok(who) => (Refusal::new("not-admitted", "whoever it is counts as a guest now"), Some(who.name)),
            }),
            Some(who) if *who.name != *standing.name => {
                let reason = format!("its credential was {}'s, and is {}'s now", standing.name, who.name);
                Err((Refusal::new("not-admitted", reason), Some(standing.name.to_string())))
            }
            // Last, since whoever is kept out has no sessions either, and the reason is what the log is read for.
            Some(who) if ended => {
                let reason = "the user has logged out, or was changed";
                Err((Refusal::new("session-ended", reason), Some(who.name)))
            }
            Some(_) => Ok(()),
        }
    }
}
