//! `.p12` files (PKCS #12, RFC 7292): a certificate and its key in one file, for browsers and phones.

use super::{CaError, Issued};
use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey, PrivateKeyChain,
};
use zeroize::Zeroizing;

/// Rounds of key derivation, for each of the parts and for the check value.
const ITERATIONS: u32 = 100_000;
/// The fewest characters of a password.
const MIN_PASSWORD: usize = 8;

/// A `.p12` file of a certificate whose key was made here, with the intermediate, encrypted by AES-256 (PBES2) and checked by
/// HMAC-SHA256.
///
/// # Errors
/// [`CaError::BundlePassword`] for a password that is too short, or not ASCII: programs differ in how they read others.
/// [`CaError::Failed`] if the key is not here.
pub fn bundle(issued: &Issued, password: &str) -> Result<Zeroizing<Vec<u8>>, CaError> {
    let reason = if password.chars().count() < MIN_PASSWORD {
        "it has fewer than 8 characters"
    } else if !password.bytes().all(|octet| octet == b' ' || octet.is_ascii_graphic()) {
        "it has characters that are not ASCII, which programs read in different ways"
    } else {
        return write(issued, password).map_err(|reason| CaError::Failed { what: "making a .p12 file", reason });
    };
    Err(CaError::BundlePassword { reason })
}

fn write(issued: &Issued, password: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let key = issued.key_der.as_ref().ok_or("the private key is not here")?;
    let key = PrivateKey::from_der(key).map_err(|error| error.to_string())?;
    let chain = issued.ders.iter().map(|der| Certificate::from_der(der));
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    let entry = PrivateKeyChain::new(issued.record.serial.octets().as_slice(), key, chain);
    let mut store = KeyStore::new();
    store.add_entry(&issued.record.name, KeyStoreEntry::PrivateKeyChain(entry));
    store
        .writer(password)
        .encryption_algorithm(EncryptionAlgorithm::PbeWithHmacSha256AndAes256)
        .encryption_iterations(ITERATIONS)
        .mac_algorithm(MacAlgorithm::HmacSha256)
        .mac_iterations(ITERATIONS)
        .write()
        .map(Zeroizing::new)
        .map_err(|error| error.to_string())
}
