//! Four numbers side by side, for processors without the wider registers; the compiler finds what vectors it can.

use super::Vector;
use resolvent::Scalar;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Four numbers.
#[derive(Clone, Copy)]
pub struct Lanes<T>([T; 4]);

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl<T: Scalar> $trait for Lanes<T> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, $trait::$method)
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl<T: Scalar> Neg for Lanes<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(self.0.map(|v| -v))
    }
}

impl<T: Scalar> Lanes<T> {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(T, T) -> T) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

impl<T: Scalar> Vector<T> for Lanes<T> {
    const LANES: usize = 4;
    const ROWS: usize = 4;
    const BLOCK: [usize; 2] = [4, 2];

    #[inline(always)]
    fn splat(v: T) -> Self {
        Self([v; 4])
    }
    #[inline(always)]
    unsafe fn load(p: *const T) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { p.cast::<[T; 4]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut T) {
        // SAFETY: the caller's promise.
        unsafe { p.cast::<[T; 4]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }
    #[inline(always)]
    fn neg_mul_add(self, a: Self, b: Self) -> Self {
        b - self * a
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.map(|v| v.abs()))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        self.zip(sign, |a, s| a.copysign(s))
    }
    #[inline(always)]
    fn round(self) -> Self {
        // What adding and taking away 1.5 · 2^(mantissa bits) leaves is rounded to an integer, halves to even.
        let magic = T::of(1.5 / T::EPSILON);
        Self(self.0.map(|v| if v.abs() < T::of(0.5 / T::EPSILON) { v + magic - magic } else { v }))
    }
    #[inline(always)]
    fn exp2i(self) -> Self {
        Self(self.0.map(|v| T::of(2.0).powi(num_traits::ToPrimitive::to_i32(&v).unwrap_or(0))))
    }
    #[inline(always)]
    fn if_below(self, bound: Self, x: Self, y: Self) -> Self {
        Self(std::array::from_fn(|i| if self.0[i] < bound.0[i] { x.0[i] } else { y.0[i] }))
    }
    #[inline(always)]
    fn all_below(self, bound: Self) -> bool {
        (0..4).all(|i| self.0[i] < bound.0[i])
    }
    #[inline(always)]
    fn sums(v: &[Self]) -> Self {
        Self(std::array::from_fn(|i| (v[i].0[0] + v[i].0[2]) + (v[i].0[1] + v[i].0[3])))
    }
}
