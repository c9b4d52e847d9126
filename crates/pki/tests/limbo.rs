//! The cases of x509-limbo that apply to client certificates, **made anew**.
//!
//! x509-limbo (C2SP) publishes certificates for validators of servers: nearly all of its leaves are for `serverAuth`, which a client
//! must not use, and its data are in no package registry. So these are not its data: each case is built here as
//! its description says, with `clientAuth` in the place of `serverAuth`, and goes by its name. `limbo` is what x509-limbo
//! expects. Where the verdict here is another, `why` says so, and the test fails if a reason is missing or not needed.
#![allow(missing_docs, unused_crate_dependencies)]

mod support;

use rcgen::{
    BasicConstraints, CidrSubnet, CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope, CustomExtension,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose as Eku, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose as Ku,
    NameConstraints, SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use support::*;
use tagai_pki::client_ca::{ClientCa, ClientCaConfig, CrlPolicy};
use tagai_pki::crl::{Crl, CrlSet};

const SUCCESS: bool = true;
const FAILURE: bool = false;

const LENIENT: &str =
    "WebPKI is lenient here; the authority that the operator trusts signed it, and nothing is decided by it";
const ANCHOR: &str =
    "the operator chose the trust anchor; of it only name, key, dates, constraints and key usage count";

#[track_caller]
fn case(id: &str, limbo: bool, verdict: &'static str, expected: &str, why: Option<&str>) {
    assert_eq!(verdict, expected, "{id}");
    let diverges = (verdict == "accepted") != limbo;
    assert_eq!(diverges, why.is_some(), "{id}: {}", if diverges { "why?" } else { "no reason is needed" });
}

/// With `path` below `root`, the last of which is the client's.
fn verdict(root: &Ca, path: &[&Ca]) -> &'static str {
    let chain: Vec<_> = path.iter().rev().copied().collect();
    match ClientCa::new(config(&[root])) {
        Ok(ca) => code(verify(&ca, &chain)),
        Err(_) => "configuration",
    }
}

fn limited(name: &str, length: u8) -> rcgen::CertificateParams {
    let mut params = ca_params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length));
    params
}

#[test]
fn pathlen() {
    let root = Ca::root("x509-limbo-root");
    for length in 0..3 {
        let between = root.below(limited("Between", length));
        let id = format!("pathlen::ee-with-intermediate-pathlen-{length}");
        case(&id, SUCCESS, verdict(&root, &[&between, &between.client("example.com")]), "accepted", None);
    }
    let none = root.below(limited("None", 0));
    let below = none.below(limited("Below", 0));
    case(
        "pathlen::validation-ignores-pathlen-in-leaf",
        SUCCESS,
        verdict(&root, &[&none, &below]),
        "certificate-not-permitted",
        Some("a client's certificate is not one of an authority"),
    );
    let path = [&none, &below, &below.client("example.com")];
    case(
        "pathlen::intermediate-violates-pathlen-0",
        FAILURE,
        verdict(&root, &path),
        "certificate-not-permitted",
        None,
    );
    let one = root.below(limited("One", 1));
    let two = one.below(limited("Two", 2));
    let path = [&one, &two, &two.client("example.com")];
    case("pathlen::intermediate-pathlen-may-increase", SUCCESS, verdict(&root, &path), "accepted", None);
    let three = two.below(limited("Three", 0));
    let path = [&one, &two, &three, &three.client("example.com")];
    case("pathlen::intermediate-pathlen-too-long", FAILURE, verdict(&root, &path), "certificate-not-permitted", None);
    // The same name with another key does not count as one more (RFC 5280 section 6.1.4 (l)).
    let first = root.below(limited("Itself", 0));
    let second = first.below(limited("Itself", 0));
    case(
        "pathlen::self-issued-certs-pathlen",
        SUCCESS,
        verdict(&root, &[&first, &second, &second.client("example.com")]),
        "certificate-unknown-ca",
        Some("WebPKI counts self-issued certificates as any others: stricter, and nobody uses them below a limit"),
    );
}

fn permitted(subtrees: Vec<GeneralSubtree>) -> NameConstraints {
    NameConstraints { permitted_subtrees: subtrees, excluded_subtrees: Vec::new() }
}

fn excluded(subtrees: Vec<GeneralSubtree>) -> NameConstraints {
    NameConstraints { permitted_subtrees: Vec::new(), excluded_subtrees: subtrees }
}

fn host(name: &str) -> GeneralSubtree {
    GeneralSubtree::DnsName(name.into())
}

fn constrained(constraints: NameConstraints) -> Ca {
    let mut params = ca_params("x509-limbo-root");
    params.name_constraints = Some(constraints);
    Ca::root_of(params)
}

/// A client with the name and an address.
fn addressed(root: &Ca, address: &str) -> Ca {
    let mut params = client_params("example.com");
    params.subject_alt_names.push(rcgen::SanType::IpAddress(address.parse().unwrap()));
    root.below(params)
}

#[test]
fn nc_of_hosts_and_addresses() {
    let refused = "certificate-not-permitted";
    let of_host = |id: &str, limbo, constraints, name: &str, expected| {
        let root = constrained(constraints);
        case(&format!("rfc5280::nc::{id}"), limbo, verdict(&root, &[&root.client(name)]), expected, None);
    };
    of_host("permitted-dns-mismatch", FAILURE, permitted(vec![host("example.com")]), "not-example.com", refused);
    of_host(
        "excluded-dns-match",
        FAILURE,
        excluded(vec![host("not-allowed.example.com")]),
        "not-allowed.example.com",
        refused,
    );
    of_host("permitted-dns-match", SUCCESS, permitted(vec![host("example.com")]), "example.com", "accepted");
    of_host(
        "permitted-dns-match-more",
        SUCCESS,
        permitted(vec![host("example.com")]),
        "foo.bar.example.com",
        "accepted",
    );
    let both = NameConstraints {
        permitted_subtrees: vec![host("example.com")],
        excluded_subtrees: vec![host("example.com")],
    };
    of_host("excluded-match-permitted-and-excluded", FAILURE, both, "example.com", refused);
    let net = || GeneralSubtree::IpAddress(CidrSubnet::V4([192, 0, 2, 0], [255, 255, 255, 0]));
    of_host("permitted-different-constraint-type", SUCCESS, permitted(vec![net()]), "example.com", "accepted");
    of_host("excluded-different-constraint-type", SUCCESS, excluded(vec![net()]), "example.com", "accepted");

    let mut params = client_params("allowed.example.com");
    params.subject_alt_names.push(dns("not-allowed.example.com"));
    let root = constrained(excluded(vec![host("not-allowed.example.com")]));
    case("rfc5280::nc::excluded-dns-match-second", FAILURE, verdict(&root, &[&root.below(params)]), refused, None);

    // An address is no name for a client here, so there is a host beside it.
    let of_address = |id: &str, limbo, constraints, address: &str, expected| {
        let root = constrained(constraints);
        case(&format!("rfc5280::nc::{id}"), limbo, verdict(&root, &[&addressed(&root, address)]), expected, None);
    };
    let v6 = || {
        GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
            "2001:db8::".parse::<std::net::Ipv6Addr>().unwrap().octets(),
            32,
        ))
    };
    of_address("permitted-ip-mismatch", FAILURE, permitted(vec![net()]), "192.0.3.1", refused);
    of_address("excluded-ipv4-match", FAILURE, excluded(vec![net()]), "192.0.2.1", refused);
    of_address("excluded-ipv6-match", FAILURE, excluded(vec![v6()]), "2001:db8::1", refused);
    of_address("permitted-ipv4-match", SUCCESS, permitted(vec![net()]), "192.0.2.1", "accepted");
    of_address("permitted-ipv6-match", SUCCESS, permitted(vec![v6()]), "2001:db8::1", "accepted");
}

#[test]
fn nc_of_directory_names() {
    let name = |common_name: &str| {
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, common_name);
        GeneralSubtree::DirectoryName(name)
    };
    let verdict = |constraints| {
        let root = constrained(constraints);
        verdict(&root, &[&root.client("example.com")])
    };
    let refused = "certificate-not-permitted";
    case("rfc5280::nc::permitted-dn-mismatch", FAILURE, verdict(permitted(vec![name("other")])), refused, None);
    case("rfc5280::nc::excluded-dn-match", FAILURE, verdict(excluded(vec![name("client")])), refused, None);
    case(
        "rfc5280::nc::permitted-dn-match",
        SUCCESS,
        verdict(permitted(vec![name("client")])),
        refused,
        Some("constraints of directory names are not understood, and refused, as RFC 5280 section 4.2.1.10 allows"),
    );
}

#[test]
fn nc_in_paths() {
    let refused = "certificate-not-permitted";
    let below = |root: &Ca, constraints: Option<NameConstraints>, san: Option<&str>| {
        let mut params = ca_params("Between");
        params.name_constraints = constraints;
        params.subject_alt_names = san.map(dns).into_iter().collect();
        root.below(params)
    };
    let root = constrained(permitted(vec![host("example.com")]));
    let between = below(&root, None, Some("not-in-allowed.com"));
    let path = [&between, &between.client("example.com")];
    case("rfc5280::nc::intermediate-with-san-rejected-by-root-nc", FAILURE, verdict(&root, &path), refused, None);
    let between = below(&root, Some(permitted(vec![host("foo.example.com")])), None);
    let path = [&between, &between.client("bar.example.com")];
    case("rfc5280::nc::restrictive-permits-in-intermediates-narrows", FAILURE, verdict(&root, &path), refused, None);
    let root = constrained(permitted(vec![host("foo.example.com")]));
    let between = below(&root, Some(permitted(vec![host("example.com")])), None);
    let path = [&between, &between.client("bar.example.com")];
    case("rfc5280::nc::restrictive-permits-in-intermediates-widens", FAILURE, verdict(&root, &path), refused, None);

    let root = Ca::root("x509-limbo-root");
    // A permitted host, as an extension of its own: rcgen has them critical, and only for authorities.
    let raw = |critical: bool| {
        let content = [b"\x30\x11\xa0\x0f\x30\x0d\x82\x0b".as_slice(), b"example.com"].concat();
        let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 30], content);
        extension.set_criticality(critical);
        extension
    };
    for (id, critical) in [("not-allowed-in-ee-noncritical", false), ("not-allowed-in-ee-critical", true)] {
        let mut params = client_params("example.com");
        params.custom_extensions.push(raw(critical));
        case(&format!("rfc5280::nc::{id}"), FAILURE, verdict(&root, &[&root.below(params)]), refused, None);
    }
    let mut params = ca_params("Between");
    params.custom_extensions.push(raw(false));
    let between = root.below(params);
    case(
        "rfc5280::nc::permitted-dns-match-noncritical",
        FAILURE,
        verdict(&root, &[&between, &between.client("example.com")]),
        "accepted",
        Some(
            "constraints are kept whether they are critical or not, as webpki::nc::permitted-dns-match-noncritical wants",
        ),
    );
    case(
        "webpki::nc::permitted-dns-match-noncritical",
        SUCCESS,
        verdict(&root, &[&between, &between.client("example.com")]),
        "accepted",
        None,
    );
    assert_eq!(verdict(&root, &[&between, &between.client("example.org")]), refused);
}

#[test]
fn validity() {
    let expired = |mut params: rcgen::CertificateParams| {
        params.not_after = date_time_ymd(2030, 5, 1);
        params
    };
    let old = Ca::root_of(expired(ca_params("x509-limbo-root")));
    let verdict_of_old = verdict(&old, &[&old.client("example.com")]);
    case("rfc5280::validity::expired-root", FAILURE, verdict_of_old, "certificate-expired", None);
    let root = Ca::root("x509-limbo-root");
    let between = root.below(expired(ca_params("Between")));
    let path = [&between, &between.client("example.com")];
    case("rfc5280::validity::expired-intermediate", FAILURE, verdict(&root, &path), "certificate-expired", None);
    let client = root.below(expired(client_params("example.com")));
    case("rfc5280::validity::expired-leaf", FAILURE, verdict(&root, &[&client]), "certificate-expired", None);
    // One of two intermediates with the same key has expired.
    let fresh = root.below_with(ca_params("Between"), KeyPair::from_pem(&between.key.serialize_pem()).unwrap());
    let client = fresh.client("example.com");
    let chain = [&between, &fresh, &client];
    case("pathological::multiple-chains-expired-intermediate", SUCCESS, verdict(&root, &chain), "accepted", None);
}

#[test]
fn paths() {
    let (root, other) = (Ca::root("x509-limbo-root"), Ca::root("x509-limbo-other"));
    let unknown = "certificate-unknown-ca";
    let stranger = other.client("example.com");
    case("rfc5280::chain-untrusted-root", FAILURE, verdict(&root, &[&other, &stranger]), unknown, None);
    // Two that vouch for each other.
    let keys = [KeyPair::generate().unwrap(), KeyPair::generate().unwrap()];
    let [first, second] = [("First", &keys[0]), ("Second", &keys[1])].map(|(name, key)| {
        let key = KeyPair::from_pem(&key.serialize_pem()).unwrap();
        let params = ca_params(name);
        let der = params.self_signed(&key).unwrap().der().clone();
        Ca { params, key, der }
    });
    let copy = |of: &Ca| KeyPair::from_pem(&of.key.serialize_pem()).unwrap();
    let (by_second, by_first) =
        (second.below_with(ca_params("First"), copy(&first)), first.below_with(ca_params("Second"), copy(&second)));
    let client = by_second.client("example.com");
    let path = [&by_first, &by_second, &client];
    case("pathological::intermediate-cycle-distinct-cas", FAILURE, verdict(&root, &path), unknown, None);

    let with = |is_ca: IsCa, usages: Vec<Ku>| {
        let mut params = ca_params("Between");
        (params.is_ca, params.key_usages) = (is_ca, usages);
        let between = root.below(params);
        verdict(&root, &[&between, &between.client("example.com")])
    };
    let refused = "certificate-not-permitted";
    let sign = || vec![Ku::KeyCertSign];
    case("rfc5280::intermediate-ca-without-ca-bit", FAILURE, with(IsCa::ExplicitNoCa, sign()), refused, None);
    case("rfc5280::intermediate-ca-missing-basic-constraints", FAILURE, with(IsCa::NoCa, sign()), refused, None);
    let usages = vec![Ku::DigitalSignature];
    case(
        "rfc5280::ica-ku-keycertsign",
        FAILURE,
        with(IsCa::Ca(BasicConstraints::Unconstrained), usages),
        refused,
        None,
    );

    let root_with = |is_ca: IsCa, usages: Vec<Ku>| {
        let mut params = ca_params("x509-limbo-root");
        (params.is_ca, params.key_usages) = (is_ca, usages);
        let root = Ca::root_of(params);
        verdict(&root, &[&root.client("example.com")])
    };
    case("rfc5280::root-missing-basic-constraints", FAILURE, root_with(IsCa::NoCa, sign()), "configuration", None);
    let usages = vec![Ku::DigitalSignature];
    let inconsistent = root_with(IsCa::Ca(BasicConstraints::Unconstrained), usages);
    case("rfc5280::root-inconsistent-ca-extensions", FAILURE, inconsistent, "configuration", None);
}

fn altered(change: impl FnOnce(&mut rcgen::CertificateParams)) -> &'static str {
    let root = Ca::root("x509-limbo-root");
    let mut params = client_params("example.com");
    change(&mut params);
    verdict(&root, &[&root.below(params)])
}

#[test]
fn leaves() {
    let unknown = || {
        let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 55738, 666, 1], vec![5, 0]);
        extension.set_criticality(true);
        extension
    };
    let of_leaf = altered(|params| params.custom_extensions.push(unknown()));
    case("rfc5280::unknown-critical-extension-ee", FAILURE, of_leaf, "certificate-unsupported", None);
    let root = Ca::root("x509-limbo-root");
    let mut params = ca_params("Between");
    params.custom_extensions.push(unknown());
    let between = root.below(params);
    let path = [&between, &between.client("example.com")];
    case(
        "rfc5280::unknown-critical-extension-intermediate",
        FAILURE,
        verdict(&root, &path),
        "certificate-unsupported",
        None,
    );
    let mut params = ca_params("x509-limbo-root");
    params.custom_extensions.push(unknown());
    let odd = Ca::root_of(params);
    let of_root = verdict(&odd, &[&odd.client("example.com")]);
    case("rfc5280::unknown-critical-extension-root", FAILURE, of_root, "accepted", Some(ANCHOR));

    let usages = |usages: Vec<Ku>| altered(|params| params.key_usages = usages);
    case("rfc5280::no-keyusage", SUCCESS, usages(Vec::new()), "accepted", None);
    let both = vec![Ku::DigitalSignature, Ku::KeyCertSign];
    case("rfc5280::leaf-ku-keycertsign", FAILURE, usages(both), "certificate-not-permitted", None);
    case("rfc5280::no-basicconstraints", SUCCESS, altered(|params| params.is_ca = IsCa::NoCa), "accepted", None);

    let twice = altered(|params| {
        for _ in 0..2 {
            let extension = CustomExtension::from_oid_content(&[2, 5, 29, 31], b"\x30\x00".to_vec());
            params.custom_extensions.push(extension);
        }
    });
    case("rfc5280::duplicate-extensions", FAILURE, twice, "certificate-malformed", None);
    let serial = |octets: &[u8]| altered(|params| params.serial_number = Some(SerialNumber::from_slice(octets)));
    case("rfc5280::serial::serial-number-too-long", FAILURE, serial(&[0x7f; 22]), "accepted", Some(LENIENT));
    case("rfc5280::serial::serial-number-zero", FAILURE, serial(&[0]), "accepted", Some(LENIENT));

    let mut params = client_params("example.com");
    params.serial_number = Some(SerialNumber::from_slice(&[0x7d]));
    let leaf = root.below(params);
    let mut negative = leaf.der.to_vec();
    let at = negative.windows(3).position(|window| window == b"\x02\x01\x7d").unwrap();
    negative[at + 2] = 0xfd;
    let leaf = Ca { der: CertificateDer::from(negative), ..leaf };
    let verdict_of_negative = verdict(&root, &[&leaf]);
    case("rfc5280::serial::serial-number-negative", FAILURE, verdict_of_negative, "certificate-malformed", None);

    let leaf = root.client("example.com");
    let mut other = leaf.der.to_vec();
    // ecdsa-with-SHA256 becomes ecdsa-with-SHA384 in the outer place, which comes last.
    let oid = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let at = other.windows(oid.len()).rposition(|window| window == oid).unwrap();
    other[at + oid.len() - 1] = 3;
    let leaf = Ca { der: CertificateDer::from(other), ..leaf };
    case(
        "rfc5280::mismatching-signature-algorithm",
        FAILURE,
        verdict(&root, &[&leaf]),
        "certificate-malformed",
        None,
    );
    let identifiers = altered(|params| params.use_authority_key_identifier_extension = false);
    case("rfc5280::aki::leaf-missing-aki", FAILURE, identifiers, "accepted", Some(LENIENT));
}

#[test]
fn eku() {
    let with = |purposes: Vec<Eku>| altered(|params| params.extended_key_usages = purposes);
    let refused = "certificate-not-for-clients";
    // The other way round: for servers alone, while it is for clients that is asked.
    case("rfc5280::eku::ee-wrong-eku", FAILURE, with(vec![Eku::ServerAuth]), refused, None);
    case("rfc5280::eku::ee-without-eku", SUCCESS, with(Vec::new()), "accepted", None);
    let both = with(vec![Eku::ServerAuth, Eku::ClientAuth]);
    case("webpki::eku::ee-serverauth-with-additional", SUCCESS, both, "accepted", None);
    let precertificate = || Eku::Other(vec![1, 3, 6, 1, 4, 1, 11129, 2, 4, 4]);
    case("webpki::eku::ee-precertificate-only", FAILURE, with(vec![precertificate()]), refused, None);
    let browsers = Some("a rule of the CA/Browser Forum for certificates of public servers, which clients' are not");
    case("webpki::eku::ee-without-eku", FAILURE, with(Vec::new()), "accepted", browsers);
    case("webpki::eku::ee-anyeku", FAILURE, with(vec![Eku::ClientAuth, Eku::Any]), "accepted", browsers);
    for (id, purpose) in [
        ("ee-precertificate-with-serverauth", precertificate()),
        ("ee-codesigning-with-serverauth", Eku::CodeSigning),
        ("ee-emailprotection-with-serverauth", Eku::EmailProtection),
        ("ee-timestamping-with-serverauth", Eku::TimeStamping),
        ("ee-ocspsigning-with-serverauth", Eku::OcspSigning),
    ] {
        let verdict = with(vec![Eku::ClientAuth, purpose]);
        case(&format!("webpki::eku::{id}"), FAILURE, verdict, "accepted", browsers);
    }
    // An empty one can be had by hand alone.
    let empty = altered(|params| {
        params.extended_key_usages = Vec::new();
        params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 37], b"\x30\x00".to_vec()));
    });
    assert_eq!(empty, "certificate-malformed");
}

#[test]
fn san() {
    let with = |names: Vec<rcgen::SanType>| altered(|params| params.subject_alt_names = names);
    case("webpki::san::exact-san", SUCCESS, with(vec![dns("example.com")]), "accepted", None);
    case("webpki::san::no-san", FAILURE, with(Vec::new()), "certificate-no-name", None);
    // A pattern is never a client's name: what fails for servers if it does not match fails for clients always.
    for (id, limbo, name, why) in [
        ("leftmost-wildcard-san", SUCCESS, "*.example.com", Some("a pattern names many servers, but no one client")),
        ("wildcard-embedded-leftmost-san", FAILURE, "ba*.example.com", None),
        ("wildcard-not-in-leftmost-san", FAILURE, "foo.*.example.com", None),
        ("public-suffix-wildcard-san", FAILURE, "*.com", None),
    ] {
        case(&format!("webpki::san::{id}"), limbo, with(vec![dns(name)]), "certificate-no-name", why);
    }
    let raw = |octets: &[u8]| {
        let length = u8::try_from(octets.len()).unwrap();
        let content = [&[0x30, length + 2, 0x82, length], octets].concat();
        altered(|params| {
            params.subject_alt_names = Vec::new();
            params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 17], content));
        })
    };
    case("webpki::san::unicode-emoji-san", FAILURE, raw("😜.example.com".as_bytes()), "certificate-no-name", None);
    let malformed = altered(|params| {
        params.subject_alt_names = Vec::new();
        params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 17], b"not a SAN".to_vec()));
    });
    case("rfc5280::san::malformed", FAILURE, malformed, "certificate-malformed", None);
}

/// A root and a client of it.
struct Revocation {
    root: Ca,
    client: Ca,
}

impl Revocation {
    fn new() -> Self {
        let root = Ca::root("x509-limbo-root");
        let client = root.client("example.com");
        Self { root, client }
    }

    fn verdict(&self, crls: &[Arc<Crl>]) -> &'static str {
        let ca = with_policy(&[&self.root], &[], CrlPolicy::Refuse);
        code(verify_with(&ca, &[&self.client], &CrlSet::new(&ca, crls.iter().cloned(), now())))
    }

    fn scoped(&self, uri: &str, scope: Option<CrlScope>) -> Arc<Crl> {
        let mut params = self.root.crl_params(1, 5, &[]);
        let distribution_point = CrlDistributionPoint { uris: vec![uri.into()] };
        params.issuing_distribution_point = Some(CrlIssuingDistributionPoint { distribution_point, scope });
        self.root.crl_of(params)
    }
}

#[test]
fn crl() {
    let site = Revocation::new();
    let (root, client) = (&site.root, &site.client);
    let (other, unknown) = (root.client("other.example.com"), "certificate-status-unknown");
    let revoked = "certificate-revoked";
    case("crl::revoked-certificate-with-crl", FAILURE, site.verdict(&[root.crl(1, 5, &[client])]), revoked, None);
    case("crl::certificate-not-on-crl", SUCCESS, site.verdict(&[root.crl(1, 5, &[&other])]), "accepted", None);
    case("crl::crl-empty", SUCCESS, site.verdict(&[root.crl(1, 5, &[])]), "accepted", None);

    let stranger = Ca::root("x509-limbo-other");
    let crls = [root.crl(1, 5, &[]), stranger.crl(1, 5, &[client])];
    case("crl::certificate-serial-on-crl-different-issuer", SUCCESS, site.verdict(&crls), "accepted", None);
    // Of the right name, by another key.
    let forger = Ca::root("x509-limbo-root");
    case("crl::crl-invalid-signature", FAILURE, site.verdict(&[forger.crl(1, 5, &[&other])]), unknown, None);
    let both = with_policy(&[root, &stranger], &[], CrlPolicy::Refuse);
    let signed = Ca { params: ca_params("x509-limbo-root"), key: stranger.key, der: stranger.der };
    let set = CrlSet::new(&both, [signed.crl(1, 5, &[&other])], now());
    case("crl::crl-wrong-signing-key", FAILURE, code(verify_with(&both, &[client], &set)), unknown, None);

    case("crl::this-update-in-future", FAILURE, site.verdict(&[root.crl(1, 7, &[])]), unknown, None);
    case("crl::next-update-in-past", FAILURE, site.verdict(&[root.crl(1, 1, &[])]), unknown, None);
    case("crl::crl-validity-no-overlap", FAILURE, site.verdict(&[root.crl(1, 2, &[])]), unknown, None);
    for (id, month) in [("revocation-date-in-future", 12), ("revocation-date-before-not-before", 1)] {
        let mut params = root.crl_params(1, 5, &[client]);
        params.revoked_certs[0].revocation_time = date_time_ymd(2030 - i32::from(month == 1), month, 1);
        case(&format!("crl::{id}"), FAILURE, site.verdict(&[root.crl_of(params)]), revoked, None);
    }
    let twice = site.verdict(&[root.crl(1, 5, &[&other, &other])]);
    case("crl::crl-duplicate-revoked-serial", FAILURE, twice, "accepted", Some("who is revoked twice is revoked"));
    let mut params = root.crl_params(1, 5, &[]);
    let many = root.crl_params(1, 5, &[&other]).revoked_certs.remove(0);
    params.revoked_certs = (0..10_000_u64)
        .map(|number| rcgen::RevokedCertParams {
            serial_number: SerialNumber::from(1 << 40 | number),
            ..many.clone()
        })
        .collect();
    case("crl::crl-very-large", SUCCESS, site.verdict(&[root.crl_of(params)]), "accepted", None);
}

#[test]
fn crl_scopes() {
    let site = Revocation::new();
    let (uri, unknown) = ("http://example.com/partition.crl", "certificate-status-unknown");
    let located = |uri: &str| {
        let mut params = client_params("example.com");
        params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![uri.into()] }];
        let client = site.root.below(params);
        let ca = with_policy(&[&site.root], &[], CrlPolicy::Refuse);
        let set = CrlSet::new(&ca, [site.scoped("http://example.com/partition.crl", None)], now());
        code(verify_with(&ca, &[&client], &set))
    };
    case("crl::idp-cdp-scope-match", SUCCESS, located(uri), "accepted", None);
    case("crl::idp-cdp-scope-mismatch", FAILURE, located("http://example.com/cdp.crl"), unknown, None);
    let for_authorities = site.verdict(&[site.scoped(uri, Some(CrlScope::CaCertsOnly))]);
    case("crl::idp-only-contains-ca-certs-ee-target", FAILURE, for_authorities, unknown, None);
    case(
        "crl::idp-present-certificate-missing-cdp",
        FAILURE,
        site.verdict(&[site.scoped(uri, None)]),
        "accepted",
        Some(
            "WebPKI takes it for all of its issuer's; of several scopes that the operator gave, each is looked into",
        ),
    );
    let between = site.root.below(ca_params("Between"));
    let ca = with_policy(&[&site.root], &[&between], CrlPolicy::Refuse);
    let crls = [site.scoped(uri, Some(CrlScope::UserCertsOnly)), between.crl(1, 5, &[])];
    let verdict = code(verify_with(&ca, &[&between.client("example.com")], &CrlSet::new(&ca, crls, now())));
    case("crl::idp-only-contains-user-certs-ca-target", FAILURE, verdict, unknown, None);
}

#[test]
fn crl_issuers() {
    let with = |usages: Vec<Ku>| {
        let mut params = ca_params("x509-limbo-root");
        params.key_usages = usages;
        let root = Ca::root_of(params);
        let client = root.client("example.com");
        let ca = ClientCa::new(ClientCaConfig { crl_policy: CrlPolicy::Refuse, ..config(&[&root]) }).unwrap();
        // rcgen signs no CRL for such a one, unless it is told another story.
        let signer = Ca { params: ca_params("x509-limbo-root"), ..root };
        code(verify_with(&ca, &[&client], &CrlSet::new(&ca, [signer.crl(1, 5, &[])], now())))
    };
    let unknown = "certificate-status-unknown";
    case("crl::issuer-missing-crlsign", FAILURE, with(vec![Ku::KeyCertSign]), unknown, None);
    case("crl::issuer-no-keyusage-extension", SUCCESS, with(Vec::new()), "accepted", None);
    let both = with(vec![Ku::KeyCertSign, Ku::CrlSign]);
    case("crl::issuer-valid-crlsign-and-keycertsign", SUCCESS, both, "accepted", None);
}
