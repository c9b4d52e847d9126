//! Certificate signing requests (RFC 2986): somebody else's key, and the proof that they have it.

use super::{CaError, Name, Purpose, files};
use rcgen::SubjectPublicKeyInfo;
use rustls::pki_types::CertificateSigningRequestDer;
use rustls::pki_types::pem::PemObject as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

/// The fewest bits of an RSA key.
const MIN_RSA: usize = 2048;
/// The most names of a request.
const MAX_NAMES: usize = 100;

/// A request whose sender has the private key. Of what it asks for, nothing is taken over but the key and, if the caller wants
/// it, the names: what a certificate allows is for the authority to say.
#[derive(Debug, Clone)]
pub struct Csr {
    pub(super) key: SubjectPublicKeyInfo,
    /// The texts of its names, with their kinds; of its subject, nothing.
    names: Vec<String>,
    ignored: Vec<String>,
}

impl Csr {
    /// Reads a PEM file.
    ///
    /// # Errors
    /// [`CaError::Io`], [`CaError::TooLong`], and those of [`Csr::parse`].
    pub fn load(path: &Path) -> Result<Self, CaError> {
        Self::parse(&files::read(path, files::MAX_PEM)?)
    }

    /// Reads a PEM text, and checks its signature.
    ///
    /// # Errors
    /// [`CaError::Csr`].
    pub fn parse(pem: &[u8]) -> Result<Self, CaError> {
        Self::read(pem).map_err(|reason| CaError::Csr { reason })
    }

    fn read(pem: &[u8]) -> Result<Self, String> {
        let der = CertificateSigningRequestDer::from_pem_slice(pem)
            .map_err(|_| "it is not a PEM file with a CERTIFICATE REQUEST".to_owned())?;
        let (rest, csr) = X509CertificationRequest::from_der(&der).map_err(|error| error.to_string())?;
        if !rest.is_empty() {
            return Err("something stands behind it".to_owned());
        }
        csr.verify_signature()
            .map_err(|_| "its signature does not prove that its sender has the private key".to_owned())?;
        let key = &csr.certification_request_info.subject_pki;
        if let Ok(PublicKey::RSA(rsa)) = key.parsed()
            && rsa.key_size() < MIN_RSA
        {
            return Err(format!("its RSA key has {} bits, and {MIN_RSA} are the fewest", rsa.key_size()));
        }
        let key =
            SubjectPublicKeyInfo::from_der(key.raw).map_err(|_| "its kind of key is not supported".to_owned())?;
        let (mut names, mut ignored) = (Vec::new(), Vec::new());
        for extension in csr.requested_extensions().into_iter().flatten() {
            match extension {
                ParsedExtension::SubjectAlternativeName(san) => {
                    for name in &san.general_names {
                        names.push(text(name)?);
                    }
                }
                ParsedExtension::BasicConstraints(constraints) if constraints.ca => {
                    ignored.push("to be a CA (basicConstraints)".to_owned());
                }
                ParsedExtension::KeyUsage(_) => ignored.push("keyUsage".to_owned()),
                ParsedExtension::ExtendedKeyUsage(_) => ignored.push("extendedKeyUsage".to_owned()),
                ParsedExtension::BasicConstraints(_) | ParsedExtension::SubjectKeyIdentifier(_) => {}
                _ => ignored.push("another extension".to_owned()),
            }
        }
        if names.len() > MAX_NAMES {
            return Err(format!("it has more than {MAX_NAMES} names"));
        }
        Ok(Self { key, names, ignored })
    }

    /// The names that it asks for, as far as a certificate of this purpose may have them.
    ///
    /// # Errors
    /// [`CaError::Name`] for the first that it may not have.
    pub fn names(&self, purpose: Purpose) -> Result<Vec<Name>, CaError> {
        self.names.iter().map(|text| Name::parse(text, purpose)).collect()
    }

    /// What else it asks for, which it does not get.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }
}

/// A name with its kind.
fn text(name: &GeneralName<'_>) -> Result<String, String> {
    Ok(match name {
        GeneralName::DNSName(text) => format!("dns:{text}"),
        GeneralName::URI(text) => format!("uri:{text}"),
        GeneralName::RFC822Name(text) => format!("email:{text}"),
        GeneralName::IPAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(*octets).map(|octets| IpAddr::from(Ipv4Addr::from(octets)));
            let address =
                v4.or_else(|_| <[u8; 16]>::try_from(*octets).map(|octets| IpAddr::from(Ipv6Addr::from(octets))));
            format!("ip:{}", address.map_err(|_| "an IP address in it has neither 4 nor 16 octets".to_owned())?)
        }
        _ => return Err("it asks for a name that is no DNS name, address, URI or e-mail address".to_owned()),
    })
}
