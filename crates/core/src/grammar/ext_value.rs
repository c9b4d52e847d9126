//! `ext-value`, the form for values that are not ASCII (RFC 8187 §3.2, RFC 8120 §3.1).

use alloc::string::String;
use alloc::vec::Vec;

/// `attr-char`: what an ext-value carries without percent-encoding.
fn is_attr_char(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&octet)
}

/// Decodes `UTF-8''pct-encoded`. `None` unless the charset is UTF-8, the language is empty, each escape is complete and
/// the result is UTF-8 with at least one character outside ASCII (a plain value MUST be sent plain).
pub(super) fn decode(value: &[u8]) -> Option<String> {
    let (charset, rest) = split_once(value)?;
    let (language, text) = split_once(rest)?;
    if !charset.eq_ignore_ascii_case(b"UTF-8") || !language.is_empty() {
        return None;
    }
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(octet) = rest.next() {
        match octet {
            b'%' => {
                let high = hex_digit(*rest.next()?)?;
                let low = hex_digit(*rest.next()?)?;
                octets.push(high << 4 | low);
            }
            octet if is_attr_char(*octet) => octets.push(*octet),
            _ => return None,
        }
    }
    String::from_utf8(octets).ok().filter(|text| !text.is_ascii())
}

/// Encodes `text` as `UTF-8''…`.
pub(super) fn encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push_str("UTF-8''");
    for octet in text.bytes() {
        if is_attr_char(octet) {
            out.push(char::from(octet));
        } else {
            out.push('%');
            for digit in [octet >> 4, octet & 0x0f] {
                out.push(char::from(HEX.get(usize::from(digit)).copied().unwrap_or(b'0')));
            }
        }
    }
}

fn split_once(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = value.iter().position(|octet| *octet == b'\'')?;
    Some((value.get(..at)?, value.get(at + 1..)?))
}

fn hex_digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_rfc8120_section_3_1() {
        // The RFC writes the precomposed capital (C3 89), whatever its prose says.
        let mut out = String::new();
        encode("RenÉe of France", &mut out);
        assert_eq!(out, "UTF-8''Ren%C3%89e%20of%20France");
        assert_eq!(decode(out.as_bytes()).as_deref(), Some("RenÉe of France"));
    }

    #[test]
    fn what_is_not_an_ext_value_is_refused() {
        for bad in [
            "UTF-8'en'%C3%89",  // the language must be empty
            "ISO-8859-1''%C9",  // the charset must be UTF-8
            "UTF-8''%C3",       // not UTF-8
            "UTF-8''%C",        // cut short
            "UTF-8''%G0",       // not hexadecimal
            "UTF-8''caf\u{e9}", // unescaped
            "UTF-8''a b%C3%89", // a space has to be escaped
            "UTF-8''plain",     // ASCII has to be sent plain
            "UTF-8'%C3%89",     // one quote
            "%C3%89",           // none
            "UTF-8''%C3%89'",   // a quote is no attr-char
            "",
        ] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn no_other_charset_is_taken_for_utf_8() {
        assert!(decode(b"utf-8''%C3%89").is_some());
        for charset in ["ISO-8859-1", "UTF-16", "UTF8", "US-ASCII", ""] {
            let value = alloc::format!("{charset}''%C3%89");
            assert_eq!(decode(value.as_bytes()), None, "{charset}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in "\\PC*é\\PC*") {
            let mut out = String::new();
            encode(&text, &mut out);
            prop_assert!(out.is_ascii());
            prop_assert_eq!(decode(out.as_bytes()), Some(text));
        }
    }
}
