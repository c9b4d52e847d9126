//! The client's certificate for the application (RFC 9440).

use super::IdentityError;
use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use http::{HeaderName, HeaderValue};

/// `Client-Cert`: the leaf.
pub(super) const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
/// `Client-Cert-Chain`: what is above the leaf.
pub(super) const CLIENT_CERT_CHAIN: HeaderName = HeaderName::from_static("client-cert-chain");

/// How long the values of both fields may be together, in octets. Most application servers take less in one line.
pub const MAX_CLIENT_CERT: usize = 16 << 10;

/// What of a certificate an application gets to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    /// Nothing.
    #[default]
    Nothing,
    /// The leaf, in `Client-Cert`.
    Leaf,
    /// The leaf, and in `Client-Cert-Chain` the certificates above it.
    Chain,
}

/// A verified certificate as applications are told of it. It is made once for a connection, and its fields are cheap to copy.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    leaf: HeaderValue,
    chain: Option<HeaderValue>,
    thumbprint: String,
}

impl ClientCertificate {
    /// Of a leaf and the chain above it, in DER, each certificate certified by the next (RFC 9440 §2.3). It must have been
    /// verified.
    #[must_use]
    pub fn new(leaf: &[u8], chain: &[&[u8]]) -> Self {
        let list: Vec<String> = chain.iter().map(|der| byte_sequence(der)).collect();
        Self {
            leaf: value(byte_sequence(leaf)),
            chain: (!list.is_empty()).then(|| value(list.join(", "))),
            thumbprint: Base64UrlUnpadded::encode_string(digest(&SHA256, leaf).as_ref()),
        }
    }

    /// The fields. `Client-Cert-Chain` is left out where there is nothing above the leaf.
    ///
    /// # Errors
    /// [`IdentityError::Certificate`] above [`MAX_CLIENT_CERT`]: nothing is left out for being too long, since an application
    /// would take what remains for all.
    pub fn fields(
        &self,
        shown: Shown,
    ) -> Result<impl Iterator<Item = (HeaderName, HeaderValue)> + use<>, IdentityError> {
        let leaf = (shown != Shown::Nothing).then_some(&self.leaf);
        let chain = self.chain.as_ref().filter(|_| shown == Shown::Chain);
        let octets = [leaf, chain].into_iter().flatten().map(HeaderValue::len).sum();
        if octets > MAX_CLIENT_CERT {
            return Err(IdentityError::Certificate { octets });
        }
        let leaf = leaf.map(|value| (CLIENT_CERT, value.clone()));
        Ok(leaf.into_iter().chain(chain.map(|value| (CLIENT_CERT_CHAIN, value.clone()))))
    }

    /// `x5t#S256` (RFC 8705 §3.1): base64url of the SHA-256 of the leaf.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }
}

/// A byte sequence of structured fields (RFC 9651 §4.1.8): base64 with padding, between colons.
fn byte_sequence(octets: &[u8]) -> String {
    format!(":{}:", Base64::encode_string(octets))
}

/// Base64, colons and commas are visible ASCII.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(certificate: &ClientCertificate, shown: Shown) -> Vec<(String, String)> {
        let fields = certificate.fields(shown).unwrap();
        fields.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
    }

    #[test]
    fn the_leaf_and_what_is_above_it() {
        let certificate = ClientCertificate::new(&[0xff, 0xef, 0], &[b"between", b"root"]);
        let leaf = ("client-cert".to_owned(), ":/+8A:".to_owned());
        let chain = ("client-cert-chain".to_owned(), ":YmV0d2Vlbg==:, :cm9vdA==:".to_owned());
        assert_eq!(fields(&certificate, Shown::Nothing), []);
        assert_eq!(fields(&certificate, Shown::Leaf), std::slice::from_ref(&leaf));
        assert_eq!(fields(&certificate, Shown::Chain), [leaf, chain]);
    }

    #[test]
    fn a_chain_of_nothing_is_no_field() {
        let certificate = ClientCertificate::new(b"leaf", &[]);
        assert_eq!(fields(&certificate, Shown::Chain), [("client-cert".to_owned(), ":bGVhZg==:".to_owned())]);
    }

    #[test]
    fn the_thumbprint_is_of_the_leaf() {
        // printf abc | openssl dgst -sha256 -binary | basenc --base64url
        let certificate = ClientCertificate::new(b"abc", &[b"other"]);
        assert_eq!(certificate.thumbprint(), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let (small, large) = (vec![0; 3000], vec![0; 11_000]);
        let certificate = ClientCertificate::new(&small, &[&large]);
        assert_eq!(fields(&certificate, Shown::Leaf).len(), 1);
        let Err(refused) = certificate.fields(Shown::Chain) else { panic!("it is too long") };
        assert_eq!(refused.status(), 431);
        assert!(ClientCertificate::new(&[0; 13_000], &[]).fields(Shown::Leaf).is_err());
        assert!(ClientCertificate::new(&[0; 13_000], &[]).fields(Shown::Nothing).is_ok(), "nobody is told of it");
    }
}
