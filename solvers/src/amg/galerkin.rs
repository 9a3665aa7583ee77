//! The coarse matrix PᵀAP, one row at a time: (Pᵀ A) row, then that times P. Nothing of the size of AP is stored.

use super::sparse::{Entries, Sparse};
use crate::{Result, Scalar};

/// A sum of sparse rows: an open-addressing table of columns, small enough to stay in cache.
#[derive(Default)]
pub(super) struct Accumulator {
    /// Column + 1, or 0 for a free place.
    keys: Vec<u32>,
    sums: Vec<f64>,
    used: Vec<u32>,
}

impl Accumulator {
    const SMALL: usize = 256;

    #[inline(always)]
    fn slot(&self, column: u32) -> usize {
        let mask = self.keys.len() - 1;
        let mut at = (column.wrapping_mul(0x9e37_79b1) >> 7) as usize & mask;
        loop {
            let key = self.keys[at];
            if key == 0 || key == column + 1 {
                return at;
            }
            at = (at + 1) & mask;
        }
    }

    /// sum[column] += v.
    #[inline(always)]
    fn add(&mut self, column: u32, v: f64) {
        if 2 * self.used.len() >= self.keys.len() {
            self.grow();
        }
        let at = self.slot(column);
        if self.keys[at] == 0 {
            self.keys[at] = column + 1;
            self.used.push(at as u32);
            self.sums[at] = v;
        } else {
            self.sums[at] += v;
        }
    }

    fn grow(&mut self) {
        let old: Vec<(u32, f64)> =
            self.used.iter().map(|&at| (self.keys[at as usize] - 1, self.sums[at as usize])).collect();
        let size = (2 * self.keys.len()).max(Self::SMALL);
        self.keys.clear();
        self.keys.resize(size, 0);
        self.sums.resize(size, 0.0);
        self.used.clear();
        for (column, v) in old {
            let at = self.slot(column);
            self.keys[at] = column + 1;
            self.sums[at] = v;
            self.used.push(at as u32);
        }
    }

    /// Runs `f` on every column and its sum in the order of their first appearance, and empties the table.
    #[inline(always)]
    fn drain(&mut self, mut f: impl FnMut(u32, f64)) {
        for at in self.used.drain(..) {
            let at = at as usize;
            f(self.keys[at] - 1, self.sums[at]);
            self.keys[at] = 0;
        }
    }
}

/// PᵀAP, accumulated in f64, from P and its transpose. A column of P without entries gives a row with 1 on the diagonal.
pub(super) fn galerkin<T: Scalar>(
    a: &impl Entries,
    p: &Sparse<T>,
    transposed: &Sparse<T>,
) -> Result<Sparse<f64>> {
    Sparse::build(p.cols, p.cols, |work: &mut (Accumulator, Accumulator), row, columns, values| {
        let (middle, sum) = work;
        let (fine, weights) = transposed.row(row);
        for (&i, &w) in fine.iter().zip(weights) {
            let (w, (c, v)) = (w.f64(), a.row(i as usize));
            c.iter().zip(v).for_each(|(&c, &v)| middle.add(c, w * v));
        }
        middle.drain(|j, v| {
            let (c, p) = p.row(j as usize);
            c.iter().zip(p).for_each(|(&c, &p)| sum.add(c, v * p.f64()));
        });
        if fine.is_empty() {
            sum.add(row as u32, 1.0);
        }
        sum.drain(|c, v| {
            columns.push(c);
            values.push(v);
        });
    })
}
