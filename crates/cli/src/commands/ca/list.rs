//! `tagai ca list`.

use super::{Folder, now, when};
use crate::failure::Failure;
use crate::output;
use serde::Serialize;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};
use tagai_pki::ca::{Record, State};

const AFTER: &str = "\
Examples:
  tagai ca list
  tagai ca list --expiring 7d
  tagai ca list --json";

/// `tagai ca list`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// Only those that are over in this time, and have no successor: 7d, 12h
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    expiring: Option<Duration>,
    /// Print them as a JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folder: Folder,
}

/// A certificate, for scripts.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    name: &'a str,
    purpose: &'static str,
    serial: String,
    state: &'static str,
    names: Vec<String>,
    common_name: Option<&'a str>,
    issuer: String,
    key: String,
    not_before: String,
    not_after: String,
    revoked: Option<String>,
    reason: Option<&'static str>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let ca = args.folder.open()?;
    let now = now();
    let all = ca.records();
    let chosen: Vec<&Record> = all.iter().filter(|record| is_chosen(record, all, args.expiring, now)).collect();
    if args.json {
        return output::json(&chosen.iter().map(|record| shown(record, now)).collect::<Vec<_>>());
    }
    if chosen.is_empty() {
        output::note("there are none");
        return Ok(());
    }
    let width = chosen.iter().map(|record| record.name.chars().count()).max().unwrap_or_default().max(4);
    let mut text = format!("{:width$}  {:12}  {:32}  {:7}  UNTIL\n", "NAME", "PURPOSE", "SERIAL", "STATE");
    for record in chosen {
        let reason = record.revoked.map(|revoked| format!("  {}", revoked.reason.word())).unwrap_or_default();
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{:width$}  {:12}  {}  {:7}  {}{reason}",
            record.name,
            record.purpose.word(),
            record.serial,
            record.state(now).word(),
            when(record.until())
        );
    }
    output::print(&text)
}

/// Whether it is asked for: all are, or those whose time is nearly over.
fn is_chosen(record: &Record, all: &[Record], expiring: Option<Duration>, now: SystemTime) -> bool {
    let Some(within) = expiring else { return true };
    let Some(limit) = now.checked_add(within) else { return true };
    let alike = |other: &&Record| {
        other.purpose == record.purpose && other.names == record.names && other.state(now) == State::Valid
    };
    let is_over = |record: &Record| record.until() <= limit;
    record.state(now) == State::Valid && is_over(record) && all.iter().filter(alike).all(is_over)
}

fn shown(record: &Record, now: SystemTime) -> Shown<'_> {
    Shown {
        name: &record.name,
        purpose: record.purpose.word(),
        serial: record.serial.to_string(),
        state: record.state(now).word(),
        names: record.names.iter().map(ToString::to_string).collect(),
        common_name: record.common_name.as_deref(),
        issuer: if record.issuer == 0 { "root".to_owned() } else { format!("intermediate-{}", record.issuer) },
        key: record.key.to_string(),
        not_before: when(record.since()),
        not_after: when(record.until()),
        revoked: record.revoked.map(|revoked| when(SystemTime::UNIX_EPOCH + Duration::from_secs(revoked.time))),
        reason: record.revoked.map(|revoked| revoked.reason.word()),
    }
}
