//! Proxies that lie, servers that pretend to be proxies, and who is asked for what (RFC 8120 §14).

mod support;

use std::sync::{Arc, Mutex};
use support::*;
use tagai_client::core::client::{Credential, Fatal};
use tagai_client::core::credential::{Password, Username};
use tagai_client::core::realm::Origin;
use tagai_client::{Ask, BoxFuture, Client, ClientBuilder, Error, Prompt, Proof, Unproven, Url};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Knows the one password of the tests, and keeps what it was asked.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<Ask>>>);

impl Asked {
    fn take(&self) -> Vec<Ask> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Prompt for Asked {
    fn ask(&self, ask: Ask) -> BoxFuture<'_, Option<Credential>> {
        self.0.lock().unwrap().push(ask);
        let (user, password) = (Username::prepare(USER).unwrap(), Password::prepare(PASSWORD).unwrap());
        Box::pin(std::future::ready(Some(Credential::password(user, password))))
    }
}

/// A proxy of octets: `answer` gets the number of the request and its head; after a 200 to CONNECT it is a tunnel to its target.
/// Keeps the heads.
async fn proxy(answer: impl Fn(usize, &str) -> String + Send + Sync + 'static) -> (Origin, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let (answer, seen) = (Arc::new(answer), Arc::clone(&heads));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
            tokio::spawn(async move { serve(stream, &*answer, &seen).await });
        }
    });
    (origin, heads)
}

async fn serve(mut stream: TcpStream, answer: &(dyn Fn(usize, &str) -> String + Sync), seen: &Mutex<Vec<String>>) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(octet) => head.push(octet),
                Err(_) => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(head.clone());
            seen.len() - 1
        };
        let answer = answer(number, &head);
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        if head.starts_with("CONNECT ") && answer.starts_with("HTTP/1.1 200") {
            let target = head.split(' ').nth(1).unwrap();
            let Ok(mut server) = TcpStream::connect(target).await else { return };
            drop(tokio::io::copy_bidirectional(&mut stream, &mut server).await);
            return;
        }
    }
}

fn open(_: usize, _: &str) -> String {
    "HTTP/1.1 200 OK\r\n\r\n".into()
}

fn through(proxy: &Origin, asked: &Asked) -> ClientBuilder {
    Client::builder().prompt(Arc::new(asked.clone())).proxy(&format!("{proxy}/").parse::<Url>().unwrap()).unwrap()
}

/// What a server or proxy says that asks for a login.
fn challenge(status: u16, field: &str, scope: &str) -> String {
    let challenge = format!(
        "Mutual version=1, algorithm=iso-kam3-ec-p256-sha256, validation=host, auth-scope=\"{scope}\", realm=\"x\", reason=initial"
    );
    format!("HTTP/1.1 {status} Asks\r\n{field}: {challenge}\r\nContent-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn a_server_in_a_tunnel_cannot_ask_in_the_name_of_the_proxy() {
    let (site, certificate) = https_site(&["http/1.1"]).await;
    let (by, heads) = proxy(open).await;
    let asks = format!("{}", by.host());
    site.trick(move |_, response| {
        *response.status_mut() = http::StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        let challenge = format!(
            "Mutual version=1, algorithm=iso-kam3-ec-p256-sha256, validation=host, auth-scope=\"{asks}\", realm=\"x\", reason=initial"
        );
        response.headers_mut().insert("proxy-authenticate", challenge.parse().unwrap());
    });
    let asked = Asked::default();
    let client = through(&by, &asked).root_certificates([&certificate.der[..]]).unwrap().build().unwrap();
    let reply = client.get(&site.url("/public")).await.unwrap();
    assert_eq!((reply.status().as_u16(), reply.proof(), reply.proxy()), (407, &Proof::None, Some(&Proof::None)));
    assert!(asked.take().is_empty(), "nobody was asked");
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 1);
    let target = format!("127.0.0.1:{}", site.origin.port());
    assert!(heads[0].starts_with(&format!("CONNECT {target} HTTP/1.1\r\n")), "{}", heads[0]);
    assert!(heads[0].to_lowercase().contains(&format!("host: {target}\r\n")));
}

#[tokio::test]
async fn without_a_proxy_a_407_is_an_ordinary_answer() {
    let (server, heads) = proxy(|_, _| challenge(407, "Proxy-Authenticate", "127.0.0.1")).await;
    let asked = Asked::default();
    let client = Client::builder().prompt(Arc::new(asked.clone())).build().unwrap();
    let reply = client.get(&format!("{server}/")).await.unwrap();
    assert_eq!((reply.status().as_u16(), reply.proxy()), (407, None));
    assert!(asked.take().is_empty());
    assert_eq!(heads.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_proxy_cannot_ask_in_the_name_of_a_server_in_its_tunnel() {
    let (by, heads) = proxy(|_, _| challenge(401, "WWW-Authenticate", "127.0.0.1")).await;
    let asked = Asked::default();
    let error = through(&by, &asked).build().unwrap().get("https://127.0.0.1:1/").await.unwrap_err();
    assert!(matches!(&error, Error::Proxy(refused) if refused.status == 401 && !refused.proven), "{error}");
    assert!(asked.take().is_empty());
    assert_eq!(heads.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn another_scheme_is_said_and_not_tried() {
    for url in ["http://127.0.0.1:1/", "https://127.0.0.1:1/"] {
        let basic = "HTTP/1.1 407 Asks\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
        let (by, heads) = proxy(move |_, _| basic.into()).await;
        let asked = Asked::default();
        let error = through(&by, &asked).build().unwrap().get(url).await.unwrap_err();
        assert!(matches!(&error, Error::Proxy(refused) if refused.status == 407), "{error}");
        assert!(error.to_string().contains("another scheme"), "{error}");
        assert!(asked.take().is_empty());
        assert_eq!(heads.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_proxy_is_asked_for_by_its_name_and_its_scope_is_checked() {
    for url in ["http://127.0.0.1:1/", "https://127.0.0.1:1/"] {
        for (scope, good) in [("127.0.0.1", true), ("www.example.com", false), ("http://127.0.0.1:1", false)] {
            let scope = scope.to_owned();
            let (by, heads) = proxy(move |_, _| challenge(407, "Proxy-Authenticate", &scope)).await;
            let asked = Asked::default();
            let error = through(&by, &asked).build().unwrap().get(url).await.unwrap_err();
            let asked = asked.take();
            assert_eq!(!asked.is_empty(), good, "{url}: {error}");
            assert!(asked.iter().all(|ask| ask.proxy && ask.origin == by), "{asked:?}");
            if good {
                // It repeats its question instead of a key, whoever logs in.
                assert!(
                    matches!(&error, Error::Login(required) if required.proxy && required.origin == by),
                    "{error}"
                );
                assert!(heads.lock().unwrap().iter().all(|head| !head.contains("\r\nauthorization: ")));
            } else {
                assert!(
                    matches!(&error, Error::NotProven(attack) if matches!(attack.why, Unproven::Fatal(Fatal::Scope(_)))),
                    "{error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_proxy_that_lets_through_in_the_middle_of_a_login_is_not_believed() {
    let (site, certificate) = https_site(&["http/1.1"]).await;
    for url in ["http://127.0.0.1:1/".to_owned(), site.url("/public")] {
        let (by, _) = proxy(|number, _| match number {
            0 => challenge(407, "Proxy-Authenticate", "127.0.0.1"),
            _ => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into(),
        })
        .await;
        let asked = Asked::default();
        let client = through(&by, &asked).root_certificates([&certificate.der[..]]).unwrap().build().unwrap();
        let error = client.get(&url).await.unwrap_err();
        assert!(
            matches!(&error, Error::NotProven(attack) if attack.why == Unproven::Fatal(Fatal::NotProven { status: 200 })),
            "{error}"
        );
        assert!(client.proxy_logins().is_empty());
    }
    assert!(site.take_seen().is_empty(), "the server behind was not spoken to");
}

#[tokio::test]
async fn a_server_is_logged_in_to_through_a_proxy_that_asks_for_nothing() {
    // In absolute form: the proxy here is the site itself, which answers whatever it is asked for.
    let site = http_site().await;
    let asked = Asked::default();
    let client = through(&site.origin, &asked).build().unwrap();
    let reply = client.get(&site.url("/private")).await.unwrap();
    assert!(reply.is_proven());
    assert_eq!(reply.proxy(), Some(&Proof::None));
    assert!(asked.take().iter().all(|ask| !ask.proxy), "it is the server that asks");
    let reply = client.get(&site.url("/private")).await.unwrap();
    assert!(matches!(reply.proof(), Proof::Mutual { session_reused: true, .. }));
}

#[tokio::test]
async fn a_proxy_has_no_path() {
    let url: Url = "http://127.0.0.1:3128/proxy.pac".parse().unwrap();
    let Err(error) = Client::builder().proxy(&url) else { panic!("it was accepted") };
    assert!(error.to_string().contains("no path"), "{error}");
}
