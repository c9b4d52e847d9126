//! `tagai passwd`.

use crate::failure::Failure;
use crate::operator::{ConfigFile, Operator, RealmChoice};
use crate::{output, password};

const AFTER: &str = "\
Examples:
  tagai passwd alice
  tagai passwd alice --generate
  printf '%s\\n' \"$PASSWORD\" | tagai passwd alice --password-stdin --realm staff

Sessions of the user end. The password itself is not stored; what is stored cannot be used to log in.";

/// `tagai passwd`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The user
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    source: password::Source,
    #[command(flatten)]
    realm: RealmChoice,
    #[command(flatten)]
    config: ConfigFile,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let name = password::user_name(&args.name)?;
    let operator = Operator::open_to_change(&args.config, &args.realm)?;
    operator.user(&name)?;
    let secret = args.source.choose(&name)?;
    let verifier = password::verifier(&operator.realm.realm, &name, &secret)?;
    operator.set_verifier(&name, &verifier)?;
    output::note(&format!("{name} of the realm {} has another password", operator.realm.id));
    if args.source.generate { output::line(&secret) } else { Ok(()) }
}
