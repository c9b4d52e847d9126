//! `tagai policy`.

use crate::failure::{Failure, OTHER};
use crate::operator::ConfigFile;
use crate::output;
use clap::Subcommand;
use std::path::PathBuf;
use tagai_gateway::config::Diagnostic;
use tagai_gateway::{StartError, preview};
use tagai_policy::Policies;

const AFTER: &str = "\
Examples:
  tagai policy schema
  tagai policy check policy.cedar

`tagai check` checks the policies of a configuration with everything else; `tagai explain` says what they decide.";

const AFTER_CHECK: &str = "\
Examples:
  tagai policy check new-policy.cedar
  tagai policy check new-policy.cedar --config /etc/tagai/tagai.toml

The file is checked against the schema, and against the routes and forward proxies of the configuration, as if it stood there as \
[policy] file. Nothing is changed.

Exit codes:
  0  it can be used
  1  it is wrong
  2  the command line or the configuration is wrong";

/// `tagai policy`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what policies can speak of, and of which type it is, in Cedar
    #[command(after_help = "Examples:\n  tagai policy schema\n  tagai policy schema > tagai.cedarschema")]
    Schema,
    /// Say what is wrong with a policy file before it is used
    #[command(after_help = AFTER_CHECK)]
    Check {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        config: ConfigFile,
    },
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Schema => output::print(Policies::schema()),
        Command::Check { file, config } => check(file, config),
    }
}

fn check(file: &std::path::Path, config: &ConfigFile) -> Result<(), Failure> {
    let colour = output::colour_on_stdout();
    let show = |found: &[Diagnostic]| found.iter().try_for_each(|one| output::line(&one.render(colour)));
    match preview::policies_of(&config.load()?, file) {
        Ok(policies) => {
            show(&preview::diagnostics(policies.warnings()))?;
            output::line(&format!("ok    {}", file.display()))
        }
        Err(StartError::Policy(problems)) => {
            show(&preview::diagnostics(&problems))?;
            Err(Failure::said(OTHER))
        }
        Err(error) => Err(Failure::other(error.to_string())),
    }
}
