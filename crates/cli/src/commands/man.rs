//! `tagai man`.

use super::Cli;
use crate::failure::Failure;
use crate::output;
use clap::CommandFactory as _;
use clap_mangen::Man;
use std::path::PathBuf;

const AFTER: &str = "\
Examples:
  tagai man | man -l -
  tagai man --dir /usr/local/share/man/man1";

/// `tagai man`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Write a page for each command into this directory, instead of the first one to standard output
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.dir {
        None => {
            let mut page = Vec::new();
            let rendered = Man::new(Cli::command()).render(&mut page);
            rendered.map_err(|error| Failure::other(format!("the manual cannot be written: {error}")))?;
            output::print(&String::from_utf8_lossy(&page))
        }
        Some(dir) => {
            let cannot =
                |error| Failure::other(format!("the manual cannot be written to {}: {error}", dir.display()));
            std::fs::create_dir_all(dir).map_err(cannot)?;
            clap_mangen::generate_to(Cli::command(), dir).map_err(cannot)
        }
    }
}
