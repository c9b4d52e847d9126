//! `tagai serve`.

use crate::failure::Failure;
use crate::operator::ConfigFile;
use crate::serving;

const AFTER: &str = "\
Examples:
  tagai serve
  tagai serve --config /etc/tagai/tagai.toml

SIGHUP reads configuration and certificates anew, as does a change of the files; a configuration that is wrong is not taken, and \
the old one goes on. Changes of users count at once. SIGTERM and Ctrl-C let requests end first, for as long as [limits] \
shutdown-timeout says.";

/// `tagai serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) config: ConfigFile,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    serving::start_log(&config);
    let runtime = serving::runtime()?;
    let served = runtime.block_on(serving::serve(config, |gateway| {
        for address in gateway.addresses() {
            tracing::info!(address = %address.address, tls = address.tls, "listening");
        }
        Ok(())
    }));
    // Threads that still compute something do not hold the end up.
    runtime.shutdown_background();
    served
}
