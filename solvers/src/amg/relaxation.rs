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
use super::sparse::Entries;
use crate::host::buffer::untouched;
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

/// What [`arrange`] finds in a row.
#[derive(Default)]
struct Arranged {
    /// Couplings to rows before in the block.
    before: usize,
    diagonal: f64,
    /// Σ |couplings to other blocks|.
    outside: f64,
    /// Σ of all entries squared.
    square: f64,
}

/// Writes the couplings of row `i`, those to rows before it in its block `own` first, others moved to the second copy.
fn arrange<T: Scalar>(
    (c, v): (&[u32], &[f64]),
    i: usize,
    own: &Range<usize>,
    n: u32,
    columns: &mut [u32],
    values: &mut [T],
) -> Arranged {
    let mut row = Arranged::default();
    let is_before = |c: usize| own.start <= c && c < i;
    for (&c, &v) in c.iter().zip(v).filter(|(c, _)| is_before(**c as usize)) {
        columns[row.before] = c;
        values[row.before] = T::of(v);
        row.before += 1;
    }
    let mut at = row.before;
    for (&c, &v) in c.iter().zip(v) {
        row.square += v * v;
        if c as usize == i {
            row.diagonal += v;
        } else if !is_before(c as usize) {
            let inside = own.contains(&(c as usize));
            columns[at] = if inside { c } else { c + n };
            values[at] = T::of(v);
            row.outside += if inside { 0.0 } else { v.abs() };
            at += 1;
        }
    }
    row
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
        let own =
            |i: usize, block: &Range<usize>| if smoother.is_sequential() { block.clone() } else { i..i + 1 };
        let mut offsets = untouched::<u32>(n + 1);
        let counts = &mut offsets[1..];
        counts.par_iter_mut().enumerate().with_min_len(ROWS).for_each(|(i, count)| {
            *count = a.row(i).0.iter().filter(|c| **c as usize != i).count() as u32;
        });
        (0..n).for_each(|i| offsets[i + 1] += offsets[i]);
        let total = offsets[n] as usize;
        let (mut middles, mut columns) = (untouched::<u32>(n), untouched::<u32>(total));
        let (mut values, mut inverse, mut excess) =
            (untouched::<T>(total), untouched::<T>(n), untouched::<T>(n));
        let (m, c, v) = (Shared::new(&mut middles), Shared::new(&mut columns), Shared::new(&mut values));
        let (w, e) = (Shared::new(&mut inverse), Shared::new(&mut excess));
        blocks.par_iter().for_each(|block| {
            for i in block.clone() {
                let (first, count) = (offsets[i] as usize, (offsets[i + 1] - offsets[i]) as usize);
                // SAFETY: rows have places of their own.
                let (columns, values) = unsafe { (c.get_mut(first, count), v.get_mut(first, count)) };
                let row = arrange(a.row(i), i, &own(i, block), n as u32, columns, values);
                let whole = match smoother {
                    Smoother::GaussSeidel | Smoother::L1Jacobi => {
                        row.diagonal + 0.5 * row.outside.copysign(row.diagonal)
                    }
                    Smoother::Spai0 => row.square / row.diagonal,
                    Smoother::Chebyshev { .. } => row.diagonal,
                };
                // SAFETY: as above.
                unsafe {
                    m.get_mut(i, 1)[0] = (first + row.before) as u32;
                    if row.diagonal != 0.0 {
                        w.get_mut(i, 1)[0] = T::of(1.0 / whole);
                        e.get_mut(i, 1)[0] = T::of(whole - row.diagonal);
                    }
                }
            }
        });
        Ok(Self { blocks, offsets, middles, columns, values, inverse, excess })
    }

    pub fn rows(&self) -> usize {
        self.inverse.len()
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        4 * (self.offsets.len() + self.middles.len() + self.columns.len())
            + size_of::<T>() * (self.values.len() + 2 * self.inverse.len())
    }

    /// Σ of the entries from `start` to `end` times the vector they point into.
    ///
    /// # Safety
    /// They are entries of the matrix, and no thread writes to what they point to.
    #[inline(always)]
    unsafe fn sum(&self, start: u32, end: u32, xx: Shared<T>) -> T {
        let mut sum = T::of(0.0);
        for e in start as usize..end as usize {
            // SAFETY: the caller's, and columns are less than 2n.
            unsafe {
                let c = *self.columns.get_unchecked(e) as usize;
                sum += *self.values.get_unchecked(e) * xx.get(c, 1)[0];
            }
        }
        sum
    }

    /// Where row `i` starts, its couplings before it in its block end, and it ends.
    ///
    /// # Safety
    /// `i` is a row.
    #[inline(always)]
    unsafe fn bounds(&self, i: usize) -> (u32, u32, u32) {
        debug_assert!(i < self.middles.len());
        // SAFETY: the caller's; there is one offset more than rows.
        unsafe {
            let (start, end) = (*self.offsets.get_unchecked(i), *self.offsets.get_unchecked(i + 1));
            (start, *self.middles.get_unchecked(i), end)
        }
    }

    /// x ← (D̃ + L)⁻¹ f on the rows of a block, both copies of x.
    ///
    /// # Safety
    /// No other thread works on this block; f has an entry for every row.
    pub unsafe fn sweep_from_zero(&self, block: usize, f: &[T], xx: Shared<T>) {
        let n = self.rows();
        debug_assert_eq!(f.len(), n);
        let mut last = T::of(0.0);
        for i in self.blocks[block].clone() {
            // SAFETY: the couplings before the middle point to rows before in this block.
            unsafe {
                let (start, middle, _) = self.bounds(i);
                let inverse = *self.inverse.get_unchecked(i);
                // The row before, when it comes last, is taken from a register: the rows wait for each other less.
                let near =
                    middle > start && *self.columns.get_unchecked(middle as usize - 1) as usize + 1 == i;
                let sum = self.sum(start, middle - u32::from(near), xx);
                let mut x = (*f.get_unchecked(i) - sum) * inverse;
                if near {
                    x -= *self.values.get_unchecked(middle as usize - 1) * inverse * last;
                }
                last = x;
                xx.get_mut(i, 1)[0] = x;
                xx.get_mut(n + i, 1)[0] = x;
            }
        }
    }

    /// The residual of row `i` after [`sweep_from_zero`](Self::sweep_from_zero).
    ///
    /// # Safety
    /// `i` is a row, and no thread writes to x.
    #[inline(always)]
    pub unsafe fn residual_after(&self, i: usize, xx: Shared<T>) -> T {
        // SAFETY: the caller's.
        unsafe {
            let (_, middle, end) = self.bounds(i);
            *self.excess.get_unchecked(i) * xx.get(i, 1)[0] - self.sum(middle, end, xx)
        }
    }

    /// The residual f − Ax of row `i` for any x, both copies of which agree.
    ///
    /// # Safety
    /// `i` is a row, and no thread writes to x.
    #[inline(always)]
    pub unsafe fn residual(&self, i: usize, f: T, xx: Shared<T>) -> T {
        // SAFETY: the caller's.
        unsafe {
            let (start, _, end) = self.bounds(i);
            f - self.sum(start, end, xx) - self.diagonal(i) * xx.get(i, 1)[0]
        }
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

    /// The matrix, row by row.
    #[cfg(feature = "cuda")]
    pub fn to_csr(&self) -> Result<crate::Csr<T>> {
        let n = self.rows();
        let entries = (0..n).flat_map(|i| {
            let row = self.offsets[i] as usize..self.offsets[i + 1] as usize;
            let couplings = row.map(move |e| (i as u32, self.columns[e] % n as u32, self.values[e]));
            couplings.chain([(i as u32, i as u32, self.diagonal(i))])
        });
        crate::Csr::from_triplets(n, n, &entries.collect::<Vec<_>>())
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
    /// No other thread works on this block, and none writes to the second copy; f has an entry for every row.
    pub unsafe fn sweep(&self, block: usize, direction: Direction, f: &[T], xx: Shared<T>) {
        debug_assert_eq!(f.len(), self.rows());
        // What row `i` becomes: (f − Σ + (D̃ − D) x) / D̃.
        let relax = |i: usize, sum: T| unsafe {
            // SAFETY: the caller's; `i` is a row of the block.
            let rest = *f.get_unchecked(i) - sum + *self.excess.get_unchecked(i) * xx.get(i, 1)[0];
            rest * *self.inverse.get_unchecked(i)
        };
        let rows = self.blocks[block].clone();
        let (mut last, stop) = (T::of(0.0), rows.end);
        // The row that was relaxed just before, at the middle of a row's entries if it is there, is taken from a register:
        // the rows wait for each other less.
        match direction {
            // SAFETY: couplings inside the block point to the first copy, others to the second.
            Direction::Forward => rows.for_each(|i| unsafe {
                let (start, middle, end) = self.bounds(i);
                let near =
                    middle > start && *self.columns.get_unchecked(middle as usize - 1) as usize + 1 == i;
                let before = middle - u32::from(near);
                let sum = self.sum(start, before, xx) + self.sum(middle, end, xx);
                let mut x = relax(i, sum);
                if near {
                    x -= *self.values.get_unchecked(before as usize) * *self.inverse.get_unchecked(i) * last;
                }
                (last, xx.get_mut(i, 1)[0]) = (x, x);
            }),
            // SAFETY: as above.
            Direction::Backward => rows.rev().for_each(|i| unsafe {
                let (start, middle, end) = self.bounds(i);
                // Of the last row of all, i + 1 would be row 0 in the second copy.
                let near = i + 1 < stop
                    && middle < end
                    && *self.columns.get_unchecked(middle as usize) as usize == i + 1;
                let sum = self.sum(start, middle, xx) + self.sum(middle + u32::from(near), end, xx);
                let mut x = relax(i, sum);
                if near {
                    x -= *self.values.get_unchecked(middle as usize) * *self.inverse.get_unchecked(i) * last;
                }
                (last, xx.get_mut(i, 1)[0]) = (x, x);
            }),
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
