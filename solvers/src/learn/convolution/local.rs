//! Products with a kernel for every cell: y(c) = Σₜ k(c, t) x(c + t) over the 9 or 27 cells around, zeros beyond the sides.
//!
//! Kernels are laid out tap by tap, `[taps, cells]`, so that a row of cells is one run of each: bound by memory, 4 taps bytes a
//! cell in f32.

use super::Geometry;
use crate::Scalar;
use crate::host::simd::{Kernel, dispatch};
use rayon::prelude::*;
use std::ops::Range;

/// From `[cells, taps]` to `[taps, cells]`.
pub(crate) fn by_taps<T: Scalar>(k: &[T], taps: usize, planes: &mut [T]) {
    let cells = k.len() / taps;
    planes.par_chunks_mut(cells).enumerate().for_each(|(tap, plane)| {
        plane.iter_mut().zip(k.chunks_exact(taps)).for_each(|(p, k)| *p = k[tap]);
    });
}

/// y ← K x, or Kᵀx when `transposed`, added to y when `add`; for any number of samples `[samples × cells]`.
pub(crate) fn apply<T: Scalar>(g: Geometry, k: &[T], transposed: bool, x: &[T], add: bool, y: &mut [T]) {
    let [nx, ny, nz] = g.n;
    y.par_chunks_mut(nx * ny).enumerate().for_each(|(p, y)| {
        let x = &x[p / nz * g.cells()..][..g.cells()];
        if !add {
            y.fill(T::of(0.0));
        }
        dispatch(Layer { g, k, transposed, x, z: p % nz, y });
    });
}

/// k ← k + the gradient of the kernels, `[taps, cells]`, with the value's gradient `v`, summed over samples in order.
pub(crate) fn add_gradient<T: Scalar>(g: Geometry, x: &[T], v: &[T], k: &mut [T]) {
    let [nx, ny, nz] = g.n;
    k.par_chunks_mut(nx * ny).enumerate().for_each(|(p, k)| {
        let (tap, z) = (p / nz, p % nz);
        for (x, v) in x.chunks(g.cells()).zip(v.chunks(g.cells())) {
            dispatch(Gradient { g, tap, z, x, v, k });
        }
    });
}

/// The rows that tap `t` takes for row `y` of layer `z`: the first cell of the row it reads, and the cells whose neighbour there
/// is.
#[inline(always)]
fn reach(g: Geometry, tap: usize, [y, z]: [usize; 2], back: bool) -> Option<(usize, Range<usize>, isize)> {
    let [nx, ny, _] = g.n;
    let step = |k: usize| if back { 1 - k as isize } else { k as isize - 1 };
    let inside = |at: usize, by: isize, n: usize| at.checked_add_signed(by).filter(|at| *at < n);
    let z = if g.depth == 1 { Some(z) } else { inside(z, step(tap / 9), g.n[2]) }?;
    let y = inside(y, step(tap / 3 % 3), ny)?;
    let by = step(tap % 3);
    let cells = usize::from(by < 0)..nx - usize::from(by > 0);
    Some(((z * ny + y) * nx, cells, by))
}

struct Layer<'a, T> {
    g: Geometry,
    k: &'a [T],
    transposed: bool,
    x: &'a [T],
    z: usize,
    y: &'a mut [T],
}

impl<T: Scalar> Kernel for Layer<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { g, k, transposed, x, z, y } = self;
        let [nx, ny, _] = g.n;
        for (j, out) in y.chunks_exact_mut(nx).enumerate() {
            for tap in 0..g.taps() {
                let Some((from, cells, by)) = reach(g, tap, [j, z], transposed) else { continue };
                if cells.is_empty() {
                    continue;
                }
                let read = from.wrapping_add_signed(cells.start as isize + by);
                // What is multiplied stands at the cell whose kernel it is, which a transposed product reads elsewhere.
                let own = if transposed { read } else { (z * ny + j) * nx + cells.start };
                let k = &k[tap * g.cells() + own..][..cells.len()];
                let x = &x[read..][..cells.len()];
                out[cells].iter_mut().zip(k.iter().zip(x)).for_each(|(y, (&k, &x))| *y += k * x);
            }
        }
    }
}

struct Gradient<'a, T> {
    g: Geometry,
    tap: usize,
    z: usize,
    x: &'a [T],
    v: &'a [T],
    k: &'a mut [T],
}

impl<T: Scalar> Kernel for Gradient<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { g, tap, z, x, v, k } = self;
        let [nx, ny, _] = g.n;
        for (j, k) in k.chunks_exact_mut(nx).enumerate() {
            let Some((from, cells, by)) = reach(g, tap, [j, z], false) else { continue };
            if cells.is_empty() {
                continue;
            }
            let x = &x[from.wrapping_add_signed(cells.start as isize + by)..][..cells.len()];
            let v = &v[(z * ny + j) * nx + cells.start..][..cells.len()];
            k[cells].iter_mut().zip(v.iter().zip(x)).for_each(|(k, (&v, &x))| *k += v * x);
        }
    }
}
