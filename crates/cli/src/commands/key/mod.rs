//! `tagai key`: bare keys, which are known by their pins (RFC 7250).

use crate::failure::Failure;
use crate::output;
use clap::Subcommand;
use serde::Serialize;
use std::path::{Path, PathBuf};
use tagai_gateway::audit::rfc3339;
use tagai_pki::ca::files::{self, Mode};
use tagai_pki::inspect::{InspectError, Inspected, Kind, MAX_LEN, inspect};
use tagai_pki::raw_key::{KeyKind, RawKeyError, generate};

const AFTER: &str = "\
Examples:
  tagai key gen device.pem
  tagai key show device.pem
  tagai key pin device.pem

A bare key proves who somebody is without a certificate: the other side has been told its pin beforehand. The private key stays \
where it was made; the pin is public.";

const AFTER_GEN: &str = "\
Examples:
  tagai key gen
  tagai key gen gateway-key.pem --algorithm p256

It writes the private key (PKCS #8, PEM) for its owner alone, overwrites nothing, and prints the public key and its pin.";

const AFTER_SHOW: &str = "\
Examples:
  tagai key show device.pem
  tagai key show www.example.com.pem --json

The file holds a private key, a public key, a certificate, or a request for one. A private key itself is not shown.";

const AFTER_PIN: &str = "\
Examples:
  tagai key pin device.pem
  tagai principal bind device1 key:$(tagai key pin device.pem)

The pin is sha256: and the base64 text of the SHA-256 of the public key (SubjectPublicKeyInfo). It is the same for a private \
key, its public key, and every certificate with it.";

/// `tagai key`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a private key
    #[command(after_help = AFTER_GEN)]
    Gen {
        /// Where to write it
        #[arg(value_name = "FILE", default_value = "key.pem")]
        file: PathBuf,
        /// ed25519, or p256 for programs that do not have it
        #[arg(long, default_value = "ed25519")]
        algorithm: KeyKind,
        /// Print what was made as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what a file with a key or a certificate holds
    #[command(after_help = AFTER_SHOW)]
    Show {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print it as a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the pin of a key
    #[command(after_help = AFTER_PIN)]
    Pin {
        /// A file with a private key, a public key, or a certificate
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// A key, for scripts.
#[derive(Serialize)]
struct Shown<'a> {
    file: &'a Path,
    kind: &'static str,
    algorithm: &'a str,
    pin: String,
    public_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Certificate<'a>>,
}

#[derive(Serialize)]
struct Certificate<'a> {
    subject: &'a str,
    issuer: &'a str,
    serial: &'a str,
    names: Vec<String>,
    not_before: String,
    not_after: String,
    others: usize,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Gen { file, algorithm, json } => make(file, *algorithm, *json),
        Command::Show { file, json } => show(file, &read(file)?, *json),
        Command::Pin { file } => pin(file),
    }
}

fn make(file: &Path, algorithm: KeyKind, json: bool) -> Result<(), Failure> {
    let pem = generate(algorithm).map_err(|error| Failure::other(error.to_string()))?;
    let made = inspect(pem.as_bytes()).map_err(|error| failed(file, &error))?;
    files::write_new(file, pem.as_bytes(), Mode::Private)?;
    show(file, &made, json)
}

fn pin(file: &Path) -> Result<(), Failure> {
    if file.to_string_lossy().starts_with("https://") {
        return Err(Failure::usage("pins are read from files").help(
            "fetch the certificate first: openssl s_client -connect HOST:443 </dev/null | openssl x509 > server.pem; and \
             make sure that it is the right one",
        ));
    }
    output::line(&read(file)?.pin.to_string())
}

fn read(file: &Path) -> Result<Inspected, Failure> {
    let octets = files::read(file, MAX_LEN as u64)?;
    inspect(&octets).map_err(|error| failed(file, &error))
}

fn failed(file: &Path, error: &InspectError) -> Failure {
    let failure = Failure::other(format!("{} {error}", file.display()));
    match error {
        InspectError::PrivateKey(RawKeyError::Encrypted) => {
            failure.help("its public key is enough here: openssl pkey -in FILE -pubout")
        }
        InspectError::Nothing => failure.help("PEM begins with a line such as -----BEGIN PRIVATE KEY-----"),
        _ => failure,
    }
}

const fn word(kind: &Kind) -> &'static str {
    match kind {
        Kind::PrivateKey => "private key",
        Kind::PublicKey => "public key",
        Kind::Request => "certificate request",
        Kind::Certificate { .. } => "certificate",
        _ => "key",
    }
}

fn certificate(kind: &Kind) -> Option<Certificate<'_>> {
    let Kind::Certificate { facts, others } = kind else { return None };
    let named =
        |kind: &'static str, names: &[String]| names.iter().map(|name| format!("{kind}:{name}")).collect::<Vec<_>>();
    let time = |time: rustls::pki_types::UnixTime| {
        rfc3339(std::time::UNIX_EPOCH + std::time::Duration::from_secs(time.as_secs()))
    };
    Some(Certificate {
        subject: &facts.subject,
        issuer: &facts.issuer,
        serial: &facts.serial,
        names: [named("dns", &facts.dns_names), named("uri", &facts.uri_names), named("email", &facts.email_names)]
            .concat(),
        not_before: time(facts.not_before),
        not_after: time(facts.not_after),
        others: *others,
    })
}

fn show(file: &Path, key: &Inspected, json: bool) -> Result<(), Failure> {
    let Inspected { kind, algorithm, public, pin } = key;
    let certificate = certificate(kind);
    if json {
        let kind = word(kind);
        return output::json(&Shown { file, kind, algorithm, pin: pin.to_string(), public_key: public, certificate });
    }
    let mut text = format!("file       {}: {}\nalgorithm  {algorithm}\n", file.display(), word(kind));
    if let Some(certificate) = certificate {
        text.push_str(&format!(
            "subject    {:?}\nissuer     {:?}\nserial     {}\nnames      {}\nvalid      {} to {}\n",
            certificate.subject,
            certificate.issuer,
            certificate.serial,
            certificate.names.iter().map(|name| name.escape_debug().to_string()).collect::<Vec<_>>().join(" "),
            certificate.not_before,
            certificate.not_after
        ));
        if certificate.others > 0 {
            text.push_str(&format!("others     {} more certificates behind it\n", certificate.others));
        }
    }
    text.push_str(&format!("pin        {pin}\n{public}"));
    output::print(&text)
}
