//! `tagai logout`: ends kept sessions, here and at their servers.

use super::{Trouble, runtime, sessions, trusting};
use crate::commands::logout::Args;
use crate::output;
use http::{Method, StatusCode};
use std::path::Path;
use std::time::Duration;
use tagai_client::core::client::StoredSession;
use tagai_client::{Client, Error, Timeouts, Url};

/// Where tagai's gateway ends a session.
const LOGOUT_PATH: &str = "/.well-known/tagai/logout";
/// How long one server is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Nonce numbers for one logout: one, and another if the server has to ask for it.
const NUMBERS: u32 = 2;

/// What became of one session at its server.
enum Told {
    /// The server has ended it.
    Ended,
    /// The server did not know it any more.
    Over,
    /// It lives until its time is over; why.
    Not(String),
}

/// Ends the sessions that the command line names.
pub(crate) fn run(args: &Args) -> Result<(), Trouble> {
    let file = sessions::file(args.session_file.as_deref())?;
    let named =
        |session: &StoredSession| args.realm.as_ref().is_none_or(|name| session.realm().name.as_str() == name);
    // Whatever a server says, or does not, the sessions that were looked at here are those that go.
    let mut found = Vec::new();
    let leased = file.lease_where(NUMBERS, |session| {
        let wanted = named(session);
        if wanted {
            found.push((session.server().clone(), session.realm(), session.user().clone()));
        }
        wanted
    })?;
    if found.is_empty() {
        return output::line(&match &args.realm {
            Some(name) => format!("no session of the realm {name:?} is kept in {}", file.path().display()),
            None => format!("no session is kept in {}", file.path().display()),
        })
        .map_err(Trouble::from);
    }
    if let Some(path) = &args.cacert {
        std::fs::metadata(path)
            .map_err(|error| Trouble::usage(format!("cannot read {}: {error}", path.display())))?;
    }
    let runtime = runtime()?;
    let told = runtime.block_on(tell_all(leased, args));
    runtime.shutdown_background();
    file.remove(|session| {
        found.iter().any(|(server, realm, user)| {
            server == session.server() && user == session.user() && *realm == session.realm()
        })
    })?;
    let untold = found.len() - told.min(found.len());
    output::line(&summary(found.len(), untold))?;
    Ok(())
}

fn summary(ended: usize, untold: usize) -> String {
    let sessions = if ended == 1 { "session" } else { "sessions" };
    match untold {
        0 => format!("{ended} {sessions} ended"),
        1 if ended == 1 => "1 session ended here; its server was not told (-v says why)".to_owned(),
        _ => format!("{ended} {sessions} ended here; the servers of {untold} were not told (-v says why)"),
    }
}

/// Tells the servers, all at once; says how many sessions they have ended, or knew no more.
async fn tell_all(leased: Vec<StoredSession>, args: &Args) -> usize {
    let mut tasks = tokio::task::JoinSet::new();
    for session in leased {
        let (cacert, verbose) = (args.cacert.clone(), args.verbose);
        tasks.spawn(async move {
            let who = format!("{} in {:?} at {}", session.user(), session.realm().name.as_str(), session.server());
            let told = tokio::time::timeout(PATIENCE, tell(session, cacert.as_deref())).await;
            let told = told.unwrap_or_else(|_| Told::Not(format!("no answer within {} s", PATIENCE.as_secs())));
            if verbose {
                output::note(&match &told {
                    Told::Ended => format!("* {who}: the server has ended the session"),
                    Told::Over => format!("* {who}: the session was over already"),
                    Told::Not(why) => format!("* {who}: the server was not told: {why}"),
                });
            }
            !matches!(told, Told::Not(_))
        });
    }
    tasks.join_all().await.into_iter().filter(|told| *told).count()
}

/// Tells one server that its session is over.
async fn tell(session: StoredSession, cacert: Option<&Path>) -> Told {
    let url = format!("{}{LOGOUT_PATH}", session.server());
    let client = match client(session, &url, cacert) {
        Ok(client) => client,
        Err(why) => return Told::Not(why),
    };
    match client.request(Method::POST, &url).require_proof().send().await {
        Ok(reply) if reply.status().is_success() => Told::Ended,
        Ok(reply) => Told::Not(format!("it answered {}", reply.status())),
        // Somebody without a password is asked for one: the session counts for nothing there.
        Err(Error::Login(_)) => Told::Over,
        Err(Error::NotProven(attack)) => Told::Not(match &attack.why {
            tagai_client::Unproven::Required { status } => match StatusCode::from_u16(*status) {
                Ok(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) => "it has no place for that".to_owned(),
                _ => format!("it answered {status}, without a proof"),
            },
            why => why.to_string(),
        }),
        Err(error) => Told::Not(error.to_string()),
    }
}

fn client(session: StoredSession, url: &str, cacert: Option<&Path>) -> Result<Client, String> {
    let text = |trouble: Trouble| trouble.into_failure().message().to_owned();
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    let timeouts = Timeouts { connect: PATIENCE, tls: PATIENCE, head: PATIENCE, ..Timeouts::default() };
    let client = trusting(cacert, &url).map_err(text)?.timeouts(timeouts).max_redirects(0).build();
    let client = client.map_err(|error| error.to_string())?;
    client.restore(session).map_err(|error| error.to_string())?;
    Ok(client)
}
