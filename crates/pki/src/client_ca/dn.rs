//! Distinguished names as text (RFC 4514).

use crate::text::hex;
use std::fmt::Write as _;
use x509_parser::asn1_rs::ToDer as _;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// RFC 4514 section 3, and two that are seen in practice.
const SHORT: [(&str, &str); 11] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// `name` with its last part first, as RFC 4514 has it: `CN=a,O=b`.
pub(crate) fn text(name: &X509Name<'_>) -> String {
    let mut text = String::new();
    let parts: Vec<_> = name.iter_rdn().collect();
    for (index, part) in parts.iter().rev().enumerate() {
        if index > 0 {
            text.push(',');
        }
        for (index, attribute) in part.iter().enumerate() {
            if index > 0 {
                text.push('+');
            }
            one(&mut text, attribute);
        }
    }
    text
}

fn one(text: &mut String, attribute: &AttributeTypeAndValue<'_>) {
    let oid = attribute.attr_type().to_id_string();
    let short = SHORT.iter().find(|(known, _)| *known == oid).map(|(_, short)| *short);
    text.push_str(short.unwrap_or(&oid));
    text.push('=');
    match (short, attribute.as_str()) {
        (Some(_), Ok(value)) => escape(text, value),
        // Section 2.4: a value without a string form is given by its octets.
        _ => {
            text.push('#');
            text.push_str(&hex(&attribute.attr_value().to_der_vec().unwrap_or_default()));
        }
    }
}

/// Section 2.4. Control characters, too, are escaped, so that a name is one line.
fn escape(text: &mut String, value: &str) {
    let last = value.chars().count().saturating_sub(1);
    for (index, character) in value.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => text.extend(['\\', character]),
            '#' | ' ' if index == 0 => text.extend(['\\', character]),
            ' ' if index == last => text.push_str("\\ "),
            // Characters that are not shown, or that turn the direction of those after them, are octets.
            _ if character.is_control()
                || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') =>
            {
                for octet in character.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(text, "\\{octet:02x}");
                }
            }
            _ => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    fn written(parts: &[(DnType, &str)]) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in parts {
            params.distinguished_name.push(kind.clone(), *value);
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let (_, read) = X509Certificate::from_der(certificate.der()).expect("a certificate");
        text(read.subject())
    }

    #[test]
    fn the_last_part_comes_first() {
        let parts = [(DnType::CountryName, "JP"), (DnType::OrganizationName, "Kyoto"), (DnType::CommonName, "alice")];
        assert_eq!(written(&parts), "CN=alice,O=Kyoto,C=JP");
        assert_eq!(written(&[]), "");
    }

    #[test]
    fn values_cannot_pass_for_parts() {
        assert_eq!(written(&[(DnType::CommonName, "a,O=b+\"<>;\\")]), r#"CN=a\,O=b\+\"\<\>\;\\"#);
        assert_eq!(written(&[(DnType::CommonName, " a b ")]), "CN=\\ a b\\ ");
        assert_eq!(written(&[(DnType::CommonName, "#1")]), "CN=\\#1");
        assert_eq!(written(&[(DnType::CommonName, "a\nb\0\u{202e}é")]), "CN=a\\0ab\\00\\e2\\80\\aeé");
    }

    #[test]
    fn unknown_attributes_are_octets() {
        let unknown = DnType::from_oid(&[1, 2, 3, 4]);
        assert_eq!(written(&[(unknown, "a")]), "1.2.3.4=#0c0161");
    }
}
