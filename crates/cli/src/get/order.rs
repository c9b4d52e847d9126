//! What the command line asks for, looked at before anything is sent.

use super::trouble::Trouble;
use super::upload::Upload;
use crate::commands::get::Args;
use crate::password;
use http::Method;
use http::header::{CONTENT_TYPE, USER_AGENT};
use std::path::Path;
use tagai_client::core::credential::{Password, Username};
use tagai_client::{Client, ClientBuilder, Error, Request, Url};
use zeroize::Zeroizing;

const FORM: &str = "application/x-www-form-urlencoded";
const AGENT: &str = concat!("tagai/", env!("CARGO_PKG_VERSION"));

/// A request as the command line has it.
pub(crate) struct Order {
    pub(crate) url: Url,
    pub(crate) user: Option<Username>,
    /// From standard input; for `password-tls`, from the terminal as well.
    pub(crate) password: Option<Zeroizing<String>>,
    password_tls: bool,
    pub(crate) method: Method,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Upload>,
    pub(crate) require_proof: bool,
}

impl Order {
    pub(crate) fn new(args: &Args) -> Result<Self, Trouble> {
        let url = Url::parse(&args.url).map_err(Error::from).map_err(Trouble::from)?;
        if args.password_stdin && args.data.as_deref() == Some("@-") {
            return Err(Trouble::usage("--password-stdin and -d @- both read standard input")
                .help("put the body into a file and give that with -d @FILE"));
        }
        let user = args.user.as_deref().map(user_name).transpose()?;
        let method = match (&args.method, &args.data) {
            (Some(name), _) => Method::from_bytes(name.as_bytes())
                .map_err(|_| Trouble::usage(format!("{name:?} is not a method of HTTP")).help("as in: -X PUT"))?,
            (None, Some(_)) => Method::POST,
            (None, None) => Method::GET,
        };
        let mut headers = args.headers.iter().map(|field| header(field)).collect::<Result<Vec<_>, _>>()?;
        let given = |headers: &[(String, String)], name: &str| {
            headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name))
        };
        if args.data.is_some() && !given(&headers, CONTENT_TYPE.as_str()) {
            headers.push((CONTENT_TYPE.to_string(), FORM.to_owned()));
        }
        if !given(&headers, USER_AGENT.as_str()) {
            headers.push((USER_AGENT.to_string(), AGENT.to_owned()));
        }
        if args.password_tls && !url.is_https() {
            return Err(Trouble::usage(
                "--password-tls sends the password, and the URL is http: everybody on the way would read it",
            )
            .help("ask by https; or leave out --password-tls, and no password is sent"));
        }
        let password = match &user {
            _ if args.password_stdin => Some(password()?),
            Some(user) if args.password_tls => Some(to_be_sent(user, &url)?),
            _ => None,
        };
        let body = args.data.as_deref().map(Upload::open).transpose()?;
        let Args { password_tls, require_proof, .. } = *args;
        Ok(Self { url, user, password, password_tls, method, headers, body, require_proof })
    }

    /// Whether the server should be proven before the body is shown to it, if there is anybody to log in.
    pub(crate) fn wants_login_first(&self) -> bool {
        !self.password_tls && self.body.as_ref().is_some_and(|body| body.is_stream() || self.require_proof)
    }

    /// The request that goes before one with a body.
    pub(crate) fn login_first(&self, client: &Client) -> Request {
        let described = |name: &str| name.get(..8).is_some_and(|begin| begin.eq_ignore_ascii_case("content-"));
        let headers = self.headers.iter().filter(|(name, _)| !described(name));
        let request = client.request(Method::HEAD, &self.url.to_string());
        headers.fold(request, |request, (name, value)| request.header(name, value))
    }

    /// The request itself.
    pub(crate) fn request(&mut self, client: &Client) -> Request {
        let request = client.request(self.method.clone(), &self.url.to_string());
        let request = self.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let request = match (&self.user, &self.password) {
            (Some(user), Some(password)) if self.password_tls => request.password_tls(user.as_str(), password),
            _ => request,
        };
        let request = match self.body.take() {
            Some(body) => request.body(body),
            None => request,
        };
        if self.require_proof { request.require_proof() } else { request }
    }
}

/// A client that trusts whom the command line says.
pub(crate) fn trusting(cacert: Option<&Path>, url: &Url) -> Result<ClientBuilder, Trouble> {
    let usage = |error: tagai_client::UsageError| Trouble::from(Error::from(error));
    match cacert {
        Some(path) => {
            let pem = std::fs::read(path).map_err(|error| {
                Trouble::usage(format!("cannot read {}: {error}", path.display()))
                    .help("--cacert FILE names a file of certificates in PEM")
            })?;
            Client::builder().add_root_pem(&pem).map_err(usage)
        }
        None => match Client::builder().native_roots() {
            Err(error) if url.is_https() => Err(usage(error)),
            // A redirect may lead to https; if it does, nobody is trusted.
            Err(_) => Ok(Client::builder()),
            Ok(builder) => Ok(builder),
        },
    }
}

pub(crate) fn user_name(typed: &str) -> Result<Username, Trouble> {
    if typed.contains(':') {
        // What curl takes for a password would go out as a part of the name, and stand in logs.
        return Err(Trouble::usage("--user takes a name alone, and there is a colon in it")
            .help("the password is asked for, or read with --password-stdin"));
    }
    Username::prepare(typed).map_err(|error| Trouble::usage(format!("{typed:?} cannot be a user name: {error}")))
}

/// The password from standard input, where it can be one.
fn password() -> Result<Zeroizing<String>, Trouble> {
    let needed = |message: &str| {
        Trouble::new(super::trouble::Kind::Login, message)
            .help("--password-stdin takes one line, the password: printf '%s\\n' \"$PASSWORD\" | tagai get ...")
    };
    let line = password::from_stdin().map_err(|failure| needed(failure.message()))?;
    Password::prepare(&line).map_err(|error| needed(&format!("this password cannot be used: {error}")))?;
    Ok(line)
}

/// The password for `password-tls`, which goes out with the first request.
fn to_be_sent(user: &Username, url: &Url) -> Result<Zeroizing<String>, Trouble> {
    let asked = password::ask(&format!("Password of {user}, which is sent to {}: ", url.origin()));
    asked.map_err(|failure| {
        Trouble::new(super::trouble::Kind::Login, failure.message())
            .help("--password-stdin reads it from standard input")
    })
}

/// `Name: value`. Whether HTTP allows both, the client says.
fn header(field: &str) -> Result<(String, String), Trouble> {
    let wrong = || {
        // What stands there may be a secret.
        Trouble::usage("a header field (-H) has a name, a colon and a value").help("as in: -H 'Accept: text/plain'")
    };
    let (name, value) = field.split_once(':').ok_or_else(wrong)?;
    if name.is_empty() {
        return Err(wrong());
    }
    Ok((name.to_owned(), value.trim().to_owned()))
}
