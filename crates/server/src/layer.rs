//! The tower layer.

use crate::connection::Connection;
use crate::decision::{Answer, Decision, Proof, header};
use crate::mutual::Mutual;
use http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, Request, Response, StatusCode};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tagai_core::control::AuthControl;
use tagai_core::message::Field;
use tagai_store::{CredentialStore, SessionStore};
use tower_layer::Layer;
use tower_service::Service;

/// Puts a realm in front of a service.
///
/// A request that is proven reaches the service with an [`crate::AuthenticatedUser`] in its extensions and without its
/// credentials, and the response gets the server's proof. A response of the service that is 401 becomes 403: to a user who *is*
/// authenticated, and has the server's proof, it can only mean that. All others are answered 401, or, where login is
/// [`optional`](MutualLayer::optional), served as a guest's with an invitation to log in (RFC 8053 §3).
#[derive(Debug)]
pub struct MutualLayer<C, S> {
    mutual: Mutual<C, S>,
    optional: bool,
    control: Option<Field>,
}

impl<C, S> Clone for MutualLayer<C, S> {
    fn clone(&self) -> Self {
        let Self { mutual, optional, control } = self;
        Self { mutual: mutual.clone(), optional: *optional, control: control.clone() }
    }
}

impl<C: CredentialStore, S: SessionStore> MutualLayer<C, S> {
    /// Requires a login in this realm.
    #[must_use]
    pub const fn new(mutual: Mutual<C, S>) -> Self {
        Self { mutual, optional: false, control: None }
    }

    /// Lets guests through.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// Sends the server's wishes with each response (RFC 8053 §4).
    #[must_use]
    pub fn control(self, control: &AuthControl) -> Self {
        let control = control.to_field(&self.mutual.config().realm.name);
        Self { control: Some(control), ..self }
    }
}

impl<T, C: CredentialStore, S: SessionStore> Layer<T> for MutualLayer<C, S> {
    type Service = MutualService<T, C, S>;

    fn layer(&self, inner: T) -> Self::Service {
        MutualService { inner, layer: self.clone() }
    }
}

/// A service behind a [`MutualLayer`].
#[derive(Debug)]
pub struct MutualService<T, C, S> {
    inner: T,
    layer: MutualLayer<C, S>,
}

impl<T: Clone, C, S> Clone for MutualService<T, C, S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<T, C, S, B, R> Service<Request<B>> for MutualService<T, C, S>
where
    T: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    T::Future: Send,
    C: CredentialStore,
    S: SessionStore,
    B: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was found ready is the one to be called.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move { layer.serve(request, inner).await })
    }
}

impl<C: CredentialStore, S: SessionStore> MutualLayer<C, S> {
    async fn serve<T, B, R>(self, mut request: Request<B>, mut inner: T) -> Result<Response<R>, T::Error>
    where
        T: Service<Request<B>, Response = Response<R>>,
        R: Default,
    {
        // Whatever came with the request from outside of this layer does not count.
        request.extensions_mut().remove::<crate::AuthenticatedUser>();
        let Some(connection) = request.extensions().get::<Connection>() else {
            return Ok(response(Answer::new(500, &[])));
        };
        match self.mutual.authenticate(request.headers(), connection).await {
            Decision::Proven { user, proof } => {
                request.headers_mut().remove(self.mutual.credentials_field());
                request.extensions_mut().insert(user);
                let mut response = inner.call(request).await?;
                prove(&mut response, proof);
                self.wish(response.headers_mut());
                Ok(response)
            }
            Decision::Guest(invitation) if self.optional => {
                let mut response = inner.call(request).await?;
                only_ours(response.headers_mut());
                // A 401 of the service would contradict the invitation (RFC 8053 §3).
                if response.status() != StatusCode::UNAUTHORIZED
                    && let Some((name, value)) = invitation.optional_field().as_ref().and_then(header)
                {
                    response.headers_mut().append(name, value);
                }
                self.wish(response.headers_mut());
                Ok(response)
            }
            Decision::Guest(invitation) => {
                let mut answer = Answer::from_invitation(&invitation);
                self.wish(&mut answer.fields);
                Ok(response(answer))
            }
            Decision::Answer(mut answer) => {
                self.wish(&mut answer.fields);
                Ok(response(answer))
            }
        }
    }

    fn wish(&self, fields: &mut HeaderMap) {
        if let Some((name, value)) = self.control.as_ref().and_then(header) {
            fields.append(name, value);
        }
    }
}

fn response<R: Default>(answer: Answer) -> Response<R> {
    let mut response = Response::new(R::default());
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.fields;
    response
}

/// Puts the server's proof on a response.
fn prove<R>(response: &mut Response<R>, proof: Proof) {
    if response.status() == StatusCode::UNAUTHORIZED {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    let fields = response.headers_mut();
    only_ours(fields);
    fields.remove(WWW_AUTHENTICATE);
    fields.insert(proof.name, proof.value);
}

/// The service does not speak for this layer.
fn only_ours(fields: &mut HeaderMap<HeaderValue>) {
    for name in ["authentication-info", "optional-www-authenticate", "authentication-control"] {
        fields.remove(HeaderName::from_static(name));
    }
}
