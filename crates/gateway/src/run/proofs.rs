//! What is needed to judge proofs: authorities and their lists, policies, the keys for assertions, the gateway's bare key.

use super::build::Warning;
use super::error::StartError;
use crate::config::{self, CertificateName, Config};
use crate::crls::CrlSources;
use crate::identity::Signer;
use crate::identity::assertion::KeyFile;
use crate::proof::Authority;
use crate::route;
use crate::tls::{Asks, HostAsks};
use rustls::pki_types::UnixTime;
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use tagai_core::realm::Scheme;
use tagai_pki::client_ca::{ClientCa, ClientCaConfig, CrlPolicy};
use tagai_pki::crl::Crl;
use tagai_pki::names::NameKind;
use tagai_pki::pem;
use tagai_pki::raw_key::RawKey;
use tagai_policy::{Access, Action, Policies, RouteRules, Source};
use zeroize::Zeroizing;

/// The most that is read of a file, in octets.
const MAX_FILE: u64 = 1 << 20;

/// Everything that proofs are judged by.
pub(super) struct Proofs {
    pub(super) authorities: HashMap<String, Arc<Authority>>,
    pub(super) policies: Arc<Policies>,
    pub(super) signer: Option<Signer>,
    pub(super) raw_key: Option<Arc<CertifiedKey>>,
}

impl Proofs {
    /// Reads all of it. What was fetched for the authorities `before` a reload is kept.
    pub(super) fn open(
        config: &Config,
        before: &HashMap<String, Arc<Authority>>,
        now: UnixTime,
    ) -> Result<(Self, Vec<Warning>), StartError> {
        let (mut proofs, warnings) = Self::to_judge(config, before, now)?;
        let signer = config.assertion.as_ref().map(|assertion| {
            let keys = KeyFile(&assertion.keys).load();
            keys.map(|keys| Signer::new(keys, assertion.issuer.clone(), assertion.life))
                .map_err(|error| StartError::Assertion(error.to_string()))
        });
        proofs.signer = signer.transpose()?;
        proofs.raw_key = config.raw_key.as_deref().map(raw_key).transpose()?;
        Ok((proofs, warnings))
    }

    /// What others' proofs are judged by, without the gateway's own keys.
    pub(super) fn to_judge(
        config: &Config,
        before: &HashMap<String, Arc<Authority>>,
        now: UnixTime,
    ) -> Result<(Self, Vec<Warning>), StartError> {
        let mut warnings = Vec::new();
        let mut authorities = HashMap::new();
        for section in &config.client_cas {
            let authority = authority(section, before.get(&section.id), now)?;
            for (subject, last) in authority.ca().expires().filter(|(_, last)| last.as_secs() < now.as_secs()) {
                let since = now.as_secs().saturating_sub(last.as_secs()) / 86_400;
                warnings.push(Warning(format!(
                    "the [[client-ca]] \"{}\": {subject} expired {since} days ago, and nothing below it is accepted",
                    section.id
                )));
            }
            warnings.extend(doubts_about_lists(&authority, now));
            authorities.insert(section.id.clone(), Arc::new(authority));
        }
        let (policies, more) = policies(config)?;
        warnings.extend(more);
        Ok((Self { authorities, policies: Arc::new(policies), signer: None, raw_key: None }, warnings))
    }

    /// What each host asks clients for in the handshake.
    pub(super) fn asks(&self, config: &Config) -> Asks {
        let mut hosts = Vec::new();
        for site in &config.sites {
            for asks in site.routes.iter().filter_map(|route| route.access.asks()) {
                let authorities = asks.client_cas.iter().filter_map(|ca| self.authorities.get(&ca.id));
                let certificates =
                    asks.proofs.x509.then(|| authorities.flat_map(|known| known.ca().subjects()).collect());
                let wanted = HostAsks { raw_key: asks.proofs.raw_key, certificates };
                let tls = site.origins.iter().filter(|origin| origin.scheme() == Scheme::Https);
                hosts.extend(tls.map(|origin| (origin.host().to_string(), wanted.clone())));
            }
        }
        Asks::new(hosts)
    }
}

fn authority(
    section: &Arc<config::ClientCa>,
    before: Option<&Arc<Authority>>,
    now: UnixTime,
) -> Result<Authority, StartError> {
    let certificates = |path: &Path| {
        let octets = read(path)?;
        pem::certificates(&octets).map_err(|error| StartError::in_file(path, error))
    };
    let kind = |name: &CertificateName| match name {
        CertificateName::Uri => NameKind::Uri,
        CertificateName::Dns => NameKind::Dns,
        CertificateName::Email => NameKind::Email,
        CertificateName::CommonName => NameKind::CommonName,
    };
    let ca = ClientCa::new(ClientCaConfig {
        id: section.id.clone(),
        roots: certificates(&section.certificates)?,
        intermediates: section.intermediates.as_deref().map(certificates).transpose()?.unwrap_or_default(),
        names: section.names.iter().map(kind).collect(),
        crl_policy: match section.crl_policy {
            _ if section.crls.is_empty() => CrlPolicy::None,
            config::CrlPolicy::Refuse => CrlPolicy::Refuse,
            config::CrlPolicy::Accept => CrlPolicy::Accept,
        },
    });
    let ca = ca.map_err(|error| StartError::in_file(&section.certificates, error))?;
    let before = before.map(|authority| &**authority.crls());
    let crls = CrlSources::new(Arc::new(ca), section.crls.clone(), before, now);
    crls.load_files(now).map_err(|error| StartError::in_file(&error.file, &error.reason))?;
    Ok(Authority::new(Arc::clone(section), crls))
}

/// Lists that may not do what they are there for. None of this is an error: a client may come with the certificate that is missing
/// here, and the list of the moment may be on its way.
fn doubts_about_lists(authority: &Authority, now: UnixTime) -> Vec<Warning> {
    let set = authority.crls().current();
    let of = |crl: &Crl| format!("the [[client-ca]] \"{}\": the CRL of {:?}", authority.config().id, crl.issuer());
    let unknown = set.crls().filter(|crl| !set.is_verified(crl)).map(|crl| {
        let help = "counts only if a client sends the certificate of this issuer: name that in `intermediates`";
        Warning(format!("{} {help}", of(crl)))
    });
    let over = set.crls().filter(|crl| crl.next_update().as_secs() <= now.as_secs()).map(|crl| {
        let what = match authority.config().crl_policy {
            config::CrlPolicy::Refuse => "nobody whom it is about is let in, until there is a new one",
            config::CrlPolicy::Accept => "whoever was revoked since then is let in, until there is a new one",
        };
        Warning(format!("{} is over: {what}", of(crl)))
    });
    unknown.chain(over).collect()
}

fn raw_key(path: &Path) -> Result<Arc<CertifiedKey>, StartError> {
    let octets = Zeroizing::new(read(path)?);
    let key = RawKey::from_pem(&octets).map_err(|error| StartError::in_file(path, error))?;
    Ok(key.certified())
}

/// The rules of all routes, as policies know them.
fn route_rules(config: &Config) -> Vec<RouteRules> {
    let mut rules = Vec::new();
    for site in &config.sites {
        for origin in &site.origins {
            rules.extend(site.routes.iter().map(|route| RouteRules {
                id: route::id(origin, route),
                access: match route.access {
                    config::Access::Public => Access::Public,
                    config::Access::Optional(_) => Access::Optional,
                    config::Access::Protected(_) => Access::Protected,
                },
                action: Action::Request,
                allow: route.allow.clone().unwrap_or_default(),
            }));
        }
    }
    let proxies = &config.forward_proxies;
    for (number, proxy) in proxies.iter().enumerate() {
        // Those of one name have the same rules.
        if proxies.iter().take(number).all(|other| other.name != proxy.name) {
            rules.push(RouteRules {
                id: proxy.name.to_string(),
                access: Access::Protected,
                action: Action::Connect,
                allow: proxy.who.clone().unwrap_or_default(),
            });
        }
    }
    rules
}

/// The policies of a configuration.
pub(super) fn policies(config: &Config) -> Result<(Policies, Vec<Warning>), StartError> {
    let mut files = Vec::new();
    if let Some(path) = &config.policy {
        let text = String::from_utf8(read(path)?).map_err(|_| StartError::in_file(path, "is not UTF-8"))?;
        files.push(Source { name: path.display().to_string(), text });
    }
    let policies = Policies::new(&files, &route_rules(config)).map_err(StartError::Policy)?;
    let doubts = policies.warnings().iter().map(|doubt| Warning(doubt.to_string())).collect();
    Ok((policies, doubts))
}

fn read(path: &Path) -> Result<Vec<u8>, StartError> {
    let failed = |error: std::io::Error| StartError::in_file(path, format!("cannot be read: {error}"));
    let mut octets = Vec::new();
    std::fs::File::open(path).map_err(failed)?.take(MAX_FILE + 1).read_to_end(&mut octets).map_err(failed)?;
    if octets.len() as u64 > MAX_FILE {
        return Err(StartError::in_file(path, "is longer than 1 MiB"));
    }
    Ok(octets)
}
