//! From coarse correction to fine correction.

use super::plane::{Plane, Room};
use super::{Colours, Split, row};
use crate::Scalar;
use crate::host::reduce;
use crate::host::simd::{Kernel, dispatch, prefetch};
use crate::stencil::rows::Shared;
use std::ops::Range;

/// Corrects what was smoothed from a zero guess, and smooths again, black then red.
pub(crate) struct Ascend<'a, T, U> {
    pub split: &'a Split<T>,
    /// The right-hand side, and what it is multiplied by; the result is divided by it.
    pub source: &'a [U],
    pub scale: f64,
    pub coarse_e: &'a [T],
    pub result: Shared<'a, U>,
    /// Where each plane's source · result goes.
    pub partial: Option<Shared<'a, f64>>,
}

impl<T: Scalar, U: Scalar> Ascend<'_, T, U> {
    pub fn run(&self, scratch: &mut [T]) {
        let units = self.split.halving.fine.n[2];
        self.split.for_each_tile(units, scratch, |planes, scratch| {
            dispatch(Tile { ascend: self, planes, scratch });
        });
    }
}

/// A range of planes.
struct Tile<'a, T, U> {
    ascend: &'a Ascend<'a, T, U>,
    planes: Range<usize>,
    scratch: Shared<'a, T>,
}

/// Where a tile keeps what it has computed, and single rows of each colour and of coarse cells.
struct Rings<'a, T> {
    colours: Colours<'a, T>,
    rows: [Plane<'a, T>; 2],
    coarse: Plane<'a, T>,
}

impl<T: Scalar, U: Scalar> Kernel for Tile<'_, T, U> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { ascend: a, planes, scratch } = self;
        let rows = a.split.halving.fine.n[1];
        let mut room = Room::new(scratch, a.split.line);
        let rings = Rings {
            colours: Colours::new(&mut room, rows),
            rows: [room.row(), room.row()],
            coarse: room.row(),
        };
        let own = planes.start as isize..planes.end as isize;
        let relaxed = own.start - 1..own.end + 1;
        for k in own.start - 2..own.end + 2 {
            let mut sum = 0.0;
            for j in 0..rows {
                // SAFETY: the scratch is this tile's, and each row is finished before it is read: rows of the planes
                // before in earlier turns, the row itself in this one. The result's planes are this tile's.
                unsafe {
                    if let Some(at) = a.split.wrap(k) {
                        a.correct(&rings, (k, at), j);
                    }
                    if let Some(at) = a.split.wrap(k - 1).filter(|_| relaxed.contains(&(k - 1))) {
                        a.split.relax(rings.colours, (k - 1, at), j);
                    }
                    if own.contains(&(k - 2)) {
                        sum += a.finish(&rings, k - 2, j);
                    }
                }
            }
            if let Some(partial) = a.partial.filter(|_| own.contains(&(k - 2))) {
                // SAFETY: one entry for each plane.
                unsafe { partial.get_mut((k - 2) as usize, 1)[0] = sum };
            }
        }
    }
}

impl<T: Scalar, U: Scalar> Ascend<'_, T, U> {
    /// f on black cells, and e = f/d + P e_coarse on red ones, of row `j` of plane `k`, which is plane `at` of the grid.
    ///
    /// # Safety
    /// The rings belong to the caller's tile; so for the rest.
    #[inline(always)]
    unsafe fn correct(&self, rings: &Rings<T>, (k, at): (isize, usize), j: usize) {
        let (s, h) = (self.split, self.split.halving);
        let (odd, start, half) = ((j + at) % 2, h.fine.start(j, at), s.line.half);
        let coarse = |j: usize, k: usize| &self.coarse_e[h.coarse.start(j, k)..][..half];
        let (own_j, own_k) = (h.parent(1, j), h.parent(2, at));
        let own = coarse(own_j, own_k);
        let y = h.other(1, j).map_or(own, |y| coarse(y, own_k));
        let z = h.other(2, at).map_or(own, |z| coarse(own_j, z));
        let (weights, alpha) = s.across(j, at);
        // SAFETY: the caller's.
        unsafe {
            prefetch(self.source, start + 2 * h.fine.n[0], h.fine.n[0]);
            let (red, black) = (rings.rows[0].row_mut(0), rings.colours.f.plane(k).row_mut(j));
            row::deal(&self.source[start..start + h.fine.n[0]], U::of(self.scale), odd, red, black);
            // A copy has room for what lies beyond the ends.
            rings.coarse.row_mut(0)[..half].copy_from_slice(own);
            rings.coarse.close(0, h.fine.periodic[0], |end| end);
            let x = rings.coarse.row(0, 2 * odd as isize - 1);
            let e = rings.colours.red.plane(k);
            let transfer = (weights, [own, x, y, z]);
            row::correct(
                red,
                s.inverse(j, at, odd),
                transfer,
                (alpha, s.alpha(odd)),
                &mut e.row_mut(j)[..half],
            );
            e.close(j, h.fine.periodic[0], |_| T::of(0.0));
        }
    }

    /// e on red cells, and the row of the result; returns its product with that of the source, when asked.
    #[inline(always)]
    unsafe fn finish(&self, rings: &Rings<T>, k: isize, j: usize) -> f64 {
        let (s, fine) = (self.split, self.split.halving.fine);
        let at = k as usize;
        let (odd, start) = ((j + at) % 2, fine.start(j, at));
        let source = &self.source[start..start + fine.n[0]];
        // SAFETY: the caller's.
        unsafe {
            prefetch(self.source, start + 2 * fine.n[0], fine.n[0]);
            let (f, e) = (rings.rows[0].row_mut(0), rings.rows[1].row_mut(0));
            // The other colour's f is not needed any more, and e is written next.
            row::deal(source, U::of(self.scale), odd, f, e);
            let near = s.near(s.planes(rings.colours.black, k), j, 2 * odd as isize - 1);
            row::relax(f, &near, s.inverse(j, at, odd), e);
            let result = self.result.get_mut(start, fine.n[0]);
            let black = rings.colours.black.plane(k).row(j, 0);
            row::merge(e, black, odd, U::of(1.0 / self.scale), result);
            if self.partial.is_some() { reduce::dot(source, result) } else { 0.0 }
        }
    }
}
