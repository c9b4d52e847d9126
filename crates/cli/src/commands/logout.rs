//! `tagai logout`.

use crate::failure::Failure;
use std::path::PathBuf;

const AFTER: &str = "\
Examples:
  tagai logout --realm Staff
  tagai logout --all
  tagai logout --all --session-file ./sessions";

/// `tagai logout`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
#[allow(dead_code, reason = "read by the client")]
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
}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::other("the client is not a part of this build"))
}
