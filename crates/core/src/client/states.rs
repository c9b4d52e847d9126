//! The states of a sequence, each a type that knows what it sent and what may answer it (RFC 8120 §10.1, figure 5).
//!
//! A state consumes itself with the response. What its `receive` does not list is fatal.

use super::cache::Client;
use super::fatal::Fatal;
use super::outcome::{Outcome, Proven, Step};
use super::response::{Head, Response};
use super::sequence::{Context, Next};
use super::work::{Known, Work};
use crate::control::{AuthControl, CONTROL_FIELD, OPTIONAL_FIELD, ResponseKind};
use crate::grammar::{Natural, parse_info};
use crate::kam3::{Binding, ClientExchange, SessionKey};
use crate::message::{Init, KexC1, KexS1, MessageError, Role, SCHEME, ServerMessage, Sid, Terms, VfyC, VfyS};
use crate::realm::{AuthRealm, Paths};
use crate::time::Time;
use crate::validation::{HostValidation, ValidationMethod};
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering};

/// A session as the client holds it.
#[derive(Debug)]
pub(super) struct ClientSession {
    pub(super) terms: Terms,
    pub(super) realm: AuthRealm,
    pub(super) sid: Sid,
    pub(super) key: SessionKey,
    nc_max: u32,
    pub(super) expires: Time,
    pub(super) paths: Option<Paths>,
    /// The next nonce number; it is shared by all requests that are under way.
    next_nc: AtomicU32,
}

impl ClientSession {
    pub(super) fn new(terms: Terms, realm: AuthRealm, key: SessionKey, answer: KexS1, received: Time) -> Self {
        let nc_max = u32::try_from(answer.nc_max.get()).unwrap_or(u32::MAX);
        Self {
            terms,
            realm,
            sid: answer.sid,
            key,
            nc_max,
            expires: received.after(answer.time),
            paths: answer.paths,
            // 0 would be as good, but for a server that starts its largest-nc with it and takes it for used.
            next_nc: AtomicU32::new(nc_max.min(1)),
        }
    }

    /// A session that was stored, with the numbers from `next_nc` to `nc_max`.
    #[expect(clippy::too_many_arguments, reason = "they are the parts of a session, of as many types")]
    pub(super) const fn stored(
        terms: Terms,
        realm: AuthRealm,
        sid: Sid,
        key: SessionKey,
        expires: Time,
        paths: Option<Paths>,
        next_nc: u32,
        nc_max: u32,
    ) -> Self {
        Self { terms, realm, sid, key, nc_max, expires, paths, next_nc: AtomicU32::new(next_nc) }
    }

    /// The next nonce number, and the largest.
    pub(super) fn numbers(&self) -> (u32, u32) {
        (self.next_nc.load(Ordering::Relaxed), self.nc_max)
    }

    /// Whether it may serve another request.
    pub(super) fn is_open(&self, now: Time) -> bool {
        let next = self.next_nc.load(Ordering::Relaxed);
        now < self.expires && next <= self.nc_max && next < u32::MAX
    }

    /// A number that no other request has. They rise in the order of sending, so none is below the server's window when it is
    /// sent (RFC 8120 §6). One above `nc-max`, which requests that begin at once may get, is answered with 401-STALE.
    fn take_nc(&self) -> u128 {
        let next = |nc: u32| Some(nc.saturating_add(1));
        let taken = self.next_nc.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        u128::from(taken.unwrap_or(u32::MAX))
    }
}

/// What was, or will be, sent.
#[derive(Debug)]
pub(super) enum State {
    Normal(SentNormal),
    KexC1(SentKexC1),
    VfyC(SentVfyC),
}

/// Step 5: a request without credentials of this protocol. It is always the first of its sequence.
#[derive(Debug)]
pub(super) struct SentNormal;

/// Steps 4 and 9: req-KEX-C1. It holds `S_c1`, and no session.
#[derive(Debug)]
pub(super) struct SentKexC1 {
    pub(super) terms: Terms,
    pub(super) realm: AuthRealm,
    pub(super) known: Known,
    pub(super) exchange: ClientExchange,
}

/// Steps 3, 8 and 10: req-VFY-C. It holds a session, and no `S_c1`.
#[derive(Debug)]
pub(super) struct SentVfyC {
    pub(super) session: Arc<ClientSession>,
    pub(super) known: Known,
    /// `None` until the message is asked for.
    pub(super) nc: Option<u128>,
    pub(super) vh: HostValidation,
    pub(super) proving: Proving,
    /// The server has proven itself in a 100 (Continue) response (RFC 8120 §4.5).
    pub(super) proven: bool,
}

/// Where the session of a req-VFY-C message came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proving {
    /// It was kept from an earlier sequence (steps 3 and 8): the server may have forgotten it.
    Kept,
    /// This sequence made it (step 10): the server may not have forgotten it yet, and there is no second exchange.
    Fresh,
}

/// What a response is, as far as its challenge tells.
enum Kind {
    /// 401-INIT, or the same as an optional challenge.
    Init { init: Init, optional: bool },
    /// 401-STALE.
    Stale(Terms),
    /// 401-KEX-S1.
    KexS1(Box<KexS1>),
    /// No challenge of this protocol.
    None,
}

impl Kind {
    fn challenge(head: &Head, role: Role) -> Result<Option<ServerMessage>, MessageError> {
        ServerMessage::read(head.lines(role.challenge_field()))
    }

    fn read(head: &Head, role: Role) -> Result<Self, Fatal> {
        let asked = head.status == role.status();
        let message = Self::challenge(head, role)?;
        let optional = match role {
            Role::OriginServer => ServerMessage::read(head.lines(OPTIONAL_FIELD))?,
            // RFC 8053 does not apply to proxies (RFC 8120 §14).
            Role::Proxy => None,
        };
        let status = |message| Fatal::Status { message, status: head.status };
        match (message, optional) {
            (None, None) => Ok(Self::None),
            (Some(_), Some(_)) => Err(MessageError::TwoMessages.into()),
            // "or some other 4xx status message, if appropriate" (RFC 8120 §4.1).
            (Some(ServerMessage::Init(init)), None) if (400..500).contains(&head.status) => {
                Ok(Self::Init { init, optional: false })
            }
            (Some(ServerMessage::Stale(stale)), None) if (400..500).contains(&head.status) => {
                Ok(Self::Stale(stale.terms))
            }
            (Some(ServerMessage::KexS1(answer)), None) if asked => Ok(Self::KexS1(Box::new(answer))),
            (None, Some(ServerMessage::Init(init))) if !asked && init.reason.may_be_optional() => {
                Ok(Self::Init { init, optional: true })
            }
            (None, Some(ServerMessage::Init(_))) if asked => Err(status("an optional challenge")),
            (None, Some(_)) => Err(Fatal::Unexpected {
                message: "an optional challenge that is no initial one",
                request: "any request",
            }),
            (Some(ServerMessage::Init(_)), None) => Err(status("401-INIT")),
            (Some(ServerMessage::Stale(_)), None) => Err(status("401-STALE")),
            (Some(ServerMessage::KexS1(_)), None) => Err(status("401-KEX-S1")),
        }
    }
}

/// Whether a proof of this protocol came along. The field belongs to whatever scheme the request used, so in answer to a
/// request without our credentials it may hold anything.
fn has_proof(head: &Head, role: Role) -> bool {
    let lines = head.lines(role.info_field());
    parse_info(lines, SCHEME).is_ok_and(|params| params.get("vks").is_some())
}

fn unexpected<T>(message: &'static str, request: &'static str) -> Result<T, Fatal> {
    Err(Fatal::Unexpected { message, request })
}

impl SentNormal {
    const NAME: &'static str = "a request without credentials";

    pub(super) fn receive<B>(
        self,
        context: Context,
        client: &mut Client,
        response: Response<B>,
        now: Time,
    ) -> Result<Step<B>, Fatal> {
        let kind = match Kind::read(&response.head, context.role) {
            // A site that has nothing to do with us, and sends a challenge of another scheme that nobody can parse.
            Err(Fatal::Message(MessageError::Syntax(_))) if !response.head.mentions(SCHEME) => Kind::None,
            kind => kind?,
        };
        if has_proof(&response.head, context.role) {
            return unexpected("200-VFY-S", Self::NAME);
        }
        match kind {
            Kind::Init { init, optional } => client.asked(context, init, optional, response, now),
            Kind::None => Ok(Step::Done(Outcome::Unauthenticated(response.body))),
            Kind::Stale(_) => unexpected("401-STALE", Self::NAME),
            Kind::KexS1(_) => unexpected("401-KEX-S1", Self::NAME),
        }
    }
}

impl SentKexC1 {
    const NAME: &'static str = "req-KEX-C1";

    pub(super) fn message(&self) -> KexC1 {
        KexC1 { terms: self.terms.clone(), user: Some(self.known.user.clone()), k_c1: self.exchange.k_c1().clone() }
    }

    pub(super) fn receive<B>(
        self,
        context: Context,
        client: &mut Client,
        response: Response<B>,
        now: Time,
    ) -> Result<Step<B>, Fatal> {
        let kind = Kind::read(&response.head, context.role)?;
        if has_proof(&response.head, context.role) {
            return unexpected("200-VFY-S", Self::NAME);
        }
        match kind {
            Kind::KexS1(answer) => {
                if answer.terms != self.terms {
                    return Err(Fatal::TermsChanged);
                }
                let vh = context.validation(&response.head.channel, self.terms.validation)?;
                client.charge(&self.realm, &self.known)?;
                Ok(Step::Continue(Next::Compute(Work::finish(context.later(), self, *answer, vh, now))))
            }
            Kind::Init { init, optional } => {
                let realm = init.terms.auth_realm(&context.origin);
                if realm != self.realm {
                    return other_realm(context, client, init, optional, response, now);
                }
                if optional {
                    return unexpected("an optional challenge for the same realm", Self::NAME);
                }
                client.failed(context, init, &self.known, response)
            }
            Kind::Stale(_) => unexpected("401-STALE", Self::NAME),
            Kind::None if context.first => Ok(Step::Done(Outcome::Unauthenticated(response.body))),
            Kind::None => Err(Fatal::NotProven { status: response.head.status }),
        }
    }
}

impl SentVfyC {
    const NAME: &'static str = "req-VFY-C";

    pub(super) const fn new(session: Arc<ClientSession>, known: Known, vh: HostValidation, proving: Proving) -> Self {
        Self { session, known, nc: None, vh, proving, proven: false }
    }

    /// The nonce number of the message, given out when it is first asked for.
    fn number(&mut self) -> u128 {
        let session = &self.session;
        *self.nc.get_or_insert_with(|| session.take_nc())
    }

    pub(super) fn b_2(&mut self, t: &[u8]) -> Binding {
        let nc = self.number();
        self.session.key.b_2(nc, &self.vh, t)
    }

    pub(super) fn message(&mut self) -> VfyC {
        let nc = self.number();
        let session = &self.session;
        VfyC {
            terms: session.terms.clone(),
            sid: session.sid.clone(),
            nc: Natural::from(nc),
            vk_c: session.key.vk_c(nc, &self.vh),
        }
    }

    /// A session that was kept serves its certificate, or any exporter; and a proof that was made, its connection.
    pub(super) fn send_over(&mut self, vh: HostValidation) -> Result<(), Fatal> {
        let bound = self.proving == Proving::Kept && vh.method() == ValidationMethod::TlsServerEndPoint;
        if vh != self.vh && (bound || self.nc.is_some()) {
            return Err(Fatal::ChannelChanged);
        }
        self.vh = vh;
        Ok(())
    }

    /// Checks the server's proof, if there is one. `Ok(false)` if there is none.
    pub(super) fn check_proof(&self, head: &Head, context: &Context) -> Result<bool, Fatal> {
        let nc = self.nc.ok_or(Fatal::NotSent)?;
        let lines = head.lines(context.role.info_field());
        let Some(proof) = VfyS::read(lines, self.session.terms.algorithm)? else { return Ok(false) };
        self.check_channel(head, context)?;
        let expected = self.session.key.vk_s(nc, &self.vh);
        if proof.sid == self.session.sid && proof.vk_s.ct_eq(&expected) { Ok(true) } else { Err(Fatal::WrongVks) }
    }

    /// The answer came over the connection that the proof was made for.
    fn check_channel(&self, head: &Head, context: &Context) -> Result<(), Fatal> {
        let same = context.validation(&head.channel, self.session.terms.validation)? == self.vh;
        if same { Ok(()) } else { Err(Fatal::ChannelChanged) }
    }

    pub(super) fn receive<B>(
        self,
        context: Context,
        client: &mut Client,
        response: Response<B>,
        now: Time,
    ) -> Result<Step<B>, Fatal> {
        let status = response.head.status;
        if status == context.role.status() {
            // "If any response with a 401 status code is returned, the session secret SHOULD be discarded" (§10.1).
            client.drop_session(&context.origin, &self.session);
        }
        if self.check_proof(&response.head, &context)? || self.proven {
            self.check_channel(&response.head, &context)?;
            // An optional challenge beside it means nothing (RFC 8053 §3 advises servers against it, and does not forbid it).
            let challenge = Kind::challenge(&response.head, context.role)?;
            if challenge.is_some() || status == context.role.status() {
                return Err(Fatal::Status { message: "200-VFY-S with a challenge or its status", status });
            }
            return Ok(self.succeed(&context, client, response, now));
        }
        match Kind::read(&response.head, context.role)? {
            Kind::None if context.first => Ok(Step::Done(Outcome::Unauthenticated(response.body))),
            Kind::None => Err(Fatal::NotProven { status }),
            Kind::Init { init, optional } => {
                let realm = init.terms.auth_realm(&context.origin);
                if realm != self.session.realm {
                    return other_realm(context, client, init, optional, response, now);
                }
                if optional {
                    return unexpected("an optional challenge for the same realm", Self::NAME);
                }
                client.drop_session(&context.origin, &self.session);
                let vh = context.validation(&response.head.channel, init.terms.validation)?;
                if self.proving == Proving::Kept && vh != self.vh {
                    // The proof was made for another certificate than the server now shows, so the refusal says nothing about
                    // the password. A caller that does not know its channel ahead finds out this way.
                    return client.exchange_again(context, init.terms, &self.known, response);
                }
                client.failed(context, init, &self.known, response)
            }
            Kind::Stale(terms) => {
                client.drop_session(&context.origin, &self.session);
                match self.proving {
                    Proving::Fresh => unexpected("401-STALE", "req-VFY-C of a fresh session"),
                    Proving::Kept if terms.auth_realm(&context.origin) != self.session.realm => {
                        Err(Fatal::TermsChanged)
                    }
                    Proving::Kept => {
                        context.validation(&response.head.channel, terms.validation)?;
                        client.exchange_again(context, terms, &self.known, response)
                    }
                }
            }
            Kind::KexS1(_) => unexpected("401-KEX-S1", Self::NAME),
        }
    }

    /// Step 14.
    fn succeed<B>(self, context: &Context, client: &mut Client, response: Response<B>, now: Time) -> Step<B> {
        let control =
            AuthControl::read(context.control_lines(&response.head, CONTROL_FIELD), &self.session.terms.realm)
                .applicable(ResponseKind::Successful);
        client.succeeded(context, &self, &control, now);
        Step::Done(Outcome::AuthSucceed(Proven {
            body: response.body,
            user: self.known.user,
            control,
            session: self.session,
            nc: self.nc.unwrap_or(0),
            vh: self.vh,
        }))
    }
}

/// A 401-INIT message for another realm: accepted for the first request of a sequence alone (§10.1).
fn other_realm<B>(
    context: Context,
    client: &mut Client,
    init: Init,
    optional: bool,
    response: Response<B>,
    now: Time,
) -> Result<Step<B>, Fatal> {
    if context.first {
        client.asked(context, init, optional, response, now)
    } else {
        Err(Fatal::RealmChanged(Box::new(init.terms.auth_realm(&context.origin))))
    }
}
