//! `tagai principal list` and `tagai principal show`.

use crate::failure::Failure;
use crate::operator::{ConfigFile, unavailable};
use crate::output;
use crate::registrar::{Registrar, credential, principal_name};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tagai_gateway::audit::rfc3339;
use tagai_store::principal::{DenialTarget, Facts, GroupName, Principal, PrincipalStore as _};

/// `tagai principal list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tagai principal list\n  tagai principal list --group ops --json")]
pub(crate) struct ListArgs {
    /// Only those in this group
    #[arg(long, value_name = "GROUP")]
    group: Option<GroupName>,
    #[command(flatten)]
    config: ConfigFile,
    /// Print them as a JSON array
    #[arg(long)]
    json: bool,
}

/// `tagai principal show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tagai principal show alice\n  tagai principal show user:staff/alice --json")]
pub(crate) struct ShowArgs {
    /// The principal, or one of its credentials
    #[arg(value_name = "NAME|CREDENTIAL")]
    name: String,
    #[command(flatten)]
    config: ConfigFile,
    /// Print it as a JSON object
    #[arg(long)]
    json: bool,
}

/// A principal, for scripts.
#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    kind: &'static str,
    disabled: bool,
    /// Whether the deny list has its name.
    denied: bool,
    groups: Vec<String>,
    attributes: BTreeMap<String, String>,
    credentials: Vec<String>,
    created: String,
    changed: String,
}

impl Shown {
    fn new(principal: &Principal, denied: bool) -> Self {
        let text = |(key, value): &(_, _)| (ToString::to_string(key), ToString::to_string(value));
        Self {
            name: principal.name.to_string(),
            kind: principal.kind.as_str(),
            disabled: principal.disabled,
            denied,
            groups: principal.groups.iter().map(ToString::to_string).collect(),
            attributes: principal.attributes.iter().map(text).collect(),
            credentials: principal.credentials.iter().map(ToString::to_string).collect(),
            created: rfc3339(principal.created),
            changed: rfc3339(principal.changed),
        }
    }

    const fn state(&self) -> &'static str {
        match (self.denied, self.disabled) {
            (true, _) => "denied",
            (false, true) => "disabled",
            (false, false) => "active",
        }
    }
}

pub(crate) fn list(args: &ListArgs) -> Result<(), Failure> {
    let registrar = Registrar::open(&args.config)?;
    let directory = registrar.store.directory().map_err(unavailable)?;
    let denied = |name: &str| directory.denied(&Facts { principal: Some(name), ..Facts::default() }).is_some();
    let wanted = |principal: &&std::sync::Arc<Principal>| {
        args.group.as_ref().is_none_or(|group| principal.is_in(group.as_str()))
    };
    let mut shown: Vec<Shown> = directory
        .principals()
        .filter(wanted)
        .map(|principal| Shown::new(principal, denied(principal.name.as_str())))
        .collect();
    shown.sort_by(|a, b| a.name.cmp(&b.name));
    if args.json {
        return output::json(&shown);
    }
    if shown.is_empty() {
        match &args.group {
            Some(group) => output::note(&format!("there are no principals in the group {group}")),
            None => output::note("there are no principals; `tagai principal add NAME` adds one"),
        }
        return Ok(());
    }
    let width = shown.iter().map(|one| one.name.len()).max().unwrap_or_default().max(4);
    let mut text = format!("{:width$}  {:7}  {:8}  {:>11}  GROUPS\n", "NAME", "KIND", "STATE", "CREDENTIALS");
    for one in &shown {
        let (state, count) = (one.state(), one.credentials.len());
        // Writing to a string does not fail.
        let _ =
            writeln!(text, "{:width$}  {:7}  {state:8}  {count:>11}  {}", one.name, one.kind, one.groups.join(" "));
    }
    output::print(&text)
}

pub(crate) fn show(args: &ShowArgs) -> Result<(), Failure> {
    // No name of a principal has a colon.
    let by_credential = args.name.contains(':').then(|| credential(&args.name)).transpose()?;
    let by_name = by_credential.is_none().then(|| principal_name(&args.name)).transpose()?;
    let registrar = Registrar::open(&args.config)?;
    let name = match (by_name, by_credential) {
        (Some(name), _) => name,
        (None, Some(credential)) => registrar.store.owner_of(&credential).map_err(unavailable)?.ok_or_else(|| {
            Failure::other(format!("the credential {credential} belongs to no principal"))
                .help(format!("`tagai principal bind NAME '{credential}'` gives it to one"))
        })?,
        (None, None) => return Err(Failure::usage("there is no name")),
    };
    let principal = registrar.principal(&name)?;
    let denials = registrar.store.denials().map_err(unavailable)?;
    let target = DenialTarget::Principal((&name).into());
    let denied = denials.iter().any(|denial| denial.target == target);
    let shown = Shown::new(&principal, denied);
    if args.json {
        return output::json(&shown);
    }
    let mut text = format!(
        "name         {}\nkind         {}\nstate        {}\ngroups       {}\n",
        shown.name,
        shown.kind,
        shown.state(),
        shown.groups.join(" ")
    );
    let lines = |text: &mut String, label: &str, values: &[String]| {
        for (place, value) in values.iter().enumerate() {
            let label = if place == 0 { label } else { "" };
            let _ = writeln!(text, "{label:13}{value}");
        }
    };
    let attributes: Vec<String> = shown.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    lines(&mut text, "attributes", &attributes);
    lines(&mut text, "credentials", &shown.credentials);
    let _ = writeln!(text, "created      {}\nchanged      {}", shown.created, shown.changed);
    output::print(&text)
}
