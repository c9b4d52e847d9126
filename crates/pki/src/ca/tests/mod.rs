//! What is issued, read back by x509-parser and judged by rustls-webpki.

mod authority;
mod certificates;
mod revocation;

use super::*;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use std::path::Path;
use tempfile::TempDir;
use webpki::{
    ALL_VERIFICATION_ALGS, CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage,
    OwnedCertRevocationList, RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy,
};
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509Certificate};
use zeroize::Zeroizing;

/// A moment in 2027.
fn now() -> SystemTime {
    moment(1_800_000_000)
}

fn passphrase() -> Passphrase {
    Passphrase::new(Zeroizing::new("correct horse".to_owned()))
}

struct Place {
    dir: TempDir,
    ca: Ca,
}

fn place(new: &NewCa) -> Place {
    let dir = tempfile::tempdir().unwrap();
    let ca = Ca::create(&dir.path().join("ca"), new, &passphrase(), now()).unwrap();
    Place { dir, ca }
}

fn request(purpose: Purpose, names: &[&str]) -> Request {
    Request {
        purpose,
        names: names.iter().map(|name| Name::parse(name, purpose).unwrap()).collect(),
        common_name: None,
        lifetime: if purpose == Purpose::Server { SERVER_LIFETIME } else { CLIENT_LIFETIME },
        key: KeySource::Generate(Algorithm::P256),
    }
}

impl Place {
    fn issue(&mut self, purpose: Purpose, names: &[&str]) -> Issued {
        self.ca.issue(&request(purpose, names), &passphrase(), now()).unwrap()
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.ca.dir().join(name)).unwrap()
    }

    /// Judges a chain at some time, with the CRLs that are published, for both levels, failing closed.
    fn verify(&self, chain: &str, usage: KeyUsage, at: SystemTime) -> Result<(), Error> {
        let pem = self.file("crl.pem");
        let lists: Vec<CertRevocationList<'_>> = CertificateRevocationListDer::pem_slice_iter(&pem)
            .map(|der| OwnedCertRevocationList::from_der(&der.unwrap()).unwrap().into())
            .collect();
        let lists: Vec<_> = lists.iter().collect();
        let revocation = RevocationOptionsBuilder::new(&lists)
            .unwrap()
            .with_depth(RevocationCheckDepth::Chain)
            .with_status_policy(UnknownStatusPolicy::Deny)
            .with_expiration_policy(ExpirationPolicy::Enforce)
            .build();
        let root = CertificateDer::from_pem_slice(&self.file("root.pem")).unwrap();
        let anchor = webpki::anchor_from_trusted_cert(&root).unwrap();
        let ders = ders(chain);
        let leaf = EndEntityCert::try_from(&ders[0]).unwrap();
        let time = UnixTime::since_unix_epoch(at.duration_since(UNIX_EPOCH).unwrap());
        leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &[anchor], &ders[1..], time, usage, Some(revocation), None)
            .map(|_| ())
    }
}

fn ders(chain: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap).collect()
}

/// Looks at the first certificate of a chain.
fn look<T>(chain: &[u8], look: impl FnOnce(&X509Certificate<'_>) -> T) -> T {
    let der = CertificateDer::from_pem_slice(chain).unwrap();
    let (rest, certificate) = X509Certificate::from_der(&der).unwrap();
    assert!(rest.is_empty());
    look(&certificate)
}

fn critical(certificate: &X509Certificate<'_>) -> Vec<String> {
    let critical = certificate.extensions().iter().filter(|extension| extension.critical);
    critical.map(|extension| extension.oid.to_id_string()).collect()
}

const KEY_USAGE: &str = "2.5.29.15";

const BASIC_CONSTRAINTS: &str = "2.5.29.19";

const NAME_CONSTRAINTS: &str = "2.5.29.30";

/// The URLs of CRLs in a certificate.
fn points(chain: &[u8]) -> Vec<String> {
    look(chain, |certificate| {
        let mut urls = Vec::new();
        for extension in certificate.iter_extensions() {
            let ParsedExtension::CRLDistributionPoints(points) = extension.parsed_extension() else { continue };
            for point in points.iter() {
                let Some(x509_parser::extensions::DistributionPointName::FullName(names)) = &point.distribution_point
                else {
                    panic!("{point:?}")
                };
                urls.extend(names.iter().map(|name| match name {
                    GeneralName::URI(url) => (*url).to_owned(),
                    other => panic!("{other:?}"),
                }));
            }
        }
        urls
    })
}
