//! What TLS asks peers for. A handshake here proves one thing, that the peer holds a key; whose key it is, and what it may do,
//! is decided by request, so that revocation reaches connections that are open.

mod certificate;
mod pinned;
mod raw_key;

pub use certificate::AskForCertificate;
pub use pinned::PinnedServerKey;
pub use raw_key::{AskForRawKey, ClientRawKey, RawKeyResolver};

use rustls::crypto::WebPkiSupportedAlgorithms;

/// The signatures that are accepted in handshakes: those of the one provider.
fn algorithms() -> WebPkiSupportedAlgorithms {
    rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms
}
