//! Keys at both ends of TLS: certificates of the client, bare keys (RFC 7250), and what a login is bound to then.
#![allow(unreachable_pub, reason = "one crate of several files")]

mod support;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::PublicKeyData as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoClientAuth, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use support::{Certificate, Site, USER, builder, credential, listen, text, trusting};
use tagai_client::core::validation::{Channel, Exporter};
use tagai_client::{Client, ClientIdentity, Error, ErrorKind, KeyPin};

/// What clients showed, a line for each connection.
type Shown = Arc<Mutex<Vec<Option<Vec<u8>>>>>;

/// The server's own key.
enum Own<'a> {
    Certificate(&'a Certificate),
    Bare(&'a rcgen::KeyPair),
}

fn config(own: &Own<'_>, verifier: Arc<dyn ClientCertVerifier>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier);
    match own {
        Own::Certificate(certificate) => {
            config.with_single_cert(vec![certificate.der.clone().into()], certificate.key()).unwrap()
        }
        Own::Bare(key) => {
            let signer = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
            let signer = provider.key_provider.load_private_key(signer).unwrap();
            let spki = CertificateDer::from(key.subject_public_key_info());
            let key = Arc::new(CertifiedKey::new(vec![spki], signer));
            config.with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key)))
        }
    }
}

/// A site behind this configuration. `meddle` changes what a login is bound to.
async fn site(own: Own<'_>, verifier: Arc<dyn ClientCertVerifier>, meddle: bool) -> (Arc<Site>, Shown) {
    let (listener, origin) = listen("https").await;
    let site = Site::new(origin, &[(USER, support::PASSWORD)], |_| {});
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config(&own, verifier)));
    let certificate = match own {
        Own::Certificate(certificate) => Some(certificate.der.clone()),
        Own::Bare(_) => None,
    };
    let shown = Shown::default();
    let (served, log) = (Arc::clone(&site), Arc::clone(&shown));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let tls = stream.get_ref().1;
            log.lock().unwrap().push(tls.peer_certificates().map(|chain| chain[0].to_vec()));
            let mut exporter = tls.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).unwrap();
            exporter[0] ^= u8::from(meddle);
            let channel = match &certificate {
                Some(der) => Channel::tls(der, Some(Exporter(exporter))).unwrap(),
                None => Channel::Exporter(Exporter(exporter)),
            };
            let site = Arc::clone(&served);
            let service = service_fn(move |request| {
                let (site, channel) = (Arc::clone(&site), channel.clone());
                async move { Ok::<_, Infallible>(site.answer(request, &channel).await) }
            });
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move { drop(connection.await) });
        }
    });
    (site, shown)
}

/// Takes every bare key whose holder proves to have it.
#[derive(Debug)]
struct AnyBareKey;

impl ClientCertVerifier for AnyBareKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("not in TLS 1.2".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
        let key = SubjectPublicKeyInfoDer::from(key.as_ref());
        rustls::crypto::verify_tls13_signature_with_raw_key(message, &key, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// An authority for clients, and the certificate and key of one, in PEM.
struct Authority {
    verifier: Arc<dyn ClientCertVerifier>,
    certificate: String,
    key: String,
    der: Vec<u8>,
}

fn authority(optional: bool) -> Authority {
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let root = parameters.self_signed(&key).unwrap();
    let issuer = rcgen::Issuer::new(parameters, key);
    let mut parameters = rcgen::CertificateParams::new(vec!["device1.example.com".into()]).unwrap();
    parameters.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = parameters.signed_by(&key, &issuer).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = if optional { verifier.allow_unauthenticated() } else { verifier };
    let (certificate, der) = (leaf.pem(), leaf.der().to_vec());
    Authority { verifier: verifier.build().unwrap(), certificate, key: key.serialize_pem(), der }
}

impl Authority {
    fn identity(&self) -> ClientIdentity {
        ClientIdentity::certificate_pem(self.certificate.as_bytes(), self.key.as_bytes()).unwrap()
    }
}

fn pin(key: &rcgen::KeyPair) -> KeyPin {
    KeyPin::of(&key.subject_public_key_info())
}

fn pair() -> rcgen::KeyPair {
    rcgen::KeyPair::generate().unwrap()
}

fn network(refused: Result<tagai_client::Reply, Error>) -> String {
    let error = refused.expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_certificate_goes_to_a_server_that_asks_for_it() {
    let (own, ours) = (Certificate::new(&rcgen::PKCS_ECDSA_P256_SHA256), authority(false));
    let (site, shown) = site(Own::Certificate(&own), Arc::clone(&ours.verifier), false).await;
    let client = trusting(builder(&site).identity(&site.origin, ours.identity()), &own).build().unwrap();
    let reply = client.get(&site.url("/public")).await.unwrap();
    assert_eq!(reply.server_certificate(), Some(&own.der[..]));
    assert_eq!(*shown.lock().unwrap(), [Some(ours.der.clone())]);
    text(reply).await;
    // It is one more proof, and takes none away.
    let reply = client.get(&site.url("/private")).await.unwrap();
    assert!(reply.is_proven());
    assert!(text(reply).await.contains("for alice"));

    let without = trusting(builder(&site), &own).build().unwrap();
    assert!(network(without.get(&site.url("/public")).await).contains("CertificateRequired"));
    let other = trusting(builder(&site).identity(&site.origin, authority(false).identity()), &own).build().unwrap();
    network(other.get(&site.url("/public")).await);
    let bare = ClientIdentity::raw_key_pem(pair().serialize_pem().as_bytes()).unwrap();
    let bare = trusting(builder(&site).identity(&site.origin, bare), &own).build().unwrap();
    network(bare.get(&site.url("/public")).await);
    assert_eq!(shown.lock().unwrap().len(), 1, "none of them came through the handshake");
}

#[tokio::test]
async fn a_certificate_is_not_shown_where_a_redirect_leads() {
    let (own, ours) = (Certificate::new(&rcgen::PKCS_ECDSA_P256_SHA256), authority(true));
    let (first, first_saw) = site(Own::Certificate(&own), Arc::clone(&ours.verifier), false).await;
    let (second, second_saw) = site(Own::Certificate(&own), Arc::clone(&ours.verifier), false).await;
    let client = trusting(Client::builder().identity(&first.origin, ours.identity()), &own).build().unwrap();
    let target = first.url(&format!("/public/to/302/?{}", second.url("/public")));
    let reply = client.request(http::Method::GET, &target).password_tls(USER, "correct horse").send().await.unwrap();
    assert_eq!(reply.redirects().len(), 1);
    assert_eq!(*first_saw.lock().unwrap(), [Some(ours.der.clone())]);
    assert_eq!(*second_saw.lock().unwrap(), [None]);
    let basic = Some("Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==".to_owned());
    assert_eq!(first.take_seen()[0].authorization, basic);
    assert_eq!(second.take_seen()[0].authorization, None, "nor is the password");
}

#[tokio::test]
async fn both_ends_are_known_by_bare_keys() {
    let (own, ours) = (pair(), pair());
    let (site, shown) = site(Own::Bare(&own), Arc::new(AnyBareKey), false).await;
    let identity = ClientIdentity::raw_key_pem(ours.serialize_pem().as_bytes()).unwrap();
    let builder = || builder(&site).identity(&site.origin, identity.clone());
    // A pin that is out of date does not keep the other from being good.
    let client = builder().pin(&site.origin, pin(&pair())).pin(&site.origin, pin(&own)).build().unwrap();
    let reply = client.get(&site.url("/public")).await.unwrap();
    assert_eq!(reply.server_key(), Some(&own.subject_public_key_info()[..]));
    assert_eq!(reply.server_certificate(), None);
    let saw = shown.lock().unwrap()[0].clone().unwrap();
    assert_eq!(Some(KeyPin::of(&saw)), identity.pin());

    let wrong = builder().pin(&site.origin, pin(&pair())).build().unwrap();
    let why = network(wrong.get(&site.url("/public")).await);
    assert!(why.contains("not one that it is known by") && why.contains(&pin(&own).to_string()), "{why}");
    let unpinned = builder().build().unwrap();
    network(unpinned.get(&site.url("/public")).await);
    assert_eq!(shown.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_pinned_server_cannot_come_with_a_certificate() {
    let own = Certificate::new(&rcgen::PKCS_ECDSA_P256_SHA256);
    let (site, shown) = site(Own::Certificate(&own), Arc::new(NoClientAuth), false).await;
    let pinned = KeyPin::of(&own.public_key());
    let client = trusting(builder(&site).pin(&site.origin, pinned), &own).build().unwrap();
    network(client.get(&site.url("/public")).await);
    assert!(shown.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_login_over_bare_keys_is_bound_to_the_connection() {
    let own = pair();
    let (site, shown) = site(Own::Bare(&own), Arc::new(NoClientAuth), false).await;
    let client = builder(&site).pin(&site.origin, pin(&own)).build().unwrap();
    for kept in [false, true] {
        let reply = client.get(&site.url("/private")).await.unwrap();
        let tagai_client::Proof::Mutual { session_reused, .. } = reply.proof() else { panic!("proven") };
        assert_eq!(*session_reused, kept);
        assert!(text(reply).await.contains("for alice"));
    }
    assert_eq!(shown.lock().unwrap().len(), 1, "one connection");
    let fields: Vec<_> = site.take_seen().into_iter().filter_map(|seen| seen.authorization).collect();
    assert!(fields.iter().all(|field| !field.contains("tls-server-end-point")), "{fields:?}");
    assert!(fields.iter().any(|field| field.contains("-tls-exporter.tagai.alt")), "{fields:?}");

    // A credential that was remembered begins with the right binding.
    let client = Client::builder().pin(&site.origin, pin(&own)).build().unwrap();
    client.remember(&site.realm, &site.origin, credential()).await.unwrap();
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
}

#[tokio::test]
async fn a_login_that_comes_by_another_connection_is_refused() {
    let own = pair();
    let (site, _) = site(Own::Bare(&own), Arc::new(NoClientAuth), true).await;
    let client = builder(&site).pin(&site.origin, pin(&own)).build().unwrap();
    let refused = client.get(&site.url("/private")).await.expect_err("the two ends see two connections");
    assert!(matches!(refused.kind(), ErrorKind::Login | ErrorKind::NotProven), "{refused}");
    assert!(site.take_seen().iter().all(|seen| seen.user.is_none()));
}

#[tokio::test]
async fn a_password_is_sent_over_tls_alone() {
    let site = support::http_site().await;
    let client = Client::builder().build().unwrap();
    let refused = client.request(http::Method::GET, &site.url("/public")).password_tls(USER, "x").send().await;
    let error = refused.expect_err("it is http");
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(!error.to_string().contains('x') || error.to_string().contains("http"), "{error}");
    for (user, password) in [("a:b", "x"), ("a\nb", "x"), ("alice", "x\r\ny")] {
        let request = client.request(http::Method::GET, "https://127.0.0.1:9/").password_tls(user, password);
        assert_eq!(request.send().await.expect_err("it cannot be sent").kind(), ErrorKind::Usage);
    }
    assert!(site.take_seen().is_empty());
}

#[tokio::test]
async fn keys_are_for_servers_with_tls() {
    let site = support::http_site().await;
    let refused = Client::builder().pin(&site.origin, pin(&pair())).build();
    assert_eq!(refused.expect_err("it is http").kind(), ErrorKind::Usage);
}
