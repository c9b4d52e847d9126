//! When a request's body may go out, and to whom.
//!
//! Until a server has proven itself it may be anybody (RFC 8120 §4.5, §17.5). The table is in the crate's documentation.

use super::Demand;
use crate::body::Body;
use tagai_core::grammar::parse_credentials;
use tagai_core::message::Field;

/// What a request of a sequence says to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing of this protocol.
    Normal,
    /// req-KEX-C1. An honest server answers 401-KEX-S1 and has no use for a body.
    Exchange,
    /// req-VFY-C of a session that was proven before.
    Kept,
    /// req-VFY-C of the session that this sequence made.
    Fresh,
}

impl Stage {
    /// `computed` says whether arithmetic led to it: a kept session needs none.
    pub(crate) fn of(field: Option<&Field>, computed: bool) -> Self {
        let Some(field) = field else { return Self::Normal };
        let is_proof = parse_credentials(field.value.as_bytes())
            .is_ok_and(|credentials| credentials.params().get("vkc").is_some());
        match (is_proof, computed) {
            (false, _) => Self::Exchange,
            (true, false) => Self::Kept,
            (true, true) => Self::Fresh,
        }
    }
}

/// Whether a body is held back, and what lets it go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// It goes with the request.
    No,
    /// Any 100 (Continue) lets it go, or the time for one is over.
    Asked,
    /// Any 100 (Continue) lets it go. Silence does not.
    Continue,
    /// The server's proof lets it go, and nothing else does.
    Proof,
}

/// What the decision is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) stage: Stage,
    pub(super) body: &'a Body,
    pub(super) demand: Demand,
    /// The peer of this connection is the one that has proven itself: in an earlier request over this connection, or, by its
    /// certificate, in the session that is used.
    pub(super) peer_proven: bool,
    /// The body went to this server in this sequence already: there is nothing left to keep from it.
    pub(super) sent_before: bool,
    /// Interim responses can be seen: not over HTTP/2.
    pub(super) http1: bool,
}

impl Case<'_> {
    pub(super) fn hold(self) -> Hold {
        let Self { stage, body, demand, peer_proven, sent_before, http1 } = self;
        if body.is_empty() || body.is_eager() {
            return Hold::No;
        }
        let strict = demand == Demand::Always && !peer_proven;
        match stage {
            _ if body.is_small() && sent_before => Hold::No,
            _ if strict => Hold::Proof,
            Stage::Exchange => Hold::Proof,
            Stage::Normal | Stage::Kept | Stage::Fresh
                if body.is_small() && (stage == Stage::Normal || peer_proven) =>
            {
                Hold::No
            }
            Stage::Normal => Hold::Asked,
            Stage::Kept | Stage::Fresh if peer_proven => Hold::Asked,
            // Nothing would let it go.
            Stage::Kept | Stage::Fresh if body.is_small() && !http1 => Hold::No,
            Stage::Kept | Stage::Fresh => Hold::Continue,
        }
    }
}

/// Whether a request needs HTTP/1.1, because its body waits for interim responses that hyper does not show of HTTP/2.
pub(super) fn needs_http1(body: &Body, demand: Demand) -> bool {
    !body.is_empty() && !body.is_eager() && (!body.is_small() || demand == Demand::Always)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;

    fn hold(stage: Stage, body: &Body, demand: Demand, peer_proven: bool, sent_before: bool) -> Hold {
        Case { stage, body, demand, peer_proven, sent_before, http1: true }.hold()
    }

    #[test]
    fn who_gets_a_body() {
        let small = Body::from("small");
        let large = Body::stream(Full::new(bytes::Bytes::from_static(b"a stream")));
        let expected = Demand::Expected;
        for (stage, body, peer_proven, sent_before, decision) in [
            (Stage::Normal, &small, false, false, Hold::No),
            (Stage::Normal, &large, false, false, Hold::Asked),
            (Stage::Exchange, &small, false, false, Hold::Proof),
            (Stage::Exchange, &small, false, true, Hold::No),
            (Stage::Exchange, &large, false, false, Hold::Proof),
            (Stage::Kept, &small, true, false, Hold::No),
            (Stage::Kept, &small, false, false, Hold::Continue),
            (Stage::Kept, &large, true, false, Hold::Asked),
            (Stage::Kept, &large, false, false, Hold::Continue),
            (Stage::Fresh, &small, false, true, Hold::No),
            (Stage::Fresh, &small, false, false, Hold::Continue),
            (Stage::Fresh, &large, false, false, Hold::Continue),
        ] {
            let found = hold(stage, body, expected, peer_proven, sent_before);
            assert_eq!(found, decision, "{stage:?}, small: {}, {peer_proven}, {sent_before}", body.is_small());
        }
    }

    #[test]
    fn where_proof_is_required_only_proof_opens() {
        let small = Body::from("small");
        for stage in [Stage::Normal, Stage::Exchange, Stage::Kept, Stage::Fresh] {
            assert_eq!(hold(stage, &small, Demand::Always, false, false), Hold::Proof, "{stage:?}");
            assert_eq!(hold(stage, &Body::from("no secret").eager(), Demand::Always, false, false), Hold::No);
            assert_eq!(hold(stage, &Body::empty(), Demand::Always, false, false), Hold::No);
        }
        assert_eq!(hold(Stage::Kept, &small, Demand::Always, true, false), Hold::No);
    }
}
