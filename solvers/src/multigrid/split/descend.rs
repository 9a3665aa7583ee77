//! From fine right-hand side to coarse right-hand side.

use super::plane::{Plane, Ring, Room};
use super::{Colours, Split, row};
use crate::Scalar;
use crate::host::simd::{Kernel, dispatch, prefetch};
use crate::stencil::rows::Shared;
use std::ops::Range;

/// Planes a tile works in besides those of the two colours.
pub(super) const PLANES: usize = 3;

/// Smooths from a zero guess, red then black, and restricts the residual.
pub(crate) struct Descend<'a, T, U> {
    pub split: &'a Split<T>,
    /// The right-hand side, and what it is multiplied by.
    pub source: &'a [U],
    pub scale: f64,
    pub coarse_f: Shared<'a, T>,
}

impl<T: Scalar, U: Scalar> Descend<'_, T, U> {
    pub fn run(&self, scratch: &mut [T]) {
        let units = self.split.halving.coarse.n[2];
        self.split.for_each_tile(units, scratch, |coarse, scratch| {
            dispatch(Tile { descend: self, coarse, scratch });
        });
    }
}

/// A range of coarse planes.
struct Tile<'a, T, U> {
    descend: &'a Descend<'a, T, U>,
    coarse: Range<usize>,
    scratch: Shared<'a, T>,
}

/// Where a tile keeps what it has computed, the residual on red cells, and the coarse planes that are not finished.
struct Rings<'a, T> {
    colours: Colours<'a, T>,
    residual: Ring<'a, T, 1>,
    sums: Ring<'a, T, 2>,
}

impl<T: Scalar, U: Scalar> Kernel for Tile<'_, T, U> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { descend: d, coarse, scratch } = self;
        let h = d.split.halving;
        let rows = h.fine.n[1];
        let mut room = Room::new(scratch, d.split.line);
        let rings = Rings {
            colours: Colours::new(&mut room, rows),
            residual: room.ring(rows),
            sums: room.ring(rows),
        };
        let red_f = room.row();
        let coarse = coarse.start as isize..coarse.end as isize;
        // The planes whose residual reaches these coarse planes; each needs e on one more to both sides, black cells first.
        let own = if h.halve[2] { 2 * coarse.start - 1..2 * coarse.end + 1 } else { coarse.clone() };
        let relaxed = own.start - 1..own.end + 1;
        for k in own.start - 2..own.end + 2 {
            for j in 0..rows {
                // SAFETY: the scratch is this tile's, and each row is finished before it is read: rows of the planes
                // before in earlier turns, the row itself in this one.
                unsafe {
                    if let Some(at) = d.split.wrap(k) {
                        d.begin(&rings, red_f, (k, at), j);
                    }
                    if let Some(at) = d.split.wrap(k - 1).filter(|_| relaxed.contains(&(k - 1))) {
                        d.split.relax(rings.colours, (k - 1, at), j);
                    }
                    if let Some(at) = d.split.wrap(k - 2).filter(|_| own.contains(&(k - 2))) {
                        d.residual(&rings, (k - 2, at), j);
                    }
                }
            }
            if let Some(at) = d.split.wrap(k - 2).filter(|_| own.contains(&(k - 2))) {
                // SAFETY: as above; the coarse planes are this tile's.
                unsafe { d.restrict(&rings, (k - 2, at), &coarse) };
            }
        }
    }
}

impl<T: Scalar, U: Scalar> Descend<'_, T, U> {
    /// f on black cells, and e = f/d on red ones, of row `j` of plane `k`, which is plane `at` of the grid.
    ///
    /// # Safety
    /// The rings and `red_f` belong to the caller's tile; so for the rest.
    #[inline(always)]
    unsafe fn begin(&self, rings: &Rings<T>, red_f: Plane<T>, (k, at): (isize, usize), j: usize) {
        let (s, fine) = (self.split, self.split.halving.fine);
        let (odd, start) = ((j + at) % 2, fine.start(j, at));
        // SAFETY: the caller's.
        unsafe {
            prefetch(self.source, start + 2 * fine.n[0], fine.n[0]);
            let (red, black) = (red_f.row_mut(0), rings.colours.f.plane(k).row_mut(j));
            row::deal(&self.source[start..start + fine.n[0]], U::of(self.scale), odd, red, black);
            row::scale(red, s.inverse(j, at, odd), rings.colours.red.plane(k).row_mut(j));
            rings.colours.red.plane(k).close(j, fine.periodic[0], |_| T::of(0.0));
        }
    }

    /// α times the residual on red cells.
    #[inline(always)]
    unsafe fn residual(&self, rings: &Rings<T>, (k, at): (isize, usize), j: usize) {
        let s = self.split;
        let odd = (j + at) % 2;
        // SAFETY: the caller's.
        unsafe {
            let near = s.near(s.planes(rings.colours.black, k), j, 2 * odd as isize - 1);
            let residual = rings.residual.plane(k);
            row::residual(&near, s.across(j, at).1, s.alpha(odd), residual.row_mut(j));
            residual.close(j, s.halving.fine.periodic[0], |_| T::of(0.0));
        }
    }

    /// Gives the residual of plane `k` to the coarse planes it reaches, and writes out the one that is then finished.
    ///
    /// A coarse plane takes from the planes 2u − 1 to 2u + 2, always in this order.
    #[inline(always)]
    unsafe fn restrict(&self, rings: &Rings<T>, (k, at): (isize, usize), coarse: &Range<isize>) {
        let (s, h) = (self.split, self.split.halving);
        let [cx, cy, _] = h.coarse.n;
        let (own, other) = if !h.halve[2] {
            (k, None)
        } else if at % 2 == 0 {
            (k.div_euclid(2), Some(k.div_euclid(2) - 1))
        } else {
            (k.div_euclid(2), Some(k.div_euclid(2) + 1))
        };
        // SAFETY: the caller's.
        unsafe {
            let begins = other.is_none() || at % 2 == 0 && s.wrap(k - 1).is_none();
            for (u, begins) in [(Some(own), begins), (other, at % 2 == 1)] {
                if let Some(u) = u.filter(|u| begins && coarse.contains(u)) {
                    (0..cy).for_each(|j| rings.sums.plane(u).row_mut(j).fill(T::of(0.0)));
                }
            }
            for j in 0..cy {
                if coarse.contains(&own) {
                    self.gather(rings, (k, at), j, rings.sums.plane(own).row_mut(j));
                }
                if let Some(u) = other.filter(|u| coarse.contains(u)) {
                    let row = |j: usize| rings.residual.plane(k).row(j, 0);
                    let children = h.children(1, j);
                    let last = if children.len() > 1 { row(children.end - 1) } else { &s.zeros };
                    let [_, _, _, z] = s.across(children.start, at).0;
                    row::gather([z; 2], [row(children.start), last], rings.sums.plane(u).row_mut(j));
                }
            }
            let finished = match other {
                None => Some(own),
                Some(u) if at % 2 == 0 => Some(u),
                Some(_) => s.wrap(k + 1).is_none().then_some(own),
            };
            if let Some(u) = finished.filter(|u| coarse.contains(u)) {
                for j in 0..cy {
                    let to = self.coarse_f.get_mut(h.coarse.start(j, u as usize), cx);
                    to.copy_from_slice(&rings.sums.plane(u).row(j, 0)[..cx]);
                }
            }
        }
    }

    /// Adds to coarse row `j` what it takes from plane `k` below or beside it: from its own rows, along x and along y.
    #[inline(always)]
    unsafe fn gather(&self, rings: &Rings<T>, (k, at): (isize, usize), j: usize, to: &mut [T]) {
        let (s, h) = (self.split, self.split.halving);
        let [ny, half] = [h.fine.n[1], s.line.half];
        let zero = T::of(0.0);
        let residual = rings.residual.plane(k);
        let mut weights = [zero; 6];
        let mut rows = [&s.zeros[..]; 6];
        // SAFETY: the caller's.
        unsafe {
            for (c, child) in h.children(1, j).enumerate() {
                let shift = 1 - 2 * ((child + at) % 2) as isize;
                let [own, x, _, _] = s.across(child, at).0;
                (weights[2 * c], weights[2 * c + 1]) = (own, x);
                (rows[2 * c], rows[2 * c + 1]) = (residual.row(child, 0), residual.row(child, shift));
                if !h.fine.periodic[0] {
                    // What an end has no neighbour to give to stays with its own coarse cell.
                    let end = if shift > 0 { 0 } else { half - 1 };
                    to[end] += x * rows[2 * c][end];
                }
            }
            if h.halve[1] {
                let given = [(false, 2 * j + ny - 1), (true, 2 * j + 2)];
                for (c, (up, row)) in given.into_iter().enumerate() {
                    if h.coarse.next(1, j, up).is_some() {
                        let row = row % ny;
                        (weights[4 + c], rows[4 + c]) = (s.across(row, at).0[2], residual.row(row, 0));
                    }
                }
            }
            row::gather(weights, rows, to);
        }
    }
}
