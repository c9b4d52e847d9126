//! Why somebody who is, or is not, proven is not let through: a code for the wire, and the whole reason for the log.

use http::{HeaderName, HeaderValue, Response, StatusCode};

/// Tells programs what a page tells people: `code; id="..."`. The code is one of a small set and says nothing that the client
/// did not know; the log has the rest under the id.
pub(crate) const REFUSAL: HeaderName = HeaderName::from_static("tagai-refusal");

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For the wire.
    pub code: &'static str,
    /// For the log alone.
    pub reason: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// The status of a response with it: 403, since another login would not help; or 503 if the gateway itself is at fault.
    pub(crate) fn status(&self) -> StatusCode {
        match self.code {
            "unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            "identity-too-large" => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "identity-unavailable" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::FORBIDDEN,
        }
    }

    /// Marks a response with code and id.
    pub(crate) fn mark<B>(&self, response: &mut Response<B>, id: &str) {
        if let Ok(value) = HeaderValue::try_from(format!("{}; id=\"{id}\"", self.code)) {
            response.headers_mut().insert(REFUSAL, value);
        }
    }
}
