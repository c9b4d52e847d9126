//! `tagai user`.

mod add;
mod change;
mod export;
mod import;
mod list;

use crate::failure::Failure;
pub(crate) use change::confirmed;
use clap::Subcommand;

const AFTER: &str = "\
Examples:
  tagai user add alice
  tagai user list --json
  tagai user disable alice
  tagai user import users.csv --realm staff

Every change is written to the audit log, if [log] audit names a file.";

/// `tagai user`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a user
    Add(add::Args),
    /// List the users
    List(list::ListArgs),
    /// Show one user
    Show(list::ShowArgs),
    /// Keep a user from logging in, and end the user's sessions
    Disable(change::DisableArgs),
    /// Let a user log in again
    Enable(change::EnableArgs),
    /// Remove a user, and end the user's sessions
    Rm(change::RemoveArgs),
    /// Add many users, from verifier lines or CSV
    Import(import::Args),
    /// Write the users as verifier lines, to move them to another database
    Export(export::Args),
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Add(args) => add::run(args),
        Command::List(args) => list::list(args),
        Command::Show(args) => list::show(args),
        Command::Disable(args) => change::disable(args),
        Command::Enable(args) => change::enable(args),
        Command::Rm(args) => change::remove(args),
        Command::Import(args) => import::run(args),
        Command::Export(args) => export::run(args),
    }
}
