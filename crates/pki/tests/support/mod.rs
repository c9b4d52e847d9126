//! Authorities for tests, and what they issue. Days are those of 2030; it is noon of the first of June.
#![allow(dead_code, unreachable_pub, missing_docs)]

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType,
    SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tagai_pki::client_ca::{ClientCa, ClientCaConfig, CrlPolicy, Refusal, VerifiedClient};
use tagai_pki::crl::{Crl, CrlSet};
use tagai_pki::names::NameKind;

/// 2030-06-01T12:00:00Z
pub fn now() -> UnixTime {
    at(2030, 6, 1, 12)
}

pub fn at(year: i32, month: u8, day: u8, hour: u64) -> UnixTime {
    let midnight = u64::try_from(date_time_ymd(year, month, day).unix_timestamp()).unwrap();
    UnixTime::since_unix_epoch(Duration::from_secs(midnight + hour * 3600))
}

/// A key and certificate, and what it was made of.
pub struct Ca {
    pub params: CertificateParams,
    pub key: KeyPair,
    pub der: CertificateDer<'static>,
}

static SERIAL: AtomicU64 = AtomicU64::new(1000);

/// Valid through 2030, with a serial number of its own.
pub fn params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2030, 1, 1);
    params.not_after = date_time_ymd(2031, 1, 1);
    params.serial_number = Some(SerialNumber::from(SERIAL.fetch_add(1, Ordering::Relaxed)));
    params.use_authority_key_identifier_extension = true;
    params
}

pub fn ca_params(common_name: &str) -> CertificateParams {
    let mut params = params(common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Of a client with a DNS name.
pub fn client_params(name: &str) -> CertificateParams {
    let mut params = params("client");
    params.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

pub fn uri(name: &str) -> SanType {
    SanType::URI(name.try_into().unwrap())
}

pub fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

pub fn email(name: &str) -> SanType {
    SanType::Rfc822Name(name.try_into().unwrap())
}

impl Ca {
    pub fn root(common_name: &str) -> Self {
        Self::root_of(ca_params(common_name))
    }

    pub fn root_of(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().clone();
        Self { params, key, der }
    }

    pub fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    pub fn below(&self, params: CertificateParams) -> Self {
        self.below_with(params, KeyPair::generate().unwrap())
    }

    pub fn below_with(&self, params: CertificateParams, key: KeyPair) -> Self {
        let der = params.signed_by(&key, &self.issuer()).unwrap().der().clone();
        Self { params, key, der }
    }

    pub fn client(&self, name: &str) -> Self {
        self.below(client_params(name))
    }

    pub fn serial(&self) -> SerialNumber {
        self.params.serial_number.clone().unwrap()
    }

    /// Issued on the first of `month`, good until the first of the second month after it.
    pub fn crl_params(&self, number: u64, month: u8, revoked: &[&Ca]) -> CertificateRevocationListParams {
        CertificateRevocationListParams {
            this_update: date_time_ymd(2030, month, 1),
            next_update: date_time_ymd(2030, month + 2, 1),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .iter()
                .map(|certificate| RevokedCertParams {
                    serial_number: certificate.serial(),
                    revocation_time: date_time_ymd(2030, month, 1),
                    reason_code: None,
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        }
    }

    pub fn crl(&self, number: u64, month: u8, revoked: &[&Ca]) -> Arc<Crl> {
        self.crl_of(self.crl_params(number, month, revoked))
    }

    pub fn crl_of(&self, params: CertificateRevocationListParams) -> Arc<Crl> {
        let der = params.signed_by(&self.issuer()).unwrap();
        Arc::new(Crl::from_der(der.der()).unwrap())
    }
}

pub fn config(roots: &[&Ca]) -> ClientCaConfig {
    ClientCaConfig {
        id: "partners".into(),
        roots: roots.iter().map(|root| root.der.clone()).collect(),
        intermediates: Vec::new(),
        names: NameKind::DEFAULT.to_vec(),
        crl_policy: CrlPolicy::None,
    }
}

pub fn client_ca(roots: &[&Ca]) -> ClientCa {
    ClientCa::new(config(roots)).unwrap()
}

pub fn with_policy(roots: &[&Ca], intermediates: &[&Ca], crl_policy: CrlPolicy) -> ClientCa {
    let intermediates = intermediates.iter().map(|intermediate| intermediate.der.clone()).collect();
    ClientCa::new(ClientCaConfig { intermediates, crl_policy, ..config(roots) }).unwrap()
}

/// What `ca` says of a chain without any CRLs.
pub fn verify(ca: &ClientCa, chain: &[&Ca]) -> Result<VerifiedClient, Refusal> {
    verify_with(ca, chain, &CrlSet::default())
}

pub fn verify_with(ca: &ClientCa, chain: &[&Ca], crls: &CrlSet) -> Result<VerifiedClient, Refusal> {
    let chain: Vec<_> = chain.iter().map(|certificate| certificate.der.clone()).collect();
    ca.verify(&chain, crls, now())
}

pub fn code(result: Result<VerifiedClient, Refusal>) -> &'static str {
    result.map_or_else(|refusal| refusal.code(), |_| "accepted")
}
