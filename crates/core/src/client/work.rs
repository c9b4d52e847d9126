//! The arithmetic of a login, apart from everything else, so that it can run on another thread.

use super::fatal::Fatal;
use super::sequence::{Context, Sequence};
use super::states::{ClientSession, Proving, SentKexC1, SentVfyC, State};
use crate::credential::{Password, Username};
use crate::kam3::{ClientExchange, KeyError, Pi};
use crate::message::{KexS1, Terms};
use crate::realm::AuthRealm;
use crate::time::Time;
use crate::validation::HostValidation;
use alloc::sync::Arc;
use rand_core::CryptoRng;

/// What a user logs in with: a name and a password, or the name and the `pi` that was made of it.
#[derive(Debug)]
pub struct Credential {
    user: Username,
    secret: Secret,
}

#[derive(Debug)]
enum Secret {
    Password(Password),
    Pi(Pi),
    /// One that is remembered, which stays the same login.
    Known(Known),
}

impl Credential {
    /// A password. It is dropped as soon as `pi` is derived.
    #[must_use]
    pub const fn password(user: Username, password: Password) -> Self {
        Self { user, secret: Secret::Password(password) }
    }

    /// A `pi` that was derived earlier, for this user and the realm that the credential will be used in.
    #[must_use]
    pub const fn pi(user: Username, pi: Pi) -> Self {
        Self { user, secret: Secret::Pi(pi) }
    }

    /// The user's name.
    #[must_use]
    pub const fn user(&self) -> &Username {
        &self.user
    }

    pub(super) fn into_known(self, realm: &AuthRealm) -> Known {
        let pi = match self.secret {
            Secret::Password(password) => Pi::derive(realm, &self.user, &password),
            Secret::Pi(pi) => pi,
            Secret::Known(known) => return known,
        };
        Known { user: self.user, pi: Some(Arc::new(pi)), id: Arc::new(()) }
    }
}

/// The login of a user: the name, and `pi` if it is at hand. A session that was stored comes back without it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) user: Username,
    pi: Option<Arc<Pi>>,
    /// Tells one login from the next, were they of one user with one password.
    id: Arc<()>,
}

impl Known {
    pub(super) fn without_pi(user: Username) -> Self {
        Self { user, pi: None, id: Arc::new(()) }
    }

    /// Whether both are of the same login.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.id, &other.id)
    }

    /// What another key exchange can be made with.
    pub(super) fn credential(&self) -> Option<Credential> {
        self.pi.is_some().then(|| Credential { user: self.user.clone(), secret: Secret::Known(self.clone()) })
    }
}

/// Arithmetic that has to be done before the next request can be sent: milliseconds for a password and for the large
/// groups. It takes no lock and needs nothing of the [`super::Client`].
#[derive(Debug)]
#[must_use = "the sequence goes on with what Work::run returns"]
pub struct Work {
    context: Context,
    task: Task,
}

#[derive(Debug)]
enum Task {
    /// Derive `pi` if need be, and choose `K_c1`.
    Exchange { terms: Terms, realm: AuthRealm, credential: Credential },
    /// Compute `z`.
    Finish { sent: SentKexC1, answer: KexS1, vh: HostValidation, received: Time },
}

impl Work {
    pub(super) const fn exchange(context: Context, terms: Terms, realm: AuthRealm, credential: Credential) -> Self {
        Self { context, task: Task::Exchange { terms, realm, credential } }
    }

    pub(super) const fn finish(
        context: Context,
        sent: SentKexC1,
        answer: KexS1,
        vh: HostValidation,
        received: Time,
    ) -> Self {
        Self { context, task: Task::Finish { sent, answer, vh, received } }
    }

    /// Does the work. What comes out is to be sent.
    ///
    /// # Errors
    /// [`Fatal::KeyExchange`] if the server's value is not acceptable.
    pub fn run(self, rng: &mut dyn CryptoRng) -> Result<Sequence, Fatal> {
        let Self { context, task } = self;
        let state = match task {
            Task::Exchange { terms, realm, credential } => {
                let known = credential.into_known(&realm);
                let exchange = ClientExchange::start(terms.algorithm, rng)?;
                State::KexC1(SentKexC1 { terms, realm, known, exchange })
            }
            Task::Finish { sent: SentKexC1 { terms, realm, known, exchange }, answer, vh, received } => {
                let pi = known.pi.as_ref().ok_or(KeyError::Backend)?;
                let key = exchange.finish(pi, &answer.k_s1)?;
                let session = ClientSession::new(terms, realm, key, answer, received);
                State::VfyC(SentVfyC::new(Arc::new(session), known, vh, Proving::Fresh))
            }
        };
        Ok(Sequence { context, state })
    }
}
