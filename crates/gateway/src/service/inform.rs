//! What the application is told of who sent a request.

use super::Scene;
use crate::config::ClientCertFields;
use crate::identity::{Claims, Identified, IdentityError, Proven, RawKey, Shown, fields};
use crate::listener::RequestBody;
use crate::proof::{Admitted, Refusal};
use http::{HeaderName, HeaderValue, Request, StatusCode};

/// The fields for the application.
///
/// # Errors
/// [`Refusal`], if it cannot be told all of it: an application that is told half decides wrongly.
pub(super) fn told<C, S>(
    scene: &Scene<'_, C, S>,
    request: &Request<RequestBody>,
    who: &Admitted,
) -> Result<Vec<(HeaderName, HeaderValue)>, Refusal> {
    let refuse = |error: IdentityError| {
        let large = error.status() == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        Refusal::new(if large { "identity-too-large" } else { "identity-unavailable" }, error.to_string())
    };
    let identified = &who.identified;
    let key = identified.spki.as_ref().and_then(|spki| RawKey::new(spki));
    let proven = match (&identified.user, &identified.certificate, &key) {
        (Some((realm, name)), ..) => Proven::User { name: name.as_str(), realm: realm.realm.name.as_str() },
        (None, Some(client), _) => Proven::Certificate(&client.told),
        (None, None, Some(key)) => Proven::Key(key),
        (None, None, None) => {
            let reason = "the bare key has no form that an application could be told";
            return Err(Refusal::new("identity-unavailable", reason));
        }
    };
    let told = Identified { principal: &who.name, groups: who.groups(), method: identified.method.as_str(), proven };
    let names = &scene.rules.names;
    let mut all = fields(names, &told).map_err(refuse)?;
    let shown = match scene.entry.client_cert {
        ClientCertFields::None => Shown::Nothing,
        ClientCertFields::Leaf => Shown::Leaf,
        ClientCertFields::Chain => Shown::Chain,
    };
    if let Some(client) = &identified.certificate {
        all.extend(client.told.fields(shown).map_err(refuse)?);
    }
    if let (Some(audience), Some(signer)) = (&scene.entry.audience, &scene.rules.signer) {
        let claims = Claims {
            who: told,
            audience,
            method: request.method(),
            origin: &scene.place.text,
            path: request.uri().path(),
        };
        all.push((names.assertion.clone(), signer.sign(&claims, scene.now).map_err(refuse)?));
    }
    Ok(all)
}
