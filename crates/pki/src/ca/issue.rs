//! Certificates of servers and clients.

use super::files::{self, Mode};
use super::key::{self, Algorithm, Passphrase};
use super::{BACKDATED, Ca, CaError, Csr, DAY, Name, Purpose, Reason, Record, Serial, seconds};
use crate::raw_key::Pin;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, PublicKeyData as _,
    SerialNumber, SubjectPublicKeyInfo,
};
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// The most characters of a common name (RFC 5280 appendix A.1, ub-common-name).
const MAX_COMMON_NAME: usize = 64;
/// The most names of one certificate.
const MAX_NAMES: usize = 100;

/// Whose key a certificate is for.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // There is one of them.
pub enum KeySource {
    /// One that is made now.
    Generate(Algorithm),
    /// That of a request.
    Csr(Csr),
    /// That of the certificate which is renewed. A new certificate has none to keep.
    Keep,
}

/// What a certificate should be like.
#[derive(Debug, Clone)]
pub struct Request {
    /// What it is for: a server or a client.
    pub purpose: Purpose,
    /// The names in it; the first gives it its name.
    pub names: Vec<Name>,
    /// The common name of its subject; without one, the first name if it is short enough, else none.
    pub common_name: Option<String>,
    /// How long it is valid from now on. It is never valid longer than the intermediate that signs it.
    pub lifetime: Duration,
    /// Whose key it is for.
    pub key: KeySource,
}

/// A certificate that was issued.
pub struct Issued {
    /// What the index says of it.
    pub record: Record,
    /// PEM: the certificate, then the intermediate.
    pub chain: String,
    /// DER of the same.
    pub(super) ders: Vec<Vec<u8>>,
    /// The private key as PKCS #8 PEM, if it was made here. It is not kept.
    pub key: Option<Zeroizing<String>>,
    pub(super) key_der: Option<Zeroizing<Vec<u8>>>,
    /// It is valid for less time than was asked for, because the intermediate is.
    pub shortened: bool,
}

impl Ca {
    /// Issues a certificate. It stands in the index before it is handed out.
    ///
    /// # Errors
    /// [`CaError::NoName`], [`CaError::Name`], [`CaError::CommonName`], [`CaError::NotPermitted`], [`CaError::Lifetime`] for what was
    /// asked; [`CaError::Expired`], [`CaError::IntermediateRevoked`], [`CaError::NoKey`], [`CaError::WrongPassphrase`] for the
    /// authority; [`CaError::Io`].
    pub fn issue(&mut self, request: &Request, passphrase: &Passphrase, now: SystemTime) -> Result<Issued, CaError> {
        self.sign(request, None, passphrase, now)
    }

    /// Issues a certificate again: for the same names and purpose, and for as long as it was valid unless `lifetime` says
    /// otherwise. The old one stays valid.
    ///
    /// # Errors
    /// Those of [`Ca::issue`]; [`CaError::NotFound`]; [`CaError::NotPossible`] for what is revoked, unless for having a successor; [`CaError::KeyCompromised`] if the key shall be kept that was compromised.
    pub fn renew(
        &mut self,
        serial: Serial,
        key: KeySource,
        lifetime: Option<Duration>,
        passphrase: &Passphrase,
        now: SystemTime,
    ) -> Result<Issued, CaError> {
        let old = self.by_serial(serial).ok_or_else(|| CaError::NotFound { what: serial.to_string() })?.clone();
        if old.purpose.is_authority() {
            return Err(CaError::NotPossible {
                what: format!("{} is a certificate of the CA itself", old.name),
                help: "`tagai ca renew --intermediate` makes a new intermediate; a root cannot be renewed",
            });
        }
        // A job that renews whatever is nearly over must not undo what somebody decided.
        if let Some(revoked) = old.revoked
            && revoked.reason != Reason::Superseded
        {
            return Err(CaError::NotPossible {
                what: format!(
                    "{} of {} is revoked ({}), and is not renewed",
                    old.serial,
                    old.name,
                    revoked.reason.word()
                ),
                help: "if another is wanted all the same: tagai ca issue",
            });
        }
        let span = old.not_after.saturating_sub(old.not_before);
        let usual = Duration::from_secs(span).saturating_sub(BACKDATED);
        let request = Request {
            purpose: old.purpose,
            names: old.names.clone(),
            common_name: old.common_name.clone(),
            lifetime: lifetime.unwrap_or(usual),
            key,
        };
        self.sign(&request, Some(&old), passphrase, now)
    }

    /// The public key of a certificate that was issued, for the same again.
    fn kept(&self, old: Option<&Record>) -> Result<SubjectPublicKeyInfo, CaError> {
        let missing = || CaError::NotFound { what: "whose key could be kept".to_owned() };
        let path = self.folder.copy_path(old.ok_or_else(missing)?.serial);
        let der = key::certificate(&files::read(&path, files::MAX_PEM)?, &path)?;
        let (_, parsed) =
            x509_parser::parse_x509_certificate(&der).map_err(|error| CaError::broken(&path, error.to_string()))?;
        SubjectPublicKeyInfo::from_der(parsed.public_key().raw).map_err(CaError::failed("reading the old key"))
    }

    fn sign(
        &mut self,
        request: &Request,
        old: Option<&Record>,
        passphrase: &Passphrase,
        now: SystemTime,
    ) -> Result<Issued, CaError> {
        let Request { purpose, names, lifetime, .. } = request;
        if purpose.is_authority() {
            return Err(CaError::NotPossible {
                what: "certificates are issued to servers and clients".to_owned(),
                help: "`tagai ca renew --intermediate` makes another intermediate",
            });
        }
        let first = check_names(names)?;
        names.iter().try_for_each(|name| self.index.permitted.check(name))?;
        let common_name = common_name(request)?;
        check_lifetime(*lifetime, "certificate")?;
        let (number, intermediate) = self.at_work(now)?;
        let limit = intermediate.until().min(self.root_until());
        let until = (now + *lifetime).min(limit);

        let made = match request.key {
            KeySource::Generate(algorithm) => Some(algorithm.generate()?),
            KeySource::Csr(_) | KeySource::Keep => None,
        };
        let public = match (&request.key, &made) {
            (_, Some(key)) => SubjectPublicKeyInfo::from_der(&key.subject_public_key_info())
                .map_err(CaError::failed("reading the new key"))?,
            (KeySource::Csr(csr), _) => csr.key.clone(),
            (KeySource::Keep | KeySource::Generate(_), _) => self.kept(old)?,
        };
        let pin = Pin::of_octets(&public.subject_public_key_info());
        let compromised = |record: &Record| {
            record.key == pin && record.revoked.is_some_and(|revoked| revoked.reason == Reason::KeyCompromise)
        };
        if self.index.certificates.iter().any(compromised) {
            return Err(CaError::KeyCompromised { name: first.value() });
        }

        let serial = Serial::random()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        if let Some(text) = &common_name {
            params.distinguished_name.push(DnType::CommonName, text.as_str());
        }
        params.subject_alt_names = names.iter().map(Name::to_san).collect::<Result<_, _>>()?;
        params.serial_number = Some(SerialNumber::from_slice(serial.octets()));
        params.not_before = now.checked_sub(BACKDATED).unwrap_or(now).into();
        params.not_after = until.into();
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match purpose {
            Purpose::Client => ExtendedKeyUsagePurpose::ClientAuth,
            _ => ExtendedKeyUsagePurpose::ServerAuth,
        }];
        params.crl_distribution_points = self.distribution_points(number);
        let issuer = self.folder.issuer(number, passphrase, "a certificate")?;
        let certificate = params.signed_by(&public, &issuer).map_err(CaError::failed("signing the certificate"))?;

        let record = Record {
            serial,
            purpose: *purpose,
            name: first.value(),
            names: names.clone(),
            common_name,
            issuer: number,
            key: pin,
            not_before: seconds(params.not_before.into()),
            not_after: seconds(until),
            revoked: None,
        };
        let chain = format!("{}{}", certificate.pem(), self.folder.certificate_pem(number)?);
        let ders = vec![certificate.der().to_vec(), self.folder.certificate(number)?.to_vec()];
        self.index.certificates.push(record.clone());
        self.index.write(&self.folder.index())?;
        files::write_new(&self.folder.copy_path(serial), certificate.pem().as_bytes(), Mode::Private)?;
        Ok(Issued {
            record,
            chain,
            ders,
            key: made.as_ref().map(key::to_pem),
            key_der: made.as_ref().map(|key| Zeroizing::new(key.serialized_der().to_vec())),
            shortened: limit < now + *lifetime,
        })
    }
}

fn check_names(names: &[Name]) -> Result<&Name, CaError> {
    let first = names.first().ok_or(CaError::NoName)?;
    if names.len() > MAX_NAMES {
        return Err(CaError::name(&first.to_string(), format!("a certificate has at most {MAX_NAMES} names")));
    }
    let uris = names.iter().filter(|name| matches!(name, Name::Uri(_))).count();
    if let Some(id) = names.iter().find(|name| name.is_spiffe())
        && uris > 1
    {
        return Err(CaError::name(&id.to_string(), "a certificate with a SPIFFE id has no other URI"));
    }
    Ok(first)
}

fn common_name(request: &Request) -> Result<Option<String>, CaError> {
    let Some(text) = &request.common_name else {
        let value = request.names.first().map(Name::value);
        return Ok(value.filter(|value| value.len() <= MAX_COMMON_NAME));
    };
    let reason = if text.trim().is_empty() {
        "it is empty"
    } else if text.chars().count() > MAX_COMMON_NAME {
        "it has more than 64 characters"
    } else if text.chars().any(char::is_control) {
        "it has a control character in it"
    } else {
        return Ok(Some(text.clone()));
    };
    Err(CaError::CommonName { text: text.clone(), reason })
}

/// Fails for a time that nobody means.
pub(super) fn check_lifetime(lifetime: Duration, what: &'static str) -> Result<(), CaError> {
    if lifetime < Duration::from_secs(60) || lifetime > DAY * 36_525 {
        Err(CaError::Lifetime { what })
    } else {
        Ok(())
    }
}
