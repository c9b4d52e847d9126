//! `tagai principal bind` and `unbind`.

use crate::failure::Failure;
use crate::operator::ConfigFile;
use crate::registrar::{Registrar, credential, explain, principal_name};
use crate::{output, proof_file};
use std::path::PathBuf;
use tagai_gateway::audit::Event;
use tagai_gateway::config::{CertificateName, Config};
use tagai_pki::names::NameKind;
use tagai_store::StoreError;
use tagai_store::principal::{Authority, Credential, PrincipalName, PrincipalStore as _};

const AFTER_BIND: &str = "\
Examples:
  tagai principal bind alice user:staff/alice
  tagai principal bind alice x509:partners/email:alice@example.com
  tagai principal bind alice --certificate alice.pem --client-ca partners
  tagai principal bind sensor-7 --key sensor-7.pem
  tagai principal bind sensor-7 key:sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=

A credential belongs to one principal at most. With --certificate it is the name in the certificate that is bound, and not its \
key: another certificate of this client CA with the same name is the same principal.";

const AFTER_UNBIND: &str = "\
Examples:
  tagai principal unbind alice user:staff/alice
  tagai principal unbind sensor-7 --key sensor-7.pem";

/// What is bound.
#[derive(Debug, clap::Args)]
struct What {
    /// The principal
    #[arg(value_name = "NAME")]
    name: String,
    /// user:REALM/NAME, x509:CLIENT-CA/KIND:NAME or key:sha256:BASE64
    #[arg(required_unless_present_any = ["key", "certificate"], conflicts_with_all = ["key", "certificate"])]
    credential: Option<String>,
    /// The key in this file: a public key, a private key, or a certificate
    #[arg(long, value_name = "FILE", conflicts_with = "certificate")]
    key: Option<PathBuf>,
    /// The name in this certificate
    #[arg(long, value_name = "FILE", requires = "client_ca")]
    certificate: Option<PathBuf>,
    /// The id of the client CA in the configuration that verifies the certificate
    #[arg(long, value_name = "ID", requires = "certificate")]
    client_ca: Option<String>,
    /// Which names the client CA looks for, by preference [default: what its `names` in the configuration says]
    #[arg(long, value_name = "KINDS", value_delimiter = ',', requires = "certificate")]
    names: Vec<NameKind>,
    #[command(flatten)]
    config: ConfigFile,
}

/// `tagai principal bind`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_BIND)]
pub(crate) struct BindArgs {
    #[command(flatten)]
    what: What,
}

/// `tagai principal unbind`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_UNBIND)]
pub(crate) struct UnbindArgs {
    #[command(flatten)]
    what: What,
}

impl What {
    fn read(&self, config: &Config) -> Result<(PrincipalName, Credential), Failure> {
        let name = principal_name(&self.name)?;
        let credential = match (&self.credential, &self.key, &self.certificate, &self.client_ca) {
            (Some(text), ..) => credential(text)?,
            (None, Some(path), ..) => Credential::Key(proof_file::key(path)?),
            (None, None, Some(path), Some(id)) => {
                let id = Authority::new(id).map_err(|error| Failure::usage(format!("--client-ca {id}: {error}")))?;
                proof_file::certificate(path, &id, &self.kinds(config, &id))?
            }
            // The options see to it that one of them is there.
            _ => return Err(Failure::usage("there is no credential to bind")),
        };
        Ok((name, credential))
    }

    /// The kinds of names that count: those that were asked for, else those of the client CA.
    fn kinds(&self, config: &Config, id: &Authority) -> Vec<NameKind> {
        if !self.names.is_empty() {
            return self.names.clone();
        }
        let known = config.client_cas.iter().find(|known| known.id == id.as_str());
        let Some(known) = known else { return NameKind::DEFAULT.to_vec() };
        let kind = |name: &CertificateName| match name {
            CertificateName::Uri => NameKind::Uri,
            CertificateName::Dns => NameKind::Dns,
            CertificateName::Email => NameKind::Email,
            CertificateName::CommonName => NameKind::CommonName,
        };
        known.names.iter().map(kind).collect()
    }
}

pub(crate) fn bind(args: &BindArgs) -> Result<(), Failure> {
    let registrar = Registrar::open_to_change(&args.what.config)?;
    let (name, credential) = args.what.read(registrar.config())?;
    let changed = registrar.store.bind(&name, &credential).map_err(|error| match error {
        StoreError::CredentialTaken(owner) => {
            Failure::other(format!("the credential {credential} belongs to {owner} already")).help(format!(
                "a credential belongs to one principal: take it away first, with `tagai principal unbind {owner} '{credential}'`"
            ))
        }
        error => explain(error, &name),
    })?;
    if changed {
        registrar.note(Event::PrincipalChanged, &name, Some(format!("bound {credential}")))?;
        output::note(&format!("{credential} is {name} now"));
    } else {
        output::note(&format!("{credential} is {name} already"));
    }
    registrar.warn_of(&credential)
}

pub(crate) fn unbind(args: &UnbindArgs) -> Result<(), Failure> {
    let registrar = Registrar::open_to_change(&args.what.config)?;
    let (name, credential) = args.what.read(registrar.config())?;
    if !registrar.store.unbind(&name, &credential).map_err(|error| explain(error, &name))? {
        let owner = registrar.store.owner_of(&credential).map_err(crate::operator::unavailable)?;
        let failure = Failure::other(format!("the credential {credential} does not belong to {name}"));
        return Err(match owner {
            Some(owner) => failure.help(format!("it belongs to {owner}")),
            None => failure.help(format!("`tagai principal show {name}` shows those that do")),
        });
    }
    registrar.note(Event::PrincipalChanged, &name, Some(format!("unbound {credential}")))?;
    output::note(&format!("{credential} belongs to nobody now"));
    Ok(())
}
