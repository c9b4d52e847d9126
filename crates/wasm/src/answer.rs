//! What goes to JavaScript, in the words of `browser/src/engine/api.ts`.

use serde::Serialize;
use tagai_core::client::{self, AuthRequired, Fatal, LogoutAction, Presentation, Proven};
use tagai_core::control::AuthStyle;
use tagai_core::kam3::KeyError;
use tagai_core::message::Reason;
use tagai_core::realm::AuthRealm;

/// A protection space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Realm {
    /// The realm's name.
    pub name: String,
    /// The `auth-scope`.
    pub scope: String,
    /// The algorithm's token.
    pub algorithm: &'static str,
}

impl Realm {
    pub(crate) fn of(realm: &AuthRealm) -> Self {
        Self {
            name: realm.name.as_str().to_owned(),
            scope: realm.auth_scope.to_string(),
            algorithm: realm.algorithm.as_str(),
        }
    }
}

/// A user who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Login {
    /// Where.
    pub realm: Realm,
    /// The user's name.
    pub user: String,
}

impl Login {
    pub(crate) fn of(login: client::Login<'_>) -> Self {
        Self { realm: Realm::of(login.realm), user: login.user.as_str().to_owned() }
    }
}

/// What a request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sends {
    /// Nothing of ours.
    Normal,
    /// req-KEX-C1.
    Kex,
    /// req-VFY-C.
    Vfy,
}

impl From<client::Sends> for Sends {
    fn from(sends: client::Sends) -> Self {
        match sends {
            client::Sends::Normal => Self::Normal,
            client::Sends::KexC1 => Self::Kex,
            client::Sends::VfyC => Self::Vfy,
        }
    }
}

/// What to send next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Send {
    /// The number of the sequence.
    pub sequence: u32,
    /// What the request says.
    pub sends: Sends,
}

/// What to do at logout with the page (RFC 8053 §4.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtLogout {
    /// GET this location.
    Go(String),
    /// GET the page again, if it was got so.
    ReloadIfGet,
}

/// Why a login is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AskReason {
    /// None was tried.
    Initial,
    /// The name or the password was not accepted.
    Refused,
    /// For a reason of the server's own.
    Again,
}

impl AskReason {
    const fn of(reason: &Reason) -> Self {
        match reason {
            Reason::Initial => Self::Initial,
            Reason::AuthFailed | Reason::UserUnknown | Reason::InvalidCredential | Reason::InvalidParameters => {
                Self::Refused
            }
            Reason::ReauthNeeded | Reason::InternalError | Reason::AuthzFailed | Reason::Other(_) => Self::Again,
        }
    }
}

/// How to put it to the user (RFC 8053 §4.2 to §4.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Present {
    /// Send the user there.
    #[serde(rename = "seeOther")]
    SeeOther(String),
    /// Ask before the content.
    Modal,
    /// Ask beside the content.
    NonModal,
    /// Do not ask.
    DoNotAsk,
}

/// Why nothing of an answer may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The server's proof is wrong.
    WrongProof,
    /// A proof was due and none came.
    NoProof,
    /// The connection is another one than that of the proof.
    Certificate,
    /// The realm is none that the server may ask for.
    Scope,
    /// The messages are not those of the protocol.
    Protocol,
}

impl Why {
    /// `proof_was_due`: the request proved the user, and the answer does not ask for anything.
    pub(crate) const fn of(fatal: &Fatal, proof_was_due: bool) -> Self {
        match fatal {
            // A value outside of the group is made to find the password, or to be proven without the verifier.
            Fatal::WrongVks | Fatal::KeyExchange(KeyError::NotInGroup) => Self::WrongProof,
            // A proof that cannot be read is none.
            Fatal::Message(_) if proof_was_due => Self::WrongProof,
            Fatal::NotProven { .. } | Fatal::TooManyUnproven(_) => Self::NoProof,
            Fatal::ChannelChanged => Self::Certificate,
            Fatal::Scope(_) => Self::Scope,
            _ => Self::Protocol,
        }
    }
}

/// The judgement on a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Received {
    /// The sequence goes on.
    Continue {
        /// With this.
        next: Send,
    },
    /// Both ends are proven.
    Proven {
        /// Who is logged in, and where.
        login: Login,
        /// What the page wants at logout.
        #[serde(rename = "atLogout")]
        at_logout: AtLogout,
    },
    /// The server asks for a login.
    Asked {
        /// The number of the question.
        ask: u32,
        /// The realm that asks.
        realm: Realm,
        /// Why.
        reason: AskReason,
        /// The resource came all the same.
        optional: bool,
        /// The only user that the server takes.
        username: Option<String>,
        /// How to put it to the user.
        present: Present,
    },
    /// An ordinary answer.
    Unauthenticated {
        /// What it answers.
        to: Sends,
    },
    /// Nothing of the answer may be used.
    Fatal {
        /// Why, for everybody.
        why: Why,
        /// Why, for whoever looks closer.
        detail: String,
    },
}

impl Received {
    pub(crate) fn proven<B>(proven: &Proven<B>) -> Self {
        Self::Proven {
            login: Login { realm: Realm::of(proven.realm()), user: proven.user().as_str().to_owned() },
            at_logout: match proven.logout_action(true) {
                LogoutAction::Go(location) => AtLogout::Go(location.as_str().to_owned()),
                LogoutAction::Reload | LogoutAction::Stay => AtLogout::ReloadIfGet,
            },
        }
    }

    pub(crate) fn asked<B>(ask: u32, required: &AuthRequired<B>) -> Self {
        Self::Asked {
            ask,
            realm: Realm::of(required.realm()),
            reason: AskReason::of(required.reason()),
            optional: required.is_optional(),
            username: required.username_hint().map(|user| user.as_str().to_owned()),
            present: match required.presentation() {
                Presentation::SeeOther(location) => Present::SeeOther(location.as_str().to_owned()),
                Presentation::Offer(AuthStyle::Modal) => Present::Modal,
                Presentation::Offer(AuthStyle::NonModal) => Present::NonModal,
                Presentation::DoNotAsk => Present::DoNotAsk,
            },
        }
    }
}
