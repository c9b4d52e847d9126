//! `tagai deny`.

mod list;
mod target;

use crate::failure::Failure;
use crate::operator::{ConfigFile, unavailable};
use crate::output;
use crate::registrar::Registrar;
use clap::Subcommand;
use tagai_store::principal::{DenialTarget, PrincipalStore as _};
use target::Target;

const AFTER: &str = "\
Examples:
  tagai deny add principal alice --reason \"laptop stolen\"
  tagai deny add principal staff/bob
  tagai deny add serial 0a:1b:2c --client-ca partners
  tagai deny add key sensor-7.pem
  tagai deny list
  tagai deny remove principal alice

A gateway that runs takes changes over within a second, for connections that are open as well, and ends the sessions of whoever \
is denied. Every change is written to the audit log, if [log] audit names a file.";

/// `tagai deny`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

const AFTER_ADD: &str = "\
Examples:
  tagai deny add principal alice --reason \"laptop stolen\"
  tagai deny add principal partners/dns:device1.example.com
  tagai deny add serial 0a:1b:2c --client-ca partners
  tagai deny add key sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

const AFTER_REMOVE: &str = "\
Examples:
  tagai deny remove principal alice
  tagai deny remove serial 0a:1b:2c --client-ca partners";

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep somebody out, at once
    #[command(after_help = AFTER_ADD, arg_required_else_help = true)]
    Add {
        #[command(subcommand)]
        target: Target,
        /// Why; for operators, and never shown to whom it keeps out
        #[arg(long, global = true, value_name = "TEXT", default_value = "")]
        reason: String,
        #[command(flatten)]
        config: GlobalConfig,
    },
    /// List who is denied
    List(list::Args),
    /// Let somebody in again
    #[command(after_help = AFTER_REMOVE, arg_required_else_help = true)]
    Remove {
        #[command(subcommand)]
        target: Target,
        #[command(flatten)]
        config: GlobalConfig,
    },
}

/// The configuration, to be named behind the target as well.
#[derive(Debug, clap::Args)]
struct GlobalConfig {
    /// The configuration [default: ./tagai.toml, then /etc/tagai/tagai.toml]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<std::path::PathBuf>,
}

impl GlobalConfig {
    fn file(&self) -> ConfigFile {
        ConfigFile { config: self.config.clone() }
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Add { target, reason, config } => add(&target.read()?, reason, &config.file()),
        Command::List(args) => list::run(args),
        Command::Remove { target, config } => remove(&target.read()?, &config.file()),
    }
}

fn add(target: &DenialTarget, reason: &str, config: &ConfigFile) -> Result<(), Failure> {
    let registrar = Registrar::open_to_change(config)?;
    if registrar.deny(target, reason)? {
        output::note(&format!("{target} is denied now"));
    } else {
        output::note(&format!("{target} is denied already; `tagai deny list` says why"));
    }
    let DenialTarget::Principal(name) = target else { return Ok(()) };
    match name.credential() {
        Some(credential) => {
            registrar.warn_of(&credential)?;
            if let Some(owner) = registrar.store.owner_of(&credential).map_err(unavailable)? {
                output::note(&format!(
                    "note: {credential} belongs to the principal {owner}, who is let in with other credentials; `tagai deny add \
                     principal {owner}` denies all of them"
                ));
            }
        }
        None => {
            let there = match name.as_str().parse() {
                Ok(name) => registrar.store.principal(&name).map_err(unavailable)?.is_some(),
                Err(_) => true,
            };
            if !there {
                output::note(&format!(
                    "warning: there is no principal {name} yet; whoever is added by this name is denied"
                ));
            }
        }
    }
    Ok(())
}

fn remove(target: &DenialTarget, config: &ConfigFile) -> Result<(), Failure> {
    let registrar = Registrar::open_to_change(config)?;
    if registrar.allow(target)? {
        output::note(&format!("{target} is not denied any more"));
        return Ok(());
    }
    let failure = Failure::other(format!("{target} is not on the deny list"));
    let help = match target {
        DenialTarget::Serial { .. } => {
            "`tagai deny list` shows who is; a serial number is removed with the --client-ca that it was added with"
        }
        _ => "`tagai deny list` shows who is",
    };
    Err(failure.help(help))
}
