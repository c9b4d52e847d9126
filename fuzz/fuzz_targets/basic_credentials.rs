//! Lines of `Authorization` with credentials of HTTP Basic (RFC 7617), one line of the input each. A line that begins with `:` is
//! sent as base64 behind the name of the scheme, without the `:`.
//!
//! - What is read has one line, one form in base64, and a name without a colon.
//! - It is what the simplest reader reads: the text behind the scheme, decoded, cut at the first colon.
//! - What is not Basic's is left alone, in whatever company; what is, is never left alone.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tagai_fuzz::lines;
use tagai_server::{MalformedBasic, read_basic};

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for three in octets.chunks(3) {
        let octet = |place: usize| usize::from(three.get(place).copied().unwrap_or(0));
        let number = octet(0) << 16 | octet(1) << 8 | octet(2);
        for place in 0..4 {
            let digit = DIGITS[number >> (18 - 6 * place) & 63];
            out.push(if place <= three.len() { digit } else { b'=' });
        }
    }
    out
}

/// Whether a line names the scheme, and not another that begins alike.
fn is_basic(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let Some((name, rest)) = line.split_at_checked(5) else { return false };
    let goes_on = |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet);
    name.eq_ignore_ascii_case(b"basic") && !rest.first().is_some_and(goes_on)
}

fuzz_target!(|input: &[u8]| {
    let made = lines(input).into_iter().map(|line| match line.strip_prefix(b":") {
        Some(text) => [b"Basic ", base64(text).as_slice()].concat(),
        None => line.to_vec(),
    });
    let made: Vec<_> = made.collect();
    let read = read_basic(made.iter().map(Vec::as_slice));
    let count = made.iter().filter(|line| is_basic(line)).count();
    match read {
        Ok(None) => assert_eq!(count, 0),
        Ok(Some((user, password))) => {
            assert_eq!((count, made.len()), (1, 1));
            assert!(!user.contains(':'));
            let text = format!("{user}:{password}");
            assert!(!text.chars().any(char::is_control));
            let digits = made[0].trim_ascii()[5..].trim_ascii();
            assert_eq!(digits, base64(text.as_bytes()));
        }
        Err(error) => {
            assert!(count > 0);
            assert_eq!(error == MalformedBasic::Several, made.len() > 1);
        }
    }
});
