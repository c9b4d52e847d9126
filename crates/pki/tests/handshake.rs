//! What TLS asks for, with rustls at both ends and nothing between.
#![allow(missing_docs, unused_crate_dependencies)]

mod support;

use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, Error, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion,
};
use std::sync::Arc;
use support::*;
use tagai_pki::handshake::{AskForCertificate, AskForRawKey, ClientRawKey, PinnedServerKey, RawKeyResolver};
use tagai_pki::raw_key::{KeyKind, Pin, RawKey, generate};

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A server with a certificate that is valid today, whenever that is.
struct Server {
    ca: Ca,
    own: Ca,
}

impl Server {
    fn new() -> Self {
        let forever = |params: &mut rcgen::CertificateParams| {
            params.not_before = rcgen::date_time_ymd(2000, 1, 1);
            params.not_after = rcgen::date_time_ymd(4000, 1, 1);
        };
        let mut params = ca_params("Servers");
        forever(&mut params);
        let ca = Ca::root_of(params);
        let mut params = client_params("server.example");
        forever(&mut params);
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let own = ca.below(params);
        Self { ca, own }
    }

    fn config(
        &self,
        asks: impl ClientCertVerifier + 'static,
        version: &'static SupportedProtocolVersion,
    ) -> ServerConfig {
        ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(Arc::new(asks))
            .with_single_cert(vec![self.own.der.clone()], private(&self.own))
            .unwrap()
    }

    fn client(
        &self,
        version: &'static SupportedProtocolVersion,
    ) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.der.clone()).unwrap();
        ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
    }
}

fn private(of: &Ca) -> PrivateKeyDer<'static> {
    PrivateKeyDer::try_from(of.key.serialize_der()).unwrap()
}

/// Runs a handshake; the peer's certificates as the server has them.
fn meet(client: ClientConfig, server: ServerConfig) -> Result<Option<Vec<CertificateDer<'static>>>, Error> {
    let name = ServerName::try_from("server.example").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    for _ in 0..10 {
        let mut octets = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut octets).unwrap();
        }
        let mut rest = octets.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets()?;
        }
        let mut octets = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut octets).unwrap();
        }
        let mut rest = octets.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok(server.peer_certificates().map(<[_]>::to_vec))
}

#[test]
fn any_certificate_is_taken_and_none_is_fine() {
    let (server, root) = (Server::new(), Ca::root("Unknown to the server"));
    let client = root.client("a.example");
    for version in [&TLS12, &TLS13] {
        let asks = || AskForCertificate::new(client_ca(&[&server.ca]).subjects());
        let without = server.client(version).with_no_client_auth();
        assert_eq!(meet(without, server.config(asks(), version)), Ok(None));
        let chain = vec![client.der.clone(), root.der.clone()];
        let with = server.client(version).with_client_auth_cert(chain.clone(), private(&client)).unwrap();
        assert_eq!(meet(with, server.config(asks(), version)), Ok(Some(chain)));
    }
}

/// A client that shows a certificate and holds another key.
#[derive(Debug)]
struct Thief(Arc<CertifiedKey>);

impl rustls::client::ResolvesClientCert for Thief {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn only_raw_public_keys(&self) -> bool {
        self.0.cert[0].len() < 100
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn signing(key: PrivateKeyDer<'static>) -> Arc<dyn rustls::sign::SigningKey> {
    rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap()
}

#[test]
fn a_stolen_certificate_without_its_key_is_worth_nothing() {
    let (server, root) = (Server::new(), Ca::root("Root"));
    let (victim, thief) = (root.client("a.example"), root.client("b.example"));
    for version in [&TLS12, &TLS13] {
        let shown = CertifiedKey::new(vec![victim.der.clone()], signing(private(&thief)));
        let client = server.client(version).with_client_cert_resolver(Arc::new(Thief(Arc::new(shown))));
        let error = meet(client, server.config(AskForCertificate::new([]), version)).unwrap_err();
        assert!(matches!(error, Error::InvalidCertificate(_)), "{error:?}");
    }
}

#[test]
fn chains_are_bounded_in_the_handshake() {
    let (server, root) = (Server::new(), Ca::root("Root"));
    let client = root.client("a.example");
    let verdict = |others: usize| {
        let mut chain = vec![client.der.clone()];
        chain.extend(vec![root.der.clone(); others]);
        let client = server.client(&TLS13).with_client_auth_cert(chain, private(&client)).unwrap();
        meet(client, server.config(AskForCertificate::new([]), &TLS13)).map(|chain| chain.map(|chain| chain.len()))
    };
    assert_eq!(verdict(5), Ok(Some(6)));
    assert!(verdict(6).is_err());
}

#[test]
fn junk_is_no_certificate() {
    let asks = AskForCertificate::new([]);
    let junk = CertificateDer::from(vec![0x30, 0]);
    assert!(asks.verify_client_cert(&junk, &[], now()).is_err());
    assert!(AskForRawKey::default().verify_client_cert(&junk, &[], now()).is_err());
    assert!(!asks.client_auth_mandatory() && !AskForRawKey::default().client_auth_mandatory());
}

#[test]
fn hints_are_bounded() {
    let subjects = |count: usize| {
        let roots: Vec<_> = (0..count).map(|index| Ca::root(&format!("{index:0>200}"))).collect();
        client_ca(&roots.iter().collect::<Vec<_>>()).subjects()
    };
    assert_eq!(AskForCertificate::new(subjects(2)).root_hint_subjects().len(), 2);
    let twice = subjects(1).into_iter().cycle().take(3);
    assert_eq!(AskForCertificate::new(twice).root_hint_subjects().len(), 1);
    assert_eq!(AskForCertificate::new(subjects(80)).root_hint_subjects().len(), 0);
}

fn key(kind: KeyKind) -> RawKey {
    RawKey::from_pem(generate(kind).unwrap().as_bytes()).unwrap()
}

fn raw_server(own: &RawKey, asks: impl ClientCertVerifier + 'static) -> ServerConfig {
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_client_cert_verifier(Arc::new(asks))
        .with_cert_resolver(Arc::new(RawKeyResolver::new(own)))
}

fn raw_client(pins: &[Pin], own: Option<&RawKey>) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinnedServerKey::new(pins.iter().copied())));
    match own {
        Some(own) => builder.with_client_cert_resolver(Arc::new(ClientRawKey::new(own))),
        None => builder.with_no_client_auth(),
    }
}

#[test]
fn bare_keys_prove_both_ends() {
    for kind in [KeyKind::Ed25519, KeyKind::P256] {
        let (server, client) = (key(kind), key(kind));
        let shown = meet(raw_client(&[server.pin()], Some(&client)), raw_server(&server, AskForRawKey::default()));
        let shown = shown.unwrap().unwrap();
        assert_eq!(shown.len(), 1);
        assert_eq!(Pin::of_octets(&shown[0]), client.pin());
    }
}

#[test]
fn another_server_key_is_refused() {
    let (server, other) = (key(KeyKind::Ed25519), key(KeyKind::Ed25519));
    let client = key(KeyKind::Ed25519);
    for pins in [&[other.pin()][..], &[]] {
        let result = meet(raw_client(pins, Some(&client)), raw_server(&server, AskForRawKey::default()));
        assert!(matches!(result, Err(Error::InvalidCertificate(_))), "{result:?}");
    }
    let pins = [other.pin(), server.pin()];
    assert!(meet(raw_client(&pins, Some(&client)), raw_server(&server, AskForRawKey::default())).is_ok());
}

/// A server that shows a key which it does not hold.
#[derive(Debug)]
struct Impostor(Arc<CertifiedKey>);

impl ResolvesServerCert for Impostor {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn only_raw_public_keys(&self) -> bool {
        true
    }
}

#[test]
fn a_public_key_alone_proves_nothing() {
    let (victim, thief) = (key(KeyKind::Ed25519), key(KeyKind::Ed25519));
    let public = vec![CertificateDer::from(victim.public().as_der().to_vec())];
    let shown = Arc::new(CertifiedKey::new(public, Arc::clone(&thief.certified().key)));

    let mut server = raw_server(&victim, AskForRawKey::default());
    server.cert_resolver = Arc::new(Impostor(Arc::clone(&shown)));
    assert!(meet(raw_client(&[victim.pin()], Some(&thief)), server).is_err());

    let mut client = raw_client(&[victim.pin()], None);
    client.client_auth_cert_resolver = Arc::new(Thief(shown));
    assert!(meet(client, raw_server(&victim, AskForRawKey::default())).is_err());
}

#[test]
fn pins_are_of_keys_and_not_of_certificates() {
    let certificate = Ca::root("Root");
    let pinned = PinnedServerKey::new(Pin::of_certificate(&certificate.der));
    let name = ServerName::try_from("server.example").unwrap();
    assert!(pinned.verify_server_cert(&certificate.der, &[], &name, &[], now()).is_err());
}

#[test]
fn a_bare_key_may_meet_a_certificate() {
    let (server, own) = (Server::new(), key(KeyKind::Ed25519));
    // The server shows a certificate and the client a key.
    let client = server.client(&TLS13).with_client_cert_resolver(Arc::new(ClientRawKey::new(&own)));
    let shown = meet(client, server.config(AskForRawKey::default(), &TLS13)).unwrap().unwrap();
    assert_eq!(Pin::of_octets(&shown[0]), own.pin());
    // The other way round.
    let (gateway, root) = (key(KeyKind::P256), Ca::root("Root"));
    let certified = root.client("a.example");
    let mut client = raw_client(&[gateway.pin()], None);
    let pair = CertifiedKey::new(vec![certified.der.clone()], signing(private(&certified)));
    client.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(pair));
    let shown = meet(client, raw_server(&gateway, AskForCertificate::new([]))).unwrap().unwrap();
    assert_eq!(shown, [certified.der]);
}

#[test]
fn who_does_not_offer_bare_keys_is_not_to_be_asked_for_one() {
    let server = Server::new();
    let client = server.client(&TLS13).with_no_client_auth();
    assert!(meet(client, server.config(AskForRawKey::default(), &TLS13)).is_err());
    let client = server.client(&TLS12).with_no_client_auth();
    assert!(meet(client, server.config(AskForRawKey::default(), &TLS12)).is_err());
}
