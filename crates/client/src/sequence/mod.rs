//! The core's client over real connections: one request of the user from its first HTTP request to its outcome.

mod exchange;
mod forward;
mod rules;

pub(crate) use exchange::judged;
pub(crate) use rules::Stage;

use crate::body::{Body, Bound, Content};
use crate::client::Inner;
use crate::error::{Error, LoginRequired, NetworkFault, Unproven};
use crate::prompt::{Ask, MAX_ATTEMPTS};
use crate::reply::{Proof, Reply};
use crate::url::Url;
use crate::wire::{Connection, Facts, Lease, Need, Route};
use exchange::{Form, Prepared, Sent};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use http::header::WWW_AUTHENTICATE;
use http::response::Parts;
use http::{HeaderMap, Method};
use rules::{Case, Hold};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tagai_core::client::{AuthRequired, Fatal, Next, Outcome, Presentation, Sequence, Step, Target, Work};
use tagai_core::message::SCHEME;
use tokio::sync::MutexGuard;

/// How often a request begins anew because of what became of a connection.
const MAX_RESTARTS: u32 = 3;
/// More HTTP requests than any honest sequence has: three prompts of two, and what stands before them.
const MAX_REQUESTS: u32 = 16;

/// When an answer must be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    /// An unproven answer is taken wherever RFC 8120 §10.1 allows one.
    Never,
    /// It has to be proven where the user is logged in.
    Expected,
    /// It has to be proven.
    Always,
}

/// One request to one server.
#[derive(Clone, Copy)]
pub(crate) struct UserRequest<'a> {
    pub(crate) url: &'a Url,
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Body,
    /// What takes the body's place in a request that proves the user.
    pub(crate) bound: Option<&'a Bound>,
    pub(crate) demand: Demand,
}

/// Everything of a response that the core does not read: it comes out of an [`Outcome`] or not at all.
type Sealed = (Parts, Content, Arc<Facts>);

enum Attempt {
    Done(Box<Reply>),
    /// Begin anew: with a new sequence, a new nonce number, and a connection that was not used before if `fresh`. `why` is the
    /// error if this was the last attempt.
    Again {
        fresh: bool,
        why: Error,
    },
}

/// Runs sequences until one comes to its end.
pub(crate) async fn run(inner: &Inner, request: &UserRequest<'_>) -> Result<Reply, Error> {
    let (mut fresh, mut left) = (false, MAX_RESTARTS);
    loop {
        let logins_made = inner.logins_made.load(Ordering::Acquire);
        let mut run = Run {
            inner,
            request,
            logins_made,
            asked: 0,
            prompting: None,
            sent_before: false,
            last: left == 0,
            way: None,
        };
        match run.sequence(fresh).await? {
            Attempt::Done(reply) => return Ok(*reply),
            Attempt::Again { why, .. } if left == 0 => return Err(why),
            Attempt::Again { .. } if !request.body.is_whole() => {
                return Err(Error::BodyGone(Box::new(request.url.origin().clone())));
            }
            Attempt::Again { fresh: next, .. } => fresh |= next,
        }
        left -= 1;
    }
}

/// One sequence.
struct Run<'a> {
    inner: &'a Inner,
    request: &'a UserRequest<'a>,
    /// How many logins the client had made when this began.
    logins_made: u64,
    /// There is no further attempt behind this one.
    last: bool,
    /// How often the user was asked.
    asked: u32,
    /// Keeps others from asking until this login is through.
    prompting: Option<MutexGuard<'a, ()>>,
    sent_before: bool,
    /// What was proven of the proxy, in the last answer that came through it.
    way: Option<Proof>,
}

impl Run<'_> {
    async fn sequence(&mut self, fresh: bool) -> Result<Attempt, Error> {
        let UserRequest { url, body, demand, .. } = *self.request;
        let origin = url.origin();
        let need = Need { http1: rules::needs_http1(body, demand), fresh };
        let fatal = |fatal| Error::fatal(origin, fatal);
        let route = self.inner.route(url);

        let mut connection = self.inner.pool.checkout(&route, need).await?;
        let channel = Some(connection.facts.channel.clone());
        let target = Target { origin: origin.clone(), path: url.target().to_owned(), channel };
        let begun = crate::lock(&self.inner.core).begin(&target, self.inner.clock.now());
        let mut next = begun.map_err(|mismatch| fatal(mismatch.into()))?;
        let mut unwritten = 0;
        for number in 0..MAX_REQUESTS {
            let first = number == 0;
            let (mut sequence, computed) = match next {
                Next::Send(sequence) => (sequence, false),
                Next::Compute(work) => (compute(work).await?.map_err(fatal)?, true),
            };
            if !body.is_whole() {
                return Err(Error::BodyGone(Box::new(origin.clone())));
            }
            // Until a request is written, it can move to another connection.
            let (stage, sent) = loop {
                match sequence.send_over(&connection.facts.channel) {
                    Ok(()) => {}
                    // A kept session belongs to its certificate; here is another one.
                    Err(Fatal::ChannelChanged) if !computed => {
                        return Ok(Attempt::Again { fresh: false, why: fatal(Fatal::ChannelChanged) });
                    }
                    Err(error) => return Err(fatal(error)),
                }
                let (same, stage, sent) = self.send_on(&route, connection, sequence, computed).await?;
                connection = same;
                match sent {
                    Sent::Unwritten(_) if first => {
                        let why = self.unwritten(&connection).await;
                        return Ok(Attempt::Again { fresh: true, why });
                    }
                    Sent::Unwritten(same) => {
                        sequence = same;
                        if unwritten >= MAX_RESTARTS {
                            return Err(self.unwritten(&connection).await);
                        }
                        unwritten += 1;
                        connection = self.inner.pool.checkout(&route, Need { fresh: true, ..need }).await?;
                    }
                    sent => break (stage, sent),
                }
            };
            let (sequence, response, gate) = match sent {
                Sent::Response { sequence, response, gate, .. } => (sequence, response, gate),
                Sent::Lost { error, body_touched } => {
                    // A connection that waited may have been ended by the server just now. What is safe is asked again.
                    let again = first && connection.reused && self.request.method.is_safe() && !body_touched;
                    return if again { Ok(Attempt::Again { fresh: true, why: error }) } else { Err(error) };
                }
                Sent::Unwritten(_) => return Err(Error::Internal("a request was left unwritten")),
            };
            let facts = Arc::clone(&connection.facts);
            let lease = Lease::new(&self.inner.pool, &route, connection, gate);
            let (head, incoming) = response.into_parts();
            let mut content = Content::new(incoming, lease, self.inner.timeouts.body_idle, origin.clone());
            if asks_for_login(&head) {
                // Nobody will see it, and its connection is needed next.
                content = content.discarded().await;
            }
            let judged = judged(&head, facts.channel.clone(), (head.clone(), content, Arc::clone(&facts)));
            let step = sequence.receive(&mut crate::lock(&self.inner.core), judged, self.inner.clock.now());
            next = match step.map_err(fatal)? {
                Step::Continue(next) => next,
                Step::Done(Outcome::AuthSucceed(proven)) => {
                    facts.set_proven();
                    if stage == Stage::Fresh {
                        self.inner.logins_made.fetch_add(1, Ordering::AcqRel);
                    }
                    let proof = Proof::Mutual {
                        user: proven.user().clone(),
                        realm: proven.realm().clone(),
                        server: origin.clone(),
                        session_reused: stage == Stage::Kept,
                    };
                    return Ok(Attempt::Done(Box::new(self.reply(proven.into_body(), proof))));
                }
                Step::Done(Outcome::Unauthenticated(sealed)) => return self.unauthenticated(sealed, stage),
                Step::Done(Outcome::AuthRequired(required)) => match self.login(required).await? {
                    Login::Next(next) => *next,
                    Login::Attempt(attempt) => return Ok(attempt),
                },
            };
            connection = self.inner.pool.checkout(&route, Need { fresh: false, ..need }).await?;
        }
        Err(Error::Internal("a login had more steps than there are"))
    }

    /// Sends the request in hand once, by its way.
    async fn send_on(
        &mut self,
        route: &Route,
        mut connection: Connection,
        sequence: Sequence,
        computed: bool,
    ) -> Result<(Connection, Stage, Sent), Error> {
        if let (Route::Forward(_), Some(hop)) = (route, &self.inner.hop) {
            return self.send_through(hop, route, connection, sequence, computed).await;
        }
        let (stage, sent) = self.send(&mut connection, sequence, computed).await?;
        Ok((connection, stage, sent))
    }

    /// Sends the request in hand once, to its server.
    async fn send(
        &mut self,
        connection: &mut Connection,
        mut sequence: Sequence,
        computed: bool,
    ) -> Result<(Stage, Sent), Error> {
        let UserRequest { url, method, headers, body, bound, demand } = *self.request;
        let made = bound.and_then(|bound| bound.body(&mut sequence));
        let body = made.as_ref().unwrap_or(body);
        let field = sequence.field();
        let stage = Stage::of(field.as_ref(), computed);
        let facts = &connection.facts;
        // A kept session goes only over the certificate that it was proven with: the core sees to that.
        let by_certificate =
            stage == Stage::Kept && matches!(facts.channel, tagai_core::validation::Channel::Certificate(_));
        let peer_proven = facts.is_proven() || by_certificate;
        let http1 = !connection.is_http2();
        let hold = Case { stage, body, demand, peer_proven, sent_before: self.sent_before, http1 }.hold();
        let form = if http1 { Form::Origin } else { Form::Http2 };
        let prepared = Prepared::new((url, method, headers, body), field, hold, form)?;
        let sent = prepared.send(connection, (sequence, None), (url, body, &self.inner.timeouts), None).await?;
        self.sent_before |= hold == Hold::No && !matches!(sent, Sent::Unwritten(_));
        Ok((stage, sent))
    }

    async fn unwritten(&self, connection: &Connection) -> Error {
        if let Some(error) = connection.facts.why_ended().await {
            return Error::network(self.request.url.origin(), error.into());
        }
        let closed =
            io::Error::new(io::ErrorKind::ConnectionAborted, "it ends each connection before a request is sent");
        Error::network(self.request.url.origin(), NetworkFault::Connect(closed))
    }

    fn reply(&self, (head, content, facts): Sealed, proof: Proof) -> Reply {
        let way = self.way.clone().or_else(|| facts.way.clone());
        let url = self.request.url.clone();
        Reply { url, head, content, proof, hops: Vec::new(), facts, way }
    }

    /// An ordinary answer to the first request: whether that is enough.
    fn unauthenticated(&self, sealed: Sealed, stage: Stage) -> Result<Attempt, Error> {
        let status = sealed.0.status.as_u16();
        let origin = self.request.url.origin();
        match (self.request.demand, stage) {
            (Demand::Always, _) => Err(Error::not_proven(origin, Unproven::Required { status })),
            (Demand::Expected, Stage::Exchange | Stage::Kept | Stage::Fresh) => {
                Err(Error::not_proven(origin, Unproven::Expected { status }))
            }
            (Demand::Never, _) | (Demand::Expected, Stage::Normal) => {
                Ok(Attempt::Done(Box::new(self.reply(sealed, Proof::None))))
            }
        }
    }

    /// The server asks for a login: so does this, unless somebody else has just logged in.
    async fn login(&mut self, required: AuthRequired<Sealed>) -> Result<Login, Error> {
        let (presentation, optional) = (required.presentation(), required.is_optional());
        let Some(prompt) = &self.inner.prompt else { return self.no_login(required) };
        // What was given was not the trouble, so asking for it again does not help.
        let elsewhere = self.asked > 0 && required.reason().keeps_credentials();
        if !matches!(presentation, Presentation::Offer(_)) || self.asked >= MAX_ATTEMPTS || elsewhere {
            return self.no_login(required);
        }
        if self.prompting.is_none() {
            self.prompting = Some(self.inner.prompting.lock().await);
            // Somebody else may have logged in while this one waited for its turn.
            if self.inner.logins_made.load(Ordering::Acquire) != self.logins_made && !self.last {
                let why = Error::Internal("other logins came in between all the time");
                return Ok(Login::Attempt(Attempt::Again { fresh: false, why }));
            }
        }
        self.asked += 1;
        let ask = Ask {
            realm: required.realm().clone(),
            origin: self.request.url.origin().clone(),
            reason: required.reason().clone(),
            username_hint: required.username_hint().cloned(),
            attempt: self.asked,
            optional,
            proxy: false,
        };
        match prompt.ask(ask).await {
            Some(credential) => {
                let (next, (_, content, _)) = required.supply(credential);
                content.discard().await;
                Ok(Login::Next(Box::new(next)))
            }
            None => {
                self.asked -= 1;
                self.no_login(required)
            }
        }
    }

    /// Nobody logs in: a guest's view, or nothing.
    fn no_login(&self, required: AuthRequired<Sealed>) -> Result<Login, Error> {
        if required.is_optional() && self.request.demand != Demand::Always && self.asked == 0 {
            let reply = self.reply(required.into_body(), Proof::None);
            return Ok(Login::Attempt(Attempt::Done(Box::new(reply))));
        }
        let presentation = required.presentation();
        Err(Error::Login(Box::new(LoginRequired {
            origin: self.request.url.origin().clone(),
            realm: required.realm().clone(),
            reason: required.reason().clone(),
            attempts: self.asked,
            no_auth: presentation == Presentation::DoNotAsk,
            proxy: false,
            location: match presentation {
                Presentation::SeeOther(location) => Some(location),
                _ => None,
            },
        })))
    }
}

enum Login {
    Next(Box<Next>),
    Attempt(Attempt),
}

/// Whether a response may be one of the protocol's own, whose body is for nobody.
fn asks_for_login(head: &Parts) -> bool {
    let names_scheme = |octets: &[u8]| {
        let scheme = SCHEME.as_bytes();
        octets.windows(scheme.len()).any(|window| window.eq_ignore_ascii_case(scheme))
    };
    head.status.is_client_error()
        && head.headers.get_all(WWW_AUTHENTICATE).iter().any(|value| names_scheme(value.as_bytes()))
}

/// Does the arithmetic where it keeps nobody waiting.
pub(crate) async fn compute(work: Work) -> Result<Result<Sequence, Fatal>, Error> {
    let run = move || work.run(&mut UnwrapErr(SysRng));
    // The system's random generator fails by a panic, which ends that thread's work alone.
    tokio::task::spawn_blocking(run)
        .await
        .map_err(|_| Error::Internal("the random generator or the arithmetic failed"))
}
