//! The elliptic-curve groups of RFC 8121 §3.3.

use super::super::octets::{compress, sec1};
use super::super::{Group, GroupError};
use super::bn::{Bn, Ctx, Modulus, client_exponent};
use super::point::{Curve, Point};
use crate::algorithm::Algorithm;
use alloc::vec::Vec;
use zeroize::Zeroizing;

pub(super) static P256: Ec =
    Ec { algorithm: Algorithm::EcP256Sha256, field_len: 32, element_len: 33, curve: Curve::p256 };
pub(super) static P521: Ec =
    Ec { algorithm: Algorithm::EcP521Sha512, field_len: 66, element_len: 66, curve: Curve::p521 };

/// A curve of one algorithm.
pub(super) struct Ec {
    algorithm: Algorithm,
    field_len: usize,
    element_len: usize,
    curve: fn() -> Result<Curve, GroupError>,
}

impl Ec {
    fn start(&self) -> Result<(Curve, Ctx), GroupError> {
        Ok(((self.curve)()?, Ctx::new()?))
    }

    fn of_affine(&self, affine: &[u8], curve: &Curve, ctx: &Ctx) -> Result<Point, GroupError> {
        match affine.split_at_checked(self.field_len) {
            Some((x, y)) if y.len() == self.field_len => curve.point(&Bn::from_be(x)?, &Bn::from_be(y)?, ctx),
            _ => Err(GroupError::NotInGroup),
        }
    }

    fn of_natural(&self, natural: &[u8], curve: &Curve, ctx: &Ctx) -> Result<Point, GroupError> {
        let octets = sec1(natural, self.field_len, self.element_len).ok_or(GroupError::NotInGroup)?;
        curve.point_of_sec1(&octets, ctx)
    }

    fn to_affine(&self, point: &Point, curve: &Curve, ctx: &Ctx) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        let (x, y) = curve.coordinates(point, ctx)?;
        let mut affine = Zeroizing::new(alloc::vec![0; 2 * self.field_len]);
        let (x_octets, y_octets) = affine.split_at_mut(self.field_len);
        x.write_be(x_octets)?;
        y.write_be(y_octets)?;
        Ok(affine)
    }

    fn to_natural(&self, point: &Point, curve: &Curve, ctx: &Ctx) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        Ok(compress(self.algorithm, &self.to_affine(point, curve, ctx)?))
    }
}

impl Group for Ec {
    fn generate(&self, scalar: &[u8]) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        let (curve, ctx) = self.start()?;
        let scalar = Modulus::new(curve.order()?, &ctx)?.reduce(scalar, &ctx)?;
        self.to_affine(&curve.mul_generator(&scalar, &ctx)?, &curve, &ctx)
    }

    fn decode(&self, natural: &[u8]) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        let (curve, ctx) = self.start()?;
        self.to_affine(&self.of_natural(natural, &curve, &ctx)?, &curve, &ctx)
    }

    fn check_affine(&self, affine: &[u8]) -> Result<(), GroupError> {
        let (curve, ctx) = self.start()?;
        self.of_affine(affine, &curve, &ctx).map(drop)
    }

    fn server(
        &self,
        s: &[u8],
        j: &[u8],
        k_c1: &[u8],
        t_1: &[u8],
        t_2: &mut dyn FnMut(&[u8]) -> Vec<u8>,
    ) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), GroupError> {
        // Three multiplications of a point and one of the generator. No order of the public API does with fewer: the
        // others that were measured, and why they are not here, stand in docs/decisions/0002-kam3-order.md.
        let (curve, ctx) = self.start()?;
        let s = Bn::from_be(s)?;
        let j = self.of_affine(j, &curve, &ctx)?;
        let k_c1 = self.of_natural(k_c1, &curve, &ctx)?;
        let raised = curve.mul(&k_c1, &Bn::from_be(t_1)?, &ctx)?;
        let k_s1 = curve.mul(&curve.add(&j, &raised, &ctx)?, &s, &ctx)?;
        let k_s1 = self.to_natural(&k_s1, &curve, &ctx)?.to_vec();
        let shifted = curve.mul_generator(&Bn::from_be(&t_2(&k_s1))?, &ctx)?;
        let z = curve.mul(&curve.add(&k_c1, &shifted, &ctx)?, &s, &ctx)?;
        Ok((k_s1, self.to_natural(&z, &curve, &ctx)?))
    }

    fn client(
        &self,
        s: &[u8],
        pi: &[u8],
        t_1: &[u8],
        t_2: &[u8],
        k_s1: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        let (curve, ctx) = self.start()?;
        let k_s1 = self.of_natural(k_s1, &curve, &ctx)?;
        let exponent = client_exponent(&Modulus::new(curve.order()?, &ctx)?, s, pi, t_1, t_2, &ctx)?;
        self.to_natural(&curve.mul(&k_s1, &exponent, &ctx)?, &curve, &ctx)
    }
}
