//! `tagai user invite`.

use crate::commands::ca;
use crate::failure::Failure;
use crate::operator::{ConfigFile, Operator, RealmChoice, open_store};
use crate::{output, password};
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tagai_core::credential::Username;
use tagai_gateway::audit::rfc3339;
use tagai_gateway::config::{Config, Realm, Registration};
use tagai_store::InvitationStore as _;
use tagai_store::invitation::{Invitation, InvitationCode};

const AFTER: &str = "\
Examples:
  tagai user invite alice
  tagai user invite alice --for 7d --json
  tagai user invite alice --reset
  tagai user invite --list
  tagai user invite --revoke alice

The code is printed once, and only a hash of it is kept. Give it to the person by a way on which nobody else reads: whoever has \
it chooses the password. It is for this name in this realm, can be used once, and runs out; a new one takes the place of an \
earlier one, and any change of the user ends it. The realm needs registration = \"invitation\" in the configuration.

Exit codes: 0 it was done, 1 it failed (as when there is such a user already), 2 the command line or the configuration is wrong.";

/// The longest that an invitation is good for.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// `tagai user invite`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Who is invited
    #[arg(value_name = "NAME", required_unless_present = "list")]
    name: Option<String>,
    /// How long the invitation is good for, such as 90m, 24h or 7d
    #[arg(long = "for", value_name = "TIME", default_value = "24h", value_parser = span)]
    span: Duration,
    /// Let a user who is there choose another password
    #[arg(long)]
    reset: bool,
    /// Take the invitation back
    #[arg(long, conflicts_with_all = ["reset", "span"])]
    revoke: bool,
    /// Show the invitations that are open
    #[arg(long, conflicts_with_all = ["name", "reset", "span", "revoke"])]
    list: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "revoke")]
    json: bool,
    #[command(flatten)]
    realm: RealmChoice,
    #[command(flatten)]
    config: ConfigFile,
}

/// An invitation that was made, for scripts.
#[derive(Serialize)]
struct Made<'a> {
    name: &'a str,
    realm: &'a str,
    code: &'a str,
    reset: bool,
    expires: String,
}

/// An open invitation, for scripts.
#[derive(Serialize)]
struct Open {
    name: String,
    realm: String,
    reset: bool,
    created: String,
    expires: String,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Some(name) = &args.name else { return list(args) };
    let name = password::user_name(name)?;
    let operator = Operator::open_to_change(&args.config, &args.realm)?;
    if args.revoke {
        if !operator.revoke_invitation(&name)? {
            return Err(Failure::other(format!(
                "there is no invitation for {name} in the realm {}",
                operator.realm.id
            ))
            .help("`tagai user invite --list` shows those that are open"));
        }
        output::note(&format!("the invitation for {name} in the realm {} is of no use any more", operator.realm.id));
        return Ok(());
    }
    invite(args, &name, &operator)
}

fn invite(args: &Args, name: &Username, operator: &Operator) -> Result<(), Failure> {
    let realm = &operator.realm;
    if realm.registration != Registration::Invitation {
        return Err(Failure::usage(format!("the realm {} takes no invitations", realm.id)).help(format!(
            "write registration = \"invitation\" into the [[realm]] {:?}, and reload the gateway",
            realm.id
        )));
    }
    let code = InvitationCode::generate().map_err(|error| Failure::other(error.to_string()))?;
    let now = now();
    let expires = now.checked_add(args.span).ok_or_else(|| Failure::usage("--for is too long"))?;
    let replaced = operator.invite(name, &code.digest(), args.reset, (now, expires))?;
    let text = code.expose_text();
    if replaced {
        output::note(&format!("the invitation that {name} had before is of no use any more"));
    }
    if args.json {
        let (realm, expires) = (realm.id.as_str(), rfc3339(expires));
        return output::json(&Made { name: name.as_str(), realm, code: &text, reset: args.reset, expires });
    }
    let what = if args.reset { "can choose another password" } else { "can become a user" };
    output::note(&format!(
        "{name} {what} of the realm {} with this code, once, until {}. Give it to nobody else. Say: in the browser's \
         tagai panel, at an https page of {} that asks to log in, choose \"I have an invitation\"; the name is {name}",
        realm.id,
        rfc3339(expires),
        realm.realm.auth_scope,
    ));
    if let Some(owner) = operator.principal_of(name)?.filter(|_| !args.reset) {
        output::note(&format!("logged in, {name} will be the principal {owner}: the credential is bound already"));
    }
    output::line(&text)
}

fn list(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    let chosen = args.realm.realm.as_ref().map(|_| args.realm.choose(&config)).transpose()?;
    let store = open_store(&config)?;
    let realm = chosen.as_ref().map(|realm| &realm.realm);
    let open = store.invitations(realm, now()).map_err(|error| Failure::other(error.to_string()))?;
    let open: Vec<Open> = open.iter().map(|invitation| Open::new(&config, invitation)).collect();
    if args.json {
        return output::json(&open);
    }
    if open.is_empty() {
        output::note("no invitations are open; `tagai user invite NAME` makes one");
        return Ok(());
    }
    let name_width = open.iter().map(|one| one.name.chars().count()).max().unwrap_or_default().max(4);
    let realm_width = open.iter().map(|one| one.realm.chars().count()).max().unwrap_or_default().max(5);
    let mut text = format!("{:name_width$}  {:realm_width$}  {:8}  EXPIRES\n", "NAME", "REALM", "FOR");
    for one in &open {
        let what = if one.reset { "reset" } else { "new user" };
        text.push_str(&format!("{:name_width$}  {:realm_width$}  {what:8}  {}\n", one.name, one.realm, one.expires));
    }
    output::print(&text)
}

impl Open {
    fn new(config: &Config, invitation: &Invitation) -> Self {
        let realm: Option<&Arc<Realm>> = config.realms.iter().find(|realm| realm.realm == invitation.realm);
        Self {
            name: invitation.name.as_str().to_owned(),
            // Of a realm that the configuration does not have any more there is the whole of it.
            realm: realm.map_or_else(|| invitation.realm.to_string(), |realm| realm.id.clone()),
            reset: invitation.reset,
            created: rfc3339(invitation.created),
            expires: rfc3339(invitation.expires),
        }
    }
}

/// The time, from which an invitation's end is reckoned.
#[allow(clippy::disallowed_methods)] // The gateway compares it with the same clock.
fn now() -> SystemTime {
    SystemTime::now()
}

/// Reads a time such as 24h.
fn span(text: &str) -> Result<Duration, String> {
    match ca::time(text)? {
        Duration::ZERO => Err("the invitation would be of no use".to_owned()),
        span if span > LONGEST => Err("365d is the longest".to_owned()),
        span => Ok(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_unit_and_a_limit() {
        for (text, seconds) in [("1m", 60), ("90m", 5400), ("24h", 86_400), ("7d", 604_800), ("365d", 31_536_000)] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "m", "0h", "24", "-1h", "1.5h", "1 h", "1w", "366d", "99999999999999999999d", "1\u{65e5}"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
