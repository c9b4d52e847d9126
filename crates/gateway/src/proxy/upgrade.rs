//! Requests for another protocol on their connection (RFC 9110 §7.8), and its beginning.

use super::body::{Body, Driver};
use super::error::ProxyError;
use super::fields;
use super::forward::{ForwardContext, Policy};
use super::over::Over;
use super::tunnel;
use super::upstream::{Protocol, Upstream};
use crate::listener::RequestBody;
use http::header::{self, HeaderValue};
use http::{Method, Response, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

/// The protocol that the client wants to switch to, with hyper's promise, if that is allowed and possible.
pub(super) fn wanted_upgrade(
    parts: &mut http::request::Parts,
    body: &RequestBody,
    upstream: &Upstream,
    policy: &Policy,
) -> Option<(HeaderValue, OnUpgrade)> {
    let on = parts.extensions.remove::<OnUpgrade>();
    let http1 = parts.version == Version::HTTP_11 && upstream.protocol == Protocol::Http1;
    if !policy.upgrades || !http1 || !body.is_end_stream() || parts.method != Method::GET {
        return None;
    }
    let protocol = parts.headers.get(header::UPGRADE)?;
    // "h2c" would be a second HTTP server behind the gateway's back.
    if fields::lists(&parts.headers, &header::UPGRADE, "h2c")
        || !fields::lists(&parts.headers, &header::CONNECTION, "upgrade")
    {
        return None;
    }
    Some((protocol.clone(), on?))
}

/// The upstream has switched protocols.
pub(super) fn switch(
    mut response: Response<Incoming>,
    driver: Driver,
    upgrade: Option<(HeaderValue, OnUpgrade)>,
    upstream: &Upstream,
    context: &ForwardContext<'_>,
    ends: Option<Over>,
) -> Result<Response<Body>, ProxyError> {
    let Some((_, client)) = upgrade else {
        return Err(ProxyError::Switch { upstream: upstream.name().into() });
    };
    let to = response.headers().get(header::UPGRADE).cloned();
    let there = hyper::upgrade::on(&mut response);
    if let Driver::Inline(inline) = driver
        && let Some(detached) = inline.0.detach()
    {
        detached.release();
    }
    tunnel::run(client, there, upstream.limits.idle_tunnel, context.connection.alive(), ends);
    let fields = response.headers_mut();
    fields::remove_hop_by_hop(fields);
    if context.policy.hide_answers {
        fields::hide_answers(fields);
    }
    fields.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    if let Some(to) = to {
        fields.insert(header::UPGRADE, to);
    }
    Ok(response.map(|_| Body::empty()))
}
