//! `tagai ca`: an authority of one's own.

mod deliver;
mod init;
mod issue;
mod list;
mod renew;
mod revoke;
mod secret;

use crate::failure::Failure;
use clap::Subcommand;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tagai_gateway::audit::rfc3339;
use tagai_pki::ca::{Ca, CaError, files};

const AFTER: &str = "\
Examples:
  tagai ca init                                      make a CA in the folder ca
  tagai ca issue www.example.com --server            a certificate and a key for a server
  tagai ca issue alice@example.com --client --p12    the same for a browser
  tagai ca list --expiring 7d
  tagai ca renew www.example.com --replace
  tagai ca revoke alice@example.com --reason keyCompromise

The folder has a root, which others trust and whose key can lie elsewhere, and an intermediate, which signs. Private keys of the \
CA are encrypted; the passphrase is asked for, or comes from --passphrase-file or --passphrase-env. Publish the CRLs, or give \
crl.pem to those who check certificates: it is written anew with every revocation, and `tagai ca crl` has to be run before it \
is over, after a week.";

/// `tagai ca`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a CA: a root, an intermediate, and their keys
    Init(init::Args),
    /// Issue a certificate for a server or a client
    Issue(issue::Args),
    /// Issue a certificate again, before it is over; or a new intermediate
    Renew(renew::Args),
    /// Revoke certificates, and write the CRLs anew
    Revoke(revoke::RevokeArgs),
    /// Write the CRLs anew, before they are over
    Crl(revoke::CrlArgs),
    /// Show what was issued
    List(list::Args),
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Init(args) => init::run(args),
        Command::Issue(args) => issue::run(args),
        Command::Renew(args) => renew::run(args),
        Command::Revoke(args) => revoke::revoke(args),
        Command::Crl(args) => revoke::crl(args),
        Command::List(args) => list::run(args),
    }
}

/// The folder of a CA.
#[derive(Debug, Clone, clap::Args)]
struct Folder {
    /// The folder of the CA
    #[arg(long, value_name = "DIR", default_value = "ca")]
    ca: PathBuf,
}

impl Folder {
    /// Fails at once if there is no CA, before anybody is asked for its passphrase.
    fn expect(&self) -> Result<(), Failure> {
        if self.ca.join("index.json").exists() {
            return Ok(());
        }
        Err(CaError::NoCa { dir: self.ca.clone() }.into())
    }

    fn open(&self) -> Result<Ca, Failure> {
        Ok(Ca::open(&self.ca)?)
    }
}

/// How long something is valid.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Lifetime {
    /// How many days it is valid
    #[arg(long, value_name = "N", conflicts_with = "lifetime")]
    days: Option<u32>,
    /// How long it is valid: 12h, 90m, 7d
    #[arg(long, value_name = "TIME", value_parser = time)]
    lifetime: Option<Duration>,
}

impl Lifetime {
    fn chosen(self) -> Option<Duration> {
        self.lifetime.or(self.days.map(|days| Duration::from_secs(86_400 * u64::from(days))))
    }
}

/// Reads a time such as 12h.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "a time is a number with s, m, h or d behind it: 12h".to_owned();
    let unit = match text.bytes().next_back() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3600,
        Some(b'd') => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = text.get(..text.len() - 1).and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?;
    Ok(Duration::from_secs(unit * u64::from(number)))
}

#[allow(clippy::disallowed_methods)] // Certificates and CRLs are valid from now on; the library takes the time from here.
fn now() -> SystemTime {
    SystemTime::now()
}

/// A moment, to the second.
fn when(time: SystemTime) -> String {
    let text = rfc3339(time);
    text.split_once('.').map_or_else(|| text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// What a certificate is meant by: a serial number, a name, or else a file with it.
fn in_file(ca: &Ca, what: &str) -> Result<tagai_pki::ca::Record, Failure> {
    let path = Path::new(what);
    let nothing = || CaError::NotFound { what: what.to_owned() };
    if !path.is_file() {
        return Err(nothing().into());
    }
    let pem = files::read(path, files::MAX_PEM)?;
    Ok(ca.find_certificate(&pem, path)?.cloned().ok_or_else(nothing)?)
}

impl From<CaError> for Failure {
    fn from(error: CaError) -> Self {
        let failure = if error.is_usage() { Self::usage(error.to_string()) } else { Self::other(error.to_string()) };
        match error.help() {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(time("90m"), Ok(Duration::from_secs(5400)));
        assert_eq!(time("7d"), Ok(Duration::from_secs(604_800)));
        assert_eq!((time("12h"), time("5s")), (Ok(Duration::from_secs(43_200)), Ok(Duration::from_secs(5))));
        for text in ["", "d", "7", "-1d", "1.5h", "1w", "99999999999d", "7ä"] {
            assert!(time(text).is_err(), "{text}");
        }
        assert_eq!(when(SystemTime::UNIX_EPOCH + Duration::from_millis(1500)), "1970-01-01T00:00:01Z");
    }
}
