//! Recognises hashes of passwords, as in htpasswd files. They cannot be converted: a verifier is made from the password
//! itself, which a hash does not give away.

/// Why hashes are refused, and what to do.
pub(crate) const EXPLANATION: &str = "a hash cannot be converted: the verifier is made from the password itself, which a hash \
    hides. Every user has to set a new password: `tagai user add NAME --generate` makes one, or users run `tagai user add NAME \
    --verifier-only` themselves and send you the line";

/// The kind of hash that a text is, if it is one.
pub(crate) fn hash_kind(text: &str) -> Option<&'static str> {
    const PREFIXES: [(&str, &str); 14] = [
        ("$apr1$", "MD5 (apr1)"),
        ("$2y$", "bcrypt"),
        ("$2a$", "bcrypt"),
        ("$2b$", "bcrypt"),
        ("$1$", "MD5-crypt"),
        ("$5$", "SHA-256-crypt"),
        ("$6$", "SHA-512-crypt"),
        ("$y$", "yescrypt"),
        ("$7$", "scrypt"),
        ("$argon2", "Argon2"),
        ("$pbkdf2", "PBKDF2"),
        ("{SHA}", "SHA-1"),
        ("{SSHA}", "salted SHA-1"),
        ("{CRYPT}", "crypt"),
    ];
    PREFIXES.into_iter().find(|(prefix, _)| text.starts_with(prefix)).map(|(_, kind)| kind)
}

/// The user and the kind of hash of a line of an htpasswd file, if it is one.
pub(crate) fn htpasswd_line(line: &str) -> Option<(&str, &'static str)> {
    let (user, hash) = line.split_once(':')?;
    if user.is_empty() || user == "tagai-verifier" {
        return None;
    }
    // What follows in /etc/shadow and the like is of no interest.
    let hash = hash.split(':').next().unwrap_or_default();
    let des =
        hash.len() == 13 && hash.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'.' || octet == b'/');
    // Digest files have the realm between: user:realm:32 hexadecimal digits.
    let digest =
        line.rsplit(':').next().is_some_and(|last| last.len() == 32 && last.bytes().all(|o| o.is_ascii_hexdigit()));
    let kind = hash_kind(hash).or(des.then_some("DES-crypt")).or(digest.then_some("MD5 of HTTP Digest"))?;
    Some((user, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_recognised() {
        for (line, kind) in [
            ("alice:$apr1$kMuBqJXy$mUF4o4lHgqCJnEHsMCFpU0", "MD5 (apr1)"),
            ("alice:$2y$05$abcdefghijklmnopqrstuuAbCdEfGhIjKlMnOpQrStUvWxYz01234", "bcrypt"),
            ("alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1"),
            ("alice:rqXexS6ZhobKA", "DES-crypt"),
            ("alice:$6$salt$hash:19000:0:99999:7:::", "SHA-512-crypt"),
            ("alice:Staff:d41d8cd98f00b204e9800998ecf8427e", "MD5 of HTTP Digest"),
        ] {
            assert_eq!(htpasswd_line(line), Some(("alice", kind)));
        }
        for line in ["alice,password", "alice", "", ":$apr1$x", "tagai-verifier:1:a:b:c:d:$2y$", "alice:short"] {
            assert_eq!(htpasswd_line(line), None, "{line}");
        }
    }
}
