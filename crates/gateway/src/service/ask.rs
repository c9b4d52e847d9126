//! What somebody is told who is not let through: how to prove themselves, or why that did not help.

use super::{Scene, Service, random_id};
use crate::answers::{Message, answer};
use crate::listener::RequestBody;
use crate::proof::{REFUSAL, Refusal};
use crate::proxy::Body;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use tagai_core::server::Invitation;
use tagai_server::Answer;
use tagai_store::principal::Method;
use tagai_store::{AccountStore, SessionStore};

const OPTIONAL_WWW_AUTHENTICATE: HeaderName = HeaderName::from_static("optional-www-authenticate");

impl<C: AccountStore, S: SessionStore> Service<C, S> {
    /// Asks somebody for proof: 401 with the challenges of a realm, else 403, since nothing that HTTP could ask for would do.
    pub(super) fn ask(
        &self,
        scene: &Scene<'_, C, S>,
        request: &Request<RequestBody>,
        invitation: Option<Invitation>,
        refused: Option<Refusal>,
    ) -> Response<Body> {
        let gate = &scene.entry.gate;
        let challenge = gate.password.as_ref().and_then(|password| password.challenge(&scene.connection));
        if invitation.is_none() && challenge.is_none() {
            let Some(refusal) = refused else {
                // Nothing was shown: that is how everybody begins, and no line for the log, which strangers could fill.
                let Refusal { code, .. } = gate.required();
                self.metrics.refused(code);
                let mut response = answer(StatusCode::FORBIDDEN, Message::Required(code), request.headers());
                response.headers_mut().insert(REFUSAL, HeaderValue::from_static(code));
                return response;
            };
            return self.refuse(scene, request, &refusal, None, None);
        }
        if let Some(refusal) = refused {
            // It may be that of somebody who then logs in; but whoever wonders finds it here.
            let id = random_id();
            self.journal.refused(&id, &scene.entry.id, scene.connection.address, None, None, &refusal);
        }
        let mut response = match invitation {
            Some(invitation) => page(Answer::from_invitation(&invitation), Message::LogIn, request.headers()),
            None => answer(StatusCode::UNAUTHORIZED, Message::Password, request.headers()),
        };
        // The stronger one stands first; a client takes the first that it knows (RFC 9110 §11.6.1).
        response.headers_mut().extend(challenge.map(|challenge| (WWW_AUTHENTICATE, challenge)));
        response
    }

    /// Refuses somebody: a code and an id for the wire, and the whole reason for the log.
    pub(super) fn refuse(
        &self,
        scene: &Scene<'_, C, S>,
        request: &Request<RequestBody>,
        refusal: &Refusal,
        name: Option<&str>,
        method: Option<Method>,
    ) -> Response<Body> {
        let id = random_id();
        self.journal.refused(&id, &scene.entry.id, scene.connection.address, name, method, refusal);
        let mut response =
            answer(refusal.status(), Message::Forbidden { code: refusal.code, id: &id }, request.headers());
        refusal.mark(&mut response, &id);
        response
    }
}

/// What was refused by a realm, with a page for people.
pub(super) fn refused(refused: Answer, fields: &HeaderMap) -> Response<Body> {
    page(refused, Message::Refused, fields)
}

pub(super) fn page(what: Answer, message: Message<'_>, fields: &HeaderMap) -> Response<Body> {
    let mut response = answer(what.status, message, fields);
    response.headers_mut().extend(what.fields);
    response
}

/// A guest's response says that one could log in (RFC 8053 §3). A 401 of the application's own would contradict it.
pub(super) fn invite(response: &mut Response<Body>, invitation: &Invitation) {
    if response.status() != StatusCode::UNAUTHORIZED
        && let Some(field) = invitation.optional_field()
        && let Ok(value) = HeaderValue::try_from(field.value)
    {
        response.headers_mut().append(OPTIONAL_WWW_AUTHENTICATE, value);
    }
}

/// Removes what a user has shown to the gateway and to nobody else.
pub(super) fn hide_password(fields: &mut HeaderMap) {
    if crate::proof::has_scheme(fields, "basic") {
        fields.remove(AUTHORIZATION);
    }
}
