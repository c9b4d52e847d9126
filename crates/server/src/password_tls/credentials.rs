//! From the credentials field to a user name and a password, as they were typed (RFC 7617 §2).
//!
//! ```abnf
//! credentials = "Basic" 1*SP token68     ; the scheme's name in any letter case
//! token68     = base64(user-id ":" password)
//! ```

use base64ct::{Base64, Encoding as _};
use tagai_core::credential::{MAX_PASSWORD_LEN, MAX_USERNAME_LEN};
use zeroize::Zeroizing;

/// The most octets that can be a user name, a colon and a password.
const MAX_DECODED: usize = MAX_USERNAME_LEN + 1 + MAX_PASSWORD_LEN;
/// The most digits of base64 that make so many octets.
const MAX_ENCODED: usize = MAX_DECODED.div_ceil(3) * 4;

/// A user name and a password as they were typed. Both are wiped when dropped, and neither prints.
pub(super) struct BasicCredentials {
    text: Zeroizing<String>,
    /// Where the colon is.
    colon: usize,
}

/// Why a field is no credentials of HTTP Basic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedBasic {
    /// There is more than one field with credentials, one of them Basic's: which one counts, somebody could see differently.
    #[error("there are several fields with credentials")]
    Several,
    /// The scheme's name is not followed by spaces and credentials.
    #[error("no credentials follow the name of the scheme")]
    NoCredentials,
    /// Longer than the longest user name with the longest password.
    #[error("the credentials are too long")]
    TooLong,
    /// Not base64 with the digits and the padding of RFC 4648 section 4, in its one form.
    #[error("the credentials are not base64")]
    Base64,
    /// Not UTF-8, which the challenge asks for.
    #[error("the credentials are not UTF-8")]
    Utf8,
    /// Nothing separates a user name from a password.
    #[error("the credentials have no colon")]
    NoColon,
    /// A control character, which RFC 7617 section 2 forbids in both.
    #[error("the credentials have a control character")]
    Control,
}

impl BasicCredentials {
    /// Reads all lines of the field. `None` if there are no credentials of this scheme.
    ///
    /// # Errors
    /// [`MalformedBasic`] if there are, and they are broken.
    pub(super) fn read<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<Self>, MalformedBasic> {
        let (mut found, mut count) = (None, 0_usize);
        for line in lines {
            count += 1;
            found = found.or_else(|| of_scheme(line));
        }
        match found {
            None => Ok(None),
            Some(_) if count > 1 => Err(MalformedBasic::Several),
            Some(credentials) => Self::decode(credentials).map(Some),
        }
    }

    /// Reads what follows the name of the scheme.
    fn decode(credentials: &[u8]) -> Result<Self, MalformedBasic> {
        let digits = credentials.trim_ascii_start();
        // One space at least, and spaces alone.
        let gap = credentials.len() - digits.len();
        if digits.is_empty() || gap == 0 || credentials.iter().take(gap).any(|octet| *octet != b' ') {
            return Err(MalformedBasic::NoCredentials);
        }
        if digits.len() > MAX_ENCODED {
            return Err(MalformedBasic::TooLong);
        }
        let mut room = Zeroizing::new(vec![0; digits.len() / 4 * 3]);
        let octets = Base64::decode(digits, &mut room).map_err(|_| MalformedBasic::Base64)?;
        let text = std::str::from_utf8(octets).map_err(|_| MalformedBasic::Utf8)?;
        let colon = text.find(':').ok_or(MalformedBasic::NoColon)?;
        if text.chars().any(char::is_control) {
            return Err(MalformedBasic::Control);
        }
        Ok(Self { text: Zeroizing::new(text.to_owned()), colon })
    }

    /// The user name: what is before the first colon. It may be empty.
    pub(super) fn user(&self) -> &str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    /// The password: what is behind the first colon, further colons included. It may be empty.
    pub(super) fn password(&self) -> &str {
        self.text.get(self.colon.saturating_add(1)..).unwrap_or_default()
    }
}

impl std::fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BasicCredentials(secret)")
    }
}

/// What follows the name of the scheme, if it is Basic's.
fn of_scheme(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii();
    let end = line.iter().position(|octet| !is_token(*octet)).unwrap_or(line.len());
    let (scheme, rest) = line.split_at_checked(end)?;
    scheme.eq_ignore_ascii_case(b"Basic").then_some(rest)
}

/// `tchar` of RFC 9110 §5.6.2.
fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(line: &str) -> Result<Option<(String, String)>, MalformedBasic> {
        let read = BasicCredentials::read([line.as_bytes()])?;
        Ok(read.map(|read| (read.user().to_owned(), read.password().to_owned())))
    }

    fn encoded(text: impl AsRef<[u8]>) -> String {
        format!("Basic {}", Base64::encode_string(text.as_ref()))
    }

    #[test]
    fn the_examples_of_rfc_7617() {
        let of = |user: &str, password: &str| Ok(Some((user.to_owned(), password.to_owned())));
        assert_eq!(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), of("Aladdin", "open sesame"));
        assert_eq!(read("Basic dGVzdDoxMjPCow=="), of("test", "123£"));
        assert_eq!(read("bAsIc   dGVzdDoxMjPCow== "), of("test", "123£"));
        assert_eq!(read(&encoded("a:b:c::")), of("a", "b:c::"));
        assert_eq!(read(&encoded(":")), of("", ""));
    }

    #[test]
    fn other_schemes_are_not_concerned() {
        for line in [
            "",
            "Mutual sid=00",
            "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "Basics QTpi",
            "XBasic QTpi",
            "\"Basic\" QTpi",
        ] {
            assert_eq!(read(line), Ok(None), "{line}");
        }
        assert!(BasicCredentials::read([b"Mutual a=1".as_slice(), b"Mutual b=2"]).unwrap().is_none());
        assert!(BasicCredentials::read([]).unwrap().is_none());
    }

    #[test]
    fn what_is_broken_is_refused() {
        for (line, error) in [
            ("Basic", MalformedBasic::NoCredentials),
            ("Basic ", MalformedBasic::NoCredentials),
            ("Basic\tQTpi", MalformedBasic::NoCredentials),
            ("Basic \tQTpi", MalformedBasic::NoCredentials),
            ("Basic,QTpi", MalformedBasic::NoCredentials),
            ("Basic=QTpi", MalformedBasic::NoCredentials),
            ("Basic QTpi, Mutual sid=00", MalformedBasic::Base64),
            ("Basic QTpi QTpi", MalformedBasic::Base64),
            ("Basic realm=\"a\"", MalformedBasic::Base64),
            // No padding, padding too many, bits behind the last octet, the other alphabet, a line break.
            ("Basic QTpiYw", MalformedBasic::Base64),
            ("Basic QTpiYw=", MalformedBasic::Base64),
            ("Basic QTpi====", MalformedBasic::Base64),
            ("Basic QTpiYx==", MalformedBasic::Base64),
            ("Basic QTr-_w==", MalformedBasic::Base64),
            ("Basic QTpi\r\nYw==", MalformedBasic::Base64),
            ("Basic \u{e9}", MalformedBasic::Base64),
        ] {
            assert_eq!(read(line), Err(error), "{line:?}");
        }
        for (octets, error) in [
            (&b"alice"[..], MalformedBasic::NoColon),
            (b"a:\xff", MalformedBasic::Utf8),
            (b"a:\xc0\x80", MalformedBasic::Utf8),
            (b"a:\xed\xa0\x80", MalformedBasic::Utf8),
            (b"a\0:b", MalformedBasic::Control),
            (b"a:b\n", MalformedBasic::Control),
            (b"a:b\x7f", MalformedBasic::Control),
            ("a:\u{85}".as_bytes(), MalformedBasic::Control),
        ] {
            assert_eq!(read(&encoded(octets)), Err(error), "{octets:?}");
        }
        for lines in [["Basic QTpi", "Basic QTpi"], ["Mutual a=1", "Basic QTpi"], ["Basic QTpi", ""]] {
            let error = BasicCredentials::read(lines.map(str::as_bytes)).unwrap_err();
            assert_eq!(error, MalformedBasic::Several, "{lines:?}");
        }
    }

    #[test]
    fn nothing_is_decoded_that_is_too_long() {
        let longest = format!("{}:{}", "u".repeat(MAX_USERNAME_LEN), "p".repeat(MAX_PASSWORD_LEN));
        assert!(read(&encoded(&longest)).is_ok());
        assert_eq!(read(&encoded(longest + "pppp")), Err(MalformedBasic::TooLong));
        assert_eq!(read(&format!("Basic {}", "=".repeat(1 << 20))), Err(MalformedBasic::TooLong));
    }

    #[test]
    fn credentials_do_not_print() {
        let read = BasicCredentials::read([b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".as_slice()]).unwrap().unwrap();
        assert_eq!(format!("{read:?}"), "BasicCredentials(secret)");
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_read(user in "[^:\\p{Cc}]{0,40}", password in "\\P{Cc}{0,40}", spaces in 1usize..4) {
            let token = Base64::encode_string(format!("{user}:{password}").as_bytes());
            let line = format!("basic{}{token}", " ".repeat(spaces));
            prop_assert_eq!(read(&line), Ok(Some((user, password))));
        }

        #[test]
        fn any_octets_are_read_or_refused(lines in proptest::collection::vec(any::<Vec<u8>>(), 0..3), basic: bool) {
            let line = |line: Vec<u8>| if basic { [b"Basic ".to_vec(), line].concat() } else { line };
            let lines: Vec<_> = lines.into_iter().map(line).collect();
            if let Ok(Some(read)) = BasicCredentials::read(lines.iter().map(Vec::as_slice)) {
                // There is one way to write it.
                let again = encoded(format!("{}:{}", read.user(), read.password()));
                prop_assert_eq!(lines.len(), 1);
                prop_assert!(lines[0].trim_ascii().ends_with(&again.as_bytes()[6..]));
                prop_assert!(!read.user().contains(':'));
            }
        }
    }
}
