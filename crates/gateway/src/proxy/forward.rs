//! The way of one request.

use super::body::{Body, Driver};
use super::error::ProxyError;
use super::fields::{self, StripList};
use super::http2;
use super::link::Failure;
use super::outbound::{Outbound, Upload};
use super::over::{Over, ROUND};
use super::upgrade::{switch, wanted_upgrade};
use super::upstream::{Protocol, Upstream};
use crate::listener::{ConnectionInfo, RequestBody};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::Authority;
use http::{Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use std::fmt::Write as _;
use std::sync::Arc;
use std::task::Poll;
use tokio::time::Instant;

/// What the upstream is told as its host.
#[derive(Debug, Clone, Default)]
pub enum Host {
    /// What the client asked for.
    #[default]
    Asked,
    /// The host of the upstream's URL.
    Upstream,
    /// Something else.
    Fixed(HeaderValue),
}

/// On whose behalf requests are forwarded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Side {
    /// A site's: its application is told whom a request comes from.
    #[default]
    Site,
    /// A client's: servers are told nothing but the name of the proxy, in `Via`. What begins with `Proxy-` ends here in both
    /// directions, and what both ends say to each other for authentication passes.
    Client(Arc<str>),
}

impl Side {
    fn via(&self) -> Option<&str> {
        match self {
            Self::Site => None,
            Self::Client(name) => Some(name),
        }
    }
}

/// What is the same for all requests of a route.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Fields that only the gateway may set; removed from requests in every spelling.
    pub strip: StripList,
    /// The upstream's idea of its host.
    pub host: Host,
    /// `Authorization` of the scheme Mutual and `Proxy-Authorization` end here.
    pub hide_credentials: bool,
    /// What the upstream says in the gateway's name (proofs, challenges of the scheme Mutual) ends here.
    pub hide_answers: bool,
    /// Octets of a request's body.
    pub max_body: u64,
    /// Whether connections may become tunnels (`Upgrade`, such as WebSocket).
    pub upgrades: bool,
    /// On whose behalf it is.
    pub side: Side,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            strip: StripList::default(),
            host: Host::Asked,
            hide_credentials: true,
            hide_answers: true,
            max_body: u64::MAX,
            upgrades: true,
            side: Side::Site,
        }
    }
}

/// What is known of one request beside itself.
#[derive(Clone, Copy)]
pub struct ForwardContext<'a> {
    /// The connection that it came on.
    pub connection: &'a ConnectionInfo,
    /// What [`check`](super::check) gave.
    pub authority: &'a Authority,
    /// The route's rules.
    pub policy: &'a Policy,
    /// Fields to set, after all that is stripped.
    pub add: &'a [(HeaderName, HeaderValue)],
    /// Whether the peer is a proxy that is trusted to say whom it forwards for. If not, what it says is dropped.
    pub trusted: bool,
    /// Makes what ends it, if anything may, while it goes on since the time that is given: for bodies and tunnels.
    pub over: Option<&'a (dyn Fn(Instant) -> Over + Send + Sync)>,
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Other names under which applications look for the same.
const X_FORWARDED_OTHERS: [HeaderName; 7] = [
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("true-client-ip"),
    // By these some frameworks serve another page than the one that was asked for.
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-rewrite-url"),
];

/// Sends a request to an upstream and gives its response, the body of which is still on its way.
///
/// # Errors
/// [`ProxyError`], with the full reason for the log and a status for the client.
pub async fn forward(
    request: Request<RequestBody>,
    upstream: &Upstream,
    context: &ForwardContext<'_>,
) -> Result<Response<Body>, ProxyError> {
    let (mut parts, mut body) = request.into_parts();
    let policy = context.policy;
    let received = parts.version;
    if body.size_hint().lower() > policy.max_body {
        return Err(ProxyError::TooLarge(policy.max_body));
    }
    body.set_limit(policy.max_body);

    let upgrade = wanted_upgrade(&mut parts, &body, upstream, policy);
    let trailers = fields::lists(&parts.headers, &header::TE, "trailers");
    let expects = fields::lists(&parts.headers, &header::EXPECT, "100-continue");
    prepare_fields(&mut parts.headers, context, upstream, received)?;

    let target = upstream.target(&parts.uri).ok_or(ProxyError::Request("the path is too long"))?;
    let http1 = upstream.protocol == Protocol::Http1;
    if http1 {
        parts.version = Version::HTTP_11;
        parts.uri = Uri::from(target);
        if let Some((protocol, _)) = &upgrade {
            parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            parts.headers.insert(header::UPGRADE, protocol.clone());
        } else if trailers {
            parts.headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
            parts.headers.insert(header::TE, HeaderValue::from_static("trailers"));
        }
    } else {
        parts.version = Version::HTTP_2;
        let host = parts.headers.remove(header::HOST);
        let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
        parts.uri = Uri::builder()
            .scheme(if upstream.secure() { "https" } else { "http" })
            .authority(authority.unwrap_or_else(|| upstream.authority.clone()))
            .path_and_query(target)
            .build()
            .map_err(|_| ProxyError::Request("the target cannot be said in HTTP/2"))?;
        if trailers {
            parts.headers.insert(header::TE, HeaderValue::from_static("trailers"));
        }
    }

    // The client's body is read, and thereby asked for with "100 Continue", only when the upstream asks for it. hyper
    // tells about interim responses in HTTP/1 alone.
    let wait = (expects && http1 && received != Version::HTTP_10).then_some(upstream.limits.continue_wait);
    let began = Instant::now();
    let over = || context.over.map(|make| make(began));
    let (body, upload) = Outbound::new(body, policy.strip.clone(), wait, over);
    if !body.has_body() || !http1 {
        parts.headers.remove(header::EXPECT);
    }
    let mut request = Request::from_parts(parts, body);
    if let Some(upload) = upload.as_ref().filter(|_| wait.is_some()) {
        let upload = Arc::clone(upload);
        hyper::ext::on_informational(&mut request, move |interim| {
            if interim.status() == StatusCode::CONTINUE {
                upload.asked_for();
            }
        });
    }

    let mut ends = if upload.is_some() { over() } else { None };
    let (mut response, driver) = match &mut ends {
        None => send(request, upstream, upload.as_deref()).await?,
        // The application may read nothing more of it, so that nobody asks the body.
        Some(ends) => tokio::select! {
            sent = send(request, upstream, upload.as_deref()) => sent?,
            cut = ends => return Err(ProxyError::over(cut)),
        },
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let mut ends = over();
        // It may have been waited for.
        if let Some(ends) = &mut ends
            && began.elapsed() >= ROUND
            && let Poll::Ready(cut) = std::future::poll_fn(|cx| Poll::Ready(ends.as_mut().poll(cx))).await
        {
            return Err(ProxyError::over(cut));
        }
        return switch(response, driver, upgrade, upstream, context, ends);
    }
    let version = response.version();
    let fields = response.headers_mut();
    fields::remove_hop_by_hop(fields);
    if policy.hide_answers {
        fields::hide_answers(fields);
    }
    if policy.side != Side::Site {
        fields::remove_proxy_fields(fields);
    }
    fields::add_via(fields, version, policy.side.via());
    // The version is the client's business, and hyper's.
    *response.version_mut() = Version::HTTP_11;
    let idle = upstream.limits.idle_body;
    Ok(response.map(|incoming| {
        let ends = ends.or_else(|| if incoming.is_end_stream() { None } else { over() });
        Body::upstream(incoming, driver, idle, ends.map(|ends| (began, ends)))
    }))
}

/// Removes and sets fields.
fn prepare_fields(
    fields: &mut HeaderMap,
    context: &ForwardContext<'_>,
    upstream: &Upstream,
    received: Version,
) -> Result<(), ProxyError> {
    let policy = context.policy;
    fields::remove_hop_by_hop(fields);
    policy.strip.strip(fields);
    if policy.hide_credentials {
        fields::hide_credentials(fields);
    }
    if received == Version::HTTP_2 {
        fields::join_cookies(fields);
    }
    fields::add_via(fields, received, policy.side.via());
    match policy.side {
        Side::Site => set_forwarded(fields, context)?,
        Side::Client(_) => fields::remove_proxy_fields(fields),
    }
    let host = match &policy.host {
        Host::Asked => asked(fields, context.authority)?,
        Host::Upstream => upstream.host_field.clone(),
        Host::Fixed(host) => host.clone(),
    };
    fields.insert(header::HOST, host);
    for (name, value) in context.add {
        fields.insert(name.clone(), value.clone());
    }
    Ok(())
}

/// The authority as a field value; most often it stands in the request already.
fn asked(fields: &HeaderMap, authority: &Authority) -> Result<HeaderValue, ProxyError> {
    match fields.get(header::HOST) {
        Some(host) if host.as_bytes() == authority.as_str().as_bytes() => Ok(host.clone()),
        _ => HeaderValue::from_str(authority.as_str()).map_err(|_| ProxyError::Request("the host cannot be sent")),
    }
}

/// Puts an element behind those of a list, on one line: many applications read only the first.
fn extend_list(fields: &mut HeaderMap, name: HeaderName, element: HeaderValue) {
    let mut all = Vec::new();
    for line in fields.get_all(&name) {
        all.extend_from_slice(line.as_bytes());
        all.extend_from_slice(b", ");
    }
    all.extend_from_slice(element.as_bytes());
    // What was in fields, with a comma between, can stand in one.
    fields.insert(name, HeaderValue::from_maybe_shared(bytes::Bytes::from(all)).unwrap_or(element));
}

/// `Forwarded` (RFC 7239) and what came before it.
fn set_forwarded(fields: &mut HeaderMap, context: &ForwardContext<'_>) -> Result<(), ProxyError> {
    let connection = context.connection;
    let proto = if connection.tls.is_some() { "https" } else { "http" };
    let host = asked(fields, context.authority)?;
    let wrong = |_| ProxyError::Request("the host cannot be sent");
    let mut element = String::with_capacity(64 + host.len());
    let ip = connection.peer.ip().to_canonical();
    let _ = match ip.is_ipv6() {
        true => write!(element, "for=\"[{ip}]\";host=\""),
        false => write!(element, "for={ip};host=\""),
    };
    let _ = write!(element, "{}\";proto={proto}", context.authority);
    let forwarded = HeaderValue::from_maybe_shared(bytes::Bytes::from(element)).map_err(wrong)?;
    let address = connection.peer_field.clone();
    if context.trusted {
        extend_list(fields, header::FORWARDED, forwarded);
        extend_list(fields, X_FORWARDED_FOR, address);
        // A proxy that does not see to these lets pass what its client wrote. Both are known here: what proofs are bound to.
        fields.insert(X_FORWARDED_HOST, host);
        fields.insert(X_FORWARDED_PROTO, HeaderValue::from_static(proto));
        return Ok(());
    }
    for name in &X_FORWARDED_OTHERS {
        fields.remove(name);
    }
    if fields.keys().any(fields::is_doubtful) {
        StripList::new([X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO].into_iter().chain(X_FORWARDED_OTHERS))
            .strip(fields);
    }
    fields.insert(header::FORWARDED, forwarded);
    fields.insert(X_FORWARDED_FOR, address);
    fields.insert(X_FORWARDED_HOST, host);
    fields.insert(X_FORWARDED_PROTO, HeaderValue::from_static(proto));
    Ok(())
}

/// Whether a request may be sent twice without being meant twice (RFC 9110 §9.2.2), and can be.
fn is_repeatable(request: &Request<Outbound>) -> bool {
    !request.body().has_body() && request.method().is_idempotent()
}

/// Sends the request. It is sent again only if a connection that others had used before turns out to be closed.
async fn send(
    request: Request<Outbound>,
    upstream: &Upstream,
    upload: Option<&Upload>,
) -> Result<(Response<Incoming>, Driver), ProxyError> {
    let limit = upstream.limits.response;
    let mut request = request;
    let mut fresh = false;
    loop {
        let failure;
        let copy;
        let reused;
        if upstream.protocol == Protocol::Http1 {
            let mut link;
            (link, reused) = upstream.link(fresh).await?;
            copy = (reused && is_repeatable(&request)).then(|| copy_of(&request));
            match link.exchange(request, upload, limit).await {
                Ok(response) => {
                    let unsent = upload.is_some_and(|upload| !upload.is_done());
                    let driver = match upload {
                        // Nobody asked for the body, so there is only one direction. The connection ends with it.
                        Some(upload) if unsent && !upload.abandon() => match link.detach() {
                            Some(detached) => Driver::Task(detached),
                            None => Driver::None,
                        },
                        _ => Driver::Inline(Box::new((link, Arc::clone(&upstream.pool)))),
                    };
                    return Ok((response, driver));
                }
                Err(error) => failure = error,
            }
        } else {
            let mut sender;
            (sender, reused) = upstream.multiplexed.sender(upstream).await?;
            copy = (reused && is_repeatable(&request)).then(|| copy_of(&request));
            match http2::exchange(&mut sender, request, upload, limit).await {
                Ok(response) => return Ok((response, Driver::None)),
                Err(error) => failure = error,
            }
        }
        if let Some(error) = upload.and_then(Upload::failure) {
            return Err(error);
        }
        match failure {
            Failure::Timeout => return Err(ProxyError::ResponseTimeout { upstream: upstream.name().into(), limit }),
            // None of it was sent, so it can be sent to somebody else.
            Failure::Broken(_, Some(unsent)) if !fresh => request = *unsent,
            Failure::Broken(error, _) => match copy {
                Some(copy) if !fresh && was_closed(&error) => request = copy,
                _ => return Err(ProxyError::from_hyper(upstream.name(), error)),
            },
        }
        fresh = true;
    }
}

/// The upstream had closed the connection, and did not say anything to this request.
fn was_closed(error: &hyper::Error) -> bool {
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return true;
    }
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            use std::io::ErrorKind as K;
            return matches!(error.kind(), K::ConnectionReset | K::BrokenPipe | K::ConnectionAborted);
        }
        cause = error.source();
    }
    false
}

fn copy_of(request: &Request<Outbound>) -> Request<Outbound> {
    let mut copy = Request::new(Outbound::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    copy
}
