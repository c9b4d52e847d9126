//! Whom an authority vouches for, and attacks on that.
#![allow(missing_docs, unused_crate_dependencies)]

mod support;

use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CustomExtension, DnType, ExtendedKeyUsagePurpose as Eku, GeneralSubtree, IsCa,
    KeyUsagePurpose as Ku, NameConstraints, PKCS_ED25519, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use support::*;
use tagai_pki::client_ca::{ClientCa, ClientCaConfig, ClientCaError, CrlPolicy, MAX_CHAIN, Refusal};
use tagai_pki::crl::CrlSet;
use tagai_pki::names::NameKind;
use tagai_pki::raw_key::Pin;

#[test]
fn a_client_is_known_by_its_name_and_facts() {
    let root = Ca::root("Root");
    let between = root.below(ca_params("Between"));
    let mut params = client_params("Device1.Example.com");
    params.subject_alt_names.extend([email("a@b.example"), uri("spiffe://example.org/device1")]);
    params.distinguished_name.push(DnType::OrganizationName, "Example, Inc.");
    let client = between.below(params);
    let verified = verify(&client_ca(&[&root]), &[&client, &between]).unwrap();

    assert_eq!(verified.ca, "partners");
    assert_eq!(verified.name.to_string(), "uri:spiffe://example.org/device1");
    assert_eq!(verified.facts.subject, "O=Example\\, Inc.,CN=client");
    assert_eq!(verified.facts.issuer, "CN=Between");
    assert_eq!(verified.facts.serial, serial_text(&client));
    assert_eq!(verified.facts.dns_names, ["Device1.Example.com"]);
    assert_eq!(verified.facts.email_names, ["a@b.example"]);
    assert_eq!(verified.facts.uri_names, ["spiffe://example.org/device1"]);
    assert_eq!(verified.facts.common_names, ["client"]);
    assert_eq!(Some(verified.facts.key), Pin::of_certificate(&client.der));
    assert_eq!(verified.facts.not_before, at(2030, 1, 1, 0));
    assert_eq!(verified.facts.not_after, at(2031, 1, 1, 0));
    assert_eq!(verified.chain, [client.der, between.der]);
    assert_eq!(verified.valid_until.as_secs(), at(2031, 1, 1, 0).as_secs() + 1);
}

fn serial_text(client: &Ca) -> String {
    let octets = client.serial().to_bytes();
    let text: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    text.trim_start_matches("00").to_owned()
}

#[test]
fn intermediates_may_come_from_either_side_in_any_order() {
    let root = Ca::root("Root");
    let first = root.below(ca_params("First"));
    let second = first.below(ca_params("Second"));
    let client = second.client("a.example");
    let plain = client_ca(&[&root]);
    assert_eq!(code(verify(&plain, &[&client, &first, &second])), "accepted");
    assert_eq!(code(verify(&plain, &[&client, &second, &first])), "accepted");
    assert_eq!(code(verify(&plain, &[&client, &second, &first, &root])), "accepted");
    assert_eq!(code(verify(&plain, &[&client, &second])), "certificate-unknown-ca");
    let configured = with_policy(&[&root], &[&first], CrlPolicy::None);
    assert_eq!(code(verify(&configured, &[&client, &second])), "accepted");
    // What was sent in vain is not part of the path.
    let stranger = Ca::root("Stranger");
    let verified = verify(&configured, &[&client, &stranger, &second]).unwrap();
    assert_eq!(verified.chain, [client.der, second.der, first.der]);
}

#[test]
fn an_authority_of_the_same_name_is_another() {
    let (root, impostor) = (Ca::root("Root"), Ca::root("Root"));
    let ca = client_ca(&[&root]);
    let client = impostor.client("device1.example.com");
    let refusal = verify(&ca, &[&client]).unwrap_err();
    assert!(matches!(refusal, Refusal::BadSignature { .. }), "{refusal}");
    assert_eq!(refusal.code(), "certificate-unknown-ca");
    // Nor does it help to send the impostor's certificate along.
    assert_eq!(code(verify(&ca, &[&client, &impostor])), "certificate-unknown-ca");
    // Both trusted: each vouches for its own.
    let both = client_ca(&[&root, &impostor]);
    assert_eq!(code(verify(&both, &[&client])), "accepted");
    assert_eq!(code(verify(&both, &[&root.client("a.example")])), "accepted");
}

#[test]
fn an_unknown_authority_vouches_for_nobody() {
    let (root, other) = (Ca::root("Root"), Ca::root("Other"));
    let refusal = verify(&client_ca(&[&root]), &[&other.client("a.example"), &other]).unwrap_err();
    assert_eq!(refusal, Refusal::UnknownCa { issuer: "CN=Other".into() });
    // A certificate that signs itself.
    let own = Ca::root_of(client_params("a.example"));
    assert_eq!(code(verify(&client_ca(&[&root]), &[&own])), "certificate-unknown-ca");
}

#[test]
fn certificates_are_for_clients() {
    let root = Ca::root("Root");
    let ca = client_ca(&[&root]);
    let with = |purposes: &[Eku]| {
        let mut params = client_params("a.example");
        params.extended_key_usages = purposes.to_vec();
        code(verify(&ca, &[&root.below(params)]))
    };
    assert_eq!(with(&[Eku::ServerAuth]), "certificate-not-for-clients");
    assert_eq!(with(&[Eku::CodeSigning, Eku::EmailProtection]), "certificate-not-for-clients");
    assert_eq!(with(&[Eku::Any]), "certificate-not-for-clients");
    assert_eq!(with(&[Eku::ServerAuth, Eku::ClientAuth]), "accepted");
    // RFC 5280 section 4.2.1.12: without the extension, all purposes.
    assert_eq!(with(&[]), "accepted");

    let mut params = client_params("a.example");
    params.extended_key_usages = vec![Eku::ServerAuth];
    let refusal = verify(&ca, &[&root.below(params)]).unwrap_err();
    assert!(refusal.to_string().contains("serverAuth"), "{refusal}");

    // An issuer for servers alone.
    let mut params = ca_params("Servers");
    params.extended_key_usages = vec![Eku::ServerAuth];
    let servers = root.below(params);
    assert_eq!(code(verify(&ca, &[&servers.client("a.example"), &servers])), "certificate-not-for-clients");
}

#[test]
fn keys_are_used_for_what_they_are_for() {
    let root = Ca::root("Root");
    let ca = client_ca(&[&root]);
    let mut params = client_params("a.example");
    params.key_usages = vec![Ku::KeyEncipherment];
    assert_eq!(code(verify(&ca, &[&root.below(params)])), "certificate-not-for-clients");
    let mut params = client_params("a.example");
    params.key_usages = Vec::new();
    assert_eq!(code(verify(&ca, &[&root.below(params)])), "accepted");
    let mut params = ca_params("Between");
    params.key_usages = vec![Ku::CrlSign];
    let between = root.below(params);
    assert_eq!(code(verify(&ca, &[&between.client("a.example"), &between])), "certificate-not-permitted");
}

#[test]
fn a_client_is_no_authority() {
    let root = Ca::root("Root");
    let ca = client_ca(&[&root]);
    let client = root.client("a.example");
    assert_eq!(code(verify(&ca, &[&client.client("b.example"), &client])), "certificate-not-permitted");
    // And an authority is no client.
    let mut params = ca_params("Between");
    params.subject_alt_names = vec![dns("a.example")];
    assert_eq!(code(verify(&ca, &[&root.below(params)])), "certificate-not-permitted");
}

#[test]
fn certificates_have_their_time() {
    let root = Ca::root("Root");
    let between = root.below(ca_params("Between"));
    let ca = client_ca(&[&root]);
    let mut params = client_params("a.example");
    (params.not_before, params.not_after) = (date_time_ymd(2030, 3, 1), date_time_ymd(2030, 9, 1));
    let client = between.below(params);
    let chain = [client.der, between.der];
    let verify = |now| ca.verify(&chain, &CrlSet::default(), now);
    assert_eq!(code(verify(at(2030, 2, 28, 23))), "certificate-not-yet-valid");
    assert_eq!(code(verify(at(2030, 3, 1, 0))), "accepted");
    assert_eq!(code(verify(at(2030, 9, 1, 0))), "accepted");
    assert_eq!(code(verify(at(2030, 9, 1, 1))), "certificate-expired");
    assert_eq!(verify(now()).unwrap().valid_until.as_secs(), at(2030, 9, 1, 0).as_secs() + 1);
    assert_eq!(
        verify(at(2030, 9, 1, 1)).unwrap_err().to_string(),
        "a certificate of the chain expired at 2030-09-01T00:00:00Z (now 2030-09-01T01:00:00Z)"
    );
}

#[test]
fn issuers_have_their_time() {
    let mut params = ca_params("Root");
    (params.not_before, params.not_after) = (date_time_ymd(2029, 1, 1), date_time_ymd(2030, 5, 1));
    let old = Ca::root_of(params);
    let refusal = verify(&client_ca(&[&old]), &[&old.client("a.example")]).unwrap_err();
    assert!(matches!(refusal, Refusal::Expired { anchor: true, .. }), "{refusal}");
    let mut params = ca_params("Soon");
    params.not_before = date_time_ymd(2030, 7, 1);
    let soon = Ca::root_of(params);
    let refusal = verify(&client_ca(&[&soon]), &[&soon.client("a.example")]).unwrap_err();
    assert!(matches!(refusal, Refusal::NotYetValid { anchor: true, .. }), "{refusal}");

    let root = Ca::root("Root");
    let mut params = ca_params("Between");
    params.not_after = date_time_ymd(2030, 7, 1);
    let between = root.below(params);
    let client = between.client("a.example");
    let verified = verify(&client_ca(&[&root]), &[&client, &between]).unwrap();
    assert_eq!(verified.valid_until.as_secs(), at(2030, 7, 1, 0).as_secs() + 1);
    assert_eq!(
        client_ca(&[&root])
            .verify(&[client.der, between.der], &CrlSet::default(), at(2030, 7, 2, 0))
            .map_err(|r| r.code()),
        Err("certificate-expired")
    );
}

#[test]
fn names_keep_within_their_constraints() {
    let root = Ca::root("Root");
    let ca = client_ca(&[&root]);
    let mut params = ca_params("Between");
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".into())],
        excluded_subtrees: vec![GeneralSubtree::DnsName("secret.example.com".into())],
    });
    let between = root.below(params);
    let issued = |name: &str| code(verify(&ca, &[&between.client(name), &between]));
    assert_eq!(issued("device1.example.com"), "accepted");
    assert_eq!(issued("example.com"), "accepted");
    assert_eq!(issued("example.org"), "certificate-not-permitted");
    assert_eq!(issued("badexample.com"), "certificate-not-permitted");
    assert_eq!(issued("a.secret.example.com"), "certificate-not-permitted");
}

#[test]
fn constraints_of_a_trust_anchor_count() {
    let mut params = ca_params("Root");
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".into())],
        excluded_subtrees: Vec::new(),
    });
    let root = Ca::root_of(params);
    assert_eq!(code(verify(&client_ca(&[&root]), &[&root.client("a.example.com")])), "accepted");
    assert_eq!(code(verify(&client_ca(&[&root]), &[&root.client("a.example.org")])), "certificate-not-permitted");
}

#[test]
fn a_common_name_does_not_escape_constraints() {
    let root = Ca::root("Root");
    let mut params = ca_params("Between");
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".into())],
        excluded_subtrees: Vec::new(),
    });
    let between = root.below(params);
    let client = between.client("a.example.com");
    let ca =
        |names: &[NameKind]| ClientCa::new(ClientCaConfig { names: names.to_vec(), ..config(&[&root]) }).unwrap();
    assert_eq!(code(verify(&ca(&[NameKind::CommonName]), &[&client, &between])), "certificate-no-name");
    assert_eq!(code(verify(&ca(&[NameKind::Dns]), &[&client, &between])), "accepted");
    let plain = root.client("a.example.com");
    assert_eq!(verify(&ca(&[NameKind::CommonName]), &[&plain]).unwrap().name.to_string(), "cn:client");
}

#[test]
fn paths_keep_within_their_length() {
    let root = Ca::root("Root");
    let ca = client_ca(&[&root]);
    let mut params = ca_params("First");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let first = root.below(params);
    let second = first.below(ca_params("Second"));
    assert_eq!(code(verify(&ca, &[&first.client("a.example"), &first])), "accepted");
    let chain = [&second.client("a.example"), &second, &first];
    assert_eq!(code(verify(&ca, &chain)), "certificate-not-permitted");
}

#[test]
fn chains_are_bounded() {
    let root = Ca::root("Root");
    let ca = client_ca(&[&root]);
    let client = root.client("a.example");
    let others = vec![&root; MAX_CHAIN];
    assert_eq!(code(verify(&ca, &[&[&client], others.split_at(1).1].concat())), "accepted");
    assert_eq!(code(verify(&ca, &[&[&client], others.as_slice()].concat())), "certificate-chain-too-long");
    assert_eq!(code(ca.verify(&[], &CrlSet::default(), now())), "certificate-missing");
    let large = CertificateDer::from(vec![0x30; 65 << 10]);
    assert_eq!(code(ca.verify(&[client.der, large], &CrlSet::default(), now())), "certificate-chain-too-long");
}

#[test]
fn octets_that_are_no_certificate_are_refused() {
    let root = Ca::root("Root");
    let ca = client_ca(&[&root]);
    let client = root.client("a.example");
    let verify = |der: &[u8]| code(ca.verify(&[CertificateDer::from(der)], &CrlSet::default(), now()));
    assert_eq!(verify(b""), "certificate-malformed");
    assert_eq!(verify(&[client.der.as_ref(), b"\0"].concat()), "certificate-malformed");
    assert_eq!(verify(&client.der[..client.der.len() - 1]), "certificate-malformed");
    let mut damaged = client.der.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    assert_ne!(verify(&damaged), "accepted");
    // Not even beside a good one does it do harm.
    let junk = CertificateDer::from(b"\x30\x03junk".as_slice());
    assert_ne!(code(ca.verify(&[junk, client.der], &CrlSet::default(), now())), "accepted");
}

#[test]
fn critical_extensions_must_be_known() {
    let root = Ca::root("Root");
    let mut params = client_params("a.example");
    let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    extension.set_criticality(true);
    params.custom_extensions.push(extension);
    assert_eq!(code(verify(&client_ca(&[&root]), &[&root.below(params)])), "certificate-unsupported");
}

#[test]
fn names_in_certificates_are_read_strictly() {
    let root = Ca::root("Root");
    let ca = client_ca(&[&root]);
    let named = |names: Vec<rcgen::SanType>| {
        let mut params = client_params("a.example");
        params.subject_alt_names = names;
        verify(&ca, &[&root.below(params)])
            .map(|verified| verified.name.to_string())
            .map_err(|refusal| refusal.to_string())
    };
    assert_eq!(named(vec![dns("A.example"), dns("b.example")]).as_deref(), Ok("dns:a.example"));
    assert!(named(vec![dns("*.example")]).unwrap_err().contains("pattern"));
    assert!(named(vec![uri("spiffe://example.org")]).unwrap_err().contains("no path"));
    assert!(named(vec![uri("spiffe://example.org/a"), uri("x:y")]).unwrap_err().contains("several"));
    assert!(named(Vec::new()).unwrap_err().contains("uri, dns, email"));
    assert!(named(vec![dns("a.example\0.evil.example")]).is_err());
    assert!(named(vec![email("a@b.example\r\nX: y")]).is_err());
    // A name that is not ASCII: IA5String has nothing else.
    let mut params = client_params("a.example");
    params.subject_alt_names = Vec::new();
    params
        .custom_extensions
        .push(CustomExtension::from_oid_content(&[2, 5, 29, 17], b"\x30\x06\x82\x04\xff\xfe.b".to_vec()));
    let refusal = verify(&ca, &[&root.below(params)]).unwrap_err();
    assert_eq!(refusal.code(), "certificate-malformed", "{refusal}");
}

#[test]
fn other_keys_are_good_too() {
    let root = Ca::root("Root");
    let client = root.below_with(client_params("a.example"), rcgen::KeyPair::generate_for(&PKCS_ED25519).unwrap());
    assert_eq!(code(verify(&client_ca(&[&root]), &[&client])), "accepted");
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    let root = Ca::root("Root");
    let client = root.client("a.example");
    let new = |config: ClientCaConfig| ClientCa::new(config).map(|_| ()).unwrap_err();
    assert_eq!(new(config(&[])), ClientCaError::NoRoots);
    assert_eq!(new(ClientCaConfig { names: Vec::new(), ..config(&[&root]) }), ClientCaError::NoNames);
    let names = vec![NameKind::Dns, NameKind::Dns];
    assert_eq!(new(ClientCaConfig { names, ..config(&[&root]) }), ClientCaError::NameTwice(NameKind::Dns));
    let error = new(config(&[&root, &client])).to_string();
    assert!(error.starts_with("certificate 2 (\"CN=client\"): is not one of an authority"), "{error}");
    let intermediates = vec![CertificateDer::from(vec![0x30, 0])];
    let error = new(ClientCaConfig { intermediates, ..config(&[&root]) }).to_string();
    assert_eq!(error, "intermediate certificate 1: is not an X.509 certificate");
}

#[test]
fn hints_name_each_authority_once() {
    let (root, again) = (Ca::root("Root"), Ca::root("Root"));
    let other = Ca::root("Other");
    assert_eq!(client_ca(&[&root, &again, &other]).subjects().len(), 2);
}

/// Made once: the property below needs many copies.
static PATH: std::sync::LazyLock<(ClientCa, Vec<CertificateDer<'static>>)> = std::sync::LazyLock::new(|| {
    let root = Ca::root("Root");
    let between = root.below(ca_params("Between"));
    let client = between.client("a.example");
    (client_ca(&[&root]), vec![client.der, between.der])
});

proptest! {
    #[test]
    fn no_bit_of_a_chain_can_be_changed(which in 0..2_usize, at in any::<prop::sample::Index>(), bit in 0..8) {
        let (ca, chain) = &*PATH;
        prop_assert!(ca.verify(chain, &CrlSet::default(), now()).is_ok());
        let mut octets = chain[which].to_vec();
        let at = at.index(octets.len());
        octets[at] ^= 1_u8 << bit;
        let mut chain = chain.clone();
        chain[which] = CertificateDer::from(octets);
        prop_assert!(ca.verify(&chain, &CrlSet::default(), now()).is_err());
    }

    #[test]
    fn any_octets_get_an_answer(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let (ca, chain) = &*PATH;
        let refusal = ca.verify(&[octets.into()], &CrlSet::default(), now());
        prop_assert_eq!(refusal.map_err(|refusal| refusal.code()), Err("certificate-malformed"));
        prop_assert_eq!(chain.len(), 2);
    }
}
