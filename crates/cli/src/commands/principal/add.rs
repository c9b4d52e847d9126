//! `tagai principal add`.

use super::change::{attribute_of, groups_of};
use crate::failure::Failure;
use crate::operator::ConfigFile;
use crate::output;
use crate::registrar::{Registrar, explain, principal_name};
use tagai_gateway::audit::Event;
use tagai_store::principal::{NewPrincipal, PrincipalKind, PrincipalStore as _};

const AFTER: &str = "\
Examples:
  tagai principal add alice
  tagai principal add sensor-7 --kind device --group sensors --attribute floor=3

It has nothing to prove itself with yet: see `tagai principal bind`.";

/// `tagai principal add`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The principal
    #[arg(value_name = "NAME")]
    name: String,
    /// What it is: person, device or service
    #[arg(long, default_value = "person")]
    kind: PrincipalKind,
    /// A group that it is in; may be given several times
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// An attribute; may be given several times
    #[arg(long = "attribute", value_name = "KEY=VALUE")]
    attributes: Vec<String>,
    #[command(flatten)]
    config: ConfigFile,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let name = principal_name(&args.name)?;
    let groups = groups_of(&args.groups)?;
    let attributes = args.attributes.iter().map(|text| attribute_of(text)).collect::<Result<Vec<_>, _>>()?;
    let registrar = Registrar::open_to_change(&args.config)?;
    let store = &registrar.store;
    let failed = |error| explain(error, &name);
    store.add_principal(&NewPrincipal { name: name.clone(), kind: args.kind }).map_err(failed)?;
    registrar.note(Event::PrincipalAdded, &name, Some(args.kind.to_string()))?;
    for group in &groups {
        if store.add_to_group(&name, group).map_err(failed)? {
            registrar.note(Event::PrincipalChanged, &name, Some(format!("in the group {group}")))?;
        }
    }
    for (key, value) in &attributes {
        if store.set_attribute(&name, key, value).map_err(failed)? {
            registrar.note(
                Event::PrincipalChanged,
                &name,
                Some(format!("{key} is {value:?}", value = value.as_str())),
            )?;
        }
    }
    output::note(&format!(
        "{name} is a principal now; `tagai principal bind {name} …` says what it proves itself with"
    ));
    Ok(())
}
