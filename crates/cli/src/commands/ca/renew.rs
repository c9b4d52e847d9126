//! `tagai ca renew`.

use super::deliver::{Target, bundled};
use super::{Lifetime, in_file, now, when};
use crate::failure::Failure;
use crate::output;
use std::path::PathBuf;
use tagai_pki::ca::{Algorithm, Ca, Csr, KeySource, Reason, Record};

const AFTER: &str = "\
Examples:
  tagai ca renew www.example.com --out /etc/nginx/tls --replace
  tagai ca renew www.example.com.pem --replace --revoke
  tagai ca renew device1.example.com --keep-key --replace
  tagai ca renew --intermediate

The new certificate has the names of the old one, is valid for as long as that was, and is for a new key. The old one stays valid \
unless --revoke is said; one that was revoked is not renewed. --intermediate needs the root's key in the folder; what the old intermediate has signed stays valid.";

/// `tagai ca renew`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// The certificate: a name, a serial number, or a file with it
    #[arg(value_name = "NAME|SERIAL|FILE", required_unless_present = "intermediate")]
    what: Option<String>,
    /// Make a new intermediate, with the root's key
    #[arg(long, conflicts_with_all = ["what", "keep_key", "csr", "revoke", "days", "lifetime", "p12", "replace", "json"])]
    intermediate: bool,
    /// For the same key; its file is not touched
    #[arg(long, conflicts_with_all = ["csr", "p12"])]
    keep_key: bool,
    /// For the key of a certificate signing request; its names do not count
    #[arg(long, value_name = "FILE", conflicts_with = "p12")]
    csr: Option<PathBuf>,
    /// The algorithm of the new key: p256 or ed25519
    #[arg(long, default_value = "p256", conflicts_with_all = ["csr", "keep_key"])]
    algorithm: Algorithm,
    /// Revoke the old certificate
    #[arg(long)]
    revoke: bool,
    #[command(flatten)]
    lifetime: Lifetime,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let target = &args.target;
    target.folder.expect()?;
    let Some(what) = &args.what else { return intermediate(args) };
    let old = choose(&target.folder.open()?, what)?;
    let source = match &args.csr {
        Some(path) => KeySource::Csr(Csr::load(path)?),
        None if args.keep_key => KeySource::Keep,
        None => KeySource::Generate(args.algorithm),
    };
    let files = target.files(&old.name, matches!(source, KeySource::Generate(_)))?;
    let passphrase = target.secret.known()?;
    let password = target.bundle.password()?;
    let mut ca = target.folder.open()?;
    let now = now();
    let issued = ca.renew(old.serial, source, args.lifetime.chosen(), &passphrase, now)?;
    let bundle = bundled(&issued, password.as_ref())?;
    target.deliver(&issued, &files, password.as_ref(), bundle.as_ref())?;
    if args.revoke {
        ca.revoke(&[old.serial], Reason::Superseded, &passphrase, now)?;
        output::note(&format!("{} is revoked, and {} is new", old.serial, ca.crl_path().display()));
    }
    Ok(())
}

fn intermediate(args: &Args) -> Result<(), Failure> {
    let passphrase = args.target.secret.known()?;
    let mut ca = args.target.folder.open()?;
    let record = ca.renew_intermediate(&passphrase, now())?;
    output::print(&format!(
        "{} signs from now on, until {}; {} has to be published as well\n",
        record.name,
        when(record.until()),
        ca.published().last().map_or("its CRL", String::as_str)
    ))?;
    output::note(&format!("{} can go back to where it is kept", ca.root_key_path().display()));
    Ok(())
}

/// The newest certificate that is meant; one that is not revoked, if there is one.
fn choose(ca: &Ca, what: &str) -> Result<Record, Failure> {
    let found = ca.find(what);
    let usable = |record: &&&Record| !record.purpose.is_authority() && record.revoked.is_none();
    let Some(newest) = found.iter().rfind(usable).or(found.last()) else { return in_file(ca, what) };
    let other = |record: &&&Record| record.purpose != newest.purpose || record.names != newest.names;
    if let Some(other) = found.iter().filter(usable).find(other) {
        let text = format!("{what} is meant in several ways: {} and {} have it", newest.serial, other.serial);
        return Err(Failure::other(text).help("name one of them by its serial number"));
    }
    Ok((*newest).clone())
}
