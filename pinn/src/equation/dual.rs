//! Dual numbers of registers: values at several points, and their derivatives by a few inputs.

use super::algebra::{Algebra, with_constants};
use crate::elementary;
use crate::simd::{Real, Vector};
use std::marker::PhantomData;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// v + Σ t[k] εₖ with εᵢ εⱼ = 0, at each of the points of a register.
#[derive(Clone, Copy)]
pub(super) struct Dual<T, V, const K: usize> {
    pub value: V,
    pub tangents: [V; K],
    scalar: PhantomData<T>,
}

impl<T: Real, V: Vector<T>, const K: usize> Dual<T, V, K> {
    /// A number that depends on none of the inputs.
    #[inline(always)]
    pub fn constant(value: V) -> Self {
        Self { value, tangents: [V::splat(T::of(0.0)); K], scalar: PhantomData }
    }

    /// The value of the input whose derivative is number `k`, if it is any of them.
    #[inline(always)]
    pub fn input(value: V, k: usize) -> Self {
        let slope = |i| V::splat(T::of(if i == k { 1.0 } else { 0.0 }));
        Self { value, tangents: std::array::from_fn(slope), scalar: PhantomData }
    }

    #[inline(always)]
    fn new(value: V, tangents: [V; K]) -> Self {
        Self { value, tangents, scalar: PhantomData }
    }

    /// f(self), where f′ is `slope`.
    #[inline(always)]
    fn chain(self, value: V, slope: V) -> Self {
        Self::new(value, self.tangents.map(|t| t * slope))
    }

    #[inline(always)]
    fn zip(a: [V; K], b: [V; K], f: impl Fn(V, V) -> V) -> [V; K] {
        std::array::from_fn(|k| f(a[k], b[k]))
    }
}

impl<T: Real, V: Vector<T>, const K: usize> Add for Dual<T, V, K> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::new(self.value + other.value, Self::zip(self.tangents, other.tangents, |a, b| a + b))
    }
}

impl<T: Real, V: Vector<T>, const K: usize> Sub for Dual<T, V, K> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::new(self.value - other.value, Self::zip(self.tangents, other.tangents, |a, b| a - b))
    }
}

impl<T: Real, V: Vector<T>, const K: usize> Mul for Dual<T, V, K> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let (u, v) = (self.value, other.value);
        Self::new(u * v, Self::zip(self.tangents, other.tangents, |a, b| a.mul_add(v, u * b)))
    }
}

impl<T: Real, V: Vector<T>, const K: usize> Div for Dual<T, V, K> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let (q, inverse) = (self.value / other.value, V::splat(T::of(1.0)) / other.value);
        Self::new(q, Self::zip(self.tangents, other.tangents, |a, b| q.neg_mul_add(b, a) * inverse))
    }
}

impl<T: Real, V: Vector<T>, const K: usize> Neg for Dual<T, V, K> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self::new(-self.value, self.tangents.map(|t| -t))
    }
}

with_constants!([T: Real, V: Vector<T>, const K: usize] Dual<T, V, K>);

/// f of every lane.
#[inline(always)]
fn each<T: Real, V: Vector<T>>(x: V, f: impl Fn(T) -> T) -> V {
    let mut lanes = [T::of(0.0); 16];
    // SAFETY: no register holds more than 16 numbers.
    unsafe {
        x.store(lanes.as_mut_ptr());
        lanes[..V::LANES].iter_mut().for_each(|v| *v = f(*v));
        V::load(lanes.as_ptr())
    }
}

impl<T: Real, V: Vector<T>, const K: usize> Algebra for Dual<T, V, K> {
    #[inline(always)]
    fn of(v: f64) -> Self {
        Self::constant(V::splat(T::of(v)))
    }
    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        let (sin, cos) = elementary::sin_cos::<T, V>(self.value);
        (self.chain(sin, cos), self.chain(cos, -sin))
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        let y = elementary::tanh::<T, V>(self.value);
        self.chain(y, y.neg_mul_add(y, V::splat(T::of(1.0))))
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let y = elementary::exp::<T, V>(self.value);
        self.chain(y, y)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.chain(each(self.value, T::ln), V::splat(T::of(1.0)) / self.value)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let y = each(self.value, T::sqrt);
        self.chain(y, V::splat(T::of(0.5)) / y)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        let slope = self.value.if_below(V::splat(T::of(0.0)), V::splat(T::of(-1.0)), V::splat(T::of(1.0)));
        self.chain(self.value.abs(), slope)
    }
    #[inline(always)]
    fn if_below(self, bound: Self, x: Self, y: Self) -> Self {
        let pick = |x, y| self.value.if_below(bound.value, x, y);
        Self::new(pick(x.value, y.value), Self::zip(x.tangents, y.tangents, pick))
    }
}
