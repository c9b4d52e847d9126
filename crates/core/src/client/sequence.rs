//! One request of the user, from its first HTTP request to its outcome.

use super::cache::Client;
use super::fatal::Fatal;
use super::outcome::Step;
use super::response::{Head, Response};
use super::states::State;
use super::work::Work;
use crate::kam3::Binding;
use crate::message::{Field, Role};
use crate::realm::{Origin, Paths};
use crate::time::Time;
use crate::validation::{Channel, HostValidation, ValidationMethod};
use alloc::string::String;
use alloc::sync::Arc;
use rand_core::CryptoRng;

/// What the user asks for.
#[derive(Debug, Clone)]
pub struct Target {
    /// The server, from the URL that the user asked for. For a [`Client`] of a proxy: the proxy.
    pub origin: Origin,
    /// The path and query of the URL, beginning with `/`.
    pub path: String,
    /// The connection on which the request will be sent, where that is known. A browser extension learns it with the
    /// response alone: then a kept session is used as on its last connection, and the response has to come over that.
    pub channel: Option<Channel>,
}

/// What to do next in a sequence.
#[derive(Debug)]
#[must_use = "a sequence goes on with what stands here"]
pub enum Next {
    /// Send the user's request with [`Sequence::field`].
    ///
    /// Until the server is proven it may be anybody. A body that must not fall into strange hands, or is long, is sent with
    /// `Expect: 100-continue` and held back until [`Sequence::server_is_proven`].
    Send(Sequence),
    /// Do some arithmetic first.
    Compute(Work),
}

impl Next {
    /// Does the arithmetic here, if there is any.
    ///
    /// # Errors
    /// As [`Work::run`].
    pub fn run(self, rng: &mut dyn CryptoRng) -> Result<Sequence, Fatal> {
        match self {
            Self::Send(sequence) => Ok(sequence),
            Self::Compute(work) => work.run(rng),
        }
    }
}

/// What stays the same through a sequence, and where in it we are.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) role: Role,
    pub(super) origin: Origin,
    pub(super) path: String,
    /// Whether the request is the first of its sequence.
    pub(super) first: bool,
    /// The path list of the 401-INIT message, which an optional challenge may bring (RFC 8053 §3).
    pub(super) offered: Option<Paths>,
    /// The client that began the sequence, and when by its own count: what happened since may concern it.
    pub(super) client: Arc<()>,
    pub(super) began: u64,
}

impl Context {
    /// The same sequence, with a request behind it.
    pub(super) fn later(self) -> Self {
        Self { first: false, ..self }
    }

    /// The `vh` of a channel, if `named` is the method that RFC 8120 §7 demands on it.
    pub(super) fn validation(&self, channel: &Channel, named: ValidationMethod) -> Result<HostValidation, Fatal> {
        let vh = HostValidation::new(&self.origin, channel)?;
        if vh.method() == named { Ok(vh) } else { Err(Fatal::Validation { found: named, needed: vh.method() }) }
    }

    /// The lines of a field of RFC 8053, which does not apply to proxies (RFC 8120 §14).
    pub(super) fn control_lines<'a>(&self, head: &'a Head, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let applies = self.role == Role::OriginServer;
        head.lines(name).filter(move |_| applies)
    }
}

/// What a request of a sequence says, in the words of RFC 8120 §3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sends {
    /// No credentials of this protocol.
    Normal,
    /// req-KEX-C1: a key exchange begins. It names the user, and proves nothing.
    KexC1,
    /// req-VFY-C: it proves the user.
    VfyC,
}

/// A request that is to be sent, or has been and waits for its response.
#[derive(Debug)]
#[must_use = "its request has to be sent, and its response be given to Sequence::receive"]
pub struct Sequence {
    pub(super) context: Context,
    pub(super) state: State,
}

impl Sequence {
    /// The field to add to the user's request; none for a request without credentials. To be called when the request is about
    /// to be sent: nonce numbers are given out in this order.
    ///
    /// It is good for one request to this origin. Where an HTTP library follows redirects or repeats requests by itself, that
    /// has to be switched off: the field does not belong anywhere else, and a server takes a second request with it for a
    /// replay, and ends the session. To try again, begin a new sequence.
    #[must_use]
    pub fn field(&mut self) -> Option<Field> {
        match &mut self.state {
            State::Normal(_) => None,
            State::KexC1(sent) => Some(sent.message().to_field(self.context.role)),
            State::VfyC(sent) => Some(sent.message().to_field(self.context.role)),
        }
    }

    /// What the request says, before [`Sequence::field`] is asked for it.
    #[must_use]
    pub const fn sends(&self) -> Sends {
        match &self.state {
            State::Normal(_) => Sends::Normal,
            State::KexC1(_) => Sends::KexC1,
            State::VfyC(_) => Sends::VfyC,
        }
    }

    /// `b_2` of a proof that is about to be sent: binds what else the request says to it, such as its body (RFC 8120 §13). `None`
    /// for a request that proves nothing.
    ///
    /// The server computes the same once it has accepted the proof. The nonce number is given out here, so [`Sequence::field`] is
    /// to follow at once, and the connection cannot be named any more.
    #[must_use]
    pub fn b_2(&mut self, t: &[u8]) -> Option<Binding> {
        match &mut self.state {
            State::VfyC(sent) => Some(sent.b_2(t)),
            State::Normal(_) | State::KexC1(_) => None,
        }
    }

    /// Says on which connection the request will be sent, where that is known only now: to be called before
    /// [`Sequence::field`]. The proof is then made for this connection and for no other.
    ///
    /// # Errors
    /// [`Fatal::ChannelChanged`] if a session was to be used that was made with another certificate: begin again, with this
    /// channel as the target's. [`Fatal::ChannelMismatch`] and [`Fatal::Validation`] if a proof for such a connection cannot
    /// be made.
    pub fn send_over(&mut self, channel: &Channel) -> Result<(), Fatal> {
        match &mut self.state {
            State::Normal(_) => {}
            State::KexC1(sent) => drop(self.context.validation(channel, sent.terms.validation)?),
            State::VfyC(sent) => {
                let vh = self.context.validation(channel, sent.session.terms.validation)?;
                sent.send_over(vh)?;
            }
        }
        Ok(())
    }

    /// Looks at an interim (1xx) response. Only a 100 (Continue) with the server's proof matters: the final response may
    /// then come without it (RFC 8120 §4.5).
    ///
    /// # Errors
    /// As [`Sequence::receive`]; the sequence is over then, and the request's body must not be sent.
    pub fn interim<'a>(
        mut self,
        status: u16,
        fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        channel: Channel,
    ) -> Result<Self, Fatal> {
        if let State::VfyC(sent) = &mut self.state
            && status == 100
            && sent.check_proof(&Head::new(status, fields, channel), &self.context)?
        {
            sent.proven = true;
        }
        Ok(self)
    }

    /// Whether the server has proven itself already, in an interim response: a request body can be sent to it.
    #[must_use]
    pub fn server_is_proven(&self) -> bool {
        matches!(&self.state, State::VfyC(sent) if sent.proven)
    }

    /// Judges the response.
    ///
    /// # Errors
    /// [`Fatal`] if the response may not be used. It is gone then, and the sequence is over.
    pub fn receive<B>(self, client: &mut Client, response: Response<B>, now: Time) -> Result<Step<B>, Fatal> {
        let Self { context, state } = self;
        // A mistake of the caller is not blamed on the peer.
        HostValidation::new(&context.origin, &response.head.channel)?;
        if !client.began(&context) {
            return Err(Fatal::OtherClient);
        }
        match state {
            State::Normal(sent) => sent.receive(context, client, response, now),
            State::KexC1(sent) => sent.receive(context, client, response, now),
            State::VfyC(sent) => sent.receive(context, client, response, now),
        }
    }
}
