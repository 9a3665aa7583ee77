//! Sparse triangular solves, one level of rows after the other.
//!
//! Level 0 refers to no other row, level l + 1 to none beyond l; the rows of a level are independent, and threads share
//! them. The matrix is kept in the order of levels, so that a sweep streams through it and what it refers to is near;
//! the transpose takes the same levels backwards. What a row computes does not depend on when, so the result has the
//! same bits for any number of threads.
//!
//! E. Anderson, Y. Saad, *Solving sparse triangular linear systems on parallel computers*, Int. J. High Speed Comput. 1
//! (1989), 10.1142/S0129053389000056.

use crate::Scalar;
use crate::stencil::rows::Shared;
use rayon::prelude::*;

/// Rows of a level that threads share.
const GRAIN: usize = 2048;

/// Rows sorted by level.
pub(super) struct Levels {
    /// The row at each place.
    pub order: Vec<u32>,
    /// Where each level starts, and the number of rows.
    starts: Vec<u32>,
}

impl Levels {
    /// Of a strict upper triangle: row i must come before those it refers to.
    pub fn of(offsets: &[u32], columns: &[u32]) -> Self {
        let n = offsets.len() - 1;
        let mut level = vec![0u32; n];
        for row in 0..n {
            for c in &columns[offsets[row] as usize..offsets[row + 1] as usize] {
                level[*c as usize] = level[*c as usize].max(level[row] + 1);
            }
        }
        let count = level.iter().max().map_or(0, |l| *l as usize + 1);
        let mut starts = vec![0u32; count + 1];
        level.iter().for_each(|l| starts[*l as usize + 1] += 1);
        (0..count).for_each(|l| starts[l + 1] += starts[l]);
        let (mut place, mut order) = (starts.clone(), vec![0; n]);
        for (row, l) in level.iter().enumerate() {
            let at = &mut place[*l as usize];
            order[*at as usize] = row as u32;
            *at += 1;
        }
        Self { order, starts }
    }

    fn level(&self, l: usize) -> std::ops::Range<usize> {
        self.starts[l] as usize..self.starts[l + 1] as usize
    }
}

/// A strict triangle by rows, in the order of levels.
pub(super) struct Triangle<T> {
    pub offsets: Vec<u32>,
    pub columns: Vec<u32>,
    pub values: Vec<T>,
}

impl<T: Scalar> Triangle<T> {
    /// Rows `rows` of `y`, each from those it refers to: y ← solve(row, Σ values · y, y).
    #[inline(always)]
    fn solve(&self, rows: std::ops::Range<usize>, y: Shared<f64>, solve: &impl Fn(usize, f64, f64) -> f64) {
        for row in rows {
            let mut sum = 0.0;
            for e in self.offsets[row] as usize..self.offsets[row + 1] as usize {
                // SAFETY: columns are rows of the matrix, of a level that is finished, and nobody writes them.
                sum += self.values[e].f64() * unsafe { y.get(self.columns[e] as usize, 1) }[0];
            }
            // SAFETY: each row is written by whoever solves it, once.
            let y = unsafe { y.get_mut(row, 1) };
            y[0] = solve(row, sum, y[0]);
        }
    }

    /// Solves every row after those it refers to: levels upwards for a lower triangle, else downwards.
    pub fn sweep(
        &self,
        levels: &Levels,
        upwards: bool,
        y: &mut [f64],
        f: impl Fn(usize, f64, f64) -> f64 + Sync,
    ) {
        let shared = Shared::new(y);
        let count = levels.starts.len() - 1;
        for step in 0..count {
            let rows = levels.level(if upwards { step } else { count - 1 - step });
            if rows.len() < 2 * GRAIN || rayon::current_num_threads() == 1 {
                self.solve(rows, shared, &f);
            } else {
                let pieces = rows.len() / GRAIN;
                let piece = rows.len().div_ceil(pieces.min(2 * rayon::current_num_threads()));
                (rows.start..rows.end).into_par_iter().step_by(piece).for_each(|start| {
                    self.solve(start..(start + piece).min(rows.end), shared, &f);
                });
            }
        }
    }
}
