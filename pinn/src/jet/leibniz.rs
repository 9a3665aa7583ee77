//! h = u + a d on the streams of a tile, and its reverse: the mixture (1 − a) u + a v of a gated network, with d = v − u.

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
    /// Room for 16 numbers a stream.
    pub scratch: *mut T,
}

impl<T: Real> Kernel<T> for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let t = self.t;
        for r in 0..self.h.count {
            // SAFETY: rows hold the streams of a tile.
            unsafe {
                let (u, a, d, h) = (self.u.row(r), self.a.row(r), self.d.row(r), self.h.row(r));
                for (s, pairs) in self.streams.pairs().iter().enumerate() {
                    for i in (s * t..(s + 1) * t).step_by(V::LANES) {
                        let p = i - s * t;
                        let mut sum = V::load(u.add(i));
                        for pair in pairs {
                            let left = V::splat(T::of(pair.coefficient)) * V::load(a.add(pair.left * t + p));
                            sum = left.mul_add(V::load(d.add(pair.right * t + p)), sum);
                        }
                        sum.store(h.add(i));
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
        let t = self.t;
        let k = self.streams.count();
        for r in 0..self.g.count {
            // SAFETY: rows hold the streams of a tile, and the scratch is as long as stated.
            unsafe {
                let (a, d, g) = (self.a.row(r), self.d.row(r), self.g.row(r));
                let (u_bar, d_bar) = (self.u_bar.row(r), self.d_bar.row(r));
                for i in (0..t).step_by(V::LANES) {
                    for s in 0..k {
                        V::splat(T::of(0.0)).store(self.scratch.add(16 * s));
                    }
                    for (s, pairs) in self.streams.pairs().iter().enumerate() {
                        let gs = V::load(g.add(s * t + i));
                        let to = u_bar.add(s * t + i);
                        (V::load(to) + gs).store(to);
                        for pair in pairs {
                            let e = V::splat(T::of(pair.coefficient)) * gs;
                            let (l, r) = (pair.left * t + i, pair.right * t + i);
                            let to = self.scratch.add(16 * pair.left);
                            e.mul_add(V::load(d.add(r)), V::load(to)).store(to);
                            let to = d_bar.add(r);
                            e.mul_add(V::load(a.add(l)), V::load(to)).store(to);
                        }
                    }
                    for s in 0..k {
                        V::load(self.scratch.add(16 * s)).store(g.add(s * t + i));
                    }
                }
            }
        }
    }
}
