//! Group arithmetic by RustCrypto: `p256`, `p521` and `crypto-bigint`, all of which promise constant time.

mod dl;
mod ec;

use super::Group;
use crate::algorithm::Algorithm;
use alloc::vec::Vec;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The group of an algorithm.
pub(crate) fn of(algorithm: Algorithm) -> &'static dyn Group {
    match algorithm {
        Algorithm::EcP256Sha256 => &ec::Ec::<p256::NistP256>::NEW,
        Algorithm::EcP521Sha512 => &ec::Ec::<p521::NistP521>::NEW,
        Algorithm::Dl2048Sha256 => &dl::Modp2048,
        Algorithm::Dl4096Sha512 => &dl::Modp4096,
    }
}

/// Left-pads to `length` octets, or drops leading zeros; `None` if the number is too large.
fn fit(number: &[u8], length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let (excess, number) = number.split_at(number.len().saturating_sub(length));
    let spare = excess.iter().fold(0, |bits, octet| bits | octet);
    let mut fitted = Zeroizing::new(alloc::vec![0; length - number.len()]);
    fitted.reserve_exact(number.len());
    fitted.extend_from_slice(number);
    bool::from(spare.ct_eq(&0)).then_some(fitted)
}
