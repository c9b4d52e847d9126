//! A server of the protocol on loopback: the core's decisions over hyper, with a log of what it was asked.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use bytes::Bytes;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tagai_client::core::algorithm::Algorithm;
use tagai_client::core::client::Credential;
use tagai_client::core::credential::{Password, Username};
use tagai_client::core::kam3::{J, Pi};
use tagai_client::core::realm::{AuthRealm, AuthScope, Origin, RealmName};
use tagai_client::core::server::{Server, ServerConfig, Session, Step, Verdict};
use tagai_client::core::time::Time;
use tagai_client::core::validation::Channel;
use tagai_client::{Client, ClientBuilder, FixedCredential};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

pub const USER: &str = "alice";
pub const PASSWORD: &str = "correct horse";

/// One request as the server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub authorization: Option<String>,
    pub cookie: Option<String>,
    pub expect: bool,
    pub version: http::Version,
    /// Octets of the body that were read.
    pub body: usize,
    pub user: Option<String>,
}

pub type Trick = Box<dyn Fn(&Seen, &mut Response<Full<Bytes>>) + Send + Sync>;

/// What the server knows and does.
pub struct Site {
    pub origin: Origin,
    pub realm: AuthRealm,
    server: Server,
    users: HashMap<String, J>,
    pub sessions: Mutex<HashMap<Vec<u8>, Session>>,
    pub seen: Mutex<Vec<Seen>>,
    pub nonces: Mutex<Vec<u64>>,
    pub connections: AtomicUsize,
    pub clock: AtomicU64,
    /// Changes answers on their way out: how a server lies.
    pub trick: Mutex<Option<Trick>>,
    tasks: Mutex<Vec<tokio::task::AbortHandle>>,
}

pub struct Judgement {
    pub status: u16,
    pub field: Option<(&'static str, String)>,
    pub user: Option<String>,
}

impl Site {
    pub fn new(origin: Origin, users: &[(&str, &str)], adjust: impl FnOnce(&mut ServerConfig)) -> Arc<Self> {
        let single = AuthRealm {
            algorithm: Algorithm::EcP256Sha256,
            auth_scope: AuthScope::SingleServer(origin.clone()),
            name: RealmName::new("staff").unwrap(),
        };
        let mut config = ServerConfig::new(origin.clone(), single);
        adjust(&mut config);
        let realm = config.realm.clone();
        let verifier = |name: &str, password: &str| {
            let pi = Pi::derive(&realm, &Username::prepare(name).unwrap(), &Password::prepare(password).unwrap());
            J::from_pi(realm.algorithm, &pi).unwrap()
        };
        let users = users.iter().map(|(name, password)| ((*name).to_owned(), verifier(name, password))).collect();
        Arc::new(Self {
            origin,
            server: Server::new(config, &mut UnwrapErr(SysRng)).unwrap(),
            realm,
            users,
            sessions: Mutex::default(),
            seen: Mutex::default(),
            nonces: Mutex::default(),
            connections: AtomicUsize::new(0),
            clock: AtomicU64::new(1_000_000),
            trick: Mutex::default(),
            tasks: Mutex::default(),
        })
    }

    fn now(&self) -> Time {
        Time::at(Duration::from_secs(self.clock.load(Ordering::Relaxed)))
    }

    /// The core's decision about one request. `optional` gives the resource to guests as well.
    pub fn judge(&self, credentials: Option<&[u8]>, channel: &Channel, optional: bool) -> Judgement {
        let judged = |status, field: tagai_client::core::message::Field| Judgement {
            status,
            field: Some((field.name, field.value)),
            user: None,
        };
        let mut sessions = self.sessions.lock().unwrap();
        match self.server.receive(credentials, channel).unwrap() {
            Step::Invite(invitation) => match invitation.optional_field().filter(|_| optional) {
                Some(field) => judged(200, field),
                None => judged(401, invitation.reply().field),
            },
            Step::Refuse(refusal) => judged(401, refusal.reply().field),
            Step::NeedCredential(request) => {
                let j = request.user().and_then(|user| self.users.get(user.as_str()));
                match request.answer(j, &mut UnwrapErr(SysRng), self.now()) {
                    Err(refusal) => judged(401, refusal.reply().field),
                    Ok((session, reply)) => {
                        sessions.insert(session.sid().octets().to_vec(), session);
                        judged(401, reply.field)
                    }
                }
            }
            Step::NeedSession(request) => {
                let verdict = match sessions.remove(request.sid().octets()) {
                    None => request.no_session(),
                    Some(session) => {
                        let (session, verdict) = session.verify(&request, self.now());
                        sessions.insert(session.sid().octets().to_vec(), session);
                        verdict
                    }
                };
                match verdict {
                    Verdict::Accepted(accepted) => {
                        self.nonces.lock().unwrap().push(accepted.user.nc());
                        let user = Some(accepted.user.name().as_str().to_owned());
                        Judgement { user, ..judged(200, accepted.proof) }
                    }
                    Verdict::Rejected(refusal) => judged(401, refusal.reply().field),
                    Verdict::Stale(stale) => judged(401, stale.reply().field),
                }
            }
        }
    }

    pub async fn answer(&self, request: Request<Incoming>, channel: &Channel) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let text =
            |name: &str| head.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let path = head.uri.path().to_owned();
        let authorization = text("authorization");
        let open = path.starts_with("/public") || path.starts_with("/go/");
        let judgement = if open {
            Judgement { status: 200, field: None, user: None }
        } else {
            self.judge(authorization.as_deref().map(str::as_bytes), channel, path.starts_with("/optional"))
        };
        let mut seen = Seen {
            method: head.method.to_string(),
            path: path.clone(),
            authorization,
            cookie: text("cookie"),
            expect: text("expect").is_some(),
            version: head.version,
            body: 0,
            user: judgement.user.clone(),
        };
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::from_u16(judgement.status).unwrap();
        if judgement.status == 200 {
            // hyper sends 100 (Continue) as soon as the body is read.
            seen.body = body.collect().await.map_or(0, |body| body.to_bytes().len());
            let page =
                format!("{path} for {} ({} octets)", judgement.user.as_deref().unwrap_or("anybody"), seen.body);
            *response.body_mut() = Full::new(page.into());
        }
        if let Some((name, value)) = judgement.field {
            response.headers_mut().insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        if let Some((_, rest)) = path.split_once("/to/") {
            // .../to/302/target: a redirect.
            let (status, target) = rest.split_once('/').unwrap();
            if judgement.status == 200 {
                *response.status_mut() = status.parse().unwrap();
                let target = head.uri.query().map_or(format!("/{target}"), str::to_owned);
                response.headers_mut().insert("location", target.parse().unwrap());
            }
        }
        if let Some(trick) = &*self.trick.lock().unwrap() {
            trick(&seen, &mut response);
        }
        self.seen.lock().unwrap().push(seen);
        response
    }

    pub fn trick(&self, trick: impl Fn(&Seen, &mut Response<Full<Bytes>>) + Send + Sync + 'static) {
        *self.trick.lock().unwrap() = Some(Box::new(trick));
    }

    /// What was asked since the last time.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Ends the connections that are open now.
    pub fn end_connections(&self) {
        self.tasks.lock().unwrap().drain(1..).for_each(|task| task.abort());
    }

    /// Ends all connections, and takes no more.
    pub fn stop(&self) {
        self.tasks.lock().unwrap().drain(..).for_each(|task| task.abort());
    }
}

pub struct Certificate {
    pub der: Vec<u8>,
    key: Vec<u8>,
}

impl Certificate {
    pub fn new(algorithm: &'static rcgen::SignatureAlgorithm) -> Self {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".into()]).unwrap().self_signed(&key).unwrap();
        Self { der: certificate.der().to_vec(), key: key.serialize_der() }
    }

    pub fn key(&self) -> rustls::pki_types::PrivateKeyDer<'static> {
        rustls::pki_types::PrivatePkcs8KeyDer::from(self.key.clone()).into()
    }

    /// Its `SubjectPublicKeyInfo` in DER.
    pub fn public_key(&self) -> Vec<u8> {
        use rcgen::PublicKeyData as _;
        rcgen::KeyPair::try_from(self.key.as_slice()).unwrap().subject_public_key_info()
    }

    pub fn acceptor(&self, alpn: &[&str]) -> tokio_rustls::TlsAcceptor {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(self.key.clone());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone().into()], key.into())
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config).into()
    }
}

/// A port on loopback, with its origin.
pub async fn listen(scheme: &str) -> (TcpListener, Origin) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Origin::parse(&format!("{scheme}://127.0.0.1:{}", listener.local_addr().unwrap().port())).unwrap();
    (listener, origin)
}

pub async fn http_site() -> Arc<Site> {
    let (listener, origin) = listen("http").await;
    let site = Site::new(origin, &[(USER, PASSWORD)], |_| {});
    serve_http(&site, listener);
    site
}

pub fn serve_http(site: &Arc<Site>, listener: TcpListener) {
    let served = Arc::clone(site);
    let task = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            served.connections.fetch_add(1, Ordering::Relaxed);
            let site = Arc::clone(&served);
            let service = service_fn(move |request| {
                let site = Arc::clone(&site);
                async move { Ok::<_, Infallible>(site.answer(request, &Channel::Plain).await) }
            });
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let task = tokio::spawn(async move { drop(connection.await) });
            served.tasks.lock().unwrap().push(task.abort_handle());
        }
    });
    site.tasks.lock().unwrap().push(task.abort_handle());
}

pub async fn https_site(alpn: &[&str]) -> (Arc<Site>, Arc<Certificate>) {
    https_site_with(alpn, &rcgen::PKCS_ECDSA_P256_SHA256).await
}

pub async fn https_site_with(
    alpn: &[&str],
    algorithm: &'static rcgen::SignatureAlgorithm,
) -> (Arc<Site>, Arc<Certificate>) {
    let (listener, origin) = listen("https").await;
    let site = Site::new(origin, &[(USER, PASSWORD)], |_| {});
    let certificate = Arc::new(Certificate::new(algorithm));
    let shown = Arc::new(Mutex::new(Arc::clone(&certificate)));
    serve_https(&site, listener, shown, alpn);
    (site, certificate)
}

/// Serves with whatever certificate is in `shown` when a connection begins.
pub fn serve_https(site: &Arc<Site>, listener: TcpListener, shown: Arc<Mutex<Arc<Certificate>>>, alpn: &[&str]) {
    let served = Arc::clone(site);
    let alpn: Vec<String> = alpn.iter().map(|name| (*name).to_owned()).collect();
    let task = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            served.connections.fetch_add(1, Ordering::Relaxed);
            let certificate = Arc::clone(&shown.lock().unwrap());
            let names: Vec<&str> = alpn.iter().map(String::as_str).collect();
            let acceptor = certificate.acceptor(&names);
            let site = Arc::clone(&served);
            let task = tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let exporter =
                    stream.get_ref().1.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""));
                let exporter = exporter.ok().map(tagai_client::core::validation::Exporter);
                let channel = Channel::tls(&certificate.der, exporter).unwrap();
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let service = service_fn(move |request| {
                    let (site, channel) = (Arc::clone(&site), channel.clone());
                    async move { Ok::<_, Infallible>(site.answer(request, &channel).await) }
                });
                let stream = TokioIo::new(stream);
                if http2 {
                    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    drop(builder.serve_connection(stream, service).await);
                } else {
                    drop(hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await);
                }
            });
            served.tasks.lock().unwrap().push(task.abort_handle());
        }
    });
    site.tasks.lock().unwrap().push(task.abort_handle());
}

/// Alice's name and password.
pub fn credential() -> Credential {
    Credential::password(Username::prepare(USER).unwrap(), Password::prepare(PASSWORD).unwrap())
}

/// A client that knows alice's password for a site.
pub fn builder(site: &Site) -> ClientBuilder {
    let prompt = FixedCredential::new(site.origin.clone(), USER, PASSWORD).unwrap();
    Client::builder().prompt(Arc::new(prompt))
}

pub fn trusting(builder: ClientBuilder, certificate: &Certificate) -> ClientBuilder {
    builder.root_certificates([certificate.der.as_slice()]).unwrap()
}

pub fn client(site: &Site) -> Client {
    builder(site).build().unwrap()
}

pub async fn text(reply: tagai_client::Reply) -> String {
    String::from_utf8(reply.bytes(1 << 20).await.unwrap().unwrap().to_vec()).unwrap()
}

/// What an attacker at a raw socket got: whole requests, head and whatever came behind it.
pub type Taken = Arc<Mutex<Vec<Vec<u8>>>>;

/// A server that answers each connection's first head with `answer`, and keeps what it reads until the connection ends.
pub fn serve_raw(listener: TcpListener, answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Taken {
    let taken = Taken::default();
    let (kept, answer) = (Arc::clone(&taken), Arc::new(answer));
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
            tokio::spawn(async move {
                let (mut read, mut answered) = (Vec::new(), false);
                let index = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(Vec::new());
                    kept.len() - 1
                };
                while let Ok(octets) = stream.read_buf(&mut read).await {
                    kept.lock().unwrap()[index] = read.clone();
                    if octets == 0 {
                        break;
                    }
                    if !answered && let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                        answered = true;
                        let answer = answer(std::str::from_utf8(&read[..end]).unwrap());
                        if answer.is_empty() || stream.write_all(&answer).await.is_err() {
                            break;
                        }
                    }
                }
            });
        }
    });
    taken
}

/// A port that a site has left.
pub async fn take_over(site: &Site) -> TcpListener {
    site.stop();
    let address = (std::net::Ipv4Addr::LOCALHOST, site.origin.port());
    loop {
        // The listener's task has to be gone first.
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// A stream of so many octets, of unknown length.
pub fn upload(octets: usize) -> tagai_client::Body {
    tagai_client::Body::stream(Upload(octets))
}

struct Upload(usize);

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        let part = self.0.min(65_536);
        self.0 -= part;
        std::task::Poll::Ready((part > 0).then(|| Ok(http_body::Frame::data(Bytes::from(vec![b'x'; part])))))
    }
}

/// Answers the first request of each connection, and ends the connection when the second has come. Counts requests.
pub fn serve_twice(listener: TcpListener) -> Arc<AtomicUsize> {
    let heads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&heads);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                for number in 0..2 {
                    let mut read = Vec::new();
                    while !read.windows(4).any(|window| window == b"\r\n\r\n") {
                        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    counted.fetch_add(1, Ordering::SeqCst);
                    if number == 0 {
                        drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await);
                    }
                }
            });
        }
    });
    heads
}
