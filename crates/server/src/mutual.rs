//! One realm on one server: from a request's fields to what becomes of it.

use crate::clock::Clock;
use crate::connection::Connection;
use crate::decision::{Answer, Decision, Proof, header};
use crate::event::{Event, Observer, Silent};
use crate::guard::{Admission, Guard, GuardConfig};
use crate::password_tls::{PasswordLimits, PasswordTls, PasswordTlsError, Passwords};
use crate::user::AuthenticatedUser;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use tagai_core::algorithm::Algorithm;
use tagai_core::credential::Username;
use tagai_core::kam3::J;
use tagai_core::message::{Reason, Sid};
use tagai_core::realm::AuthRealm;
use tagai_core::server as core;
use tagai_core::server::{ConfigError, KexRequest, Refusal, Server, ServerConfig, Session, SessionState};
use tagai_core::server::{Step, Verdict, VfyRequest};
use tagai_core::time::Time;
use tagai_store::{CredentialStore, Owner, SessionStore, StoreError};

/// One realm on one server. Clones share everything.
#[derive(Debug)]
pub struct Mutual<C, S>(Arc<Inner<C, S>>);

impl<C, S> Clone for Mutual<C, S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Inner<C, S> {
    server: Server,
    credentials_field: HeaderName,
    shared: MutualBuilder<C, S>,
}

impl<C, S> std::fmt::Debug for Inner<C, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("server", &self.server).finish_non_exhaustive()
    }
}

/// What all realms of a process share: users, sessions, the guard against guessing, what is known of passwords that were shown, the
/// clock, the observer.
pub struct MutualBuilder<C, S> {
    credentials: Arc<C>,
    sessions: Arc<S>,
    guard: Arc<Guard>,
    passwords: Arc<Passwords>,
    clock: Clock,
    observer: Arc<dyn Observer>,
}

impl<C, S> std::fmt::Debug for MutualBuilder<C, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MutualBuilder").finish_non_exhaustive()
    }
}

impl<C, S> Clone for MutualBuilder<C, S> {
    fn clone(&self) -> Self {
        let Self { credentials, sessions, guard, passwords, clock, observer } = self;
        Self {
            credentials: Arc::clone(credentials),
            sessions: Arc::clone(sessions),
            guard: Arc::clone(guard),
            passwords: Arc::clone(passwords),
            clock: clock.clone(),
            observer: Arc::clone(observer),
        }
    }
}

impl<C: CredentialStore, S: SessionStore> MutualBuilder<C, S> {
    /// Users from here, sessions there; a guard with the usual limits, the system's clock, and nobody who observes.
    #[must_use]
    pub fn new(credentials: Arc<C>, sessions: Arc<S>) -> Self {
        Self {
            credentials,
            sessions,
            guard: Arc::new(Guard::new(GuardConfig::default())),
            passwords: Arc::new(Passwords::new(PasswordLimits::default())),
            clock: Clock::system(),
            observer: Arc::new(Silent),
        }
    }

    /// Another guard. All realms of a process should have one.
    #[must_use]
    pub fn guard(self, guard: Arc<Guard>) -> Self {
        Self { guard, ..self }
    }

    /// Another place for what is known of passwords that were shown over TLS. All realms of a process should have one, and whoever
    /// hears of a changed user calls [`Passwords::forget_user`] on it.
    #[must_use]
    pub fn passwords(self, passwords: Arc<Passwords>) -> Self {
        Self { passwords, ..self }
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Who is told what happens.
    #[must_use]
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// A realm on a server.
    ///
    /// # Errors
    /// [`ConfigError`] says what is wrong with the configuration.
    pub fn build(&self, config: ServerConfig) -> Result<Mutual<C, S>, ConfigError> {
        let credentials_field = HeaderName::from_bytes(config.role.credentials_field().as_bytes());
        let credentials_field = credentials_field.unwrap_or(http::header::AUTHORIZATION);
        let server = Server::new(config, &mut UnwrapErr(SysRng))?;
        Ok(Mutual(Arc::new(Inner { server, credentials_field, shared: self.clone() })))
    }

    /// Passwords of this user that were shown over TLS and right have to be checked again: the user was changed. See
    /// [`Passwords::forget_user`]; sessions are the session store's.
    pub fn forget_user(&self, realm: &AuthRealm, user: &Username) {
        self.passwords.forget_user(realm, user);
    }

    /// The same realm for clients that only know HTTP Basic, over TLS: the weaker proof, to be asked for route by route.
    ///
    /// # Errors
    /// [`PasswordTlsError`] says what is wrong with the configuration.
    pub fn password_tls(&self, config: ServerConfig) -> Result<PasswordTls<C>, PasswordTlsError> {
        PasswordTls::new(
            config,
            Arc::clone(&self.credentials),
            Arc::clone(&self.guard),
            Arc::clone(&self.passwords),
            self.clock.clone(),
            Arc::clone(&self.observer),
        )
    }
}

/// What the store was asked to do with a session, and what came out.
struct Judged {
    verdict: Verdict,
    /// The name that the session began with.
    claimed: Option<Username>,
    /// The session was proven by this request for the first time.
    first: bool,
}

impl<C: CredentialStore, S: SessionStore> Mutual<C, S> {
    /// The realm and its server.
    #[must_use]
    pub fn config(&self) -> &ServerConfig {
        self.0.server.config()
    }

    /// The field in which clients send their credentials: `Authorization`, or for a proxy `Proxy-Authorization`. It is of no use
    /// to whoever serves the request, and should be taken out.
    #[must_use]
    pub fn credentials_field(&self) -> &HeaderName {
        &self.0.credentials_field
    }

    /// Says what becomes of a request with these fields.
    ///
    /// The request was made for the configured origin; one for another has to be answered 421 before it comes here. Whoever serves a
    /// proven request sends the proof, on any response but 401.
    pub async fn authenticate(&self, fields: &HeaderMap, connection: &Connection) -> Decision {
        let lines = fields.get_all(&self.0.credentials_field).iter().map(HeaderValue::as_bytes);
        match self.0.server.receive(lines, &connection.channel) {
            Err(_) => self.misconfigured(connection),
            Ok(Step::Invite(invitation)) => Decision::Guest(invitation),
            Ok(Step::Refuse(refusal)) => self.refuse(&refusal, None, None, connection),
            Ok(Step::NeedCredential(request)) => Decision::Answer(self.exchange(request, connection).await),
            Ok(Step::NeedSession(request)) => self.verify(request, connection).await,
        }
    }

    /// Refuses a request for a reason of the application's own: [`Reason::ReauthNeeded`], or [`Reason::AuthzFailed`] (RFC 8120 §4.1).
    /// A proven user who may not have a resource is better answered with an ordinary 403 and the proof.
    #[must_use]
    pub fn refusal(&self, reason: Reason, connection: &Connection) -> Answer {
        match self.0.server.refuse(reason, &connection.channel) {
            Ok(refusal) => from_reply(refusal.reply()),
            Err(_) => Answer::new(500, &[]),
        }
    }

    /// Ends the session of a request that was found proven: the user logs out. The session's next request is answered 401-STALE.
    ///
    /// # Errors
    /// [`StoreError`]; the session may go on then.
    pub async fn log_out(&self, fields: &HeaderMap, connection: &Connection) -> Result<(), StoreError> {
        let lines = fields.get_all(&self.0.credentials_field).iter().map(HeaderValue::as_bytes);
        let Ok(Step::NeedSession(request)) = self.0.server.receive(lines, &connection.channel) else { return Ok(()) };
        let sid = request.sid().clone();
        let shared = &self.0.shared;
        let end = |session: Option<Session>| {
            let user = session.as_ref().and_then(Session::claimed_user).cloned();
            (session.map(Session::end), user)
        };
        let user = shared.sessions.update(&self.0.server, &sid, shared.clock.now(), end).await?;
        if let Some(user) = user {
            self.observe(connection, &Event::LoggedOut { user: &user, sid: &sid });
        }
        Ok(())
    }

    /// Answers a req-KEX-C1 message, after the guard has let it through.
    async fn exchange(&self, request: KexRequest, connection: &Connection) -> Answer {
        let shared = &self.0.shared;
        let realm = &self.config().realm;
        let owner = Owner::of(connection.address);
        let user = request.user().cloned();
        match shared.guard.admit(owner, realm, user.as_ref(), shared.clock.now()) {
            Admission::Now => {}
            Admission::After(delay, _permit) => {
                self.observe(connection, &Event::Slowed { user: user.as_ref(), delay: Some(delay) });
                tokio::time::sleep(delay).await;
            }
            Admission::Refused(wait) => {
                self.observe(connection, &Event::Slowed { user: user.as_ref(), delay: None });
                return self.too_many(wait, connection);
            }
        }
        let found = match &user {
            Some(user) => shared.credentials.verifier(realm, user, self.0.server.decoy()).await,
            None => Ok(None),
        };
        let j = match found {
            Ok(j) => j,
            Err(error) => return self.failed(&error, connection),
        };
        let now = shared.clock.now();
        let (session, reply) = match answer(request, j, now).await {
            Ok(answered) => answered,
            Err(refusal) => return self.refused(&refusal, user.as_ref(), None, connection),
        };
        let sid = session.sid().clone();
        if let Err(error) = shared.sessions.insert(&self.0.server, session, owner, now).await {
            return self.failed(&error, connection);
        }
        self.observe(connection, &Event::KeyExchanged { user: user.as_ref(), sid: &sid });
        from_reply(reply)
    }

    /// Judges a req-VFY-C message.
    async fn verify(&self, request: VfyRequest, connection: &Connection) -> Decision {
        let shared = &self.0.shared;
        let sid = request.sid().clone();
        let now = shared.clock.now();
        let judge = move |session: Option<Session>| {
            let Some(session) = session else {
                return (None, Judged { verdict: request.no_session(), claimed: None, first: false });
            };
            let before = session.state();
            let claimed = session.claimed_user().cloned();
            let (session, verdict) = session.verify(&request, now);
            let first = before == SessionState::KeyExchanging && session.state() == SessionState::Authenticated;
            (Some(session), Judged { verdict, claimed, first })
        };
        let Judged { verdict, claimed, first } = match shared.sessions.update(&self.0.server, &sid, now, judge).await
        {
            Ok(judged) => judged,
            Err(error) => return Decision::Answer(self.failed(&error, connection)),
        };
        match verdict {
            Verdict::Accepted(accepted) => self.accept(accepted, &sid, first, connection, now),
            Verdict::Rejected(refusal) => self.refuse(&refusal, claimed.as_ref(), Some(&sid), connection),
            Verdict::Stale(reply) => {
                self.observe(connection, &Event::Stale { sid: &sid, fault: reply.fault() });
                Decision::Answer(from_reply(reply.reply()))
            }
        }
    }

    fn accept(
        &self,
        accepted: core::Accepted,
        sid: &Sid,
        first: bool,
        connection: &Connection,
        now: Time,
    ) -> Decision {
        let core::Accepted { user, proof } = accepted;
        if first {
            let realm = &self.config().realm;
            self.0.shared.guard.proven(Owner::of(connection.address), realm, user.name(), now);
            self.observe(connection, &Event::LoggedIn { user: user.name(), sid });
        }
        match header(&proof) {
            Some((name, value)) => {
                let user = AuthenticatedUser::new(user, sid.clone());
                Decision::Proven { user, proof: Proof { name, value } }
            }
            // The core's fields are ASCII. Without the proof the response would be of no use to the client.
            None => Decision::Answer(Answer::new(500, &[])),
        }
    }

    fn refuse(
        &self,
        refusal: &Refusal,
        user: Option<&Username>,
        sid: Option<&Sid>,
        connection: &Connection,
    ) -> Decision {
        Decision::Answer(self.refused(refusal, user, sid, connection))
    }

    fn refused(
        &self,
        refusal: &Refusal,
        user: Option<&Username>,
        sid: Option<&Sid>,
        connection: &Connection,
    ) -> Answer {
        let (reason, fault) = (refusal.reason(), refusal.fault());
        self.observe(connection, &Event::Refused { user, sid, reason, fault });
        from_reply(refusal.reply())
    }

    /// 429 with a challenge, so that the client knows that neither it nor the password is at fault (RFC 8120 §4.1 allows "some
    /// other 4xx status message").
    fn too_many(&self, wait: Duration, connection: &Connection) -> Answer {
        let mut answer = self.refusal(Reason::InternalError, connection);
        answer.status = http::StatusCode::TOO_MANY_REQUESTS;
        answer.fields.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        answer
    }

    fn failed(&self, error: &StoreError, connection: &Connection) -> Answer {
        self.observe(connection, &Event::StoreFailed { error });
        self.refusal(Reason::InternalError, connection)
    }

    fn misconfigured(&self, connection: &Connection) -> Decision {
        let problem = "the connection does not fit the origin: https needs TLS, and http has to be without";
        self.observe(connection, &Event::Misconfigured { problem });
        Decision::Answer(Answer::new(500, &[]))
    }

    pub(crate) fn server(&self) -> &Server {
        &self.0.server
    }

    pub(crate) fn credentials(&self) -> &C {
        &self.0.shared.credentials
    }

    pub(crate) fn sessions(&self) -> &S {
        &self.0.shared.sessions
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.0.shared.guard
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.0.shared.passwords
    }

    pub(crate) fn now(&self) -> Time {
        self.0.shared.clock.now()
    }

    pub(crate) fn observe(&self, connection: &Connection, event: &Event<'_>) {
        self.0.shared.observer.observe(self.config(), connection.address, event);
    }
}

fn from_reply(reply: core::Reply) -> Answer {
    let core::Reply { status, field } = reply;
    Answer::new(status, &[field])
}

/// The arithmetic of a key exchange: here where it takes a tenth of a millisecond, and on another thread where it takes more.
#[expect(clippy::result_large_err, reason = "a refusal is what the caller sends")]
async fn answer(request: KexRequest, j: Option<J>, now: Time) -> Result<(Session, core::Reply), Refusal> {
    let here = request.algorithm() == Algorithm::EcP256Sha256;
    let work = move || request.answer(j.as_ref(), &mut UnwrapErr(SysRng), now);
    if here {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(answered) => answered,
        // The runtime is shutting down, or the arithmetic panicked: that is no answer.
        Err(error) => std::panic::resume_unwind(Box::new(error)),
    }
}
