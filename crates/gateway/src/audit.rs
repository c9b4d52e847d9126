//! The audit log: one line of JSON for each login, refusal, logout, and change of a user, a principal or the deny list, and never a
//! secret.
//!
//! ```text
//! {"time":"2027-01-31T12:00:00.000Z","event":"user-added","realm":"staff","user":"alice","by":"root"}
//! ```

use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A user was proven, and a session begins.
    Login,
    /// A login, or a request in a session, was refused; `reason` says why.
    Refused,
    /// A session was ended by its user.
    Logout,
    /// An operator added a user.
    UserAdded,
    /// An operator gave a user another password or verifier; or, with an address, the user did: `reason` says how.
    PasswordChanged,
    /// Somebody has used an invitation, and is a user now.
    UserRegistered,
    /// An operator invited somebody to choose a password.
    InvitationMade,
    /// An operator took back an invitation.
    InvitationRevoked,
    /// An operator keeps a user from logging in.
    UserDisabled,
    /// An operator lets a user log in again.
    UserEnabled,
    /// An operator removed a user.
    UserRemoved,
    /// An operator took a user's verifier out of the store.
    VerifierExported,
    /// An operator added a principal.
    PrincipalAdded,
    /// An operator changed a principal: disabled or enabled it, or changed its groups, attributes or credentials; `reason` says
    /// what.
    PrincipalChanged,
    /// An operator removed a principal.
    PrincipalRemoved,
    /// An operator put somebody on the deny list; `principal` says whom, as the command line has it.
    Denied,
    /// An operator took somebody off the deny list.
    DenialRemoved,
}

/// One line. What does not apply is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When, in UTC, by RFC 3339 with milliseconds.
    pub time: String,
    /// What.
    pub event: Event,
    /// The id of the realm in the configuration.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub realm: Option<String>,
    /// The user's name. In a refused login nobody has proven it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<String>,
    /// The principal, registered or not; else the credential.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub principal: Option<String>,
    /// The method of proof, where it is not `mutual`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub method: Option<String>,
    /// The origin that was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub origin: Option<String>,
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<IpAddr>,
    /// A hash of the session's id, by which lines of one session are found; the id itself never stands here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sid_hash: Option<String>,
    /// The id that the answer to a refused request has.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// Why something was refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The operator's name on the machine, for changes by operators.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
}

impl Line {
    /// A line that says what and when, to be filled in.
    #[must_use]
    pub fn new(time: SystemTime, event: Event) -> Self {
        Self {
            time: rfc3339(time),
            event,
            realm: None,
            user: None,
            principal: None,
            method: None,
            origin: None,
            address: None,
            sid_hash: None,
            id: None,
            reason: None,
            by: None,
        }
    }

    /// The line as JSON, with the end of the line. Whatever names hold, it is one line: JSON escapes control characters.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A struct of strings always has a JSON form.
        let mut json = serde_json::to_string(self).unwrap_or_default();
        json.push('\n');
        json
    }
}

/// The file that lines are appended to.
#[derive(Debug, Clone)]
pub struct AuditFile {
    path: PathBuf,
}

impl AuditFile {
    /// A file at `path`; it is opened for each line, so that it can be moved away at any time.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that lines can be written, before something is done that has to be noted.
    ///
    /// # Errors
    /// What opening the file gives.
    pub fn prepare(&self) -> io::Result<()> {
        self.open().map(|_| ())
    }

    fn open(&self) -> io::Result<std::fs::File> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path)
    }

    /// Appends a line in a single write, so that lines of several processes do not mix. If there is no file, one is made that
    /// only its owner can read.
    ///
    /// # Errors
    /// What opening or writing the file gives; the caller says which file it was.
    pub fn append(&self, line: &Line) -> io::Result<()> {
        let mut file = self.open()?;
        let json = line.to_json();
        let written = file.write(json.as_bytes())?;
        if written == json.len() {
            Ok(())
        } else {
            // The rest would be a line of its own, or mix with another: what is there is cut off where the next line begins.
            file.write_all(b"\n")?;
            Err(io::Error::new(io::ErrorKind::WriteZero, "only a part of the line could be written"))
        }
    }
}

/// A time in UTC as RFC 3339 has it, with milliseconds: `2027-01-31T12:00:00.000Z`. Times before 1970 become 1970, times after
/// the year 9999 its end.
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    /// 9999-12-31T23:59:59Z.
    const LAST: u64 = 253_402_300_799;
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, millis) =
        if since.as_secs() > LAST { (LAST, 999) } else { (since.as_secs(), since.subsec_millis()) };
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The day of the Gregorian calendar, of days since 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years begin in March here, so that the leap day is a year's last; 719,468 days lie between 0000-03-01 and 1970-01-01.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> String {
        rfc3339(UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 7))
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        // By date -u -d @SECONDS.
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_399, "2000-02-28T23:59:59.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (951_868_800, "2000-03-01T00:00:00.007Z"),
            (1_709_164_800, "2024-02-29T00:00:00.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
            (253_402_300_799, "9999-12-31T23:59:59.007Z"),
            (253_402_300_800, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(at(seconds), text);
        }
        assert_eq!(rfc3339(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_line_is_one_line_whatever_names_hold() {
        let line = Line {
            user: Some("a\n\"b".into()),
            reason: Some("x\r\n{}".into()),
            ..Line::new(UNIX_EPOCH, Event::Refused)
        };
        let json = line.to_json();
        assert_eq!(
            json,
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"refused\",\"user\":\"a\\n\\\"b\",\"reason\":\"x\\r\\n{}\"}\n"
        );
        assert_eq!(serde_json::from_str::<Line>(&json).unwrap(), line);
    }

    #[test]
    fn what_does_not_apply_is_left_out() {
        let bare = Line::new(UNIX_EPOCH, Event::DenialRemoved);
        assert_eq!(bare.to_json(), "{\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"denial-removed\"}\n");
        let text = |text: &str| Some(text.to_owned());
        let line = Line { principal: text("alice"), method: text("x509"), id: text("7f"), ..bare };
        let json = line.to_json();
        assert!(json.contains(r#""principal":"alice","method":"x509","id":"7f""#), "{json}");
        assert_eq!(serde_json::from_str::<Line>(&json).unwrap(), line);
    }

    #[test]
    fn lines_are_appended_to_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = AuditFile::new(dir.path().join("audit.log"));
        let line = Line { by: Some("root".into()), ..Line::new(UNIX_EPOCH, Event::UserAdded) };
        file.append(&line).unwrap();
        file.append(&line).unwrap();
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), line.to_json().repeat(2));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let nowhere = AuditFile::new(dir.path().join("missing/audit.log"));
        assert!(nowhere.prepare().is_err() && nowhere.append(&line).is_err());
    }
}
