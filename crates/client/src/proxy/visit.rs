//! One sequence with the proxy: what it is sent, and what its answers mean.

use super::Hop;
use crate::error::{Error, LoginRequired, ProxyRefused, Unproven};
use crate::prompt::{Ask, MAX_ATTEMPTS};
use crate::reply::Proof;
use crate::sequence::{Stage, compute, judged};
use http::StatusCode;
use http::header::PROXY_AUTHENTICATE;
use http::response::Parts;
use std::sync::atomic::Ordering;
use tagai_core::client::{AuthRequired, Fatal, Next, Outcome, Presentation, Sequence, Step};
use tagai_core::message::{Field, SCHEME};
use tagai_core::validation::Channel;
use tokio::sync::MutexGuard;

/// How often a sequence begins anew because of a certificate or of somebody else's login.
const MAX_RESTARTS: u32 = 3;

/// One sequence.
pub(crate) struct Visit<'a> {
    hop: &'a Hop,
    path: String,
    next: Option<Next>,
    logins_made: u64,
    asked: u32,
    restarts: u32,
    prompting: Option<MutexGuard<'a, ()>>,
}

/// What an answer of the proxy means.
pub(crate) enum Judged<B> {
    /// Another request is to be sent.
    Again,
    /// It is the answer, with what was proven of the proxy.
    Done(B, Proof),
}

/// A request to the proxy: its sequence, what it says to the proxy, and the field that says it.
pub(crate) type Turn = (Sequence, Stage, Option<Field>);

impl<'a> Visit<'a> {
    pub(super) const fn new(hop: &'a Hop, path: String, next: Next, logins_made: u64) -> Self {
        Self { hop, path, next: Some(next), logins_made, asked: 0, restarts: 0, prompting: None }
    }

    /// The next request, to be sent over this channel.
    pub(crate) async fn step(&mut self, channel: &Channel) -> Result<Turn, Error> {
        let fatal = |fatal| Error::fatal(&self.hop.origin, fatal);
        loop {
            let next = self.next.take().ok_or(Error::Internal("a login to a proxy had no next step"))?;
            let (mut sequence, computed) = match next {
                Next::Send(sequence) => (sequence, false),
                Next::Compute(work) => (compute(work).await?.map_err(fatal)?, true),
            };
            match sequence.send_over(channel) {
                Ok(()) => {
                    let field = sequence.field();
                    let stage = Stage::of(field.as_ref(), computed);
                    return Ok((sequence, stage, field));
                }
                // A kept session belongs to its certificate; here is another one.
                Err(Fatal::ChannelChanged) if !computed && self.restarts < MAX_RESTARTS => self.restart(channel)?,
                Err(error) => return Err(fatal(error)),
            }
        }
    }

    fn restart(&mut self, channel: &Channel) -> Result<(), Error> {
        self.restarts += 1;
        self.logins_made = self.hop.logins_made.load(Ordering::Acquire);
        self.next = Some(self.hop.begin(&self.path, channel)?);
        Ok(())
    }

    /// What an answer means that came over `channel`; `body` is all the rest of it.
    pub(crate) async fn judge<B>(
        &mut self,
        (sequence, stage): (Sequence, Stage),
        head: &Parts,
        channel: &Channel,
        body: B,
    ) -> Result<Judged<B>, Error> {
        let hop = self.hop;
        let response = judged(head, channel.clone(), body);
        let step = sequence.receive(&mut crate::lock(&hop.core), response, hop.clock.now());
        match step.map_err(|fatal| Error::fatal(&hop.origin, fatal))? {
            Step::Continue(next) => {
                self.next = Some(next);
                Ok(Judged::Again)
            }
            Step::Done(Outcome::AuthSucceed(proven)) => {
                if stage == Stage::Fresh {
                    hop.logins_made.fetch_add(1, Ordering::AcqRel);
                }
                self.prompting = None;
                let proof = Proof::Mutual {
                    user: proven.user().clone(),
                    realm: proven.realm().clone(),
                    server: hop.origin.clone(),
                    session_reused: stage == Stage::Kept,
                };
                Ok(Judged::Done(proven.into_body(), proof))
            }
            Step::Done(Outcome::Unauthenticated(body)) => match (stage, head.status) {
                // It asks by another scheme.
                (Stage::Normal, StatusCode::PROXY_AUTHENTICATION_REQUIRED) => {
                    Err(self.refused(head.status, &Proof::None))
                }
                (Stage::Normal, _) => Ok(Judged::Done(body, Proof::None)),
                (_, status) => Err(Error::not_proven(&hop.origin, Unproven::Expected { status: status.as_u16() })),
            },
            Step::Done(Outcome::AuthRequired(required)) => {
                self.login(required, channel).await?;
                Ok(Judged::Again)
            }
        }
    }

    /// An answer that takes nobody anywhere.
    pub(crate) fn refused(&self, status: StatusCode, proof: &Proof) -> Error {
        Error::Proxy(Box::new(ProxyRefused {
            proxy: self.hop.origin.clone(),
            target: self.path.clone(),
            status: status.as_u16(),
            proven: proof.is_mutual(),
        }))
    }

    /// The proxy asks for a login: so does this, unless somebody else has just logged in.
    async fn login<B>(&mut self, required: AuthRequired<B>, channel: &Channel) -> Result<(), Error> {
        let hop = self.hop;
        let elsewhere = self.asked > 0 && required.reason().keeps_credentials();
        let offered = matches!(required.presentation(), Presentation::Offer(_));
        let Some(prompt) = hop.prompt.as_ref().filter(|_| offered && !elsewhere && self.asked < MAX_ATTEMPTS) else {
            return Err(self.no_login(&required));
        };
        if self.prompting.is_none() {
            self.prompting = Some(hop.prompting.lock().await);
            let others = hop.logins_made.load(Ordering::Acquire) != self.logins_made;
            if others && self.restarts < MAX_RESTARTS {
                return self.restart(channel);
            }
        }
        self.asked += 1;
        let ask = Ask {
            realm: required.realm().clone(),
            origin: hop.origin.clone(),
            reason: required.reason().clone(),
            username_hint: None,
            attempt: self.asked,
            optional: false,
            proxy: true,
        };
        match prompt.ask(ask).await {
            Some(credential) => {
                self.next = Some(required.supply(credential).0);
                Ok(())
            }
            None => {
                self.asked -= 1;
                Err(self.no_login(&required))
            }
        }
    }

    fn no_login<B>(&self, required: &AuthRequired<B>) -> Error {
        Error::Login(Box::new(LoginRequired {
            origin: self.hop.origin.clone(),
            realm: required.realm().clone(),
            reason: required.reason().clone(),
            attempts: self.asked,
            location: None,
            no_auth: false,
            proxy: true,
        }))
    }
}

/// Whether an answer may be one of the protocol's own with the proxy, whose body is for nobody.
pub(crate) fn asks(head: &Parts) -> bool {
    let names_scheme = |octets: &[u8]| {
        let scheme = SCHEME.as_bytes();
        octets.windows(scheme.len()).any(|window| window.eq_ignore_ascii_case(scheme))
    };
    head.status.is_client_error()
        && head.headers.get_all(PROXY_AUTHENTICATE).iter().any(|value| names_scheme(value.as_bytes()))
}
