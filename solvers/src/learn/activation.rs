//! Nonlinearities between layers.

use crate::host::simd::{Kernel, dispatch};
use crate::{Error, Result, Scalar};
use std::str::FromStr;

/// A function of one number, applied to every entry.
///
/// ```
/// use resolvent::learn::Activation;
/// let activation: Activation = "swish".parse()?;
/// assert_eq!(activation, Activation::Swish);
/// assert_eq!(Activation::LeakyRelu(0.1).value(-2.0f64), -0.2);
/// assert_eq!(Activation::Tanh.slope(0.0f32), 1.0);
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Activation {
    /// x.
    #[default]
    Identity,
    /// tanh x.
    Tanh,
    /// sin x.
    Sin,
    /// x / (1 + e^−x), also called SiLU.
    Swish,
    /// x Φ(x) with the normal distribution's Φ, by the error function.
    Gelu,
    /// ln(1 + e^x).
    Softplus,
    /// max(x, 0); its slope at 0 is 0.
    Relu,
    /// x above 0, and this much of it below.
    LeakyRelu(f64),
    /// 1 / (1 + e^−x).
    Sigmoid,
}

impl FromStr for Activation {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "identity" => Self::Identity,
            "tanh" => Self::Tanh,
            "sin" => Self::Sin,
            "swish" | "silu" => Self::Swish,
            "gelu" => Self::Gelu,
            "softplus" => Self::Softplus,
            "relu" => Self::Relu,
            "leaky-relu" => Self::LeakyRelu(0.01),
            "sigmoid" => Self::Sigmoid,
            _ => {
                return Err(Error::Unknown {
                    what: "activation",
                    name: name.into(),
                    known: "identity, tanh, sin, swish, silu, gelu, softplus, relu, leaky-relu, sigmoid"
                        .into(),
                });
            }
        })
    }
}

/// Runs `$body` with `$f` a value of the type that implements the activation.
macro_rules! with {
    ($activation:expr, |$f:ident| $body:expr) => {
        match $activation {
            Activation::Identity => {
                let $f = Identity;
                $body
            }
            Activation::Tanh => {
                let $f = Tanh;
                $body
            }
            Activation::Sin => {
                let $f = Sin;
                $body
            }
            Activation::Swish => {
                let $f = Swish;
                $body
            }
            Activation::Gelu => {
                let $f = Gelu;
                $body
            }
            Activation::Softplus => {
                let $f = Softplus;
                $body
            }
            Activation::Relu => {
                let $f = LeakyRelu(0.0);
                $body
            }
            Activation::LeakyRelu(slope) => {
                let $f = LeakyRelu(slope);
                $body
            }
            Activation::Sigmoid => {
                let $f = Sigmoid;
                $body
            }
        }
    };
}

impl Activation {
    /// f(x).
    pub fn value<T: Scalar>(self, x: T) -> T {
        with!(self, |f| f.value(x))
    }

    /// f′(x).
    pub fn slope<T: Scalar>(self, x: T) -> T {
        with!(self, |f| f.both(x).1)
    }

    /// Whether f′(x) is found from f(x) alone, so that x need not be kept.
    pub(super) fn slope_of_value(self) -> bool {
        !matches!(self, Self::Sin | Self::Swish | Self::Gelu)
    }

    /// x ← f(x).
    pub(crate) fn apply<T: Scalar>(self, x: &mut [T]) {
        if self != Self::Identity {
            with!(self, |f| dispatch(Apply { f, x }));
        }
    }

    /// x ← f(x), s ← f′(x).
    pub(super) fn apply_both<T: Scalar>(self, x: &mut [T], s: &mut [T]) {
        with!(self, |f| dispatch(Both { f, x, s }));
    }

    /// g ← g f′(x), where y = f(x). Only where [`slope_of_value`](Self::slope_of_value).
    pub(super) fn pull<T: Scalar>(self, y: &[T], g: &mut [T]) {
        if self != Self::Identity {
            with!(self, |f| dispatch(Pull { f, y, g }));
        }
    }
}

/// What an activation is to the loops; all of it is `#[inline(always)]`.
trait Function<T>: Copy {
    fn value(self, x: T) -> T;
    /// f(x) and f′(x).
    fn both(self, x: T) -> (T, T);
    /// f′(x) from f(x), where that is possible.
    fn slope_from(self, y: T) -> T;
}

macro_rules! function {
    ($name:ident, value($x:ident) $value:expr, both $both:expr, slope_from($y:ident) $slope:expr) => {
        #[derive(Clone, Copy)]
        struct $name;
        impl<T: Scalar> Function<T> for $name {
            #[inline(always)]
            fn value(self, $x: T) -> T {
                $value
            }
            #[inline(always)]
            fn both(self, $x: T) -> (T, T) {
                $both
            }
            #[inline(always)]
            fn slope_from(self, $y: T) -> T {
                $slope
            }
        }
    };
}

#[inline(always)]
fn one<T: Scalar>() -> T {
    T::of(1.0)
}

function!(Identity, value(x) x, both (x, one()), slope_from(_y) one());
function!(
    Tanh,
    value(x) x.hyperbolic_tangent(),
    both { let y = x.hyperbolic_tangent(); (y, one::<T>() - y * y) },
    slope_from(y) one::<T>() - y * y
);
function!(
    Sigmoid,
    value(x) x.logistic(),
    both { let y = x.logistic(); (y, y * (one::<T>() - y)) },
    slope_from(y) y * (one::<T>() - y)
);
function!(
    Softplus,
    value(x) x.softplus(),
    both (x.softplus(), x.logistic()),
    // 1 − e^−y, without cancellation: 2 t / (1 + t) with t = tanh(y / 2).
    slope_from(y) {
        let t = (T::of(0.5) * y).hyperbolic_tangent();
        (t + t) / (one::<T>() + t)
    }
);
function!(
    Sin,
    value(x) num_traits::Float::sin(x),
    both { let (s, c) = num_traits::Float::sin_cos(x); (s, c) },
    slope_from(_y) unreachable!("the slope of a sine needs its argument")
);
function!(
    Swish,
    value(x) x * x.logistic(),
    both { let s = x.logistic(); (x * s, s * (one::<T>() + x * (one::<T>() - s))) },
    slope_from(_y) unreachable!("the slope of a swish needs its argument")
);
function!(
    Gelu,
    value(x) x * normal(x),
    both {
        let density = (T::of(-0.5) * x * x).exponential() * T::of(0.398_942_280_401_432_7);
        let phi = normal(x);
        (x * phi, phi + x * density)
    },
    slope_from(_y) unreachable!("the slope of a GELU needs its argument")
);

/// Φ(x).
fn normal<T: Scalar>(x: T) -> T {
    T::of(0.5 * libm::erfc(-x.f64() * std::f64::consts::FRAC_1_SQRT_2))
}

#[derive(Clone, Copy)]
struct LeakyRelu(f64);
impl<T: Scalar> Function<T> for LeakyRelu {
    #[inline(always)]
    fn value(self, x: T) -> T {
        // Not a number stays so.
        if x > T::of(0.0) { x } else { T::of(self.0) * x }
    }
    #[inline(always)]
    fn both(self, x: T) -> (T, T) {
        (self.value(x), if x > T::of(0.0) { one() } else { T::of(self.0) })
    }
    #[inline(always)]
    fn slope_from(self, y: T) -> T {
        if y > T::of(0.0) { one() } else { T::of(self.0) }
    }
}

struct Apply<'a, T, F> {
    f: F,
    x: &'a mut [T],
}

impl<T: Scalar, F: Function<T>> Kernel for Apply<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for x in self.x {
            *x = self.f.value(*x);
        }
    }
}

struct Both<'a, T, F> {
    f: F,
    x: &'a mut [T],
    s: &'a mut [T],
}

impl<T: Scalar, F: Function<T>> Kernel for Both<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (x, s) in self.x.iter_mut().zip(self.s) {
            (*x, *s) = self.f.both(*x);
        }
    }
}

struct Pull<'a, T, F> {
    f: F,
    y: &'a [T],
    g: &'a mut [T],
}

impl<T: Scalar, F: Function<T>> Kernel for Pull<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (g, y) in self.g.iter_mut().zip(self.y) {
            *g *= self.f.slope_from(*y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(&str, Activation); 10] = [
        ("identity", Activation::Identity),
        ("tanh", Activation::Tanh),
        ("sin", Activation::Sin),
        ("swish", Activation::Swish),
        ("silu", Activation::Swish),
        ("gelu", Activation::Gelu),
        ("softplus", Activation::Softplus),
        ("relu", Activation::Relu),
        ("leaky-relu", Activation::LeakyRelu(0.01)),
        ("sigmoid", Activation::Sigmoid),
    ];

    #[test]
    fn slopes_are_those_of_the_values() {
        for (name, f) in ALL {
            assert_eq!(name.parse::<Activation>().unwrap(), f);
            for i in -400..400 {
                let (x, h) = (f64::from(i) / 40.0 + 0.003, 1e-5);
                let difference = (f.value(x + h) - f.value(x - h)) / (2.0 * h);
                assert!((f.slope(x) - difference).abs() < 1e-9, "{name} at {x}: {} {difference}", f.slope(x));
                let (mut y, mut s) = ([x], [f64::NAN]);
                f.apply_both(&mut y, &mut s);
                assert_eq!((y[0], s[0]), (f.value(x), f.slope(x)));
                if f.slope_of_value() {
                    let mut g = [3.0];
                    f.pull(&y, &mut g);
                    let error = (g[0] - 3.0 * f.slope(x)).abs();
                    assert!(error <= 1e-15 + 1e-12 * f.slope(x).abs(), "{name} at {x}: {error:e}");
                }
                assert!((f.value(x as f32) as f64 - f.value(x)).abs() < 2e-6 * (1.0 + x.abs()), "{name}");
            }
        }
        assert!(matches!("tan".parse::<Activation>(), Err(Error::Unknown { .. })));
    }

    #[test]
    fn values_at_known_points() {
        assert!((Activation::Gelu.value(1.0f64) - 0.841_344_746_068_542_9).abs() < 1e-15);
        assert!((Activation::Swish.value(1.0f64) - 0.731_058_578_630_004_9).abs() < 1e-15);
        assert!((Activation::Softplus.value(0.0f64) - std::f64::consts::LN_2).abs() < 1e-15);
        assert_eq!(Activation::Relu.slope(0.0f64), 0.0);
        assert!(Activation::Relu.value(f32::NAN).is_nan());
    }
}
