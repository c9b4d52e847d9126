//! Which route a path belongs to, even if others read it differently than we do.
//!
//! An application may resolve `..`, decode `%2F`, ignore `;parameters` or take `\` for `/`, or do none of it. If a gateway reads a
//! path in one way and the application in another, a protected page can be had by the rules of a public one. So a path with
//! anything of the kind is read in every such way, and it is refused unless all readings lead to the same route.

use std::borrow::Cow;

/// The path in every way that an application may read it, mostly one.
pub(super) fn readings(path: &str) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let plain = is_plain(path.as_bytes());
    let ways = if plain { 1 } else { Way::COUNT };
    (0..ways).map(move |number| {
        if plain { Cow::Borrowed(path.as_bytes()) } else { Cow::Owned(Way::of(number).read(path.as_bytes())) }
    })
}

/// Whether there is one reading only.
fn is_plain(path: &[u8]) -> bool {
    let odd = |octet: &u8| matches!(octet, b'%' | b';' | b'\\');
    !path.iter().any(odd) && !path.windows(2).any(|pair| pair == b"//" || pair == b"/.")
}

/// One way to read a path. All of them decode unreserved characters and take several slashes for one.
struct Way {
    /// `;` and what follows it in a segment is no part of the name.
    parameters: bool,
    /// `%2F` is a slash.
    encoded_slash: bool,
    /// `\` is a slash, and so is `%5C`, if encoded slashes are.
    backslash: bool,
    /// `.` and `..` mean what they mean in a file system.
    dots: bool,
    /// What is left after decoding is decoded once more.
    twice: bool,
}

impl Way {
    const COUNT: u8 = 32;

    fn of(number: u8) -> Self {
        let bit = |position: u8| number >> position & 1 == 1;
        Self { parameters: bit(0), encoded_slash: bit(1), backslash: bit(2), dots: bit(3), twice: bit(4) }
    }

    fn read(&self, path: &[u8]) -> Vec<u8> {
        // Encoded slashes become slashes before the path is divided into segments, or stay encoded.
        let once = self.decode(path);
        let decoded = if self.twice { self.decode(&once) } else { once };
        let slash = |octet: &u8| *octet == b'/' || (self.backslash && *octet == b'\\');
        let mut segments: Vec<&[u8]> = Vec::new();
        let mut directory = true;
        for segment in decoded.split(slash) {
            let end = segment.iter().position(|octet| self.parameters && *octet == b';').unwrap_or(segment.len());
            let name = segment.get(..end).unwrap_or(segment);
            directory = true;
            match name {
                b"" => {}
                b"." if self.dots => {}
                b".." if self.dots => drop(segments.pop()),
                _ => {
                    directory = false;
                    segments.push(name);
                }
            }
        }
        let mut read = Vec::with_capacity(path.len() + 1);
        for segment in &segments {
            read.push(b'/');
            read.extend_from_slice(segment);
        }
        if directory || read.is_empty() {
            read.push(b'/');
        }
        read
    }

    /// Decodes what is percent-encoded; slashes of both kinds only where they count as such.
    fn decode(&self, path: &[u8]) -> Vec<u8> {
        let mut decoded = Vec::with_capacity(path.len());
        let mut rest = path;
        while let Some((octet, after)) = rest.split_first() {
            rest = after;
            match (octet, after) {
                (b'%', [high, low, ..]) => match hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low) {
                    Some(b'/' | b'\\') if !self.encoded_slash => decoded.push(b'%'),
                    Some(octet) => {
                        decoded.push(octet);
                        rest = after.get(2..).unwrap_or_default();
                    }
                    None => decoded.push(b'%'),
                },
                _ => decoded.push(*octet),
            }
        }
        decoded
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Whether `path` is `prefix`, or below it: a prefix ends where a segment ends.
pub(super) fn is_below(path: &[u8], prefix: &str) -> bool {
    let prefix = prefix.as_bytes();
    match path.strip_prefix(prefix) {
        Some([]) => true,
        Some([next, ..]) => prefix.ends_with(b"/") || *next == b'/',
        // "/a" is the directory "/a/" without its slash.
        None => prefix.strip_suffix(b"/") == Some(path) && !path.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn all(path: &str) -> BTreeSet<String> {
        readings(path).map(|read| String::from_utf8_lossy(&read).into_owned()).collect()
    }

    #[test]
    fn a_plain_path_is_read_in_one_way() {
        for path in ["/", "/a", "/a/b.html", "/a/", "/a.b/c-d_e~f", "/a...b"] {
            assert_eq!(all(path), BTreeSet::from([path.to_owned()]));
        }
    }

    #[test]
    fn every_trick_has_a_reading_that_shows_it() {
        for trick in [
            "/admin",
            "/./admin",
            "//admin",
            "/x/../admin",
            "/x/%2e%2e/admin",
            "/x/.%2E/admin",
            "/x/..;a=b/admin",
            "/x/..%2fadmin",
            "/x%2f..%2Fadmin",
            "/x/..%5cadmin",
            "/x\\..\\admin",
            "/%61dmin",
            "/admin;x",
            "/x/%252e%252e/admin",
            "/../../admin",
            "/x/%252e%252e%252fadmin",
        ] {
            assert!(all(trick).contains("/admin"), "{trick}: {:?}", all(trick));
        }
    }

    #[test]
    fn harmless_escapes_have_one_reading() {
        assert_eq!(all("/a%20b/%E4%BA%92"), BTreeSet::from(["/a b/互".to_owned()]));
        assert_eq!(all("/100%"), BTreeSet::from(["/100%".to_owned()]));
        assert_eq!(all("/%zz"), BTreeSet::from(["/%zz".to_owned()]));
    }

    #[test]
    fn prefixes_end_where_segments_end() {
        for (path, prefix, below) in [
            ("/a", "/", true),
            ("/a", "/a", true),
            ("/a/", "/a", true),
            ("/a/b", "/a", true),
            ("/ab", "/a", false),
            ("/a/b", "/a/", true),
            ("/a", "/a/", true),
            ("/ab", "/a/", false),
            ("/", "/a", false),
            ("/A", "/a", false),
        ] {
            assert_eq!(is_below(path.as_bytes(), prefix), below, "{path} below {prefix}");
        }
    }

    proptest! {
        #[test]
        fn every_reading_is_a_path(path in "/[a-b./%25e;\\\\F]{0,30}") {
            for read in readings(&path) {
                prop_assert!(read.starts_with(b"/"), "{path}: {read:?}");
            }
        }
    }
}
