//! Numbers that equations are written in.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A real number, or a number with its derivatives: what an [`Equation`](crate::Equation) calculates with. Constants are `f64`,
/// on the right of an operator or by [`of`](Self::of).
///
/// ```
/// use resolvent_pinn::Algebra;
/// fn logistic<N: Algebra>(x: N) -> N {
///     N::of(1.0) / ((-x).exp() + 1.0)
/// }
/// assert_eq!(logistic(0.0), 0.5);
/// ```
pub trait Algebra:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    /// A constant.
    fn of(v: f64) -> Self;
    /// The sine and the cosine, together no dearer than one.
    fn sin_cos(self) -> (Self, Self);
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The exponential function.
    fn exp(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The magnitude, whose derivative at 0 is that from the right.
    fn abs(self) -> Self;
    /// `x` where `self < bound`, else `y`.
    fn if_below(self, bound: Self, x: Self, y: Self) -> Self;

    /// The sine.
    #[inline(always)]
    fn sin(self) -> Self {
        self.sin_cos().0
    }
    /// The cosine.
    #[inline(always)]
    fn cos(self) -> Self {
        self.sin_cos().1
    }
    /// A power with an integer exponent.
    #[inline(always)]
    fn powi(self, n: i32) -> Self {
        let (mut left, mut square, mut power) = (n.unsigned_abs(), self, None);
        while left > 0 {
            if left % 2 == 1 {
                power = Some(power.map_or(square, |p| p * square));
            }
            left /= 2;
            if left > 0 {
                square = square * square;
            }
        }
        match power {
            None => Self::of(1.0),
            Some(p) if n < 0 => Self::of(1.0) / p,
            Some(p) => p,
        }
    }
    /// A power of a positive number.
    #[inline(always)]
    fn powf(self, exponent: f64) -> Self {
        (self.ln() * exponent).exp()
    }
    /// The smaller of two numbers.
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.if_below(other, self, other)
    }
    /// The larger of two numbers.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.if_below(other, other, self)
    }
}

impl Algebra for f64 {
    fn of(v: f64) -> Self {
        v
    }
    fn sin_cos(self) -> (Self, Self) {
        f64::sin_cos(self)
    }
    fn tanh(self) -> Self {
        f64::tanh(self)
    }
    fn exp(self) -> Self {
        f64::exp(self)
    }
    fn ln(self) -> Self {
        f64::ln(self)
    }
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    fn abs(self) -> Self {
        f64::abs(self)
    }
    fn if_below(self, bound: Self, x: Self, y: Self) -> Self {
        if self < bound { x } else { y }
    }
}

/// Operators with a constant on the right, from those with a number.
macro_rules! with_constants {
    (@ [$($generics:tt)*] $t:ty, $trait:ident $method:ident) => {
        impl<$($generics)*> std::ops::$trait<f64> for $t {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: f64) -> Self {
                std::ops::$trait::$method(self, <Self as crate::Algebra>::of(other))
            }
        }
    };
    ($generics:tt $t:ty) => {
        with_constants!(@ $generics $t, Add add);
        with_constants!(@ $generics $t, Sub sub);
        with_constants!(@ $generics $t, Mul mul);
        with_constants!(@ $generics $t, Div div);
    };
}
pub(super) use with_constants;
