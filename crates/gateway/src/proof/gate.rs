//! What a route asks for.

use super::{Authority, Client, Judgements, Refusal};
use crate::config::{Access, Proofs, Realm, Unregistered};
use crate::listener::ConnectionInfo;
use crate::tls::ClientKey;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use rustls::pki_types::UnixTime;
use std::sync::Arc;
use tagai_core::credential::Username;
use tagai_core::message::Sid;
use tagai_core::realm::{Host, Origin};
use tagai_server::{Mutual, PasswordTls};
use tagai_store::principal::{Authority as AuthorityId, Credential, KeyPin, Method};

/// Who may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everybody.
    Public,
    /// Everybody, and who wants to can prove themselves.
    Optional,
    /// Who is proven.
    Protected,
}

/// What a route asks for, ready to ask.
#[derive(Debug)]
pub struct Gate<C, S> {
    /// Who may pass.
    pub kind: Kind,
    /// The methods that are accepted.
    pub proofs: Proofs,
    /// The realm in the configuration, if users are let through.
    pub realm: Option<Arc<Realm>>,
    /// For the method `mutual`.
    pub mutual: Option<Mutual<C, S>>,
    /// For the method `password-tls`.
    pub password: Option<PasswordTls<C>>,
    /// For the method `x509`, in the order of the configuration.
    pub authorities: Vec<Arc<Authority>>,
}

/// Somebody who is proven: what by, and to own what.
#[derive(Debug, Clone)]
pub struct Identified {
    /// How.
    pub method: Method,
    /// What was proven to be the sender's.
    pub credential: Credential,
    /// What holds if the credential belongs to no registered principal.
    pub unregistered: Unregistered,
    /// The realm and the user, if it was a user's password.
    pub user: Option<(Arc<Realm>, Username)>,
    /// The session, if it was proven in one.
    pub session: Option<Sid>,
    /// The certificate, if it was one.
    pub certificate: Option<Arc<Client>>,
    /// The key, if it was a bare one, or the certificate's.
    pub key: Option<KeyPin>,
    /// The bare key as it was shown: its SubjectPublicKeyInfo in DER.
    pub spki: Option<Arc<[u8]>>,
}

/// What a connection says of its client.
#[derive(Debug)]
pub enum Shown {
    /// Nothing that the route takes.
    Nothing,
    /// Who it is.
    Proven(Box<Identified>),
    /// A certificate that is not taken.
    Refused(Refusal),
}

impl<C, S> Gate<C, S> {
    /// The gate of a route, without what a realm needs.
    #[must_use]
    pub fn new(access: &Access, authorities: Vec<Arc<Authority>>) -> Self {
        let kind = match access {
            Access::Public => Kind::Public,
            Access::Optional(_) => Kind::Optional,
            Access::Protected(_) => Kind::Protected,
        };
        let proofs = access.asks().map(|asks| asks.proofs).unwrap_or_default();
        Self { kind, proofs, realm: access.realm().cloned(), mutual: None, password: None, authorities }
    }

    /// Whether what the handshake has shown counts. If so, it has to have been a handshake with this very host: see
    /// [`is_for`].
    #[must_use]
    pub const fn looks_at_connection(&self) -> bool {
        self.proofs.x509 || self.proofs.raw_key
    }

    /// What the handshake has shown of the client.
    #[must_use]
    pub fn shown(&self, info: &ConnectionInfo, now: UnixTime) -> Shown {
        let client = info.tls.as_ref().and_then(|tls| tls.client.as_ref());
        self.judged(client, &info.judgements, now)
    }

    /// Whom a key or a certificate names whose holder was proven, with what was found out about it before.
    pub(crate) fn judged(&self, client: Option<&ClientKey>, judgements: &Judgements, now: UnixTime) -> Shown {
        match client {
            Some(ClientKey::Certificate(chain)) if self.proofs.x509 => {
                let mut refused: Option<Refusal> = None;
                for authority in &self.authorities {
                    match authority.client(judgements, chain, now) {
                        Ok(client) => return Shown::Proven(Box::new(of_certificate(authority, client))),
                        Err(why) => {
                            // That it is another's says less than that it is expired or revoked.
                            let less = |known: &Refusal| known.code == "certificate-unknown-ca";
                            if refused.as_ref().is_none_or(less) {
                                refused = Some((*why).clone());
                            }
                        }
                    }
                }
                refused.map_or(Shown::Nothing, Shown::Refused)
            }
            Some(ClientKey::Raw(spki)) if self.proofs.raw_key => {
                let spki = Arc::clone(spki);
                Shown::Proven(Box::new(Identified {
                    spki: Some(Arc::clone(&spki)),
                    ..Identified::of_key(KeyPin::of_spki(&spki))
                }))
            }
            _ => Shown::Nothing,
        }
    }

    /// Why nobody is let through who shows nothing, where HTTP has nothing to ask for.
    pub(crate) fn required(&self) -> Refusal {
        let (code, what) = match (self.proofs.x509, self.proofs.raw_key) {
            (true, false) => ("certificate-required", "no certificate was shown"),
            (false, _) => ("key-required", "no bare key was shown"),
            (true, true) => ("certificate-required", "neither a certificate nor a bare key was shown"),
        };
        Refusal::new(code, what)
    }

    /// Somebody who is proven to be a user of the gate's realm, by what was shown or in a session.
    #[must_use]
    pub fn user(&self, method: Method, name: Username) -> Option<Identified> {
        Identified::of_user(self.realm.as_ref()?, method, name)
    }
}

impl Identified {
    /// A user of a realm. `None` does not happen: a configuration's ids are those that credentials can have.
    #[must_use]
    pub fn of_user(realm: &Arc<Realm>, method: Method, name: Username) -> Option<Self> {
        let id = AuthorityId::new(&realm.id).ok()?;
        Some(Self {
            method,
            credential: Credential::User { realm: id, name: name.clone() },
            unregistered: realm.unregistered,
            user: Some((Arc::clone(realm), name)),
            session: None,
            certificate: None,
            key: None,
            spki: None,
        })
    }
}

impl Identified {
    /// The holder of a bare key.
    pub(crate) const fn of_key(key: KeyPin) -> Self {
        Self {
            method: Method::RawKey,
            credential: Credential::Key(key),
            // A key says nothing of whose it is, so only who registered it can be meant.
            unregistered: Unregistered::Refuse,
            user: None,
            session: None,
            certificate: None,
            key: Some(key),
            spki: None,
        }
    }
}

fn of_certificate(authority: &Authority, client: Arc<Client>) -> Identified {
    Identified {
        method: Method::X509,
        credential: client.credential.clone(),
        unregistered: authority.config().unregistered,
        user: None,
        session: None,
        key: Some(client.key),
        spki: None,
        certificate: Some(client),
    }
}

/// Whether the handshake of a connection was with this origin's host. Over HTTP/2 browsers send requests for other hosts on a
/// connection if its certificate has their names (RFC 9113 §9.1.1); what was asked for and shown in the handshake was for the
/// first host alone, so on a route that looks at it such a request has to be answered 421, and the browser then makes a connection
/// of its own.
#[must_use]
pub fn is_for(info: &ConnectionInfo, origin: &Origin) -> bool {
    let Some(tls) = &info.tls else { return false };
    match (origin.host(), tls.sni.as_deref()) {
        (Host::Domain(host), Some(sni)) => host.eq_ignore_ascii_case(sni),
        // Clients do not name addresses (RFC 6066 §3).
        (Host::V4(_) | Host::V6(_), None) => true,
        _ => false,
    }
}

/// Whether a request has credentials of this scheme.
#[must_use]
pub fn has_scheme(fields: &HeaderMap, scheme: &str) -> bool {
    fields.get_all(AUTHORIZATION).iter().any(|value| {
        // Whatever is no part of a token (RFC 9110 §5.6.2) ends the name: what comes behind it may be broken.
        let token = |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet);
        let first = value.as_bytes().trim_ascii().split(|octet| !token(octet)).next();
        first.is_some_and(|first| first.eq_ignore_ascii_case(scheme.as_bytes()))
    })
}
