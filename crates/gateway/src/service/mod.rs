//! The way of a request through the gateway.
//!
//! ```text
//! check ─► origin (421) ─► route (404, 400) ─► method (405) ─► who is it (401, 403, 421) ─► may they (403)
//!       ─► what is the application told ─► forward (413, 502, 504) ─► proof
//! ```

mod account;
mod ahead;
mod ask;
mod end;
mod inform;
mod onward;
mod standing;
mod who;

use crate::address::Trusted;
use crate::answers::{Message, answer, random_id};
use crate::identity::assertion::JWKS_PATH;
use crate::identity::{Names, Signer};
use crate::listener::{Abort, ConnectionInfo, RequestBody};
use crate::metrics::Metrics;
use crate::observe::{Journal, wall_clock};
use crate::proof::{
    Admitted, Asked, Authority, Endings, Identified, Kind, Moment, Principals, Refusal, is_for, permit,
};
use crate::proxy::{Body, check};
use crate::route::{Entry, NoRoute, Place, Table};
use ahead::Ahead;
use arc_swap::ArcSwap;
use http::header::{ALLOW, WWW_AUTHENTICATE};
use http::uri;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use inform::told;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tagai_core::realm::Scheme;
use tagai_policy::{Action, Policies};
use tagai_server::{Connection, Proof};
use tagai_store::principal::Method as ProofMethod;
use tagai_store::{AccountStore, SessionStore};
use who::Who;

pub use account::{ACCOUNT_PATH, PASSWORD_PATH, REGISTER_PATH};
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use account::{read_password_change, read_registration};

/// Where a user's session is ended: POST, with credentials. The path is the gateway's own, whatever the routes say.
pub const LOGOUT_PATH: &str = "/.well-known/tagai/logout";

const AUTHENTICATION_CONTROL: HeaderName = HeaderName::from_static("authentication-control");

/// The rules, which a reload replaces as a whole.
#[derive(Debug)]
pub struct Rules<C, S> {
    /// Origins and routes.
    pub table: Table<C, S>,
    /// The names of the fields that tell an application who somebody is.
    pub names: Names,
    /// Whose word on addresses counts.
    pub trusted: Trusted,
    /// Whose certificates are taken, by their ids in the configuration.
    pub authorities: HashMap<String, Arc<Authority>>,
    /// Who may do what.
    pub policies: Arc<Policies>,
    /// What signs assertions.
    pub signer: Option<Signer>,
}

/// Answers requests by the rules of the moment.
#[derive(Debug)]
pub struct Service<C, S> {
    rules: ArcSwap<Rules<C, S>>,
    principals: Arc<ArcSwap<Principals>>,
    endings: Arc<Endings>,
    metrics: Arc<Metrics>,
    journal: Arc<Journal>,
}

/// One request's surroundings.
struct Scene<'a, C, S> {
    rules: &'a Rules<C, S>,
    place: &'a Place<C, S>,
    entry: &'a Entry<C, S>,
    info: &'a Arc<ConnectionInfo>,
    authority: &'a uri::Authority,
    /// Where the request came from, by the word of whoever is trusted.
    connection: Connection,
    /// Since the epoch.
    now: Duration,
    /// Before it was looked who sent it.
    since: Moment,
}

impl<C: AccountStore, S: SessionStore> Service<C, S> {
    /// A service with these rules, for these principals, which others may look at as well.
    #[must_use]
    pub fn new(
        rules: Rules<C, S>,
        principals: Arc<ArcSwap<Principals>>,
        metrics: Arc<Metrics>,
        journal: Arc<Journal>,
    ) -> Self {
        journal.know(principals.load_full());
        Self { rules: ArcSwap::from_pointee(rules), principals, endings: Arc::default(), metrics, journal }
    }

    /// Other rules, for all requests that begin from now on.
    pub fn replace(&self, rules: Rules<C, S>) {
        self.rules.store(Arc::new(rules));
    }

    /// The rules of the moment.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules<C, S>> {
        self.rules.load_full()
    }

    /// Other principals, for all requests that begin from now on. The ones before come back.
    pub fn replace_principals(&self, principals: Principals) -> Arc<Principals> {
        let principals = Arc::new(principals);
        self.journal.know(Arc::clone(&principals));
        self.principals.swap(principals)
    }

    /// The principals of the moment.
    #[must_use]
    pub fn principals(&self) -> Arc<Principals> {
        self.principals.load_full()
    }

    /// Whose sessions were ended: to be told of every such user, so that what goes on ends as well.
    #[must_use]
    pub const fn endings(&self) -> &Arc<Endings> {
        &self.endings
    }

    /// Answers a request.
    ///
    /// # Errors
    /// None at present: what ends a connection is the failure of a body.
    pub async fn serve(
        self: &Arc<Self>,
        mut request: Request<RequestBody>,
        info: Arc<ConnectionInfo>,
    ) -> Result<Response<Body>, Abort> {
        let rules = self.rules();
        rules.trusted.remove_others_words(info.peer.ip(), request.headers_mut());
        let secure = info.tls.is_some();
        let authority = match check(&request, secure) {
            Ok(authority) => authority,
            Err(refusal) => {
                tracing::debug!(peer = %info.peer, reason = refusal.reason, "request refused");
                return Ok(self.misdirected(refusal.status, &request));
            }
        };
        let Some(place) = rules.table.find(secure, authority.as_str()) else {
            tracing::debug!(peer = %info.peer, %authority, "no such origin is configured");
            return Ok(self.misdirected(StatusCode::MISDIRECTED_REQUEST, &request));
        };
        match request.uri().path() {
            LOGOUT_PATH => return Ok(self.log_out(&rules, place, &request, &info).await),
            path if account::is_account(path) => return Ok(self.account(&rules, place, request, &info).await),
            JWKS_PATH if rules.signer.is_some() => return Ok(self.keys(&rules, place, &request, &info).await),
            _ => {}
        }
        let entry = match place.route(request.uri().path()) {
            Ok(entry) => entry,
            Err(NoRoute::NotFound) => {
                let response = self.misdirected(StatusCode::NOT_FOUND, &request);
                return Ok(self.proven_to_users(response, &rules, place, &request, &info).await);
            }
            Err(NoRoute::Ambiguous) => {
                tracing::debug!(peer = %info.peer, path = request.uri().path(), "a path that could be of two routes");
                let response = self.misdirected(StatusCode::BAD_REQUEST, &request);
                return Ok(self.proven_to_users(response, &rules, place, &request, &info).await);
            }
        };
        let connection = connection(&rules, &info, request.headers());
        let now = wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default();
        let since = self.endings.now();
        let scene = Scene { rules: &rules, place, entry, info: &info, authority: &authority, connection, now, since };
        let response = self.pass(&scene, request).await;
        entry.counters.count(response.status());
        Ok(response)
    }

    fn misdirected(&self, status: StatusCode, request: &Request<RequestBody>) -> Response<Body> {
        self.metrics.misdirected.inc();
        let origin = status == StatusCode::MISDIRECTED_REQUEST;
        answer(status, if origin { Message::Misdirected } else { Message::Status }, request.headers())
    }

    /// Lets a request pass the gate of its route, or not.
    async fn pass(self: &Arc<Self>, scene: &Scene<'_, C, S>, request: Request<RequestBody>) -> Response<Body> {
        let entry = scene.entry;
        if let Some(methods) = &entry.methods
            && !methods.contains(request.method())
        {
            let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, Message::Status, request.headers());
            let allow = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
            response.headers_mut().extend(HeaderValue::try_from(allow).ok().map(|allow| (ALLOW, allow)));
            return self.proven_to_users(response, scene.rules, scene.place, &request, scene.info).await;
        }
        if entry.gate.looks_at_connection() && !is_for(scene.info, &scene.place.origin) {
            tracing::debug!(peer = %scene.info.peer, route = %entry.id, "the handshake was with another host");
            return self.misdirected(StatusCode::MISDIRECTED_REQUEST, &request);
        }
        let mut response = match self.who(scene, request.headers()).await {
            Who::Proven(identified, proof) => self.somebody(scene, request, *identified, proof).await,
            Who::Answer(answer, message) => ask::page(answer, message, request.headers()),
            Who::Guest { invitation, refused } => self.guest(scene, request, invitation, refused).await,
        };
        if let Some(control) = &entry.control {
            response.headers_mut().append(AUTHENTICATION_CONTROL, control.clone());
        }
        response
    }

    /// Serves, or refuses, somebody who is proven.
    async fn somebody(
        self: &Arc<Self>,
        scene: &Scene<'_, C, S>,
        request: Request<RequestBody>,
        identified: Identified,
        proof: Option<Proof>,
    ) -> Response<Body> {
        let method = identified.method;
        let admitted = self.admit(scene, request.uri().path(), request.method(), identified);
        let told = admitted.and_then(|who| {
            let told = who.as_ref().map(|who| told(scene, &request, who)).transpose();
            let told = told.map_err(|refusal| (refusal, who.as_ref().map(|who| who.name.clone())))?;
            Ok((told.unwrap_or_default(), who))
        });
        let (fields, who) = match told {
            Ok(told) => told,
            Err((refusal, name)) => {
                let mut response = self.refuse(scene, &request, &refusal, name.as_deref(), Some(method));
                response.headers_mut().extend(proof.map(|proof| (proof.name, proof.value)));
                return response;
            }
        };
        if let Some(who) = &who {
            self.metrics.proven(method);
            // Realms tell of their own logins.
            if who.identified.user.is_none() && scene.info.judgements.is_first(&who.name) {
                self.journal.let_in(&scene.entry.id, scene.connection.address, who);
            }
        }
        let Some(proof) = proof else {
            let mut response = self.forward(scene, request, &fields, who.as_ref()).await;
            if method == ProofMethod::PasswordTls && response.status() == StatusCode::UNAUTHORIZED {
                // The application has not seen the password, and another one would not help.
                *response.status_mut() = StatusCode::FORBIDDEN;
                response.headers_mut().remove(WWW_AUTHENTICATE);
            }
            return response;
        };
        let ahead = Ahead::new(proof, scene.info, request.headers());
        let mut response = self.forward(scene, request, &fields, who.as_ref()).await;
        if response.status() == StatusCode::UNAUTHORIZED {
            // To a user who is proven, and has the server's proof, it can only mean this.
            *response.status_mut() = StatusCode::FORBIDDEN;
            response.headers_mut().remove(WWW_AUTHENTICATE);
        }
        ahead.settle(&mut response);
        response
    }

    /// Who is let through, as whom; `None` as a guest, on routes for everybody.
    ///
    /// # Errors
    /// Why not, and the name by which that is written down.
    #[allow(clippy::type_complexity, reason = "it is taken apart at once")]
    fn admit(
        &self,
        scene: &Scene<'_, C, S>,
        path: &str,
        method: &Method,
        identified: Identified,
    ) -> Result<Option<Admitted>, (Refusal, Option<String>)> {
        let credential = identified.credential.to_string();
        let admitted = match identified.resolve(&self.principals.load()) {
            Ok(admitted) => Some(admitted),
            // Everybody may be here, whoever they are not.
            Err(_) if scene.entry.gate.kind != Kind::Protected => None,
            Err(refusal) => return Err((refusal, Some(credential))),
        };
        match permit(&scene.rules.policies, admitted.as_ref(), &scene.asked(path, method)) {
            Ok(()) => Ok(admitted),
            Err(refusal) => Err((refusal, Some(admitted.map_or(credential, |who| who.name)))),
        }
    }

    /// Serves, asks or refuses a guest.
    async fn guest(
        self: &Arc<Self>,
        scene: &Scene<'_, C, S>,
        request: Request<RequestBody>,
        invitation: Option<tagai_core::server::Invitation>,
        refused: Option<Refusal>,
    ) -> Response<Body> {
        let gate = &scene.entry.gate;
        if gate.kind == Kind::Protected {
            return self.ask(scene, &request, invitation, refused);
        }
        let asked = scene.asked(request.uri().path(), request.method());
        if let Err(refusal) = permit(&scene.rules.policies, None, &asked) {
            // Somebody, once proven, may be permitted what a guest is not.
            if gate.kind == Kind::Optional && (invitation.is_some() || gate.password.is_some()) {
                return self.ask(scene, &request, invitation, refused);
            }
            return self.refuse(scene, &request, &refusal, None, None);
        }
        let mut response = self.forward(scene, request, &[], None).await;
        if let Some(invitation) = invitation.filter(|_| gate.kind == Kind::Optional) {
            ask::invite(&mut response, &invitation);
        }
        response
    }
}

impl<'a, C, S> Scene<'a, C, S> {
    /// What is asked for, as policies see it.
    fn asked<'b>(&'b self, path: &'b str, method: &'b Method) -> Asked<'b> {
        Asked {
            action: Action::Request,
            route: &self.entry.id,
            host: &self.place.host,
            port: self.place.origin.port(),
            tls: self.place.origin.scheme() == Scheme::Https,
            path,
            method: method.as_str(),
            source: self.connection.address,
            time: self.now.as_secs(),
        }
    }
}

fn connection<C, S>(rules: &Rules<C, S>, info: &ConnectionInfo, fields: &HeaderMap) -> Connection {
    Connection { channel: (*info.channel).clone(), address: rules.trusted.client(info.peer.ip(), fields) }
}
