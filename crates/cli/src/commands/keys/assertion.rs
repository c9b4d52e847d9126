//! `tagai keys assertion`: the keys that sign what applications are told.

use crate::failure::Failure;
use crate::output;
use clap::ValueEnum;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tagai_gateway::identity::assertion::{KeyFile, KeyFileError, KeyKind, Rotated};

const AFTER: &str = "\
Examples:
  tagai keys assertion new assertion-keys.pem
  tagai keys assertion rotate assertion-keys.pem --drop-after 1d
  tagai keys assertion list assertion-keys.pem

The file is PEM with private keys in PKCS #8, for its owner alone: [assertion] keys names it. The first key signs; the public keys of \
all are at /.well-known/tagai/jwks.json. A running gateway takes a new file when it is told to reload.

Once a week is often enough: tagai keys assertion rotate FILE --drop-after 1d";

/// `tagai keys assertion`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a file with one key
    #[command(
        after_help = "Examples:\n  tagai keys assertion new assertion-keys.pem\n  tagai keys assertion new keys.pem --kind ed25519"
    )]
    New {
        /// The file; there must be none yet
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What the key is for: p256 for ES256, which every library knows, or ed25519 for EdDSA
        #[arg(long, value_enum, default_value_t = Kind::P256)]
        kind: Kind,
    },
    /// Put a new key in front of the others, which stay to check what they signed
    #[command(after_help = "Examples:\n  tagai keys assertion rotate assertion-keys.pem --drop-after 1d")]
    Rotate {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The kind of the new key
        #[arg(long, value_enum, default_value_t = Kind::P256)]
        kind: Kind,
        /// Take keys out that have signed nothing for so long, as in 12h or 7d; it has to be longer than an assertion lives
        #[arg(long, value_name = "TIME", value_parser = time)]
        drop_after: Option<Duration>,
    },
    /// Show the names of the keys, the one that signs first
    #[command(after_help = "Examples:\n  tagai keys assertion list assertion-keys.pem --json")]
    List {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print the names as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    P256,
    Ed25519,
}

impl From<Kind> for KeyKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::P256 => Self::P256,
            Kind::Ed25519 => Self::Ed25519,
        }
    }
}

/// A number with s, m, h or d.
fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).unwrap_or_default();
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("a number with s, m, h or d, as in 12h or 7d".to_owned()),
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    seconds.map(Duration::from_secs).ok_or_else(|| "a number with s, m, h or d, as in 12h or 7d".to_owned())
}

#[derive(Serialize)]
struct Listed<'a> {
    kid: &'a str,
    alg: &'a str,
    signs: bool,
    /// Seconds since 1970.
    made: Option<u64>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        Action::New { file, kind } => {
            let id = KeyFile(file).create((*kind).into(), now()).map_err(failed)?;
            output::line(&id)?;
            output::note(&format!(
                "name it in the configuration, relative to the directory of that: [assertion] keys = {:?}",
                file.display().to_string()
            ));
            Ok(())
        }
        Action::Rotate { file, kind, drop_after } => rotate(file, (*kind).into(), *drop_after),
        Action::List { file, json } => list(file, *json),
    }
}

fn rotate(file: &Path, kind: KeyKind, drop_after: Option<Duration>) -> Result<(), Failure> {
    let Rotated { new, keys, dropped, .. } = KeyFile(file).rotate(kind, now(), drop_after).map_err(failed)?;
    output::line(&new)?;
    for id in dropped {
        output::note(&format!("{id} is taken out"));
    }
    output::note(&format!(
        "{new} is the first of {keys} keys in {} now; it signs when the gateways are told to reload",
        file.display()
    ));
    Ok(())
}

fn list(file: &Path, json: bool) -> Result<(), Failure> {
    let (keys, made) = (KeyFile(file).load().map_err(failed)?, KeyFile(file).made().map_err(failed)?);
    let made = made.into_iter().chain(std::iter::repeat(None));
    let listed: Vec<_> = keys
        .ids()
        .zip(made)
        .enumerate()
        .map(|(place, ((kid, kind), made))| Listed { kid, alg: kind.alg(), signs: place == 0, made })
        .collect();
    if json {
        return output::json(&listed);
    }
    let now = now().as_secs();
    for Listed { kid, alg, signs, made } in listed {
        let age = made.map_or_else(String::new, |made| format!("  {} days old", now.saturating_sub(made) / 86_400));
        output::line(&format!("{kid}  {alg}  {}{age}", if signs { "signs and checks" } else { "checks" }))?;
    }
    Ok(())
}

fn failed(error: KeyFileError) -> Failure {
    Failure::other(error.to_string())
}

/// The time at which a key is made, or was.
fn now() -> Duration {
    #[allow(clippy::disallowed_methods)] // The file says since when a key signs.
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}
