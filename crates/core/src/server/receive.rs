//! From the credentials of a request to what is needed to answer it (RFC 8120 §11).

use super::config::{ConfigError, ServerConfig};
use super::reply::{Fault, Invitation, Refusal, Reply, StaleReply};
use super::session::{Session, Verdict};
use crate::algorithm::Algorithm;
use crate::credential::Username;
use crate::grammar::Natural;
use crate::kam3::{J, KeyError, Pi, respond};
use crate::message::{ClientMessage, KexC1, KexS1, Reason, Sid, Terms, VfyC};
use crate::secret::SecretOctets;
use crate::time::Time;
use crate::validation::{Channel, ChannelMismatch, HostValidation, ValidationMethod};
use alloc::boxed::Box;
use alloc::sync::Arc;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// One realm on one server, ready to answer requests.
#[derive(Debug, Clone)]
pub struct Server(pub(super) Arc<Shared>);

/// What requests and sessions share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: ServerConfig,
    /// The verifier of no user: `J` of a random exponent that nobody kept. Sessions of unknown users run on it, so that
    /// they do the same work and look the same.
    nobody: J,
}

/// What a request needs.
#[derive(Debug)]
pub enum Step {
    /// Authentication was not tried. Answer with 401-INIT, or serve the resource with an optional challenge.
    Invite(Invitation),
    /// The credentials are broken. Answer with this.
    Refuse(Refusal),
    /// The client starts a key exchange: fetch the verifier of [`KexRequest::user`].
    NeedCredential(KexRequest),
    /// The client proves itself: fetch the session of [`VfyRequest::sid`].
    NeedSession(VfyRequest),
}

impl Server {
    /// Checks a configuration. `rng` makes the verifier on which sessions of unknown users run.
    ///
    /// # Errors
    /// [`ConfigError`] says what is wrong with the configuration.
    pub fn new(config: ServerConfig, rng: &mut dyn CryptoRng) -> Result<Self, ConfigError> {
        config.check()?;
        let algorithm = config.realm.algorithm;
        let mut exponent = Zeroizing::new(alloc::vec![0; algorithm.hash_len()]);
        rng.fill_bytes(&mut exponent);
        let exponent = Pi::from_secret(SecretOctets::from(exponent));
        let nobody = J::from_pi(algorithm, &exponent).map_err(|_| ConfigError::Backend)?;
        Ok(Self(Arc::new(Shared { config, nobody })))
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &ServerConfig {
        &self.0.config
    }

    /// The verifier of nobody, in affine octets: for a store to load with [`J::from_affine`] where it finds no user, so that
    /// unknown users take as long as known ones. Nobody can log in with it.
    #[must_use]
    pub fn decoy(&self) -> &[u8] {
        self.0.nobody.expose_affine()
    }

    /// A refusal for a reason of the application's own, such as [`Reason::ReauthNeeded`] for a user who has to log in anew or
    /// [`Reason::AuthzFailed`] for one who may not have the resource (RFC 8120 §4.1).
    ///
    /// To an authenticated user, an ordinary 403 with [`super::Accepted::proof`] says the latter with proof.
    ///
    /// # Errors
    /// As [`Server::receive`].
    pub fn refuse(&self, reason: Reason, channel: &Channel) -> Result<Refusal, ChannelMismatch> {
        let vh = HostValidation::new(&self.config().origin, channel)?;
        Ok(self.0.refuse(vh.method(), reason, Fault::Application))
    }

    /// Looks at a request for a resource of this realm.
    ///
    /// `credentials` are the values of all lines of the field [`crate::message::Role::credentials_field`]; `channel` is the
    /// connection on which the request came. A request for another origin than the configured one has to be answered 421
    /// before it comes here.
    ///
    /// # Errors
    /// [`ChannelMismatch`] if the channel does not fit the configured origin: a mistake in the caller's set-up.
    pub fn receive<'a>(
        &self,
        credentials: impl IntoIterator<Item = &'a [u8]>,
        channel: &Channel,
    ) -> Result<Step, ChannelMismatch> {
        let vh = HostValidation::new(&self.config().origin, channel)?;
        let shared = Arc::clone(&self.0);
        Ok(match ClientMessage::read(credentials) {
            Ok(None) => shared.invite(&vh, Fault::NoCredentials),
            Err(error) => Step::Refuse(shared.refuse(vh.method(), Reason::InvalidParameters, error.into())),
            Ok(Some(ClientMessage::KexC1(message))) => match shared.check(message.terms(), &vh) {
                Err(step) => *step,
                Ok(()) => Step::NeedCredential(KexRequest { shared, message }),
            },
            Ok(Some(ClientMessage::VfyC(message))) => match shared.check(message.terms(), &vh) {
                Err(step) => *step,
                Ok(()) => Step::NeedSession(VfyRequest { shared, message, vh }),
            },
        })
    }
}

impl Shared {
    pub(super) fn terms(&self, validation: ValidationMethod) -> Terms {
        Terms {
            algorithm: self.config.realm.algorithm,
            validation,
            auth_scope: Some(self.config.realm.auth_scope.clone()),
            realm: self.config.realm.name.clone(),
        }
    }

    fn invite(&self, vh: &HostValidation, fault: Fault) -> Step {
        let paths = self.config.paths.clone();
        Step::Invite(Invitation::new(self.terms(vh.method()), paths, self.config.role, fault))
    }

    pub(super) fn refuse(&self, validation: ValidationMethod, reason: Reason, fault: Fault) -> Refusal {
        Refusal::new(self.terms(validation), reason, self.config.role, fault)
    }

    pub(super) fn stale(&self, validation: ValidationMethod, fault: Fault) -> Verdict {
        Verdict::Stale(StaleReply::new(self.terms(validation), self.config.role, fault))
    }

    /// The realm is the expected one, and the validation method the one that the connection asks for.
    fn check(&self, terms: &Terms, vh: &HostValidation) -> Result<(), Box<Step>> {
        let found = terms.auth_realm(&self.config.origin);
        if found != self.config.realm {
            return Err(Box::new(self.invite(vh, Fault::OtherRealm(Box::new(found)))));
        }
        if terms.validation != vh.method() {
            let fault = Fault::Validation { found: terms.validation, needed: vh.method() };
            return Err(Box::new(Step::Refuse(self.refuse(vh.method(), Reason::InvalidParameters, fault))));
        }
        Ok(())
    }
}

/// A req-KEX-C1 message for this realm, waiting for the user's verifier.
#[derive(Debug)]
pub struct KexRequest {
    shared: Arc<Shared>,
    message: KexC1,
}

impl KexRequest {
    /// The name that the client gave, to be looked up octet for octet: a store that folds case or trims spaces would let the
    /// client choose the spelling under which the application sees the user. `None` if it cannot be a name; there is
    /// nothing to look up then.
    #[must_use]
    pub const fn user(&self) -> Option<&Username> {
        self.message.user()
    }

    /// The algorithm of the exchange: it decides how long [`KexRequest::answer`] takes.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.shared.config.realm.algorithm
    }

    /// Starts a session.
    ///
    /// `j` is the verifier of [`KexRequest::user`] in this realm, or `None` if there is no such user or it may not log in:
    /// then the session is fake, which only its last answer will show (RFC 8120 §11 note 2). What follows is the same work
    /// for both. What came before is the caller's: to load a verifier takes time that a missing one does not take, so a
    /// store loads [`Server::decoy`] in its place.
    ///
    /// A verifier of another algorithm is a mistake in the store. Its user gets a fake session too, and the log the reason
    /// ([`Fault::Verifier`]).
    ///
    /// # Errors
    /// [`Refusal`] if `K_c1` is not acceptable, or the random generator or the arithmetic failed.
    pub fn answer(self, j: Option<&J>, rng: &mut dyn CryptoRng, now: Time) -> Result<(Session, Reply), Refusal> {
        let Self { shared, message } = self;
        let validation = message.terms.validation;
        let refuse = |reason, fault| shared.refuse(validation, reason, fault);
        let fits = |j: &&J| j.algorithm() == shared.config.realm.algorithm;
        let (verifier, fake) = match j {
            Some(j) if fits(&j) && message.user.is_some() => (j, None),
            Some(j) if !fits(&j) => (&shared.nobody, Some(Fault::Verifier)),
            _ => (&shared.nobody, Some(Fault::UnknownUser)),
        };
        let sid = Sid::random(rng);
        let (k_s1, key) = respond(verifier, &message.k_c1, rng).map_err(|error| match error {
            KeyError::NotInGroup => refuse(Reason::InvalidParameters, Fault::KeyExchange(error)),
            KeyError::Backend => refuse(Reason::InternalError, Fault::KeyExchange(error)),
        })?;
        let config = &shared.config;
        let time = Natural::from(config.time.as_secs());
        let reply = KexS1 {
            // What the client left out stays out: "MUST be the same values as those received" (RFC 8120 §4.3).
            terms: message.terms,
            sid: sid.clone(),
            k_s1,
            nc_max: Natural::from(config.nc_max),
            nc_window: Natural::from(config.nc_window),
            time,
            paths: config.paths.clone(),
        };
        let reply = Reply { status: config.role.status(), field: reply.to_field(config.role) };
        Ok((Session::new(Arc::clone(&shared), sid, message.user, fake, key, validation, now.after(time)), reply))
    }
}

/// A req-VFY-C message for this realm, waiting for its session.
#[derive(Debug)]
pub struct VfyRequest {
    pub(super) shared: Arc<Shared>,
    pub(super) message: VfyC,
    pub(super) vh: HostValidation,
}

impl VfyRequest {
    /// The session that the client means. It is to be looked up among those of this server and this realm.
    #[must_use]
    pub const fn sid(&self) -> &Sid {
        self.message.sid()
    }

    /// The verdict if there is no such session.
    #[must_use]
    pub fn no_session(&self) -> Verdict {
        self.shared.stale(self.vh.method(), Fault::NoSession)
    }

    /// The `vh` of the connection on which the request came.
    #[must_use]
    pub const fn host_validation(&self) -> &HostValidation {
        &self.vh
    }
}
