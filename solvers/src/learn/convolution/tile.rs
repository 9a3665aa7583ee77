//! The value: some cells of a row times a block of outputs at a time.

use super::{Finish, Geometry};
use crate::Scalar;
use crate::host::fused::{FusedKernel, Register};

/// Rows `first..` of layer `z` of a sample.
pub(super) struct Tile<'a, T> {
    pub g: Geometry,
    /// The whole sample.
    pub x: &'a [T],
    /// Packed.
    pub w: &'a [T],
    pub b: Option<&'a [T]>,
    pub finish: Finish,
    pub z: usize,
    pub first: usize,
    /// The rows.
    pub y: &'a mut [T],
}

/// Runs the loops for a number of cells that is known to the compiler.
macro_rules! widths {
    ($self:ident, $v:ty, $r:ident, $at:expr, $width:expr, [$($p:literal)*]) => {
        match $width {
            $( $p if $p * $r <= <$v>::SUMS => {
                // The usual number of channels is known to the compiler as well, and with it every address.
                if $self.g.inputs == 16 {
                    // SAFETY: the tile lies in the row.
                    unsafe { $self.column::<$v, $r, $p, 16>($at) }
                } else {
                    // SAFETY: as above.
                    unsafe { $self.column::<$v, $r, $p, 0>($at) }
                }
            } )*
            _ => debug_assert!(false, "a width that the loops know"),
        }
    };
}

/// The widths that the loops know, the largest first.
const WIDTHS: [usize; 14] = [24, 16, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1];

/// The next width for `rest` cells of a row, where up to `most` fit: the largest that leaves nothing, or enough for the
/// running sums of the next to hide the latency of each other.
fn width(rest: usize, most: usize) -> usize {
    let fitting = || WIDTHS.into_iter().filter(|w| *w <= rest.min(most));
    let even = fitting().find(|w| rest == *w || rest - w >= most.min(8) / 2);
    even.or_else(|| fitting().next()).unwrap_or(1)
}

impl<T: Scalar> FusedKernel<T> for Tile<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Register<T>, const R: usize>(mut self) {
        let nx = self.g.n[0];
        for block in 0..self.g.padded::<T>() / T::BLOCK {
            let mut at = 0;
            while at < nx {
                let width = width(nx - at, V::SUMS / R);
                widths!(self, V, R, (block, at), width, [1 2 3 4 5 6 7 8 9 10 11 12 16 24]);
                at += width;
            }
        }
    }
}

impl<T: Scalar> Tile<'_, T> {
    /// Cells `at..at + P` of every row, so that what a row shares with the next stays in the first-level cache.
    ///
    /// # Safety
    /// The cells lie in the row; `C` is the number of inputs, or 0.
    #[inline(always)]
    unsafe fn column<V: Register<T>, const R: usize, const P: usize, const C: usize>(
        &mut self,
        (block, at): (usize, usize),
    ) {
        let g = self.g;
        let [nx, ny, _] = g.n;
        let inputs = if C > 0 { C } else { g.inputs };
        let tap = inputs * T::BLOCK;
        let w = self.w[block * g.taps() * tap..].as_ptr();
        for row in 0..self.y.len() / (nx * g.outputs) {
            let y = self.first + row;
            // SAFETY: a bias is as long as the padded outputs.
            let mut sums = [self.b.map_or([V::splat(T::of(0.0)); R], |b| unsafe {
                block_of::<T, V, R>(b[block * T::BLOCK..].as_ptr())
            }); P];
            for kz in 0..g.depth {
                let Some(z) = g.reach(self.z, kz) else { continue };
                for ky in 0..3 {
                    let Some(y) = (y + ky).checked_sub(1).filter(|y| *y < ny) else { continue };
                    let start = (z * ny + y) * nx + at;
                    for kx in 0..3 {
                        // Before the first cell of all for the tap that is not read there.
                        let x =
                            self.x.as_ptr().wrapping_add(start * inputs + kx * inputs).wrapping_sub(inputs);
                        // SAFETY: the kernel has that many taps; of the cells the first and the last have no neighbour
                        // beyond the side.
                        unsafe {
                            let w = w.add(((kz * 3 + ky) * 3 + kx) * tap);
                            if kx == 0 && at == 0 {
                                add::<T, V, R, P>(x, inputs, w, &mut sums, 1, P);
                            } else if kx == 2 && at + P == nx {
                                add::<T, V, R, P>(x, inputs, w, &mut sums, 0, P - 1);
                            } else {
                                add::<T, V, R, P>(x, inputs, w, &mut sums, 0, P);
                            }
                        }
                    }
                }
            }
            for (p, sum) in sums.into_iter().enumerate() {
                let place = (row * nx + at + p) * g.outputs + block * T::BLOCK;
                // SAFETY: `place` is the first output of this block of a cell of the rows.
                unsafe { self.finish::<V, R>(sum, place, g.outputs - block * T::BLOCK) };
            }
        }
    }

    /// # Safety
    /// `place` is inside the rows, with `left` outputs of the cell from there on.
    #[inline(always)]
    unsafe fn finish<V: Register<T>, const R: usize>(&mut self, sum: [V; R], place: usize, left: usize) {
        let Finish { positive, add } = self.finish;
        let sum = if positive { sum.map(V::positive) } else { sum };
        if left >= T::BLOCK {
            let y = self.y[place..].as_mut_ptr();
            for (r, sum) in sum.into_iter().enumerate() {
                // SAFETY: a whole block is there.
                unsafe {
                    let y = y.add(r * V::LANES);
                    if add { sum.add(V::load(y)).store(y) } else { sum.store(y) }
                }
            }
        } else {
            let mut whole = [T::of(0.0); 16];
            for (r, sum) in sum.into_iter().enumerate() {
                // SAFETY: a block has at most 16 numbers.
                unsafe { sum.store(whole[r * V::LANES..].as_mut_ptr()) };
            }
            for (y, &sum) in self.y[place..place + left].iter_mut().zip(&whole) {
                *y = if add { *y + sum } else { sum };
            }
        }
    }
}

/// # Safety
/// A block is readable at `p`.
#[inline(always)]
pub(super) unsafe fn block_of<T: Scalar, V: Register<T>, const R: usize>(p: *const T) -> [V; R] {
    // SAFETY: the caller's promise.
    std::array::from_fn(|r| unsafe { V::load(p.add(r * V::LANES)) })
}

/// Adds one tap to the sums of cells `low..high`, which are literals where this is called.
///
/// # Safety
/// Cell p has `inputs` numbers at `x + p · inputs`, for each p in `low..high`; `inputs` blocks are readable at `w`.
#[inline(always)]
unsafe fn add<T: Scalar, V: Register<T>, const R: usize, const P: usize>(
    x: *const T,
    inputs: usize,
    w: *const T,
    sums: &mut [[V; R]; P],
    low: usize,
    high: usize,
) {
    for i in 0..inputs {
        // SAFETY: the caller's promise.
        unsafe {
            let w = block_of::<T, V, R>(w.add(i * T::BLOCK));
            for p in low..high {
                let v = V::splat(*x.wrapping_add(p * inputs + i));
                for r in 0..R {
                    sums[p][r] = w[r].mul_add(v, sums[p][r]);
                }
            }
        }
    }
}
