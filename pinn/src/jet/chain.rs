//! h = φ(z) on the streams of a tile, and its reverse.
//!
//! With first and second derivatives, which most equations are made of, everything is held in registers: each number of z is
//! read once and each of h written once. Higher orders walk through the table of Faà di Bruno's parts.

use crate::activation::Activation;
use crate::product::Rows;
use crate::simd::{Kernel, Real, Vector};
use crate::streams::Streams;

/// h ← φ(z); the value stream of z becomes what the reverse needs of it.
pub struct Forward<'a, T> {
    pub activation: Activation,
    pub streams: &'a Streams,
    /// Points of the tile, a multiple of the grain.
    pub t: usize,
    pub z: Rows<T>,
    pub h: Rows<T>,
    /// Room for [`scratch`] numbers.
    pub scratch: *mut T,
}

/// z̄ ← the adjoint of z from that of h. z̄ takes the place of z.
pub struct Reverse<'a, T> {
    pub activation: Activation,
    pub streams: &'a Streams,
    pub t: usize,
    /// As the forward pass left it.
    pub z: Rows<T>,
    pub h: Rows<T>,
    /// The adjoint of h.
    pub g: Rows<T>,
    pub scratch: *mut T,
}

/// Numbers of scratch: the derivatives of φ at the points, and a register for each stream.
pub(crate) fn scratch(streams: usize, t: usize) -> usize {
    5 * t + 16 * streams
}

/// The number of first derivatives and of second-order streams, when there is nothing else.
fn second_order(streams: &Streams) -> (usize, usize) {
    if streams.order() > 2 {
        return (usize::MAX, 0);
    }
    let linear = streams.parts().iter().filter(|p| p.is_empty()).count() - 1;
    let firsts = if streams.order() == 0 { 0 } else { linear };
    (firsts, streams.count() - 1 - firsts)
}

/// The coefficients of the quadratic forms that the second-order streams add, by stream and pair a ≤ b of first derivatives.
#[inline(always)]
fn forms<T: Real, V: Vector<T>, const F: usize, const S: usize>(streams: &Streams) -> [[[V; F]; F]; S] {
    let mut forms = [[[V::splat(T::of(0.0)); F]; F]; S];
    for s in 0..S {
        for part in &streams.parts()[1 + F + s] {
            forms[s][part.factors[0] - 1][part.factors[1] - 1] = V::splat(T::of(part.coefficient));
        }
    }
    forms
}

impl<T: Real> Kernel<T> for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let order = self.streams.order();
        let shape = second_order(self.streams);
        for r in 0..self.z.count {
            // SAFETY: rows hold the streams of a tile, and the scratch is as long as stated.
            unsafe {
                let (z, h) = (self.z.row(r), self.h.row(r));
                self.activation.values::<T, V>(z, h, self.scratch, self.t, order);
                match shape {
                    (0, 0) => {}
                    (1, 0) => self.second::<V, 1, 0>(z, h),
                    (1, 1) => self.second::<V, 1, 1>(z, h),
                    (2, 0) => self.second::<V, 2, 0>(z, h),
                    (2, 1) => self.second::<V, 2, 1>(z, h),
                    (2, 2) => self.second::<V, 2, 2>(z, h),
                    (2, 3) => self.second::<V, 2, 3>(z, h),
                    (3, 0) => self.second::<V, 3, 0>(z, h),
                    (3, 1) => self.second::<V, 3, 1>(z, h),
                    _ => self.any::<V>(z, h),
                }
            }
        }
    }
}

impl<T: Real> Forward<'_, T> {
    #[inline(always)]
    unsafe fn second<V: Vector<T>, const F: usize, const S: usize>(&self, z: *const T, h: *mut T) {
        let forms = forms::<T, V, F, S>(self.streams);
        let t = self.t;
        for i in (0..t).step_by(V::LANES) {
            // SAFETY: the rows and the scratch of `run`.
            unsafe {
                let d1 = V::load(self.scratch.add(i));
                let mut first = [d1; F];
                for a in 0..F {
                    first[a] = V::load(z.add((1 + a) * t + i));
                    (d1 * first[a]).store(h.add((1 + a) * t + i));
                }
                if S > 0 {
                    let d2 = V::load(self.scratch.add(t + i));
                    for s in 0..S {
                        let mut q = V::splat(T::of(0.0));
                        for a in 0..F {
                            for b in a..F {
                                q = (forms[s][a][b] * first[a]).mul_add(first[b], q);
                            }
                        }
                        let at = (1 + F + s) * t + i;
                        d2.mul_add(q, d1 * V::load(z.add(at))).store(h.add(at));
                    }
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn any<V: Vector<T>>(&self, z: *const T, h: *mut T) {
        let t = self.t;
        for i in (0..t).step_by(V::LANES) {
            for (s, parts) in self.streams.parts().iter().enumerate().skip(1) {
                // SAFETY: the rows and the scratch of `run`.
                unsafe {
                    let mut sum = V::load(self.scratch.add(i)) * V::load(z.add(s * t + i));
                    for part in parts {
                        let slope = V::load(self.scratch.add((part.order - 1) * t + i));
                        let mut term = V::splat(T::of(part.coefficient)) * slope;
                        for &f in &part.factors[1..] {
                            term = term * V::load(z.add(f * t + i));
                        }
                        sum = term.mul_add(V::load(z.add(part.factors[0] * t + i)), sum);
                    }
                    sum.store(h.add(s * t + i));
                }
            }
        }
    }
}

impl<T: Real> Kernel<T> for Reverse<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let order = self.streams.order();
        let shape = second_order(self.streams);
        for r in 0..self.z.count {
            // SAFETY: rows hold the streams of a tile, and the scratch is as long as stated.
            unsafe {
                let (z, h, g) = (self.z.row(r), self.h.row(r), self.g.row(r));
                self.activation.slopes::<T, V>(z, h, self.scratch, self.t, order + 1);
                match shape {
                    (0, 0) => self.second::<V, 0, 0>(z, g),
                    (1, 0) => self.second::<V, 1, 0>(z, g),
                    (1, 1) => self.second::<V, 1, 1>(z, g),
                    (2, 0) => self.second::<V, 2, 0>(z, g),
                    (2, 1) => self.second::<V, 2, 1>(z, g),
                    (2, 2) => self.second::<V, 2, 2>(z, g),
                    (2, 3) => self.second::<V, 2, 3>(z, g),
                    (3, 0) => self.second::<V, 3, 0>(z, g),
                    (3, 1) => self.second::<V, 3, 1>(z, g),
                    _ => self.any::<V>(z, g),
                }
            }
        }
    }
}

impl<T: Real> Reverse<'_, T> {
    #[inline(always)]
    unsafe fn second<V: Vector<T>, const F: usize, const S: usize>(&self, z: *mut T, g: *const T) {
        let forms = forms::<T, V, F, S>(self.streams);
        let t = self.t;
        let zero = V::splat(T::of(0.0));
        for i in (0..t).step_by(V::LANES) {
            // SAFETY: the rows and the scratch of `run`.
            unsafe {
                let d1 = V::load(self.scratch.add(i));
                let mut value = d1 * V::load(g.add(i));
                if F > 0 {
                    let d2 = V::load(self.scratch.add(t + i));
                    let (mut first, mut bar) = ([d1; F], [d1; F]);
                    let mut once = zero;
                    for a in 0..F {
                        let ga = V::load(g.add((1 + a) * t + i));
                        first[a] = V::load(z.add((1 + a) * t + i));
                        once = ga.mul_add(first[a], once);
                        bar[a] = d1 * ga;
                    }
                    let mut twice = zero;
                    let mut pull = [zero; F];
                    for s in 0..S {
                        let at = (1 + F + s) * t + i;
                        let gs = V::load(g.add(at));
                        once = gs.mul_add(V::load(z.add(at)), once);
                        (d1 * gs).store(z.add(at));
                        for a in 0..F {
                            for b in a..F {
                                let e = gs * forms[s][a][b];
                                pull[a] = e.mul_add(first[b], pull[a]);
                                pull[b] = e.mul_add(first[a], pull[b]);
                            }
                        }
                    }
                    if S > 0 {
                        // Each form is half of what its two derivatives give with the first derivatives.
                        for a in 0..F {
                            twice = pull[a].mul_add(first[a], twice);
                            bar[a] = d2.mul_add(pull[a], bar[a]);
                        }
                        let d3 = V::load(self.scratch.add(2 * t + i)) * V::splat(T::of(0.5));
                        value = d3.mul_add(twice, value);
                    }
                    for a in 0..F {
                        bar[a].store(z.add((1 + a) * t + i));
                    }
                    value = d2.mul_add(once, value);
                }
                value.store(z.add(i));
            }
        }
    }

    #[inline(always)]
    unsafe fn any<V: Vector<T>>(&self, z: *mut T, g: *const T) {
        let t = self.t;
        let k = self.streams.count();
        // SAFETY: the rows and the scratch of `run`.
        unsafe {
            let bar = self.scratch.add(5 * t);
            for i in (0..t).step_by(V::LANES) {
                let d1 = V::load(self.scratch.add(i));
                let d2 = V::load(self.scratch.add(t + i));
                let mut value = V::splat(T::of(0.0));
                for s in 0..k {
                    let gs = V::load(g.add(s * t + i));
                    (d1 * gs).store(bar.add(16 * s));
                    if s > 0 {
                        value = (d2 * gs).mul_add(V::load(z.add(s * t + i)), value);
                    }
                }
                for (s, parts) in self.streams.parts().iter().enumerate().skip(1) {
                    let gs = V::load(g.add(s * t + i));
                    for part in parts {
                        let e = V::splat(T::of(part.coefficient)) * gs;
                        let slope = V::load(self.scratch.add((part.order - 1) * t + i));
                        let higher = V::load(self.scratch.add(part.order * t + i));
                        let mut all = e * higher;
                        for (n, &f) in part.factors.iter().enumerate() {
                            all = all * V::load(z.add(f * t + i));
                            let mut others = e * slope;
                            for (m, &o) in part.factors.iter().enumerate() {
                                if m != n {
                                    others = others * V::load(z.add(o * t + i));
                                }
                            }
                            let to = bar.add(16 * f);
                            (V::load(to) + others).store(to);
                        }
                        value = value + all;
                    }
                }
                (V::load(bar) + value).store(z.add(i));
                for s in 1..k {
                    V::load(bar.add(16 * s)).store(z.add(s * t + i));
                }
            }
        }
    }
}
