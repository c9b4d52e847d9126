//! TLS: the certificate that is served is the one that proofs are bound to.

use super::support::*;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use rcgen::{CertificateParams, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tagai_core::validation::{Channel, EndPoint, Exporter};
use tagai_gateway::listener::{Abort, Listener, Settings};
use tagai_gateway::proxy::{Protocol, Upstream};
use tagai_gateway::tls::{Certificates, LoadError, Loaded, SharedCertificates, TlsOptions, load, provider};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A certificate authority with a folder for what it makes.
struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    root_file: PathBuf,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let folder = TempDir::new().unwrap();
        let root_file = folder.path().join("root.pem");
        std::fs::write(&root_file, certificate.pem()).unwrap();
        Self { root: certificate.der().clone(), issuer: Issuer::new(params, key), folder, root_file }
    }

    /// Self-signed if `alone`, so that the signature is by the certificate's own key.
    fn files(&self, names: &[&str], kind: &'static rcgen::SignatureAlgorithm, alone: bool) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate_for(kind).unwrap();
        let params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        let certificate =
            if alone { params.self_signed(&key).unwrap() } else { params.signed_by(&key, &self.issuer).unwrap() };
        let stem = self.folder.path().join(names[0].replace('*', "_"));
        let files = (stem.with_extension("crt"), stem.with_extension("key"));
        std::fs::write(&files.0, certificate.pem()).unwrap();
        std::fs::write(&files.1, key.serialize_pem()).unwrap();
        files
    }

    fn load(&self, names: &[&str]) -> Loaded {
        let (chain, key) = self.files(names, &PKCS_ECDSA_P256_SHA256, false);
        load(&chain, &key, UnixTime::now()).unwrap()
    }

    fn roots(&self, more: &[CertificateDer<'static>]) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        more.iter().for_each(|root| roots.add(root.clone()).unwrap());
        roots
    }
}

fn client(roots: RootCertStore, versions: &[&'static SupportedProtocolVersion]) -> TlsConnector {
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// A listener that answers with the channel that it sees.
async fn start(certificates: Certificates) -> (SocketAddr, Arc<SharedCertificates>) {
    let shared = Arc::new(SharedCertificates::new(certificates));
    let settings = Settings { tls: Some(Arc::clone(&shared)), ..Settings::default() };
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), settings).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listener.run(|_, info| async move {
        let tls = info.tls.as_ref().unwrap();
        let text = match &*info.channel {
            Channel::Certificate(end_point) => format!("{:?}", end_point.as_bytes()),
            Channel::Exporter(Exporter(octets)) => format!("exporter {octets:?}"),
            Channel::Plain => "plain".into(),
        };
        let text = format!("{} {} {text}", tls.sni.as_deref().unwrap_or("-"), tls.resumed);
        Ok::<_, Abort>(Response::new(Full::new(Bytes::from(text))))
    }));
    (address, shared)
}

struct Answer {
    text: String,
    kind: HandshakeKind,
    /// The first certificate that the client has seen; on resumption, that of the session.
    leaf: CertificateDer<'static>,
    exporter: [u8; 32],
    version: ProtocolVersion,
}

async fn ask_tls(connector: &TlsConnector, address: SocketAddr, name: &str) -> Answer {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut stream: TlsStream<TcpStream> = connector.connect(name, stream).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let text = read_to_end(&mut stream).await;
    let connection = stream.get_ref().1;
    let exporter = connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[])).unwrap();
    Answer {
        text: text.split_once("\r\n\r\n").unwrap().1.into(),
        kind: connection.handshake_kind().unwrap(),
        leaf: connection.peer_certificates().unwrap()[0].clone(),
        exporter,
        version: connection.protocol_version().unwrap(),
    }
}

fn bound(answer: &Answer, name: &str) {
    let end_point = EndPoint::from_certificate(&answer.leaf).unwrap();
    let resumed = answer.kind == HandshakeKind::Resumed;
    assert_eq!(answer.text, format!("{name} {resumed} {:?}", end_point.as_bytes()));
}

#[tokio::test]
async fn each_name_has_its_certificate_and_its_channel_also_when_resumed() {
    let authority = Authority::new();
    let loaded = vec![authority.load(&["a.example"]), authority.load(&["*.b.example", "c.example"])];
    let certificates = Certificates::new(loaded, &TlsOptions::default()).unwrap();
    let leaves: Vec<Vec<u8>> = certificates.all().iter().map(|certificate| certificate.der().to_vec()).collect();
    let (address, _) = start(certificates).await;
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let connector = client(authority.roots(&[]), &[version]);
        for round in 0..3 {
            for (name, leaf) in [("a.example", 0), ("x.b.example", 1), ("c.example", 1)] {
                let answer = ask_tls(&connector, address, name).await;
                assert_eq!(answer.leaf.to_vec(), leaves[leaf]);
                assert_eq!(answer.kind == HandshakeKind::Resumed, round > 0, "{name} {round}");
                assert_eq!(answer.version, version.version);
                bound(&answer, name);
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_without_a_hash_is_bound_by_the_exporter() {
    let authority = Authority::new();
    let (chain, key) = authority.files(&["ed.example"], &PKCS_ED25519, true);
    let loaded = load(&chain, &key, UnixTime::now()).unwrap();
    let own_root = loaded.key.cert[0].clone();
    let loaded = vec![authority.load(&["a.example"]), loaded];
    let (address, _) = start(Certificates::new(loaded, &TlsOptions::default()).unwrap()).await;
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let connector = client(authority.roots(std::slice::from_ref(&own_root)), &[version]);
        let mut before = None;
        for _ in 0..2 {
            let answer = ask_tls(&connector, address, "ed.example").await;
            let resumed = answer.kind == HandshakeKind::Resumed;
            assert_eq!(answer.text, format!("ed.example {resumed} exporter {:?}", answer.exporter));
            assert_ne!(before.replace(answer.exporter), Some(answer.exporter));
        }
    }
}

#[tokio::test]
async fn new_certificates_are_for_new_connections() {
    let authority = Authority::new();
    let first = authority.load(&["a.example"]);
    let (address, shared) = start(Certificates::new(vec![first], &TlsOptions::default()).unwrap()).await;
    let connector = client(authority.roots(&[]), rustls::ALL_VERSIONS);
    let old = ask_tls(&connector, address, "a.example").await;
    let open = TcpStream::connect(address).await.unwrap();
    let mut open = connector.connect(ServerName::try_from("a.example").unwrap(), open).await.unwrap();
    shared.replace(Certificates::new(vec![authority.load(&["a.example"])], &TlsOptions::default()).unwrap());
    let new = ask_tls(&connector, address, "a.example").await;
    assert_eq!(new.kind, HandshakeKind::Full);
    assert_ne!(old.leaf, new.leaf);
    bound(&new, "a.example");
    open.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let still = read_to_end(&mut open).await;
    let end_point = EndPoint::from_certificate(&old.leaf).unwrap();
    assert!(still.ends_with(&format!("{:?}", end_point.as_bytes())), "{still}");
}

#[test]
fn errors_name_the_file_and_what_to_do() {
    let authority = Authority::new();
    let (chain, key) = authority.files(&["a.example"], &PKCS_ECDSA_P256_SHA256, false);
    let (_, other_key) = authority.files(&["b.example"], &PKCS_ECDSA_P256_SHA256, false);
    let now = UnixTime::now();
    let file = |name: &str, text: &str| {
        let path = authority.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let missing = authority.folder.path().join("missing.pem");
    let says = |chain: &PathBuf, key: &PathBuf| load(chain, key, now).unwrap_err().to_string();
    assert!(says(&missing, &key).contains("missing.pem") && says(&missing, &key).contains("check the path"));
    assert!(says(&chain, &missing).contains("missing.pem"));
    assert!(matches!(load(&key, &key, now), Err(LoadError::NoCertificate(_))));
    assert!(matches!(load(&chain, &chain, now), Err(LoadError::NoKey(_))));
    assert!(matches!(load(&chain, &other_key, now), Err(LoadError::Mismatch { .. })));
    assert!(says(&chain, &other_key).contains("does not belong"));
    let damaged = file("damaged.pem", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n");
    let said = says(&chain, &damaged);
    assert!(said.contains("damaged.pem") && !said.contains("c2VjcmV0"), "{said}");
    let empty = file("junk.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    assert!(matches!(load(&empty, &key, now), Err(LoadError::Malformed(_))));
    // Warnings do not stop anybody.
    assert!(load(&chain, &key, now).unwrap().warnings.is_empty());
    let late = load(&chain, &key, UnixTime::since_unix_epoch(Duration::from_secs(1 << 38))).unwrap();
    assert!(late.warnings[0].contains("expired"), "{:?}", late.warnings);
    let early = load(&chain, &key, UnixTime::since_unix_epoch(Duration::ZERO)).unwrap();
    assert!(early.warnings[0].contains("not valid for another"), "{:?}", early.warnings);
    assert!(Certificates::new(Vec::new(), &TlsOptions::default()).is_err());
}

#[tokio::test]
async fn http2_by_alpn_and_https_upstreams() {
    // A gateway in front of a gateway in front of an application: TLS in between, with both protocols.
    let authority = Authority::new();
    let (address, heads) = canned("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let certificates = Certificates::new(vec![authority.load(&["localhost"])], &TlsOptions::default()).unwrap();
    let tls = Some(Arc::new(SharedCertificates::new(certificates)));
    let settings = Settings { tls, ..Settings::default() };
    let inner = Gateway::start(upstream(address), Options { settings, ..Options::default() }).await;
    let url = format!("https://localhost:{}", inner.address.port());
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let upstream = Upstream::new(&url, protocol, Some(&authority.root_file), limits()).unwrap();
        let outer = Gateway::start(upstream, Options::default()).await;
        for _ in 0..2 {
            let answer = get(outer.address, "/").await;
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"), "{answer} {}", outer.errors());
        }
        let via = heads.lock().unwrap().pop().unwrap().to_lowercase();
        assert_eq!(via.contains("via: 2.0 tagai"), protocol == Protocol::Http2, "{via}");
        assert!(via.contains("x-forwarded-proto: https"), "{via}");
    }
    // An authority that nobody knows.
    let stranger = Authority::new();
    let upstream = Upstream::new(&url, Protocol::Http1, Some(&stranger.root_file), limits()).unwrap();
    let outer = Gateway::start(upstream, Options::default()).await;
    assert!(get(outer.address, "/").await.starts_with("HTTP/1.1 502"));
    assert!(outer.errors().contains("certificate"), "{}", outer.errors());
}

#[tokio::test]
async fn http_without_tls_on_a_tls_port_is_just_closed() {
    let authority = Authority::new();
    let certificates = Certificates::new(vec![authority.load(&["a.example"])], &TlsOptions::default()).unwrap();
    let (address, _) = start(certificates).await;
    assert!(!get(address, "/").await.contains("200"));
}
