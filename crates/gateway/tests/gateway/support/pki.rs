//! Authorities, and clients that show what these have signed, or bare keys.

use super::wire::Connection;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;
use tagai_core::validation::Channel;
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
    pub(crate) serial: u64,
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

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        Self { issuer: CertifiedIssuer::self_signed(params, key).unwrap() }
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
        Issued { certificate, key, serial: wanted.serial }
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

/// A client, which remembers its TLS sessions.
#[derive(Clone)]
pub(crate) struct TlsClient(pub(crate) Arc<ClientConfig>);

impl TlsClient {
    /// Without anything to show.
    pub(crate) fn plain(server: &[u8]) -> Self {
        let config = builder(server, &[&rustls::version::TLS13, &rustls::version::TLS12]).with_no_client_auth();
        Self(Arc::new(config))
    }

    /// That shows a certificate.
    pub(crate) fn with(server: &[u8], issued: &Issued) -> Self {
        Self::with_versions(server, issued, &[&rustls::version::TLS13, &rustls::version::TLS12])
    }

    pub(crate) fn with_versions(
        server: &[u8],
        issued: &Issued,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Self {
        let chain = vec![issued.certificate.der().clone()];
        let config = builder(server, versions).with_client_auth_cert(chain, private(&issued.key)).unwrap();
        Self(Arc::new(config))
    }

    /// That shows a bare key, and pins the server's.
    pub(crate) fn with_key(key: &KeyPair, server: &KeyPair) -> Self {
        let signer = rustls::crypto::aws_lc_rs::sign::any_supported_type(&private(key)).unwrap();
        let own = CertifiedKey::new(vec![CertificateDer::from(key.subject_public_key_info())], signer);
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned(server.subject_public_key_info(), provider())))
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(Arc::new(own))));
        Self(Arc::new(config))
    }

    pub(crate) fn alpn(self, names: &[&str]) -> Self {
        let mut config = (*self.0).clone();
        config.alpn_protocols = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self(Arc::new(config))
    }

    /// Shakes hands, asking for a host (an address is not named).
    pub(crate) async fn try_connect(&self, port: u16, host: &str) -> std::io::Result<Connection> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.0));
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let stream = connector.connect(name, stream).await?;
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        let channel = Channel::tls(&shown, None).unwrap_or(Channel::Plain);
        Ok(Connection { stream: Box::new(stream), channel })
    }

    pub(crate) async fn connect(&self, port: u16, host: &str) -> Connection {
        self.try_connect(port, host).await.unwrap()
    }
}

fn builder(
    server: &[u8],
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(server.to_vec())).unwrap();
    ClientConfig::builder_with_provider(provider()).with_protocol_versions(versions).unwrap().with_root_certificates(roots)
}

/// Keeps its sessions for itself.
pub(crate) fn remembering(client: &TlsClient) -> TlsClient {
    let mut config = (*client.0).clone();
    config.resumption = Resumption::in_memory_sessions(8);
    TlsClient(Arc::new(config))
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
