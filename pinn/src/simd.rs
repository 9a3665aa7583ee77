//! Loops written once for vectors of any width, compiled for each vector unit and chosen at run time.
//!
//! Unlike the loops of linear algebra in `resolvent`, these fuse multiplication with addition where the processor can,
//! because that is half of its speed. A result has the same bits for any number of threads on one kind of processor; between
//! kinds (AVX-512, AVX2 with FMA, neither) it differs in rounding.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A vector register of `LANES` numbers. Values exist only inside [`Real::dispatch`], once the processor is known to have the
/// instructions; every method must be inlined there.
pub trait Vector<T>:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// Numbers in a register; divides [`Real::GRAIN`].
    const LANES: usize;
    /// Rows of a block of the product whose columns are two registers: what the register file holds.
    const ROWS: usize;
    /// Rows and columns of a block of a weight gradient, one register of running sums each; the product of the two is a
    /// multiple of `LANES`, and neither is above 4.
    const BLOCK: [usize; 2];

    fn splat(v: T) -> Self;
    /// # Safety
    /// `LANES` numbers are readable at `p`.
    unsafe fn load(p: *const T) -> Self;
    /// # Safety
    /// `LANES` numbers are writable at `p`.
    unsafe fn store(self, p: *mut T);
    /// `self · a + b`.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// `b − self · a`.
    fn neg_mul_add(self, a: Self, b: Self) -> Self;
    fn abs(self) -> Self;
    fn min(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// To the nearest integer, halves to even.
    fn round(self) -> Self;
    /// 2ⁿ for an integer n within the exponents of normal numbers.
    fn exp2i(self) -> Self;
    /// `x` where `self < bound`, else `y`.
    fn if_below(self, bound: Self, x: Self, y: Self) -> Self;
    /// Whether every lane is below that of `bound`; no NaN is.
    fn all_below(self, bound: Self) -> bool;
    /// Lane i becomes the sum of the lanes of `v[i]`; `v` has `LANES` registers.
    fn sums(v: &[Self]) -> Self;
}

/// A loop and what it works on. `run` must be `#[inline(always)]`, with everything it calls.
pub trait Kernel<T> {
    /// What the loop returns.
    type Output;
    /// The loop.
    fn run<V: Vector<T>>(self) -> Self::Output;
}

/// A real number with its vectors: `f32` or `f64`, and nothing else.
pub trait Real: resolvent::Scalar + Into<f64> {
    /// Points a tile is rounded up to: two of the widest registers.
    #[doc(hidden)]
    const GRAIN: usize;
    /// Runs a loop with the widest vectors the processor has.
    #[doc(hidden)]
    fn dispatch<K: Kernel<Self>>(kernel: K) -> K::Output;
    // The loops of a sweep, compiled once for each type and not again wherever a network is used.
    #[doc(hidden)]
    fn pack(kernel: crate::product::affine::Pack<'_, Self>);
    #[doc(hidden)]
    fn affine(kernel: crate::product::affine::Affine<'_, Self>);
    #[doc(hidden)]
    fn outer(kernel: crate::product::outer::Outer<'_, Self>);
    #[doc(hidden)]
    fn row_sums(kernel: crate::product::outer::RowSums<'_, Self>);
    #[doc(hidden)]
    fn fill(kernel: crate::feature::Fill<'_, Self>);
    #[doc(hidden)]
    fn chain(kernel: crate::jet::chain::Forward<'_, Self>);
    #[doc(hidden)]
    fn unchain(kernel: crate::jet::chain::Reverse<'_, Self>);
    #[doc(hidden)]
    fn mix(kernel: crate::jet::leibniz::Forward<'_, Self>);
    #[doc(hidden)]
    fn unmix(kernel: crate::jet::leibniz::Reverse<'_, Self>);
}

macro_rules! real {
    ($t:ty, $grain:expr, $wide:ty, $medium:ty) => {
        impl Real for $t {
            const GRAIN: usize = $grain;
            #[inline]
            fn dispatch<K: Kernel<$t>>(kernel: K) -> K::Output {
                #[cfg(target_arch = "x86_64")]
                {
                    #[target_feature(enable = "avx512f,avx512dq")]
                    fn wide<K: Kernel<$t>>(kernel: K) -> K::Output {
                        kernel.run::<$wide>()
                    }
                    #[target_feature(enable = "avx2,fma")]
                    fn medium<K: Kernel<$t>>(kernel: K) -> K::Output {
                        kernel.run::<$medium>()
                    }
                    if std::arch::is_x86_feature_detected!("avx512f")
                        && std::arch::is_x86_feature_detected!("avx512dq")
                    {
                        // SAFETY: the processor has the features.
                        return unsafe { wide(kernel) };
                    }
                    if std::arch::is_x86_feature_detected!("avx2")
                        && std::arch::is_x86_feature_detected!("fma")
                    {
                        // SAFETY: the processor has the features.
                        return unsafe { medium(kernel) };
                    }
                }
                kernel.run::<portable::Lanes<$t>>()
            }
            fn pack(kernel: crate::product::affine::Pack<'_, $t>) {
                Self::dispatch(kernel);
            }
            fn affine(kernel: crate::product::affine::Affine<'_, $t>) {
                Self::dispatch(kernel);
            }
            fn outer(kernel: crate::product::outer::Outer<'_, $t>) {
                Self::dispatch(kernel);
            }
            fn row_sums(kernel: crate::product::outer::RowSums<'_, $t>) {
                Self::dispatch(kernel);
            }
            fn fill(kernel: crate::feature::Fill<'_, $t>) {
                Self::dispatch(kernel);
            }
            fn chain(kernel: crate::jet::chain::Forward<'_, $t>) {
                Self::dispatch(kernel);
            }
            fn unchain(kernel: crate::jet::chain::Reverse<'_, $t>) {
                Self::dispatch(kernel);
            }
            fn mix(kernel: crate::jet::leibniz::Forward<'_, $t>) {
                Self::dispatch(kernel);
            }
            fn unmix(kernel: crate::jet::leibniz::Reverse<'_, $t>) {
                Self::dispatch(kernel);
            }
        }
    };
}
real!(f32, 32, avx512::F32x16, avx2::F32x8);
real!(f64, 16, avx512::F64x8, avx2::F64x4);

/// The operators of a register, from the intrinsics of its instruction set.
#[cfg(target_arch = "x86_64")]
macro_rules! operators {
    ($v:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $zero:ident) => {
        impl std::ops::Add for $v {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: registers exist only where the processor has the instructions.
                Self(unsafe { $add(self.0, other.0) })
            }
        }
        impl std::ops::Sub for $v {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                // SAFETY: as above.
                Self(unsafe { $sub(self.0, other.0) })
            }
        }
        impl std::ops::Mul for $v {
            type Output = Self;
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                // SAFETY: as above.
                Self(unsafe { $mul(self.0, other.0) })
            }
        }
        impl std::ops::Div for $v {
            type Output = Self;
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                // SAFETY: as above.
                Self(unsafe { $div(self.0, other.0) })
            }
        }
        impl std::ops::Neg for $v {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                // SAFETY: as above.
                Self(unsafe { $sub($zero(), self.0) })
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
use operators;

#[cfg(test)]
mod tests {
    use super::*;

    /// Every method against plain arithmetic, on the vectors of this processor.
    struct Check;

    impl<T: Real> Kernel<T> for Check {
        type Output = ();
        #[inline(always)]
        fn run<V: Vector<T>>(self) {
            check::<T, V>();
        }
    }

    fn lanes<T: Real, V: Vector<T>>(v: V) -> Vec<f64> {
        let mut out = vec![T::of(0.0); V::LANES];
        // SAFETY: `LANES` numbers.
        unsafe { v.store(out.as_mut_ptr()) };
        out.iter().map(|v| v.f64()).collect()
    }

    fn check<T: Real, V: Vector<T>>() {
        assert!(T::GRAIN.is_multiple_of(2 * V::LANES));
        assert!((V::BLOCK[0] * V::BLOCK[1]).is_multiple_of(V::LANES) && V::BLOCK.iter().all(|b| *b <= 4));
        let make = |f: &dyn Fn(usize) -> f64| {
            let v: Vec<T> = (0..V::LANES).map(|i| T::of(f(i))).collect();
            // SAFETY: `LANES` numbers.
            unsafe { V::load(v.as_ptr()) }
        };
        let (fa, fb) = (|i: usize| 1.5 - i as f64, |i: usize| 0.25 * i as f64 - 0.5);
        let (a, b) = (make(&fa), make(&fb));
        let holds = |v: V, f: &dyn Fn(f64, f64) -> f64| {
            for (i, v) in lanes(v).into_iter().enumerate() {
                let e = T::of(f(fa(i), fb(i))).f64();
                assert!(v == e || (v.is_nan() && e.is_nan()), "lane {i}: {v} is not {e}");
            }
        };
        holds(a + b, &|a, b| a + b);
        holds(a - b, &|a, b| a - b);
        holds(a * b, &|a, b| a * b);
        holds(a / b, &|a, b| a / b);
        holds(-a, &|a, _| -a);
        holds(a.mul_add(b, a), &|a, b| a * b + a);
        holds(a.neg_mul_add(b, a), &|a, b| a - a * b);
        holds(a.abs(), &|a, _| a.abs());
        holds(a.min(b), &|a, b| a.min(b));
        holds(a.max(b), &|a, b| a.max(b));
        holds(a.copysign(b), &|a, b| a.copysign(b));
        holds(a.round(), &|a, _| a.round_ties_even());
        holds(a.round().exp2i(), &|a, _| a.round_ties_even().exp2());
        holds(a.if_below(b, a, V::splat(T::of(7.0))), &|a, b| if a < b { a } else { 7.0 });
        assert!(!a.all_below(a) && a.all_below(a + V::splat(T::of(1.0))) && !a.all_below(b));
        let mut many = [V::splat(T::of(0.0)); 16];
        for (i, v) in many.iter_mut().enumerate() {
            *v = make(&|l| ((i + 1) * (l + 3)) as f64);
        }
        let sum: usize = (0..V::LANES).map(|l| l + 3).sum();
        for (i, v) in lanes(V::sums(&many[..V::LANES])).into_iter().enumerate() {
            assert_eq!(v, ((i + 1) * sum) as f64, "sum {i}");
        }
    }

    #[test]
    fn registers_calculate_as_numbers_do() {
        f32::dispatch(Check);
        f64::dispatch(Check);
        check::<f32, portable::Lanes<f32>>();
        check::<f64, portable::Lanes<f64>>();
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn narrower_registers_calculate_as_numbers_do() {
        #[target_feature(enable = "avx2,fma")]
        fn medium() {
            check::<f32, avx2::F32x8>();
            check::<f64, avx2::F64x4>();
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            // SAFETY: the processor has the features.
            unsafe { medium() };
        }
    }
}
