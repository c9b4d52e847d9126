//! `tagai version`.

use crate::failure::Failure;
use crate::output;
use serde::Serialize;
use tagai_core::algorithm::Algorithm;

const AFTER: &str = "\
Examples:
  tagai version
  tagai version --json";

/// `tagai version`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Print it as JSON, with what this version can do
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
    algorithms: Vec<&'static str>,
    rfcs: [u16; 3],
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    if args.json {
        let algorithms = Algorithm::ALL.into_iter().map(Algorithm::as_str).collect();
        output::json(&Version { name: "tagai", version, algorithms, rfcs: [8120, 8121, 8053] })
    } else {
        output::line(&format!("tagai {version}"))
    }
}
