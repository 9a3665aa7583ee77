//! One level of the hierarchy and the two halves of a V-cycle on it.
//!
//! Going down, one pass over memory smooths from a zero guess (red, then black cells), forms the residual and restricts
//! it; going up, one pass interpolates, corrects and smooths again (black, then red), so that the cycle is symmetric.
//! Bytes a cell in f32: down, f read and e written (8); up, f and e read and e written (12); with the coarse sums and
//! the coarser levels 24 in 3-D on constant coefficients, against 33 for separate passes.

use super::Sink;
use super::band::Band;
use super::transfer::{BLOCK, Strip, Strips, prolong, restrict};
use super::weights::Weights;
use crate::Scalar;
use crate::host::reduce;
use crate::host::simd::{Kernel, dispatch};
use crate::stencil::rows::{Extent, Near, Row, Rows, Shared};
use crate::stencil::wavefront::{Wave, sweep};
use rayon::prelude::*;

/// The shape of a coarsening: the fine box, the coarse box, and which dimensions are halved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Halving {
    pub fine: Extent,
    pub coarse: Extent,
    pub halve: [bool; 3],
}

impl Halving {
    pub fn new(fine: Extent, halve: [bool; 3]) -> Self {
        let mut coarse = fine;
        for a in 0..3 {
            if halve[a] {
                coarse.n[a] = fine.n[a].div_ceil(2);
            }
            coarse.periodic[a] = fine.periodic[a] && coarse.n[a] > 1;
        }
        Self { fine, coarse, halve }
    }
    /// The coarse coordinate of a fine one.
    #[inline(always)]
    pub fn parent(self, axis: usize, i: usize) -> usize {
        if self.halve[axis] { i / 2 } else { i }
    }
    /// The fine coordinates of a coarse one.
    #[inline(always)]
    pub fn children(self, axis: usize, i: usize) -> std::ops::Range<usize> {
        if self.halve[axis] { 2 * i..(2 * i + 2).min(self.fine.n[axis]) } else { i..i + 1 }
    }
    /// Whether something is true of all fine cells of a coarse one.
    #[inline(always)]
    pub fn all_children(self, [i, j, k]: [usize; 3], is: impl Fn([usize; 3]) -> bool) -> bool {
        self.children(2, k).all(|k| self.children(1, j).all(|j| self.children(0, i).all(|i| is([i, j, k]))))
    }
    /// The coarse neighbour that fine coordinate `i` interpolates from besides its parent.
    #[inline(always)]
    pub fn other(self, axis: usize, i: usize) -> Option<usize> {
        if self.halve[axis] { self.coarse.next(axis, i / 2, i % 2 == 1) } else { None }
    }
}

/// The most half-sweeps before and after a coarse correction.
pub(crate) const HALVES: usize = 4;

/// Half-sweeps in turns, red first: how far each relaxes its colour. After the coarse correction they are done in reverse.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sweep<T> {
    omega: [T; HALVES],
    halves: usize,
}

impl<T: Scalar> Sweep<T> {
    pub fn new(omega: [f64; HALVES], halves: usize) -> Self {
        Self { omega: omega.map(T::of), halves }
    }

    /// How far each half-sweep relaxes.
    #[cfg(feature = "cuda")]
    pub fn omegas(&self) -> &[T] {
        &self.omega[..self.halves]
    }
}

/// 1, 0, 1, 0, …: from its first entry the even cells of a block, from its second the odd ones.
static EVEN: [u32; BLOCK + 1] = {
    let mut pattern = [0; BLOCK + 1];
    let mut i = 0;
    while i <= BLOCK {
        pattern[i] = 1;
        i += 2;
    }
    pattern
};

/// Which cells of a block have the colour of those whose x has this parity; blocks start at even cells.
#[inline(always)]
fn pattern(parity: usize, count: usize) -> &'static [u32] {
    &EVEN[parity..parity + count]
}

/// Calls `f(first, count)` for the blocks of a row.
macro_rules! blocks {
    ($nx:expr, |$first:ident, $count:ident| $body:expr) => {
        let mut $first = 0;
        while $first < $nx {
            let $count = BLOCK.min($nx - $first);
            $body;
            $first += BLOCK;
        }
    };
}

/// e ← e + ω ((f + off(e))/d − e) on the cells of row (j, k) whose colour is `colour`.
///
/// # Safety
/// The caller has the row of `e` to itself, and its neighbours are not written to.
#[inline(always)]
unsafe fn relax<T: Scalar, R: Rows<T>>(
    rows: &R,
    f: &[T],
    e: Shared<T>,
    [j, k]: [usize; 2],
    (colour, omega): (usize, T),
    off: &mut Strip<T>,
) {
    let extent = rows.extent();
    let nx = extent.n[0];
    let start = extent.start(j, k);
    let row = rows.row(j, k);
    blocks!(nx, |first, count| {
        // SAFETY: the caller's. The other colour's cells are read, this one's written.
        unsafe {
            Near::new(extent, rows.zeros(), e, j, k).off(row, first, &mut off[..count]);
            let e = e.get_mut(start + first, count);
            let f = &f[start + first..start + first + count];
            let chosen = pattern((j + k + colour) % 2, count);
            let off = &off[..count];
            for i in 0..count {
                let v = e[i] + omega * ((f[i] + off[i]) * row.inv(first + i) - e[i]);
                e[i] = if chosen[i] != 0 { v } else { e[i] };
            }
        }
    });
}

/// From fine right-hand side to coarse right-hand side.
pub(crate) struct Descend<'a, T, U, R, W> {
    pub rows: &'a R,
    pub weights: &'a W,
    pub halving: Halving,
    pub sweep: &'a Sweep<T>,
    pub band: Option<&'a Band>,
    /// What is read when the right-hand side still has another type or scale, and the factor to scale it by.
    pub source: Option<(&'a [U], f64)>,
    pub f: Shared<'a, T>,
    pub e: Shared<'a, T>,
    pub coarse_f: Shared<'a, T>,
    /// What each coarse plane gives to the one below and the one above.
    pub below: Shared<'a, T>,
    pub above: Shared<'a, T>,
}

impl<T: Scalar, U: Scalar, R: Rows<T>, W: Weights<T>> Descend<'_, T, U, R, W> {
    pub fn run(&self) {
        let h = self.halving;
        sweep(self, h.fine.n[2], h.fine.cells(), h.fine.periodic[2]);
        if h.halve[2] {
            (0..h.coarse.n[2])
                .into_par_iter()
                .with_min_len(1 + GATHER / h.coarse.n[0] / h.coarse.n[1])
                .for_each(|u| {
                    dispatch(Gather {
                        to: self.coarse_f,
                        below: self.below,
                        above: self.above,
                        coarse: h.coarse,
                        u,
                    });
                });
        }
    }

    /// f ← source; e ← f/d on red cells, 0 on black ones.
    #[inline(always)]
    unsafe fn begin(&self, k: usize) {
        let extent = self.halving.fine;
        let nx = extent.n[0];
        for j in 0..extent.n[1] {
            let start = extent.start(j, k);
            // SAFETY: the rows belong to this unit.
            let (f, e) = unsafe { (self.f.get_mut(start, nx), self.e.get_mut(start, nx)) };
            let row = self.rows.row(j, k);
            if let Some((source, scale)) = self.source {
                for (f, s) in f.iter_mut().zip(&source[start..start + nx]) {
                    *f = T::of(s.f64() * scale);
                }
            }
            blocks!(nx, |first, count| {
                let (f, e) = (&f[first..first + count], &mut e[first..first + count]);
                let chosen = pattern((j + k) % 2, count);
                for i in 0..count {
                    // SAFETY: first + i < nx.
                    let v = self.sweep.omega[0] * f[i] * unsafe { row.inv(first + i) };
                    e[i] = if chosen[i] != 0 { v } else { T::of(0.0) };
                }
            });
        }
    }

    /// Adds the residual of plane `k` to the sums of its coarse plane, which its first plane clears.
    #[inline(always)]
    unsafe fn restrict(&self, k: usize) {
        let h = self.halving;
        let [cx, cy, _] = h.coarse.n;
        let (nx, plane, u) = (h.fine.n[0], cx * cy, h.parent(2, k));
        let (mut r, mut strips) = ([T::of(0.0); BLOCK], Strips::new());
        // SAFETY: the coarse plane belongs to this plane and its pair, which the same thread works on; e is only read in
        // this pass.
        unsafe {
            let side = if k.is_multiple_of(2) { self.below } else { self.above };
            if !h.halve[2] || k.is_multiple_of(2) {
                self.coarse_f.get_mut(u * plane, plane).fill(T::of(0.0));
            }
            if h.halve[2] {
                side.get_mut(u * plane, plane).fill(T::of(0.0));
                if k + 1 == h.fine.n[2] && k.is_multiple_of(2) {
                    self.above.get_mut(u * plane, plane).fill(T::of(0.0));
                }
            }
            let z_neighbour = h.other(2, k);
            for j in 0..h.fine.n[1] {
                let start = h.fine.start(j, k);
                let (row, w) = (self.rows.row(j, k), self.weights.row(j, k));
                let f = self.f.get(start, nx);
                let near = Near::new(h.fine, self.rows.zeros(), self.e, j, k);
                let own_j = h.parent(1, j);
                let own = self.coarse_f.get_mut(u * plane + own_j * cx, cx);
                let mut y = h.other(1, j).map(|y| self.coarse_f.get_mut(u * plane + y * cx, cx));
                let mut z = z_neighbour.map(|_| side.get_mut(u * plane + own_j * cx, cx));
                blocks!(nx, |first, count| {
                    near.off(row, first, &mut r[..count]);
                    let c = &near.centre()[first..first + count];
                    let f = &f[first..first + count];
                    for i in 0..count {
                        r[i] += f[i] - row.diag(first + i) * c[i];
                    }
                    restrict(
                        w,
                        first,
                        &r[..count],
                        own,
                        y.as_deref_mut(),
                        z.as_deref_mut(),
                        h.halve[0],
                        h.fine.periodic[0],
                        &mut strips,
                    );
                });
            }
        }
    }
}

/// Coarse cells a thread gathers at least.
const GATHER: usize = 8192;

/// Adds what the neighbouring coarse planes give to plane `u`.
struct Gather<'a, T> {
    to: Shared<'a, T>,
    below: Shared<'a, T>,
    above: Shared<'a, T>,
    coarse: Extent,
    u: usize,
}

impl<T: Scalar> Kernel for Gather<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { to, below, above, coarse, u } = self;
        let plane = coarse.n[0] * coarse.n[1];
        // SAFETY: this plane is written by its own call, and all sums are ready.
        let to = unsafe { to.get_mut(u * plane, plane) };
        for (from, side) in [(coarse.next(2, u, false), above), (coarse.next(2, u, true), below)] {
            if let Some(v) = from {
                // SAFETY: as above.
                let from = unsafe { side.get(v * plane, plane) };
                for i in 0..plane {
                    to[i] += from[i];
                }
            }
        }
    }
}

impl<T: Scalar, U: Scalar, R: Rows<T>, W: Weights<T>> Wave for Descend<'_, T, U, R, W> {
    /// The half-sweeps, the band, and the residual, before which there must be an even number of passes.
    fn stages(&self) -> usize {
        (self.sweep.halves + 2 * usize::from(self.band.is_some())).next_multiple_of(2) + 1
    }

    fn align(&self) -> usize {
        2
    }

    #[inline(always)]
    unsafe fn stage(&self, stage: usize, k: usize) {
        let h = self.halving;
        // SAFETY: `Wave` keeps planes apart and passes in order.
        unsafe {
            let f = || self.f.get(0, h.fine.cells());
            let Sweep { omega, halves } = *self.sweep;
            match (stage, self.band) {
                (0, _) => self.begin(k),
                _ if stage < halves => {
                    let mut off = [T::of(0.0); BLOCK];
                    for j in 0..h.fine.n[1] {
                        relax(self.rows, f(), self.e, [j, k], (stage % 2, omega[stage]), &mut off);
                    }
                }
                _ if stage + 1 == self.stages() => self.restrict(k),
                (_, Some(band)) if stage < halves + 2 => {
                    band.relax(self.rows, f(), self.e, k, stage - halves)
                }
                _ => {}
            }
        }
    }
}

/// From coarse correction to fine correction.
pub(crate) struct Ascend<'a, T, U, R, W> {
    pub rows: &'a R,
    pub weights: &'a W,
    pub halving: Halving,
    pub sweep: &'a Sweep<T>,
    pub band: Option<&'a Band>,
    pub coarse_e: &'a [T],
    pub f: &'a [T],
    pub e: Shared<'a, T>,
    /// Where the result goes when it has another type or scale.
    pub sink: Option<Sink<'a, U>>,
}

impl<T: Scalar, U: Scalar, R: Rows<T>, W: Weights<T>> Ascend<'_, T, U, R, W> {
    pub fn run(&self) {
        let h = self.halving;
        sweep(self, h.fine.n[2], h.fine.cells(), h.fine.periodic[2]);
    }

    /// e ← e + P e_coarse on plane k.
    #[inline(always)]
    unsafe fn correct(&self, k: usize) {
        let h = self.halving;
        let [nx, ny, _] = h.fine.n;
        let cx = h.coarse.n[0];
        let coarse = |j: usize, k: usize| &self.coarse_e[h.coarse.start(j, k)..][..cx];
        let own_k = h.parent(2, k);
        let mut strips = Strips::new();
        for j in 0..ny {
            let own_j = h.parent(1, j);
            let own = coarse(own_j, own_k);
            let y = h.other(1, j).map_or(own, |y| coarse(y, own_k));
            let z = h.other(2, k).map_or(own, |z| coarse(own_j, z));
            let w = self.weights.row(j, k);
            let start = h.fine.start(j, k);
            blocks!(nx, |first, count| {
                // SAFETY: the row belongs to this unit.
                unsafe {
                    let e = self.e.get_mut(start + first, count);
                    prolong(w, first, [own, y, z], h.halve[0], h.fine.periodic[0], e, &mut strips);
                }
            });
        }
    }

    /// z ← scale e and its product with r.
    #[inline(always)]
    unsafe fn finish(&self, k: usize) {
        let Some(Sink { r, z, scale, partial }) = &self.sink else { return };
        let h = self.halving;
        let (nx, scale) = (h.fine.n[0], U::of(1.0 / scale));
        let mut sum = 0.0;
        for j in 0..h.fine.n[1] {
            let start = h.fine.start(j, k);
            // SAFETY: the rows belong to this unit and are finished.
            let (e, z) = unsafe { (self.e.get(start, nx), z.get_mut(start, nx)) };
            for (z, &e) in z.iter_mut().zip(e) {
                *z = U::of(e.f64()) * scale;
            }
            sum += reduce::dot(&r[start..start + nx], z);
        }
        // SAFETY: one entry for each plane.
        unsafe { partial.get_mut(k, 1)[0] = sum };
    }
}

impl<T: Scalar, U: Scalar, R: Rows<T>, W: Weights<T>> Wave for Ascend<'_, T, U, R, W> {
    /// The correction, the band, and the half-sweeps in reverse.
    fn stages(&self) -> usize {
        1 + self.sweep.halves + 2 * usize::from(self.band.is_some())
    }

    #[inline(always)]
    unsafe fn stage(&self, stage: usize, k: usize) {
        // SAFETY: `Wave` keeps planes apart and passes in order.
        unsafe {
            // Half-sweeps still to come.
            let left = self.stages() - 1 - stage;
            match (stage, self.band) {
                (0, _) => return self.correct(k),
                (1 | 2, Some(band)) => return band.relax(self.rows, self.f, self.e, k, 2 - stage),
                _ => {}
            }
            let mut off = [T::of(0.0); BLOCK];
            for j in 0..self.halving.fine.n[1] {
                let half = (left % 2, self.sweep.omega[left]);
                relax(self.rows, self.f, self.e, [j, k], half, &mut off);
            }
            if left == 0 {
                self.finish(k);
            }
        }
    }
}
