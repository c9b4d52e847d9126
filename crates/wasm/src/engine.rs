//! The client's state for a whole browser.

use crate::answer::{Login, Received, Send, Sends, Why};
use crate::context::Context;
use crate::error::EngineError;
use crate::input::{Head, Typed, origin, realm, target};
use crate::table::{Numbers, Table};
use base64ct::{Base64, Encoding as _};
use getrandom::rand_core::CryptoRng;
use std::collections::BTreeMap;
use tagai_core::client::{AuthRequired, Fatal, Next, Outcome, Response, Sequence, Step};
use tagai_core::kam3::{J, Pi};
use tagai_core::realm::{AuthRealm, Scheme};
use tagai_core::time::Time;
use tagai_core::validation::{Channel, ValidationMethod};

/// The most contexts.
pub const MAX_CONTEXTS: usize = 1024;
/// The most requests that wait for their answers.
pub const MAX_SEQUENCES: usize = 4096;
/// The most questions that wait for the user.
pub const MAX_ASKS: usize = 1024;
/// The longest name of a context.
const MAX_NAME: usize = 256;
/// The longest wait that a browser's timer takes, in milliseconds: 2^31 - 1.
const MAX_TIMER: u32 = i32::MAX.unsigned_abs();

/// All contexts, with what is under way in them.
///
/// Time is an argument, and must not go backwards; so is randomness. A realm is named by its three parts: name, `auth-scope` and
/// algorithm.
#[derive(Debug)]
pub struct Engine {
    contexts: BTreeMap<String, Context>,
    numbers: Numbers,
    sequences: Table<Waiting>,
    asks: Table<Asked>,
}

/// A request that is to be sent, or has been.
#[derive(Debug)]
struct Waiting {
    context: String,
    scheme: Scheme,
    sequence: Sequence,
}

/// A question to the user.
#[derive(Debug)]
struct Asked {
    context: String,
    scheme: Scheme,
    required: AuthRequired<()>,
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine {
    /// Nobody is logged in.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            contexts: BTreeMap::new(),
            numbers: Numbers::new(),
            sequences: Table::new("sequence", MAX_SEQUENCES),
            asks: Table::new("question", MAX_ASKS),
        }
    }

    /// Begins a request's sequence.
    ///
    /// # Errors
    /// [`EngineError`] if the context or the origin is none.
    pub fn begin(
        &mut self,
        context: &str,
        origin: &str,
        path: &str,
        now: Time,
        rng: &mut dyn CryptoRng,
    ) -> Result<Send, EngineError> {
        let target = target(origin, path)?;
        let known = self.context(context)?;
        known.sweep(now);
        let next = known.client.begin(&target, now).map_err(Fatal::from)?;
        self.send(context, target.origin.scheme(), next, rng)
    }

    /// Begins a sequence that proves what the user typed, by a new key exchange.
    ///
    /// # Errors
    /// [`EngineError`], if what was typed cannot be used or the realm is none of the origin's.
    #[expect(clippy::too_many_arguments, reason = "they are those of `api.ts`, and time and randomness")]
    pub fn begin_as(
        &mut self,
        context: &str,
        origin: &str,
        path: &str,
        (name, scope, algorithm): (&str, &str, &str),
        typed: &Typed,
        now: Time,
        rng: &mut dyn CryptoRng,
    ) -> Result<Send, EngineError> {
        let (target, realm) = (target(origin, path)?, realm(name, scope, algorithm)?);
        let credential = typed.credential()?;
        let known = self.context(context)?;
        known.sweep(now);
        let next = known.client.begin_as(&target, &realm, credential, now)?;
        self.send(context, target.origin.scheme(), next, rng)
    }

    /// The value of `Authorization`, if there is any. The number of a proof is given out here, or by [`Engine::bind`].
    ///
    /// # Errors
    /// [`EngineError::Gone`].
    pub fn field(&mut self, sequence: u32) -> Result<Option<String>, EngineError> {
        Ok(self.sequences.get_mut(sequence)?.sequence.field().map(|field| field.value))
    }

    /// `b_2` over `t`, in Base64 (RFC 8120 §13).
    ///
    /// # Errors
    /// [`EngineError::NoProof`] if the request proves nothing, [`EngineError::Gone`].
    pub fn bind(&mut self, sequence: u32, t: &[u8]) -> Result<String, EngineError> {
        let binding = self.sequences.get_mut(sequence)?.sequence.b_2(t).ok_or(EngineError::NoProof)?;
        Ok(Base64::encode_string(binding.expose_octets()))
    }

    /// Judges a response. Its sequence is over; one that goes on has another number.
    ///
    /// # Errors
    /// [`EngineError`] if the sequence is gone. What a server did wrong is [`Received::Fatal`].
    pub fn receive(
        &mut self,
        sequence: u32,
        head: &Head,
        now: Time,
        rng: &mut dyn CryptoRng,
    ) -> Result<Received, EngineError> {
        let Waiting { context, scheme, sequence } = self.sequences.take(sequence)?;
        let to = Sends::from(sequence.sends());
        if to == Sends::Normal && !head.concerns_us() {
            // Nothing of it is bound to the connection, which need not be known.
            return Ok(Received::Unauthenticated { to });
        }
        let certificate = |detail: String| Ok(Received::Fatal { why: Why::Certificate, detail });
        let channel = match (scheme, &head.certificate) {
            (Scheme::Http, None) => Channel::Plain,
            (Scheme::Http, Some(_)) => return certificate("a certificate came over plain HTTP".to_owned()),
            (Scheme::Https, None) => return certificate("the connection's certificate is not known".to_owned()),
            (Scheme::Https, Some(der)) => match Channel::tls(der, None) {
                Ok(channel) => channel,
                Err(error) => return certificate(error.to_string()),
            },
        };
        let client = &mut self.context(&context)?.client;
        let response = Response::new(head.status, head.fields(), channel, ());
        let proof_was_due = to == Sends::Vfy && head.status != 401;
        let fatal = |fatal: Fatal| Received::Fatal { why: Why::of(&fatal, proof_was_due), detail: fatal.to_string() };
        match sequence.receive(client, response, now) {
            Err(error) => Ok(fatal(error)),
            Ok(Step::Continue(next)) => match next.run(rng) {
                Err(error) => Ok(fatal(error)),
                Ok(sequence) => Ok(Received::Continue { next: self.wait(context, scheme, sequence)? }),
            },
            Ok(Step::Done(Outcome::AuthSucceed(proven))) => Ok(Received::proven(&proven)),
            Ok(Step::Done(Outcome::AuthRequired(required))) => {
                let id = self.numbers.next()?;
                let received = Received::asked(id, &required);
                self.asks.put(id, Asked { context, scheme, required });
                Ok(received)
            }
            Ok(Step::Done(Outcome::Unauthenticated(()))) => Ok(Received::Unauthenticated { to }),
        }
    }

    /// Logs in with what the user typed. The question stays, if that cannot be used.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn supply(&mut self, ask: u32, typed: &Typed, rng: &mut dyn CryptoRng) -> Result<Send, EngineError> {
        self.asks.get_mut(ask)?;
        let credential = typed.credential()?;
        let Asked { context, scheme, required } = self.asks.take(ask)?;
        let (next, ()) = required.supply(credential);
        self.send(&context, scheme, next, rng)
    }

    /// Remembers what the user typed, for the next request to prove.
    ///
    /// # Errors
    /// [`EngineError`], if it cannot be used or the realm is none of the origin's.
    pub fn remember(
        &mut self,
        context: &str,
        server: &str,
        (name, scope, algorithm): (&str, &str, &str),
        typed: &Typed,
    ) -> Result<(), EngineError> {
        let (server, realm) = (origin(server)?, realm(name, scope, algorithm)?);
        let credential = typed.credential()?;
        let validation = match server.scheme() {
            Scheme::Http => ValidationMethod::Host,
            Scheme::Https => ValidationMethod::TlsServerEndPoint,
        };
        let remembered = self.context(context)?.client.remember(&realm, &server, validation, credential);
        Ok(remembered.map_err(Fatal::from)?)
    }

    /// Forgets a sequence or a question; without a word if there is none.
    pub fn drop(&mut self, id: u32) {
        let _ = self.sequences.take(id);
        let _ = self.asks.take(id);
    }

    /// Who is logged in.
    #[must_use]
    pub fn logins(&self, context: &str) -> Vec<Login> {
        self.contexts.get(context).map(Context::logins).unwrap_or_default()
    }

    /// Who would be proven at an address.
    ///
    /// # Errors
    /// [`EngineError`] if the origin is none.
    pub fn expects(
        &mut self,
        context: &str,
        origin: &str,
        path: &str,
        now: Time,
    ) -> Result<Option<Login>, EngineError> {
        let target = target(origin, path)?;
        let Some(known) = self.contexts.get_mut(context) else { return Ok(None) };
        known.sweep(now);
        Ok(known.client.expects(&target.origin, &target.path).map(Login::of))
    }

    /// Logs out of a realm. Says whether anybody was logged in.
    ///
    /// # Errors
    /// [`EngineError`] if the realm is none.
    pub fn logout(
        &mut self,
        context: &str,
        (name, scope, algorithm): (&str, &str, &str),
    ) -> Result<bool, EngineError> {
        let realm = realm(name, scope, algorithm)?;
        Ok(self.contexts.get_mut(context).is_some_and(|known| known.client.logout(&realm)))
    }

    /// Logs out of everything.
    pub fn logout_all(&mut self, context: &str) {
        if let Some(known) = self.contexts.get_mut(context) {
            known.client.logout_all();
        }
    }

    /// Milliseconds until [`Engine::expire`] has something to do, or ought to look again.
    #[must_use]
    pub fn until_expiry(&self, context: &str, now: Time) -> Option<u32> {
        let milliseconds = self.contexts.get(context)?.until_expiry(now)?;
        Some(u32::try_from(milliseconds).unwrap_or(MAX_TIMER).min(MAX_TIMER))
    }

    /// Logs out of what has run out, and says what has since the last time.
    pub fn expire(&mut self, context: &str, now: Time) -> Vec<Login> {
        self.contexts.get_mut(context).map(|known| known.take_expired(now)).unwrap_or_default()
    }

    /// The verifier J of what the user typed, in Base64.
    ///
    /// # Errors
    /// [`EngineError`] if it cannot be used.
    pub fn verifier(
        &self,
        (name, scope, algorithm): (&str, &str, &str),
        typed: &Typed,
    ) -> Result<String, EngineError> {
        let realm: AuthRealm = realm(name, scope, algorithm)?;
        let (user, password) = typed.prepare()?;
        let j = J::from_pi(realm.algorithm, &Pi::derive(&realm, &user, &password))?;
        Ok(Base64::encode_string(&j.expose_octets()))
    }

    /// A context, made if there is none. Of too many, those go in which there is nothing.
    fn context(&mut self, name: &str) -> Result<&mut Context, EngineError> {
        if name.is_empty() || name.len() > MAX_NAME {
            return Err(EngineError::Argument("the context"));
        }
        if self.contexts.len() >= MAX_CONTEXTS && !self.contexts.contains_key(name) {
            let waiting = self.sequences.values().map(|waiting| &waiting.context);
            let busy: Vec<_> = waiting.chain(self.asks.values().map(|asked| &asked.context)).collect();
            self.contexts.retain(|name, known| !known.is_empty() || busy.contains(&name));
            if self.contexts.len() >= MAX_CONTEXTS {
                return Err(EngineError::Contexts);
            }
        }
        Ok(self.contexts.entry(name.to_owned()).or_insert_with(Context::new))
    }

    fn send(
        &mut self,
        context: &str,
        scheme: Scheme,
        next: Next,
        rng: &mut dyn CryptoRng,
    ) -> Result<Send, EngineError> {
        let sequence = next.run(rng)?;
        self.wait(context.to_owned(), scheme, sequence)
    }

    fn wait(&mut self, context: String, scheme: Scheme, sequence: Sequence) -> Result<Send, EngineError> {
        let (id, sends) = (self.numbers.next()?, Sends::from(sequence.sends()));
        self.sequences.put(id, Waiting { context, scheme, sequence });
        Ok(Send { sequence: id, sends })
    }
}
