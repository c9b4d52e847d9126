//! A certificate for a host, and the one that signed it, for trying things out and for machines of one's own.

use crate::failure::Failure;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// How long the certificates are valid: the longest that every client accepts.
const DAYS: u64 = 825;

/// PEM texts.
pub(super) struct Certificates {
    /// What clients trust. Its private key is thrown away: nobody can sign anything more with it.
    pub(super) ca: String,
    /// What the gateway shows.
    pub(super) chain: String,
    /// Its private key.
    pub(super) key: Zeroizing<String>,
}

/// Makes a certificate for `host`, and for the loopback addresses if that is `localhost`.
pub(super) fn make(host: &str) -> Result<Certificates, Failure> {
    try_make(host).map_err(|error| Failure::other(format!("no certificate can be made for {host}: {error}")))
}

fn try_make(host: &str) -> Result<Certificates, rcgen::Error> {
    #[allow(clippy::disallowed_methods)] // A certificate says from when on it is valid.
    let now = SystemTime::now();
    let day = Duration::from_secs(86_400);
    let (from, to) = (now - day, now + day * u32::try_from(DAYS - 1).unwrap_or(1));
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.not_before = from.into();
    ca.not_after = to.into();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(DnType::CommonName, format!("tagai, made for {host}"));
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;

    let mut names = vec![host.trim_start_matches('[').trim_end_matches(']').to_owned()];
    if host == "localhost" {
        names.extend(["127.0.0.1".to_owned(), "::1".to_owned()]);
    }
    let mut leaf = CertificateParams::new(names)?;
    leaf.not_before = from.into();
    leaf.not_after = to.into();
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.use_authority_key_identifier_extension = true;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.distinguished_name.push(DnType::CommonName, host);
    let key = KeyPair::generate()?;
    let leaf = leaf.signed_by(&key, &ca)?;
    Ok(Certificates { ca: ca.pem(), chain: leaf.pem(), key: Zeroizing::new(key.serialize_pem()) })
}
