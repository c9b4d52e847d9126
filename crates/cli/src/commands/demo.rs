//! `tagai demo`.

use crate::failure::Failure;
use std::path::PathBuf;

const AFTER: &str = "\
Examples:
  tagai demo
  tagai demo --dir /tmp/tagai-demo --https-port 9443 --http-port 9080

Ctrl-C ends it. It starts from the same directory the next time, with the same user.";

/// `tagai demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
#[allow(dead_code, reason = "read by the demo")]
pub(crate) struct Args {
    /// Where everything is kept; it is made if it is not there
    #[arg(long, value_name = "DIR", default_value = "tagai-demo")]
    pub(crate) dir: PathBuf,
    /// The port for https, on this machine alone
    #[arg(long, value_name = "PORT", default_value_t = 8443)]
    pub(crate) https_port: u16,
    /// The port for http, on this machine alone
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(crate) http_port: u16,
}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::other("the demo is not a part of this build"))
}
