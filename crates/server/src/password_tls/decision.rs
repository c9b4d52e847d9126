//! What becomes of a request that may carry a password.

use crate::decision::Answer;
use std::sync::Arc;
use tagai_core::credential::Username;
use tagai_core::realm::AuthRealm;

/// What becomes of a request.
#[derive(Debug)]
pub enum BasicDecision {
    /// There are no credentials of HTTP Basic: another proof may do, or the client is asked with [`crate::PasswordTls::challenge`].
    Guest,
    /// The password is the user's.
    Proven(PasswordUser),
    /// Answer with this, and with nothing else; to a 401, challenges for other proofs may be added.
    Answer(Answer),
}

/// A user who showed the right password over TLS. Nothing but [`crate::PasswordTls`] makes one.
///
/// It is another type than [`crate::AuthenticatedUser`], because less is proven: somebody who was shown the password before could be
/// the sender, and the user cannot tell who it was shown to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordUser(Arc<(Username, AuthRealm)>);

impl PasswordUser {
    pub(super) fn new(name: Username, realm: AuthRealm) -> Self {
        Self(Arc::new((name, realm)))
    }

    /// The name, prepared.
    #[must_use]
    pub fn name(&self) -> &Username {
        &self.0.0
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &AuthRealm {
        &self.0.1
    }
}
