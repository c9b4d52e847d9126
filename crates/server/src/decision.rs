//! What becomes of a request.

use crate::user::AuthenticatedUser;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tagai_core::message::Field;
use tagai_core::server::Invitation;

/// What becomes of a request.
#[derive(Debug)]
pub enum Decision {
    /// Both ends are proven: serve the request, and send the proof with the response.
    Proven {
        /// Who sent it.
        user: AuthenticatedUser,
        /// The server's own proof, for the response.
        proof: Proof,
    },
    /// The request has no credentials for this realm: answer with [`Answer::from_invitation`], or serve it as a guest's.
    Guest(Invitation),
    /// Answer with this, and with nothing else.
    Answer(Answer),
}

/// The field `Authentication-Info` with the server's proof (RFC 8120 §4.5).
///
/// It belongs into the one response to the request that it was made for, ahead of the body: into the 100 (Continue) response if
/// there is one, else into the final one, which must not be 401.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The field's name.
    pub name: HeaderName,
    /// The field's value.
    pub value: HeaderValue,
}

/// A response without content of the application: status and fields.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The fields.
    pub fields: HeaderMap,
}

impl Answer {
    /// 401-INIT (or 407): asks for a login that was not tried.
    #[must_use]
    pub fn from_invitation(invitation: &Invitation) -> Self {
        let reply = invitation.reply();
        Self::new(reply.status, &[reply.field])
    }

    pub(crate) fn new(status: u16, fields: &[Field]) -> Self {
        let mut answer = Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED),
            fields: HeaderMap::new(),
        };
        for field in fields {
            answer.add(field);
        }
        // What was said to one client at one moment is of no use to anybody else.
        answer.fields.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }

    pub(crate) fn add(&mut self, field: &Field) {
        if let Some((name, value)) = header(field) {
            self.fields.append(name, value);
        }
    }
}

/// A field as the `http` crate has it. The core writes nothing that could not stand in a field.
pub(crate) fn header(field: &Field) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
    Some((name, HeaderValue::from_bytes(field.value.as_bytes()).ok()?))
}
