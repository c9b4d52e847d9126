//! What is read in a client's certificate, with that of WebPKI as a judge, and what an authority says of it.
//!
//! - Names and serial number are those that WebPKI finds; a certificate with an octet behind it is none.
//! - Text that goes into logs and fields is one line.
//! - A name has one spelling, and is read as it was written.
//! - The authority vouches for certificates that it signed, and for no others.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rustls_pki_types::{CertificateDer, UnixTime};
use std::sync::LazyLock;
use std::time::Duration;
use tagai_pki::client_ca::{CertificateFacts, ClientCa, ClientCaConfig, CrlPolicy};
use tagai_pki::crl::CrlSet;
use tagai_pki::names::{MappedName, NameKind};
use webpki::EndEntityCert;

const ROOT: &[u8] = include_bytes!("../corpus/client_certificate/root.der");
const SIGNED: [&[u8]; 4] = [
    include_bytes!("../corpus/client_certificate/names.der"),
    include_bytes!("../corpus/client_certificate/dns.der"),
    include_bytes!("../corpus/client_certificate/nameless.der"),
    include_bytes!("../corpus/client_certificate/uri.der"),
];

static CA: LazyLock<ClientCa> = LazyLock::new(|| {
    let config = ClientCaConfig {
        id: "fuzz".into(),
        roots: vec![CertificateDer::from(ROOT)],
        intermediates: Vec::new(),
        names: vec![NameKind::Uri, NameKind::Dns, NameKind::Email, NameKind::CommonName],
        crl_policy: CrlPolicy::None,
    };
    ClientCa::new(config).expect("an authority")
});

/// In the year 2030.
const NOW: Duration = Duration::from_secs(1_900_000_000);

fuzz_target!(|input: &[u8]| {
    let der = CertificateDer::from(input);
    match CA.verify(std::slice::from_ref(&der), &CrlSet::default(), UnixTime::since_unix_epoch(NOW)) {
        Ok(client) => {
            // An ECDSA signature has two forms; all else is signed.
            let same = |signed: &&[u8]| signed.len().abs_diff(input.len()) <= 2 && signed[..200] == input[..200];
            assert!(SIGNED.iter().any(same), "vouched for a stranger");
            assert_eq!(client.name.to_string().parse(), Ok(client.name));
        }
        Err(refusal) => {
            one_line(&refusal.to_string());
            assert!(refusal.code().starts_with("certificate-"));
        }
    }

    let Ok(facts) = CertificateFacts::read(input) else { return };
    assert!(CertificateFacts::read(&[input, b"x"].concat()).is_err());
    one_line(&facts.subject);
    one_line(&facts.issuer);
    let names = [
        (NameKind::Uri, &facts.uri_names),
        (NameKind::Dns, &facts.dns_names),
        (NameKind::Email, &facts.email_names),
        (NameKind::CommonName, &facts.common_names),
    ];
    for (kind, names) in names {
        for name in names.iter().filter_map(|name| MappedName::new(kind, name).ok()) {
            let text = name.to_string();
            assert!(
                text.bytes().all(|octet| octet.is_ascii_graphic() || octet == b' ') && !text.contains('*'),
                "{text}"
            );
            assert_eq!(text.parse(), Ok(name));
        }
    }

    let Ok(judge) = EndEntityCert::try_from(&der) else { return };
    let serial: String = judge.serial().iter().map(|octet| format!("{octet:02x}")).collect();
    assert!(serial.ends_with(&facts.serial) || serial.is_empty() || facts.serial == "00");
    for name in judge.valid_dns_names() {
        assert!(facts.dns_names.iter().any(|found| found == name), "{name}");
    }
    for name in judge.valid_uri_names() {
        assert!(facts.uri_names.iter().any(|found| found == name), "{name}");
    }
});

fn one_line(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
