//! `tagai user export`.

use crate::failure::Failure;
use crate::operator::{ConfigFile, Operator, RealmChoice};
use crate::output;
use crate::verifier_line::VerifierLine;
use std::io::{self, IsTerminal as _};

const AFTER: &str = "\
Examples:
  (umask 077; tagai user export --realm staff > staff.verifiers)
  tagai user export | ssh other-host tagai user import -

The lines hold no passwords, but whoever has them can try passwords on them, and pose as the server to these users.";

/// `tagai user export`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(flatten)]
    realm: RealmChoice,
    #[command(flatten)]
    config: ConfigFile,
    /// Write to a terminal, too
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if io::stdout().is_terminal() && !args.force {
        return Err(Failure::usage("verifiers are secret, and are not shown on a terminal")
            .help("write them to a file: (umask 077; tagai user export > users.verifiers); or say --force"));
    }
    let operator = Operator::open_to_change(&args.config, &args.realm)?;
    let users = operator.users()?;
    for user in &users {
        let verifier = operator.export(&user.name)?;
        let (realm, disabled) = (operator.realm.realm.clone(), user.disabled);
        output::line(&VerifierLine { realm, user: user.name.clone(), verifier, disabled }.to_text())?;
    }
    let plural = if users.len() == 1 { "" } else { "s" };
    output::note(&format!(
        "{} user{plural} written. Keep the lines secret: whoever has them can try passwords on them, and pose as the server",
        users.len()
    ));
    Ok(())
}
