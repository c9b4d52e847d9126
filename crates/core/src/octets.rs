//! `VI` and `VS`, the self-delimiting encodings that go into every hash (RFC 8120 §12.1).

use alloc::vec::Vec;

/// The longest `VI` of a `u128`: 128 bits in digits of 7 bits.
const VI_MAX: usize = 19;

/// `VI(i)`: a natural number as big-endian radix-128 digits, all but the last with the high bit set.
///
/// Returns the octets in a fixed buffer, so that encoding a nonce number allocates nothing.
#[must_use]
pub(crate) fn vi(mut number: u128) -> Vi {
    let mut octets = [0u8; VI_MAX];
    let mut used = 0;
    // Digits come out least significant first; fill from the end.
    for (position, slot) in octets.iter_mut().rev().enumerate() {
        let digit = (number & 0x7f) as u8;
        *slot = if position == 0 { digit } else { digit | 0x80 };
        used = position + 1;
        number >>= 7;
        if number == 0 {
            break;
        }
    }
    Vi { octets, used }
}

/// The octets of a `VI` encoding; see [`vi`].
#[derive(Clone, Copy)]
pub(crate) struct Vi {
    octets: [u8; VI_MAX],
    used: usize,
}

impl AsRef<[u8]> for Vi {
    fn as_ref(&self) -> &[u8] {
        let (_, used) = self.octets.split_at(VI_MAX - self.used);
        used
    }
}

/// Appends `VS(s) = VI(length(s)) | s` to `out`; the length counts octets.
pub(crate) fn push_vs(out: &mut Vec<u8>, s: &[u8]) {
    out.extend_from_slice(vi(s.len() as u128).as_ref());
    out.extend_from_slice(s);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn vs(s: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        push_vs(&mut out, s);
        out
    }

    #[test]
    fn examples_of_rfc8120_section_12_1() {
        assert_eq!(vi(0).as_ref(), b"\x00");
        assert_eq!(vi(100).as_ref(), b"d");
        assert_eq!(vi(10_000).as_ref(), b"\xce\x10");
        assert_eq!(vi(1_000_000).as_ref(), b"\xbd\x84@");
        assert_eq!(vs(b""), b"\x00");
        assert_eq!(vs(b"Tea"), b"\x03Tea");
        assert_eq!(vs("Café".as_bytes()), b"\x05Caf\xc3\xa9");
        let long = vs(&vec![b'a'; 10_000]);
        assert_eq!(long.len(), 10_002);
        assert!(long.starts_with(b"\xce\x10aaaaa"));
    }

    #[test]
    fn the_first_octet_is_never_0x80() {
        for bits in 0..128 {
            let n = 1u128 << bits;
            assert_ne!(vi(n).as_ref().first(), Some(&0x80));
            assert_ne!(vi(n - 1).as_ref().first(), Some(&0x80));
        }
        assert_eq!(vi(u128::MAX).as_ref().len(), VI_MAX);
    }

    proptest! {
        #[test]
        fn vi_decodes_to_what_was_encoded(n: u128) {
            let mut decoded = 0u128;
            let octets = vi(n);
            let (last, digits) = octets.as_ref().split_last().unwrap();
            for digit in digits {
                prop_assert!(*digit >= 0x80);
                decoded = (decoded << 7) | u128::from(digit & 0x7f);
            }
            prop_assert!(*last < 0x80);
            prop_assert_eq!((decoded << 7) | u128::from(*last), n);
        }

        #[test]
        fn concatenated_vs_is_unambiguous(a: Vec<u8>, b: Vec<u8>, c: Vec<u8>, d: Vec<u8>) {
            let pair = |x: &[u8], y: &[u8]| { let mut o = vs(x); o.extend(vs(y)); o };
            prop_assert_eq!(pair(&a, &b) == pair(&c, &d), a == c && b == d);
        }
    }
}
