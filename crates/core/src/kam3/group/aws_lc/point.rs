//! The curves P-256 and P-521 of AWS-LC, and owned points on them.

use super::super::GroupError;
use super::bn::{Bn, Ctx, check, clear_errors};
use aws_lc_sys as ffi;
use core::ptr::{self, NonNull};

/// One of AWS-LC's built-in groups, which are constant and live as long as the process.
pub(super) struct Curve(NonNull<ffi::EC_GROUP>);

/// A point of the curve it was made with; it may be secret. Overwritten when freed.
pub(super) struct Point(NonNull<ffi::EC_POINT>);

impl Drop for Point {
    fn drop(&mut self) {
        // SAFETY: the pointer came from EC_POINT_new, is owned, and is freed once, here. AWS-LC cleanses what it
        // frees (OPENSSL_free, unless the process brought an allocator).
        unsafe { ffi::EC_POINT_clear_free(self.0.as_ptr()) }
    }
}

/// For calls whose refusal means that the argument is not a finite point of the curve.
fn check_point(result: core::ffi::c_int) -> Result<(), GroupError> {
    check(result).map_err(|_| GroupError::NotInGroup)
}

impl Curve {
    pub(super) fn p256() -> Result<Self, GroupError> {
        // SAFETY: no preconditions; the address is that of a constant.
        NonNull::new(unsafe { ffi::EC_group_p256() }.cast_mut()).map(Self).ok_or(GroupError::Backend)
    }

    pub(super) fn p521() -> Result<Self, GroupError> {
        // SAFETY: no preconditions; the address is that of a constant.
        NonNull::new(unsafe { ffi::EC_group_p521() }.cast_mut()).map(Self).ok_or(GroupError::Backend)
    }

    /// Only ever handed out as `*const`: the group is never written.
    fn as_ptr(&self) -> *const ffi::EC_GROUP {
        self.0.as_ptr()
    }

    /// The order `r` of the group.
    pub(super) fn order(&self) -> Result<Bn, GroupError> {
        let mut out = Bn::zero()?;
        // SAFETY: the group is live; the number returned belongs to it and lives as long.
        let order = unsafe { ffi::EC_GROUP_get0_order(self.as_ptr()) };
        // SAFETY: `order` is a live BIGNUM (see above) and only read; `out` is owned.
        let copied = unsafe { ffi::BN_copy(out.as_mut_ptr(), order) };
        check((!copied.is_null()).into())?;
        Ok(out)
    }

    fn infinity(&self) -> Result<Point, GroupError> {
        // SAFETY: the group is live; a null result is mapped to an error.
        NonNull::new(unsafe { ffi::EC_POINT_new(self.as_ptr()) }).map(Point).ok_or_else(|| {
            clear_errors();
            GroupError::Backend
        })
    }

    /// `a + b`. The same time for all points but the few exceptional sums: infinity, and a point with itself.
    pub(super) fn add(&self, a: &Point, b: &Point, ctx: &Ctx) -> Result<Point, GroupError> {
        let out = self.infinity()?;
        // SAFETY: all pointers are live; `out` is owned, and distinct from both summands, which are only read.
        check(unsafe { ffi::EC_POINT_add(self.as_ptr(), out.0.as_ptr(), a.0.as_ptr(), b.0.as_ptr(), ctx.as_ptr()) })?;
        Ok(out)
    }

    /// `[scalar]G`, in constant time for a scalar below the order.
    pub(super) fn mul_generator(&self, scalar: &Bn, ctx: &Ctx) -> Result<Point, GroupError> {
        let out = self.infinity()?;
        // SAFETY: all pointers are live, or null for the absent product; `out` is owned, the scalar only read.
        check(unsafe {
            ffi::EC_POINT_mul(self.as_ptr(), out.0.as_ptr(), scalar.as_ptr(), ptr::null(), ptr::null(), ctx.as_ptr())
        })?;
        Ok(out)
    }

    /// `[scalar]point`, in constant time for a scalar below the order. A greater one is reduced in variable time.
    pub(super) fn mul(&self, point: &Point, scalar: &Bn, ctx: &Ctx) -> Result<Point, GroupError> {
        let out = self.infinity()?;
        // SAFETY: all pointers are live, or null for the absent product; `out` is owned, the others only read.
        check(unsafe {
            ffi::EC_POINT_mul(
                self.as_ptr(),
                out.0.as_ptr(),
                ptr::null(),
                point.0.as_ptr(),
                scalar.as_ptr(),
                ctx.as_ptr(),
            )
        })?;
        Ok(out)
    }

    /// The point with these coordinates. Refuses what is not below `q` or not on the curve. Constant time.
    pub(super) fn point(&self, x: &Bn, y: &Bn, ctx: &Ctx) -> Result<Point, GroupError> {
        let out = self.infinity()?;
        // SAFETY: all pointers are live; `out` is owned, the coordinates are only read.
        check_point(unsafe {
            ffi::EC_POINT_set_affine_coordinates_GFp(
                self.as_ptr(),
                out.0.as_ptr(),
                x.as_ptr(),
                y.as_ptr(),
                ctx.as_ptr(),
            )
        })?;
        Ok(out)
    }

    /// The point of a compressed encoding of SEC 1. Refuses `x >= q` and an `x` without a point. Variable time: for public
    /// points, and for verifiers that are read in but not in use.
    pub(super) fn point_of_sec1(&self, octets: &[u8], ctx: &Ctx) -> Result<Point, GroupError> {
        let out = self.infinity()?;
        // SAFETY: all pointers are live, and the octets are as many as said; `out` is owned.
        check_point(unsafe {
            ffi::EC_POINT_oct2point(self.as_ptr(), out.0.as_ptr(), octets.as_ptr(), octets.len(), ctx.as_ptr())
        })?;
        Ok(out)
    }

    /// The coordinates. Refuses the point at infinity. Constant time.
    pub(super) fn coordinates(&self, point: &Point, ctx: &Ctx) -> Result<(Bn, Bn), GroupError> {
        let (mut x, mut y) = (Bn::zero()?, Bn::zero()?);
        // SAFETY: all pointers are live; `x` and `y` are owned and distinct, the point is only read.
        check_point(unsafe {
            ffi::EC_POINT_get_affine_coordinates_GFp(
                self.as_ptr(),
                point.0.as_ptr(),
                x.as_mut_ptr(),
                y.as_mut_ptr(),
                ctx.as_ptr(),
            )
        })?;
        Ok((x, y))
    }
}
