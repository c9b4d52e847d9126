//! A path in all the ways in which an application may read it.
//!
//! A policy that forbids `/admin/*` would be worth nothing if `/%61dmin/` passed. There is no one way to read a path: some decode
//! before they resolve `..`, some after, some twice; some take `\` for `/`, or leave out `;parameters`. So each of these steps is
//! taken in every order, and a request passes if the policies let it pass in every reading.

use std::collections::BTreeSet;

/// The most readings of one path. A path with more is not let through where policies look at paths.
const MAX_READINGS: usize = 32;

/// All readings, the path as sent first; `None` if there are too many.
pub(crate) fn readings(path: &str) -> Option<Vec<String>> {
    let mut all = vec![path.to_owned()];
    if is_plain(path) {
        return Some(all);
    }
    // What some read as a sign of another coding, nobody here can follow.
    if path.contains("%u") || path.contains("%U") || !decodes_to_text(path) {
        return None;
    }
    let mut known: BTreeSet<String> = all.iter().cloned().collect();
    let mut at = 0;
    while let Some(reading) = all.get(at).cloned() {
        at += 1;
        for step in [decode_all, decode_names, ends, trims, backslashes, parameters, slashes, dots] {
            let next = step(&reading);
            if known.insert(next.clone()) {
                all.push(next);
                if all.len() > MAX_READINGS {
                    return None;
                }
            }
        }
    }
    Some(all)
}

/// Whether everybody reads the path alike.
fn is_plain(path: &str) -> bool {
    !path.contains(['%', '\\', ';'])
        && !path.contains("//")
        && !path.split('/').any(|segment| segment.ends_with('.') && segment != "...")
}

/// Whether what is escaped is UTF-8, once and again.
fn decodes_to_text(path: &str) -> bool {
    !decode_all(&decode_all(path)).contains(char::REPLACEMENT_CHARACTER)
}

/// A path ends for some at a NUL or a line's end, and once it is decoded, at a query or a fragment.
fn ends(path: &str) -> String {
    path.split(|c: char| c.is_ascii_control() || matches!(c, '?' | '#')).next().unwrap_or_default().to_owned()
}

/// Some leave out space around names, and dots at their end.
fn trims(path: &str) -> String {
    let trim = |name: &str| {
        let name = name.trim_matches([' ', '\t']);
        let bare = name.trim_end_matches(['.', ' ']);
        if bare.is_empty() { name.to_owned() } else { bare.to_owned() }
    };
    path.split('/').map(trim).collect::<Vec<_>>().join("/")
}

fn decode_all(path: &str) -> String {
    decode(path, |_| true)
}

fn decode_names(path: &str) -> String {
    decode(path, |octet| !matches!(octet, b'/' | b'\\'))
}

fn backslashes(path: &str) -> String {
    path.replace('\\', "/")
}

fn parameters(path: &str) -> String {
    let names: Vec<&str> = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()).collect();
    names.join("/")
}

fn slashes(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !out.ends_with('/') {
            out.push(c);
        }
    }
    out
}

/// RFC 3986 section 5.2.4.
fn dots(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut is_directory = false;
    for segment in path.strip_prefix('/').unwrap_or(path).split('/') {
        is_directory = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    let end = if is_directory && !names.is_empty() { "/" } else { "" };
    format!("/{}{end}", names.join("/"))
}

fn decode(path: &str, which: impl Fn(u8) -> bool) -> String {
    let text = path.as_bytes();
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(octet) = text.get(at) {
        let digits = text.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let value = digits.filter(|_| *octet == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let value = value.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|value| which(*value));
        decoded.push(value.unwrap_or(*octet));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_have_one_reading() {
        for path in ["", "/", "/a/b.c/", "/a:b@c~", "/...", "/a/.well-known/x"] {
            assert_eq!(readings(path).expect("few"), [path]);
        }
    }

    #[test]
    fn every_trick_leads_to_the_page() {
        for path in [
            "/%61dmin/x",
            "/%2561dmin/x",
            "//admin/x",
            "/a/../admin/x",
            "/a/%2e%2e/admin/x",
            "/a%2f..%2fadmin%2fx",
            "/admin;v=1/x",
            "/.;/admin/x",
            "\\admin\\x",
            "/%5cadmin%5cx",
            "/./admin/x",
            "/a/..;/admin/x",
            "/admin%20/x",
            "/%20admin/x",
            "/admin./x",
            "/admin/x%3Fy",
            "/admin/x%23y",
            "/admin/x%00.html",
            "/admin/x%0a",
        ] {
            let all = readings(path).expect("few");
            assert_eq!(all[0], path);
            assert!(all.iter().any(|reading| reading == "/admin/x"), "{path}: {all:?}");
        }
    }

    #[test]
    fn what_is_no_text_is_not_read() {
        for path in ["/adm%u0069n", "/admin%C0%AFx", "/%ff", "/%25ff"] {
            assert_eq!(readings(path), None, "{path}");
        }
        assert!(readings("/%C3%A9t%C3%A9").is_some());
    }

    #[test]
    fn there_are_never_many() {
        let path = "/a;b/%2525252e%252e/..%5c;/%2f//x/%25252f".repeat(20);
        assert!(readings(&path).is_none_or(|all| all.len() <= MAX_READINGS));
    }

    #[test]
    fn dots_at_the_end_leave_a_directory() {
        assert_eq!(dots("/a/b/.."), "/a/");
        assert_eq!(dots("/a/.."), "/");
        assert_eq!(dots("/a/./b"), "/a/b");
    }
}
