//! The hash function `H` of an algorithm, and hash states that can be kept and continued.

use crate::algorithm::HashFunction;
use alloc::boxed::Box;
use alloc::vec::Vec;
use sha2::{Digest as _, Sha256, Sha512};

/// A running hash. It is cloned to continue from a common beginning, and wipes itself.
#[derive(Clone)]
pub(super) enum HashState {
    // Boxed, so that a state that holds a part of z stays in one place until it is wiped.
    Sha256(Box<Sha256>),
    Sha512(Box<Sha512>),
}

impl HashState {
    pub(super) fn new(function: HashFunction) -> Self {
        match function {
            HashFunction::Sha256 => Self::Sha256(Box::new(Sha256::new())),
            HashFunction::Sha512 => Self::Sha512(Box::new(Sha512::new())),
        }
    }

    pub(super) fn update(&mut self, octets: &[u8]) {
        match self {
            Self::Sha256(state) => state.update(octets),
            Self::Sha512(state) => state.update(octets),
        }
    }

    /// The hash of what was fed so far followed by `rest`.
    pub(super) fn finish_with(&self, rest: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha256(state) => finish(Sha256::clone(state), rest),
            Self::Sha512(state) => finish(Sha512::clone(state), rest),
        }
    }
}

fn finish<D: sha2::Digest>(mut state: D, rest: &[&[u8]]) -> Vec<u8> {
    for part in rest {
        state.update(part);
    }
    state.finalize().to_vec()
}

/// `H` of the concatenation of `parts`.
pub(super) fn hash(function: HashFunction, parts: &[&[u8]]) -> Vec<u8> {
    match function {
        HashFunction::Sha256 => finish(Sha256::new(), parts),
        HashFunction::Sha512 => finish(Sha512::new(), parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::ZeroizeOnDrop;

    #[test]
    fn states_wipe_themselves() {
        fn wiped<T: ZeroizeOnDrop>() {}
        wiped::<Sha256>();
        wiped::<Sha512>();
    }
}
