//! The cycle on a uniform grid, with the two colours of its cells apart.
//!
//! The even cells of a row are kept in one array and its odd cells in another. One of the two is red and the other
//! black, so a colour is contiguous, and relaxing it computes nothing that is thrown away. In row (j, k), with
//! s = (j + k) mod 2, red cell m lies at x = 2m + s and black cell m at x = 2m + 1 − s. Neighbours across have the same
//! m; along x, black cell m lies between the red cells m and m + 1 − 2s, and red cell m between the black cells m and
//! m − 1 + 2s. When x is halved, m is also the coarse cell both belong to.
//!
//! No vector is kept between the two halves of the cycle. Going down, e is f/d on red cells and follows on black ones;
//! the residual is 0 on black cells and off(e) on red ones, so only these are restricted. Going up, black cells are
//! overwritten before they are read, so only red cells are corrected, and what they were corrected from is f/d again.
//! Both halves pass over planes of which a thread keeps a few in cache; neighbouring tiles compute the planes at their
//! border twice, which leaves nothing to share and the same bits for any number of threads.
//!
//! Bytes a cell in f32: down, f read (4) and an eighth of a coarse f written; up, f read again, e written and fetched
//! for it (12) and an eighth of a coarse e read; with the coarser levels 20 in 3-D.

mod ascend;
mod descend;
mod plane;
mod row;

use super::level::Halving;
use super::weights::Separable;
use crate::Scalar;
use crate::stencil::poisson::Constant;
use crate::stencil::rows::{Rows, Shared};
pub(crate) use ascend::Ascend;
pub(crate) use descend::Descend;
use plane::{Line, Plane, Ring, Room};
use rayon::prelude::*;
use std::ops::Range;

/// A level of constant coefficients whose rows are halved.
pub(crate) struct Split<T> {
    halving: Halving,
    line: Line,
    /// Conductances along x, y, z.
    c: [T; 3],
    weights: Separable<T>,
    /// 1/diagonal of the even cells of a row, then of the odd ones, for each kind of row.
    inverses: Vec<T>,
    /// α along x, of the even cells and of the odd ones.
    alphas: Vec<T>,
    zeros: Vec<T>,
}

/// The planes of a tile that a sweep is at: f on black cells, e on red and on black ones.
#[derive(Clone, Copy)]
struct Colours<'a, T> {
    f: Ring<'a, T, 2>,
    red: Ring<'a, T, 3>,
    black: Ring<'a, T, 3>,
}

impl<'a, T: Scalar> Colours<'a, T> {
    const PLANES: usize = 8;

    fn new(room: &mut Room<'a, T>, rows: usize) -> Self {
        Self { f: room.ring(rows), red: room.ring(rows), black: room.ring(rows) }
    }
}

/// Levels with fewer cells are left to the calling thread.
const SERIAL_CELLS: usize = 16_384;
/// Planes a thread takes at least, so that few are computed twice.
const THICK: usize = 16;

impl<T: Scalar> Split<T> {
    /// `halving` halves x, and every dimension it halves has an even number of cells.
    pub fn new(a: &Constant<T>, halving: Halving) -> Self {
        let extent = a.extent();
        debug_assert!(halving.halve[0] && extent.n[0].is_multiple_of(2));
        let line = Line::new(extent.n[0] / 2);
        let weights = Separable::new(extent, halving.halve, a.c, a.ends);
        let apart = |row: &[T], to: &mut Vec<T>| {
            for odd in 0..2 {
                let first = to.len();
                to.extend(row.iter().skip(odd).step_by(2));
                to.resize(first + line.wide, T::of(0.0));
            }
        };
        let (mut inverses, mut alphas) = (Vec::new(), Vec::new());
        a.inverses().chunks(extent.n[0]).for_each(|row| apart(row, &mut inverses));
        apart(&weights.alpha[0], &mut alphas);
        let zeros = vec![T::of(0.0); line.wide];
        Self { halving, line, c: a.c.map(T::of), weights, inverses, alphas, zeros }
    }

    /// The interpolation to the level.
    #[cfg(feature = "cuda")]
    pub fn weights(&self) -> &Separable<T> {
        &self.weights
    }

    /// How many tiles the level is cut into at most.
    fn tiles(&self) -> usize {
        let fine = self.halving.fine;
        if fine.cells() < SERIAL_CELLS {
            return 1;
        }
        // Two a thread even out what other work takes from one of them.
        (2 * rayon::current_num_threads()).min(fine.n[2] / THICK).max(1)
    }

    /// Numbers a tile works in.
    fn room(&self) -> usize {
        let rows = self.halving.fine.n[1];
        (Colours::<T>::PLANES + descend::PLANES) * self.line.plane(rows) + plane::ROWS * self.line.stride()
    }

    /// Numbers that the level's tiles work in with the threads there are now.
    pub fn scratch(&self) -> usize {
        self.tiles() * self.room()
    }

    /// Cuts `0..units` into tiles and works on each in a part of `scratch`, which has room for one at least.
    fn for_each_tile(&self, units: usize, scratch: &mut [T], work: impl Fn(Range<usize>, Shared<T>) + Sync) {
        let room = self.room();
        let tiles = self.tiles().min(scratch.len() / room).min(units);
        let tile = |(t, scratch): (usize, &mut [T])| {
            work(t * units / tiles..(t + 1) * units / tiles, Shared::new(scratch));
        };
        if tiles == 1 {
            tile((0, scratch));
        } else {
            scratch.par_chunks_exact_mut(room).take(tiles).with_max_len(1).enumerate().for_each(tile);
        }
    }

    /// Plane `k`, counted on beyond the ends of a ring, if there is one.
    #[inline(always)]
    fn wrap(&self, k: isize) -> Option<usize> {
        let n = self.halving.fine.n[2] as isize;
        if self.halving.fine.periodic[2] {
            Some(k.rem_euclid(n) as usize)
        } else {
            (0..n).contains(&k).then_some(k as usize)
        }
    }

    /// 1/diagonal of the even or odd cells of row (j, k).
    #[inline(always)]
    fn inverse(&self, j: usize, k: usize, odd: usize) -> &[T] {
        let kind = Constant::<T>::kind(self.halving.fine, j, k);
        &self.inverses[(2 * kind + odd) * self.line.wide..][..self.line.wide]
    }

    /// α along x of the even or odd cells.
    #[inline(always)]
    fn alpha(&self, odd: usize) -> &[T] {
        &self.alphas[odd * self.line.wide..][..self.line.wide]
    }

    /// The weights of row (j, k): what its own coarse cell, those along x, y and z give to a cell, and α across.
    #[inline(always)]
    fn across(&self, j: usize, k: usize) -> ([T; 4], T) {
        let Separable { beta, alpha } = &self.weights;
        // Beside an end along x, where β is 0, the coarse cell beyond is given the value of the own one.
        let [x, y, z] = [T::of(0.25), beta[1][j], beta[2][k]];
        ([T::of(1.0) - x - y - z, x, y, z], alpha[1][j] * alpha[2][k])
    }

    /// The planes below, at and above `k` that there are.
    #[inline(always)]
    fn planes<'a>(&self, ring: Ring<'a, T, 3>, k: isize) -> [Option<Plane<'a, T>>; 3] {
        let fine = self.halving.fine;
        let below = if fine.periodic[2] || k > 0 { Some(ring.plane(k - 1)) } else { None };
        let above =
            if fine.periodic[2] || k + 1 < fine.n[2] as isize { Some(ring.plane(k + 1)) } else { None };
        [below, Some(ring.plane(k)), above]
    }

    /// The neighbours of the cells of a colour in row `j`: `planes` hold the other one below, beside and above, and
    /// `shift` leads to their second neighbour along x.
    ///
    /// # Safety
    /// No thread writes to these rows.
    #[inline(always)]
    unsafe fn near<'a>(
        &'a self,
        planes: [Option<Plane<'a, T>>; 3],
        j: usize,
        shift: isize,
    ) -> row::Near<'a, T> {
        let row = |plane: Option<Plane<'a, T>>, j: Option<usize>, shift| match (plane, j) {
            // SAFETY: the caller's.
            (Some(plane), Some(j)) => unsafe { plane.row(j, shift) },
            _ => &self.zeros[..],
        };
        let [below, beside, above] = planes;
        let next = |up| self.halving.fine.next(1, j, up);
        row::Near {
            c: self.c,
            x: [row(beside, Some(j), 0), row(beside, Some(j), shift)],
            y: [row(beside, next(false), 0), row(beside, next(true), 0)],
            z: [row(below, Some(j), 0), row(above, Some(j), 0)],
        }
    }
    /// e ← (f + off(e))/d on the black cells of row `j` of plane `k`, which is plane `at` of the grid.
    ///
    /// # Safety
    /// The rings belong to the caller's tile, and e is known on the red cells of the planes around.
    #[inline(always)]
    unsafe fn relax(&self, colours: Colours<T>, (k, at): (isize, usize), j: usize) {
        let odd = (j + at) % 2;
        // SAFETY: the caller's.
        unsafe {
            let near = self.near(self.planes(colours.red, k), j, 1 - 2 * odd as isize);
            let (f, black) = (colours.f.plane(k).row(j, 0), colours.black.plane(k));
            row::relax(f, &near, self.inverse(j, at, 1 - odd), black.row_mut(j));
            black.close(j, self.halving.fine.periodic[0], |_| T::of(0.0));
        }
    }
}
