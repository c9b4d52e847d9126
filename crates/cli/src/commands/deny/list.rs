//! `tagai deny list`.

use crate::failure::Failure;
use crate::operator::{ConfigFile, unavailable};
use crate::output;
use crate::registrar::{Registrar, named};
use serde::Serialize;
use std::fmt::Write as _;
use tagai_gateway::audit::rfc3339;
use tagai_store::principal::{Denial, DenialTarget, PrincipalStore as _};

/// `tagai deny list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tagai deny list\n  tagai deny list --json")]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// Print them as a JSON array
    #[arg(long)]
    json: bool,
}

/// A denial, for scripts: one of `serial`, `key` and `principal` is there.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_ca: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
    reason: String,
    created: String,
    by: String,
}

impl Shown {
    fn new(denial: &Denial) -> Self {
        let mut shown = Self {
            serial: None,
            client_ca: None,
            key: None,
            principal: None,
            reason: denial.reason.clone(),
            created: rfc3339(denial.created),
            by: denial.by.clone(),
        };
        match &denial.target {
            DenialTarget::Serial { serial, client_ca } => {
                shown.serial = Some(serial.to_string());
                shown.client_ca = client_ca.as_ref().map(ToString::to_string);
            }
            DenialTarget::Key(pin) => shown.key = Some(pin.to_string()),
            DenialTarget::Principal(name) => shown.principal = Some(name.to_string()),
        }
        shown
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let registrar = Registrar::open(&args.config)?;
    let denials = registrar.store.denials().map_err(unavailable)?;
    if args.json {
        return output::json(&denials.iter().map(Shown::new).collect::<Vec<_>>());
    }
    if denials.is_empty() {
        output::note("nobody is denied; `tagai deny add` keeps somebody out");
        return Ok(());
    }
    let mut text = format!("{:24}  {:16}  DENIED\n", "SINCE", "BY");
    for denial in &denials {
        let kind = if matches!(denial.target, DenialTarget::Principal(_)) { "principal " } else { "" };
        let reason = if denial.reason.is_empty() { String::new() } else { format!(": {}", denial.reason) };
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{:24}  {:16}  {kind}{}{reason}",
            rfc3339(denial.created),
            denial.by,
            named(&denial.target)
        );
    }
    output::print(&text)
}
