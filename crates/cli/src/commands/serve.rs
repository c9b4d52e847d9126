//! `tagai serve`.

use crate::failure::Failure;
use crate::operator::ConfigFile;

const AFTER: &str = "\
Examples:
  tagai serve
  tagai serve --config /etc/tagai/tagai.toml

SIGHUP reads configuration, certificates and users anew; a configuration that is wrong is not taken. SIGTERM and Ctrl-C let \
requests end first, for as long as [limits] shutdown-timeout says.";

/// `tagai serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) config: ConfigFile,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let _config = args.config.load()?;
    Err(Failure::other("the gateway is not a part of this build"))
}
