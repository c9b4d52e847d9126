//! `tagai logout`.

use crate::failure::Failure;
use crate::get::{Trouble, logout};
use std::path::PathBuf;

const AFTER: &str = "\
Examples:
  tagai logout --realm Staff
  tagai logout --all
  tagai logout --all --session-file ./sessions --cacert ca.pem -v

Each server is told by POST to /.well-known/tagai/logout, which tagai's gateway has, and the session is then removed from the file. \
A server that cannot be told, or has no such place, ends the session by itself when its time is over; without the file, nobody can \
use it any more.

Exit codes:
  0  no such session is kept any more
  1  the file cannot be read or written
  2  the command line is wrong";

/// `tagai logout`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// End the sessions of the realm of this name
    #[arg(long, value_name = "NAME", required_unless_present = "all")]
    pub(crate) realm: Option<String>,
    /// End all sessions
    #[arg(long, conflicts_with = "realm")]
    pub(crate) all: bool,
    /// Where sessions are kept [default: in the user's state directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) session_file: Option<PathBuf>,
    /// Trust the certificates in this PEM file, instead of those of the system
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// Show on standard error what became of each session
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    logout::run(args).map_err(Trouble::into_failure)
}
