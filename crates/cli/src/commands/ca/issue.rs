//! `tagai ca issue`.

use super::deliver::{Target, bundled};
use super::{Lifetime, now};
use crate::failure::Failure;
use crate::output;
use std::path::PathBuf;
use tagai_pki::ca::{Algorithm, CLIENT_LIFETIME, CaError, Csr, KeySource, Name, Purpose, Request, SERVER_LIFETIME};

const AFTER: &str = "\
Examples:
  tagai ca issue www.example.com example.com 192.0.2.1 --server
  tagai ca issue alice@example.com --client --p12
  tagai ca issue spiffe://example.com/sensor/1 --client --lifetime 12h --out keys
  tagai ca issue --client --csr device.csr

Names are DNS names and addresses for servers; DNS names, URIs such as SPIFFE ids, and e-mail addresses for clients. Their kind \
is seen in them, or said: dns:, ip:, uri:, email:. The first one names the files. Servers' certificates are valid for 30 days, \
clients' for 7; never longer than the intermediate. Of a signing request, the key is taken, and the names if none are \
given here; whatever else it asks for is not.";

/// `tagai ca issue`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// What the certificate is for
    #[arg(value_name = "NAME", required_unless_present = "csr")]
    names: Vec<String>,
    /// For a server
    #[arg(long, required_unless_present = "client", conflicts_with = "client")]
    server: bool,
    /// For a client
    #[arg(long)]
    client: bool,
    /// The common name of its subject [default: the first name]
    #[arg(long, value_name = "TEXT")]
    cn: Option<String>,
    #[command(flatten)]
    lifetime: Lifetime,
    /// The algorithm of the key: p256 or ed25519; browsers do not have the latter
    #[arg(long, default_value = "p256", conflicts_with = "csr")]
    algorithm: Algorithm,
    /// Take the key of a certificate signing request, whose sender keeps the private one
    #[arg(long, value_name = "FILE", conflicts_with = "p12")]
    csr: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let purpose = if args.server { Purpose::Server } else { Purpose::Client };
    args.target.folder.expect()?;
    let csr = args.csr.as_deref().map(Csr::load).transpose()?;
    let names = names(args, purpose, csr.as_ref())?;
    let Some(first) = names.first() else { return Err(CaError::NoName.into()) };
    let files = args.target.files(&first.value(), csr.is_none())?;
    let usual = if args.server { SERVER_LIFETIME } else { CLIENT_LIFETIME };
    let request = Request {
        purpose,
        names,
        common_name: args.cn.clone(),
        lifetime: args.lifetime.chosen().unwrap_or(usual),
        key: csr.map_or(KeySource::Generate(args.algorithm), KeySource::Csr),
    };
    let passphrase = args.target.secret.known()?;
    let password = args.target.bundle.password()?;
    let issued = args.target.folder.open()?.issue(&request, &passphrase, now())?;
    let bundle = bundled(&issued, password.as_ref())?;
    args.target.deliver(&issued, &files, password.as_ref(), bundle.as_ref())
}

/// The names of the command line, or else of the request.
fn names(args: &Args, purpose: Purpose, csr: Option<&Csr>) -> Result<Vec<Name>, Failure> {
    let Some(csr) = csr else {
        return Ok(args.names.iter().map(|text| Name::parse(text, purpose)).collect::<Result<_, _>>()?);
    };
    if !csr.ignored().is_empty() {
        output::note(&format!("note: the request asks for more, and does not get it: {}", csr.ignored().join(", ")));
    }
    if args.names.is_empty() {
        let names = csr.names(purpose)?;
        let shown: Vec<String> = names.iter().map(ToString::to_string).collect();
        if !shown.is_empty() {
            output::note(&format!("the names of the request: {}", shown.join(" ")));
        }
        return Ok(names);
    }
    Ok(args.names.iter().map(|text| Name::parse(text, purpose)).collect::<Result<_, _>>()?)
}
