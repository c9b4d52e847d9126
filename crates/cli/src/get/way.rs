//! `--proxy`: the way to the server, and who the user is to the proxy.

use super::login::{Asked, Login};
use super::order::user_name;
use super::sessions::{self, Kept};
use super::trouble::{Kind, Trouble};
use crate::commands::get::Args;
use crate::password;
use std::path::{Path, PathBuf};
use tagai_client::core::client::{Credential, StoredSession};
use tagai_client::core::credential::{Password, Username};
use tagai_client::{Ask, BoxFuture, Error, LoginRequired, Prompt, SessionFile, Url};
use zeroize::Zeroizing;

/// The proxy of the command line.
pub(crate) struct Way {
    pub(crate) url: Url,
    pub(crate) user: Option<Username>,
    /// From a file.
    pub(crate) password: Option<Zeroizing<String>>,
}

impl Way {
    /// What the command line says; nothing without `--proxy`. The environment is not asked.
    pub(crate) fn new(args: &Args) -> Result<Option<Self>, Trouble> {
        let Some(text) = &args.proxy else { return Ok(None) };
        let (text, named) = without_user(text)?;
        let url = Url::parse(&text).map_err(Error::from).map_err(Trouble::from)?;
        let user = match (named, &args.proxy_user) {
            (Some(_), Some(_)) => {
                return Err(Trouble::usage("the user of the proxy is named twice")
                    .help("leave out --proxy-user, or the name in the URL"));
            }
            (Some(name), None) => Some(user_name(&name)?),
            (None, given) => given.as_deref().map(user_name).transpose()?,
        };
        let password = args.proxy_password_file.as_deref().map(from_file).transpose()?;
        if password.is_some() && user.is_none() {
            return Err(Trouble::usage("--proxy-password-file is given, and no user of the proxy")
                .help("say whose password it is with --proxy-user NAME"));
        }
        Ok(Some(Self { url, user, password }))
    }

    /// Takes the sessions with the proxy out of their file, which is beside that of servers' sessions.
    pub(crate) fn lease(&self, given: Option<&Path>) -> Result<(Kept, Vec<StoredSession>), Trouble> {
        let beside = sessions::file(given)?;
        let file = SessionFile::new(beside_of(beside.path()));
        Kept::lease(file, self.url.origin(), self.user.as_ref())
    }
}

fn beside_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".proxy");
    path.with_file_name(name)
}

/// The URL without the user in it. A password in it is refused, and not repeated.
fn without_user(text: &str) -> Result<(String, Option<String>), Trouble> {
    let Some((scheme, rest)) = text.split_once("://") else { return Ok((text.to_owned(), None)) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some((user, server)) = rest.get(..end).and_then(|authority| authority.rsplit_once('@')) else {
        return Ok((text.to_owned(), None));
    };
    if user.contains(':') {
        return Err(Trouble::usage("the URL of the proxy holds a password")
            .help("command lines are seen by others: it is asked for, or read with --proxy-password-file"));
    }
    if user.contains('%') {
        return Err(
            Trouble::usage("the user in the URL of the proxy is percent-encoded").help("name it with --proxy-user")
        );
    }
    Ok((format!("{scheme}://{server}{}", rest.get(end..).unwrap_or_default()), Some(user.to_owned())))
}

/// The one line of a file.
fn from_file(path: &Path) -> Result<Zeroizing<String>, Trouble> {
    let named = |message: String| {
        Trouble::new(Kind::Login, message).help("--proxy-password-file FILE holds one line, the password")
    };
    let line = password::from_path(path).map_err(|failure| named(failure.message().to_owned()))?;
    Password::prepare(&line).map_err(|error| named(format!("this password cannot be used: {error}")))?;
    Ok(line)
}

/// Who is asked: one for the server, one for the proxy. A password for one is never tried at the other.
pub(crate) struct Prompts {
    pub(crate) server: Option<Login>,
    pub(crate) proxy: Option<Login>,
}

impl Prompt for Prompts {
    fn ask(&self, ask: Ask) -> BoxFuture<'_, Option<Credential>> {
        match if ask.proxy { &self.proxy } else { &self.server } {
            Some(login) => login.ask(ask),
            None => Box::pin(std::future::ready(None)),
        }
    }
}

/// Why there is no login to the proxy.
pub(crate) fn trouble(required: &LoginRequired, asked: &Asked, way: &Way, kept: Option<&Username>) -> Trouble {
    let trouble = asked.trouble(required, way.user.as_ref(), kept);
    match (&way.user, kept) {
        (None, None) => trouble.instead("say who you are to the proxy with --proxy-user NAME"),
        (None, Some(kept)) => {
            trouble.instead(format!("the kept session with the proxy is over: log in again with --proxy-user {kept}"))
        }
        _ => trouble,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_may_stand_in_the_url_and_a_password_may_not() {
        let read = |text| without_user(text).map_err(|_| ());
        assert_eq!(read("http://alice@p:3128"), Ok(("http://p:3128".into(), Some("alice".into()))));
        assert_eq!(read("http://p:3128/"), Ok(("http://p:3128/".into(), None)));
        assert_eq!(read("http://p/@x"), Ok(("http://p/@x".into(), None)));
        assert_eq!(read("http://alice:secret@p:3128"), Err(()));
    }
}
