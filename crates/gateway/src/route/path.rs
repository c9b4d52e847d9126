//! Which route a path belongs to, even if others read it differently than we do.
//!
//! An application may resolve `..`, decode `%2F`, ignore `;parameters`, take `\` for `/` or several slashes for one, in one order or
//! another, or do none of it. If a gateway reads a path in one way and the application in another, a protected page can be had by
//! the rules of a public one. There are too many ways to try them all, and there is no need to:
//!
//! - A segment is *plain* if everybody reads the same name in it. The plain segments at the beginning of a path are certain.
//! - The first one that is not plain, and what follows it, may be read as anything that it could mean: by some as its leading name
//!   without escapes and parameters, by others as a name that no route has. If a route below the certain segments goes on with
//!   that name, readers could differ, and the path is refused. Otherwise nobody gets to a route below.
//! - `..` alone can take certain segments away. Where it stands plainly, with nothing else that is odd, it is resolved or it is not,
//!   and both have to lead to the same route. In any other company it is refused, unless there is one route for everything.

use super::NoRoute;
use std::borrow::Cow;

/// The path of a route, as the names in it.
#[derive(Debug)]
pub(super) struct Prefix(Vec<Vec<u8>>);

impl Prefix {
    /// Of a path in its plainest spelling, which a checked configuration has. With or without a slash at the end is the same.
    pub(super) fn new(path: &str) -> Self {
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        Self(segments.map(|segment| decode(segment.as_bytes())).collect())
    }

    /// How many names it has.
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }

    fn covers(&self, names: &[Cow<'_, [u8]>]) -> bool {
        self.0.len() <= names.len() && self.0.iter().zip(names).all(|(own, name)| **own == **name)
    }

    /// The name with which it goes on below `names`, if it stands below them.
    fn next_below(&self, names: &[Cow<'_, [u8]>]) -> Option<&[u8]> {
        let (begin, rest) = self.0.split_at_checked(names.len())?;
        begin.iter().zip(names).all(|(own, name)| **own == **name).then(|| rest.first().map(Vec::as_slice)).flatten()
    }
}

/// What everybody reads in a segment of a path.
enum Segment<'a> {
    /// This name.
    Plain(Cow<'a, [u8]>),
    /// Nothing, or an empty segment or one that is called `.`.
    Nothing { dot: bool },
    /// The way to the segment above, or one that is called `..`.
    Up,
    /// One or several segments, of which the first may have this name; anything, if it is empty.
    Odd { leading: Vec<u8>, up: bool },
}

impl<'a> Segment<'a> {
    fn read(text: &'a [u8]) -> Self {
        match text {
            b"" => Self::Nothing { dot: false },
            b"." => Self::Nothing { dot: true },
            b".." => Self::Up,
            _ if text.iter().all(|octet| stands_for_itself(*octet)) => Self::Plain(Cow::Borrowed(text)),
            _ if is_spelled_plainly(text) => Self::Plain(Cow::Owned(decode(text))),
            _ => {
                let decoded = decode(text);
                let mut pieces = decoded.split(|octet| ends_a_name(*octet));
                let leading = pieces.clone().next().map(<[u8]>::trim_ascii).filter(|name| *name != b".");
                let leading = leading.unwrap_or_default();
                Self::Odd { leading: leading.to_vec(), up: pieces.any(|name| name.trim_ascii() == b"..") }
            }
        }
    }
}

/// The route, by its number among `routes`, that a path (without its query) belongs to: the first that covers it.
pub(super) fn find<'r>(routes: impl Iterator<Item = &'r Prefix> + Clone, path: &str) -> Result<usize, NoRoute> {
    let path = path.strip_prefix('/').ok_or(NoRoute::NotFound)?;
    let segments = || path.as_bytes().split(|octet| *octet == b'/').map(Segment::read);
    if !segments().any(|segment| matches!(segment, Segment::Up | Segment::Odd { up: true, .. })) {
        return find_among(routes, segments());
    }
    if routes.clone().all(|route| route.0.is_empty()) {
        return if routes.count() == 0 { Err(NoRoute::NotFound) } else { Ok(0) };
    }
    let mut resolved = Vec::new();
    for segment in segments() {
        match segment {
            Segment::Plain(_) => resolved.push(segment),
            Segment::Up => drop(resolved.pop()),
            Segment::Nothing { dot: true } => {}
            Segment::Nothing { dot: false } | Segment::Odd { .. } => return Err(NoRoute::Ambiguous),
        }
    }
    let unresolved = segments().take_while(|segment| !matches!(segment, Segment::Up));
    let found = find_among(routes.clone(), resolved.into_iter());
    if found == find_among(routes, unresolved) { found } else { Err(NoRoute::Ambiguous) }
}

/// [`find`] without [`Segment::Up`].
fn find_among<'r, 'a>(
    mut routes: impl Iterator<Item = &'r Prefix> + Clone,
    segments: impl Iterator<Item = Segment<'a>>,
) -> Result<usize, NoRoute> {
    let mut certain: Vec<Cow<'_, [u8]>> = Vec::new();
    let mut left_out = false;
    for segment in segments {
        let leading = match segment {
            Segment::Plain(name) if !left_out => {
                // Some ignore the case of letters, and would find a route where this name leads past it.
                let mut below = routes.clone().filter_map(|route| route.next_below(&certain));
                if below.any(|other| other.eq_ignore_ascii_case(&name) && *other != *name) {
                    return Err(NoRoute::Ambiguous);
                }
                certain.push(name);
                continue;
            }
            Segment::Nothing { .. } => {
                left_out = true;
                continue;
            }
            Segment::Plain(name) => name,
            Segment::Odd { leading, .. } => Cow::Owned(leading),
            Segment::Up => Cow::Borrowed(&b""[..]),
        };
        let mut below = routes.clone().filter_map(|route| route.next_below(&certain));
        if below.any(|name| leading.is_empty() || name.eq_ignore_ascii_case(&leading)) {
            return Err(NoRoute::Ambiguous);
        }
        break;
    }
    routes.position(|route| route.covers(&certain)).ok_or(NoRoute::NotFound)
}

/// Octets that a path may hold as they are, and that mean nothing else to anybody (RFC 3986 §3.3 without `;`).
fn stands_for_itself(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&octet)
}

/// Whether a segment is spelled in the one way that all encoders agree on: escapes in capitals, for what cannot stand for itself,
/// and none that hides a delimiter or another escape.
fn is_spelled_plainly(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        if stands_for_itself(*octet) {
            continue;
        }
        let (b'%', Some((&[high, low], after))) = (octet, after.split_first_chunk()) else { return false };
        let capitals = !high.is_ascii_lowercase() && !low.is_ascii_lowercase();
        let Some(value) = escaped(high, low).filter(|_| capitals) else { return false };
        if stands_for_itself(value) || ends_a_name(value) || value == b'%' {
            return false;
        }
        rest = after;
    }
    // Some trim names.
    !text.starts_with(b"%20") && !text.ends_with(b"%20")
}

/// Octets at which some reader takes a name to be over: delimiters of paths and URLs, and what ends a string or a line.
fn ends_a_name(octet: u8) -> bool {
    matches!(octet, b'/' | b'\\' | b';' | b'?' | b'#') || octet.is_ascii_control()
}

/// Whether a path may lead out of the directory that it begins in, for those who resolve `..`.
pub(super) fn may_leave(path: &str) -> bool {
    let mut depth = 0usize;
    for segment in path.as_bytes().split(|octet| *octet == b'/').map(Segment::read) {
        match segment {
            Segment::Plain(_) => depth += 1,
            Segment::Up => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return true,
            },
            Segment::Odd { up: true, .. } => return true,
            Segment::Nothing { .. } | Segment::Odd { .. } => {}
        }
    }
    false
}

/// Undoes all percent-encoding, however often it was applied.
fn decode(text: &[u8]) -> Vec<u8> {
    let mut decoded: Vec<u8> = Vec::with_capacity(text.len());
    for octet in text {
        decoded.push(*octet);
        // What was decoded may complete another escape.
        while let Some((rest, &[b'%', high, low])) = decoded.split_last_chunk()
            && let Some(octet) = escaped(high, low)
        {
            let length = rest.len();
            decoded.truncate(length);
            decoded.push(octet);
        }
    }
    decoded
}

fn escaped(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The route of a path among these, the longer ones first.
    fn route<'r>(routes: &[&'r str], path: &str) -> Result<&'r str, NoRoute> {
        let prefixes: Vec<Prefix> = routes.iter().map(|route| Prefix::new(route)).collect();
        find(prefixes.iter(), path).map(|number| routes[number])
    }

    #[test]
    fn every_trick_is_refused() {
        for trick in [
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
            "/;x/admin",
            "/%2fadmin",
            "/\\admin",
            "/x/%252e%252e/admin",
            "/../../admin",
            "/x/%252e%252e%252fadmin",
            "/%%361dmin",
            // What ends a name for some.
            "/admin%3Fx",
            "/admin%23",
            "/admin%00",
            "/admin%0A",
            "/admin%20",
            "/%20admin",
            // Parameters that are taken off before or after decoding hide one `..`, or two.
            "/x/x/..;/..;/admin/..%3b/../x/",
            "/admin/%2e%2e/x",
            "/x//../../admin",
        ] {
            assert_eq!(route(&["/admin", "/x", "/"], trick), Err(NoRoute::Ambiguous), "{trick}");
            assert_eq!(route(&["/"], trick), Ok("/"), "there is nothing else: {trick}");
        }
        assert_eq!(route(&["/x/x/y", "/x", "/"], "/x/x;%2fz/x/y"), Err(NoRoute::Ambiguous));
    }

    #[test]
    fn letters_of_another_case_are_not_another_name_for_everybody() {
        let routes = ["/admin/keys", "/Files", "/"];
        for path in ["/ADMIN/keys", "/admin/KEYS", "/admin/Keys/x", "/files", "/FILES/x", "/ADMIN;x/keys"] {
            assert_eq!(route(&routes, path), Err(NoRoute::Ambiguous), "{path}");
        }
        for (path, found) in [("/admin/keys/X", "/admin/keys"), ("/Files/admin", "/Files"), ("/X/ADMIN", "/")] {
            assert_eq!(route(&routes, path), Ok(found), "{path}");
        }
    }

    #[test]
    fn a_path_may_lead_out_of_where_it_begins() {
        for path in ["/..", "/../x", "/a/../../x", "/%2e%2e/x", "/a/..%2f..%2fx", "/a/..;/x", "/a//../../x"] {
            assert!(may_leave(path), "{path}");
        }
        for path in ["/", "/a/b", "/a/../b", "/a/b/../..", "/a%2Fb", "/a..b", "/..a"] {
            assert!(!may_leave(path), "{path}");
        }
    }

    #[test]
    fn what_is_odd_in_a_place_without_routes_below_passes() {
        let routes = ["/admin/keys", "/admin", "/"];
        for (path, found) in [
            ("/a%2Fb", "/"),
            ("/a;admin", "/"),
            ("/administrators;x", "/"),
            ("/100%", "/"),
            ("/%zz", "/"),
            ("/a//admin", "/"),
            ("//a", "/"),
            ("/a/../b", "/"),
            ("/admin/a/../b", "/admin"),
            ("/admin/a%2Fb", "/admin"),
            ("/admin/user%40example.com", "/admin"),
            ("/admin//x", "/admin"),
            ("/admin/keys/;x/\\%5C%2F", "/admin/keys"),
        ] {
            assert_eq!(route(&routes, path), Ok(found), "{path}");
        }
    }

    #[test]
    fn a_route_may_be_written_with_escapes() {
        let routes = ["/caf%C3%A9", "/a%20b/", "/"];
        assert_eq!(route(&routes, "/caf%C3%A9/x"), Ok("/caf%C3%A9"));
        assert_eq!(route(&routes, "/a%20b"), Ok("/a%20b/"));
        // Some decode this, and others compare it as it is.
        assert_eq!(route(&routes, "/caf%c3%a9"), Err(NoRoute::Ambiguous));
        assert_eq!(route(&routes, "/café"), Err(NoRoute::Ambiguous));
        assert_eq!(route(&routes, "/caf%C3%A8"), Ok("/"));
    }

    #[test]
    fn routes_end_where_segments_end() {
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
            ("*", "/", false),
        ] {
            assert_eq!(route(&[prefix], path).is_ok(), below, "{path} below {prefix}");
        }
    }

    proptest! {
        #[test]
        fn a_plain_path_is_never_refused(path in "(/[a-b.]{1,3}){1,5}/?") {
            prop_assume!(!path.split('/').any(|segment| matches!(segment, "." | "..")));
            let found = route(&["/a/a", "/a", "/"], &path);
            let expected = ["/a/a", "/a"].into_iter().find(|route| format!("{path}/").starts_with(&format!("{route}/")));
            prop_assert_eq!(found, Ok(expected.unwrap_or("/")));
        }

        #[test]
        fn decoding_leaves_no_escape(text in "[%2-6a-f]{0,20}") {
            let decoded = decode(text.as_bytes());
            prop_assert_eq!(decode(&decoded), decoded);
        }
    }
}
