//! Passwords over TLS, for clients that know nothing better: HTTP Basic (RFC 7617), held against the verifiers of HTTP Mutual.
//!
//! It is the weaker proof: the client shows the password to whoever has a certificate that it accepts, and learns nothing about the
//! server but that certificate. So it is off unless a route asks for it, and it never happens without TLS.
//!
//! ```text
//! Authorization ─► credentials ─► right a moment ago? ─► under way? ─► guard (429) ─► place (503) ─► store ─► PBKDF2, J(pi) = J?
//!                  (400)          └─ proven              └─ wait for it                                       (401)
//! ```
//!
//! Guesses are paid for in advance, as key exchanges are, and from the same purse. Unknown users cost the same work as known ones,
//! and get the same answer.

mod check;
mod credentials;
mod decision;
mod fault;
mod passwords;
mod recent;

/// The door for fuzzing: the user name and the password in lines of the credentials field.
///
/// # Errors
/// [`MalformedBasic`], if there are credentials and they are broken.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub fn read_basic<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<(String, String)>, MalformedBasic> {
    let read = BasicCredentials::read(lines)?;
    Ok(read.map(|read| (read.user().to_owned(), read.password().to_owned())))
}

pub use credentials::MalformedBasic;
pub use decision::{BasicDecision, PasswordUser};
pub use fault::{PasswordFault, PasswordTlsError};
pub use passwords::{PasswordLimits, Passwords};

use crate::clock::Clock;
use crate::connection::Connection;
use crate::decision::{Answer, header};
use crate::event::{Event, Observer};
use crate::guard::{Admission, Guard};
use check::{Admitted, Guess};
use credentials::BasicCredentials;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};
use passwords::{Landing, Outcome, Start};
use std::sync::Arc;
use std::time::Duration;
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::J;
use tagai_core::message::Field;
use tagai_core::realm::{AuthRealm, Scheme};
use tagai_core::server::{ConfigError, Server, ServerConfig};
use tagai_core::validation::Channel;
use tagai_store::{CredentialStore, Owner};

/// One realm on one server, for clients that show passwords over TLS. Clones share everything.
pub struct PasswordTls<C>(Arc<Inner<C>>);

impl<C> Clone for PasswordTls<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Inner<C> {
    server: Server,
    /// The verifier on which unknown users are checked.
    nobody: Arc<J>,
    credentials_field: HeaderName,
    credentials: Arc<C>,
    guard: Arc<Guard>,
    passwords: Arc<Passwords>,
    clock: Clock,
    observer: Arc<dyn Observer>,
}

impl<C> std::fmt::Debug for PasswordTls<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordTls").field("server", &self.0.server).finish_non_exhaustive()
    }
}

/// Why a password is not checked.
enum Stop {
    Busy,
    TooMany(Duration),
}

impl<C: CredentialStore> PasswordTls<C> {
    pub(crate) fn new(
        config: ServerConfig,
        credentials: Arc<C>,
        guard: Arc<Guard>,
        passwords: Arc<Passwords>,
        clock: Clock,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, PasswordTlsError> {
        if config.origin.scheme() != Scheme::Https {
            return Err(PasswordTlsError::NoTls(config.origin));
        }
        let credentials_field = HeaderName::from_bytes(config.role.credentials_field().as_bytes());
        let credentials_field = credentials_field.unwrap_or(http::header::AUTHORIZATION);
        let algorithm = config.realm.algorithm;
        let server = Server::new(config, &mut UnwrapErr(SysRng))?;
        let nobody = J::from_affine(algorithm, server.decoy()).map_err(|_| ConfigError::Backend)?;
        let nobody = Arc::new(nobody);
        Ok(Self(Arc::new(Inner {
            server,
            nobody,
            credentials_field,
            credentials,
            guard,
            passwords,
            clock,
            observer,
        })))
    }

    /// The realm and its server.
    #[must_use]
    pub fn config(&self) -> &ServerConfig {
        self.0.server.config()
    }

    /// The field in which clients send the password. Whoever serves the request must not see it, and it has to be taken out.
    #[must_use]
    pub fn credentials_field(&self) -> &HeaderName {
        &self.0.credentials_field
    }

    /// The challenge, for a 401 (407 for a proxy) that asks for a password beside other proofs (RFC 7617 §2, with `charset` of §2.1).
    /// There is none for a connection without TLS.
    #[must_use]
    pub fn challenge(&self, connection: &Connection) -> Option<HeaderValue> {
        header(&self.challenge_field(connection)?).map(|(_, value)| value)
    }

    /// The answer to a guest where nothing but a password lets in: 401 (407 for a proxy) with the challenge, and 403 without TLS.
    #[must_use]
    pub fn ask(&self, connection: &Connection) -> Answer {
        match self.challenge_field(connection) {
            Some(field) => Answer::new(self.config().role.status(), &[field]),
            None => Answer::new(403, &[]),
        }
    }

    /// What was right for this user has to be checked again, in all realms that share [`Passwords`].
    pub fn forget_user(&self, realm: &AuthRealm, user: &Username) {
        self.0.passwords.forget_user(realm, user);
    }

    /// Says what becomes of a request with these fields.
    ///
    /// The request was made for the configured origin; one for another has to be answered 421 before it comes here. Where a route takes
    /// Mutual as well, this is asked first: it leaves alone what is not Basic.
    pub async fn authenticate(&self, fields: &HeaderMap, connection: &Connection) -> BasicDecision {
        let lines = fields.get_all(&self.0.credentials_field).iter().map(HeaderValue::as_bytes);
        let credentials = match BasicCredentials::read(lines) {
            Ok(None) => return BasicDecision::Guest,
            Ok(Some(credentials)) => Ok(credentials),
            Err(error) => Err(error),
        };
        if connection.channel == Channel::Plain {
            // Whoever reads the log should know whose password was shown to the whole network.
            let name = credentials.ok().and_then(|shown| Username::prepare(shown.user()).ok());
            return self.refuse(403, name.as_ref(), &PasswordFault::NoTls, connection);
        }
        let credentials = match credentials {
            Ok(credentials) => credentials,
            Err(error) => return self.refuse(400, None, &PasswordFault::Malformed(error), connection),
        };
        // What no user can be called, and no password can be, needs no check, and is no guess.
        let name = match Username::prepare(credentials.user()) {
            Ok(name) => name,
            Err(error) => return self.wrong(None, &PasswordFault::Name(error), connection),
        };
        let password = match Password::prepare(credentials.password()) {
            Ok(password) => password,
            Err(error) => return self.wrong(Some(&name), &PasswordFault::Password(error), connection),
        };
        let realm = &self.config().realm;
        let shown = self.0.passwords.shown(realm, &name, credentials.password(), connection.address);
        drop(credentials);
        let now = self.0.clock.now();
        match self.0.passwords.start(&shown, now, || self.admit(&name, connection, now)) {
            Start::Fresh => self.proven(name),
            Start::Wait(landing) => self.landed(landing, name, connection).await,
            Start::Check(ticket, landing, admitted) => {
                if let Admitted::After(delay, _) = &admitted {
                    self.observe(connection, &Event::Slowed { user: Some(&name), delay: Some(*delay) });
                }
                let guess = Guess { name: name.clone(), password, address: connection.address };
                // It goes on if the client goes away: what was paid for is given back if it was right.
                drop(tokio::spawn(check::check(Arc::clone(&self.0), ticket, guess, admitted)));
                self.landed(landing, name, connection).await
            }
            Start::Stop(Stop::Busy) => self.busy(Some(&name), connection),
            Start::Stop(Stop::TooMany(wait)) => {
                self.observe(connection, &Event::Slowed { user: Some(&name), delay: None });
                BasicDecision::Answer(later(429, wait))
            }
        }
    }

    /// A place first, and then the guard: a guess that nobody has time for is not paid for.
    fn admit(&self, name: &Username, connection: &Connection, now: tagai_core::time::Time) -> Result<Admitted, Stop> {
        let place = self.0.passwords.place().ok_or(Stop::Busy)?;
        let owner = Owner::of(connection.address);
        match self.0.guard.admit(owner, &self.config().realm, Some(name), now) {
            Admission::Now => Ok(Admitted::Now(place)),
            // Who is held back takes nobody's place.
            Admission::After(delay, permit) => Ok(Admitted::After(delay, permit)),
            Admission::Refused(wait) => Err(Stop::TooMany(wait)),
        }
    }

    /// Waits for a check.
    async fn landed(&self, mut landing: Landing, name: Username, connection: &Connection) -> BasicDecision {
        let outcome = match landing.wait_for(Option::is_some).await {
            Ok(outcome) => *outcome,
            // The check panicked, or the runtime is shutting down.
            Err(_) => None,
        };
        match outcome {
            Some(Outcome::Right) => self.proven(name),
            Some(Outcome::Wrong) => BasicDecision::Answer(self.ask(connection)),
            Some(Outcome::Busy) => BasicDecision::Answer(later(503, Duration::from_secs(1))),
            Some(Outcome::Failed) | None => BasicDecision::Answer(Answer::new(500, &[])),
        }
    }

    fn proven(&self, name: Username) -> BasicDecision {
        BasicDecision::Proven(PasswordUser::new(name, self.config().realm.clone()))
    }

    fn wrong(&self, name: Option<&Username>, fault: &PasswordFault, connection: &Connection) -> BasicDecision {
        self.observe(connection, &Event::PasswordRefused { user: name, fault });
        BasicDecision::Answer(self.ask(connection))
    }

    /// Refuses without a challenge.
    fn refuse(
        &self,
        status: u16,
        name: Option<&Username>,
        fault: &PasswordFault,
        connection: &Connection,
    ) -> BasicDecision {
        self.observe(connection, &Event::PasswordRefused { user: name, fault });
        BasicDecision::Answer(Answer::new(status, &[]))
    }

    fn busy(&self, name: Option<&Username>, connection: &Connection) -> BasicDecision {
        self.observe(connection, &Event::PasswordRefused { user: name, fault: &PasswordFault::Busy });
        BasicDecision::Answer(later(503, Duration::from_secs(1)))
    }

    fn challenge_field(&self, connection: &Connection) -> Option<Field> {
        if connection.channel == Channel::Plain {
            return None;
        }
        let config = self.config();
        let mut value = String::from("Basic realm=\"");
        for character in config.realm.name.as_str().chars() {
            if matches!(character, '"' | '\\') {
                value.push('\\');
            }
            value.push(character);
        }
        value.push_str("\", charset=\"UTF-8\"");
        Some(Field { name: config.role.challenge_field(), value })
    }

    fn observe(&self, connection: &Connection, event: &Event<'_>) {
        self.0.observer.observe(self.config(), connection.address, event);
    }
}

/// It can be tried again in so long. There is no challenge: the password is not at fault, and a browser would ask for another.
fn later(status: u16, wait: Duration) -> Answer {
    let mut answer = Answer::new(status, &[]);
    answer.fields.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    answer
}
