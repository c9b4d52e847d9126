//! Lists of revoked certificates.
//!
//! - A list that was cut off is none, and neither is one with an octet behind it.
//! - A list without its issuer's signature never counts for it, and displaces nothing.
//! - PEM around it changes nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rustls_pki_types::{CertificateDer, UnixTime};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tagai_pki::client_ca::{ClientCa, ClientCaConfig, CrlPolicy};
use tagai_pki::crl::{Crl, CrlSet};
use tagai_pki::names::NameKind;
use tagai_pki::pem;

const ROOT: &[u8] = include_bytes!("../corpus/client_certificate/root.der");
/// Signed by the root; numbers 1 and 2.
const SIGNED: [&[u8]; 2] = [include_bytes!("../corpus/crl/empty.der"), include_bytes!("../corpus/crl/one.der")];

static CA: LazyLock<ClientCa> = LazyLock::new(|| {
    let config = ClientCaConfig {
        id: "fuzz".into(),
        roots: vec![CertificateDer::from(ROOT)],
        intermediates: Vec::new(),
        names: NameKind::DEFAULT.to_vec(),
        crl_policy: CrlPolicy::Refuse,
    };
    ClientCa::new(config).expect("an authority")
});

static NEWEST: LazyLock<Arc<Crl>> = LazyLock::new(|| Arc::new(Crl::from_der(SIGNED[1]).expect("a CRL")));

/// In the year 2030.
const NOW: Duration = Duration::from_secs(1_900_000_000);

fuzz_target!(|input: &[u8]| {
    if let Ok(crls) = pem::crls(input) {
        assert!(!crls.is_empty() && crls.len() <= pem::MAX_CRLS);
    }
    let Ok(crl) = Crl::from_der(input) else { return };
    assert!(crl.this_update() <= crl.next_update());
    assert!(!crl.issuer().chars().any(char::is_control), "{:?}", crl.issuer());
    assert!(Crl::from_der(&[input, b"\0"].concat()).is_err());
    for cut in [input.len() - 1, input.len() / 2] {
        assert!(Crl::from_der(&input[..cut]).is_err(), "cut off after {cut} octets");
    }

    let crl = Arc::new(crl);
    let set = CrlSet::new(&CA, [Arc::clone(&crl), Arc::clone(&NEWEST)], UnixTime::since_unix_epoch(NOW));
    // An ECDSA signature has two forms; all else is signed.
    let genuine =
        SIGNED.iter().any(|signed| signed.len().abs_diff(input.len()) <= 2 && signed[..120] == input[..120]);
    assert!(genuine || !set.is_verified(&crl), "somebody else's");
    assert!(set.has(&NEWEST) || genuine, "displaced");
});
