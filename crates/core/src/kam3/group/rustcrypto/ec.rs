//! The elliptic-curve groups of RFC 8121 §3.3 over any curve of the `elliptic-curve` crates.

use super::super::octets::{compress, sec1};
use super::super::{Group, GroupError};
use super::fit;
use crate::algorithm::Algorithm;
use alloc::vec::Vec;
use core::marker::PhantomData;
use p256::elliptic_curve::array::typenum::Unsigned as _;
use p256::elliptic_curve::ff::Field as _;
use p256::elliptic_curve::group::{Curve as _, Group as _};
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, Sec1Point, ToSec1Point};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytes, FieldBytesSize, ProjectivePoint, Scalar};
use zeroize::Zeroizing;

/// A curve, and the algorithm that it stands for.
pub(super) trait Kam3Curve: CurveArithmetic {
    const ALGORITHM: Algorithm;
}

impl Kam3Curve for p256::NistP256 {
    const ALGORITHM: Algorithm = Algorithm::EcP256Sha256;
}

impl Kam3Curve for p521::NistP521 {
    const ALGORITHM: Algorithm = Algorithm::EcP521Sha512;
}

pub(super) struct Ec<C>(PhantomData<C>);

impl<C> Ec<C> {
    pub(super) const NEW: Self = Self(PhantomData);
}

impl<C> Ec<C>
where
    C: Kam3Curve,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    Scalar<C>: Reduce<FieldBytes<C>>,
{
    fn field_len() -> usize {
        FieldBytesSize::<C>::USIZE
    }

    /// A scalar modulo `r`; the octets are no longer than a field element, or have leading zeros.
    fn scalar(octets: &[u8]) -> Result<Zeroizing<Scalar<C>>, GroupError> {
        let octets = fit(octets, Self::field_len()).ok_or(GroupError::Backend)?;
        let octets = Zeroizing::new(FieldBytes::<C>::try_from(octets.as_slice()).map_err(|_| GroupError::Backend)?);
        Ok(Zeroizing::new(Scalar::<C>::reduce(&octets)))
    }

    fn point(sec1: &[u8]) -> Result<ProjectivePoint<C>, GroupError> {
        let encoded = Sec1Point::<C>::from_bytes(sec1).map_err(|_| GroupError::NotInGroup)?;
        let affine: Option<AffinePoint<C>> = AffinePoint::<C>::from_sec1_point(&encoded).into();
        let point = ProjectivePoint::<C>::from(affine.ok_or(GroupError::NotInGroup)?);
        // The cofactor is 1: [h]P is infinity only if P is.
        if bool::from(point.is_identity()) { Err(GroupError::NotInGroup) } else { Ok(point) }
    }

    fn affine_point(affine: &[u8]) -> Result<ProjectivePoint<C>, GroupError> {
        if affine.len() != 2 * Self::field_len() {
            return Err(GroupError::NotInGroup);
        }
        Self::point(&Zeroizing::new([&[4], affine].concat()))
    }

    fn natural_point(natural: &[u8]) -> Result<ProjectivePoint<C>, GroupError> {
        let point = sec1(natural, Self::field_len(), C::ALGORITHM.element_len());
        Self::point(&point.ok_or(GroupError::NotInGroup)?)
    }

    fn affine_octets(point: &ProjectivePoint<C>) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        let encoded = Zeroizing::new(point.to_affine().to_sec1_point(false).as_bytes().to_vec());
        match encoded.as_slice() {
            [4, affine @ ..] => Ok(Zeroizing::new(affine.to_vec())),
            _ => Err(GroupError::NotInGroup),
        }
    }

    fn natural_octets(point: &ProjectivePoint<C>) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        Ok(compress(C::ALGORITHM, &Self::affine_octets(point)?))
    }
}

impl<C> Group for Ec<C>
where
    C: Kam3Curve,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    Scalar<C>: Reduce<FieldBytes<C>>,
{
    fn generate(&self, scalar: &[u8]) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        Self::affine_octets(&ProjectivePoint::<C>::mul_by_generator(&*Self::scalar(scalar)?))
    }

    fn decode(&self, natural: &[u8]) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        Self::affine_octets(&Self::natural_point(natural)?)
    }

    fn check_affine(&self, affine: &[u8]) -> Result<(), GroupError> {
        Self::affine_point(affine).map(drop)
    }

    fn server(
        &self,
        s: &[u8],
        j: &[u8],
        k_c1: &[u8],
        t_1: &[u8],
        t_2: &mut dyn FnMut(&[u8]) -> Vec<u8>,
    ) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), GroupError> {
        let s = Self::scalar(s)?;
        let k_c1 = Self::natural_point(k_c1)?;
        // [s]K_c1 serves both values: K_s1 = [s]J + [t_1]([s]K_c1), z = [s]K_c1 + [s·t_2]G.
        let shared = Zeroizing::new(k_c1 * *s);
        let k_s1 = Self::affine_point(j)? * *s + *shared * *Self::scalar(t_1)?;
        let k_s1 = Self::natural_octets(&k_s1)?.to_vec();
        let s_t_2 = Zeroizing::new(*s * *Self::scalar(&t_2(&k_s1))?);
        let z = *shared + ProjectivePoint::<C>::mul_by_generator(&s_t_2);
        Ok((k_s1, Self::natural_octets(&z)?))
    }

    fn client(
        &self,
        s: &[u8],
        pi: &[u8],
        t_1: &[u8],
        t_2: &[u8],
        k_s1: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, GroupError> {
        let (s, pi) = (Self::scalar(s)?, Self::scalar(pi)?);
        let divisor = Zeroizing::new(*s * *Self::scalar(t_1)? + *pi);
        let inverse: Option<Scalar<C>> = divisor.invert().into();
        let inverse = Zeroizing::new(inverse.ok_or(GroupError::NotInGroup)?);
        let exponent = Zeroizing::new((*s + *Self::scalar(t_2)?) * *inverse);
        Self::natural_octets(&(Self::natural_point(k_s1)? * *exponent))
    }
}
