//! What a client proves by keys: certificates of its own, and bare keys at either end (RFC 7250).

use crate::error::UsageError;
use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64, Encoding as _};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Certificates of one client. Chains have three or four.
const MAX_CHAIN: usize = 16;

/// A key of the client's own, with a certificate for it or without: shown to a server that asks for it, and to no other than the one
/// that it is given for. See [`ClientBuilder::identity`](crate::ClientBuilder::identity).
#[derive(Clone)]
pub struct ClientIdentity {
    key: Arc<CertifiedKey>,
    bare: bool,
}

impl ClientIdentity {
    /// A certificate with what is above it, and its key, from PEM files' content. Both may be in one file.
    ///
    /// # Errors
    /// [`UsageError::Identity`] if one is missing or cannot be read, if the key is encrypted, and if it is another certificate's key.
    pub fn certificate_pem(chain: &[u8], key: &[u8]) -> Result<Self, UsageError> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .take(MAX_CHAIN.saturating_add(1))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| refused("the client's certificate cannot be read: the PEM is damaged"))?;
        match chain.len() {
            0 => return Err(refused("there is no \"BEGIN CERTIFICATE\" in the file of the client's certificate")),
            1..=MAX_CHAIN => {}
            _ => return Err(refused("there are more than 16 certificates in the file of the client's certificate")),
        }
        let key = CertifiedKey::from_der(chain, private_key(key)?, &crate::wire::provider());
        let key = key.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                refused("the client's private key is not that of the first certificate in the file")
            }
            rustls::Error::InvalidCertificate(_) => refused("the client's certificate is not one that can be read"),
            _ => unusable(),
        })?;
        Ok(Self { key: Arc::new(key), bare: false })
    }

    /// A bare key (RFC 7250), from a PEM file's content. Such connections are TLS 1.3.
    ///
    /// # Errors
    /// [`UsageError::Identity`] if there is none, if it cannot be read, and if it is encrypted.
    pub fn raw_key_pem(key: &[u8]) -> Result<Self, UsageError> {
        let provider = crate::wire::provider();
        let key = provider.key_provider.load_private_key(private_key(key)?).map_err(|_| unusable())?;
        let public = key.public_key().ok_or_else(unusable)?;
        let public = CertificateDer::from(public.as_ref().to_vec());
        Ok(Self { key: Arc::new(CertifiedKey::new(vec![public], key)), bare: true })
    }

    /// The pin of a bare key, by which a server knows it; `None` for a certificate.
    #[must_use]
    pub fn pin(&self) -> Option<KeyPin> {
        self.key.cert.first().filter(|_| self.bare).map(|public| KeyPin::of(public))
    }

    pub(crate) const fn is_bare(&self) -> bool {
        self.bare
    }

    pub(crate) fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }
}

/// Shows of which kind it is.
impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.bare { "ClientIdentity(bare key)" } else { "ClientIdentity(certificate)" })
    }
}

fn refused(why: &str) -> UsageError {
    UsageError::Identity(why.to_owned())
}

fn unusable() -> UsageError {
    refused(
        "the client's private key is of a kind that TLS does not use here: ECDSA, Ed25519 and RSA from 2048 bits on are used",
    )
}

/// The first key. What is wrong with it is said without its text.
fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, UsageError> {
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        pem::Error::NoItemsFound if is_encrypted(text) => refused(
            "the client's private key is encrypted, and is not decrypted here: `openssl pkcs8 -in ENCRYPTED -out PLAIN` makes a file \
             that can be used, and that nobody else should be able to read (umask 077)",
        ),
        pem::Error::NoItemsFound => refused("there is no \"BEGIN PRIVATE KEY\" in the file of the client's private key"),
        _ => refused("the client's private key cannot be read: the PEM is damaged"),
    })
}

fn is_encrypted(text: &[u8]) -> bool {
    let begin = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
    text.windows(begin.len()).any(|window| window == begin)
}

/// A public key by the SHA-256 of its `SubjectPublicKeyInfo`: `sha256:` and base64, as in `tagai key pin` and, with `sha256//`, in curl.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPin([u8; 32]);

impl KeyPin {
    /// The pin of a key, from its `SubjectPublicKeyInfo` in DER.
    #[must_use]
    pub fn of(spki: &[u8]) -> Self {
        let mut octets = [0; 32];
        octets.copy_from_slice(digest(&SHA256, spki).as_ref());
        Self(octets)
    }
}

/// Not a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a pin of a key: it is \"sha256:\" and the base64 of 32 octets, 44 characters, as `tagai key pin` prints it"
)]
pub struct PinError;

impl FromStr for KeyPin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let base64 = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("sha256//")).ok_or(PinError)?;
        let mut octets = [0; 32];
        match Base64::decode(base64, &mut octets) {
            Ok(decoded) if decoded.len() == 32 => Ok(Self(octets)),
            _ => Err(PinError),
        }
    }
}

impl fmt::Display for KeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", Base64::encode_string(&self.0))
    }
}

impl fmt::Debug for KeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_as_they_are_written() {
        // printf abc | openssl dgst -sha256 -binary | base64
        let text = "sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
        let pin = KeyPin::of(b"abc");
        assert_eq!(pin.to_string(), text);
        assert_eq!(text.parse(), Ok(pin));
        assert_eq!(text.replace(':', "//").parse(), Ok(pin));
        for bad in [
            "",
            "sha256:",
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            "sha1:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            "sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0",
            "sha256:ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=",
            "sha256:AAAA",
            "sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0AAAA=",
        ] {
            assert_eq!(bad.parse::<KeyPin>(), Err(PinError), "{bad}");
        }
    }

    fn key_pem() -> String {
        rcgen::KeyPair::generate().unwrap().serialize_pem()
    }

    fn why(refused: Result<ClientIdentity, UsageError>) -> String {
        refused.unwrap_err().to_string()
    }

    #[test]
    fn keys_that_cannot_be_used_are_refused_with_a_reason() {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec!["device".into()]).unwrap().self_signed(&key).unwrap().pem();
        let pem = key.serialize_pem();
        assert_eq!(ClientIdentity::certificate_pem(certificate.as_bytes(), pem.as_bytes()).unwrap().pin(), None);
        let both = format!("{certificate}{pem}");
        ClientIdentity::certificate_pem(both.as_bytes(), both.as_bytes()).unwrap();
        let certified = |chain: &str, key: &str| ClientIdentity::certificate_pem(chain.as_bytes(), key.as_bytes());
        assert!(why(certified(&certificate, &key_pem())).contains("not that of the first certificate"));
        assert!(why(certified(&certificate, "")).contains("BEGIN PRIVATE KEY"));
        assert!(why(certified("", &pem)).contains("BEGIN CERTIFICATE"));
        assert!(why(certified(&certificate.repeat(17), &pem)).contains("more than 16"));
        let damaged = certificate.replace("-----END", "-----FIN");
        assert!(why(certified(&damaged, &pem)).contains("damaged"));

        let raw = |key: &str| ClientIdentity::raw_key_pem(key.as_bytes());
        use rcgen::PublicKeyData as _;
        assert_eq!(raw(&pem).unwrap().pin(), Some(KeyPin::of(&key.subject_public_key_info())));
        let encrypted = pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        assert!(why(raw(&encrypted)).contains("openssl pkcs8"), "{}", why(raw(&encrypted)));
        assert!(why(raw(&certificate)).contains("BEGIN PRIVATE KEY"));
        assert!(why(raw("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")).contains("of a kind"));
    }

    #[test]
    fn nothing_shows_a_key() {
        let identity = ClientIdentity::raw_key_pem(key_pem().as_bytes()).unwrap();
        assert_eq!(format!("{identity:?}"), "ClientIdentity(bare key)");
    }
}
