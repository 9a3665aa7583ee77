//! The two real types vectors are made of.

use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;

mod sealed {
    #[cfg(feature = "cuda")]
    pub use resolvent_ptx::Real as OnDevice;

    /// What kernels work in, where there are any.
    #[cfg(not(feature = "cuda"))]
    pub trait OnDevice {}
    #[cfg(not(feature = "cuda"))]
    impl<T> OnDevice for T {}

    pub trait Sealed: crate::learn::elementary::Elementary + crate::host::fused::Fused + OnDevice {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// A real number a vector may hold: `f32` or `f64`, and nothing else.
pub trait Scalar:
    sealed::Sealed
    + num_traits::Float
    + num_traits::NumAssign
    + faer::traits::RealField
    + Default
    + Debug
    + Display
    + LowerExp
    + Sum
    + Send
    + Sync
    + 'static
{
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;
    /// The distance from 1 to the next larger number.
    const EPSILON: f64;
    /// Rounds to the nearest value of this type.
    fn of(v: f64) -> Self;
    /// Exact.
    fn f64(self) -> f64;
}

macro_rules! scalar {
    ($t:ident) => {
        impl Scalar for $t {
            const NAME: &'static str = stringify!($t);
            const EPSILON: f64 = $t::EPSILON as f64;
            #[inline(always)]
            fn of(v: f64) -> Self {
                v as $t
            }
            #[inline(always)]
            fn f64(self) -> f64 {
                self as f64
            }
        }
    };
}
scalar!(f32);
scalar!(f64);
