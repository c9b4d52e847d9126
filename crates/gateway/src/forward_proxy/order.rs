//! What a user wants of the proxy, by the request.

use super::refuse::Refused;
use crate::listener::RequestBody;
use crate::proof::Moment;
use crate::proxy::{Body, Cut};
use http::header::MAX_FORWARDS;
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use tagai_core::realm::Host;
use tagai_server::AuthenticatedUser;

/// What a user wants, for as long as it goes on.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) user: AuthenticatedUser,
    /// Until when nobody had ended the user's sessions.
    pub(super) since: Moment,
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) method: Method,
    pub(super) path: Option<String>,
    pub(super) source: IpAddr,
    /// What has ended it: the request and its response are asked about apart, and written down once.
    pub(super) cut: Arc<OnceLock<Cut>>,
}

/// What a request wants, in the terms of rules.
pub(super) fn order(
    request: &Request<RequestBody>,
    wanted: &Authority,
    (user, since): (AuthenticatedUser, Moment),
    source: IpAddr,
) -> Result<Order, Refused> {
    // An address that is written in another way than the usual is nobody's name.
    let host = wanted.host();
    let host =
        Host::parse(host.strip_suffix('.').unwrap_or(host)).map_err(|_| Refused::Bad(StatusCode::BAD_REQUEST))?;
    let method = request.method().clone();
    if method == Method::TRACE {
        return Err(Refused::Bad(StatusCode::METHOD_NOT_ALLOWED));
    }
    let path = (method != Method::CONNECT).then(|| request.uri().path().to_owned());
    Ok(Order { user, since, host, port: wanted.port_u16().unwrap_or(80), method, path, source, cut: Arc::default() })
}

/// `Max-Forwards` (RFC 9110 §7.6.2): the answer, if a request goes no further than here.
pub(super) fn last_stop(request: &mut Request<RequestBody>) -> Result<Option<Response<Body>>, Refused> {
    if request.method() != Method::OPTIONS {
        return Ok(None);
    }
    let Some(left) = request.headers().get(MAX_FORWARDS) else { return Ok(None) };
    let left = left.to_str().ok().and_then(|left| left.parse::<u32>().ok());
    match left.ok_or(Refused::Bad(StatusCode::BAD_REQUEST))? {
        0 => Ok(Some(Response::new(Body::empty()))),
        left => {
            request.headers_mut().insert(MAX_FORWARDS, HeaderValue::from(left - 1));
            Ok(None)
        }
    }
}
