//! Interpolation from coarse cells to fine ones.
//!
//! A fine cell takes from its own coarse cell and from the three coarse cells nearest to it, one along each coarsened
//! dimension: e = α (x_own + Σ β_d (x_d − x_own)). In the interior of a uniform grid every β is ¼, which is exact for
//! linear functions (the simplex interpolation of D. Y. Kwak, SIAM J. Sci. Comput. 21 (1999), 552–564,
//! 10.1137/S1064827597327310); β is 0 across a closed face, and α < 1 beside a prescribed value.

use crate::Scalar;
use crate::stencil::rows::Extent;

/// The weights of one row of fine cells.
pub(crate) trait WeightRow<T: Scalar>: Copy {
    /// `[β_x, β_y, β_z, α]` of cell `i`.
    ///
    /// # Safety
    /// `i` is less than the row's length: it is not checked.
    unsafe fn at(self, i: usize) -> [T; 4];
}

/// The weights of a level, row by row.
pub(crate) trait Weights<T: Scalar>: Sync {
    type Row<'a>: WeightRow<T>
    where
        Self: 'a;
    fn row(&self, j: usize, k: usize) -> Self::Row<'_>;
}

/// Weights of a uniform grid: a product of functions of one coordinate.
#[derive(Clone, Debug)]
pub(crate) struct Separable<T> {
    /// `β` and `α` for each coordinate along each dimension.
    pub beta: [Vec<T>; 3],
    pub alpha: [Vec<T>; 3],
}

impl<T: Scalar> Separable<T> {
    /// For inner conductances `c` and end conductances `ends` of a box whose coarsened dimensions are even.
    pub fn new(extent: Extent, coarsen: [bool; 3], c: [f64; 3], ends: [[f64; 2]; 3]) -> Self {
        let mut beta = [const { Vec::new() }; 3];
        let mut alpha = [const { Vec::new() }; 3];
        for a in 0..3 {
            let n = extent.n[a];
            beta[a] = vec![T::of(0.0); n];
            alpha[a] = vec![T::of(1.0); n];
            if !coarsen[a] {
                continue;
            }
            // A ring of two cells has one coarse cell, which has no neighbour.
            if n > 2 {
                beta[a].fill(T::of(0.25));
            }
            if !extent.periodic[a] {
                for (end, i) in [0, n - 1].into_iter().enumerate() {
                    beta[a][i] = T::of(0.0);
                    if ends[a][end] > 0.0 {
                        // Half a cell's resistance against that of the way to the prescribed value.
                        let half = 0.5 / c[a];
                        alpha[a][i] = T::of(1.0 - half / (half + 1.0 / ends[a][end]));
                    }
                }
            }
        }
        Self { beta, alpha }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct SeparableRow<'a, T> {
    beta: &'a [T],
    alpha: &'a [T],
    across: [T; 3],
}

impl<T: Scalar> WeightRow<T> for SeparableRow<'_, T> {
    #[inline(always)]
    unsafe fn at(self, i: usize) -> [T; 4] {
        let [y, z, a] = self.across;
        // SAFETY: i < nx, the length of both.
        unsafe { [*self.beta.get_unchecked(i), y, z, a * *self.alpha.get_unchecked(i)] }
    }
}

impl<T: Scalar> Weights<T> for Separable<T> {
    type Row<'a> = SeparableRow<'a, T>;
    #[inline(always)]
    fn row(&self, j: usize, k: usize) -> SeparableRow<'_, T> {
        SeparableRow {
            beta: &self.beta[0],
            alpha: &self.alpha[0],
            across: [self.beta[1][j], self.beta[2][k], self.alpha[1][j] * self.alpha[2][k]],
        }
    }
}

/// What a byte of 252 stands for: 252 is divisible by 2, 3 and 4, so the common weights are exact.
const ONE: f64 = 252.0;

/// Weights of any grid, a byte each.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    pub nx: usize,
    pub ny: usize,
    /// `[β_x, β_y, β_z, α]` of each cell.
    pub bytes: Vec<[u8; 4]>,
}

impl Packed {
    pub fn pack(weights: [f64; 4]) -> [u8; 4] {
        weights.map(|w| (w * ONE).round() as u8)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct PackedRow<'a>(&'a [[u8; 4]]);

impl<T: Scalar> WeightRow<T> for PackedRow<'_> {
    #[inline(always)]
    unsafe fn at(self, i: usize) -> [T; 4] {
        // SAFETY: i < nx.
        let b = u32::from_le_bytes(unsafe { *self.0.get_unchecked(i) });
        let part = |shift: u32| T::of(f64::from(((b >> shift) & 255) as i32)) * T::of(1.0 / ONE);
        [part(0), part(8), part(16), part(24)]
    }
}

impl<T: Scalar> Weights<T> for Packed {
    type Row<'a> = PackedRow<'a>;
    #[inline(always)]
    fn row(&self, j: usize, k: usize) -> PackedRow<'_> {
        PackedRow(&self.bytes[self.nx * (j + self.ny * k)..][..self.nx])
    }
}
