//! What users do with their own accounts, at paths of the gateway's own: registration by invitation, and change of password. The
//! gateway gets verifiers; no password comes here, and nothing of this reaches an application.
//!
//! ```text
//! registration   TLS (403) ─ POST (405) ─ body (413, 400) ─ realm (404) ─ guard (429) ─ verifier (400) ─ invitation (403) ─ 204
//! password       TLS (403) ─ POST (405) ─ Mutual (401) ─ principal (403) ─ body (413, 400) ─ binding (403) ─ verifier (400) ─ 204
//! ```
//!
//! Refusals are `{"error": CODE}`. Codes say nothing that whoever asked did not know; the log has the reasons.

mod body;
mod reply;

use super::ahead::Ahead;
use super::who::{Users, users};
use super::{Rules, Service, connection};
use crate::answers::{Message, answer};
use crate::config::Registration as Way;
use crate::listener::{ConnectionInfo, RequestBody};
use crate::observe::wall_clock;
use crate::proof::Identified;
use crate::proxy::Body;
use crate::route::Place;
use body::Malformed;
use http::header::{ALLOW, AUTHORIZATION, EXPECT, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use reply::{done, refuse};
use tagai_server::{Answer, AuthenticatedUser, Connection, Mutual, PasswordChange, Registered, Registration};
use tagai_store::principal::Method as ProofMethod;
use tagai_store::{AccountStore, SessionStore};

/// Where all of it is. No path below this one is an application's, whatever the routes say.
pub const ACCOUNT_PATH: &str = "/.well-known/tagai/account/";
/// Where an invitation is used: POST, over TLS.
pub const REGISTER_PATH: &str = "/.well-known/tagai/account/register";
/// Where a user changes the password: POST, over TLS, with credentials.
pub const PASSWORD_PATH: &str = "/.well-known/tagai/account/password";

/// Whether a path is one of these, or could be taken for one.
pub(super) fn is_account(path: &str) -> bool {
    path.starts_with(ACCOUNT_PATH)
}

impl<C: AccountStore, S: SessionStore> Service<C, S> {
    /// Answers a request for one of these paths.
    pub(super) async fn account(
        &self,
        rules: &Rules<C, S>,
        place: &Place<C, S>,
        request: Request<RequestBody>,
        info: &ConnectionInfo,
    ) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts, RequestBody::empty());
        let mut body = Some(body);
        let response = self.account_of(rules, place, &request, &mut body, info).await;
        // Some clients do not see an answer that comes before they have sent everything; others wait for it (RFC 9110 §10.1.1).
        if let Some(body) = body.filter(|_| !request.headers().contains_key(EXPECT)) {
            body::discard(body).await;
        }
        response
    }

    /// Answers it, and takes the body if there is something to be done with it.
    async fn account_of(
        &self,
        rules: &Rules<C, S>,
        place: &Place<C, S>,
        request: &Request<RequestBody>,
        body: &mut Option<RequestBody>,
        info: &ConnectionInfo,
    ) -> Response<Body> {
        let path = request.uri().path();
        let registers = path == REGISTER_PATH && place.realms.iter().any(|(realm, _)| takes_invitations(realm));
        let changes = path == PASSWORD_PATH && place.realms.iter().any(|(realm, _)| realm.password_change);
        if !registers && !changes {
            let response = refuse(StatusCode::NOT_FOUND, "not-found");
            return self.proven_to_users(response, rules, place, request, info).await;
        }
        if info.tls.is_none() {
            // Whoever listens could try passwords on a verifier, or use the invitation first.
            self.metrics.refused("account-insecure");
            tracing::debug!(peer = %info.peer, path, "an account can be made or changed over TLS alone");
            let response = refuse(StatusCode::FORBIDDEN, "insecure");
            return self.proven_to_users(response, rules, place, request, info).await;
        }
        if request.method() != Method::POST {
            let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, Message::Status, request.headers());
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return self.proven_to_users(response, rules, place, request, info).await;
        }
        let connection = connection(rules, info, request.headers());
        if changes {
            self.password(place, request, body, &connection, info).await
        } else {
            self.registration(place, request, body, &connection, info).await
        }
    }

    /// Answers a registration; with proof for somebody who is logged in, and takes nothing less.
    async fn registration(
        &self,
        place: &Place<C, S>,
        request: &Request<RequestBody>,
        body: &mut Option<RequestBody>,
        connection: &Connection,
        info: &ConnectionInfo,
    ) -> Response<Body> {
        let fields = request.headers();
        let mut ahead = None;
        if fields.contains_key(AUTHORIZATION) {
            match users(&place.realms, fields, connection).await {
                Users::Proven { proof, .. } => ahead = Some(Ahead::new(proof, info, fields)),
                // Before the invitation is used up: whoever gets this asks again.
                Users::Answer(answer) => return super::ask::refused(answer, fields),
                Users::Guest(_) => {}
            }
        }
        let mut response = self.register(place, body.take().unwrap_or_default(), connection, info).await;
        if let Some(ahead) = ahead {
            ahead.settle(&mut response);
        }
        response
    }

    async fn register(
        &self,
        place: &Place<C, S>,
        body: RequestBody,
        connection: &Connection,
        info: &ConnectionInfo,
    ) -> Response<Body> {
        let octets = match body::read(body).await {
            Ok(octets) => octets,
            Err(status) => return self.unreadable(status, info),
        };
        let asked = match body::registration(&octets) {
            Ok(asked) => asked,
            Err(Malformed) => return self.malformed(info),
        };
        let realm = place.realms.iter().find(|(realm, _)| takes_invitations(realm) && asked.realm.is(&realm.realm));
        let Some((_, mutual)) = realm else { return refuse(StatusCode::NOT_FOUND, "not-found") };
        let registration =
            Registration { user: &asked.user, code: &asked.invitation.digest(), verifier: &asked.verifier };
        match mutual.register(&registration, connection, wall_clock()).await {
            Registered::Done => done(),
            Registered::Refused => refuse(StatusCode::FORBIDDEN, "invitation"),
            Registered::Malformed => self.malformed(info),
            Registered::Wait(wait) => {
                let mut response = refuse(StatusCode::TOO_MANY_REQUESTS, "wait");
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().saturating_add(1)));
                response
            }
            Registered::Failed => refuse(StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        }
    }

    async fn password(
        &self,
        place: &Place<C, S>,
        request: &Request<RequestBody>,
        body: &mut Option<RequestBody>,
        connection: &Connection,
        info: &ConnectionInfo,
    ) -> Response<Body> {
        let fields = request.headers();
        let (mutual, user, identified, proof) = match users(&place.realms, fields, connection).await {
            Users::Proven { mutual, user, identified, proof } => (mutual, user, *identified, proof),
            Users::Answer(answer) => return super::ask::refused(answer, fields),
            Users::Guest(Some(invitation)) => {
                return super::ask::page(Answer::from_invitation(&invitation), Message::LogIn, fields);
            }
            Users::Guest(None) => return self.misdirected(StatusCode::NOT_FOUND, request),
        };
        let ahead = Ahead::new(proof, info, fields);
        let allowed = place.realms.iter().any(|(realm, _)| realm.realm == *user.realm() && realm.password_change);
        let mut response = if !allowed {
            refuse(StatusCode::NOT_FOUND, "not-found")
        } else if let Some(refused) = self.kept_out(place, identified, connection) {
            refused
        } else {
            self.change(mutual, (&user, fields), body.take().unwrap_or_default(), connection, info).await
        };
        ahead.settle(&mut response);
        response
    }

    /// Refuses somebody who is proven, and whom the directory or the deny list keeps out.
    fn kept_out(
        &self,
        place: &Place<C, S>,
        identified: Identified,
        connection: &Connection,
    ) -> Option<Response<Body>> {
        let name = identified.credential.to_string();
        let refusal = identified.resolve(&self.principals.load()).err()?;
        let id = super::random_id();
        let route = format!("{}{PASSWORD_PATH}", place.text);
        let method = Some(ProofMethod::Mutual);
        self.journal.refused(&id, &route, connection.address, Some(&name), method, &refusal);
        let mut response = refuse(refusal.status(), "forbidden");
        refusal.mark(&mut response, &id);
        Some(response)
    }

    async fn change(
        &self,
        mutual: &Mutual<C, S>,
        by: (&AuthenticatedUser, &HeaderMap),
        body: RequestBody,
        connection: &Connection,
        info: &ConnectionInfo,
    ) -> Response<Body> {
        let octets = match body::read(body).await {
            Ok(octets) => octets,
            Err(status) => return self.unreadable(status, info),
        };
        let asked = match body::password_change(&octets) {
            Ok(asked) => asked,
            Err(Malformed) => return self.malformed(info),
        };
        match mutual.change_password(by, &asked.verifier, &asked.binding, connection).await {
            PasswordChange::Done => done(),
            PasswordChange::NotBound => refuse(StatusCode::FORBIDDEN, "binding"),
            PasswordChange::Malformed => self.malformed(info),
            PasswordChange::Gone => refuse(StatusCode::FORBIDDEN, "forbidden"),
            PasswordChange::Failed => refuse(StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        }
    }

    fn malformed(&self, info: &ConnectionInfo) -> Response<Body> {
        self.metrics.refused("account-malformed");
        tracing::debug!(peer = %info.peer, "what was sent about an account is not what it has to be");
        refuse(StatusCode::BAD_REQUEST, "malformed")
    }

    fn unreadable(&self, status: StatusCode, info: &ConnectionInfo) -> Response<Body> {
        self.metrics.refused("account-malformed");
        tracing::debug!(peer = %info.peer, %status, "what was sent about an account could not be read");
        refuse(status, if status == StatusCode::PAYLOAD_TOO_LARGE { "too-large" } else { "malformed" })
    }
}

fn takes_invitations(realm: &crate::config::Realm) -> bool {
    realm.registration == Way::Invitation
}

/// The door for fuzzing: the name, the code and the verifier of a registration.
#[cfg(feature = "fuzzing")]
#[must_use]
pub fn read_registration(octets: &[u8]) -> Option<(String, String, Vec<u8>)> {
    let read = body::registration(octets).ok()?;
    Some((read.user.to_string(), read.invitation.expose_text().to_string(), read.verifier.to_vec()))
}

/// The door for fuzzing: the verifier and the binding of a change of password.
#[cfg(feature = "fuzzing")]
#[must_use]
pub fn read_password_change(octets: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let read = body::password_change(octets).ok()?;
    Some((read.verifier.to_vec(), read.binding.to_vec()))
}
