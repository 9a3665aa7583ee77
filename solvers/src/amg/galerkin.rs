//! The coarse matrix PᵀAP, one row at a time: (Pᵀ A) row, then that times P. Nothing of the size of AP is stored. Rows are
//! asked for ahead of their use, since an aggregate's lie far apart.

use super::aggregate::{NONE, members};
use super::sparse::{Entries, Sparse};
use crate::{Result, Scalar};

/// A sum of sparse rows: an open-addressing table of columns, at most a quarter full and small enough to stay in cache. A
/// column met for the first time and one met before take the same path, so that no branch is mispredicted between them.
#[derive(Default)]
struct Accumulator {
    /// Column + 1, or 0 for a free place, where the sum is 0.
    keys: Vec<u32>,
    sums: Vec<f64>,
    /// The places taken, in the order of their first use.
    used: Vec<u32>,
    count: usize,
}

impl Accumulator {
    const SMALL: usize = 1024;

    /// Room for `more` further columns.
    fn reserve(&mut self, more: usize) {
        if 4 * (self.count + more) <= self.keys.len() {
            return;
        }
        let mut old = Vec::with_capacity(self.count);
        self.drain(|column, v| old.push((column, v)));
        let size = (4 * (old.len() + more)).next_power_of_two().max(Self::SMALL);
        self.keys.resize(size, 0);
        self.sums.resize(size, 0.0);
        self.used.resize(size, 0);
        old.into_iter().for_each(|(column, v)| self.add(column, v));
    }

    /// sum[column] += v, where there is room.
    #[inline(always)]
    fn add(&mut self, column: u32, v: f64) {
        let (key, mask) = (column + 1, self.keys.len() - 1);
        let mut at = (column.wrapping_mul(0x9e37_79b1) >> 12) as usize & mask;
        // SAFETY: `at` is at most the mask, and no more places are used than there are.
        unsafe {
            while *self.keys.get_unchecked(at) != key {
                if *self.keys.get_unchecked(at) == 0 {
                    break;
                }
                at = (at + 1) & mask;
            }
            let held = self.keys.get_unchecked_mut(at);
            *self.used.get_unchecked_mut(self.count) = at as u32;
            self.count += usize::from(*held == 0);
            *held = key;
            *self.sums.get_unchecked_mut(at) += v;
        }
    }

    /// Runs `f` on every column and its sum in the order of their first appearance, and empties the table.
    #[inline(always)]
    fn drain(&mut self, mut f: impl FnMut(u32, f64)) {
        for at in &self.used[..self.count] {
            let at = *at as usize;
            f(self.keys[at] - 1, self.sums[at]);
            self.keys[at] = 0;
            self.sums[at] = 0.0;
        }
        self.count = 0;
    }
}

/// PᵀAP, accumulated in f64, from P and its transpose. A column of P without entries gives a row with 1 on the diagonal.
pub(super) fn sparse<T: Scalar>(
    a: &impl Entries,
    p: &Sparse<T>,
    transposed: &Sparse<T>,
) -> Result<Sparse<f64>> {
    let coarse = p.cols;
    Sparse::build(coarse, coarse, |work: &mut Work, row, columns, values| {
        let Work { middle, sum, rows } = work;
        if row + 1 < coarse {
            transposed.row(row + 1).0.iter().for_each(|&i| a.prefetch(i as usize));
        }
        let (fine, weights) = transposed.row(row);
        for (&i, &w) in fine.iter().zip(weights) {
            let (w, (c, v)) = (w.f64(), a.row(i as usize));
            middle.reserve(c.len());
            c.iter().zip(v).for_each(|(&c, &v)| middle.add(c, w * v));
        }
        rows.clear();
        middle.drain(|j, v| {
            p.prefetch(j as usize);
            rows.push((j, v));
        });
        for &(j, v) in &*rows {
            let (c, p) = p.row(j as usize);
            sum.reserve(c.len());
            c.iter().zip(p).for_each(|(&c, &p)| sum.add(c, v * p.f64()));
        }
        if fine.is_empty() {
            sum.reserve(1);
            sum.add(row as u32, 1.0);
        }
        sum.drain(|c, v| {
            columns.push(c);
            values.push(v);
        });
    })
}

/// PᵀAP where P is constant on aggregates.
pub(super) fn constant(a: &impl Entries, of: &[u32], count: usize) -> Result<Sparse<f64>> {
    let members = members(of, count);
    Sparse::build(count, count, |sum: &mut Accumulator, row, columns, values| {
        if row + 1 < count {
            members.row(row + 1).0.iter().for_each(|&i| a.prefetch(i as usize));
        }
        for &i in members.row(row).0 {
            let (c, v) = a.row(i as usize);
            sum.reserve(c.len());
            for (&c, &v) in c.iter().zip(v) {
                let coarse = of[c as usize];
                if coarse != NONE {
                    sum.add(coarse, v);
                }
            }
        }
        sum.drain(|c, v| {
            columns.push(c);
            values.push(v);
        });
    })
}

#[derive(Default)]
struct Work {
    middle: Accumulator,
    sum: Accumulator,
    /// The row of PᵀA.
    rows: Vec<(u32, f64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number for two indices, with zeros among them.
    fn value(i: usize, j: usize) -> f64 {
        let h = (i * 7919 + j * 104_729 + i * j) % 11;
        if h < 6 { 0.0 } else { h as f64 - 8.5 }
    }

    fn of<T: Scalar>(rows: usize, cols: usize, f: impl Fn(usize, usize) -> f64 + Sync) -> Sparse<T> {
        Sparse::build(rows, cols, |_: &mut (), i, c, v| {
            for j in (0..cols).filter(|j| f(i, *j) != 0.0) {
                c.push(j as u32);
                v.push(T::of(f(i, j)));
            }
        })
        .unwrap()
    }

    fn dense(a: &Sparse<f64>) -> Vec<Vec<f64>> {
        (0..a.rows())
            .map(|i| {
                let mut row = vec![0.0; a.cols];
                a.row(i).0.iter().zip(a.row(i).1).for_each(|(c, v)| row[*c as usize] += v);
                row
            })
            .collect()
    }

    #[test]
    fn products_are_those_of_plain_loops() {
        let (n, m) = (57, 13);
        let a = of::<f64>(n, n, value);
        let weight = |i: usize, j: usize| if j == 12 { 0.0 } else { value(i + 100, j) };
        let p = of::<f32>(n, m, weight);
        let got = dense(&sparse(&a, &p, &p.transpose()).unwrap());
        let sum = |f: &dyn Fn(usize, usize) -> f64| -> f64 { (0..n * n).map(|e| f(e / n, e % n)).sum() };
        for i in 0..m {
            for j in 0..m {
                let expected = sum(&|k, l| weight(k, i) * value(k, l) * weight(l, j));
                let expected = if i == 12 && j == 12 { 1.0 } else { expected };
                assert!((got[i][j] - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{i} {j}");
            }
        }
        let aggregate = |i: usize| if i % 9 == 4 { NONE } else { (i * 5 % 12) as u32 };
        let got = dense(&constant(&a, &(0..n).map(aggregate).collect::<Vec<_>>(), 12).unwrap());
        for i in 0..12 {
            for j in 0..12 {
                let inside = |k, i: usize| f64::from(aggregate(k) == i as u32);
                let expected = sum(&|k, l| inside(k, i) * value(k, l) * inside(l, j));
                assert_eq!(got[i][j], expected, "{i} {j}");
            }
        }
    }

    /// More columns than a table starts with.
    #[test]
    fn a_table_grows() {
        let mut sum = Accumulator::default();
        for round in 0..3 {
            for c in 0..5000u32 {
                sum.reserve(1);
                sum.add(c * 1031 % 5003, f64::from(c));
                sum.add(c * 1031 % 5003, 1.0);
            }
            let mut seen = 0;
            sum.drain(|column, v| {
                assert_eq!((column, v), (seen * 1031 % 5003, f64::from(seen) + 1.0), "round {round}");
                seen += 1;
            });
            assert_eq!(seen, 5000);
        }
    }
}
