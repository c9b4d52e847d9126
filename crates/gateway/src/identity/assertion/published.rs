//! Where applications find the keys.

use super::Signer;
use crate::proxy::Body;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Response, StatusCode};

/// The path of the JWK set.
pub const JWKS_PATH: &str = "/.well-known/tagai/jwks.json";

/// How long an application may keep the set, in seconds. Libraries ask again at once for a `kid` that they do not know.
pub const JWKS_MAX_AGE: u32 = 300;

/// The answer to a request for [`JWKS_PATH`]: the set to GET and HEAD, and 405 to others. It holds public keys alone and is for everybody.
#[must_use]
pub fn jwks_response(signer: &Signer, method: &Method) -> Response<Body> {
    if *method != Method::GET && *method != Method::HEAD {
        let mut response = Response::new(Body::default());
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let mut response = Response::new(Body::full(signer.jwks()));
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(age) = HeaderValue::try_from(format!("public, max-age={JWKS_MAX_AGE}")) {
        fields.insert(CACHE_CONTROL, age);
    }
    response
}
