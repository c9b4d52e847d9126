//! `tagai principal`.

mod add;
mod bind;
mod change;
mod list;

use crate::failure::Failure;
use clap::Subcommand;

const AFTER: &str = "\
Examples:
  tagai principal add alice --group ops
  tagai principal bind alice user:staff/alice
  tagai principal bind alice --certificate alice.pem --client-ca partners
  tagai principal bind sensor-7 --key sensor-7.pem
  tagai principal show alice
  tagai principal disable alice

A principal is a person, a device or a service, whatever it proves itself with: each of its credentials is the same principal to \
policy, applications, metrics and the audit log. Credentials are written as

  user:REALM/NAME             a user of a realm
  x509:CLIENT-CA/KIND:NAME    a certificate with this name (dns, uri, email or cn), verified by the client CA
  key:sha256:BASE64           a bare public key

A gateway that runs takes changes over within a second. Every change is written to the audit log, if [log] audit names a file.";

/// `tagai principal`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a principal
    Add(add::Args),
    /// List the principals
    List(list::ListArgs),
    /// Show one principal, by its name or one of its credentials
    Show(list::ShowArgs),
    /// Remove a principal, and set its credentials free
    Remove(change::RemoveArgs),
    /// Keep a principal from doing anything, and end its sessions
    Disable(change::DisableArgs),
    /// Let a principal in again
    Enable(change::EnableArgs),
    /// Put a principal into groups, or take it out of them
    Group(change::GroupArgs),
    /// Give a principal attributes, or take them away
    Attribute(change::AttributeArgs),
    /// Give a principal a credential: what it proves itself with
    Bind(bind::BindArgs),
    /// Take a credential from a principal, and end the sessions that were begun with it
    Unbind(bind::UnbindArgs),
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Add(args) => add::run(args),
        Command::List(args) => list::list(args),
        Command::Show(args) => list::show(args),
        Command::Remove(args) => change::remove(args),
        Command::Disable(args) => change::disable(args),
        Command::Enable(args) => change::enable(args),
        Command::Group(args) => change::group(args),
        Command::Attribute(args) => change::attribute(args),
        Command::Bind(args) => bind::bind(args),
        Command::Unbind(args) => bind::unbind(args),
    }
}
