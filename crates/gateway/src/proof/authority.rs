//! A `[[client-ca]]` at work: whose certificates are taken, and which of them are revoked by now.

use super::Refusal;
use crate::config;
use crate::crls::CrlSources;
use crate::identity::ClientCertificate;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::sync::{Arc, Mutex, PoisonError};
use tagai_pki::client_ca::{CertificateFacts, ClientCa, VerifiedClient};
use tagai_pki::crl::CrlSet;
use tagai_store::principal::{Authority as AuthorityId, CertificateName, Credential, KeyPin, NameKind, Serial};

/// How long it is remembered that a certificate was refused, in seconds: it may be that its time had not come.
const REFUSED_FOR: u64 = 5;

/// The most judgements that a connection keeps, one for each authority of the routes it asks: far above what a host has.
const KEPT: usize = 64;

/// Whose certificates are taken.
#[derive(Debug)]
pub struct Authority {
    config: Arc<config::ClientCa>,
    crls: Arc<CrlSources>,
}

/// A client whose certificate is taken, with everything that is told of it: made once for a connection.
#[derive(Debug)]
pub struct Client {
    /// What the authority says.
    pub verified: VerifiedClient,
    /// The credential that it is.
    pub credential: Credential,
    /// The serial number, for the deny list.
    pub serial: Serial,
    /// The key, for the deny list.
    pub key: KeyPin,
    /// Serial numbers and keys of those between it and the trust anchor, for the deny list.
    pub above: Vec<(Serial, KeyPin)>,
    /// All names in it, with their kinds: `dns:device1.example.com`.
    pub names: Vec<String>,
    /// The key's text form: `sha256:BASE64`.
    pub pin: String,
    /// What applications get (RFC 9440).
    pub told: ClientCertificate,
}

impl Client {
    fn new(verified: VerifiedClient) -> Result<Self, Refusal> {
        let failed = |error: &dyn std::fmt::Display| Refusal::new("certificate-unusable", error.to_string());
        let kind = match verified.name.kind() {
            tagai_pki::names::NameKind::Uri => NameKind::Uri,
            tagai_pki::names::NameKind::Dns => NameKind::Dns,
            tagai_pki::names::NameKind::Email => NameKind::Email,
            tagai_pki::names::NameKind::CommonName => NameKind::Cn,
        };
        let name = CertificateName::new(kind, verified.name.value()).map_err(|error| failed(&error))?;
        let client_ca = AuthorityId::new(&verified.ca).map_err(|error| failed(&error))?;
        let facts = &verified.facts;
        let kinds = [
            ("dns", &facts.dns_names),
            ("uri", &facts.uri_names),
            ("email", &facts.email_names),
            ("cn", &facts.common_names),
        ];
        let names =
            kinds.into_iter().flat_map(|(kind, names)| names.iter().map(move |name| format!("{kind}:{name}")));
        let (leaf, rest) = verified.chain.split_first().ok_or_else(|| failed(&"an empty chain"))?;
        let mut above = Vec::new();
        for der in rest {
            let facts = CertificateFacts::read(der).map_err(|error| failed(&error))?;
            let serial = facts.serial.parse().map_err(|error: tagai_store::principal::NameError| failed(&error))?;
            above.push((serial, KeyPin::from_octets(*facts.key.octets())));
        }
        let rest: Vec<&[u8]> = rest.iter().map(|der| der.as_ref()).collect();
        let key = KeyPin::from_octets(*facts.key.octets());
        Ok(Self {
            credential: Credential::Certificate { client_ca, name },
            serial: facts.serial.parse().map_err(|error: tagai_store::principal::NameError| failed(&error))?,
            key,
            above,
            names: names.collect(),
            pin: key.to_string(),
            told: ClientCertificate::new(leaf, &rest),
            verified,
        })
    }
}

/// What was found out about a certificate.
type Judgement = Result<Arc<Client>, Arc<Refusal>>;

/// What was found out about a connection's certificate. All of its requests are about the same one.
#[derive(Debug, Default)]
pub(crate) struct Judgements {
    known: Mutex<Vec<Known>>,
    /// Who was let in last by what the connection has shown.
    let_in: Mutex<Option<Box<str>>>,
}

impl Judgements {
    /// Whether somebody else, or nobody, was let in before on this connection.
    pub(crate) fn is_first(&self, name: &str) -> bool {
        let mut last = self.let_in.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_deref() == Some(name) {
            return false;
        }
        *last = Some(name.into());
        true
    }
}

#[derive(Debug)]
struct Known {
    /// By whom, and with which lists. As long as they are held here, nothing else has their addresses.
    ca: Arc<ClientCa>,
    crls: Arc<CrlSet>,
    until: u64,
    judgement: Judgement,
}

impl Authority {
    /// An authority, with what its revocation lists come from.
    pub(crate) fn new(config: Arc<config::ClientCa>, crls: Arc<CrlSources>) -> Self {
        Self { config, crls }
    }

    /// What the configuration says of it.
    #[must_use]
    pub fn config(&self) -> &config::ClientCa {
        &self.config
    }

    pub(crate) fn ca(&self) -> &ClientCa {
        self.crls.ca()
    }

    /// Where its revocation lists come from, and how that does.
    #[must_use]
    pub fn crls(&self) -> &Arc<CrlSources> {
        &self.crls
    }

    /// Who a chain, that the client of this connection has shown, names. It is found out anew when the lists have changed, and when
    /// something of what it rests on has run out; so open connections know of it too.
    pub(crate) fn client(
        &self,
        judgements: &Judgements,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Arc<Client>, Arc<Refusal>> {
        let (ca, crls) = (self.crls.ca(), self.crls.current());
        let seconds = now.as_secs();
        let mut known = judgements.known.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &Known| Arc::ptr_eq(&known.ca, ca) && Arc::ptr_eq(&known.crls, &crls);
        if let Some(found) = known.iter().find(|known| same(known) && seconds < known.until) {
            return found.judgement.clone();
        }
        let verified = ca.verify(chain, &crls, now);
        let verified = verified.map_err(|why| Refusal::new(why.code(), format!("{}: {why}", self.config.id)));
        let judgement = verified.and_then(Client::new).map(Arc::new).map_err(Arc::new);
        let until = match &judgement {
            Ok(client) => client.verified.valid_until.as_secs(),
            Err(_) => seconds.saturating_add(REFUSED_FOR),
        };
        // Those that are gone come out again sooner or later.
        known.retain(|known| !same(known));
        if known.len() >= KEPT {
            known.remove(0);
        }
        known.push(Known { ca: Arc::clone(ca), crls, until, judgement: judgement.clone() });
        judgement
    }
}
