//! What is revoked, by whom, and who notices.

use super::*;

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

/// The gateway's own judgement of what is issued here.
#[test]
fn clients_are_who_the_gateway_takes_them_for() {
    use crate::client_ca::{ClientCa, ClientCaConfig, CrlPolicy, Refusal};
    use crate::crl::CrlSet;
    use crate::names::NameKind;
    let mut place = place(&NewCa::default());
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

/// Constraints bind DNS names alone: whoever is known by another name under them is known by none.
#[test]
fn under_constraints_clients_have_dns_names() {
    use crate::client_ca::{ClientCa, ClientCaConfig, CrlPolicy, Refusal};
    use crate::crl::CrlSet;
    use crate::names::NameKind;
    let permitted = Permitted::new(&["example.com".into()], &[]).unwrap();
    let mut place = place(&NewCa { permitted, ..NewCa::default() });
    let device = place.issue(Purpose::Client, &["spiffe://example.com/device", "device.example.com"]);
    let judge = |names: Vec<NameKind>| {
        let roots = ders(std::str::from_utf8(&place.file("root.pem")).unwrap());
        let config =
            ClientCaConfig { id: "own".into(), roots, intermediates: Vec::new(), names, crl_policy: CrlPolicy::None };
        let time = UnixTime::since_unix_epoch(now().duration_since(UNIX_EPOCH).unwrap());
        let verified = ClientCa::new(config).unwrap().verify(&ders(&device.chain), &CrlSet::default(), time);
        verified.map(|client| client.name.to_string())
    };
    assert!(matches!(judge(vec![NameKind::Uri, NameKind::Dns]), Err(Refusal::BadName { kind: NameKind::Uri, .. })));
    assert_eq!(judge(vec![NameKind::Dns]).unwrap(), "dns:device.example.com");
}
