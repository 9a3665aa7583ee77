//! Sparse triangular solves, rows of one level at a time.
//!
//! Row i can be solved when the rows it refers to are. Level 0 refers to none, level l + 1 to none beyond l; the rows of
//! a level are independent. On one thread, or where levels are narrow, the rows are taken in their own order instead,
//! which gives the same bits: what a row computes does not depend on when.
//!
//! E. Anderson, Y. Saad, *Solving sparse triangular linear systems on parallel computers*, Int. J. High Speed Comput. 1
//! (1989), 10.1142/S0129053389000056.

use crate::Scalar;
use crate::stencil::rows::Shared;
use rayon::prelude::*;

/// Rows a level needs on average before threads share it.
const WIDE: usize = 1024;
/// Rows a thread takes at a time.
const GRAIN: usize = 256;

/// The strict lower or upper triangle of a matrix, by rows.
pub(super) struct Triangle<T> {
    pub offsets: Vec<u32>,
    pub columns: Vec<u32>,
    pub values: Vec<T>,
    /// Rows sorted by level, and where each level starts; empty when levels are narrow.
    order: Vec<u32>,
    levels: Vec<u32>,
    ascending: bool,
}

impl<T: Scalar> Triangle<T> {
    /// `ascending` for a lower triangle, whose rows refer to earlier ones.
    pub fn new(offsets: Vec<u32>, columns: Vec<u32>, values: Vec<T>, ascending: bool) -> Self {
        let mut triangle =
            Self { offsets, columns, values, order: Vec::new(), levels: Vec::new(), ascending };
        triangle.schedule();
        triangle
    }

    fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    fn entries(&self, row: usize) -> std::ops::Range<usize> {
        self.offsets[row] as usize..self.offsets[row + 1] as usize
    }

    fn schedule(&mut self) {
        let n = self.rows();
        let mut level = vec![0u32; n];
        let visit = |row: usize, level: &mut Vec<u32>| {
            let beyond = self.entries(row).map(|e| level[self.columns[e] as usize] + 1);
            level[row] = beyond.max().unwrap_or(0);
        };
        if self.ascending {
            (0..n).for_each(|row| visit(row, &mut level));
        } else {
            (0..n).rev().for_each(|row| visit(row, &mut level));
        }
        let count = level.iter().max().map_or(0, |l| *l as usize + 1);
        if n < WIDE * count {
            return;
        }
        let mut starts = vec![0u32; count + 1];
        level.iter().for_each(|l| starts[*l as usize + 1] += 1);
        (0..count).for_each(|l| starts[l + 1] += starts[l]);
        let mut place = starts.clone();
        self.order = vec![0; n];
        for (row, l) in level.iter().enumerate() {
            self.order[place[*l as usize] as usize] = row as u32;
            place[*l as usize] += 1;
        }
        self.levels = starts;
    }

    /// Calls `solve(row, Σ values · y)` for every row after those it refers to; what it returns becomes y in that row.
    pub fn sweep(&self, y: &mut [f64], solve: impl Fn(usize, f64, f64) -> f64 + Sync) {
        let row = |row: usize, y: &Shared<f64>| {
            let mut sum = 0.0;
            for e in self.entries(row) {
                // SAFETY: construction checked that columns are rows of the matrix; a row's references are finished, and
                // nobody else writes them.
                sum += self.values[e].f64() * unsafe { y.get(self.columns[e] as usize, 1) }[0];
            }
            // SAFETY: each row is written by whoever solves it, once.
            let y = unsafe { y.get_mut(row, 1) };
            y[0] = solve(row, sum, y[0]);
        };
        let n = self.rows();
        let shared = Shared::new(y);
        if self.levels.is_empty() || rayon::current_num_threads() == 1 {
            if self.ascending {
                (0..n).for_each(|r| row(r, &shared));
            } else {
                (0..n).rev().for_each(|r| row(r, &shared));
            }
            return;
        }
        for level in self.levels.windows(2) {
            let rows = &self.order[level[0] as usize..level[1] as usize];
            if rows.len() < 2 * GRAIN {
                rows.iter().for_each(|r| row(*r as usize, &shared));
            } else {
                rows.par_chunks(rows.len().div_ceil(rayon::current_num_threads()).max(GRAIN))
                    .for_each(|rows| rows.iter().for_each(|r| row(*r as usize, &shared)));
            }
        }
    }
}
