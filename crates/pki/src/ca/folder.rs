//! The folder of an authority, and what is in it.
//!
//! `root.pem`, `intermediate-1.pem`: certificates; `root.key`, `intermediate-1.key`: their keys, encrypted; `root.crl`,
//! `intermediate-1.crl`: lists of revoked certificates, DER; `crl.pem`: all of them, PEM; `index.json`: what was issued;
//! `issued/`: a copy of each certificate, by serial number; `lock`: held while something is changed.

use super::files::{self, Mode};
use super::index::authority_name;
use super::key::{self, Passphrase};
use super::{CaError, Serial};
use crate::raw_key::Pin;
use rcgen::{Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The file that holds every CRL.
pub(super) const CRLS: &str = "crl.pem";
/// The folder of the copies.
pub(super) const ISSUED: &str = "issued";
/// The most octets of a CRL that is read: some 500 000 entries.
pub(super) const MAX_CRL: u64 = 32 << 20;

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(dir: &Path) -> Self {
        Self(dir.to_owned())
    }

    pub(super) fn dir(&self) -> &Path {
        &self.0
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn index(&self) -> PathBuf {
        self.path(files::INDEX)
    }

    pub(super) fn certificate_path(&self, authority: u32) -> PathBuf {
        self.path(&format!("{}.pem", authority_name(authority)))
    }

    pub(super) fn key_path(&self, authority: u32) -> PathBuf {
        self.path(&format!("{}.key", authority_name(authority)))
    }

    pub(super) fn crl_path(&self, authority: u32) -> PathBuf {
        self.path(&format!("{}.crl", authority_name(authority)))
    }

    pub(super) fn copy_path(&self, serial: Serial) -> PathBuf {
        self.path(ISSUED).join(format!("{serial}.pem"))
    }

    /// Waits until no other command changes the folder, and keeps others from doing so until the file is dropped.
    pub(super) fn lock(&self) -> Result<File, CaError> {
        let path = self.path("lock");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| CaError::io(&path, "written", error))?;
        file.lock().map_err(|error| CaError::io(&path, "locked", error))?;
        Ok(file)
    }

    /// Makes a folder in a folder; it need not be new.
    pub(super) fn make(dir: &Path) -> Result<(), CaError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
        builder.create(dir).map_err(|error| CaError::io(dir, "made", error))
    }

    /// The certificate of an authority, as DER.
    pub(super) fn certificate(&self, authority: u32) -> Result<CertificateDer<'static>, CaError> {
        let path = self.certificate_path(authority);
        key::certificate(&files::read(&path, files::MAX_PEM)?, &path)
    }

    /// The PEM text of an authority's certificate.
    pub(super) fn certificate_pem(&self, authority: u32) -> Result<String, CaError> {
        let path = self.certificate_path(authority);
        let pem = files::read(&path, files::MAX_PEM)?;
        key::certificate(&pem, &path)?;
        String::from_utf8(pem.to_vec()).map_err(|_| CaError::broken(&path, "it is not a PEM file"))
    }

    /// Opens the key of an authority. `needed` is for what is said if the root's is not there.
    pub(super) fn issuer(
        &self,
        authority: u32,
        passphrase: &Passphrase,
        needed: &'static str,
    ) -> Result<Issuer<'static, KeyPair>, CaError> {
        let path = self.key_path(authority);
        let pem = match files::read(&path, files::MAX_PEM) {
            Err(CaError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                return Err(if authority == 0 {
                    CaError::NoRootKey { path, needed }
                } else {
                    CaError::NoKey { path }
                });
            }
            read => read?,
        };
        let key = key::open(&pem, passphrase, &path)?;
        let certificate = self.certificate(authority)?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate)
            .map_err(|error| CaError::broken(&self.certificate_path(authority), error.to_string()))?;
        if Pin::of_octets(parsed.public_key().raw) != key::pin(&key) {
            return Err(CaError::broken(&path, "it is not the key of the certificate beside it"));
        }
        Issuer::from_ca_cert_der(&certificate, key).map_err(CaError::failed("reading the CA's certificate"))
    }

    /// Whether the key of an authority is there.
    pub(super) fn has_key(&self, authority: u32) -> bool {
        self.key_path(authority).exists()
    }

    /// Writes the certificate and the key of a new authority. What is there under its name was left by a command that was cut off
    /// before the index knew of it, and has signed nothing.
    pub(super) fn write_authority(
        &self,
        authority: u32,
        certificate: &str,
        key: &Zeroizing<String>,
    ) -> Result<(), CaError> {
        files::replace(&self.key_path(authority), key.as_bytes(), Mode::Private)?;
        files::replace(&self.certificate_path(authority), certificate.as_bytes(), Mode::Public)
    }
}
