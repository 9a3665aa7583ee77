//! h = φ(z) on the streams of a tile, and its reverse.
//!
//! With first and second derivatives, which most equations are made of, everything is held in registers: each number of z is
//! read once and each of h written once. Higher orders walk through the table of Faà di Bruno's parts.

use super::shape::{forms, loops, second_order};
use crate::activation::Activation;
use crate::product::Rows;
use crate::simd::{Kernel, Real, Vector};
use crate::streams::{Part, Streams};

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

/// Numbers of scratch: the derivatives of φ at the points, and a row for each stream.
pub(crate) fn scratch(streams: usize, t: usize) -> usize {
    (5 + streams) * t
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
                loops!(self, shape, z, h);
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

    /// Part by part, so that what is read of the table is read once for all points.
    #[inline(always)]
    unsafe fn any<V: Vector<T>>(&self, z: *const T, h: *mut T) {
        let t = self.t;
        for (s, parts) in self.streams.parts().iter().enumerate().skip(1) {
            // SAFETY: the rows and the scratch of `run`.
            unsafe {
                let to = h.add(s * t);
                for i in (0..t).step_by(V::LANES) {
                    (V::load(self.scratch.add(i)) * V::load(z.add(s * t + i))).store(to.add(i));
                }
                for part in parts {
                    match *part.factors.as_slice() {
                        [a, b] => self.add::<V, 2>(part, [a, b], z, to),
                        [a, b, c] => self.add::<V, 3>(part, [a, b, c], z, to),
                        [a, b, c, d] => self.add::<V, 4>(part, [a, b, c, d], z, to),
                        _ => unreachable!("a part has two to four factors"),
                    }
                }
            }
        }
    }

    /// to += coefficient · φ⁽ⁿ⁾ Π z.
    #[inline(always)]
    unsafe fn add<V: Vector<T>, const N: usize>(&self, part: &Part, f: [usize; N], z: *const T, to: *mut T) {
        let t = self.t;
        let coefficient = V::splat(T::of(part.coefficient));
        for i in (0..t).step_by(V::LANES) {
            // SAFETY: as above.
            unsafe {
                let mut term = coefficient * V::load(self.scratch.add((part.order - 1) * t + i));
                for n in 1..N {
                    term = term * V::load(z.add(f[n] * t + i));
                }
                term.mul_add(V::load(z.add(f[0] * t + i)), V::load(to.add(i))).store(to.add(i));
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
                loops!(self, shape, z, g);
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

    /// Part by part, as forward.
    #[inline(always)]
    unsafe fn any<V: Vector<T>>(&self, z: *mut T, g: *const T) {
        let (t, k) = (self.t, self.streams.count());
        // SAFETY: the rows and the scratch of `run`.
        unsafe {
            let bar = self.scratch.add(5 * t);
            for i in (0..t).step_by(V::LANES) {
                let d1 = V::load(self.scratch.add(i));
                let d2 = V::load(self.scratch.add(t + i));
                let mut once = V::splat(T::of(0.0));
                for s in 1..k {
                    let gs = V::load(g.add(s * t + i));
                    (d1 * gs).store(bar.add(s * t + i));
                    once = gs.mul_add(V::load(z.add(s * t + i)), once);
                }
                d2.mul_add(once, d1 * V::load(g.add(i))).store(bar.add(i));
            }
            for (s, parts) in self.streams.parts().iter().enumerate().skip(1) {
                for part in parts {
                    match *part.factors.as_slice() {
                        [a, b] => self.add::<V, 2>(part, [a, b], z, g.add(s * t)),
                        [a, b, c] => self.add::<V, 3>(part, [a, b, c], z, g.add(s * t)),
                        [a, b, c, d] => self.add::<V, 4>(part, [a, b, c, d], z, g.add(s * t)),
                        _ => unreachable!("a part has two to four factors"),
                    }
                }
            }
            std::ptr::copy_nonoverlapping(bar, z, k * t);
        }
    }

    /// The adjoints of the factors of a part of a stream, and of its φ⁽ⁿ⁾.
    #[inline(always)]
    unsafe fn add<V: Vector<T>, const N: usize>(&self, part: &Part, f: [usize; N], z: *const T, g: *const T) {
        let t = self.t;
        let coefficient = V::splat(T::of(part.coefficient));
        for i in (0..t).step_by(V::LANES) {
            // SAFETY: the rows and the scratch of `run`.
            unsafe {
                let bar = self.scratch.add(5 * t + i);
                let e = coefficient * V::load(g.add(i));
                let by = e * V::load(self.scratch.add((part.order - 1) * t + i));
                let mut all = e * V::load(self.scratch.add(part.order * t + i));
                let mut of = [e; N];
                for n in 0..N {
                    of[n] = V::load(z.add(f[n] * t + i));
                    all = all * of[n];
                }
                (V::load(bar) + all).store(bar);
                for n in 0..N {
                    let mut others = by;
                    for m in 0..N {
                        if m != n {
                            others = others * of[m];
                        }
                    }
                    let to = bar.add(f[n] * t);
                    (V::load(to) + others).store(to);
                }
            }
        }
    }
}
