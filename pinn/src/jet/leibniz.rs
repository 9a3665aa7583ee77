//! h = u + a d on the streams of a tile, and its reverse: the mixture (1 − a) u + a v of a gated network, with d = v − u.
//!
//! With first and second derivatives every number is read once, as in [`chain`](super::chain); higher orders walk through the
//! table of Leibniz's pairs.

use super::shape::{forms, loops, second_order};
use crate::product::Rows;
use crate::simd::{Kernel, Real, Vector};
use crate::streams::Streams;

/// h ← u + a d.
pub struct Forward<'a, T> {
    pub streams: &'a Streams,
    /// Points of the tile, a multiple of the grain.
    pub t: usize,
    pub u: Rows<T>,
    pub a: Rows<T>,
    pub d: Rows<T>,
    pub h: Rows<T>,
}

/// From g, the adjoint of h: ū += g, d̄ += a g, and ā = d g, which takes the place of g.
pub struct Reverse<'a, T> {
    pub streams: &'a Streams,
    pub t: usize,
    pub a: Rows<T>,
    pub d: Rows<T>,
    pub g: Rows<T>,
    pub u_bar: Rows<T>,
    pub d_bar: Rows<T>,
    /// Room for a row of each stream.
    pub scratch: *mut T,
}

/// One row of what goes forward: u, a and d, and h.
type Mixed<T> = [*const T; 3];
/// One row of what goes back: a and d, ū and d̄.
type Unmixed<T> = ([*const T; 2], [*mut T; 2]);

impl<T: Real> Kernel<T> for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let shape = second_order(self.streams);
        for r in 0..self.h.count {
            // SAFETY: rows hold the streams of a tile.
            unsafe {
                let from: Mixed<T> = [self.u, self.a, self.d].map(|rows| rows.row(r).cast_const());
                let h = self.h.row(r);
                loops!(self, shape, from, h);
            }
        }
    }
}

impl<T: Real> Forward<'_, T> {
    #[inline(always)]
    unsafe fn second<V: Vector<T>, const F: usize, const S: usize>(&self, [u, a, d]: Mixed<T>, h: *mut T) {
        let forms = forms::<T, V, F, S>(self.streams);
        let t = self.t;
        for i in (0..t).step_by(V::LANES) {
            // SAFETY: the rows of `run`.
            unsafe {
                let at = |rows: *const T, s: usize| V::load(rows.add(s * t + i));
                let (a0, d0) = (at(a, 0), at(d, 0));
                a0.mul_add(d0, at(u, 0)).store(h.add(i));
                let (mut left, mut right) = ([a0; F], [d0; F]);
                for f in 0..F {
                    (left[f], right[f]) = (at(a, 1 + f), at(d, 1 + f));
                    let sum = a0.mul_add(right[f], at(u, 1 + f));
                    left[f].mul_add(d0, sum).store(h.add((1 + f) * t + i));
                }
                for s in 0..S {
                    let k = 1 + F + s;
                    let mut sum = a0.mul_add(at(d, k), at(a, k).mul_add(d0, at(u, k)));
                    for f in 0..F {
                        for e in f..F {
                            let cross = left[f].mul_add(right[e], left[e] * right[f]);
                            sum = forms[s][f][e].mul_add(cross, sum);
                        }
                    }
                    sum.store(h.add(k * t + i));
                }
            }
        }
    }

    /// Pair by pair, so that what is read of the table is read once for all points.
    #[inline(always)]
    unsafe fn any<V: Vector<T>>(&self, [u, a, d]: Mixed<T>, h: *mut T) {
        let t = self.t;
        for (s, pairs) in self.streams.pairs().iter().enumerate() {
            // SAFETY: the rows of `run`.
            unsafe {
                let to = h.add(s * t);
                std::ptr::copy_nonoverlapping(u.add(s * t), to, t);
                for pair in pairs {
                    let coefficient = V::splat(T::of(pair.coefficient));
                    let (left, right) = (a.add(pair.left * t), d.add(pair.right * t));
                    for i in (0..t).step_by(V::LANES) {
                        let left = coefficient * V::load(left.add(i));
                        left.mul_add(V::load(right.add(i)), V::load(to.add(i))).store(to.add(i));
                    }
                }
            }
        }
    }
}

impl<T: Real> Kernel<T> for Reverse<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let shape = second_order(self.streams);
        for r in 0..self.g.count {
            // SAFETY: rows hold the streams of a tile, and the scratch is as long as stated.
            unsafe {
                let from = [self.a, self.d].map(|rows| rows.row(r).cast_const());
                let with: Unmixed<T> = (from, [self.u_bar, self.d_bar].map(|rows| rows.row(r)));
                let g = self.g.row(r);
                loops!(self, shape, with, g);
            }
        }
    }
}

impl<T: Real> Reverse<'_, T> {
    #[inline(always)]
    unsafe fn second<V: Vector<T>, const F: usize, const S: usize>(
        &self,
        ([a, d], [u_bar, d_bar]): Unmixed<T>,
        g: *mut T,
    ) {
        let forms = forms::<T, V, F, S>(self.streams);
        let t = self.t;
        for i in (0..t).step_by(V::LANES) {
            // SAFETY: the rows of `run`.
            unsafe {
                let at = |rows: *const T, s: usize| V::load(rows.add(s * t + i));
                let add = |rows: *mut T, s: usize, v: V| {
                    let to = rows.add(s * t + i);
                    (V::load(to) + v).store(to);
                };
                let (a0, d0, g0) = (at(a, 0), at(d, 0), at(g, 0));
                add(u_bar, 0, g0);
                let (mut by_a, mut by_d) = (g0 * d0, g0 * a0);
                let (mut left, mut right) = ([a0; F], [d0; F]);
                let (mut by_left, mut by_right) = ([a0; F], [d0; F]);
                for f in 0..F {
                    let gf = at(g, 1 + f);
                    add(u_bar, 1 + f, gf);
                    (left[f], right[f]) = (at(a, 1 + f), at(d, 1 + f));
                    (by_a, by_d) = (gf.mul_add(right[f], by_a), gf.mul_add(left[f], by_d));
                    (by_left[f], by_right[f]) = (gf * d0, gf * a0);
                }
                for s in 0..S {
                    let k = 1 + F + s;
                    let gs = at(g, k);
                    add(u_bar, k, gs);
                    (by_a, by_d) = (gs.mul_add(at(d, k), by_a), gs.mul_add(at(a, k), by_d));
                    (gs * d0).store(g.add(k * t + i));
                    add(d_bar, k, gs * a0);
                    for f in 0..F {
                        for e in f..F {
                            let c = gs * forms[s][f][e];
                            by_left[f] = c.mul_add(right[e], by_left[f]);
                            by_left[e] = c.mul_add(right[f], by_left[e]);
                            by_right[f] = c.mul_add(left[e], by_right[f]);
                            by_right[e] = c.mul_add(left[f], by_right[e]);
                        }
                    }
                }
                for f in 0..F {
                    by_left[f].store(g.add((1 + f) * t + i));
                    add(d_bar, 1 + f, by_right[f]);
                }
                by_a.store(g.add(i));
                add(d_bar, 0, by_d);
            }
        }
    }

    /// Pair by pair, as forward.
    #[inline(always)]
    unsafe fn any<V: Vector<T>>(&self, ([a, d], [u_bar, d_bar]): Unmixed<T>, g: *mut T) {
        let (t, k) = (self.t, self.streams.count());
        // SAFETY: the rows and the scratch of `run`.
        unsafe {
            let bar = self.scratch;
            for i in (0..k * t).step_by(V::LANES) {
                V::splat(T::of(0.0)).store(bar.add(i));
                (V::load(u_bar.add(i)) + V::load(g.add(i))).store(u_bar.add(i));
            }
            for (s, pairs) in self.streams.pairs().iter().enumerate() {
                for pair in pairs {
                    let coefficient = V::splat(T::of(pair.coefficient));
                    let (left, right) = (pair.left * t, pair.right * t);
                    for i in (0..t).step_by(V::LANES) {
                        let e = coefficient * V::load(g.add(s * t + i));
                        let to = bar.add(left + i);
                        e.mul_add(V::load(d.add(right + i)), V::load(to)).store(to);
                        let to = d_bar.add(right + i);
                        e.mul_add(V::load(a.add(left + i)), V::load(to)).store(to);
                    }
                }
            }
            std::ptr::copy_nonoverlapping(bar, g, k * t);
        }
    }
}
