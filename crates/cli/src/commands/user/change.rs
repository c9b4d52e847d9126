//! `tagai user disable`, `enable` and `rm`.

use crate::failure::Failure;
use crate::operator::{ConfigFile, Operator, RealmChoice};
use crate::{output, password};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

const AFTER_DISABLE: &str = "\
Examples:
  tagai user disable alice
  tagai user disable alice --realm staff";

const AFTER_ENABLE: &str = "\
Examples:
  tagai user enable alice
  tagai user enable alice --realm staff";

const AFTER_RM: &str = "\
Examples:
  tagai user rm alice
  tagai user rm alice --yes

It asks before it removes a user. `tagai user disable` can be undone, this cannot.";

/// One user of one realm.
#[derive(Debug, clap::Args)]
struct Named {
    /// The user
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    realm: RealmChoice,
    #[command(flatten)]
    config: ConfigFile,
}

/// `tagai user disable`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_DISABLE)]
pub(crate) struct DisableArgs {
    #[command(flatten)]
    named: Named,
}

/// `tagai user enable`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_ENABLE)]
pub(crate) struct EnableArgs {
    #[command(flatten)]
    named: Named,
}

/// `tagai user rm`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_RM)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    named: Named,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(crate) fn disable(args: &DisableArgs) -> Result<(), Failure> {
    set_disabled(&args.named, true)
}

pub(crate) fn enable(args: &EnableArgs) -> Result<(), Failure> {
    set_disabled(&args.named, false)
}

fn set_disabled(named: &Named, disabled: bool) -> Result<(), Failure> {
    let name = password::user_name(&named.name)?;
    let operator = Operator::open_to_change(&named.config, &named.realm)?;
    let done = if disabled { "cannot log in any more" } else { "can log in again" };
    if operator.user(&name)?.disabled == disabled {
        let already = if disabled { "is disabled already" } else { "is not disabled" };
        output::note(&format!("{name} of the realm {} {already}", operator.realm.id));
        return Ok(());
    }
    operator.set_disabled(&name, disabled)?;
    output::note(&format!("{name} of the realm {} {done}", operator.realm.id));
    Ok(())
}

pub(crate) fn remove(args: &RemoveArgs) -> Result<(), Failure> {
    let named = &args.named;
    let name = password::user_name(&named.name)?;
    let operator = Operator::open_to_change(&named.config, &named.realm)?;
    operator.user(&name)?;
    if !args.yes
        && !confirmed(&format!("Remove {name} from the realm {}? This cannot be undone. [y/N] ", operator.realm.id))?
    {
        return Err(Failure::other("nothing was removed"));
    }
    let owner = operator.remove(&name)?;
    output::note(&format!("{name} is no user of the realm {} any more", operator.realm.id));
    if let (Some(owner), Some(credential)) = (owner, operator.credential(&name)) {
        output::note(&format!(
            "{credential} was unbound from the principal {owner}: a later user of this name is somebody else"
        ));
    }
    Ok(())
}

/// Asks on the terminal, if there is one.
pub(crate) fn confirmed(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("there is no terminal on which this could be asked")
            .help("say --yes if it is to be removed"));
    }
    let mut answer = String::new();
    let mut stderr = io::stderr();
    let asked = stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush());
    asked
        .and_then(|()| io::stdin().lock().read_line(&mut answer))
        .map_err(|error| Failure::other(format!("the terminal cannot be used: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
