//! Revocation, and attacks on it.
#![allow(missing_docs, unused_crate_dependencies)]

mod support;

use rcgen::{CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope, KeyUsagePurpose};
use std::sync::Arc;
use support::*;
use tagai_pki::client_ca::{ClientCa, CrlPolicy, Refusal};
use tagai_pki::crl::{Crl, CrlError, CrlSet};

/// A root, an intermediate that is configured, and a client below it.
struct Site {
    root: Ca,
    between: Ca,
    client: Ca,
}

impl Site {
    fn new() -> Self {
        let root = Ca::root("Root");
        let between = root.below(ca_params("Between"));
        let client = between.client("a.example");
        Self { root, between, client }
    }

    fn ca(&self, policy: CrlPolicy) -> ClientCa {
        with_policy(&[&self.root], &[&self.between], policy)
    }

    /// What both policies make of `crls`, listed in this order and in the other.
    fn verdicts(&self, crls: &[&Arc<Crl>]) -> [&'static str; 2] {
        [CrlPolicy::Refuse, CrlPolicy::Accept].map(|policy| {
            let ca = self.ca(policy);
            let listed = CrlSet::new(&ca, crls.iter().map(|crl| Arc::clone(crl)), now());
            let reversed = CrlSet::new(&ca, crls.iter().rev().map(|crl| Arc::clone(crl)), now());
            let verdict = code(verify_with(&ca, &[&self.client], &listed));
            assert_eq!(verdict, code(verify_with(&ca, &[&self.client], &reversed)), "the order must not count");
            verdict
        })
    }
}

const ACCEPTED: [&str; 2] = ["accepted"; 2];
const REVOKED: [&str; 2] = ["certificate-revoked"; 2];
const UNKNOWN: [&str; 2] = ["certificate-status-unknown", "accepted"];

#[test]
fn the_whole_path_has_a_status() {
    let site = Site::new();
    let (of_root, of_between) = (site.root.crl(1, 5, &[]), site.between.crl(1, 5, &[]));
    assert_eq!(site.verdicts(&[&of_root, &of_between]), ACCEPTED);
    assert_eq!(site.verdicts(&[&of_root]), UNKNOWN);
    assert_eq!(site.verdicts(&[&of_between]), UNKNOWN);
    assert_eq!(site.verdicts(&[]), UNKNOWN);
    assert_eq!(code(verify(&site.ca(CrlPolicy::None), &[&site.client])), "accepted");
}

#[test]
fn a_revoked_client_is_refused() {
    let site = Site::new();
    let of_root = site.root.crl(1, 5, &[]);
    let other = site.between.client("b.example");
    assert_eq!(site.verdicts(&[&of_root, &site.between.crl(1, 5, &[&site.client])]), REVOKED);
    assert_eq!(site.verdicts(&[&of_root, &site.between.crl(1, 5, &[&other])]), ACCEPTED);
    // Even where the status of the intermediate is unknown.
    assert_eq!(
        site.verdicts(&[&site.between.crl(1, 5, &[&site.client])]),
        ["certificate-status-unknown", "certificate-revoked"]
    );
    let ca = site.ca(CrlPolicy::Refuse);
    let crls = CrlSet::new(&ca, [of_root, site.between.crl(1, 5, &[&site.client])], now());
    let refusal = verify_with(&ca, &[&site.client], &crls).unwrap_err();
    assert!(matches!(&refusal, Refusal::Revoked { own: true, serial } if !serial.is_empty()), "{refusal}");
}

#[test]
fn a_revoked_intermediate_takes_its_clients_with_it() {
    let site = Site::new();
    let crls = [&site.root.crl(1, 5, &[&site.between]), &site.between.crl(1, 5, &[])];
    assert_eq!(site.verdicts(&crls), REVOKED);
    let ca = site.ca(CrlPolicy::Refuse);
    let set = CrlSet::new(&ca, crls.map(Arc::clone), now());
    assert!(matches!(verify_with(&ca, &[&site.client], &set), Err(Refusal::Revoked { own: false, .. })));
}

#[test]
fn the_newest_counts_wherever_it_is_listed() {
    let site = Site::new();
    let of_root = site.root.crl(1, 5, &[]);
    let (old, new) = (site.between.crl(1, 4, &[]), site.between.crl(2, 5, &[&site.client]));
    assert_eq!(site.verdicts(&[&of_root, &old, &new]), REVOKED);
    // Revoked by mistake, and taken back.
    let (old, new) = (site.between.crl(8, 4, &[&site.client]), site.between.crl(10, 5, &[]));
    assert_eq!(site.verdicts(&[&of_root, &old, &new]), ACCEPTED);
    // Numbers are compared as numbers: 256 is more than 10.
    let newest = site.between.crl(256, 5, &[&site.client]);
    assert_eq!(site.verdicts(&[&of_root, &new, &newest]), REVOKED);
    // Of one number, the later.
    let (early, late) = (site.between.crl(3, 4, &[&site.client]), site.between.crl(3, 5, &[]));
    assert_eq!(site.verdicts(&[&of_root, &early, &late]), ACCEPTED);
}

#[test]
fn an_expired_crl_does_not_stand_before_a_newer_one() {
    let site = Site::new();
    let of_root = site.root.crl(1, 5, &[]);
    // Issued in January, good until March.
    let expired = site.between.crl(1, 1, &[]);
    assert_eq!(site.verdicts(&[&of_root, &expired, &site.between.crl(2, 5, &[])]), ACCEPTED);
    assert_eq!(site.verdicts(&[&of_root, &expired, &site.between.crl(2, 5, &[&site.client])]), REVOKED);
}

#[test]
fn an_expired_crl_is_no_status_but_still_names_the_revoked() {
    let site = Site::new();
    let of_root = site.root.crl(1, 5, &[]);
    assert_eq!(site.verdicts(&[&of_root, &site.between.crl(1, 1, &[])]), UNKNOWN);
    let verdicts = site.verdicts(&[&of_root, &site.between.crl(1, 1, &[&site.client])]);
    assert_eq!(verdicts, ["certificate-status-unknown", "certificate-revoked"]);
}

#[test]
fn a_forged_crl_displaces_nothing() {
    let site = Site::new();
    let of_root = site.root.crl(1, 5, &[]);
    let genuine = site.between.crl(1, 5, &[&site.client]);
    // The same name, another key, a higher number, and nobody revoked.
    let forger = Ca::root("Between");
    let forged = forger.crl(99, 5, &[]);
    assert_eq!(site.verdicts(&[&of_root, &genuine, &forged]), REVOKED);
    assert_eq!(site.verdicts(&[&of_root, &forged]), UNKNOWN);
    // One that would lock everybody out.
    let good = site.between.crl(1, 5, &[]);
    assert_eq!(site.verdicts(&[&of_root, &good, &forger.crl(99, 5, &[&site.client])]), ACCEPTED);

    let ca = site.ca(CrlPolicy::Refuse);
    let set = CrlSet::new(&ca, [of_root, Arc::clone(&forged)], now());
    assert!(!set.has(&forged));
    assert_eq!(set.rejected().len(), 1);
    assert!(set.rejected()[0].reason.contains("did not sign it"), "{}", set.rejected()[0].reason);
}

#[test]
fn a_crl_of_another_issuer_says_nothing() {
    let site = Site::new();
    let other = site.root.below(ca_params("Other"));
    // Of the same serial number.
    let mut params = client_params("b.example");
    params.serial_number = site.client.params.serial_number.clone();
    let twin = other.below(params);
    let of_root = site.root.crl(1, 5, &[]);
    let crls = [&of_root, &site.between.crl(1, 5, &[]), &other.crl(1, 5, &[&twin])];
    assert_eq!(site.verdicts(&crls), ACCEPTED);
}

#[test]
fn an_intermediate_that_only_the_client_knows_has_crls_too() {
    let site = Site::new();
    let ca = with_policy(&[&site.root], &[], CrlPolicy::Refuse);
    let verdict = |of_between: &[Arc<Crl>]| {
        let crls = of_between.iter().cloned().chain([site.root.crl(1, 5, &[])]);
        code(verify_with(&ca, &[&site.client, &site.between], &CrlSet::new(&ca, crls, now())))
    };
    assert_eq!(verdict(&[]), "certificate-status-unknown");
    assert_eq!(verdict(&[site.between.crl(1, 5, &[])]), "accepted");
    assert_eq!(
        verdict(&[site.between.crl(1, 5, &[]), site.between.crl(2, 5, &[&site.client])]),
        "certificate-revoked"
    );
    let forged = Ca::root("Between").crl(99, 5, &[]);
    assert_eq!(verdict(&[forged.clone(), site.between.crl(2, 5, &[&site.client])]), "certificate-revoked");
    assert_eq!(verdict(&[forged]), "certificate-status-unknown");
}

#[test]
fn an_authority_may_change_its_key_and_keep_its_name() {
    let (old, new) = (Ca::root("Root"), Ca::root("Root"));
    let ca = with_policy(&[&old, &new], &[], CrlPolicy::Refuse);
    let (of_old, of_new) = (old.client("old.example"), new.client("new.example"));
    let set = CrlSet::new(&ca, [old.crl(7, 5, &[&of_old]), new.crl(1, 5, &[])], now());
    assert_eq!(set.rejected().len(), 0);
    assert_eq!(code(verify_with(&ca, &[&of_old], &set)), "certificate-revoked");
    assert_eq!(code(verify_with(&ca, &[&of_new], &set)), "accepted");
    let set = CrlSet::new(&ca, [old.crl(7, 5, &[])], now());
    assert_eq!(code(verify_with(&ca, &[&of_new], &set)), "certificate-status-unknown");
}

#[test]
fn the_answer_is_good_until_the_next_update() {
    let site = Site::new();
    let ca = site.ca(CrlPolicy::Refuse);
    // Until July, and until August.
    let set = CrlSet::new(&ca, [site.root.crl(1, 6, &[]), site.between.crl(1, 5, &[])], now());
    assert_eq!(verify_with(&ca, &[&site.client], &set).unwrap().valid_until, at(2030, 7, 1, 0));
    assert_eq!(set.next_update(now()), Some(at(2030, 7, 1, 0)));
    let chain = [site.client.der.clone()];
    assert_eq!(code(ca.verify(&chain, &set, at(2030, 7, 1, 0))), "certificate-status-unknown");
    // Who accepts the unknown status has no date to wait for but the certificates' own.
    let ca = site.ca(CrlPolicy::Accept);
    let set = CrlSet::new(&ca, [site.root.crl(1, 6, &[]), site.between.crl(1, 5, &[])], now());
    let verified = verify_with(&ca, &[&site.client], &set).unwrap();
    assert_eq!(verified.valid_until.as_secs(), at(2031, 1, 1, 0).as_secs() + 1);
}

#[test]
fn a_crl_of_the_future_waits_for_its_time() {
    let site = Site::new();
    let ca = site.ca(CrlPolicy::Refuse);
    let crls = [site.root.crl(1, 5, &[]), site.between.crl(1, 5, &[]), site.between.crl(2, 7, &[&site.client])];
    let set = CrlSet::new(&ca, crls, at(2030, 5, 15, 0));
    let verified = ca.verify(&[site.client.der.clone()], &set, at(2030, 5, 15, 0)).unwrap();
    assert_eq!(verified.valid_until, at(2030, 7, 1, 0));
    let later = site.ca(CrlPolicy::Accept);
    assert_eq!(code(later.verify(&[site.client.der.clone()], &set, at(2030, 7, 1, 0))), "certificate-revoked");
}

#[test]
fn an_issuer_that_may_not_sign_crls_signs_none() {
    let root = Ca::root("Root");
    let mut params = ca_params("Between");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let between = root.below(params);
    // rcgen would not sign it, so the same key has another certificate for that.
    let signing = Ca { params: ca_params("Between"), key: between.key, der: between.der.clone() };
    let crl = signing.crl(1, 5, &[]);
    let ca = with_policy(&[&root], &[&signing], CrlPolicy::Refuse);
    let set = CrlSet::new(&ca, [crl], now());
    assert!(set.rejected()[0].reason.contains("cRLSign"), "{}", set.rejected()[0].reason);
}

#[test]
fn scopes_of_distribution_points_are_kept_apart() {
    let site = Site::new();
    let scoped = |number, scope, revoked: &[&Ca]| {
        let mut params = site.between.crl_params(number, 5, revoked);
        params.issuing_distribution_point = Some(CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint { uris: vec!["http://crl.example/1".into()] },
            scope: Some(scope),
        });
        site.between.crl_of(params)
    };
    let of_root = site.root.crl(1, 5, &[]);
    // One for authorities alone does not cover a client, however new it is.
    let authorities = scoped(9, CrlScope::CaCertsOnly, &[]);
    assert_eq!(site.verdicts(&[&of_root, &authorities]), UNKNOWN);
    assert_eq!(site.verdicts(&[&of_root, &authorities, &site.between.crl(1, 5, &[&site.client])]), REVOKED);
    assert_eq!(
        site.verdicts(&[&of_root, &authorities, &scoped(1, CrlScope::UserCertsOnly, &[&site.client])]),
        REVOKED
    );
}

#[test]
fn octets_that_are_no_crl_are_refused() {
    let site = Site::new();
    let der = site.root.crl_params(1, 5, &[&site.client]).signed_by(&site.root.issuer()).unwrap();
    assert!(Crl::from_der(der.der()).is_ok());
    for cut in 0..der.der().len() {
        assert!(Crl::from_der(&der.der()[..cut]).is_err(), "cut off after {cut}");
    }
    assert!(matches!(Crl::from_der(&[der.der(), b"\0".as_slice()].concat()), Err(CrlError::Malformed(_))));
    assert!(matches!(Crl::from_der(&vec![0x30; 11 << 20]), Err(CrlError::TooLong)));
    let crl = Crl::from_der(der.der()).unwrap();
    assert_eq!((crl.issuer(), crl.number().as_deref(), crl.entries()), ("CN=Root", Some("01"), 1));
    assert_eq!((crl.this_update(), crl.next_update()), (at(2030, 5, 1, 0), at(2030, 7, 1, 0)));
    let pem = der.pem().unwrap();
    assert_eq!(tagai_pki::pem::crls(pem.repeat(2).as_bytes()).unwrap().len(), 2);
    assert_eq!(tagai_pki::pem::crls(der.der()).unwrap().len(), 1);
}

#[test]
fn deltas_and_crls_for_others_are_refused() {
    // rcgen has neither: a CRL is put together by hand, with an extension in the place of the number.
    let crl = |extension: &[u8]| Crl::from_der(&by_hand(extension)).map(|_| ()).unwrap_err();
    // deltaCRLIndicator, critical, base 1.
    assert_eq!(crl(b"\x30\x0d\x06\x03\x55\x1d\x1b\x01\x01\xff\x04\x03\x02\x01\x01"), CrlError::Delta);
    // issuingDistributionPoint with indirectCRL, critical.
    let indirect = b"\x30\x0f\x06\x03\x55\x1d\x1c\x01\x01\xff\x04\x05\x30\x03\x84\x01\xff";
    assert_eq!(crl(indirect), CrlError::Indirect);
    // issuingDistributionPoint with onlySomeReasons.
    let reasons = b"\x30\x10\x06\x03\x55\x1d\x1c\x01\x01\xff\x04\x06\x30\x04\x83\x02\x06\x40";
    assert_eq!(crl(reasons), CrlError::SomeReasons);
    // A critical extension that nobody knows.
    let unknown = b"\x30\x0c\x06\x03\x2a\x03\x04\x01\x01\xff\x04\x02\x05\x00";
    assert!(matches!(crl(unknown), CrlError::Unsupported(_)));
}

#[test]
fn a_crl_without_a_next_update_is_refused() {
    let whole = by_hand(b"");
    let update = b"\x17\x0d300701000000Z";
    let at = whole.windows(update.len()).position(|window| window == update).unwrap();
    let mut without = whole.clone();
    without.drain(at..at + update.len());
    for length in [1, 3] {
        // Both outer lengths are of one octet.
        without[length] -= u8::try_from(update.len()).unwrap();
    }
    assert_eq!(Crl::from_der(&without).map(|_| ()).unwrap_err(), CrlError::NoNextUpdate);
}

/// A CRL of nobody with one extension.
fn by_hand(extension: &[u8]) -> Vec<u8> {
    let algorithm = b"\x30\x05\x06\x03\x2b\x65\x70";
    let issuer = b"\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01a";
    let times = b"\x17\x0d300501000000Z\x17\x0d300701000000Z";
    let number = b"\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x01".as_slice();
    let extensions = wrap(0xa0, &wrap(0x30, if extension.is_empty() { number } else { extension }));
    let list = wrap(0x30, &[b"\x02\x01\x01".as_slice(), algorithm, issuer, times, &extensions].concat());
    wrap(0x30, &[&list, algorithm.as_slice(), b"\x03\x02\x00\x01"].concat())
}

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
}

#[test]
fn the_number_of_a_crl_may_be_missing() {
    // Not by RFC 5280, but some authorities leave it out; one with a number is newer.
    let by_hand = Crl::from_der(&by_hand(b"\x30\x09\x06\x03\x2a\x03\x04\x04\x02\x05\x00")).unwrap();
    assert_eq!(by_hand.number(), None);
}

#[test]
fn one_of_several_scopes_is_enough_to_be_revoked() {
    let site = Site::new();
    let shard = |name: &str, month, revoked: &[&Ca]| {
        let mut params = site.between.crl_params(1, month, revoked);
        let uris = vec![format!("http://crl.example/{name}")];
        let distribution_point = CrlDistributionPoint { uris };
        params.issuing_distribution_point = Some(CrlIssuingDistributionPoint { distribution_point, scope: None });
        site.between.crl_of(params)
    };
    let of_root = site.root.crl(1, 5, &[]);
    // The client's certificate does not say which one it belongs to.
    assert_eq!(site.verdicts(&[&of_root, &shard("1", 5, &[]), &shard("2", 5, &[])]), ACCEPTED);
    assert_eq!(site.verdicts(&[&of_root, &shard("1", 5, &[]), &shard("2", 4, &[&site.client])]), REVOKED);
    assert_eq!(site.verdicts(&[&of_root, &shard("1", 4, &[]), &shard("2", 5, &[&site.client])]), REVOKED);
}
