//! Between a grid and the one with half as many cells along each side.
//!
//! A side of n cells has ⌈n/2⌉ coarse ones: coarse cell i covers the fine cells 2i and 2i + 1, of which an odd side's last has
//! only the first. An average is over the cells there are. Each way is a product of one-dimensional ones, whose weights are a
//! small formula, and its transpose, which takes gradients back, is the same loop over the transposed weights.

use crate::host::simd::{Kernel, dispatch};
use crate::{Grid, Scalar};
use rayon::prelude::*;

/// A way between a grid and its coarse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resampling {
    /// To the coarse grid: the mean of the cells that a coarse cell covers.
    Average,
    /// To the fine grid: the value of the coarse cell around.
    Nearest,
    /// To the fine grid: between the centres of coarse cells linearly, beyond the last ones constant.
    Linear,
}

/// Entries of a row or a column of the weights along one dimension.
type Entries = ([(usize, f64); 4], usize);

impl Resampling {
    /// Whether it leads to the coarse grid.
    pub fn is_coarsening(self) -> bool {
        self == Self::Average
    }

    /// What entry `i` is made of along a dimension with `fine` cells.
    #[inline(always)]
    fn row(self, fine: usize, i: usize) -> Entries {
        let none = (0, 0.0);
        match self {
            Self::Average if 2 * i + 1 < fine => ([(2 * i, 0.5), (2 * i + 1, 0.5), none, none], 2),
            Self::Average => ([(2 * i, 1.0), none, none, none], 1),
            Self::Nearest => ([(i / 2, 1.0), none, none, none], 1),
            Self::Linear => {
                let coarse = fine.div_ceil(2);
                let near = i / 2;
                let far =
                    if i.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(coarse - 1) };
                ([(near, 0.75), (far, 0.25), none, none], 2)
            }
        }
    }

    /// What entry `i` of the source goes to.
    #[inline(always)]
    fn column(self, fine: usize, i: usize) -> Entries {
        let candidates = match self {
            Self::Average => i / 2..i / 2 + 1,
            Self::Nearest => 2 * i..(2 * i + 2).min(fine),
            Self::Linear => (2 * i).saturating_sub(1)..(2 * i + 3).min(fine),
        };
        let (mut entries, mut count) = ([(0, 0.0); 4], 0);
        for to in candidates {
            let (row, n) = self.row(fine, to);
            let weight: f64 = row[..n].iter().filter(|(from, _)| *from == i).map(|(_, w)| w).sum();
            if weight > 0.0 {
                entries[count] = (to, weight);
                count += 1;
            }
        }
        (entries, count)
    }
}

/// y ← W x, or y ← W x + y; W transposed if asked for. Vectors are `[samples × cells, channels]` on the `fine` grid and its
/// coarse one.
pub(crate) fn resample<T: Scalar>(
    way: Resampling,
    transposed: bool,
    fine: Grid,
    channels: usize,
    x: &[T],
    add: bool,
    y: &mut [T],
) {
    let (to, from) =
        if way.is_coarsening() == transposed { (fine, fine.halved()) } else { (fine.halved(), fine) };
    let [nx, ny, nz] = to.n();
    if y.is_empty() {
        return;
    }
    y.par_chunks_mut(nx * ny * channels).enumerate().for_each(|(p, y)| {
        let sample = from.cells() * channels;
        let x = &x[p / nz * sample..][..sample];
        dispatch(Layer { way, transposed, fine, from, to, channels, z: p % nz, x, add, y });
    });
}

struct Layer<'a, T> {
    way: Resampling,
    transposed: bool,
    fine: Grid,
    from: Grid,
    to: Grid,
    channels: usize,
    z: usize,
    x: &'a [T],
    add: bool,
    y: &'a mut [T],
}

impl<T: Scalar> Kernel for Layer<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let c = self.channels;
        let entries = |axis: usize, i: usize| -> Entries {
            let fine = self.fine.n()[axis];
            if axis == 2 && self.fine.dim() == 2 {
                ([(0, 1.0); 4], 1)
            } else if self.transposed {
                self.way.column(fine, i)
            } else {
                self.way.row(fine, i)
            }
        };
        if !self.add {
            self.y.fill(T::of(0.0));
        }
        let [nx, ..] = self.to.n();
        let (zs, zn) = entries(2, self.z);
        for (j, y) in self.y.chunks_exact_mut(nx * c).enumerate() {
            let (ys, yn) = entries(1, j);
            for (i, y) in y.chunks_exact_mut(c).enumerate() {
                let (xs, xn) = entries(0, i);
                for &(z, wz) in &zs[..zn] {
                    for &(j, wy) in &ys[..yn] {
                        for &(i, wx) in &xs[..xn] {
                            let x = &self.x[self.from.index([i, j, z]) * c..][..c];
                            let weight = T::of(wx * wy * wz);
                            y.iter_mut().zip(x).for_each(|(y, &x)| *y += weight * x);
                        }
                    }
                }
            }
        }
    }
}
