//! What both back ends share: the shape of octets, the orders, and random scalars.

use super::GroupError;
use crate::algorithm::Algorithm;
use alloc::borrow::ToOwned as _;
use alloc::vec::Vec;
use rand_core::CryptoRng;
use subtle::Choice;
use zeroize::Zeroizing;

/// The prime of the 2048-bit MODP group (RFC 8121 appendix A).
pub(super) const Q_2048: &str = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff";
/// The prime of the 4096-bit MODP group (RFC 8121 appendix A).
pub(super) const Q_4096: &str = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa051015728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200cbbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a92108011a723c12a787e6d788719a10bdba5b2699c327186af4e23c1a946834b6150bda2583e9ca2ad44ce8dbbbc2db04de8ef92e8efc141fbecaa6287c59474e6bc05d99b2964fa090c3a2233ba186515be7ed1f612970cee2d7afb81bdd762170481cd0069127d5b05aa993b4ea988d8fddc186ffb7dc90a6c08f4df435c934063199ffffffffffffffff";
/// The order of P-256 (FIPS 186-4 appendix D.1.2.3).
const R_P256: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
/// The order of P-521 (FIPS 186-4 appendix D.1.2.5).
const R_P521: &str = "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";

/// Octets of a hexadecimal constant.
fn constant(hex: &str) -> Result<Vec<u8>, GroupError> {
    base16ct::lower::decode_vec(hex).map_err(|_| GroupError::Backend)
}

/// The order `r` of the subgroup, in big-endian octets.
pub(super) fn order(algorithm: Algorithm) -> Result<Vec<u8>, GroupError> {
    match algorithm {
        Algorithm::EcP256Sha256 => constant(R_P256),
        Algorithm::EcP521Sha512 => constant(R_P521),
        // r = (q - 1) / 2, and q is odd.
        Algorithm::Dl2048Sha256 => constant(Q_2048).map(halve),
        Algorithm::Dl4096Sha512 => constant(Q_4096).map(halve),
    }
}

/// Shifts a big-endian number right by one bit.
fn halve(mut number: Vec<u8>) -> Vec<u8> {
    let mut carry = 0;
    for octet in &mut number {
        let low = *octet & 1;
        *octet = *octet >> 1 | carry;
        carry = low << 7;
    }
    number
}

/// Whether `a < b`, two big-endian numbers of one length, in constant time.
fn less(a: &[u8], b: &[u8]) -> Choice {
    let borrow = a
        .iter()
        .zip(b)
        .rev()
        .fold(0u16, |borrow, (a, b)| (u16::from(*a).wrapping_sub(u16::from(*b)).wrapping_sub(borrow) >> 15) & 1);
    Choice::from((borrow & 1) as u8)
}

/// A random integer from `minimum` to `r - 1` (RFC 8121 §3.2, §3.3), in big-endian octets.
///
/// # Errors
/// [`GroupError::Backend`] after 256 numbers out of range, which no working generator gives.
pub(crate) fn sample(
    algorithm: Algorithm,
    minimum: u16,
    rng: &mut dyn CryptoRng,
) -> Result<Zeroizing<Vec<u8>>, GroupError> {
    let order = order(algorithm)?;
    let mut lowest = alloc::vec![0; order.len()];
    if let [.., high, low] = lowest.as_mut_slice() {
        [*high, *low] = minimum.to_be_bytes();
    }
    let spare_bits = order.first().map_or(0, |top| top.leading_zeros());
    let mut scalar = Zeroizing::new(alloc::vec![0; order.len()]);
    for _ in 0..256 {
        rng.fill_bytes(&mut scalar);
        if let Some(top) = scalar.first_mut() {
            *top &= 0xff >> spare_bits;
        }
        // Which of the numbers was refused is no secret; the one that is taken is.
        if bool::from(less(&scalar, &order) & !less(&scalar, &lowest)) {
            return Ok(scalar);
        }
    }
    Err(GroupError::Backend)
}

/// Natural octets from affine ones: `P(x, y) = 2x + (y mod 2)` on a curve (RFC 8121 §3.3), the same number otherwise.
pub(crate) fn compress(algorithm: Algorithm, affine: &[u8]) -> Zeroizing<Vec<u8>> {
    let (x, y) = match algorithm {
        Algorithm::EcP256Sha256 | Algorithm::EcP521Sha512 => affine.split_at(affine.len() / 2),
        Algorithm::Dl2048Sha256 | Algorithm::Dl4096Sha512 => return Zeroizing::new(affine.to_owned()),
    };
    let mut natural = Zeroizing::new(alloc::vec![0; algorithm.element_len() - x.len()]);
    natural.reserve_exact(x.len());
    natural.extend_from_slice(x);
    let mut carry = y.last().map_or(0, |last| last & 1);
    for octet in natural.iter_mut().rev() {
        let high = *octet >> 7;
        *octet = *octet << 1 | carry;
        carry = high;
    }
    natural
}

/// The SEC 1 compressed point of natural octets on a curve with fields of `field_len` octets: the number is halved, and
/// its last bit becomes the sign. `None` if the length is wrong or x does not fit.
pub(super) fn sec1(natural: &[u8], field_len: usize, element_len: usize) -> Option<Zeroizing<Vec<u8>>> {
    if natural.len() != element_len {
        return None;
    }
    let parity = natural.last()? & 1;
    let halved = Zeroizing::new(halve(natural.to_owned()));
    let (excess, x) = halved.split_at_checked(element_len.checked_sub(field_len)?)?;
    if excess.iter().any(|octet| *octet != 0) {
        return None;
    }
    let mut point = Zeroizing::new(Vec::with_capacity(1 + field_len));
    point.push(2 | parity);
    point.extend_from_slice(x);
    Some(point)
}
