//! The long-lived secrets: the client's `pi` and the server's `J(pi)`.

use super::group::{self, GroupError, compress};
use crate::algorithm::{Algorithm, HashFunction};
use crate::credential::{Password, Username};
use crate::octets::push_vs;
use crate::realm::AuthRealm;
use crate::secret::{SecretOctets, secret};
use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

secret! {
    /// `pi`: the client-side credential, derived from the password for one user of one realm (RFC 8120 §12.2).
    ///
    /// It is worth the password for that realm, and for no other.
    pub struct Pi;
}

impl Pi {
    /// `pi = INT(PBKDF2(HMAC_H, password, VS(algorithm) | VS(auth-scope) | VS(realm) | VS(username), nIterPi, hSize / 8))`.
    ///
    /// This is the slow step of a login on purpose: 16,384 iterations.
    #[must_use]
    pub fn derive(realm: &AuthRealm, username: &Username, password: &Password) -> Self {
        let mut salt = Vec::new();
        push_vs(&mut salt, realm.algorithm.as_str().as_bytes());
        push_vs(&mut salt, realm.auth_scope.to_string().as_bytes());
        push_vs(&mut salt, realm.name.as_str().as_bytes());
        push_vs(&mut salt, username.as_str().as_bytes());
        let mut pi = Zeroizing::new(alloc::vec![0; realm.algorithm.hash_len()]);
        let (password, rounds) = (password.as_octets(), Algorithm::N_ITER_PI);
        match realm.algorithm.hash() {
            HashFunction::Sha256 => pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, &salt, rounds, &mut pi),
            HashFunction::Sha512 => pbkdf2::pbkdf2_hmac::<sha2::Sha512>(password, &salt, rounds, &mut pi),
        }
        Self(pi.into())
    }

    /// A `pi` that no password made.
    pub(crate) const fn from_secret(octets: SecretOctets) -> Self {
        Self(octets)
    }

    /// Reads what [`Pi::expose_octets`] gave, for those who keep `pi` themselves. `None` if the length is not that of the
    /// algorithm's hash function.
    #[must_use]
    pub fn from_octets(algorithm: Algorithm, octets: &[u8]) -> Option<Self> {
        (octets.len() == algorithm.hash_len()).then(|| Self(Zeroizing::new(octets.to_vec()).into()))
    }

    /// `OCTETS(pi)`, to check test vectors, and for those who keep `pi` themselves.
    #[must_use]
    pub fn expose_octets(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// `J(pi)`: the server-side credential, the password's verifier (RFC 8121 §3.2, §3.3).
///
/// It does not let anyone log in, but it allows an offline search of weak passwords, and lets its holder pose as the
/// server. Keep it sealed where it is stored.
pub struct J {
    algorithm: Algorithm,
    affine: Zeroizing<Vec<u8>>,
}

/// Octets that are no verifier, or arithmetic that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not an element of the algorithm's group, or one that RFC 8121 excludes.
    #[error("not a key of the algorithm: out of range, not on the curve, or trivial")]
    NotInGroup,
    /// The arithmetic library or the random generator failed.
    #[error("the arithmetic library or the random generator failed")]
    Backend,
}

impl From<GroupError> for KeyError {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::NotInGroup => Self::NotInGroup,
            GroupError::Backend => Self::Backend,
        }
    }
}

impl J {
    /// Computes `J(pi)`: `g^(pi) mod q`, or `[pi] * G`.
    ///
    /// A client does this to register without showing its password to the server.
    ///
    /// # Errors
    /// [`KeyError::NotInGroup`] if `pi` is a multiple of the group's order, which no password gives in practice.
    pub fn from_pi(algorithm: Algorithm, pi: &Pi) -> Result<Self, KeyError> {
        Ok(Self { algorithm, affine: group::of(algorithm).generate(pi.0.as_slice())? })
    }

    /// Reads `OCTETS(J)`, the natural length of the algorithm's elements. On a curve this costs a square root; to load a
    /// verifier for each login, keep [`J::expose_affine`].
    ///
    /// # Errors
    /// [`KeyError::NotInGroup`].
    pub fn from_octets(algorithm: Algorithm, octets: &[u8]) -> Result<Self, KeyError> {
        Ok(Self { algorithm, affine: group::of(algorithm).decode(octets)? })
    }

    /// Reads what [`J::expose_affine`] gave.
    ///
    /// # Errors
    /// [`KeyError::NotInGroup`].
    pub fn from_affine(algorithm: Algorithm, affine: &[u8]) -> Result<Self, KeyError> {
        group::of(algorithm).check_affine(affine)?;
        Ok(Self { algorithm, affine: Zeroizing::new(affine.to_vec()) })
    }

    /// Whether `pi` is the one that this verifier was made from: for a server that was shown the password itself, as by HTTP Basic
    /// (RFC 7617). It computes `J(pi)`, and how long it takes does not say where the two differ.
    ///
    /// # Errors
    /// [`KeyError::Backend`]. A `pi` without a `J(pi)` matches nothing.
    pub fn matches(&self, pi: &Pi) -> Result<bool, KeyError> {
        match Self::from_pi(self.algorithm, pi) {
            Ok(shown) => Ok(bool::from(self.affine.as_slice().ct_eq(shown.affine.as_slice()))),
            Err(KeyError::NotInGroup) => Ok(false),
            Err(KeyError::Backend) => Err(KeyError::Backend),
        }
    }

    /// The algorithm that the verifier belongs to.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `OCTETS(J)`: 33, 66, 256 or 512 octets. Secret: they go to the server's store and nowhere else.
    #[must_use]
    pub fn expose_octets(&self) -> Zeroizing<Vec<u8>> {
        compress(self.algorithm, &self.affine)
    }

    /// The form that is quickest to load: `x | y` on a curve (64 or 132 octets), [`J::expose_octets`] otherwise. Secret.
    #[must_use]
    pub fn expose_affine(&self) -> &[u8] {
        &self.affine
    }
}

impl fmt::Debug for J {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "J({}, secret)", self.algorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realm::{AuthScope, RealmName};

    #[test]
    fn a_verifier_matches_its_own_pi_alone() {
        for algorithm in Algorithm::ALL {
            let auth_scope = AuthScope::parse("example.com").unwrap();
            let realm = AuthRealm { algorithm, auth_scope, name: RealmName::new("staff").unwrap() };
            let pi = |user, password| {
                Pi::derive(&realm, &Username::prepare(user).unwrap(), &Password::prepare(password).unwrap())
            };
            let j = J::from_pi(algorithm, &pi("alice", "secret")).unwrap();
            assert_eq!(j.matches(&pi("alice", "secret")), Ok(true), "{algorithm}");
            assert_eq!(j.matches(&pi("alice", "Secret")), Ok(false), "{algorithm}");
            assert_eq!(j.matches(&pi("bob", "secret")), Ok(false), "{algorithm}");
            // It has no J: the neutral element is not one.
            let zero = Pi::from_octets(algorithm, &alloc::vec![0; algorithm.hash_len()]).unwrap();
            assert_eq!(j.matches(&zero), Ok(false), "{algorithm}");
        }
    }
}
