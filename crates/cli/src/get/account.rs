//! `tagai account`: registers by invitation, and changes a password, at tagai's gateway.

use super::order::user_name;
use super::trouble::Kind;
use super::{Trouble, runtime, trusting};
use crate::commands::account::Site;
use crate::{output, password};
use base64ct::{Base64, Encoding as _};
use http::Method;
use serde_json::json;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;
use tagai_client::core::credential::{MAX_PASSWORD_LEN, Username};
use tagai_client::core::realm::AuthRealm;
use tagai_client::{Body, Client, ClientBuilder, Error, FixedCredential, Proof, Reply, Timeouts, Url};
use tagai_server::change_of_password;
use tagai_store::invitation::InvitationCode;
use zeroize::Zeroizing;

const REGISTER_PATH: &str = "/.well-known/tagai/account/register";
const PASSWORD_PATH: &str = "/.well-known/tagai/account/password";
/// The longest answer that is read.
const MAX_ANSWER: usize = 4096;
/// How long the server is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Uses an invitation.
pub(crate) fn register(site: &Site) -> Result<(), Trouble> {
    let (url, user) = place(site)?;
    let (code, chosen) = if site.stdin {
        two_lines("the code of the invitation")?
    } else {
        (password::ask("Code of the invitation: ")?, password::ask_twice(&user)?)
    };
    let code = InvitationCode::parse(&code).map_err(|error| Trouble::usage(error.to_string()))?;
    password::acceptable(&chosen)?;
    let client = builder(site, &url)?.build().map_err(Trouble::from)?;
    let work = async {
        let realm = asking(&client, &url).await?;
        let verifier = verifier(&realm, &user, &chosen)?;
        let body = json!({
            "realm": realm.name.as_str(),
            "auth-scope": realm.auth_scope.to_string(),
            "algorithm": realm.algorithm.as_str(),
            "user": user.as_str(),
            "invitation": *code.expose_text(),
            "verifier": Base64::encode_string(&verifier),
        });
        let to = format!("{}{REGISTER_PATH}", url.origin());
        let request = client.request(Method::POST, &to).header("Content-Type", "application/json");
        judge(request.body(body.to_string()).allow_unproven().send().await.map_err(Trouble::from)?).await?;
        Ok::<_, Trouble>(realm)
    };
    let realm = run(work)?;
    output::note(&format!("{user} has this password for {:?} at {} now", realm.name.as_str(), url.origin()));
    Ok(())
}

/// Changes the password of a user who knows the old one.
pub(crate) fn change_password(site: &Site) -> Result<(), Trouble> {
    let (url, user) = place(site)?;
    let (old, chosen) = if site.stdin {
        two_lines("the old password")?
    } else {
        (password::ask(&format!("Old password of {user}: "))?, password::ask_twice(&user)?)
    };
    password::acceptable(&chosen)?;
    let prompt = FixedCredential::new(url.origin().clone(), user.as_str(), &old);
    let prompt =
        prompt.map_err(|error| Trouble::new(Kind::Login, format!("the old password cannot be one: {error}")))?;
    let client = builder(site, &url)?.prompt(Arc::new(prompt)).build().map_err(Trouble::from)?;
    let work = async {
        let reply =
            client.request(Method::GET, &url.to_string()).require_proof().send().await.map_err(Trouble::from)?;
        let Proof::Mutual { realm, .. } = reply.proof() else {
            return Err(Trouble::new(Kind::NotProven, format!("{} has not proven itself", url.origin())));
        };
        let realm = realm.clone();
        let verifier = verifier(&realm, &user, &chosen)?;
        let t = change_of_password(&verifier);
        let make = move |binding: &tagai_client::core::kam3::Binding| {
            let binding = Base64::encode_string(binding.expose_octets());
            Body::from(json!({ "verifier": Base64::encode_string(&verifier), "binding": binding }).to_string())
        };
        let to = format!("{}{PASSWORD_PATH}", url.origin());
        let request = client.request(Method::POST, &to).header("Content-Type", "application/json");
        let reply = request.bound_body(t.to_vec(), make).require_proof().send().await.map_err(Trouble::from)?;
        judge(reply).await?;
        Ok(realm)
    };
    let realm = run(work)?;
    output::note(&format!(
        "{user} has another password for {:?} at {} now, and is logged out everywhere",
        realm.name.as_str(),
        url.origin()
    ));
    Ok(())
}

/// Server and user; the server over https alone.
fn place(site: &Site) -> Result<(Url, Username), Trouble> {
    let user = user_name(&site.user)?;
    let url = Url::parse(&site.url).map_err(Error::from).map_err(Trouble::from)?;
    if !url.is_https() {
        return Err(Trouble::usage("this is done over https alone")
            .help("whoever reads on the way could try passwords on what the server gets"));
    }
    Ok((url, user))
}

fn builder(site: &Site, url: &Url) -> Result<ClientBuilder, Trouble> {
    let timeouts = Timeouts { connect: PATIENCE, tls: PATIENCE, head: PATIENCE, ..Timeouts::default() };
    Ok(trusting(site.cacert.as_deref(), url)?.timeouts(timeouts).max_redirects(0))
}

fn run<T>(work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let runtime = runtime()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

/// The realm that a page asks a stranger for.
async fn asking(client: &Client, url: &Url) -> Result<AuthRealm, Trouble> {
    let help = "name a page that asks for a login by HTTP Mutual authentication";
    match client.request(Method::GET, &url.to_string()).require_proof().send().await {
        Err(Error::Login(required)) if required.origin == *url.origin() => Ok(required.realm.clone()),
        Err(Error::NotProven(_)) | Ok(_) => {
            Err(Trouble::new(Kind::Login, format!("{url} asks nobody to log in")).help(help))
        }
        Err(error) => Err(Trouble::from(error)),
    }
}

fn verifier(realm: &AuthRealm, user: &Username, chosen: &str) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let verifier = password::verifier(realm, user, chosen)?;
    Ok(Zeroizing::new(verifier.expose_octets().to_vec()))
}

/// The two lines of standard input.
fn two_lines(first: &str) -> Result<(Zeroizing<String>, Zeroizing<String>), Trouble> {
    let limit = 2 * (MAX_PASSWORD_LEN + 2) + 1;
    let mut text = Zeroizing::new(String::with_capacity(limit));
    let read = std::io::stdin().lock().take(limit as u64).read_to_string(&mut text);
    read.map_err(|error| Trouble::local(format!("standard input cannot be read: {error}")))?;
    let mut lines = text.lines();
    match (lines.next(), lines.next(), lines.next()) {
        (Some(one), Some(two), None) if !one.is_empty() && !two.is_empty() => {
            Ok((Zeroizing::new(one.to_owned()), Zeroizing::new(two.to_owned())))
        }
        _ => Err(Trouble::usage(format!("--stdin takes two lines: {first}, and the new password"))),
    }
}

/// What the gateway said.
async fn judge(reply: Reply) -> Result<(), Trouble> {
    let status = reply.status();
    if status.is_success() {
        return Ok(());
    }
    let body = reply.bytes(MAX_ANSWER).await.map_err(Trouble::from)?;
    let said: Option<serde_json::Value> = serde_json::from_slice(&body.unwrap_or_default()).ok();
    let code = said.as_ref().and_then(|said| said.get("error")).and_then(serde_json::Value::as_str);
    let refused = |message: &str| Trouble::new(Kind::Login, message);
    Err(match code {
        Some("invitation") => refused("the invitation is of no use for this name here")
            .help("it may be mistyped, used, run out, or for another name: ask for a new one"),
        Some("wait") => refused("there were too many attempts").help("try again in a few minutes"),
        Some("not-found") => refused("the server does not let users of this realm do this themselves")
            .help("ask whoever runs it for another password"),
        Some("forbidden") => refused("the server does not let this user do this"),
        Some("binding") => {
            Trouble::new(Kind::NotProven, "the server did not take the change for yours").help("try again")
        }
        // Of what a stranger sends, nothing is shown that could move a terminal's cursor.
        _ => refused(&format!("the server did not do it, and answered {status}")),
    })
}
