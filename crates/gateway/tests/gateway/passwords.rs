//! Passwords that are shown, over TLS: where a route asks for them, and nowhere else.

use super::support::*;
use base64ct::{Base64, Encoding as _};
use tagai_store::UserStore as _;

const SITES: &str = r#"
[[site]]
origins = ["https://127.0.0.1:{https}"]
[[site.route]]
path = "/"
access = "protected"
proof = ["mutual", "password-tls"]
realm = "staff"
upstream = "http://{app}"
[[site.route]]
path = "/basic"
access = "protected"
proof = ["password-tls"]
realm = "staff"
upstream = "http://{app}"
[[site.route]]
path = "/mutual"
access = "protected"
realm = "staff"
upstream = "http://{app}"
[[site.route]]
path = "/maybe"
access = "optional"
proof = ["mutual", "password-tls"]
realm = "staff"
upstream = "http://{app}"
[[site.route]]
path = "/open"
access = "public"
upstream = "http://{app}"
[[site]]
origins = ["http://127.0.0.1:{http}"]
[[site.route]]
path = "/"
access = "protected"
realm = "staff"
upstream = "http://{app}"
"#;

async fn start(app: &App) -> Site {
    Site::start(app.address, Setup { sites: SITES.into(), ..Setup::default() }).await
}

fn basic(name: &str, password: &str) -> String {
    format!("Authorization: Basic {}\r\n", Base64::encode_string(format!("{name}:{password}").as_bytes()))
}

fn challenges(answer: &Response) -> Vec<&str> {
    let is = |name: &str| name.eq_ignore_ascii_case("www-authenticate");
    answer.fields.iter().filter(|(name, _)| is(name)).map(|(_, value)| value.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_is_let_in_and_marked_as_the_weaker_proof() {
    let app = App::start().await;
    let site = start(&app).await;
    let (mut connection, at) = (site.connect("https").await, site.at("127.0.0.1"));
    for path in ["/", "/basic", "/maybe"] {
        assert_eq!(connection.get(&at, path, &basic("alice", "correct horse")).await.status, 200, "{path}");
        let seen = app.take_one();
        assert_eq!(seen.field("tagai-method"), Some("password-tls"), "{path}");
        assert_eq!(seen.field("tagai-principal"), Some("staff/alice"), "{path}");
        assert_eq!((seen.field("tagai-user"), seen.field("tagai-realm")), (Some("alice"), Some("Staff")), "{path}");
        assert!(!seen.fields.contains_key("authorization"), "the application never sees a password");
    }
    assert_eq!(site.metric("tagai_proven_requests_total{method=\"password-tls\"}"), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_asked_again_and_reaches_nobody() {
    let app = App::start().await;
    let site = start(&app).await;
    let (mut connection, at) = (site.connect("https").await, site.at("127.0.0.1"));
    for (name, password) in [("alice", "wrong horse"), ("alice", ""), ("mallory", "correct horse"), ("", "")] {
        let answer = connection.get(&at, "/basic", &basic(name, password)).await;
        assert_eq!(answer.status, 401, "{name} {password}");
        assert_eq!(answer.field("authentication-info"), None);
    }
    for broken in ["Basic", "Basic !", "Basic YWxpY2U=", "Basic Zm9v, Basic YWxpY2U6Y29ycmVjdCBob3JzZQ=="] {
        let answer = connection.get(&at, "/basic", &format!("Authorization: {broken}\r\n")).await;
        assert!(matches!(answer.status, 400 | 401), "{broken}: {answer:?}");
    }
    let twice = [basic("alice", "correct horse"), basic("alice", "correct horse")].concat();
    assert!(matches!(connection.get(&at, "/basic", &twice).await.status, 400 | 401));
    assert!(app.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn both_proofs_are_offered_and_the_stronger_one_first() {
    let app = App::start().await;
    let site = start(&app).await;
    let (mut connection, at) = (site.connect("https").await, site.at("127.0.0.1"));
    let answer = connection.get(&at, "/", "").await;
    let both = challenges(&answer);
    assert_eq!(answer.status, 401);
    assert!(both.len() == 2 && both[0].starts_with("Mutual ") && both[1].starts_with("Basic "), "{both:?}");
    let answer = connection.get(&at, "/basic", "").await;
    let only = challenges(&answer);
    assert!(answer.status == 401 && only.len() == 1 && only[0].starts_with("Basic realm=\"Staff\""), "{only:?}");
    let answer = connection.get(&at, "/mutual", "").await;
    assert!(challenges(&answer).iter().all(|one| one.starts_with("Mutual ")), "{answer:?}");
    // Who knows both logs in without a password that leaves the machine.
    let mut alice = User::new(&site.origin("https"), "alice", "correct horse");
    alice.get(&mut connection, "/").await;
    assert_eq!(app.take_one().field("tagai-method"), Some("mutual"));
    assert!(app.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_route_asks_for_it_a_password_is_nothing() {
    let app = App::start().await;
    let site = start(&app).await;
    let right = basic("alice", "correct horse");
    let answer = site.connect("https").await.get(&site.at("127.0.0.1"), "/mutual", &right).await;
    assert_eq!(answer.status, 401);
    assert!(challenges(&answer).iter().all(|one| one.starts_with("Mutual ")), "{answer:?}");
    let host = format!("127.0.0.1:{}", site.http);
    let answer = site.connect("http").await.get(&host, "/", &right).await;
    assert_eq!(answer.status, 401);
    assert!(!answer.fields.iter().any(|(_, value)| value.contains("Basic")), "{answer:?}");
    assert!(app.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_is_refused_soon() {
    let app = App::start().await;
    let site = start(&app).await;
    let (mut connection, at) = (site.connect("https").await, site.at("127.0.0.1"));
    // Twice: the second time it is remembered.
    for _ in 0..2 {
        assert_eq!(connection.get(&at, "/basic", &basic("alice", "correct horse")).await.status, 200);
    }
    site.change_password("staff", "alice", "battery staple");
    let mut status = 200;
    patiently(async {
        while status == 200 {
            status = connection.get(&at, "/basic", &basic("alice", "correct horse")).await.status;
        }
    })
    .await;
    assert_eq!(status, 401);
    assert_eq!(connection.get(&at, "/basic", &basic("alice", "battery staple")).await.status, 200);
    assert_eq!(connection.get(&at, "/basic", &basic("alice", "correct horse")).await.status, 401);
    // A user who is kept out is so with a password as well.
    let realm = site.realm("staff");
    site.store().set_disabled(&realm, &tagai_core::credential::Username::prepare("alice").unwrap(), true).unwrap();
    let mut status = 200;
    patiently(async {
        while status == 200 {
            status = connection.get(&at, "/basic", &basic("alice", "battery staple")).await.status;
        }
    })
    .await;
    assert_eq!(status, 401);
}

/// Of a route that asks for passwords, `optional` and with a session beside it.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_never_reaches_the_application() {
    let app = App::start().await;
    let site = start(&app).await;
    let (mut connection, at) = (site.connect("https").await, site.at("127.0.0.1"));
    for path in ["/basic", "/maybe", "/"] {
        assert_eq!(connection.get(&at, path, &basic("alice", "correct horse")).await.status, 200);
    }
    for field in ["aUtHoRiZaTiOn: bAsIc", "Authorization: BASIC"] {
        let token = Base64::encode_string(b"alice:correct horse");
        assert_eq!(connection.get(&at, "/basic", &format!("{field} {token}\r\n")).await.status, 200);
    }
    let seen = app.take();
    assert_eq!(seen.len(), 5);
    assert!(seen.iter().all(|seen| !seen.fields.contains_key("authorization")), "{seen:?}");
}
