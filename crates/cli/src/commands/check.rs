//! `tagai check`.

use crate::check::{Check, Finding, preflight};
use crate::failure::{Failure, OTHER, USAGE};
use crate::operator::ConfigFile;
use crate::output;
use serde::Serialize;
use std::path::{Path, PathBuf};
use tagai_gateway::config::Config;

const AFTER: &str = "\
Examples:
  tagai check
  tagai check --config /etc/tagai/tagai.toml
  tagai check --json

It reads the configuration, looks at the files that it names, and opens the database with its keys. Nothing is changed.

Exit codes:
  0  everything can be used
  1  a file that the configuration names cannot be used
  2  the configuration is wrong";

/// `tagai check`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

/// What was found, for scripts.
#[derive(Serialize)]
struct Report {
    file: PathBuf,
    ok: bool,
    configuration: Vec<Finding>,
    checks: Vec<Check>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let file = args.config.path()?;
    let config = match Config::load(&file) {
        Ok(config) => config,
        Err(errors) if args.json => {
            let configuration = errors.diagnostics().iter().cloned().map(Finding::from).collect();
            output::json(&Report { file, ok: false, configuration, checks: Vec::new() })?;
            return Err(Failure::said(USAGE));
        }
        Err(errors) => return Err(errors.into()),
    };
    let checks = preflight(&config);
    let ok = checks.iter().all(|check| check.problem.is_none());
    if args.json {
        let configuration = config.warnings.iter().cloned().map(Finding::from).collect();
        output::json(&Report { file, ok, configuration, checks })?;
    } else {
        show(&file, &config, &checks)?;
    }
    if ok { Ok(()) } else { Err(Failure::said(OTHER)) }
}

fn show(file: &Path, config: &Config, checks: &[Check]) -> Result<(), Failure> {
    let colour = output::colour_on_stdout();
    let (good, bad, bold, plain) =
        if colour { ("\x1b[32m", "\x1b[1;31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "", "") };
    for warning in &config.warnings {
        output::line(&warning.render(colour))?;
    }
    output::line(&format!("{good}ok{plain}    configuration {}", file.display()))?;
    for check in checks {
        match &check.problem {
            None => output::line(&format!("{good}ok{plain}    {}", check.what))?,
            Some(problem) => {
                output::line(&format!("{bad}wrong{plain} {}: {problem}", check.what))?;
                if let Some(help) = &check.help {
                    output::line(&format!("      help: {help}"))?;
                }
            }
        }
        for finding in &check.findings {
            output::line(&finding.diagnostic.render(colour))?;
        }
        for warning in &check.warnings {
            output::line(&format!("      {bold}warning{plain}: {warning}"))?;
        }
    }
    Ok(())
}
