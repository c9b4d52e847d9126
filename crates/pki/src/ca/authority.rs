//! The authority itself: made, opened, looked into, and its intermediate renewed.

use super::folder::{Folder, ISSUED};
use super::index::{Index, authority_name};
use super::key::{self, Algorithm, Passphrase};
use super::{
    BACKDATED, CRL_LIFETIME, CaError, INTERMEDIATE_LIFETIME, Permitted, Purpose, ROOT_LIFETIME, Record, Serial,
    State, files, moment, name, seconds,
};
use crate::raw_key::Pin;
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SerialNumber,
};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The longest name of an authority: with ` intermediate 4294967295` behind it, it is a common name still.
const MAX_NAME: usize = 40;

/// What a new authority is like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewCa {
    /// Its name; without one, it gets a random one. Two with the same name confuse whoever trusts both.
    pub name: Option<String>,
    /// Where its CRLs will be published: the URL of a folder, `http://crl.example.com/`.
    pub crl_url: Option<String>,
    /// What it may sign.
    pub permitted: Permitted,
}

/// An authority, and the lock on its folder: no other command changes it meanwhile.
#[derive(Debug)]
pub struct Ca {
    pub(super) folder: Folder,
    pub(super) index: Index,
    _lock: File,
}

impl Ca {
    /// Makes an authority in a folder that is empty or not there: root, intermediate, and CRLs without an entry.
    ///
    /// # Errors
    /// [`CaError::Exists`] if the folder holds something, [`CaError::Setting`], [`CaError::WeakPassphrase`], or
    /// [`CaError::Io`]; then nothing is left of it.
    pub fn create(dir: &Path, new: &NewCa, passphrase: &Passphrase, now: SystemTime) -> Result<Self, CaError> {
        let name = match &new.name {
            Some(name) => checked_name(name)?,
            None => random_name()?,
        };
        let crl_url = new.crl_url.as_deref().map(checked_url).transpose()?;
        passphrase.check()?;
        match fs::read_dir(dir).map(|mut entries| entries.next().is_some()) {
            Ok(true) => return Err(CaError::Exists { path: dir.to_owned() }),
            Ok(false) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(CaError::io(dir, "read", error)),
        }
        let existed = dir.exists();
        Folder::make(dir)?;
        // Everything is made in a folder of its own, and put in its place once it is complete.
        let temporary = files::beside(&dir.join("new"))?;
        let index = Index::new(name, crl_url, new.permitted.clone());
        let made = Self::fill(&temporary, index, passphrase, now).and_then(|()| publish(&temporary, dir));
        let _ = fs::remove_dir_all(&temporary);
        if let Err(error) = made {
            if !existed {
                // It was empty before, and is not if somebody else has written to it meanwhile.
                let _ = fs::remove_dir(dir);
            }
            return Err(error);
        }
        Self::open(dir)
    }

    fn fill(dir: &Path, index: Index, passphrase: &Passphrase, now: SystemTime) -> Result<(), CaError> {
        Folder::make(&dir.join(ISSUED))?;
        let folder = Folder::new(dir);
        let mut ca = Self { _lock: folder.lock()?, folder, index };
        let key = Algorithm::default().generate()?;
        let mut params = ca.params(0, now)?;
        params.not_after = (now + ROOT_LIFETIME).into();
        let record = ca.record(0, &params, &key)?;
        let certificate = params.self_signed(&key).map_err(CaError::failed("signing the root certificate"))?;
        ca.folder.write_authority(0, &certificate.pem(), &key::seal(&key, passphrase)?)?;
        let root = Issuer::new(params, key);
        ca.index.certificates.push(record);
        ca.add_intermediate(&root, passphrase, now)?;
        ca.write_crls_with(Some(&root), CRL_LIFETIME, passphrase, now)?;
        Ok(())
    }

    /// Opens an authority. Waits as long as another command changes it.
    ///
    /// # Errors
    /// [`CaError::NoCa`], [`CaError::Io`], [`CaError::Broken`].
    pub fn open(dir: &Path) -> Result<Self, CaError> {
        let folder = Folder::new(dir);
        if !folder.index().exists() {
            return Err(CaError::NoCa { dir: dir.to_owned() });
        }
        let lock = folder.lock()?;
        Ok(Self { index: Index::read(&folder.index())?, folder, _lock: lock })
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.folder.dir()
    }

    /// The authority's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.index.name
    }

    /// What it may sign.
    #[must_use]
    pub const fn permitted(&self) -> &Permitted {
        &self.index.permitted
    }

    /// Every certificate that was issued, the root first.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.index.certificates
    }

    /// The root's certificate: what others trust.
    #[must_use]
    pub fn root_path(&self) -> PathBuf {
        self.folder.certificate_path(0)
    }

    /// The root's private key, which can lie elsewhere.
    #[must_use]
    pub fn root_key_path(&self) -> PathBuf {
        self.folder.key_path(0)
    }

    /// The certificate of the intermediate at work.
    #[must_use]
    pub fn intermediate_path(&self) -> PathBuf {
        self.folder.certificate_path(self.index.newest())
    }

    /// The file with all CRLs, PEM.
    #[must_use]
    pub fn crl_path(&self) -> PathBuf {
        self.folder.path(super::folder::CRLS)
    }

    /// The certificates that are called so, or have this serial number.
    #[must_use]
    pub fn find(&self, what: &str) -> Vec<&Record> {
        if let Some(found) = what.parse().ok().and_then(|serial| self.by_serial(serial)) {
            return vec![found];
        }
        self.index.certificates.iter().filter(|record| record.is_called(what)).collect()
    }

    /// The certificate in a PEM file, if this authority has issued it.
    ///
    /// # Errors
    /// [`CaError::Broken`] if there is none in it; `path` is for what is said.
    pub fn find_certificate(&self, pem: &[u8], path: &Path) -> Result<Option<&Record>, CaError> {
        let der = key::certificate(pem, path)?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&der)
            .map_err(|error| CaError::broken(path, format!("its certificate cannot be read: {error}")))?;
        let found = Serial::from_octets(parsed.raw_serial()).and_then(|serial| self.by_serial(serial));
        // A number alone could be anybody's.
        Ok(found.filter(|record| record.key == Pin::of_octets(parsed.public_key().raw)))
    }

    pub(super) fn by_serial(&self, serial: Serial) -> Option<&Record> {
        self.index.certificates.iter().find(|record| record.serial == serial)
    }

    /// Makes a new intermediate, with a new key, and lets it sign from now on. Those before it stay valid, and their CRLs go on.
    ///
    /// # Errors
    /// [`CaError::NoRootKey`], [`CaError::WrongPassphrase`], [`CaError::Expired`] for the root, [`CaError::Io`].
    pub fn renew_intermediate(&mut self, passphrase: &Passphrase, now: SystemTime) -> Result<Record, CaError> {
        let root = self.folder.issuer(0, passphrase, "a new intermediate")?;
        if self.index.authority(0).is_none_or(|record| record.state(now) != State::Valid) {
            return Err(CaError::Expired { which: "root certificate" });
        }
        // Before anything is made: the new one takes the place of the one at work, whose key may be lost.
        self.signers(self.index.newest().saturating_add(1), passphrase, now)?;
        let record = self.add_intermediate(&root, passphrase, now)?;
        self.write_crls_with(Some(&root), CRL_LIFETIME, passphrase, now)?;
        Ok(record)
    }

    fn add_intermediate(
        &mut self,
        root: &Issuer<'_, KeyPair>,
        passphrase: &Passphrase,
        now: SystemTime,
    ) -> Result<Record, CaError> {
        let number = self.index.newest().saturating_add(1);
        let limit = self.index.authority(0).map_or(now, Record::until);
        let key = Algorithm::default().generate()?;
        let mut params = self.params(number, now)?;
        params.not_after = (now + INTERMEDIATE_LIFETIME).min(limit).into();
        let record = self.record(number, &params, &key)?;
        let certificate =
            params.signed_by(&key, root).map_err(CaError::failed("signing an intermediate certificate"))?;
        self.folder.write_authority(number, &certificate.pem(), &key::seal(&key, passphrase)?)?;
        self.index.certificates.push(record.clone());
        self.index.write(&self.folder.index())?;
        Ok(record)
    }

    /// What the root (0) and the intermediates have in common.
    fn params(&self, number: u32, now: SystemTime) -> Result<CertificateParams, CaError> {
        let mut params = CertificateParams::default();
        let common_name = format!("{} {}", self.index.name, authority_name(number).replace('-', " "));
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, self.index.name.as_str());
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.serial_number = Some(SerialNumber::from_slice(Serial::random()?.octets()));
        params.not_before = now.checked_sub(BACKDATED).unwrap_or(now).into();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(u8::from(number == 0)));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = self.index.permitted.constraints();
        if number > 0 {
            params.use_authority_key_identifier_extension = true;
            params.crl_distribution_points = self.distribution_points(0);
        }
        Ok(params)
    }

    /// Where the CRL of an authority is published, for the certificates that it signs.
    pub(super) fn distribution_points(&self, issuer: u32) -> Vec<CrlDistributionPoint> {
        let url = self.index.crl_url.iter().map(|base| format!("{base}{}.crl", authority_name(issuer)));
        url.map(|url| CrlDistributionPoint { uris: vec![url] }).collect()
    }

    fn record(&self, number: u32, params: &CertificateParams, key: &KeyPair) -> Result<Record, CaError> {
        let unusable =
            || CaError::Failed { what: "making a certificate", reason: "it has no serial number".to_owned() };
        let serial = params.serial_number.as_ref().and_then(|serial| Serial::from_octets(serial.as_ref()));
        Ok(Record {
            serial: serial.ok_or_else(unusable)?,
            purpose: if number == 0 { Purpose::Root } else { Purpose::Intermediate },
            name: authority_name(number),
            names: Vec::new(),
            common_name: Some(format!("{} {}", self.index.name, authority_name(number).replace('-', " "))),
            issuer: 0,
            key: key::pin(key),
            not_before: seconds(params.not_before.into()),
            not_after: seconds(params.not_after.into()),
            revoked: None,
        })
    }

    /// The intermediate at work, if it can sign.
    pub(super) fn at_work(&self, now: SystemTime) -> Result<(u32, &Record), CaError> {
        let number = self.index.newest();
        let broken = || CaError::broken(&self.folder.index(), "it knows of no intermediate");
        let record = self.index.authority(number).filter(|_| number > 0).ok_or_else(broken)?;
        let root = self.index.authority(0).ok_or_else(broken)?;
        if root.not_after < seconds(now) {
            return Err(CaError::Expired { which: "root certificate" });
        }
        match record.state(now) {
            State::Valid => Ok((number, record)),
            State::Expired => Err(CaError::Expired { which: "intermediate certificate" }),
            State::Revoked => Err(CaError::IntermediateRevoked),
        }
    }

    /// When the root's certificate is over.
    pub(super) fn root_until(&self) -> SystemTime {
        self.index.authority(0).map_or(moment(0), Record::until)
    }
}

/// Moves everything from one folder into another, the index last: where it is, everything is. If that fails, all of it goes.
fn publish(from: &Path, to: &Path) -> Result<(), CaError> {
    let broken = |error| CaError::io(to, "written", error);
    let names = fs::read_dir(from).and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
    let mut names: Vec<std::ffi::OsString> = names.map_err(broken)?;
    names.sort_by_key(|name| name == files::INDEX);
    let moved = names.iter().try_for_each(|name| fs::rename(from.join(name), to.join(name)));
    moved.and_then(|()| files::sync_directory(&to.join(files::INDEX))).map_err(|error| {
        for name in &names {
            let path = to.join(name);
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }
        broken(error)
    })
}

fn random_name() -> Result<String, CaError> {
    let random = getrandom::u32()
        .map_err(|error| CaError::Failed { what: "the system's random generator", reason: error.to_string() })?;
    Ok(format!("tagai CA {random:08x}"))
}

fn checked_name(text: &str) -> Result<String, CaError> {
    let name = text.trim();
    let reason = if name.is_empty() {
        "a CA has a name".to_owned()
    } else if name.chars().count() > MAX_NAME {
        format!("it has more than {MAX_NAME} characters")
    } else if name.chars().any(char::is_control) {
        "it has a control character in it".to_owned()
    } else {
        return Ok(name.to_owned());
    };
    Err(CaError::Setting { what: "--name", text: text.to_owned(), reason })
}

/// The URL of a folder, with a slash at its end. It is http: whoever checks a certificate cannot be asked to check another first
/// (RFC 5280 section 8).
fn checked_url(text: &str) -> Result<String, CaError> {
    let setting =
        |reason: &str| CaError::Setting { what: "--crl-url", text: text.to_owned(), reason: reason.to_owned() };
    let rest = text.strip_prefix("http://").ok_or_else(|| {
        setting("it begins with http://: a CRL is signed itself, and is needed before TLS can be trusted")
    })?;
    if text.len() > 1024 || !text.bytes().all(|octet| octet.is_ascii_graphic() && !b"\"<>\\^`{|}?#".contains(&octet))
    {
        return Err(setting("it is the URL of a folder, with at most 1024 characters and no query"));
    }
    if text.ends_with(".crl") || text.ends_with(".pem") {
        return Err(setting("it is the URL of a folder, in which root.crl and intermediate-1.crl will be found"));
    }
    let host = rest.split('/').next().unwrap_or_default();
    let name = host.split_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
    if name.parse::<std::net::Ipv4Addr>().is_err() && !host.starts_with('[') {
        name::host(&name).map_err(|reason| setting(&format!("its host: {reason}")))?;
    }
    Ok(format!("{}/", text.trim_end_matches('/')))
}
