//! URLs of the client, and references to them: the first line is a URL, the second a reference.
//!
//! - A URL that was written and read again is the same, and is one for the `http` crate too, of the same server.
//! - Its target is a path with a query of visible ASCII characters, without a fragment and without dot segments.
//! - Its server is the one that stands before the first slash, whatever comes later.
//! - A reference leads to another server only if it names one.

#![no_main]

use http::Uri;
use libfuzzer_sys::fuzz_target;
use tagai_client::{MAX_URL_LEN, Url};
use tagai_core::realm::Origin;

fuzz_target!(|input: &str| {
    let (text, reference) = input.split_once('\n').unwrap_or((input, ""));
    let Ok(url) = Url::parse(text) else { return };
    check(&url);
    let authority = text.split(['/', '?', '#']).nth(2).expect("what follows two slashes");
    let scheme = if url.is_https() { "https" } else { "http" };
    assert_eq!(Origin::parse(&format!("{scheme}://{authority}")).as_ref(), Ok(url.origin()));

    assert_eq!(url.join("").as_ref(), Ok(&url));
    assert_eq!(url.join(&url.to_string()).as_ref(), Ok(&url));
    if !url.target().starts_with("//") {
        assert_eq!(url.join(url.target()).as_ref(), Ok(&url));
    }
    let Ok(joined) = url.join(reference) else { return };
    check(&joined);
    let names_a_server = reference.starts_with("//") || Url::parse(reference).is_ok();
    assert!(names_a_server || joined.origin() == url.origin());
    if !names_a_server && reference.starts_with('/') {
        assert_eq!(Url::parse(&format!("{}{reference}", url.origin())), Ok(joined));
    }
});

fn check(url: &Url) {
    let written = url.to_string();
    assert!(written.len() <= MAX_URL_LEN, "{} octets", written.len());
    assert_eq!(Url::parse(&written).as_ref(), Ok(url));
    let target = url.target();
    assert!(target.starts_with('/'));
    assert!(target.bytes().all(|octet| octet.is_ascii_graphic() && !br#"#"\<>"#.contains(&octet)), "{target}");
    let path = target.split('?').next().unwrap_or_default().to_ascii_lowercase().replace("%2e", ".");
    assert!(path.split('/').all(|segment| !matches!(segment, "." | "..")), "{target}");

    let uri: Uri = written.parse().expect("a URI");
    assert_eq!(uri.path_and_query().map(|target| target.as_str()), Some(target));
    assert_eq!(uri.host(), Some(&*url.origin().host().to_string()));
    assert_eq!(uri.port_u16().unwrap_or(url.origin().scheme().default_port()), url.origin().port());
}
