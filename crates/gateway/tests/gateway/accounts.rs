//! Users who choose their own passwords: by invitation, and once they are proven. And everybody else, who does not.

use super::support::*;
use base64ct::{Base64, Encoding as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tagai_core::algorithm::Algorithm;
use tagai_core::client::{Outcome, Step};
use tagai_gateway::audit::{Event, Line};
use tagai_server::change_of_password;
use tagai_store::invitation::{InvitationCode, NewInvitation};
use tagai_store::principal::{DenialTarget, PrincipalKind, PrincipalStore as _, SubjectName};
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

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_makes_a_user_whose_password_nobody_has_seen() {
    for sessions in ["memory", "sqlite"] {
        let app = App::start().await;
        let site = Site::start(app.address, Setup { sessions, ..setup() }).await;
        let invitation = invite(&site, "bob", false);
        assert!(!logs_in(&site, "bob", "battery staple").await);
        let body = registration(&site, "staff", "bob", &invitation, "battery staple");
        assert_eq!(code(&register(&site, &body).await), says(204, ""));
        assert!(app.take().is_empty(), "the application sees nothing of it");
        assert!(logs_in(&site, "bob", "battery staple").await);
        assert_eq!(app.take_one().field("tagai-user"), Some("bob"));
        assert_eq!(code(&register(&site, &body).await), says(403, "invitation"), "once");
        let used = |line: &Line| line.reason.as_deref().is_some_and(|reason| reason.contains("used before"));
        let lines = audit(&site, used).await;
        let line = lines.iter().find(|line| line.event == Event::UserRegistered).unwrap();
        assert_eq!(
            (line.user.as_deref(), line.realm.as_deref(), line.by.as_deref()),
            (Some("bob"), Some("staff"), None)
        );
        assert!(line.address.is_some() && line.method.is_none(), "nothing was proven: {line:?}");
        let secret = invitation.expose_text();
        let text = std::fs::read_to_string(site.dir.path().join("audit.log")).unwrap();
        assert!(!text.contains(&*secret) && logged(&secret).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_taken_as_people_type_it() {
    let app = App::start().await;
    let site = start(&app).await;
    let invitation = invite(&site, "bob", false);
    let mut body = registration(&site, "staff", "bob", &invitation, "battery staple");
    let typed = invitation.expose_text().to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
    body["invitation"] = typed.into();
    assert_eq!(code(&register(&site, &body).await), says(204, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_useless_invitation_looks_the_same() {
    let app = App::start().await;
    let site = start(&app).await;
    let made_up = InvitationCode::generate().unwrap();
    let expired = invite_for(&site, "staff", "late", false, -60);
    let bobs = invite(&site, "bob", false);
    let guests = invite_for(&site, "guests", "carol", false, 3600);
    let used = invite(&site, "dora", false);
    let body = registration(&site, "staff", "dora", &used, "battery staple");
    assert_eq!(code(&register(&site, &body).await), says(204, ""));
    let overtaken = invite(&site, "erin", false);
    site.add_user("staff", "erin", "correct horse");
    let mut seen = Vec::new();
    for (name, code) in [
        ("nobody", &made_up),
        ("alice", &made_up),
        ("late", &expired),
        ("alice", &bobs),
        ("nobody", &bobs),
        ("carol", &guests),
        ("dora", &used),
        ("erin", &overtaken),
    ] {
        let response = register(&site, &registration(&site, "staff", name, code, "battery staple")).await;
        assert_eq!(self::code(&response), says(403, "invitation"), "{name}");
        let fields: Vec<_> = response.fields.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("date")).collect();
        seen.push((format!("{fields:?}"), response.body.clone()));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    assert!(!logs_in(&site, "alice", "battery staple").await, "nobody's password was changed");
    // The invitations of others are as good as before.
    let body = registration(&site, "staff", "bob", &bobs, "battery staple");
    assert_eq!(code(&register(&site, &body).await), says(204, ""));
    let count = site.metric("tagai_login_events_total{realm=\"staff\",event=\"registration-refused-invitation\"}");
    assert_eq!(count, Some(8));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_one_wins() {
    for sessions in ["memory", "sqlite"] {
        let app = App::start().await;
        let site = Arc::new(Site::start(app.address, Setup { sessions, ..setup() }).await);
        let invitation = invite(&site, "bob", false);
        let mut tasks = Vec::new();
        for number in 0..6 {
            let body = registration(&site, "staff", "bob", &invitation, &format!("password {number}"));
            let site = Arc::clone(&site);
            tasks.push(tokio::spawn(async move { register(&site, &body).await.status }));
        }
        let mut won = Vec::new();
        for (number, task) in tasks.into_iter().enumerate() {
            match task.await.unwrap() {
                204 => won.push(number),
                status => assert_eq!(status, 403),
            }
        }
        let [winner] = won[..] else { panic!("{won:?}") };
        assert!(logs_in(&site, "bob", &format!("password {winner}")).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_replaces_the_password_and_ends_sessions() {
    for sessions in ["memory", "sqlite"] {
        let app = App::start().await;
        let site = Site::start(app.address, Setup { sessions, ..setup() }).await;
        let (mut user, mut connection) = alice(&site, "correct horse").await;
        let invitation = invite(&site, "alice", true);
        let body = registration(&site, "staff", "alice", &invitation, "battery staple");
        assert_eq!(code(&register(&site, &body).await), says(204, ""));
        user.trace.clear();
        let _ = user.ask(&mut connection, "GET", "/", "").await;
        assert!(user.trace[0].says("reason=stale-session"), "at once: {:?}", user.trace[0]);
        assert!(!logs_in(&site, "alice", "correct horse").await);
        assert!(logs_in(&site, "alice", "battery staple").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_disabled_is_not_let_in_by_an_invitation() {
    let app = App::start().await;
    let site = start(&app).await;
    let invitation = invite(&site, "alice", true);
    site.store().set_disabled(&site.realm("staff"), &user("alice"), true).unwrap();
    let body = registration(&site, "staff", "alice", &invitation, "battery staple");
    assert_eq!(code(&register(&site, &body).await), says(403, "invitation"));
    site.store().set_disabled(&site.realm("staff"), &user("alice"), false).unwrap();
    assert_eq!(code(&register(&site, &body).await), says(403, "invitation"), "nor later");
    assert!(logs_in(&site, "alice", "correct horse").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_without_tls() {
    let app = App::start().await;
    let site = start(&app).await;
    let invitation = invite(&site, "bob", false);
    let body = registration(&site, "staff", "bob", &invitation, "battery staple").to_string();
    let mut connection = site.connect("http").await;
    let forged = "X-Forwarded-Proto: https\r\nForwarded: proto=https\r\n";
    let response = post(&mut connection, &site, "http", REGISTER, forged, &body).await;
    assert_eq!(code(&response), says(403, "insecure"));
    let mut connection = site.connect("http").await;
    let mut user = User::new(&site.origin("http"), "alice", "correct horse");
    user.get(&mut connection, "/").await;
    let verifier = new_verifier(&site, "alice", "battery staple");
    let channel = connection.channel.clone();
    let (sequence, field, binding) = user.bound_proof(PASSWORD, &channel, &change_of_password(&verifier));
    let line = format!("Authorization: {field}\r\n");
    let response = post(&mut connection, &site, "http", PASSWORD, &line, &change(&verifier, &binding)).await;
    assert_eq!(code(&response), says(403, "insecure"));
    let judged = user.receive(sequence, response, &channel);
    assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{judged:?}");
    assert!(logs_in(&site, "alice", "correct horse").await);
    // The invitation was not touched.
    let body = registration(&site, "staff", "bob", &invitation, "battery staple");
    assert_eq!(code(&register(&site, &body).await), says(204, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_registration_changes_nothing() {
    let app = App::start().await;
    let site = start(&app).await;
    let invitation = invite(&site, "bob", false);
    let good = registration(&site, "staff", "bob", &invitation, "battery staple");
    let text = good.to_string();
    let mut connection = site.connect("https").await;
    for body in ["", "{}", "[]", "null", &text[1..], &text.replace("\"user\"", "\"usr\""), &format!("{text}x")] {
        let response = post(&mut connection, &site, "https", REGISTER, "", body).await;
        assert_eq!(code(&response), says(400, "malformed"), "{body}");
    }
    // No element of the group, in many ways.
    let j = Base64::decode_vec(good["verifier"].as_str().unwrap()).unwrap();
    let beside = {
        // Some coordinate near by belongs to no point; half of all do not.
        let mut candidates = (0..=255u8).map(|last| {
            let mut octets = j.clone();
            *octets.last_mut().unwrap() = last;
            octets
        });
        candidates.find(|octets| tagai_core::kam3::J::from_octets(Algorithm::EcP256Sha256, octets).is_err()).unwrap()
    };
    let longer = [&j[..], &[0]].concat();
    let other = [&[5], &j[1..]].concat();
    for octets in [&[][..], &[0], &j[..32], &j[1..], &longer, &other, &[0xff; 33], &[0; 256], &beside] {
        let mut body = good.clone();
        body["verifier"] = Base64::encode_string(octets).into();
        assert_eq!(code(&register(&site, &body).await), says(400, "malformed"), "{octets:?}");
    }
    for (member, value) in [("user", ""), ("invitation", "0000"), ("verifier", "*"), ("user", "a\u{7}b")] {
        let mut body = good.clone();
        body[member] = value.into();
        assert_eq!(code(&register(&site, &body).await), says(400, "malformed"), "{member}");
    }
    for (member, value) in [
        ("realm", "Nothing"),
        ("realm", "Closed"),
        ("auth-scope", "*.example.com"),
        ("algorithm", "iso-kam3-ec-p521-sha512"),
        ("algorithm", "none"),
    ] {
        let mut body = good.clone();
        body[member] = value.into();
        assert_eq!(code(&register(&site, &body).await), says(404, "not-found"), "{member} {value}");
    }
    for length in [8192, 70_000] {
        let large = format!("{text}{}", " ".repeat(length));
        let mut connection = site.connect("https").await;
        let response = post(&mut connection, &site, "https", REGISTER, "", &large).await;
        assert_eq!(code(&response), says(413, "too-large"));
    }
    let mut connection = site.connect("https").await;
    let lines = "Transfer-Encoding: chunked\r\n";
    connection.send(head("POST", REGISTER, &site.at("127.0.0.1"), lines)).await;
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let _ = connection.try_send(chunk.repeat(17)).await;
    assert_eq!(code(&connection.response("POST").await), says(413, "too-large"));
    let mut connection = site.connect("https").await;
    assert_eq!(connection.get(&site.at("127.0.0.1"), REGISTER, "").await.status, 405);
    assert!(!logs_in(&site, "bob", "battery staple").await);
    assert!(app.take().is_empty());
    // After all of it the invitation is as good as before.
    assert_eq!(code(&register(&site, &good).await), says(204, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_codes_has_to_wait() {
    let app = App::start().await;
    let more = "[trust]\nproxies = [\"127.0.0.1/32\"]\n[guessing]\nrecovery = \"1h\"\n".into();
    let site = Site::start(app.address, Setup { more, ..setup() }).await;
    let bobs = invite(&site, "bob", false);
    let made_up = InvitationCode::generate().unwrap();
    let body = registration(&site, "staff", "bob", &made_up, "battery staple").to_string();
    let mut connection = site.connect("https").await;
    let from = |last: u8| format!("X-Forwarded-For: 192.0.2.{last}\r\n");
    for _ in 0..10 {
        let response = post(&mut connection, &site, "https", REGISTER, &from(1), &body).await;
        assert_eq!(code(&response), says(403, "invitation"));
    }
    let good = registration(&site, "staff", "bob", &bobs, "battery staple").to_string();
    for body in [&body, &good] {
        let response = post(&mut connection, &site, "https", REGISTER, &from(1), body).await;
        assert_eq!(code(&response), says(429, "wait"), "a good one does not help either");
        assert!(response.field("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    }
    // Others are not concerned, and nor is a login.
    assert!(logs_in(&site, "alice", "correct horse").await);
    let response = post(&mut connection, &site, "https", REGISTER, &from(2), &good).await;
    assert_eq!(code(&response), says(204, ""));
    // All together have a limit, too.
    let mut waited = false;
    for address in 3..=60u8 {
        for _ in 0..10 {
            let response = post(&mut connection, &site, "https", REGISTER, &from(address), &body).await;
            waited |= response.status == 429;
        }
        if waited {
            break;
        }
    }
    assert!(waited, "everybody together tried hundreds");
    let slowed = site.metric("tagai_login_events_total{realm=\"staff\",event=\"registration-slowed\"}").unwrap();
    assert!(slowed >= 3, "{slowed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_below_the_path_is_an_applications() {
    let app = App::start().await;
    let site = start(&app).await;
    let mut connection = site.connect("https").await;
    for path in ["", "registe", "register/", "register/x", "passwords", "x?y"] {
        let path = format!("/.well-known/tagai/account/{path}");
        let response = post(&mut connection, &site, "https", &path, "", "{}").await;
        assert_eq!(code(&response), says(404, "not-found"), "{path}");
    }
    assert!(app.take().is_empty());
    // Where no realm wants it, there is nothing.
    let app = App::start().await;
    let site = Site::start(app.address, Setup { realms: REALM.into(), ..Setup::default() }).await;
    let mut connection = site.connect("https").await;
    let response = post(&mut connection, &site, "https", REGISTER, "", "{}").await;
    assert_eq!(code(&response), says(404, "not-found"));
    assert!(app.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_changes_the_password() {
    for sessions in ["memory", "sqlite"] {
        let app = App::start().await;
        let site = Site::start(app.address, Setup { sessions, ..setup() }).await;
        let (mut user, mut connection) = alice(&site, "correct horse").await;
        let (mut elsewhere, mut other) = alice(&site, "correct horse").await;
        app.take();
        let verifier = new_verifier(&site, "alice", "battery staple");
        let response = change_by((&mut user, &mut connection), &site, &verifier, |_, _| {}).await;
        assert_eq!(code(&response), says(204, ""));
        assert!(app.take().is_empty(), "the application sees nothing of it");
        for (user, connection) in [(&mut user, &mut connection), (&mut elsewhere, &mut other)] {
            user.trace.clear();
            let _ = user.ask(connection, "GET", "/", "").await;
            assert!(user.trace[0].says("reason=stale-session"), "every session is over: {:?}", user.trace[0]);
        }
        assert!(!logs_in(&site, "alice", "correct horse").await);
        assert!(logs_in(&site, "alice", "battery staple").await);
        let lines = audit(&site, |line| line.event == Event::PasswordChanged).await;
        let line = lines.iter().find(|line| line.event == Event::PasswordChanged).unwrap();
        let by_the_user = (line.user.as_deref(), line.reason.as_deref(), line.by.as_deref());
        assert_eq!(by_the_user, (Some("alice"), Some("by the user"), None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_alone_changes_no_password() {
    let app = App::start().await;
    let site = start(&app).await;
    let (mut user, mut connection) = alice(&site, "correct horse").await;
    let chosen = new_verifier(&site, "alice", "battery staple");
    let another = new_verifier(&site, "alice", "a page's choice");
    // A page's script sends what it likes, and the browser proves the request.
    for binding in [&[][..], &[0; 32], &[0; 31], &[0; 33], &change_of_password(&another)[..]] {
        let response = change_by((&mut user, &mut connection), &site, &chosen, |verifier, sent| {
            *verifier = another.clone();
            *sent = binding.to_vec();
        })
        .await;
        assert_eq!(code(&response), says(403, "binding"), "{binding:?}");
    }
    // A binding of this very request, to another verifier.
    let response = change_by((&mut user, &mut connection), &site, &chosen, |verifier, _| *verifier = another.clone());
    assert_eq!(code(&response.await), says(403, "binding"));
    let response = change_by((&mut user, &mut connection), &site, &chosen, |_, binding| binding[7] ^= 1).await;
    assert_eq!(code(&response), says(403, "binding"));
    let response = change_by((&mut user, &mut connection), &site, &chosen, |_, binding| binding.truncate(31)).await;
    assert_eq!(code(&response), says(403, "binding"));
    // A binding of an earlier request.
    let channel = connection.channel.clone();
    let (_, _, earlier) = user.bound_proof(PASSWORD, &channel, &change_of_password(&chosen));
    let response = change_by((&mut user, &mut connection), &site, &chosen, |_, binding| *binding = earlier).await;
    assert_eq!(code(&response), says(403, "binding"));
    // A binding over the verifier alone, as another use of it would have.
    let (sequence, field, bare) = user.bound_proof(PASSWORD, &channel, &chosen);
    let line = format!("Authorization: {field}\r\n");
    let response = post(&mut connection, &site, "https", PASSWORD, &line, &change(&chosen, &bare)).await;
    assert_eq!(code(&response), says(403, "binding"));
    drop(user.receive(sequence, response, &channel));
    assert!(logs_in(&site, "alice", "correct horse").await);
    assert!(user.get(&mut connection, "/").await.status == 200, "and the session goes on");
    let count = site.metric("tagai_login_events_total{realm=\"staff\",event=\"password-change-refused-binding\"}");
    assert_eq!(count, Some(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_whole_or_nothing() {
    let app = App::start().await;
    let site = start(&app).await;
    let (mut user, mut connection) = alice(&site, "correct horse").await;
    let good = new_verifier(&site, "alice", "battery staple");
    for octets in [&[][..], &good[..32], &[0xff; 33], &[&good[..], &[0]].concat()] {
        let response = change_by((&mut user, &mut connection), &site, octets, |_, _| {}).await;
        assert_eq!(code(&response), says(400, "malformed"), "{octets:?}");
    }
    let channel = connection.channel.clone();
    for (body, expected) in [
        ("{}".to_owned(), says(400, "malformed")),
        (String::new(), says(400, "malformed")),
        (change(&good, &[0; 32]).replace('}', ",\"user\":\"bob\"}"), says(400, "malformed")),
        (" ".repeat(8193), says(413, "too-large")),
    ] {
        // What is too long is not read to its end.
        let mut connection = site.connect("https").await;
        let (sequence, field) = user.proof(PASSWORD, &channel);
        let line = format!("Authorization: {field}\r\n");
        let response = post(&mut connection, &site, "https", PASSWORD, &line, &body).await;
        assert_eq!(code(&response), expected, "{body}");
        let judged = user.receive(sequence, response, &channel);
        assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{judged:?}");
    }
    // Strangers are asked who they are; a replay is nobody.
    let body = change(&good, &[0; 32]);
    let response = post(&mut connection, &site, "https", PASSWORD, "", &body).await;
    assert!(response.status == 401 && response.says("reason=initial"), "{response:?}");
    assert_eq!(connection.get(&site.at("127.0.0.1"), PASSWORD, "").await.status, 405);
    let (_, field, binding) = user.bound_proof(PASSWORD, &channel, &change_of_password(&good));
    let line = format!("Authorization: {field}\r\n");
    connection.get(&site.at("127.0.0.1"), "/", &line).await;
    let response = post(&mut connection, &site, "https", PASSWORD, &line, &change(&good, &binding)).await;
    assert!(response.status == 401 && response.says("reason=stale-session"), "{response:?}");
    assert!(logs_in(&site, "alice", "correct horse").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proof_of_a_change_may_go_ahead() {
    let app = App::start().await;
    let site = start(&app).await;
    let (mut user, mut connection) = alice(&site, "correct horse").await;
    let channel = connection.channel.clone();
    let verifier = new_verifier(&site, "alice", "battery staple");
    let (sequence, field, binding) = user.bound_proof(PASSWORD, &channel, &change_of_password(&verifier));
    let body = change(&verifier, &binding);
    let lines = format!("Authorization: {field}\r\nExpect: 100-continue\r\nContent-Length: {}\r\n", body.len());
    connection.send(head("POST", PASSWORD, &user.host(), &lines)).await;
    let interim = connection.response("POST").await;
    assert_eq!(interim.status, 100);
    let lines = interim.fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let _sequence = sequence.interim(100, lines, channel).unwrap();
    connection.send(body).await;
    let response = connection.response("POST").await;
    assert_eq!((code(&response), response.field("authentication-info")), (says(204, ""), None));
    assert!(logs_in(&site, "alice", "battery staple").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn some_may_not_change_their_passwords() {
    let app = App::start().await;
    let site = start(&app).await;
    // Of a realm without it.
    let mut connection = site.connect("https").await;
    let mut guest = User::new(&site.origin("https"), "guest", "correct horse");
    guest.get(&mut connection, "/guests").await;
    let realm = site.realm("guests");
    let verifier = verifier(&realm, &user("guest"), "battery staple").expose_octets().to_vec();
    let channel = connection.channel.clone();
    let (sequence, field, binding) = guest.bound_proof("/guests", &channel, &change_of_password(&verifier));
    let line = format!("Authorization: {field}\r\n");
    let response = post(&mut connection, &site, "https", PASSWORD, &line, &change(&verifier, &binding)).await;
    assert_eq!(code(&response), says(404, "not-found"));
    drop(guest.receive(sequence, response, &channel));
    // Whom the deny list keeps out, or whose principal is disabled.
    let (mut user, mut connection) = alice(&site, "correct horse").await;
    let name = site.register("alice", PrincipalKind::Person, &["user:staff/alice"]).await;
    site.store().deny(&DenialTarget::Principal(SubjectName::from(&name)), "left", "root").unwrap();
    site.settle().await;
    // Such a change ends the session, so there is another login first.
    let _ = user.ask(&mut connection, "GET", "/", "").await;
    let verifier = new_verifier(&site, "alice", "battery staple");
    let response = change_by((&mut user, &mut connection), &site, &verifier, |_, _| {}).await;
    assert_eq!((code(&response), response.refusal().0), (says(403, "forbidden"), "denied"));
    site.store().allow(&DenialTarget::Principal(SubjectName::from(&name))).unwrap();
    site.store().set_principal_disabled(&name, true).unwrap();
    site.settle().await;
    let _ = user.ask(&mut connection, "GET", "/", "").await;
    let response = change_by((&mut user, &mut connection), &site, &verifier, |_, _| {}).await;
    assert_eq!((code(&response), response.refusal().0), (says(403, "forbidden"), "disabled"));
    site.store().set_principal_disabled(&name, false).unwrap();
    site.settle().await;
    let _ = user.ask(&mut connection, "GET", "/", "").await;
    let response = change_by((&mut user, &mut connection), &site, &verifier, |_, _| {}).await;
    assert_eq!(code(&response), says(204, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_logged_in_is_answered_with_proof() {
    let app = App::start().await;
    let site = start(&app).await;
    let (mut user, mut connection) = alice(&site, "correct horse").await;
    let channel = connection.channel.clone();
    let invitation = invite(&site, "bob", false);
    let body = registration(&site, "staff", "bob", &invitation, "battery staple").to_string();
    // With credentials that are of no use nothing happens: whoever is told so asks again.
    let (_, stale) = user.proof(REGISTER, &channel);
    let stale = stale.replacen("sid=", "sid=00", 1);
    let response =
        post(&mut connection, &site, "https", REGISTER, &format!("Authorization: {stale}\r\n"), &body).await;
    assert_eq!(response.status, 401);
    for expected in [says(204, ""), says(403, "invitation")] {
        let (sequence, field) = user.proof(REGISTER, &channel);
        let line = format!("Authorization: {field}\r\n");
        let response = post(&mut connection, &site, "https", REGISTER, &line, &body).await;
        assert_eq!(code(&response), expected);
        let judged = user.receive(sequence, response, &channel);
        assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{judged:?}");
    }
}
