//! `tagai user import`.

mod rows;

use crate::failure::Failure;
use crate::operator::{ConfigFile, Operator, RealmChoice};
use crate::output::{self, Progress};
use crate::password;
use rows::{Entry, Row};
use std::collections::{HashMap, HashSet};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tagai_core::credential::Username;
use tagai_core::kam3::J;
use zeroize::Zeroizing;

const AFTER: &str = "\
Examples:
  tagai user import alice.verifier
  tagai user import users.csv --realm staff
  ssh other-host tagai user export | tagai user import -
  tagai user import staff.verifiers --replace

A file holds verifier lines, as `tagai user add --verifier-only` and `tagai user export` write them, or CSV with the header \
user,password or user,password,disabled. What cannot be taken is said with its line; then nothing is changed at all, unless \
--keep-going. A verifier line is

  tagai-verifier:1:ALGORITHM:SCOPE:REALM:USER:BASE64[:disabled]

where %XX stands for what is not visible ASCII, and for % and : themselves. Hashes, as in htpasswd files, cannot be converted: a verifier is made from the password itself.";

/// The largest file, in octets.
const MAX_FILE: u64 = 256 << 20;
/// The most complaints that are shown.
const MAX_SHOWN: usize = 50;

/// `tagai user import`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The file, or - for standard input
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// Read it as CSV, whatever its first line looks like
    #[arg(long)]
    csv: bool,
    /// Take what can be taken, and leave out the rest
    #[arg(long)]
    keep_going: bool,
    /// Give users that are there already the verifier of the file
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    realm: RealmChoice,
    #[command(flatten)]
    config: ConfigFile,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let operator = Operator::open_to_change(&args.config, &args.realm)?;
    let text = read(&args.file)?;
    let (mut entries, mut wrong) = rows::parse(&text, args.csv, &operator.realm)?;
    let known: Known = operator.users()?.into_iter().map(|user| (user.name, user.disabled)).collect();
    let mut seen = HashSet::new();
    entries.retain(|entry| {
        let name = entry.user.as_str();
        let twice = !seen.insert(name.to_owned());
        if twice {
            wrong.push((entry.line, format!("the user {name} stands in the file twice")));
        } else if known.contains_key(&entry.user) && !args.replace {
            wrong.push((entry.line, format!("there is a user {name} already; --replace gives it this verifier")));
        } else {
            return true;
        }
        false
    });
    wrong.sort_by_key(|(line, _)| *line);
    complain(&args.file, &wrong);
    if !wrong.is_empty() && !args.keep_going {
        return Err(Failure::other(format!("{}; nothing was imported", lines_are_wrong(wrong.len())))
            .help("correct the file, or say --keep-going to take the other lines"));
    }
    if entries.is_empty() {
        return Err(
            Failure::other("there is nothing to import").help("a verifier line, or CSV with a header, is expected")
        );
    }
    let verifiers = derive(&operator, &entries)?;
    let count = store(&operator, &entries, &verifiers, &known, args.keep_going)?;
    output::note(&format!(
        "{count} user{} of the realm {} imported",
        if count == 1 { "" } else { "s" },
        operator.realm.id
    ));
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failure::other(format!("{} and left out", lines_are_wrong(wrong.len()))))
    }
}

fn lines_are_wrong(count: usize) -> String {
    if count == 1 { "1 line is wrong".to_owned() } else { format!("{count} lines are wrong") }
}

fn read(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut octets = Zeroizing::new(Vec::new());
    let read = if file == Path::new("-") {
        io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut octets)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(MAX_FILE + 1).read_to_end(&mut octets))
    };
    read.map_err(|error| Failure::other(format!("{} cannot be read: {error}", file.display())))?;
    if octets.len() as u64 > MAX_FILE {
        return Err(Failure::other(format!("{} is longer than 256 MiB", file.display())).help("import it in parts"));
    }
    match String::from_utf8(std::mem::take(&mut *octets)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let octets = Zeroizing::new(error.into_bytes());
            let line = octets.iter().take(at).filter(|octet| **octet == b'\n').count() + 1;
            Err(Failure::other(format!("{}:{line}: this is not UTF-8", file.display())))
        }
    }
}

fn complain(file: &Path, wrong: &[(u64, String)]) {
    let file = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    for (line, reason) in wrong.iter().take(MAX_SHOWN) {
        output::note(&format!("{file}:{line}: {reason}"));
    }
    if wrong.len() > MAX_SHOWN {
        output::note(&format!("and {} more", wrong.len() - MAX_SHOWN));
    }
}

/// The verifiers of all entries, in their order. Those of passwords are computed on all processors: it is slow on purpose.
fn derive(operator: &Operator, entries: &[Entry]) -> Result<Vec<Option<J>>, Failure> {
    let realm = &operator.realm.realm;
    let total = entries.iter().filter(|entry| matches!(entry.row, Row::Password(_))).count();
    let progress = Progress::new("computing verifiers:", total);
    let (next, done) = (AtomicUsize::new(0), Mutex::new((0, Vec::new(), None)));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(total.max(1));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let position = next.fetch_add(1, Ordering::Relaxed);
                    let Some(entry) = entries.get(position) else { return };
                    let Row::Password(secret) = &entry.row else { continue };
                    let made = password::derive(realm, &entry.user, secret);
                    let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    done.0 += 1;
                    progress.show(done.0);
                    match made {
                        Ok(verifier) => done.1.push((position, verifier)),
                        Err(failure) => done.2 = Some(failure),
                    }
                }
            });
        }
    });
    let (_, made, failed) = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(failure) = failed {
        return Err(failure);
    }
    // By the position and by nothing else: two entries may be said to stand on one line, and whose verifier is whose must not
    // depend on which was done first.
    let mut verifiers: Vec<Option<J>> = entries.iter().map(|_| None).collect();
    for (position, verifier) in made {
        if let Some(place) = verifiers.get_mut(position) {
            *place = Some(verifier);
        }
    }
    Ok(verifiers)
}

/// The users that were there before, and whether each was disabled.
type Known = HashMap<Username, bool>;

/// How a change is taken back.
enum Undo<'e> {
    Remove(&'e Username),
    PutBack { name: &'e Username, verifier: J, disabled: bool },
}

/// Puts the users into the store. If one fails, everything is put back as it was, unless `keep_going`.
fn store(
    operator: &Operator,
    entries: &[Entry],
    verifiers: &[Option<J>],
    known: &Known,
    keep_going: bool,
) -> Result<usize, Failure> {
    let progress = Progress::new("storing users:", entries.len());
    let mut undo = Vec::new();
    for (position, (entry, derived)) in entries.iter().zip(verifiers).enumerate() {
        if let Err(failure) = store_one(operator, entry, derived.as_ref(), known, &mut undo) {
            drop(progress);
            if keep_going {
                output::note(&format!("{position} users were imported before this happened"));
            } else {
                take_back(operator, &undo);
            }
            return Err(failure);
        }
        progress.show(position + 1);
    }
    Ok(entries.len())
}

fn store_one<'e>(
    operator: &Operator,
    entry: &'e Entry,
    derived: Option<&J>,
    known: &Known,
    undo: &mut Vec<Undo<'e>>,
) -> Result<(), Failure> {
    let verifier = match (&entry.row, derived) {
        (Row::Verifier(verifier), _) | (Row::Password(_), Some(verifier)) => verifier,
        (Row::Password(_), None) => return Err(Failure::other("a verifier was not computed")),
    };
    let name = &entry.user;
    let disabled = known.get(name).copied();
    match disabled {
        Some(disabled) => {
            let old = operator.verifier(name)?;
            // Before the change: if it happens and then only cannot be noted, it has to be taken back as well.
            undo.push(Undo::PutBack { name, verifier: old, disabled });
            operator.set_verifier(name, verifier)?;
        }
        None => {
            operator.must_be_new(name)?;
            undo.push(Undo::Remove(name));
            operator.add(name, verifier)?;
        }
    }
    if entry.disabled == disabled.unwrap_or(false) { Ok(()) } else { operator.set_disabled(name, entry.disabled) }
}

fn take_back(operator: &Operator, undo: &[Undo<'_>]) {
    let mut left = 0;
    for step in undo.iter().rev() {
        let done = match step {
            Undo::Remove(name) => operator.take_back(name),
            Undo::PutBack { name, verifier, disabled } => operator.put_back(name, verifier, *disabled),
        };
        left += usize::from(done.is_err());
    }
    output::note(&match left {
        0 => "nothing was imported: what had been changed was put back".to_owned(),
        _ => format!("{left} of {} changes could not be put back: see `tagai user list`", undo.len()),
    });
}
