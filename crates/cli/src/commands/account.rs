//! `tagai account`: what users do with their own accounts, from a terminal.

use crate::failure::Failure;
use crate::get::{Trouble, account};
use clap::Subcommand;
use std::path::PathBuf;

const AFTER: &str = "\
Examples:
  tagai account register https://www.example.com/ --user alice
  tagai account passwd https://www.example.com/ --user alice
  printf '%s\\n' \"$CODE\" \"$PASSWORD\" | tagai account register https://www.example.com/ --user alice --stdin
  printf '%s\\n' \"$OLD\" \"$NEW\" | tagai account passwd https://www.example.com/ --user alice --stdin

The URL is one that asks for a login. The password never leaves this machine: the server gets what it needs to recognise whoever knows \
it. Whoever reads that on the way could try passwords on it, so both are done over https alone, and the server's certificate has to \
be right. An operator makes the code with `tagai user invite`.

Exit codes:
  0  it was done
  1  something on this machine failed
  2  the command line is wrong
  3  the invitation or the old password was refused, or the server does not take this
  4  the server did not prove that it knows the user
  5  the network or TLS failed";

/// `tagai account`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Become a user, or choose another password, with the code of an invitation
    #[command(after_help = AFTER)]
    Register(Site),
    /// Change your password
    #[command(after_help = AFTER)]
    Passwd(Site),
}

/// Where, and as whom.
#[derive(Debug, clap::Args)]
pub(crate) struct Site {
    /// A page that asks for a login
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// Your user name
    #[arg(short, long, value_name = "NAME")]
    pub(crate) user: String,
    /// Read from standard input what is asked for else, a line each: the code or the old password, and the new password
    #[arg(long)]
    pub(crate) stdin: bool,
    /// Trust the certificates in this PEM file, instead of those of the system
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Register(site) => account::register(site),
        Command::Passwd(site) => account::change_password(site),
    }
    .map_err(Trouble::into_failure)
}
