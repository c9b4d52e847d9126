//! The code of an invitation, as people read it out, copy it and type it.

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use aws_lc_rs::rand;
use std::fmt;
use zeroize::Zeroizing;

/// Crockford's base32: no I, L, O and U, which are taken for other characters.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a code, without hyphens: 100 bits.
pub const CODE_LEN: usize = 20;
/// Characters between hyphens.
const GROUP: usize = 4;
/// The longest text that is looked at: a code with a mark after each character.
const MAX_TEXT: usize = 2 * CODE_LEN;
/// What a digest begins with, so that it is a digest of nothing else.
const LABEL: &[u8] = b"tagai invitation\0";

/// The code of an invitation. Secret: it is shown once to whoever made it, and never printed otherwise.
pub struct InvitationCode(Zeroizing<[u8; CODE_LEN]>);

/// A text that is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an invitation code is made of 20 letters and digits, such as XXXX-XXXX-XXXX-XXXX-XXXX")]
pub struct MalformedCode;

/// The random generator of the system failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the random generator failed")]
pub struct NoRandomness;

/// The hash of a code: what a store keeps, and finds it by.
///
/// A code has 100 random bits, so there is nothing to guess and no need for a slow hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeDigest([u8; SHA256_OUTPUT_LEN]);

impl InvitationCode {
    /// A new code.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut code = Zeroizing::new([0; CODE_LEN]);
        rand::fill(code.as_mut()).map_err(|_| NoRandomness)?;
        for octet in code.iter_mut() {
            // 32 divides 256: each character is as likely as every other.
            *octet = ALPHABET.get(usize::from(*octet % 32)).copied().unwrap_or(b'0');
        }
        Ok(Self(code))
    }

    /// Reads a code as somebody typed it: small letters, O for 0, I or L for 1, with hyphens and spaces wherever they are or none.
    ///
    /// # Errors
    /// [`MalformedCode`].
    pub fn parse(text: &str) -> Result<Self, MalformedCode> {
        if text.len() > MAX_TEXT {
            return Err(MalformedCode);
        }
        let mut code = Zeroizing::new([0; CODE_LEN]);
        let mut places = code.iter_mut();
        for octet in text.bytes().filter(|octet| !matches!(octet, b'-' | b' ')) {
            let octet = match octet.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                octet if ALPHABET.contains(&octet) => octet,
                _ => return Err(MalformedCode),
            };
            *places.next().ok_or(MalformedCode)? = octet;
        }
        if places.next().is_some() {
            return Err(MalformedCode);
        }
        drop(places);
        Ok(Self(code))
    }

    /// The code in groups, to be shown once. Secret.
    #[must_use]
    pub fn expose_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(CODE_LEN + CODE_LEN / GROUP));
        for (position, octet) in self.0.iter().enumerate() {
            if position > 0 && position % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(*octet));
        }
        text
    }

    /// What a store keeps of it.
    #[must_use]
    pub fn digest(&self) -> CodeDigest {
        let mut input = Zeroizing::new([0; LABEL.len() + CODE_LEN]);
        for (to, from) in input.iter_mut().zip(LABEL.iter().chain(self.0.iter())) {
            *to = *from;
        }
        let mut octets = [0; SHA256_OUTPUT_LEN];
        for (to, from) in octets.iter_mut().zip(digest(&SHA256, input.as_slice()).as_ref()) {
            *to = *from;
        }
        CodeDigest(octets)
    }
}

impl fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationCode(secret)")
    }
}

impl CodeDigest {
    /// The octets of the hash.
    #[must_use]
    pub const fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for CodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeDigest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_different_and_read_back() {
        let codes: Vec<_> = (0..50).map(|_| InvitationCode::generate().unwrap()).collect();
        let texts: HashSet<String> = codes.iter().map(|code| code.expose_text().to_string()).collect();
        assert_eq!(texts.len(), codes.len());
        for code in &codes {
            let text = code.expose_text();
            assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [GROUP; 5], "{}", *text);
            assert_eq!(InvitationCode::parse(&text).unwrap().digest(), code.digest());
            assert!(!format!("{code:?}{:?}", code.digest()).contains(&text[..4]));
        }
        assert_eq!(ALPHABET.iter().collect::<HashSet<_>>().len(), 32, "5 bits a character");
    }

    #[test]
    fn a_code_may_be_typed_as_it_is_heard() {
        let digest = |text: &str| InvitationCode::parse(text).unwrap().digest();
        let plain = digest("0123-4567-89AB-1010-WXYZ");
        for text in [
            "0123456789AB1010WXYZ",
            "o123-4567-89ab-1o1o-wxyz",
            " O123 4567 89ab IOLO wxyz ",
            "0-1-2-3-4-5-6-7-8-9-A-B-1-0-1-0-W-X-Y-Z-",
        ] {
            assert_eq!(digest(text), plain, "{text}");
        }
        assert_ne!(digest("0123-4567-89AB-1010-WXYV"), plain);
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in [
            "",
            "0123",
            "0123-4567-89AB-1010-WXY",
            "0123-4567-89AB-1010-WXYZZ",
            "0123-4567-89AB-1010-WXYU",
            "0123-4567-89AB-1010-WXY\u{f6}",
            "0123-4567-89AB-1010-WXY_",
            "0123-4567-89AB-1010-WXYZ\n",
            &"-".repeat(200),
            &format!("{}0123-4567-89AB-1010-WXYZ", " ".repeat(20)),
        ] {
            assert!(matches!(InvitationCode::parse(text), Err(MalformedCode)), "{text:?}");
        }
    }

    #[test]
    fn the_digest_is_that_of_the_label_and_the_code() {
        // printf 'tagai invitation\0000123456789ABCDEFGHJK' | sha256sum
        let digest = InvitationCode::parse("0123-4567-89AB-CDEF-GHJK").unwrap().digest();
        let hex: String = digest.octets().iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(hex, "5a4c33528358593042bac2ccde8c6b6d0eb84b667f3ac10a6898439a22d14cbb");
    }
}
