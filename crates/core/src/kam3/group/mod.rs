//! The group arithmetic of RFC 8121, behind one small trait: what the formulas of §3.2 and §3.3 need and no more.
//!
//! There are two back ends. `aws_lc` calls AWS-LC and is the only place of the crate with `unsafe`; `rustcrypto` is pure
//! Rust, serves WebAssembly, and stands beside the other in the tests. The trait speaks in octets, so that neither back
//! end's types leave it, and in whole formulas, so that each can do them in its best order.

#[cfg(all(feature = "aws-lc", not(target_arch = "wasm32")))]
mod aws_lc;
mod octets;
#[cfg(any(test, not(all(feature = "aws-lc", not(target_arch = "wasm32")))))]
mod rustcrypto;

#[cfg(all(feature = "aws-lc", not(target_arch = "wasm32")))]
pub(crate) use aws_lc::of;
#[cfg(not(all(feature = "aws-lc", not(target_arch = "wasm32"))))]
pub(crate) use rustcrypto::of;

pub(crate) use octets::{compress, sample};

use alloc::vec::Vec;
use zeroize::Zeroizing;

/// A group of one algorithm, as one back end does it.
///
/// - *Natural octets* are `OCTETS(K)` of RFC 8120 §12.1: what goes on the wire and into hashes.
/// - *Affine octets* are the same element ready for use: `x | y` on a curve, and the number itself in a MODP group.
/// - Scalars are big-endian octets of any length and are used modulo `r`, except the secret `s`, which is in range.
///
/// Everything runs in time that does not depend on `s`, `pi`, `J` or `z`; `K_c1`, `K_s1`, `t_1` and `t_2` are public
/// (RFC 8121 §5.1).
pub(crate) trait Group {
    /// `g^(scalar)`, the function `J` and the formula of `K_c1`, in affine octets.
    fn generate(&self, scalar: &[u8]) -> Result<Zeroizing<Vec<u8>>, GroupError>;

    /// Reads natural octets into affine ones: the element is in the group and not trivial.
    fn decode(&self, natural: &[u8]) -> Result<Zeroizing<Vec<u8>>, GroupError>;

    /// Whether these are affine octets of an element that is not trivial.
    fn check_affine(&self, affine: &[u8]) -> Result<(), GroupError>;

    /// The server's side: `K_s1 = (J · K_c1^(t_1))^s`, then `z = (K_c1 · g^(t_2))^s` with the `t_2` that the caller makes
    /// from `K_s1`. Takes `J` in affine octets, gives `K_s1` and `z` in natural ones.
    fn server(
        &self,
        s: &[u8],
        j: &[u8],
        k_c1: &[u8],
        t_1: &[u8],
        t_2: &mut dyn FnMut(&[u8]) -> Vec<u8>,
    ) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), GroupError>;

    /// The client's side: `z = K_s1^((s + t_2) / (s · t_1 + pi) mod r)`, in natural octets.
    fn client(
        &self,
        s: &[u8],
        pi: &[u8],
        t_1: &[u8],
        t_2: &[u8],
        k_s1: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, GroupError>;
}

/// Why the group refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GroupError {
    /// The octets stand for no element that RFC 8121 §3.2 and §3.3 allow: out of range, not on the curve, or trivial.
    #[error("not an element of the group")]
    NotInGroup,
    /// The arithmetic library failed, for want of memory or of sense: nothing that a peer can cause.
    #[error("the arithmetic library failed")]
    Backend,
}

#[cfg(test)]
mod tests;
