//! Sparse matrices in compressed rows.

#[cfg(feature = "cuda")]
pub(crate) mod device;
mod offsets;

pub use offsets::Offsets;

use crate::error::check_len;
use crate::host::buffer::settle;
use crate::host::simd::prefetch;
use crate::operator::check_apply;
use crate::{Error, Host, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape};
use offsets::{Offset, Width};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

const MANY_COLUMNS: &str = "more columns than a 32-bit index counts";

/// A sparse matrix in compressed rows, with 32-bit column indices and a product of our own on all threads.
///
/// Row bounds have 32 bits, or 64 when there are more entries than 32 bits count ([`Offsets`]). Columns have 32 bits, since
/// 2³² of them would need 32 GiB for a vector alone, and half the width is half the traffic of a product. Where a factor or
/// a level of a hierarchy counts its entries in 32 bits, more of them are an error that says so.
///
/// Large matrices are copied once into huge pages, which products then read faster.
/// Bytes of one product in f64: 12 an entry, and 4 + 8 + 8 a row for its bound, y and (if it stays in cache) x.
///
/// ```
/// use resolvent::{Csr, Host, Operator};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 2.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 2.0)])?;
/// let mut y = [0.0; 2];
/// a.apply(&Host::<f64>::new(), &[1.0, 1.0], &mut y)?;
/// assert_eq!(y, [1.0, 1.0]);
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Debug)]
pub struct Csr<T> {
    rows: usize,
    cols: usize,
    offsets: Offsets,
    columns: Vec<u32>,
    values: Vec<T>,
    properties: Properties,
    /// First rows of the pieces that threads take, of about equal numbers of entries, and their partial sums.
    pieces: Vec<usize>,
    scratch: Mutex<Vec<f64>>,
}

impl<T: Scalar> Clone for Csr<T> {
    fn clone(&self) -> Self {
        Self {
            offsets: self.offsets.clone(),
            columns: self.columns.clone(),
            values: self.values.clone(),
            pieces: self.pieces.clone(),
            scratch: Mutex::new(vec![0.0; self.pieces.len() - 1]),
            ..*self
        }
    }
}

impl<T: Scalar> PartialEq for Csr<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.rows, self.cols) == (other.rows, other.cols)
            && self.offsets == other.offsets
            && self.columns == other.columns
            && self.values == other.values
    }
}

impl<T: Scalar> Csr<T> {
    /// From row bounds `offsets: [rows + 1]` and for each entry its column and value; columns strictly ascend in a row.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Structure`] naming the first row at fault, [`Error::Value`] for an entry that is not
    /// finite.
    pub fn new(
        rows: usize,
        cols: usize,
        offsets: Vec<usize>,
        columns: Vec<u32>,
        values: Vec<T>,
    ) -> Result<Self> {
        check_len("offsets", rows + 1, offsets.len())?;
        check_len("values", columns.len(), values.len())?;
        if cols > u32::MAX as usize {
            return Err(Error::Structure { row: 0, why: MANY_COLUMNS });
        }
        if offsets[0] != 0 {
            return Err(Error::Structure { row: 0, why: "the first offset must be 0" });
        }
        if let Some(row) = offsets.windows(2).position(|w| w[1] < w[0]) {
            return Err(Error::Structure {
                row,
                why: "its offset is larger than the next one; offsets must not fall",
            });
        }
        if offsets[rows] != columns.len() {
            return Err(Error::Structure { row: rows, why: "the last offset must be the number of entries" });
        }
        let bad = (0..rows).into_par_iter().find_first(|&r| {
            let c = &columns[offsets[r]..offsets[r + 1]];
            c.last().is_some_and(|&c| c as usize >= cols) || c.windows(2).any(|w| w[0] >= w[1])
        });
        if let Some(row) = bad {
            return Err(Error::Structure {
                row,
                why: "its columns must strictly ascend and be less than the number of columns",
            });
        }
        if let Some(index) = values.par_iter().position_first(|v| !v.is_finite()) {
            let value = values[index].f64();
            return Err(Error::Value {
                what: "matrix values",
                index,
                value,
                needs: "every entry must be finite",
            });
        }
        Ok(Self::assemble(rows, cols, &offsets, columns, values))
    }

    fn assemble(rows: usize, cols: usize, offsets: &[usize], columns: Vec<u32>, values: Vec<T>) -> Self {
        const ENTRIES: usize = 32_768;
        let work = |r: usize| offsets[r] + 2 * r;
        let mut pieces = vec![0];
        let mut next = ENTRIES;
        for r in 1..rows {
            if work(r) >= next {
                pieces.push(r);
                next = work(r) + ENTRIES;
            }
        }
        pieces.push(rows);
        let scratch = Mutex::new(vec![0.0; pieces.len() - 1]);
        let (offsets, columns, values) = (Offsets::new(offsets), settle(columns), settle(values));
        Self { rows, cols, offsets, columns, values, properties: Properties::NONE, pieces, scratch }
    }

    /// From entries (row, column, value) in any order; values at the same place are added.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_triplets(rows: usize, cols: usize, entries: &[(u32, u32, T)]) -> Result<Self> {
        let mut counts = vec![0usize; rows + 1];
        for &(r, _, _) in entries {
            if r as usize >= rows {
                return Err(Error::Structure { row: r as usize, why: "an entry lies below the last row" });
            }
            counts[r as usize + 1] += 1;
        }
        for r in 0..rows {
            counts[r + 1] += counts[r];
        }
        let mut place = counts.clone();
        let mut sorted = vec![(0u32, T::of(0.0)); entries.len()];
        for &(r, c, v) in entries {
            sorted[place[r as usize]] = (c, v);
            place[r as usize] += 1;
        }
        let (mut offsets, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
        for r in 0..rows {
            let row = &mut sorted[counts[r]..counts[r + 1]];
            row.sort_by_key(|e| e.0);
            for &(c, v) in row.iter() {
                if columns.len() > offsets[r] && columns.last() == Some(&c) {
                    *values.last_mut().expect("as long as columns") += v;
                } else {
                    columns.push(c);
                    values.push(v);
                }
            }
            offsets.push(columns.len());
        }
        Self::new(rows, cols, offsets, columns, values)
    }

    /// From a matrix of `sprs`, in either storage order and with indices of the width of an address; `to_other_types` brings others to it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_sprs(a: &sprs::CsMat<T>) -> Result<Self> {
        let a = a.to_csr();
        if a.cols() > u32::MAX as usize {
            return Err(Error::Structure { row: 0, why: MANY_COLUMNS });
        }
        let columns = a.indices().iter().map(|c| *c as u32).collect();
        Self::new(a.rows(), a.cols(), a.indptr().raw_storage().to_vec(), columns, a.data().to_vec())
    }

    /// As a matrix of `sprs`.
    pub fn to_sprs(&self) -> sprs::CsMat<T> {
        let columns = self.columns.iter().map(|&c| c as usize).collect();
        sprs::CsMat::new((self.rows, self.cols), self.offsets.to_vec(), columns, self.values.clone())
    }

    /// Claims `properties`; see [`checked_symmetric`](Self::checked_symmetric) for what can be checked.
    pub fn assume(mut self, properties: Properties) -> Self {
        self.properties = properties;
        self
    }

    /// Claims symmetry when every entry agrees with its mirror image to `rtol` of the larger one, and nothing otherwise.
    pub fn checked_symmetric(self, rtol: f64) -> Self {
        let properties = if self.is_symmetric(rtol) { Properties::SYMMETRIC } else { Properties::NONE };
        self.assume(properties)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }
    /// Number of stored entries.
    pub fn nonzeros(&self) -> usize {
        self.values.len()
    }
    /// Where each row starts, and the number of entries: `[rows + 1]`.
    pub fn offsets(&self) -> &Offsets {
        &self.offsets
    }
    /// The column of each entry.
    pub fn columns(&self) -> &[u32] {
        &self.columns
    }
    /// The value of each entry.
    pub fn values(&self) -> &[T] {
        &self.values
    }
    /// Columns and values of one row.
    #[inline]
    pub fn row(&self, row: usize) -> (&[u32], &[T]) {
        let range = self.offsets.row(row);
        (&self.columns[range.clone()], &self.values[range])
    }
    /// The entry at (row, column), 0 where none is stored.
    pub fn get(&self, row: usize, column: usize) -> T {
        let (c, v) = self.row(row);
        c.binary_search(&(column as u32)).map_or(T::of(0.0), |i| v[i])
    }
    /// The diagonal, `[min(rows, cols)]`.
    pub fn diagonal(&self) -> Vec<T> {
        (0..self.rows.min(self.cols)).into_par_iter().map(|r| self.get(r, r)).collect()
    }

    /// The transpose.
    pub fn transpose(&self) -> Self {
        let mut offsets = vec![0usize; self.cols + 1];
        for &c in &self.columns {
            offsets[c as usize + 1] += 1;
        }
        for c in 0..self.cols {
            offsets[c + 1] += offsets[c];
        }
        let mut place = offsets.clone();
        let (mut columns, mut values) = (vec![0u32; self.nonzeros()], vec![T::of(0.0); self.nonzeros()]);
        for r in 0..self.rows {
            let (c, v) = self.row(r);
            for (&c, &v) in c.iter().zip(v) {
                let at = &mut place[c as usize];
                columns[*at] = r as u32;
                values[*at] = v;
                *at += 1;
            }
        }
        let properties = self.properties;
        Self::assemble(self.cols, self.rows, &offsets, columns, values).assume(properties)
    }

    /// Whether every entry agrees with its mirror image to `rtol` of the larger one.
    pub fn is_symmetric(&self, rtol: f64) -> bool {
        self.rows == self.cols
            && (0..self.rows).into_par_iter().all(|r| {
                let (c, v) = self.row(r);
                c.iter().zip(v).all(|(&c, &v)| {
                    let (v, w) = (v.f64(), self.get(c as usize, r).f64());
                    (v - w).abs() <= rtol * v.abs().max(w.abs())
                })
            })
    }

    /// A number that tells patterns apart.
    pub(crate) fn fingerprint(&self) -> u64 {
        const PIECE: usize = 1 << 16;
        let mix = |h: u64, v: u64| (h ^ v).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
        let start = 0xcbf2_9ce4_8422_2325 ^ self.cols as u64;
        let offsets = (0..self.offsets.len().div_ceil(PIECE)).into_par_iter().map(|p| {
            let rows = p * PIECE..self.offsets.len().min((p + 1) * PIECE);
            rows.fold(start, |h, row| mix(h, self.offsets.at(row) as u64))
        });
        let columns =
            self.columns.par_chunks(PIECE).map(|p| p.iter().fold(start, |h, v| mix(h, u64::from(*v))));
        let pieces: Vec<u64> = offsets.chain(columns).collect();
        pieces.iter().fold(start, |h, v| mix(h, *v))
    }

    /// Runs `piece(i, first row, y of these rows)` for every piece.
    fn each_piece(&self, y: &mut [T], piece: impl Fn(usize, usize, &mut [T]) + Sync) {
        fn split<T: Send>(
            pieces: &[usize],
            first: usize,
            y: &mut [T],
            f: &(impl Fn(usize, usize, &mut [T]) + Sync),
        ) {
            let count = pieces.len() - 1;
            if count == 1 {
                f(first, pieces[0], y);
                return;
            }
            let half = count / 2;
            let (low, high) = y.split_at_mut(pieces[half] - pieces[0]);
            rayon::join(
                || split(&pieces[..=half], first, low, f),
                || split(&pieces[half..], first + half, high, f),
            );
        }
        split(&self.pieces, 0, y, &piece);
    }

    /// y ← Ax on the rows from `first`, several at a time: each is summed in its order, and the sums do not wait for one
    /// another. Entries are asked for well ahead, since rows are too short for the processor to see that they follow each
    /// other in two streams beside those of `x`.
    #[inline]
    fn multiply(&self, first: usize, x: &[T], y: &mut [T]) {
        match self.offsets.width() {
            Width::Short(offsets) => self.multiply_rows(&offsets[first..], x, y),
            Width::Long(offsets) => self.multiply_rows(&offsets[first..], x, y),
        }
    }

    /// The same, on the rows that start at `offsets`.
    #[inline]
    fn multiply_rows(&self, offsets: &[impl Offset], x: &[T], y: &mut [T]) {
        const ROWS: usize = 4;
        /// Entries that are asked for ahead of their use, and the most asked for at once.
        const AHEAD: usize = 256;
        const MOST: usize = 128;
        let (groups, rest) = y.as_chunks_mut::<ROWS>();
        let last = ROWS * groups.len();
        for (g, y) in groups.iter_mut().enumerate() {
            let r = ROWS * g;
            let starts: [usize; ROWS] = std::array::from_fn(|k| offsets[r + k].at());
            let ends: [usize; ROWS] = std::array::from_fn(|k| offsets[r + k + 1].at());
            let count = (ends[ROWS - 1] - starts[0]).min(MOST);
            prefetch(&self.values, starts[0] + AHEAD, count);
            prefetch(&self.columns, starts[0] + AHEAD, count);
            let common = (0..ROWS).map(|k| ends[k] - starts[k]).min().unwrap_or(0);
            let mut sums = [T::of(0.0); ROWS];
            for e in 0..common {
                for k in 0..ROWS {
                    // SAFETY: e is less than the number of entries of every one of the rows.
                    sums[k] += unsafe { self.term(starts[k] + e, x) };
                }
            }
            for k in 0..ROWS {
                // SAFETY: entries of the row.
                y[k] = (starts[k] + common..ends[k]).fold(sums[k], |s, e| s + unsafe { self.term(e, x) });
            }
        }
        for (r, y) in rest.iter_mut().enumerate() {
            let entries = offsets[last + r].at()..offsets[last + r + 1].at();
            // SAFETY: entries of the row.
            *y = entries.fold(T::of(0.0), |s, e| s + unsafe { self.term(e, x) });
        }
    }

    /// Entry `e` times what it meets in `x`.
    ///
    /// # Safety
    /// `e` is less than the number of entries and `x` has as many as there are columns: construction checked every column.
    #[inline(always)]
    unsafe fn term(&self, e: usize, x: &[T]) -> T {
        // SAFETY: the caller's.
        unsafe {
            let c = *self.columns.get_unchecked(e) as usize;
            *self.values.get_unchecked(e) * *x.get_unchecked(c)
        }
    }
}

impl<T: Scalar> Map for Csr<T> {
    fn shape(&self) -> Shape {
        Shape { rows: self.rows, cols: self.cols }
    }
    fn properties(&self) -> Properties {
        self.properties
    }
}

impl<T: Scalar> Operator<Host<T>> for Csr<T> {
    fn apply(&self, space: &Host<T>, x: &[T], y: &mut [T]) -> Result<()> {
        check_apply(space, self.shape(), x, y)?;
        self.each_piece(y, |_, first, y| self.multiply(first, x, y));
        Ok(())
    }
}

impl<T: Scalar> LinearOperator<Host<T>> for Csr<T> {
    /// On one thread: rows scatter into y. Store [`transpose`](Csr::transpose) where this product is hot.
    fn apply_transpose(&self, space: &Host<T>, x: &[T], y: &mut [T]) -> Result<()> {
        if self.properties.symmetric {
            return self.apply(space, x, y);
        }
        check_len("x", self.rows, x.len())?;
        check_len("y", self.cols, y.len())?;
        y.fill(T::of(0.0));
        for (r, &x) in x.iter().enumerate() {
            let (c, v) = self.row(r);
            for (&c, &v) in c.iter().zip(v) {
                y[c as usize] += v * x;
            }
        }
        Ok(())
    }

    fn apply_dot(&self, space: &Host<T>, x: &[T], y: &mut [T]) -> Result<f64> {
        check_apply(space, self.shape(), x, y)?;
        check_len("x", self.rows, self.cols)?;
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let sums = crate::stencil::rows::Shared::new(&mut scratch);
        self.each_piece(y, |i, first, y| {
            self.multiply(first, x, y);
            // SAFETY: one entry for each piece.
            unsafe { sums.get_mut(i, 1)[0] = crate::host::reduce::dot(&x[first..first + y.len()], y) };
        });
        Ok(scratch.iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structure_is_checked() {
        let new = |o: &[usize], c: &[u32], v: &[f64]| Csr::new(2, 2, o.to_vec(), c.to_vec(), v.to_vec());
        assert!(new(&[0, 1, 2], &[0, 1], &[1.0, 1.0]).is_ok());
        assert!(matches!(new(&[0, 2], &[0, 1], &[1.0, 1.0]), Err(Error::Length { .. })));
        assert!(matches!(new(&[1, 1, 2], &[0, 1], &[1.0, 1.0]), Err(Error::Structure { row: 0, .. })));
        assert!(matches!(new(&[0, 2, 1], &[0], &[1.0]), Err(Error::Structure { row: 1, .. })));
        assert!(matches!(new(&[0, 1, 3], &[0, 1], &[1.0, 1.0]), Err(Error::Structure { row: 2, .. })));
        assert!(matches!(new(&[0, 1, 2], &[0, 2], &[1.0, 1.0]), Err(Error::Structure { row: 1, .. })));
        assert!(matches!(new(&[0, 2, 2], &[1, 0], &[1.0, 1.0]), Err(Error::Structure { row: 0, .. })));
        assert!(matches!(new(&[0, 1, 2], &[0, 1], &[1.0, f64::NAN]), Err(Error::Value { index: 1, .. })));
        assert!(matches!(Csr::from_triplets(1, 1, &[(1, 0, 1.0)]), Err(Error::Structure { row: 1, .. })));
    }

    #[test]
    fn triplets_are_sorted_and_added() {
        let a = Csr::from_triplets(2, 3, &[(1, 2, 1.0), (0, 1, 2.0), (1, 0, 3.0), (1, 2, 4.0)]).unwrap();
        assert_eq!(a.row(1), (&[0u32, 2][..], &[3.0, 5.0][..]));
        assert_eq!(a.transpose().transpose(), a);
        assert_eq!(Csr::from_sprs(&a.to_sprs()).unwrap(), a);
        assert_eq!(Csr::from_sprs(&a.to_sprs().to_csc()).unwrap(), a);
        let narrow: sprs::CsMatI<f64, u16, u32> = a.to_sprs().to_other_types();
        assert_eq!(Csr::from_sprs(&narrow.to_other_types()).unwrap(), a);
        assert!(!a.is_symmetric(0.0));
    }

    #[test]
    fn products_match_sprs_at_ragged_sizes() {
        let space = Host::<f64>::new();
        for (rows, cols) in [(0, 0), (1, 1), (3, 7), (40_000, 37), (40_000, 40_000)] {
            let entries: Vec<_> = (0..rows.min(1) + 5 * rows)
                .filter(|_| cols > 0)
                .map(|e| ((e * 7919 % rows) as u32, (e * 104_729 % cols) as u32, (e % 17) as f64 - 8.0))
                .collect();
            let a = Csr::from_triplets(rows, cols, &entries).unwrap();
            let x: Vec<f64> = (0..cols).map(|i| (i % 13) as f64 - 6.0).collect();
            let mut y = vec![f64::NAN; rows];
            a.apply(&space, &x, &mut y).unwrap();
            let long = Csr { offsets: Offsets::long(&a.offsets().to_vec()), ..a.clone() };
            let mut same = vec![f64::NAN; rows];
            long.apply(&space, &x, &mut same).unwrap();
            assert_eq!(y, same);
            if rows > 0 {
                let expected = &a.to_sprs() * &sprs::CsVec::new(cols, (0..cols).collect(), x.clone());
                assert!((0..rows).all(|r| y[r] == expected.get(r).copied().unwrap_or(0.0)));
            }
            let mut t = vec![f64::NAN; cols];
            a.apply_transpose(&space, &y, &mut t).unwrap();
            let mut u = vec![f64::NAN; cols];
            a.transpose().apply(&space, &y, &mut u).unwrap();
            assert_eq!(t, u);
            if rows == cols {
                let mut z = vec![0.0; rows];
                let dot = a.apply_dot(&space, &x, &mut z).unwrap();
                assert_eq!(y, z);
                assert_eq!(dot, x.iter().zip(&y).map(|(x, y)| x * y).sum::<f64>());
            }
        }
    }
}
