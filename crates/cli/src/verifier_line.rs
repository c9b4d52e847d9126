//! A user's verifier as one line of text, which holds no password: what `tagai user add --verifier-only` and `tagai user export`
//! write, and `tagai user import` reads.
//!
//! ```text
//! tagai-verifier:1:ALGORITHM:SCOPE:REALM:USER:BASE64[:disabled]
//! ```
//!
//! `1` is the version of the format. SCOPE, REALM and USER are percent-encoded: every octet of their UTF-8 form that is not a
//! visible ASCII character, and `%` and `:`, stand as `%` and two upper case hexadecimal digits; nothing else does. BASE64 is
//! `OCTETS(J)` by RFC 4648 §4, with padding. So there is one line for each verifier, and no part can hold a `:`.
//!
//! The line is a secret of the server: whoever has it can try passwords on it, and pose as the server to this user.

use base64ct::{Base64, Encoding as _};
use std::fmt::Write as _;
use tagai_core::algorithm::Algorithm;
use tagai_core::credential::Username;
use tagai_core::kam3::J;
use tagai_core::realm::{AuthRealm, AuthScope, RealmName};
use zeroize::Zeroizing;

/// How every line begins.
pub(crate) const PREFIX: &str = "tagai-verifier:";
const VERSION: &str = "1";

/// What a line says.
#[derive(Debug)]
pub(crate) struct VerifierLine {
    pub(crate) realm: AuthRealm,
    pub(crate) user: Username,
    pub(crate) verifier: J,
    pub(crate) disabled: bool,
}

impl VerifierLine {
    /// The line, without an end of line.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let octets = self.verifier.expose_octets();
        let mut base64 = Zeroizing::new(vec![0; Base64::encoded_len(&octets)]);
        // The buffer is as long as the text will be.
        let base64 = Base64::encode(&octets, &mut base64).unwrap_or_default();
        let AuthRealm { algorithm, auth_scope, name } = &self.realm;
        let (scope, name) = (encode(&auth_scope.to_string()), encode(name.as_str()));
        let end = if self.disabled { ":disabled" } else { "" };
        let user = encode(self.user.as_str());
        // Made at its full length: a string that grows leaves copies of itself behind.
        let parts = [PREFIX, VERSION, ":", algorithm.as_str(), ":", &scope, ":", &name, ":", &user, ":", base64, end];
        let mut line = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
        parts.iter().for_each(|part| line.push_str(part));
        line
    }

    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it; never the verifier.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let rest = line
            .strip_prefix(PREFIX)
            .ok_or_else(|| format!("this is not a verifier line: it starts with {PREFIX}"))?;
        let parts: Vec<&str> = rest.split(':').collect();
        let (parts, disabled) = match parts[..] {
            [ref parts @ .., "disabled"] if parts.len() == 6 => (parts, true),
            ref parts => (parts, false),
        };
        if let Some(version) = parts.first().filter(|version| **version != VERSION) {
            return Err(format!(
                "version {version:?} of the format is not known: this program reads version {VERSION}"
            ));
        }
        let [_, algorithm, scope, name, user, base64] = parts[..] else {
            return Err(format!(
                "a verifier line has 7 parts, or \"disabled\" as an 8th; this one has {}",
                parts.len() + 1
            ));
        };
        let algorithm: Algorithm = algorithm.parse().map_err(|error| format!("the algorithm is wrong: {error}"))?;
        let auth_scope =
            AuthScope::parse(&decode("scope", scope)?).map_err(|error| format!("the scope is wrong: {error}"))?;
        let name = RealmName::new(decode("realm", name)?).map_err(|error| format!("the realm is wrong: {error}"))?;
        let user = decode("user", user)?;
        let prepared = Username::prepare(&user).map_err(|error| format!("the user name is wrong: {error}"))?;
        if prepared.as_str() != user {
            return Err("the user name is not in its prepared form (RFC 8265)".into());
        }
        let mut octets = Zeroizing::new(vec![0; algorithm.element_len() + 3]);
        let octets =
            Base64::decode(base64, &mut octets).map_err(|_| "the verifier is not base64, or of a wrong length")?;
        let verifier =
            J::from_octets(algorithm, octets).map_err(|error| format!("the verifier is wrong: {error}"))?;
        Ok(Self { realm: AuthRealm { algorithm, auth_scope, name }, user: prepared, verifier, disabled })
    }
}

fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for octet in text.bytes() {
        if octet.is_ascii_graphic() && octet != b'%' && octet != b':' {
            encoded.push(char::from(octet));
        } else {
            // Writing to a String does not fail.
            let _ = write!(encoded, "%{octet:02X}");
        }
    }
    encoded
}

/// Undoes [`encode`]. What `encode` would not have written is refused.
fn decode(what: &str, text: &str) -> Result<String, String> {
    let wrong = || format!("the {what} is not percent-encoded as it has to be");
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let mut digit =
            || rest.next().and_then(|octet| char::from(octet).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        match (digit(), digit()) {
            (Some(high), Some(low)) => octets.push(high << 4 | low),
            _ => return Err(wrong()),
        }
    }
    let decoded = String::from_utf8(octets).map_err(|_| wrong())?;
    if encode(&decoded) == text { Ok(decoded) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::verifier;

    fn realm(scope: &str, name: &str, algorithm: Algorithm) -> AuthRealm {
        AuthRealm { algorithm, auth_scope: AuthScope::parse(scope).unwrap(), name: RealmName::new(name).unwrap() }
    }

    fn sample(scope: &str, name: &str, user: &str, algorithm: Algorithm) -> VerifierLine {
        let (realm, user) = (realm(scope, name, algorithm), Username::prepare(user).unwrap());
        let verifier = verifier(&realm, &user, "correct horse").unwrap();
        VerifierLine { realm, user, verifier, disabled: false }
    }

    #[test]
    fn lines_say_the_same_after_a_round_trip() {
        for (scope, name, user) in [
            ("localhost", "Staff", "alice"),
            ("https://localhost:8443", "a:b%c d", "René of France"),
            ("*.example.com", "職員", "山田太郎"),
            ("[2001:db8::1]", "#\"'\\", "x:y@example.com"),
        ] {
            for algorithm in Algorithm::ALL {
                let line = VerifierLine { disabled: user == "alice", ..sample(scope, name, user, algorithm) };
                let text = line.to_text();
                assert!(text.bytes().all(|octet| octet.is_ascii_graphic()), "{}", *text);
                let read = VerifierLine::parse(&text).unwrap();
                assert_eq!((&read.realm, &read.user, read.disabled), (&line.realm, &line.user, line.disabled));
                assert_eq!(*read.verifier.expose_octets(), *line.verifier.expose_octets());
                assert_eq!(*read.to_text(), *text);
            }
        }
    }

    /// The format does not change without its version: other programs may write such lines.
    #[test]
    fn the_format_is_this() {
        let text = sample("https://localhost:8443", "Staff room", "alice", Algorithm::EcP256Sha256).to_text();
        let start = "tagai-verifier:1:iso-kam3-ec-p256-sha256:https%3A//localhost%3A8443:Staff%20room:alice:";
        let base64 = text.strip_prefix(start).unwrap();
        assert_eq!(base64.len(), 44, "33 octets");
        assert!(!text.contains("correct"));
    }

    #[test]
    fn what_is_no_line_is_refused_without_showing_it() {
        let good = sample("localhost", "Staff", "alice", Algorithm::EcP256Sha256).to_text();
        let base64 = good.rsplit(':').next().unwrap();
        let from = |old: &str, new: &str| good.replace(old, new);
        let mut other_point = "A".repeat(43);
        other_point.push('=');
        for (line, words) in [
            (from("tagai-verifier", "verifier"), "starts with tagai-verifier:"),
            (from(":1:", ":2:"), "version \"2\""),
            (from(":alice", ""), "this one has 6"),
            (format!("{}:enabled", *good), "this one has 8"),
            (format!("{}:disabled:disabled", *good), "this one has 9"),
            (from("p256", "p255"), "the algorithm is wrong"),
            (from("localhost", "Localhost"), "the scope is wrong"),
            (from("localhost", "*.%"), "not percent-encoded"),
            (from("Staff", "St%61ff"), "the realm is not percent-encoded"),
            (from("Staff", "St%2"), "the realm is not percent-encoded"),
            (from("Staff", "%FF"), "the realm is not percent-encoded"),
            (from("Staff", "%e3%81%82"), "the realm is not percent-encoded"),
            (from("Staff", ""), "the realm is wrong"),
            (from("alice", "%20alice"), "the user name is wrong"),
            (from("alice", "%EF%BD%81"), "prepared form"),
            (from(base64, "!"), "not base64"),
            (from(base64, "AAAA"), "the verifier is wrong"),
            (from(base64, &base64.repeat(3)), "not base64, or of a wrong length"),
            (from(base64, &other_point), "the verifier is wrong"),
        ] {
            let error = VerifierLine::parse(&line).map(|_| ()).unwrap_err();
            assert!(error.contains(words), "{line}: {error}");
            assert!(!error.contains(base64), "{error}");
        }
    }
}
