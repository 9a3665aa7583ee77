//! The matrix of a level, laid out for the sweeps of its smoother.
//!
//! Rows are cut into blocks whose bounds depend on their number alone; threads take blocks. Within a block a
//! Gauss–Seidel sweep uses the newest values, from other blocks the values before the sweep, and half of the couplings to
//! other blocks is added to the diagonal: D̃ = D + ½ Σ|off|. With L the couplings to rows before in the block,
//! (D̃ + L) + (D̃ + L)ᵀ − A is positive definite, so a sweep contracts for every symmetric positive definite matrix, and a
//! forward sweep before and a backward one after the coarse correction make a symmetric cycle. Blocks of one row give the
//! Jacobi sweeps, where D̃ is what each prescribes.
//!
//! The vector of a level is kept twice, x and what x was before the sweep. Couplings to other blocks point into the second
//! half, so a sweep reads one array and no thread reads what another writes. A row lists the couplings before it in its
//! block first: a first sweep from zero reads those alone, and the residual after it is (D̃ − D)x less the rest of the row,
//! so that both together read the matrix once.
//!
//! A. H. Baker, R. D. Falgout, T. V. Kolev, U. M. Yang, *Multigrid smoothers for ultraparallel computing*, SIAM J. Sci.
//! Comput. 33 (2011), 2864–2887, 10.1137/100798806. SPAI-0: O. Bröker, M. J. Grote, *Sparse approximate inverse smoothers
//! for geometric and algebraic multigrid*, Appl. Numer. Math. 41 (2002), 61–80, 10.1016/S0168-9274(01)00110-6.

use super::Smoother;
use super::sparse::{Entries, Sparse};
use crate::stencil::rows::Shared;
use crate::{Error, Result, Scalar};
use rayon::prelude::*;
use std::ops::Range;

/// Blocks of a level, at most, and rows of a block, at least.
const BLOCKS: usize = 32;
const ROWS: usize = 1024;

/// The rows of each block.
pub(super) fn blocks(n: usize) -> Vec<Range<usize>> {
    let count = (n / ROWS).clamp(1, BLOCKS);
    (0..count).map(|b| n * b / count..n * (b + 1) / count).collect()
}

/// Which way a sweep goes through the rows of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// The matrix of a level: couplings without the diagonal.
pub(super) struct Relaxation<T> {
    pub blocks: Vec<Range<usize>>,
    offsets: Vec<u32>,
    /// The end of the couplings before a row in its block.
    middles: Vec<u32>,
    /// Those to other blocks count from n.
    columns: Vec<u32>,
    values: Vec<T>,
    /// 1 / D̃.
    inverse: Vec<T>,
    /// D̃ − D.
    excess: Vec<T>,
}

impl<T: Scalar> Relaxation<T> {
    /// # Errors
    /// [`Error::Structure`] when there are more rows or entries than 32 bits count.
    pub fn new(a: &impl Entries, smoother: Smoother) -> Result<Self> {
        let n = a.rows();
        if n > (u32::MAX / 2) as usize || a.nonzeros() > u32::MAX as usize {
            let why = "more rows or entries than a 32-bit index counts on a level of the hierarchy";
            return Err(Error::Structure { row: 0, why });
        }
        let blocks = blocks(n);
        let sequential = smoother.is_sequential();
        let block_of = |i: usize| {
            if !sequential {
                return i..i + 1;
            }
            // The guess is right or one off.
            let mut b = (i * blocks.len() / n).min(blocks.len() - 1);
            while i < blocks[b].start {
                b -= 1;
            }
            while i >= blocks[b].end {
                b += 1;
            }
            blocks[b].clone()
        };
        let spread = n as u32;
        let Sparse { offsets, columns, values, .. } =
            Sparse::<T>::build(n, 2 * n, |_: &mut (), i, columns, values| {
                let own = block_of(i);
                let (c, v) = a.row(i);
                let before = |c: usize| own.start <= c && c < i;
                for part in [true, false] {
                    for (&c, &v) in c.iter().zip(v) {
                        if c as usize != i && before(c as usize) == part {
                            columns.push(if own.contains(&(c as usize)) { c } else { c + spread });
                            values.push(T::of(v));
                        }
                    }
                }
            })?;
        let rows: Vec<(u32, T, T)> = (0..n)
            .into_par_iter()
            .with_min_len(ROWS)
            .map(|i| {
                let range = offsets[i] as usize..offsets[i + 1] as usize;
                let before = columns[range.clone()].iter().take_while(|&&c| (c as usize) < i).count();
                let own = block_of(i);
                let (c, v) = a.row(i);
                let (mut d, mut outside, mut square) = (0.0, 0.0, 0.0);
                for (&c, &v) in c.iter().zip(v) {
                    square += v * v;
                    if c as usize == i {
                        d += v;
                    } else if !own.contains(&(c as usize)) {
                        outside += f64::abs(v);
                    }
                }
                let whole = match smoother {
                    Smoother::GaussSeidel | Smoother::L1Jacobi => d + 0.5 * outside.copysign(d),
                    Smoother::Spai0 => square / d,
                    Smoother::Chebyshev { .. } => d,
                };
                let inverse = if d == 0.0 { 0.0 } else { 1.0 / whole };
                let excess = if d == 0.0 { 0.0 } else { whole - d };
                (range.start as u32 + before as u32, T::of(inverse), T::of(excess))
            })
            .collect();
        let middles = rows.par_iter().map(|r| r.0).collect();
        let inverse = rows.par_iter().map(|r| r.1).collect();
        let excess = rows.par_iter().map(|r| r.2).collect();
        Ok(Self { blocks, offsets, middles, columns, values, inverse, excess })
    }

    pub fn rows(&self) -> usize {
        self.inverse.len()
    }

    /// Entries of the matrix, the diagonal included.
    pub fn nonzeros(&self) -> usize {
        self.columns.len() + self.rows()
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        4 * (self.offsets.len() + self.middles.len() + self.columns.len())
            + size_of::<T>() * (self.values.len() + 2 * self.inverse.len())
    }

    /// Σ of the entries `range` times the vector they point into.
    ///
    /// # Safety
    /// No thread writes to what this row reads.
    #[inline(always)]
    unsafe fn sum(&self, range: Range<u32>, xx: Shared<T>) -> T {
        let mut sum = T::of(0.0);
        for e in range.start as usize..range.end as usize {
            // SAFETY: offsets end at the number of entries, and columns are less than 2n.
            unsafe {
                let c = *self.columns.get_unchecked(e) as usize;
                sum += *self.values.get_unchecked(e) * xx.get(c, 1)[0];
            }
        }
        sum
    }

    /// x ← (D̃ + L)⁻¹ f on the rows of a block, both copies of x.
    ///
    /// # Safety
    /// No other thread works on this block.
    pub unsafe fn sweep_from_zero(&self, block: usize, f: &[T], xx: Shared<T>) {
        let n = self.rows();
        for i in self.blocks[block].clone() {
            // SAFETY: the couplings before the middle point to rows before in this block.
            unsafe {
                let x = (f[i] - self.sum(self.offsets[i]..self.middles[i], xx)) * self.inverse[i];
                xx.get_mut(i, 1)[0] = x;
                xx.get_mut(n + i, 1)[0] = x;
            }
        }
    }

    /// The residual of row `i` after [`sweep_from_zero`](Self::sweep_from_zero).
    ///
    /// # Safety
    /// No thread writes to x.
    #[inline(always)]
    pub unsafe fn residual_after(&self, i: usize, xx: Shared<T>) -> T {
        // SAFETY: the caller's.
        unsafe { self.excess[i] * xx.get(i, 1)[0] - self.sum(self.middles[i]..self.offsets[i + 1], xx) }
    }

    /// The residual f − Ax of row `i` for any x, both copies of which agree.
    ///
    /// # Safety
    /// No thread writes to x.
    #[inline(always)]
    pub unsafe fn residual(&self, i: usize, f: T, xx: Shared<T>) -> T {
        // SAFETY: the caller's.
        unsafe { f - self.sum(self.offsets[i]..self.offsets[i + 1], xx) - self.diagonal(i) * xx.get(i, 1)[0] }
    }

    /// 1 / D̃ of row `i`.
    #[inline(always)]
    pub fn inverse(&self, i: usize) -> T {
        self.inverse[i]
    }

    /// The diagonal entry of row `i`.
    #[inline(always)]
    fn diagonal(&self, i: usize) -> T {
        let zero = T::of(0.0);
        if self.inverse[i] == zero { zero } else { T::of(1.0) / self.inverse[i] - self.excess[i] }
    }

    /// The largest sum of the absolute entries of a row over its diagonal: no eigenvalue of D⁻¹A is larger.
    pub fn row_bound(&self) -> f64 {
        let of = |i: usize| {
            let row = &self.values[self.offsets[i] as usize..self.offsets[i + 1] as usize];
            let d = self.diagonal(i).f64().abs();
            if d > 0.0 { 1.0 + row.iter().map(|v| v.f64().abs()).sum::<f64>() / d } else { 1.0 }
        };
        (0..self.rows()).into_par_iter().with_min_len(ROWS).map(of).reduce(|| 1.0, f64::max)
    }

    /// A sweep on the rows of a block, of the first copy of x; the second holds x before it.
    ///
    /// # Safety
    /// No other thread works on this block, and none writes to the second copy.
    pub unsafe fn sweep(&self, block: usize, direction: Direction, f: &[T], xx: Shared<T>) {
        let row = |i: usize| {
            // SAFETY: couplings inside the block point to the first copy, others to the second.
            unsafe {
                let sum = self.sum(self.offsets[i]..self.offsets[i + 1], xx);
                let x = &mut xx.get_mut(i, 1)[0];
                *x = (f[i] - sum + self.excess[i] * *x) * self.inverse[i];
            }
        };
        match direction {
            Direction::Forward => self.blocks[block].clone().for_each(row),
            Direction::Backward => self.blocks[block].clone().rev().for_each(row),
        }
    }

    /// Runs `f` on every block, on all threads.
    pub fn each_block(&self, f: impl Fn(usize) + Sync + Send) {
        if self.blocks.len() == 1 {
            f(0);
        } else {
            (0..self.blocks.len()).into_par_iter().for_each(f);
        }
    }

    /// A sweep on all blocks, and the second copy of x made the first.
    pub fn sweep_all(&self, direction: Direction, f: &[T], xx: Shared<T>) {
        // SAFETY: one thread works on a block at a time, and the second copy is written when all have done.
        self.each_block(|b| unsafe { self.sweep(b, direction, f, xx) });
        self.refresh(xx);
    }

    /// Makes the second copy of x the first.
    pub fn refresh(&self, xx: Shared<T>) {
        let n = self.rows();
        self.each_block(|b| {
            let rows = &self.blocks[b];
            // SAFETY: one thread works on a block at a time.
            unsafe { xx.get_mut(n + rows.start, rows.len()).copy_from_slice(xx.get(rows.start, rows.len())) };
        });
    }
}
