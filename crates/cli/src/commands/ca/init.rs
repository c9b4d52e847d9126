//! `tagai ca init`.

use super::secret::Secret;
use super::{now, when};
use crate::failure::Failure;
use crate::output;
use std::fmt::Write as _;
use std::path::PathBuf;
use tagai_pki::ca::{CRL_LIFETIME, Ca, CaError, NewCa, Permitted};

const AFTER: &str = "\
Examples:
  tagai ca init
  tagai ca init --name \"Example Ltd\" --permit-dns example.com
  tagai ca init /srv/ca --crl-url http://crl.example.com/ --passphrase-file passphrase

The root is valid for ten years, the intermediate for two. With --permit-dns or --permit-ip, certificates for other DNS names \
and addresses are refused by everybody who checks them, even if somebody steals the CA's keys; e-mail addresses are kept to \
the same domains by `tagai ca issue` alone, and URIs are not limited. --crl-url is where the files root.crl and \
intermediate-1.crl of the folder will be found; it is written into the certificates, and cannot be changed.";

/// `tagai ca init`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// The folder to make
    #[arg(value_name = "DIR", default_value = "ca")]
    dir: PathBuf,
    /// The name of the CA [default: a random one]
    #[arg(long)]
    name: Option<String>,
    /// Sign this DNS name and those below it, and no others; can be given several times
    #[arg(long, value_name = "NAME")]
    permit_dns: Vec<String>,
    /// Sign addresses of this network, and no others; can be given several times
    #[arg(long, value_name = "NETWORK")]
    permit_ip: Vec<String>,
    /// The URL of the folder where the CRLs are published
    #[arg(long, value_name = "URL")]
    crl_url: Option<String>,
    #[command(flatten)]
    secret: Secret,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let permitted = Permitted::new(&args.permit_dns, &args.permit_ip)?;
    let new = NewCa { name: args.name.clone(), crl_url: args.crl_url.clone(), permitted };
    // Before anybody thinks of a passphrase.
    if std::fs::read_dir(&args.dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(CaError::Exists { path: args.dir.clone() }.into());
    }
    let passphrase = args.secret.chosen()?;
    let now = now();
    let ca = Ca::create(&args.dir, &new, &passphrase, now)?;
    output::print(&report(&ca, &when(now + CRL_LIFETIME)))
}

fn report(ca: &Ca, over: &str) -> String {
    let key = ca.intermediate_path().with_extension("key");
    let made = [
        (ca.root_path(), "what others have to trust"),
        (ca.root_key_path(), "its key, encrypted; needed for a new intermediate alone: keep it elsewhere"),
        (ca.intermediate_path(), "what signs, and is signed by the root"),
        (key, "its key, encrypted"),
        (ca.crl_path(), "what is revoked: nothing yet"),
    ];
    let made = made.map(|(path, what)| (path.display().to_string(), what));
    let width = made.iter().map(|(path, _)| path.chars().count()).max().unwrap_or_default();
    let mut text = format!("Made the CA {:?}, which signs {}:\n", ca.name(), ca.permitted());
    for (path, what) in &made {
        // Writing to a String does not fail.
        let _ = writeln!(text, "  {path:width$}  {what}");
    }
    let dir = ca.dir().display().to_string();
    let option = if dir == "ca" { String::new() } else { format!(" --ca {dir}") };
    let _ = write!(
        text,
        "\nNext:\n  tagai ca issue www.example.com --server{option}\n  tagai ca issue alice@example.com --client --p12{option}\n  \
         tagai ca crl{option}   before {over}, and then every few days\n"
    );
    text
}
