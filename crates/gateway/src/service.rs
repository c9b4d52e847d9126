//! The way of a request through the gateway.
//!
//! ```text
//! check ─► origin (421) ─► route (404, 400) ─► method (405) ─► who is it (401) ─► forward (413, 502, 504) ─► proof
//! ```

use crate::address::Trusted;
use crate::answers::{Message, answer};
use crate::config::Identity;
use crate::identity;
use crate::listener::{Abort, ConnectionInfo, RequestBody};
use crate::metrics::{KindLabel, Metrics};
use crate::proxy::{Body, ForwardContext, ProxyError, check, forward};
use crate::route::{Entry, Gate, NoRoute, Place, Table};
use arc_swap::ArcSwap;
use http::header::{ALLOW, AUTHORIZATION, EXPECT, WWW_AUTHENTICATE};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use std::sync::Arc;
use tagai_core::server::Invitation;
use tagai_server::{Answer, AuthenticatedUser, Connection, Decision, Mutual, Proof};
use tagai_store::{CredentialStore, SessionStore};

/// Where a user's session is ended: POST, with credentials. The path is the gateway's own, whatever the routes say.
pub const LOGOUT_PATH: &str = "/.well-known/tagai/logout";

const AUTHENTICATION_CONTROL: HeaderName = HeaderName::from_static("authentication-control");
const OPTIONAL_WWW_AUTHENTICATE: HeaderName = HeaderName::from_static("optional-www-authenticate");

/// The rules, which a reload replaces as a whole.
#[derive(Debug)]
pub struct Rules<C, S> {
    /// Origins and routes.
    pub table: Table<C, S>,
    /// The names of the fields that tell an application who a user is.
    pub identity: Identity,
    /// Whose word on addresses counts.
    pub trusted: Trusted,
}

/// Answers requests by the rules of the moment.
#[derive(Debug)]
pub struct Service<C, S> {
    rules: ArcSwap<Rules<C, S>>,
    metrics: Arc<Metrics>,
}

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Public,
    Optional,
    Protected,
}

/// Who sent a request.
enum Who<'a, C, S> {
    /// A user of the realm.
    User(&'a Mutual<C, S>, AuthenticatedUser, Proof),
    /// Nobody that any of the realms knows of; with how to log in to the first, if there is one.
    Guest(Option<Invitation>),
    /// Somebody who has to be told this.
    Refused(Answer),
}

/// One request's surroundings.
struct Scene<'a, C, S> {
    rules: &'a Rules<C, S>,
    place: &'a Place<C, S>,
    entry: &'a Entry<C, S>,
    info: &'a ConnectionInfo,
    authority: &'a Authority,
}

impl<C: CredentialStore, S: SessionStore> Service<C, S> {
    /// A service with these rules.
    #[must_use]
    pub fn new(rules: Rules<C, S>, metrics: Arc<Metrics>) -> Self {
        Self { rules: ArcSwap::from_pointee(rules), metrics }
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

    /// Answers a request.
    ///
    /// # Errors
    /// None at present: what ends a connection is the failure of a body.
    pub async fn serve(
        &self,
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
        if request.uri().path() == LOGOUT_PATH {
            return Ok(self.log_out(&rules, place, &request, &info).await);
        }
        let entry = match place.route(request.uri().path()) {
            Ok(entry) => entry,
            Err(NoRoute::NotFound) => {
                let response = self.misdirected(StatusCode::NOT_FOUND, &request);
                return Ok(proven_to_users(response, &rules, place, &request, &info).await);
            }
            Err(NoRoute::Ambiguous) => {
                tracing::warn!(peer = %info.peer, path = request.uri().path(), "a path that could be of two routes");
                let response = self.misdirected(StatusCode::BAD_REQUEST, &request);
                return Ok(proven_to_users(response, &rules, place, &request, &info).await);
            }
        };
        let scene = Scene { rules: &rules, place, entry, info: &info, authority: &authority };
        let response = self.pass(scene, request).await;
        entry.counters.count(response.status());
        Ok(response)
    }

    fn misdirected(&self, status: StatusCode, request: &Request<RequestBody>) -> Response<Body> {
        self.metrics.misdirected.inc();
        let origin = status == StatusCode::MISDIRECTED_REQUEST;
        answer(status, if origin { Message::Misdirected } else { Message::Status }, request.headers())
    }

    /// Lets a request pass the gate of its route, or not.
    async fn pass(&self, scene: Scene<'_, C, S>, request: Request<RequestBody>) -> Response<Body> {
        let entry = scene.entry;
        if let Some(methods) = &entry.methods
            && !methods.contains(request.method())
        {
            let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, Message::Status, request.headers());
            let allow = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
            response.headers_mut().extend(HeaderValue::try_from(allow).ok().map(|allow| (ALLOW, allow)));
            return proven_to_users(response, scene.rules, scene.place, &request, scene.info).await;
        }
        let (realms, access) = match &entry.gate {
            // Who is logged in elsewhere on this server is answered with proof here too: a client that knows its user to be logged
            // in takes nothing less, and nobody can put another page in the place of this one.
            Gate::Public if request.headers().contains_key(AUTHORIZATION) => (&*scene.place.realms, Access::Public),
            Gate::Public => return self.forward(&scene, request, &[]).await,
            Gate::Optional(mutual) => (std::slice::from_ref(mutual), Access::Optional),
            Gate::Protected(mutual) => (std::slice::from_ref(mutual), Access::Protected),
        };
        let connection = connection(scene.rules, scene.info, request.headers());
        let mut response = match who(realms, request.headers(), &connection).await {
            Who::User(_, user, proof) => self.proven(&scene, request, &user, proof).await,
            Who::Refused(answer) => refusal(answer, Message::Refused, request.headers()),
            Who::Guest(invitation) if access == Access::Protected => match invitation {
                Some(invitation) => refusal(Answer::from_invitation(&invitation), Message::LogIn, request.headers()),
                // A protected route has a realm; without one nobody can be let in.
                None => answer(StatusCode::INTERNAL_SERVER_ERROR, Message::Status, request.headers()),
            },
            Who::Guest(invitation) => {
                let mut response = self.forward(&scene, request, &[]).await;
                if let Some(invitation) = invitation.filter(|_| access == Access::Optional) {
                    invite(&mut response, &invitation);
                }
                response
            }
        };
        if let Some(control) = &entry.control {
            response.headers_mut().append(AUTHENTICATION_CONTROL, control.clone());
        }
        response
    }

    /// Serves a user.
    async fn proven(
        &self,
        scene: &Scene<'_, C, S>,
        request: Request<RequestBody>,
        user: &AuthenticatedUser,
        proof: Proof,
    ) -> Response<Body> {
        // If there is an interim response, the proof belongs into that (RFC 8120 §4.5).
        let interim = scene.info.interim.as_ref().filter(|_| request.headers().contains_key(EXPECT));
        let interim = interim.filter(|interim| interim.arm(&proof.name, &proof.value));
        let identity = identity::of_user(&scene.rules.identity, user);
        let mut response = self.forward(scene, request, &identity).await;
        if response.status() == StatusCode::UNAUTHORIZED {
            // To a user who is proven, and has the server's proof, it can only mean this.
            *response.status_mut() = StatusCode::FORBIDDEN;
            response.headers_mut().remove(WWW_AUTHENTICATE);
        }
        if !interim.is_some_and(|interim| interim.settle()) {
            response.headers_mut().insert(proof.name, proof.value);
        }
        response
    }

    /// Sends a request to the application; a failure becomes a page.
    async fn forward(
        &self,
        scene: &Scene<'_, C, S>,
        request: Request<RequestBody>,
        identity: &[(HeaderName, HeaderValue)],
    ) -> Response<Body> {
        let accept = accepts_html(request.headers());
        let context = ForwardContext {
            connection: scene.info,
            authority: scene.authority,
            policy: &scene.entry.policy,
            add: identity,
            trusted: scene.rules.trusted.contains(scene.info.peer.ip()),
        };
        match forward(request, &scene.entry.upstream, &context).await {
            Ok(response) => response,
            Err(error) => self.failed(&error, scene, &accept),
        }
    }

    fn failed(&self, error: &ProxyError, scene: &Scene<'_, C, S>, accept: &HeaderMap) -> Response<Body> {
        let status = error.status();
        if error.is_clients() {
            tracing::debug!(peer = %scene.info.peer, %error, "request failed");
            return answer(status, Message::Status, accept);
        }
        let id = random_id();
        let kind = if status == StatusCode::GATEWAY_TIMEOUT { "timeout" } else { "broken" };
        self.metrics.upstream_failures.get_or_create(&KindLabel { kind }).inc();
        tracing::error!(id, peer = %scene.info.peer, %error, "the application did not answer");
        answer(status, Message::Failure(&id), accept)
    }

    /// Ends the session that a request is proven with.
    async fn log_out(
        &self,
        rules: &Rules<C, S>,
        place: &Place<C, S>,
        request: &Request<RequestBody>,
        info: &ConnectionInfo,
    ) -> Response<Body> {
        if request.method() != Method::POST {
            let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, Message::Status, request.headers());
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return proven_to_users(response, rules, place, request, info).await;
        }
        let connection = connection(rules, info, request.headers());
        match who(&place.realms, request.headers(), &connection).await {
            Who::User(mutual, _, proof) => end(mutual, request.headers(), &connection, proof).await,
            Who::Refused(answer) => refusal(answer, Message::Refused, request.headers()),
            Who::Guest(Some(invitation)) => {
                refusal(Answer::from_invitation(&invitation), Message::LogIn, request.headers())
            }
            Who::Guest(None) => self.misdirected(StatusCode::NOT_FOUND, request),
        }
    }
}

/// Asks the realms, one after another, whether a request is one of their users'.
async fn who<'a, C: CredentialStore, S: SessionStore>(
    realms: &'a [Mutual<C, S>],
    fields: &HeaderMap,
    connection: &Connection,
) -> Who<'a, C, S> {
    let mut first = None;
    for mutual in realms {
        match mutual.authenticate(fields, connection).await {
            Decision::Proven { user, proof } => return Who::User(mutual, user, proof),
            Decision::Answer(answer) => return Who::Refused(answer),
            Decision::Guest(invitation) => drop(first.get_or_insert(invitation)),
        }
    }
    Who::Guest(first)
}

/// What the gateway says to everybody, with proof for who is logged in: a client that knows its user to be logged in takes nothing
/// less, and would have to call the server a false one.
async fn proven_to_users<C: CredentialStore, S: SessionStore>(
    mut response: Response<Body>,
    rules: &Rules<C, S>,
    place: &Place<C, S>,
    request: &Request<RequestBody>,
    info: &ConnectionInfo,
) -> Response<Body> {
    if !request.headers().contains_key(AUTHORIZATION) {
        return response;
    }
    match who(&place.realms, request.headers(), &connection(rules, info, request.headers())).await {
        Who::User(_, _, proof) => drop(response.headers_mut().insert(proof.name, proof.value)),
        Who::Refused(answer) => return refusal(answer, Message::Refused, request.headers()),
        Who::Guest(_) => {}
    }
    response
}

async fn end<C: CredentialStore, S: SessionStore>(
    mutual: &Mutual<C, S>,
    fields: &HeaderMap,
    connection: &Connection,
    proof: Proof,
) -> Response<Body> {
    let mut response = match mutual.log_out(fields, connection).await {
        Ok(()) => answer(StatusCode::OK, Message::LoggedOut, fields),
        Err(error) => {
            tracing::error!(%error, "a session could not be ended");
            answer(StatusCode::INTERNAL_SERVER_ERROR, Message::Status, fields)
        }
    };
    response.headers_mut().insert(proof.name, proof.value);
    response
}

fn connection<C, S>(rules: &Rules<C, S>, info: &ConnectionInfo, fields: &HeaderMap) -> Connection {
    Connection { channel: (*info.channel).clone(), address: rules.trusted.client(info.peer.ip(), fields) }
}

/// What was refused, with a page for people.
fn refusal(refused: Answer, message: Message<'_>, fields: &HeaderMap) -> Response<Body> {
    let mut response = answer(refused.status, message, fields);
    response.headers_mut().extend(refused.fields);
    response
}

/// A guest's response says that one could log in (RFC 8053 §3). A 401 of the application's own would contradict it.
fn invite(response: &mut Response<Body>, invitation: &Invitation) {
    if response.status() != StatusCode::UNAUTHORIZED
        && let Some(field) = invitation.optional_field()
        && let Ok(value) = HeaderValue::try_from(field.value)
    {
        response.headers_mut().append(OPTIONAL_WWW_AUTHENTICATE, value);
    }
}

/// What of a request decides how an answer looks, kept while the request itself is sent on.
fn accepts_html(fields: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::new();
    if let Some(accept) = fields.get(http::header::ACCEPT) {
        kept.insert(http::header::ACCEPT, accept.clone());
    }
    kept
}

/// An id under which the log knows more.
fn random_id() -> String {
    let mut octets = [0; 8];
    // It only has to be another one each time; without randomness it says nothing.
    let _ = getrandom::fill(&mut octets);
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
