//! What an assertion says.

use crate::identity::{Identified, IdentityError, Proven};
use serde::Serialize;

/// One request of somebody, to be told to one application.
///
/// | claim | of | is |
/// |---|---|---|
/// | `iss` | RFC 7519 | the issuer of the configuration |
/// | `sub` | RFC 7519 | the principal |
/// | `aud` | RFC 7519 | the audience of the route |
/// | `iat`, `nbf`, `exp` | RFC 7519 | when it was made, the same, when it ends |
/// | `jti` | RFC 7519 | 128 random bits |
/// | `method` | this project | how the sender was proven: `mutual`, `x509`, `raw-key`, `password-tls` |
/// | `amr` | RFC 8176 | `["pwd"]` for the two with a password, `["pop"]` for the two with a key |
/// | `groups` | RFC 9068 | the principal's groups; left out if there are none |
/// | `user`, `realm` | this project | for the two with a password |
/// | `cnf` | RFC 7800 | `x5t#S256` of a certificate (RFC 8705 §3.1), `jkt` of a bare key (RFC 9449 §6.1) |
/// | `htm`, `htu` | RFC 9449 | the method and the URL of the request, as the client asked, without its query |
///
/// `htm` and `htu` keep a token that leaks, as into a log, from serving other requests: an application that compares them needs no
/// memory of tokens.
#[derive(Debug, Clone, Copy)]
pub struct Claims<'a> {
    /// Who sent the request.
    pub who: Identified<'a>,
    /// The application.
    pub audience: &'a str,
    /// The method of the request.
    pub method: &'a http::Method,
    /// The origin that was asked, as `https://www.example.com`.
    pub origin: &'a str,
    /// The path that was asked for, without the query.
    pub path: &'a str,
}

#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: u64,
    nbf: u64,
    exp: u64,
    jti: &'a str,
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amr: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    groups: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    realm: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation<'a>>,
    htm: &'a str,
    htu: String,
}

#[derive(Serialize)]
enum Confirmation<'a> {
    #[serde(rename = "x5t#S256")]
    Certificate(&'a str),
    #[serde(rename = "jkt")]
    Key(&'a str),
}

impl Claims<'_> {
    /// The claims as JSON. `iat` and `life` in seconds.
    pub(super) fn json(&self, iss: &str, jti: &str, iat: u64, life: u64) -> Result<Vec<u8>, IdentityError> {
        let Identified { principal, groups, method, proven } = self.who;
        let (user, realm, cnf) = match proven {
            Proven::User { name, realm } => (Some(name), Some(realm), None),
            Proven::Certificate(shown) => (None, None, Some(Confirmation::Certificate(shown.thumbprint()))),
            Proven::Key(key) => (None, None, Some(Confirmation::Key(key.thumbprint()))),
        };
        let payload = Payload {
            iss,
            sub: principal,
            aud: self.audience,
            iat,
            nbf: iat,
            exp: iat.saturating_add(life),
            jti,
            method,
            amr: match method {
                "mutual" | "password-tls" => Some(["pwd"]),
                "x509" | "raw-key" => Some(["pop"]),
                _ => None,
            },
            groups,
            user,
            realm,
            cnf,
            htm: self.method.as_str(),
            htu: [self.origin, self.path].concat(),
        };
        // Text and numbers: there is nothing in it that JSON could not say.
        serde_json::to_vec(&payload).map_err(|_| IdentityError::Signature)
    }
}
