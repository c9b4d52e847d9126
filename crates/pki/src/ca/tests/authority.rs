//! The authority itself, and its folder.

use super::*;

#[test]
fn the_authority_itself() {
    let new = NewCa {
        name: Some("Example".into()),
        crl_url: Some("http://crl.example.com/ca".into()),
        permitted: Permitted::new(&["example.com".into()], &[]).unwrap(),
    };
    let place = place(&new);
    for (file, path_length, name, days) in [
        ("root.pem", 1, "O=Example, CN=Example root", 3652),
        ("intermediate-1.pem", 0, "O=Example, CN=Example intermediate 1", 730),
    ] {
        look(&place.file(file), |certificate| {
            assert_eq!(certificate.subject().to_string(), name);
            let constraints = certificate.basic_constraints().unwrap().unwrap().value;
            assert_eq!((constraints.ca, constraints.path_len_constraint), (true, Some(path_length)));
            let usage = certificate.key_usage().unwrap().unwrap().value;
            assert!(usage.key_cert_sign() && usage.crl_sign() && !usage.digital_signature());
            let mut wanted = critical(certificate);
            wanted.sort();
            assert_eq!(wanted, [KEY_USAGE, BASIC_CONSTRAINTS, NAME_CONSTRAINTS]);
            let span = certificate.validity().not_after.timestamp() - 1_800_000_000;
            assert_eq!(span, days * 86_400);
            assert_eq!(certificate.validity().not_before.timestamp(), 1_800_000_000 - 300);
            assert!((15..=17).contains(&certificate.raw_serial().len()) && certificate.raw_serial()[0] < 0x80);
        });
    }
    let key_id = |file: &str, own: bool| {
        look(&place.file(file), |certificate| {
            certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) if own => Some(id.0.to_vec()),
                ParsedExtension::AuthorityKeyIdentifier(id) if !own => {
                    id.key_identifier.as_ref().map(|id| id.0.to_vec())
                }
                _ => None,
            })
        })
    };
    assert_eq!(key_id("intermediate-1.pem", false), key_id("root.pem", true));
    assert!(key_id("intermediate-1.pem", true).is_some());
    assert_eq!(points(&place.file("intermediate-1.pem")), ["http://crl.example.com/ca/root.crl"]);
    assert!(points(&place.file("root.pem")).is_empty());
    for secret in ["root.key", "intermediate-1.key"] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(place.ca.dir().join(secret)).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(place.file(secret).starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    }
}

#[test]
fn keys_that_are_wrong_or_missing() {
    let mut place = place(&NewCa::default());
    let wrong = Passphrase::new(Zeroizing::new("correct mouse".to_owned()));
    let before = place.file("index.json");
    let refused = place.ca.issue(&request(Purpose::Client, &["a"]), &wrong, now());
    assert!(matches!(refused, Err(CaError::WrongPassphrase { .. })));
    let refused = place.ca.write_crls(DAY, false, &wrong, now());
    assert!(matches!(refused, Err(CaError::WrongPassphrase { .. })));
    assert_eq!(place.file("index.json"), before);
    let key = place.ca.dir().join("intermediate-1.key");
    std::fs::copy(place.ca.root_key_path(), &key).unwrap();
    let refused = place.ca.issue(&request(Purpose::Client, &["a"]), &passphrase(), now());
    assert!(
        matches!(refused, Err(CaError::Broken { reason, .. }) if reason.contains("not the key of the certificate"))
    );
    std::fs::remove_file(&key).unwrap();
    let refused = place.ca.issue(&request(Purpose::Client, &["a"]), &passphrase(), now());
    assert!(matches!(refused, Err(CaError::NoKey { .. })));
    assert!(matches!(place.ca.write_crls(DAY, false, &passphrase(), now()), Err(CaError::NoKey { .. })));
    // A new intermediate helps; the list of the old one is passed on as it was, until it is over.
    assert!(matches!(place.ca.renew_intermediate(&wrong, now()), Err(CaError::WrongPassphrase { .. })));
    assert_eq!(place.ca.records().len(), 2);
    place.ca.renew_intermediate(&passphrase(), now()).unwrap();
    let report = place.ca.write_crls(DAY, false, &passphrase(), now() + DAY).unwrap();
    assert_eq!(report.stale, [("intermediate-1".to_owned(), now() + CRL_LIFETIME)]);
    assert_eq!(place.file("crl.pem").windows(14).filter(|window| window == b"BEGIN X509 CRL").count(), 3);
    assert!(place.ca.issue(&request(Purpose::Client, &["a"]), &passphrase(), now()).is_ok());
}

#[test]
fn folders_that_are_no_place_for_a_new_authority() {
    let dir = tempfile::tempdir().unwrap();
    let create = |path: &Path, new: &NewCa, text: &str| {
        Ca::create(path, new, &Passphrase::new(Zeroizing::new(text.to_owned())), now()).map(|_| ()).unwrap_err()
    };
    std::fs::write(dir.path().join("precious"), "x").unwrap();
    assert!(matches!(create(dir.path(), &NewCa::default(), "correct horse"), CaError::Exists { .. }));
    let path = dir.path().join("ca");
    assert!(matches!(create(&path, &NewCa::default(), "short"), CaError::WeakPassphrase));
    for (name, url) in [
        (Some(""), None),
        (Some("a\nb"), None),
        (Some("a long name, longer than a common name has room for it"), None),
        (None, Some("https://crl.example.com/")),
        (None, Some("http://crl.example.com/root.crl")),
        (None, Some("http:///a")),
        (None, Some("http://a b/")),
        (None, Some("ldap://a/")),
    ] {
        let new = NewCa { name: name.map(Into::into), crl_url: url.map(Into::into), ..NewCa::default() };
        assert!(matches!(create(&path, &new, "correct horse"), CaError::Setting { .. }), "{name:?} {url:?}");
    }
    assert!(matches!(
        create(&dir.path().join("precious/ca"), &NewCa::default(), "correct horse"),
        CaError::Io { .. }
    ));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left");
    assert!(matches!(Ca::open(&path), Err(CaError::NoCa { .. })));
    std::fs::create_dir(&path).unwrap();
    Ca::create(&path, &NewCa::default(), &passphrase(), now()).unwrap();
    std::fs::write(path.join("index.json"), "{}").unwrap();
    assert!(matches!(Ca::open(&path), Err(CaError::Broken { .. })));
}

#[test]
fn certificates_are_found_by_number_name_and_file() {
    let mut place = place(&NewCa::default());
    let first = place.issue(Purpose::Client, &["a@example.com", "dns:device1"]);
    let second = place.issue(Purpose::Server, &["www.example.com"]);
    let serial = first.record.serial.to_string();
    for what in ["a@example.com", "email:a@example.com", "device1", "dns:device1", &serial, &serial.to_uppercase()] {
        let found: Vec<_> = place.ca.find(what).iter().map(|record| record.serial).collect();
        assert_eq!(found, [first.record.serial], "{what}");
    }
    assert!(place.ca.find("device").is_empty());
    let path = Path::new("x.pem");
    let found = place.ca.find_certificate(second.chain.as_bytes(), path).unwrap().unwrap();
    assert_eq!(found.serial, second.record.serial);
    let other = super::place(&NewCa::default()).issue(Purpose::Server, &["www.example.com"]);
    assert!(place.ca.find_certificate(other.chain.as_bytes(), path).unwrap().is_none());
    assert!(place.ca.find_certificate(b"nonsense", path).is_err());
    // What is in the index is there after it was opened anew.
    let dir = place.ca.dir().to_owned();
    drop(place.ca);
    let ca = Ca::open(&dir).unwrap();
    assert_eq!(ca.records().len(), 4);
    assert_eq!(ca.records()[2], first.record);
    assert_eq!(ca.records()[2].state(now()), State::Valid);
    assert_eq!(ca.records()[2].state(now() + DAY * 8), State::Expired);
}
