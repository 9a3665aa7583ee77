//! Sparse rows as a hierarchy keeps them: 32-bit bounds, columns in any order.

use crate::host::buffer::untouched;
use crate::{Csr, Error, Result, Scalar};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Rows that one piece of parallel work takes. Results do not depend on it.
pub(super) const GRAIN: usize = 4096;

/// The rows of a square matrix in f64: the caller's, or one of the hierarchy's.
pub(super) trait Entries: Sync {
    fn rows(&self) -> usize;
    /// Columns and values of a row.
    fn row(&self, row: usize) -> (&[u32], &[f64]);
    fn nonzeros(&self) -> usize;
    /// Asks for a row ahead of its use.
    fn prefetch(&self, row: usize);
    /// The diagonal, 0 where none is stored.
    fn diagonal(&self) -> Vec<f64> {
        (0..self.rows())
            .into_par_iter()
            .map(|i| {
                let (c, v) = self.row(i);
                c.iter().position(|&c| c as usize == i).map_or(0.0, |e| v[e])
            })
            .collect()
    }
}

impl Entries for Csr<f64> {
    fn rows(&self) -> usize {
        Csr::rows(self)
    }
    #[inline(always)]
    fn row(&self, row: usize) -> (&[u32], &[f64]) {
        Csr::row(self, row)
    }
    fn nonzeros(&self) -> usize {
        Csr::nonzeros(self)
    }
    #[inline(always)]
    fn prefetch(&self, row: usize) {
        let (c, v) = Csr::row(self, row);
        prefetch(c);
        prefetch(v);
    }
}

/// A sparse matrix by rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sparse<T> {
    pub cols: usize,
    pub offsets: Vec<u32>,
    pub columns: Vec<u32>,
    pub values: Vec<T>,
}

impl Entries for Sparse<f64> {
    fn rows(&self) -> usize {
        self.offsets.len() - 1
    }
    #[inline(always)]
    fn row(&self, row: usize) -> (&[u32], &[f64]) {
        Sparse::row(self, row)
    }
    fn nonzeros(&self) -> usize {
        self.columns.len()
    }
    #[inline(always)]
    fn prefetch(&self, row: usize) {
        Sparse::prefetch(self, row);
    }
}

/// Asks for the first and the last line of what will be read soon.
#[inline(always)]
pub(super) fn prefetch<T>(v: &[T]) {
    #[cfg(target_arch = "x86_64")]
    if let (Some(first), Some(last)) = (v.first(), v.last()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint reads nothing.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(first).cast());
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(last).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = v;
}

/// Workspaces that pieces of parallel work borrow, one for each that runs at the same time.
pub(super) struct Pool<W>(Mutex<Vec<W>>);

impl<W: Default> Pool<W> {
    pub fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }
    pub fn with<R>(&self, f: impl FnOnce(&mut W) -> R) -> R {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut work = taken.unwrap_or_default();
        let result = f(&mut work);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(work);
        result
    }
}

impl<T: Copy + Default + Send + Sync> Sparse<T> {
    #[inline(always)]
    pub fn row(&self, row: usize) -> (&[u32], &[T]) {
        let range = self.offsets[row] as usize..self.offsets[row + 1] as usize;
        debug_assert!(range.start <= range.end && range.end <= self.columns.len());
        // SAFETY: offsets ascend to the number of entries.
        unsafe { (self.columns.get_unchecked(range.clone()), self.values.get_unchecked(range)) }
    }

    /// Asks for a row ahead of its use.
    #[inline(always)]
    pub fn prefetch(&self, row: usize) {
        let (c, v) = self.row(row);
        prefetch(c);
        prefetch(v);
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        4 * (self.offsets.len() + self.columns.len()) + size_of_val(&self.values[..])
    }

    /// `fill` appends the entries of one row.
    ///
    /// # Errors
    /// [`Error::Structure`] when there are more entries than 32 bits count.
    pub fn build<W: Default + Send>(
        rows: usize,
        cols: usize,
        fill: impl Fn(&mut W, usize, &mut Vec<u32>, &mut Vec<T>) + Sync,
    ) -> Result<Self> {
        struct Piece<T> {
            ends: Vec<u32>,
            columns: Vec<u32>,
            values: Vec<T>,
        }
        let pool = Pool::<W>::new();
        let pieces: Vec<Piece<T>> = (0..rows.div_ceil(GRAIN))
            .into_par_iter()
            .map(|p| {
                pool.with(|work| {
                    let range = p * GRAIN..((p + 1) * GRAIN).min(rows);
                    let mut piece = Piece {
                        ends: Vec::with_capacity(range.len()),
                        columns: Vec::new(),
                        values: Vec::new(),
                    };
                    for row in range {
                        fill(work, row, &mut piece.columns, &mut piece.values);
                        piece.ends.push(piece.columns.len() as u32);
                    }
                    piece
                })
            })
            .collect();
        let total: usize = pieces.iter().map(|p| p.columns.len()).sum();
        if total > u32::MAX as usize {
            let why = "more entries than a 32-bit index counts on a level of the hierarchy";
            return Err(Error::Structure { row: 0, why });
        }
        let mut offsets = untouched::<u32>(rows + 1);
        let (mut columns, mut values) = (untouched::<u32>(total), untouched::<T>(total));
        let mut jobs = Vec::with_capacity(pieces.len());
        let (mut o, mut c, mut v, mut base) = (&mut offsets[1..], &mut columns[..], &mut values[..], 0u32);
        for piece in &pieces {
            let (o0, o1) = o.split_at_mut(piece.ends.len());
            let (c0, c1) = c.split_at_mut(piece.columns.len());
            let (v0, v1) = v.split_at_mut(piece.values.len());
            jobs.push((piece, base, o0, c0, v0));
            base += piece.columns.len() as u32;
            (o, c, v) = (o1, c1, v1);
        }
        jobs.into_par_iter().for_each(|(piece, base, o, c, v)| {
            o.iter_mut().zip(&piece.ends).for_each(|(o, end)| *o = base + end);
            c.copy_from_slice(&piece.columns);
            v.copy_from_slice(&piece.values);
        });
        Ok(Self { cols, offsets, columns, values })
    }

    /// The transpose, with columns ascending in every row.
    pub fn transpose(&self) -> Self {
        let (rows, total) = (self.offsets.len() - 1, self.columns.len());
        let parts = rayon::current_num_threads().min(16).min(rows.div_ceil(GRAIN)).max(1);
        let first = |p: usize| rows * p / parts;
        let mut counts: Vec<Vec<u32>> = (0..parts)
            .into_par_iter()
            .map(|p| {
                let mut count = vec![0u32; self.cols];
                let range = self.offsets[first(p)] as usize..self.offsets[first(p + 1)] as usize;
                self.columns[range].iter().for_each(|&c| count[c as usize] += 1);
                count
            })
            .collect();
        let mut offsets = vec![0u32; self.cols + 1];
        let mut at = 0u32;
        for c in 0..self.cols {
            for count in &mut counts {
                (count[c], at) = (at, at + count[c]);
            }
            offsets[c + 1] = at;
        }
        let (mut columns, mut values) = (untouched::<u32>(total), untouched::<T>(total));
        let (shared_c, shared_v) =
            (crate::stencil::rows::Shared::new(&mut columns), crate::stencil::rows::Shared::new(&mut values));
        counts.into_par_iter().enumerate().for_each(|(p, mut place)| {
            for row in first(p)..first(p + 1) {
                let (c, v) = self.row(row);
                for (&c, &v) in c.iter().zip(v) {
                    let at = &mut place[c as usize];
                    // SAFETY: the counts give every entry of every part a place of its own.
                    unsafe {
                        shared_c.get_mut(*at as usize, 1)[0] = row as u32;
                        shared_v.get_mut(*at as usize, 1)[0] = v;
                    }
                    *at += 1;
                }
            }
        });
        Self { cols: rows, offsets, columns, values }
    }
}

impl<T: Scalar> Sparse<T> {
    /// Σ of a row's values times `x`.
    ///
    /// # Safety
    /// `x` has as many entries as there are columns.
    #[inline(always)]
    pub unsafe fn times(&self, row: usize, x: &[T]) -> T {
        let (c, v) = self.row(row);
        // SAFETY: the caller's.
        c.iter().zip(v).fold(T::of(0.0), |sum, (&c, &v)| sum + v * unsafe { *x.get_unchecked(c as usize) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transpose_is_one_for_any_number_of_threads() {
        let rows = 3 * GRAIN + 17;
        let a = Sparse::<f64>::build(rows, 501, |_: &mut (), i, c, v| {
            for k in 0..i % 5 {
                c.push(((i * 31 + k * 97) % 501) as u32);
                v.push((i + k) as f64);
            }
        })
        .unwrap();
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| a.transpose());
        let four = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap().install(|| a.transpose());
        assert_eq!(one, four);
        let mut entries = 0;
        for c in 0..501 {
            let (r, v) = one.row(c);
            assert!(r.windows(2).all(|w| w[0] <= w[1]));
            for (&r, &v) in r.iter().zip(v) {
                let (columns, values) = a.row(r as usize);
                assert!(columns.iter().zip(values).any(|(&d, &w)| d as usize == c && w == v));
                entries += 1;
            }
        }
        assert_eq!(entries, a.columns.len());
    }
}
