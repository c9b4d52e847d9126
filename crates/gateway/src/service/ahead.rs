//! The server's proof, ahead of the body: in the interim response if there is one, else in the final one (RFC 8120 §4.5).

use crate::listener::{ConnectionInfo, Interim};
use crate::proxy::Body;
use http::header::EXPECT;
use http::{HeaderMap, Response};
use tagai_server::Proof;

/// A proof on its way. It is made before the body of the request is asked for.
pub(super) struct Ahead<'a> {
    proof: Proof,
    interim: Option<&'a Interim>,
}

impl<'a> Ahead<'a> {
    /// Puts the proof into the interim response, if the request with these fields asks for one.
    pub(super) fn new(proof: Proof, info: &'a ConnectionInfo, fields: &HeaderMap) -> Self {
        let interim = info.interim.as_ref().filter(|_| fields.contains_key(EXPECT));
        let interim = interim.filter(|interim| interim.arm(&proof.name, &proof.value));
        Self { proof, interim }
    }

    /// Puts the proof into the final response, if there was no other.
    pub(super) fn settle(self, response: &mut Response<Body>) {
        if !self.interim.is_some_and(Interim::settle) {
            response.headers_mut().insert(self.proof.name, self.proof.value);
        }
    }
}
