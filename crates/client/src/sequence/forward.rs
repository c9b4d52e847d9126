//! Requests in absolute form, through a proxy that may ask for a login of its own.
//!
//! Two sequences run in one: what the proxy says is judged first, and what is left of it is the server's answer.

use super::exchange::{Form, Prepared, Sent};
use super::rules::{Case, Hold, Stage, needs_http1};
use super::{MAX_REQUESTS, Run, UserRequest};
use crate::error::Error;
use crate::proxy::{Hop, Judged, asks};
use crate::wire::{Connection, Need, Route};
use http::Response;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use std::time::Duration;
use tagai_core::client::Sequence;
use tagai_core::validation::Channel;

/// How much of an answer that nobody will see is read for the sake of its connection, and for how long.
const DISCARD_OCTETS: usize = 65_536;
const DISCARD_TIME: Duration = Duration::from_secs(2);
/// How long a connection may take to say that it is ready for another request.
const READY_WITHIN: Duration = Duration::from_millis(500);

impl Run<'_> {
    /// Sends the request in hand until the proxy has nothing more to ask. The server sees it once.
    pub(super) async fn send_through(
        &mut self,
        hop: &Hop,
        route: &Route,
        mut connection: Connection,
        mut sequence: Sequence,
        computed: bool,
    ) -> Result<(Connection, Stage, Sent), Error> {
        let UserRequest { url, method, headers, body, bound, demand } = *self.request;
        // The same in each round, as the number of the proof is.
        let made = bound.and_then(|bound| bound.body(&mut sequence));
        let body = made.as_ref().unwrap_or(body);
        let need = Need { http1: needs_http1(body, demand), fresh: false };
        let mut visit = hop.visit(&url.to_string(), &channel(&connection))?;
        for _ in 0..MAX_REQUESTS {
            let (by, hop_stage, hop_field) = visit.step(&channel(&connection)).await?;
            if !body.is_whole() {
                return Err(Error::BodyGone(Box::new(hop.origin.clone())));
            }
            // The same in each round: no server has seen it before the last.
            let field = sequence.field();
            let stage = Stage::of(field.as_ref(), computed);
            let case = Case { stage, body, demand, peer_proven: false, sent_before: self.sent_before, http1: true };
            let hold = match hop_stage {
                // The proxy answers a key exchange itself, and has no use for a body.
                Stage::Exchange if !body.is_empty() && !body.is_eager() => Hold::Proof,
                _ => case.hold(),
            };
            let fields = field.into_iter().chain(hop_field);
            let prepared = Prepared::new((url, method, headers, body), fields, hold, Form::Absolute)?;
            let around = (url, body, &self.inner.timeouts);
            let sent = prepared.send(&mut connection, (sequence, Some(by)), around, Some(&hop.origin)).await?;
            self.sent_before |= hold == Hold::No && !matches!(sent, Sent::Unwritten(_));
            let (same, by, response, gate) = match sent {
                Sent::Response { sequence, hop: Some(by), response, gate } => (sequence, by, response, gate),
                other => return Ok((connection, stage, other)),
            };
            sequence = same;
            let (head, incoming) = response.into_parts();
            let (rest, drained) = if asks(&head) { (None, drain(incoming).await) } else { (Some(incoming), false) };
            match visit.judge((by, hop_stage), &head, &channel(&connection), rest).await? {
                Judged::Done(Some(incoming), proof) => {
                    self.way = Some(proof);
                    let response = Response::from_parts(head, incoming);
                    return Ok((connection, stage, Sent::Response { sequence, hop: None, response, gate }));
                }
                Judged::Done(None, proof) => return Err(visit.refused(head.status, &proof)),
                Judged::Again => {
                    let reusable = drained && gate.0.is_finished();
                    drop(gate);
                    if !(reusable && is_ready(&mut connection).await) {
                        drop(connection);
                        connection = self.inner.pool.checkout(route, need).await?;
                    }
                }
            }
        }
        Err(Error::Internal("a login to a proxy had more steps than there are"))
    }
}

/// The channel of the proxy.
fn channel(connection: &Connection) -> Channel {
    connection.facts.hop_channel.clone().unwrap_or(Channel::Plain)
}

/// Reads what is left of an answer; whether that was all of it.
async fn drain(incoming: Incoming) -> bool {
    let rest = Limited::new(incoming, DISCARD_OCTETS).collect();
    tokio::time::timeout(DISCARD_TIME, rest).await.is_ok_and(|rest| rest.is_ok())
}

async fn is_ready(connection: &mut Connection) -> bool {
    tokio::time::timeout(READY_WITHIN, connection.ready()).await == Ok(true)
}
