//! `tagai principal remove`, `disable`, `enable`, `group` and `attribute`.

use crate::commands::user::confirmed;
use crate::failure::Failure;
use crate::operator::ConfigFile;
use crate::output;
use crate::registrar::{Registrar, explain, principal_name};
use clap::Subcommand;
use tagai_gateway::audit::Event;
use tagai_store::StoreError;
use tagai_store::principal::{AttributeKey, AttributeValue, GroupName, PrincipalName, PrincipalStore as _};
use tagai_store::sqlite::SqliteStore;

/// One principal.
#[derive(Debug, clap::Args)]
struct Named {
    /// The principal
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    config: ConfigFile,
}

/// `tagai principal disable`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tagai principal disable alice")]
pub(crate) struct DisableArgs {
    #[command(flatten)]
    named: Named,
}

/// `tagai principal enable`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tagai principal enable alice")]
pub(crate) struct EnableArgs {
    #[command(flatten)]
    named: Named,
}

const AFTER_REMOVE: &str = "\
Examples:
  tagai principal remove alice
  tagai principal remove alice --yes

It asks before it removes a principal. Its credentials belong to nobody then: where the realm or client CA accepts those that are \
not registered, whoever proves one of them is still let in, as a principal of its own. `tagai principal disable` and `tagai deny` keep \
somebody out.";

/// `tagai principal remove`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_REMOVE)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    named: Named,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// `tagai principal group`.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
#[command(
    after_help = "Examples:\n  tagai principal group add alice ops on-call\n  tagai principal group remove alice ops"
)]
pub(crate) struct GroupArgs {
    #[command(subcommand)]
    command: Group,
}

#[derive(Debug, Subcommand)]
enum Group {
    /// Put a principal into groups
    #[command(after_help = "Examples:\n  tagai principal group add alice ops on-call")]
    Add(Groups),
    /// Take a principal out of groups
    #[command(after_help = "Examples:\n  tagai principal group remove alice ops")]
    Remove(Groups),
}

#[derive(Debug, clap::Args)]
struct Groups {
    #[command(flatten)]
    named: Named,
    /// The groups
    #[arg(value_name = "GROUP", required = true)]
    groups: Vec<String>,
}

/// `tagai principal attribute`.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
#[command(
    after_help = "Examples:\n  tagai principal attribute set sensor-7 floor=3\n  tagai principal attribute unset sensor-7 floor"
)]
pub(crate) struct AttributeArgs {
    #[command(subcommand)]
    command: Attribute,
}

#[derive(Debug, Subcommand)]
enum Attribute {
    /// Give a principal attributes, or attributes other values
    #[command(after_help = "Examples:\n  tagai principal attribute set sensor-7 floor=3 \"room=by the window\"")]
    Set {
        #[command(flatten)]
        named: Named,
        /// The attributes
        #[arg(value_name = "KEY=VALUE", required = true)]
        attributes: Vec<String>,
    },
    /// Take attributes from a principal
    #[command(after_help = "Examples:\n  tagai principal attribute unset sensor-7 floor room")]
    Unset {
        #[command(flatten)]
        named: Named,
        /// The keys of the attributes
        #[arg(value_name = "KEY", required = true)]
        keys: Vec<String>,
    },
}

/// A change, and how it is told once it is made or was not needed.
struct Change<'a> {
    make: &'a dyn Fn(&SqliteStore, &PrincipalName) -> Result<bool, StoreError>,
    /// For the audit log.
    noted: String,
    done: String,
    already: String,
}

fn apply(named: &Named, changes: &[Change<'_>]) -> Result<(), Failure> {
    let name = principal_name(&named.name)?;
    let registrar = Registrar::open_to_change(&named.config)?;
    for change in changes {
        if (change.make)(&registrar.store, &name).map_err(|error| explain(error, &name))? {
            registrar.note(Event::PrincipalChanged, &name, Some(change.noted.clone()))?;
            output::note(&format!("{name} {}", change.done));
        } else {
            output::note(&format!("{name} {}", change.already));
        }
    }
    Ok(())
}

pub(crate) fn disable(args: &DisableArgs) -> Result<(), Failure> {
    let change = Change {
        make: &|store, name| store.set_principal_disabled(name, true),
        noted: "disabled".into(),
        done: "can do nothing any more".into(),
        already: "is disabled already".into(),
    };
    apply(&args.named, &[change])
}

pub(crate) fn enable(args: &EnableArgs) -> Result<(), Failure> {
    let change = Change {
        make: &|store, name| store.set_principal_disabled(name, false),
        noted: "enabled".into(),
        done: "is let in again".into(),
        already: "is not disabled".into(),
    };
    apply(&args.named, &[change])
}

pub(crate) fn remove(args: &RemoveArgs) -> Result<(), Failure> {
    let name = principal_name(&args.named.name)?;
    let registrar = Registrar::open_to_change(&args.named.config)?;
    let principal = registrar.principal(&name)?;
    if !args.yes && !confirmed(&format!("Remove the principal {name}? This cannot be undone. [y/N] "))? {
        return Err(Failure::other("nothing was removed"));
    }
    registrar.store.remove_principal(&name).map_err(|error| explain(error, &name))?;
    registrar.note(Event::PrincipalRemoved, &name, None)?;
    output::note(&format!("{name} is no principal any more"));
    let free: Vec<String> = principal.credentials.iter().map(ToString::to_string).collect();
    if !free.is_empty() {
        output::note(&format!("these credentials belong to nobody now: {}", free.join(", ")));
    }
    Ok(())
}

/// Groups by their names.
pub(super) fn groups_of(typed: &[String]) -> Result<Vec<GroupName>, Failure> {
    let read = |text: &String| {
        text.parse().map_err(|error| Failure::usage(format!("{text:?} cannot be the name of a group: {error}")))
    };
    typed.iter().map(read).collect()
}

fn key_of(typed: &str) -> Result<AttributeKey, Failure> {
    typed.parse().map_err(|error| Failure::usage(format!("{typed:?} cannot be the key of an attribute: {error}")))
}

/// An attribute, written KEY=VALUE.
pub(super) fn attribute_of(typed: &str) -> Result<(AttributeKey, AttributeValue), Failure> {
    let (key, value) = typed.split_once('=').ok_or_else(|| {
        Failure::usage(format!("{typed:?} is no attribute")).help("write it as KEY=VALUE, such as floor=3")
    })?;
    let value = value.parse().map_err(|error| Failure::usage(format!("the value of {key}: {error}")))?;
    Ok((key_of(key)?, value))
}

pub(crate) fn group(args: &GroupArgs) -> Result<(), Failure> {
    let (groups, adds) = match &args.command {
        Group::Add(groups) => (groups, true),
        Group::Remove(groups) => (groups, false),
    };
    let names = groups_of(&groups.groups)?;
    for group in &names {
        let change = if adds {
            Change {
                make: &|store, name| store.add_to_group(name, group),
                noted: format!("in the group {group}"),
                done: format!("is in the group {group} now"),
                already: format!("is in the group {group} already"),
            }
        } else {
            Change {
                make: &|store, name| store.remove_from_group(name, group),
                noted: format!("not in the group {group}"),
                done: format!("is not in the group {group} any more"),
                already: format!("is not in the group {group}"),
            }
        };
        apply(&groups.named, &[change])?;
    }
    Ok(())
}

pub(crate) fn attribute(args: &AttributeArgs) -> Result<(), Failure> {
    match &args.command {
        Attribute::Set { named, attributes } => {
            let read = attributes.iter().map(|text| attribute_of(text)).collect::<Result<Vec<_>, _>>()?;
            for (key, value) in &read {
                let text = value.as_str();
                let change = Change {
                    make: &|store, name| store.set_attribute(name, key, value),
                    noted: format!("{key} is {text:?}"),
                    done: format!("has {key} = {text:?} now"),
                    already: format!("has {key} = {text:?} already"),
                };
                apply(named, &[change])?;
            }
        }
        Attribute::Unset { named, keys } => {
            let read = keys.iter().map(|text| key_of(text)).collect::<Result<Vec<_>, _>>()?;
            for key in &read {
                let change = Change {
                    make: &|store, name| store.unset_attribute(name, key),
                    noted: format!("without {key}"),
                    done: format!("has no {key} any more"),
                    already: format!("has no {key}"),
                };
                apply(named, &[change])?;
            }
        }
    }
    Ok(())
}
