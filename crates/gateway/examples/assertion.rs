//! What an application gets from the gateway, without a gateway: for checks by other people's libraries.
//!
//! ```text
//! assertion jwks KEYS.pem                             the public keys, as /.well-known/tagai/jwks.json has them
//! assertion sign KEYS.pem ISSUER AUDIENCE SECONDS     an assertion that was made so many seconds ago, and lives for 60
//! assertion client-cert LEAF.pem [ABOVE.pem...]       the fields of RFC 9440
//! ```

use http::Method;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::path::Path;
use std::time::Duration;
use tagai_gateway::identity::assertion::KeyFile;
use tagai_gateway::identity::{Claims, ClientCertificate, Identified, Proven, Shown, Signer};

const LIFE: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["jwks", keys] => {
            let signer = Signer::new(KeyFile(Path::new(keys)).load()?, "", LIFE);
            println!("{}", String::from_utf8_lossy(&signer.jwks()));
        }
        ["sign", keys, issuer, audience, seconds] => {
            let signer = Signer::new(KeyFile(Path::new(keys)).load()?, *issuer, LIFE);
            let groups = ["ops".to_owned(), "staff".to_owned()];
            let proven = Proven::User { name: "alice", realm: "Staff" };
            let claims = Claims {
                who: Identified { principal: "alice", groups: &groups, method: "mutual", proven },
                audience,
                method: &Method::GET,
                origin: "https://localhost",
                path: "/page",
            };
            #[allow(clippy::disallowed_methods, reason = "others compare it with their clock")]
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
            let made = now.saturating_sub(Duration::from_secs(seconds.parse()?));
            println!("{}", signer.sign(&claims, made)?.to_str()?);
        }
        ["client-cert", files @ ..] if !files.is_empty() => {
            let chain = files.iter().map(CertificateDer::from_pem_file).collect::<Result<Vec<_>, _>>()?;
            let chain: Vec<&[u8]> = chain.iter().map(|der| &der[..]).collect();
            let [leaf, above @ ..] = chain.as_slice() else { return Err("no certificate".into()) };
            for (name, value) in ClientCertificate::new(leaf, above).fields(Shown::Chain)? {
                println!("{name}: {}", value.to_str()?);
            }
        }
        _ => return Err("usage: assertion jwks|sign|client-cert ...".into()),
    }
    Ok(())
}
