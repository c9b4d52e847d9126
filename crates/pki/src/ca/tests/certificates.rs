//! What is issued, for whom, and for how long.

use super::*;

#[test]
fn certificates_are_for_what_they_say_and_nothing_else() {
    let mut place = place(&NewCa { crl_url: Some("http://crl.example.com/".into()), ..NewCa::default() });
    let server = place.issue(Purpose::Server, &["www.example.com", "*.example.com", "192.0.2.1", "::1"]);
    let client = place.issue(Purpose::Client, &["spiffe://example.com/device", "dns:device1", "a@example.com"]);
    assert_eq!(place.verify(&server.chain, KeyUsage::server_auth(), now()), Ok(()));
    assert_eq!(place.verify(&client.chain, KeyUsage::client_auth(), now()), Ok(()));
    assert!(place.verify(&server.chain, KeyUsage::client_auth(), now()).is_err());
    assert!(place.verify(&client.chain, KeyUsage::server_auth(), now()).is_err());
    let sans = |chain: &str| {
        look(chain.as_bytes(), |certificate| {
            assert_eq!(critical(certificate), [KEY_USAGE, BASIC_CONSTRAINTS]);
            assert!(!certificate.basic_constraints().unwrap().unwrap().value.ca);
            let usage = certificate.key_usage().unwrap().unwrap().value;
            assert_eq!(usage.flags, 1, "digitalSignature alone");
            let names = &certificate.subject_alternative_name().unwrap().unwrap().value.general_names;
            names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" ")
        })
    };
    let wanted = r#"DNSName("www.example.com") DNSName("*.example.com") IPAddress([192, 0, 2, 1])"#;
    assert!(sans(&server.chain).starts_with(wanted), "{}", sans(&server.chain));
    let wanted = r#"URI("spiffe://example.com/device") DNSName("device1") RFC822Name("a@example.com")"#;
    assert_eq!(sans(&client.chain), wanted);
    assert_eq!(points(client.chain.as_bytes()), ["http://crl.example.com/intermediate-1.crl"]);

    // Their times: never longer than the intermediate's.
    let day_before = |days| now() + DAY * days - Duration::from_secs(1);
    assert_eq!((client.record.not_after, client.shortened), (seconds(now() + DAY * 7), false));
    assert!(matches!(
        place.verify(&client.chain, KeyUsage::client_auth(), now() + DAY * 8),
        Err(Error::CertExpired { .. })
    ));
    let mut long = request(Purpose::Server, &["localhost"]);
    long.lifetime = DAY * 1000;
    let long = place.ca.issue(&long, &passphrase(), now()).unwrap();
    assert!(long.shortened);
    assert_eq!(long.record.until(), day_before(730) + Duration::from_secs(1));
    let late = place.ca.issue(&request(Purpose::Client, &["a"]), &passphrase(), now() + DAY * 731);
    assert!(matches!(late, Err(CaError::Expired { which: "intermediate certificate" })));
}

#[test]
fn a_long_name_has_no_subject_and_a_critical_name() {
    let mut place = place(&NewCa::default());
    let long = format!("spiffe://example.com/{}", "a".repeat(80));
    let issued = place.issue(Purpose::Client, &[&long]);
    look(issued.chain.as_bytes(), |certificate| {
        assert_eq!(certificate.subject().as_raw().len(), 2, "an empty sequence");
        assert!(critical(certificate).contains(&"2.5.29.17".to_owned()));
    });
    assert_eq!(place.verify(&issued.chain, KeyUsage::client_auth(), now()), Ok(()));
    let named = Request { common_name: Some("Alice".into()), ..request(Purpose::Client, &["a@example.com"]) };
    let issued = place.ca.issue(&named, &passphrase(), now()).unwrap();
    assert_eq!(look(issued.chain.as_bytes(), |certificate| certificate.subject().to_string()), "CN=Alice");
    for text in ["", " ", "a\nb", &"a".repeat(65)] {
        let bad = Request { common_name: Some(text.into()), ..request(Purpose::Client, &["a"]) };
        assert!(matches!(place.ca.issue(&bad, &passphrase(), now()), Err(CaError::CommonName { .. })), "{text:?}");
    }
}

#[test]
fn name_constraints_bind_the_program_and_its_keys() {
    let permitted = Permitted::new(&["example.com".into()], &["192.0.2.0/24".into()]).unwrap();
    let mut place = place(&NewCa { permitted, ..NewCa::default() });
    let inside = place.issue(Purpose::Server, &["www.example.com", "192.0.2.7"]);
    assert_eq!(place.verify(&inside.chain, KeyUsage::server_auth(), now()), Ok(()));
    let client = place.issue(Purpose::Client, &["a@example.com", "spiffe://other/x"]);
    assert_eq!(place.verify(&client.chain, KeyUsage::client_auth(), now()), Ok(()));
    for name in ["example.org", "192.0.3.1", "::1"] {
        let refused = place.ca.issue(&request(Purpose::Server, &[name]), &passphrase(), now());
        assert!(matches!(refused, Err(CaError::NotPermitted { .. })), "{name}");
    }
    // Whoever steals the key can sign what they like, and nobody believes it.
    place.ca.index.permitted = Permitted::default();
    for name in ["example.org", "192.0.3.1", "::1"] {
        let stolen = place.issue(Purpose::Server, &[name]);
        let verified = place.verify(&stolen.chain, KeyUsage::server_auth(), now());
        assert_eq!(verified, Err(Error::NameConstraintViolation), "{name}");
    }
}

#[test]
fn nothing_of_a_request_is_taken_over_but_key_and_names() {
    let mut place = place(&NewCa::default());
    let key = rcgen::KeyPair::generate().unwrap();
    let mut asked = rcgen::CertificateParams::new(vec!["device1.example.com".to_owned()]).unwrap();
    asked.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    asked.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    asked.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::Any];
    asked.distinguished_name.push(rcgen::DnType::CommonName, "root of all");
    let pem = asked.serialize_request(&key).unwrap().pem().unwrap();
    let csr = Csr::parse(pem.as_bytes()).unwrap();
    assert_eq!(csr.names(Purpose::Client).unwrap(), [Name::Dns("device1.example.com".into())]);
    assert!(csr.ignored().iter().any(|text| text.contains("to be a CA")), "{:?}", csr.ignored());
    let wanted = Request { key: KeySource::Csr(csr), ..request(Purpose::Client, &["device1.example.com"]) };
    let issued = place.ca.issue(&wanted, &passphrase(), now()).unwrap();
    assert!(issued.key.is_none());
    look(issued.chain.as_bytes(), |certificate| {
        assert!(!certificate.basic_constraints().unwrap().unwrap().value.ca);
        assert_eq!(certificate.key_usage().unwrap().unwrap().value.flags, 1);
        let usage = certificate.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.any && !usage.server_auth);
        assert_eq!(certificate.subject().to_string(), "CN=device1.example.com");
        assert_eq!(certificate.public_key().raw, rcgen::PublicKeyData::subject_public_key_info(&key));
    });
    assert_eq!(place.verify(&issued.chain, KeyUsage::client_auth(), now()), Ok(()));

    // Without the proof that its sender has the key, it is nothing.
    let mut der = rustls::pki_types::CertificateSigningRequestDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec();
    let last = der.len() - 1;
    der[last] ^= 1;
    let forged =
        pkcs8::Document::try_from(&der[..]).unwrap().to_pem("CERTIFICATE REQUEST", pkcs8::LineEnding::LF).unwrap();
    let error = Csr::parse(forged.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("does not prove"), "{error}");
    assert!(Csr::parse(b"nonsense").is_err() && Csr::parse(issued.chain.as_bytes()).is_err());
    let mut other = rcgen::CertificateParams::new(vec!["a b".to_owned()]).unwrap();
    other.distinguished_name = rcgen::DistinguishedName::new();
    let csr = Csr::parse(other.serialize_request(&key).unwrap().pem().unwrap().as_bytes()).unwrap();
    assert!(matches!(csr.names(Purpose::Client), Err(CaError::Name { .. })));
}

#[test]
fn a_bundle_opens_with_its_password() {
    let mut place = place(&NewCa::default());
    let issued = place.issue(Purpose::Client, &["a@example.com"]);
    let octets = bundle(&issued, "correct horse").unwrap();
    let policy = p12_keystore::Pkcs12ImportPolicy::Strict;
    let store = p12_keystore::KeyStore::from_pkcs12(&octets, "correct horse", policy).unwrap();
    let (alias, chain) = store.private_key_chain().unwrap();
    assert_eq!(alias, "a@example.com");
    let certificates: Vec<_> = chain.certs().iter().map(|certificate| certificate.as_der().to_vec()).collect();
    assert_eq!(certificates, issued.ders);
    assert_eq!(chain.key().as_der(), issued.key_der.as_ref().unwrap().as_slice());
    assert!(p12_keystore::KeyStore::from_pkcs12(&octets, "correct mouse", policy).is_err());
    for password in ["", "short", "Zoë's long password"] {
        assert!(matches!(bundle(&issued, password), Err(CaError::BundlePassword { .. })), "{password}");
    }
    let kept = place.ca.renew(issued.record.serial, KeySource::Keep, None, &passphrase(), now()).unwrap();
    assert!(matches!(bundle(&kept, "correct horse"), Err(CaError::Failed { .. })));
}

#[test]
fn names_that_do_not_go_together() {
    let mut place = place(&NewCa::default());
    let mut refused =
        |names: &[&str]| place.ca.issue(&request(Purpose::Client, names), &passphrase(), now()).map(|_| ());
    assert!(matches!(refused(&[]), Err(CaError::NoName)));
    assert!(matches!(refused(&["spiffe://a/b", "https://a/b"]), Err(CaError::Name { .. })));
    let many: Vec<String> = (0..101).map(|number| format!("device{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(matches!(refused(&many), Err(CaError::Name { .. })));
    let root = Request { purpose: Purpose::Root, ..request(Purpose::Client, &["a"]) };
    assert!(matches!(place.ca.issue(&root, &passphrase(), now()), Err(CaError::NotPossible { .. })));
    for lifetime in [Duration::ZERO, DAY * 40_000] {
        let bad = Request { lifetime, ..request(Purpose::Client, &["a"]) };
        assert!(matches!(place.ca.issue(&bad, &passphrase(), now()), Err(CaError::Lifetime { .. })));
    }
}
