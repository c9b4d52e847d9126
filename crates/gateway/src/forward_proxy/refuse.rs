//! What a proven user is told who does not get what is wanted, and what is written down.

use super::service::{ForwardProxy, ForwardRules};
use super::settings::Denied;
use crate::answers::{Message, answer, random_id};
use crate::listener::ConnectionInfo;
use crate::proof::Refusal;
use crate::proxy::{Body, ProxyError};
use http::header::ALLOW;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use std::net::IpAddr;
use tagai_server::AuthenticatedUser;
use tagai_store::principal::Method as Proven;
use tagai_store::{CredentialStore, SessionStore};

/// Why a proven user does not get what is wanted.
pub(super) enum Refused {
    /// By the rules: 403.
    Denied(Denied),
    /// The request itself.
    Bad(StatusCode),
    /// The server.
    Failed(ProxyError),
}

impl<C: CredentialStore, S: SessionStore> ForwardProxy<C, S> {
    pub(super) fn refuse(
        &self,
        refused: Refused,
        (rules, user, wanted): (&ForwardRules<C, S>, &AuthenticatedUser, &Authority),
        info: &ConnectionInfo,
        fields: &HeaderMap,
    ) -> Response<Body> {
        match refused {
            Refused::Bad(status) => {
                self.count("bad-request");
                let mut response = answer(status, Message::Status, fields);
                if status == StatusCode::METHOD_NOT_ALLOWED {
                    response
                        .headers_mut()
                        .insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE, OPTIONS"));
                }
                response
            }
            Refused::Denied(denied) => {
                self.count("denied");
                let id = self.note(&denied, &rules.name, user, wanted, info.peer.ip());
                let refusal = &denied.refusal;
                let mut response = answer(refusal.status(), Message::ProxyRefused(refusal.code, &id), fields);
                refusal.mark(&mut response, &id);
                response
            }
            Refused::Failed(error) if error.is_clients() => {
                self.count(if matches!(error, ProxyError::Over(..)) { "denied" } else { "bad-request" });
                tracing::debug!(peer = %info.peer, %wanted, %error, "request failed");
                let mut response = answer(error.status(), Message::Status, fields);
                error.mark(&mut response);
                response
            }
            Refused::Failed(error) => {
                let id = random_id();
                self.count("failed");
                tracing::info!(id, peer = %info.peer, %wanted, %error, "a server could not be reached");
                answer(error.status(), Message::ProxyFailed(&id), fields)
            }
        }
    }

    /// Writes down that a user may not connect somewhere; gives the id under which it stands there.
    pub(super) fn note(
        &self,
        denied: &Denied,
        proxy: &str,
        user: &AuthenticatedUser,
        wanted: &impl std::fmt::Display,
        source: IpAddr,
    ) -> String {
        let id = random_id();
        let Denied { refusal: Refusal { code, reason }, principal } = denied;
        let principal = principal.as_deref().unwrap_or(user.name().as_str());
        match &self.journal {
            Some(journal) => {
                let refusal = Refusal::new(code, format!("{reason} (to {wanted})"));
                journal.refused(&id, proxy, source.to_canonical(), Some(principal), Some(Proven::Mutual), &refusal);
            }
            None => tracing::warn!(id, code, reason, principal, %source, %wanted, "a user may not connect there"),
        }
        id
    }
}
