//! What is issued, read back by x509-parser and judged by rustls-webpki.

use super::*;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use std::path::Path;
use tempfile::TempDir;
use webpki::{
    ALL_VERIFICATION_ALGS, CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage,
    OwnedCertRevocationList, RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy,
};
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509Certificate};
use zeroize::Zeroizing;

/// A moment in 2027.
fn now() -> SystemTime {
    moment(1_800_000_000)
}

fn passphrase() -> Passphrase {
    Passphrase::new(Zeroizing::new("correct horse".to_owned()))
}

struct Place {
    dir: TempDir,
    ca: Ca,
}

fn place(new: &NewCa) -> Place {
    let dir = tempfile::tempdir().unwrap();
    let ca = Ca::create(&dir.path().join("ca"), new, &passphrase(), now()).unwrap();
    Place { dir, ca }
}

fn request(purpose: Purpose, names: &[&str]) -> Request {
    Request {
        purpose,
        names: names.iter().map(|name| Name::parse(name, purpose).unwrap()).collect(),
        common_name: None,
        lifetime: if purpose == Purpose::Server { SERVER_LIFETIME } else { CLIENT_LIFETIME },
        key: KeySource::Generate(Algorithm::P256),
    }
}

impl Place {
    fn issue(&mut self, purpose: Purpose, names: &[&str]) -> Issued {
        self.ca.issue(&request(purpose, names), &passphrase(), now()).unwrap()
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.ca.dir().join(name)).unwrap()
    }

    /// Judges a chain at some time, with the CRLs that are published, for both levels, failing closed.
    fn verify(&self, chain: &str, usage: KeyUsage, at: SystemTime) -> Result<(), Error> {
        let pem = self.file("crl.pem");
        let lists: Vec<CertRevocationList<'_>> = CertificateRevocationListDer::pem_slice_iter(&pem)
            .map(|der| OwnedCertRevocationList::from_der(&der.unwrap()).unwrap().into())
            .collect();
        let lists: Vec<_> = lists.iter().collect();
        let revocation = RevocationOptionsBuilder::new(&lists)
            .unwrap()
            .with_depth(RevocationCheckDepth::Chain)
            .with_status_policy(UnknownStatusPolicy::Deny)
            .with_expiration_policy(ExpirationPolicy::Enforce)
            .build();
        let root = CertificateDer::from_pem_slice(&self.file("root.pem")).unwrap();
        let anchor = webpki::anchor_from_trusted_cert(&root).unwrap();
        let ders = ders(chain);
        let leaf = EndEntityCert::try_from(&ders[0]).unwrap();
        let time = UnixTime::since_unix_epoch(at.duration_since(UNIX_EPOCH).unwrap());
        leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &[anchor], &ders[1..], time, usage, Some(revocation), None)
            .map(|_| ())
    }
}

fn ders(chain: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap).collect()
}

/// Looks at the first certificate of a chain.
fn look<T>(chain: &[u8], look: impl FnOnce(&X509Certificate<'_>) -> T) -> T {
    let der = CertificateDer::from_pem_slice(chain).unwrap();
    let (rest, certificate) = X509Certificate::from_der(&der).unwrap();
    assert!(rest.is_empty());
    look(&certificate)
}

fn critical(certificate: &X509Certificate<'_>) -> Vec<String> {
    let critical = certificate.extensions().iter().filter(|extension| extension.critical);
    critical.map(|extension| extension.oid.to_id_string()).collect()
}

const KEY_USAGE: &str = "2.5.29.15";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const NAME_CONSTRAINTS: &str = "2.5.29.30";

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

/// The URLs of CRLs in a certificate.
fn points(chain: &[u8]) -> Vec<String> {
    look(chain, |certificate| {
        let mut urls = Vec::new();
        for extension in certificate.iter_extensions() {
            let ParsedExtension::CRLDistributionPoints(points) = extension.parsed_extension() else { continue };
            for point in points.iter() {
                let Some(x509_parser::extensions::DistributionPointName::FullName(names)) = &point.distribution_point
                else {
                    panic!("{point:?}")
                };
                urls.extend(names.iter().map(|name| match name {
                    GeneralName::URI(url) => (*url).to_owned(),
                    other => panic!("{other:?}"),
                }));
            }
        }
        urls
    })
}

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
fn what_is_revoked_is_on_the_list_at_once() {
    let mut place = place(&NewCa::default());
    let first = place.issue(Purpose::Client, &["device1"]);
    let second = place.issue(Purpose::Client, &["device2"]);
    let usage = KeyUsage::client_auth;
    let revoked = place.ca.revoke(&[first.record.serial], Reason::PrivilegeWithdrawn, &passphrase(), now()).unwrap();
    assert_eq!(revoked.len(), 1);
    assert_eq!(place.verify(&first.chain, usage(), now()), Err(Error::CertRevoked));
    assert_eq!(place.verify(&second.chain, usage(), now()), Ok(()));
    let again = place.ca.revoke(&[first.record.serial], Reason::Superseded, &passphrase(), now()).unwrap();
    assert!(again.is_empty(), "it is revoked already, for its first reason");
    assert_eq!(place.ca.by_serial(first.record.serial).unwrap().revoked.unwrap().reason, Reason::PrivilegeWithdrawn);

    let der = place.file("intermediate-1.crl");
    let (_, list) = x509_parser::parse_x509_crl(&der).unwrap();
    assert_eq!(list.crl_number().unwrap().to_string(), "3", "one at the beginning, one for each revocation");
    let entry = list.iter_revoked_certificates().next().unwrap();
    assert_eq!(entry.reason_code().unwrap().1, x509_parser::x509::ReasonCode::PrivilegeWithdrawn);
    assert_eq!(entry.raw_serial(), serial_der(first.record.serial));

    // The lists are over after a week, and a new one goes on from there.
    let later = now() + DAY * 6;
    let third = place.ca.issue(&request(Purpose::Client, &["device3"]), &passphrase(), later).unwrap();
    let over = now() + DAY * 8;
    assert!(matches!(place.verify(&third.chain, usage(), over), Err(Error::CrlExpired { .. })));
    let report = place.ca.write_crls(DAY * 2, false, &passphrase(), over).unwrap();
    assert_eq!((report.number, report.revoked, report.next_update), (4, 1, over + DAY * 2));
    assert_eq!(place.verify(&third.chain, usage(), over), Ok(()));
    let names: Vec<_> = report.files.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["crl.pem", "root.crl", "intermediate-1.crl"]);

    // An entry goes when nobody can ask for it any more.
    let gone = now() + DAY * 500;
    let report = place.ca.write_crls(DAY, false, &passphrase(), gone).unwrap();
    assert_eq!(report.revoked, 0);
    let short = place.ca.write_crls(Duration::from_secs(1), false, &passphrase(), gone);
    assert!(matches!(short, Err(CaError::Lifetime { what: "CRL" })));
}

/// A serial number as the octets of an INTEGER.
fn serial_der(serial: Serial) -> Vec<u8> {
    let mut octets = serial.octets().to_vec();
    if octets[0] >= 0x80 {
        octets.insert(0, 0);
    }
    octets
}

#[test]
fn a_compromised_key_takes_all_its_certificates_along() {
    let mut place = place(&NewCa::default());
    let first = place.issue(Purpose::Client, &["device1"]);
    let kept = place.ca.renew(first.record.serial, KeySource::Keep, None, &passphrase(), now()).unwrap();
    let fresh = place
        .ca
        .renew(first.record.serial, KeySource::Generate(Algorithm::Ed25519), Some(DAY), &passphrase(), now())
        .unwrap();
    assert_eq!((kept.record.key == first.record.key, fresh.record.key == first.record.key), (true, false));
    assert!(kept.key.is_none() && fresh.key.is_some());
    assert_eq!(kept.record.names, first.record.names);
    assert_eq!((kept.record.not_after, fresh.record.not_after), (first.record.not_after, seconds(now() + DAY)));
    assert_eq!(place.verify(&fresh.chain, KeyUsage::client_auth(), now()), Ok(()));
    let revoked = place.ca.revoke(&[first.record.serial], Reason::KeyCompromise, &passphrase(), now()).unwrap();
    assert_eq!(revoked.len(), 2);
    assert_eq!(place.verify(&kept.chain, KeyUsage::client_auth(), now()), Err(Error::CertRevoked));
    assert_eq!(place.verify(&fresh.chain, KeyUsage::client_auth(), now()), Ok(()));
    let again = place.ca.renew(first.record.serial, KeySource::Keep, None, &passphrase(), now());
    assert!(matches!(again, Err(CaError::NotPossible { .. })), "what is revoked is not renewed");
    // Not even the key of one that had a successor comes back.
    let old = place.issue(Purpose::Client, &["device2"]).record.serial;
    let next = place.ca.renew(old, KeySource::Keep, None, &passphrase(), now()).unwrap().record.serial;
    place.ca.revoke(&[old], Reason::Superseded, &passphrase(), now()).unwrap();
    assert!(place.ca.renew(old, KeySource::Keep, None, &passphrase(), now()).is_ok());
    place.ca.revoke(&[next], Reason::KeyCompromise, &passphrase(), now()).unwrap();
    let again = place.ca.renew(old, KeySource::Keep, None, &passphrase(), now());
    assert!(matches!(again, Err(CaError::KeyCompromised { .. })));
}

#[test]
fn the_root_lies_elsewhere_until_it_is_needed() {
    let mut place = place(&NewCa::default());
    let old = place.issue(Purpose::Client, &["device1"]);
    let away = place.dir.path().join("away.key");
    std::fs::rename(place.ca.root_key_path(), &away).unwrap();
    place.issue(Purpose::Client, &["device2"]);
    place.ca.revoke(&[place.ca.find("device2")[0].serial], Reason::Unspecified, &passphrase(), now()).unwrap();
    let first = place.ca.find("intermediate-1")[0].serial;
    for needed in [
        place.ca.renew_intermediate(&passphrase(), now()).map(|_| ()),
        place.ca.revoke(&[first], Reason::CaCompromise, &passphrase(), now()).map(|_| ()),
        place.ca.write_crls(DAY, true, &passphrase(), now()).map(|_| ()),
    ] {
        assert!(matches!(needed, Err(CaError::NoRootKey { .. })), "{needed:?}");
    }
    assert!(place.ca.find("intermediate-1")[0].revoked.is_none(), "nothing was changed");
    let list = place.ca.dir().join("root.crl");
    std::fs::rename(&list, place.dir.path().join("root.crl")).unwrap();
    let refused = place.ca.write_crls(DAY, false, &passphrase(), now());
    assert!(matches!(refused, Err(CaError::NotPossible { .. })), "{refused:?}");
    std::fs::rename(&away, place.ca.root_key_path()).unwrap();
    place.ca.write_crls(DAY, true, &passphrase(), now()).unwrap();
    assert!(list.exists());

    // A new one signs from now on, and what the old one signed goes on.
    let second = place.ca.renew_intermediate(&passphrase(), now() + DAY).unwrap();
    assert_eq!(second.name, "intermediate-2");
    let new = place.ca.issue(&request(Purpose::Client, &["device3"]), &passphrase(), now() + DAY).unwrap();
    assert_eq!((old.record.issuer, new.record.issuer), (1, 2));
    for issued in [&old, &new] {
        assert_eq!(place.verify(&issued.chain, KeyUsage::client_auth(), now() + DAY), Ok(()));
    }
    // A revoked intermediate takes everything that it has signed along.
    place.ca.revoke(&[first], Reason::CaCompromise, &passphrase(), now() + DAY).unwrap();
    assert_eq!(place.verify(&old.chain, KeyUsage::client_auth(), now() + DAY), Err(Error::CertRevoked));
    assert_eq!(place.verify(&new.chain, KeyUsage::client_auth(), now() + DAY), Ok(()));
    place.ca.revoke(&[second.serial], Reason::CaCompromise, &passphrase(), now() + DAY).unwrap();
    let refused = place.ca.issue(&request(Purpose::Client, &["a"]), &passphrase(), now() + DAY);
    assert!(matches!(refused, Err(CaError::IntermediateRevoked)));
    let root = place.ca.find("root")[0].serial;
    let refused = place.ca.revoke(&[root], Reason::CaCompromise, &passphrase(), now() + DAY);
    assert!(matches!(refused, Err(CaError::NotPossible { .. })));
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
    let other = super::tests::place(&NewCa::default()).issue(Purpose::Server, &["www.example.com"]);
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

/// The gateway's own judgement of what is issued here.
#[test]
fn clients_are_who_the_gateway_takes_them_for() {
    use crate::client_ca::{ClientCa, ClientCaConfig, CrlPolicy, Refusal};
    use crate::crl::CrlSet;
    use crate::names::NameKind;
    let mut place =
        place(&NewCa { permitted: Permitted::new(&["example.com".into()], &[]).unwrap(), ..NewCa::default() });
    let device = place.issue(Purpose::Client, &["spiffe://example.com/device", "device.example.com"]);
    let alice = place.issue(Purpose::Client, &["alice@example.com"]);
    let server = place.issue(Purpose::Server, &["www.example.com"]);
    let judge = |place: &Place, issued: &Issued| {
        let config = ClientCaConfig {
            id: "own".into(),
            roots: ders(std::str::from_utf8(&place.file("root.pem")).unwrap()),
            intermediates: Vec::new(),
            names: vec![NameKind::Uri, NameKind::Dns, NameKind::Email],
            crl_policy: CrlPolicy::Refuse,
        };
        let ca = ClientCa::new(config).unwrap();
        let time = UnixTime::since_unix_epoch(now().duration_since(UNIX_EPOCH).unwrap());
        let lists = crate::pem::crls(&place.file("crl.pem")).unwrap().into_iter().map(std::sync::Arc::new);
        ca.verify(&ders(&issued.chain), &CrlSet::new(&ca, lists, time), time).map(|client| client.name.to_string())
    };
    assert_eq!(judge(&place, &device).unwrap(), "uri:spiffe://example.com/device");
    assert_eq!(judge(&place, &alice).unwrap(), "email:alice@example.com");
    assert!(judge(&place, &server).is_err());
    place.ca.revoke(&[alice.record.serial], Reason::AffiliationChanged, &passphrase(), now()).unwrap();
    assert!(matches!(judge(&place, &alice), Err(Refusal::Revoked { .. })));
    assert!(judge(&place, &device).is_ok());
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
