//! TLS towards clients: certificates, the choice among them, and the channel that a connection is bound to.
//!
//! A connection has to know which certificate was really served, because the proofs of RFC 8120 §7 hold its hash. So the
//! choice is made here, from the ClientHello, and not by rustls: each certificate has `ServerConfig`s of its own, one for each
//! way of asking clients for proof ([`Asks`]), each with its own tickets and its own session cache. Whoever resumes a session
//! does so with the certificate that it was made with, asked for what it was asked for then, or not at all.

mod accept;
mod asks;
mod certificates;
mod load;
mod x509;

pub use accept::{ClientKey, HandshakeError, TlsFacts, accept};
pub use asks::{Asks, HostAsks};
pub use certificates::{Certificate, CertificateError, Certificates, SharedCertificates, TlsOptions};
pub use load::{LoadError, Loaded, load};
pub use x509::{Facts, Name};

use rustls::crypto::CryptoProvider;
use std::sync::{Arc, LazyLock};

/// The one provider of cryptography, always passed explicitly.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    Arc::clone(&PROVIDER)
}
