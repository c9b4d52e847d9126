//! The body of a registration or of a change of password, in JSON.
//!
//! - What is read is text, and is one of the two at most.
//! - Names are prepared, and codes have one spelling; written anew, they are read as they were.
//! - What an honest client writes is read as it was written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tagai_gateway::service::{read_password_change, read_registration};
use tagai_store::invitation::InvitationCode;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(octets: &[u8]) -> String {
    let mut out = String::new();
    for three in octets.chunks(3) {
        let octet = |place: usize| usize::from(three.get(place).copied().unwrap_or(0));
        let number = octet(0) << 16 | octet(1) << 8 | octet(2);
        for place in 0..4 {
            let digit = DIGITS[number >> (18 - 6 * place) & 63];
            out.push(if place <= three.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

/// A string in JSON, every character of it escaped.
fn escaped(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

fuzz_target!(|input: &[u8]| {
    let registration = read_registration(input);
    let change = read_password_change(input);
    assert!(registration.is_none() || change.is_none(), "a body is one of the two");
    if registration.is_some() || change.is_some() {
        let text = std::str::from_utf8(input).expect("what is read is UTF-8").trim();
        assert!(text.starts_with('{') && text.ends_with('}'));
    }
    if let Some((user, code, verifier)) = registration {
        assert!(!user.is_empty() && !user.chars().any(char::is_control));
        let again = InvitationCode::parse(&code).expect("a code that was read");
        assert_eq!(*again.expose_text(), code);
        let body = format!(
            "{{\"realm\":\"\",\"auth-scope\":\"\",\"algorithm\":\"\",\"user\":\"{}\",\"invitation\":\"{code}\",\"verifier\":\"{}\"}}",
            escaped(&user),
            base64(&verifier)
        );
        assert_eq!(read_registration(body.as_bytes()), Some((user, code, verifier)));
    }
    if let Some((verifier, binding)) = change {
        let body = format!("{{\"verifier\":\"{}\",\"binding\":\"{}\"}}", base64(&verifier), base64(&binding));
        assert_eq!(read_password_change(body.as_bytes()), Some((verifier, binding)));
    }
    // Whatever an honest client has to say is understood.
    let (verifier, binding) = input.split_at(input.len() / 2);
    let body = format!("{{\"verifier\":\"{}\",\"binding\":\"{}\"}}", base64(verifier), base64(binding));
    assert_eq!(read_password_change(body.as_bytes()), Some((verifier.to_vec(), binding.to_vec())));
});
