//! Group arithmetic by AWS-LC, through the public C API that `aws-lc-sys` declares.
//!
//! This is the only place of the crate with `unsafe`: in `bn` and `point`, which own what AWS-LC allocates. `ec` and `dl`
//! are the formulas of RFC 8121 on top of them, in safe code.
#![allow(unsafe_code, reason = "calls into AWS-LC; each block has its argument")]

mod bn;
mod dl;
mod ec;
mod point;

use super::Group;
use crate::algorithm::Algorithm;

/// The group of an algorithm.
pub(crate) fn of(algorithm: Algorithm) -> &'static dyn Group {
    match algorithm {
        Algorithm::EcP256Sha256 => &ec::P256,
        Algorithm::EcP521Sha512 => &ec::P521,
        Algorithm::Dl2048Sha256 => &dl::MODP_2048,
        Algorithm::Dl4096Sha512 => &dl::MODP_4096,
    }
}
