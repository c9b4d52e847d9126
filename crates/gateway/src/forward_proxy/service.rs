//! The way of a request through the proxy.

use super::order::{Order, last_stop, order};
use super::refuse::Refused;
use super::resolve::{MAX_ADDRESSES, Resolve, SystemResolver};
use super::settings::{Authorize, Denied, ForwardLimits, ForwardProxyConfig, ProxyRequest};
use super::target::{Target, allows, may_match};
use super::tunnel;
use crate::answers::{Message, answer};
use crate::listener::{Abort, ConnectionInfo, RequestBody};
use crate::metrics::{Metrics, ResultLabel};
use crate::observe::Journal;
use crate::proof::{Endings, Moment, Refusal};
use crate::proxy::{
    Body, Cut, ForwardContext, Host as HostField, Over, Policy, ProxyError, Side, StripList, Upstream,
    UpstreamLimits, Wanted, carry, check_proxied, forward, has_been_at,
};
use arc_swap::ArcSwap;
use http::header::{CONNECTION, EXPECT, PROXY_AUTHORIZATION};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use prometheus_client::metrics::gauge::Gauge;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tagai_core::message::Role;
use tagai_core::realm::Host;
use tagai_core::server::{ConfigError, ServerConfig};
use tagai_server::{Answer, AuthenticatedUser, Connection, Decision, Mutual, MutualBuilder, Proof};
use tagai_store::{CredentialStore, SessionStore};
use tokio::sync::Semaphore;

/// A forward proxy: answers the requests of a listener whose [`Settings::tunnels`](crate::listener::Settings::tunnels) is set.
pub struct ForwardProxy<C, S> {
    rules: ArcSwap<ForwardRules<C, S>>,
    /// One place for each connection to a server.
    room: Arc<Semaphore>,
    /// Looking up a name holds a thread of the runtime, so few do it at once.
    lookups: Semaphore,
    resolver: Arc<dyn Resolve>,
    endings: Arc<Endings>,
    metrics: Arc<Metrics>,
    pub(super) journal: Option<Arc<Journal>>,
}

/// What a forward proxy goes by; a reload replaces it as a whole.
pub struct ForwardRules<C, S> {
    mutual: Mutual<C, S>,
    allow: Vec<Target>,
    limits: ForwardLimits,
    authorize: Option<Authorize>,
    policy: Policy,
    /// The proxy in `Via`.
    via: Arc<str>,
    /// The proxy in policies and in the audit log.
    pub(super) name: String,
}

impl<C, S> std::fmt::Debug for ForwardRules<C, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForwardRules").field("name", &self.via).field("allow", &self.allow).finish_non_exhaustive()
    }
}

impl<C, S> std::fmt::Debug for ForwardProxy<C, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForwardProxy").field("room", &self.room.available_permits()).finish_non_exhaustive()
    }
}

/// Names that are looked up at the same time.
const LOOKUPS: usize = 64;

impl<C: CredentialStore, S: SessionStore> ForwardProxy<C, S> {
    /// A proxy that goes by these rules.
    #[must_use]
    pub fn new(rules: ForwardRules<C, S>, metrics: Arc<Metrics>) -> Self {
        let room = Arc::new(Semaphore::new(rules.limits.connections.min(Semaphore::MAX_PERMITS)));
        Self {
            rules: ArcSwap::from_pointee(rules),
            room,
            lookups: Semaphore::new(LOOKUPS),
            resolver: Arc::new(SystemResolver),
            endings: Arc::default(),
            metrics,
            journal: None,
        }
    }

    /// Refusals are told to this journal, and not to the log alone.
    #[must_use]
    pub fn journal(self, journal: Arc<Journal>) -> Self {
        Self { journal: Some(journal), ..self }
    }

    /// Where it is heard whose sessions were ended: what is open for them ends as well.
    #[must_use]
    pub fn endings(self, endings: Arc<Endings>) -> Self {
        Self { endings, ..self }
    }

    /// Another way to look names up.
    #[must_use]
    pub fn resolver(self, resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver, ..self }
    }

    /// Other rules, for all requests that begin from now on, and for the tunnels that are open: those that would no longer be
    /// allowed end. The number of connections stays what it was.
    pub fn replace(&self, rules: ForwardRules<C, S>) {
        self.rules.store(Arc::new(rules));
    }

    pub(super) fn tunnels(&self) -> &Gauge {
        &self.metrics.tunnels
    }

    /// Answers a request.
    ///
    /// # Errors
    /// None at present: what ends a connection is the failure of a body.
    pub async fn serve(
        self: &Arc<Self>,
        request: Request<RequestBody>,
        info: Arc<ConnectionInfo>,
    ) -> Result<Response<Body>, Abort> {
        let connect = request.method() == Method::CONNECT && info.version != Version::HTTP_2;
        let has_credentials = request.headers().contains_key(PROXY_AUTHORIZATION);
        let mut response = self.answer(request, &info).await;
        let status = response.status();
        // A program that does not wait for the answer to its CONNECT has sent on what was meant for the tunnel, and that may be
        // anybody's words: they must not be read as requests. Who is amid a login does wait.
        let waits = has_credentials && status == StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        if connect && !status.is_success() && !waits {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }

    pub(super) fn count(&self, result: &'static str) {
        self.metrics.proxied.get_or_create(&ResultLabel { result }).inc();
    }

    async fn answer(self: &Arc<Self>, request: Request<RequestBody>, info: &ConnectionInfo) -> Response<Body> {
        let wanted = match check_proxied(&request) {
            Ok(Wanted::Page) => {
                self.count("page");
                return answer(StatusCode::BAD_REQUEST, Message::ProxyPage, request.headers());
            }
            Ok(Wanted::Tunnel(authority) | Wanted::Resource(authority)) => authority,
            Err(refusal) => {
                tracing::debug!(peer = %info.peer, reason = refusal.reason, "request refused");
                self.count("bad-request");
                return answer(refusal.status, Message::Status, request.headers());
            }
        };
        let rules = self.rules.load_full();
        let source = info.peer.ip().to_canonical();
        let connection = Connection { channel: (*info.channel).clone(), address: source };
        let since = self.endings.now();
        match rules.mutual.authenticate(request.headers(), &connection).await {
            Decision::Proven { user, proof } => {
                self.proven(&rules, request, (&wanted, user, since, source), proof, info).await
            }
            Decision::Guest(invitation) => {
                self.count("login-needed");
                with_fields(Answer::from_invitation(&invitation), Message::ProxyLogIn, request.headers())
            }
            Decision::Answer(answer) => {
                self.count("login");
                with_fields(answer, Message::Refused, request.headers())
            }
        }
    }

    /// Serves a user; whatever comes of it has the proxy's proof.
    async fn proven(
        self: &Arc<Self>,
        rules: &ForwardRules<C, S>,
        mut request: Request<RequestBody>,
        (wanted, user, since, source): (&Authority, AuthenticatedUser, Moment, IpAddr),
        proof: Proof,
        info: &ConnectionInfo,
    ) -> Response<Body> {
        // If there is an interim response, the proof belongs into that (RFC 8120 §4.5).
        let interim = info.interim.as_ref().filter(|_| request.headers().contains_key(EXPECT));
        let interim = interim.filter(|interim| interim.arm(&proof.name, &proof.value));
        let fields = request.headers().clone();
        let tunnel = request.method() == Method::CONNECT;
        let served = match order(&request, wanted, (user.clone(), since), source) {
            Err(refused) => Err(refused),
            Ok(order) if tunnel => self.tunnel(rules, &mut request, wanted, order, info).await,
            Ok(order) => self.forward(rules, request, wanted, &order, info).await,
        };
        let mut response = match served {
            Ok(response) => {
                self.count(if tunnel { "tunnel" } else { "request" });
                response
            }
            Err(refused) => self.refuse(refused, (rules, &user, wanted), info, &fields),
        };
        if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            // Between here and the client's server there is no other proxy.
            tracing::debug!(%wanted, "a server answered 407");
            response = answer(StatusCode::BAD_GATEWAY, Message::Status, &fields);
        }
        if !interim.is_some_and(|interim| interim.settle()) {
            response.headers_mut().insert(proof.name, proof.value);
        }
        response
    }

    async fn tunnel(
        self: &Arc<Self>,
        rules: &ForwardRules<C, S>,
        request: &mut Request<RequestBody>,
        wanted: &Authority,
        order: Order,
        info: &ConnectionInfo,
    ) -> Result<Response<Body>, Refused> {
        let addresses = self.addresses(rules, &order).await?;
        let upstream = self.upstream(rules, wanted, addresses.clone())?;
        let io = upstream.connect().await.map_err(Refused::Failed)?.into_inner();
        let client = hyper::upgrade::on(request);
        let user = order.user.name().as_str();
        tracing::info!(user, host = %order.host, port = order.port, peer = %info.peer, "tunnel");
        let over = tunnel::watch(Arc::clone(self), order, addresses, info);
        carry(client, std::future::ready(Ok(io)), rules.limits.idle, info.alive(), over);
        Ok(Response::new(Body::empty()))
    }

    async fn forward(
        self: &Arc<Self>,
        rules: &ForwardRules<C, S>,
        mut request: Request<RequestBody>,
        wanted: &Authority,
        order: &Order,
        info: &ConnectionInfo,
    ) -> Result<Response<Body>, Refused> {
        if has_been_at(request.headers(), &rules.via) {
            return Err(Refused::Bad(StatusCode::LOOP_DETECTED));
        }
        let addresses = self.addresses(rules, order).await?;
        if let Some(response) = last_stop(&mut request)? {
            return Ok(response);
        }
        let upstream = self.upstream(rules, wanted, addresses.clone())?;
        let over =
            |began| Box::pin(tunnel::until_over(Arc::clone(self), order.clone(), addresses.clone(), began)) as Over;
        let context = ForwardContext {
            connection: info,
            authority: wanted,
            policy: &rules.policy,
            add: &[],
            trusted: false,
            over: Some(&over),
        };
        forward(request, &upstream, &context).await.map_err(Refused::Failed)
    }

    fn upstream(
        &self,
        rules: &ForwardRules<C, S>,
        wanted: &Authority,
        addresses: Vec<SocketAddr>,
    ) -> Result<Upstream, Refused> {
        let ForwardLimits { connections, connect, response, idle, .. } = rules.limits;
        let limits = UpstreamLimits {
            connections,
            connect,
            response,
            idle_body: idle,
            idle_tunnel: idle,
            ..UpstreamLimits::default()
        };
        Upstream::at(wanted, addresses, limits, Arc::clone(&self.room)).ok_or(Refused::Bad(StatusCode::BAD_REQUEST))
    }

    /// The addresses that an order may be connected to: by the list, by whoever else decides, and as they were looked up.
    async fn addresses(&self, rules: &ForwardRules<C, S>, order: &Order) -> Result<Vec<SocketAddr>, Refused> {
        let denied =
            |reason: &str| Refused::Denied(Denied { refusal: Refusal::new("target", reason), principal: None });
        if !may_match(&rules.allow, &order.host, order.port) {
            return Err(denied("`allow` of the [[forward-proxy]] does not lead there"));
        }
        rules.authorized(order).map_err(Refused::Denied)?;
        let port = order.port;
        let mut found = match &order.host {
            Host::V4(address) => vec![SocketAddr::from((*address, port))],
            Host::V6(address) => vec![SocketAddr::from((*address, port))],
            Host::Domain(name) => self.look_up(name, order, rules).await.map_err(Refused::Failed)?,
        };
        found.truncate(MAX_ADDRESSES);
        found.retain(|address| address.port() == port && allows(&rules.allow, &order.host, address.ip(), port));
        // Whether the name exists, or where it leads, is nothing to be told to who may not go there.
        if found.is_empty() {
            return Err(denied("`allow` of the [[forward-proxy]] has none of the addresses of this name"));
        }
        Ok(found)
    }

    async fn look_up(
        &self,
        name: &str,
        order: &Order,
        rules: &ForwardRules<C, S>,
    ) -> Result<Vec<SocketAddr>, ProxyError> {
        let (limit, upstream) = (rules.limits.connect, || format!("{}:{}", order.host, order.port).into_boxed_str());
        let lookup = async {
            let _turn = self.lookups.acquire().await;
            self.resolver.resolve(name, order.port).await
        };
        match tokio::time::timeout(limit, lookup).await {
            Ok(Ok(found)) if found.is_empty() => {
                let error = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
                Err(ProxyError::Connect { upstream: upstream(), error })
            }
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => Err(ProxyError::Connect { upstream: upstream(), error }),
            Err(_) => Err(ProxyError::ConnectTimeout { upstream: upstream(), limit }),
        }
    }

    /// Whether what goes on would be allowed by the rules of the moment. If not, that is written down.
    pub(super) fn still_allows(&self, order: &mut Order, addresses: &[SocketAddr]) -> Result<(), Cut> {
        let rules = self.rules.load();
        let user = (order.user.realm(), order.user.name());
        let ended = self.endings.has_ended(user, Some(order.user.session()), &mut order.since);
        let same = order.user.realm() == &rules.mutual.config().realm;
        let listed = addresses.iter().all(|address| allows(&rules.allow, &order.host, address.ip(), order.port));
        let denied = |code, reason: &str| Err(Denied { refusal: Refusal::new(code, reason), principal: None });
        // Whoever is kept out has no sessions either, and the reason is what the log is read for.
        let allowed = match (same, listed) {
            (false, _) => denied("not-configured", "the [[forward-proxy]] takes no such login any more"),
            (_, false) => denied("target", "`allow` of the [[forward-proxy]] no longer leads there"),
            _ => rules.authorized(order),
        };
        let allowed = match allowed {
            Ok(()) if ended => denied("session-ended", "the user was changed"),
            allowed => allowed,
        };
        let Err(denied) = allowed else { return Ok(()) };
        let cut = order.cut.get_or_init(|| {
            let what = if order.path.is_none() { "an open tunnel" } else { "a transfer" };
            let wanted = format!("{}:{}, {what} that is cut", order.host, order.port);
            let id = self.note(&denied, &rules.name, &order.user, &wanted, order.source);
            Cut { refusal: denied.refusal, id }
        });
        Err(cut.clone())
    }
}

impl<C: CredentialStore, S: SessionStore> ForwardRules<C, S> {
    /// Rules for users of `builder`; `authorize` decides beside the list.
    ///
    /// # Errors
    /// [`ConfigError`] if the realm's scope is not the proxy's host name, or something else of the realm cannot work.
    pub fn new(
        config: ForwardProxyConfig,
        builder: &MutualBuilder<C, S>,
        authorize: Option<Authorize>,
    ) -> Result<Self, ConfigError> {
        let ForwardProxyConfig { server, allow, limits } = config;
        let origin = server.origin.clone();
        let via: Arc<str> = format!("{}:{}", origin.host(), origin.port()).into();
        let name = origin.host().to_string();
        let policy = Policy {
            strip: StripList::default(),
            host: HostField::Asked,
            hide_credentials: false,
            hide_answers: false,
            max_body: limits.max_body,
            upgrades: false,
            side: Side::Client(Arc::clone(&via)),
        };
        let mutual = builder.build(ServerConfig { role: Role::Proxy, ..server })?;
        Ok(Self { mutual, allow, limits, authorize, policy, via, name })
    }

    fn authorized(&self, order: &Order) -> Result<(), Denied> {
        let Some(authorize) = &self.authorize else { return Ok(()) };
        authorize(&ProxyRequest {
            user: &order.user,
            host: &order.host,
            port: order.port,
            method: order.method.as_str(),
            path: order.path.as_deref(),
            source: order.source,
        })
    }
}

/// What was decided, with a page for people.
fn with_fields(decided: Answer, message: Message<'_>, fields: &HeaderMap) -> Response<Body> {
    let mut response = answer(decided.status, message, fields);
    response.headers_mut().extend(decided.fields);
    response
}
