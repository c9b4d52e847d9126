//! Reads the two forms of files that users are imported from.

use crate::failure::Failure;
use crate::htpasswd::{EXPLANATION, hash_kind, htpasswd_line};
use crate::verifier_line::{self, VerifierLine};
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::J;
use tagai_gateway::config::Realm;

/// One user of a file.
pub(super) struct Entry {
    /// Where it stands, from 1.
    pub(super) line: u64,
    pub(super) user: Username,
    pub(super) disabled: bool,
    pub(super) row: Row,
}

/// What a file says of a user.
pub(super) enum Row {
    /// The verifier itself.
    Verifier(J),
    /// The password, from which the verifier has to be computed.
    Password(Password),
}

/// What can be taken, and what is wrong in which line.
pub(super) type Parsed = (Vec<Entry>, Vec<(u64, String)>);

/// Reads a file.
///
/// # Errors
/// If it is of no known form at all. What is wrong with single lines stands in the result.
pub(super) fn parse(text: &str, csv: bool, realm: &Realm) -> Result<Parsed, Failure> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first =
        text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
    if first.starts_with(verifier_line::PREFIX) && !csv {
        return Ok(verifier_lines(text, realm));
    }
    if let Some((user, kind)) = htpasswd_line(first).filter(|_| !csv) {
        return Err(Failure::other(format!(
            "this is an htpasswd file: the password of {user} is hashed with {kind}"
        ))
        .help(EXPLANATION));
    }
    let header = first.to_ascii_lowercase();
    if csv || header.split(',').any(|name| name.trim().trim_matches('"') == "user") {
        return rows(text);
    }
    if first.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    Err(Failure::other("this is neither a file of verifier lines nor CSV with a header")
        .help("verifier lines start with \"tagai-verifier:\"; the first line of CSV is user,password or user,password,disabled"))
}

fn verifier_lines(text: &str, realm: &Realm) -> Parsed {
    let (mut entries, mut wrong) = (Vec::new(), Vec::new());
    for (line, text) in (1..).zip(text.lines().map(str::trim)) {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if let Some((user, kind)) = htpasswd_line(text) {
            wrong.push((line, format!("the password of {user} is hashed with {kind}: {EXPLANATION}")));
            continue;
        }
        match VerifierLine::parse(text) {
            Ok(read) if read.realm == realm.realm => {
                let VerifierLine { user, verifier, disabled, .. } = read;
                entries.push(Entry { line, user, disabled, row: Row::Verifier(verifier) });
            }
            Ok(read) => wrong.push((
                line,
                format!(
                    "the line of {} is for {}, and the realm {} is {}",
                    read.user, read.realm, realm.id, realm.realm
                ),
            )),
            Err(reason) => wrong.push((line, reason)),
        }
    }
    (entries, wrong)
}

/// Which column is which.
struct Columns {
    user: usize,
    password: usize,
    disabled: Option<usize>,
    count: usize,
}

impl Columns {
    fn read(header: &csv::StringRecord) -> Result<Self, String> {
        let (mut user, mut password, mut disabled) = (None, None, None);
        for (position, name) in header.iter().enumerate() {
            let column = match name.trim().to_ascii_lowercase().as_str() {
                "user" => &mut user,
                "password" => &mut password,
                "disabled" => &mut disabled,
                // It is not shown: without a header, it would be somebody's password.
                _ => {
                    return Err(format!(
                        "the {}. column of the header is neither user, password nor disabled",
                        position + 1
                    ));
                }
            };
            if column.replace(position).is_some() {
                return Err(format!("the {}. column of the header is there twice", position + 1));
            }
        }
        match (user, password) {
            (Some(user), Some(password)) => Ok(Self { user, password, disabled, count: header.len() }),
            _ => Err("the header has to name the columns user and password".into()),
        }
    }
}

fn rows(text: &str) -> Result<Parsed, Failure> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| Failure::other(format!("the CSV cannot be read: {error}")))?;
    let columns = Columns::read(header).map_err(|reason| {
        Failure::other(format!("line 1: {reason}"))
            .help("the first line has to be user,password or user,password,disabled")
    })?;
    let (mut entries, mut wrong) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(|error| Failure::other(format!("the CSV cannot be read: {error}")))?;
        let line = record.position().map_or(0, csv::Position::line);
        match entry(&record, &columns, line) {
            Ok(entry) => entries.push(entry),
            Err(reason) => wrong.push((line, reason)),
        }
    }
    Ok((entries, wrong))
}

fn entry(record: &csv::StringRecord, columns: &Columns, line: u64) -> Result<Entry, String> {
    if record.len() != columns.count {
        return Err(format!(
            "there are {} columns, and the header has {}; what holds a comma has to stand in quotation marks",
            record.len(),
            columns.count
        ));
    }
    let field = |at: usize| record.get(at).unwrap_or_default();
    let typed = field(columns.user);
    let user = Username::prepare(typed).map_err(|error| format!("{typed:?} cannot be a user name: {error}"))?;
    let secret = field(columns.password);
    if let Some(kind) = hash_kind(secret) {
        return Err(format!("the password of {user} is hashed with {kind}: {EXPLANATION}"));
    }
    let secret =
        Password::prepare(secret).map_err(|error| format!("the password of {user} cannot be used: {error}"))?;
    let disabled = match columns.disabled.map(|at| field(at).trim().to_ascii_lowercase()).as_deref() {
        None | Some("" | "false" | "no" | "0") => false,
        Some("true" | "yes" | "1") => true,
        Some(_) => return Err(format!("whether {user} is disabled has to be true or false")),
    };
    Ok(Entry { line, user, disabled, row: Row::Password(secret) })
}
