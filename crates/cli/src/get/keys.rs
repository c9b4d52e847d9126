//! Keys on the command line: the user's own, and the server's.

use super::trouble::Trouble;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use tagai_client::{ClientBuilder, ClientIdentity, Error, KeyPin, Url};
use zeroize::Zeroizing;

/// The largest file of a certificate or a key, in octets.
const MAX_FILE_LEN: u64 = 1 << 20;

/// The end of the first line of a private key in PEM, of whatever kind.
const PRIVATE_KEY: &[u8] = b"PRIVATE KEY-----";

/// Options about keys.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {
    /// Show this certificate, and those above it in the file, to the server if it asks for one in TLS (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// The private key of --cert, not encrypted (PEM) [default: in the file of --cert]
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Show this bare key to the server if it asks for one in TLS (RFC 7250): a private key, not encrypted (PEM)
    #[arg(long, value_name = "FILE", conflicts_with = "cert")]
    pub(crate) raw_key: Option<PathBuf>,
    /// Know the server by its bare key (RFC 7250), "sha256:BASE64", and by no certificate; can be given several times
    #[arg(long, value_name = "PIN", conflicts_with = "cacert")]
    pub(crate) pin: Vec<KeyPin>,
}

impl KeyArgs {
    /// Gives the client what the command line names, for the server of the URL alone.
    pub(crate) fn apply(&self, mut builder: ClientBuilder, url: &Url) -> Result<ClientBuilder, Trouble> {
        if let Some(identity) = self.identity()? {
            builder = builder.identity(url.origin(), identity);
        }
        Ok(self.pin.iter().fold(builder, |builder, pin| builder.pin(url.origin(), *pin)))
    }

    /// Whether there is something to show to a server that asks for it.
    pub(crate) const fn has_identity(&self) -> bool {
        self.cert.is_some() || self.raw_key.is_some()
    }

    fn identity(&self) -> Result<Option<ClientIdentity>, Trouble> {
        let made = match (&self.cert, &self.raw_key) {
            (None, None) => return Ok(None),
            (Some(chain), _) => {
                let path = self.key.as_ref().unwrap_or(chain);
                let (chain, key) = (read("--cert", chain)?, read("--key", path)?);
                if self.key.is_none() && !key.windows(PRIVATE_KEY.len()).any(|window| window == PRIVATE_KEY) {
                    let message = format!("there is no private key behind the certificate in {}", path.display());
                    return Err(Trouble::usage(message).help("name the file that it is in: --key FILE"));
                }
                ClientIdentity::certificate_pem(&chain, &key)
            }
            (None, Some(key)) => ClientIdentity::raw_key_pem(&read("--raw-key", key)?),
        };
        made.map(Some).map_err(|error| Error::from(error).into())
    }
}

fn read(option: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let failed = |error: std::io::Error| {
        Trouble::usage(format!("cannot read {}: {error}", path.display()))
            .help(format!("{option} FILE names a file in PEM"))
    };
    let mut octets = Zeroizing::new(Vec::with_capacity(16 << 10));
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_FILE_LEN + 1).read_to_end(&mut octets).map_err(failed)?;
    if octets.len() as u64 > MAX_FILE_LEN {
        let message = format!("{} is larger than 1 MiB, and cannot be a certificate or a key", path.display());
        return Err(Trouble::usage(message));
    }
    Ok(octets)
}
