//! What the gateway serves itself: the end of a session, and the keys for assertions.

use super::who::{Users, users};
use super::{Rules, Service, connection};
use crate::answers::{Message, answer};
use crate::identity::assertion::jwks_response;
use crate::listener::{ConnectionInfo, RequestBody};
use crate::proxy::Body;
use crate::route::Place;
use http::header::ALLOW;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use std::sync::Arc;
use tagai_core::realm::{Host, Scheme};
use tagai_server::{Answer, Proof};
use tagai_store::{AccountStore, SessionStore, StoreError};
use tokio::task::JoinError;

impl<C: AccountStore, S: SessionStore> Service<C, S> {
    /// Ends the session that a request is proven with.
    pub(super) async fn log_out(
        &self,
        rules: &Rules<C, S>,
        place: &Place<C, S>,
        request: &Request<RequestBody>,
        info: &ConnectionInfo,
    ) -> Response<Body> {
        if request.method() != Method::POST {
            let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, Message::Status, request.headers());
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return self.proven_to_users(response, rules, place, request, info).await;
        }
        let connection = connection(rules, info, request.headers());
        match users(&place.realms, request.headers(), &connection).await {
            Users::Proven { mutual, user, proof, .. } => {
                // Apart: it is done to its end, though the client may be gone before.
                let (mutual, fields) = (mutual.clone(), request.headers().clone());
                let endings = Arc::clone(&self.endings);
                let ended = tokio::spawn(async move {
                    let ended = mutual.log_out(&fields, &connection).await;
                    if ended.is_ok() {
                        endings.add_session(user.session());
                    }
                    ended
                });
                end(ended.await, request.headers(), proof)
            }
            Users::Answer(answer) => super::ask::refused(answer, request.headers()),
            Users::Guest(Some(invitation)) => {
                super::ask::page(Answer::from_invitation(&invitation), Message::LogIn, request.headers())
            }
            Users::Guest(None) => self.misdirected(StatusCode::NOT_FOUND, request),
        }
    }

    /// The keys that assertions are checked with.
    pub(super) async fn keys(
        &self,
        rules: &Rules<C, S>,
        place: &Place<C, S>,
        request: &Request<RequestBody>,
        info: &ConnectionInfo,
    ) -> Response<Body> {
        // Whoever sits on the way could put other keys in their place.
        let safe = place.origin.scheme() == Scheme::Https || is_local(place.origin.host());
        let Some(signer) = rules.signer.as_ref().filter(|_| safe) else {
            return self.misdirected(StatusCode::NOT_FOUND, request);
        };
        self.proven_to_users(jwks_response(signer, request.method()), rules, place, request, info).await
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::V4(address) => address.is_loopback(),
        Host::V6(address) => address.is_loopback(),
    }
}

fn end(ended: Result<Result<(), StoreError>, JoinError>, fields: &HeaderMap, proof: Proof) -> Response<Body> {
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "a session could not be ended");
        answer(StatusCode::INTERNAL_SERVER_ERROR, Message::Status, fields)
    };
    let mut response = match ended {
        Ok(Ok(())) => answer(StatusCode::OK, Message::LoggedOut, fields),
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&error),
    };
    response.headers_mut().insert(proof.name, proof.value);
    response
}
