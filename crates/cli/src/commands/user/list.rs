//! `tagai user list` and `tagai user show`.

use crate::failure::Failure;
use crate::operator::{ConfigFile, Operator, RealmChoice, open_store};
use crate::{output, password};
use serde::Serialize;
use tagai_gateway::audit::rfc3339;
use tagai_gateway::config::Realm;
use tagai_store::{User, UserStore as _};

const AFTER_LIST: &str = "\
Examples:
  tagai user list
  tagai user list --realm staff --json";

const AFTER_SHOW: &str = "\
Examples:
  tagai user show alice
  tagai user show alice --json";

/// `tagai user list`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_LIST)]
pub(crate) struct ListArgs {
    /// The id of a realm in the configuration [default: all of them]
    #[arg(long, value_name = "ID")]
    realm: Option<String>,
    #[command(flatten)]
    config: ConfigFile,
    /// Print them as a JSON array
    #[arg(long)]
    json: bool,
}

/// `tagai user show`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_SHOW)]
pub(crate) struct ShowArgs {
    /// The user
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    realm: RealmChoice,
    #[command(flatten)]
    config: ConfigFile,
    /// Print it as a JSON object
    #[arg(long)]
    json: bool,
}

/// A user, for scripts.
#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    realm: String,
    disabled: bool,
    created: String,
    changed: String,
}

impl Shown {
    fn new(realm: &Realm, user: &User) -> Self {
        Self {
            name: user.name.as_str().to_owned(),
            realm: realm.id.clone(),
            disabled: user.disabled,
            created: rfc3339(user.created),
            changed: rfc3339(user.changed),
        }
    }

    const fn state(&self) -> &'static str {
        if self.disabled { "disabled" } else { "active" }
    }
}

pub(crate) fn list(args: &ListArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    let realms = match &args.realm {
        None => config.realms.clone(),
        id => vec![RealmChoice { realm: id.clone() }.choose(&config)?],
    };
    let store = open_store(&config)?;
    let all = store.users(None).map_err(|error| Failure::other(error.to_string()))?;
    let mut shown = Vec::new();
    for realm in &realms {
        shown.extend(all.iter().filter(|user| user.realm == realm.realm).map(|user| Shown::new(realm, user)));
    }
    let lost = all.iter().filter(|user| config.realms.iter().all(|realm| realm.realm != user.realm)).count();
    if lost > 0 && args.realm.is_none() {
        let (count, are) = if lost == 1 { ("1 user".to_owned(), "is") } else { (format!("{lost} users"), "are") };
        output::note(&format!(
            "note: {count} in the database {are} of no realm of this configuration: the name, the scope or the algorithm of a \
             realm was changed"
        ));
    }
    if args.json {
        return output::json(&shown);
    }
    if shown.is_empty() {
        output::note("there are no users; `tagai user add NAME` adds one");
        return Ok(());
    }
    let name_width = shown.iter().map(|user| user.name.chars().count()).max().unwrap_or_default().max(4);
    let realm_width = shown.iter().map(|user| user.realm.len()).max().unwrap_or_default().max(5);
    let mut text = format!("{:name_width$}  {:realm_width$}  {:8}  CHANGED\n", "NAME", "REALM", "STATE");
    for user in &shown {
        let line =
            format!("{:name_width$}  {:realm_width$}  {:8}  {}\n", user.name, user.realm, user.state(), user.changed);
        text.push_str(&line);
    }
    output::print(&text)
}

pub(crate) fn show(args: &ShowArgs) -> Result<(), Failure> {
    let name = password::user_name(&args.name)?;
    let operator = Operator::open(&args.config, &args.realm)?;
    let user = Shown::new(&operator.realm, &operator.user(&name)?);
    if args.json {
        return output::json(&user);
    }
    output::print(&format!(
        "name     {}\nrealm    {}: {}\nstate    {}\ncreated  {}\nchanged  {}\n",
        user.name,
        user.realm,
        operator.realm.realm,
        user.state(),
        user.created,
        user.changed
    ))
}
