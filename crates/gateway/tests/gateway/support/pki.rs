//! Authorities, and clients that show what these have signed, or bare keys.

use super::wire::Connection;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData as _, RevokedCertParams,
    SanType, SerialNumber,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, ResolvesClientCert};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, DigitallySignedStruct, HandshakeKind, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};
use std::sync::{Arc, Mutex};
use tagai_core::validation::{Channel, EndPointError, Exporter};
use time::{Duration, OffsetDateTime};
use tokio::net::TcpStream;

/// An authority.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key.
pub(crate) struct Issued {
    pub(crate) certificate: Certificate,
    pub(crate) key: KeyPair,
}

/// What is to be issued; a client's certificate that is valid now, if nothing else is said.
pub(crate) struct Wanted {
    pub(crate) names: Vec<SanType>,
    pub(crate) usage: ExtendedKeyUsagePurpose,
    pub(crate) serial: u64,
    /// Days from now, from and until when it is valid.
    pub(crate) days: (i64, i64),
}

pub(crate) fn client(dns: &str) -> Wanted {
    Wanted {
        names: vec![SanType::DnsName(dns.try_into().unwrap())],
        usage: ExtendedKeyUsagePurpose::ClientAuth,
        serial: 7,
        days: (-1, 30),
    }
}

fn ca(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self { issuer: CertifiedIssuer::self_signed(ca(name), key).unwrap() }
    }

    /// One that this one certifies.
    pub(crate) fn below(&self, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self { issuer: CertifiedIssuer::signed_by(ca(name), key, &self.issuer).unwrap() }
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.as_ref().pem()
    }

    pub(crate) fn issue(&self, wanted: Wanted) -> Issued {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = wanted.names;
        params.extended_key_usages = vec![wanted.usage];
        params.serial_number = Some(SerialNumber::from(wanted.serial));
        params.use_authority_key_identifier_extension = true;
        let now = OffsetDateTime::now_utc();
        params.not_before = now + Duration::days(wanted.days.0);
        params.not_after = now + Duration::days(wanted.days.1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Issued { certificate, key }
    }

    /// A list of what is revoked, in PEM: its number, and in how many days it was made and runs out.
    pub(crate) fn crl(&self, number: u64, days: (i64, i64), revoked: &[u64]) -> String {
        let now = OffsetDateTime::now_utc();
        let revoked = revoked.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: now - Duration::hours(1),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: now + Duration::days(days.0),
            next_update: now + Duration::days(days.1),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

pub(crate) const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// A client, which remembers its TLS sessions.
#[derive(Clone)]
pub(crate) struct TlsClient(pub(crate) Arc<ClientConfig>);

impl TlsClient {
    /// Without anything to show.
    pub(crate) fn plain(server: &[u8]) -> Self {
        Self(Arc::new(builder(server, BOTH).with_no_client_auth()))
    }

    /// That shows a certificate.
    pub(crate) fn with(server: &[u8], issued: &Issued) -> Self {
        Self::with_versions(server, issued, BOTH)
    }

    pub(crate) fn with_versions(
        server: &[u8],
        issued: &Issued,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        Self::of_chain(builder(server, versions), issued, &[])
    }

    /// That shows a certificate, and those of the authorities above it.
    pub(crate) fn with_chain(server: &[u8], issued: &Issued, above: &[&Authority]) -> Self {
        Self::of_chain(builder(server, BOTH), issued, above)
    }

    fn of_chain(builder: Builder, issued: &Issued, above: &[&Authority]) -> Self {
        let chain = std::iter::once(issued.certificate.der().clone()).chain(above.iter().map(|one| one.der()));
        Self(Arc::new(builder.with_client_auth_cert(chain.collect(), private(&issued.key)).unwrap()))
    }

    /// That shows nothing, and remembers the names of authorities each time that it is asked for a certificate.
    pub(crate) fn recording(server: &[u8]) -> (Self, Arc<Asked>) {
        let asked = Arc::new(Asked::default());
        (Self(Arc::new(builder(server, BOTH).with_client_cert_resolver(Arc::clone(&asked) as Arc<_>))), asked)
    }

    /// That shows a bare key to a server with a certificate.
    pub(crate) fn with_key(server: &[u8], key: &KeyPair) -> Self {
        let builder = builder(server, &[&rustls::version::TLS13]);
        Self(Arc::new(builder.with_client_cert_resolver(bare(key))))
    }

    /// That pins the server's bare key, and shows one or nothing.
    pub(crate) fn pinning(server: &KeyPair, key: Option<&KeyPair>) -> Self {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned(server.subject_public_key_info(), provider())));
        Self(Arc::new(match key {
            Some(key) => builder.with_client_cert_resolver(bare(key)),
            None => builder.with_no_client_auth(),
        }))
    }

    pub(crate) fn alpn(self, names: &[&str]) -> Self {
        let mut config = (*self.0).clone();
        config.alpn_protocols = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self(Arc::new(config))
    }

    /// Shakes hands, asking for a host (an address is not named). Tells whether an earlier session was resumed.
    pub(crate) async fn try_connect(&self, port: u16, host: &str) -> std::io::Result<(Connection, bool)> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.0));
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let stream = connector.connect(name, stream).await?;
        let tls = stream.get_ref().1;
        let exported = tls.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[])).unwrap();
        let exporter = Exporter(exported);
        let shown = &tls.peer_certificates().unwrap()[0];
        let channel = match Channel::tls(shown, Some(Exporter(exported))) {
            Ok(channel) => channel,
            // A bare key is no certificate.
            Err(EndPointError::Malformed) => Channel::Exporter(exporter),
            Err(error) => panic!("{error}"),
        };
        let resumed = tls.handshake_kind() == Some(HandshakeKind::Resumed);
        Ok((Connection { stream: Box::new(stream), channel }, resumed))
    }

    pub(crate) async fn connect(&self, port: u16, host: &str) -> Connection {
        self.try_connect(port, host).await.unwrap().0
    }

    /// A connection with HTTP/2.
    pub(crate) async fn http2(&self, port: u16, host: &str) -> SendRequest<Empty<Bytes>> {
        let connection = self.clone().alpn(&["h2"]).connect(port, host).await;
        let io = TokioIo::new(connection.stream);
        let (sender, driver) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(driver);
        sender
    }
}

type Builder = rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>;

fn builder(server: &[u8], versions: &[&'static SupportedProtocolVersion]) -> Builder {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(server.to_vec())).unwrap();
    let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(versions).unwrap();
    builder.with_root_certificates(roots)
}

fn bare(key: &KeyPair) -> Arc<AlwaysResolvesClientRawPublicKeys> {
    let signer = rustls::crypto::aws_lc_rs::sign::any_supported_type(&private(key)).unwrap();
    let own = CertifiedKey::new(vec![CertificateDer::from(key.subject_public_key_info())], signer);
    Arc::new(AlwaysResolvesClientRawPublicKeys::new(Arc::new(own)))
}

/// What a client was asked for: each time, the names of authorities.
#[derive(Debug, Default)]
pub(crate) struct Asked(Mutex<Vec<Vec<Vec<u8>>>>);

impl Asked {
    pub(crate) fn take(&self) -> Vec<Vec<Vec<u8>>> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, names: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.lock().unwrap().push(names.iter().map(|name| name.to_vec()).collect());
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Takes one key and no other.
#[derive(Debug)]
struct Pinned(Vec<u8>, Arc<CryptoProvider>);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if shown.as_ref() == self.0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::CertificateError::UnknownIssuer.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 alone".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let key = SubjectPublicKeyInfoDer::from(shown.as_ref());
        let algorithms = &self.1.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature_with_raw_key(message, &key, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.signature_verification_algorithms.supported_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
