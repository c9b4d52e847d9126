//! Users who choose their own passwords: by invitation, and once they are proven. And everybody else, who does not.

mod password;
mod registration;

use super::support::*;
use base64ct::{Base64, Encoding as _};
use std::time::{Duration, SystemTime};
use tagai_core::client::{Outcome, Step};
use tagai_gateway::audit::{Event, Line};
use tagai_server::change_of_password;
use tagai_store::invitation::{InvitationCode, NewInvitation};
use tagai_store::{InvitationStore as _, UserStore as _};

const REGISTER: &str = "/.well-known/tagai/account/register";
const PASSWORD: &str = "/.well-known/tagai/account/password";

const REALMS: &str = r#"
[[realm]]
id = "staff"
name = "Staff"
scope = "127.0.0.1"
registration = "invitation"

[[realm]]
id = "guests"
name = "Guests"
scope = "127.0.0.1"
registration = "invitation"
password-change = false

[[realm]]
id = "closed"
name = "Closed"
scope = "127.0.0.1"
"#;

const SITES: &str = r#"
[[site]]
origins = ["http://127.0.0.1:{http}", "https://127.0.0.1:{https}"]
[[site.route]]
path = "/"
access = "protected"
realm = "staff"
upstream = "http://{app}"
[[site.route]]
path = "/guests"
access = "protected"
realm = "guests"
upstream = "http://{app}"
[[site.route]]
path = "/closed"
access = "protected"
realm = "closed"
upstream = "http://{app}"
[[site.route]]
path = "/open"
access = "public"
upstream = "http://{app}"
"#;

fn setup() -> Setup {
    let users = vec![("staff", "alice", "correct horse"), ("guests", "guest", "correct horse")];
    Setup {
        realms: REALMS.into(),
        sites: SITES.into(),
        more: "[log]\naudit = \"audit.log\"\n".into(),
        users,
        ..Setup::default()
    }
}

async fn start(app: &App) -> Site {
    Site::start(app.address, setup()).await
}

/// An invitation that is good for so many seconds, or was so many seconds ago.
#[allow(clippy::disallowed_methods, reason = "the gateway compares it with the same clock")]
fn invite_for(site: &Site, realm: &str, name: &str, reset: bool, seconds: i64) -> InvitationCode {
    let code = InvitationCode::generate().unwrap();
    let now = SystemTime::now();
    let span = Duration::from_secs(seconds.unsigned_abs());
    let expires = if seconds < 0 { now - span } else { now + span };
    let (realm, name, digest) = (site.realm(realm), user(name), code.digest());
    let new = NewInvitation { realm: &realm, name: &name, code: &digest, reset, expires };
    site.store().invite(&new, now - Duration::from_secs(7200)).unwrap();
    code
}

fn invite(site: &Site, name: &str, reset: bool) -> InvitationCode {
    invite_for(site, "staff", name, reset, 3600)
}

/// What a client sends who has a code.
fn registration(site: &Site, realm: &str, name: &str, code: &InvitationCode, password: &str) -> serde_json::Value {
    let realm = site.realm(realm);
    let verifier = verifier(&realm, &user(name), password);
    serde_json::json!({
        "realm": realm.name.as_str(),
        "auth-scope": realm.auth_scope.to_string(),
        "algorithm": realm.algorithm.as_str(),
        "user": name,
        "invitation": *code.expose_text(),
        "verifier": Base64::encode_string(&verifier.expose_octets()),
    })
}

async fn post(
    connection: &mut Connection,
    site: &Site,
    scheme: &str,
    path: &str,
    fields: &str,
    body: &str,
) -> Response {
    let host = site.origin(scheme);
    let lines = format!("{fields}Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    connection.send(head("POST", path, &format!("{}:{}", host.host(), host.port()), &lines) + body).await;
    connection.response("POST").await
}

/// Registers over a connection of its own.
async fn register(site: &Site, body: &serde_json::Value) -> Response {
    let mut connection = site.connect("https").await;
    post(&mut connection, site, "https", REGISTER, "", &body.to_string()).await
}

fn code(response: &Response) -> (u16, String) {
    assert_eq!(response.field("cache-control"), Some("no-store"), "{response:?}");
    if response.status == 204 {
        return (204, String::new());
    }
    assert_eq!(response.field("content-type"), Some("application/json"), "{response:?}");
    let said: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(said.as_object().unwrap().len(), 1, "nothing but the code is said: {said}");
    (response.status, said["error"].as_str().unwrap().to_owned())
}

fn says(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

async fn logs_in(site: &Site, name: &str, password: &str) -> bool {
    let client = site.client_of("https", name, password).build().unwrap();
    client.get(&site.url("https", "/")).await.is_ok()
}

/// The audit log, once a line of it is this one.
async fn audit(site: &Site, is: impl Fn(&Line) -> bool) -> Vec<Line> {
    let file = site.dir.path().join("audit.log");
    let read = || -> Vec<Line> {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    until(|| async { read().iter().any(&is) }).await;
    read()
}

/// Alice, logged in over TLS, and her connection.
async fn alice(site: &Site, password: &str) -> (User, Connection) {
    let mut connection = site.connect("https").await;
    let mut user = User::new(&site.origin("https"), "alice", password);
    user.get(&mut connection, "/").await;
    (user, connection)
}

fn new_verifier(site: &Site, name: &str, password: &str) -> Vec<u8> {
    verifier(&site.realm("staff"), &user(name), password).expose_octets().to_vec()
}

fn change(verifier: &[u8], binding: &[u8]) -> String {
    let (verifier, binding) = (Base64::encode_string(verifier), Base64::encode_string(binding));
    serde_json::json!({ "verifier": verifier, "binding": binding }).to_string()
}

/// Sends a change as an honest client does, but for what `alter` makes of verifier and binding.
async fn change_by(
    (user, connection): (&mut User, &mut Connection),
    site: &Site,
    verifier: &[u8],
    alter: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>),
) -> Response {
    let channel = connection.channel.clone();
    let (sequence, field, binding) = user.bound_proof(PASSWORD, &channel, &change_of_password(verifier));
    let (mut verifier, mut binding) = (verifier.to_vec(), binding);
    alter(&mut verifier, &mut binding);
    let line = format!("Authorization: {field}\r\n");
    let response = post(connection, site, "https", PASSWORD, &line, &change(&verifier, &binding)).await;
    // Whatever it says, the gateway says it with proof.
    let judged = user.receive(sequence, response.clone(), &channel);
    assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{judged:?}");
    response
}
