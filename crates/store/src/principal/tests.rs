//! Text forms: each is read as it was written, and everything has one spelling.

use super::*;
use proptest::prelude::*;
use tagai_core::credential::Username;

fn credential(text: &str) -> Credential {
    text.parse().unwrap()
}

/// Names of users that could be taken for something else, and any others.
fn user_name() -> impl Strategy<Value = Username> {
    let tricky = "(user:|dns:|uri:|email:|cn:|key:|x509:|/|[a-z]){0,3}[ -~é山]{1,12}";
    tricky.prop_filter_map("no user name", |text| Username::prepared(text).ok())
}

fn certificate_name() -> impl Strategy<Value = CertificateName> {
    let value = "(dns:|user:|/|[A-Za-z]){0,3}[!-~]{1,12}@?[A-Za-z.]{1,8}";
    (0..NameKind::ALL.len(), value)
        .prop_filter_map("no name", |(kind, value)| CertificateName::new(NameKind::ALL[kind], &value).ok())
}

fn any_credential() -> impl Strategy<Value = Credential> {
    let authority = || "[a-b]{1,2}".prop_map(|id| Authority::new(&id).unwrap());
    prop_oneof![
        (authority(), user_name()).prop_map(|(realm, name)| Credential::User { realm, name }),
        (authority(), certificate_name()).prop_map(|(client_ca, name)| Credential::Certificate { client_ca, name }),
        any::<[u8; 32]>().prop_map(|octets| Credential::Key(KeyPin::from_octets(octets))),
    ]
}

proptest! {
    #[test]
    fn a_credential_is_read_as_it_was_written(credential in any_credential()) {
        let text = credential.to_string();
        prop_assert!(text.len() <= MAX_CREDENTIAL_LEN);
        prop_assert_eq!(text.parse::<Credential>(), Ok(credential));
    }

    #[test]
    fn a_name_leads_back_to_its_credential(credential in any_credential()) {
        match credential.subject() {
            Some(subject) => {
                prop_assert!(subject.as_str().len() <= MAX_SUBJECT_LEN);
                prop_assert_eq!(subject.as_str().parse::<SubjectName>(), Ok(subject.clone()));
                prop_assert_eq!(subject.credential(), Some(credential));
                prop_assert!(subject.as_str().parse::<PrincipalName>().is_err());
            }
            None => prop_assert!(matches!(credential, Credential::Key(_))),
        }
    }

    /// Whatever is accepted has one spelling.
    #[test]
    fn what_is_read_is_written_in_one_way(text in "(user:|x509:|key:|key:sha256:)?[ab-]{0,2}/?(dns:|email:|cn:|user:)?[ -~é]{0,20}") {
        if let Ok(credential) = text.parse::<Credential>() {
            prop_assert_eq!(credential.to_string().parse::<Credential>(), Ok(credential));
        }
        if let Ok(subject) = text.parse::<SubjectName>() {
            prop_assert_eq!(subject.to_string().parse::<SubjectName>(), Ok(subject));
        }
    }

    #[test]
    fn a_serial_number_is_one_number_however_it_is_written(octets in prop::collection::vec(any::<u8>(), 1..=MAX_SERIAL_LEN), zeros in 0_usize..3) {
        let serial = Serial::from_octets(&octets).unwrap();
        let padded = [vec![0; zeros], octets.clone()].concat();
        prop_assert_eq!(Serial::from_octets(&padded), Ok(serial.clone()));
        let text = serial.to_string();
        let colons: Vec<&str> = (0..text.len()).step_by(2).map(|at| &text[at..at + 2]).collect();
        for other in [text.clone(), text.to_uppercase(), format!("0x{text}"), format!("00{text}"), colons.join(":")] {
            prop_assert_eq!(other.parse::<Serial>(), Ok(serial.clone()), "{}", other);
        }
    }
}

#[test]
fn credentials_are_written_as_the_command_line_has_them() {
    let pin = "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for (text, subject) in [
        ("user:staff/alice", Some("staff/alice")),
        ("user:staff/alice/b", Some("staff/alice/b")),
        ("user:Staff_2.x/Alice Smith", Some("Staff_2.x/Alice Smith")),
        ("user:staff/dns:x", Some("staff/user:dns:x")),
        ("user:staff/user:", Some("staff/user:user:")),
        ("user:staff/a:b", Some("staff/a:b")),
        ("x509:partners/dns:device1.example.com", Some("partners/dns:device1.example.com")),
        ("x509:partners/uri:spiffe://example.com/a", Some("partners/uri:spiffe://example.com/a")),
        ("x509:partners/email:Bob@example.com", Some("partners/email:Bob@example.com")),
        ("x509:partners/cn:Bob Müller", Some("partners/cn:Bob Müller")),
        (&format!("key:{pin}"), None),
    ] {
        let credential = credential(text);
        assert_eq!(credential.to_string(), text);
        assert_eq!(credential.subject().as_ref().map(SubjectName::as_str), subject, "{text}");
    }
    assert_eq!(KeyPin::of_spki(b"").to_string(), pin, "the SHA-256 of nothing");
}

#[test]
fn other_spellings_become_the_one() {
    for (text, spelling) in [
        ("x509:p/dns:Device1.EXAMPLE.com", "x509:p/dns:device1.example.com"),
        ("x509:p/email:Bob@Example.COM", "x509:p/email:Bob@example.com"),
        (
            "key:sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "key:sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        ),
    ] {
        assert_eq!(credential(text).to_string(), spelling);
    }
    assert_eq!("p/dns:A.b".parse::<SubjectName>().unwrap().as_str(), "p/dns:a.b");
}

#[test]
fn what_is_no_credential_is_refused_with_what_is_wrong() {
    let long = "x".repeat(1025);
    for (text, error) in [
        ("", NameError::CredentialKind),
        ("alice", NameError::CredentialKind),
        ("staff/alice", NameError::CredentialKind),
        ("User:staff/alice", NameError::CredentialKind),
        ("user:alice", NameError::NoAuthority),
        ("user:/alice", NameError::Authority),
        ("user:-staff/alice", NameError::Authority),
        ("user:st aff/alice", NameError::Authority),
        (&format!("user:{}/a", "s".repeat(65)), NameError::Authority),
        ("user:staff/", NameError::UserName),
        ("user:staff/a\nb", NameError::UserName),
        (&format!("user:staff/{long}"), NameError::UserName),
        ("x509:partners/alice", NameError::CertificateNameKind),
        ("x509:partners/ip:127.0.0.1", NameError::CertificateNameKind),
        ("x509:partners/dns:", NameError::CertificateName),
        ("x509:partners/dns:a b", NameError::CertificateName),
        ("x509:partners/dns:bücher.example", NameError::CertificateName),
        ("x509:partners/email:bob", NameError::CertificateName),
        ("x509:partners/cn:a\u{0}b", NameError::CertificateName),
        (&format!("x509:partners/cn:{}", "x".repeat(2049)), NameError::CertificateName),
        ("key:", NameError::KeyPin),
        ("key:sha1:2jmj7l5rSw0yVb/vlWAYkK/YBwk=", NameError::KeyPin),
        ("key:sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", NameError::KeyPin),
        ("key:sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=", NameError::KeyPin),
        ("key:sha256:AAAA", NameError::KeyPin),
    ] {
        assert_eq!(text.parse::<Credential>(), Err(error), "{text:?}");
    }
}

#[test]
fn names_are_bounded_and_plain() {
    for good in ["a", "7", "alice@example.com", "sensor-7", "A_b+c.d", &"a".repeat(128)] {
        assert_eq!(good.parse::<PrincipalName>().unwrap().as_str(), good);
        assert_eq!(good.parse::<GroupName>().unwrap().as_str(), good);
        assert_eq!(good.parse::<SubjectName>().unwrap().credential(), None);
    }
    for bad in ["", "-a", ".a", "@", "a/b", "a:b", "a b", "é", "a\n", &"a".repeat(129)] {
        assert_eq!(bad.parse::<PrincipalName>(), Err(NameError::PrincipalName), "{bad:?}");
        assert_eq!(bad.parse::<GroupName>(), Err(NameError::GroupName), "{bad:?}");
    }
    // Neither a principal's name nor that of a credential in its one spelling.
    for bad in ["", "-a", "staff/", "/alice", "staff/user:alice", "staff/dns:", "a:b", "key:x"] {
        assert_eq!(bad.parse::<SubjectName>(), Err(NameError::SubjectName), "{bad:?}");
    }
    for bad in ["", "1a", "-a", "a=b", "a b", &"a".repeat(65)] {
        assert_eq!(bad.parse::<AttributeKey>(), Err(NameError::AttributeKey), "{bad:?}");
    }
    assert!("cost-centre.2".parse::<AttributeKey>().is_ok() && "".parse::<AttributeValue>().is_ok());
    assert!("x".repeat(1024).parse::<AttributeValue>().is_ok());
    for bad in ["a\nb", "\u{7f}", &"x".repeat(1025)] {
        assert_eq!(bad.parse::<AttributeValue>(), Err(NameError::AttributeValue), "{bad:?}");
    }
}

#[test]
fn serial_numbers_are_numbers() {
    for zero in ["0", "00", "000", "0x0", "00:00"] {
        assert_eq!(zero.parse::<Serial>(), Serial::from_octets(&[0]), "{zero}");
    }
    assert_eq!("A0b".parse::<Serial>().unwrap().to_string(), "0a0b");
    let most = "f".repeat(2 * MAX_SERIAL_LEN);
    assert!(most.parse::<Serial>().is_ok() && format!("00{most}").parse::<Serial>().is_ok());
    for bad in
        ["", "0x", ":", "a:", ":a", "a::b", "g", "-1", "1 2", "0x0x1", "é", &format!("1{most}"), &"0".repeat(1000)]
    {
        assert_eq!(bad.parse::<Serial>(), Err(NameError::Serial), "{bad:?}");
    }
    assert_eq!(Serial::from_octets(&[]), Err(NameError::Serial));
    assert_eq!(Serial::from_octets(&[1; MAX_SERIAL_LEN + 1]), Err(NameError::Serial));
}

#[test]
fn methods_and_kinds_are_read_as_they_are_written() {
    for method in Method::ALL {
        assert_eq!(method.as_str().parse(), Ok(method));
    }
    for kind in PrincipalKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
    assert_eq!("Mutual".parse::<Method>(), Err(NameError::Method));
    assert_eq!("robot".parse::<PrincipalKind>(), Err(NameError::PrincipalKind));
}
