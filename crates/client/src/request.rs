//! A request of the user, on its way through redirects.

use crate::body::{Body, Bound};
use crate::client::Client;
use crate::error::{Error, RedirectError, UsageError};
use crate::reply::{Hop, Reply};
use crate::sequence::{self, Demand};
use crate::url::Url;
use base64ct::{Base64, Encoding as _};
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, LOCATION, PROXY_AUTHORIZATION};
use http::{Method, StatusCode};
use tagai_core::kam3::Binding;
use zeroize::Zeroizing;

/// What the client, or HTTP below it, sets by itself.
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// What is the caller's to show to one server and is not carried to another.
const OF_ONE_ORIGIN: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// A request to be completed and sent; see [`Client::request`].
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    client: Client,
    method: Method,
    url: Result<Url, Error>,
    headers: HeaderMap,
    fault: Option<UsageError>,
    body: Body,
    bound: Option<Bound>,
    demand: Demand,
}

impl Request {
    pub(crate) fn new(client: &Client, method: Method, url: &str) -> Self {
        let demand = client.inner().demand;
        let fault = (method == Method::CONNECT).then(|| UsageError::Method(method.to_string()));
        let url = Url::parse(url).map_err(Error::from);
        let (headers, body) = (HeaderMap::new(), Body::empty());
        Self { client: client.clone(), method, url, headers, fault, body, bound: None, demand }
    }

    /// Adds a header field. What is wrong with it comes out when the request is sent.
    ///
    /// `Cookie` and `Authorization` go to the URL's server alone, and not to where it redirects. A login of this client takes
    /// the place of an `Authorization` field that is given here.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let parts = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_ref()));
        match parts {
            (Ok(name), Ok(_)) if RESERVED.contains(&name.as_str()) => {
                self.fault = Some(UsageError::ReservedHeader(name.to_string()));
            }
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(OF_ONE_ORIGIN.contains(&name));
                if self.headers.try_append(name, value).is_err() {
                    self.fault = Some(UsageError::Limit("the room for header fields"));
                }
            }
            // The value may be a secret and is not shown.
            _ => self.fault = Some(UsageError::Header(name.escape_debug().to_string())),
        }
        self
    }

    /// Sends the user's name and password (`password-tls`: the scheme Basic of RFC 7617, in UTF-8), over `https` and to the URL's server
    /// alone. This is the weaker way: the server, and whoever has broken into it, learns the password, and proves nothing of its own.
    /// It is for servers and users that cannot do better; without this call no password ever leaves the client.
    ///
    /// What is wrong with it comes out when the request is sent.
    pub fn password_tls(mut self, user: &str, password: &str) -> Self {
        match self.url.as_ref().map(|url| basic(url, user, password)) {
            Ok(Ok(field)) => drop(self.headers.insert(AUTHORIZATION, field)),
            Ok(Err(why)) => self.fault = Some(UsageError::PasswordTls(why)),
            // That comes first.
            Err(_) => {}
        }
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self.bound = None;
        self
    }

    /// Sets a body that is bound to the very request that proves the user, by `b_2` over `t` (RFC 8120 §13): `make` gets that value,
    /// for each such request anew. The requests before it, of a login, have no body.
    ///
    /// A server that computes the same knows that whoever proved the request made the body. With [`Request::require_proof`] it goes to a
    /// proven server alone. It is not sent to where the server redirects.
    pub fn bound_body(
        mut self,
        t: impl Into<Vec<u8>>,
        make: impl Fn(&Binding) -> Body + Send + Sync + 'static,
    ) -> Self {
        self.body = Body::empty();
        self.bound = Some(Bound::new(t.into(), make));
        self
    }

    /// The answer must come from a proven server, and the body goes to no other: where no login is needed, that is an
    /// [`Error::NotProven`].
    pub const fn require_proof(mut self) -> Self {
        self.demand = Demand::Always;
        self
    }

    /// An answer without proof is accepted as the answer of anybody, even where the user is logged in and a proof is expected
    /// (UNAUTHENTICATED of RFC 8120 §10.1): for public pages beside protected ones, on servers that do not say which are which.
    pub const fn allow_unproven(mut self) -> Self {
        self.demand = Demand::Never;
        self
    }

    /// Sends the request, logs in if need be, and follows redirects of GET and HEAD.
    ///
    /// # Errors
    /// [`Error`] says what happened and what to do; see [`Error::kind`]. Where the server had to be proven and was not,
    /// nothing of its answer is left.
    pub async fn send(self) -> Result<Reply, Error> {
        let Self { client, mut method, url, mut headers, fault, mut body, mut bound, demand } = self;
        if let Some(fault) = fault {
            return Err(fault.into());
        }
        let inner = client.inner();
        let mut url = url?;
        let mut hops = Vec::new();
        loop {
            let user_request = sequence::UserRequest {
                url: &url,
                method: &method,
                headers: &headers,
                body: &body,
                bound: bound.as_ref(),
                demand,
            };
            let mut reply = sequence::run(inner, &user_request).await?;
            let Some((next, next_method)) = redirect(&reply, &method).filter(|_| inner.max_redirects > 0) else {
                reply.hops = hops;
                return Ok(reply);
            };
            let next = url.join(&next).map_err(RedirectError::from)?;
            if hops.len() >= inner.max_redirects {
                return Err(RedirectError::TooMany(inner.max_redirects, next.to_string()).into());
            }
            if url.is_https() && !next.is_https() {
                return Err(RedirectError::Downgrade(next.to_string()).into());
            }
            if url.origin() != next.origin() {
                OF_ONE_ORIGIN.iter().for_each(|name| drop(headers.remove(name)));
            }
            bound = None;
            if next_method != method {
                // What described the body goes with it (RFC 9110 §15.4).
                body = Body::empty();
                let described = headers.keys().filter(|name| name.as_str().starts_with("content-"));
                let described: Vec<HeaderName> = described.cloned().collect();
                described.iter().for_each(|name| drop(headers.remove(name)));
            }
            hops.push(Hop {
                url: std::mem::replace(&mut url, next),
                status: reply.status(),
                proof: reply.proof().clone(),
            });
            method = next_method;
            reply.content.discard().await;
        }
    }
}

/// Where a response leads by itself, and by which method: GET and HEAD go on as they are, and 303 makes a GET of anything
/// (RFC 9110 §15.4). Other requests would be repeated, which is for the caller to decide.
fn redirect(reply: &Reply, method: &Method) -> Option<(String, Method)> {
    let safe = *method == Method::GET || *method == Method::HEAD;
    let next = match reply.status() {
        StatusCode::SEE_OTHER if !safe => Method::GET,
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT
            if safe =>
        {
            method.clone()
        }
        _ => return None,
    };
    let mut locations = reply.headers().get_all(LOCATION).iter();
    // Two locations lead nowhere.
    let (location, None) = (locations.next()?, locations.next()) else { return None };
    Some((std::str::from_utf8(location.as_bytes()).ok()?.to_owned(), next))
}

/// The credentials of the scheme Basic (RFC 7617 §2).
fn basic(url: &Url, user: &str, password: &str) -> Result<HeaderValue, &'static str> {
    if !url.is_https() {
        return Err("the URL is http, and everybody on the way would read it");
    }
    if user.contains(':') {
        return Err("the user's name has a colon, which Basic takes for its end");
    }
    if [user, password].iter().any(|text| text.chars().any(char::is_control)) {
        return Err("there is a control character in the name or the password");
    }
    let plain = Zeroizing::new([user, password].join(":"));
    let encoded = Zeroizing::new(Base64::encode_string(plain.as_bytes()));
    let field = Zeroizing::new(["Basic ", &encoded].concat());
    let mut field = HeaderValue::try_from(field.as_str()).map_err(|_| "it cannot be a header field")?;
    field.set_sensitive(true);
    Ok(field)
}
