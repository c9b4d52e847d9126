//! Who is proven to have sent a request.

use std::ops::Deref;
use std::sync::Arc;
use tagai_core::message::Sid;
use tagai_core::server as core;

/// The user whose knowledge of the password was proven by this very request.
///
/// [`crate::MutualLayer`] puts it into the extensions of requests that were proven, and nothing else can make one: a handler that
/// has one was not reached by anybody else. With the feature `axum` it is an extractor; a request without a user is answered
/// 401 then, as happens on a route where login is optional or behind no layer at all.
#[derive(Debug, Clone)]
pub struct AuthenticatedUser(Arc<(core::AuthenticatedUser, Sid)>);

impl AuthenticatedUser {
    pub(crate) fn new(user: core::AuthenticatedUser, session: Sid) -> Self {
        Self(Arc::new((user, session)))
    }

    /// The session that the request was proven in, for whoever ends what was begun in it when the user logs out.
    #[must_use]
    pub fn session(&self) -> &Sid {
        &self.0.1
    }
}

impl Deref for AuthenticatedUser {
    type Target = core::AuthenticatedUser;

    fn deref(&self) -> &Self::Target {
        &self.0.0
    }
}

/// A handler wants an [`AuthenticatedUser`], and the request has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this request has no authenticated user")]
pub struct NotAuthenticated;

#[cfg(feature = "axum")]
mod extractor {
    use super::{AuthenticatedUser, NotAuthenticated};
    use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
    use axum_core::response::{IntoResponse, Response};
    use http::StatusCode;
    use http::request::Parts;
    use std::convert::Infallible;

    impl<S: Sync> FromRequestParts<S> for AuthenticatedUser {
        type Rejection = NotAuthenticated;

        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
            parts.extensions.get().cloned().ok_or(NotAuthenticated)
        }
    }

    impl<S: Sync> OptionalFromRequestParts<S> for AuthenticatedUser {
        type Rejection = Infallible;

        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
            Ok(parts.extensions.get().cloned())
        }
    }

    impl IntoResponse for NotAuthenticated {
        fn into_response(self) -> Response {
            (StatusCode::UNAUTHORIZED, self.to_string()).into_response()
        }
    }
}
