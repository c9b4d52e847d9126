//! What a public key is known by.

use super::{Spki, base64};
use aws_lc_rs::digest::{SHA256, digest};
use std::fmt;
use std::str::FromStr;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// SHA-256 of a SubjectPublicKeyInfo (DER), as in RFC 7469 section 2.4. A public value.
///
/// The text is `sha256:` with base64; curl's `sha256//` is read too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin([u8; 32]);

impl Pin {
    /// The pin of a key.
    #[must_use]
    pub fn of(key: &Spki) -> Self {
        Self::of_octets(key.as_der())
    }

    /// The pin of the key in a certificate (DER), or nothing if it is none.
    #[must_use]
    pub fn of_certificate(der: &[u8]) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        rest.is_empty().then(|| Self::of_octets(certificate.public_key().raw))
    }

    /// The pin of a SubjectPublicKeyInfo (DER), which is not looked into.
    #[must_use]
    pub fn of_octets(spki: &[u8]) -> Self {
        let mut pin = [0; 32];
        pin.copy_from_slice(digest(&SHA256, spki).as_ref());
        Self(pin)
    }

    /// The pin that was kept as octets.
    #[must_use]
    pub fn from_octets(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// The hash.
    #[must_use]
    pub fn octets(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", base64::encode(&self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Not a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a pin, which is sha256: and 44 characters of base64, as `tagai key pin` prints it")]
pub struct PinError;

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let digits = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("sha256//")).ok_or(PinError)?;
        base64::decode(digits).map(Self).ok_or(PinError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_text_is_that_of_others() {
        // printf '' | openssl dgst -sha256 -binary | base64
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        assert_eq!(Pin::of_octets(b"").to_string(), format!("sha256:{empty}"));
        assert_eq!(format!("sha256//{empty}").parse(), Ok(Pin::of_octets(b"")));
        assert_eq!(format!("{:?}", Pin::of_octets(b"")), format!("sha256:{empty}"));
    }

    #[test]
    fn other_texts_are_no_pins() {
        let good = Pin::of_octets(b"").to_string();
        let digits = good.strip_prefix("sha256:").expect("the prefix");
        for bad in [
            String::new(),
            digits.into(),
            format!("sha1:{digits}"),
            format!("SHA256:{digits}"),
            format!("sha256:/{digits}"),
            format!("{good}="),
            format!(" {good}"),
            good.trim_end_matches('=').into(),
            // The same octets, with bits at the end that do not count.
            good.replace("FU=", "FV="),
            good.replace('+', "-"),
            format!("sha256:{}", "A".repeat(44)),
        ] {
            assert_eq!(bad.parse::<Pin>(), Err(PinError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_pin_is_read_as_it_was_written(octets: [u8; 32]) {
            let pin = Pin::from_octets(octets);
            prop_assert_eq!(pin.to_string().parse(), Ok(pin));
        }

        #[test]
        fn a_pin_has_one_spelling(text in "sha256:[A-Za-z0-9+/]{43}=") {
            if let Ok(pin) = text.parse::<Pin>() {
                prop_assert_eq!(pin.to_string(), text);
            }
        }
    }
}
