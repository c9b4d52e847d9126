//! Owned big numbers of AWS-LC.
//!
//! A `Bn` is written once, while it is made, and only read after that. Operations marked *constant time* depend on the
//! lengths of their operands only; a `BIGNUM` keeps its width, leading zero words included, through all of them. They
//! avoid `BN_mod` and `BN_mod_mul`, which divide in variable time.

use super::super::GroupError;
use alloc::{vec, vec::Vec};
use aws_lc_sys as ffi;
use core::{mem::size_of, ptr, ptr::NonNull};
use zeroize::Zeroizing;

/// Clears the thread's AWS-LC error queue, so that other users of it (TLS) do not find our entry.
pub(super) fn clear_errors() {
    // SAFETY: takes no argument and touches thread-local state of AWS-LC only.
    unsafe { ffi::ERR_clear_error() }
}

/// Maps the 1/0 result of AWS-LC.
pub(super) fn check(ret: core::ffi::c_int) -> Result<(), GroupError> {
    if ret == 1 {
        Ok(())
    } else {
        clear_errors();
        Err(GroupError::Backend)
    }
}

/// Maps a null result of AWS-LC.
fn owned<T>(p: *mut T) -> Result<NonNull<T>, GroupError> {
    NonNull::new(p).ok_or_else(|| {
        clear_errors();
        GroupError::Backend
    })
}

/// Scratch space for one operation; not shared between threads.
pub(super) struct Ctx(NonNull<ffi::BN_CTX>);

impl Ctx {
    pub(super) fn new() -> Result<Self, GroupError> {
        // SAFETY: no preconditions; a null result is mapped to an error.
        owned(unsafe { ffi::BN_CTX_new() }).map(Self)
    }

    pub(super) fn as_ptr(&self) -> *mut ffi::BN_CTX {
        self.0.as_ptr()
    }
}

impl Drop for Ctx {
    fn drop(&mut self) {
        // SAFETY: the pointer came from BN_CTX_new and is freed once, here. AWS-LC cleanses
        // the words of the temporaries when it frees them (OPENSSL_free, unless the process brought an allocator).
        unsafe { ffi::BN_CTX_free(self.0.as_ptr()) }
    }
}

/// A non-negative integer; cleared when dropped. No `Debug`: it may be secret.
pub(super) struct Bn(NonNull<ffi::BIGNUM>);

impl Bn {
    pub(super) fn zero() -> Result<Self, GroupError> {
        // SAFETY: no preconditions; a null result is mapped to an error.
        owned(unsafe { ffi::BN_new() }).map(Self)
    }

    /// Big-endian octets. The width is that of the slice, not of the value. Constant time.
    pub(super) fn from_be(octets: &[u8]) -> Result<Self, GroupError> {
        // SAFETY: pointer and length are those of a live slice; a null destination asks for a
        // new BIGNUM, and a null result is mapped to an error.
        owned(unsafe { ffi::BN_bin2bn(octets.as_ptr(), octets.len(), ptr::null_mut()) }).map(Self)
    }

    /// Fills `out` with the value, big-endian, zeros on the left. Constant time; fails if the
    /// value does not fit.
    pub(super) fn write_be(&self, out: &mut [u8]) -> Result<(), GroupError> {
        // SAFETY: pointer and length are those of an exclusively borrowed slice, and AWS-LC
        // writes exactly that many octets; the BIGNUM is live.
        check(unsafe { ffi::BN_bn2bin_padded(out.as_mut_ptr(), out.len(), self.as_ptr()) })
    }

    pub(super) fn to_be(&self, len: usize) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        let mut out = Zeroizing::new(vec![0; len]);
        self.write_be(&mut out)?;
        Ok(out)
    }

    /// `self < other`; AWS-LC compares all words, so only the answer shows.
    pub(super) fn less_than(&self, other: &Self) -> bool {
        // SAFETY: both BIGNUMs are live and only read.
        unsafe { ffi::BN_ucmp(self.as_ptr(), other.as_ptr()) < 0 }
    }

    pub(super) fn is_zero(&self) -> bool {
        // SAFETY: the BIGNUM is live and only read.
        unsafe { ffi::BN_is_zero(self.as_ptr()) == 1 }
    }

    /// `self - word`, for public values.
    pub(super) fn minus_word(&self, word: u32) -> Result<Self, GroupError> {
        let mut out = self.duplicate()?;
        // SAFETY: `out` is a live BIGNUM that nothing else refers to.
        check(unsafe { ffi::BN_sub_word(out.as_mut_ptr(), word.into()) })?;
        Ok(out)
    }

    /// `self / 2`, for public values.
    pub(super) fn half(&self) -> Result<Self, GroupError> {
        let mut out = Self::zero()?;
        // SAFETY: both BIGNUMs are live, `out` is referred to by nothing else.
        check(unsafe { ffi::BN_rshift1(out.as_mut_ptr(), self.as_ptr()) })?;
        Ok(out)
    }

    pub(super) fn duplicate(&self) -> Result<Self, GroupError> {
        // SAFETY: the BIGNUM is live and only read; a null result is mapped to an error.
        owned(unsafe { ffi::BN_dup(self.as_ptr()) }).map(Self)
    }

    pub(super) fn as_ptr(&self) -> *const ffi::BIGNUM {
        self.0.as_ptr()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::BIGNUM {
        self.0.as_ptr()
    }
}

impl Drop for Bn {
    fn drop(&mut self) {
        // SAFETY: the pointer came from AWS-LC, is owned, and is freed once, here.
        unsafe { ffi::BN_clear_free(self.0.as_ptr()) }
    }
}

/// An odd public modulus N with its Montgomery constants; R is the least power of the word that
/// exceeds N.
pub(super) struct Modulus {
    mont: NonNull<ffi::BN_MONT_CTX>,
    n: Bn,
    /// Octets of N, rounded up to whole words.
    wide: usize,
}

impl Modulus {
    pub(super) fn new(n: Bn, ctx: &Ctx) -> Result<Self, GroupError> {
        // SAFETY: `n` is live and only read.
        let bits = unsafe { ffi::BN_num_bits(n.as_ptr()) };
        let len = usize::try_from(bits).map_err(|_| GroupError::Backend)?.div_ceil(8);
        // SAFETY: `n` and `ctx` are live; AWS-LC refuses zero, even and negative moduli with
        // null, which is mapped. The modulus is public, so the variable-time set-up is fine.
        let mont = owned(unsafe { ffi::BN_MONT_CTX_new_for_modulus(n.as_ptr(), ctx.as_ptr()) })?;
        let wide = len.next_multiple_of(size_of::<ffi::BN_ULONG>());
        Ok(Self { mont, n, wide })
    }

    pub(super) fn n(&self) -> &Bn {
        &self.n
    }

    /// `out = a * b / R mod N`; needs `a * b < N * R`. Constant time.
    fn mont_mul(&self, a: &Bn, b: &Bn, ctx: &Ctx) -> Result<Bn, GroupError> {
        let mut out = Bn::zero()?;
        // SAFETY: all pointers are live; `out` is referred to by nothing else; `a`, `b` and the
        // Montgomery context are only read.
        check(unsafe {
            ffi::BN_mod_mul_montgomery(out.as_mut_ptr(), a.as_ptr(), b.as_ptr(), self.mont.as_ptr(), ctx.as_ptr())
        })?;
        Ok(out)
    }

    /// `a * R mod N`; needs `a < R`. Constant time.
    pub(super) fn enter_mont(&self, a: &Bn, ctx: &Ctx) -> Result<Bn, GroupError> {
        let mut out = Bn::zero()?;
        // SAFETY: as in `mont_mul`.
        check(unsafe { ffi::BN_to_montgomery(out.as_mut_ptr(), a.as_ptr(), self.mont.as_ptr(), ctx.as_ptr()) })?;
        Ok(out)
    }

    /// `a / R mod N`; needs `a < N * R`. Constant time.
    pub(super) fn leave_mont(&self, a: &Bn, ctx: &Ctx) -> Result<Bn, GroupError> {
        let mut out = Bn::zero()?;
        // SAFETY: as in `mont_mul`.
        check(unsafe { ffi::BN_from_montgomery(out.as_mut_ptr(), a.as_ptr(), self.mont.as_ptr(), ctx.as_ptr()) })?;
        Ok(out)
    }

    /// `a * b mod N`, both below N. Constant time.
    pub(super) fn mul(&self, a: &Bn, b: &Bn, ctx: &Ctx) -> Result<Bn, GroupError> {
        self.mont_mul(&self.enter_mont(a, ctx)?, b, ctx)
    }

    /// `a + b mod N`, both below N. Constant time.
    pub(super) fn add(&self, a: &Bn, b: &Bn) -> Result<Bn, GroupError> {
        let mut out = Bn::zero()?;
        // SAFETY: all BIGNUMs are live, `out` is referred to by nothing else, the rest is read.
        check(unsafe { ffi::BN_mod_add_quick(out.as_mut_ptr(), a.as_ptr(), b.as_ptr(), self.n.as_ptr()) })?;
        Ok(out)
    }

    /// Big-endian octets of any length, reduced mod N. Constant time: `BN_mod` would divide in
    /// variable time, therefore Horner's rule on chunks below R, each reduced by way of the
    /// Montgomery form.
    pub(super) fn reduce(&self, octets: &[u8], ctx: &Ctx) -> Result<Bn, GroupError> {
        let mut acc: Option<Bn> = None;
        let (head, tail) = octets.split_at_checked(octets.len() % self.wide).unwrap_or((&[], octets));
        let head = (!head.is_empty() || tail.is_empty()).then_some(head);
        let mut padded = Zeroizing::new(vec![0; self.wide]);
        for chunk in head.into_iter().chain(tail.chunks_exact(self.wide)) {
            let pad = self.wide - chunk.len();
            padded.fill(0);
            for (to, from) in padded.iter_mut().skip(pad).zip(chunk) {
                *to = *from;
            }
            let word = self.leave_mont(&self.enter_mont(&Bn::from_be(&padded)?, ctx)?, ctx)?;
            acc = Some(match acc {
                None => word,
                // acc * R + word
                Some(high) => self.add(&self.enter_mont(&high, ctx)?, &word)?,
            });
        }
        acc.ok_or(GroupError::Backend)
    }

    /// `base^exp mod N` for `base < N`. Constant time in both; the width of `exp` shows.
    pub(super) fn pow(&self, base: &Bn, exp: &Bn, ctx: &Ctx) -> Result<Bn, GroupError> {
        let mut out = Bn::zero()?;
        // SAFETY: all pointers are live, `out` is referred to by nothing else, the rest is read;
        // the Montgomery context belongs to `self.n`.
        check(unsafe {
            ffi::BN_mod_exp_mont_consttime(
                out.as_mut_ptr(),
                base.as_ptr(),
                exp.as_ptr(),
                self.n.as_ptr(),
                ctx.as_ptr(),
                self.mont.as_ptr(),
            )
        })?;
        Ok(out)
    }

    /// `base^exp mod N`, variable time: for public operands only.
    pub(super) fn pow_public(&self, base: &Bn, exp: &Bn, ctx: &Ctx) -> Result<Bn, GroupError> {
        let mut out = Bn::zero()?;
        // SAFETY: as in `pow`.
        check(unsafe {
            ffi::BN_mod_exp_mont(
                out.as_mut_ptr(),
                base.as_ptr(),
                exp.as_ptr(),
                self.n.as_ptr(),
                ctx.as_ptr(),
                self.mont.as_ptr(),
            )
        })?;
        Ok(out)
    }

    /// `1 / a mod N` for a prime N, by Fermat, constant time; that `a` is 0 is an error.
    pub(super) fn invert(&self, a: &Bn, ctx: &Ctx) -> Result<Bn, GroupError> {
        if a.is_zero() {
            return Err(GroupError::NotInGroup);
        }
        self.pow(a, &self.n.minus_word(2)?, ctx)
    }
}

impl Drop for Modulus {
    fn drop(&mut self) {
        // SAFETY: the pointer came from BN_MONT_CTX_new_for_modulus and is freed once, here.
        unsafe { ffi::BN_MONT_CTX_free(self.mont.as_ptr()) }
    }
}

/// `(s_c1 + t2) / (s_c1 * t1 + pi) mod r`, the exponent of the client's z. Constant time.
pub(super) fn client_exponent(
    r: &Modulus,
    s_c1: &[u8],
    pi: &[u8],
    t1: &[u8],
    t2: &[u8],
    ctx: &Ctx,
) -> Result<Bn, GroupError> {
    let s = r.reduce(s_c1, ctx)?;
    let above = r.add(&s, &r.reduce(t2, ctx)?)?;
    let below = r.add(&r.mul(&s, &r.reduce(t1, ctx)?, ctx)?, &r.reduce(pi, ctx)?)?;
    r.mul(&above, &r.invert(&below, ctx)?, ctx)
}
