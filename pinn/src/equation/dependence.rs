//! What a result depends on, found by evaluating an equation on sets.

use super::algebra::{Algebra, with_constants};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// The set of inputs that a number was made from; `None` for what nobody has written yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dependence(pub Option<u128>);

impl Dependence {
    fn with(self, other: Self) -> Self {
        Self(Some(self.0.unwrap_or(0) | other.0.unwrap_or(0)))
    }
}

macro_rules! union {
    ($($trait:ident $method:ident),+) => {$(
        impl $trait for Dependence {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.with(other)
            }
        }
    )+};
}
union!(Add add, Sub sub, Mul mul, Div div);
with_constants!([] Dependence);

impl Neg for Dependence {
    type Output = Self;
    fn neg(self) -> Self {
        self.with(self)
    }
}

impl Algebra for Dependence {
    fn of(_: f64) -> Self {
        Self(Some(0))
    }
    fn sin_cos(self) -> (Self, Self) {
        (self, self)
    }
    fn tanh(self) -> Self {
        self
    }
    fn exp(self) -> Self {
        self
    }
    fn ln(self) -> Self {
        self
    }
    fn sqrt(self) -> Self {
        self
    }
    fn abs(self) -> Self {
        self
    }
    // What decides between two numbers has no part in the derivative of either.
    fn if_below(self, _: Self, x: Self, y: Self) -> Self {
        x.with(y)
    }
}
