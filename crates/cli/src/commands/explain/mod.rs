//! `tagai explain`: why a request was refused, or what would become of one.

mod backwards;
mod noted;
mod request;

use crate::failure::{Failure, OTHER};
use crate::operator::{ConfigFile, open_store};
use crate::output;
use http::Method;
use request::RequestArgs;
use std::time::{Duration, UNIX_EPOCH};
use tagai_gateway::config::Config;
use tagai_gateway::preview::{Account, Imagined, Preview};

const AFTER: &str = "\
Examples:
  tagai explain 4f3a9c0d5e6b7a81
  tagai explain https://www.example.com/api/x --as alice --proof x509
  tagai explain https://www.example.com/api/x --as partners/dns:d1.example.com --method POST --from 10.0.0.1
  tagai explain https://www.example.com/api/x --certificate alice.pem --at 2026-11-21T12:00:00Z
  tagai explain https://www.example.com/
  tagai explain https://www.example.org/ --proxy proxy.example.com --as alice

With the id that a refused answer shows, it searches the audit log for the reason, and asks the policies of now as well; the log has no \
path and no HTTP method, so it asks them for the route itself, with GET. With a URL, it says what the gateway would do with a request \
for it, by the configuration, the principals and the deny list of now; without --as, --credential or --certificate it is a guest's. It \
sends nothing, and fetches no revocation lists from URLs.

Exit codes:
  0  the request would be let through; or the id was found
  1  it would not; or the id was not found
  2  the command line or the configuration is wrong";

/// `tagai explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Args {
    /// The id of a refusal, or a URL
    #[arg(value_name = "ID|URL")]
    what: String,
    #[command(flatten)]
    request: RequestArgs,
    #[command(flatten)]
    config: ConfigFile,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.what.contains("://") {
        let imagined = args.request.read(&args.what, now())?;
        let config = args.config.load()?;
        let account = ask(&config, args.request.proxy.as_deref(), &imagined)?;
        if args.json {
            output::json(&account)?;
        } else {
            output::print(&account.to_string())?;
        }
        return if account.passes { Ok(()) } else { Err(Failure::said(OTHER)) };
    }
    args.request.must_be_empty()?;
    let id = noted::id(&args.what)?;
    let config = args.config.load()?;
    let line = noted::find(&config, &id)?;
    let account = match noted::imagined(&line, now()) {
        Some(imagined) => Some(ask(&config, None, &imagined)?),
        None => None,
    };
    if args.json {
        return output::json(&serde_json::json!({ "noted": line, "now": account }));
    }
    output::print(&noted::words(&line))?;
    if let Some(account) = account {
        output::print(&format!("\nBy what holds now, for the route itself with {}:\n{account}", Method::GET))?;
    }
    Ok(())
}

fn ask(config: &Config, proxy: Option<&str>, imagined: &Imagined) -> Result<Account, Failure> {
    let store = open_store(config)?;
    let (preview, warnings) = Preview::open(config, store).map_err(|error| Failure::other(error.to_string()))?;
    for warning in warnings {
        output::note(&format!("warning: {warning}"));
    }
    Ok(match proxy {
        Some(name) => preview.ask_proxy(name, imagined),
        None => preview.ask(imagined),
    })
}

/// The present, since the epoch.
fn now() -> Duration {
    #[allow(clippy::disallowed_methods)] // The time of a request that is sent just now.
    let now = std::time::SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}
