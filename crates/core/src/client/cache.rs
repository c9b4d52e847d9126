//! What a client remembers between sequences, and the steps of the decision procedure that need it.

use super::account::{Account, Server};
use super::fatal::Fatal;
use super::outcome::{AuthRequired, Outcome, Step};
use super::response::Response;
use super::sequence::{Context, Next, Sequence, Target};
use super::states::{ClientSession, Proving, SentNormal, SentVfyC, State};
use super::work::{Credential, Known, Work};
use crate::control::{AuthControl, CONTROL_FIELD, ResponseKind};
use crate::credential::Username;
use crate::message::{Init, Reason, Role, Terms};
use crate::realm::{AuthRealm, AuthScope, Origin, Scheme, ScopeError};
use crate::time::Time;
use crate::validation::{ChannelMismatch, HostValidation, ValidationMethod};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;

/// The most URIs whose realm is remembered.
const MAX_VISITED: usize = 256;

/// The state of one user of a client: credentials and sessions in memory, one user name a realm.
///
/// Users who must not see each other's logins, such as a browser's private windows, have a `Client` each.
#[derive(Debug)]
pub struct Client {
    role: Role,
    pub(super) accounts: BTreeMap<AuthRealm, Account>,
    /// The realm that was last asked for at a URI, newest last (RFC 8120 §5.1).
    visited: VecDeque<(Origin, String, AuthRealm)>,
    /// Who this client is to its sequences.
    id: Arc<()>,
    /// Counts sequences and logouts, to tell which came first.
    clock: u64,
    logouts: BTreeMap<AuthRealm, u64>,
    logout_all: u64,
}

/// One entry of [`Client::logins`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Login<'a> {
    /// The realm.
    pub realm: &'a AuthRealm,
    /// The user.
    pub user: &'a Username,
}

impl Client {
    /// A client that knows nobody. `role` says whether it talks to origin servers or to a proxy.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            role,
            accounts: BTreeMap::new(),
            visited: VecDeque::new(),
            id: Arc::new(()),
            clock: 0,
            logouts: BTreeMap::new(),
            logout_all: 0,
        }
    }

    /// Starts a sequence: steps 1 to 5 of RFC 8120 §10.2.
    ///
    /// # Errors
    /// [`ChannelMismatch`] if the target's channel does not fit its scheme.
    pub fn begin(&mut self, target: &Target, now: Time) -> Result<Next, ChannelMismatch> {
        let (context, vh) = self.start(target, now)?;
        let Target { origin, path, .. } = target;
        let Some(realm) = self.expected_realm(origin, path) else {
            return Ok(Next::Send(Sequence { context, state: State::Normal(SentNormal) }));
        };
        if let Some(sent) = self.prove(&realm, origin, vh.as_ref(), now) {
            return Ok(Next::Send(Sequence { context, state: State::VfyC(sent) }));
        }
        let terms = self.terms(&realm, origin, vh.as_ref());
        Ok(match (terms, self.credential(&realm)) {
            (Some(terms), Some(credential)) => Next::Compute(Work::exchange(context, terms, realm, credential)),
            _ => Next::Send(Sequence { context, state: State::Normal(SentNormal) }),
        })
    }

    /// Starts a sequence that proves `credential` by a key exchange of its own, whatever is remembered of the realm: for what a kept
    /// session must not be enough for, such as a change of the password.
    ///
    /// A credential that is not accepted is not remembered, and one that is remembered stays then. One that is accepted takes its
    /// place.
    ///
    /// # Errors
    /// [`Fatal::Scope`] if the realm's scope is one that the server has no right to. [`Fatal::ChannelMismatch`] if the target's
    /// channel does not fit its scheme.
    pub fn begin_as(
        &mut self,
        target: &Target,
        realm: &AuthRealm,
        credential: Credential,
        now: Time,
    ) -> Result<Next, Fatal> {
        self.check_scope(&realm.auth_scope, &target.origin)?;
        let (context, vh) = self.start(target, now)?;
        let known = self.terms(realm, &target.origin, vh.as_ref());
        let validation = match (vh, target.origin.scheme()) {
            (Some(vh), _) => vh.method(),
            (None, Scheme::Http) => ValidationMethod::Host,
            (None, Scheme::Https) => ValidationMethod::TlsServerEndPoint,
        };
        let terms = known.unwrap_or_else(|| Terms::of_realm(realm, validation));
        Ok(Next::Compute(Work::exchange(context, terms, realm.clone(), credential)))
    }

    /// What all sequences begin with.
    fn start(&mut self, target: &Target, now: Time) -> Result<(Context, Option<HostValidation>), ChannelMismatch> {
        self.expire(now);
        let Target { origin, path, channel } = target;
        let vh = channel.as_ref().map(|channel| HostValidation::new(origin, channel)).transpose()?;
        let context = Context {
            role: self.role,
            origin: origin.clone(),
            path: path.clone(),
            first: true,
            offered: None,
            client: Arc::clone(&self.id),
            began: self.tick(),
        };
        Ok((context, vh))
    }

    /// Remembers a credential without having used it, so that the first request to `server` can begin with the key exchange
    /// (RFC 8120 §2.3 case A). `validation` is the method that its connections ask for.
    ///
    /// # Errors
    /// [`ScopeError`] if the realm's scope is one that the server has no right to.
    pub fn remember(
        &mut self,
        realm: &AuthRealm,
        server: &Origin,
        validation: ValidationMethod,
        credential: Credential,
    ) -> Result<(), ScopeError> {
        self.check_scope(&realm.auth_scope, server)?;
        let terms = Terms::of_realm(realm, validation);
        let mut account = Account::new(credential.into_known(realm));
        account.servers.insert(server.clone(), Server { terms, paths: None, session: None });
        self.accounts.insert(realm.clone(), account);
        Ok(())
    }

    /// Forgets everything about a realm: the credential, and all sessions with all its servers. Says whether there was any.
    ///
    /// Sequences that are under way come to their end, but bring nothing of it back.
    pub fn logout(&mut self, realm: &AuthRealm) -> bool {
        let now = self.tick();
        self.logouts.insert(realm.clone(), now);
        self.visited.retain(|(_, _, visited)| visited != realm);
        self.accounts.remove(realm).is_some()
    }

    /// Forgets everything about all realms.
    pub fn logout_all(&mut self) {
        self.logout_all = self.tick();
        self.logouts.clear();
        self.visited.clear();
        self.accounts.clear();
    }

    fn tick(&mut self) -> u64 {
        self.clock = self.clock.saturating_add(1);
        self.clock
    }

    /// Whether the user has logged out of a realm since a sequence began.
    fn logged_out_since(&self, context: &Context, realm: &AuthRealm) -> bool {
        let logout = self.logouts.get(realm).copied().unwrap_or(0).max(self.logout_all);
        context.began < logout
    }

    /// Whether a sequence is this client's.
    pub(super) fn began(&self, context: &Context) -> bool {
        Arc::ptr_eq(&self.id, &context.client)
    }

    /// Whether a credential is the one that is remembered for a realm.
    fn knows(&self, realm: &AuthRealm, known: &Known) -> bool {
        self.accounts.get(realm).is_some_and(|account| account.known.is(known))
    }

    /// Who is logged in where.
    pub fn logins(&self) -> impl Iterator<Item = Login<'_>> {
        self.accounts.iter().map(|(realm, account)| Login { realm, user: &account.known.user })
    }

    /// Who is logged in to the realm that is expected at a URI: whom [`Client::begin`] would prove there.
    #[must_use]
    pub fn expects(&self, origin: &Origin, path: &str) -> Option<Login<'_>> {
        let (realm, account) = self.accounts.get_key_value(&self.expected_realm(origin, path)?)?;
        Some(Login { realm, user: &account.known.user })
    }

    /// When [`Client::expire`] has something to do next, by a `logout-timeout` of RFC 8053 §4.6.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Time> {
        self.accounts.values().filter_map(|account| account.logout_at).min()
    }

    /// Logs out of the realms whose `logout-timeout` is over. [`Client::begin`] does it too.
    pub fn expire(&mut self, now: Time) {
        let over = |account: &Account| account.logout_at.is_some_and(|at| at <= now);
        while let Some(realm) =
            self.accounts.iter().find(|(_, account)| over(account)).map(|(realm, _)| realm.clone())
        {
            self.logout(&realm);
        }
    }

    /// The realm to which the user is logged in and that is expected at a URI (step 1, and the order of §5.1).
    fn expected_realm(&self, origin: &Origin, path: &str) -> Option<AuthRealm> {
        let visited = self.visited.iter().rev().find(|(seen, at, _)| seen == origin && at == path);
        if let Some((_, _, realm)) = visited
            && self.accounts.contains_key(realm)
        {
            return Some(realm.clone());
        }
        self.accounts
            .iter()
            .filter(|(realm, account)| {
                // A proxy's realm covers whatever goes through it, paths or no paths (§14).
                realm.auth_scope.covers(origin) && (self.role == Role::Proxy || account.expects(origin, path))
            })
            .max_by(|(a, _), (b, _)| a.auth_scope.cmp_specificity(&b.auth_scope))
            .map(|(realm, _)| realm.clone())
    }

    /// A req-VFY-C message of a session that is at hand (steps 2 and 7).
    fn prove(&self, realm: &AuthRealm, origin: &Origin, vh: Option<&HostValidation>, now: Time) -> Option<SentVfyC> {
        self.accounts.get(realm)?.prove(origin, vh, now)
    }

    /// The terms for a key exchange that no 401-INIT message asked for (step 4).
    fn terms(&self, realm: &AuthRealm, origin: &Origin, vh: Option<&HostValidation>) -> Option<Terms> {
        let known = self.accounts.get(realm)?.servers.get(origin);
        let validation = match (vh, known, origin.scheme()) {
            (Some(vh), _, _) => vh.method(),
            (None, Some(server), _) => server.terms.validation,
            (None, None, Scheme::Http) => ValidationMethod::Host,
            (None, None, Scheme::Https) => return None,
        };
        let auth_scope = match known {
            Some(server) => server.terms.auth_scope.clone(),
            None => Some(realm.auth_scope.clone()),
        };
        Some(Terms { algorithm: realm.algorithm, validation, auth_scope, realm: realm.name.clone() })
    }

    fn credential(&self, realm: &AuthRealm) -> Option<Credential> {
        self.accounts.get(realm).and_then(|account| account.known.credential())
    }

    /// Step 6: a 401-INIT message asks for a realm. The checks of §5 and §7 come first.
    pub(super) fn asked<B>(
        &mut self,
        context: Context,
        init: Init,
        optional: bool,
        response: Response<B>,
        now: Time,
    ) -> Result<Step<B>, Fatal> {
        let Init { terms, reason, paths } = init;
        let vh = context.validation(&response.head.channel, terms.validation)?;
        let realm = terms.auth_realm(&context.origin);
        let context = Context { offered: paths.filter(|_| optional), ..context };
        self.check_scope(&realm.auth_scope, &context.origin)?;
        self.visit(&context, &realm);
        if let Some(sent) = self.prove(&realm, &context.origin, Some(&vh), now) {
            return Ok(Step::Continue(Next::Send(Sequence { context: context.later(), state: State::VfyC(sent) })));
        }
        if let Some(credential) = self.credential(&realm) {
            return Ok(Step::Continue(Next::Compute(Work::exchange(context.later(), terms, realm, credential))));
        }
        let kind = if optional { ResponseKind::Optional } else { ResponseKind::Initializing };
        let required = auth_required(context, terms, realm, reason, kind, response);
        Ok(Step::Done(Outcome::AuthRequired(required)))
    }

    pub(super) fn check_scope(&self, scope: &AuthScope, origin: &Origin) -> Result<(), ScopeError> {
        match self.role {
            Role::OriginServer => scope.acceptable_from(origin),
            Role::Proxy => scope.acceptable_from_proxy(origin),
        }
    }

    /// Counts a key exchange whose `VK_c` the client is about to show. Only credentials that are remembered can be used
    /// without the user, so only theirs are counted.
    pub(super) fn charge(&mut self, realm: &AuthRealm, known: &Known) -> Result<(), Fatal> {
        if !self.knows(realm, known) {
            return Ok(());
        }
        if self.accounts.get_mut(realm).is_some_and(Account::charge) {
            return Ok(());
        }
        self.logout(realm);
        Err(Fatal::TooManyUnproven(Box::new(realm.clone())))
    }

    /// Step 9 after a session turned out to be of no use: another key exchange, if the user has not logged out meanwhile.
    pub(super) fn exchange_again<B>(
        &self,
        context: Context,
        terms: Terms,
        known: &Known,
        response: Response<B>,
    ) -> Result<Step<B>, Fatal> {
        let realm = terms.auth_realm(&context.origin);
        if self.knows(&realm, known)
            && let Some(credential) = known.credential()
        {
            let work = Work::exchange(context.later(), terms, realm, credential);
            return Ok(Step::Continue(Next::Compute(work)));
        }
        let required = auth_required(context, terms, realm, Reason::Initial, ResponseKind::Initializing, response);
        Ok(Step::Done(Outcome::AuthRequired(required)))
    }

    /// Step 13: the credential was not accepted. It is forgotten, unless the reason lies elsewhere.
    pub(super) fn failed<B>(
        &mut self,
        context: Context,
        init: Init,
        known: &Known,
        response: Response<B>,
    ) -> Result<Step<B>, Fatal> {
        let Init { terms, reason, .. } = init;
        context.validation(&response.head.channel, terms.validation)?;
        let realm = terms.auth_realm(&context.origin);
        if self.knows(&realm, known) && !reason.keeps_credentials() {
            self.accounts.remove(&realm);
        }
        let required = auth_required(context, terms, realm, reason, ResponseKind::Negative, response);
        Ok(Step::Done(Outcome::AuthRequired(required)))
    }

    /// Step 14: both ends are proven. The credential and its session are remembered from now on.
    pub(super) fn succeeded(&mut self, context: &Context, sent: &SentVfyC, control: &AuthControl, now: Time) {
        let session = &sent.session;
        if control.logout_timeout.is_some_and(|seconds| seconds.get() == 0) {
            self.logout(&session.realm);
            return;
        }
        if !self.knows(&session.realm, &sent.known) {
            if self.logged_out_since(context, &session.realm) || sent.proving == Proving::Kept {
                // The user has logged out while this was under way, or the credential was forgotten otherwise.
                return;
            }
            self.accounts.insert(session.realm.clone(), Account::new(sent.known.clone()));
        }
        self.visit(context, &session.realm);
        let Some(account) = self.accounts.get_mut(&session.realm) else { return };
        if let Some(seconds) = control.logout_timeout {
            account.logout_at = Some(now.after(seconds));
        }
        match sent.proving {
            Proving::Fresh => account.keep(context, sent),
            Proving::Kept => account.add_paths(context, &session.realm),
        }
    }

    /// A session that a server does not accept any more is not used again.
    pub(super) fn drop_session(&mut self, origin: &Origin, session: &Arc<ClientSession>) {
        let server = self.accounts.get_mut(&session.realm).and_then(|account| account.servers.get_mut(origin));
        if let Some(server) = server
            && server.session.as_ref().is_some_and(|kept| Arc::ptr_eq(&kept.session, session))
        {
            server.session = None;
        }
    }

    fn visit(&mut self, context: &Context, realm: &AuthRealm) {
        self.visited.retain(|(origin, path, _)| *origin != context.origin || *path != context.path);
        if self.visited.len() >= MAX_VISITED {
            self.visited.pop_front();
        }
        self.visited.push_back((context.origin.clone(), context.path.clone(), realm.clone()));
    }
}

fn auth_required<B>(
    context: Context,
    terms: Terms,
    realm: AuthRealm,
    reason: Reason,
    kind: ResponseKind,
    response: Response<B>,
) -> AuthRequired<B> {
    let lines = context.control_lines(&response.head, CONTROL_FIELD);
    let control = AuthControl::read(lines, &terms.realm).applicable(kind);
    let optional = kind == ResponseKind::Optional;
    AuthRequired { body: response.body, context, terms, realm, reason, optional, control }
}
