//! A web site on loopback with one user, on a thread of its own, and a log of what it was asked.

use super::bare;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tagai_client::KeyPin;
use tagai_core::algorithm::Algorithm;
use tagai_core::credential::{Password, Username};
use tagai_core::kam3::{J, Pi};
use tagai_core::message::Field;
use tagai_core::realm::{AuthRealm, AuthScope, Origin, RealmName};
use tagai_core::server::ServerConfig;
use tagai_core::validation::{Channel, Exporter};
use tagai_server::{Answer, Connection, Decision, Mutual, MutualBuilder};
use tagai_store::memory::{MemorySessions, MemoryUsers};
use tagai_store::{NewUser, SessionLimits, UserStore as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_stream::StreamExt as _;

pub const USER: &str = "alice";
pub const PASSWORD: &str = "correct horse";
pub const LOGOUT: &str = "/.well-known/tagai/logout";

type Guarded = Mutual<MemoryUsers, MemorySessions>;
type Body = BoxBody<Bytes, io::Error>;

/// What a site was asked: method, path, octets of the body, and the kind of its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub method: Method,
    pub path: String,
    pub body: usize,
    pub content_type: Option<String>,
    pub with_proof: bool,
}

pub struct Site {
    pub origin: String,
    pub port: u16,
    /// PEM, for `--cacert`.
    pub ca: Option<String>,
    /// For `--pin`.
    pub pin: Option<String>,
    /// A certificate that it accepts, and its key, in PEM: for `--cert` and `--key`.
    pub client: Option<(String, String)>,
    inner: Arc<Inner>,
    _runtime: tokio::runtime::Runtime,
}

struct Inner {
    mutual: Guarded,
    seen: Mutex<Vec<Seen>>,
    evil: AtomicBool,
    knows_logout: AtomicBool,
    passwords: Mutex<Vec<String>>,
    shown: Mutex<Vec<KeyPin>>,
}

/// How a site is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Https,
    /// https, with a certificate of the client's.
    Certified,
    /// https, with bare keys at both ends.
    Bare,
}

impl Site {
    pub fn http() -> Self {
        Self::start(Kind::Http)
    }

    pub fn https() -> Self {
        Self::start(Kind::Https)
    }

    pub fn certified() -> Self {
        Self::start(Kind::Certified)
    }

    pub fn bare() -> Self {
        Self::start(Kind::Bare)
    }

    fn start(kind: Kind) -> Self {
        let tls = kind != Kind::Http;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let origin = format!("{}://localhost:{port}", if tls { "https" } else { "http" });
        let inner = Arc::new(Inner {
            mutual: guard(&origin),
            seen: Mutex::default(),
            evil: AtomicBool::new(false),
            knows_logout: AtomicBool::new(true),
            passwords: Mutex::default(),
            shown: Mutex::default(),
        });
        let authority = (kind == Kind::Certified).then(Authority::new);
        let certificate = tls.then(|| Certificate::new(kind == Kind::Bare, authority.as_ref()));
        let ca = certificate.as_ref().map(|certificate| certificate.pem.clone());
        let pin = certificate.as_ref().filter(|_| kind == Kind::Bare).map(|certificate| certificate.pin.to_string());
        let client = authority.map(|authority| authority.client);
        runtime.spawn(accept(listener, Arc::clone(&inner), certificate.map(Arc::new)));
        Self { origin, port, ca, pin, client, inner, _runtime: runtime }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// What was asked since the last time.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.inner.seen.lock().unwrap())
    }

    /// The passwords that were sent to it since the last time, as they were sent.
    pub fn passwords(&self) -> Vec<String> {
        std::mem::take(&mut self.inner.passwords.lock().unwrap())
    }

    /// The bare keys of clients since the last time.
    pub fn shown(&self) -> Vec<KeyPin> {
        std::mem::take(&mut self.inner.shown.lock().unwrap())
    }

    /// The site falls into the hands of somebody who answers everything.
    pub fn turn_evil(&self) {
        self.inner.evil.store(true, Ordering::Release);
    }

    pub fn forget_logout(&self) {
        self.inner.knows_logout.store(false, Ordering::Release);
    }
}

fn guard(origin: &str) -> Guarded {
    let origin = Origin::parse(origin).unwrap();
    let realm = AuthRealm {
        algorithm: Algorithm::EcP256Sha256,
        auth_scope: AuthScope::SingleServer(origin.clone()),
        name: RealmName::new("Staff").unwrap(),
    };
    let users = Arc::new(MemoryUsers::new());
    for name in [USER, "bob"] {
        let (name, password) = (Username::prepare(name).unwrap(), Password::prepare(PASSWORD).unwrap());
        let verifier = J::from_pi(realm.algorithm, &Pi::derive(&realm, &name, &password)).unwrap();
        users.add(&NewUser { realm: &realm, name: &name, verifier: &verifier }).unwrap();
    }
    let sessions = Arc::new(MemorySessions::new(SessionLimits::default()));
    MutualBuilder::new(users, sessions).build(ServerConfig::new(origin, realm)).unwrap()
}

struct Certificate {
    /// Not of a bare key.
    der: Option<Vec<u8>>,
    pem: String,
    pin: KeyPin,
    acceptor: TlsAcceptor,
}

/// Who certifies clients, with one that it has certified.
struct Authority {
    roots: rustls::RootCertStore,
    client: (String, String),
}

impl Authority {
    fn new() -> Self {
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(parameters.self_signed(&key).unwrap().der().clone()).unwrap();
        let issuer = rcgen::Issuer::new(parameters, key);
        let mut parameters = rcgen::CertificateParams::new(vec!["device1.example.com".into()]).unwrap();
        parameters.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = parameters.signed_by(&key, &issuer).unwrap();
        Self { roots, client: (leaf.pem(), key.serialize_pem()) }
    }
}

impl Certificate {
    fn new(bare: bool, authority: Option<&Authority>) -> Self {
        use rcgen::PublicKeyData as _;
        let key = rcgen::KeyPair::generate().unwrap();
        let signed = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let der = signed.der().to_vec();
        let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = match authority {
            _ if bare => config.with_client_cert_verifier(Arc::new(bare::AnyBareKey)),
            None => config.with_no_client_auth(),
            Some(authority) => {
                let roots = Arc::new(authority.roots.clone());
                let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots, provider);
                config.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let pkcs8 = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut config = if bare {
            config.with_cert_resolver(bare::shows(&key))
        } else {
            config.with_single_cert(vec![der.clone().into()], pkcs8.into()).unwrap()
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let pin = KeyPin::of(&key.subject_public_key_info());
        Self { der: (!bare).then_some(der), pem: signed.pem(), pin, acceptor: Arc::new(config).into() }
    }
}

async fn accept(listener: TcpListener, inner: Arc<Inner>, certificate: Option<Arc<Certificate>>) {
    loop {
        let (stream, peer) = listener.accept().await.unwrap();
        tokio::spawn(connection(stream, peer, Arc::clone(&inner), certificate.clone()));
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, inner: Arc<Inner>, certificate: Option<Arc<Certificate>>) {
    let Some(certificate) = certificate else {
        let connection = Connection { channel: Channel::Plain, address: peer.ip() };
        let service = service_fn(move |request| answer(Arc::clone(&inner), connection.clone(), request));
        drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        return;
    };
    let Ok(stream) = certificate.acceptor.accept(stream).await else { return };
    let tls = stream.get_ref().1;
    let exporter = tls.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok().map(Exporter);
    let http2 = tls.alpn_protocol() == Some(b"h2");
    let channel = match &certificate.der {
        Some(der) => Channel::tls(der, exporter).unwrap(),
        None => {
            let key = tls.peer_certificates().unwrap().first().unwrap();
            inner.shown.lock().unwrap().push(KeyPin::of(key));
            Channel::Exporter(exporter.unwrap())
        }
    };
    let connection = Connection { channel, address: peer.ip() };
    let service = service_fn(move |request| answer(Arc::clone(&inner), connection.clone(), request));
    let stream = TokioIo::new(stream);
    if http2 {
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        drop(builder.serve_connection(stream, service).await);
    } else {
        drop(hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await);
    }
}

async fn answer(
    inner: Arc<Inner>,
    connection: Connection,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut seen = Seen {
        method: head.method.clone(),
        path: head.uri.path().to_owned(),
        body: 0,
        content_type: text("content-type"),
        with_proof: text("authorization").is_some_and(|field| field.contains("vkc=")),
    };
    if let Some(sent) = text("authorization").filter(|field| field.starts_with("Basic ")) {
        inner.passwords.lock().unwrap().push(sent);
    }
    let mut octets = Bytes::new();
    let response = if inner.evil.load(Ordering::Acquire) {
        page("evil")
    } else {
        let user = match inner.user(&head.headers, &connection, &seen.path).await {
            Ok(user) => user,
            Err(answer) => {
                inner.seen.lock().unwrap().push(seen);
                let mut response = page("log in");
                *response.status_mut() = answer.status;
                response.headers_mut().extend(answer.fields);
                return Ok(response);
            }
        };
        octets = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let (name, proof) = user.unzip();
        let mut response = inner.page(&head, name.as_deref(), &octets, &connection).await;
        if let Some((name, value)) = proof {
            response.headers_mut().insert(name, value);
        }
        response
    };
    seen.body = octets.len();
    inner.seen.lock().unwrap().push(seen);
    Ok(response)
}

type Proven = (String, (http::HeaderName, HeaderValue));

impl Inner {
    /// Whose request it is: nobody's, for a page without login.
    async fn user(&self, fields: &HeaderMap, connection: &Connection, path: &str) -> Result<Option<Proven>, Answer> {
        let open = path.starts_with("/public") || (path == LOGOUT && !self.knows_logout.load(Ordering::Acquire));
        if open {
            return Ok(None);
        }
        match self.mutual.authenticate(fields, connection).await {
            Decision::Proven { user, proof } => {
                Ok(Some((user.name().as_str().to_owned(), (proof.name, proof.value))))
            }
            Decision::Guest(invitation) => match invitation.optional_field().filter(|_| path == "/optional") {
                Some(field) => Ok(Some(("a guest".to_owned(), offer(&field)))),
                None => Err(Answer::from_invitation(&invitation)),
            },
            Decision::Answer(answer) => Err(answer),
        }
    }

    async fn page(
        &self,
        head: &http::request::Parts,
        user: Option<&str>,
        body: &Bytes,
        connection: &Connection,
    ) -> Response<Body> {
        let path = head.uri.path();
        let mut response = page(&format!("{path} for {} ({} octets)", user.unwrap_or("anybody"), body.len()));
        match path {
            LOGOUT if user.is_some() => {
                self.mutual.log_out(&head.headers, connection).await.unwrap();
            }
            LOGOUT | "/private/missing" | "/public/missing" => *response.status_mut() = StatusCode::NOT_FOUND,
            "/private/echo" => *response.body_mut() = full(body.clone()),
            "/private/binary" => *response.body_mut() = full(Bytes::from_static(&[0xff, 0, 0xfe])),
            "/private/large" => *response.body_mut() = full(Bytes::from(vec![b'x'; 17 << 20])),
            "/private/broken" => *response.body_mut() = broken(),
            "/private/stuck" => *response.body_mut() = stuck(),
            "/public/basic" => {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                response.headers_mut().insert("www-authenticate", HeaderValue::from_static("Basic realm=x"));
            }
            "/private/moved" => {
                *response.status_mut() = StatusCode::FOUND;
                response.headers_mut().insert("location", HeaderValue::from_static("/private/here"));
            }
            _ => {}
        }
        response
    }
}

fn offer(field: &Field) -> (http::HeaderName, HeaderValue) {
    (field.name.parse().unwrap(), HeaderValue::from_str(&field.value).unwrap())
}

fn full(octets: Bytes) -> Body {
    Full::new(octets).map_err(|never| match never {}).boxed()
}

fn page(text: &str) -> Response<Body> {
    Response::new(full(Bytes::from(text.to_owned())))
}

/// The beginning of a body, more than waits anywhere on its way, and then the connection's end.
fn broken() -> Body {
    let part = || Ok(Frame::data(Bytes::from(vec![b'x'; 1 << 20])));
    let end = || Err(io::Error::other("the disk is gone"));
    BoxBody::new(StreamBody::new(tokio_stream::iter([part(), part(), part(), part(), end()])))
}

/// The beginning of a body, and then nothing.
fn stuck() -> Body {
    let begin = tokio_stream::once(Ok(Frame::data(Bytes::from(vec![b'x'; 100_000]))));
    BoxBody::new(StreamBody::new(begin.chain(tokio_stream::pending())))
}
