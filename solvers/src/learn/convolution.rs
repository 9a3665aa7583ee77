//! Convolutions on grids of cells: 3×3 in 2-D, 3×3×3 in 3-D, zeros beyond the sides, as many cells out as in.
//!
//! Vectors have one row a cell and one column a channel, so that the channels of a cell are side by side; several samples
//! follow each other. Running sums of some cells times a block of output channels stay in registers over all taps and input
//! channels: 6 912 multiplications a cell from 16 to 16 channels in 3-D against 128 bytes of memory, so that the work is
//! bound by arithmetic alone. Work is shared among threads by rows of cells; sums for the gradient of a kernel are made in
//! groups whose bounds depend on the grid alone, so bits do not depend on the number of threads.
//!
//! Kernels have the shape `[3, 3, inputs, outputs]` or `[3, 3, 3, inputs, outputs]`, the slowest axis of the grid first.

mod gram;
pub(crate) mod local;
mod pack;
mod resample;
mod tile;

pub(crate) use pack::{add_unpacked, pack, pack_reversed};
pub use resample::Resampling;
pub(crate) use resample::resample;

use crate::{Grid, Scalar};
use gram::Gram;
use rayon::prelude::*;
use std::ops::Range;
use tile::Tile;

/// Cells whose rows are worked on by one thread at a time.
const CELLS: usize = 512;
/// The most groups that a kernel's gradient is summed in.
const GROUPS: usize = 32;

/// The grid and the channels of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Cells along x, y, z.
    pub n: [usize; 3],
    /// Taps along z: 3, or 1 in 2-D.
    pub depth: usize,
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
}

impl Geometry {
    pub fn new(grid: Grid, inputs: usize, outputs: usize) -> Self {
        Self { n: grid.n(), depth: if grid.dim() == 2 { 1 } else { 3 }, inputs, outputs }
    }

    /// The same with the channels exchanged, as a gradient runs.
    pub fn reversed(self) -> Self {
        Self { inputs: self.outputs, outputs: self.inputs, ..self }
    }

    pub fn taps(self) -> usize {
        9 * self.depth
    }

    pub fn cells(self) -> usize {
        self.n.iter().product()
    }

    /// Output channels, rounded up to whole blocks.
    pub fn padded<T: Scalar>(self) -> usize {
        self.outputs.next_multiple_of(T::BLOCK)
    }

    /// Entries of a packed kernel.
    pub fn packed<T: Scalar>(self) -> usize {
        self.taps() * self.inputs * self.padded::<T>()
    }

    /// Rows of cells worked on at a time.
    fn rows(self) -> usize {
        (CELLS / self.n[0]).clamp(1, self.n[1])
    }

    /// The layer that a tap along z reads for layer `z`, where there is one.
    #[inline(always)]
    fn reach(self, z: usize, tap: usize) -> Option<usize> {
        let to = (z + tap).checked_sub(self.depth / 2)?;
        (to < self.n[2]).then_some(to)
    }
}

/// What happens to a value that was summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finish {
    /// Negative values become 0.
    pub positive: bool,
    /// The result is added to what stands there.
    pub add: bool,
}

/// y ← f(x ∗ w + b), or y ← f(x ∗ w + b) + y, for any number of samples: x `[samples × cells, inputs]`, `w` packed, b as long
/// as the padded outputs or absent, y `[samples × cells, outputs]`.
pub(crate) fn convolve<T: Scalar>(
    g: Geometry,
    x: &[T],
    w: &[T],
    b: Option<&[T]>,
    finish: Finish,
    y: &mut [T],
) {
    debug_assert_eq!(x.len() * g.outputs, y.len() * g.inputs);
    debug_assert_eq!(w.len(), g.packed::<T>());
    let [nx, ny, nz] = g.n;
    let (plane, rows) = (nx * ny * g.outputs, g.rows());
    if y.is_empty() {
        return;
    }
    y.par_chunks_mut(plane).enumerate().for_each(|(p, y)| {
        let x = &x[p / nz * g.cells() * g.inputs..][..g.cells() * g.inputs];
        y.par_chunks_mut(rows * nx * g.outputs).enumerate().for_each(|(i, y)| {
            T::fused(Tile { g, x, w, b, finish, z: p % nz, first: i * rows, y });
        });
    });
}

/// w ← w + the gradient of a kernel with the value's gradient `v`, `[samples × cells, outputs]`, packed like the kernel, for
/// whole blocks of outputs: columns of `v` beyond the outputs must be absent or zero. `partial` holds the groups' sums.
pub(crate) fn add_kernel_gradient<T: Scalar>(
    g: Geometry,
    x: &[T],
    v: &[T],
    partial: &mut Vec<T>,
    w: &mut [T],
) {
    let (samples, size) = (x.len() / (g.cells() * g.inputs).max(1), g.packed::<T>());
    let planes = samples * g.n[2];
    if planes == 0 || size == 0 {
        return;
    }
    let (rows, pieces) = (g.rows(), g.n[1].div_ceil(g.rows()));
    let units = planes * pieces;
    let length = units.div_ceil(GROUPS);
    partial.clear();
    partial.resize(units.div_ceil(length) * size, T::of(0.0));
    let sample = g.cells();
    let unit = |u: usize, out: &mut [T]| {
        let (p, first) = (u / pieces, u % pieces * rows);
        let (s, z) = (p / g.n[2], p % g.n[2]);
        let x = &x[s * sample * g.inputs..][..sample * g.inputs];
        let v = &v[s * sample * g.outputs..][..sample * g.outputs];
        T::fused(Gram { g, x, v, z, rows: first..(first + rows).min(g.n[1]), out });
    };
    partial.par_chunks_mut(size).enumerate().for_each(|(i, out)| {
        (i * length..units.min((i + 1) * length)).for_each(|u| unit(u, out));
    });
    for partial in partial.chunks(size) {
        w.iter_mut().zip(partial).for_each(|(w, &p)| *w += p);
    }
}

/// The part of `range` that stays inside `0..n` when it is moved by `tap` − 1.
#[inline(always)]
fn inside(range: &Range<usize>, tap: usize, n: usize) -> Range<usize> {
    let low = if tap == 0 { range.start.max(1) } else { range.start };
    let high = if tap == 2 { range.end.min(n - 1) } else { range.end };
    low..high.max(low)
}

#[cfg(test)]
mod tests;
