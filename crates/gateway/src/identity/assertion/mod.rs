//! A signed assertion for each request (RFC 7519): an application that checks it need not trust the network between it and the gateway.
//!
//! The keys are parsed once, and the token's header is made once. `jsonwebtoken`, which judges the tokens in the tests, parses a key
//! anew for each token, and what it can keep cannot be shared by threads; so the signature is AWS-LC's.

mod claims;
mod file;
mod keys;
mod published;

pub use claims::Claims;
pub use file::{KeyFile, KeyFileError, Rotated};
pub use keys::{AssertionKeys, KeyKind, KeysError, MAX_KEYS};
pub use published::{JWKS_MAX_AGE, JWKS_PATH, jwks_response};

use super::IdentityError;
use super::jwk::base64url;
use bytes::Bytes;
use http::HeaderValue;
use std::time::Duration;

/// How long a token may be, in octets. Common application servers take no line of more than 8 KiB.
pub const MAX_TOKEN: usize = 7 << 10;

/// Signs assertions, and says by which keys they are checked.
pub struct Signer {
    keys: AssertionKeys,
    issuer: String,
    life: Duration,
    /// The first part of each token, with the dot after it.
    head: String,
    jwks: Bytes,
}

impl Signer {
    /// Signs by the first of these keys, and publishes all of them. `issuer` becomes `iss`; `life`, in whole seconds and at least
    /// one, goes from `iat` to `exp`.
    #[must_use]
    pub fn new(keys: AssertionKeys, issuer: impl Into<String>, life: Duration) -> Self {
        let first = keys.signing();
        let head = format!(r#"{{"alg":"{}","kid":"{}","typ":"JWT"}}"#, first.kind().alg(), first.id());
        let head = base64url(head.as_bytes()) + ".";
        let jwks = keys.jwks().into();
        Self { keys, issuer: issuer.into(), life: life.max(Duration::from_secs(1)), head, jwks }
    }

    /// The public keys as a JWK set (RFC 7517 §5).
    #[must_use]
    pub fn jwks(&self) -> Bytes {
        self.jwks.clone()
    }

    /// The keys.
    #[must_use]
    pub const fn keys(&self) -> &AssertionKeys {
        &self.keys
    }

    /// Signs an assertion. `now` is the time since 1970.
    ///
    /// # Errors
    /// [`IdentityError::Assertion`] above [`MAX_TOKEN`]; [`IdentityError::Signature`] if the random generator or the signature fails.
    pub fn sign(&self, claims: &Claims<'_>, now: Duration) -> Result<HeaderValue, IdentityError> {
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| IdentityError::Signature)?;
        let payload = claims.json(&self.issuer, &base64url(&id), now.as_secs(), self.life.as_secs())?;
        let mut token = String::with_capacity(self.head.len() + payload.len() * 4 / 3 + 96);
        token.push_str(&self.head);
        token.push_str(&base64url(&payload));
        let signature = self.keys.signing().sign(token.as_bytes()).ok_or(IdentityError::Signature)?;
        token.push('.');
        token.push_str(&base64url(signature.as_ref()));
        if token.len() > MAX_TOKEN {
            return Err(IdentityError::Assertion { octets: token.len() });
        }
        let mut value = HeaderValue::try_from(token).map_err(|_| IdentityError::Signature)?;
        // Whoever has it is taken for the user until it expires.
        value.set_sensitive(true);
        Ok(value)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { keys, issuer, life, .. } = self;
        f.debug_struct("Signer")
            .field("keys", keys)
            .field("issuer", issuer)
            .field("life", life)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
