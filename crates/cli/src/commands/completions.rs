//! `tagai completions`.

use super::Cli;
use crate::failure::Failure;
use crate::output;
use clap::CommandFactory as _;
use clap_complete::Shell;

const AFTER: &str = "\
Examples:
  tagai completions bash > ~/.local/share/bash-completion/completions/tagai
  tagai completions zsh > ~/.zfunc/_tagai
  tagai completions fish > ~/.config/fish/completions/tagai.fish";

/// `tagai completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tagai", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
