//! Who sent a request: by its credentials, else by what its connection has shown.

use super::{Rules, Scene, Service};
use crate::answers::Message;
use crate::listener::{ConnectionInfo, RequestBody};
use crate::proof::{Identified, Kind, Refusal, Shown, has_scheme};
use crate::proxy::Body;
use crate::route::{Place, Realms};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use rustls::pki_types::UnixTime;
use tagai_core::server::Invitation;
use tagai_server::{Answer, AuthenticatedUser, BasicDecision, Connection, Decision, Mutual, Proof};
use tagai_store::principal::Method;
use tagai_store::{AccountStore, CredentialStore, SessionStore};

/// Who sent a request.
pub(super) enum Who {
    /// Somebody; with the server's own proof, where the method has one for each request.
    Proven(Box<Identified>, Option<Proof>),
    /// Somebody who has to be told this.
    Answer(Answer, Message<'static>),
    /// Nobody that is known, and how to change that.
    Guest {
        /// To log in to the realm, if there is one.
        invitation: Option<Invitation>,
        /// Why a certificate or key that was shown is not taken.
        refused: Option<Refusal>,
    },
}

/// What realms say of a request.
pub(super) enum Users<'a, C, S> {
    /// The request is a user's.
    Proven {
        /// Of this realm.
        mutual: &'a Mutual<C, S>,
        /// Whom the realm has proven.
        user: AuthenticatedUser,
        /// This user.
        identified: Box<Identified>,
        /// The server's proof.
        proof: Proof,
    },
    /// Somebody who has to be told this.
    Answer(Answer),
    /// Nobody that any realm knows; with how to log in to the first, if there is one.
    Guest(Option<Invitation>),
}

impl<C: AccountStore, S: SessionStore> Service<C, S> {
    /// Who sent a request to a route.
    ///
    /// Credentials come first: whoever sends them wants to be known by them, and a client of Mutual authentication has to be given the
    /// server's proof.
    pub(super) async fn who(&self, scene: &Scene<'_, C, S>, fields: &HeaderMap) -> Who {
        let gate = &scene.entry.gate;
        if gate.kind == Kind::Public {
            // Who is logged in elsewhere on this server is answered with proof here too: a client that knows its user to be logged
            // in takes nothing less, and nobody can put another page in the place of this one.
            if fields.contains_key(AUTHORIZATION) {
                return match users(&scene.place.realms, fields, &scene.connection).await {
                    Users::Proven { identified, proof, .. } => Who::Proven(identified, Some(proof)),
                    Users::Answer(answer) => Who::Answer(answer, Message::Refused),
                    Users::Guest(_) => Who::Guest { invitation: None, refused: None },
                };
            }
            return Who::Guest { invitation: None, refused: None };
        }
        if let Some(password) = gate.password.as_ref().filter(|_| has_scheme(fields, "basic")) {
            match password.authenticate(fields, &scene.connection).await {
                BasicDecision::Guest => {}
                BasicDecision::Proven(user) => {
                    if let Some(identified) = gate.user(Method::PasswordTls, user.name().clone()) {
                        return Who::Proven(Box::new(identified), None);
                    }
                }
                BasicDecision::Answer(answer) => return Who::Answer(answer, Message::WrongPassword),
            }
        }
        let mut invitation = None;
        if let Some(mutual) = &gate.mutual {
            match mutual.authenticate(fields, &scene.connection).await {
                Decision::Proven { user, proof } => {
                    if let Some(identified) = gate.user(Method::Mutual, user.name().clone()) {
                        let identified = Identified { session: Some(user.session().clone()), ..identified };
                        return Who::Proven(Box::new(identified), Some(proof));
                    }
                }
                Decision::Answer(answer) => return Who::Answer(answer, Message::Refused),
                Decision::Guest(how) => invitation = Some(how),
            }
        }
        match gate.shown(scene.info, UnixTime::since_unix_epoch(scene.now)) {
            Shown::Proven(identified) => {
                // Whom nobody has registered may still log in, where that is another way.
                let other_way = invitation.is_some() || gate.password.is_some();
                let stranger = other_way.then(|| identified.stranger(&self.principals.load())).flatten();
                match stranger {
                    Some(refusal) => Who::Guest { invitation, refused: Some(refusal) },
                    None => Who::Proven(identified, None),
                }
            }
            Shown::Refused(refusal) => Who::Guest { invitation, refused: Some(refusal) },
            Shown::Nothing => Who::Guest { invitation, refused: None },
        }
    }

    /// What the gateway says to everybody, with proof for who is logged in: a client that knows its user to be logged in takes nothing
    /// less, and would have to call the server a false one.
    pub(super) async fn proven_to_users(
        &self,
        mut response: Response<Body>,
        rules: &Rules<C, S>,
        place: &Place<C, S>,
        request: &Request<RequestBody>,
        info: &ConnectionInfo,
    ) -> Response<Body> {
        if !request.headers().contains_key(AUTHORIZATION) {
            return response;
        }
        let connection = super::connection(rules, info, request.headers());
        match users(&place.realms, request.headers(), &connection).await {
            Users::Proven { proof, .. } => drop(response.headers_mut().insert(proof.name, proof.value)),
            Users::Answer(answer) => return super::ask::refused(answer, request.headers()),
            Users::Guest(_) => {}
        }
        response
    }
}

/// Asks the realms, one after another, whether a request is one of their users'.
pub(super) async fn users<'a, C: CredentialStore, S: SessionStore>(
    realms: &'a Realms<C, S>,
    fields: &HeaderMap,
    connection: &Connection,
) -> Users<'a, C, S> {
    let mut first = None;
    for (realm, mutual) in realms {
        match mutual.authenticate(fields, connection).await {
            Decision::Proven { user, proof } => {
                let Some(who) = Identified::of_user(realm, Method::Mutual, user.name().clone()) else { continue };
                let who = Identified { session: Some(user.session().clone()), ..who };
                return Users::Proven { mutual, user, identified: Box::new(who), proof };
            }
            Decision::Answer(answer) => return Users::Answer(answer),
            Decision::Guest(invitation) => drop(first.get_or_insert(invitation)),
        }
    }
    Users::Guest(first)
}
