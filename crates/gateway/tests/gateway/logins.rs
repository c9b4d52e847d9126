//! Users log in, and the application learns who they are, from the gateway alone.

use super::support::*;
use tagai_client::{Client, Error};
use tagai_core::client::{Outcome, Step};

#[tokio::test(flavor = "multi_thread")]
async fn ten_requests_take_one_key_exchange() {
    for scheme in ["http", "https"] {
        let app = App::start().await;
        let site = Site::start(app.address, Setup::default()).await;
        let client = site.client(scheme);
        for number in 0..10 {
            let reply = client.get(&site.url(scheme, "/page?x=1")).await.unwrap();
            assert!(reply.is_proven(), "{scheme}: request {number}");
            assert_eq!(reply.bytes(100).await.unwrap().unwrap(), "page /page");
        }
        let seen = app.take();
        assert_eq!(seen.len(), 10, "no request without a proven user reaches the application");
        for request in &seen {
            assert_eq!(request.target, "/page?x=1");
            assert_eq!(request.field("tagai-user"), Some("alice"));
            assert_eq!(request.field("tagai-realm"), Some("Staff"));
            assert_eq!(request.field("tagai-method"), Some("mutual"));
            assert_eq!(request.field("authorization"), None);
        }
        let counted = |event: &str| {
            site.metric(&format!("tagai_login_events_total{{realm=\"staff\",event=\"{event}\"}}")).unwrap_or(0)
        };
        assert_eq!((counted("key-exchanged"), counted("logged-in")), (1, 1), "{scheme}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_encoded_and_never_the_clients_own() {
    let app = App::start().await;
    let setup = Setup { users: vec![("staff", "互い 100%", "secret")], ..Setup::default() };
    let site = Site::start(app.address, setup).await;
    let mut connection = site.connect("http").await;
    let mut user = User::new(&site.origin("http"), "互い 100%", "secret");
    user.get(&mut connection, "/").await;
    assert_eq!(app.take_one().field("tagai-user"), Some("%E4%BA%92%E3%81%84%20100%25"));

    let (_, proof) = user.proof("/", &connection.channel);
    let others = "Tagai-Principal: root\r\nTAGAI_PRINCIPAL: root\r\nTagai-Groups: roots\r\ntagai.groups: roots\r\n\
                  Tagai-Assertion: root\r\ntagai_assertion: root\r\nClient-Cert: :root:\r\nclient_cert: :root:\r\n\
                  CLIENT.CERT: :root:\r\nClient-Cert-Chain: :root:\r\nClient_Cert_Chain: :root:\r\n";
    let forged = "Tagai-User: root\r\ntagai_user: root\r\nTAGAI-USER: root\r\nTagai_Realm: Root\r\nTagai-Method: none\r\n\
                  Connection: Tagai-User, Tagai-Realm, te\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\
                  Trailer: tagai-user, x-sum\r\n";
    let head = format!("POST / HTTP/1.1\r\nHost: {}\r\nAuthorization: {proof}\r\n{others}{forged}\r\n", user.host());
    let end = format!("4\r\nbody\r\n0\r\nTagai-User: root\r\ntagai_user: root\r\n{others}X-Sum: 1\r\n\r\n");
    connection.send(head + &end).await;
    assert_eq!(connection.response("POST").await.status, 200);
    let seen = app.take_one();
    assert_eq!(seen.body, "body");
    assert_eq!(seen.field("tagai-user"), Some("%E4%BA%92%E3%81%84%20100%25"));
    assert_eq!((seen.field("tagai-realm"), seen.field("tagai-method")), (Some("Staff"), Some("mutual")));
    for (name, value) in seen.fields.iter().chain(&seen.trailers) {
        assert!(!name.as_str().contains('_') && !value.to_str().unwrap().to_lowercase().contains("root"), "{name}");
    }
    assert_eq!(seen.trailers.get("x-sum").map(|value| value.to_str().unwrap()), Some("1"));
    assert!(!seen.trailers.contains_key("tagai-user"));
    assert_eq!((seen.field("client-cert"), seen.field("tagai-assertion")), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_cannot_say_who_they_are() {
    let app = App::start().await;
    let setup = Setup {
        sites: "[[site]]\norigins = [\"http://127.0.0.1:{http}\"]\n\
                [[site.route]]\npath = \"/\"\naccess = \"public\"\nupstream = \"http://{app}\"\n\
                [[site.route]]\npath = \"/maybe\"\naccess = \"optional\"\nrealm = \"staff\"\nupstream = \"http://{app}\"\n"
            .into(),
        ..Setup::default()
    };
    let site = Site::start(app.address, setup).await;
    let mut connection = site.connect("http").await;
    for path in ["/", "/maybe"] {
        let host = format!("127.0.0.1:{}", site.http);
        connection
            .send(format!(
                "GET {path} HTTP/1.1\r\nHost: {host}\r\nTagai-User: root\r\ntagai_user: root\r\ntagai-Realm: Root\r\n\
                 Tagai_method: mutual\r\nX-Other: stays\r\n\r\n"
            ))
            .await;
        assert_eq!(connection.response("GET").await.status, 200);
        let seen = app.take_one();
        assert_eq!(seen.field("x-other"), Some("stays"));
        let names: Vec<_> = seen.fields.keys().filter(|name| name.as_str().starts_with("tagai")).collect();
        assert!(names.is_empty(), "{path}: {names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_cannot_speak_for_the_gateway() {
    let app = App::start().await;
    let site = Site::start(app.address, Setup::default()).await;
    let mut connection = site.connect("http").await;
    let mut user = User::new(&site.origin("http"), "alice", "correct horse");
    user.get(&mut connection, "/").await;
    let (sequence, proof) = user.proof("/forge", &connection.channel);
    connection
        .send(format!(
            "GET /forge HTTP/1.1\r\nHost: {}\r\nAuthorization: {proof}\r\nConnection: te\r\nTE: trailers\r\n\r\n",
            user.host()
        ))
        .await;
    let response = connection.response("GET").await;
    let infos = response.names().iter().filter(|name| name.eq_ignore_ascii_case("authentication-info")).count();
    assert_eq!(infos, 1, "{response:?}");
    assert!(!response.field("authentication-info").unwrap().contains("vks=00,"));
    for name in [
        "authentication-control",
        "optional-www-authenticate",
        "www-authenticate",
        "proxy-authentication-info",
        "trailer authentication-info",
    ] {
        assert_eq!(response.field(name), None, "{name}");
    }
    assert_eq!((response.field("x-other"), response.field("trailer x-sum")), (Some("stays"), Some("1")));
    let channel = connection.channel.clone();
    let judged = user.receive(sequence, response, &channel);
    assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{judged:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_applications_401_is_403_for_users() {
    let app = App::start().await;
    let site = Site::start(app.address, Setup::default()).await;
    let reply = site.client("https").get(&site.url("https", "/401")).await.unwrap();
    assert_eq!(reply.status(), 403);
    assert!(reply.is_proven() && !reply.headers().contains_key("www-authenticate"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_password_nothing_is_shown() {
    let app = App::start().await;
    let site = Site::start(app.address, Setup::default()).await;
    let wrong = site.client_of("https", "alice", "wrong").build().unwrap();
    assert!(matches!(wrong.get(&site.url("https", "/")).await, Err(Error::Login(_))));
    let nobody = Client::builder().root_certificates([&site.certificate[..]]).unwrap().build().unwrap();
    assert!(matches!(nobody.get(&site.url("https", "/")).await, Err(Error::Login(_))));
    assert!(app.take().is_empty());
}
