//! Whom `tagai deny add` and `tagai deny remove` name.

use crate::failure::Failure;
use crate::{proof_file, registrar};
use clap::Subcommand;
use std::path::Path;
use tagai_store::principal::{Authority, DenialTarget};

/// Whom a denial keeps out.
#[derive(Debug, Subcommand)]
pub(super) enum Target {
    /// A certificate, by its serial number
    #[command(
        after_help = "Examples:\n  tagai deny add serial 0a:1b:2c --client-ca partners\n  openssl x509 -in client.pem -noout -serial"
    )]
    Serial {
        /// The number, in hexadecimal digits; colons may stay
        #[arg(value_name = "HEX")]
        serial: String,
        /// The id of the client CA that verifies the certificate [default: any]
        #[arg(long, value_name = "ID")]
        client_ca: Option<String>,
    },
    /// A key, bare or of a certificate
    #[command(
        after_help = "Examples:\n  tagai deny add key sensor-7.pem\n  tagai deny add key sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    )]
    Key {
        /// sha256: and base64, or a file with a public key, a private key or a certificate
        #[arg(value_name = "PIN|FILE")]
        key: String,
    },
    /// A principal, by its name: alice, or staff/alice for a user who is not registered
    #[command(
        after_help = "Examples:\n  tagai deny add principal alice\n  tagai deny add principal staff/alice\n  tagai deny add principal partners/dns:device1.example.com"
    )]
    Principal {
        /// The name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

impl Target {
    pub(super) fn read(&self) -> Result<DenialTarget, Failure> {
        match self {
            Self::Serial { serial, client_ca } => {
                let wrong = |what: &str, error| Failure::usage(format!("{what}: {error}"));
                let client_ca = client_ca.as_deref().map(Authority::new).transpose();
                Ok(DenialTarget::Serial {
                    serial: serial.parse().map_err(|error| wrong(&format!("{serial:?}"), error))?,
                    client_ca: client_ca.map_err(|error| wrong("--client-ca", error))?,
                })
            }
            Self::Key { key } => match key.parse() {
                Ok(pin) => Ok(DenialTarget::Key(pin)),
                Err(error) if key.starts_with("sha256:") || key.starts_with("sha256//") => {
                    Err(Failure::usage(format!("{key:?}: {error}")))
                }
                Err(_) => proof_file::key(Path::new(key)).map(DenialTarget::Key),
            },
            Self::Principal { name } => registrar::subject_name(name).map(DenialTarget::Principal),
        }
    }
}
