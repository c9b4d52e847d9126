//! `tagai user`.

mod add;
mod change;
mod export;
mod import;
mod invite;
mod list;

use crate::failure::Failure;
pub(crate) use change::confirmed;
use clap::Subcommand;

const AFTER: &str = "\
Examples:
  tagai user add alice
  tagai user invite bob
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
    /// Let somebody choose a password by a code that works once; or list such invitations, or take one back
    Invite(invite::Args),
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
        Command::Invite(args) => invite::run(args),
        Command::List(args) => list::list(args),
        Command::Show(args) => list::show(args),
        Command::Disable(args) => change::disable(args),
        Command::Enable(args) => change::enable(args),
        Command::Rm(args) => change::remove(args),
        Command::Import(args) => import::run(args),
        Command::Export(args) => export::run(args),
    }
}
