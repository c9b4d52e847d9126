//! What is sent: small JSON objects with exactly their members.

use crate::listener::{RequestBody, RequestBodyError};
use base64ct::{Base64, Encoding as _};
use http::StatusCode;
use http_body_util::BodyExt as _;
use serde::Deserialize;
use std::borrow::Cow;
use std::time::Duration;
use tagai_core::credential::Username;
use tagai_core::realm::AuthRealm;
use tagai_store::invitation::InvitationCode;
use zeroize::{Zeroize as _, Zeroizing};

/// The largest body, in octets. A verifier has 688 characters at most, and names 1024 octets.
const MAX_BODY: usize = 8 << 10;
/// What is larger is not read to its end, so that its connection ends. Up to here it is read and thrown away: some clients do not see
/// an answer that comes before they have sent everything.
const MAX_READ: u64 = 64 << 10;
/// How long all of it may take; the listener has its own limit for standing still.
const PATIENCE: Duration = Duration::from_secs(30);

/// It is not what it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// Reads a whole body.
///
/// # Errors
/// The status to answer with.
pub(super) async fn read(mut body: RequestBody) -> Result<Zeroizing<Vec<u8>>, StatusCode> {
    if http_body::Body::size_hint(&body).lower() > MAX_READ {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    body.set_limit(MAX_READ);
    // Whole from the beginning, so that no copy is left behind when it grows.
    let mut octets = Zeroizing::new(Vec::with_capacity(MAX_BODY));
    let mut fits = true;
    let all = async {
        while let Some(frame) = body.frame().await {
            if let Some(data) = frame?.data_ref() {
                fits &= octets.len().saturating_add(data.len()) <= MAX_BODY;
                if fits {
                    octets.extend_from_slice(data);
                }
            }
        }
        Ok::<_, RequestBodyError>(())
    };
    match tokio::time::timeout(PATIENCE, all).await {
        Ok(Ok(())) if fits => Ok(octets),
        Ok(Ok(()) | Err(RequestBodyError::TooLarge(_))) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(RequestBodyError::Client(_))) => Err(StatusCode::BAD_REQUEST),
        Ok(Err(RequestBodyError::Idle(_))) | Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// Reads a body that is of no use, as far as it is not too large.
pub(super) async fn discard(body: RequestBody) {
    // Whatever is wrong with it, the answer is another one.
    let _ = read(body).await;
}

/// A realm, as its challenge names it (RFC 8120 §4.1).
#[derive(Debug)]
pub(super) struct RealmName<'a> {
    name: Cow<'a, str>,
    scope: Cow<'a, str>,
    algorithm: Cow<'a, str>,
}

impl RealmName<'_> {
    /// Whether it names this one.
    #[must_use]
    pub(super) fn is(&self, realm: &AuthRealm) -> bool {
        self.name == realm.name.as_str()
            && self.scope == realm.auth_scope.to_string()
            && self.algorithm == realm.algorithm.as_str()
    }
}

/// Somebody with an invitation asks to be registered.
pub(super) struct AskedRegistration<'a> {
    /// Where.
    pub(super) realm: RealmName<'a>,
    /// As whom.
    pub(super) user: Username,
    /// With which code.
    pub(super) invitation: InvitationCode,
    /// What should be a verifier.
    pub(super) verifier: Zeroizing<Vec<u8>>,
}

/// Somebody asks for another password.
pub(super) struct AskedChange {
    /// What should be a verifier.
    pub(super) verifier: Zeroizing<Vec<u8>>,
    /// What should bind the request to it.
    pub(super) binding: Zeroizing<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WireRegistration<'a> {
    #[serde(borrow)]
    realm: Cow<'a, str>,
    #[serde(borrow)]
    auth_scope: Cow<'a, str>,
    #[serde(borrow)]
    algorithm: Cow<'a, str>,
    #[serde(borrow)]
    user: Cow<'a, str>,
    #[serde(borrow)]
    invitation: Cow<'a, str>,
    #[serde(borrow)]
    verifier: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireChange<'a> {
    #[serde(borrow)]
    verifier: Cow<'a, str>,
    #[serde(borrow)]
    binding: Cow<'a, str>,
}

/// Reads `{"realm", "auth-scope", "algorithm", "user", "invitation", "verifier"}`.
///
/// # Errors
/// [`Malformed`].
pub(super) fn registration(octets: &[u8]) -> Result<AskedRegistration<'_>, Malformed> {
    let wire: WireRegistration<'_> = serde_json::from_slice(octets).map_err(|_| Malformed)?;
    let verifier = secret(wire.verifier, base64);
    let invitation = secret(wire.invitation, |text| InvitationCode::parse(text).map_err(|_| Malformed));
    let realm = RealmName { name: wire.realm, scope: wire.auth_scope, algorithm: wire.algorithm };
    let user = Username::prepare(&wire.user).map_err(|_| Malformed)?;
    Ok(AskedRegistration { realm, user, invitation: invitation?, verifier: verifier? })
}

/// Reads `{"verifier", "binding"}`.
///
/// # Errors
/// [`Malformed`].
pub(super) fn password_change(octets: &[u8]) -> Result<AskedChange, Malformed> {
    let wire: WireChange<'_> = serde_json::from_slice(octets).map_err(|_| Malformed)?;
    let (verifier, binding) = (secret(wire.verifier, base64), secret(wire.binding, base64));
    Ok(AskedChange { verifier: verifier?, binding: binding? })
}

fn base64(text: &str) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    Base64::decode_vec(text).map(Zeroizing::new).map_err(|_| Malformed)
}

/// Reads a text, and wipes it if it is a copy: one with escapes is.
fn secret<T>(text: Cow<'_, str>, read: impl FnOnce(&str) -> T) -> T {
    let value = read(&text);
    if let Cow::Owned(mut copy) = text {
        copy.zeroize();
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"realm":"Staff","auth-scope":"example.com","algorithm":"iso-kam3-ec-p256-sha256",
        "user":"alice","invitation":"o123-4567-89ab-cdef-ghjk","verifier":"AQID\/w=="}"#;

    #[test]
    fn a_registration_is_read() {
        let read = registration(GOOD.as_bytes()).unwrap();
        assert_eq!((read.user.as_str(), read.verifier.as_slice()), ("alice", &[1, 2, 3, 0xff][..]));
        assert_eq!(*read.invitation.expose_text(), "0123-4567-89AB-CDEF-GHJK");
        let realm = |algorithm: &str, scope: &str, name: &str| AuthRealm {
            algorithm: algorithm.parse().unwrap(),
            auth_scope: tagai_core::realm::AuthScope::parse(scope).unwrap(),
            name: tagai_core::realm::RealmName::new(name).unwrap(),
        };
        assert!(read.realm.is(&realm("iso-kam3-ec-p256-sha256", "example.com", "Staff")));
        for (algorithm, scope, name) in [
            ("iso-kam3-ec-p521-sha512", "example.com", "Staff"),
            ("iso-kam3-ec-p256-sha256", "*.example.com", "Staff"),
            ("iso-kam3-ec-p256-sha256", "example.com", "staff"),
        ] {
            assert!(!read.realm.is(&realm(algorithm, scope, name)), "{algorithm} {scope} {name}");
        }
    }

    #[test]
    fn what_is_no_registration_is_refused() {
        for (old, new) in [
            (GOOD, ""),
            (GOOD, "[]"),
            (GOOD, "{}"),
            ("\"Staff\"", "7"),
            ("\"Staff\"", "null"),
            ("\"realm\":\"Staff\",", ""),
            ("\"realm\":\"Staff\",", "\"realm\":\"Staff\",\"realm\":\"Staff\","),
            ("\"realm\":\"Staff\",", "\"realm\":\"Staff\",\"more\":1,"),
            ("\"alice\"", "\"\""),
            ("\"alice\"", "\"a\\u0007b\""),
            ("ghjk", "ghj"),
            ("ghjk", "ghju"),
            ("w==", "w="),
            ("w==", "w"),
            ("w==", "x=="),
            ("AQID", "AQ D"),
            ("}", "} {}"),
        ] {
            let text = GOOD.replace(old, new);
            assert!(registration(text.as_bytes()).is_err(), "{text}");
        }
        assert!(registration(&[GOOD.as_bytes(), b"\xff"].concat()).is_err());
    }

    #[test]
    fn a_change_is_read_or_refused() {
        let read = password_change(br#"{"binding":"AQ==","verifier":"Ag=="}"#).unwrap();
        assert_eq!((read.verifier.as_slice(), read.binding.as_slice()), (&[2][..], &[1][..]));
        for text in ["{}", r#"{"verifier":"Ag=="}"#, r#"{"verifier":"Ag==","binding":"AQ==","user":"bob"}"#] {
            assert_eq!(password_change(text.as_bytes()).err(), Some(Malformed), "{text}");
        }
    }
}
