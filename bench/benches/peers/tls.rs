//! A full TLS 1.3 handshake by rustls with aws-lc, with and without client authentication.
//!
//! Not a password protocol, but the yardstick for one: the difference of the two is what a server pays to know its
//! clients by certificate. Client and server run in one thread over memory; the clock runs in the server's part only.
//!
//! Key exchange X25519, `TLS13_AES_256_GCM_SHA384`, ECDSA P-256 certificates which the trusted root itself has signed,
//! no revocation lists, no tickets, no resumption. The provider is built here, so that features which other crates
//! turn on in rustls (`prefer-post-quantum`) change nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
};

/// The name in the server's certificate.
const SERVER_NAME: &str = "server.example.org";

/// A server, and a client to shake hands with it.
pub(crate) struct TlsServer {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    client_auth: bool,
}

impl TlsServer {
    /// Makes the certificates and the configurations. With `client_auth`, the server requires a certificate of the
    /// client.
    pub(crate) fn new(client_auth: bool) -> Self {
        let provider = provider();
        let authority = Authority::new();
        let roots = authority.roots();

        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3");
        let builder = if client_auth {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone());
            builder.with_client_cert_verifier(verifier.build().expect("verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let (chain, key) = authority.issue(SERVER_NAME);
        let mut server = builder.with_single_cert(chain, key).expect("server certificate");
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;

        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .with_root_certificates(roots);
        let mut client = if client_auth {
            let (chain, key) = authority.issue("client.example.org");
            builder.with_client_auth_cert(chain, key).expect("client certificate")
        } else {
            builder.with_no_client_auth()
        };
        client.resumption = Resumption::disabled();

        Self { server: Arc::new(server), client: Arc::new(client), client_auth }
    }

    /// One handshake. Returns the time spent in the server, from its creation to the check of the client's Finished.
    pub(crate) fn handshake(&self) -> Duration {
        let name = ServerName::try_from(SERVER_NAME).expect("server name");
        let mut client = ClientConnection::new(self.client.clone(), name).expect("client");
        let (mut to_server, mut to_client) = (Vec::new(), Vec::with_capacity(8192));

        let clock = Instant::now();
        let mut server = ServerConnection::new(self.server.clone()).expect("server");
        let mut spent = clock.elapsed();

        while client.is_handshaking() || server.is_handshaking() {
            send(&mut client, &mut to_server);
            let clock = Instant::now();
            receive(&mut server, &to_server);
            send(&mut server, &mut to_client);
            spent += clock.elapsed();
            receive(&mut client, &to_client);
        }

        assert_eq!(server.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!(server.peer_certificates().is_some(), self.client_auth);
        spent
    }
}

/// Moves what a side has to send into `octets`, which are replaced.
fn send<D>(side: &mut ConnectionCommon<D>, octets: &mut Vec<u8>) {
    octets.clear();
    while side.wants_write() {
        side.write_tls(octets).expect("memory takes everything");
    }
}

/// Gives a side what the other one has sent.
fn receive<D>(side: &mut ConnectionCommon<D>, mut octets: &[u8]) {
    while !octets.is_empty() {
        side.read_tls(&mut octets).expect("memory gives everything");
        side.process_new_packets().expect("handshake is valid");
    }
}

/// aws-lc with one key exchange and one suite.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384],
        kx_groups: vec![aws_lc_rs::kx_group::X25519],
        ..aws_lc_rs::default_provider()
    })
}

/// A certificate authority, made for one benchmark.
struct Authority {
    root: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("root key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).expect("root certificate").der().clone();
        Self { root, issuer: Issuer::new(params, key) }
    }

    /// The root as the only trusted one.
    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).expect("root is usable");
        Arc::new(roots)
    }

    /// A P-256 key and its certificate for a name.
    fn issue(&self, name: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("key");
        let params = CertificateParams::new([name.to_owned()]).expect("name");
        let certificate = params.signed_by(&key, &self.issuer).expect("certificate");
        (vec![certificate.der().clone()], key.into())
    }
}
