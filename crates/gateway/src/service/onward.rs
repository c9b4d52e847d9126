//! To the application and back.

use super::standing::Standing;
use super::{Scene, Service, ask, random_id};
use crate::answers::{Message, answer};
use crate::listener::RequestBody;
use crate::metrics::KindLabel;
use crate::proof::Admitted;
use crate::proxy::{Body, ForwardContext, ProxyError, forward};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use std::sync::Arc;
use tagai_store::{AccountStore, SessionStore};

impl<C: AccountStore, S: SessionStore> Service<C, S> {
    /// Sends a request to the application; a failure becomes a page.
    pub(super) async fn forward(
        self: &Arc<Self>,
        scene: &Scene<'_, C, S>,
        mut request: Request<RequestBody>,
        identity: &[(HeaderName, HeaderValue)],
        who: Option<&Admitted>,
    ) -> Response<Body> {
        // Clients send a password again to the whole host (RFC 7617 §2.2), so no application of the host gets to see it.
        if scene.place.takes_passwords {
            ask::hide_password(request.headers_mut());
        }
        let accept = accepts_html(request.headers());
        let standing = who.map(|who| Standing::new(scene, request.uri().path(), request.method(), who));
        let over = standing.map(|standing| move |began| self.until_over(&standing, began));
        let context = ForwardContext {
            connection: scene.info,
            authority: scene.authority,
            policy: &scene.entry.policy,
            add: identity,
            trusted: scene.rules.trusted.contains(scene.info.peer.ip()),
            over: over.as_ref().map(|over| over as _),
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
            let mut response = answer(status, Message::Status, accept);
            error.mark(&mut response);
            return response;
        }
        let id = random_id();
        let kind = if status == StatusCode::GATEWAY_TIMEOUT { "timeout" } else { "broken" };
        self.metrics.upstream_failures.get_or_create(&KindLabel { kind }).inc();
        tracing::error!(id, peer = %scene.info.peer, %error, "the application did not answer");
        answer(status, Message::Failure(&id), accept)
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
