use super::*;
use proptest::prelude::*;

fn name(kind: NameKind, value: &str) -> Result<String, NameError> {
    MappedName::new(kind, value).map(|name| name.to_string())
}

#[test]
fn hosts_are_in_lower_case() {
    assert_eq!(name(NameKind::Dns, "Device1.Example.COM").as_deref(), Ok("dns:device1.example.com"));
    assert_eq!(name(NameKind::Dns, "under_score.example").as_deref(), Ok("dns:under_score.example"));
    assert_eq!(name(NameKind::Dns, "printer").as_deref(), Ok("dns:printer"));
}

#[test]
fn what_is_no_host_is_refused() {
    for (text, error) in [
        ("", NameError::Empty),
        ("*.example.com", NameError::Pattern),
        ("a*b.example.com", NameError::Pattern),
        ("example.com\0.evil.example", NameError::Character),
        ("example.com\n", NameError::Character),
        ("bücher.example", NameError::Character),
        ("a b.example", NameError::Character),
        ("a/b", NameError::Character),
        ("a:b", NameError::Character),
        ("example.com.", NameError::Form),
        (".example.com", NameError::Form),
        ("a..b", NameError::Form),
        ("-a.example", NameError::Form),
        ("a-.example", NameError::Form),
        ("192.0.2.1", NameError::Form),
    ] {
        assert_eq!(name(NameKind::Dns, text), Err(error), "{text:?}");
    }
    assert_eq!(name(NameKind::Dns, &"a".repeat(64)), Err(NameError::Form));
    assert_eq!(name(NameKind::Dns, &"a.".repeat(127)), Err(NameError::Long(253)));
}

#[test]
fn the_local_part_of_an_address_is_left_as_it_is() {
    assert_eq!(name(NameKind::Email, "Alice.B+x@Example.COM").as_deref(), Ok("email:Alice.B+x@example.com"));
    for (text, error) in [
        ("alice", NameError::Form),
        ("@example.com", NameError::Form),
        ("alice@", NameError::Empty),
        ("a@b@example.com", NameError::Character),
        ("\"a b\"@example.com", NameError::Character),
        ("a..b@example.com", NameError::Form),
        ("*@example.com", NameError::Pattern),
        ("a\r\nb@example.com", NameError::Character),
        ("é@example.com", NameError::Character),
        ("alice@[192.0.2.1]", NameError::Character),
    ] {
        assert_eq!(name(NameKind::Email, text), Err(error), "{text:?}");
    }
}

#[test]
fn uris_are_absolute_and_stay_as_they_are() {
    for good in ["https://a.example/b?c=d#e", "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "x:%4A"] {
        assert_eq!(name(NameKind::Uri, good), Ok(format!("uri:{good}")));
    }
    for (text, error) in [
        ("", NameError::Empty),
        ("/relative", NameError::Form),
        ("x:", NameError::Form),
        ("1x:a", NameError::Form),
        ("x:%4", NameError::Form),
        ("x:%zz", NameError::Form),
        ("x:a b", NameError::Character),
        ("x:<a>", NameError::Character),
        ("x:*", NameError::Pattern),
        ("x:é", NameError::Character),
        ("x:a\0", NameError::Character),
    ] {
        assert_eq!(name(NameKind::Uri, text), Err(error), "{text:?}");
    }
}

#[test]
fn spiffe_ids_are_those_of_workloads() {
    for good in ["spiffe://example.org/a", "spiffe://a_b-1.example/ns/Default/sa/x.y_z-1", "spiffe://1/2"] {
        assert_eq!(name(NameKind::Uri, good), Ok(format!("uri:{good}")));
        assert_eq!(check_spiffe_id(good), Ok(()));
    }
    for (text, error) in [
        ("SPIFFE://example.org/a", SpiffeError::Scheme),
        ("spiffe:example.org/a", SpiffeError::Scheme),
        ("spiffe:/example.org/a", SpiffeError::Scheme),
        ("spiffe:///a", SpiffeError::TrustDomain),
        ("spiffe://", SpiffeError::TrustDomain),
        ("spiffe://Example.org/a", SpiffeError::TrustDomain),
        ("spiffe://user@example.org/a", SpiffeError::TrustDomain),
        ("spiffe://example.org:8080/a", SpiffeError::TrustDomain),
        ("spiffe://example.org?a", SpiffeError::TrustDomain),
        ("spiffe://*/a", SpiffeError::TrustDomain),
        ("spiffe://example.org", SpiffeError::NoPath),
        ("spiffe://example.org/", SpiffeError::NoPath),
        ("spiffe://example.org//a", SpiffeError::Segment),
        ("spiffe://example.org/a/", SpiffeError::Segment),
        ("spiffe://example.org/a/../b", SpiffeError::Segment),
        ("spiffe://example.org/./a", SpiffeError::Segment),
        ("spiffe://example.org/a?b", SpiffeError::Character),
        ("spiffe://example.org/a#b", SpiffeError::Character),
        ("spiffe://example.org/%61", SpiffeError::Character),
        ("spiffe://example.org/é", SpiffeError::Character),
    ] {
        assert_eq!(name(NameKind::Uri, text), Err(NameError::Spiffe(error)), "{text:?}");
    }
    let long = format!("spiffe://{}/a", "a".repeat(256));
    assert_eq!(name(NameKind::Uri, &long), Err(NameError::Spiffe(SpiffeError::Long)));
    let long = format!("spiffe://a/{}", "a".repeat(2048));
    assert_eq!(name(NameKind::Uri, &long), Err(NameError::Spiffe(SpiffeError::Long)));
}

#[test]
fn common_names_are_plain() {
    assert_eq!(name(NameKind::CommonName, "Alice Example").as_deref(), Ok("cn:Alice Example"));
    for bad in [" Alice", "Alice ", "*", "", "A\u{301}lice", "a\tb", "a\0b"] {
        assert!(name(NameKind::CommonName, bad).is_err(), "{bad:?}");
    }
}

fn facts(uris: &[&str], hosts: &[&str], addresses: &[&str], common_names: &[&str]) -> CertificateFacts {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    CertificateFacts {
        uri_names: owned(uris),
        dns_names: owned(hosts),
        email_names: owned(addresses),
        common_names: owned(common_names),
        ..CertificateFacts::default()
    }
}

fn mapped(facts: &CertificateFacts, kinds: &[NameKind]) -> Result<String, Unmapped> {
    map(facts, kinds).map(|name| name.to_string())
}

#[test]
fn the_first_name_of_the_first_kind_counts() {
    let all = facts(&["x:y"], &["b.example", "a.example"], &["a@b.example"], &["Alice"]);
    assert_eq!(mapped(&all, &NameKind::DEFAULT).as_deref(), Ok("uri:x:y"));
    assert_eq!(mapped(&all, &[NameKind::Dns]).as_deref(), Ok("dns:b.example"));
    assert_eq!(mapped(&all, &[NameKind::CommonName, NameKind::Uri]).as_deref(), Ok("cn:Alice"));
    let none = facts(&[], &[], &[], &["Alice"]);
    assert_eq!(mapped(&none, &NameKind::DEFAULT), Err(Unmapped::None), "cn only if listed");
}

#[test]
fn a_spoiled_name_does_not_give_way_to_the_next() {
    for spoiled in [
        facts(&["spiffe://example.org"], &["a.example"], &[], &[]),
        facts(&[], &["*.example", "a.example"], &["a@b.example"], &[]),
    ] {
        assert!(matches!(map(&spoiled, &NameKind::DEFAULT), Err(Unmapped::Bad { .. })));
    }
}

#[test]
fn some_names_stand_alone() {
    let several = facts(&["x:y", "spiffe://example.org/a"], &["a.example"], &[], &["Alice", "Bob"]);
    assert_eq!(mapped(&several, &NameKind::DEFAULT), Err(Unmapped::Several(NameKind::Uri)));
    assert_eq!(mapped(&several, &[NameKind::CommonName]), Err(Unmapped::Several(NameKind::CommonName)));
    let several = facts(&["x:y", "x:z"], &[], &[], &[]);
    assert_eq!(mapped(&several, &NameKind::DEFAULT).as_deref(), Ok("uri:x:y"));
}

#[test]
fn text_is_read_in_its_one_spelling() {
    assert_eq!("dns:a.example".parse::<MappedName>().map(|name| name.to_string()).as_deref(), Ok("dns:a.example"));
    assert_eq!("dns:A.example".parse::<MappedName>(), Err(NameError::Spelling));
    assert_eq!("ip:192.0.2.1".parse::<MappedName>(), Err(NameError::Kind));
    assert_eq!("a.example".parse::<MappedName>(), Err(NameError::Kind));
    assert_eq!("DNS".parse::<NameKind>(), Err(UnknownNameKind));
}

proptest! {
    #[test]
    fn a_name_is_read_as_it_was_written(kind in 0..4usize, value in "\\PC{0,40}|[a-zA-Z0-9.@:/%_-]{0,40}|spiffe://[a-z.]{0,9}/[a-z./]{0,9}") {
        let kind = [NameKind::Uri, NameKind::Dns, NameKind::Email, NameKind::CommonName][kind];
        if let Ok(name) = MappedName::new(kind, &value) {
            let text = name.to_string();
            prop_assert_eq!(text.parse::<MappedName>(), Ok(name.clone()));
            prop_assert!(text.bytes().all(|octet| octet.is_ascii_graphic() || octet == b' '));
            prop_assert!(!text.contains('*'));
            prop_assert_eq!(MappedName::new(kind, name.value()), Ok(name));
        }
    }
}
