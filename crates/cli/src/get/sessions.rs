//! Sessions that are kept between calls: which of them a call may use, and what is left of them behind it.

use super::trouble::{Kind, Trouble};
use std::path::{Path, PathBuf};
use tagai_client::core::client::StoredSession;
use tagai_client::core::credential::Username;
use tagai_client::core::realm::{AuthRealm, Origin};
use tagai_client::{Login, SessionFile, SessionFileError};

/// Nonce numbers of one call: a request, one before a large body, and a few redirects. Servers take numbers out of order within a
/// window of 128, so that dozens of calls can run at once.
const NUMBERS: u32 = 4;

/// Where sessions are kept.
pub(crate) fn file(given: Option<&Path>) -> Result<SessionFile, Trouble> {
    match given {
        Some(path) => Ok(SessionFile::new(path)),
        None => default_path().map(SessionFile::new),
    }
}

/// In the user's state directory (XDG Base Directory Specification; a relative path there counts as none).
fn default_path() -> Result<PathBuf, Trouble> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    let state = state.ok_or_else(|| {
        Trouble::local("neither HOME nor XDG_STATE_HOME says where sessions could be kept")
            .help("--session-file FILE names a place; --no-session does without")
    })?;
    Ok(state.join("tagai").join("sessions"))
}

/// The sessions of one call.
pub(crate) struct Kept {
    file: SessionFile,
    /// What was taken out of the file.
    leased: Vec<Leased>,
}

struct Leased {
    realm: AuthRealm,
    server: Origin,
    user: Username,
}

impl Kept {
    /// Takes the sessions of `user` at `server` for a client: of the only user who has any, if none is named.
    pub(crate) fn lease(
        file: SessionFile,
        server: &Origin,
        user: Option<&Username>,
    ) -> Result<(Self, Vec<StoredSession>), Trouble> {
        let only = match user {
            Some(_) => None,
            None => only_user(&file, server)?,
        };
        let Some(user) = user.or(only.as_ref()) else { return Ok((Self { file, leased: Vec::new() }, Vec::new())) };
        let sessions = file.lease_where(NUMBERS, |session| session.server() == server && session.user() == user)?;
        let leased = sessions.iter().map(|session| Leased {
            realm: session.realm(),
            server: session.server().clone(),
            user: session.user().clone(),
        });
        let leased = leased.collect();
        Ok((Self { file, leased }, sessions))
    }

    /// The user whose sessions were taken.
    pub(crate) fn user(&self) -> Option<&Username> {
        self.leased.first().map(|leased| &leased.user)
    }

    /// Who was logged in, where, for the curious.
    pub(crate) fn describe(&self) -> impl Iterator<Item = String> {
        self.leased.iter().map(|Leased { realm, server, user }| {
            format!(
                "a session of {user} in {:?} at {server} is kept in {}",
                realm.name.as_str(),
                self.file.path().display()
            )
        })
    }

    /// Keeps what a client has, which must make no more requests, and forgets what the server or a refused password ended.
    pub(crate) fn keep(&self, logins: &[Login], sessions: Vec<StoredSession>) -> Result<(), SessionFileError> {
        let over = |session: &StoredSession| {
            self.leased.iter().any(|leased| {
                leased.server == *session.server()
                    && leased.user == *session.user()
                    && leased.realm == session.realm()
                    && !logins.iter().any(|login| login.realm == leased.realm)
            })
        };
        if self.leased.iter().any(|leased| !logins.iter().any(|login| login.realm == leased.realm)) {
            self.file.remove(over)?;
        }
        if sessions.is_empty() { Ok(()) } else { self.file.keep(sessions) }
    }
}

/// The user whose sessions at a server are all that there are.
fn only_user(file: &SessionFile, server: &Origin) -> Result<Option<Username>, Trouble> {
    let mut users: Vec<Username> = Vec::new();
    // Looks, and takes nothing.
    file.lease_where(0, |session| {
        if session.server() == server && !users.contains(session.user()) {
            users.push(session.user().clone());
        }
        false
    })?;
    match users.as_slice() {
        [one, other, ..] => {
            Err(Trouble::new(Kind::Login, format!("sessions of {one} and of {other} are kept for {server}"))
                .help("say whose it shall be with --user NAME, or do without by --no-session"))
        }
        _ => Ok(users.pop()),
    }
}
