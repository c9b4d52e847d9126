//! How clients may prove themselves, and what is done with it.

use super::Realm;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tagai_store::principal::Method;

use http::HeaderName;

/// `[[client-ca]]`: whose certificates prove clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCa {
    /// `id`: how the file, policies and the command line call it.
    pub id: String,
    /// `certificates`: the trust anchors, in PEM.
    pub certificates: PathBuf,
    /// `intermediates`: certificates between those and clients' that clients may leave out, in PEM.
    pub intermediates: Option<PathBuf>,
    /// `names`: which name in a certificate is the client's, the most wanted first.
    pub names: Vec<CertificateName>,
    /// `unregistered`: what holds for certificates that belong to no registered principal.
    pub unregistered: Unregistered,
    /// `crls`: where its revocation lists are; empty if nothing is revoked that way.
    pub crls: Vec<crate::crls::Source>,
    /// `crl-policy`: whether it is refused what no current list speaks of. Has no meaning without `crls`.
    pub crl_policy: CrlPolicy,
}

/// A kind of name in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateName {
    /// A URI in subjectAltName, as SPIFFE has it.
    Uri,
    /// A DNS name in subjectAltName.
    Dns,
    /// A mail address in subjectAltName.
    Email,
    /// The subject's common name, which nothing constrains.
    CommonName,
}

/// What becomes of who is proven and not registered as a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unregistered {
    /// They are principals of their own, named by their credential.
    #[default]
    Accept,
    /// They are refused.
    Refuse,
}

/// What holds when no current list says whether a certificate is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CrlPolicy {
    /// It is refused: fail closed.
    #[default]
    Refuse,
    /// It is accepted unless a list, current or not, names it: fail open.
    Accept,
}

/// `[assertion]`: the signed statement of who sent a request, for applications that ask for one (`audience`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// `issuer`: the claim `iss`.
    pub issuer: String,
    /// `keys`: private keys in PEM; the first signs, all of them are published.
    pub keys: PathBuf,
    /// `field`: the header field; `Tagai-Assertion` if nothing is said.
    pub field: HeaderName,
    /// `life`: how long an assertion is valid; whole seconds, a minute if nothing is said.
    pub life: Duration,
}

/// `proof`: the methods that a route accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proofs {
    /// `mutual`: a password that never leaves the machine (RFC 8120).
    pub mutual: bool,
    /// `x509`: a certificate.
    pub x509: bool,
    /// `raw-key`: a bare key that is registered (RFC 7250).
    pub raw_key: bool,
    /// `password-tls`: a password that is sent, over TLS (RFC 7617).
    pub password_tls: bool,
}

impl Proofs {
    /// Whether users of a realm are let through.
    #[must_use]
    pub const fn needs_realm(self) -> bool {
        self.mutual || self.password_tls
    }

    /// Whether a method is among them.
    #[must_use]
    pub const fn takes(self, method: Method) -> bool {
        match method {
            Method::Mutual => self.mutual,
            Method::X509 => self.x509,
            Method::RawKey => self.raw_key,
            Method::PasswordTls => self.password_tls,
        }
    }

    /// Whether only a connection with TLS can have them.
    #[must_use]
    pub const fn needs_tls(self) -> bool {
        self.x509 || self.raw_key || self.password_tls
    }
}

/// How a route asks clients to prove themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asks {
    /// `proof`: any of these will do; `mutual` alone if nothing is said.
    pub proofs: Proofs,
    /// `realm`: whose users; there if and only if a method needs it.
    pub realm: Option<Arc<Realm>>,
    /// `client-ca`: whose certificates, the first that verifies one counts; empty without `x509`.
    pub client_cas: Vec<Arc<ClientCa>>,
}

/// `client-cert`: which fields of RFC 9440 the application gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientCertFields {
    /// None.
    #[default]
    None,
    /// `Client-Cert`.
    Leaf,
    /// `Client-Cert` and `Client-Cert-Chain`.
    Chain,
}
