//! `tagai ca revoke` and `tagai ca crl`.

use super::secret::Secret;
use super::{Folder, Lifetime, in_file, now, when};
use crate::failure::Failure;
use crate::output;
use serde::Serialize;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use tagai_pki::ca::{CRL_LIFETIME, Ca, CrlReport, Reason, Record, Serial, State};

const AFTER_REVOKE: &str = "\
Examples:
  tagai ca revoke alice@example.com --reason keyCompromise
  tagai ca revoke www.example.com.pem --reason superseded
  tagai ca revoke 5f0c... --reason cessationOfOperation

A name means every certificate that has it and is not over. With keyCompromise, all certificates with the same key are revoked. \
The CRLs are new at once: publish them, or copy crl.pem to those who check certificates. A revocation cannot be taken back. \
The reasons are unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, \
privilegeWithdrawn.";

const AFTER_CRL: &str = "\
Examples:
  tagai ca crl
  tagai ca crl --days 3 --passphrase-file /etc/tagai/passphrase
  tagai ca crl --root

It writes crl.pem, which holds all lists, and each as intermediate-1.crl and root.crl in DER, which is what a URL in a certificate \
has to give. Run it every few days: whoever checks certificates strictly refuses all of them once the list is over. That of the \
root is good as long as the newest intermediate is; --root makes it anew, with the root's key.";

/// `tagai ca revoke`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_REVOKE)]
pub(super) struct RevokeArgs {
    /// The certificates: names, serial numbers, or files with them
    #[arg(value_name = "NAME|SERIAL|FILE", required = true)]
    what: Vec<String>,
    /// Why, by its name in RFC 5280
    #[arg(long, value_name = "REASON", default_value = "unspecified")]
    reason: String,
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    secret: Secret,
}

/// `tagai ca crl`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_CRL)]
pub(super) struct CrlArgs {
    #[command(flatten)]
    lifetime: Lifetime,
    /// Make that of the root anew as well, with the root's key
    #[arg(long)]
    root: bool,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    secret: Secret,
}

pub(super) fn revoke(args: &RevokeArgs) -> Result<(), Failure> {
    let reason: Reason = args.reason.parse()?;
    args.folder.expect()?;
    let now = now();
    let serials = {
        let ca = args.folder.open()?;
        let mut serials: Vec<Serial> = Vec::new();
        for what in &args.what {
            serials.extend(meant(&ca, what, now)?);
        }
        serials
    };
    let passphrase = args.secret.known()?;
    let mut ca = args.folder.open()?;
    let revoked = ca.revoke(&serials, reason, &passphrase, now).map_err(|error| {
        let mark = |record: &Record| {
            record.revoked.is_some_and(|revoked| SystemTime::UNIX_EPOCH + Duration::from_secs(revoked.time + 1) > now)
        };
        let known = ca.records().iter().any(|record| serials.contains(&record.serial) && mark(record));
        let failure = Failure::from(error);
        if known {
            failure.help("run `tagai ca crl` once that is mended: the CRLs may be the old ones")
        } else {
            failure
        }
    })?;
    for record in &revoked {
        output::line(&format!("{}  {}  revoked: {}", record.serial, record.name, reason.word()))?;
    }
    for record in ca.records().iter().filter(|record| serials.contains(&record.serial)) {
        if !revoked.iter().any(|now| now.serial == record.serial) {
            output::note(&format!("{} of {} was revoked already", record.serial, record.name));
        }
    }
    output::note(&format!(
        "{} is new; publish it, or copy it to those who check certificates",
        ca.crl_path().display()
    ));
    Ok(())
}

/// The certificates that are meant: one by number or file, or all of a name that are not over; if all are, all of them.
fn meant(ca: &Ca, what: &str, now: SystemTime) -> Result<Vec<Serial>, Failure> {
    let found = ca.find(what);
    if found.is_empty() {
        return Ok(vec![in_file(ca, what)?.serial]);
    }
    let serials = |records: &[&Record]| records.iter().map(|record| record.serial).collect::<Vec<_>>();
    let valid: Vec<&Record> = found.iter().copied().filter(|record| record.state(now) == State::Valid).collect();
    Ok(serials(if valid.is_empty() { &found } else { &valid }))
}

#[derive(Serialize)]
struct Shown<'a> {
    number: u64,
    revoked: usize,
    next_update: String,
    root_next_update: String,
    files: &'a [PathBuf],
}

pub(super) fn crl(args: &CrlArgs) -> Result<(), Failure> {
    args.folder.expect()?;
    let passphrase = args.secret.known()?;
    let mut ca = args.folder.open()?;
    let now = now();
    let report = ca.write_crls(args.lifetime.chosen().unwrap_or(CRL_LIFETIME), args.root, &passphrase, now)?;
    warn(&report, now);
    if args.json {
        return output::json(&Shown {
            number: report.number,
            revoked: report.revoked,
            next_update: when(report.next_update),
            root_next_update: when(report.root_next_update),
            files: &report.files,
        });
    }
    let entries =
        if report.revoked == 1 { "1 certificate".to_owned() } else { format!("{} certificates", report.revoked) };
    let files: Vec<String> = report.files.iter().map(|path| path.display().to_string()).collect();
    output::print(&format!(
        "number   {}\nrevoked  {entries}\nuntil    {}; the root's until {}\nwritten  {}\n",
        report.number,
        when(report.next_update),
        when(report.root_next_update),
        files.join(" ")
    ))
}

/// Says so in time before the root's key is needed.
fn warn(report: &CrlReport, now: SystemTime) {
    const MONTH: Duration = Duration::from_secs(30 * 86_400);
    for (name, over) in &report.stale {
        output::note(&format!(
            "warning: {name}.key is not there, so its list stays as it was, and is over at {}; renew what it has signed before",
            when(*over)
        ));
    }
    if report.root_next_update < now + MONTH {
        output::note(&format!(
            "warning: the root's list is over at {}; bring its key, and run `tagai ca renew --intermediate` or `tagai ca crl --root`",
            when(report.root_next_update)
        ));
    }
}
