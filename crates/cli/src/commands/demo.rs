//! `tagai demo`.

use crate::demo::{self, APP_PORT, Demo, HTTP_PORT, HTTPS_PORT};
use crate::failure::Failure;
use std::path::PathBuf;

const AFTER: &str = "\
Examples:
  tagai demo
  tagai demo --dir /tmp/tagai-demo --https-port 9443 --http-port 9080 --app-port 9001

Ctrl-C ends it. It starts from the same directory the next time, with the same user.";

/// `tagai demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Where everything is kept; it is made if it is not there
    #[arg(long, value_name = "DIR", default_value = "tagai-demo")]
    pub(crate) dir: PathBuf,
    /// The port for https, on this machine alone
    #[arg(long, value_name = "PORT", default_value_t = HTTPS_PORT, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) https_port: u16,
    /// The port for http, on this machine alone
    #[arg(long, value_name = "PORT", default_value_t = HTTP_PORT, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) http_port: u16,
    /// The port of the demo application behind it, on this machine alone
    #[arg(long, value_name = "PORT", default_value_t = APP_PORT, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) app_port: u16,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Args { dir, https_port, http_port, app_port } = args;
    demo::run(&Demo { dir: dir.clone(), https_port: *https_port, http_port: *http_port, app_port: *app_port })
}
