//! The discrete-logarithm groups of RFC 8121 §3.2 over `crypto-bigint`.

use super::super::octets::{Q_2048, Q_4096};
use super::super::{Group, GroupError};
use super::fit;
use alloc::vec::Vec;
use crypto_bigint::modular::{ConstMontyForm, ConstMontyParams, FixedMontyParams};
use crypto_bigint::{Odd, U2048, U4096};
use zeroize::Zeroizing;

/// One MODP group: the field modulo `q` and, for exponents, the integers modulo `r = (q - 1) / 2`.
macro_rules! modp {
    ($group:ident, $field:ident, $exponents:ident, $uint:ty, $q:expr) => {
        /// Montgomery arithmetic modulo the prime `q`.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        struct $field;
        impl ConstMontyParams<{ <$uint>::LIMBS }> for $field {
            const LIMBS: usize = <$uint>::LIMBS;
            const PARAMS: FixedMontyParams<{ <$uint>::LIMBS }> =
                FixedMontyParams::new_vartime(Odd::<$uint>::from_be_hex($q));
        }

        /// Montgomery arithmetic modulo `r`.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        struct $exponents;
        impl ConstMontyParams<{ <$uint>::LIMBS }> for $exponents {
            const LIMBS: usize = <$uint>::LIMBS;
            const PARAMS: FixedMontyParams<{ <$uint>::LIMBS }> = FixedMontyParams::new_vartime(
                match <$uint>::from_be_hex($q).shr_vartime(1).to_odd().into_option_copied() {
                    Some(r) => r,
                    None => Odd::<$uint>::from_be_hex($q),
                },
            );
        }

        pub(super) struct $group;

        impl $group {
            fn number(octets: &[u8]) -> Result<Zeroizing<$uint>, GroupError> {
                let octets = fit(octets, <$uint>::BYTES).ok_or(GroupError::Backend)?;
                Ok(Zeroizing::new(<$uint>::from_be_slice(&octets)))
            }

            /// An element with `1 < element < q - 1`, in exactly its natural length.
            fn element(octets: &[u8]) -> Result<ConstMontyForm<$field, { <$uint>::LIMBS }>, GroupError> {
                if octets.len() != <$uint>::BYTES {
                    return Err(GroupError::NotInGroup);
                }
                let number = <$uint>::from_be_slice(octets);
                let last = $field::PARAMS.modulus().as_ref().wrapping_sub(&<$uint>::ONE);
                if number > <$uint>::ONE && number < last {
                    Ok(ConstMontyForm::new(&number))
                } else {
                    Err(GroupError::NotInGroup)
                }
            }

            fn octets(element: &ConstMontyForm<$field, { <$uint>::LIMBS }>) -> Zeroizing<Vec<u8>> {
                Zeroizing::new(element.retrieve().to_be_bytes().as_ref().to_vec())
            }

            /// Like `octets`, for results that the RFC wants checked: neither 1 nor q - 1.
            fn checked(
                element: &ConstMontyForm<$field, { <$uint>::LIMBS }>,
            ) -> Result<Zeroizing<Vec<u8>>, GroupError> {
                let octets = Self::octets(element);
                Self::element(&octets)?;
                Ok(octets)
            }

            fn generator() -> ConstMontyForm<$field, { <$uint>::LIMBS }> {
                ConstMontyForm::new(&<$uint>::from_u8(2))
            }
        }

        impl Group for $group {
            fn generate(&self, scalar: &[u8]) -> Result<Zeroizing<Vec<u8>>, GroupError> {
                Self::checked(&Self::generator().pow(&*Self::number(scalar)?))
            }

            fn decode(&self, natural: &[u8]) -> Result<Zeroizing<Vec<u8>>, GroupError> {
                Self::element(natural).map(|_| Zeroizing::new(natural.to_vec()))
            }

            fn check_affine(&self, affine: &[u8]) -> Result<(), GroupError> {
                Self::element(affine).map(drop)
            }

            fn server(
                &self,
                s: &[u8],
                j: &[u8],
                k_c1: &[u8],
                t_1: &[u8],
                t_2: &mut dyn FnMut(&[u8]) -> Vec<u8>,
            ) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), GroupError> {
                let s = Self::number(s)?;
                let k_c1 = Self::element(k_c1)?;
                // t_1 and t_2 are public hashes, so their short length may shorten the powers.
                let power = |base: &ConstMontyForm<$field, { <$uint>::LIMBS }>, t: &[u8]| {
                    Ok::<_, GroupError>(base.pow_bounded_exp(&*Self::number(t)?, 8 * t.len() as u32))
                };
                let k_s1 = (Self::element(j)? * power(&k_c1, t_1)?).pow(&*s);
                let k_s1 = Self::checked(&k_s1)?.to_vec();
                let z = (k_c1 * power(&Self::generator(), &t_2(&k_s1))?).pow(&*s);
                Ok((k_s1, Self::octets(&z)))
            }

            fn client(
                &self,
                s: &[u8],
                pi: &[u8],
                t_1: &[u8],
                t_2: &[u8],
                k_s1: &[u8],
            ) -> Result<Zeroizing<Vec<u8>>, GroupError> {
                let k_s1 = Self::element(k_s1)?;
                let exponent = |octets: &[u8]| {
                    Ok::<_, GroupError>(Zeroizing::new(ConstMontyForm::<$exponents, { <$uint>::LIMBS }>::new(
                        &*Self::number(octets)?,
                    )))
                };
                let s = exponent(s)?;
                let divisor = Zeroizing::new(*s * *exponent(t_1)? + *exponent(pi)?);
                let inverse: Option<_> = divisor.invert().into();
                let inverse: Zeroizing<ConstMontyForm<$exponents, { <$uint>::LIMBS }>> =
                    Zeroizing::new(inverse.ok_or(GroupError::NotInGroup)?);
                let quotient = Zeroizing::new((*s + *exponent(t_2)?) * *inverse);
                Ok(Self::octets(&k_s1.pow(&*Zeroizing::new(quotient.retrieve()))))
            }
        }
    };
}

modp!(Modp2048, Field2048, Exponents2048, U2048, Q_2048);
modp!(Modp4096, Field4096, Exponents4096, U4096, Q_4096);
