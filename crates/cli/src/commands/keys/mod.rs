//! `tagai keys`.

mod assertion;

use crate::failure::Failure;
use crate::operator::{ConfigFile, load_keys, open_store};
use crate::output;
use serde::Serialize;
use std::path::Path;
use tagai_gateway::config::{Config, Keys};
use tagai_store::sealing::SealingKeys;

const AFTER: &str = "\
Examples:
  tagai keys list
  tagai keys rotate
  tagai keys reseal

To change the key under which verifiers and sessions are sealed, while everything runs:
  1. `tagai keys rotate` puts a new key in front of the others
  2. start all gateways that use the database anew, so that they know it
  3. `tagai keys reseal` seals everything anew under the first key
  4. delete the old line from the file of keys, and from its copies";

/// `tagai keys`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show the names of the keys, the one that seals first
    #[command(after_help = "Examples:\n  tagai keys list\n  tagai keys list --json")]
    List {
        #[command(flatten)]
        config: ConfigFile,
        /// Print the names as JSON
        #[arg(long)]
        json: bool,
    },
    /// Put a new key in front of the others; it seals from the next start on
    #[command(after_help = "Examples:\n  tagai keys rotate --config /etc/tagai/tagai.toml")]
    Rotate {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Seal everything anew that is sealed under another key than the first
    #[command(after_help = "Examples:\n  tagai keys reseal --config /etc/tagai/tagai.toml")]
    Reseal {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Print a line with a new key, for an environment variable (keys-env); it is secret
    #[command(after_help = "Examples:\n  TAGAI_KEYS=$(tagai keys generate)")]
    Generate,
    /// Work on the keys that sign what applications are told: new, rotate, list
    Assertion(assertion::Args),
}

#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    seals: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        Action::List { config, json } => list(&config.load()?, *json),
        Action::Rotate { config } => rotate(&config.load()?),
        Action::Reseal { config } => reseal(&config.load()?),
        Action::Assertion(args) => assertion::run(args),
        Action::Generate => {
            let line = SealingKeys::generate_line().map_err(|error| Failure::other(error.to_string()))?;
            output::line(line.trim_end())
        }
    }
}

fn list(config: &Config, json: bool) -> Result<(), Failure> {
    let keys = load_keys(config)?;
    let keys: Vec<_> = keys.ids().enumerate().map(|(place, id)| Listed { id, seals: place == 0 }).collect();
    if json {
        return output::json(&keys);
    }
    for Listed { id, seals } in keys {
        output::line(&format!("{id}{}", if seals { "  seals and opens" } else { "  opens" }))?;
    }
    Ok(())
}

/// The file of keys, if there is one.
fn file(config: &Config) -> Result<&Path, Failure> {
    match &config.store.keys {
        Keys::File(path) => Ok(path),
        Keys::Env(name) => Err(Failure::usage(format!("the keys are in the environment variable {name}"))
            .help("put a line of `tagai keys generate` in front of the others in it")),
    }
}

fn rotate(config: &Config) -> Result<(), Failure> {
    let path = file(config)?;
    let id = SealingKeys::rotate_file(path).map_err(|error| Failure::other(error.to_string()))?;
    output::line(&id)?;
    output::note(&format!(
        "{id} is the first key in {} now. Start all gateways that use the database anew, then `tagai keys reseal`",
        path.display()
    ));
    Ok(())
}

fn reseal(config: &Config) -> Result<(), Failure> {
    let store = open_store(config)?;
    let resealed = store.reseal().map_err(|error| Failure::other(error.to_string()))?;
    output::line(&format!("{} verifiers and {} sessions were sealed anew", resealed.users, resealed.sessions))?;
    if let Keys::File(path) = &config.store.keys {
        output::note(&format!("keys below the first one in {} are not needed any more", path.display()));
    }
    Ok(())
}
