//! The gradient of a kernel: for each tap, some inputs times a block of outputs at a time, summed over cells.

use super::tile::block_of;
use super::{Geometry, inside};
use crate::Scalar;
use crate::host::fused::{FusedKernel, Register};
use std::ops::Range;

/// Some rows of a layer of a sample.
pub(super) struct Gram<'a, T> {
    pub g: Geometry,
    /// The whole sample.
    pub x: &'a [T],
    /// The gradient of the value, of the whole sample.
    pub v: &'a [T],
    pub z: usize,
    pub rows: Range<usize>,
    /// Packed; added to.
    pub out: &'a mut [T],
}

macro_rules! widths {
    ($self:ident, $v:ty, $r:ident, $at:expr, $left:expr, [$($p:literal)*]) => {
        $( if $p * $r <= <$v>::SUMS && $left >= $p {
            // SAFETY: so many inputs are left.
            unsafe { $self.sum::<$v, $r, $p>($at) };
            $p
        } else )* { unreachable!("one input fits any register file") }
    };
}

impl<T: Scalar> FusedKernel<T> for Gram<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Register<T>, const R: usize>(mut self) {
        let g = self.g;
        debug_assert_eq!(g.outputs % T::BLOCK, 0);
        for block in 0..g.outputs / T::BLOCK {
            for kz in 0..g.depth {
                let Some(z) = g.reach(self.z, kz) else { continue };
                for k in 0..9 {
                    let mut input = 0;
                    while input < g.inputs {
                        let at = (block, z, [k % 3, k / 3, kz], input);
                        input += widths!(self, V, R, at, g.inputs - input, [16 8 6 4 2 1]);
                    }
                }
            }
        }
    }
}

impl<T: Scalar> Gram<'_, T> {
    /// Inputs `input..input + P` of one tap over all rows.
    ///
    /// # Safety
    /// So many inputs are there.
    #[inline(always)]
    unsafe fn sum<V: Register<T>, const R: usize, const P: usize>(
        &mut self,
        (block, z, [kx, ky, kz], input): (usize, usize, [usize; 3], usize),
    ) {
        let g = self.g;
        let [nx, ny, _] = g.n;
        let mut sums = [[V::splat(T::of(0.0)); R]; P];
        let cells = inside(&(0..nx), kx, nx);
        for y in inside(&self.rows, ky, ny) {
            let from = ((z * ny + y + ky - 1) * nx + cells.start + kx - 1) * g.inputs + input;
            let to = ((self.z * ny + y) * nx + cells.start) * g.outputs + block * T::BLOCK;
            // SAFETY: `inside` keeps the rows and cells on the grid.
            unsafe {
                let (mut x, mut v) = (self.x.as_ptr().add(from), self.v.as_ptr().add(to));
                for _ in cells.clone() {
                    let value = block_of::<T, V, R>(v);
                    for p in 0..P {
                        let x = V::splat(*x.add(p));
                        for r in 0..R {
                            sums[p][r] = value[r].mul_add(x, sums[p][r]);
                        }
                    }
                    (x, v) = (x.wrapping_add(g.inputs), v.wrapping_add(g.outputs));
                }
            }
        }
        let tap = (kz * 3 + ky) * 3 + kx;
        let start = ((block * g.taps() + tap) * g.inputs + input) * T::BLOCK;
        for (sums, out) in sums.iter().zip(self.out[start..].chunks_exact_mut(T::BLOCK)) {
            for (sum, out) in sums.iter().zip(out.chunks_exact_mut(V::LANES)) {
                // SAFETY: a register's numbers.
                unsafe { sum.add(V::load(out.as_ptr())).store(out.as_mut_ptr()) };
            }
        }
    }
}
