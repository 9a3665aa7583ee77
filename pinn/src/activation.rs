//! Elementwise functions between layers, with their derivatives.

use crate::elementary::{log1p, logistic, normal, sin_cos, tanh};
use crate::simd::{Real, Vector};

/// The function between the layers of a network. All are smooth: the highest derivative an equation uses, and one more for
/// the gradient, must exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Activation {
    /// tanh z.
    #[default]
    Tanh,
    /// sin z.
    Sin,
    /// z / (1 + exp(−z)), also called SiLU.
    Swish,
    /// z Φ(z), with the normal distribution function itself and not an approximation by tanh.
    Gelu,
    /// ln(1 + exp z).
    Softplus,
}

impl Activation {
    /// Every activation.
    pub const ALL: [Self; 5] = [Self::Tanh, Self::Sin, Self::Swish, Self::Gelu, Self::Softplus];

    /// Its name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tanh => "tanh",
            Self::Sin => "sin",
            Self::Swish => "swish",
            Self::Gelu => "gelu",
            Self::Softplus => "softplus",
        }
    }

    /// For `t` numbers: h ← φ(z), z ← what [`slopes`](Self::slopes) will need of it, and the derivatives 1 to `orders` of φ,
    /// each `t` apart.
    ///
    /// # Safety
    /// `t` numbers at `z` and `h` and `orders · t` at `slopes`, apart from each other; `t` a multiple of the grain.
    #[inline(always)]
    pub(crate) unsafe fn values<T: Real, V: Vector<T>>(
        self,
        z: *mut T,
        h: *mut T,
        slopes: *mut T,
        t: usize,
        orders: usize,
    ) {
        // SAFETY: the caller's promise, which each loop passes on.
        unsafe {
            match self {
                Self::Tanh => values::<T, V, Tanh>(z, h, slopes, t, orders),
                Self::Sin => values::<T, V, Sin>(z, h, slopes, t, orders),
                Self::Swish => values::<T, V, Swish>(z, h, slopes, t, orders),
                Self::Gelu => values::<T, V, Gelu>(z, h, slopes, t, orders),
                Self::Softplus => values::<T, V, Softplus>(z, h, slopes, t, orders),
            }
        }
    }

    /// The derivatives 1 to `orders` of φ from what [`values`](Self::values) left in z and h.
    ///
    /// # Safety
    /// As `values`.
    #[inline(always)]
    pub(crate) unsafe fn slopes<T: Real, V: Vector<T>>(
        self,
        kept: *const T,
        h: *const T,
        slopes: *mut T,
        t: usize,
        orders: usize,
    ) {
        // SAFETY: the caller's promise, which each loop passes on.
        unsafe {
            match self {
                Self::Tanh => again::<T, V, Tanh>(kept, h, slopes, t, orders),
                Self::Sin => again::<T, V, Sin>(kept, h, slopes, t, orders),
                Self::Swish => again::<T, V, Swish>(kept, h, slopes, t, orders),
                Self::Gelu => again::<T, V, Gelu>(kept, h, slopes, t, orders),
                Self::Softplus => again::<T, V, Softplus>(kept, h, slopes, t, orders),
            }
        }
    }
}

/// One activation on registers.
trait Phi {
    /// φ(z), and what is to be kept of z.
    fn value<T: Real, V: Vector<T>>(z: V) -> (V, V);
    /// The derivatives of order 1 to 5, right up to `orders`.
    fn slopes<T: Real, V: Vector<T>>(kept: V, h: V, orders: usize) -> [V; 5];
}

#[inline(always)]
unsafe fn values<T: Real, V: Vector<T>, P: Phi>(
    z: *mut T,
    h: *mut T,
    slopes: *mut T,
    t: usize,
    orders: usize,
) {
    for i in (0..t).step_by(V::LANES) {
        // SAFETY: the caller's promise.
        unsafe {
            let (value, kept) = P::value::<T, V>(V::load(z.add(i)));
            value.store(h.add(i));
            kept.store(z.add(i));
            let d = P::slopes::<T, V>(kept, value, orders);
            for n in 0..orders {
                d[n].store(slopes.add(n * t + i));
            }
        }
    }
}

#[inline(always)]
unsafe fn again<T: Real, V: Vector<T>, P: Phi>(
    kept: *const T,
    h: *const T,
    slopes: *mut T,
    t: usize,
    orders: usize,
) {
    for i in (0..t).step_by(V::LANES) {
        // SAFETY: the caller's promise.
        unsafe {
            let d = P::slopes::<T, V>(V::load(kept.add(i)), V::load(h.add(i)), orders);
            for n in 0..orders {
                d[n].store(slopes.add(n * t + i));
            }
        }
    }
}

#[inline(always)]
fn c<T: Real, V: Vector<T>>(v: f64) -> V {
    V::splat(T::of(v))
}

struct Tanh;
impl Phi for Tanh {
    #[inline(always)]
    fn value<T: Real, V: Vector<T>>(z: V) -> (V, V) {
        let h = tanh(z);
        (h, h)
    }
    #[inline(always)]
    fn slopes<T: Real, V: Vector<T>>(_: V, h: V, orders: usize) -> [V; 5] {
        let q = h * h;
        let d1 = c::<T, V>(1.0) - q;
        let mut d = [d1, c::<T, V>(-2.0) * h * d1, d1 * q.mul_add(c(6.0), c(-2.0)), d1, d1];
        if orders > 3 {
            d[3] = d1 * h * q.mul_add(c(-24.0), c(16.0));
            d[4] = d1 * q.mul_add(q.mul_add(c(120.0), c(-120.0)), c(16.0));
        }
        d
    }
}

struct Sin;
impl Phi for Sin {
    /// The cosine is kept.
    #[inline(always)]
    fn value<T: Real, V: Vector<T>>(z: V) -> (V, V) {
        sin_cos(z)
    }
    #[inline(always)]
    fn slopes<T: Real, V: Vector<T>>(kept: V, h: V, _: usize) -> [V; 5] {
        [kept, -h, -kept, h, kept]
    }
}

/// The derivatives of order 1 to 5 of the logistic function s, as polynomials in w = s (1 − s).
#[inline(always)]
fn logistic_slopes<T: Real, V: Vector<T>>(s: V) -> [V; 5] {
    let one = c::<T, V>(1.0);
    let w = s * (one - s);
    let odd = s.mul_add(c(-2.0), one);
    [
        w,
        w * odd,
        w * w.mul_add(c(-6.0), one),
        w * odd * w.mul_add(c(-12.0), one),
        w * w.mul_add(w.mul_add(c(120.0), c(-30.0)), one),
    ]
}

struct Swish;
impl Phi for Swish {
    #[inline(always)]
    fn value<T: Real, V: Vector<T>>(z: V) -> (V, V) {
        (z * logistic(z).0, z)
    }
    #[inline(always)]
    fn slopes<T: Real, V: Vector<T>>(z: V, _: V, _: usize) -> [V; 5] {
        let s = logistic(z).0;
        let d = logistic_slopes(s);
        [
            z.mul_add(d[0], s),
            z.mul_add(d[1], c::<T, V>(2.0) * d[0]),
            z.mul_add(d[2], c::<T, V>(3.0) * d[1]),
            z.mul_add(d[3], c::<T, V>(4.0) * d[2]),
            z.mul_add(d[4], c::<T, V>(5.0) * d[3]),
        ]
    }
}

struct Gelu;
impl Phi for Gelu {
    #[inline(always)]
    fn value<T: Real, V: Vector<T>>(z: V) -> (V, V) {
        (z * normal(z).0, z)
    }
    #[inline(always)]
    fn slopes<T: Real, V: Vector<T>>(z: V, _: V, _: usize) -> [V; 5] {
        let (p, n) = normal(z);
        let q = z * z;
        [
            z.mul_add(n, p),
            n * (c::<T, V>(2.0) - q),
            n * z * (q - c(4.0)),
            n * q.mul_add(c::<T, V>(7.0) - q, c(-4.0)),
            n * z * q.mul_add(q - c(11.0), c(18.0)),
        ]
    }
}

struct Softplus;
impl Phi for Softplus {
    /// The logistic function is kept.
    #[inline(always)]
    fn value<T: Real, V: Vector<T>>(z: V) -> (V, V) {
        let (s, e) = logistic(z);
        // The maximum with z as its second operand carries a NaN through.
        (c::<T, V>(0.0).max(z) + log1p(e), s)
    }
    #[inline(always)]
    fn slopes<T: Real, V: Vector<T>>(s: V, _: V, _: usize) -> [V; 5] {
        let d = logistic_slopes(s);
        [s, d[0], d[1], d[2], d[3]]
    }
}
