//! Four numbers side by side, for processors without the wider registers; the compiler finds what vectors it can.

use super::Register;
use crate::Scalar;

/// Four numbers.
#[derive(Clone, Copy)]
pub struct Lanes<T>([T; 4]);

impl<T: Scalar> Register<T> for Lanes<T> {
    const LANES: usize = 4;
    const SUMS: usize = 8;

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
        Self(std::array::from_fn(|i| self.0[i] * a.0[i] + b.0[i]))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
    #[inline(always)]
    fn positive(self) -> Self {
        let zero = T::of(0.0);
        Self(self.0.map(|v| if v < zero { zero } else { v }))
    }
}
