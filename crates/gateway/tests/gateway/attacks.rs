//! Somebody sits between, or has listened.

use super::support::*;
use tagai_client::{Client, Error, FixedCredential};
use tagai_core::client::{Fatal, Outcome};
use tagai_core::realm::Origin;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

struct Forger {
    certificate: Vec<u8>,
    acceptor: tokio_rustls::TlsAcceptor,
}

/// A certificate for the same name, from an authority that the client trusts as well.
fn forger() -> Forger {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".into()]).unwrap().self_signed(&key).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    Forger { certificate: certificate.der().to_vec(), acceptor: std::sync::Arc::new(config).into() }
}

/// Passes every octet on, in clear at this place, to the gateway over another TLS connection. If `lies`, the answer to a proof
/// becomes a page of its own.
async fn tls_relay(site: &Site, forger: &Forger, lies: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (acceptor, certificate, to) = (forger.acceptor.clone(), site.certificate.clone(), site.https);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            let (acceptor, certificate) = (acceptor.clone(), certificate.clone());
            tokio::spawn(async move {
                let Ok(mut near) = acceptor.accept(stream).await else { return };
                let mut far = Connection::tls(to, &certificate, &["http/1.1"]).await;
                if !lies {
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far.stream).await;
                    return;
                }
                while let Some(head) = read_head(&mut near).await {
                    far.send(&head).await;
                    let answer = if head.contains("vkc=") {
                        let _ = far.response("GET").await;
                        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil".to_owned()
                    } else {
                        let answer = far.response("GET").await;
                        let fields = answer.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
                        format!("HTTP/1.1 {} X\r\n{}\r\n{}", answer.status, fields.collect::<String>(), answer.text())
                    };
                    if near.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_with_a_certificate_of_its_own_gets_nothing() {
    for lies in [false, true] {
        let app = App::start().await;
        let site = Site::start(app.address, Setup::default()).await;
        let forger = forger();
        let port = tls_relay(&site, &forger, lies).await;
        // The client believes to be at the gateway: somebody has led its connection elsewhere.
        let mut connection = Connection::tls(port, &forger.certificate, &["http/1.1"]).await;
        let mut alice = User::new(&site.origin("https"), "alice", "correct horse");
        let outcome = alice.ask(&mut connection, "GET", "/", "").await;
        if lies {
            assert!(matches!(outcome, Err(Fatal::NotProven { status: 200 })), "{outcome:?}");
        } else {
            assert!(matches!(outcome, Ok(Outcome::AuthRequired(_))), "{outcome:?}");
        }
        assert!(alice.trace.iter().any(|answer| answer.says("ks1=")), "the relay did relay");
        assert!(alice.trace.iter().all(|answer| answer.field("authentication-info").is_none()));
        assert!(app.take().is_empty(), "no request of hers was served");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_does_not_move_to_a_relay() {
    let app = App::start().await;
    let site = Site::start(app.address, Setup::default()).await;
    let forger = forger();
    let mut honest = site.connect("https").await;
    let mut alice = User::new(&site.origin("https"), "alice", "correct horse");
    alice.get(&mut honest, "/").await;
    app.take();
    let port = tls_relay(&site, &forger, false).await;
    let mut relayed = Connection::tls(port, &forger.certificate, &["http/1.1"]).await;
    let outcome = alice.ask(&mut relayed, "GET", "/", "").await;
    assert!(matches!(outcome, Ok(Outcome::AuthRequired(_))), "{outcome:?}");
    assert!(app.take().is_empty());
    // At the gateway itself she goes on.
    alice.get(&mut honest, "/").await;
}

/// Takes the place of a server of another name, and asks the gateway in its own.
async fn http_relay(site: &Site) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let to = site.http;
    tokio::spawn(async move {
        loop {
            let Ok((mut near, _)) = listener.accept().await else { return };
            tokio::spawn(async move {
                let mut far = Connection::plain(to).await;
                while let Some(head) = read_head(&mut near).await {
                    let line = head.lines().find(|line| line.to_lowercase().starts_with("host:")).unwrap();
                    let head = head.replace(line, &format!("Host: 127.0.0.1:{to}"));
                    far.send(head).await;
                    let answer = far.response("GET").await;
                    let fields = answer.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
                    let text = format!(
                        "HTTP/1.1 {} X\r\n{}\r\n{}",
                        answer.status,
                        fields.collect::<String>(),
                        answer.text()
                    );
                    if near.write_all(text.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_under_another_name_is_refused() {
    let app = App::start().await;
    let site = Site::start(app.address, Setup::default()).await;
    let port = http_relay(&site).await;
    for host in ["127.0.0.1", "localhost"] {
        // The user takes the relay for the server, and tells the client the password for it.
        let origin = Origin::parse(&format!("http://{host}:{port}")).unwrap();
        let prompt = FixedCredential::new(origin.clone(), "alice", "correct horse").unwrap();
        let client = Client::builder().prompt(std::sync::Arc::new(prompt)).build().unwrap();
        let error = client.get(&format!("{origin}/")).await.unwrap_err();
        match host {
            // The realm is of a scope that covers the relay: the proof is for another port, and the gateway refuses it.
            "127.0.0.1" => assert!(matches!(error, Error::Login(_)), "{error}"),
            // It is not: the client does not even ask for the password.
            _ => assert!(matches!(error, Error::NotProven(_)), "{error}"),
        }
        assert!(client.logins().is_empty());
    }
    assert!(app.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_refused_and_ends_the_session() {
    for sessions in ["memory", "sqlite"] {
        for scheme in ["http", "https"] {
            let app = App::start().await;
            let site = Site::start(app.address, Setup { sessions, ..Setup::default() }).await;
            let mut connection = site.connect(scheme).await;
            let mut alice = User::new(&site.origin(scheme), "alice", "correct horse");
            alice.get(&mut connection, "/").await;
            let (_, proof) = alice.proof("/", &connection.channel);
            let request = format!("GET / HTTP/1.1\r\nHost: {}\r\nAuthorization: {proof}\r\n\r\n", alice.host());
            connection.send(&request).await;
            assert_eq!(connection.response("GET").await.status, 200);
            app.take();
            let mut listener = site.connect(scheme).await;
            for _ in 0..2 {
                listener.send(&request).await;
                let refused = listener.response("GET").await;
                assert_eq!((refused.status, refused.field("authentication-info")), (401, None));
            }
            assert!(app.take().is_empty(), "{sessions}, {scheme}");
            alice.trace.clear();
            alice.get(&mut connection, "/").await;
            assert_eq!(alice.trace.len(), 3, "{sessions}, {scheme}: she has to make another session");
            assert!(alice.trace[0].says("reason=stale-session"), "{:?}", alice.trace[0]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_number_or_proof_is_refused() {
    let app = App::start().await;
    let site = Site::start(app.address, Setup::default()).await;
    let mut connection = site.connect("http").await;
    let mut alice = User::new(&site.origin("http"), "alice", "correct horse");
    alice.get(&mut connection, "/").await;
    app.take();
    let (_, proof) = alice.proof("/", &connection.channel);
    let forged = proof.replace("nc=2", "nc=3");
    assert_ne!(forged, proof);
    connection.send(format!("GET / HTTP/1.1\r\nHost: {}\r\nAuthorization: {forged}\r\n\r\n", alice.host())).await;
    assert_eq!(connection.response("GET").await.status, 401);
    assert!(app.take().is_empty());
}

/// Every step, for a name that there is and a name that there is not: status, fields and sizes.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_does_not_learn_who_is_a_user() {
    for scheme in ["http", "https"] {
        let app = App::start().await;
        let users = vec![("staff", "alice", "correct horse"), ("staff", "carol", "correct horse")];
        let site = Site::start(app.address, Setup { users, ..Setup::default() }).await;
        let carol = tagai_core::credential::Username::prepare("carol").unwrap();
        tagai_store::UserStore::set_disabled(site.store(), &site.realm("staff"), &carol, true).unwrap();
        let mut shapes = Vec::new();
        for name in ["alice", "nobody", "carol", "a much longer name that nobody has"] {
            let mut connection = site.connect(scheme).await;
            let mut user = User::new(&site.origin(scheme), name, "wrong");
            let outcome = user.ask(&mut connection, "GET", "/", "").await;
            assert!(matches!(outcome, Ok(Outcome::AuthRequired(_))), "{name}: {outcome:?}");
            let shape: Vec<_> = user
                .trace
                .iter()
                .map(|answer| {
                    let names: Vec<_> = answer.names().iter().map(|name| (*name).to_owned()).collect();
                    let parameters: Vec<_> = answer
                        .field("www-authenticate")
                        .unwrap()
                        .split(", ")
                        .map(|pair| pair.split('=').next().unwrap().to_owned())
                        .collect();
                    (answer.status, names, parameters, answer.text(), answer.octets)
                })
                .collect();
            assert_eq!(shape.len(), 3, "{name}: asked, exchanged, refused");
            shapes.push(shape);
        }
        for other in &shapes[1..] {
            assert_eq!(&shapes[0], other, "{scheme}");
        }
        assert!(app.take().is_empty());
    }
}
