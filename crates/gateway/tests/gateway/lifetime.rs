//! What ends a session, and what does not.

use super::support::*;
use tagai_client::{Client, Proof};
use tagai_core::client::Outcome;
use tagai_store::UserStore as _;

async fn session_reused(client: &Client, url: &str) -> bool {
    match client.get(url).await.unwrap().proof() {
        Proof::Mutual { session_reused, .. } => *session_reused,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_ends_the_session_and_is_proven() {
    let app = App::start().await;
    let site = Site::start(app.address, Setup::default()).await;
    let mut connection = site.connect("http").await;
    let mut alice = User::new(&site.origin("http"), "alice", "correct horse");
    alice.get(&mut connection, "/").await;
    app.take();
    let logout = "/.well-known/tagai/logout";
    let host = alice.host();
    // Not by GET, and not by strangers.
    connection.send(format!("GET {logout} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
    assert_eq!(connection.response("GET").await.status, 405);
    connection.send(format!("POST {logout} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n")).await;
    assert_eq!(connection.response("POST").await.status, 401);
    match alice.ask(&mut connection, "POST", logout, "Content-Length: 0\r\n").await {
        Ok(Outcome::AuthSucceed(proven)) => assert_eq!(proven.body().status, 200),
        other => panic!("{other:?}"),
    }
    assert!(app.take().is_empty(), "logging out is the gateway's own");
    // The client still believes in its session; the server sends it to make another.
    alice.trace.clear();
    alice.get(&mut connection, "/").await;
    assert!(alice.trace[0].says("reason=stale-session"), "{:?}", alice.trace);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_a_user_end_the_users_sessions() {
    for sessions in ["memory", "sqlite"] {
        let app = App::start().await;
        let users = ["disabled", "removed", "changed", "kept"].map(|name| ("staff", name, "correct horse"));
        let site = Site::start(app.address, Setup { users: users.into(), sessions, ..Setup::default() }).await;
        let url = site.url("http", "/");
        let mut clients = Vec::new();
        for (_, name, password) in users {
            let client = site.client_of("http", name, password).build().unwrap();
            client.get(&url).await.unwrap();
            assert!(session_reused(&client, &url).await);
            clients.push(client);
        }
        let realm = site.realm("staff");
        let name = |name: &str| tagai_core::credential::Username::prepare(name).unwrap();
        site.store().set_disabled(&realm, &name("disabled"), true).unwrap();
        site.store().remove(&realm, &name("removed")).unwrap();
        site.change_password("staff", "changed", "another");
        for client in &clients[..3] {
            until(|| async { client.get(&url).await.is_err() }).await;
        }
        assert!(session_reused(&clients[3], &url).await, "{sessions}: another user's session goes on");
        // Who was changed gets in by what holds now.
        let changed = site.client_of("http", "changed", "another").build().unwrap();
        assert!(changed.get(&url).await.unwrap().is_proven());
        site.store().set_disabled(&realm, &name("disabled"), false).unwrap();
        let enabled = site.client_of("http", "disabled", "correct horse").build().unwrap();
        assert!(enabled.get(&url).await.unwrap().is_proven());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_disturbs_nobody() {
    for (scheme, http2) in [("http", false), ("https", true)] {
        let app = App::start().await;
        let mut site = Site::start(app.address, Setup::default()).await;
        let client = site.client_of(scheme, "alice", "correct horse").http2(http2).build().unwrap();
        let url = site.url(scheme, "/");
        client.get(&url).await.unwrap();
        let mut download = client.get(&site.url(scheme, "/slow")).await.unwrap();
        let part = http_body_util::BodyExt::frame(download.content()).await.unwrap().unwrap();
        assert_eq!(part.into_data().unwrap(), "part ");

        site.setup.sites += "[[site.route]]\npath = \"/new\"\naccess = \"public\"\nupstream = \"http://{app}\"\n";
        site.write_config();
        site.gateway.reload().await.unwrap();
        let mut guest = site.connect("http").await;
        guest.send(format!("GET /new HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", site.http)).await;
        assert_eq!(guest.response("GET").await.status, 200, "the new route is there");
        assert!(session_reused(&client, &url).await, "{scheme}: sessions survive");
        // A permit is kept for one waiter, so each part is asked for when the one before it has come.
        app.go.notify_one();
        let part = patiently(http_body_util::BodyExt::frame(download.content())).await.unwrap().unwrap();
        assert_eq!(part.into_data().unwrap(), "part ");
        app.go.notify_one();
        let rest = tokio::spawn(download.bytes(100));
        until(|| async {
            app.go.notify_one();
            rest.is_finished()
        })
        .await;
        assert_eq!(rest.await.unwrap().unwrap().unwrap(), "part ", "{scheme}: the download comes to its end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_realm_loses_its_sessions() {
    let app = App::start().await;
    let mut site = Site::start(app.address, Setup::default()).await;
    let mut connection = site.connect("http").await;
    let mut alice = User::new(&site.origin("http"), "alice", "correct horse");
    alice.get(&mut connection, "/").await;
    app.take();
    site.setup.realms = site.setup.realms.replace("\"Staff\"", "\"Crew\"");
    site.write_config();
    site.gateway.reload().await.unwrap();
    let (_, proof) = alice.proof("/", &connection.channel);
    let host = alice.host();
    connection.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\nAuthorization: {proof}\r\n\r\n")).await;
    let refused = connection.response("GET").await;
    assert_eq!((refused.status, refused.field("authentication-info")), (401, None));
    assert!(refused.says("realm=\"Crew\""), "{refused:?}");
    assert!(app.take().is_empty());
    // The users of another name are others.
    let outcome =
        User::new(&site.origin("http"), "alice", "correct horse").ask(&mut connection, "GET", "/", "").await;
    assert!(matches!(outcome, Ok(Outcome::AuthRequired(_))), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_not_taken_over() {
    let app = App::start().await;
    let site = Site::start(app.address, Setup::default()).await;
    let client = site.client("https");
    let url = site.url("https", "/");
    client.get(&url).await.unwrap();
    let good = std::fs::read_to_string(site.config_file()).unwrap();
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let key = std::fs::read(site.dir.path().join("server.key")).unwrap();
    for (text, says) in [
        ("[[site]\n".to_owned(), "TOML"),
        (String::new(), "[store]"),
        (good.replace("realm = \"staff\"", "realm = \"stuff\""), "did you mean"),
        (good.replace("server.pem", "missing.pem"), "missing.pem"),
        (good.clone(), "does not"),
    ] {
        std::fs::write(site.config_file(), &text).unwrap();
        if text == good {
            // The key of another certificate.
            std::fs::write(site.dir.path().join("server.key"), &other).unwrap();
        }
        let error = site.gateway.reload().await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert!(session_reused(&client, &url).await, "{error}");
        let fresh = site.client("https");
        assert!(fresh.get(&url).await.unwrap().is_proven(), "{error}");
    }
    std::fs::write(site.dir.path().join("server.key"), key).unwrap();
    site.gateway.reload().await.unwrap();
    assert!(session_reused(&client, &url).await);
    assert_eq!(site.metric("tagai_reloads_total{result=\"failure\"}"), Some(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_takes_another_login() {
    let app = App::start().await;
    let site = Site::start(app.address, Setup::default()).await;
    let url = site.url("https", "/");
    let key = rcgen::KeyPair::generate().unwrap();
    let renewed = rcgen::CertificateParams::new(vec!["127.0.0.1".into()]).unwrap().self_signed(&key).unwrap();
    let roots = [&renewed.der()[..]];
    let client = site.client_of("https", "alice", "correct horse").root_certificates(roots).unwrap();
    let client = client.pool(tagai_client::PoolLimits { idle: std::time::Duration::ZERO, ..Default::default() });
    let client = client.build().unwrap();
    client.get(&url).await.unwrap();
    std::fs::write(site.dir.path().join("server.pem"), renewed.pem()).unwrap();
    std::fs::write(site.dir.path().join("server.key"), key.serialize_pem()).unwrap();
    site.gateway.reload().await.unwrap();
    let reply = client.get(&url).await.unwrap();
    assert!(reply.is_proven());
    assert_eq!(reply.server_certificate(), Some(&renewed.der()[..]));
    // The session was made with the old one, and its proofs are for that.
    assert!(matches!(reply.proof(), Proof::Mutual { session_reused: false, .. }));
}
