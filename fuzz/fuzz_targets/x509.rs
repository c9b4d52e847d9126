//! What the gateway reads in its own certificates, with that of WebPKI as a judge.
//!
//! - Where WebPKI finds names, these are found, in lower case; one that is for a host is so in WebPKI's eyes too.
//! - A certificate that was cut off is none, and what stands behind it changes nothing.
//! - The dates lie between the years 0 and 10000.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rustls_pki_types::{CertificateDer, ServerName};
use tagai_gateway::tls::{Facts, Name};
use webpki::EndEntityCert;

/// Years 0000 and 10000, in seconds from 1970, with a few days around for days and hours that are none.
const DATES: std::ops::RangeInclusive<i64> = -62_167_219_200 - 864_000..=253_402_300_800 + 864_000;

fuzz_target!(|input: &[u8]| {
    let Some(facts) = Facts::read(input) else { return };
    assert!(DATES.contains(&facts.not_before) && DATES.contains(&facts.not_after), "{facts:?}");
    assert_eq!(Facts::read(&[input, b"x"].concat()).as_ref(), Some(&facts));
    let end = length(input).expect("a length");
    assert_eq!(Facts::read(&input[..end]).as_ref(), Some(&facts));
    for cut in [end - 1, end / 2] {
        assert_eq!(Facts::read(&input[..cut]), None, "cut off after {cut} octets");
    }

    let der = CertificateDer::from(&input[..end]);
    let Ok(judge) = EndEntityCert::try_from(&der) else { return };
    let dns: Vec<&str> = facts
        .names
        .iter()
        .filter_map(|name| match name {
            Name::Dns(name) => Some(&**name),
            Name::Ip(_) => None,
        })
        .collect();
    for name in judge.valid_dns_names() {
        assert!(dns.contains(&&*name.to_ascii_lowercase()), "{name} is not among {dns:?}");
    }
    for name in &facts.names {
        let host = match name {
            Name::Ip(address) => ServerName::from(*address),
            Name::Dns(name) => {
                let host = name.replace("*.", "a.");
                assert!(!name.starts_with("*.") || !Name::Dns(name.clone()).covers(&format!("b.{host}")));
                // A dot at the end is no part of a name in a certificate; WebPKI reads it and does not compare it.
                if host.ends_with('.') || !Name::Dns(name.clone()).covers(&host) {
                    continue;
                }
                let Ok(host) = ServerName::try_from(host) else { continue };
                host
            }
        };
        // A name that WebPKI cannot read spoils all for it.
        if judge.valid_dns_names().count() == dns.len() && dns.len() == facts.names.len() {
            assert!(judge.verify_is_valid_for_subject_name(&host).is_ok(), "{name:?} for {host:?}");
        }
    }
});

/// The length of the first element.
fn length(der: &[u8]) -> Option<usize> {
    Some(match *der.get(1)? {
        length @ 0..0x80 => 2 + usize::from(length),
        count => {
            let octets = der.get(2..2 + usize::from(count & 0x7f))?;
            2 + octets.len() + octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet))
        }
    })
}
