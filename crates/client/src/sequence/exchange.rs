//! One HTTP request of a sequence, and its response.

use super::rules::Hold;
use crate::body::{Body, Outgoing};
use crate::builder::Timeouts;
use crate::error::{Error, NetworkFault, Unproven};
use crate::url::Url;
use crate::wire::{Connection, SendError, Shutter};
use http::header::{EXPECT, HOST};
use http::uri::{Authority, PathAndQuery, Scheme as UriScheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use tagai_core::client::Sequence;
use tagai_core::message::Field;
use tagai_core::realm::Origin;
use tagai_core::validation::Channel;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Interim responses that wait to be looked at. Nobody needs more than one 100 (Continue).
const MAX_INTERIM: usize = 4;

/// One HTTP request, ready to be sent.
pub(super) struct Prepared {
    request: Request<Outgoing>,
    gate: Shutter,
    interim: mpsc::Receiver<HeaderMap>,
    hold: Hold,
}

/// What came of it.
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once")]
pub(super) enum Sent {
    Response {
        sequence: Sequence,
        /// The sequence with the proxy, if there is one on the way.
        hop: Option<Sequence>,
        response: Response<Incoming>,
        gate: Shutter,
    },
    /// Not an octet was written.
    Unwritten(Sequence),
    /// The connection ended before there was a response.
    Lost { error: Error, body_touched: bool },
}

/// How a request names what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// HTTP/1.1, to a server.
    Origin,
    /// HTTP/1.1, to a proxy (RFC 9112 §3.2.2).
    Absolute,
    /// HTTP/2.
    Http2,
}

impl Prepared {
    pub(super) fn new(
        (url, method, headers, body): (&Url, &Method, &HeaderMap, &Body),
        fields: impl IntoIterator<Item = Field>,
        hold: Hold,
        form: Form,
    ) -> Result<Self, Error> {
        let broken = |_: http::Error| Error::Internal("the request could not be put together");
        let (outgoing, gate) = body.outgoing(hold != Hold::No);
        let mut request = Request::new(outgoing);
        *request.method_mut() = method.clone();
        let mut headers = headers.clone();
        let target = PathAndQuery::try_from(url.target()).map_err(|error| broken(error.into()))?;
        if form != Form::Origin {
            let mut parts = http::uri::Parts::default();
            parts.scheme = Some(if url.is_https() { UriScheme::HTTPS } else { UriScheme::HTTP });
            parts.authority = Some(Authority::try_from(url.authority()).map_err(|error| broken(error.into()))?);
            parts.path_and_query = Some(target);
            *request.uri_mut() = Uri::from_parts(parts).map_err(|error| broken(error.into()))?;
        } else {
            *request.uri_mut() = Uri::from(target);
        }
        let http2 = form == Form::Http2;
        if !http2 {
            headers.insert(HOST, HeaderValue::try_from(url.authority()).map_err(|error| broken(error.into()))?);
        }
        for field in fields {
            // A realm's name may be beyond ASCII; the field is UTF-8 then (RFC 8120 §4.1).
            let mut value = HeaderValue::from_bytes(field.value.as_bytes()).map_err(|error| broken(error.into()))?;
            value.set_sensitive(true);
            let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|error| broken(error.into()))?;
            headers.insert(name, value);
        }
        if hold != Hold::No && !http2 {
            headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
        }
        *request.headers_mut() = headers;
        let (seen, interim) = mpsc::channel(MAX_INTERIM);
        if !http2 {
            hyper::ext::on_informational(&mut request, move |response| {
                if response.status() == StatusCode::CONTINUE {
                    // Of a flood, the first few are enough.
                    drop(seen.try_send(response.headers().clone()));
                }
            });
        }
        Ok(Self { request, gate: Shutter(gate), interim, hold })
    }

    /// Sends the request over a connection that [`Sequence::send_over`] was told of.
    pub(super) async fn send(
        self,
        connection: &mut Connection,
        (sequence, mut hop): (Sequence, Option<Sequence>),
        (url, body, timeouts): (&Url, &Body, &Timeouts),
        proxy: Option<&Origin>,
    ) -> Result<Sent, Error> {
        let Self { request, gate, mut interim, hold } = self;
        let facts = std::sync::Arc::clone(&connection.facts);
        let peer = proxy.unwrap_or(url.origin());
        let mut answer = connection.send(request);
        let mut sequence = sequence;
        let began = Instant::now();
        let mut refused_at = None;
        let mut listening = true;
        loop {
            let held = gate.0.is_held();
            let deadline = gate.0.last_active() + timeouts.head;
            tokio::select! {
                biased;
                seen = interim.recv(), if listening => {
                    let Some(fields) = seen else { listening = false; continue };
                    let read = sequence.interim(100, fields_of(&fields), facts.channel.clone());
                    sequence = read.map_err(|fatal| Error::fatal(url.origin(), fatal))?;
                    if let (Some(with), Some(channel)) = (hop.take(), &facts.hop_channel) {
                        let read = with.interim(100, fields_of(&fields), channel.clone());
                        hop = Some(read.map_err(|fatal| Error::fatal(peer, fatal))?);
                    }
                    if sequence.server_is_proven() {
                        facts.set_proven();
                        gate.0.open();
                    } else if held {
                        match hold {
                            Hold::No | Hold::Asked | Hold::Continue => gate.0.open(),
                            // The final response may still come without the body, as 401 does from servers that send
                            // 100 (Continue) before they look.
                            Hold::Proof => {
                                refused_at.get_or_insert(Instant::now() + timeouts.expect_continue);
                            }
                        }
                    }
                }
                answer = &mut answer => {
                    return match answer {
                        Ok(response) => Ok(Sent::Response { sequence, hop, response, gate }),
                        Err(SendError::Unwritten) => Ok(Sent::Unwritten(sequence)),
                        Err(SendError::Lost(error)) => {
                            let fault = gate.0.take_error().map_or_else(|| error.into(), NetworkFault::RequestBody);
                            let error = Error::network(peer, fault);
                            Ok(Sent::Lost { error, body_touched: !body.is_whole() })
                        }
                    };
                }
                () = sleep_until(began + timeouts.expect_continue), if held && hold == Hold::Asked => gate.0.open(),
                () = sleep_until(refused_at.unwrap_or(deadline)), if held && refused_at.is_some() => {
                    return Err(Error::not_proven(url.origin(), Unproven::BodyAsked));
                }
                () = sleep_until(deadline) => {
                    // The body may have been moving meanwhile.
                    if gate.0.last_active() + timeouts.head <= Instant::now() {
                        let fault = NetworkFault::Timeout { what: "the response", after: timeouts.head };
                        return Err(Error::network(peer, fault));
                    }
                }
            }
        }
    }
}

/// The fields of a response as the core reads them.
pub(super) fn fields_of(headers: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
}

/// A response as the core judges it.
pub(crate) fn judged<B>(head: &http::response::Parts, channel: Channel, body: B) -> tagai_core::client::Response<B> {
    tagai_core::client::Response::new(head.status.as_u16(), fields_of(&head.headers), channel, body)
}
