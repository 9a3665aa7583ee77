//! Loops that fuse multiplication with addition, for work bound by arithmetic.
//!
//! The loops of linear algebra are bound by memory and keep to [`simd`](super::simd), whose bits are the same on every
//! processor. Convolutions are bound by arithmetic, where a fused operation is half of the time: they are written once for
//! registers of any width and compiled for AVX-512, AVX2 with FMA, and neither. A result has the same bits for any number
//! of threads; between these three kinds of processor it differs in rounding.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

/// A vector register. Values exist only inside [`Fused::fused`], once the processor is known to have the instructions.
pub trait Register<T>: Copy {
    /// Numbers in a register.
    const LANES: usize;
    /// Registers that running sums may take: the others hold what is multiplied.
    const SUMS: usize;

    fn splat(v: T) -> Self;
    /// # Safety
    /// `LANES` numbers are readable at `p`.
    unsafe fn load(p: *const T) -> Self;
    /// # Safety
    /// `LANES` numbers are writable at `p`.
    unsafe fn store(self, p: *mut T);
    /// `self · a + b`.
    fn mul_add(self, a: Self, b: Self) -> Self;
    fn add(self, other: Self) -> Self;
    /// 0 where a lane is negative; NaN stays.
    fn positive(self) -> Self;
}

/// A loop and what it works on, for blocks of `R` registers. `run` must be `#[inline(always)]`, with all it calls.
pub trait FusedKernel<T> {
    type Output;
    fn run<V: Register<T>, const R: usize>(self) -> Self::Output;
}

/// The numbers such loops are for: `f32` and `f64`.
pub trait Fused: Sized {
    /// Numbers in a block: the widest register.
    const BLOCK: usize;
    /// Runs a loop with the widest registers the processor has.
    fn fused<K: FusedKernel<Self>>(kernel: K) -> K::Output;
    /// Runs a loop with registers of `bytes`, 16, 32 or 64, where the processor has them.
    #[cfg(test)]
    fn fused_in<K: FusedKernel<Self>>(bytes: usize, kernel: K) -> Option<K::Output>;
}

macro_rules! fused {
    ($t:ty, $block:literal, $wide:ty, $medium:ty) => {
        impl Fused for $t {
            const BLOCK: usize = $block;
            #[inline]
            fn fused<K: FusedKernel<$t>>(kernel: K) -> K::Output {
                #[cfg(target_arch = "x86_64")]
                {
                    #[target_feature(enable = "avx512f")]
                    fn wide<K: FusedKernel<$t>>(kernel: K) -> K::Output {
                        kernel.run::<$wide, 1>()
                    }
                    #[target_feature(enable = "avx2,fma")]
                    fn medium<K: FusedKernel<$t>>(kernel: K) -> K::Output {
                        kernel.run::<$medium, 2>()
                    }
                    if std::arch::is_x86_feature_detected!("avx512f") {
                        // SAFETY: the processor has the feature.
                        return unsafe { wide(kernel) };
                    }
                    if std::arch::is_x86_feature_detected!("avx2")
                        && std::arch::is_x86_feature_detected!("fma")
                    {
                        // SAFETY: the processor has the features.
                        return unsafe { medium(kernel) };
                    }
                }
                kernel.run::<portable::Lanes<$t>, { $block / 4 }>()
            }
            #[cfg(test)]
            fn fused_in<K: FusedKernel<$t>>(bytes: usize, kernel: K) -> Option<K::Output> {
                #[cfg(target_arch = "x86_64")]
                {
                    #[target_feature(enable = "avx2,fma")]
                    fn medium<K: FusedKernel<$t>>(kernel: K) -> K::Output {
                        kernel.run::<$medium, 2>()
                    }
                    let has = std::arch::is_x86_feature_detected!("avx2")
                        && std::arch::is_x86_feature_detected!("fma");
                    if bytes == 32 && has {
                        // SAFETY: the processor has the features.
                        return Some(unsafe { medium(kernel) });
                    }
                    if bytes == 64 && std::arch::is_x86_feature_detected!("avx512f") {
                        return Some(Self::fused(kernel));
                    }
                }
                (bytes == 16).then(|| kernel.run::<portable::Lanes<$t>, { $block / 4 }>())
            }
        }
    };
}
fused!(f32, 16, avx512::F32x16, avx2::F32x8);
fused!(f64, 8, avx512::F64x8, avx2::F64x4);

/// The methods of a register, from the intrinsics of its instruction set.
#[cfg(target_arch = "x86_64")]
macro_rules! register {
    (
        $name:ident, $t:ty, $inner:ty, lanes $lanes:literal, sums $sums:literal, $splat:ident, $load:ident, $store:ident,
        $fma:ident, $add:ident, $max:ident, $zero:ident
    ) => {
        #[doc = concat!(stringify!($lanes), " numbers of ", stringify!($t), ".")]
        #[derive(Clone, Copy)]
        pub struct $name($inner);

        impl Register<$t> for $name {
            const LANES: usize = $lanes;
            const SUMS: usize = $sums;

            #[inline(always)]
            fn splat(v: $t) -> Self {
                // SAFETY: registers exist only where the processor has the instructions; so for all below.
                Self(unsafe { $splat(v) })
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self {
                // SAFETY: the caller's promise.
                Self(unsafe { $load(p) })
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                // SAFETY: the caller's promise.
                unsafe { $store(p, self.0) }
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                // SAFETY: see `splat`.
                Self(unsafe { $fma(self.0, a.0, b.0) })
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: see `splat`.
                Self(unsafe { $add(self.0, other.0) })
            }
            #[inline(always)]
            fn positive(self) -> Self {
                // The second operand is what comes out when either is no number.
                // SAFETY: see `splat`.
                Self(unsafe { $max($zero(), self.0) })
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
use register;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scalar;

    struct Check;

    impl<T: Scalar> FusedKernel<T> for Check {
        type Output = ();
        #[inline(always)]
        fn run<V: Register<T>, const R: usize>(self) {
            check::<T, V>(R);
        }
    }

    fn check<T: Scalar, V: Register<T>>(registers: usize) {
        assert_eq!(registers * V::LANES, T::BLOCK);
        let of = |f: &dyn Fn(usize) -> f64| {
            let v: Vec<T> = (0..V::LANES).map(|i| T::of(f(i))).collect();
            // SAFETY: `LANES` numbers.
            unsafe { V::load(v.as_ptr()) }
        };
        let holds = |v: V, f: &dyn Fn(usize) -> f64| {
            let mut out = vec![T::of(0.0); V::LANES];
            // SAFETY: `LANES` numbers.
            unsafe { v.store(out.as_mut_ptr()) };
            for (i, v) in out.iter().enumerate() {
                let expected = f(i);
                assert!(
                    v.f64() == expected || (v.f64().is_nan() && expected.is_nan()),
                    "{i}: {v} {expected}"
                );
            }
        };
        let a = of(&|i| i as f64 - 1.5);
        holds(V::splat(T::of(3.0)), &|_| 3.0);
        holds(a.mul_add(V::splat(T::of(2.0)), V::splat(T::of(0.5))), &|i| 2.0 * (i as f64 - 1.5) + 0.5);
        holds(a.add(a), &|i| 2.0 * (i as f64 - 1.5));
        holds(a.positive(), &|i| (i as f64 - 1.5).max(0.0));
        holds(V::splat(T::of(f64::NAN)).positive(), &|_| f64::NAN);
    }

    #[test]
    fn registers_calculate_as_numbers_do() {
        f32::fused(Check);
        f64::fused(Check);
        check::<f32, portable::Lanes<f32>>(4);
        check::<f64, portable::Lanes<f64>>(2);
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2,fma")]
            fn medium() {
                check::<f32, avx2::F32x8>(2);
                check::<f64, avx2::F64x4>(2);
            }
            if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                // SAFETY: the processor has the features.
                unsafe { medium() };
            }
        }
    }
}
