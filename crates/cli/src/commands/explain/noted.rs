//! What the audit log has about a refusal.

use super::backwards::Backwards;
use crate::failure::Failure;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tagai_gateway::audit::{Event, Line};
use tagai_gateway::config::{Audit, Config};
use tagai_gateway::preview::{Imagined, Sender};
use tagai_store::principal::Method;

/// Octets that are searched of each file, from its end.
const MOST: u64 = 256 << 20;

/// The octets of an id as it is shown, and of the shortest beginning that is looked for.
const ID: std::ops::RangeInclusive<usize> = 6..=64;

/// An id as somebody typed it.
pub(super) fn id(typed: &str) -> Result<String, Failure> {
    let id = typed.trim().trim_matches('"').to_ascii_lowercase();
    if ID.contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return Ok(id);
    }
    Err(Failure::usage(format!("{typed:?} is neither a URL nor the id of a refusal")).help(
        "an id is hexadecimal, as the refused answer shows it (its beginning will do, from 6 digits on); a URL begins with https:// or \
         http://",
    ))
}

/// The newest line of an id, or of ids that begin so.
pub(super) fn find(config: &Config, id: &str) -> Result<Line, Failure> {
    let path = match &config.log.audit {
        Audit::File(path) => path,
        Audit::Log => {
            return Err(Failure::other("the audit lines are in the log of the gateway: [log] audit names no file")
                .help(format!(
                    "search there: journalctl -u tagai | grep {id}; or write audit = \"audit.log\" in [log]"
                )));
        }
        Audit::Stdout => {
            return Err(Failure::other("the audit lines went to the standard output of the gateway")
                .help(format!("search where that is kept for {id}; or write audit = \"audit.log\" in [log]")));
        }
    };
    let mut cut = false;
    for file in [path.clone(), rotated(path)] {
        let lines = match Backwards::open(&file, MOST) {
            Ok(lines) => lines,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Failure::other(format!("{} cannot be read: {error}", file.display()))),
        };
        let (found, whole) = search(lines, id)
            .map_err(|error| Failure::other(format!("{} cannot be read: {error}", file.display())))?;
        if let Some(line) = found {
            return Ok(line);
        }
        cut |= !whole;
    }
    let failure = Failure::other(format!("the audit log {} has no refusal {id}", path.display()));
    Err(failure.help(if cut {
        format!("only the last {} MiB of each file were searched; older lines: grep {id} FILE", MOST >> 20)
    } else {
        "older files were not searched, but for the one that ends in .1; and of more than 200 refusals in a second, the rest is only \
         counted"
            .to_owned()
    }))
}

/// The file before this one, as logrotate calls it.
fn rotated(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".1");
    name.into()
}

/// The line, if it is there; and whether everything was looked at.
fn search(mut lines: Backwards, id: &str) -> io::Result<(Option<Line>, bool)> {
    let wanted = format!("\"id\":\"{id}");
    while let Some(line) = lines.next_line()? {
        if !line.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
            continue;
        }
        // What somebody wrote into a name may look like an id: only a line that has it as its own counts.
        let read = serde_json::from_slice::<Line>(&line).ok();
        if let Some(read) = read.filter(|line| line.id.as_deref().is_some_and(|found| found.starts_with(id))) {
            return Ok((Some(read), true));
        }
    }
    Ok((None, lines.is_whole()))
}

/// A line, in words.
pub(super) fn words(line: &Line) -> String {
    let what = match line.event {
        Event::Refused => "refused",
        _ => "noted",
    };
    let mut text = format!("{what} at {}: {}\n", line.time, line.reason.as_deref().unwrap_or("no reason was noted"));
    let address = line.address.map(|address| address.to_string());
    for (name, value) in [
        ("id", &line.id),
        ("route", &line.origin),
        ("principal", &line.principal),
        ("proven by", &line.method),
        ("user", &line.user),
        ("realm", &line.realm),
        ("from", &address),
    ] {
        if let Some(value) = value {
            // Names may hold anything that a client has sent.
            let value: String = value.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {name:<10} {value}");
        }
    }
    text
}

/// The request of a line, as far as the line has it; none for refusals of forward proxies, which name no URL.
pub(super) fn imagined(line: &Line, time: Duration) -> Option<Imagined> {
    let url = line.origin.as_ref().filter(|origin| origin.contains("://"))?.parse().ok()?;
    let method = line.method.as_deref().and_then(|text| text.parse::<Method>().ok());
    let sender = match line.principal.as_deref() {
        None => Sender::Guest,
        Some(name) => match (name.parse(), name.parse()) {
            (Ok(credential), _) => Sender::Credential { credential, method },
            (Err(_), Ok(name)) => Sender::Principal { name, method },
            (Err(_), Err(_)) => return None,
        },
    };
    Some(Imagined {
        url,
        method: http::Method::GET,
        source: line.address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        time,
        sender,
    })
}
