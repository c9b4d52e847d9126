//! The plain fields: who, in which groups, by which proof.

use super::{ClientCertificate, IdentityError, Names, RawKey};
use crate::config;
use http::{HeaderName, HeaderValue};
use std::fmt::Write as _;
use tagai_core::server::AuthenticatedUser;

/// The longest value of the field with the groups, in octets. Common application servers take no line of more than 8 KiB.
pub const MAX_GROUPS: usize = 4096;

/// Who sent a request, as it was proven and as the directory knows it.
#[derive(Debug, Clone, Copy)]
pub struct Identified<'a> {
    /// The name of the principal: a registered one, or one named by its credential (`staff/alice`).
    pub principal: &'a str,
    /// Its groups.
    pub groups: &'a [String],
    /// The method of proof: `mutual`, `x509`, `raw-key`, `password-tls`.
    pub method: &'a str,
    /// What was proven.
    pub proven: Proven<'a>,
}

/// What the proof was about.
#[derive(Debug, Clone, Copy)]
pub enum Proven<'a> {
    /// A password, by `mutual` or `password-tls`.
    User {
        /// The user's name.
        name: &'a str,
        /// The realm's name, as the protocol has it.
        realm: &'a str,
    },
    /// The key of a certificate that was verified.
    Certificate(&'a ClientCertificate),
    /// A bare key.
    Key(&'a RawKey),
}

/// The fields that say who it is: always the principal and the method, the groups if there are any, user and realm if a password was
/// proven.
///
/// The groups are one list, with commas between them. A list that is too long is refused and not cut: an application may
/// keep out whom it finds in a group.
///
/// # Errors
/// [`IdentityError::Groups`]
pub fn fields(names: &Names, who: &Identified<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, IdentityError> {
    let mut fields = Vec::with_capacity(5);
    fields.push((names.principal.clone(), encode(who.principal)));
    fields.push((names.method.clone(), encode(who.method)));
    if !who.groups.is_empty() {
        fields.push((names.groups.clone(), list(who)?));
    }
    if let Proven::User { name, realm } = who.proven {
        fields.push((names.user.clone(), encode(name)));
        fields.push((names.realm.clone(), encode(realm)));
    }
    Ok(fields)
}

/// The fields that say who was proven by HTTP Mutual authentication, where no directory knows more.
#[must_use]
pub fn of_user(names: &config::Identity, user: &AuthenticatedUser) -> [(HeaderName, HeaderValue); 3] {
    [
        (names.user.clone(), encode(user.name().as_str())),
        (names.realm.clone(), encode(user.realm().name.as_str())),
        (names.method.clone(), HeaderValue::from_static("mutual")),
    ]
}

fn list(who: &Identified<'_>) -> Result<HeaderValue, IdentityError> {
    let mut list = String::new();
    for (place, group) in who.groups.iter().enumerate() {
        if place > 0 {
            list.push(',');
        }
        // No name of a group has a comma; if one had, it would not be two.
        escape(group, |octet| octet != b',', &mut list);
    }
    if list.len() > MAX_GROUPS {
        return Err(IdentityError::Groups { principal: who.principal.to_owned(), octets: list.len() });
    }
    Ok(value(list))
}

/// Text as a field value: visible ASCII as it is, everything else and `%` percent-encoded in UTF-8. So the value, decoded,
/// is the text, and two texts never have one value.
#[must_use]
pub fn encode(text: &str) -> HeaderValue {
    let mut encoded = String::with_capacity(text.len());
    escape(text, |_| true, &mut encoded);
    value(encoded)
}

fn escape(text: &str, kept: impl Fn(u8) -> bool, into: &mut String) {
    for octet in text.bytes() {
        if octet.is_ascii_graphic() && octet != b'%' && kept(octet) {
            into.push(char::from(octet));
        } else {
            let _ = write!(into, "%{octet:02X}");
        }
    }
}

/// What was written is visible ASCII.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_stay_as_they_are() {
        for (name, value) in [
            ("john", "john"),
            ("j.doe@example.com", "j.doe@example.com"),
            ("50% off", "50%25%20off"),
            ("互い", "%E4%BA%92%E3%81%84"),
        ] {
            assert_eq!(encode(name), value);
        }
    }

    fn told(who: &Identified<'_>) -> Vec<(String, String)> {
        let told = fields(&Names::default(), who).unwrap();
        told.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
    }

    fn alice<'a>(groups: &'a [String], method: &'a str) -> Identified<'a> {
        let proven = Proven::User { name: "alice", realm: "Our Staff" };
        Identified { principal: "alice", groups, method, proven }
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_application_sees_who_and_how() {
        let groups = ["ops".to_owned(), "on call, today".to_owned()];
        for method in ["mutual", "password-tls"] {
            let expected = pairs(&[
                ("tagai-principal", "alice"),
                ("tagai-method", method),
                ("tagai-groups", "ops,on%20call%2C%20today"),
                ("tagai-user", "alice"),
                ("tagai-realm", "Our%20Staff"),
            ]);
            assert_eq!(told(&alice(&groups, method)), expected);
        }
    }

    #[test]
    fn whoever_has_no_account_has_no_user_field() {
        let certificate = ClientCertificate::new(b"der", &[]);
        let principal = "partners/dns:device1.example.com";
        let who = Identified { principal, groups: &[], method: "x509", proven: Proven::Certificate(&certificate) };
        assert_eq!(told(&who), pairs(&[("tagai-principal", principal), ("tagai-method", "x509")]));
    }

    #[test]
    fn groups_are_refused_and_not_cut() {
        let just: Vec<String> = vec!["g".repeat(MAX_GROUPS)];
        assert!(fields(&Names::default(), &alice(&just, "mutual")).is_ok());
        let many: Vec<String> = (0..1000).map(|number| format!("group-{number}")).collect();
        let refused = fields(&Names::default(), &alice(&many, "mutual")).unwrap_err();
        assert!(matches!(refused, IdentityError::Groups { octets, .. } if octets > MAX_GROUPS), "{refused:?}");
        assert_eq!(refused.status(), 500);
        assert!(refused.to_string().contains("alice"), "{refused}");
    }

    fn decode(text: &str) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if first == '%' {
                octets.push(u8::from_str_radix(&rest[1..3], 16).unwrap());
                rest = &rest[3..];
            } else {
                octets.push(first as u8);
                rest = &rest[1..];
            }
        }
        octets
    }

    proptest! {
        #[test]
        fn what_is_encoded_can_be_decoded(text in "\\PC{0,40}") {
            prop_assert_eq!(decode(encode(&text).to_str().unwrap()), text.as_bytes());
        }
    }
}
