//! Where the password comes from when a server asks for a login.

use super::interrupt::Mess;
use super::trouble::{Kind, Trouble};
use super::verbose::Verbose;
use crate::password;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};
use tagai_client::core::client::Credential;
use tagai_client::core::credential::{Password, Username};
use tagai_client::core::message::Reason;
use tagai_client::core::realm::Origin;
use tagai_client::{Ask, BoxFuture, LoginRequired, MAX_ATTEMPTS, Prompt};
use zeroize::Zeroizing;

/// Answers the client's questions for one user.
pub(crate) struct Login {
    user: Username,
    /// The server of the command line's URL: it alone gets what came from standard input.
    origin: Origin,
    given: Option<Zeroizing<String>>,
    mess: Mess,
    verbose: Verbose,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    asked: bool,
    missing: Option<Missing>,
}

/// Why there was no password.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Missing {
    /// Nobody can be asked.
    Terminal(String),
    /// Whoever was asked pressed Ctrl-C: the program ends.
    Interrupted,
    /// Whoever was asked gave nothing.
    Withheld,
    /// It was given for another server.
    OtherServer,
    /// The server says that it accepts another user alone.
    OtherUser(Username),
}

/// What became of the questions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<State>>);

impl Asked {
    /// Whether a password was given in this process.
    pub(crate) fn any(&self) -> bool {
        lock(&self.0).asked
    }

    /// A login was offered, and the user wanted it, but there was no password: the guest's view is not what was asked for.
    pub(crate) fn fell_back(&self, origin: &Origin) -> Option<Trouble> {
        let missing = lock(&self.0).missing.clone()?;
        Some(explained(
            Trouble::new(Kind::Login, format!("{origin} offers a login, and there is no password for it")),
            &missing,
            "--password-stdin",
        ))
    }

    /// Why the client could not log in.
    pub(crate) fn trouble(
        &self,
        required: &LoginRequired,
        user: Option<&Username>,
        kept: Option<&Username>,
    ) -> Trouble {
        let LoginRequired { origin, realm, reason, attempts, .. } = required;
        let realm = format!("{:?}", realm.name.as_str());
        let origin = if required.proxy { format!("the proxy {origin}") } else { origin.to_string() };
        let trouble = |message| Trouble::new(Kind::Login, message);
        let name = user.map_or("", Username::as_str);
        if *attempts > 0 {
            let refused = trouble(format!("{origin} refused the login of {name} to {realm} ({reason})"));
            return match reason {
                Reason::AuthzFailed => {
                    refused.help("the password was right, but this user may not have this resource")
                }
                Reason::InternalError => refused.help(
                    "the password was not looked at: too many logins from this address have failed, or the server has a problem; try again in a minute",
                ),
                _ => refused.help("check the user name and the password, upper and lower case too"),
            };
        }
        let asks = trouble(format!("{origin} asks for a login to {realm} ({reason})"));
        let missing = lock(&self.0).missing.clone();
        match (missing, required) {
            (Some(missing), _) if required.proxy => explained(asks, &missing, "--proxy-password-file FILE"),
            (Some(missing), _) => explained(asks, &missing, "--password-stdin"),
            (None, LoginRequired { location: Some(location), .. }) => {
                asks.help(format!("it says that one logs in at {}", location.as_str()))
            }
            (None, LoginRequired { no_auth: true, .. }) => {
                asks.help("it wants nobody to be asked at this place: log in at another URL of the realm first")
            }
            (None, _) => asks.help(match kept {
                Some(kept) => format!("the kept session is over: log in again with --user {kept}"),
                None => "say who you are with --user NAME".to_owned(),
            }),
        }
    }
}

fn explained(trouble: Trouble, missing: &Missing, option: &str) -> Trouble {
    match missing {
        Missing::Terminal(why) => trouble.help(format!(
            "there is no terminal on which the password could be asked for ({why}): give it with {option}"
        )),
        Missing::Withheld | Missing::Interrupted => trouble.help("no password was given"),
        Missing::OtherServer => {
            trouble.help("a redirect led there; the password on standard input is only for the server of the URL")
        }
        Missing::OtherUser(name) => {
            trouble.help(format!("it says that only the user {:?} can log in here", name.as_str()))
        }
    }
}

impl Login {
    pub(crate) fn new(
        (user, origin): (Username, Origin),
        given: Option<Zeroizing<String>>,
        (mess, verbose): (Mess, Verbose),
    ) -> (Self, Asked) {
        let asked = Asked::default();
        let state = Arc::clone(&asked.0);
        (Self { user, origin, given, mess, verbose, state }, asked)
    }

    fn miss(&self, missing: Missing) -> Option<Credential> {
        lock(&self.state).missing = Some(missing);
        None
    }

    fn credential(&self, password: Password) -> Option<Credential> {
        lock(&self.state).asked = true;
        Some(Credential::password(self.user.clone(), password))
    }

    /// Asks the person at the terminal, on a thread that may wait.
    async fn terminal(&self, ask: Ask) -> Option<Credential> {
        let question = self.question(&ask);
        let mess = self.mess.clone();
        let typed = tokio::task::spawn_blocking(move || {
            mess.prompting(true);
            let typed = read(&question);
            mess.prompting(false);
            typed
        });
        match typed.await {
            Ok(Ok(password)) => self.credential(password),
            // The signal is on its way to those who wait for it.
            Ok(Err(Missing::Interrupted)) => std::future::pending().await,
            Ok(Err(missing)) => self.miss(missing),
            Err(_) => self.miss(Missing::Withheld),
        }
    }

    /// Names what this program knows by itself: the server has proven nothing yet.
    fn question(&self, ask: &Ask) -> String {
        let Self { user, origin, .. } = self;
        let mut text = String::new();
        if ask.attempt > 1 {
            text.push_str(&format!("Not accepted. Attempt {} of {MAX_ATTEMPTS}.\n", ask.attempt));
        }
        if ask.origin != *origin && !ask.proxy {
            text.push_str(&format!("A redirect led from {origin} to {}.\n", ask.origin));
        }
        let at = if ask.proxy { "at the proxy" } else { "at" };
        text.push_str(&format!("Password of {user} for {:?} {at} {}: ", ask.realm.name.as_str(), ask.origin));
        text
    }
}

/// Reads a password that can be one.
fn read(question: &str) -> Result<Password, Missing> {
    let mut question = question.to_owned();
    for _ in 0..MAX_ATTEMPTS {
        let typed =
            rpassword::prompt_password(&question).map(Zeroizing::new).map_err(|error| match error.kind() {
                ErrorKind::Interrupted => Missing::Interrupted,
                ErrorKind::UnexpectedEof => Missing::Withheld,
                _ => Missing::Terminal(error.to_string()),
            })?;
        if typed.is_empty() {
            return Err(Missing::Withheld);
        }
        match password::prepare(&typed) {
            Ok(password) => return Ok(password),
            Err(failure) => question = format!("{}.\nPassword: ", failure.message()),
        }
    }
    Err(Missing::Withheld)
}

impl Prompt for Login {
    fn ask(&self, ask: Ask) -> BoxFuture<'_, Option<Credential>> {
        self.verbose.asked(&ask);
        Box::pin(async move {
            match (&ask.username_hint, &self.given) {
                (Some(hint), _) if *hint != self.user => self.miss(Missing::OtherUser(hint.clone())),
                (_, None) => self.terminal(ask).await,
                (_, Some(_)) if ask.origin != self.origin => self.miss(Missing::OtherServer),
                (_, Some(given)) if ask.attempt == 1 => match Password::prepare(given) {
                    Ok(password) => self.credential(password),
                    Err(_) => self.miss(Missing::Withheld),
                },
                _ => None,
            }
        })
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
